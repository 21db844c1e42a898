package io.gannet.internal;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * A thread beside the loops of a group that sees what they cannot: a loop that a handler holds up, and exchanges that the
 * garbage collector has found unreachable.
 */
final class Watchdog implements Runnable {
    private final Duration heldUpAfter;
    private final ReferenceQueue<Exchange> abandoned = new ReferenceQueue<>();
    private final LongAdder heldUp = new LongAdder();
    private volatile List<Loop> loops = List.of();
    private volatile Thread thread;

    /** {@code heldUpAfter} zero: held-up loops are not looked for. */
    Watchdog(Duration heldUpAfter) {
        this.heldUpAfter = heldUpAfter;
    }

    void start(String name, List<Loop> watched) {
        loops = watched;
        Thread started = new Thread(null, this, name + "-watchdog");
        started.setDaemon(true);
        thread = started;
        started.start();
    }

    void stop() {
        loops = List.of();
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }

    ReferenceQueue<Exchange> abandoned() {
        return abandoned;
    }

    /** How many times a loop was found held up. */
    long heldUp() {
        return heldUp.sum();
    }

    @Override
    public void run() {
        List<Loop> watched = loops;
        long[] seen = new long[watched.size()];
        long[] since = new long[watched.size()];
        boolean[] told = new boolean[watched.size()];
        long look = heldUpAfter.isZero() ? 0 : Math.max(1, heldUpAfter.toMillis() / 4);
        try {
            while (!loops.isEmpty()) {
                Reference<? extends Exchange> found = abandoned.remove(look);
                if (found instanceof Abandoned loose) {
                    loose.loop.offer(() -> loose.loop.endAbandoned(loose));
                }
                for (int i = 0; look > 0 && i < seen.length; i++) {
                    long turns = watched.get(i).turns();
                    if (turns != seen[i] || turns % 2 == 0) {
                        seen[i] = turns;
                        since[i] = System.nanoTime();
                        told[i] = false;
                    } else if (!told[i] && System.nanoTime() - since[i] >= heldUpAfter.toNanos()) {
                        told[i] = true;
                        Log.heldUp(
                                watched.get(i).toString(),
                                heldUpAfter,
                                watched.get(i).thread());
                        heldUp.increment();
                    }
                }
            }
        } catch (InterruptedException e) {
            // The loops have ended.
        }
    }
}
