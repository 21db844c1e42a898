package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Dispatch;
import io.gannet.Field;
import io.gannet.PreparedResponse;
import io.gannet.Request;
import io.gannet.Tunnel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** A virtual thread that waits within Gannet lets go of its carrier: the JVM records no pinned one under a load of waits. */
class PinningTest extends VersionsTest {
    private static final int CLIENTS = 8;
    private static final int ROUNDS = 2;
    /** More than a kernel holds for a client with so small a receive buffer. */
    private static final int LARGE = 12 << 20;

    private static final byte[] PIECE = bytes(10_000);

    private final ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    private final Map<String, Thread> handlers = new ConcurrentHashMap<>();
    private final AtomicInteger names = new AtomicInteger();
    private final AtomicInteger brokenOff = new AtomicInteger();
    private final AtomicInteger interrupted = new AtomicInteger();

    @AfterEach
    void shutDown() {
        clients.shutdownNow();
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @Test
    @Tag("load")
    @DisplayName("no wait for a body, a client or a tunnel pins a virtual thread")
    @EnabledForJreRange(min = JRE.JAVA_21)
    void noPinnedThread() throws Exception {
        try (var server = startVirtual()) {
            // Without a record: a class that is loaded or initialised holds its thread whatever the library does.
            load(server, 1);
            BlockingQueue<RecordedEvent> events = new LinkedBlockingQueue<>();
            List<String> pinned = new ArrayList<>();
            try (var stream = new RecordingStream()) {
                stream.enable("jdk.VirtualThreadPinned")
                        .withThreshold(Duration.ZERO)
                        .withStackTrace();
                stream.onEvent("jdk.VirtualThreadPinned", events::add);
                stream.setReuse(false);
                stream.startAsync();
                load(server, ROUNDS);
                int resets = CLIENTS * (1 + ROUNDS);
                Await.until(() -> brokenOff.get() == 2 * resets, () -> "streams that broke off: " + brokenOff);
                Await.until(() -> interrupted.get() == resets, () -> "handlers that were interrupted: " + interrupted);
                Await.until(
                        () -> server.stats().exchangesOpen() == 0, () -> "exchanges are released: " + server.stats());
                pinOne(server);
                // The one that is pinned on purpose comes behind all others, and shows that they are recorded.
                RecordedEvent event = next(events);
                for (; !event.toString().contains("PinningTest$Pinned"); event = next(events)) {
                    if (!isOfJvm(event)) {
                        pinned.add(event.toString());
                    }
                }
            }
            assertEquals(List.of(), pinned);
        }
    }

    /** Whether the JVM met with a lock of its own, which an interrupt and the interrupted thread both need for a moment. */
    private static boolean isOfJvm(RecordedEvent event) {
        List<RecordedFrame> frames = event.getStackTrace() == null
                ? List.of()
                : event.getStackTrace().getFrames();
        return !frames.isEmpty()
                && frames.get(0).getMethod().getType().getName().equals("java.lang.VirtualThread")
                && frames.get(0).getMethod().getName().endsWith("Interrupt");
    }

    private static RecordedEvent next(BlockingQueue<RecordedEvent> events) throws InterruptedException {
        RecordedEvent event = events.poll(2 * Await.SECONDS, TimeUnit.SECONDS);
        assertTrue(event != null, "the JVM recorded no pinned thread, not even the one that was pinned on purpose");
        return event;
    }

    /** Waits while it is initialised, on every JDK a reason to be pinned. */
    private static final class Pinned {
        static {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void pinOne(TestServer server) throws Exception {
        byte[] code;
        try (InputStream resource = PinningTest.class.getResourceAsStream("PinningTest$Pinned.class")) {
            code = resource.readAllBytes();
        }
        // A hidden class is another one each time, and so is initialised each time.
        server.on("/pin", (request, response) -> {
            MethodHandles.lookup().defineHiddenClass(code, true);
            response.send();
        });
        try (Client client = connect(server)) {
            assertEquals(200, client.request(head("/pin", "pinned", "")).status());
        }
    }

    // ---- the server ----

    private TestServer startVirtual() throws Exception {
        PreparedResponse prepared = PreparedResponse.builder().body("prepared").build();
        return TestServer.start(
                        backend,
                        builder -> withTunnels(builder)
                                .dispatch(Dispatch.virtualThreads())
                                .interruptOnDisconnect(true))
                .on("/read", (request, response) -> {
                    note(request);
                    response.sendInterim(103, new Field("Link", "</a>"));
                    try (InputStream input = request.body().inputStream()) {
                        response.send(input.readAllBytes());
                    }
                })
                .on("/future", (request, response) -> {
                    note(request);
                    response.send(request.body().text().get(Await.SECONDS, TimeUnit.SECONDS));
                })
                .on("/write", (request, response) -> {
                    note(request);
                    try (OutputStream output = response.outputStream()) {
                        for (int left = LARGE; left > 0; left -= PIECE.length) {
                            output.write(PIECE, 0, Math.min(left, PIECE.length));
                        }
                    } catch (IOException expected) {
                        // Nobody reads on; interrupted or broken off, whichever came first.
                        brokenOff.incrementAndGet();
                    }
                })
                .on("/reset", (request, response) -> {
                    note(request);
                    assertThrows(
                            IOException.class,
                            () -> request.body().inputStream().readAllBytes());
                    brokenOff.incrementAndGet();
                })
                .on("/interrupt", (request, response) -> {
                    note(request);
                    assertThrows(
                            InterruptedException.class,
                            () -> new CountDownLatch(1).await(Await.SECONDS, TimeUnit.SECONDS));
                    interrupted.incrementAndGet();
                    response.send("nobody reads this");
                })
                .on("/send", (request, response) -> {
                    String about = request.field("name") + request.connection().remoteAddress();
                    response.addField("About", about).send(request.field("name"));
                })
                .on("/prepared", (request, response) -> response.send(prepared))
                .on("/tunnel", (request, response) -> {
                    note(request);
                    echo(upgrade(response, "echo"));
                });
    }

    private static void echo(Tunnel tunnel) throws IOException {
        try (InputStream input = tunnel.input().inputStream();
                OutputStream output = tunnel.output().outputStream()) {
            byte[] bytes = new byte[3000];
            for (int length = input.read(bytes); length >= 0; length = input.read(bytes)) {
                output.write(bytes, 0, length);
                output.flush();
            }
        }
    }

    private void note(Request request) {
        handlers.put(request.field("name"), Thread.currentThread());
    }

    // ---- the clients ----

    private void load(TestServer server, int rounds) throws Exception {
        List<Future<?>> done = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            done.add(clients.submit((Callable<Void>) () -> {
                for (int round = 0; round < rounds; round++) {
                    quick(server);
                    slowRequest(server, "/read", true);
                    slowRequest(server, "/future", false);
                    slowReader(server);
                    tunnel(server);
                    resets(server);
                }
                return null;
            }));
        }
        for (Future<?> one : done) {
            one.get(6 * Await.SECONDS, TimeUnit.SECONDS);
        }
    }

    private String name() {
        return "n" + names.incrementAndGet();
    }

    private static String head(String target, String name, String more) {
        return "POST " + target + " HTTP/1.1\r\nHost: x\r\nName: " + name + "\r\n" + more + "\r\n";
    }

    /** The handler of this request waits for its client. */
    private void awaitWaiting(String name) {
        Await.until(
                () -> {
                    Thread thread = handlers.get(name);
                    return thread != null
                            && (thread.getState() == Thread.State.WAITING
                                    || thread.getState() == Thread.State.TIMED_WAITING);
                },
                () -> "the handler waits: " + handlers.get(name));
    }

    private void quick(TestServer server) throws Exception {
        try (Client client = connect(server)) {
            for (int i = 0; i < 50; i++) {
                String name = name();
                assertEquals(name, client.request(head("/send", name, "")).text());
                assertEquals(
                        "prepared", client.request(head("/prepared", name, "")).text());
            }
        }
    }

    /** Each piece of the body is sent when the handler waits for it. */
    private void slowRequest(TestServer server, String target, boolean interim) throws Exception {
        String name = name();
        String text = "ten bytes ".repeat(1000);
        try (Client client = connect(server)) {
            client.send(head(target, name, "Content-Length: " + 5 * text.length() + "\r\n"));
            if (interim) {
                assertEquals(103, client.response().status());
            }
            for (int i = 0; i < 5; i++) {
                awaitWaiting(name);
                client.send(text);
            }
            assertEquals(text.repeat(5), client.response().text());
        }
    }

    /** The response is read when the handler waits with what is left of it. */
    private void slowReader(TestServer server) throws Exception {
        String name = name();
        try (Client client = connectSlowly(server)) {
            client.send(head("/write", name, "Connection: close\r\n"));
            awaitWaiting(name);
            byte[] body = client.response().body();
            assertEquals(LARGE, body.length);
            assertArrayEquals(PIECE, Arrays.copyOf(body, PIECE.length));
        }
    }

    private void tunnel(TestServer server) throws Exception {
        String name = name();
        try (Client client = connect(server)) {
            client.send(head("/tunnel", name, "Connection: upgrade\r\nUpgrade: echo\r\n"));
            assertUpgraded(client);
            for (int i = 0; i < 5; i++) {
                awaitWaiting(name);
                client.send(PIECE);
                assertArrayEquals(PIECE, client.readExactly(PIECE.length));
            }
            client.end();
            client.assertEnd();
        }
    }

    /** Clients that are gone while a handler waits: for a body, for room, for something else. */
    private void resets(TestServer server) throws Exception {
        for (String target : List.of("/reset", "/write", "/interrupt")) {
            String name = name();
            Client client = connectSlowly(server);
            client.send(head(target, name, target.equals("/reset") ? "Content-Length: 9\r\n" : ""));
            awaitWaiting(name);
            client.reset();
        }
    }
}
