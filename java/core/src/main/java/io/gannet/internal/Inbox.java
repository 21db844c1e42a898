package io.gannet.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Tasks for a loop from any thread, and the protocol that wakes it.
 *
 * <p>The loop, before it waits: raises the flag, full fence, looks at the queue again, waits only if it is empty.
 * Another thread: queues its task, full fence, and if the flag is up takes it down; whoever takes it down wakes. So
 * either the loop sees the task or the thread sees the flag, and one wait is ended by one wake. Threads between looking
 * and having woken are counted, so that the loop knows at its end when nobody can use the wake any more.
 */
final class Inbox {
    /** Ends the loop's wait; called by any thread, never after {@link #close} has returned. */
    interface Wake {
        void wake();
    }

    private static final int AWAKE = 0;
    private static final int ASLEEP = 1;
    private static final int CLOSED = 2;

    private static final VarHandle STATE;
    private static final VarHandle WAKERS;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATE = lookup.findVarHandle(Inbox.class, "state", int.class);
            WAKERS = lookup.findVarHandle(Inbox.class, "wakers", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ConcurrentLinkedQueue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final Wake wake;

    @SuppressWarnings("unused") // by STATE
    private volatile int state;

    @SuppressWarnings("unused") // by WAKERS
    private volatile int wakers;

    private volatile boolean refusing;

    Inbox(Wake wake) {
        this.wake = wake;
    }

    /** Queues a task and wakes the loop if it waits; {@code false}: the loop has ended, and the task will not run. */
    boolean offer(Runnable task) {
        if (refusing) {
            return false;
        }
        queue.add(task);
        VarHandle.fullFence();
        if ((int) STATE.getOpaque(this) == ASLEEP) {
            wakeUp();
        }
        return !refusing || !queue.remove(task);
    }

    private void wakeUp() {
        WAKERS.getAndAdd(this, 1);
        try {
            if (STATE.compareAndSet(this, ASLEEP, AWAKE)) {
                wake.wake();
            }
        } finally {
            WAKERS.getAndAdd(this, -1);
        }
    }

    /** The loop's: raises the flag; {@code false}: there are tasks, and it must not wait. */
    boolean prepareToSleep() {
        STATE.setOpaque(this, ASLEEP);
        VarHandle.fullFence();
        if (queue.isEmpty()) {
            return true;
        }
        awake();
        return false;
    }

    /** The loop's: it no longer waits. */
    void awake() {
        STATE.setOpaque(this, AWAKE);
    }

    /** The loop's: the next task, or {@code null}. */
    Runnable poll() {
        return queue.poll();
    }

    /** The loop's. */
    boolean isEmpty() {
        return queue.isEmpty();
    }

    /** The loop's: no task is taken from now on; those that were remain to be polled. */
    void refuse() {
        refusing = true;
        VarHandle.fullFence();
    }

    /** Whether no task is taken any more. */
    boolean isRefusing() {
        return refusing;
    }

    /** The loop's: when this returns no thread wakes any more. */
    void close() {
        refuse();
        STATE.setVolatile(this, CLOSED);
        while ((int) WAKERS.getVolatile(this) != 0) {
            Thread.onSpinWait();
            Thread.yield();
        }
    }
}
