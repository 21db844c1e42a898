package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.HttpException;
import io.gannet.IncomingBody;
import io.gannet.Request;
import io.gannet.Response;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Reading that stops, is stopped, or should not have been begun. */
class BodyMisuseTest extends VersionsTest {
    private static final String SIZED = "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    /** A request that has come, and its response. */
    private record Arrived(Request request, Response response) {}

    private static CompletableFuture<Arrived> arrived() {
        var arrived = new CompletableFuture<Arrived>();
        server.on("/read", (request, response) -> arrived.complete(new Arrived(request, response)));
        return arrived;
    }

    private static void assertInStep(Client client) throws Exception {
        server.forgetSeen();
        assertEquals(200, client.request(NEXT).status());
        assertEquals("/next", server.seen().target());
    }

    private static <T> CompletableFuture<T> onLoop(Request request, BodyWay.Reading<T> what) {
        var result = new CompletableFuture<T>();
        request.eventLoop().execute(() -> {
            try {
                result.complete(what.read());
            } catch (Throwable failure) {
                result.completeExceptionally(failure);
            }
        });
        return result;
    }

    @ParameterizedTest(name = "after {0} the body is not read again")
    @EnumSource
    void secondRead(BodyWay way) throws Exception {
        CompletableFuture<Arrived> arrived = arrived();
        try (Client client = connect()) {
            client.send(SIZED + "0123456789");
            Arrived one = Await.result(arrived);
            Await.result(way.read(one.request().body()));
            IncomingBody body = one.request().body();
            List<Runnable> reads = List.of(
                    body::bytes,
                    body::text,
                    body::discard,
                    body::publisher,
                    body::inputStream,
                    () -> body.forEach(c -> {}),
                    () -> body.forEachAsync(c -> CompletableFuture.completedStage(c)));
            for (Runnable read : reads) {
                assertThrows(IllegalStateException.class, read::run);
            }
            one.response().send("read");
            assertEquals("read", client.response().text());
            assertThrows(IllegalArgumentException.class, () -> body.bytes(-1));
            assertThrows(IllegalArgumentException.class, () -> body.text(-1));
            assertThrows(NullPointerException.class, () -> body.forEach(null));
            assertThrows(NullPointerException.class, () -> body.forEachAsync(null));
        }
    }

    @Test
    @DisplayName("a stream is neither opened nor read on the thread of a loop")
    void streamOnLoop() throws Exception {
        CompletableFuture<Arrived> arrived = arrived();
        try (Client client = connect()) {
            client.send(SIZED);
            Request request = Await.result(arrived).request();
            Throwable refused = Await.result(
                    onLoop(request, () -> request.body().inputStream()).handle((stream, thrown) -> thrown));
            assertInstanceOf(IllegalStateException.class, refused);
            InputStream stream = request.body().inputStream();
            refused = Await.result(onLoop(request, stream::read).handle((octet, thrown) -> thrown));
            assertInstanceOf(IllegalStateException.class, refused);
            client.send("0123456789");
            assertEquals('0', stream.read());
            arrived.join().response().send("read");
            assertEquals("read", client.response().text());
        }
    }

