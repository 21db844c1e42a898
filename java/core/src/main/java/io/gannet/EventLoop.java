package io.gannet;

import io.gannet.internal.Loop;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * One event loop: a platform thread with connections of its own, an executor and a timer. Everything that runs on it
 * must be short and must not block. Thread-safe.
 *
 * <p>Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by applications.
 */
public sealed interface EventLoop extends Executor permits Loop {
    /**
     * Runs a task on the loop's thread, after the event in hand, in the order of the calls of one thread. A task that
     * throws is logged; the loop goes on.
     *
     * @param task what to run
     * @throws RejectedExecutionException if the loop has ended
     */
    @Override
    void execute(Runnable task);

    /**
     * Runs a task on the loop's thread after a delay, measured with a monotonic clock. Timers that have not run when
     * the loop ends never do.
     *
     * @param delay how long to wait; nothing if zero or negative; one of more than 146 years is taken for as many
     * @param task what to run
     * @return a handle to take the task back
     * @throws RejectedExecutionException if the loop has ended
     */
    ScheduledTask schedule(Duration delay, Runnable task);

    /**
     * Whether the calling thread is this loop's.
     *
     * @return {@code true} on the loop's own thread
     */
    boolean inEventLoop();

    /**
     * A snapshot of the loop's counters, taken without disturbing it.
     *
     * @return the counters; those of its end if the loop has ended
     */
    LoopStats stats();
}
