package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.HttpVersion;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
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

/** What the server makes of a request's head: group A of the behaviours. */
class RequestHeadTest extends ServerTest {
    private static final int MAX_TARGET = 65_534;
    private static final int MAX_HEAD = 131_072;

    @BeforeEach
    void forget() {
        server.forgetSeen();
    }

    @Test
    @Tag("A1")
    @DisplayName("A1: a head split at any offset, or sent byte by byte, is read as if sent whole")
    void splitHead() throws Exception {
        byte[] head = "GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-One:  two words \r\nempty:\r\nx-one: 3\r\n\r\n"
                .getBytes(ISO_8859_1);
        try (RawClient client = server.connect()) {
            for (int at = 0; at < head.length; at++) {
                server.sendSplit(client, head, at);
                assertEquals(200, client.response().status(), "split at " + at);
                assertWhole(server.seen(), "split at " + at);
            }
            server.sendByteByByte(client, head);
            assertEquals(200, client.response().status());
            assertWhole(server.seen(), "byte by byte");
        }
    }

    private static void assertWhole(TestServer.Seen seen, String how) {
        assertEquals("GET", seen.method(), how);
        assertEquals("/a/b?c=d", seen.target(), how);
        assertEquals("/a/b", seen.path(), how);
        assertEquals("c=d", seen.query(), how);
        assertEquals(
                List.of(
                        Map.entry("Host", "x"),
                        Map.entry("X-One", "two words"),
                        Map.entry("empty", ""),
                        Map.entry("x-one", "3")),
                seen.fields(),
                how);
    }

    @Test
    @Tag("A2")
    @DisplayName(
            "A2: up to eight empty lines before a request line are skipped, on a used connection too; nine are 400")
    void emptyLines() throws Exception {
        String request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        try (RawClient client = server.connect()) {
            assertEquals(200, client.request("\r\n" + request).status());
            assertEquals(200, client.request("\r\n".repeat(8) + request).status());
        }
        server.assertRefused(400, "\r\n".repeat(9) + request);
    }

    @Test
    @Tag("A4")
    @DisplayName("A4: a space in the method is 400 and ends the connection")
    void spaceInMethod() throws Exception {
        long refused = server.stats().requestsRefused();
        server.assertRefused(400, "GE T / HTTP/1.1\r\nHost: x\r\n\r\n");
        assertEquals(refused + 1, server.stats().requestsRefused());
    }

    static Stream<Wire> badRequestLines() {
        return Wire.each(
                " / HTTP/1.1",
                "GET  HTTP/1.1",
                "GET HTTP/1.1",
                " GET / HTTP/1.1",
                "GET  / HTTP/1.1",
                "GET /  HTTP/1.1",
                "GET / HTTP/1.1 ",
                "GET\t/ HTTP/1.1",
                "GET /\tHTTP/1.1",
                "GET\u000b/ HTTP/1.1",
                "GET /\u000bHTTP/1.1",
                "GET\f/ HTTP/1.1",
                "GET /\fHTTP/1.1",
                "GET /",
                "GET",
                "G(T / HTTP/1.1",
                "G\u00e4T / HTTP/1.1");
    }

    @ParameterizedTest(name = "A5: {0} is 400")
    @MethodSource("badRequestLines")
    @Tag("A5")
    void badRequestLine(Wire line) throws Exception {
        server.assertRefused(400, line.bytes() + "\r\nHost: x\r\n\r\n");
    }

    @ParameterizedTest(name = "A7: {0} is processed as HTTP/1.1")
    @ValueSource(strings = {"HTTP/1.2", "HTTP/1.9"})
    @Tag("A7")
    void laterMinorVersion(String version) throws Exception {
        try (RawClient client = server.connect()) {
            for (int i = 0; i < 2; i++) {
                RawResponse response = client.request("GET / " + version + "\r\nHost: x\r\n\r\n");
                assertEquals("HTTP/1.1 200 OK", response.statusLine());
                assertFalse(response.closes(), response::toString);
                assertEquals(HttpVersion.HTTP_1_1, server.seen().version());
            }
        }
    }

