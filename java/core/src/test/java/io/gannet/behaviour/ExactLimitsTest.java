package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gannet.Backend;
import io.gannet.HttpServer;
import java.time.Duration;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each limit on what a client sends is exact: n passes, n + 1 does not, in one piece, in two, and byte by byte. */
@OnEachBackend
class ExactLimitsTest {
    private static final String HEAD = " HTTP/1.1\r\nHost: x\r\n";
    private static final String GET = "GET /" + HEAD + "\r\n";
    private static final String SIZED = "POST /" + HEAD + "Content-Length: ";
    private static final String CHUNKED = "POST /" + HEAD + "Transfer-Encoding: chunked\r\n\r\n";

    @Parameter
    Backend backend;

    /** A limit, a request that just keeps it, and one that is refused for a byte, a field or a line more. */
    private record Limit(
            String name,
            UnaryOperator<HttpServer.Builder> option,
            String passes,
            int status,
            boolean inBody,
            String over) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Limit head(
            String name, UnaryOperator<HttpServer.Builder> option, String passes, int status, String over) {
        return new Limit(name, option, passes, status, false, over);
    }

    private static Limit body(
            String name, UnaryOperator<HttpServer.Builder> option, String passes, int status, String over) {
        return new Limit(name, option, passes, status, true, over);
    }

    private static String headOf(int length) {
        String fixed = "GET /" + HEAD + "X: \r\n\r\n";
        return fixed.replace("X: ", "X: " + "x".repeat(length - fixed.length()));
    }

    private static String trailersOf(int length) {
        return "X: " + "x".repeat(length - 7) + "\r\n\r\n";
    }

    private static String extensionsOf(int length) {
        return "1;" + "e".repeat(length / 2 - 1) + "\r\na\r\n1;" + "e".repeat(length - length / 2 - 1)
                + "\r\nb\r\n0\r\n\r\n";
    }

    static Stream<Limit> limits() {
        return Stream.of(
                head(
                        "maxFields",
                        b -> b.maxFields(3),
                        "GET /" + HEAD + "a: b\r\nc: d\r\n\r\n",
                        431,
                        "GET /" + HEAD + "a: b\r\nc: d\r\ne: f\r\n\r\n"),
                head(
                        "maxTargetBytes",
                        b -> b.maxTargetBytes(10),
                        "GET /123456789" + HEAD + "\r\n",
                        414,
                        "GET /1234567890" + HEAD + "\r\n"),
                head("maxHeadBytes", b -> b.maxHeadBytes(1024), headOf(1024), 431, headOf(1025)),
                head("maxEmptyLines", b -> b.maxEmptyLines(2), "\r\n\r\n" + GET, 400, "\r\n\r\n\r\n" + GET),
                head("maxEmptyLines of 0", b -> b.maxEmptyLines(0), GET, 400, "\r\n" + GET),
                body(
                        "maxBufferedBodyBytes, declared",
                        b -> b.maxBufferedBodyBytes(3),
                        SIZED + "3\r\n\r\nabc",
                        413,
                        SIZED + "4\r\n\r\nabcd"),
                body(
                        "maxBufferedBodyBytes, chunked",
                        b -> b.maxBufferedBodyBytes(3),
                        CHUNKED + "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
                        413,
                        CHUNKED + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"),
                body(
                        "maxFields, of trailers",
                        b -> b.maxFields(3),
                        CHUNKED + "0\r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n",
                        400,
                        CHUNKED + "0\r\na: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n\r\n"),
                body(
                        "16 KiB of trailers",
                        b -> b,
                        CHUNKED + "0\r\n" + trailersOf(16384),
                        400,
                        CHUNKED + "0\r\n" + trailersOf(16385)),
                body(
                        "16 KiB of chunk extensions",
                        b -> b,
                        CHUNKED + extensionsOf(16384),
                        400,
                        CHUNKED + extensionsOf(16385)));
    }

    @ParameterizedTest(name = "{0}: n passes, and the connection goes on; n + 1 is refused, counted, and ends it")
    @MethodSource("limits")
    @Tag("A15")
    @Tag("A17")
    @Tag("A18")
    @Tag("A2")
    @Tag("B12")
    @Tag("B15")
    @Tag("J9")
    void exact(Limit limit) throws Exception {
        try (var server = TestServer.start(backend, limit.option());
                RawClient client = server.connect()) {
            byte[] bytes = limit.passes().getBytes(ISO_8859_1);
            assertEquals(200, client.send(bytes).response().status(), "in one piece");
            for (int fromEnd = 1; fromEnd < 6; fromEnd++) {
                server.sendSplit(client, bytes, bytes.length - fromEnd);
                assertEquals(200, client.response().status(), "cut before the last " + fromEnd);
            }
            if (bytes.length < 2000) {
                server.sendByteByByte(client, bytes);
                assertEquals(200, client.response().status(), "byte by byte");
            }
            assertEquals(200, client.request(GET).status(), "the next request");
            assertEquals(0, server.stats().requestsRefused());
            if (limit.inBody()) {
                server.assertBodyRefused(limit.status(), limit.over());
            } else {
                server.assertRefused(limit.status(), limit.over());
            }
            assertEquals(200, client.request(GET).status(), "another connection");
        }
    }

    @Test
    @Tag("B20")
    @Tag("B21")
    @DisplayName(
            "B20, B21: maxDiscardedBytes: so much of a body without a reader keeps the connection, a byte more ends it")
    void discarded() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.maxDiscardedBytes(1000))
                .on("/unread", (request, response) -> response.send("read nothing"))) {
            String unread = "POST /unread" + HEAD + "Content-Length: ";
            try (RawClient client = server.connect()) {
                assertEquals(
                        "read nothing", client.request(unread + "1000\r\n\r\n").text());
                assertEquals(200, client.request("x".repeat(1000) + GET).status());
                assertEquals(
                        "read nothing", client.request(unread + "1001\r\n\r\n").text());
                client.send("x".repeat(1001) + GET).assertEnd();
            }
            try (RawClient client = server.connect()) {
                String chunks = "POST /unread" + HEAD + "Transfer-Encoding: chunked\r\n\r\n";
                assertEquals("read nothing", client.request(chunks).text());
                assertEquals(
                        200,
                        client.request("1f4\r\n" + "x".repeat(500) + "\r\n1f4\r\n" + "x".repeat(500) + "\r\n0\r\n\r\n"
                                        + GET)
                                .status());
                assertEquals("read nothing", client.request(chunks).text());
                client.send("1f4\r\n" + "x".repeat(500) + "\r\n1f5\r\n" + "x".repeat(501) + "\r\n0\r\n\r\n" + GET)
                        .assertEnd();
            }
            assertEquals(0, server.stats().requestsRefused());
        }
    }

    @Test
    @Tag("B21")
    @DisplayName("B21: maxLingerBytes: so much is read behind the last response, a byte more ends the connection")
    void lingered() throws Exception {
        try (var server = TestServer.start(
                        backend, builder -> builder.maxLingerBytes(1000).lingerTimeout(Duration.ZERO));
                RawClient other = server.connect()) {
            assertEquals(200, other.request(GET).status());
            try (RawClient client = server.connect()) {
                assertEquals(400, client.request("bad\r\n\r\n").status());
                client.assertEnd();
                server.sendAndAwait(client, new byte[1000]);
                assertEquals(200, other.request(GET).status());
                assertEquals(2, server.stats().connectionsOpen());
                client.send(new byte[1]);
                Await.until(() -> server.stats().connectionsOpen() == 1, () -> "the connection ends");
            }
        }
    }
}
