package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gannet.HttpVersion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Where the bytes of a request are cut into reads means nothing: every kind of request, cut at every byte. */
class RequestCutsTest extends ServerTest {
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    @BeforeEach
    void forget() {
        server.forgetSeen();
    }

    static Stream<Wire> accepted() {
        return Wire.each(
                "GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-One:  two words \r\nempty:\r\nx-one: \t3\r\n\r\n",
                "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET http://y.test:81/p?q HTTP/1.1\r\nHost: x\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
                "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nab",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
                        + "05;a=\"b c\";d\r\nhello\r\nA\r\n, \r\n\r\n0\r\n\r\r\n000;e\r\nT: 1\r\nU:\t2 \r\n\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab",
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: nothing\r\n\r\n",
                "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na\r\n"
                        + "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    private static Arguments refused(int status, int handled, String bytes) {
        return Arguments.of(status, handled, new Wire(bytes));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                refused(400, 0, "GE T / HTTP/1.1\r\nHost: x\r\n\r\n"),
                refused(400, 0, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
                refused(400, 0, "GET /\u0001 HTTP/1.1\r\nHost: x\r\n\r\n"),
                refused(505, 0, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"),
                refused(400, 0, "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003rest"),
                refused(400, 0, "GET / HTTP/1.1\r\n\r\n"),
                refused(400, 0, "GET / HTTP/1.1\nHost: x\n\n"),
                refused(400, 0, "GET / HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n"),
                refused(400, 0, "GET / HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\n\r\n"),
                refused(400, 0, "GET / HTTP/1.1\r\nHost: x\r\nX: y\rz\r\n\r\n"),
                refused(400, 0, "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
                refused(501, 0, "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"),
                refused(417, 0, "GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n"),
                refused(400, 0, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
                refused(
                        400,
                        0,
                        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
                refused(400, 0, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
                refused(400, 1, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0x5\r\n"),
                refused(
                        400,
                        1,
                        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nf0000000000000003\r\n"),
                refused(400, 1, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"),
                refused(
                        400,
                        1,
                        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX : y\r\n\r\n"));
    }

    /** What comes back, to the end of the connection, and what the handler was given. */
    private record Outcome(String wire, List<String> requests) {}

    private static Outcome outcome(RawClient client, int requests) throws Exception {
        String wire = new String(client.rest(), ISO_8859_1).replaceAll("date: [^\r]+", "date: now");
        var seen = new ArrayList<String>();
        for (int i = 0; i < requests; i++) {
            TestServer.Seen one = server.seen();
            seen.add(one.with(new byte[0], null) + " " + one.text() + " " + (one.bodyFailure() != null));
        }
        seen.replaceAll(text -> text.replaceAll("body=\\[B@[0-9a-f]+", "body="));
        return new Outcome(wire, seen);
    }

    private static Outcome whole(byte[] bytes, int requests) throws Exception {
        try (RawClient client = server.connect()) {
            return outcome(client.send(bytes), requests);
        }
    }

    private static Outcome cut(byte[] bytes, int at, int requests) throws Exception {
        try (RawClient client = server.connect()) {
            server.sendAndAwait(client, Arrays.copyOf(bytes, at));
            return outcome(client.send(Arrays.copyOfRange(bytes, at, bytes.length)), requests);
        }
    }

    private static Outcome byteByByte(byte[] bytes, int requests) throws Exception {
        try (RawClient client = server.connect()) {
            server.sendByteByByte(client, bytes);
            return outcome(client, requests);
        }
    }

    private static void assertSameInEveryCut(byte[] bytes, int requests, String statuses) throws Exception {
        long before = server.handled();
        Outcome whole = whole(bytes, requests);
        assertEquals(statuses, statuses(whole.wire()), whole::wire);
        for (int at = 1; at < bytes.length; at++) {
            assertEquals(whole, cut(bytes, at, requests), "cut at " + at);
        }
        assertEquals(whole, byteByByte(bytes, requests), "byte by byte");
        assertEquals(before + (long) (bytes.length + 1) * requests, server.handled(), "requests that were handled");
    }

    private static String statuses(String wire) {
        var statuses = new StringBuilder();
        for (int at = wire.indexOf("HTTP/1.1 "); at >= 0; at = wire.indexOf("HTTP/1.1 ", at + 1)) {
            statuses.append(wire, at + 9, at + 13);
        }
        return statuses.toString().strip();
    }

    @ParameterizedTest(name = "A1: {0} in any cut is what it is in one piece")
    @MethodSource("accepted")
    @Tag("A1")
    void acceptedInEveryCut(Wire request) throws Exception {
        int requests = request.bytes().split(" HTTP/1\\.[01]\r\n", -1).length - 1;
        byte[] bytes = (request.bytes() + NEXT).getBytes(ISO_8859_1);
        String statuses = "200 ".repeat(requests + 1).strip();
        assertSameInEveryCut(bytes, requests + 1, request.bytes().contains("Expect") ? "100 " + statuses : statuses);
    }

    @ParameterizedTest(name = "A1: {2} in any cut is {0}, and nothing behind it is read")
    @MethodSource("refused")
    @Tag("A1")
    void refusedInEveryCut(int status, int handled, Wire request) throws Exception {
        assertSameInEveryCut((request.bytes() + NEXT).getBytes(ISO_8859_1), handled, String.valueOf(status));
    }

    @Test
    @Tag("A8")
    @DisplayName("A8: without HTTP/2 its preface with the first frames is refused in any cut, with a clean end")
    void prefaceOfHttp2() throws Exception {
        String settings = "\u0000\u0000\u0006\u0004\u0000\u0000\u0000\u0000\u0000\u0000\u0003\u0000\u0000\u0000\u0064";
        String windowUpdate = "\u0000\u0000\u0004\u0008\u0000\u0000\u0000\u0000\u0000\u0000\u00ef\u0000\u0001";
        byte[] preface = ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + windowUpdate).getBytes(ISO_8859_1);
        TestServer both = server;
        try (TestServer older = TestServer.start(backend, builder -> builder.versions(HttpVersion.HTTP_1_1))) {
            server = older;
            assertSameInEveryCut(preface, 0, "400");
        } finally {
            server = both;
        }
    }
}
