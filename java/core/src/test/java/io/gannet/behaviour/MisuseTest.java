package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.EventLoops;
import io.gannet.FieldName;
import io.gannet.Fields;
import io.gannet.HttpServer;
import io.gannet.IncomingBody;
import io.gannet.Request;
import io.gannet.Response;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Wrong use of the API is told in the caller's own stack, and harms nothing else. */
class MisuseTest extends VersionsTest {
    private static final String GET = "GET /misuse HTTP/1.1\r\nHost: x\r\n\r\n";

    static Stream<Arguments> secondUses() {
        return Stream.of(
                Arguments.of("send()", (Consumer<Response>) Response::send),
                Arguments.of("send(text)", (Consumer<Response>) response -> response.send("second")),
                Arguments.of("send(bytes)", (Consumer<Response>) response -> response.send(new byte[100_000])),
                Arguments.of("status", (Consumer<Response>) response -> response.status(404)),
                Arguments.of("addField", (Consumer<Response>) response -> response.addField("X", "y")),
                Arguments.of("setField", (Consumer<Response>) response -> response.setField("X", "y")),
                Arguments.of("removeField", (Consumer<Response>) response -> response.removeField("X")));
    }

    @ParameterizedTest(name = "{0} after a send is an IllegalStateException; the first response is not harmed")
    @MethodSource("secondUses")
    void secondUse(String what, Consumer<Response> use) throws Exception {
        var thrown = new CompletableFuture<IllegalStateException>();
        server.on("/misuse", (request, response) -> {
            assertFalse(response.isCommitted());
            response.send("first");
            assertTrue(response.isCommitted());
            thrown.complete(assertThrows(IllegalStateException.class, () -> use.accept(response)));
        });
        try (Client client = connect()) {
            for (int i = 0; i < 2; i++) {
                RawResponse response = client.request(GET);
                assertEquals(200, response.status());
                assertEquals("first", response.text());
            }
        }
        String message = Await.result(thrown).getMessage();
        assertTrue(message.contains("GET /misuse"), message);
    }

    @Test
    @DisplayName("a second send from another thread is an IllegalStateException there")
    void secondSendElsewhere() throws Exception {
        var sent = new CompletableFuture<Response>();
        server.on("/misuse", (request, response) -> {
            response.send("first");
            sent.complete(response);
        });
        try (Client client = connect()) {
            assertEquals("first", client.request(GET).text());
            Response response = Await.result(sent);
            assertThrows(IllegalStateException.class, () -> response.send("second"));
            assertEquals("first", client.request(GET).text());
        }
    }

    @Test
    @DisplayName("a request after its exchange throws IllegalStateException, and never shows another's bytes")
    void requestAfterEnd() throws Exception {
        var kept = new CompletableFuture<Request>();
        server.on("/misuse", (request, response) -> {
            kept.complete(request);
            response.send();
        });
        try (Client client = connect()) {
            client.request(GET);
            Request request = Await.result(kept);
            client.request("GET /other HTTP/1.1\r\nHost: other\r\nSecret: yes\r\n\r\n");
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchanges end");
            Stream<Executable> uses = Stream.of(
                    request::method,
                    request::target,
                    request::path,
                    request::query,
                    request::version,
                    request::authority,
                    request::scheme,
                    request::contentLength,
                    () -> request.field("Secret"),
                    () -> request.fields().size(),
                    () -> request.body().bytes());
            assertAll(uses.map(use -> () -> assertThrows(IllegalStateException.class, use)));
        }
    }

    @Test
    @DisplayName("fields and body that were kept throw IllegalStateException after the exchange")
    void viewsAfterEnd() throws Exception {
        var fields = new CompletableFuture<Fields>();
        var body = new CompletableFuture<IncomingBody>();
        server.on("/misuse", (request, response) -> {
            fields.complete(request.fields());
            body.complete(request.body());
            response.send();
        });
        try (Client client = connect()) {
            client.request(GET);
            client.request("GET /other HTTP/1.1\r\nHost: other\r\nSecret: yes\r\n\r\n");
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchanges end");
            Fields kept = Await.result(fields);
            IncomingBody keptBody = Await.result(body);
            assertAll(
                    () -> assertThrows(IllegalStateException.class, () -> kept.get("Secret")),
                    () -> assertThrows(IllegalStateException.class, () -> kept.value(0)),
                    () -> assertThrows(
                            IllegalStateException.class, () -> kept.iterator().next()),
                    () -> assertThrows(IllegalStateException.class, keptBody::text));
        }
    }

