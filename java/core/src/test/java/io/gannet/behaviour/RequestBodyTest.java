package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.HttpException;
import io.gannet.HttpVersion;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server makes of a request's body: group B of the behaviours. */
class RequestBodyTest extends VersionsTest {
    private static final String CHUNKED = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final int LARGE = 5_000_000;

    @BeforeEach
    void forget() {
        server.forgetSeen();
    }

    /** The connection is still in step: the next request on it is read as one. */
    private static void assertInStep(Client client) throws Exception {
        server.forgetSeen();
        assertEquals(200, client.request(NEXT).status());
        assertEquals("/next", server.seen().target());
    }

    @ParameterizedTest(name = "B1: {0} without a framing field has no body, and what is behind its head is a request")
    @ValueSource(strings = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"})
    @Tag("B1")
    void noFraming(String method) throws Exception {
        try (Client client = connect()) {
            client.send(method + " /first HTTP/1.1\r\nHost: x\r\n\r\n" + NEXT);
            assertEquals("", client.response().text());
            assertEquals("", client.response().text());
        }
        // over HTTP/2 off the loop, they are handled at the same time
        TestServer.Seen first = server.seen("/first");
        assertEquals(method, first.method());
        assertEquals("", first.text());
        assertEquals("", server.seen("/next").text());
    }

    @ParameterizedTest(name = "B2: {0} with Content-Length {1} has exactly as many bytes of body")
    @CsvSource({"GET, 5", "GET, 0", "POST, 11", "DELETE, 1", "POST, 70000"})
    @Tag("B2")
    void contentLength(String method, int length) throws Exception {
        String body = "b".repeat(length);
        try (Client client = connect()) {
            client.send(method + " / HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n" + body + NEXT);
            assertEquals(body, client.response().text());
            assertEquals(200, client.response().status());
        }
        assertEquals(body, server.seen("/").text());
        assertEquals("", server.seen("/next").text());
    }

    @ParameterizedTest(name = "B3: Content-Length \"{0}\" is 400")
    @ValueSource(
            strings = {
                "+5",
                "foo",
                "",
                "-1",
                "18446744073709551616",
                "18446744073709551621",
                "9223372036854775808",
                "99999999999999999999999999",
                "5 5",
                "0x5",
                "5.0",
                "5;",
                "5a"
            })
    @Tag("B3")
    @Over(HttpVersion.HTTP_1_1)
    void badContentLength(String value) throws Exception {
        server.assertRefused(400, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + value + "\r\n\r\n");
    }

    static Stream<Wire> repeatedContentLength() {
        return Wire.each(
                "Content-Length: 5\r\nContent-Length: 5\r\n",
                "Content-Length: 5\r\nContent-Length: 6\r\n",
                "Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n",
                "Content-Length: 5, 5\r\n",
                "Content-Length: 5,6\r\n",
                "Content-Length: 0\r\nContent-Length: 0\r\n");
    }

    @ParameterizedTest(name = "B4: {0} is 400")
    @MethodSource
    @Tag("B4")
    @Over(HttpVersion.HTTP_1_1)
    void repeatedContentLength(Wire fields) throws Exception {
        server.assertRefused(400, "POST / HTTP/1.1\r\nHost: x\r\n" + fields.bytes() + "\r\nhello");
    }

    static Stream<Wire> chunkedSpellings() {
        return Wire.each(
                "Transfer-Encoding: chunked\r\n",
                "transfer-encoding: Chunked\r\n",
                "Transfer-Encoding: CHUNKED\r\n",
                "Transfer-Encoding:\t chunked \t\r\n",
                "Transfer-Encoding:chunked\r\n");
    }

    @ParameterizedTest(name = "B5: {0} decodes")
    @MethodSource("chunkedSpellings")
    @Tag("B5")
    void chunkedSpelling(Wire field) throws Exception {
        try (Client client = connect()) {
            client.send(
                    "POST / HTTP/1.1\r\nHost: x\r\n" + field.bytes() + "\r\n5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n");
            assertEquals("hello, world", client.response().text());
            assertEquals("hello, world", server.seen().text());
            assertInStep(client);
        }
    }

    static Stream<Wire> unknownCodings() {
        return Wire.each(
                "Transfer-Encoding: gzip, chunked\r\n",
                "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: identity, chunked\r\n");
    }

    @ParameterizedTest(name = "B5: {0} is 501")
    @MethodSource("unknownCodings")
    @Tag("B5")
    @Over(HttpVersion.HTTP_1_1)
    void unknownCoding(Wire fields) throws Exception {
        server.assertRefused(501, "POST / HTTP/1.1\r\nHost: x\r\n" + fields.bytes() + "\r\n0\r\n\r\n");
    }

    static Stream<Wire> chunkedNotLast() {
        return Wire.each(
                "Transfer-Encoding: gzip\r\n",
                "Transfer-Encoding: chunked, gzip\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: afterlol\r\n",
                "Transfer-Encoding: identity\r\n",
                "Transfer-Encoding: xchunked\r\n",
                "Transfer-Encoding: chunkedx\r\n",
                "Transfer-Encoding: \"chunked\"\r\n",
                "Transfer-Encoding: chunked;a=b\r\n",
                "Transfer-Encoding:\r\n");
    }

    @ParameterizedTest(name = "B6: {0} is 400")
    @MethodSource("chunkedNotLast")
    @Tag("B6")
    @Over(HttpVersion.HTTP_1_1)
    void chunkedIsNotLast(Wire fields) throws Exception {
        server.assertRefused(400, "POST / HTTP/1.1\r\nHost: x\r\n" + fields.bytes() + "\r\n0\r\n\r\n");
    }

    @Test
    @Tag("B7")
    @DisplayName("B7: Transfer-Encoding on HTTP/1.0 is 400 and closes")
    @Over(HttpVersion.HTTP_1_1)
    void chunkedOnHttp10() throws Exception {
        server.assertRefused(
                400,
                "POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    }

    static Stream<Wire> bothLengths() {
        return Wire.each(
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                "Transfer-Encoding: chunked\r\nX: y\r\ncontent-length: 0\r\n");
    }

    @ParameterizedTest(name = "B8: {0} is 400")
    @MethodSource("bothLengths")
    @Tag("B8")
    @Over(HttpVersion.HTTP_1_1)
    void bothLengths(Wire fields) throws Exception {
        server.assertRefused(400, "POST / HTTP/1.1\r\nHost: x\r\n" + fields.bytes() + "\r\n0\r\n\r\n");
    }

    static Stream<Wire> chunkedTwice() {
        return Wire.each(
                "Transfer-Encoding: chunked, chunked\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: CHUNKED,chunked\r\n");
    }

    @ParameterizedTest(name = "B9: {0} is 400")
    @MethodSource("chunkedTwice")
    @Tag("B9")
    @Over(HttpVersion.HTTP_1_1)
    void chunkedTwice(Wire fields) throws Exception {
        server.assertRefused(400, "POST / HTTP/1.1\r\nHost: x\r\n" + fields.bytes() + "\r\n0\r\n\r\n");
    }

    @ParameterizedTest(name = "B10: chunk size {0} is {1} bytes")
    @CsvSource({"1, 1", "01, 1", "A, 10", "a, 10", "Ff, 255", "fF, 255", "0000000000000005, 5", "10, 16"})
    @Tag("B10")
    void chunkSize(String size, int length) throws Exception {
        String data = "d".repeat(length);
        try (Client client = connect()) {
            client.send(CHUNKED + size + "\r\n" + data + "\r\n0\r\n\r\n");
            assertEquals(data, client.response().text());
            assertInStep(client);
        }
    }

    static Stream<Wire> badChunkSizes() {
        return Wire.each(
                "",
                "X",
                "1X",
                "-1",
                "+1",
                "1 A",
                "F\rF",
                "0x5",
                " 5",
                "\t5",
                "5 ",
                "00000000000000005",
                "5\n",
                "g",
                "\0");
    }

    @ParameterizedTest(name = "B10: chunk size \"{0}\" is 400 and closes")
    @MethodSource("badChunkSizes")
    @Tag("B10")
    @Over(HttpVersion.HTTP_1_1)
    void badChunkSize(Wire size) throws Exception {
        server.assertBodyRefused(400, CHUNKED + size.bytes() + "\r\nhello\r\n0\r\n\r\n");
    }

    @ParameterizedTest(name = "B10: chunk size \"{0}\" behind a good chunk is 400 and closes")
    @MethodSource("badChunkSizes")
    @Tag("B10")
    @Over(HttpVersion.HTTP_1_1)
    void badSecondChunkSize(Wire size) throws Exception {
        server.assertBodyRefused(400, CHUNKED + "3\r\nabc\r\n" + size.bytes() + "\r\nhello\r\n0\r\n\r\n");
    }

    static Stream<Wire> extensionsAndTrailers() {
        return Wire.each(
                "5;a=b\r\nhello\r\n0\r\n\r\n",
                "5;a=\"b;\\\"c\"\r\nhello\r\n0;last\r\n\r\n",
                "5\r\nhello\r\n0\r\nTrailer-One: 1\r\nTrailer-One: 2\r\n\r\n");
    }

    @ParameterizedTest(name = "chunk extensions and trailers are read over, and the connection stays in step: {0}")
    @MethodSource("extensionsAndTrailers")
    void extensionsAndTrailers(Wire body) throws Exception {
        try (Client client = connect()) {
            assertEquals("hello", client.request(CHUNKED + body.bytes()).text());
            assertInStep(client);
        }
    }

    @Test
    @Tag("B11")
    @DisplayName(
            "B11: chunk size f0000000000000003 is a body error that names the overflow; what follows is no request")
    @Over(HttpVersion.HTTP_1_1)
    void chunkSizeOverflow() throws Exception {
        server.assertBodyRefused(400, CHUNKED + "f0000000000000003\r\nabc\r\n0\r\n\r\n");

        server.forgetSeen();
        try (RawClient client = server.connect()) {
            client.send(CHUNKED + "f0000000000000003\r\nabc\r\n0\r\n\r\n" + NEXT);
            assertEquals(400, client.response().status());
            client.assertEnd();
        }
        Throwable failure = server.seen().bodyFailure();
        String text = String.valueOf(failure.getMessage());
        assertTrue(text.matches("(?i).*(overflow|too large|16 digits|too many digits).*"), text);
    }

    static Stream<Wire> brokenChunks() {
        return Wire.each(
                "5\r\nhello\r\n\r\n",
                "5\r\nhello0\r\n\r\n",
                "5\r\nhello\n0\r\n\r\n",
                "5\r\nhello\r0\r\n\r\n",
                "5\r\nhelloo\r\n0\r\n\r\n",
                "5\nhello\r\n0\r\n\r\n",
                "5\rhello\r\n0\r\n\r\n");
    }

    @ParameterizedTest(name = "B13: {0} is an error")
    @MethodSource("brokenChunks")
    @Tag("B13")
    @Over(HttpVersion.HTTP_1_1)
    void brokenChunk(Wire body) throws Exception {
        server.assertBodyRefused(400, CHUNKED + body.bytes());
    }

    static Stream<Wire> cutBodies() {
        return Wire.each(
                "POST /cut HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
                "POST /cut HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123456789",
                "POST /cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                "POST /cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                "POST /cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
                "POST /cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                "POST /cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                "POST /cut HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r");
    }

    @ParameterizedTest(name = "B17: the end of the connection behind {0} fails the reading of the body")
    @MethodSource("cutBodies")
    @Tag("B17")
    void cutBody(Wire request) throws Exception {
        assertBodyFails(request, RawClient::end);
    }

    @ParameterizedTest(name = "B17: a reset behind {0} fails the reading of the body")
    @MethodSource("cutBodies")
    @Tag("B17")
    void resetBody(Wire request) throws Exception {
        assertBodyFails(request, RawClient::reset);
    }

    private interface Cut {
        void cut(RawClient client) throws IOException;
    }

    private static void assertBodyFails(Wire request, Cut how) throws Exception {
        var reading = new CompletableFuture<CompletableFuture<byte[]>>();
        server.on(
                "/cut",
                (received, response) -> reading.complete(received.body().bytes().toCompletableFuture()));
        try (RawClient client = server.connect()) {
            client.send(request.bytes());
            CompletableFuture<byte[]> body = Await.result(reading);
            assertFalse(body.isDone(), "the body has ended before it has");
            how.cut(client);
            Throwable failure = Await.result(body.handle((bytes, thrown) -> thrown));
            assertNotNull(failure, "the body came to a clean end");
            assertInstanceOf(
                    HttpException.class, failure instanceof CompletionException ? failure.getCause() : failure);
        }
    }

    static Stream<Wire> smallBodies() {
        return Wire.each(
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nhello, world",
                CHUNKED + "5\r\nhello\r\n07\r\n, world\r\n0\r\n\r\n");
    }

    @ParameterizedTest(name = "a body split at any offset, or sent byte by byte, is read as if sent whole: {0}")
    @MethodSource("smallBodies")
    @Over(HttpVersion.HTTP_1_1)
    void splitBody(Wire request) throws Exception {
        byte[] bytes = request.bytes().getBytes(ISO_8859_1);
        try (RawClient client = server.connect()) {
            for (int at = 0; at < bytes.length; at++) {
                server.sendSplit(client, bytes, at);
                assertEquals("hello, world", client.response().text(), "split at " + at);
                assertEquals("hello, world", server.seen().text(), "split at " + at);
            }
            server.sendByteByByte(client, bytes);
            assertEquals("hello, world", client.response().text());
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("five million bytes by Content-Length come back as they were sent")
    void largeSizedBody() throws Exception {
        byte[] body = random(LARGE);
        echoLarge();
        try (Client client = connect()) {
            client.send("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: " + LARGE + "\r\n\r\n");
            client.send(body);
            assertArrayEquals(body, client.response().body());
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("five million bytes in chunks of any size come back as they were sent")
    void largeChunkedBody() throws Exception {
        byte[] body = random(LARGE);
        echoLarge();
        var sizes = new Random(2);
        try (Client client = connect()) {
            client.send("POST /large HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            int sent = 0;
            while (sent < LARGE) {
                int size = Math.min(LARGE - sent, 1 + sizes.nextInt(100_000));
                client.send(Integer.toHexString(size) + "\r\n");
                client.send(Arrays.copyOfRange(body, sent, sent + size));
                client.send("\r\n");
                sent += size;
            }
            client.send("0\r\n\r\n");
            assertArrayEquals(body, client.response().body());
            assertInStep(client);
        }
    }

    private static void echoLarge() {
        server.on("/large", (request, response) -> request.body().bytes(LARGE).thenAccept(response::send));
    }

    private static byte[] random(int length) {
        var bytes = new byte[length];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest(name = "a body over the limit of the reader is 413: {0}")
    @MethodSource
    void bodyOverLimit(Wire request, String how) throws Exception {
        server.on("/limited", (received, response) -> received.body().bytes(4).thenAccept(response::send));
        try (Client client = connect()) {
            assertEquals(413, client.request(request.bytes()).status(), how);
        }
        try (Client client = connect()) {
            client.send("POST /limited HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n1234");
            assertEquals("1234", client.response().text());
        }
    }

    static Stream<Arguments> bodyOverLimit() {
        return Stream.of(
                Arguments.of(
                        new Wire("POST /limited HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345"), "declared"),
                Arguments.of(
                        new Wire("POST /limited HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                + "3\r\n123\r\n2\r\n45\r\n0\r\n\r\n"),
                        "in chunks"));
    }

    @Test
    @DisplayName("a small body that the handler does not read is no request, and the connection stays in step")
    void unreadBody() throws Exception {
        server.on("/unread", (request, response) -> response.send("not read"));
        try (Client client = connect()) {
            client.send(
                    "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("not read", client.response().text());
            client.send("POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
            assertEquals("not read", client.response().text());
            assertInStep(client);
        }
    }

    static Stream<Arguments> bodiesBehindResponse() {
        String sized = "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 35\r\n\r\n";
        String chunked = "POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        String smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
        return Stream.of(
                Arguments.of(new Wire(sized), new Wire(smuggled)),
                Arguments.of(new Wire(chunked), new Wire("23\r\n" + smuggled + "\r\n0\r\n\r\n")));
    }

    @ParameterizedTest(
            name = "a small body that comes behind its response is dropped, and the connection is kept: {0}{1}")
    @MethodSource("bodiesBehindResponse")
    @Over(HttpVersion.HTTP_1_1)
    void bodyBehindResponse(Wire head, Wire body) throws Exception {
        server.on("/unread", (request, response) -> response.send("not read"));
        try (RawClient client = server.connect()) {
            RawResponse response = client.request(head.bytes());
            assertEquals("not read", response.text());
            assertFalse(response.closes(), response::toString);
            client.send(body.bytes());
            assertInStep(client);
        }
    }

    @Test
    @Tag("B21")
    @DisplayName("B21: the response to a large body that the handler does not read arrives all the same")
    @Over(HttpVersion.HTTP_1_1)
    void largeUnreadBody() throws Exception {
        server.on("/unread", (request, response) -> response.send("not read"));
        try (RawClient client = server.connect()) {
            client.send("POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n");
            client.send(new byte[900_000]);
            RawResponse response = client.response();
            assertEquals("not read", response.text());
            if (response.closes()) {
                client.assertEnd();
            } else {
                assertInStep(client);
            }
        }
    }

    @Test
    @DisplayName("text is read as UTF-8")
    void text() throws Exception {
        server.on(
                "/text",
                (request, response) -> request.body().text().thenAccept(text -> {
                    assertEquals("gr\u00fcn \u20ac", text);
                    response.send("as expected");
                }));
        try (Client client = connect()) {
            assertEquals(
                    "as expected",
                    client.request(
                                    "POST /text HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\ngr\u00c3\u00bcn \u00e2\u0082\u00ac")
                            .text());
        }
    }
}
