package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.gannet.EventLoop;
import io.gannet.HttpException;
import io.gannet.IncomingBody;
import java.nio.ByteBuffer;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies that are read by a callback which is done with a chunk later. */
class ChunksLaterTest extends VersionsTest {
    private static final String CHUNKED = "POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String SIZED = "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n";

    /** A chunk that was given, and the stage that says it is done with. */
    private record Given(String chunk, CompletableFuture<Object> done) {}

    private final BlockingQueue<Given> given = new LinkedBlockingQueue<>();

    /** Reads each body so, and answers when it is read. */
    private CompletableFuture<IncomingBody> read() {
        var bodies = new CompletableFuture<IncomingBody>();
        server.on("/read", (request, response) -> {
            bodies.complete(request.body());
            response.failIfFails(request.body()
                    .forEachAsync(bytes -> {
                        var one = new Given(ISO_8859_1.decode(bytes).toString(), new CompletableFuture<>());
                        given.add(one);
                        return one.done();
                    })
                    .thenRun(() -> response.send("read")));
        });
        return bodies;
    }

    private Given next() throws Exception {
        Given next = given.poll(Await.SECONDS, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no chunk was given");
        }
        return next;
    }

    @ParameterizedTest(name = "the next chunk comes when the stage of the last is complete, on the loop: {0}")
    @ValueSource(booleans = {true, false})
    void inTurn(boolean onLoop) throws Exception {
        CompletableFuture<IncomingBody> body = read();
        try (Client client = connect()) {
            client.send(CHUNKED + "2\r\nab\r\n");
            Given first = next();
            assertEquals("ab", first.chunk());
            long before = server.stats().bytesReceived();
            client.send("2\r\ncd\r\n0\r\nLate: 1\r\n\r\n");
            Await.until(
                    () -> server.stats().bytesReceived() > before,
                    () -> server.stats().toString());
            Await.result(CompletableFuture.runAsync(() -> {}, loop()));
            assertNull(given.peek());
            complete(first, onLoop);
            Given second = next();
            assertEquals("cd", second.chunk());
            assertThrows(IllegalStateException.class, () -> body.join().trailers());
            complete(second, onLoop);
            assertEquals("read", client.response().text());
            assertEquals("1", body.join().trailers().get("late"));
        }
    }

    private static void complete(Given one, boolean onLoop) {
        if (onLoop) {
            loop().execute(() -> one.done().complete(null));
        } else {
            one.done().complete(null);
        }
    }

    private static EventLoop loop() {
        return server.server().eventLoops().loops().get(0);
    }

    @Test
    @Tag("B22")
    @DisplayName("B22: a stage that is not complete stops the client")
    void backPressure() throws Exception {
        read();
        try (Client client = connect()) {
            int length = 32 << 20;
            client.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n");
            var sent = BodyWay.onThread(() -> {
                client.send(new byte[length]);
                return null;
            });
            Given one = next();
            assertFalse(sent.isDone());
            int count = 0;
            while (true) {
                count += one.chunk().length();
                assertNull(given.peek());
                one.done().complete(null);
                if (count == length) {
                    break;
                }
                one = next();
            }
            Await.result(sent);
            assertEquals("read", client.response().text());
        }
    }

    private static Throwable failureOf(Function<ByteBuffer, CompletionStage<?>> callback) throws Exception {
        var result = new CompletableFuture<Throwable>();
        server.on("/read", (request, response) -> {
            CompletableFuture<Void> read = request.body().forEachAsync(callback);
            read.whenComplete((done, failure) -> result.complete(failure));
            response.failIfFails(read);
        });
        try (RawClient client = server.connect()) {
            RawResponse response = client.request(SIZED + "abcd");
            Throwable failure = Await.result(result);
            assertEquals(failure instanceof HttpException asked ? asked.status() : 500, response.status());
            return failure;
        }
    }

    @Test
    @DisplayName("a stage that fails, a callback that throws or returns null: reading ends, the future fails likewise")
    void failures() throws Exception {
        var failure = new HttpException(507, "full");
        assertSame(failure, failureOf(chunk -> CompletableFuture.failedFuture(failure)));
        assertSame(
                failure,
                failureOf(chunk -> CompletableFuture.runAsync(() -> {}).thenRun(() -> {
                    throw failure;
                })));
        assertSame(failure, failureOf(chunk -> {
            throw failure;
        }));
        Throwable none = failureOf(chunk -> null);
        assertEquals(
                "the callback of forEachAsync returned null, not a stage",
                assertInstanceOf(NullPointerException.class, none).getMessage());
        var alone = new CompletionException("without a cause", null);
        assertSame(alone, failureOf(chunk -> CompletableFuture.failedFuture(alone)));
    }

    @Test
    @Tag("B23")
    @DisplayName("B23: a body that breaks off fails the future, also while a stage is not complete")
    void breaksOff() throws Exception {
        var result = new CompletableFuture<Throwable>();
        var stage = new CompletableFuture<Void>();
        var called = new CompletableFuture<Void>();
        server.on(
                "/read",
                (request, response) -> request.body()
                        .forEachAsync(chunk -> {
                            called.complete(null);
                            return stage;
                        })
                        .whenComplete((done, failure) -> result.complete(failure)));
        try (Client client = connect()) {
            client.send(SIZED + "ab");
            Await.result(called);
            client.reset();
            assertInstanceOf(HttpException.class, Await.result(result));
            stage.complete(null);
        }
        Await.until(
                () -> server.stats().exchangesOpen() == 0, () -> server.stats().toString());
    }

    @Test
    @DisplayName("failIfFails passes on what a chain failed with, and nothing of one that did not")
    void failIfFails() throws Exception {
        server.on("/read", (request, response) -> {
            assertThrows(NullPointerException.class, () -> response.failIfFails(null));
            response.failIfFails(CompletableFuture.completedStage("fine"));
            response.failIfFails(request.body().text().thenAccept(text -> {
                throw new HttpException(422, "not " + text);
            }));
        });
        try (Client client = connect()) {
            RawResponse refused = client.request(SIZED + "abcd");
            assertEquals(422, refused.status());
            assertEquals("not abcd", refused.text());
            server.on("/read", (request, response) -> {
                response.failIfFails(CompletableFuture.failedStage(new IllegalStateException("on purpose")));
                response.failIfFails(CompletableFuture.failedStage(new HttpException(400, "the second loses")));
            });
            assertEquals(500, client.request(SIZED + "abcd").status());
        }
    }
}
