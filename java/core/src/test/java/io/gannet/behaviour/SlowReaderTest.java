package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.OutgoingBody;
import io.gannet.PreparedResponse;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A client that sends several requests at once, ends its side and reads through a tiny buffer or window when the server
 * can send no more gets every kind of response whole, and then the end.
 */
class SlowReaderTest extends VersionsTest {
    private static final int LARGE = 3_000_000;
    private static final byte[] BODY = random();
    private static final byte[] LARGEST_PREPARED = Arrays.copyOf(BODY, 262_144);
    private static final PreparedResponse PREPARED =
            PreparedResponse.builder().body(LARGEST_PREPARED).build();

    private enum Kind {
        SMALL((request, response) -> response.send("small"), "small".getBytes()),
        SIZED((request, response) -> response.send(BODY)),
        PREPARED_ONE((request, response) -> response.send(PREPARED), LARGEST_PREPARED),
        CHUNKED((request, response) -> pieces(response.stream())),
        DECLARED((request, response) -> pieces(response.addField("Content-Length", String.valueOf(LARGE)).stream())),
        PUBLISHED((request, response) -> response.send(published())),
        BEHIND_AN_INTERIM_ONE((request, response) -> {
            response.sendInterim(103);
            response.send(BODY);
        }),
        LATE((request, response) -> response.eventLoop().execute(() -> response.send(BODY))),
        WITHOUT_CONTENT((request, response) -> response.status(204).send(), new byte[0]),
        FAILED((request, response) -> response.fail(new HttpException(418, "no")), "no".getBytes());

        private final Handler handler;
        private final byte[] body;

        Kind(Handler handler) {
            this(handler, BODY);
        }

        Kind(Handler handler, byte[] body) {
            this.handler = handler;
            this.body = body;
        }
    }

    private static byte[] random() {
        byte[] bytes = new byte[LARGE];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    private static void pieces(OutgoingBody body) {
        pieces(body, 0);
    }

    private static void pieces(OutgoingBody body, int at) {
        int next = Math.min(LARGE, at + 70_000);
        body.write(Arrays.copyOfRange(BODY, at, next)).thenRun(() -> {
            if (next < LARGE) {
                pieces(body, next);
            } else {
                body.end();
            }
        });
    }

    private static Buffers published() {
        List<ByteBuffer> buffers = new ArrayList<>();
        for (int at = 0; at < LARGE; at += 50_000) {
            buffers.add(ByteBuffer.wrap(BODY, at, Math.min(50_000, LARGE - at)));
        }
        return new Buffers(buffers);
    }

    private TestServer start(Kind kind) throws IOException {
        return TestServer.start(backend).on("/answer", kind.handler);
    }

    /** Waits until the server has sent nothing more for a while of the loop's own turns. */
    private static void awaitStop(TestServer server) {
        long[] last = {-1};
        Await.until(
                () -> {
                    for (int i = 0; i < 100; i++) {
                        var turn = new CompletableFuture<Void>();
                        server.server().eventLoops().loops().get(0).execute(() -> turn.complete(null));
                        turn.join();
                    }
                    long before = last[0];
                    last[0] = server.stats().bytesSent();
                    return last[0] > 0 && before == last[0];
                },
                () -> "the server sends and stops: " + server.stats());
    }

    @ParameterizedTest(name = "D2, D5, D7: {0}: pipelined, half-closed and read slowly")
    @EnumSource
    @Tag("D2")
    @Tag("D5")
    @Tag("D7")
    void pipelinedAndHalfClosed(Kind kind) throws Exception {
        int count = 3;
        try (var server = start(kind);
                Client client = connectSlowly(server)) {
            client.send("GET /answer HTTP/1.1\r\nHost: x\r\n\r\n".repeat(count));
            if (!isHttp2()) {
                client.end(); // who opens windows cannot end its side
            }
            awaitStop(server);
            for (int i = 0; i < count; i++) {
                RawResponse response = client.response();
                if (response.status() == 103) {
                    response = client.response();
                }
                assertArrayEquals(kind.body, response.body(), "response " + i);
            }
            if (client instanceof Http2Client other) {
                other.endConnection();
            }
            client.assertEnd();
            Await.until(
                    () -> server.stats().connectionsOpen() == 0
                            && server.stats().exchangesOpen() == 0,
                    () -> "the connection ends: " + server.stats());
            assertEquals(0, server.stats().exchangesReset());
        }
    }

    @ParameterizedTest(name = "D7: {0}: to HTTP/1.0, half-closed and read slowly")
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "BEHIND_AN_INTERIM_ONE")
    @Tag("D7")
    @Over(HttpVersion.HTTP_1_1)
    void http10(Kind kind) throws Exception {
        try (var server = start(kind);
                var client = new RawClient(server.port(), 4096)) {
            client.send("GET /answer HTTP/1.0\r\n\r\n").end();
            awaitStop(server);
            RawResponse response = client.response();
            assertTrue(response.closes(), response::toString);
            assertArrayEquals(kind.body, response.body());
            client.assertEnd();
        }
    }
}
