package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Where handlers run, and what holds wherever they do. */
class DispatchTest extends VersionsTest {
    private final ExecutorService pool = Executors.newCachedThreadPool(task -> new Thread(task, "of-the-test"));
    private final Dispatch onPool = Dispatch.executor(pool);

    @AfterEach
    void shutDown() {
        pool.shutdownNow();
    }

    private static String get(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }

    private TestServer start(Dispatch dispatch) throws Exception {
        return TestServer.start(backend, builder -> builder.dispatch(dispatch));
    }

    @Test
    @DisplayName("handlers run on the loop, or on the executor that was given")
    void places() throws Exception {
        Handler tells = (request, response) -> response.send(
                Thread.currentThread().getName() + " " + request.eventLoop().inEventLoop());
        try (var server = start(Dispatch.loop()).on("/", tells);
                Client client = connect(server)) {
            assertEquals("gannet-loop-1 true", client.request(get("/")).text());
        }
        try (var server = start(onPool).on("/", tells);
                Client client = connect(server)) {
            assertEquals("of-the-test false", client.request(get("/")).text());
            assertEquals("of-the-test false", client.request(get("/")).text());
        }
    }

    @Test
    @DisplayName("virtual threads, where this JVM has them")
    @EnabledForJreRange(min = JRE.JAVA_21)
    void virtualThreads() throws Exception {
        var seen = new CopyOnWriteArrayList<Thread>();
        Handler blocks = (request, response) -> {
            seen.add(Thread.currentThread());
            Thread.sleep(1);
            response.send(String.valueOf(Thread.class.getMethod("isVirtual").invoke(Thread.currentThread())));
        };
        try (var server = start(Dispatch.virtualThreads()).on("/", blocks);
                Client client = connect(server)) {
            assertEquals("true", client.request(get("/")).text());
            assertEquals("true", client.request(get("/")).text());
            assertNotSame(seen.get(0), seen.get(1));
        }
    }

    @Test
    @DisplayName("before JDK 21 virtual threads are refused in words")
    @EnabledForJreRange(max = JRE.JAVA_20)
    void noVirtualThreads() {
        String message = assertThrows(UnsupportedOperationException.class, Dispatch::virtualThreads)
                .getMessage();
        assertTrue(message.contains("JDK 21") && message.contains("Dispatch.executor"), message);
    }

