package io.gannet.behaviour;

import io.gannet.Dispatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Where the handlers of the test servers run: {@code -Dgannet.test.dispatch=loop|virtual|pool}, the loop if nothing is said.
 * With each of them a user relies on the same.
 */
final class TestDispatch {
    private static final ExecutorService POOL = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "test-pool");
        thread.setDaemon(true);
        return thread;
    });

    private TestDispatch() {}

    static Dispatch chosen() {
        String name = System.getProperty("gannet.test.dispatch", "loop");
        return switch (name) {
            case "loop" -> Dispatch.loop();
            case "virtual" -> Dispatch.virtualThreads();
            case "pool" -> Dispatch.executor(POOL);
            default -> throw new IllegalArgumentException("gannet.test.dispatch is loop, virtual or pool: " + name);
        };
    }

    static boolean isLoop() {
        return chosen() == Dispatch.loop();
    }
}
