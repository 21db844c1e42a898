package io.gannet.internal;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

/** The right to respond, which {@link ExchangeResponse} gives once. */
public final class CommitStress {
    private CommitStress() {}

    /** Two threads, neither of them the loop's, that send. */
    @JCStressTest
    @Outcome(
            id = {"true, false, true", "false, true, true"},
            expect = Expect.ACCEPTABLE,
            desc = "one of them sends")
    @Outcome(expect = Expect.FORBIDDEN, desc = "both, or neither")
    @State
    public static class TwoSenders {
        private final Exchange exchange = new Exchange(null);

        @Actor
        public void one(ZZZ_Result result) {
            result.r1 = exchange.commitElsewhere();
        }

        @Actor
        public void other(ZZZ_Result result) {
            result.r2 = exchange.commitElsewhere();
        }

        @Arbiter
        public void after(ZZZ_Result result) {
            result.r3 = exchange.isCommitted();
        }
    }

    /** A thread that sends, and the server that answers in its place: at a deadline, a failure or a body too large. */
    @JCStressTest
    @Outcome(
            id = {"true, false, true", "false, true, true"},
            expect = Expect.ACCEPTABLE,
            desc = "one of them answers")
    @Outcome(expect = Expect.FORBIDDEN, desc = "both, or neither")
    @State
    public static class SenderAndServer {
        private final Exchange exchange = new Exchange(null);

        @Actor
        public void sender(ZZZ_Result result) {
            result.r1 = exchange.commitElsewhere();
        }

        @Actor
        public void server(ZZZ_Result result) {
            result.r2 = exchange.commitHere();
        }

        @Arbiter
        public void after(ZZZ_Result result) {
            result.r3 = exchange.isCommitted();
        }
    }
}
