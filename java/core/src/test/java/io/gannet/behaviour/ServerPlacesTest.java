package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;

/** Several handlers, several servers, and connections that come by another way. */
@OnEachBackend
class ServerPlacesTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    @Parameter
    Backend backend;

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static String ask(int port) throws IOException {
        try (RawClient client = new RawClient(port)) {
            return client.request(GET).text();
        }
    }

    @Test
    @DisplayName("an address may have a handler of its own")
    void handlers() throws Exception {
        try (HttpServer server = HttpServer.builder()
                .backend(backend)
                .loops(2)
                .listen(anyPort(), (request, response) -> response.send("one"))
                .listen(anyPort())
                .listen("127.0.0.1", 0, (request, response) -> response.send("three"))
                .handler((request, response) -> response.send("any"))
                .start()) {
            List<InetSocketAddress> addresses = server.addresses();
            assertEquals("one", ask(addresses.get(0).getPort()));
            assertEquals("any", ask(addresses.get(1).getPort()));
            assertEquals("three", ask(addresses.get(2).getPort()));
        }
    }

    @Test
    @DisplayName("where every address has a handler, none is needed for all; where one has not, it is")
    void handlerMissing() throws Exception {
        try (HttpServer server = HttpServer.builder()
                .backend(backend)
                .loops(1)
                .listen(anyPort(), (request, response) -> response.send("one"))
                .start()) {
            assertEquals("one", ask(server.port()));
        }
        HttpServer.Builder builder = HttpServer.builder()
                .backend(backend)
                .listen(anyPort(), (request, response) -> response.send("one"))
                .listen(anyPort());
        assertTrue(assertThrows(IllegalStateException.class, builder::start)
                .getMessage()
                .contains("handler"));
    }

    @Test
    @DisplayName("several servers share loops, and each ends by itself")
    void sharedLoops() throws Exception {
        try (EventLoops loops = EventLoops.builder().backend(backend).loops(2).start()) {
            HttpServer first = HttpServer.builder()
                    .eventLoops(loops)
                    .listen(anyPort(), (request, response) -> response.send("first"))
                    .start();
            try (HttpServer second = HttpServer.builder()
                    .eventLoops(loops)
                    .listen(anyPort(), (request, response) -> response.send("second"))
                    .start()) {
                assertEquals("first", ask(first.port()));
                assertEquals("second", ask(second.port()));
                int port = first.port();
                first.close();
                assertThrows(IOException.class, () -> ask(port));
                assertEquals("second", ask(second.port()));
            }
        }
    }

    @Test
    @DisplayName("a connection inherited from another process is served, and descriptors that are none are refused")
    void adopted(@TempDir Path folder) throws Exception {
        try (var listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            listening.setSoTimeout(Await.SECONDS * 1000);
            List<String> starter = List.of(
                    "bash",
                    "-c",
                    "exec 9<>/dev/tcp/127.0.0.1/" + listening.getLocalPort() + " 8</dev/null && exec \"$@\"",
                    "bash");
            try (ChildJvm child =
                            ChildJvm.startBy(starter, folder.resolve("errors"), AdoptingServer.class, backend.name());
                    Socket socket = listening.accept()) {
                assertEquals("adopted", child.line());
                assertEquals(
                        "java.io.IOException: descriptor 8 cannot be served: ENOTSOCK: not a socket", child.line());
                assertEquals(
                        "java.io.IOException: descriptor 999 cannot be served: EBADF: there is no such descriptor",
                        child.line());
                for (int i = 0; i < 3; i++) {
                    socket.getOutputStream().write(GET.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
                    var line = new StringBuilder();
                    while (line.indexOf("inherited") < 0) {
                        int octet = socket.getInputStream().read();
                        assertTrue(octet >= 0, () -> "the connection ended: " + line);
                        line.append((char) octet);
                    }
                    assertTrue(line.toString().startsWith("HTTP/1.1 200 "), line::toString);
                }
                child.tell("close");
                assertEquals(-1, socket.getInputStream().read());
                assertEquals("java.lang.IllegalStateException: the server is closed", child.line());
                assertEquals(0, child.exit());
            }
        }
    }

    /** Serves descriptor 9. */
    static final class AdoptingServer {
        private AdoptingServer() {}

        public static void main(String[] arguments) throws Exception {
            HttpServer server = HttpServer.builder()
                    .backend(Backend.valueOf(arguments[0]))
                    .loops(2)
                    .listen(anyPort(), (request, response) -> response.send("inherited"))
                    .start();
            server.adopt(9);
            System.out.println("adopted");
            for (int descriptor : new int[] {8, 999}) {
                try {
                    server.adopt(descriptor);
                    System.out.println("adopted " + descriptor);
                } catch (IOException refused) {
                    System.out.println(refused);
                }
            }
            System.in.read();
            server.close();
            try {
                server.adopt(8);
            } catch (IllegalStateException refused) {
                System.out.println(refused);
            }
        }
    }
}
