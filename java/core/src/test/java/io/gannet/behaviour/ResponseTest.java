package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.FieldName;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.Response;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes out as a response: group C of the behaviours. */
class ResponseTest extends VersionsTest {
    private static final String GET = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String HEAD = "HEAD /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String GET_10 = "GET /answer HTTP/1.0\r\n\r\n";
    private static final String GET_10_KEPT = "GET /answer HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    private static void answer(Consumer<Response> answer) {
        server.on("/answer", (request, response) -> answer.accept(response));
        server.on("/next", (request, response) -> response.send("next"));
    }

    private static void assertInStep(Client client) throws Exception {
        assertEquals("next", client.request(NEXT).text());
    }

    static Stream<Arguments> knownLengths() {
        return Stream.of(
                Arguments.of("text", (Consumer<Response>) response -> response.send("hello")),
                Arguments.of("bytes", (Consumer<Response>) response -> response.send("hello".getBytes(UTF_8))),
                Arguments.of("a heap buffer", (Consumer<Response>) response -> response.send(
                        ByteBuffer.wrap("(hello)".getBytes(UTF_8)).position(1).limit(6))),
                Arguments.of("a direct buffer", (Consumer<Response>)
                        response -> response.send(ByteBuffer.allocateDirect(5)
                                .put("hello".getBytes(UTF_8))
                                .flip())));
    }

    @ParameterizedTest(name = "C1: {0} goes out with its Content-Length, to HTTP/1.1 and to HTTP/1.0")
    @MethodSource("knownLengths")
    @Tag("C1")
    @Over(HttpVersion.HTTP_1_1)
    void knownLength(String what, Consumer<Response> answer) throws Exception {
        answer(answer);
        try (RawClient client = server.connect()) {
            for (String request : List.of(GET, GET_10_KEPT, GET_10)) {
                RawResponse response = client.request(request);
                assertEquals("5", response.field("content-length"));
                assertEquals("hello", response.text());
                assertFalse(response.has("transfer-encoding"));
            }
            client.assertEnd();
        }
    }

    @Test
    @DisplayName("text is sent in UTF-8, with a Content-Type unless the handler has set one")
    void textType() throws Exception {
        try (Client client = connect()) {
            answer(response -> response.send("gr\u00fcn"));
            RawResponse response = client.request(GET);
            assertEquals("text/plain; charset=utf-8", response.field("content-type"));
            assertArrayEquals("gr\u00fcn".getBytes(UTF_8), response.body());

            answer(own -> own.addField("content-TYPE", "text/html").send("<p>"));
            assertEquals("text/html", client.request(GET).field("content-type"));
        }
    }

    @Test
    @DisplayName(
            "fields go out in the order, the case and the bytes in which they were set; setField replaces them all")
    void fields() throws Exception {
        answer(response -> response.addField("X-One", "1")
                .addField("x-TWO", "a")
                .addField("X-Two", "b")
                .addField("X-One", "\u00e4\t \u00ff")
                .setField("x-two", "c")
                .send());
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(List.of("1", "\u00e4\t \u00ff"), response.all("x-one"));
            assertEquals(List.of("c"), response.all("x-two"));
            assertEquals(
                    isHttp2() ? List.of("x-one", "x-one", "x-two") : List.of("X-One", "X-One", "x-two"),
                    response.fields().stream()
                            .map(field -> field.getKey())
                            .filter(name -> name.toLowerCase(Locale.ROOT).startsWith("x-"))
                            .toList());
        }
    }

    @Test
    @DisplayName("removeField takes all fields of a name back, also a declared length and a close")
    void removeField() throws Exception {
        answer(response -> response.addField("X-One", "1")
                .addField("X-Two", "2")
                .addField("x-one", "3")
                .addField("Content-Length", "77")
                .addField("Connection", "close")
                .removeField("X-ONE")
                .removeField("absent")
                .removeField(FieldName.CONTENT_LENGTH)
                .removeField("connection")
                .send("hello"));
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertFalse(response.has("x-one"), response::toString);
            assertEquals("2", response.field("x-two"));
            assertEquals("hello", response.text());
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "C4: a Transfer-Encoding that the handler sets does not go out with {0} {1} to {2}")
    @CsvSource({
        "GET, 200, HTTP/1.0",
        "GET, 204, HTTP/1.1",
        "GET, 205, HTTP/1.1",
        "GET, 304, HTTP/1.1",
        "HEAD, 200, HTTP/1.1",
        "HEAD, 404, HTTP/1.0"
    })
    @Tag("C4")
    @Over(HttpVersion.HTTP_1_1)
    void transferEncoding(String method, int status, String version) throws Exception {
        answer(response ->
                response.status(status).addField("Transfer-Encoding", "chunked").send("hello"));
        try (RawClient client = server.connect()) {
            client.send(method + " /answer " + version + "\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
            RawResponse response = method.equals("HEAD") ? client.headResponse() : client.response();
            assertEquals(status, response.status());
            assertFalse(response.has("transfer-encoding"), response::toString);
            assertEquals(method.equals("GET") && status == 200 ? "hello" : "", response.text());
            assertInStep(client);
        }
    }

    @Test
    @Tag("C6")
    @DisplayName("C6: an empty 200 has Content-Length 0; to HEAD none is implied")
    void emptyResponse() throws Exception {
        answer(Response::send);
        try (Client client = connect()) {
            assertEquals("0", client.request(GET).field("content-length"));
            assertNull(client.send(HEAD).headResponse().field("content-length"));
            assertInStep(client);
        }
    }

    @Test
    @Tag("C7")
    @DisplayName("C7: to HEAD an explicit or computed Content-Length is sent, and no byte of a body")
    void head() throws Exception {
        try (Client client = connect()) {
            answer(response -> response.addField("Content-Length", "1234").send());
            assertEquals("1234", client.send(HEAD).headResponse().field("content-length"));
            answer(response -> response.send("hello"));
            assertEquals("5", client.send(HEAD).headResponse().field("content-length"));
            answer(response -> response.send(new byte[1_000_000]));
            assertEquals("1000000", client.send(HEAD).headResponse().field("content-length"));
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "C8: {0} has no content, whatever is sent")
    @ValueSource(ints = {204, 205, 304})
    @Tag("C8")
    void noContent(int status) throws Exception {
        List<Consumer<Response>> answers = List.of(
                Response::send, response -> response.send("hello"), response -> response.send(new byte[100_000]));
        try (Client client = connect()) {
            for (Consumer<Response> answer : answers) {
                answer(response -> answer.accept(response.status(status)));
                RawResponse response = client.request(GET);
                assertEquals(status, response.status());
                assertEquals("", response.text());
                assertFalse(response.has("transfer-encoding"), response::toString);
                if (status != 304) {
                    assertEquals(status == 205 ? "0" : null, response.field("content-length"));
                }
                assertInStep(client);
            }
        }
    }

    @Test
    @Tag("C8")
    @DisplayName("C8: a 304 without a body has no implied Content-Length, and keeps a declared one")
    void notModified() throws Exception {
        try (Client client = connect()) {
            answer(response -> response.status(304).send());
            assertNull(client.request(GET).field("content-length"));
            answer(response ->
                    response.status(304).addField("Content-Length", "77").send());
            assertEquals("77", client.request(GET).field("content-length"));
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "C11: {0} does not go out as a final response")
    @ValueSource(ints = {100, 101, 103, 199})
    @Tag("C11")
    void interimStatus(int status) throws Exception {
        answer(response -> {
            var refused = assertThrows(IllegalArgumentException.class, () -> response.status(status));
            assertTrue(refused.getMessage().contains(String.valueOf(status)), refused.getMessage());
            response.send("refused");
        });
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(200, response.status());
            assertEquals("refused", response.text());
        }
    }

    @Test
    @Tag("C12")
    @DisplayName("C12: one Date, an IMF-fixdate within a second of now")
    void date() throws Exception {
        answer(Response::send);
        try (Client client = connect()) {
            Instant before = Instant.now();
            String date = client.request(GET).field("date");
            Instant after = Instant.now();
            Instant sent = LocalDateTime.parse(
                            date, DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US))
                    .toInstant(ZoneOffset.UTC);
            assertFalse(sent.isBefore(before.minusSeconds(2)), date + " is before " + before);
            assertFalse(sent.isAfter(after.plusSeconds(1)), date + " is after " + after);
        }
    }

    @Test
    @Tag("C12")
    @DisplayName("C12: a Date that the handler sets stays; with the option off there is none")
    void ownDate() throws Exception {
        String own = "Sun, 06 Nov 1994 08:49:37 GMT";
        answer(response -> response.addField("date", own).send());
        try (Client client = connect()) {
            assertEquals(own, client.request(GET).field("date"));
        }
        try (var dateless = TestServer.start(backend, builder -> builder.date(false));
                Client client = connect(dateless)) {
            assertFalse(client.request(GET).has("date"));
        }
        try (var dateless = TestServer.start(backend, builder -> builder.date(false));
                RawClient client = dateless.connect()) {
            RawResponse refused = client.request("bad\r\n\r\n");
            assertEquals(400, refused.status());
            assertFalse(refused.has("date"), refused::toString);
        }
    }

    static Stream<Arguments> closing() {
        Handler plain = (request, response) -> response.send("last");
        Handler closing =
                (request, response) -> response.addField("Connection", "close").send("last");
        return Stream.of(
                Arguments.of(new Wire("GET /answer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), plain),
                Arguments.of(new Wire("GET /answer HTTP/1.1\r\nHost: x\r\nConnection: x, CLOSE\r\n\r\n"), plain),
                Arguments.of(new Wire(GET_10), plain),
                Arguments.of(new Wire(GET), closing),
                Arguments.of(new Wire(GET_10_KEPT), closing));
    }

    @ParameterizedTest(name = "C13: the last response says Connection: close, to {0}")
    @MethodSource("closing")
    @Tag("C13")
    @Over(HttpVersion.HTTP_1_1)
    void closingResponse(Wire request, Handler handler) throws Exception {
        server.on("/answer", handler);
        try (RawClient client = server.connect()) {
            RawResponse response = client.request(request.bytes());
            assertEquals("last", response.text());
            assertTrue(response.closes(), response::toString);
            client.assertEnd();
        }
    }

    @Test
    @Tag("C14")
    @Tag("C15")
    @DisplayName("C14, C15: HTTP/1.0 is answered with HTTP/1.1, kept with keep-alive where that was asked, else closed")
    @Over(HttpVersion.HTTP_1_1)
    void http10() throws Exception {
        answer(response -> response.send("hello"));
        try (RawClient client = server.connect()) {
            for (int i = 0; i < 2; i++) {
                RawResponse kept = client.request(GET_10_KEPT);
                assertEquals("HTTP/1.1 200 OK", kept.statusLine());
                assertEquals("keep-alive", kept.field("connection").toLowerCase(Locale.ROOT));
                assertFalse(kept.has("transfer-encoding"));
            }
            RawResponse last = client.request(GET_10);
            assertEquals("HTTP/1.1 200 OK", last.statusLine());
            assertTrue(last.closes(), last::toString);
            client.assertEnd();
        }
    }

    @ParameterizedTest(name = "C19: a field value with character {0} cannot be set, and nothing of it goes out")
    @MethodSource
    @Tag("C19")
    void badFieldValue(int character) throws Exception {
        String value = "a" + (char) character + "Injected: b";
        answer(response -> {
            for (Consumer<Response> set : List.<Consumer<Response>>of(
                    refused -> refused.addField("X-Bad", value),
                    refused -> refused.setField("X-Bad", value),
                    refused -> refused.addField("X-Bad", "" + (char) character),
                    refused -> refused.addField("Content-Type", value))) {
                var refused = assertThrows(IllegalArgumentException.class, () -> set.accept(response));
                assertTrue(refused.getMessage().matches("(?s).*(X-Bad|(?i)content-type).*"), refused.getMessage());
            }
            response.send("refused");
        });
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals("refused", response.text());
            assertFalse(response.has("injected"));
            assertFalse(response.has("x-bad"));
        }
    }

    static IntStream badFieldValue() {
        return IntStream.concat(
                IntStream.range(0, 0x20).filter(character -> character != '\t'),
                IntStream.of(0x7f, 0x100, 0x20ac, 0xd83d));
    }

    @ParameterizedTest(name = "a field name \"{0}\" cannot be set")
    @MethodSource
    void badFieldName(Wire name) throws Exception {
        answer(response -> {
            assertThrows(IllegalArgumentException.class, () -> response.addField(name.bytes(), "v"));
            response.send("refused");
        });
        try (Client client = connect()) {
            assertEquals("refused", client.request(GET).text());
        }
    }

    static Stream<Wire> badFieldName() {
        return Wire.each("", " ", "a b", "a:", "a\r\nb", "a\0", "\u00e4", "a(", "\u0100");
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: a handler that throws is answered for with 500 and one log entry; the connection is kept")
    void handlerThrows() throws Exception {
        var thrown = new IOException("disk on fire");
        server.on("/throws", (request, response) -> {
            response.status(201).addField("X-Half", "done");
            throw thrown;
        });
        answer(Response::send);
        long failures = server.server().stats().handlerFailures();
        try (LogCapture log = LogCapture.open();
                Client client = connect()) {
            RawResponse response = client.request("GET /throws?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(500, response.status());
            assertFalse(response.has("x-half"), response::toString);
            assertFalse(response.text().contains("disk"), response::toString);
            assertInStep(client);
            assertSame(thrown, log.warning().thrown());
            assertTrue(
                    log.warning().text().contains("GET /throws?a=b"),
                    log.warning().text());
            assertEquals(1, log.warnings().size(), log.warnings()::toString);
        }
        assertEquals(failures + 1, server.server().stats().handlerFailures());
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: an Error of a handler is answered for with 500 as well; the loop goes on")
    void handlerThrowsError() throws Exception {
        server.on("/error", (request, response) -> {
            throw new StackOverflowError("deep");
        });
        answer(Response::send);
        try (LogCapture log = LogCapture.open();
                Client client = connect()) {
            assertEquals(
                    500,
                    client.request("GET /error HTTP/1.1\r\nHost: x\r\n\r\n").status());
            assertInStep(client);
            assertEquals("deep", log.warning().thrown().getMessage());
        }
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: an HttpException is answered with its status and its text")
    void httpException() throws Exception {
        server.on("/teapot", (request, response) -> {
            throw new HttpException(418, "short and stout");
        });
        answer(Response::send);
        long failures = server.server().stats().handlerFailures();
        try (Client client = connect()) {
            RawResponse response = client.request("GET /teapot HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(418, response.status());
            assertEquals("short and stout", response.text());
            assertInStep(client);
        }
        assertEquals(failures, server.server().stats().handlerFailures(), "an expected end is no failure");
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: an HttpException of 500 or more is a failure that is counted and logged as a warning")
    void httpExceptionOfServer() throws Exception {
        server.on("/busy", (request, response) -> {
            response.setField(FieldName.RETRY_AFTER, "120");
            throw new HttpException(503, "come back later");
        });
        long failures = server.server().stats().handlerFailures();
        try (LogCapture log = LogCapture.open();
                Client client = connect()) {
            RawResponse response = client.request("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(503, response.status());
            assertEquals("120", response.field("retry-after"));
            assertEquals("come back later", log.warning().thrown().getMessage());
        }
        assertEquals(failures + 1, server.server().stats().handlerFailures());
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: with an HttpException go the fields that were set, but for those of the body that was meant")
    @Over(HttpVersion.HTTP_1_1)
    void httpExceptionKeepsFields() throws Exception {
        server.on("/secret", (request, response) -> {
            response.addField("WWW-Authenticate", "Basic realm=\"a\"")
                    .addField("WWW-Authenticate", "Bearer")
                    .addField("Connection", "close")
                    .addField("Content-Length", "77")
                    .addField("Content-Type", "image/png")
                    .addField("Content-Encoding", "gzip");
            throw new HttpException(401, "who are you?");
        });
        try (RawClient client = server.connect()) {
            RawResponse response = client.request("GET /secret HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals(401, response.status());
            assertEquals(List.of("Basic realm=\"a\"", "Bearer"), response.all("www-authenticate"));
            assertEquals("12", response.field("content-length"));
            assertEquals("text/plain; charset=utf-8", response.field("content-type"));
            assertFalse(response.has("content-encoding"), response::toString);
            assertEquals("who are you?", response.text());
            assertTrue(response.closes(), response::toString);
            client.assertEnd();
        }
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: what is thrown after a complete response is logged and changes nothing on the wire")
    void throwsAfterSend() throws Exception {
        server.on("/late", (request, response) -> {
            response.send("complete");
            throw new IllegalStateException("late");
        });
        answer(Response::send);
        try (LogCapture log = LogCapture.open();
                Client client = connect()) {
            assertEquals(
                    "complete",
                    client.request("GET /late HTTP/1.1\r\nHost: x\r\n\r\n").text());
            assertInStep(client);
            assertEquals("late", log.warning().thrown().getMessage());
        }
    }

    @Test
    @Tag("C21")
    @DisplayName("C21: a handler that throws on a request with a body does not put the connection out of step")
    @Over(HttpVersion.HTTP_1_1)
    void throwsWithBody() throws Exception {
        server.on("/throws-early", (request, response) -> {
            throw new IllegalStateException("not today");
        });
        answer(Response::send);
        try (LogCapture log = LogCapture.open();
                RawClient client = server.connect()) {
            client.send("POST /throws-early HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
            RawResponse response = client.response();
            assertEquals(500, response.status());
            if (response.closes()) {
                client.assertEnd();
            } else {
                assertInStep(client);
            }
            assertEquals(1, log.warnings().size());
        }
    }

    @ParameterizedTest(
            name = "a body of {0} bytes arrives whole, lent as an array and as a buffer, on the loop and off it")
    @ValueSource(ints = {1, 16_383, 65_535, 65_536, 65_537, 1_000_000, 5_000_001})
    void bodySizes(int length) throws Exception {
        var body = new byte[length];
        new Random(length).nextBytes(body);
        List<Consumer<Response>> answers = List.of(
                response -> response.send(body),
                response -> response.send(ByteBuffer.wrap(body)),
                response -> new Thread(() -> response.send(body)).start(),
                response -> new Thread(() -> response.send(ByteBuffer.wrap(body))).start());
        try (Client client = connect()) {
            for (Consumer<Response> answer : answers) {
                answer(answer);
                assertArrayEquals(body, client.request(GET).body());
            }
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "D2: responses of {0} bytes to pipelined requests come whole and in order")
    @ValueSource(ints = {100, 1365, 1366, 4096, 4097, 21_845, 65_536, 300_000})
    @Tag("D2")
    void pipelinedResponses(int length) throws Exception {
        var first = new CompletableFuture<Response>();
        var last = new CompletableFuture<Void>();
        try (var pipelining = TestServer.start(backend, builder -> builder.maxPipelinedRequests(32));
                Client client = connect(pipelining)) {
            pipelining.on("/pipelined", (request, response) -> {
                String text = request.query().repeat(length);
                switch (request.query()) {
                    case "0" -> first.complete(response);
                    case "1" -> response.send(text.getBytes(ISO_8859_1));
                    default -> {
                        response.send(text);
                        if (request.query().equals("3")) {
                            last.complete(null);
                        }
                    }
                }
            });
            for (int i = 0; i < 4; i++) {
                client.send("GET /pipelined?" + i + " HTTP/1.1\r\nHost: x\r\n\r\n");
            }
            Await.result(last);
            Await.result(first).send("0".repeat(length));
            for (int i = 0; i < 4; i++) {
                assertEquals(String.valueOf(i).repeat(length), client.response().text());
            }
        }
    }
}