    @Test
    @DisplayName("a body is read once")
    void bodyTwice() throws Exception {
        server.on("/misuse", (request, response) -> {
            var first = request.body().bytes();
            assertThrows(IllegalStateException.class, () -> request.body().bytes());
            assertThrows(IllegalStateException.class, () -> request.body().text());
            first.thenAccept(response::send);
        });
        try (Client client = connect()) {
            client.send("POST /misuse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
            assertEquals("hello", client.response().text());
        }
    }

    @ParameterizedTest(name = "status {0} is refused by name")
    @ValueSource(ints = {Integer.MIN_VALUE, -1, 0, 1, 99, 1000, Integer.MAX_VALUE})
    void statusOutOfRange(int status) throws Exception {
        server.on("/misuse", (request, response) -> {
            var refused = assertThrows(IllegalArgumentException.class, () -> response.status(status));
            assertTrue(refused.getMessage().contains(String.valueOf(status)), refused.getMessage());
            response.send("refused");
        });
        try (Client client = connect()) {
            assertEquals("refused", client.request(GET).text());
        }
    }

    @ParameterizedTest(name = "status {0} goes out")
    @ValueSource(ints = {200, 299, 404, 418, 599, 600, 999})
    void statusWithin(int status) throws Exception {
        server.on("/misuse", (request, response) -> response.status(status).send("body"));
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(status, response.status());
            assertEquals("body", response.text());
        }
    }

    @Test
    @DisplayName(
            "a body that is not as long as its declared Content-Length is an IllegalStateException, and nothing goes out")
    void wrongContentLength() throws Exception {
        server.on("/misuse", (request, response) -> {
            response.addField("Content-Length", "4");
            assertThrows(IllegalStateException.class, () -> response.send("12345"));
            assertThrows(IllegalStateException.class, () -> response.send("123"));
            assertThrows(IllegalStateException.class, response::send);
            response.send("1234");
        });
        try (Client client = connect()) {
            assertEquals("1234", client.request(GET).text());
            assertEquals("1234", client.request(GET).text());
        }
    }

    static Stream<Arguments> wrongLengths() {
        return Stream.of(
                Arguments.of("GET", "4", (Consumer<Response>) Response::send),
                Arguments.of("GET", "4", (Consumer<Response>) response -> response.send("12345")),
                Arguments.of("GET", "4", (Consumer<Response>) response -> response.send(new byte[5_000_000])),
                Arguments.of("GET", "4", (Consumer<Response>)
                        response -> response.send(ByteBuffer.wrap(new byte[] {1, 2, 3}))),
                Arguments.of("GET", "5000000", (Consumer<Response>) response -> response.send(new byte[4_999_999])),
                Arguments.of("HEAD", "4", (Consumer<Response>) response -> response.send("12345")));
    }

    @ParameterizedTest(name = "the same from another thread: {0}, Content-Length {1}")
    @MethodSource("wrongLengths")
    void wrongContentLengthElsewhere(String method, String declared, Consumer<Response> send) throws Exception {
        var thrown = new CompletableFuture<IllegalStateException>();
        server.on(
                "/misuse",
                (request, response) -> new Thread(() -> {
                            response.addField("Content-Length", declared);
                            try {
                                thrown.complete(assertThrows(IllegalStateException.class, () -> send.accept(response)));
                                assertFalse(response.isCommitted());
                                response.setField("Content-Length", "4").send("1234");
                            } catch (Throwable failed) {
                                thrown.completeExceptionally(failed);
                            }
                        })
                        .start());
        try (Client client = connect()) {
            client.send(method + " /misuse HTTP/1.1\r\nHost: x\r\n\r\n");
            String message = Await.result(thrown).getMessage();
            assertTrue(message.contains(declared), message);
            assertTrue(message.contains(method + " /misuse"), message);
            RawResponse response = method.equals("HEAD") ? client.headResponse() : client.response();
            assertEquals("4", response.field("content-length"));
            assertEquals(method.equals("HEAD") ? "" : "1234", response.text());
            assertEquals(
                    200,
                    client.request("GET /other HTTP/1.1\r\nHost: x\r\n\r\n").status());
        }
    }

    @Test
    @DisplayName("a buffer whose length is not the declared one is left as it was")
    void refusedBuffer() throws Exception {
        server.on("/misuse", (request, response) -> {
            ByteBuffer buffer = ByteBuffer.wrap(new byte[] {1, 2, 3});
            response.addField("Content-Length", "4");
            assertThrows(IllegalStateException.class, () -> response.send(buffer));
            assertEquals(3, buffer.remaining());
            response.setField("Content-Length", "3").send(buffer);
            assertEquals(0, buffer.remaining());
        });
        try (Client client = connect()) {
            assertEquals("\1\2\3", client.request(GET).text());
        }
    }

