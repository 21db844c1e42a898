package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.CloseReason;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.Response;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The limits and timeouts that the builder sets, each on a server of its own; those of heads are in RequestHeadTest. */
class LimitsTest extends VersionsTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    /** Waits until the limit took effect so many times, by its counter. */
    static void awaitReason(TestServer server, String reason, long times) {
        Await.until(
                () -> server.stats().reasons().getOrDefault(reason, 0L) == times,
                () -> reason + " is counted: " + server.stats());
    }

    @Test
    @Tag("E3")
    @Tag("E4")
    @DisplayName("firstByteTimeout: a connection without a byte is closed")
    @Over(HttpVersion.HTTP_1_1)
    void firstByteTimeout() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.firstByteTimeout(SHORT));
                RawClient client = server.connect()) {
            client.assertEnd();
            awaitReason(server, "firstByteTimeout", 1);
            assertEquals(1, server.stats().timeouts());
        }
    }

    @Test
    @Tag("E1")
    @DisplayName("headTimeout: a head that does not become complete is answered with 408")
    @Over(HttpVersion.HTTP_1_1)
    void headTimeout() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.headTimeout(SHORT));
                RawClient client = server.connect()) {
            assertEquals(200, client.request(GET).status());
            RawResponse response = client.request("GET / HTTP/1.1\r\nHo");
            assertEquals(408, response.status());
            assertTrue(response.closes(), response::toString);
            client.assertEnd();
            awaitReason(server, "headTimeout", 1);
            assertEquals(1, server.stats().timeouts());
        }
    }

    @Test
    @Tag("E3")
    @Tag("E5")
    @DisplayName("idleTimeout: a connection without a further request is closed")
    void idleTimeout() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.idleTimeout(SHORT));
                Client client = connect(server)) {
            assertEquals(200, client.request(GET).status());
            client.assertEnd();
            awaitReason(server, "idleTimeout", 1);
            assertEquals(1, server.stats().timeouts());
        }
    }

    @Test
    @DisplayName("idleTimeout: a handler that takes its time is not idle")
    void slowHandlerIsNotIdle() throws Exception {
        try (var server = TestServer.start(
                        backend,
                        builder -> builder.idleTimeout(SHORT)
                                // over HTTP/2, the client's first frames are part of one
                                .headTimeout(isHttp2() ? Duration.ZERO : SHORT)
                                .bodyTimeout(SHORT)
                                .writeTimeout(SHORT));
                Client client = connect(server)) {
            server.on(
                    "/slow",
                    (request, response) ->
                            response.eventLoop().schedule(SHORT.multipliedBy(6), () -> response.send("late")));
            assertEquals(
                    "late",
                    client.request("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").text());
        }
    }

    @Test
    @Tag("E5")
    @DisplayName("bodyTimeout: a body that makes no progress is answered with 408 and fails its reader")
    void bodyTimeout() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.bodyTimeout(SHORT));
                Client client = connect(server)) {
            RawResponse response = client.request("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
            assertEquals(408, response.status());
            assertCloses(response);
            if (!isHttp2()) {
                client.assertEnd();
            }
            var failure = (HttpException) server.seen().bodyFailure();
            assertEquals(HttpException.Kind.TIMEOUT, failure.kind());
            awaitReason(server, "bodyTimeout", 1);
        }
    }

    @Test
    @Tag("E5")
    @DisplayName("writeTimeout: a client that takes no byte of its response is dropped")
    void writeTimeout() throws Exception {
        var gone = new CompletableFuture<CloseReason>();
        var told = new CompletableFuture<HttpException>();
        try (var server = TestServer.start(backend, builder -> builder.writeTimeout(SHORT));
                Client client = connectSlowly(server)) {
            server.on("/large", (request, response) -> {
                request.connection().onClose(gone::complete);
                request.onDisconnect().thenAccept(told::complete);
                response.send(new byte[20_000_000]);
            });
            client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(HttpException.Kind.TIMEOUT, Await.result(told).kind());
            awaitReason(server, isHttp2() ? "windowTimeout" : "writeTimeout", 1);
            if (isHttp2()) {
                // its stream is reset; others go on
                client.cutResponse();
                assertEquals(200, client.request(GET).status());
                return;
            }
            assertEquals(CloseReason.Kind.TIMEOUT, Await.result(gone).kind());
            Await.until(
                    () -> server.stats().connectionsOpen() == 0
                            && server.stats().exchangesOpen() == 0,
                    () -> "the connection ends: " + server.stats());
        }
    }

    @Test
    @DisplayName(
            "lingerTimeout: a client that does not close its side after the last response is not waited for longer")
    @Over(HttpVersion.HTTP_1_1)
    void lingerTimeout() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.lingerTimeout(SHORT));
                RawClient client = server.connect()) {
            assertEquals(400, client.request("bad\r\n\r\n").status());
            client.assertEnd();
            awaitReason(server, "lingerTimeout", 1);
            Await.until(() -> server.stats().connectionsOpen() == 0, () -> "the connection ends: " + server.stats());
        }
    }

    @Test
    @DisplayName("maxTargetBytes: a target of n bytes passes, of n + 1 is 414")
    @Over(HttpVersion.HTTP_1_1)
    void maxTargetBytes() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.maxTargetBytes(10));
                RawClient client = server.connect()) {
            assertEquals(
                    200,
                    client.request("GET /123456789 HTTP/1.1\r\nHost: x\r\n\r\n").status());
            server.assertRefused(414, "GET /1234567890 HTTP/1.1\r\nHost: x\r\n\r\n");
        }
    }

    @Test
    @DisplayName("maxEmptyLines: 0 lets none pass")
    @Over(HttpVersion.HTTP_1_1)
    void maxEmptyLines() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.maxEmptyLines(0))) {
            server.assertRefused(400, "\r\n" + GET);
        }
    }

    @Test
    @DisplayName("maxBufferedBodyBytes: a body of n bytes passes, of n + 1 is 413, declared or not")
    void maxBufferedBodyBytes() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.maxBufferedBodyBytes(3))) {
            String sized = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ";
            String chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
            try (Client client = connect(server)) {
                assertEquals("abc", client.request(sized + "3\r\n\r\nabc").text());
                assertEquals(
                        "abc",
                        client.request(chunked + "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
                                .text());
            }
            server.forgetSeen();
            if (isHttp2()) {
                try (Client client = connect(server)) {
                    assertEquals(413, client.request(sized + "4\r\n\r\nabcd").status());
                    String more = chunked + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n";
                    assertEquals(413, client.request(more).status());
                    assertEquals("abc", client.request(sized + "3\r\n\r\nabc").text());
                }
                return;
            }
            server.assertBodyRefused(413, sized + "4\r\n\r\nabcd");
            server.assertBodyRefused(413, chunked + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n");
        }
    }

    @Test
    @DisplayName(
            "maxBufferedBytes: bodies that are never finished take their share of the heap; there is room again when they go")
    void maxBufferedBytes() throws Exception {
        String half = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" + "a".repeat(20000);
        try (var server = TestServer.start(backend, builder -> builder.maxBufferedBytes(100_000))) {
            var unfinished = new ArrayList<Client>();
            for (int i = 0; i < 2; i++) {
                var share = new CompletableFuture<Void>();
                server.on("/held", (request, response) -> {
                    request.body().bytes().thenAccept(response::send);
                    // a task of the loop, and so behind the one that takes the share, whatever thread this is
                    request.eventLoop().execute(() -> share.complete(null));
                });
                unfinished.add(connect(server).send(half.replace("POST /", "POST /held")));
                Await.result(share);
            }
            try (Client client = connect(server)) {
                RawResponse refused = client.request(half);
                assertEquals(503, refused.status());
                assertCloses(refused);
            }
            assertEquals(1, server.server().stats().bodiesRefused());
            try (Client client = connect(server)) {
                assertEquals(200, client.request(GET).status());
                String small = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
                assertEquals("hello", client.request(small).text());
            }
            unfinished.get(0).close();
            assertEquals(
                    40000,
                    unfinished.get(1).send("a".repeat(20000)).response().text().length());
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "one is gone: " + server.stats());
            for (int i = 0; i < 5; i++) {
                try (Client client = connect(server)) {
                    assertEquals(
                            40000,
                            client.request(half + "a".repeat(20000)).text().length());
                }
            }
        }
    }

    @Test
    @DisplayName("maxPipelinedRequests: no more requests are handed out than that; all are answered in time")
    @Over(HttpVersion.HTTP_1_1)
    void maxPipelinedRequests() throws Exception {
        var waiting = new ConcurrentHashMap<Integer, CompletableFuture<Response>>();
        for (int number = 0; number < 8; number++) {
            waiting.put(number, new CompletableFuture<>());
        }
        var come = new AtomicInteger();
        try (var server = TestServer.start(backend, builder -> builder.maxPipelinedRequests(3));
                RawClient client = server.connect()) {
            server.on("/waits", (request, response) -> {
                come.incrementAndGet();
                waiting.get(Integer.parseInt(request.query())).complete(response);
            });
            for (int number = 0; number < 8; number++) {
                client.send("GET /waits?" + number + " HTTP/1.1\r\nHost: x\r\n\r\n");
            }
            for (int number = 0; number < 8; number++) {
                int last = Math.min(7, number + 2);
                for (int handled = 0; handled <= last; handled++) {
                    Await.result(waiting.get(handled));
                }
                assertEquals(last + 1, come.get(), "handed out behind " + number);
                Await.result(waiting.get(number)).send(String.valueOf(number));
                assertEquals(String.valueOf(number), client.response().text());
            }
        }
    }

    @Test
    @Tag("D5")
    @DisplayName("D5: halfClose off: a client that has ended its side counts as gone")
    void halfCloseOff() throws Exception {
        var gone = new CompletableFuture<CloseReason>();
        try (var server = TestServer.start(backend, builder -> builder.halfClose(false));
                Client client = connect(server)) {
            var asked = new CompletableFuture<Void>();
            server.on("/held", (request, response) -> {
                request.connection().onClose(gone::complete);
                request.eventLoop().execute(() -> asked.complete(null));
            });
            client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
            Await.result(asked);
            if (client instanceof Http2Client other) {
                other.endConnection();
            } else {
                client.end();
            }
            assertEquals(CloseReason.Kind.BROKEN, Await.result(gone).kind());
            client.assertEnd();
        }
    }
}
