package io.gannet.internal;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** What the two ends of a handler off the loop rely on in {@link HandlerRun}. */
public final class HandlerRunStress {
    private HandlerRunStress() {}

    /** A handler that returns while the loop finishes its response. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = Expect.ACCEPTABLE,
            desc = "one releases, and sees what the other has done")
    @Outcome(expect = Expect.FORBIDDEN, desc = "released twice, never, or too early")
    @State
    public static class OneReleases {
        private final HandlerRun run = new HandlerRun(null, null);
        private int ofTheHandler;
        private int ofTheLoop;

        @Actor
        public void handler(II_Result result) {
            ofTheHandler = 1;
            result.r1 = run.returnsLast() ? seen(ofTheLoop) : 0;
        }

        @Actor
        public void loop(II_Result result) {
            ofTheLoop = 1;
            result.r2 = run.overLast() ? seen(ofTheHandler) : 0;
        }

        private static int seen(int work) {
            return work == 1 ? 1 : -1;
        }
    }

    /** A handler that ends while it is interrupted: its thread goes on to other work. */
    @JCStressTest
    @Outcome(
            id = {"false, false", "true, false"},
            expect = Expect.ACCEPTABLE,
            desc = "the interrupt comes in time, or not at all")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the interrupt meets what the thread does next")
    @State
    public static class NoLateInterrupt {
        private final HandlerRun run = new HandlerRun(null, null);
        private Thread handler;

        @Actor
        public void handler(ZZ_Result result) {
            handler = Thread.currentThread();
            run.begin();
            result.r1 = handler.isInterrupted();
            run.end();
        }

        @Actor
        public void loop() {
            run.interrupt();
        }

        @Arbiter
        public void after(ZZ_Result result) {
            result.r2 = handler.isInterrupted();
        }
    }
}
