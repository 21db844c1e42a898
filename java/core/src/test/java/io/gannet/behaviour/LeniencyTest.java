package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Leniency;
import io.gannet.PreparedResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link Leniency} lets in, what it does not, and that the next request is read rightly either way. */
class LeniencyTest extends ServerTest {
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    private TestServer lenient(Leniency first, Leniency... more) throws IOException {
        return TestServer.start(backend, builder -> builder.allow(first, more));
    }

    private TestServer lenientInEverything() throws IOException {
        return TestServer.start(backend, builder -> builder.allow(Leniency.BARE_LF, Leniency.values()));
    }

    /** Refused by a strict server and by one with all other leniencies, passed by one with this, in every cut. */
    private void assertSwitched(Leniency leniency, int status, String request, String body) throws Exception {
        server.assertRefused(status, request);
        Leniency[] others =
                Stream.of(Leniency.values()).filter(other -> other != leniency).toArray(Leniency[]::new);
        try (TestServer refusing = lenient(others[0], others)) {
            refusing.assertRefused(status, request);
        }
        byte[] bytes = request.getBytes(ISO_8859_1);
        try (TestServer lenient = lenient(leniency);
                RawClient client = lenient.connect()) {
            for (int at = 0; at < bytes.length; at++) {
                lenient.sendSplit(client, bytes, at);
                assertEquals(200, client.response().status(), "split at " + at);
                assertEquals(body, lenient.seen().text(), "split at " + at);
            }
            lenient.sendByteByByte(client, bytes);
            assertEquals(200, client.response().status());
            assertEquals(body, lenient.seen().text());
            client.send(request + request + NEXT);
            for (String path : List.of("/", "/", "/next")) {
                assertEquals(200, client.response().status());
                assertEquals(path, lenient.seen().path());
            }
        }
    }

    @Test
    @Tag("A3")
    @DisplayName("A3: bare LF ends every line of a head, of chunks and of trailers where that is allowed")
    void bareLf() throws Exception {
        assertSwitched(
                Leniency.BARE_LF,
                400,
                "\nPOST / HTTP/1.1\nHost: x\r\nTransfer-Encoding: chunked\n\n5;a=b\nhello\n3\r\n\n\n\n\r\n0\nT: u\n\n",
                "hello\n\n\n");
    }

    @Test
    @Tag("A6")
    @DisplayName("A6: runs of spaces pass where the request line has one, where that is allowed")
    void repeatedSpaces() throws Exception {
        assertSwitched(Leniency.REPEATED_SPACES, 400, "GET   /    HTTP/1.1\r\nHost: x\r\n\r\n", "");
    }

    @Test
    @Tag("A12")
    @DisplayName(
            "A12: invalid lines of a head and of trailers are dropped where that is allowed, and the rest is served")
    void invalidFields() throws Exception {
        String request = "POST / HTTP/1.1\r\nno colon\r\nHost: x\r\nbad name: y\r\nTransfer-Encoding: chunked\r\n"
                + "X-Bad: a\u0001b\r\n: nameless\r\nX-Good: g\r\n\r\n2\r\nok\r\n0\r\nbad trailer\r\nT: u\r\n\r\n";
        assertSwitched(Leniency.INVALID_FIELDS, 400, request, "ok");
        try (TestServer lenient = lenient(Leniency.INVALID_FIELDS);
                RawClient client = lenient.connect()) {
            assertEquals(200, client.request(request).status());
            assertEquals(
                    List.of(
                            Map.entry("Host", "x"),
                            Map.entry("Transfer-Encoding", "chunked"),
                            Map.entry("X-Good", "g")),
                    lenient.seen().fields());
        }
    }

