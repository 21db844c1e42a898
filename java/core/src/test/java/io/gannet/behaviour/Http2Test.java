package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.CloseReason;
import io.gannet.Connection;
import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.Http2;
import io.gannet.Http2Error;
import io.gannet.HttpException;
import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import io.gannet.OutgoingBody;
import io.gannet.Response;
import io.gannet.Tunnel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a handler relies on over HTTP/2 alone. */
@OnEachBackend
class Http2Test {
    @Parameter
    Backend backend;

    private final ExecutorService pool = Executors.newCachedThreadPool();

    @AfterEach
    void shutDown() {
        pool.shutdownNow();
    }

    private TestServer start(UnaryOperator<HttpServer.Builder> options) throws Exception {
        return TestServer.start(backend, options);
    }

    private TestServer start() throws Exception {
        return start(builder -> builder);
    }

    private static void awaitNone(TestServer server) {
        Await.until(
                () -> server.stats().exchangesOpen() == 0 && server.stats().blocksLent() == 0,
                () -> "the exchanges end: " + server.stats());
    }

    // ---- requests ----

    @Test
    @DisplayName("a request is read as over HTTP/1.1; its version says what it is")
    void request() throws Exception {
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            var head = new ArrayList<>(Http2Client.head("POST", "/a/b?c=d"));
            head.set(1, Map.entry(":scheme", "https"));
            head.add(Map.entry("x-one", "1"));
            head.add(Map.entry("cookie", "a=b"));
            head.add(Map.entry("cookie", "c=d"));
            Http2Stream stream = client.open(head, false);
            stream.send("hel").send("lo").end();
            assertEquals("hello", stream.response().text());
            TestServer.Seen seen = server.seen();
            assertEquals(HttpVersion.HTTP_2, seen.version());
            assertEquals("POST", seen.method());
            assertEquals("/a/b?c=d", seen.target());
            assertEquals("/a/b", seen.path());
            assertEquals("c=d", seen.query());
            assertEquals("https", seen.scheme());
            assertEquals("x", seen.authority());
            assertEquals("hello", seen.text());
            assertTrue(seen.fields().contains(Map.entry("x-one", "1")), seen::toString);
            assertTrue(seen.fields().contains(Map.entry("cookie", "a=b; c=d")), seen::toString);
        }
    }

    @Test
    @DisplayName("requests of a connection have the same Connection, with its addresses and attachment")
    void connection() throws Exception {
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/", (request, response) -> {
                Connection connection = request.connection();
                Object before = connection.attach(connection);
                response.send((before == connection) + " " + connection.remoteAddress() + " "
                        + connection.localAddress().getPort());
            });
            String where = " " + client.localAddress() + " " + server.port();
            assertEquals("false" + where, client.get("/").response().text());
            assertEquals("true" + where, client.get("/").response().text());
        }
    }

    // ---- which versions there are ----

    @Test
    @Tag("A8")
    @DisplayName("A8: a server without HTTP/2 refuses its preface and ends; one without HTTP/1 refuses HTTP/1.1")
    void versions() throws Exception {
        try (TestServer server = start(builder -> builder.versions(HttpVersion.HTTP_1_1));
                RawClient client = server.connect()) {
            String preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
            String answer = new String(client.send(preface).rest(), ISO_8859_1);
            assertFalse(answer.contains(" 200 "), answer);
            try (RawClient other = server.connect()) {
                assertEquals(
                        200, other.request("GET / HTTP/1.1\r\nHost: x\r\n\r\n").status());
            }
            assertEquals(1, server.handled());
        }
        try (TestServer server = start(builder -> builder.versions(HttpVersion.HTTP_2));
                RawClient client = server.connect()) {
            String answer =
                    new String(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").rest(), ISO_8859_1);
            assertFalse(answer.contains(" 200 "), answer);
            assertEquals(0, server.handled());
            try (var other = new Http2Client(server.port())) {
                assertEquals(200, other.get("/").response().status());
            }
        }
    }

    @Test
    @DisplayName("the options are what the client is told")
    void settings() throws Exception {
        Http2 options = Http2.builder()
                .maxConcurrentStreams(7)
                .streamWindowBytes(70_000)
                .maxFrameBytes(20_000)
                .maxFieldListBytes(5000)
                .dynamicTableBytes(100)
                .extendedConnect(true)
                .build();
        try (TestServer server = start(builder -> builder.http2(options));
                var client = new Http2Client(server.port())) {
            Map<Integer, Long> told = client.settings();
            assertEquals(7L, told.get(3));
            assertEquals(70_000L, told.get(4));
            assertEquals(20_000L, told.get(5));
            assertEquals(5000L, told.get(6));
            assertEquals(100L, told.get(1));
            assertEquals(1L, told.get(8));
        }
    }

    // ---- streams do not wait for each other ----

    @ParameterizedTest(name = "requests of a connection are handled at the same time: {0}")
    @EnumSource
    void independent(Place place) throws Exception {
        int count = 20;
        var all = new CountDownLatch(count);
        Handler meets = (request, response) -> {
            all.countDown();
            assertTrue(all.await(Await.SECONDS, TimeUnit.SECONDS), "the others are held behind this one");
            response.send(request.path());
        };
        Dispatch dispatch = Dispatch.executor(pool);
        Handler wrapped = place == Place.WRAPPED ? dispatch.wrap(meets) : meets;
        try (TestServer server =
                        start(builder -> builder.dispatch(place == Place.WRAPPED ? Dispatch.loop() : dispatch));
                var client = new Http2Client(server.port())) {
            var streams = new ArrayList<Http2Stream>();
            for (int i = 0; i < count; i++) {
                server.on("/" + i, wrapped);
                streams.add(
                        i % 2 == 0 ? client.get("/" + i) : client.post("/" + i).end());
            }
            for (int i = 0; i < count; i++) {
                assertEquals("/" + i, streams.get(i).response().text());
            }
        }
    }

    /** Where handlers run. */
    enum Place {
        /** All of them on an executor. */
        EXECUTOR,
        /** On the loop, but for those that are wrapped. */
        WRAPPED
    }

    @Test
    @DisplayName("responses go out as they come, not in the order of the requests")
    void anyOrder() throws Exception {
        var first = new CompletableFuture<Response>();
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/first", (request, response) -> first.complete(response))
                    .on("/next", (request, response) -> response.send("next"));
            Http2Stream waiting = client.get("/first");
            Await.result(first);
            for (int i = 0; i < 3; i++) {
                assertEquals("next", client.get("/next").response().text());
            }
            assertFalse(waiting.isAnswered());
            Await.result(first).send("first");
            assertEquals("first", waiting.response().text());
        }
    }

    // ---- responses ----

    @Test
    @Tag("H16")
    @Tag("C16")
    @DisplayName("H16, C16: no field of the connection goes out, nor a reason phrase; names are in lower case")
    void connectionFields() throws Exception {
        try (TestServer server = start(builder -> builder.titleCaseFields(true));
                var client = new Http2Client(server.port())) {
            server.on(
                    "/",
                    (request, response) -> response.status(299, "Fine by me")
                            .addField("Transfer-Encoding", "chunked")
                            .addField("Keep-Alive", "timeout=5")
                            .addField("Connection", "close")
                            .addField("X-Own", "1")
                            .send("hello"));
            RawResponse response = client.get("/").response();
            assertEquals(299, response.status());
            assertEquals("hello", response.text());
            assertTrue(response.fields().contains(Map.entry("x-own", "1")), response::toString);
        }
    }

    @Test
    @Tag("C18")
    @DisplayName("C18: trailers go out without TE: trailers, also behind a body with Content-Length")
    void trailers() throws Exception {
        var accepts = new CompletableFuture<Boolean>();
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/", (request, response) -> {
                accepts.complete(request.acceptsTrailers());
                if (request.query() != null) {
                    response.addField("Content-Length", "2");
                }
                OutgoingBody body = response.stream();
                body.addTrailer("grpc-status", "0").addTrailer("X-Sum", "7");
                body.write("hi");
                body.end();
            });
            for (String path : List.of("/", "/?length")) {
                Http2Stream stream = client.get(path);
                assertEquals("hi", stream.response().text());
                assertEquals(List.of(Map.entry("grpc-status", "0"), Map.entry("x-sum", "7")), stream.trailers());
            }
            assertTrue(Await.result(accepts));
            Http2Stream head = client.open(Http2Client.head("HEAD", "/"), true);
            assertEquals("", head.response().text());
            assertEquals(List.of(), head.trailers());
        }
    }

    @Test
    @DisplayName("a writer waits when the client has sendBufferBytes in hand, whatever its window is")
    void sendBuffer() throws Exception {
        var all = new CompletableFuture<Boolean>();
        var more = new CompletableFuture<OutgoingBody>();
        try (TestServer server = start(builder -> builder.dispatch(Dispatch.loop())
                        .http2(Http2.builder().sendBufferBytes(200_000).build()));
                var client = new Http2Client(server.port())) {
            server.on("/", (request, response) -> {
                OutgoingBody body = response.stream();
                // The client's window takes 65535 bytes of these at most.
                all.complete(body.write(new byte[200_000]).toCompletableFuture().isDone());
                assertFalse(body.write(new byte[200_000]).toCompletableFuture().isDone());
                more.complete(body);
                body.end();
            });
            Http2Stream stream = client.get("/");
            assertTrue(Await.result(all));
            assertEquals(400_000, stream.response().body().length);
            Await.result(more);
        }
    }

    // ---- resets ----

    private static Handler after(String text, BiConsumer<Response, OutgoingBody> then) {
        return (request, response) -> {
            OutgoingBody body = response.stream();
            body.write(text).thenRun(() -> then.accept(response, body));
        };
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: what is cut off is reset with INTERNAL_ERROR, CANCEL, or the error that the handler names")
    void resetCodes() throws Exception {
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/fail", after("hel", (response, body) -> response.fail(new IllegalStateException("no more"))))
                    .on(
                            "/named",
                            after(
                                    "hel",
                                    (response, body) -> response.fail(
                                            new HttpException(Http2Error.ENHANCE_YOUR_CALM, 503, "too much", null))))
                    .on(
                            "/none",
                            after(
                                    "hel",
                                    (response, body) ->
                                            response.fail(new HttpException(Http2Error.NO_ERROR, 500, "odd", null))))
                    .on("/abort", after("hel", (response, body) -> body.abort()))
                    .on("/abort-with", after("hel", (response, body) -> body.abort(Http2Error.CONNECT_ERROR)))
                    .on("/throw", (request, response) -> {
                        response.stream().write("hel");
                        throw new IllegalStateException("no more");
                    })
                    .on("/short", (request, response) -> {
                        OutgoingBody body = response.addField("Content-Length", "5").stream();
                        body.write("hel").thenRun(() -> assertThrows(IllegalStateException.class, body::end));
                    })
                    .on("/next", (request, response) -> response.send("next"));
            Map<String, Http2Error> wanted = Map.of(
                    "/fail", Http2Error.INTERNAL_ERROR,
                    "/named", Http2Error.ENHANCE_YOUR_CALM,
                    "/none", Http2Error.INTERNAL_ERROR,
                    "/abort", Http2Error.CANCEL,
                    "/abort-with", Http2Error.CONNECT_ERROR,
                    "/throw", Http2Error.INTERNAL_ERROR,
                    "/short", Http2Error.INTERNAL_ERROR);
            for (var each : wanted.entrySet()) {
                Http2Stream stream = client.get(each.getKey());
                assertEquals(200, stream.head().status(), each::toString);
                assertEquals(each.getValue(), stream.awaitReset(), each::toString);
                assertEquals("next", client.get("/next").response().text());
            }
            awaitNone(server);
            assertEquals(0, server.stats().commandsRejected());
        }
    }

    @Test
    @DisplayName("a failure before the head is answered with a status, also one that names an error of HTTP/2")
    void failureBeforeHead() throws Exception {
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/", (request, response) -> {
                throw new HttpException(Http2Error.REFUSED_STREAM, 503, "later", null);
            });
            RawResponse response = client.get("/").response();
            assertEquals(503, response.status());
            assertEquals("later", response.text());
        }
    }

    @Test
    @DisplayName("abort refuses NO_ERROR, which would say that nothing was broken off")
    void abortWithNoError() throws Exception {
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/", (request, response) -> {
                OutgoingBody body = response.stream();
                assertThrows(IllegalArgumentException.class, () -> body.abort(Http2Error.NO_ERROR));
                assertThrows(NullPointerException.class, () -> body.abort(null));
                body.write("hello").thenRun(body::end);
            });
            assertEquals("hello", client.get("/").response().text());
        }
    }

    @ParameterizedTest(name = "a handler is told with what the client reset its stream: {0}")
    @EnumSource(names = {"CANCEL", "NO_ERROR", "REFUSED_STREAM", "HTTP_1_1_REQUIRED"})
    void resetByClient(Http2Error error) throws Exception {
        var disconnected = new CompletableFuture<HttpException>();
        var read = new CompletableFuture<Throwable>();
        var written = new CompletableFuture<Throwable>();
        var sent = new CompletableFuture<Throwable>();
        var begun = new CompletableFuture<OutgoingBody>();
        var closed = new CompletableFuture<CloseReason>();
        try (TestServer server = start()) {
            server.on("/", (request, response) -> {
                request.onDisconnect().thenAccept(disconnected::complete);
                request.connection().onClose(closed::complete);
                request.body().bytes().whenComplete((bytes, failure) -> read.complete(failure));
                response.onSent().whenComplete((none, failure) -> sent.complete(failure));
                begun.complete(response.stream());
            });
            try (var client = new Http2Client(server.port())) {
                Http2Stream stream = client.post("/").send("some");
                assertEquals(200, stream.head().status());
                Await.result(begun);
                stream.reset(error);
                HttpException told = Await.result(disconnected);
                assertSame(error, told.http2Error());
                assertEquals(HttpException.Kind.RESET, told.kind());
                for (CompletableFuture<Throwable> future : List.of(read, sent)) {
                    assertSame(error, ((HttpException) Await.result(future)).http2Error());
                }
                Await.result(begun).write("x").whenComplete((none, failure) -> written.complete(failure));
                assertSame(error, ((HttpException) Await.result(written)).http2Error());
                awaitNone(server);
                assertFalse(closed.isDone(), "the connection goes on");
                assertEquals(200, client.get("/else").response().status());
            }
            assertEquals(CloseReason.Kind.CLOSED, Await.result(closed).kind());
        }
    }

    @Test
    @Tag("H8")
    @DisplayName("H8: bodies that nobody reads give the connection's window back when their streams end")
    void unreadBodies() throws Exception {
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/", (request, response) -> response.send("not read"));
            client.settings();
            for (int i = 0; i < 60; i++) {
                Http2Stream stream = client.post("/");
                stream.send(new byte[50_000], i % 2 == 0);
                assertEquals("not read", stream.response().text());
            }
            awaitNone(server);
        }
    }

    // ---- tunnels ----

    private static void echo(Tunnel tunnel) {
        tunnel.output().writeAll(tunnel.input().publisher());
    }

    private static List<Map.Entry<String, String>> connect(String authority) {
        return List.of(Map.entry(":method", "CONNECT"), Map.entry(":authority", authority));
    }

    @Test
    @DisplayName("101 is refused in words: HTTP/2 has no upgrade")
    void noUpgrade() throws Exception {
        var refused = new CompletableFuture<String>();
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            server.on("/", (request, response) -> {
                assertFalse(request.offersUpgrade("websocket"));
                assertNull(request.protocol());
                refused.complete(assertThrows(IllegalStateException.class, () -> response.upgrade("websocket"))
                        .getMessage());
                response.send("plain");
            });
            assertEquals("plain", client.get("/").response().text());
            assertTrue(Await.result(refused).contains("RFC 9113 section 8.6"), refused::toString);
        }
    }

    @Test
    @Tag("F4")
    @DisplayName("F4: CONNECT makes streams tunnels, several at once, with large bodies and ends of their own")
    void tunnels() throws Exception {
        try (TestServer server = start(builder -> builder.connectMethod(true))) {
            server.on("", (request, response) -> {
                assertNull(request.protocol());
                assertEquals("a.example:443", request.authority());
                echo(response.acceptConnect());
            });
            try (var client = new Http2Client(server.port())) {
                var streams = new ArrayList<Http2Stream>();
                for (int i = 0; i < 5; i++) {
                    streams.add(client.open(connect("a.example:443"), false));
                }
                for (Http2Stream stream : streams) {
                    assertEquals(200, stream.head().status());
                }
                byte[] piece = new byte[30_000];
                for (int round = 0; round < 20; round++) {
                    for (Http2Stream stream : streams) {
                        stream.send(piece, false);
                        assertEquals(piece.length, stream.text(piece.length).length());
                    }
                }
                for (Http2Stream stream : streams) {
                    stream.end();
                    assertEquals(0, stream.data().length);
                }
                assertEquals(200, client.get("/else").response().status());
            }
            Await.until(() -> server.stats().tunnelsOpen() == 0, () -> "the tunnels end: " + server.stats());
            awaitNone(server);
        }
    }

    @Test
    @Tag("F7")
    @DisplayName(
            "F7: extended CONNECT tells its protocol and is answered by acceptConnect; it is refused unless enabled")
    void extendedConnect() throws Exception {
        var head = new ArrayList<>(Http2Client.head("CONNECT", "/chat?room=1"));
        head.add(Map.entry(":protocol", "websocket"));
        try (TestServer server = start(
                builder -> builder.http2(Http2.builder().extendedConnect(true).build()))) {
            server.on("/chat", (request, response) -> {
                assertEquals("CONNECT", request.method());
                assertEquals("room=1", request.query());
                response.addField("x-protocol", request.protocol());
                echo(response.acceptConnect());
            });
            try (var client = new Http2Client(server.port())) {
                assertTrue(client.offersConnectProtocol());
                Http2Stream stream = client.open(head, false);
                assertEquals("websocket", stream.head().field("x-protocol"));
                assertEquals("ping", stream.send("ping").text(4));
                stream.end();
                assertEquals(0, stream.data().length);
            }
        }
        try (TestServer server = start();
                var client = new Http2Client(server.port())) {
            assertFalse(client.offersConnectProtocol());
            assertEquals(Http2Error.PROTOCOL_ERROR, client.open(head, false).awaitReset());
            assertEquals(0, server.handled());
        }
    }

    @Test
    @Tag("F5")
    @DisplayName("F5: a tunnel's reset is told with its error, both ways")
    void tunnelReset() throws Exception {
        var opened = new CompletableFuture<Tunnel>();
        try (TestServer server = start(builder -> builder.connectMethod(true));
                var client = new Http2Client(server.port())) {
            server.on("", (request, response) -> {
                if (request.authority().startsWith("a")) {
                    response.acceptConnect().output().abort(Http2Error.CONNECT_ERROR);
                } else if (request.authority().startsWith("b")) {
                    response.acceptConnect().abort();
                } else {
                    opened.complete(response.acceptConnect());
                }
            });
            assertEquals(
                    Http2Error.CONNECT_ERROR, client.open(connect("a:1"), false).awaitReset());
            assertEquals(Http2Error.CANCEL, client.open(connect("b:1"), false).awaitReset());
            Http2Stream stream = client.open(connect("c:1"), false);
            Tunnel tunnel = Await.result(opened);
            var blocked = new CompletableFuture<Throwable>();
            tunnel.output().write(new byte[2_000_000]).whenComplete((done, failure) -> blocked.complete(failure));
            assertFalse(blocked.isDone());
            stream.reset(Http2Error.CONNECT_ERROR);
            assertSame(Http2Error.CONNECT_ERROR, ((HttpException) Await.result(blocked)).http2Error());
            awaitNone(server);
        }
    }

    @Test
    @Tag("F6")
    @DisplayName("F6: Content-Length on a 2xx answer to CONNECT is refused at the call")
    void noLengthOfTunnels() throws Exception {
        try (TestServer server = start(builder -> builder.connectMethod(true));
                var client = new Http2Client(server.port())) {
            server.on("", (request, response) -> {
                response.addField("Content-Length", "5");
                assertThrows(IllegalStateException.class, response::acceptConnect);
                response.removeField("Content-Length").addField("Transfer-Encoding", "chunked");
                assertThrows(IllegalStateException.class, response::acceptConnect);
                response.removeField("Transfer-Encoding");
                echo(response.acceptConnect());
            });
            Http2Stream stream = client.open(connect("a:1"), false);
            assertFalse(stream.head().has("content-length"));
            assertEquals("hi", stream.send("hi").text(2));
        }
    }

    // ---- the end of a connection ----

    /** What makes a connection end. */
    enum Ending {
        CONNECTION_CLOSE,
        SERVER_CLOSE,
        /** A response with {@code Connection: close}. */
        FIELD,
        FIELD_OF_A_STREAM,
        NO_KEEP_ALIVE,
        LAST_REQUEST
    }

    @ParameterizedTest(name = "H14: what ends a connection lets its streams finish behind GOAWAY: {0}")
    @EnumSource
    @Tag("H14")
    @Tag("D6")
    void closes(Ending ending) throws Exception {
        var waiting = new CompletableFuture<Response>();
        TestServer server = start(builder -> builder.keepAlive(ending != Ending.NO_KEEP_ALIVE)
                .maxRequestsPerConnection(ending == Ending.LAST_REQUEST ? 2 : 0));
        try (var client = new Http2Client(server.port())) {
            var connection = new CompletableFuture<Connection>();
            server.on("/", (request, response) -> {
                        connection.complete(request.connection());
                        waiting.complete(response);
                    })
                    .on(
                            "/last",
                            (request, response) ->
                                    response.addField("Connection", "close").send("bye"))
                    .on("/last-stream", (request, response) -> {
                        OutgoingBody body = response.addField("Connection", "close").stream();
                        body.write("bye");
                        body.end();
                    });
            Http2Stream stream = client.get("/");
            Await.result(waiting);
            switch (ending) {
                case CONNECTION_CLOSE -> Await.result(connection).close();
                case SERVER_CLOSE -> server.server().closeAsync(Duration.ofSeconds(Await.SECONDS));
                case FIELD -> assertEquals("bye", client.get("/last").response().text());
                case FIELD_OF_A_STREAM ->
                    assertEquals("bye", client.get("/last-stream").response().text());
                case NO_KEEP_ALIVE -> {}
                case LAST_REQUEST ->
                    assertEquals(200, client.get("/2").response().status());
            }
            assertEquals(0, client.goAway());
            Await.result(waiting).send("finished");
            assertEquals("finished", stream.response().text());
            client.assertEnd();
        } finally {
            server.close();
        }
    }

    @Test
    @DisplayName("a handler that fails, and a body that is too large, cost their streams, not the connection")
    void failuresKeepTheConnection() throws Exception {
        try (TestServer server = start(builder -> builder.maxBodyBytes(10).maxBufferedBodyBytes(5));
                var client = new Http2Client(server.port())) {
            server.on("/fail", (request, response) -> {
                throw new IllegalStateException("failed");
            });
            assertEquals(500, client.get("/fail").response().status());
            for (int length : new int[] {6, 11}) {
                assertEquals(
                        413,
                        client.post("/").send("x".repeat(length)).response().status());
            }
            assertEquals(200, client.get("/").response().status());
            assertEquals(1, server.stats().connectionsAccepted());
        }
    }
}
