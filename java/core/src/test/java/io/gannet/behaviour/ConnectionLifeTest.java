package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.CloseReason;
import io.gannet.Connection;
import io.gannet.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How connections live and end: group D of the behaviours. */
class ConnectionLifeTest extends ServerTest {
    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }

    @Test
    @Tag("D1")
    @DisplayName("D1: requests follow each other on one connection until a message says Connection: close")
    void sequentialRequests() throws Exception {
        var connections = new LinkedBlockingQueue<Connection>();
        server.on("/kept", (request, response) -> {
            connections.add(request.connection());
            response.send();
        });
        try (RawClient client = server.connect()) {
            assertFalse(client.request(get("/kept")).closes());
            assertFalse(client.request(get("/kept")).closes());
            client.send("GET /kept HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + get("/kept"));
            assertTrue(client.response().closes());
            client.assertEnd();
            assertEquals(3, connections.size());
            Connection first = connections.remove();
            assertSame(first, connections.remove());
            assertSame(first, connections.remove());
            assertEquals(client.localAddress(), first.remoteAddress());
            assertEquals(server.port(), first.localAddress().getPort());
        }
    }

    @Test
    @Tag("D1")
    @DisplayName("D1: Connection: close in a response ends the connection; what was sent behind is not handled")
    void responseCloses() throws Exception {
        server.on(
                "/close",
                (request, response) -> response.addField("Connection", "close").send("last"));
        long handled = server.handled();
        try (RawClient client = server.connect()) {
            assertEquals("last", client.request(get("/close") + get("/close")).text());
            client.assertEnd();
        }
        assertEquals(handled + 1, server.handled());
    }

    @Test
    @Tag("D1")
    @DisplayName("D1: with keep-alive off each response ends its connection")
    void keepAliveOff() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.keepAlive(false))) {
            for (String request : List.of(get("/"), "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")) {
                try (RawClient client = server.connect()) {
                    RawResponse response = client.request(request);
                    assertEquals(200, response.status());
                    assertTrue(response.closes(), response::toString);
                    client.assertEnd();
                }
            }
        }
    }

    @ParameterizedTest(name = "D2: {0} requests in one segment are answered in order")
    @ValueSource(ints = {2, 16, 32, 33, 500})
    @Tag("D2")
    void pipelined(int count) throws Exception {
        server.on("/n", (request, response) -> response.send(request.query()));
        var requests = new StringBuilder();
        for (int i = 0; i < count; i++) {
            requests.append(get("/n?" + i));
        }
        try (RawClient client = server.connect()) {
            client.send(requests.toString());
            for (int i = 0; i < count; i++) {
                assertEquals(String.valueOf(i), client.response().text());
            }
        }
    }

    /** Off the loop requests of a connection are handled one by one unless more are asked for. */
    private TestServer pipelining() throws IOException {
        server.close();
        server = TestServer.start(backend, builder -> builder.maxPipelinedRequests(32));
        return server;
    }

    @Test
    @Tag("D2")
    @DisplayName("D2: pipelined responses leave in the order of the requests, in whatever order they are made")
    void pipelinedOutOfOrder() throws Exception {
        int count = 10;
        var waiting = new ConcurrentHashMap<Integer, Response>();
        var come = new AtomicInteger();
        pipelining().on("/waits", (request, response) -> {
            waiting.put(Integer.parseInt(request.query()), response);
            if (come.incrementAndGet() == count) {
                // the last request is answered first, the first one last, each in a later turn of the loop
                waiting.forEach((number, next) -> response.eventLoop()
                        .schedule(Duration.ofMillis(count - number), () -> next.send("response " + number)));
            }
        });
        try (RawClient client = server.connect()) {
            for (int i = 0; i < count; i++) {
                client.send(get("/waits?" + i));
            }
            for (int i = 0; i < count; i++) {
                assertEquals("response " + i, client.response().text());
            }
        }
    }

    @Test
    @Tag("D2")
    @DisplayName("D2: a pipelined response that waits for a slow one in front keeps its large body whole")
    void pipelinedLargeBehindSlow() throws Exception {
        var slow = new CompletableFuture<Response>();
        byte[] body = random(300_000);
        pipelining().on("/slow", (request, response) -> slow.complete(response));
        server.on("/large", (request, response) -> {
            response.send(body);
            slow.join().eventLoop().execute(() -> slow.join().send("slow"));
        });
        try (RawClient client = server.connect()) {
            client.send(get("/slow") + get("/large") + get("/"));
            assertEquals("slow", client.response().text());
            assertArrayEquals(body, client.response().body());
            assertEquals(200, client.response().status());
        }
    }

    @ParameterizedTest(name = "D3: {0} closes")
    @MethodSource
    @Tag("D3")
    void closeWins(Wire fields) throws Exception {
        try (RawClient client = server.connect()) {
            assertTrue(client.request("GET / HTTP/1.1\r\nHost: x\r\n" + fields.bytes() + "\r\n")
                    .closes());
            client.assertEnd();
        }
    }

    static Stream<Wire> closeWins() {
        return Wire.each(
                "Connection: close\r\nConnection: keep-alive\r\n",
                "Connection: keep-alive\r\nConnection: close\r\n",
                "Connection: keep-alive, close\r\n",
                "Connection: close, keep-alive\r\n",
                "connection: x ,\tClose ,\r\n");
    }

    @Test
    @Tag("D4")
    @DisplayName("D4: the end of a connection before any byte is a clean end")
    void endBeforeAnyByte() throws Exception {
        long refused = server.stats().requestsRefused();
        long handled = server.handled();
        try (LogCapture log = LogCapture.open();
                RawClient client = server.connect()) {
            client.end().assertEnd();
            awaitNoConnection();
            assertEquals(List.of(), log.warnings());
        }
        assertEquals(refused, server.stats().requestsRefused());
        assertEquals(handled, server.handled());
    }

    @Test
    @Tag("D4")
    @DisplayName("D4: the end of a connection between two requests is a clean end")
    void endBetweenRequests() throws Exception {
        try (RawClient client = server.connect()) {
            BlockingQueue<CloseReason> reasons = watch(client);
            client.end().assertEnd();
            CloseReason reason = reasons.poll(Await.SECONDS, TimeUnit.SECONDS);
            assertEquals(CloseReason.Kind.CLOSED, reason.kind());
        }
    }

    @Test
    @DisplayName("a connection that this side ends in peace says so, on its loop")
    void endHere() throws Exception {
        var reason = new CompletableFuture<CloseReason>();
        server.on("/last", (request, response) -> {
            Connection connection = request.connection();
            assertSame(request.eventLoop(), connection.eventLoop());
            connection.onClose(why -> {
                assertTrue(connection.eventLoop().inEventLoop());
                reason.complete(why);
            });
            response.addField("Connection", "close").send();
        });
        try (RawClient client = server.connect()) {
            assertTrue(client.request(get("/last")).closes());
            client.assertEnd();
        }
        assertEquals(CloseReason.Kind.CLOSED, Await.result(reason).kind());
    }

    @Test
    @DisplayName("Connection.close between requests is an end in peace by this side")
    void closedHere() throws Exception {
        var open = new CompletableFuture<Connection>();
        server.on("/open", (request, response) -> {
            open.complete(request.connection());
            response.send();
        });
        try (RawClient client = server.connect()) {
            assertEquals(200, client.request(get("/open")).status());
            var reason = new CompletableFuture<CloseReason>();
            Await.result(open).onClose(reason::complete);
            Await.result(open).close();
            client.assertEnd();
            assertEquals(
                    new CloseReason(CloseReason.Kind.CLOSED, "the connection was closed by this side"),
                    Await.result(reason));
        }
    }

    @Test
    @Tag("D4")
    @DisplayName("D4: the end of a connection within a head is an error, and no request")
    void endWithinHead() throws Exception {
        for (String cut : List.of("G", "GET / HTTP/1.1\r\nHost: x", get("/").substring(0, get("/").length() - 1))) {
            try (RawClient client = server.connect()) {
                BlockingQueue<CloseReason> reasons = watch(client);
                long handled = server.handled();
                String answer = new String(client.send(cut).end().rest(), ISO_8859_1);
                assertTrue(answer.isEmpty() || answer.startsWith("HTTP/1.1 400 "), answer);
                CloseReason reason = reasons.poll(Await.SECONDS, TimeUnit.SECONDS);
                assertEquals(CloseReason.Kind.BROKEN, reason.kind());
                assertTrue(reason.text().contains("head"), reason::toString);
                assertEquals(handled, server.handled());
            }
        }
        awaitNoConnection();
    }

    /** Makes a request, and tells of the end of its connection. */
    private static BlockingQueue<CloseReason> watch(RawClient client) throws IOException {
        var reasons = new LinkedBlockingQueue<CloseReason>();
        server.on("/watch", (request, response) -> {
            request.connection().onClose(reasons::add);
            response.send();
        });
        assertEquals(200, client.request(get("/watch")).status());
        return reasons;
    }

    private static void awaitNoConnection() {
        Await.until(
                () -> server.stats().connectionsOpen() == 0,
                () -> "all connections end; open: " + server.stats().connectionsOpen());
    }

    @Test
    @Tag("D5")
    @DisplayName("D5: a client that has ended its side still gets its response")
    void halfClosed() throws Exception {
        var waiting = new CompletableFuture<Response>();
        server.on("/half", (request, response) -> waiting.complete(response));
        byte[] body = random(1_000_000);
        try (RawClient client = server.connect()) {
            client.send(get("/half")).end();
            Await.result(waiting).send(body);
            assertArrayEquals(body, client.response().body());
            client.assertEnd();
        }
    }

    @Test
    @DisplayName("a response for a client that is gone goes nowhere, and is no error")
    void clientGone() throws Exception {
        var waiting = new CompletableFuture<Response>();
        var gone = new CompletableFuture<CloseReason>();
        server.on("/gone", (request, response) -> {
            request.connection().onClose(gone::complete);
            waiting.complete(response);
        });
        try (LogCapture log = LogCapture.open()) {
            RawClient client = server.connect();
            client.send(get("/gone"));
            Response response = Await.result(waiting);
            client.reset();
            assertEquals(CloseReason.Kind.BROKEN, Await.result(gone).kind());
            response.send("nobody is there");
            assertTrue(response.isCommitted());
            awaitNoConnection();
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchange ends");
            assertEquals(List.of(), log.warnings());
        }
    }

    @ParameterizedTest(name = "D7: {0} bytes to a slow reader arrive whole, and then the end")
    @ValueSource(ints = {100_000, 12_000_000})
    @Tag("D7")
    void slowReader(int length) throws Exception {
        byte[] body = random(length);
        server.on("/large", (request, response) -> response.send(body));
        try (RawClient client = new RawClient(server.port(), 4096)) {
            long sent = server.stats().bytesSent();
            client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            Await.until(() -> server.stats().bytesSent() > sent, () -> "the response begins");
            assertArrayEquals(body, client.response().body());
            client.assertEnd();
        }
    }

    @Test
    @Tag("D11")
    @DisplayName("D11: a connection with endless pipelined requests does not keep others of its loop from being served")
    void endlessPipeline() throws Exception {
        var ended = new AtomicBoolean();
        var flood = new AtomicLong();
        server.on("/flood", (request, response) -> {
            flood.incrementAndGet();
            response.send();
        });
        try (RawClient greedy = server.connect()) {
            String requests = get("/flood").repeat(1000);
            var writer = new Thread(() -> {
                try {
                    while (!ended.get()) {
                        greedy.send(requests);
                    }
                    greedy.end();
                } catch (IOException e) {
                    // the test has failed before
                }
            });
            var reader = CompletableFuture.supplyAsync(() -> {
                try {
                    return greedy.rest().length;
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            writer.start();
            try {
                Await.until(() -> flood.get() > 1000, () -> "the flood begins");
                for (int i = 0; i < 50; i++) {
                    long before = flood.get();
                    try (RawClient modest = server.connect()) {
                        assertEquals(200, modest.request(get("/")).status());
                    }
                    Await.until(() -> flood.get() > before, () -> "the flood goes on");
                }
            } finally {
                ended.set(true);
            }
            // What the kernel holds by now is many requests, and off the loop each of them takes a thread's turn.
            assertTrue(reader.get(60, TimeUnit.SECONDS) > 0);
            writer.join();
        }
    }

    @Test
    @DisplayName("a connection keeps what is attached to it")
    void attachment() throws Exception {
        server.on("/count", (request, response) -> {
            Connection connection = request.connection();
            Integer count = (Integer) connection.attachment();
            connection.attach(count == null ? 1 : count + 1);
            response.send(String.valueOf(connection.attachment()));
        });
        try (RawClient one = server.connect();
                RawClient other = server.connect()) {
            assertEquals("1", one.request(get("/count")).text());
            assertEquals("2", one.request(get("/count")).text());
            assertEquals("1", other.request(get("/count")).text());
            assertEquals("3", one.request(get("/count")).text());
        }
    }

    @Test
    @DisplayName("Connection.close answers what was received, and ends the connection")
    void closeConnection() throws Exception {
        server.on("/close-me", (request, response) -> {
            request.connection().close();
            response.eventLoop().execute(() -> response.send("answered"));
        });
        try (RawClient client = server.connect()) {
            RawResponse response = client.request(get("/close-me"));
            assertEquals("answered", response.text());
            client.assertEnd();
        }
    }

    @Test
    @DisplayName("a delayed response holds no thread: a hundred wait at once on one loop")
    void delays() throws Exception {
        server.on(
                "/delay",
                (request, response) -> response.eventLoop().schedule(Duration.ofMillis(100), () -> {
                    assertTrue(response.eventLoop().inEventLoop());
                    response.send("late");
                }));
        var clients = new ArrayList<RawClient>();
        try {
            for (int i = 0; i < 100; i++) {
                clients.add(server.connect().send(get("/delay")));
            }
            for (RawClient client : clients) {
                assertEquals("late", client.response().text());
            }
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    @DisplayName("a task of the timer that was taken back does not run")
    void cancelledTimer() throws Exception {
        var ran = new AtomicBoolean();
        server.on("/cancel", (request, response) -> {
            var timeout = response.eventLoop().schedule(Duration.ofMillis(1), () -> ran.set(true));
            timeout.cancel();
            response.eventLoop().schedule(Duration.ofMillis(20), () -> response.send(String.valueOf(ran.get())));
        });
        try (RawClient client = server.connect()) {
            assertEquals("false", client.request(get("/cancel")).text());
        }
    }

    @Test
    @DisplayName("the longest delay that there is can be given, and holds no other timer up")
    void longestDelay() throws Exception {
        var loop = server.server().eventLoops().loops().get(0);
        var forever = loop.schedule(ChronoUnit.FOREVER.getDuration(), () -> {});
        var soon = new CompletableFuture<String>();
        loop.schedule(Duration.ofSeconds(Long.MIN_VALUE), () -> soon.complete("soon"));
        assertEquals("soon", Await.result(soon));
        assertTrue(forever.cancel());
    }

    private static byte[] random(int length) {
        var bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }
}
