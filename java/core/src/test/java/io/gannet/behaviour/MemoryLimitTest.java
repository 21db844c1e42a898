package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.CloseReason;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;

/** How much direct memory a loop takes, and who goes when there is no more. */
@Tag("load")
@OnEachBackend
class MemoryLimitTest {
    private static final long MEBIBYTE = 1 << 20;
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    @Parameter
    Backend backend;

    /** A fresh client. */
    private static String ask(HttpServer server) {
        try (RawClient client = new RawClient(server.port())) {
            return client.request(GET).text();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @DisplayName("maxMemory: clients that do not read fill it, and go; others are served all the while")
    void hostileReaders() throws Exception {
        byte[] large = new byte[20_000_000];
        var firstGone = new CompletableFuture<CloseReason>();
        var hostile = new ArrayList<RawClient>();
        try (EventLoops loops = EventLoops.builder()
                        .backend(backend)
                        .loops(1)
                        .slabs(1)
                        .maxMemory(4 * MEBIBYTE)
                        .start();
                HttpServer server = HttpServer.builder()
                        .eventLoops(loops)
                        .listen("127.0.0.1", 0)
                        .handler((request, response) -> {
                            if (request.path().equals("/large")) {
                                request.connection().onClose(firstGone::complete);
                                response.send(large);
                            } else {
                                response.send("small");
                            }
                        })
                        .start()) {
            for (int i = 0; i < 20; i++) {
                var client = new RawClient(server.port(), 4096);
                hostile.add(client);
                client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(32));
                // So that the arena grows as fast as it is filled.
                for (int asked = 0; asked < 20; asked++) {
                    assertEquals("small", ask(server));
                }
            }
            Await.until(
                    () -> {
                        assertEquals("small", ask(server));
                        assertTrue(loops.stats().arenaTotal() <= 4 * MEBIBYTE, () -> "" + loops.stats());
                        return loops.stats().connectionsEvicted() > 0;
                    },
                    () -> "who does not read goes: " + loops.stats());
            assertEquals(CloseReason.Kind.LIMIT, Await.result(firstGone).kind());
        } finally {
            for (RawClient client : hostile) {
                client.close();
            }
        }
    }

    @Test
    @DisplayName("maxMemory is a whole number of MiB, and no less than the loops begin with")
    void impossible() {
        EventLoops.Builder builder = EventLoops.builder().backend(backend).loops(1);
        assertThrows(IllegalArgumentException.class, () -> builder.maxMemory(0));
        assertThrows(IllegalArgumentException.class, () -> builder.maxMemory(MEBIBYTE + 1));
        assertThrows(IllegalArgumentException.class, () -> builder.maxMemory(4097 * MEBIBYTE));
        builder.slabs(5).maxMemory(4 * MEBIBYTE);
        String message =
                assertThrows(IllegalStateException.class, builder::start).getMessage();
        assertTrue(message.contains("slabs(5)") && message.contains("4194304"), message);
    }
}
