package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.HttpException;
import io.gannet.Tunnel;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What comes through a tunnel is read in the ways in which a body is. */
class TunnelInputTest extends VersionsTest {
    private static final String UPGRADE =
            "GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: raw\r\nContent-Type: text/plain;"
                    + " charset=utf-16\r\n\r\n";

    private static CompletableFuture<Tunnel> opened() {
        var opened = new CompletableFuture<Tunnel>();
        server.on("/tunnel", (request, response) -> opened.complete(upgrade(response, "raw")));
        return opened;
    }

    private static Throwable cause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && !(cause instanceof HttpException)) {
            cause = cause.getCause();
        }
        return cause;
    }

    @ParameterizedTest(name = "F1: {0}: what comes behind the head and later is read up to the end")
    @EnumSource
    @Tag("F1")
    void readToEnd(BodyWay way) throws Exception {
        CompletableFuture<Tunnel> opened = opened();
        try (Client client = connect()) {
            client.send(UPGRADE + "hello, ");
            assertUpgraded(client);
            Tunnel tunnel = Await.result(opened);
            CompletableFuture<BodyWay.Sum> read = way.read(tunnel.input());
            for (byte octet : "world".getBytes(ISO_8859_1)) {
                server.sendAndAwait(client, new byte[] {octet});
            }
            assertFalse(read.isDone());
            client.end();
            BodyWay.Sum sum = Await.result(read);
            assertTrue(BodyWay.Sum.of("hello, world".getBytes(ISO_8859_1)).isSame(sum), sum::toString);
            assertThrows(IllegalStateException.class, tunnel.input()::bytes);
            assertEquals(0, tunnel.input().trailers().size());
            tunnel.output().end();
            client.assertEnd();
        }
    }

    @ParameterizedTest(name = "{0}: a reset fails the reading")
    @EnumSource
    void reset(BodyWay way) throws Exception {
        CompletableFuture<Tunnel> opened = opened();
        try (Client client = connect()) {
            client.send(UPGRADE + "hello");
            assertUpgraded(client);
            CompletableFuture<BodyWay.Sum> read = way.read(Await.result(opened).input());
            client.reset();
            Throwable failure = Await.result(read.handle((sum, thrown) -> thrown));
            assertNotNull(failure, "the input came to a clean end");
            assertInstanceOf(HttpException.class, cause(failure), () -> String.valueOf(failure));
        }
    }

    @ParameterizedTest(name = "{0}: what has come is read even when both sides have ended")
    @EnumSource
    void readAfterEnd(BodyWay way) throws Exception {
        CompletableFuture<Tunnel> opened = opened();
        try (Client client = connect()) {
            client.send(UPGRADE);
            assertUpgraded(client);
            Tunnel tunnel = Await.result(opened);
            server.sendAndAwait(client, "goodbye, ".getBytes(ISO_8859_1));
            server.sendAndAwait(client, "world".getBytes(ISO_8859_1));
            tunnel.output().end();
            client.assertEnd();
            client.end();
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchange is over");
            BodyWay.Sum sum = Await.result(way.read(tunnel.input()));
            assertTrue(BodyWay.Sum.of("goodbye, world".getBytes(ISO_8859_1)).isSame(sum), sum::toString);
            assertEquals(0, server.stats().blocksLent());
        }
    }

    @Test
    @DisplayName("an unread tunnel stops the client, and reading it lets the client go on")
    @Tag("B22")
    void stopsUntilRead() throws Exception {
        int length = 20 << 20;
        CompletableFuture<Tunnel> opened = opened();
        try (Client client = connect();
                Client other = connect()) {
            client.send(UPGRADE);
            assertUpgraded(client);
            Tunnel tunnel = Await.result(opened);
            long before = server.stats().bytesReceived();
            var sending = CompletableFuture.runAsync(
                    () -> {
                        try {
                            client.send(new byte[length]).end();
                        } catch (IOException failure) {
                            throw new AssertionError(failure);
                        }
                    },
                    BodyWay.threads());
            Await.until(() -> server.stats().bytesReceived() - before >= 65536, () -> "the credit is used up");
            for (int i = 0; i < 100; i++) {
                other.request("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
            }
            assertTrue(server.stats().bytesReceived() - before < 2 << 20);
            assertEquals(length, Await.result(tunnel.input().discard()));
            Await.result(sending);
            tunnel.output().end();
            client.assertEnd();
        }
        server.forgetSeen();
    }
}