    @Test
    @DisplayName("a response to HEAD from another thread may declare the length of the body that it leaves out")
    void headElsewhere() throws Exception {
        server.on(
                "/misuse",
                (request, response) -> new Thread(() ->
                                response.addField("Content-Length", "1234").send())
                        .start());
        try (Client client = connect()) {
            RawResponse response =
                    client.send("HEAD /misuse HTTP/1.1\r\nHost: x\r\n\r\n").headResponse();
            assertEquals("1234", response.field("content-length"));
        }
    }

    @ParameterizedTest(name = "the framing field {0} is refused")
    @MethodSource
    void framingFields(Wire line) throws Exception {
        String[] field = line.bytes().split(": ", 2);
        server.on("/misuse", (request, response) -> {
            assertThrows(IllegalArgumentException.class, () -> response.addField(field[0], field[1]));
            response.send("refused");
        });
        try (Client client = connect()) {
            assertEquals("refused", client.request(GET).text());
        }
    }

    static Stream<Wire> framingFields() {
        return Wire.each(
                "Content-Length: -1",
                "Content-Length: +5",
                "Content-Length: 5, 5",
                "Content-Length: five",
                "content-length: 99999999999999999999",
                "Transfer-Encoding: chunked, gzip",
                "Transfer-Encoding: chunked, chunked");
    }

    @Test
    @DisplayName("null is refused where it is given, not later")
    void nulls() throws Exception {
        server.on("/misuse", (request, response) -> {
            assertThrows(NullPointerException.class, () -> response.addField("X", null));
            assertThrows(NullPointerException.class, () -> response.addField((String) null, "x"));
            assertThrows(NullPointerException.class, () -> response.send((String) null));
            assertThrows(NullPointerException.class, () -> response.send((byte[]) null));
            assertThrows(NullPointerException.class, () -> response.send((ByteBuffer) null));
            assertThrows(NullPointerException.class, () -> response.addField((FieldName) null, "x"));
            assertThrows(NullPointerException.class, () -> response.setField("X", null));
            assertThrows(NullPointerException.class, () -> response.removeField((String) null));
            assertThrows(NullPointerException.class, () -> response.fail(null));
            assertThrows(NullPointerException.class, () -> request.field((FieldName) null));
            assertThrows(NullPointerException.class, () -> request.fields().get((FieldName) null));
            assertThrows(NullPointerException.class, () -> request.fields().all((String) null));
            assertThrows(NullPointerException.class, () -> request.connection().onClose(null));
            assertThrows(NullPointerException.class, () -> request.eventLoop().execute(null));
            assertThrows(NullPointerException.class, () -> request.eventLoop().schedule(null, () -> {}));
            assertThrows(NullPointerException.class, () -> request.field((String) null));
            response.send("refused");
        });
        try (Client client = connect()) {
            assertEquals("refused", client.request(GET).text());
        }
    }

    @Test
    @Tag("A19")
    @DisplayName("A19: an impossible option is refused when it is set or at the start, in words that name the value")
    void impossibleOptions() {
        assertAll(
                refused("1023", builder -> builder.maxHeadBytes(1023)),
                refused("-1", builder -> builder.maxHeadBytes(-1)),
                refused("0", builder -> builder.maxFields(0)),
                refused("1025", builder -> builder.maxFields(1025)),
                refused("0", builder -> builder.maxTargetBytes(0)),
                refused("-1", builder -> builder.maxEmptyLines(-1)),
                refused("0", builder -> builder.maxPipelinedRequests(0)),
                refused("-1", builder -> builder.maxBufferedBodyBytes(-1)),
                refused("-1", builder -> builder.maxConnections(-1)),
                refused("-1", builder -> builder.maxConnectionsPerAddress(-1)),
                refused("PT-1S", builder -> builder.headTimeout(Duration.ofSeconds(-1))),
                refused("PT-1S", builder -> builder.firstByteTimeout(Duration.ofSeconds(-1))),
                refused("PT-1S", builder -> builder.idleTimeout(Duration.ofSeconds(-1))),
                refused("PT-1S", builder -> builder.bodyTimeout(Duration.ofSeconds(-1))),
                refused("PT-1S", builder -> builder.writeTimeout(Duration.ofSeconds(-1))),
                refused("PT-1S", builder -> builder.lingerTimeout(Duration.ofSeconds(-1))),
                refused("PT-1S", builder -> builder.closeDeadline(Duration.ofSeconds(-1))),
                refused("0", builder -> builder.loops(0)),
                refused("65536", builder -> builder.listen(65536)),
                refused("-1", builder -> builder.listen(-1)));
    }

