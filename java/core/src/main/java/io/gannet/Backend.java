package io.gannet;

/** What an event loop does its input and output with. */
public enum Backend {
    /** {@link #IO_URING} where the kernel has and allows all of it that is used, else {@link #EPOLL}. The default. */
    AUTO,
    /** io_uring, or an error at the start that says what the kernel refused and what to do about it. */
    IO_URING,
    /** epoll, which every Linux has. */
    EPOLL
}
