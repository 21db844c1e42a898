package io.gannet.behaviour;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assertions;

/** Waits for what has to happen; that it never does is a failure after ten seconds. */
final class Await {
    static final int SECONDS = 10;

    private Await() {}

    static void until(BooleanSupplier condition, Supplier<String> what) {
        long deadline = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                Assertions.fail("did not happen within " + SECONDS + " s: " + what.get());
            }
            Thread.yield();
        }
    }

    /** Waits for what the garbage collector brings about, which is called meanwhile. */
    static void collectUntil(BooleanSupplier condition) {
        until(
                () -> {
                    System.gc();
                    return condition.getAsBoolean();
                },
                () -> "the garbage collector finds it");
    }

    static <T> T result(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
    }
}
