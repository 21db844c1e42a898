package io.gannet.internal;

import java.nio.ByteBuffer;

/** Where {@link HeadFields} reads: a block that may be gone in the middle of reading, or a copy that stays. */
interface HeadSource {
    /** Where to read; refuses if it is gone. What was read counts only after {@link #sound}. */
    ByteBuffer open();

    /** Where the head begins in {@link #open}. */
    int head();

    /** The value, if it was read while the head was there. */
    <T> T sound(T value);

    /** The value, if it was read while the head was there. */
    int sound(int value);

    /** What to throw where reading failed: the head may have gone meanwhile. */
    IndexOutOfBoundsException unreadable(IndexOutOfBoundsException failure);

    /** The text at an offset from the head's beginning. */
    String text(ByteBuffer open, int offset, int length);
}