    @Test
    @DisplayName("an interrupt ends the wait for bytes, and closes the stream")
    void interrupted() throws Exception {
        CompletableFuture<Arrived> arrived = arrived();
        try (Client client = connect()) {
            client.send(SIZED + "01");
            InputStream stream = Await.result(arrived).request().body().inputStream();
            var read = new CompletableFuture<Throwable>();
            var again = new CompletableFuture<Throwable>();
            Thread reader = new Thread(
                    () -> {
                        try {
                            stream.readNBytes(2);
                            stream.read();
                            read.complete(null);
                        } catch (Throwable failure) {
                            read.complete(failure);
                        }
                        again.complete(assertThrows(IOException.class, stream::read));
                    },
                    "reader");
            reader.setDaemon(true);
            reader.start();
            Await.until(() -> reader.getState() == Thread.State.WAITING, () -> "the reader waits");
            reader.interrupt();
            assertInstanceOf(InterruptedIOException.class, Await.result(read));
            assertNotNull(Await.result(again));
            arrived.join().response().send("not read");
            assertEquals("not read", client.response().text());
            client.send("23456789");
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("closing a stream wakes the thread that reads it, and leaves the rest unread")
    void closedStream() throws Exception {
        CompletableFuture<Arrived> arrived = arrived();
        try (Client client = connect()) {
            client.send(SIZED + "01");
            InputStream stream = Await.result(arrived).request().body().inputStream();
            assertEquals('0', stream.read());
            assertEquals(1, stream.available());
            assertEquals(1, stream.skip(1));
            var waiting = new CompletableFuture<Thread>();
            var read = BodyWay.onThread(() -> {
                waiting.complete(Thread.currentThread());
                return stream.read();
            });
            Thread reader = Await.result(waiting);
            Await.until(() -> reader.getState() == Thread.State.WAITING, () -> "the reader waits");
            stream.close();
            stream.close();
            Throwable failure = Await.result(read.handle((octet, thrown) -> thrown));
            assertInstanceOf(UncheckedIOException.class, failure.getCause(), () -> String.valueOf(failure));
            assertThrows(IOException.class, stream::read);
            assertThrows(IOException.class, stream::available);
            arrived.join().response().send("not read");
            assertEquals("not read", client.response().text());
            client.send("23456789");
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("a stream tells how much can be read without waiting, and stays at its end")
    void availableBytes() throws Exception {
        CompletableFuture<Arrived> arrived = arrived();
        try (Client client = connect()) {
            client.send(SIZED);
            InputStream stream = Await.result(arrived).request().body().inputStream();
            assertEquals(0, stream.available());
            client.send("01234");
            Await.until(() -> available(stream) == 5, () -> "five bytes have come");
            assertEquals('0', stream.read());
            assertEquals(4, stream.available());
            assertEquals(0, stream.read(new byte[1], 0, 0));
            client.send("56789");
            Await.until(() -> available(stream) == 9, () -> "nine bytes are left");
            assertEquals(9, stream.readAllBytes().length);
            assertEquals(0, stream.available());
            assertEquals(-1, stream.read());
            assertEquals(-1, stream.read(new byte[3]));
            assertThrows(IndexOutOfBoundsException.class, () -> stream.read(new byte[3], 2, 2));
            arrived.join().response().send("read");
            assertEquals("read", client.response().text());
        }
    }

    private static int available(InputStream stream) {
        try {
            return stream.available();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    @Test
    @Tag("B20")
    @DisplayName("B20: a callback that throws ends reading; the rest is unread, and the connection stays in step")
    void failingCallback() throws Exception {
        var boom = new IllegalStateException("boom");
        var calls = new AtomicInteger();
        var result = new CompletableFuture<Throwable>();
        server.on(
                "/read",
                (request, response) -> request.body()
                        .forEach(chunk -> {
                            calls.incrementAndGet();
                            throw boom;
                        })
                        .whenComplete((done, failure) -> {
                            result.complete(failure);
                            response.send("failed");
                        }));
        try (Client client = connect()) {
            client.send(SIZED + "01234");
            assertEquals("failed", client.response().text());
            Throwable failure = Await.result(result);
            assertEquals(boom, failure instanceof CompletionException ? failure.getCause() : failure);
            client.send("56789");
            assertInStep(client);
            assertEquals(1, calls.get());
        }
    }

    /** Subscribes with a callback for each buffer, and a demand of one after another. */
    private static CompletableFuture<Throwable> subscribe(
            IncomingBody body, AtomicInteger given, Consumer<Flow.Subscription> eachTime) {
        var ended = new CompletableFuture<Throwable>();
        body.publisher().subscribe(new Flow.Subscriber<>() {
            private Flow.Subscription subscription;

            @Override
            public void onSubscribe(Flow.Subscription one) {
                subscription = one;
                one.request(1);
            }

            @Override
            public void onNext(ByteBuffer chunk) {
                given.addAndGet(chunk.remaining());
                eachTime.accept(subscription);
            }

            @Override
            public void onError(Throwable failure) {
                ended.complete(failure);
            }

            @Override
            public void onComplete() {
                ended.complete(null);
            }
        });
        return ended;
    }

    @Test
    @Tag("B20")
    @DisplayName("B20: cancelling leaves the rest unread, and the connection stays in step")
    void cancelled() throws Exception {
        var given = new AtomicInteger();
        server.on("/read", (request, response) -> {
            subscribe(request.body(), given, subscription -> {
                subscription.cancel();
                subscription.request(5);
                response.send("cancelled");
            });
        });
        try (Client client = connect()) {
            client.send(SIZED + "01234");
            assertEquals("cancelled", client.response().text());
            client.send("56789");
            assertInStep(client);
            assertEquals(5, given.get());
        }
    }

    @Test
    @DisplayName("a second subscriber is refused, the first one is not disturbed")
    void secondSubscriber() throws Exception {
        CompletableFuture<Arrived> arrived = arrived();
        try (Client client = connect()) {
            client.send(SIZED);
            Flow.Publisher<ByteBuffer> publisher =
                    Await.result(arrived).request().body().publisher();
            var length = new AtomicInteger();
            var first = BodyWay.subscribe(publisher, Runnable::run, 1, chunk -> length.addAndGet(chunk.remaining()));
            var second = BodyWay.subscribe(publisher, Runnable::run, 1, chunk -> {});
            assertInstanceOf(IllegalStateException.class, Await.result(second.handle((done, failure) -> failure)));
            assertThrows(NullPointerException.class, () -> publisher.subscribe(null));
            client.send("0123456789");
            assertNull(Await.result(first));
            assertEquals(10, length.get());
            arrived.join().response().send("read");
            assertEquals("read", client.response().text());
        }
    }

    @Test
    @DisplayName("a subscriber that throws is given nothing more, and the client is answered")
    void failingSubscriber() throws Exception {
        var given = new AtomicInteger();
        server.on(
                "/read",
                (request, response) -> subscribe(request.body(), given, subscription -> {
                    throw new IllegalStateException("boom");
                }));
        try (LogCapture log = LogCapture.open();
                Client client = connect()) {
            client.send(SIZED + "01234");
            assertEquals(500, client.response().status());
            assertEquals("boom", log.warning().thrown().getMessage());
            assertEquals(5, given.get());
        }
    }

    @ParameterizedTest(name = "{0}: what is not read when the response was sent cannot be read any more")
    @EnumSource
    void readTooLate(BodyWay way) throws Exception {
        CompletableFuture<Arrived> arrived = arrived();
        try (Client client = connect()) {
            client.send(SIZED);
            Arrived one = Await.result(arrived);
            CompletableFuture<BodyWay.Sum> read = way.read(one.request().body());
            if (way.name().startsWith("STREAM") || way.name().endsWith("ELSEWHERE")) {
                // So that it was begun before the response is sent.
                client.send("0");
                Await.until(() -> server.stats().blocksLent() == 0, () -> "the byte is read");
            }
            one.response().send("early");
            assertEquals("early", client.response().text());
            Throwable failure = Await.result(read.handle((sum, thrown) -> thrown));
            Throwable cause = failure;
            while (!(cause instanceof HttpException) && cause.getCause() != null) {
                cause = cause.getCause();
            }
            assertTrue(
                    cause instanceof HttpException || cause instanceof IllegalStateException, String.valueOf(failure));
        }
    }
}
