package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.Response;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Responses that a publisher gives: the head goes out with the first buffer, or the end. */
class PublishedResponseTest extends VersionsTest {
    private static final String GET = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String CHUNKED = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

    /** The thread on which a response is sent and a publisher signals. */
    enum Where {
        HANDLER,
        OTHER_THREAD;

        void run(Response response, Runnable task) {
            if (this == HANDLER) {
                task.run();
            } else {
                BodyWay.threads().execute(() -> {
                    try {
                        task.run();
                    } catch (Throwable failure) {
                        response.fail(failure);
                    }
                });
            }
        }
    }

    /** A publisher that signals when the test says so. */
    private static final class Signals implements Flow.Publisher<ByteBuffer>, Flow.Subscription {
        final CompletableFuture<Flow.Subscriber<? super ByteBuffer>> asked = new CompletableFuture<>();
        final CompletableFuture<Void> cancelled = new CompletableFuture<>();
        private volatile Flow.Subscriber<? super ByteBuffer> subscriber;

        @Override
        public void subscribe(Flow.Subscriber<? super ByteBuffer> one) {
            subscriber = one;
            one.onSubscribe(this);
        }

        @Override
        public void request(long count) {
            asked.complete(subscriber);
        }

        @Override
        public void cancel() {
            cancelled.complete(null);
        }
    }

    private static void answer(Where where, Flow.Publisher<ByteBuffer> publisher, Consumer<Response> before) {
        server.on(
                "/answer",
                (request, response) -> where.run(response, () -> {
                    before.accept(response);
                    response.send(publisher);
                }));
        server.on("/next", (request, response) -> response.send("next"));
    }

    private static void answer(Where where, Flow.Publisher<ByteBuffer> publisher) {
        answer(where, publisher, response -> {});
    }

    private static void assertInStep(Client client) throws Exception {
        assertEquals("next", client.request(NEXT).text());
    }

