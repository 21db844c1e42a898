package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.OutgoingBody;
import io.gannet.Response;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies that a blocking thread writes to a stream, and bodies that a publisher gives. */
class BodyStreamTest extends VersionsTest {
    private static final String GET = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String HEAD = "HEAD /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    /** What a thread of the test does for an exchange. */
    private interface Blocking {
        void answer(Response response) throws Exception;
    }

    /** What the last thread has come to. */
    private CompletableFuture<Void> outcome;

    private volatile Thread thread;

    private void onThread(Blocking blocking) {
        outcome = new CompletableFuture<>();
        onHandler((request, response) -> {
            Thread one = new Thread(() -> {
                try {
                    blocking.answer(response);
                    outcome.complete(null);
                } catch (Throwable failure) {
                    response.fail(failure);
                    outcome.completeExceptionally(failure);
                }
            });
            thread = one;
            one.start();
        });
    }

    private static void onHandler(Handler handler) {
        server.on("/answer", handler);
        server.on("/next", (request, response) -> response.send("next"));
    }

    private static void assertInStep(Client client) throws Exception {
        assertEquals("next", client.request(NEXT).text());
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        return assertThrows(ExecutionException.class, () -> Await.result(future))
                .getCause();
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + i / 251);
        }
        return bytes;
    }

    @ParameterizedTest(name = "a stream of {0} bytes that is closed before its head is out has a Content-Length")
    @ValueSource(ints = {0, 1, 8191, 8192})
    void shortStream(int length) throws Exception {
        byte[] bytes = bytes(length);
        onThread(response -> {
            try (OutputStream stream = response.outputStream()) {
                stream.write(bytes, 0, length / 2);
                for (int i = length / 2; i < length; i++) {
                    stream.write(bytes[i]);
                }
            }
        });
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(String.valueOf(length), response.field("content-length"));
            assertArrayEquals(bytes, response.body());
            assertInStep(client);
        }
        Await.result(outcome);
    }

    @ParameterizedTest(name = "a stream of more than 8 KiB is chunked, written {0} bytes at a time")
    @ValueSource(ints = {1, 7, 4096, 8191, 8192, 8193, 100_000})
    void longStream(int piece) throws Exception {
        byte[] bytes = bytes(piece == 1 ? 20_000 : 1_000_000);
        onThread(response -> {
            try (OutputStream stream = response.outputStream()) {
                for (int i = 0; i < bytes.length; i += piece) {
                    if (piece == 1) {
                        stream.write(bytes[i]);
                    } else {
                        stream.write(bytes, i, Math.min(piece, bytes.length - i));
                    }
                }
            }
        });
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(isHttp2() ? null : "chunked", response.field("transfer-encoding"));
            assertArrayEquals(bytes, response.body());
            assertInStep(client);
        }
        Await.result(outcome);
    }

    @Test
    @DisplayName("flush sends the head and what was written")
    void flush() throws Exception {
        var seen = new CompletableFuture<Void>();
        onThread(response -> {
            try (OutputStream stream = response.outputStream()) {
                stream.write("first".getBytes(UTF_8));
                stream.flush();
                assertTrue(response.isCommitted());
                seen.join();
                stream.write("second".getBytes(UTF_8));
            }
        });
        if (isHttp2()) {
            try (Client client = connect()) {
                assertEquals("first", new String(client.send(GET).readExactly(5), ISO_8859_1));
                seen.complete(null);
                assertEquals("second", new String(client.rest(), ISO_8859_1));
            }
            Await.result(outcome);
            return;
        }
        try (RawClient client = server.connect()) {
            client.send(GET);
            StringBuilder begin = new StringBuilder();
            while (!begin.toString().endsWith("5\r\nfirst\r\n")) {
                begin.append((char) client.readExactly(1)[0]);
            }
            seen.complete(null);
            assertEquals("6\r\nsecond\r\n0\r\n\r\n", new String(client.readExactly(16), ISO_8859_1));
            assertInStep(client);
        }
        Await.result(outcome);
    }

    @Test
    @DisplayName("a handler that fails before the head is out is answered with 500")
    void failsBefore() throws Exception {
        onThread(response -> {
            response.outputStream().write(bytes(8192));
            throw new IllegalStateException("too late to think of that");
        });
        try (Client client = connect()) {
            assertEquals(500, client.request(GET).status());
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("a closed stream takes nothing more, and a second close does nothing")
    void closed() throws Exception {
        onThread(response -> {
            OutputStream small = response.outputStream();
            small.close();
            small.close();
            assertThrows(IOException.class, () -> small.write(1));
            assertThrows(IOException.class, small::flush);
        });
        try (Client client = connect()) {
            assertEquals("", client.request(GET).text());
            Await.result(outcome);
            onThread(response -> {
                OutgoingBody body = response.stream();
                OutputStream stream = body.outputStream();
                assertSame(stream, body.outputStream());
                stream.write(bytes(10));
                stream.close();
                stream.close();
                assertThrows(IOException.class, () -> stream.write(bytes(9000)));
                assertThrows(IllegalStateException.class, () -> body.write("x"));
            });
            assertEquals(10, client.request(GET).body().length);
            Await.result(outcome);
        }
    }

    @Test
    @DisplayName("on a loop a stream is refused, and so is writing there to one that was made elsewhere")
    void onLoopRefused() throws Exception {
        try (TestServer own = TestServer.start(backend, builder -> builder.dispatch(Dispatch.loop()));
                Client client = connect(own)) {
            own.on("/answer", (request, response) -> {
                assertThrows(IllegalStateException.class, response::outputStream);
                OutgoingBody body = response.stream();
                assertThrows(IllegalStateException.class, body::outputStream);
                var made = new CompletableFuture<OutputStream>();
                new Thread(() -> made.complete(body.outputStream())).start();
                OutputStream stream = made.join();
                assertThrows(IllegalStateException.class, () -> stream.write(bytes(10_000)));
                body.write("fine").thenRun(body::end);
            });
            assertEquals("fine", client.request(GET).text());
            assertEquals("fine", client.request(GET).text());
        }
    }

    @Test
    @Tag("C5")
    @DisplayName("C5: a stream knows the declared length: more is refused, less cuts the response off")
    void declared() throws Exception {
        onThread(response -> {
            OutputStream stream =
                    response.addField("Content-Length", "9000").stream().outputStream();
            stream.write(bytes(9000));
            stream.write(1);
            assertThrows(IllegalStateException.class, stream::flush);
            stream.close();
        });
        try (Client client = connect()) {
            assertEquals(9000, client.request(GET).body().length);
            Await.result(outcome);
            assertInStep(client);

            onThread(response -> {
                OutputStream stream =
                        response.addField("Content-Length", "9000").stream().outputStream();
                stream.write(bytes(8999));
                assertThrows(IllegalStateException.class, stream::close);
            });
            assertEquals("9000", client.send(GET).cutResponse().field("content-length"));
            Await.result(outcome);
        }
    }

    @Test
    @DisplayName("a thread that waits for a client is told by an IOException that it is gone, and again at each write")
    void clientGone() throws Exception {
        onThread(response -> {
            OutputStream stream = response.outputStream();
            IOException gone = assertThrows(IOException.class, () -> stream.write(bytes(20_000_000)));
            assertInstanceOf(HttpException.class, gone.getCause());
            assertInstanceOf(
                    HttpException.class,
                    assertThrows(IOException.class, () -> stream.write(1)).getCause());
            stream.close();
        });
        try (Client client = connect()) {
            client.send(GET);
            client.awaitAnswer();
            client.reset();
        }
        Await.result(outcome);
    }

    @Test
    @DisplayName("an interrupt ends the wait with an InterruptedIOException, and the body is cut off")
    void interrupted() throws Exception {
        onThread(response -> {
            OutputStream stream = response.outputStream();
            assertThrows(InterruptedIOException.class, () -> stream.write(bytes(20_000_000)));
            assertThrows(IOException.class, () -> stream.write(1));
            stream.close();
        });
        try (Client client = connect()) {
            client.send(GET);
            client.awaitAnswer();
            Await.until(() -> thread.getState() == Thread.State.WAITING, () -> "waits: " + thread.getState());
            thread.interrupt();
            Await.result(outcome);
            assertEquals(200, client.cutResponse().status());
        }
    }

    // ---- publishers ----

    @Test
    @DisplayName("what a publisher gives is sent, one buffer at a time, and its end is the body's")
    void publisher() throws Exception {
        var publisher = Buffers.of("one, ", "", "two, ", "three");
        onHandler((request, response) -> response.send(publisher));
        try (Client client = connect()) {
            assertEquals("one, two, three", client.request(GET).text());
            assertInStep(client);
        }
        assertEquals(4, publisher.asked);
    }

    @Test
    @DisplayName("a publisher on threads of its own gives 20 MB")
    void submission() throws Exception {
        byte[] piece = bytes(20_000);
        onHandler((request, response) -> {
            var publisher = new SubmissionPublisher<ByteBuffer>();
            response.send(publisher);
            new Thread(() -> {
                        for (int i = 0; i < 1000; i++) {
                            publisher.submit(ByteBuffer.wrap(piece));
                        }
                        publisher.close();
                    })
                    .start();
        });
        try (Client client = connect()) {
            byte[] body = client.request(GET).body();
            assertEquals(20_000_000, body.length);
            for (int i = 0; i < 1000; i++) {
                assertTrue(Arrays.equals(piece, 0, piece.length, body, i * 20_000, (i + 1) * 20_000));
            }
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("a publisher of a million empty or small buffers neither nests nor holds the loop up")
    void manyBuffers() throws Exception {
        onHandler((request, response) -> response.send(new Buffers(() -> IntStream.range(0, 1_000_000)
                .mapToObj(i -> ByteBuffer.wrap(new byte[i % 100 == 0 ? 1 : 0]))
                .iterator())));
        try (Client client = connect()) {
            assertEquals(10_000, client.request(GET).body().length);
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("a publisher that fails cuts the body off, and writeAll tells with what")
    void publisherFails() throws Exception {
        var failure = new IllegalStateException("the source is dry");
        var told = new CompletableFuture<Throwable>();
        onHandler((request, response) -> response.stream()
                .writeAll(new Buffers(List.of(ByteBuffer.wrap("half".getBytes(UTF_8))), failure))
                .whenComplete((none, thrown) -> told.complete(thrown)));
        try (Client client = connect()) {
            assertCut("half", client.send(GET));
        }
        assertSame(failure, Await.result(told));
    }

    @Test
    @DisplayName("a publisher that throws from subscribe or request, or gives what nobody asked for, cuts the body off")
    void publisherMisbehaves() throws Exception {
        List<Flow.Publisher<ByteBuffer>> bad = List.of(
                subscriber -> {
                    throw new IllegalStateException("subscribe");
                },
                subscriber -> subscriber.onSubscribe(new Flow.Subscription() {
                    @Override
                    public void request(long count) {
                        throw new IllegalStateException("request");
                    }

                    @Override
                    public void cancel() {
                        throw new IllegalStateException("cancel");
                    }
                }),
                subscriber -> subscriber.onSubscribe(new Flow.Subscription() {
                    @Override
                    public void request(long count) {
                        subscriber.onNext(ByteBuffer.wrap(bytes(10_000_000)));
                        subscriber.onNext(ByteBuffer.wrap(bytes(1)));
                    }

                    @Override
                    public void cancel() {}
                }));
        for (Flow.Publisher<ByteBuffer> publisher : bad) {
            var told = new CompletableFuture<Throwable>();
            onHandler((request, response) ->
                    response.stream().writeAll(publisher).whenComplete((none, thrown) -> told.complete(thrown)));
            try (Client client = connect()) {
                client.send(GET);
                assertInstanceOf(IllegalStateException.class, Await.result(told));
                assertEquals(200, client.cutResponse().status());
            }
        }
    }

    @Test
    @DisplayName("a client that goes away cancels the publisher, also one that has nothing to give at the time")
    void cancels() throws Exception {
        var idle = new CompletableFuture<Void>();
        var told = new CompletableFuture<Throwable>();
        var subscribed = new CompletableFuture<Void>();
        onHandler((request, response) -> response.stream()
                .writeAll(subscriber -> subscriber.onSubscribe(new Flow.Subscription() {
                    private boolean given;

                    {
                        // Else nobody could give more, and the exchange would be found abandoned.
                        idle.whenComplete((none, thrown) -> subscriber.onComplete());
                    }

                    @Override
                    public void request(long count) {
                        subscribed.complete(null);
                        if (!given) {
                            given = true;
                            subscriber.onNext(ByteBuffer.wrap("some".getBytes(UTF_8)));
                        }
                    }

                    @Override
                    public void cancel() {
                        idle.complete(null);
                    }
                }))
                .whenComplete((none, thrown) -> told.complete(thrown)));
        try (Client client = connect()) {
            client.send(GET);
            client.awaitAnswer();
            Await.result(subscribed);
            client.reset();
        }
        Await.result(idle);
        assertInstanceOf(HttpException.class, Await.result(told));
    }

    @Test
    @DisplayName("for HEAD the publisher is cancelled at once")
    void publisherForHead() throws Exception {
        var publisher = Buffers.of("one", "two");
        onHandler((request, response) -> response.send(publisher));
        try (Client client = connect()) {
            assertEquals(200, client.send(HEAD).headResponse().status());
            assertInStep(client);
        }
        assertTrue(publisher.subscribed && publisher.cancelled);
        assertEquals(0, publisher.asked);
    }

    @Test
    @Tag("C5")
    @DisplayName("C5: a publisher that gives less or more than Content-Length fails the response")
    void publisherLength() throws Exception {
        for (String length : List.of("4", "2")) {
            var told = new CompletableFuture<Throwable>();
            onHandler((request, response) -> response.addField("Content-Length", length).stream()
                    .writeAll(Buffers.of("one"))
                    .whenComplete((none, thrown) -> told.complete(thrown)));
            try (Client client = connect()) {
                assertCut(length.equals("4") ? "one" : "", client.send(GET));
            }
            assertInstanceOf(IllegalStateException.class, Await.result(told));
        }
    }

    @Test
    @DisplayName("while a publisher writes, nobody else does; trailers may be added until it ends")
    void publisherOwns() throws Exception {
        var publisher = new SubmissionPublisher<ByteBuffer>();
        var owned = new CompletableFuture<OutgoingBody>();
        onHandler((request, response) -> {
            OutgoingBody body = response.stream().insistOnTrailers();
            body.writeAll(publisher);
            assertThrows(IllegalStateException.class, () -> body.write("x"));
            assertThrows(IllegalStateException.class, () -> body.writeAll(Buffers.of("x")));
            assertThrows(IllegalStateException.class, body::end);
            body.addTrailer("X-Sum", "1");
            owned.complete(body);
        });
        if (isHttp2()) {
            try (var client = new Http2Client(server.port())) {
                Http2Stream stream = client.get("/answer");
                OutgoingBody body = Await.result(owned);
                publisher.submit(ByteBuffer.wrap("hi".getBytes(UTF_8)));
                publisher.close();
                assertEquals("hi", stream.response().text());
                assertEquals(List.of(Map.entry("x-sum", "1")), stream.trailers());
                body.end();
            }
            return;
        }
        try (RawClient client = server.connect()) {
            client.send("GET /answer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            OutgoingBody body = Await.result(owned);
            publisher.submit(ByteBuffer.wrap("hi".getBytes(UTF_8)));
            publisher.close();
            String wire = new String(client.rest(), ISO_8859_1);
            assertTrue(wire.endsWith("2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n"), wire);
            body.end();
        }
    }
}
