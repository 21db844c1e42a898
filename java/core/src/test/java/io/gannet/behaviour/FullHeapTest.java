package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gannet.Backend;
import io.gannet.HttpServer;
import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;

/** A heap that bodies fill up costs those bodies, not the server. */
@OnEachBackend
class FullHeapTest {
    private static final int BODY = 300_000_000;
    private static final byte[] PIECE = "b".repeat(1_000_000).getBytes(UTF_8);

    @Parameter
    Backend backend;

    /** A server that takes larger bodies than its heap of 256 MB has room for. */
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) throws Exception {
            HttpServer server = HttpServer.builder()
                    .listen("127.0.0.1", 0)
                    .backend(Backend.valueOf(arguments[0]))
                    .loops(1)
                    .maxBufferedBodyBytes(1_000_000_000)
                    .handler((request, response) -> {
                        switch (request.path()) {
                            case "/bytes" -> request.body().bytes().thenAccept(response::send);
                            case "/text" ->
                                request.body()
                                        .text()
                                        .whenComplete((body, failure) ->
                                                response.status(507).send());
                            default -> response.send("hello");
                        }
                    })
                    .start();
            System.out.println(server.port());
            server.join();
        }
    }

    @Test
    @DisplayName("a body for which there is no memory is 503, or what its handler says, and the server goes on")
    void noMemoryForBodies() throws Exception {
        try (ChildJvm child = ChildJvm.start(Program.class, backend.name())) {
            int port = Integer.parseInt(child.line());
            assertEquals(503, upload(port, "/bytes"));
            assertEquals(507, upload(port, "/text"));
            try (RawClient client = new RawClient(port)) {
                assertEquals(
                        "hello",
                        client.request("GET / HTTP/1.1\r\nHost: x\r\n\r\n").text());
            }
        }
    }

    private static int upload(int port, String path) throws Exception {
        try (RawClient client = new RawClient(port)) {
            client.send("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + BODY + "\r\n\r\n");
            var sender = new Thread(() -> {
                try {
                    for (int sent = 0; sent < BODY; sent += PIECE.length) {
                        client.send(PIECE);
                    }
                } catch (IOException refused) {
                    // The server does not read what it has no memory for.
                }
            });
            sender.setDaemon(true);
            sender.start();
            return client.response().status();
        }
    }
}