    @Test
    @DisplayName("a wrapped handler runs where it is wrapped for, whatever the server does")
    void wrapped() throws Exception {
        Handler tells = (request, response) -> response.send(
                Thread.currentThread().getName() + " " + request.eventLoop().inEventLoop());
        for (Dispatch servers : List.of(Dispatch.loop(), onPool)) {
            try (var server = start(servers)
                            .on("/loop", Dispatch.loop().wrap(tells))
                            .on("/pool", onPool.wrap(tells))
                            .on("/both", onPool.wrap(Dispatch.loop().wrap(onPool.wrap(tells))));
                    Client client = connect(server)) {
                for (int i = 0; i < 3; i++) {
                    assertEquals(
                            "gannet-loop-1 true", client.request(get("/loop")).text());
                    assertEquals(
                            "of-the-test false", client.request(get("/pool")).text());
                    assertEquals(
                            "of-the-test false", client.request(get("/both")).text());
                }
                Await.until(
                        () -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
            }
        }
    }

    @Test
    @DisplayName("a wrapped handler refuses what is not the server's own")
    void wrappedMisused() throws Exception {
        Handler wrapped = onPool.wrap((request, response) -> response.send());
        assertThrows(IllegalArgumentException.class, () -> wrapped.handle(null, null));
        assertThrows(NullPointerException.class, () -> onPool.wrap(null));
        assertThrows(NullPointerException.class, () -> Dispatch.executor(null));
    }

    /** The second request of a connection is not handled before the first is answered, while other connections are. */
    private void assertOneAtATime(TestServer server, Handler first) throws Exception {
        var order = new CopyOnWriteArrayList<String>();
        var answer = new CountDownLatch(1);
        server.on("/first", (request, response) -> {
                    order.add("first");
                    first.handle(request, response);
                    answer.await(Await.SECONDS, TimeUnit.SECONDS);
                    order.add("answer");
                    response.send("first");
                })
                .on("/second", (request, response) -> {
                    order.add("second");
                    response.send("second");
                });
        try (Client client = connect(server);
                Client other = connect(server)) {
            client.send(get("/first") + get("/second") + get("/second"));
            Await.until(() -> order.contains("first"), () -> "the first request is handled");
            assertEquals(200, other.request(get("/other")).status());
            answer.countDown();
            assertEquals("first", client.response().text());
            assertEquals("second", client.response().text());
            assertEquals("second", client.response().text());
            assertEquals(List.of("first", "answer", "second", "second"), order);
        }
        Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
    }

    @Test
    @DisplayName("off the loop the requests of a connection are handled one at a time, in order")
    @Over(HttpVersion.HTTP_1_1)
    void oneAtATime() throws Exception {
        try (var server =
                TestServer.start(backend, builder -> builder.dispatch(onPool).maxPipelinedRequests(1))) {
            assertOneAtATime(server, (request, response) -> {});
        }
    }

    @Test
    @DisplayName("behind a wrapped handler of a server on the loop the requests of its connection wait")
    @Over(HttpVersion.HTTP_1_1)
    void oneAtATimeWrapped() throws Exception {
        var order = new CopyOnWriteArrayList<String>();
        var answer = new CountDownLatch(1);
        try (var server = start(Dispatch.loop())) {
            server.on("/first", onPool.wrap((request, response) -> {
                        order.add("first");
                        answer.await(Await.SECONDS, TimeUnit.SECONDS);
                        order.add("answer");
                        response.send("first");
                    }))
                    .on("/second", onPool.wrap((request, response) -> {
                        order.add("second");
                        response.send("second");
                    }))
                    .on("/third", (request, response) -> {
                        order.add("third");
                        response.send("third");
                    });
            try (RawClient client = server.connect();
                    RawClient other = server.connect()) {
                client.send(get("/first") + get("/second") + get("/third") + get("/second") + get("/third"));
                Await.until(() -> order.contains("first"), () -> "the first request is handled");
                assertEquals("third", other.request(get("/third")).text());
                answer.countDown();
                for (String text : List.of("first", "second", "third", "second", "third")) {
                    assertEquals(text, client.response().text());
                }
                assertEquals(List.of("first", "third", "answer", "second", "third", "second", "third"), order);
            }
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
        }
    }

    @Test
    @DisplayName("requests that wait behind a wrapped handler are let go of when their connection breaks")
    @Over(HttpVersion.HTTP_1_1)
    void brokenWhileWaiting() throws Exception {
        var answer = new CountDownLatch(1);
        var handled = new AtomicInteger();
        try (var server = start(Dispatch.loop())) {
            server.on("/first", onPool.wrap((request, response) -> {
                        handled.incrementAndGet();
                        answer.await(Await.SECONDS, TimeUnit.SECONDS);
                        response.send("nobody reads this");
                    }))
                    .on("/second", (request, response) -> handled.incrementAndGet());
            RawClient client = server.connect();
            client.send(get("/first") + get("/second").repeat(5));
            Await.until(() -> handled.get() == 1 && server.stats().requests() == 6, () -> "requests have come");
            client.reset();
            Await.until(() -> server.stats().connectionsOpen() == 0, () -> "the connection is gone");
            answer.countDown();
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
            assertEquals(1, handled.get());
        }
    }

    @Test
    @Tag("D14")
    @DisplayName("D14: with several in flight off the loop, safe methods run side by side and others alone")
    @Over(HttpVersion.HTTP_1_1)
    void safeMethods() throws Exception {
        var together = new CountDownLatch(3);
        var running = new AtomicInteger();
        var most = new AtomicInteger();
        try (var server =
                TestServer.start(backend, builder -> builder.dispatch(onPool).maxPipelinedRequests(8))) {
            server.on("/safe", (request, response) -> {
                        together.countDown();
                        assertTrue(together.await(Await.SECONDS, TimeUnit.SECONDS));
                        response.send(request.query());
                    })
                    .on("/post", (request, response) -> {
                        most.accumulateAndGet(running.incrementAndGet(), Math::max);
                        String body = request.body().text().get(Await.SECONDS, TimeUnit.SECONDS);
                        running.decrementAndGet();
                        response.send(body);
                    });
            String post = "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n";
            try (RawClient client = server.connect()) {
                client.send(get("/safe?1") + get("/safe?2") + get("/safe?3") + post + "a" + post + "b" + post + "c");
                for (String text : List.of("1", "2", "3", "a", "b", "c")) {
                    assertEquals(text, client.response().text());
                }
                assertEquals(1, most.get());
            }
        }
    }

    @Test
    @DisplayName("a request that the executor rejects is answered with 503, logged, and the connection goes on")
    void rejected() throws Exception {
        var reject = new AtomicInteger(1);
        Dispatch moody = Dispatch.executor(task -> {
            if (reject.getAndDecrement() > 0) {
                throw new RejectedExecutionException("planted");
            }
            pool.execute(task);
        });
        try (LogCapture log = LogCapture.open();
                var server = start(moody);
                Client client = connect(server)) {
            assertEquals(503, client.request(get("/")).status());
            assertEquals(200, client.request(get("/")).status());
            assertEquals(1, server.server().stats().handlerFailures());
            LogCapture.Entry entry = log.warning();
            assertTrue(entry.text().contains("GET / " + version), entry.text());
            assertEquals("planted", entry.thrown().getMessage());
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
        }
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: a handler off the loop that throws is answered for as one on it is")
    void failures() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server = start(onPool)) {
            server.on("/fails", (request, response) -> {
                        throw new IllegalStateException("planted");
                    })
                    .on("/refuses", (request, response) -> {
                        throw new HttpException(404, "no such thing");
                    })
                    .on("/late", (request, response) -> {
                        response.send("sent");
                        throw new IllegalStateException("planted late");
                    })
                    .on("/cut", (request, response) -> {
                        response.stream().write("begun");
                        throw new IllegalStateException("planted in the middle");
                    });
            try (Client client = connect(server)) {
                assertEquals(500, client.request(get("/fails")).status());
                assertEquals("no such thing", client.request(get("/refuses")).text());
                assertEquals("sent", client.request(get("/late")).text());
                client.send(get("/cut"));
                assertEquals(200, client.cutResponse().status());
            }
            Await.until(() -> log.warnings().size() == 3, () -> "three failures are logged: " + log.warnings());
            assertEquals(3, server.server().stats().handlerFailures());
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
        }
    }

