package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.EventLoop;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A fault of the library on a loop's thread ends the servers on it, visibly. */
class LoopFailureTest {
    private final Throwable fault = new AssertionError("planted");

    @ParameterizedTest
    @EnumSource(names = {"IO_URING", "EPOLL"})
    void aServerWhoseLoopFailsIsClosedAndSaysWhy(Backend backend) throws Exception {
        HttpServer server = HttpServer.builder()
                .listen("127.0.0.1", 0)
                .loops(2)
                .backend(backend)
                .handler((request, response) -> response.send())
                .start();
        EventLoop failing = server.eventLoops().loops().get(1);
        ((Loop) failing).fail(fault);
        IllegalStateException told = assertThrows(IllegalStateException.class, server::join);
        assertSame(fault, told.getCause());
        assertTrue(told.getMessage().contains("gannet-loop-2"), told.getMessage());
        assertTrue(server.isClosed());
        assertThrows(RejectedExecutionException.class, () -> failing.execute(() -> {}));
        assertThrows(RejectedExecutionException.class, () -> failing.schedule(Duration.ZERO, () -> {}));
        server.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"IO_URING", "EPOLL"})
    void otherLoopsOfAGroupGoOn(Backend backend) throws Exception {
        try (EventLoops loops = EventLoops.builder().loops(2).backend(backend).start()) {
            Loop failing = (Loop) loops.loops().get(0);
            failing.fail(fault);
            failing.ended().join();
            CompletableFuture<String> other = new CompletableFuture<>();
            loops.loops().get(1).execute(() -> other.complete("alive"));
            assertEquals("alive", other.join());
            IllegalStateException refused = assertThrows(
                    IllegalStateException.class,
                    () -> HttpServer.builder()
                            .listen("127.0.0.1", 0)
                            .eventLoops(loops)
                            .handler((request, response) -> response.send())
                            .start());
            assertEquals("the event loops are closed", refused.getMessage());
        }
    }
}
