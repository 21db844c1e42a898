package io.gannet.internal;

import java.util.Arrays;

/**
 * Body blocks that C lent for an exchange and nobody has read, in order. It does not know the exchange, so that it can be
 * given back when that is gone. The loop thread's.
 */
final class LentBlocks {
    /** Blocks and lengths, by turns. */
    private long[] blocks = new long[4];

    private int first;
    private int end;

    boolean isEmpty() {
        return first == end;
    }

    /** Adds one; if there is no memory for it, it is not added. */
    void add(long block, int length) {
        if (end == blocks.length) {
            if (first > 0) {
                System.arraycopy(blocks, first, blocks, 0, end - first);
                end -= first;
                first = 0;
            } else {
                blocks = Arrays.copyOf(blocks, 2 * blocks.length);
            }
        }
        blocks[end] = block;
        blocks[end + 1] = length;
        end += 2;
    }

    int size() {
        return (end - first) / 2;
    }

    /** The block at an index, 0 for the first. */
    long block(int index) {
        return blocks[first + 2 * index];
    }

    /** How many bytes are in the block at an index. */
    int length(int index) {
        return (int) blocks[first + 2 * index + 1];
    }

    long firstBlock() {
        return block(0);
    }

    int firstLength() {
        return length(0);
    }

    void removeFirst() {
        first += 2;
        if (first == end) {
            first = 0;
            end = 0;
        }
    }

    /** Gives all of them back. */
    void giveBack(Loop loop, long exchangeId) {
        while (!isEmpty()) {
            loop.commands().plain(Layout.COMMAND_CREDIT, 0, exchangeId, firstBlock(), firstLength());
            removeFirst();
        }
    }
}
