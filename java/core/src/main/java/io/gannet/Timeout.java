package io.gannet;

/** A task that an event loop will run at a time. Thread-safe. */
public interface Timeout {
    /**
     * Takes the task back.
     *
     * @return {@code true} if the task will not run because of this call, {@code false} if it has run, runs, or was
     *     cancelled
     */
    boolean cancel();
}
