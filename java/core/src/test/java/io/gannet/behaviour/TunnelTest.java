package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.CloseReason;
import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.HttpVersion;
import io.gannet.Tunnel;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Connections that are taken over from HTTP. */
class TunnelTest extends VersionsTest {
    private static final String UPGRADE =
            "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: other, Echo/1\r\n\r\n";
    private static final String CONNECT = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n";
    private static final String GET = "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n";

    private final ExecutorService pool = Executors.newCachedThreadPool();

    @AfterEach
    void shutDown() {
        pool.shutdownNow();
    }

    private TestServer start() throws Exception {
        return TestServer.start(backend, builder -> withTunnels(builder).connectMethod(true));
    }

    /** Sends back what comes, and ends when that ends, without a thread. */
    private static void echo(Tunnel tunnel) {
        tunnel.output().writeAll(tunnel.input().publisher()).whenComplete((done, failure) -> {
            if (failure != null) {
                tunnel.abort();
            }
        });
    }

    /** The same with a thread that blocks. */
    private static void echoBlocking(Tunnel tunnel) throws Exception {
        try (InputStream input = tunnel.input().inputStream();
                OutputStream output = tunnel.output().outputStream()) {
            // a tunnel's stream gathers nothing: no flush is needed
            input.transferTo(output);
        }
    }

    private static void awaitNone(TestServer server) {
        Await.until(
                () -> server.stats().exchangesOpen() == 0
                        && server.stats().tunnelsOpen() == 0
                        && server.stats().blocksLent() == 0,
                () -> "tunnels are gone: " + server.stats());
    }

    @Test
    @Tag("F1")
    @Tag("C10")
    @DisplayName("F1, C10: 101 for a protocol that was offered, then the raw bytes, with those behind the head")
    @Over(HttpVersion.HTTP_1_1)
    void upgrade() throws Exception {
        try (var server = start().on("/echo", (request, response) -> {
                    assertTrue(request.offersUpgrade("echo/1") && request.offersUpgrade("other"));
                    assertFalse(request.offersUpgrade("echo") || request.offersUpgrade(""));
                    response.addField("Note", "1");
                    echo(response.upgrade("Echo/1"));
                });
                RawClient client = server.connect()) {
            client.send(UPGRADE + "GET / HTTP/1.1\r\n\r\n");
            RawResponse response = client.response();
            assertEquals(101, response.status());
            assertEquals("Echo/1", response.field("upgrade"));
            assertEquals("upgrade", response.field("connection").toLowerCase(java.util.Locale.ROOT));
            assertEquals("1", response.field("note"));
            assertNull(response.field("content-length"));
            assertNull(response.field("transfer-encoding"));
            assertEquals("GET / HTTP/1.1\r\n\r\n", new String(client.readExactly(18), ISO_8859_1));
            assertEquals(1, server.stats().tunnelsOpen());
            client.send("more");
            assertEquals("more", new String(client.readExactly(4), ISO_8859_1));
            client.send("last").end();
            assertEquals("last", new String(client.rest(), ISO_8859_1));
            awaitNone(server);
        }
    }

    @Test
    @Tag("F1")
    @DisplayName("F1: an upgrade request cut at every byte, with the first bytes of the tunnel")
    @Over(HttpVersion.HTTP_1_1)
    void split() throws Exception {
        try (var server = start().on("/echo", (request, response) -> echo(response.upgrade("Echo/1")))) {
            byte[] bytes = (UPGRADE + "tunnel").getBytes(ISO_8859_1);
            for (int at = 1; at < bytes.length; at++) {
                try (RawClient client = server.connect()) {
                    server.sendSplit(client, bytes, at);
                    assertEquals(101, client.response().status());
                    assertEquals("tunnel", new String(client.readExactly(6), ISO_8859_1));
                    client.end();
                    client.assertEnd();
                }
            }
            awaitNone(server);
        }
    }

