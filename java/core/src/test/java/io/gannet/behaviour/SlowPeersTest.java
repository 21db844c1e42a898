package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.HttpException;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Peers that are slow on purpose, or because they cannot help it: limits that trickling does not move. They trickle without
 * knowing the time: a byte after the other in packets of their own, until the server has had enough. What counts as progress, to
 * the byte and the millisecond, is tested below Java, where the clock stands still.
 */
@OnEachBackend
class SlowPeersTest {
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final String POST = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final int LARGE = 4 << 20;

    @Parameter
    Backend backend;

    /** Sends these bytes again and again, a byte at a time, until the reason is counted. Fails if it never is. */
    private static void trickle(TestServer server, RawClient client, String bytes, String reason) throws Exception {
        long before = count(server, reason);
        var sent = new int[1];
        Await.until(
                () -> {
                    if (count(server, reason) > before) {
                        return true;
                    }
                    try {
                        client.send(bytes.substring(sent[0] % bytes.length(), sent[0] % bytes.length() + 1));
                    } catch (IOException e) {
                        return count(server, reason) > before;
                    }
                    sent[0]++;
                    return false;
                },
                () -> reason + " ends who trickles: " + server.stats());
    }

    private static long count(TestServer server, String reason) {
        return server.stats().reasons().getOrDefault(reason, 0L);
    }

