package io.gannet.internal;

import io.gannet.HttpException;
import java.nio.ByteBuffer;

/**
 * One way of reading a body: what {@link BodyReader} hands the bytes to. The loop thread's.
 *
 * <pre>
 *   begin --> copy, pass, copy, pass, ... --> end
 *                \--- at any time --------/-> fail
 * </pre>
 */
interface BodySink {
    /** Reading begins; refuses a body that cannot be read by {@link BodyReader#refuse(HttpException)}. */
    default void begin() {}

    /** Whether it takes bytes now. */
    boolean isReady();

    /** Whether somebody waits for bytes or for the end. */
    default boolean isWaiting() {
        return isReady();
    }

    /** Copies bytes, without a call of the application; {@code false}: the body was refused, and the bytes stay unread. */
    boolean copy(ByteBuffer from, int offset, int length);

    /** Hands over what was copied; the block that it came in is given back already. */
    void pass();

    /** The body has ended, and all of it was taken. */
    void end();

    /** The body will not be complete; {@code true}: somebody was told. */
    boolean fail(HttpException why);

    /** Bytes that the application may keep. */
    static ByteBuffer copyOf(ByteBuffer from, int offset, int length) {
        byte[] bytes = new byte[length];
        from.get(offset, bytes);
        return ByteBuffer.wrap(bytes);
    }
}