    @Test
    @Tag("F1")
    @DisplayName("F1: what was not offered, HTTP/1.0, and a body that was not read are refused in words")
    @Over(HttpVersion.HTTP_1_1)
    void refused() throws Exception {
        var message = new CompletableFuture<String>();
        Handler tries = (request, response) -> {
            RuntimeException refused = assertThrows(RuntimeException.class, () -> response.upgrade("Echo/1"));
            response.send(refused.getClass().getSimpleName() + " " + refused.getMessage());
        };
        try (var server = start().on("/echo", tries);
                RawClient client = server.connect()) {
            String text = client.request(UPGRADE.replace("Echo/1", "echo/2")).text();
            assertTrue(text.startsWith("IllegalArgumentException") && text.contains("Echo/1"), text);
            text = client.request(UPGRADE.replace("Connection: upgrade\r\n", ""))
                    .text();
            assertTrue(text.startsWith("IllegalArgumentException"), text);
            text = client.request(UPGRADE.replace("HTTP/1.1\r\n", "HTTP/1.1\r\nContent-Length: 3\r\n"))
                    .text();
            assertTrue(text.startsWith("IllegalStateException") && text.contains("body"), text);
            client.send("abc");
        }
        try (var server = start().on("/echo", tries);
                RawClient client = server.connect()) {
            String text =
                    client.request(UPGRADE.replace("HTTP/1.1", "HTTP/1.0")).text();
            assertTrue(text.startsWith("IllegalArgumentException"), text);
            client.assertEnd();
        }
        assertFalse(message.isDone());
    }

    @Test
    @Tag("F1")
    @DisplayName("F1: after its body and the 100 that it expects, a request may be upgraded")
    @Over(HttpVersion.HTTP_1_1)
    void afterBody() throws Exception {
        try (var server = start().on(
                                "/echo",
                                (request, response) -> request.body()
                                        .text()
                                        .thenAccept(text -> {
                                            response.addField("Got", text);
                                            echo(response.upgrade("Echo/1"));
                                        })
                                        .whenComplete((done, failure) -> {
                                            if (failure != null) {
                                                response.fail(failure);
                                            }
                                        }));
                RawClient client = server.connect()) {
            client.send(UPGRADE.replace("Host: x\r\n", "Host: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"));
            assertEquals("HTTP/1.1 100 Continue\r\n\r\n", new String(client.readExactly(25), ISO_8859_1));
            client.send("abc" + "tunnel");
            RawResponse response = client.response();
            assertEquals(101, response.status());
            assertEquals("abc", response.field("got"));
            assertEquals("tunnel", new String(client.readExactly(6), ISO_8859_1));
            client.end();
            client.assertEnd();
            awaitNone(server);
        }
    }

    @Test
    @Tag("F3")
    @DisplayName("F3: an offer that nobody takes up is answered as usual, and what follows is the next request")
    @Over(HttpVersion.HTTP_1_1)
    void ignored() throws Exception {
        try (var server = start().on("/echo", (request, response) -> response.send("no, thanks"));
                RawClient client = server.connect()) {
            client.send(UPGRADE + GET + UPGRADE + GET);
            assertEquals("no, thanks", client.response().text());
            assertEquals(200, client.response().status());
            assertEquals("no, thanks", client.response().text());
            assertEquals(200, client.response().status());
        }
    }

    @Test
    @Tag("F2")
    @Tag("C9")
    @DisplayName("F2, C9: CONNECT is answered with 2xx without framing fields, then raw bytes go both ways")
    @Over(HttpVersion.HTTP_1_1)
    void connectMethod() throws Exception {
        try (var server = start();
                RawClient client = server.connect()) {
            server.on("", (request, response) -> {
                assertEquals("example.com:443", request.target());
                assertEquals("example.com:443", request.authority());
                assertEquals("", request.path());
                assertNull(request.query());
                assertEquals("http", request.scheme());
                assertThrows(IllegalArgumentException.class, () -> response.upgrade("x"));
                response.addField("Content-Length", "3");
                String refused = assertThrows(IllegalStateException.class, response::acceptConnect)
                        .getMessage();
                assertTrue(refused.contains("Content-Length"), refused);
                response.removeField("Content-Length").addField("Transfer-Encoding", "chunked");
                assertThrows(IllegalStateException.class, response::acceptConnect);
                response.removeField("Transfer-Encoding");
                echo(response.acceptConnect());
            });
            client.send(CONNECT + "first");
            String head = "";
            while (!head.endsWith("\r\n\r\n")) {
                head += new String(client.readExactly(1), ISO_8859_1);
            }
            assertTrue(head.startsWith("HTTP/1.1 200 "), head);
            String lower = head.toLowerCase(java.util.Locale.ROOT);
            assertFalse(lower.contains("content-length") || lower.contains("transfer-encoding"), head);
            assertEquals("first", new String(client.readExactly(5), ISO_8859_1));
            client.end();
            client.assertEnd();
            awaitNone(server);
        }
    }

