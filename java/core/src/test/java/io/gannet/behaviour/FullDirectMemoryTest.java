package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import io.gannet.Request;
import io.gannet.Response;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;

/** Direct memory that is exhausted costs what would need more of it, for as long as it is. */
@OnEachBackend
class FullDirectMemoryTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final int BODY = 60_000;

    /** More bodies than a slab of 1 MiB has room for. */
    private static final int BODIES = 30;

    /** What the slab has room for, roughly. */
    private static final int LEAST_SERVED = 8;

    @Parameter
    Backend backend;

    /** A server with one slab, and direct memory that leaves no room for another one until it is told to let go. */
    static final class Program {
        private static ByteBuffer ballast;

        private Program() {}

        public static void main(String[] arguments) throws Exception {
            var shortages = new AtomicInteger();
            Logger logger = Logger.getLogger("io.gannet");
            logger.addHandler(counter(shortages));
            ballast = ByteBuffer.allocateDirect(3 << 19);
            var release = new CompletableFuture<Void>();
            EventLoops loops;
            try {
                loops = startLoops(arguments[0]);
            } catch (IOException refused) {
                System.out.println(refused.getMessage());
                long descriptors = Descriptors.open(); // what the JVM keeps for itself is there now
                try {
                    startLoops(arguments[0]);
                } catch (IOException again) {
                    System.out.println(Descriptors.open() - descriptors);
                }
                return;
            }
            HttpServer server = HttpServer.builder()
                    .listen("127.0.0.1", 0)
                    .eventLoops(loops)
                    .handler((request, response) -> {
                        switch (request.path()) {
                            case "/hold" ->
                                release.thenRun(() -> request.eventLoop().execute(() -> count(request, response)));
                            case "/shortages" -> response.send("" + shortages);
                            case "/slabs" ->
                                response.send("" + (request.eventLoop().stats().arenaTotal() >> 20));
                            case "/let-go" -> {
                                ballast = null;
                                response.send();
                            }
                            case "/release" -> {
                                response.send();
                                release.complete(null);
                            }
                            default -> response.send("hello");
                        }
                    })
                    .start();
            System.out.println(server.port());
            server.join();
        }

        private static EventLoops startLoops(String backend) throws IOException {
            return EventLoops.builder()
                    .backend(Backend.valueOf(backend))
                    .loops(1)
                    .slabs(1)
                    .start();
        }

        private static void count(Request request, Response response) {
            request.body().bytes().thenAccept(body -> response.send("" + body.length));
        }

        private static Handler counter(AtomicInteger shortages) {
            return new Handler() {
                @Override
                public void publish(LogRecord line) {
                    if (line.getMessage().contains("MaxDirectMemorySize")) {
                        shortages.incrementAndGet();
                    }
                }

                @Override
                public void flush() {
                    // nothing is held back
                }

                @Override
                public void close() {
                    // nothing is open
                }
            };
        }
    }

    private static ChildJvm start(String limit, Backend backend) throws IOException {
        return ChildJvm.startWithOptions(List.of("-XX:MaxDirectMemorySize=" + limit), Program.class, backend.name());
    }

    private static int number(RawClient client, String path) throws IOException {
        return Integer.parseInt(client.request(GET.replace("/ ", path + " ")).text());
    }

    private static void upload(RawClient client) {
        try {
            client.send("POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: " + BODY + "\r\n\r\n" + "b".repeat(BODY));
        } catch (IOException reset) {
            // isServed says so
        }
    }

    /** Whether the body came whole to its handler; {@code false}: there was no memory even to let it wait. */
    private static boolean isServed(RawClient client) {
        RawResponse response;
        try {
            response = client.response();
        } catch (IOException reset) {
            return false;
        }
        assertEquals(BODY + "", response.text());
        return true;
    }

    @Test
    @DisplayName("without direct memory for a slab the server goes on, says so now and then, and recovers")
    void noMemoryForASlab() throws Exception {
        try (ChildJvm child = start("4m", backend)) {
            int port = Integer.parseInt(child.line());
            var uploads = new ArrayList<RawClient>();
            try (var client = new RawClient(port)) {
                for (int i = 0; i < BODIES; i++) {
                    uploads.add(new RawClient(port));
                    upload(uploads.get(i));
                }
                int shortages;
                int requests = 0;
                do {
                    shortages = number(client, "/shortages");
                    requests++;
                } while (shortages < 2 || requests < 300);
                assertTrue(shortages < requests, shortages + " lines in the log during " + requests + " requests");
                assertEquals("hello", client.request(GET).text());
                assertEquals(1, number(client, "/slabs"));

                assertEquals(200, client.request(GET.replace("/ ", "/let-go ")).status());
                while (number(client, "/slabs") < 2) {
                    Thread.onSpinWait();
                }
                assertEquals(200, client.request(GET.replace("/ ", "/release ")).status());
                int served = 0;
                for (RawClient upload : uploads) {
                    served += isServed(upload) ? 1 : 0;
                }
                assertTrue(served >= LEAST_SERVED, "served " + served + " bodies");
                try (var later = new RawClient(port)) {
                    upload(later);
                    assertTrue(isServed(later));
                }
            } finally {
                for (RawClient upload : uploads) {
                    upload.close();
                }
            }
        }
    }

    @Test
    @DisplayName("a server for which there is no direct memory at all does not start, says why and leaves nothing")
    void noMemoryToStart() throws Exception {
        try (ChildJvm child = start("3m", backend)) {
            String message = child.line();
            assertTrue(message.contains("no direct memory"), message);
            assertTrue(message.contains("MaxDirectMemorySize"), message);
            assertEquals("0", child.line());
            assertEquals(0, child.exit());
        }
    }
}
