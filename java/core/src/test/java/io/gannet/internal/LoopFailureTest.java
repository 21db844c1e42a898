package io.gannet.internal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.EventLoop;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
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

    @ParameterizedTest
    @EnumSource(names = {"IO_URING", "EPOLL"})
    void aLoopThatEndsTakesNoTimerOnItsOwnThread(Backend backend) throws Exception {
        var scheduled = new CompletableFuture<Throwable>();
        try (HttpServer server = HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .loops(1)
                        .backend(backend)
                        .handler((request, response) -> {
                            EventLoop loop = request.eventLoop();
                            request.body().bytes().whenComplete((body, failure) -> {
                                try {
                                    loop.schedule(Duration.ZERO, () -> {});
                                    scheduled.complete(null);
                                } catch (RejectedExecutionException refused) {
                                    scheduled.complete(refused);
                                }
                            });
                            ((Loop) loop).fail(fault);
                        })
                        .start();
                Socket client = new Socket("127.0.0.1", server.port())) {
            client.getOutputStream()
                    .write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n".getBytes(US_ASCII));
            assertInstanceOf(RejectedExecutionException.class, scheduled.get(10, SECONDS));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"IO_URING", "EPOLL"})
    void aServerThatStartsWhileItsLoopsCloseDoesNotStayBehind(Backend backend) throws Exception {
        EventLoops loops = EventLoops.builder().loops(2).backend(backend).start();
        var held = new CountDownLatch(1);
        loops.loops().get(1).execute(() -> {
            try {
                held.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        var started = new CompletableFuture<Throwable>();
        Thread starter = new Thread(() -> {
            try {
                HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .eventLoops(loops)
                        .handler((request, response) -> response.send())
                        .start();
                started.complete(null);
            } catch (Throwable refused) {
                started.complete(refused);
            }
        });
        starter.start();
        awaitWaiting(starter);
        Thread closer = new Thread(loops::close);
        closer.start();
        awaitWaiting(closer);
        held.countDown();
        assertInstanceOf(IllegalStateException.class, started.get(10, SECONDS));
        closer.join(10_000);
        assertFalse(closer.isAlive(), "the loops have closed");
    }

    private static void awaitWaiting(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }
}