    @Test
    @Tag("F2")
    @DisplayName("F2: a CONNECT that is refused leaves an ordinary connection; without connectMethod it is 501")
    void connectRefused() throws Exception {
        try (var server = start().on(
                                "", (request, response) -> response.status(403).send("not there"));
                Client client = connect(server)) {
            assertEquals("not there", client.request(CONNECT).text());
            assertEquals(200, client.request(GET).status());
        }
        try (var server = TestServer.start(backend);
                Client client = connect(server)) {
            assertEquals(501, client.request(CONNECT).status());
            assertEquals(0, server.handled());
            if (!isHttp2()) {
                server.assertRefused(501, CONNECT);
            }
        }
    }

    @Test
    @DisplayName("acceptConnect for another method is refused in words")
    void notConnect() throws Exception {
        try (var server = start().on("/plain", (request, response) -> {
                    String refused = assertThrows(IllegalStateException.class, response::acceptConnect)
                            .getMessage();
                    assertTrue(refused.contains("CONNECT"), refused);
                    response.send("refused");
                });
                Client client = connect(server)) {
            assertEquals("refused", client.request(GET).text());
        }
    }

    @Test
    @DisplayName("each way of a tunnel has an end of its own")
    void halves() throws Exception {
        var opened = new CompletableFuture<Tunnel>();
        try (var server = start().on("/echo", (request, response) -> opened.complete(upgrade(response, "Echo/1")));
                Client client = connect(server)) {
            client.send(UPGRADE);
            assertUpgraded(client);
            Tunnel tunnel = Await.result(opened);
            Await.result(tunnel.output().write("bye"));
            tunnel.output().end();
            assertEquals("bye", new String(client.rest(), ISO_8859_1));
            client.send("still ").send("here").end();
            assertEquals("still here", Await.result(tunnel.input().text()));
            awaitNone(server);
            assertThrows(IllegalStateException.class, () -> tunnel.output().write("more"));
        }
    }

    @Test
    @DisplayName("a tunnel that is aborted is reset, and both ways say so")
    void aborted() throws Exception {
        var opened = new CompletableFuture<Tunnel>();
        try (var server = start().on("/echo", (request, response) -> opened.complete(upgrade(response, "Echo/1")));
                Client client = connect(server)) {
            client.send(UPGRADE);
            assertUpgraded(client);
            Tunnel tunnel = Await.result(opened);
            CompletableFuture<byte[]> reading = tunnel.input().bytes();
            tunnel.abort();
            tunnel.abort();
            assertThrows(Exception.class, client::rest);
            assertThrows(Exception.class, () -> Await.result(reading));
            awaitNone(server);
        }
    }

    @Test
    @DisplayName("a client that resets its tunnel is told to both ways")
    void reset() throws Exception {
        var opened = new CompletableFuture<Tunnel>();
        try (var server = start().on("/echo", (request, response) -> opened.complete(upgrade(response, "Echo/1")))) {
            Client client = connect(server).send(UPGRADE);
            assertUpgraded(client);
            Tunnel tunnel = Await.result(opened);
            CompletableFuture<byte[]> reading = tunnel.input().bytes();
            client.reset();
            assertThrows(Exception.class, () -> Await.result(reading));
            assertThrows(Exception.class, () -> Await.result(tunnel.output().write("x")));
            awaitNone(server);
        }
    }

    @Test
    @DisplayName("a tunnel without a byte is ended after its idle time")
    void idle() throws Exception {
        var ended = new CompletableFuture<CloseReason>();
        try (var server = TestServer.start(
                        backend, builder -> withTunnels(builder).tunnelIdleTimeout(Duration.ofMillis(100)))
                .on("/echo", (request, response) -> {
                    request.connection().onClose(ended::complete);
                    echo(upgrade(response, "Echo/1"));
                })) {
            try (Client client = connect(server)) {
                client.send(UPGRADE + "x");
                assertUpgraded(client);
                assertThrows(java.net.SocketException.class, client::rest);
            }
            awaitNone(server);
            assertEquals(1, server.stats().timeouts());
            assertEquals(1, server.stats().reasons().get("tunnelTimeout"));
            // what ends is the stream, over HTTP/2
            assertEquals(
                    isHttp2() ? CloseReason.Kind.CLOSED : CloseReason.Kind.TIMEOUT,
                    Await.result(ended).kind());
        }
    }

