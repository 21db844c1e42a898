package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;

/** How many connections a server takes, on all of its loops together. */
@OnEachBackend
class ConnectionLimitsTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

    @Parameter
    Backend backend;

    private final List<RawClient> clients = new ArrayList<>();

    @AfterEach
    void closeClients() throws IOException {
        for (RawClient client : clients) {
            client.close();
        }
    }

    private RawClient connect(TestServer server) throws IOException {
        RawClient client = server.connect();
        clients.add(client);
        return client;
    }

    private RawClient connectFrom(TestServer server, String address) throws IOException {
        RawClient client = new RawClient(server.port(), InetAddress.getByName(address));
        clients.add(client);
        return client;
    }

    @Test
    @DisplayName("maxConnections: further ones are accepted when there is room again")
    void maxConnections() throws Exception {
        try (var server = TestServer.start(backend, builder -> builder.maxConnections(2))) {
            RawClient first = connect(server);
            RawClient second = connect(server);
            RawClient third = connect(server);
            assertEquals(200, first.request(GET).status());
            assertEquals(200, second.request(GET).status());
            third.send(GET);
            assertEquals(200, first.request(GET).status());
            assertEquals(2, server.stats().connectionsAccepted());
            first.close();
            assertEquals(200, third.response().status());
            assertEquals(3, server.stats().connectionsAccepted());
            assertEquals(2, server.stats().connectionsOpen());
            assertEquals(0, server.stats().connectionsRefused());
        }
    }

    @Test
    @DisplayName("maxConnections holds for all loops together, and a place that is free on one is found by the others")
    void acrossLoops() throws Exception {
        int most = 5;
        try (var server = TestServer.start(backend, builder -> builder.loops(4).maxConnections(most))) {
            var waiting = new ArrayList<RawClient>();
            for (int i = 0; i < 40; i++) {
                waiting.add(connect(server).send(GET));
            }
            // Each that is answered makes way for another one, on whichever loop that waits.
            while (!waiting.isEmpty()) {
                var answered = new AtomicReference<RawClient>();
                Await.until(
                        () -> waiting.stream().filter(RawClient::isAnswered).anyMatch(client -> {
                            answered.set(client);
                            return true;
                        }),
                        () -> waiting.size() + " are not answered: " + server.stats());
                assertTrue(server.stats().connectionsOpen() <= most, () -> "" + server.stats());
                assertEquals(200, answered.get().response().status());
                answered.get().close();
                waiting.remove(answered.get());
            }
            assertEquals(0, server.stats().connectionsRefused());
            assertEquals(40, server.stats().connectionsAccepted());
        }
    }

    @Test
    @DisplayName("maxConnections: a close of the server serves what waits for its place")
    void closing() throws Exception {
        TestServer server = TestServer.start(backend, builder -> builder.maxConnections(1));
        RawClient first = connect(server);
        assertEquals(200, first.request(GET).status());
        RawClient waits = connect(server).send(GET);
        server.close();
        assertEquals(200, waits.response().status());
        first.assertEnd();
    }

    @Test
    @DisplayName("maxConnectionsPerAddress: a further one is reset, counted and logged; other addresses are served")
    void maxConnectionsPerAddress() throws Exception {
        Logger logger = Logger.getLogger("io.gannet");
        Level before = logger.getLevel();
        logger.setLevel(Level.FINE);
        try (LogCapture log = LogCapture.open();
                var server =
                        TestServer.start(backend, builder -> builder.loops(4).maxConnectionsPerAddress(3))) {
            var taken = new ArrayList<RawClient>();
            for (int i = 0; i < 3; i++) {
                taken.add(connect(server));
                assertEquals(200, taken.get(i).request(GET).status());
            }
            for (long refused = 1; refused <= 5; refused++) {
                assertThrows(SocketException.class, () -> connect(server).request(GET));
                assertEquals(refused, server.stats().connectionsRefused());
            }
            for (int i = 0; i < 3; i++) {
                assertEquals(200, connectFrom(server, "127.0.0.2").request(GET).status());
            }
            assertThrows(
                    SocketException.class,
                    () -> connectFrom(server, "127.0.0.2").request(GET));
            assertEquals(6, server.stats().connectionsOpen());
            Await.until(
                    () -> log.entries().stream()
                            .anyMatch(entry ->
                                    entry.text().contains("too many connections from one address (127.0.0.2)")),
                    () -> "it is logged: " + log.entries());
            taken.get(0).close();
            Await.until(() -> server.stats().connectionsOpen() == 5, () -> "one is gone: " + server.stats());
            assertEquals(200, connect(server).request(GET).status());
        } finally {
            logger.setLevel(before);
        }
    }

    @Test
    @DisplayName("maxConnections: the default leaves descriptors to handlers, however many clients come")
    void floodLeavesDescriptors() throws Exception {
        try (ChildJvm child = ChildJvm.startWithDescriptors(1024, ChildServer.class, backend.name())) {
            int port = Integer.parseInt(child.line());
            RawClient first = new RawClient(port);
            clients.add(first);
            assertEquals("hello", first.request(GET).text());
            for (int i = 0; i < 1100; i++) {
                try {
                    clients.add(new RawClient(port));
                } catch (SocketException reset) {
                    // One too many of those that came at once.
                }
            }
            Await.until(
                    () -> Integer.parseInt(ask(first, "/accepted")) >= 1024 * 7 / 8,
                    () -> "as many as may are accepted: " + ask(first, "/accepted"));
            assertEquals("taken", ask(first, "/take"));
            if (backend == Backend.EPOLL) {
                // With io_uring, the kernel may accept all of a burst before the loop sees any of it.
                assertEquals("0", ask(first, "/accept-failures"));
            }
            assertEquals(String.valueOf(1024 * 7 / 8), ask(first, "/accepted"));
        }
    }

    private static String ask(RawClient client, String path) {
        try {
            return client.request("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
                    .text();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
