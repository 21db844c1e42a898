package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.gannet.Backend;
import io.gannet.Dispatch;
import io.gannet.HttpServer;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A tunnel carries a protocol that others have written both ends of: the JDK's WebSocket client, and Netty's frames. */
@Tag("F1")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class WebSocketTest {
    private static final int MESSAGES = 10_000;
    private static final int SECONDS = 60;

    @ParameterizedTest
    @MethodSource("io.gannet.examples.RunningExample#modes")
    void tenThousandMessagesBothWays(String backend, String where) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        Dispatch dispatch = switch (where) {
            case "virtual" -> Dispatch.virtualThreads();
            case "pool" -> Dispatch.executor(pool);
            default -> Dispatch.loop();
        };
        try (HttpServer server = HttpServer.builder()
                .listen("127.0.0.1", 0)
                .backend(Backend.valueOf(backend.toUpperCase(Locale.ROOT)))
                .dispatch(dispatch)
                .closeDeadline(Duration.ZERO)
                .handler(new WebSocketEcho(!where.equals("loop")))
                .start()) {
            exchange(server.port());
            assertEquals(0, server.stats().handlerFailures());
        } finally {
            pool.shutdownNow();
        }
    }

    private static void exchange(int port) throws Exception {
        var received = new Received();
        WebSocket socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .connectTimeout(Duration.ofSeconds(SECONDS))
                .buildAsync(URI.create("ws://127.0.0.1:" + port + "/"), received)
                .get(SECONDS, TimeUnit.SECONDS);
        CompletableFuture<Void> sent = CompletableFuture.runAsync(
                () -> {
                    for (int i = 0; i < MESSAGES; i++) {
                        // waits until the client's socket takes it: many are under way at a time
                        socket.sendBinary(ByteBuffer.wrap(message(i)), true).join();
                    }
                },
                RunningExample::onOwnThread);
        for (int i = 0; i < MESSAGES; i++) {
            byte[] echo = received.messages.poll(SECONDS, TimeUnit.SECONDS);
            assertNull(received.failure, "after " + i + " messages");
            assertArrayEquals(message(i), echo, "message " + i);
        }
        sent.get(SECONDS, TimeUnit.SECONDS);

        socket.sendText("first, ", false)
                .thenCompose(done -> socket.sendText("second", true))
                .join();
        assertEquals("first, second", new String(received.messages.poll(SECONDS, TimeUnit.SECONDS), UTF_8));
        socket.sendPing(ByteBuffer.wrap(new byte[] {1, 2})).join();
        assertArrayEquals(new byte[] {1, 2}, received.messages.poll(SECONDS, TimeUnit.SECONDS));
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "done").join();
        assertEquals("1000 done", received.closed.get(SECONDS, TimeUnit.SECONDS));
    }

    /** Of all three encodings of a length, and one that does not fit into a block of the loop. */
    private static byte[] message(int index) {
        var random = new Random(index);
        int length = index % 1000 == 0 ? 100_000 : index % 50 == 0 ? 3_000 : index % 120;
        var bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** What the client was sent: whole messages, and what a pong has. */
    private static final class Received implements WebSocket.Listener {
        final LinkedBlockingQueue<byte[]> messages = new LinkedBlockingQueue<>();
        final CompletableFuture<String> closed = new CompletableFuture<>();
        volatile Throwable failure;

        private final ByteArrayOutputStream binary = new ByteArrayOutputStream();
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
            var bytes = new byte[part.remaining()];
            part.get(bytes);
            binary.writeBytes(bytes);
            if (last) {
                messages.add(binary.toByteArray());
                binary.reset();
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                messages.add(text.toString().getBytes(UTF_8));
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onPong(WebSocket socket, ByteBuffer content) {
            var bytes = new byte[content.remaining()];
            content.get(bytes);
            messages.add(bytes);
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
            closed.complete(status + " " + reason);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable thrown) {
            failure = thrown;
            closed.completeExceptionally(thrown);
        }
    }
}