    @Test
    @Tag("A14")
    @DisplayName("A14: UTF-8 in a target reaches the handler as characters where that is allowed")
    void utf8Targets() throws Exception {
        String target = "/\u00e4/\u20ac?\ud83d\udc26=%41";
        String wire = new String(target.getBytes(UTF_8), ISO_8859_1);
        server.assertRefused(400, "GET " + wire + " HTTP/1.1\r\nHost: x\r\n\r\n");
        byte[] request = ("GET " + wire + " HTTP/1.1\r\nHost: x\r\nX: \u00e4\r\n\r\n").getBytes(ISO_8859_1);
        try (TestServer lenient = lenient(Leniency.UTF_8_TARGETS);
                RawClient client = lenient.connect()) {
            for (int at = 0; at < request.length; at++) {
                lenient.sendSplit(client, request, at);
                assertEquals(200, client.response().status(), "split at " + at);
                TestServer.Seen seen = lenient.seen();
                assertEquals(target, seen.target());
                assertEquals("/\u00e4/\u20ac", seen.path());
                assertEquals("\ud83d\udc26=%41", seen.query());
                assertTrue(seen.fields().contains(Map.entry("X", "\u00e4")), "values stay as they are");
            }
            assertEquals(200, client.request(NEXT).status());
            assertEquals("/next", lenient.seen().target());
        }
    }

    @Test
    @Tag("B4")
    @DisplayName("B4: repetitions of one Content-Length count as one where that is allowed")
    void repeatedContentLength() throws Exception {
        assertSwitched(
                Leniency.REPEATED_CONTENT_LENGTH,
                400,
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\ncontent-length: 05\r\n\r\nhello",
                "hello");
        var length = new CompletableFuture<Long>();
        try (TestServer lenient = lenient(Leniency.REPEATED_CONTENT_LENGTH).on("/", (request, response) -> {
                    length.complete(request.contentLength());
                    response.send(String.join(";", request.fields().all("content-length")));
                });
                RawClient client = lenient.connect()) {
            RawResponse response =
                    client.request("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2,2\r\nContent-Length: 2\r\n\r\nab");
            assertEquals("2,2;2", new String(response.body(), ISO_8859_1));
            assertEquals(2, length.get(Await.SECONDS, TimeUnit.SECONDS));
        }
    }

