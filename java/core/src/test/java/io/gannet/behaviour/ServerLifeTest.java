package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Connection;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import io.gannet.Response;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** How a server starts and ends, and what it leaves behind: nothing. */
class ServerLifeTest extends VersionsTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final int SLAB_BYTES = 1 << 20;
    private static final String HELD = "GET /held HTTP/1.1\r\nHost: x\r\n\r\n";

    @Test
    @DisplayName("the backend that was asked for is the one that runs")
    @Over(HttpVersion.HTTP_1_1)
    void backendTaken() throws Exception {
        try (var server = TestServer.start(backend)) {
            assertEquals(backend, server.server().eventLoops().backend());
            assertEquals(1, server.server().eventLoops().loops().size());
        }
    }

    @Test
    @Tag("D6")
    @DisplayName("D6: a graceful close ends idle and unused connections, accepts no more, and finishes what runs")
    void gracefulClose() throws Exception {
        var held = new CompletableFuture<Response>();
        TestServer server = TestServer.start(backend);
        server.on("/held", (request, response) -> held.complete(response));
        var body = new byte[3_000_000];
        try (Client unused = connect(server);
                Client idle = connect(server)) {
            assertEquals(200, idle.request(GET).status());
            CompletableFuture<Void> closed;
            try (Client running = connect(server)) {
                running.send(HELD);
                Response response = Await.result(held);

                closed = server.server().closeAsync(Duration.ofSeconds(30));
                unused.assertEnd();
                idle.assertEnd();
                awaitRefused(server.port());
                assertFalse(closed.isDone(), "closed while a response was in progress");
                assertFalse(server.server().isClosed());

                response.send(body);
                RawResponse last = running.response();
                assertArrayEquals(body, last.body());
                assertCloses(last);
                running.assertEnd();
            }
            Await.result(closed);
            assertTrue(server.server().isClosed());
            server.server().join();
        } finally {
            server.close();
        }
    }

    @Test
    @Tag("D6")
    @DisplayName("D6: at the deadline the close ends what still runs")
    void closeDeadline() throws Exception {
        var held = new CompletableFuture<Response>();
        try (var server = TestServer.start(backend)) {
            server.on("/held", (request, response) -> held.complete(response));
            try (Client client = connect(server)) {
                client.send(HELD);
                Response response = Await.result(held);
                server.server().close(Duration.ofMillis(20));
                assertTrue(server.server().isClosed());
                if (isHttp2()) {
                    client.assertEnd();
                } else {
                    assertEnded(client);
                }
                response.send("too late");
            }
        }
    }

    @Test
    @Tag("D6")
    @DisplayName("D6: a head of which a part has arrived is still served, with Connection: close")
    @Over(HttpVersion.HTTP_1_1)
    void closeWithinHead() throws Exception {
        TestServer server = TestServer.start(backend);
        try (RawClient client = server.connect()) {
            long received = server.stats().bytesReceived();
            client.send(GET.substring(0, 20));
            Await.until(
                    () -> server.stats().bytesReceived() == received + 20, () -> "the server reads the head's part");
            CompletableFuture<Void> closed = server.server().closeAsync(Duration.ofSeconds(30));
            awaitRefused(server.port());
            RawResponse last = client.request(GET.substring(20));
            assertEquals(200, last.status());
            assertTrue(last.closes(), last::toString);
            client.assertEnd();
            client.end();
            Await.result(closed);
        } finally {
            server.close();
        }
    }

    private static void assertEnded(Client client) {
        try {
            assertEquals(0, client.rest().length);
        } catch (SocketTimeoutException e) {
            throw new AssertionError("the connection is still open", e);
        } catch (IOException e) {
            // a reset is an end as well
        }
    }

    @Test
    @DisplayName("one line of the log says where a server listens; it and its loops can be shown")
    @Over(HttpVersion.HTTP_1_1)
    void listening() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server =
                        TestServer.start(backend, builder -> builder.listen(0).loops(2))) {
            List<String> lines = log.entries().stream()
                    .map(LogCapture.Entry::text)
                    .filter(text -> text.startsWith("listening on "))
                    .toList();
            String where = "127.0.0.1:" + server.port() + " and all " + (hasIpv6() ? "" : "IPv4 ") + "addresses, port "
                    + server.server().addresses().get(1).getPort();
            String name = backend.name().toLowerCase(Locale.ROOT);
            assertEquals(List.of("listening on " + where + "; loops 2, backend " + name), lines);
            assertEquals("HttpServer[server on " + where + "]", server.server().toString());
            assertEquals(
                    "EventLoops[loops 2, backend " + backend + "]",
                    server.server().eventLoops().toString());
        }
    }

    @Test
    @DisplayName("a second close does nothing; join returns at once; the port is free again")
    @Over(HttpVersion.HTTP_1_1)
    void closeTwice() throws Exception {
        TestServer server = TestServer.start(backend);
        int port = server.port();
        server.close();
        server.close();
        server.server().close(Duration.ZERO);
        server.server().join();
        assertTrue(server.server().isClosed());
        assertEquals(port, server.port());
        awaitRefused(port);
        try (var again = TestServer.start(backend, builder -> builder.listen("127.0.0.1", port))) {
            assertEquals(2, again.server().addresses().size());
            try (var client = new RawClient(port)) {
                assertEquals(200, client.request(GET).status());
            }
        }
    }

    @EnabledIf("io.gannet.behaviour.TestDispatch#isLoop")
    @Test
    @DisplayName("close() in a handler does not wait for itself; the response still arrives")
    void closeOnLoop() throws Exception {
        try (var server = TestServer.start(backend)) {
            server.on("/held", (request, response) -> {
                server.server().close();
                response.send("last words");
            });
            try (Client client = connect(server)) {
                assertEquals("last words", client.request(HELD).text());
                client.assertEnd();
            }
            server.server().join();
        }
    }

    @Test
    @DisplayName("join waits until another thread closes the server")
    @Over(HttpVersion.HTTP_1_1)
    void join() throws Exception {
        TestServer server = TestServer.start(backend);
        var joined = new CompletableFuture<Void>();
        var waiter = new Thread(() -> {
            try {
                server.server().join();
                joined.complete(null);
            } catch (Throwable e) {
                joined.completeExceptionally(e);
            }
        });
        waiter.start();
        Await.until(() -> waiter.getState() == Thread.State.WAITING, () -> "join waits: " + waiter.getState());
        assertFalse(joined.isDone());
        server.close();
        Await.result(joined);
    }

    @Test
    @DisplayName("several servers share loops: closing one leaves the others, closing the loops ends them all")
    void sharedLoops() throws Exception {
        EventLoops loops = EventLoops.builder().loops(2).backend(backend).start();
        HttpServer one = onLoops(loops, "one");
        HttpServer two = onLoops(loops, "two");
        try (Client first = connect(one.port());
                Client second = connect(two.port())) {
            assertEquals("one", first.request(GET).text());
            assertEquals("two", second.request(GET).text());
            one.close();
            first.assertEnd();
            awaitRefused(one.port());
            assertEquals("two", second.request(GET).text());
            loops.close();
            second.assertEnd();
            assertTrue(two.isClosed());
            two.join();
        } finally {
            loops.close();
        }
    }

    private static HttpServer onLoops(EventLoops loops, String answer) throws IOException {
        return HttpServer.builder()
                .eventLoops(loops)
                .listen("127.0.0.1", 0)
                .handler((request, response) -> response.send(answer))
                .start();
    }

    @Test
    @DisplayName("with several loops connections are shared out among them, and each answers")
    @Over(HttpVersion.HTTP_1_1)
    void severalLoops() throws Exception {
        Set<Object> used = new HashSet<>();
        try (var server = TestServer.start(backend, builder -> builder.loops(3))) {
            server.on("/loop", (request, response) -> {
                synchronized (used) {
                    used.add(request.eventLoop());
                }
                assertEquals(TestDispatch.isLoop(), request.eventLoop().inEventLoop());
                response.send();
            });
            // by the kernel's hash over ports: that 200 connections all meet one loop is as good as impossible
            for (int i = 0; i < 200; i++) {
                try (RawClient client = server.connect()) {
                    assertEquals(
                            200,
                            client.request("GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
                                    .status());
                }
            }
            assertTrue(used.size() > 1, "all connections on one loop of three");
            assertEquals(200, server.stats().connectionsAccepted());
        }
    }

    @Test
    @DisplayName("a server listens on the wildcard, on IPv4 and, where there is one, on the IPv6 loopback, and knows"
            + " both addresses of a connection")
    @Over(HttpVersion.HTTP_1_1)
    void listensOnAll() throws Exception {
        var connections = new LinkedBlockingQueue<Connection>();
        try (var server = HttpServer.builder()
                .listen(0)
                .backend(backend)
                .loops(1)
                .handler((request, response) -> {
                    connections.add(request.connection());
                    response.send("hello");
                })
                .start()) {
            for (String host : new String[] {"127.0.0.1", "::1"}) {
                if (host.equals("::1") && !hasIpv6()) {
                    continue;
                }
                assertServes(server, host, connections);
            }
        }
    }

    @Test
    @DisplayName("a server listens on one address that is not the usual one: on IPv4 and, where there is one, on IPv6")
    @Over(HttpVersion.HTTP_1_1)
    void listensOnOne() throws Exception {
        for (String host : new String[] {"127.0.0.2", "::1"}) {
            if (host.equals("::1") && !hasIpv6()) {
                continue;
            }
            var connections = new LinkedBlockingQueue<Connection>();
            try (var server = HttpServer.builder()
                    .listen(host, 0)
                    .backend(backend)
                    .loops(1)
                    .handler((request, response) -> {
                        connections.add(request.connection());
                        response.send("hello");
                    })
                    .start()) {
                assertServes(server, host, connections);
            }
        }
    }

    private static void assertServes(HttpServer server, String host, Queue<Connection> connections) throws IOException {
        try (var socket = new Socket(host, server.port())) {
            socket.setSoTimeout(Await.SECONDS * 1000);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
            assertTrue(new String(socket.getInputStream().readAllBytes()).endsWith("hello"), host);
            Connection connection = connections.remove();
            assertEquals(socket.getLocalSocketAddress(), connection.remoteAddress());
            assertEquals(socket.getRemoteSocketAddress(), connection.localAddress());
        }
    }

    private static boolean hasIpv6() {
        try (var probe = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
            return probe.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    @DisplayName("a closed server has given back every descriptor, also those of connections that were in use")
    @Over(HttpVersion.HTTP_1_1)
    void descriptors() throws Exception {
        serveAndClose();
        long before = Descriptors.open();
        for (int i = 0; i < 3; i++) {
            serveAndClose();
        }
        Await.until(
                () -> Descriptors.open() <= before,
                () -> Descriptors.open() + " instead of " + before + " descriptors: " + Descriptors.list());
    }

    private void serveAndClose() throws Exception {
        var clients = new ArrayList<RawClient>();
        var held = new CompletableFuture<Response>();
        try (var server = TestServer.start(backend, builder -> builder.loops(2).closeDeadline(Duration.ofMillis(10)))) {
            server.on("/held", (request, response) -> held.complete(response));
            for (int i = 0; i < 20; i++) {
                clients.add(server.connect());
                assertEquals(200, clients.get(i).request(GET).status());
            }
            clients.get(0).send("GET / HTTP/1.1\r\nHo");
            clients.get(1).send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
            clients.get(2).send(HELD);
            clients.get(3).reset();
            Await.result(held);
        } finally {
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    @DisplayName("the slabs of closed servers are given back by a garbage collection")
    @Over(HttpVersion.HTTP_1_1)
    void slabs() throws Exception {
        serveAndClose();
        long before = directMemory();
        for (int i = 0; i < 3; i++) {
            serveAndClose();
        }
        // Not to the byte: the JVM's own sockets keep direct buffers for each thread that used them, and such threads
        // come and go. One slab that stays behind is four times as much as is let pass.
        long most = before + SLAB_BYTES / 4;
        Await.until(
                () -> directMemory() <= most,
                () -> "direct memory of " + directMemory() + " bytes instead of " + before);
    }

    private static long directMemory() {
        System.gc();
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    @Test
    @DisplayName("after all requests no block of the arena is lent, and no exchange is left")
    void nothingLent() throws Exception {
        try (var server = TestServer.start(backend)) {
            try (Client client = connect(server)) {
                for (int i = 0; i < 50; i++) {
                    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n" + "b".repeat(50_000));
                    assertEquals(50_000, client.response().body().length);
                }
                client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nb");
            }
            Await.until(
                    () -> server.stats().connectionsOpen() == 0
                            && server.stats().blocksLent() == 0
                            && server.stats().exchangesOpen() == 0,
                    () -> "everything is given back: " + server.stats());
            assertEquals(0, server.stats().commandsRejected());
        }
    }

    @Test
    @DisplayName("SIGTERM finishes what runs and closes the rest; the JVM ends with 143")
    void terminated() throws Exception {
        try (ChildJvm child = ChildJvm.start(ChildServer.class, backend.name())) {
            int port = Integer.parseInt(child.line());
            try (Client idle = connect(port);
                    Client running = connect(port)) {
                assertEquals(200, idle.request(GET).status());
                running.send(HELD);
                assertEquals("held", child.line());
                child.terminate();
                idle.assertEnd();
                awaitRefused(port);
                child.tell("go on");
                assertEquals("finished", running.response().text());
                running.assertEnd();
            }
            assertEquals(143, child.exit());
        }
    }

    @Test
    @Tag("D13")
    @DisplayName("D13: out of descriptors the server keeps its connections, does not spin, and accepts again later")
    @Over(HttpVersion.HTTP_1_1)
    void outOfDescriptors() throws Exception {
        try (ChildJvm child = ChildJvm.startWithDescriptors(160, ChildServer.class, backend.name(), "0")) {
            int port = Integer.parseInt(child.line());
            var clients = new ArrayList<RawClient>();
            try {
                for (int i = 0; i < 200; i++) {
                    clients.add(new RawClient(port).send(GET));
                }
                RawClient first = clients.get(0);
                assertEquals(200, first.response().status());
                long failures;
                do {
                    failures = acceptFailures(first);
                } while (failures == 0);
                for (int i = 0; i < 300; i++) {
                    failures = acceptFailures(first);
                }
                assertTrue(failures < 300, "accept failed " + failures + " times during 300 requests");

                for (int i = 1; i < 120; i++) {
                    clients.get(i).close();
                }
                for (int i = 120; i < 200; i++) {
                    assertEquals(200, clients.get(i).response().status());
                }
                assertEquals(200, first.request(GET).status());
            } finally {
                for (RawClient client : clients) {
                    client.close();
                }
            }
        }
    }

    @Test
    @Tag("D13")
    @DisplayName("D13: it also accepts again when descriptors become free that are none of its connections")
    @Over(HttpVersion.HTTP_1_1)
    void descriptorsElsewhere() throws Exception {
        try (ChildJvm child = ChildJvm.startWithDescriptors(160, ChildServer.class, backend.name(), "0")) {
            int port = Integer.parseInt(child.line());
            var clients = new ArrayList<RawClient>();
            try (var first = new RawClient(port)) {
                // twice: what the handlers need is loaded when descriptors are short
                for (String path : new String[] {"/take", "/give", "/accepted", "/accept-failures", "/take"}) {
                    assertEquals(
                            200, first.request(GET.replace("/ ", path + " ")).status());
                }
                for (int i = 0; i < 200; i++) {
                    clients.add(new RawClient(port).send(GET));
                }
                while (acceptFailures(first) == 0) {
                    Thread.onSpinWait();
                }
                int accepted = Integer.parseInt(
                        first.request(GET.replace("/ ", "/accepted ")).text());
                assertTrue(accepted < 150, "accepted " + accepted + " connections with 160 descriptors");
                assertEquals("given", first.request(GET.replace("/ ", "/give ")).text());
                // connections wait in order; the first one is not among the clients
                for (int i = 0; i < accepted - 1 + ChildServer.TAKEN / 2; i++) {
                    assertEquals(200, clients.get(i).response().status(), "client " + i + " of " + accepted);
                }
            } finally {
                for (RawClient client : clients) {
                    client.close();
                }
            }
        }
    }

    private static long acceptFailures(RawClient client) throws IOException {
        return Long.parseLong(client.request("GET /accept-failures HTTP/1.1\r\nHost: x\r\n\r\n")
                .text());
    }

    private static void awaitRefused(int port) {
        Await.until(
                () -> {
                    try (var probe = new Socket()) {
                        probe.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
                        return false;
                    } catch (ConnectException refused) {
                        return true;
                    } catch (IOException e) {
                        return false;
                    }
                },
                () -> "port " + port + " accepts no more");
    }
}
