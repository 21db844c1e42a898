package io.gannet.examples;

import io.gannet.OutgoingBody;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** A body of any length in constant memory: the same bytes again and again, each time that the client can take more. */
final class Chunks {
    private static final int BLOCK_BYTES = 65536;

    private final ByteBuffer block;
    private long left;

    private Chunks(int chunkBytes, long total) {
        var bytes = new byte[chunkBytes];
        Arrays.fill(bytes, (byte) 'x');
        block = ByteBuffer.wrap(bytes);
        left = total;
    }

    /** So many bytes. */
    static Chunks ofBytes(long total) {
        return new Chunks((int) Math.min(BLOCK_BYTES, total), total);
    }

    /** So many chunks of one byte. */
    static Chunks ofOneByte(long count) {
        return new Chunks(1, count);
    }

    /** Writes them all, and ends the body; a write that fails is the last one. */
    void writeTo(OutgoingBody body) {
        if (left == 0) {
            body.end();
            return;
        }
        block.clear();
        block.limit((int) Math.min(block.capacity(), left));
        left -= block.remaining();
        body.write(block).whenComplete((done, failure) -> {
            if (failure == null) {
                writeTo(body);
            }
        });
    }
}