    @ParameterizedTest(name = "A7: {0} is {1} and closes")
    @CsvSource({
        "HTTP/2.0, 505",
        "HTTP/3.0, 505",
        "HTTP/0.9, 505",
        "HTTP/1, 400",
        "HTTP/1., 400",
        "HTTP/.1, 400",
        "HTTP/11.1, 400",
        "HTTP/1.10, 400",
        "HTTP/1.1.1, 400",
        "HTTP/a.1, 400",
        "HTTP 1.1, 400",
        "http/1.1, 400",
        "HTTQ/1.1, 400",
        "HTTPS/1.1, 400",
        "1.1, 400"
    })
    @Tag("A7")
    void otherVersion(String version, int status) throws Exception {
        server.assertRefused(status, "GET / " + version + "\r\nHost: x\r\n\r\n");
    }

    static Stream<Wire> badFieldLines() {
        return Wire.each(
                "no colon at all",
                "nocolon",
                ": empty name",
                "X(Y: 1",
                "X Y: 1",
                "X/Y: 1",
                "\"X\": 1",
                "X\u00e4: 1",
                "X\0Y: 1",
                "X: a\0b",
                "X\rY: 1",
                "X: a\rb",
                "X: a\r",
                "X\r: 1");
    }

    @ParameterizedTest(name = "A9: {0} is 400")
    @MethodSource
    @Tag("A9")
    void spaceBeforeColon(Wire line) throws Exception {
        server.assertRefused(400, "GET / HTTP/1.1\r\nHost: x\r\n" + line.bytes() + "\r\n\r\n");
    }

    static Stream<Wire> spaceBeforeColon() {
        return Wire.each("X : 1", "X\t: 1", "X  : 1", "Content-Length : 0", "Transfer-Encoding : chunked");
    }

    @ParameterizedTest(name = "A10: a line folded by {0} is 400")
    @MethodSource
    @Tag("A10")
    void foldedLine(Wire fold) throws Exception {
        server.assertRefused(400, "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n" + fold.bytes() + "b\r\n\r\n");
        server.assertRefused(400, "GET / HTTP/1.1\r\n" + fold.bytes() + "X: a\r\nHost: x\r\n\r\n");
    }

    static Stream<Wire> foldedLine() {
        return Wire.each(" ", "\t", "   \t");
    }

    @ParameterizedTest(name = "A11: the field line {0} is 400")
    @MethodSource("badFieldLines")
    @Tag("A11")
    void badFieldLine(Wire line) throws Exception {
        server.assertRefused(400, "GET / HTTP/1.1\r\nHost: x\r\n" + line.bytes() + "\r\n\r\n");
    }

    @Test
    @Tag("A13")
    @DisplayName(
            "A13: HTAB and 0x80 to 0xFF in values arrive unchanged, white space around is trimmed, empty is allowed")
    void fieldValues() throws Exception {
        var high = new StringBuilder();
        IntStream.rangeClosed(0x80, 0xff).forEach(octet -> high.append((char) octet));
        try (RawClient client = server.connect()) {
            client.request("GET / HTTP/1.1\r\nHost: x\r\nTab: a\tb \t c\r\nHigh:" + high
                    + "\r\nAround: \t v \t \r\nNone:v\r\nEmpty:\r\nBlank: \t \r\n\r\n");
        }
        assertEquals(
                List.of(
                        Map.entry("Host", "x"),
                        Map.entry("Tab", "a\tb \t c"),
                        Map.entry("High", high.toString()),
                        Map.entry("Around", "v"),
                        Map.entry("None", "v"),
                        Map.entry("Empty", ""),
                        Map.entry("Blank", "")),
                server.seen().fields());
    }

