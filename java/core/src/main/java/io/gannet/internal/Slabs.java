package io.gannet.internal;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The slabs of direct memory that a loop has lent to the C core, by index. A block is named by its slab's index in the
 * upper and its byte offset in the lower half of 64 bits. Only the loop's thread touches this.
 */
final class Slabs {
    static final int BYTES = 1 << 20;
    private static final int ALIGNMENT = 64;

    private ByteBuffer[] slabs = new ByteBuffer[8];

    static ByteBuffer allocate() {
        return Region.allocate(BYTES, ALIGNMENT);
    }

    /** Lends a slab; a negated errno if C does not take it. */
    int add(long loop, ByteBuffer slab) {
        if (slabs[slabs.length - 1] != null) {
            // Before C has the slab, for the heap may be full.
            slabs = Arrays.copyOf(slabs, 2 * slabs.length);
        }
        int index = (int) Native.addSlab(loop, slab);
        if (index > 0) {
            if (index >= slabs.length) {
                slabs = Arrays.copyOf(slabs, Math.max(index + 1, 2 * slabs.length));
            }
            slabs[index] = slab;
        }
        return index;
    }

    ByteBuffer slab(long block) {
        return slabs[(int) (block >>> 32)];
    }

    static int offset(long block) {
        return (int) block;
    }

    void remove(int index) {
        slabs[index] = null;
    }

    void clear() {
        Arrays.fill(slabs, null);
    }
}
