package io.gannet;

/**
 * A task that an event loop will run at a time. Thread-safe.
 *
 * <p>Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by applications.
 */
public interface ScheduledTask {
    /**
     * Takes the task back.
     *
     * @return {@code true} if the task will not run because of this call, {@code false} if it has run, runs, or was
     *     cancelled
     */
    boolean cancel();
}
