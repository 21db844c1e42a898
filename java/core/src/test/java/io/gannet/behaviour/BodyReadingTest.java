package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Field;
import io.gannet.Fields;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.IncomingBody;
import io.gannet.Request;
import io.gannet.Response;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each way of reading a body gives the same bytes, fails alike, and makes the peer wait when it does not read. */
class BodyReadingTest extends VersionsTest {
    private static final String CHUNKED = "POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final int LARGE = 50 << 20;

    /** What the kernel may hold on both sides of a connection, by far. */
    private static final int KERNEL = 24 << 20;

    /** The credit, and what a backend has received already when it is told to stop: io_uring's buffers at most. */
    private static final int HELD = 2 << 20;

    private static void assertInStep(Client client) throws Exception {
        server.forgetSeen();
        assertEquals(200, client.request(NEXT).status());
        assertEquals("/next", server.seen().target());
    }

    /** Answers with what was read, or with what went wrong. */
    private static void answer(BodyWay way, Request request, Response response) {
        way.read(request.body()).whenComplete((sum, failure) -> {
            if (failure == null) {
                response.send(String.valueOf(sum.length()));
            } else {
                response.fail(failure);
            }
        });
    }

    private static Throwable cause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && !(cause instanceof HttpException)) {
            cause = cause.getCause();
        }
        return cause;
    }

    // ---- the bytes ----

    static Stream<Arguments> smallBodies() {
        return Stream.of(BodyWay.values())
                .flatMap(way -> Wire.each(
                                "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nhello, world",
                                CHUNKED + "5\r\nhello\r\n07\r\n, world\r\n0\r\n\r\n")
                        .map(wire -> Arguments.of(way, wire)));
    }

    @ParameterizedTest(name = "{0}: a body split at any offset is read as if sent whole: {1}")
    @MethodSource("smallBodies")
    @Over(HttpVersion.HTTP_1_1)
    void splitBody(BodyWay way, Wire request) throws Exception {
        var expected = BodyWay.Sum.of("hello, world".getBytes(ISO_8859_1));
        server.on(
                "/read",
                (received, response) -> way.read(received.body())
                        .thenAccept(sum -> response.send(expected.isSame(sum) ? "same" : "other: " + sum)));
        byte[] bytes = request.bytes().getBytes(ISO_8859_1);
        try (RawClient client = server.connect()) {
            for (int at = 0; at <= bytes.length; at++) {
                server.sendSplit(client, bytes, at);
                assertEquals("same", client.response().text(), "split at " + at);
            }
            server.sendByteByByte(client, bytes);
            assertEquals("same", client.response().text());
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "{0}: a request without a body has an empty one")
    @EnumSource
    @Tag("B1")
    void noBody(BodyWay way) throws Exception {
        server.on("/read", (request, response) -> answer(way, request, response));
        try (Client client = connect()) {
            assertEquals(
                    "0", client.request("GET /read HTTP/1.1\r\nHost: x\r\n\r\n").text());
            assertEquals(
                    "0",
                    client.request("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                            .text());
            assertEquals("0", client.request(CHUNKED + "0\r\n\r\n").text());
            assertInStep(client);
        }
    }

    // ---- back-pressure ----

    @ParameterizedTest(name = "B22: {0}: a body of 50 MiB stops until it is read, and then comes whole")
    @EnumSource
    @Tag("B22")
    void stopsUntilRead(BodyWay way) throws Exception {
        var start = new CompletableFuture<Request>();
        var answer = new CompletableFuture<Response>();
        server.on("/read", (request, response) -> {
            answer.complete(response);
            start.complete(request);
        });
        byte[] piece = new byte[1 << 20];
        new Random(3).nextBytes(piece);
        for (int i = 0; i < piece.length; i++) {
            piece[i] &= 0x7F;
        }
        var sent = new AtomicLong();
        var expected = new BodyWay.Sum();
        long before = server.stats().bytesReceived();
        try (Client client = connect();
                Client other = connect()) {
            var sending = CompletableFuture.runAsync(
                    () -> {
                        try {
                            client.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: " + LARGE + "\r\n\r\n");
                            for (int i = 0; i < LARGE >> 20; i++) {
                                client.send(piece);
                                sent.addAndGet(piece.length);
                                expected.add(piece, piece.length);
                            }
                        } catch (IOException failure) {
                            throw new AssertionError(failure);
                        }
                    },
                    BodyWay.threads());
            Request request = Await.result(start);
            Await.until(() -> server.stats().bytesReceived() - before >= 65536, () -> "the credit is used up");
            long others = 0;
            for (int i = 0; i < 200; i++) {
                other.request(NEXT);
                others += NEXT.length();
            }
            long taken = server.stats().bytesReceived() - before - others;
            assertTrue(taken <= HELD, "the server took " + taken + " bytes that nobody reads");
            assertTrue(sent.get() < KERNEL, "the client sent " + sent + " bytes that nobody reads");
            assertFalse(sending.isDone());

            BodyWay.Sum read = way.read(request.body()).get(40, TimeUnit.SECONDS);
            Await.result(sending);
            assertTrue(expected.isSame(read), () -> read + " instead of " + expected);
            answer.join().send("read");
            assertEquals("read", client.response().text());
            assertInStep(client);
        }
        server.forgetSeen();
    }

    @Test
    @Tag("B22")
    @DisplayName("B22: a subscriber without demand is given nothing, and the client stops; with demand it goes on")
    void publisherWithoutDemand() throws Exception {
        var subscription = new CompletableFuture<Flow.Subscription>();
        var given = new AtomicLong();
        var ended = new CompletableFuture<Void>();
        server.on(
                "/read",
                (request, response) -> request.body().publisher().subscribe(new Flow.Subscriber<>() {
                    @Override
                    public void onSubscribe(Flow.Subscription one) {
                        subscription.complete(one);
                    }

                    @Override
                    public void onNext(ByteBuffer chunk) {
                        given.addAndGet(chunk.remaining());
                    }

                    @Override
                    public void onError(Throwable failure) {
                        ended.completeExceptionally(failure);
                        response.fail(failure);
                    }

                    @Override
                    public void onComplete() {
                        ended.complete(null);
                        response.send("read");
                    }
                }));
        try (Client client = connect();
                Client other = connect()) {
            client.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n");
            client.send(new byte[400_000]);
            var demand = Await.result(subscription);
            for (int i = 0; i < 50; i++) {
                other.request(NEXT);
            }
            assertEquals(0, given.get());
            assertFalse(ended.isDone());
            demand.request(1);
            Await.until(() -> given.get() > 0, () -> "one buffer is given");
            for (int i = 0; i < 50; i++) {
                other.request(NEXT);
            }
            assertTrue(given.get() <= 65536, () -> given + " bytes were given for a demand of one");
            demand.request(Long.MAX_VALUE);
            Await.result(ended);
            assertEquals(400_000, given.get());
            assertEquals("read", client.response().text());
            server.forgetSeen();
            assertInStep(client);
        }
    }

    // ---- trailers ----

    @ParameterizedTest(
            name = "B14, B16: {0}: trailers come behind the data, those that have no place there are left out")
    @EnumSource
    @Tag("B14")
    @Tag("B16")
    void trailers(BodyWay way) throws Exception {
        var fields = new CompletableFuture<List<Field>>();
        var early = new CompletableFuture<Throwable>();
        server.on("/read", (request, response) -> {
            IncomingBody body = request.body();
            early.complete(assertThrows(IllegalStateException.class, body::trailers));
            way.read(body).thenApply(sum -> body.trailers().toList()).whenComplete((list, failure) -> {
                if (failure == null) {
                    fields.complete(list);
                    response.send("read");
                } else {
                    fields.completeExceptionally(failure);
                    response.fail(failure);
                }
            });
        });
        try (Client client = connect()) {
            RawResponse response = client.request(CHUNKED
                    + "5\r\nhello\r\n0\r\nA: 1\r\nB:  two \r\nHost: evil\r\nA: 3\r\nContent-Length: 3\r\n"
                    + "Authorization: x\r\n" + (isHttp2() ? "" : "Transfer-Encoding: chunked\r\n") + "\r\n");
            assertEquals(200, response.status());
            assertEquals(
                    isHttp2() ? "a=1,b=two,a=3" : "A=1,B=two,A=3",
                    Await.result(fields).stream()
                            .map(field -> field.name() + "=" + field.value())
                            .collect(Collectors.joining(",")));
            assertNotNull(Await.result(early));
            assertInStep(client);
        }
    }

    @Test
    @Tag("B14")
    @DisplayName("B14: trailers are looked up as other fields are, and outlive their exchange")
    void trailersOutlive() throws Exception {
        var trailers = new CompletableFuture<Fields>();
        server.on("/read", (request, response) -> {
            IncomingBody body = request.body();
            body.discard().thenAccept(count -> {
                response.send("read");
                trailers.complete(body.trailers());
            });
        });
        try (Client client = connect()) {
            client.request(CHUNKED + "0\r\nChecksum: abc\r\nVia: one\r\nVIA: two\r\n\r\n");
            assertInStep(client);
            var fields = Await.result(trailers);
            assertEquals(3, fields.size());
            assertEquals("abc", fields.get("checksum"));
            assertEquals(List.of("one", "two"), fields.all("via"));
            assertFalse(fields.contains("host"));
        }
    }

    @ParameterizedTest(name = "{0}: a body without trailers has none")
    @EnumSource
    void noTrailers(BodyWay way) throws Exception {
        server.on("/read", (request, response) -> {
            IncomingBody body = request.body();
            way.read(body)
                    .thenAccept(
                            sum -> response.send("trailers: " + body.trailers().size()
                                    + body.trailers().get("x") + body.trailers().toList()));
        });
        try (Client client = connect()) {
            assertEquals(
                    "trailers: 0null[]",
                    client.request(CHUNKED + "1\r\nx\r\n0\r\n\r\n").text());
            assertEquals(
                    "trailers: 0null[]",
                    client.request("GET /read HTTP/1.1\r\nHost: x\r\n\r\n").text());
        }
    }

    private static String manyTrailers(int count) {
        return IntStream.range(0, count).mapToObj(i -> "T" + i + ": v\r\n").collect(Collectors.joining());
    }

    @ParameterizedTest(name = "B15: {0} trailers are accepted")
    @ValueSource(ints = {1, 99, 100})
    @Tag("B15")
    void mostTrailers(int count) throws Exception {
        server.on("/read", (request, response) -> {
            IncomingBody body = request.body();
            body.discard()
                    .thenAccept(length ->
                            response.send(String.valueOf(body.trailers().size())));
        });
        try (Client client = connect()) {
            assertEquals(
                    String.valueOf(count),
                    client.request(CHUNKED + "0\r\n" + manyTrailers(count) + "\r\n")
                            .text());
            assertInStep(client);
        }
    }

    static Stream<Wire> badTrailers() {
        return Wire.each(
                manyTrailers(101) + "\r\n",
                "A: " + "x".repeat(140_000) + "\r\n\r\n",
                "bad\r\r\n",
                "bad\r\n\r\n",
                " A: b\r\n\r\n",
                "A : b\r\n\r\n");
    }

    @ParameterizedTest(name = "B15: the trailers {0} are an error")
    @MethodSource("badTrailers")
    @Tag("B15")
    void badTrailers(Wire trailers) throws Exception {
        for (BodyWay way : List.of(BodyWay.BYTES, BodyWay.FOR_EACH, BodyWay.PUBLISHER, BodyWay.STREAM)) {
            assertBodyFails(way, new Wire(CHUNKED + "1\r\nx\r\n0\r\n" + trailers.bytes()), client -> {});
        }
    }

    // ---- what breaks off ----

    private interface Cut {
        void cut(RawClient client) throws IOException;
    }

    static Stream<Arguments> cutBodies() {
        return Stream.of(BodyWay.values())
                .flatMap(way -> Wire.each(
                                "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
                                "POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123456789",
                                CHUNKED + "5\r\nhello",
                                CHUNKED + "5\r\nhello\r\n0\r\nTrailer: x\r\n")
                        .map(wire -> Arguments.of(way, wire)));
    }

    @ParameterizedTest(name = "B17: {0}: the end of the connection behind {1} fails the reading")
    @MethodSource("cutBodies")
    @Tag("B17")
    void cutBody(BodyWay way, Wire request) throws Exception {
        assertBodyFails(way, request, RawClient::end);
    }

    @ParameterizedTest(name = "B23: {0}: a reset behind {1} fails the reading")
    @MethodSource("cutBodies")
    @Tag("B23")
    void resetBody(BodyWay way, Wire request) throws Exception {
        assertBodyFails(way, request, RawClient::reset);
    }

    private static void assertBodyFails(BodyWay way, Wire request, Cut how) throws Exception {
        var reading = new CompletableFuture<CompletableFuture<BodyWay.Sum>>();
        server.on("/read", (received, response) -> {
            CompletableFuture<BodyWay.Sum> read = way.read(received.body());
            read.whenComplete((sum, failure) -> response.fail(failure == null ? new AssertionError("read") : failure));
            reading.complete(read);
        });
        try (RawClient client = server.connect()) {
            client.send(request.bytes());
            CompletableFuture<BodyWay.Sum> body = Await.result(reading);
            how.cut(client);
            Throwable failure = Await.result(body.handle((sum, thrown) -> thrown));
            assertNotNull(failure, "the body came to a clean end");
            assertInstanceOf(HttpException.class, cause(failure), () -> String.valueOf(failure));
        }
    }

    @ParameterizedTest(name = "B23: {0}: a body that broke before it is read fails at once")
    @EnumSource
    @Tag("B23")
    void brokenBefore(BodyWay way) throws Exception {
        var arrived = new CompletableFuture<Request>();
        var kept = new CompletableFuture<Response>();
        server.on("/read", (request, response) -> {
            kept.complete(response);
            request.body();
            arrived.complete(request);
        });
        try (Client client = connect()) {
            long before = server.stats().exchangesReset();
            client.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
            Request request = Await.result(arrived);
            client.reset();
            Await.until(() -> server.stats().exchangesReset() > before, () -> "the server sees the reset");
            Throwable failure = Await.result(way.read(request.body()).handle((sum, thrown) -> thrown));
            assertNotNull(failure, "the body came to a clean end");
            assertInstanceOf(HttpException.class, cause(failure), () -> String.valueOf(failure));
            kept.join().send("nobody");
        }
    }

    // ---- 100 (Continue) ----

    @ParameterizedTest(name = "B18: {0}: the first read has 100 (Continue) sent")
    @EnumSource
    @Tag("B18")
    void continues(BodyWay way) throws Exception {
        var arrived = new CompletableFuture<Request>();
        var answer = new CompletableFuture<Response>();
        server.on("/read", (request, response) -> {
            answer.complete(response);
            arrived.complete(request);
        });
        try (Client client = connect()) {
            client.send("POST /read HTTP/1.1\r\nHost: x\r\nExpect: 100-CONTINUE\r\nContent-Length: 5\r\n\r\n");
            CompletableFuture<BodyWay.Sum> read = way.read(Await.result(arrived).body());
            RawResponse first = client.response();
            assertEquals(100, first.status());
            assertEquals(List.of(), first.fields());
            assertFalse(read.isDone());
            client.send("hello");
            assertEquals(5, Await.result(read).length());
            answer.join().send("read");
            assertEquals("read", client.response().text());
            assertInStep(client);
        }
    }

    static Stream<Wire> withoutContinue() {
        String old = "POST /read HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
                + "Content-Length: 5\r\n\r\nhello";
        return Wire.each(
                isHttp2() ? "GET /read HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n" : old,
                "POST /read HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n");
    }

    @ParameterizedTest(name = "B19: no 100 (Continue) goes to {0}")
    @MethodSource("withoutContinue")
    @Tag("B19")
    void continuesNot(Wire request) throws Exception {
        for (BodyWay way : BodyWay.values()) {
            server.on("/read", (received, response) -> answer(way, received, response));
            try (Client client = connect()) {
                assertEquals(200, client.request(request.bytes()).status(), way::toString);
            }
        }
    }

    @Test
    @Tag("B19")
    @DisplayName("B19: opening a stream or a publisher without reading has no 100 (Continue) sent")
    void continuesNotUnread() throws Exception {
        server.on("/read", (request, response) -> {
            CompletableFuture.supplyAsync(() -> request.body().inputStream(), BodyWay.threads())
                    .thenAccept(stream -> response.send("not read"));
        });
        try (Client client = connect()) {
            client.send("POST /read HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
            RawResponse response = client.response();
            assertEquals(200, response.status());
            assertEquals("not read", response.text());
        }
    }

    // ---- limits ----

    @Test
    @Tag("B24")
    @DisplayName("B24: what reads as it comes has no limit, what gathers has")
    void limits() throws Exception {
        String body = "b".repeat(3 << 20);
        for (BodyWay way : BodyWay.values()) {
            if (way.isStreaming()) {
                server.on("/read", (request, response) -> answer(way, request, response));
                try (Client client = connect()) {
                    client.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n");
                    client.send(body);
                    assertEquals(
                            String.valueOf(body.length()), client.response().text(), way::toString);
                }
            }
        }
        server.on("/read", (request, response) -> request.body().text().thenAccept(response::send));
        try (Client client = connect()) {
            client.send("POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n");
            RawResponse response = client.response();
            assertEquals(413, response.status());
            assertEquals(!isHttp2(), response.closes());
        }
    }
}