    private static ByteBuffer buffer(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    @ParameterizedTest(name = "C21: a publisher that fails before its first buffer gets the status of its failure: {0}")
    @EnumSource
    @Tag("C21")
    void failsFirst(Where where) throws Exception {
        answer(where, new Buffers(List.of(), new HttpException(503, "not now")), r -> r.addField("Retry-After", "9"));
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(503, response.status());
            assertEquals("9", response.field("retry-after"));
            assertEquals("not now", response.text());
            assertInStep(client);

            answer(where, new Buffers(List.of(), new IllegalArgumentException("secret")));
            response = client.request(GET);
            assertEquals(500, response.status());
            assertFalse(response.text().contains("secret"));
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "C21: so does one that fails later, and on another thread: {0}")
    @EnumSource
    @Tag("C21")
    void failsLater(Where where) throws Exception {
        var signals = new Signals();
        var sent = new CompletableFuture<Response>();
        answer(where, signals, sent::complete);
        try (Client client = connect()) {
            client.send(GET);
            var subscriber = Await.result(signals.asked);
            assertTrue(Await.result(sent).isCommitted());
            assertThrows(IllegalStateException.class, () -> sent.join().send("another"));
            subscriber.onError(new HttpException(502, "gone"));
            assertEquals("gone", client.response().text());
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "C21: a publisher that fails behind its first buffer cuts the response off: {0}")
    @EnumSource
    @Tag("C21")
    void failsBehind(Where where) throws Exception {
        answer(where, new Buffers(List.of(buffer("part")), new HttpException(503, "not now")));
        try (Client client = connect()) {
            assertCut("part", client.send(GET));
        }
    }

    @ParameterizedTest(name = "C1: a publisher without a buffer is an empty body, whose length is known: {0}")
    @EnumSource
    @Tag("C1")
    void empty(Where where) throws Exception {
        answer(where, Buffers.of());
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(200, response.status());
            assertEquals("0", response.field("content-length"));
            assertInStep(client);
            if (!isHttp2()) {
                response = client.request("GET /answer HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
                assertEquals("0", response.field("content-length"));
            }

            answer(where, Buffers.of(), r -> r.status(204));
            response = client.request(GET);
            assertEquals(204, response.status());
            assertNull(response.field("content-length"));
            assertInStep(client);

            answer(where, Buffers.of(""));
            assertEquals("", client.request(GET).text());
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "C2: HEAD gets the head of a published response, and the publisher is cancelled: {0}")
    @EnumSource
    @Tag("C2")
    void head(Where where) throws Exception {
        var signals = new Signals();
        answer(where, signals);
        try (Client client = connect()) {
            RawResponse response = client.send(GET.replace("GET", "HEAD")).headResponse();
            assertEquals(200, response.status());
            Await.result(signals.cancelled);
            assertInStep(client);
        }
    }

    @ParameterizedTest(
            name = "buffers that do not add up to Content-Length: 500 before the first, a cut behind it: {0}")
    @EnumSource
    void otherLength(Where where) throws Exception {
        Consumer<Response> declared = response -> response.addField("Content-Length", "4");
        try (Client client = connect()) {
            answer(where, Buffers.of(), declared);
            assertEquals(500, client.request(GET).status());
            answer(where, Buffers.of("longer"), declared);
            assertEquals(500, client.request(GET).status());
            answer(where, Buffers.of("fo", "ur"), declared);
            RawResponse right = client.request(GET);
            assertEquals("4", right.field("content-length"));
            assertEquals("four", right.text());
            answer(where, Buffers.of("fo"), declared);
            assertCut("fo", client.send(GET));
        }
    }

    @ParameterizedTest(name = "a response whose publisher has given nothing yet can be failed: {0}")
    @EnumSource
    void failed(Where where) throws Exception {
        var signals = new Signals();
        var sent = new CompletableFuture<Response>();
        answer(where, signals, sent::complete);
        try (Client client = connect()) {
            client.send(GET);
            var subscriber = Await.result(signals.asked);
            sent.join().fail(new HttpException(504, "too late"));
            assertEquals("too late", client.response().text());
            Await.result(signals.cancelled);
            subscriber.onNext(buffer("more"));
            subscriber.onComplete();
            subscriber.onError(new IllegalStateException("what a cancelled publisher may still say"));
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("a handler that throws behind send(publisher) is answered for, while nothing is out")
    void throwsBehind() throws Exception {
        var signals = new Signals();
        server.on("/answer", (request, response) -> {
            response.send(signals);
            throw new HttpException(409, "no, wait");
        });
        server.on("/next", (request, response) -> response.send("next"));
        try (Client client = connect()) {
            assertEquals("no, wait", client.request(GET).text());
            Await.result(signals.cancelled);
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("handlerDeadline answers 503 while a publisher has given nothing, and cancels it")
    void deadline() throws Exception {
        var signals = new Signals();
        try (var limited = TestServer.start(backend, builder -> builder.handlerDeadline(Duration.ofMillis(50)))
                        .on("/answer", (request, response) -> response.send(signals));
                Client client = connect(limited)) {
            assertEquals(503, client.request(GET).status());
            Await.result(signals.cancelled);
            Await.until(
                    () -> limited.stats().exchangesOpen() == 0,
                    () -> limited.stats().toString());
        }
    }

    @ParameterizedTest(name = "a publisher that has given nothing is cancelled when the client goes: {0}")
    @EnumSource
    void clientGone(Where where) throws Exception {
        var signals = new Signals();
        answer(where, signals);
        try (Client client = connect()) {
            client.send(GET);
            var subscriber = Await.result(signals.asked);
            client.reset();
            Await.result(signals.cancelled);
            subscriber.onNext(buffer("late"));
            Await.until(
                    () -> server.stats().exchangesOpen() == 0,
                    () -> server.stats().toString());
        }
    }

    private static void echo() {
        server.on("/echo", (request, response) -> response.send(request.body().publisher()));
        server.on("/next", (request, response) -> response.send("next"));
    }

    @Test
    @Tag("B10")
    @Tag("C21")
    @DisplayName(
            "B10, C21: an echo answers a body that is broken from the start with 400, and cuts off behind a first chunk")
    @Over(HttpVersion.HTTP_1_1)
    void echoOfBroken() throws Exception {
        echo();
        try (RawClient client = server.connect()) {
            RawResponse refused = client.request(CHUNKED + "x\r\n");
            assertEquals(400, refused.status());
            assertTrue(refused.closes());
        }
        try (RawClient client = server.connect()) {
            client.send(CHUNKED + "3\r\nabc\r\n");
            String wire = "";
            while (!wire.endsWith("3\r\nabc\r\n")) {
                wire += new String(client.readExactly(1), ISO_8859_1);
            }
            assertTrue(wire.startsWith("HTTP/1.1 200 "), wire);
            client.send("x\r\n");
            assertEquals("", new String(client.rest(), ISO_8859_1));
        }
    }

    @Test
    @DisplayName("an echo in one line returns bodies of any split, and of none")
    void echoSplit() throws Exception {
        echo();
        byte[] request = (CHUNKED + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").getBytes(ISO_8859_1);
        try (Client client = connect()) {
            for (int cut = CHUNKED.length(); cut < request.length; cut++) {
                client.send(java.util.Arrays.copyOf(request, cut));
                client.send(java.util.Arrays.copyOfRange(request, cut, request.length));
                assertEquals("abcde", client.response().text(), "cut at " + cut);
            }
            RawResponse nothing = client.request(CHUNKED + "0\r\n\r\n");
            assertEquals("0", nothing.field("content-length"));
            nothing = client.request("POST /echo HTTP/1.1\r\nHost: x\r\n\r\n");
            assertEquals("0", nothing.field("content-length"));
            assertInStep(client);
        }
    }
}
