package io.gannet.internal;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZII_Result;
import org.openjdk.jcstress.infra.results.ZI_Result;

/** What a loop and the threads that give it tasks rely on in {@link Inbox}. */
public final class InboxStress {
    private InboxStress() {}

    /** A wake is counted, as an eventfd does. */
    abstract static class Woken {
        final AtomicInteger wakes = new AtomicInteger();
        final Inbox inbox = new Inbox(wakes::incrementAndGet);

        int left() {
            int left = 0;
            while (inbox.poll() != null) {
                left++;
            }
            return left;
        }
    }

    /** A loop that is about to wait, and a thread that gives it a task. */
    @JCStressTest
    @Outcome(id = "true, 1", expect = Expect.ACCEPTABLE, desc = "waits, and is woken once")
    @Outcome(id = "false, 0", expect = Expect.ACCEPTABLE, desc = "sees the task, and does not wait")
    @Outcome(id = "false, 1", expect = Expect.ACCEPTABLE, desc = "both: the next wait ends at once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a lost wake-up, or more than one")
    @State
    public static class NoWakeIsLost extends Woken {
        @Actor
        public void loop(ZI_Result result) {
            result.r1 = inbox.prepareToSleep();
        }

        @Actor
        public void sender() {
            inbox.offer(() -> {});
        }

        @Arbiter
        public void after(ZI_Result result) {
            result.r2 = wakes.get();
        }
    }

    /** Two threads that give tasks to a loop that waits. */
    @JCStressTest
    @Outcome(id = "1, 2", expect = Expect.ACCEPTABLE, desc = "one of them wakes it")
    @Outcome(expect = Expect.FORBIDDEN, desc = "no wake, two, or a task that is lost")
    @State
    public static class OneWakeAWait extends Woken {
        public OneWakeAWait() {
            inbox.prepareToSleep();
        }

        @Actor
        public void one() {
            inbox.offer(() -> {});
        }

        @Actor
        public void other() {
            inbox.offer(() -> {});
        }

        @Arbiter
        public void after(II_Result result) {
            result.r1 = wakes.get();
            result.r2 = left();
        }
    }

    /** A loop of several turns and a thread with several tasks: it never waits for good while there is one. */
    @JCStressTest
    @Outcome(id = "0, 0, 0", expect = Expect.ACCEPTABLE, desc = "every task is run, or leads to a wake")
    @Outcome(
            expect = Expect.FORBIDDEN,
            desc = "waits over a task, was woken more often than it went to sleep, or lost one")
    @State
    public static class Turns extends Woken {
        private static final int TASKS = 3;

        private int wakesTaken;
        private int sleeps;
        private int ran;
        private boolean waits;

        @Actor
        public void loop() {
            for (int turn = 0; turn < 4; turn++) {
                sleeps++;
                if (inbox.prepareToSleep()) {
                    if (wakes.get() == wakesTaken) {
                        waits = true;
                        return;
                    }
                    wakesTaken = wakes.get();
                }
                inbox.awake();
                ran += left();
            }
        }

        @Actor
        public void sender() {
            for (int i = 0; i < TASKS; i++) {
                inbox.offer(() -> {});
            }
        }

        @Arbiter
        public void after(III_Result result) {
            int left = left();
            result.r1 = waits && left > 0 && wakes.get() == wakesTaken ? 1 : 0;
            result.r2 = Math.max(0, wakes.get() - sleeps);
            result.r3 = TASKS - ran - left;
        }
    }

    /** A loop at its end, and a thread that gives it a task. */
    @JCStressTest
    @Outcome(id = "true, 1, 0", expect = Expect.ACCEPTABLE, desc = "taken, and run")
    @Outcome(id = "false, 0, 0", expect = Expect.ACCEPTABLE, desc = "refused, and not run")
    @Outcome(expect = Expect.FORBIDDEN, desc = "taken and lost, or refused and run")
    @State
    public static class TakenOrRefused extends Woken {
        private int ran;

        @Actor
        public void loop() {
            inbox.refuse();
            for (Runnable task = inbox.poll(); task != null; task = inbox.poll()) {
                task.run();
            }
        }

        @Actor
        public void sender(ZII_Result result) {
            result.r1 = inbox.offer(() -> ran++);
        }

        @Arbiter
        public void after(ZII_Result result) {
            result.r2 = ran;
            result.r3 = left();
        }
    }

    /** A loop that closes what it is woken by, and a thread that would wake it. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "closed first")
    @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "woken first, and the close waits for that")
    @Outcome(expect = Expect.FORBIDDEN, desc = "uses what is closed")
    @State
    public static class NoWakeBehindTheClose {
        private final Inbox inbox = new Inbox(this::wake);
        private volatile boolean closed;
        private volatile int wakes;
        private volatile int late;

        public NoWakeBehindTheClose() {
            inbox.prepareToSleep();
        }

        private void wake() {
            wakes++;
            if (closed) {
                late++;
            }
        }

        @Actor
        public void loop() {
            inbox.close();
            closed = true;
        }

        @Actor
        public void sender() {
            inbox.offer(() -> {});
        }

        @Arbiter
        public void after(II_Result result) {
            result.r1 = wakes;
            result.r2 = late;
        }
    }

    /** What a thread has written before it gives a task is there for the task. */
    @JCStressTest
    @Outcome(id = "0", expect = Expect.ACCEPTABLE, desc = "the task has not come yet")
    @Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "the task sees it")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the task came first")
    @State
    public static class HandedOver extends Woken {
        private int written;
        private int seen;

        @Actor
        public void sender() {
            written = 1;
            inbox.offer(() -> seen = written == 1 ? 1 : -1);
        }

        @Actor
        public void loop(I_Result result) {
            Runnable task = inbox.poll();
            if (task != null) {
                task.run();
            }
            result.r1 = seen;
        }
    }
}