    @ParameterizedTest(name = "A14: octet {0} in a target is 400")
    @MethodSource
    @Tag("A14")
    void octetInTarget(int octet) throws Exception {
        server.assertRefused(400, "GET /a" + (char) octet + "b HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    static IntStream octetInTarget() {
        return IntStream.concat(IntStream.rangeClosed(0, 0x20), IntStream.of(0x7f, 0x80, 0xa0, 0xc3, 0xff));
    }

    @Test
    @Tag("A15")
    @DisplayName("A15: 100 fields pass, 101 are 431")
    void fieldCount() throws Exception {
        try (RawClient client = server.connect()) {
            assertEquals(200, client.request(withFields(100)).status());
        }
        assertEquals(100, server.seen().fields().size());
        server.assertRefused(431, withFields(101));
    }

    @Test
    @Tag("A15")
    @DisplayName("A15: a limit of n fields is exact at n")
    void fieldLimit() throws Exception {
        try (var limited = TestServer.start(backend, builder -> builder.maxFields(3));
                RawClient client = limited.connect()) {
            assertEquals(200, client.request(withFields(3)).status());
            limited.assertRefused(431, withFields(4));
        }
    }

    private static String withFields(int count) {
        return "GET / HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n".repeat(count - 1) + "\r\n";
    }

    @Test
    @Tag("A16")
    @DisplayName("A16: a field name of 64 KiB is 431")
    void longFieldName() throws Exception {
        server.assertRefused(431, "GET / HTTP/1.1\r\nHost: x\r\n" + "n".repeat(65_536) + ": v\r\n\r\n");
    }

    @Test
    @Tag("A17")
    @DisplayName("A17: a target of 65 534 bytes passes, of 65 535 is 414 without content, and the connection ends")
    void longTarget() throws Exception {
        String target = "/" + "t".repeat(MAX_TARGET - 1);
        try (RawClient client = server.connect()) {
            assertEquals(
                    200,
                    client.request("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")
                            .status());
            assertEquals(target, server.seen().target());

            RawResponse response = client.request("GET " + target + "t HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("HTTP/1.1 414 URI Too Long", response.statusLine());
            assertTrue(response.closes(), response::toString);
            assertEquals("0", response.field("content-length"));
            client.assertEnd();
        }
    }

    @Test
    @Tag("A18")
    @DisplayName("A18: a head of 128 KiB passes, one byte more is 431, also when it comes in a later read")
    void largeHead() throws Exception {
        String head = headOf(MAX_HEAD);
        try (RawClient client = server.connect()) {
            assertEquals(200, client.request(head).status());
        }
        server.assertRefused(431, headOf(MAX_HEAD + 1));
        try (RawClient client = server.connect()) {
            server.sendSplit(client, headOf(2 * MAX_HEAD).getBytes(ISO_8859_1), MAX_HEAD - 1000);
            RawResponse response = client.response();
            assertEquals(431, response.status());
            assertTrue(response.closes(), response::toString);
            client.assertEnd();
        }
    }

    @Test
    @Tag("A18")
    @DisplayName("A18: a head limit of n bytes is exact at n")
    void headLimit() throws Exception {
        try (var limited = TestServer.start(backend, builder -> builder.maxHeadBytes(1024));
                RawClient client = limited.connect()) {
            assertEquals(200, client.request(headOf(1024)).status());
            limited.assertRefused(431, headOf(1025));
        }
    }

    /** A request head of this many bytes, in lines of up to 4 KiB. */
    private static String headOf(int length) {
        var head = new StringBuilder("GET / HTTP/1.1\r\nHost: x\r\n");
        String name = "Filler: ";
        while (head.length() < length - 2) {
            int line = Math.min(4096, length - 2 - head.length());
            if (length - 2 - head.length() - line < name.length() + 2) {
                line = Math.min(line, 2048);
            }
            head.append(name).append("f".repeat(line - name.length() - 2)).append("\r\n");
        }
        head.append("\r\n");
        if (head.length() != length) {
            throw new AssertionError("a head of " + head.length() + " bytes, not " + length);
        }
        return head.toString();
    }

    static Stream<Wire> badHosts() {
        return Wire.each(
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nX-Host: x\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
                "GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: user@x\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x:port\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x:1:2\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x:65536\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: http://x\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
                "GET / HTTP/1.0\r\nHost: x/y\r\n\r\n",
                "GET http://x/ HTTP/1.1\r\n\r\n");
    }

    @ParameterizedTest(name = "A20: {0} is 400")
    @MethodSource("badHosts")
    @Tag("A20")
    void badHost(Wire head) throws Exception {
        server.assertRefused(400, head.bytes());
    }

    @ParameterizedTest(name = "A20: {0} is asked for at {1}")
    @MethodSource
    @Tag("A20")
    void authority(Wire head, String authority) throws Exception {
        try (RawClient client = server.connect()) {
            assertEquals(200, client.request(head.bytes()).status());
        }
        assertEquals(authority, server.seen().authority());
    }

    static Stream<Arguments> authority() {
        return Stream.of(
                asked("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n", "example.test"),
                asked("GET / HTTP/1.1\r\nhOST: example.test:8080\r\n\r\n", "example.test:8080"),
                asked("GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", "127.0.0.1:80"),
                asked("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "[::1]:80"),
                asked("GET http://real.test:81/p HTTP/1.1\r\nHost: other.test\r\n\r\n", "real.test:81"),
                asked("GET / HTTP/1.0\r\n\r\n", null));
    }

    private static Arguments asked(String head, String authority) {
        return Arguments.of(new Wire(head), authority);
    }

    @Test
    @Tag("A21")
    @DisplayName("A21: origin-form, absolute-form, and * with OPTIONS")
    void targetForms() throws Exception {
        try (RawClient client = server.connect()) {
            client.request("GET /a%20b/?q=1?2 HTTP/1.1\r\nHost: x\r\n\r\n");
            assertTarget("/a%20b/?q=1?2", "/a%20b/", "q=1?2", "http");
            client.request("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertTarget("/", "/", null, "http");
            client.request("GET //a HTTP/1.1\r\nHost: x\r\n\r\n");
            assertTarget("//a", "//a", null, "http");
            client.request("GET http://a.test/b?c HTTP/1.1\r\nHost: x\r\n\r\n");
            assertTarget("http://a.test/b?c", "/b", "c", "http");
            client.request("GET HTTPS://a.test/b HTTP/1.1\r\nHost: x\r\n\r\n");
            assertTarget("HTTPS://a.test/b", "/b", null, "https");
            client.request("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
            assertTarget("*", "*", null, "http");
        }
    }

    private static void assertTarget(String target, String path, String query, String scheme) throws Exception {
        TestServer.Seen seen = server.seen();
        assertAll(
                target,
                () -> assertEquals(target, seen.target()),
                () -> assertEquals(path, seen.path()),
                () -> assertEquals(query, seen.query()),
                () -> assertEquals(scheme, seen.scheme()));
    }

    @ParameterizedTest(name = "A21: {0} is {1}")
    @CsvSource({
        "GET abc, 400",
        "GET ?a=b, 400",
        "GET *, 400",
        "POST *, 400",
        "OPTIONS */, 400",
        "GET #f, 400",
        "GET /p#f, 400",
        "GET /p?q#f, 400",
        "GET http://example.test:65536/, 400",
        "GET example.test:80, 400",
        "GET http://, 400",
        "GET http:///p, 400",
        "GET http:/p, 400",
        "CONNECT /, 400",
        "CONNECT example.test, 400",
        "CONNECT http://example.test:80/, 400",
        "CONNECT example.test:443, 501"
    })
    @Tag("A21")
    void otherTargetForm(String methodAndTarget, int status) throws Exception {
        server.assertRefused(status, methodAndTarget + " HTTP/1.1\r\nHost: x\r\n\r\n");
    }

    @ParameterizedTest(name = "A22: octet {0} in a field value is 400")
    @MethodSource
    @Tag("A22")
    void controlInValue(int octet) throws Exception {
        server.assertRefused(400, "GET / HTTP/1.1\r\nHost: x\r\nX: a" + (char) octet + "b\r\n\r\n");
    }

    static IntStream controlInValue() {
        return IntStream.concat(
                IntStream.range(0, 0x20).filter(octet -> octet != '\t' && octet != '\r' && octet != '\n'),
                IntStream.of(0x7f));
    }

    @Test
    @DisplayName("names are looked up in any case, and what is not there is null")
    void lookUp() throws Exception {
        server.on("/look-up", (request, response) -> {
            assertEquals("1", request.field("x-TWICE"));
            assertEquals(List.of("1", "2"), request.fields().all("X-Twice"));
            assertTrue(request.fields().contains("hOsT"));
            assertNull(request.field("absent"));
            assertEquals(-1, request.contentLength());
            response.send("as expected");
        });
        try (RawClient client = server.connect()) {
            assertEquals(
                    "as expected",
                    client.request("GET /look-up HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\n\r\n")
                            .text());
        }
    }
}
