package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.Field;
import io.gannet.Handler;
import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import io.gannet.LoopStats;
import io.gannet.Request;
import io.gannet.Response;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/**
 * A server with one loop on a free port. A path that a test has a handler for goes to it; any other request is written
 * down with its body, and answered with that body.
 */
final class TestServer implements AutoCloseable {
    /** A request as it was given to the handler. */
    record Seen(
            String method,
            String target,
            String path,
            String query,
            HttpVersion version,
            String scheme,
            String authority,
            List<Map.Entry<String, String>> fields,
            byte[] body,
            Throwable bodyFailure) {
        static Seen of(Request request) {
            var fields = new ArrayList<Map.Entry<String, String>>();
            for (Field field : request.fields()) {
                fields.add(Map.entry(field.name(), field.value()));
            }
            return new Seen(
                    request.method(),
                    request.target(),
                    request.path(),
                    request.query(),
                    request.version(),
                    request.scheme(),
                    request.authority(),
                    List.copyOf(fields),
                    new byte[0],
                    null);
        }

        Seen with(byte[] bytes, Throwable failure) {
            byte[] read = bytes == null ? new byte[0] : bytes;
            return new Seen(method, target, path, query, version, scheme, authority, fields, read, failure);
        }

        String text() {
            return new String(body, ISO_8859_1);
        }
    }

    private static final String BEHIND = "GET /behind-what-is-refused HTTP/1.1\r\nHost: x\r\n\r\n";

    private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
    private final BlockingQueue<Seen> seen = new LinkedBlockingQueue<>();
    private final AtomicLong handled = new AtomicLong();
    private final HttpServer server;

    private TestServer(HttpServer.Builder builder) throws IOException {
        server = builder.handler(this::handle).start();
    }

    static TestServer start(Backend backend) throws IOException {
        return start(backend, builder -> builder);
    }

    static TestServer start(Backend backend, UnaryOperator<HttpServer.Builder> options) throws IOException {
        return new TestServer(options.apply(HttpServer.builder()
                .listen("127.0.0.1", 0)
                .backend(backend)
                .loops(1)
                .dispatch(TestDispatch.chosen())));
    }

    HttpServer server() {
        return server;
    }

    LoopStats stats() {
        return server.stats().loops();
    }

    int port() {
        return server.port();
    }

    RawClient connect() throws IOException {
        return new RawClient(port());
    }

    /** What requests for this path are handled by from now on. */
    TestServer on(String path, Handler handler) {
        handlers.put(path, handler);
        return this;
    }

    /** How many requests came to a handler. */
    long handled() {
        return handled.get();
    }

    /** The oldest request that was written down and not taken yet. */
    Seen seen() throws InterruptedException {
        Seen next = seen.poll(Await.SECONDS, TimeUnit.SECONDS);
        assertTrue(next != null, "no request came to the handler");
        return next;
    }

    /** The request for this target, where several may have been handled at the same time. */
    Seen seen(String target) {
        var found = new AtomicReference<Seen>();
        Await.until(
                () -> seen.stream()
                        .filter(one -> one.target().equals(target))
                        .findFirst()
                        .map(one -> {
                            found.set(one);
                            return seen.remove(one);
                        })
                        .orElse(false),
                () -> "a request for " + target + " comes to the handler: " + seen);
        return found.get();
    }

    void forgetSeen() {
        seen.clear();
    }

    /** Sends the bytes in two pieces, the second when the server has read the first. */
    void sendSplit(RawClient client, byte[] bytes, int at) throws IOException {
        sendAndAwait(client, Arrays.copyOf(bytes, at));
        sendAndAwait(client, Arrays.copyOfRange(bytes, at, bytes.length));
    }

    void sendByteByByte(RawClient client, byte[] bytes) throws IOException {
        for (byte octet : bytes) {
            sendAndAwait(client, new byte[] {octet});
        }
    }

    /** Sends the bytes, and waits until the server has read as many. */
    void sendAndAwait(Client client, byte[] bytes) throws IOException {
        long wanted = stats().bytesReceived() + bytes.length + client.framing();
        client.send(bytes);
        Await.until(
                () -> stats().bytesReceived() >= wanted,
                () -> "the server reads " + wanted + " bytes, not " + stats().bytesReceived());
    }

    /** What is sent is answered with this status and the end of the connection; no byte behind it is taken for a request. */
    void assertRefused(int status, String bytes) throws IOException {
        assertRefused(0, status, bytes);
    }

    /** The same for a refusal within the body of a request: the handler saw that request, and none behind it. */
    void assertBodyRefused(int status, String bytes) throws Exception {
        forgetSeen();
        assertRefused(1, status, bytes);
        Seen cut = seen();
        assertTrue(cut.bodyFailure() != null, () -> "the handler read a body to its end: " + cut.text());
    }

    /** The same, where so many requests come to a handler before the end. */
    void assertRefused(int requests, int status, String bytes) throws IOException {
        long before = handled();
        try (RawClient client = connect()) {
            RawResponse response = client.send(bytes + BEHIND).response();
            assertEquals(status, response.status(), response::toString);
            assertTrue(response.closes(), response::toString);
            client.assertEnd();
        }
        // The loop may have answered before it called the handler.
        Await.until(() -> handled() >= before + requests, () -> "requests came to a handler: " + handled());
        assertEquals(before + requests, handled(), "requests that came to a handler");
    }

    @Override
    public void close() {
        server.close();
    }

    private void handle(Request request, Response response) throws Exception {
        handled.incrementAndGet();
        Handler handler = handlers.get(request.path());
        if (handler != null) {
            handler.handle(request, response);
            return;
        }
        Seen head = Seen.of(request);
        request.body().bytes().whenComplete((body, failure) -> {
            seen.add(head.with(body, failure));
            if (failure == null) {
                response.send(body);
            }
        });
    }
}
