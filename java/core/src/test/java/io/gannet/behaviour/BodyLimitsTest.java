package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.HttpException;
import io.gannet.HttpServer;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;

/** How much of a body, of its framing, and of requests one behind the other a server takes: exactly n, not n + 1. */
@OnEachBackend
class BodyLimitsTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String SIZED = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ";
    private static final String CHUNKED = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

    @Parameter
    Backend backend;

    private TestServer start(java.util.function.UnaryOperator<HttpServer.Builder> options) throws Exception {
        return TestServer.start(backend, options);
    }

    private static void assertCounted(TestServer server, String reason, long times) {
        assertEquals(times, server.stats().reasons().getOrDefault(reason, 0L), reason);
        assertEquals(times, server.stats().toMap().getOrDefault("reasons." + reason, 0L), reason);
    }

    @Test
    @Tag("B24")
    @DisplayName("maxBodyBytes: a Content-Length of n passes; n + 1 is 413 at once, before a handler hears of it")
    void declared() throws Exception {
        try (var server = start(builder -> builder.maxBodyBytes(10))) {
            try (RawClient client = server.connect()) {
                assertEquals(
                        "0123456789",
                        client.request(SIZED + "10\r\n\r\n0123456789").text());
            }
            server.forgetSeen();
            server.assertRefused(413, SIZED + "11\r\n\r\n0123456789a");
            server.assertRefused(413, SIZED + Long.MAX_VALUE + "\r\n\r\n");
            server.assertRefused(413, SIZED + "11\r\nExpect: 100-continue\r\n\r\n");
            assertEquals(1, server.handled());
            assertCounted(server, "bodyTooLarge", 3);
        }
    }

    @Test
    @Tag("B24")
    @DisplayName("maxBodyBytes: a chunked body fails its reader with a limit error and 413 when it passes n")
    void chunked() throws Exception {
        try (var server = start(builder -> builder.maxBodyBytes(10))) {
            try (RawClient client = server.connect()) {
                assertEquals(
                        "0123456789",
                        client.request(CHUNKED + "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n")
                                .text());
            }
            for (String body :
                    new String[] {"b\r\n0123456789a\r\n0\r\n\r\n", "a\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n"}) {
                server.forgetSeen();
                long handled = server.handled();
                try (RawClient client = server.connect()) {
                    RawResponse response = client.request(CHUNKED + body + GET);
                    assertEquals(413, response.status());
                    assertTrue(response.closes(), response::toString);
                    client.assertEnd();
                }
                var failure = (HttpException) server.seen().bodyFailure();
                assertEquals(HttpException.Kind.LIMIT, failure.kind());
                assertEquals(413, failure.status());
                assertEquals(handled + 1, server.handled());
            }
            assertCounted(server, "bodyTooLarge", 2);
        }
    }

    @Test
    @Tag("B24")
    @DisplayName("maxBodyBytes: it holds for a body that nobody reads; the response before stays what it was")
    void unread() throws Exception {
        try (var server = start(builder -> builder.maxBodyBytes(10));
                RawClient client = server.connect()) {
            server.on("/unread", (request, response) -> response.send("done"));
            client.send("POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            assertEquals("done", client.response().text());
            client.send("a\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n" + GET);
            client.assertEnd();
            assertEquals(1, server.handled());
            assertCounted(server, "bodyTooLarge", 1);
        }
    }

    @Test
    @Tag("B12")
    @Tag("J9")
    @DisplayName("maxChunkExtensionBytes: n bytes in all pass, n + 1 are 400")
    void chunkExtensions() throws Exception {
        try (var server = start(builder -> builder.maxChunkExtensionBytes(5))) {
            try (RawClient client = server.connect()) {
                assertEquals(
                        "x",
                        client.request(CHUNKED + "1;ab\r\nx\r\n0;c\r\n\r\n").text());
                assertEquals(
                        "x",
                        client.request(CHUNKED + "1;ab\r\nx\r\n0;c\r\n\r\n").text(),
                        "each body anew");
            }
            server.forgetSeen();
            server.assertBodyRefused(400, CHUNKED + "1;ab\r\nx\r\n0;cd\r\n\r\n");
            assertCounted(server, "chunkedExtensionsTooLong", 1);
        }
        try (var server = start(builder -> builder.maxChunkExtensionBytes(0))) {
            try (RawClient client = server.connect()) {
                assertEquals(
                        "x", client.request(CHUNKED + "1\r\nx\r\n0\r\n\r\n").text());
            }
            server.assertBodyRefused(400, CHUNKED + "1;\r\nx\r\n0\r\n\r\n");
        }
    }

    @Test
    @Tag("B15")
    @Tag("J9")
    @DisplayName("maxTrailerBytes: a section of n bytes with its empty line passes, of n + 1 is 400")
    void trailers() throws Exception {
        try (var server = start(builder -> builder.maxTrailerBytes(9))) {
            try (RawClient client = server.connect()) {
                assertEquals(
                        "x",
                        client.request(CHUNKED + "1\r\nx\r\n0\r\nt: uv\r\n\r\n").text());
            }
            server.forgetSeen();
            server.assertBodyRefused(400, CHUNKED + "1\r\nx\r\n0\r\nt: uvw\r\n\r\n");
            assertCounted(server, "trailersTooLarge", 1);
        }
    }

    @Test
    @Tag("D1")
    @DisplayName("maxRequestsPerConnection: the response to the nth says close, and nothing behind it is read")
    void requests() throws Exception {
        try (var server = start(builder -> builder.maxRequestsPerConnection(3))) {
            for (boolean pipelined : new boolean[] {false, true}) {
                long handled = server.handled();
                try (RawClient client = server.connect()) {
                    if (pipelined) {
                        client.send(GET.repeat(5));
                    }
                    for (int i = 0; i < 3; i++) {
                        RawResponse response = pipelined ? client.response() : client.request(GET);
                        assertEquals(200, response.status());
                        assertEquals(i == 2, response.closes(), response::toString);
                    }
                    client.assertEnd();
                }
                assertEquals(handled + 3, server.handled());
            }
            assertCounted(server, "lastRequest", 2);
        }
    }

    @Test
    @Tag("B21")
    @DisplayName("maxDiscardedBytes: n unread bytes are dropped and the connection is kept; n + 1 end it")
    void discarded() throws Exception {
        try (var server = start(builder -> builder.maxDiscardedBytes(10))) {
            server.on("/unread", (request, response) -> response.send("done"));
            String post = "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: ";
            try (RawClient client = server.connect()) {
                RawResponse response = client.request(post + "10\r\n\r\n");
                assertFalse(response.closes(), response::toString);
                assertEquals(200, client.request("0123456789" + GET).status());
                assertTrue(client.request(post + "11\r\n\r\n").closes());
                client.assertEnd();
            }
            assertCounted(server, "unreadTooLarge", 1);
        }
    }

    @Test
    @Tag("B21")
    @DisplayName("maxLingerBytes: more than n bytes behind the last response end the connection at once")
    void lingered() throws Exception {
        try (var server = start(builder -> builder.maxLingerBytes(1000));
                RawClient client = server.connect()) {
            assertTrue(client.request("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + "x".repeat(1000))
                    .closes());
            client.assertEnd();
            assertEquals(1, server.stats().connectionsOpen());
            client.send("y");
            Await.until(() -> server.stats().connectionsOpen() == 0, () -> "it ends: " + server.stats());
            assertCounted(server, "lingerTooLarge", 1);
        }
    }

    @Test
    @DisplayName("reasons: of several loops they are added up, by names that are those of the core")
    void reasons() throws Exception {
        try (var server = start(builder -> builder.loops(2))) {
            for (int i = 0; i < 8; i++) {
                server.assertRefused(400, "GET / HTTP/1.1\r\n\r\n");
                server.assertRefused(431, "GET / HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n".repeat(100) + "\r\n");
            }
            Map<String, Long> reasons = server.stats().reasons();
            assertEquals(8, reasons.get("badHost"));
            assertEquals(8, reasons.get("tooManyFields"));
            assertEquals(16, server.stats().requestsRefused());
        }
    }
}
