package io.gannet.internal;

import io.gannet.ScheduledTask;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A loop's timers: a binary heap by deadline, then by order of the calls. Only the loop's thread touches it, but a
 * timer may be cancelled by any: that marks it, and it is thrown out when it is due or when half of the heap is marked.
 */
final class Timers {
    private static final int PURGE_LEAST = 64;

    private Timer[] heap = new Timer[16];
    private int size;
    private long sequence;
    private final AtomicInteger cancelled = new AtomicInteger();

    /** A task and its time. */
    static final class Timer implements ScheduledTask {
        private static final int WAITING = 0;
        private static final int RUN = 1;
        private static final int CANCELLED = 2;
        private static final VarHandle STATE;

        static {
            try {
                STATE = MethodHandles.lookup().findVarHandle(Timer.class, "state", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final long deadline;
        private final AtomicInteger cancelledCount;
        private long order;
        private volatile Runnable task;

        @SuppressWarnings("unused") // by STATE
        private volatile int state;

        Timer(Timers timers, long deadline, Runnable task) {
            this.cancelledCount = timers.cancelled;
            this.deadline = deadline;
            this.task = task;
        }

        @Override
        public boolean cancel() {
            if (!STATE.compareAndSet(this, WAITING, CANCELLED)) {
                return false;
            }
            task = null;
            cancelledCount.incrementAndGet();
            return true;
        }

        private boolean isBefore(Timer other) {
            long difference = deadline - other.deadline;
            return difference != 0 ? difference < 0 : order < other.order;
        }
    }

    /** Adds a timer that was made for this heap. */
    void add(Timer timer) {
        if (size >= PURGE_LEAST && cancelled.get() > size / 2) {
            purge();
        }
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        timer.order = sequence++;
        heap[size] = timer;
        siftUp(size++);
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** The nanoseconds to wait for the next timer, at least 0; -1: there is none. */
    long untilNext(long now) {
        return size == 0 ? -1 : Math.max(0, heap[0].deadline - now);
    }

    /** The task of the next timer that is due, which is then gone; {@code null}: none is due. */
    Runnable takeDue(long now) {
        while (size > 0 && heap[0].deadline - now <= 0) {
            Timer timer = removeFirst();
            if (Timer.STATE.compareAndSet(timer, Timer.WAITING, Timer.RUN)) {
                Runnable task = timer.task;
                timer.task = null;
                return task;
            }
            cancelled.decrementAndGet();
        }
        return null;
    }

    private Timer removeFirst() {
        Timer first = heap[0];
        heap[0] = heap[--size];
        heap[size] = null;
        siftDown(0);
        return first;
    }

    private void purge() {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (heap[i].state == Timer.CANCELLED) {
                cancelled.decrementAndGet();
            } else {
                heap[kept++] = heap[i];
            }
        }
        Arrays.fill(heap, kept, size, null);
        size = kept;
        for (int i = size / 2 - 1; i >= 0; i--) {
            siftDown(i);
        }
    }

    private void siftUp(int from) {
        Timer timer = heap[from];
        int at = from;
        while (at > 0) {
            int parent = (at - 1) / 2;
            if (!timer.isBefore(heap[parent])) {
                break;
            }
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = timer;
    }

    private void siftDown(int from) {
        if (from >= size) {
            return;
        }
        Timer timer = heap[from];
        int at = from;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && heap[child + 1].isBefore(heap[child])) {
                child++;
            }
            if (!heap[child].isBefore(timer)) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = timer;
    }
}
