package io.gannet.internal;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** The heap that a server's bodies take while they are being gathered, on all of its loops, and what was refused. */
final class BufferedBodies {
    final long limit;
    private final AtomicLong held = new AtomicLong();
    private final LongAdder refused = new LongAdder();

    BufferedBodies(long limit) {
        this.limit = limit;
    }

    /** Takes room, which is given back by {@link #give}; {@code false}: there is not so much left. */
    boolean take(long bytes) {
        long before;
        do {
            before = held.get();
            if (bytes > limit - before) {
                return false;
            }
        } while (!held.compareAndSet(before, before + bytes));
        return true;
    }

    void give(long bytes) {
        held.addAndGet(-bytes);
    }

    long held() {
        return held.get();
    }

    void countRefused() {
        refused.increment();
    }

    long refused() {
        return refused.sum();
    }
}
