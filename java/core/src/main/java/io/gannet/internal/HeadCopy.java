package io.gannet.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A head block copied to the heap: the trailers of a body, which outlive their exchange. */
final class HeadCopy implements HeadSource {
    /** A head without fields. */
    static final HeadCopy EMPTY = new HeadCopy(ByteBuffer.allocate(Layout.HEAD_BYTES), 0, Layout.HEAD_BYTES);

    private final ByteBuffer bytes;

    HeadCopy(ByteBuffer slab, int offset, int length) {
        byte[] copy = new byte[length];
        slab.get(offset, copy);
        bytes = ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public ByteBuffer open() {
        return bytes;
    }

    @Override
    public int head() {
        return 0;
    }

    @Override
    public <T> T sound(T value) {
        return value;
    }

    @Override
    public int sound(int value) {
        return value;
    }

    @Override
    public IndexOutOfBoundsException unreadable(IndexOutOfBoundsException failure) {
        return failure;
    }

    @Override
    public String text(ByteBuffer open, int offset, int length) {
        return new String(open.array(), offset, length, StandardCharsets.ISO_8859_1);
    }
}