    private static Executable refused(String value, Consumer<HttpServer.Builder> option) {
        return () -> {
            var refused = assertThrows(IllegalArgumentException.class, () -> {
                HttpServer.Builder builder = HttpServer.builder();
                option.accept(builder);
                builder.listen("127.0.0.1", 0)
                        .handler((request, response) -> response.send())
                        .start()
                        .close();
            });
            assertTrue(refused.getMessage().contains(value), refused.getMessage());
        };
    }

    @Test
    @DisplayName(
            "a server without a handler, without an address, or with options that do not fit together does not start")
    void incompleteServer() throws Exception {
        assertThrows(
                IllegalStateException.class,
                () -> HttpServer.builder().listen(0).start());
        assertThrows(
                IllegalStateException.class,
                () -> HttpServer.builder()
                        .handler((request, response) -> response.send())
                        .start());
        try (EventLoops loops = EventLoops.builder().loops(1).backend(backend).start()) {
            for (Consumer<HttpServer.Builder> option : List.<Consumer<HttpServer.Builder>>of(
                    builder -> builder.backend(Backend.EPOLL), builder -> builder.loops(1))) {
                HttpServer.Builder builder = HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .handler((request, response) -> response.send())
                        .eventLoops(loops);
                option.accept(builder);
                assertThrows(IllegalStateException.class, builder::start);
            }
        }
    }

    @Test
    @DisplayName("a server cannot start on loops that are closed")
    void closedLoops() throws Exception {
        EventLoops loops = EventLoops.builder().loops(1).backend(backend).start();
        loops.close();
        assertThrows(
                IllegalStateException.class,
                () -> HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .handler((request, response) -> response.send())
                        .eventLoops(loops)
                        .start());
        assertThrows(
                RejectedExecutionException.class, () -> loops.loops().get(0).execute(() -> {}));
        assertThrows(
                RejectedExecutionException.class, () -> loops.loops().get(0).schedule(Duration.ZERO, () -> {}));
    }

    @Test
    @DisplayName("a port in use is a BindException that names address and port; nothing is left behind")
    void portInUse() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertPortInUse(taken.getLocalPort());
        }
        assertPortInUse(server.port());
    }

    private void assertPortInUse(int port) throws Exception {
        long before = Descriptors.open();
        var refused = assertThrows(
                BindException.class, () -> TestServer.start(backend, builder -> builder.listen("127.0.0.1", port)));
        assertTrue(refused.getMessage().contains("127.0.0.1"), refused.getMessage());
        assertTrue(refused.getMessage().contains(String.valueOf(port)), refused.getMessage());
        Await.until(() -> Descriptors.open() <= before, () -> "descriptors are closed: " + Descriptors.list());
    }

    @Test
    @DisplayName("a port in use on all addresses is said in these words")
    void portInUseOnAll() throws Exception {
        try (var taken = new ServerSocket(0, 1)) {
            var refused = assertThrows(
                    BindException.class,
                    () -> TestServer.start(backend, builder -> builder.listen(taken.getLocalPort())));
            String words = "cannot listen on all (IPv4 )?addresses, port " + taken.getLocalPort() + ": .*";
            assertTrue(refused.getMessage().matches(words), refused.getMessage());
        }
    }

    @Test
    @DisplayName("an address that is none of this machine is a BindException")
    void foreignAddress() {
        var refused = assertThrows(
                BindException.class,
                () -> TestServer.start(backend, builder -> builder.listen(new InetSocketAddress("192.0.2.1", 0))));
        assertTrue(refused.getMessage().contains("192.0.2.1"), refused.getMessage());
    }

    @Test
    @DisplayName("a task that throws on the loop is logged, and the loop goes on")
    void throwingTask() throws Exception {
        server.on("/misuse", (request, response) -> {
            response.eventLoop().execute(() -> {
                throw new IllegalStateException("task");
            });
            response.eventLoop().schedule(Duration.ZERO, () -> {
                throw new IllegalStateException("timer");
            });
            response.eventLoop().schedule(Duration.ofMillis(1), () -> response.send("still here"));
        });
        try (LogCapture log = LogCapture.open();
                Client client = connect()) {
            assertEquals("still here", client.request(GET).text());
            Await.until(() -> log.warnings().size() == 2, () -> "two warnings, not " + log.warnings());
        }
    }
}
