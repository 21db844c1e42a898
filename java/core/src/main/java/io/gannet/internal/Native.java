package io.gannet.internal;

import java.nio.ByteBuffer;

/**
 * The native core's entry points. Where the result is a number, a negative one is a negated errno. Those that take a
 * loop are for that loop's thread alone; it is a pointer, and nothing here checks it. {@link NativeLibrary#require}
 * comes first.
 */
final class Native {
    private Native() {}

    /** An eventfd. */
    static native int openWake();

    /** Ends the wait of the loop that owns the eventfd. From any thread. */
    static native int wake(int descriptor);

    static native void closeDescriptor(int descriptor);

    /** A bound and listening socket; the address is big-endian, IPv4 in the low 32 bits of {@code low}. */
    static native int openListener(
            int family, long high, long low, int scope, int port, int backlog, boolean reusePort, boolean probe);

    static native int listenerPort(int descriptor);

    /**
     * How many connections the listeners of a server may have in all ({@code -1}: the default, 0: no limit), and from one
     * address (0: no limit). From any thread; listeners hold it too.
     */
    static native long openAdmission(long connections, long perAddress);

    /** Lets go of it. */
    static native void releaseAdmission(long admission);

    /** A loop in the region that Java laid out (shared.h). */
    static native long create(ByteBuffer shared);

    /** The index of the slab. */
    static native long addSlab(long loop, ByteBuffer slab);

    /** The listener's id. Takes the descriptor over, even if it fails. */
    static native long listen(long loop, int descriptor);

    /**
     * Takes over a connected stream socket as a connection of that listener. If it fails, the descriptor stays the
     * caller's; -ESHUTDOWN: the listener has stopped.
     */
    static native int adopt(long loop, long listener, int descriptor);

    /** One turn: how many events are in the ring behind {@code eventHead}. Waits at most so long, forever if -1. */
    static native long poll(long loop, int commands, int eventHead, long waitNanoseconds);

    /** Ends everything; -ETIMEDOUT if the kernel did not let go of all memory. */
    static native int stop(long loop, long waitNanoseconds);

    static native void destroy(long loop);
}