    @Test
    @Tag("B5")
    @DisplayName("B5: a body with other codings before chunked passes with them applied, where that is allowed")
    void transferCodings() throws Exception {
        assertSwitched(
                Leniency.TRANSFER_CODINGS,
                501,
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "3\r\n\u001f\u008b\u0008\r\n0\r\n\r\n",
                "\u001f\u008b\u0008");
        try (TestServer lenient = lenient(Leniency.TRANSFER_CODINGS);
                RawClient client = lenient.connect()) {
            client.request("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
            assertTrue(lenient.seen().fields().contains(Map.entry("Transfer-Encoding", "gzip, chunked")));
        }
    }

    @Test
    @Tag("B8")
    @DisplayName(
            "B8: where both framing fields are allowed, chunked wins, Content-Length is gone, and the connection ends")
    void lengthAndChunked() throws Exception {
        String request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n0\r\n\r\n";
        server.assertRefused(400, request);
        byte[] bytes = (request + NEXT).getBytes(ISO_8859_1);
        try (TestServer lenient = lenient(Leniency.LENGTH_AND_CHUNKED)) {
            for (int at = 0; at <= request.length(); at += 3) {
                try (RawClient client = lenient.connect()) {
                    lenient.sendSplit(client, bytes, at);
                    RawResponse response = client.response();
                    assertEquals(200, response.status());
                    assertTrue(response.closes(), response::toString);
                    client.assertEnd();
                    TestServer.Seen seen = lenient.seen();
                    assertEquals("abc", seen.text());
                    assertEquals(
                            List.of(Map.entry("Host", "x"), Map.entry("Transfer-Encoding", "chunked")), seen.fields());
                }
            }
            lenient.assertRefused(
                    400, "POST / HTTP/1.0\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
            assertEquals(request.length() / 3 + 1, lenient.handled());
        }
    }

    static Stream<Arguments> smuggled() {
        return Stream.of(
                        "Content-Length: 5\r\nContent-Length: 6",
                        "Content-Length: 5, 6",
                        "Content-Length: 5,",
                        "Content-Length: +5",
                        "Content-Length : 5",
                        "Content-Length\u000b: 5",
                        "Content-Length\u0085: 5",
                        "Content-Length\u0000: 5",
                        "\u00a0Content-Length: 5",
                        "Content -Length: 5",
                        "Content-Length 5",
                        " Content-Length: 5",
                        "X: y\r\n Content-Length: 5",
                        "X: y\rContent-Length: 5",
                        "X: y\u000bContent-Length: 5",
                        "X: y\u0000Content-Length: 5",
                        "bad name\r\n\tContent-Length: 5",
                        ": Content-Length: 5",
                        "Transfer-Encoding : chunked",
                        "Transfer-Encoding\t: chunked",
                        "Transfer-Encoding\u001f: chunked",
                        "Transfer\u0001-Encoding: chunked",
                        "Transfer-Encoding: \u000bchunked",
                        "Transfer-Encoding: chunked\u0001",
                        "Transfer-Encoding: xchunked",
                        "Transfer-Encoding: chunked, identity",
                        "Transfer-Encoding: chunked, chunked",
                        "Transfer-Encoding: \"chunked\"",
                        "Transfer-Encoding:\r\n chunked",
                        "Content-Length: 5\r\nTransfer-Encoding: gzip",
                        "Host: y",
                        "H\u0001ost: y",
                        "Host\u0001: y",
                        "Host : y")
                .map(lines -> Arguments.of(new Wire(lines)));
    }

    @ParameterizedTest(name = "A12, B4, B8: {0} is 400 with every leniency")
    @MethodSource("smuggled")
    @Tag("A12")
    @Tag("B4")
    @Tag("B5")
    @Tag("B8")
    void smuggling(Wire lines) throws Exception {
        String request = "POST / HTTP/1.1\r\nHost: x\r\n" + lines.bytes() + "\r\n\r\nhello";
        try (TestServer lenient = lenientInEverything()) {
            lenient.assertRefused(400, request);
        }
        for (Leniency leniency : Leniency.values()) {
            try (TestServer lenient = lenient(leniency)) {
                lenient.assertRefused(400, request);
            }
        }
    }

    @ParameterizedTest(name = "A1: with {0} a well-formed request is what it is without")
    @EnumSource
    @Tag("A1")
    void wellFormed(Leniency leniency) throws Exception {
        String request = "\r\nPOST /p?q HTTP/1.1\r\nHost: x\r\nX:  y \r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5;a=b\r\nhello\r\n0\r\nT: u\r\n\r\n";
        try (TestServer lenient = lenient(leniency);
                RawClient client = lenient.connect();
                RawClient strict = server.connect()) {
            server.forgetSeen();
            assertEquals(200, strict.request(request).status());
            assertEquals(200, client.request(request).status());
            TestServer.Seen expected = server.seen();
            TestServer.Seen seen = lenient.seen();
            assertEquals(expected.target(), seen.target());
            assertEquals(expected.fields(), seen.fields());
            assertEquals(expected.text(), seen.text());
            assertEquals(200, client.request(NEXT).status());
        }
    }

    @Test
    @Tag("C15")
    @DisplayName("C15: HTTP/1.0 is answered with HTTP/1.1, or with HTTP/1.0 where that is wanted, errors too")
    void http10() throws Exception {
        String request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
        try (RawClient client = server.connect()) {
            assertEquals("HTTP/1.1 200 OK", client.request(request).statusLine());
        }
        PreparedResponse prepared = PreparedResponse.builder().body("p").build();
        try (TestServer old = TestServer.start(backend, builder -> builder.http10StatusLine(true))
                .on("/prepared", (asked, response) -> response.send(prepared))) {
            try (RawClient client = old.connect()) {
                assertEquals("HTTP/1.0 200 OK", client.request(request).statusLine());
                assertEquals("HTTP/1.1 200 OK", client.request(NEXT).statusLine());
                assertEquals(
                        "HTTP/1.0 200 OK",
                        client.request("GET /prepared HTTP/1.0\r\n\r\n").statusLine());
                client.assertEnd();
            }
            try (RawClient client = old.connect()) {
                assertEquals(
                        "HTTP/1.0 400 Bad Request",
                        client.request("GET / HTTP/1.0\r\nX : y\r\n\r\n").statusLine());
            }
            try (RawClient client = old.connect()) {
                assertEquals(
                        "HTTP/1.1 400 Bad Request",
                        client.request("GET # HTTP/1.0\r\n\r\n").statusLine());
            }
        }
    }
}
