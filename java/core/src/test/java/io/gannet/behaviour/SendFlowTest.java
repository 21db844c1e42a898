package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.LoopStats;
import io.gannet.OutgoingBody;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A client that does not read stops the writer, with a bounded number of bytes in between; and lets it go on. */
class SendFlowTest extends VersionsTest {
    private static final int PIECE = 50_000;
    private static final String GET = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n";

    /** What the kernel may hold between the two, on a loopback with buffers that grow by themselves. */
    private static final long KERNEL = 12L << 20;

    /** What may wait of a response, by default. */
    private static long sendBuffer() {
        return isHttp2() ? 409_600 : 65536;
    }

    /** Writes piece after piece on the loop, as the client takes them. */
    private static final class Writer {
        final AtomicLong written = new AtomicLong();
        final CompletableFuture<Void> ended = new CompletableFuture<>();
        private final OutgoingBody body;
        private final byte[] piece = new byte[PIECE];
        private long left;

        Writer(OutgoingBody body, long bytes) {
            this.body = body;
            left = bytes;
        }

        void go() {
            if (left == 0) {
                body.end();
                ended.complete(null);
                return;
            }
            left -= PIECE;
            body.write(piece).whenComplete((none, failure) -> {
                if (failure == null) {
                    written.addAndGet(PIECE);
                    go();
                } else {
                    ended.completeExceptionally(failure);
                }
            });
        }
    }

    /** When the server has sent nothing more for some of its turns, nobody writes. */
    private static void awaitStop(TestServer one, AtomicLong written) throws Exception {
        long[] last = {-1, -1};
        Await.until(
                () -> {
                    // A task goes through the loop: whatever could be written was, before the second one runs.
                    for (int i = 0; i < 200; i++) {
                        var turn = new CompletableFuture<Void>();
                        one.server().eventLoops().loops().get(0).execute(() -> turn.complete(null));
                        turn.join();
                    }
                    long sent = one.stats().bytesSent();
                    boolean still = last[0] == written.get() && last[1] == sent;
                    last[0] = written.get();
                    last[1] = sent;
                    return still;
                },
                () -> "stops, has written " + written);
    }

    @Test
    @DisplayName("a client that stops stops the writer; one that reads on gets all of it")
    void stops() throws Exception {
        long bytes = 100L * 1_000_000;
        var writer = new CompletableFuture<Writer>();
        server.on("/answer", (request, response) -> {
            Writer one = new Writer(response.addField("Content-Length", String.valueOf(bytes)).stream(), bytes);
            writer.complete(one);
            one.go();
        });
        try (Client client = connectSlowly()) {
            long sentBefore = server.stats().bytesSent();
            client.send(GET);
            Writer one = Await.result(writer);
            awaitStop(server, one.written);
            long sent = server.stats().bytesSent() - sentBefore;
            assertFalse(one.ended.isDone());
            assertTrue(sent < KERNEL, () -> "to a client that does not read: " + sent);
            assertTrue(
                    one.written.get() <= sent + sendBuffer() + PIECE,
                    () -> "written " + one.written + " with " + sent + " sent");
            assertEquals(bytes, client.response().body().length);
            Await.result(one.ended);
        }
    }

    @ParameterizedTest(name = "200 MiB go to a client that reads, and the server needs no more memory for it: {0}")
    @ValueSource(strings = {"loop", "thread"})
    void large(String where) throws Exception {
        int pieces = 4200;
        server.on("/answer", (request, response) -> {
            response.addField("Connection", "close");
            if (where.equals("loop")) {
                new Writer(response.stream(), (long) pieces * PIECE).go();
            } else {
                new Thread(() -> {
                            try (OutputStream stream = response.outputStream()) {
                                for (int i = 0; i < pieces; i++) {
                                    stream.write(new byte[PIECE]);
                                }
                            } catch (Exception failure) {
                                response.fail(failure);
                            }
                        })
                        .start();
            }
        });
        LoopStats before = server.stats();
        long most = 0;
        try (Client client = connect()) {
            client.send(GET);
            long read = 0;
            for (; read < (long) pieces * PIECE; read += 1 << 20) {
                client.readExactly((int) Math.min(1 << 20, (long) pieces * PIECE - read));
                LoopStats now = server.stats();
                most = Math.max(most, now.memoryUsed() + now.arenaTotal());
            }
            byte[] rest = client.rest();
            String end = new String(rest, ISO_8859_1);
            assertTrue(isHttp2() ? end.isEmpty() : end.endsWith("\r\n0\r\n\r\n"));
        }
        long more = most - before.memoryUsed() - before.arenaTotal();
        assertTrue(more < 2 << 20, () -> "memory for one response: " + more);
    }

    @ParameterizedTest(name = "50 clients that stop in the middle of 1 GiB cost less than 32 MiB together: {0}")
    @ValueSource(strings = {"loop", "thread"})
    @Tag("load")
    void manyStop(String where) throws Exception {
        long bytes = 1L << 30;
        int clients = 50;
        var total = new AtomicLong();
        byte[] shared = new byte[PIECE];
        try (TestServer fresh = TestServer.start(backend)) {
            fresh.on("/answer", (request, response) -> {
                response.addField("Content-Length", String.valueOf(bytes));
                OutgoingBody body = response.stream();
                if (where.equals("loop")) {
                    go(body, shared, total);
                } else {
                    Thread thread = new Thread(() -> {
                        try (OutputStream stream = body.outputStream()) {
                            while (true) {
                                stream.write(shared, 0, 8000);
                                total.addAndGet(8000);
                            }
                        } catch (Exception gone) {
                            // The test is through.
                        }
                    });
                    thread.setDaemon(true);
                    thread.start();
                }
            });
            long before = memory(fresh);
            var open = new ArrayList<Client>();
            try {
                for (int i = 0; i < clients; i++) {
                    Client client = connectSlowly(fresh);
                    open.add(client);
                    client.send(GET).readExactly(10_000);
                }
                awaitStop(fresh, total);
                long more = memory(fresh) - before;
                assertTrue(more < 32 << 20, () -> "memory for " + clients + " readers that stopped: " + more);
                long sent = fresh.stats().bytesSent();
                assertTrue(
                        total.get() <= sent + clients * (sendBuffer() + PIECE),
                        () -> "written " + total + " with " + sent + " sent");
            } finally {
                for (Client client : open) {
                    client.reset();
                    client.close();
                }
            }
            Await.until(
                    () -> fresh.stats().exchangesOpen() == 0,
                    () -> fresh.stats().toString());
        }
    }

    private static void go(OutgoingBody body, byte[] piece, AtomicLong total) {
        body.write(piece).thenRun(() -> {
            total.addAndGet(piece.length);
            go(body, piece, total);
        });
    }

    /** What the loops hold, and the heap. */
    private static long memory(TestServer one) {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        LoopStats stats = one.stats();
        return stats.memoryUsed() + stats.arenaTotal() + runtime.totalMemory() - runtime.freeMemory();
    }
}