    @Test
    @DisplayName("a response may come after the handler has returned, from any thread")
    void later() throws Exception {
        try (var server = start(onPool)) {
            server.on(
                    "/later",
                    (request, response) ->
                            CompletableFuture.runAsync(() -> response.send("later " + request.path()), pool));
            try (Client client = connect(server)) {
                for (int i = 0; i < 100; i++) {
                    assertEquals("later /later", client.request(get("/later")).text());
                }
            }
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
        }
    }

    @Test
    @Tag("load")
    @DisplayName("ten thousand requests on many connections, each on its thread, leave nothing behind")
    void many() throws Exception {
        try (var server = start(onPool)) {
            server.on("/", (request, response) -> response.send(request.field("number")));
            var clients = new CopyOnWriteArrayList<CompletableFuture<Void>>();
            for (int c = 0; c < 20; c++) {
                int number = c;
                clients.add(CompletableFuture.runAsync(() -> {
                    try (Client client = connect(server)) {
                        for (int i = 0; i < 500; i++) {
                            String name = number + "/" + i;
                            String request = "GET / HTTP/1.1\r\nHost: x\r\nNumber: " + name + "\r\n\r\n";
                            assertEquals(name, client.request(request).text());
                        }
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                }));
            }
            for (CompletableFuture<Void> client : clients) {
                client.get(60, TimeUnit.SECONDS);
            }
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
            assertEquals(10_000, server.stats().responses());
        }
    }
}