    @Test
    @Tag("E1")
    @Tag("E2")
    @DisplayName("headTimeout: a trickled head is answered with 408, first or behind a served one")
    void trickledHead() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.headTimeout(SHORT))) {
            for (String before : new String[] {"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}) {
                try (RawClient client = server.connect()) {
                    if (!before.isEmpty()) {
                        assertEquals(200, client.request(before).status());
                    }
                    client.send("GET / HTTP/1.1\r\nX: ");
                    trickle(server, client, "a", "headTimeout");
                    assertEquals(408, client.response().status());
                    client.assertEnd();
                }
            }
        }
    }

    @Test
    @Tag("E2")
    @Tag("E3")
    @DisplayName(
            "headTimeout: empty lines before the request line begin its time, so they put off neither it nor idleTimeout")
    void emptyLines() throws Exception {
        try (var server = TestServer.start(
                backend,
                builder -> builder.headTimeout(SHORT)
                        .firstByteTimeout(Duration.ZERO)
                        .idleTimeout(Duration.ZERO))) {
            for (String before : new String[] {"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}) {
                try (RawClient client = server.connect()) {
                    if (!before.isEmpty()) {
                        assertEquals(200, client.request(before).status());
                    }
                    assertEquals(408, client.request("\r\n").status());
                    client.assertEnd();
                }
            }
            LimitsTest.awaitReason(server, "headTimeout", 2);
        }
    }

    @Test
    @Tag("E4")
    @DisplayName("a peer that falls silent within the first line of another protocol is closed")
    void halfOfAnotherProtocol() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.headTimeout(SHORT))) {
            for (String begin : new String[] {"P", "PRI", "PRI "}) {
                try (RawClient client = server.connect()) {
                    assertEquals(408, client.request(begin).status());
                    client.assertEnd();
                }
            }
            LimitsTest.awaitReason(server, "headTimeout", 3);
            assertEquals(0, server.handled());
        }
    }

    @ParameterizedTest
    @Tag("E2")
    @Tag("E5")
    @ValueSource(strings = {"1;|e", "|1;x=y\r\nz\r\n", "0\r\nT: |u"})
    @DisplayName("bodyTimeout: chunk framing and trailers are no progress of a body")
    void trickledFraming(String body) throws Exception {
        int cut = body.indexOf('|');
        try (var server = TestServer.start(
                        backend,
                        builder -> builder.bodyTimeout(SHORT)
                                .minBodyRate(1 << 20)
                                .maxChunkExtensionBytes(1 << 19)
                                .maxTrailerBytes(1 << 19));
                RawClient client = server.connect()) {
            client.send(POST + body.substring(0, cut));
            trickle(server, client, body.substring(cut + 1), "bodyTimeout");
            assertEquals(408, client.response().status());
            client.assertEnd();
            var failure = (HttpException) server.seen().bodyFailure();
            assertEquals(HttpException.Kind.TIMEOUT, failure.kind());
            assertEquals(408, failure.status());
        }
    }

    @Test
    @Tag("E5")
    @DisplayName("minBodyRate: a body that trickles is answered with 408, and its reader fails")
    void trickledBody() throws Exception {
        try (var server = TestServer.start(
                        backend, builder -> builder.bodyTimeout(SHORT).minBodyRate(1 << 20));
                RawClient client = server.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
            trickle(server, client, "a", "bodyTimeout");
            assertEquals(408, client.response().status());
            client.assertEnd();
            assertEquals(
                    HttpException.Kind.TIMEOUT, ((HttpException) server.seen().bodyFailure()).kind());
        }
    }

    @Test
    @Tag("E5")
    @DisplayName("minWriteRate: a client that takes a little now and then is dropped")
    void trickledResponse() throws Exception {
        try (var server = TestServer.start(
                        backend, builder -> builder.writeTimeout(SHORT).minWriteRate(1 << 20));
                var client = new RawClient(server.port(), 4096)) {
            server.on("/large", (request, response) -> response.send(new byte[20_000_000]));
            client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
            var turns = new long[1];
            Await.until(
                    () -> {
                        try {
                            if (server.stats().turns() > turns[0]) {
                                turns[0] = server.stats().turns();
                                client.readExactly(1); // its buffer takes 512 from the kernel at times
                            }
                        } catch (IOException | AssertionError e) {
                            return count(server, "writeTimeout") == 1;
                        }
                        return count(server, "writeTimeout") == 1;
                    },
                    () -> "it is dropped: " + server.stats());
            assertEquals(1, server.stats().timeouts());
            assertThrows(IOException.class, client::rest, "what was cut off does not look complete");
        }
    }

    @Test
    @Tag("D7")
    @Tag("E5")
    @DisplayName("lingerTimeout: a slow reader gets all of a large last response, which the kernel still holds")
    void slowReaderOfTheLastResponse() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.lingerTimeout(Duration.ofMillis(1)));
                var client = new RawClient(server.port(), 4096)) {
            server.on("/large", (request, response) -> response.send(new byte[LARGE]));
            client.send("POST /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n");
            // It reads until the kernel has taken all of the response: from then on the server lingers.
            int read = 0;
            while (server.stats().bytesSent() < LARGE) {
                read += client.readExactly(4096).length;
            }
            assertTrue(read < LARGE, "the kernel holds something");
            // The limit passes more than once: a loop that has nothing else to do turns for nothing but timers.
            long turns = server.stats().turns();
            Await.until(() -> server.stats().turns() >= turns + 5, () -> "time passes: " + server.stats());
            assertEquals(1, server.stats().connectionsOpen());
            byte[] rest = client.rest();
            String head = "HTTP/1.1 200 OK\r\ncontent-length: " + LARGE;
            assertTrue(read + rest.length > LARGE + head.length(), () -> "all of it came: " + rest.length);
            client.end();
            Await.until(() -> server.stats().connectionsOpen() == 0, () -> "it is closed: " + server.stats());
            assertFalse(server.stats().reasons().containsKey("writeTimeout"));
        }
    }

    @Test
    @Tag("E5")
    @DisplayName("lingerTimeout: who takes nothing of the last response is not waited for longer than writeTimeout")
    void stalledReaderOfTheLastResponse() throws Exception {
        try (var server = TestServer.start(
                        backend,
                        builder -> builder.lingerTimeout(Duration.ofMillis(1)).writeTimeout(SHORT));
                var client = new RawClient(server.port(), 4096)) {
            server.on("/large", (request, response) -> response.send(new byte[100_000]));
            client.send("POST /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n");
            LimitsTest.awaitReason(server, "writeTimeout", 1);
            Await.until(() -> server.stats().connectionsOpen() == 0, () -> "it is closed: " + server.stats());
        }
    }

    @Test
    @Tag("E3")
    @DisplayName("a silent peer behind a slow response is not late, also when it has ended its side")
    void silentBehindASlowResponse() throws Exception {
        for (boolean ended : new boolean[] {false, true}) {
            try (var server = TestServer.start(
                            backend,
                            builder -> builder.firstByteTimeout(SHORT)
                                    .headTimeout(SHORT)
                                    .idleTimeout(SHORT)
                                    .bodyTimeout(SHORT)
                                    .writeTimeout(SHORT)
                                    .lingerTimeout(SHORT));
                    RawClient client = server.connect()) {
                server.on(
                        "/slow",
                        (request, response) ->
                                response.eventLoop().schedule(SHORT.multipliedBy(6), () -> response.send("late")));
                client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
                if (ended) {
                    client.end();
                }
                assertEquals("late", client.response().text());
                assertEquals("late", client.response().text());
                client.assertEnd();
                assertEquals(ended ? 0 : 1, server.stats().timeouts());
            }
        }
    }
}