    @Test
    @Tag("D6")
    @DisplayName("D6: a closing server leaves tunnels alone until its deadline")
    void gracefulClose() throws Exception {
        TestServer server = start().on("/echo", (request, response) -> echo(upgrade(response, "Echo/1")));
        try (Client client = connect(server);
                Client other = connect(server)) {
            client.send(UPGRADE);
            other.send(UPGRADE);
            assertUpgraded(client);
            assertUpgraded(other);
            CompletableFuture<Void> closed = server.server().closeAsync(Duration.ofSeconds(Await.SECONDS));
            client.send("still there");
            assertEquals("still there", new String(client.readExactly(11), ISO_8859_1));
            assertFalse(closed.isDone());
            client.end();
            client.assertEnd();
            server.server().closeAsync(Duration.ZERO);
            assertThrows(java.net.SocketException.class, other::rest);
            Await.result(closed);
        } finally {
            server.close();
        }
    }

    @Test
    @DisplayName("a tunnel that everybody has forgotten is ended")
    void forgotten() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server = start().on("/echo", (request, response) -> upgrade(response, "Echo/1"));
                Client client = connect(server)) {
            client.send(UPGRADE + "unread");
            assertUpgraded(client);
            Await.until(
                    () -> {
                        System.gc();
                        return server.server().stats().handlerFailures() == 1;
                    },
                    () -> "the garbage collector finds it");
            assertThrows(java.net.SocketException.class, client::rest);
            awaitNone(server);
            assertEquals(1, log.warnings().size());
        }
    }

    private void assertMuch(TestServer server) throws Exception {
        byte[] bytes = new byte[5_000_000];
        new Random(1).nextBytes(bytes);
        try (Client client = connect(server)) {
            client.send(UPGRADE);
            assertUpgraded(client);
            CompletableFuture<Void> sent = CompletableFuture.runAsync(
                    () -> {
                        try {
                            client.send(bytes).end();
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    },
                    pool);
            assertArrayEquals(bytes, client.rest());
            sent.get(Await.SECONDS, TimeUnit.SECONDS);
        }
        awaitNone(server);
    }

    @Test
    @DisplayName("5 MB each way come through whole, on the loop and with blocking streams")
    void much() throws Exception {
        try (var server = start().on("/echo", (request, response) -> echo(upgrade(response, "Echo/1")))) {
            assertMuch(server);
        }
        Handler blocking =
                Dispatch.executor(pool).wrap((request, response) -> echoBlocking(upgrade(response, "Echo/1")));
        try (var server = start().on("/echo", blocking)) {
            assertMuch(server);
        }
    }

    @Test
    @DisplayName(
            "a tunnel whose input nobody reads stops its client, and one whose client does not read stops its writer")
    void backPressure() throws Exception {
        var opened = new CompletableFuture<Tunnel>();
        try (var server = start().on("/echo", (request, response) -> opened.complete(upgrade(response, "Echo/1")));
                Client client = connect(server)) {
            client.send(UPGRADE);
            assertUpgraded(client);
            Tunnel tunnel = Await.result(opened);
            var sent = new AtomicLong();
            byte[] piece = new byte[65536];
            CompletableFuture<Void> sending = CompletableFuture.runAsync(
                    () -> {
                        try {
                            for (int i = 0; i < 1000; i++) {
                                client.send(piece);
                                sent.addAndGet(piece.length);
                            }
                            client.end();
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    },
                    pool);
            Await.until(() -> server.stats().bytesReceived() > 65536, () -> "the client sends");
            long received = server.stats().bytesReceived();
            Await.until(() -> server.stats().blocksLent() > 0, () -> "bytes wait");
            // over HTTP/2 as much as the window says
            assertTrue(received < 1_200_000, () -> "received without a reader: " + received);
            assertFalse(sending.isDone());
            var written = new AtomicLong();
            CompletableFuture<Void> writing = CompletableFuture.runAsync(
                    () -> {
                        try {
                            for (int i = 0; i < 1000; i++) {
                                tunnel.output()
                                        .write(new byte[65536])
                                        .toCompletableFuture()
                                        .get(60, TimeUnit.SECONDS);
                                written.addAndGet(65536);
                            }
                            tunnel.output().end();
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    },
                    pool);
            Await.until(() -> written.get() > 0, () -> "the writer writes");
            assertFalse(writing.isDone());
            assertEquals(65_536_000L, tunnel.input().discard().get(60, TimeUnit.SECONDS));
            sending.get(60, TimeUnit.SECONDS);
            assertEquals(65_536_000, client.rest().length);
            writing.get(60, TimeUnit.SECONDS);
            awaitNone(server);
        }
    }
}
