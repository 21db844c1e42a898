package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Dispatch;
import io.gannet.EventLoops;
import io.gannet.HttpException;
import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import io.gannet.OutgoingBody;
import io.gannet.Request;
import io.gannet.Response;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Exchanges that are not answered as they should be: forgotten, too slow, held up, or without a client. */
class UnfinishedTest extends VersionsTest {
    private static final String GET = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";

    private static void awaitReleased(TestServer server) {
        Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
    }

    @Test
    @DisplayName("a request whose response everybody has forgotten is answered with 500, and logged")
    void forgotten() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(backend).on("/x", (request, response) -> {});
                Client client = connect(server)) {
            client.send(GET);
            Await.collectUntil(() -> server.server().stats().handlerFailures() == 1);
            assertEquals(500, client.response().status());
            String text = log.warning().text();
            assertTrue(text.contains("GET /x " + version) && text.contains("500"), text);
            awaitReleased(server);
            client.send(GET);
            Await.collectUntil(() -> server.server().stats().handlerFailures() == 2);
            assertEquals(500, client.response().status());
        }
    }

    @Test
    @DisplayName("a response that was begun and forgotten is cut off, so that it does not look complete")
    void forgottenHalfway() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(backend)
                        .on("/x", (request, response) -> response.stream().write("begun"));
                Client client = connect(server)) {
            client.send(GET);
            Await.collectUntil(() -> server.server().stats().handlerFailures() == 1);
            assertEquals(200, client.cutResponse().status());
            assertTrue(log.warning().text().contains("cut off"), log.warning().text());
            awaitReleased(server);
        }
    }

    private static List<Dispatch> places(Executor pool) {
        List<Dispatch> places = new ArrayList<>(List.of(Dispatch.loop(), Dispatch.executor(pool)));
        if (Runtime.version().feature() >= 21) {
            places.add(Dispatch.virtualThreads());
        }
        return places;
    }

    /** The client has all that there is of these responses before the handler has ended them, which it does too late. */
    private static void assertHoldsUpNobody(TestServer server, Dispatch wraps) throws Exception {
        var bodies = new LinkedBlockingQueue<OutgoingBody>();
        var gone = new LinkedBlockingQueue<HttpException>();
        server.on("/x", wraps.wrap((request, response) -> {
                    request.onDisconnect().thenAccept(gone::add);
                    if (!request.method().equals("HEAD")) {
                        response.addField("Content-Length", "5");
                    }
                    OutgoingBody body = response.stream();
                    bodies.add(body);
                    body.write("begun"); // behind which the client does not wait for this handler
                }))
                .on("/next", (request, response) -> response.send("next"));
        String next = GET.replace("/x", "/next");
        try (Client client = connect(server)) {
            for (int i = 0; i < 3; i++) {
                client.send(GET.replace("GET", "HEAD") + next);
                assertEquals(200, client.headResponse().status());
                assertEquals("next", client.response().text());
                assertEquals("begun", client.request(GET).text());
                assertEquals("next", client.request(next).text());
            }
            assertEquals(6, bodies.size());
            assertTrue(gone.isEmpty(), gone::toString);
            for (int i = 0; i < 3; i++) {
                bodies.take().end();
                assertEquals("next", client.request(next).text());
            }
            client.reset();
        }
        for (int i = 0; i < 3; i++) {
            assertEquals(
                    HttpException.Kind.CLOSED,
                    gone.poll(Await.SECONDS, TimeUnit.SECONDS).kind());
        }
        awaitReleased(server);
        assertEquals(3, bodies.size());
        assertEquals(0, server.server().stats().handlerFailures());
    }

    @Test
    @Tag("C7")
    @Tag("D1")
    @DisplayName("C7, D1: a response that is whole for the client holds up nobody, though its stream is not ended")
    @Over(HttpVersion.HTTP_1_1)
    void wholeButNotEnded() throws Exception {
        var pool = Executors.newCachedThreadPool();
        try {
            for (Dispatch everywhere : places(pool)) {
                for (Dispatch wraps : places(pool)) {
                    try (var server = TestServer.start(backend, builder -> builder.dispatch(everywhere))) {
                        assertHoldsUpNobody(server, wraps);
                    }
                }
            }
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    @Tag("D5")
    @DisplayName(
            "D5: the handler of such a response hears that the client has ended its side, when it had time to end it")
    @Over(HttpVersion.HTTP_1_1)
    void wholeAndLeft() throws Exception {
        var gone = new CompletableFuture<HttpException>();
        var held = new CompletableFuture<OutgoingBody>();
        try (var server = TestServer.start(backend, builder -> builder.lingerTimeout(Duration.ofMillis(50)))
                        .on("/x", (request, response) -> {
                            request.onDisconnect().thenAccept(gone::complete);
                            OutgoingBody body = response.stream();
                            body.write("begun");
                            held.complete(body);
                        });
                RawClient client = server.connect()) {
            client.send(GET.replace("GET", "HEAD")).end();
            assertEquals(200, client.headResponse().status());
            client.assertEnd();
            assertEquals(HttpException.Kind.CLOSED, Await.result(gone).kind());
            awaitReleased(server);
            held.join().end();
        }
    }

    @Test
    @DisplayName("what a forgotten request has sent of its body goes back")
    void forgottenWithBody() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(backend).on("/x", (request, response) -> {});
                Client client = connect(server)) {
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n" + "x".repeat(30_000));
            Await.until(() -> server.stats().blocksLent() > 0, () -> "the body has come");
            Await.collectUntil(() -> server.server().stats().handlerFailures() == 1);
            assertEquals(500, client.response().status());
            Await.until(() -> server.stats().blocksLent() == 0, () -> "blocks are back: " + server.stats());
            awaitReleased(server);
            assertEquals(1, log.warnings().size());
        }
    }

    @Test
    @DisplayName("a request that waits for its body, a timer or another thread is not forgotten, however long it takes")
    void notForgotten() throws Exception {
        Set<Response> held = ConcurrentHashMap.newKeySet();
        try (var server = TestServer.start(backend)) {
            server.on("/x", (request, response) -> held.add(response))
                    .on("/body", (request, response) -> request.body().text().thenAccept(response::send))
                    .on(
                            "/timer",
                            (request, response) -> response.eventLoop()
                                    .schedule(Duration.ofMillis(300), () -> response.send("timer")));
            try (Client first = connect(server);
                    Client second = connect(server);
                    Client third = connect(server)) {
                first.send(GET);
                second.send("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo");
                third.send("GET /timer HTTP/1.1\r\nHost: x\r\n\r\n");
                Await.until(() -> server.stats().requests() == 3 && held.size() == 1, () -> "requests have come");
                for (int i = 0; i < 5; i++) {
                    System.gc();
                }
                assertEquals("timer", third.response().text());
                System.gc();
                second.send("dy");
                assertEquals("body", second.response().text());
                held.forEach(response -> response.send("held"));
                assertEquals("held", first.response().text());
            }
            assertEquals(0, server.server().stats().handlerFailures());
        }
    }

    private static HttpServer.Builder shortly(HttpServer.Builder builder) {
        return builder.handlerDeadline(Duration.ofMillis(50));
    }

    @Test
    @DisplayName("a deadline answers for a handler that takes longer: 503, logged and counted")
    void deadline() throws Exception {
        var late = new CompletableFuture<Response>();
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(backend, UnfinishedTest::shortly)
                        .on("/x", (request, response) -> late.complete(response));
                Client client = connect(server)) {
            assertEquals(503, client.request(GET).status());
            assertTrue(log.warning().text().contains("PT0.05S"), log.warning().text());
            assertEquals(1, server.server().stats().handlerDeadlines());
            late.join().send("nobody reads this");
            awaitReleased(server);
            assertEquals(200, client.request(GET.replace("/x", "/quick")).status());
        }
    }

    @Test
    @DisplayName("a deadline cuts a response off that has begun")
    void deadlineHalfway() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(backend, UnfinishedTest::shortly)
                        .on(
                                "/x",
                                (request, response) -> request.connection()
                                        .attach(response.stream().write("begun")));
                Client client = connect(server)) {
            client.send(GET);
            assertEquals(200, client.cutResponse().status());
            assertEquals(1, server.server().stats().handlerDeadlines());
            awaitReleased(server);
            assertEquals(1, log.warnings().size());
        }
    }

    @Test
    @DisplayName("with interruption on, the thread of a handler is interrupted by the deadline, and clean afterwards")
    void deadlineInterrupts() throws Exception {
        var pool = java.util.concurrent.Executors.newSingleThreadExecutor();
        var interrupted = new CompletableFuture<Boolean>();
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(
                                backend,
                                builder -> shortly(builder)
                                        .dispatch(Dispatch.executor(pool))
                                        .interruptOnDisconnect(true))
                        .on("/x", (request, response) -> {
                            try {
                                new CountDownLatch(1).await(Await.SECONDS, TimeUnit.SECONDS);
                                interrupted.complete(false);
                            } catch (InterruptedException e) {
                                interrupted.complete(true);
                                Thread.currentThread().interrupt();
                            }
                        })
                        .on(
                                "/next",
                                (request, response) -> response.send(
                                        String.valueOf(Thread.currentThread().isInterrupted())));
                Client client = connect(server)) {
            assertEquals(503, client.request(GET).status());
            assertTrue(Await.result(interrupted));
            assertEquals("false", client.request(GET.replace("/x", "/next")).text());
            awaitReleased(server);
            assertEquals(1, log.warnings().size());
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    @DisplayName("a client that is gone is told to the handler by a future")
    void disconnect() throws Exception {
        var gone = new CompletableFuture<HttpException>();
        var held = new CompletableFuture<Response>();
        try (var server = TestServer.start(backend).on("/x", (request, response) -> {
            request.onDisconnect().thenAccept(gone::complete);
            held.complete(response);
        })) {
            Client client = connect(server).send(GET);
            Await.result(held);
            client.reset();
            assertEquals(HttpException.Kind.CLOSED, Await.result(gone).kind());
            held.join().send("nobody reads this");
            awaitReleased(server);
        }
    }

    @Test
    @DisplayName("the future of a client that stays is never completed")
    void noDisconnect() throws Exception {
        var gone = new CompletableFuture<HttpException>();
        try (var server = TestServer.start(backend).on("/x", (request, response) -> {
                    request.onDisconnect().thenAccept(gone::complete);
                    response.send("here");
                });
                Client client = connect(server)) {
            assertEquals("here", client.request(GET).text());
            assertEquals("here", client.request(GET).text());
            awaitReleased(server);
            assertFalse(gone.isDone());
        }
    }

    @Test
    @Tag("D5")
    @DisplayName("D5: a client that ended its side gets its response; with half close off it counts as gone")
    @Over(HttpVersion.HTTP_1_1)
    void halfClose() throws Exception {
        var gone = new CompletableFuture<HttpException>();
        var held = new CompletableFuture<Response>();
        var kept = new CompletableFuture<Response>();
        try (var lenient = TestServer.start(backend).on("/x", (request, response) -> kept.complete(response));
                var strict = TestServer.start(backend, builder -> builder.halfClose(false))
                        .on("/x", (request, response) -> {
                            request.onDisconnect().thenAccept(gone::complete);
                            held.complete(response);
                        })) {
            try (RawClient client = lenient.connect()) {
                client.send(GET).end();
                Await.result(kept).send("for you");
                assertEquals("for you", client.response().text());
                client.assertEnd();
            }
            try (RawClient client = strict.connect()) {
                client.send(GET).end();
                assertEquals(HttpException.Kind.CLOSED, Await.result(gone).kind());
                client.assertEnd();
            }
            Await.result(held).send("nobody reads this");
            awaitReleased(strict);
        }
    }

    @Test
    @DisplayName("with interruption on, the thread of a handler whose client is gone is interrupted")
    void disconnectInterrupts() throws Exception {
        var pool = java.util.concurrent.Executors.newCachedThreadPool();
        var running = new CompletableFuture<Request>();
        var interrupted = new CompletableFuture<Boolean>();
        try (var server = TestServer.start(
                        backend,
                        builder -> builder.dispatch(Dispatch.executor(pool)).interruptOnDisconnect(true))
                .on("/x", (request, response) -> {
                    running.complete(request);
                    try {
                        new CountDownLatch(1).await(Await.SECONDS, TimeUnit.SECONDS);
                        interrupted.complete(false);
                    } catch (InterruptedException e) {
                        interrupted.complete(true);
                    }
                    response.send();
                })) {
            Client client = connect(server).send(GET);
            Await.result(running);
            client.reset();
            assertTrue(Await.result(interrupted));
            awaitReleased(server);
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    @DisplayName("a loop that a handler holds up is logged with what it does, and counted")
    void heldUp() throws Exception {
        try (LogCapture log = LogCapture.open();
                EventLoops loops = EventLoops.builder()
                        .loops(1)
                        .backend(backend)
                        .heldUpAfter(Duration.ofMillis(20))
                        .start();
                HttpServer server = HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .eventLoops(loops)
                        .handler((request, response) -> {
                            Await.until(() -> loops.stats().loopsHeldUp() == 1, () -> "the watchdog sees it");
                            response.send("held up");
                        })
                        .start();
                Client client = connect(server.port())) {
            assertEquals("held up", client.request(GET).text());
            String text = log.warning().text();
            assertTrue(text.contains("gannet-loop-1") && text.contains("UnfinishedTest"), text);
            assertEquals(1, server.stats().toMap().get("loopsHeldUp"));
        }
    }

    @Test
    @DisplayName("times that make no sense are refused")
    void misuse() {
        assertInstanceOf(
                IllegalArgumentException.class,
                assertThrows(
                        RuntimeException.class, () -> HttpServer.builder().handlerDeadline(Duration.ofMillis(-1))));
        assertThrows(IllegalArgumentException.class, () -> EventLoops.builder().heldUpAfter(Duration.ofMillis(-1)));
    }
}
