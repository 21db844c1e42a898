package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Dispatch;
import io.gannet.Field;
import io.gannet.FieldName;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.OutgoingBody;
import io.gannet.Request;
import io.gannet.Response;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bodies that are written chunk by chunk, where the handler runs and from another thread. */
class StreamedResponseTest extends VersionsTest {
    private static final String GET = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String GET_CLOSE = "GET /answer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private static final String HEAD = "HEAD /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String GET_10 = "GET /answer HTTP/1.0\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    private static Thread other;
    private static final BlockingQueue<Runnable> OTHERS = new LinkedBlockingQueue<>();

    /** Where a handler answers. */
    enum Where {
        HANDLER,
        OTHER_THREAD;

        Handler run(Handler handler) {
            Executor executor = this == HANDLER ? Runnable::run : OTHERS::add;
            return (request, response) -> executor.execute(() -> {
                try {
                    handler.handle(request, response);
                } catch (Throwable failure) {
                    response.fail(failure);
                }
            });
        }
    }

    @BeforeAll
    static void startThread() {
        other = new Thread(
                () -> {
                    try {
                        while (true) {
                            OTHERS.take().run();
                        }
                    } catch (InterruptedException ended) {
                        // The test class is through.
                    }
                },
                "other");
        other.start();
    }

    @AfterAll
    static void endThread() throws Exception {
        other.interrupt();
        other.join();
    }

    private static void answer(Where where, Handler handler) {
        server.on("/answer", where.run(handler));
        server.on("/next", (request, response) -> response.send("next"));
    }

    private static void assertInStep(Client client) throws Exception {
        assertEquals("next", client.request(NEXT).text());
    }

    /** Writes the pieces one after the other, and ends. */
    private static CompletionStage<Void> writeAll(OutgoingBody body, List<byte[]> pieces) {
        CompletionStage<Void> last = CompletableFuture.completedStage(null);
        for (byte[] piece : pieces) {
            last = last.thenCompose(done -> body.write(piece));
        }
        return last.thenRun(body::end);
    }

    private static void hello(Response response) {
        writeAll(response.stream(), List.of("hel".getBytes(UTF_8), new byte[0], "lo".getBytes(UTF_8)));
    }

    private static String wire(String request) throws Exception {
        try (RawClient client = server.connect()) {
            return new String(client.send(request).rest(), ISO_8859_1);
        }
    }

    private static String bodyOf(String wire) {
        return wire.substring(wire.indexOf("\r\n\r\n") + 4);
    }

    @ParameterizedTest(
            name = "C1: a body of unknown length is chunked for HTTP/1.1 and ends the connection for 1.0: {0}")
    @EnumSource
    @Tag("C1")
    void unknownLength(Where where) throws Exception {
        answer(where, (request, response) -> hello(response));
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(isHttp2() ? null : "chunked", response.field("transfer-encoding"));
            assertFalse(response.has("content-length"));
            assertEquals("hello", response.text());
            assertInStep(client);
        }
        if (isHttp2()) {
            return;
        }
        try (RawClient client = server.connect()) {
            RawResponse old = client.request(GET_10);
            assertFalse(old.has("transfer-encoding"));
            assertFalse(old.has("content-length"));
            assertTrue(old.closes(), old::toString);
            assertEquals("hello", old.text());
        }
    }

    @ParameterizedTest(name = "C1: a declared length frames a streamed body: {0}")
    @EnumSource
    @Tag("C1")
    void declaredLength(Where where) throws Exception {
        answer(where, (request, response) -> hello(response.addField("Content-Length", "5")));
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals("5", response.field("content-length"));
            assertFalse(response.has("transfer-encoding"));
            assertEquals("hello", response.text());
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "C7, C8: what is streamed to HEAD, or with 204, 205 and 304, does not go out: {0}")
    @EnumSource
    @Tag("C7")
    @Tag("C8")
    void hidden(Where where) throws Exception {
        try (Client client = connect()) {
            answer(where, (request, response) -> hello(response));
            RawResponse head = client.send(HEAD).headResponse();
            assertFalse(head.has("content-length"), head::toString);
            assertInStep(client);

            answer(where, (request, response) -> hello(response.addField("Content-Length", "99")));
            assertEquals("99", client.send(HEAD).headResponse().field("content-length"));
            assertInStep(client);

            for (int status : List.of(204, 205, 304)) {
                answer(where, (request, response) -> hello(response.status(status)));
                RawResponse none = client.request(GET);
                assertEquals(status, none.status());
                assertFalse(none.has("transfer-encoding"), none::toString);
                assertEquals("", none.text());
                assertInStep(client);
            }
        }
    }

    @ParameterizedTest(
            name = "C2, C3, C4: a Transfer-Encoding that the handler sets is kept, with chunked behind it: {0}")
    @EnumSource
    @Tag("C2")
    @Tag("C3")
    @Tag("C4")
    @Over(HttpVersion.HTTP_1_1)
    void transferEncoding(Where where) throws Exception {
        answer(
                where,
                (request, response) ->
                        response.addField("Transfer-Encoding", "chunked").send(new byte[0]));
        String empty = wire(GET_CLOSE);
        assertTrue(empty.contains("\r\ntransfer-encoding: chunked\r\n"), empty);
        assertEquals("0\r\n\r\n", bodyOf(empty));

        answer(
                where,
                (request, response) ->
                        response.addField("Transfer-Encoding", "gzip").send("zip"));
        String coded = wire(GET_CLOSE);
        assertTrue(coded.toLowerCase().contains("\r\ntransfer-encoding: gzip, chunked\r\n"), coded);
        assertFalse(coded.toLowerCase().contains("content-length"), coded);
        assertEquals("3\r\nzip\r\n0\r\n\r\n", bodyOf(coded));

        answer(where, (request, response) -> hello(response.addField("Transfer-Encoding", "chunked")));
        String old = wire(GET_10);
        assertFalse(old.toLowerCase().contains("transfer-encoding"), old);
        assertEquals("hello", bodyOf(old));
    }

    @ParameterizedTest(
            name = "C5: more than Content-Length is refused at the call, and exactly that much goes out: {0}")
    @EnumSource
    @Tag("C5")
    void tooMuch(Where where) throws Exception {
        var refused = new CompletableFuture<IllegalStateException>();
        answer(where, (request, response) -> {
            OutgoingBody body = response.addField("Content-Length", "5").stream();
            body.write("hel").thenRun(() -> {
                refused.complete(assertThrows(IllegalStateException.class, () -> body.write("lo!")));
                body.write("lo");
                body.end();
            });
        });
        try (Client client = connect()) {
            assertEquals("hello", client.request(GET).text());
            assertInStep(client);
        }
        String message = Await.result(refused).getMessage();
        assertTrue(message.contains("1 bytes more") && message.contains("leaves 2 for this write of 3"), message);
        assertTrue(message.contains("GET /answer"), message);
    }

    @ParameterizedTest(name = "C5: a body that ends short of Content-Length is cut off, and the end says so: {0}")
    @EnumSource
    @Tag("C5")
    void tooLittle(Where where) throws Exception {
        var refused = new CompletableFuture<IllegalStateException>();
        answer(where, (request, response) -> {
            OutgoingBody body = response.addField("Content-Length", "5").stream();
            body.write("hel").thenRun(() -> {
                refused.complete(assertThrows(IllegalStateException.class, body::end));
                body.end();
                assertThrows(IllegalStateException.class, () -> body.write("lo"));
            });
        });
        try (Client client = connect()) {
            assertCut("hel", client.send(GET));
        }
        assertTrue(Await.result(refused).getMessage().contains("2 bytes short"));
    }

    @ParameterizedTest(name = "C21: a body that is aborted, or whose response fails, has no end on the wire: {0}")
    @EnumSource
    @Tag("C21")
    void cutOff(Where where) throws Exception {
        answer(where, (request, response) -> {
            OutgoingBody body = response.stream();
            body.write("hel").thenRun(() -> {
                body.abort();
                body.abort();
                body.end();
            });
        });
        try (Client client = connect()) {
            assertCut("hel", client.send(GET));
        }

        answer(
                where,
                (request, response) -> response.stream()
                        .write("hel")
                        .thenRun(() -> response.fail(new IllegalStateException("no more"))));
        try (Client client = connect()) {
            assertCut("hel", client.send(GET));
        }
    }

    @ParameterizedTest(name = "C20: 100 KB in chunks of 1 KB arrive complete: {0}")
    @EnumSource
    @Tag("C20")
    void chunks(Where where) throws Exception {
        byte[] expected = new byte[100 * 1024];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = (byte) (i / 1024 + i);
        }
        answer(where, (request, response) -> {
            OutgoingBody body = response.stream();
            CompletionStage<Void> last = CompletableFuture.completedStage(null);
            for (int i = 0; i < expected.length; i += 1024) {
                byte[] piece = Arrays.copyOfRange(expected, i, i + 1024);
                last = last.thenCompose(done -> body.write(piece));
            }
            last.thenRun(body::end);
        });
        try (Client client = connect()) {
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(expected, client.request(GET).body());
            }
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "a chain of 20,000 writes that are complete at once does not exhaust the stack: {0}")
    @EnumSource
    void longChain(Where where) throws Exception {
        answer(where, (request, response) -> next(response.stream(), 20_000));
        try (Client client = connect()) {
            assertEquals(20_000, client.request(GET).body().length);
        }
    }

    private static void next(OutgoingBody body, int left) {
        if (left == 0) {
            body.end();
        } else {
            body.write("x").thenRun(() -> next(body, left - 1));
        }
    }

    @ParameterizedTest(name = "D8: the end goes out when the body ends behind a write that waits: {0}")
    @EnumSource
    @Tag("D8")
    @Tag("D10")
    void endBehindWrite(Where where) throws Exception {
        byte[] bytes = new byte[3_000_000];
        Arrays.fill(bytes, (byte) 'b');
        var done = new CompletableFuture<Void>();
        answer(where, (request, response) -> {
            OutgoingBody body = response.stream();
            body.write(bytes).whenComplete((none, failure) -> done.complete(none));
            body.end();
        });
        try (Client client = connectSlowly()) {
            assertArrayEquals(bytes, client.request(GET).body());
            assertInStep(client);
        }
        Await.result(done);
    }

    @Test
    @DisplayName("an end on the loop does not overtake a write from another thread")
    void endElsewhere() throws Exception {
        answer(Where.HANDLER, (request, response) -> {
            OutgoingBody body = response.stream();
            var written = new CompletableFuture<Void>();
            OTHERS.add(() -> {
                body.write("hello");
                written.complete(null);
            });
            // The loop waits here, so that the write is under way when the body ends.
            written.join();
            body.end();
        });
        try (Client client = connect()) {
            assertEquals("hello", client.request(GET).text());
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "one write at a time: another is refused while the client takes no bytes: {0}")
    @EnumSource
    void oneWrite(Where where) throws Exception {
        var refused = new CompletableFuture<IllegalStateException>();
        var done = new CompletableFuture<Boolean>();
        byte[] bytes = new byte[8_000_000];
        answer(where, (request, response) -> {
            OutgoingBody body = response.stream();
            CompletionStage<Void> first = body.write(bytes);
            done.complete(first.toCompletableFuture().isDone());
            refused.complete(assertThrows(IllegalStateException.class, () -> body.write("more")));
            assertThrows(IllegalStateException.class, () -> body.writeAll(new Buffers(List.of())));
            first.thenRun(body::end);
        });
        try (Client client = connect()) {
            client.send(GET);
            assertTrue(Await.result(refused).getMessage().contains("not complete"));
            assertFalse(Await.result(done));
            assertEquals(bytes.length, client.response().body().length);
            assertInStep(client);
        }
    }

    @ParameterizedTest(name = "a client that goes away fails the write in progress and each one after it: {0}")
    @EnumSource
    void clientGone(Where where) throws Exception {
        var first = new CompletableFuture<Throwable>();
        var second = new CompletableFuture<Throwable>();
        var sent = new CompletableFuture<Throwable>();
        answer(where, (request, response) -> {
            response.onSent().whenComplete((none, failure) -> sent.complete(failure));
            OutgoingBody body = response.stream();
            body.write(new byte[50_000_000]).whenComplete((none, failure) -> {
                first.complete(failure);
                body.write("x").whenComplete((also, again) -> second.complete(again));
                body.end();
            });
        });
        try (Client client = connect()) {
            client.send(GET);
            client.awaitAnswer();
            client.reset();
        }
        assertSame(HttpException.class, Await.result(first).getClass());
        assertSame(HttpException.class, Await.result(second).getClass());
        assertNotNull(Await.result(sent));
    }

    @ParameterizedTest(name = "onSent of a streamed response is complete when its end is with the kernel: {0}")
    @EnumSource
    void onSent(Where where) throws Exception {
        var sent = new CompletableFuture<Void>();
        answer(where, (request, response) -> {
            response.onSent().thenRun(() -> sent.complete(null));
            hello(response);
        });
        try (Client client = connect()) {
            assertEquals("hello", client.request(GET).text());
            Await.result(sent);
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("a write takes the remaining bytes of a buffer, direct or not, and leaves nothing remaining")
    void buffers() throws Exception {
        answer(Where.HANDLER, (request, response) -> {
            ByteBuffer direct = ByteBuffer.allocateDirect(8)
                    .put("(hel)".getBytes(UTF_8))
                    .position(1)
                    .limit(4);
            OutgoingBody body = response.stream();
            CompletionStage<Void> first = body.write(direct);
            assertFalse(direct.hasRemaining());
            first.thenCompose(done ->
                            body.write(ByteBuffer.wrap("lo".getBytes(UTF_8)).asReadOnlyBuffer()))
                    .thenRun(body::end);
        });
        try (Client client = connect()) {
            assertEquals("hello", client.request(GET).text());
        }
    }

    @ParameterizedTest(name = "C18: trailers go to a client that says TE: trailers: {0}")
    @ValueSource(
            strings = {
                "TE: trailers",
                "te: Trailers",
                "TE: deflate;q=0.5, trailers",
                "TE: gzip\r\nTE: trailers",
                "TE: trailers;q=1"
            })
    @Tag("C18")
    @Over(HttpVersion.HTTP_1_1)
    void trailers(String te) throws Exception {
        var accepts = new CompletableFuture<Boolean>();
        answer(Where.HANDLER, (request, response) -> {
            accepts.complete(request.acceptsTrailers());
            trailed(response.stream());
        });
        String response = wire("GET /answer HTTP/1.1\r\nHost: x\r\nConnection: close, TE\r\n" + te + "\r\n\r\n");
        if (Await.result(accepts)) {
            assertEquals("2\r\nhi\r\n0\r\nX-Sum: 7\r\nx-sum: \u00e4\r\n\r\n", bodyOf(response));
        } else {
            assertEquals("TE: trailers;q=1", te, "not taken for an acceptance of trailers");
            assertEquals("2\r\nhi\r\n0\r\n\r\n", bodyOf(response));
        }
    }

    private static void trailed(OutgoingBody body) {
        body.write("hi")
                .thenRun(() -> body.addTrailer("X-Sum", "7")
                        .addTrailer("x-sum", "\u00e4")
                        .end());
    }

    @ParameterizedTest(name = "C18: without TE trailers go out only if the handler insists, and never to HTTP/1.0: {0}")
    @EnumSource
    @Tag("C18")
    @Over(HttpVersion.HTTP_1_1)
    void insist(Where where) throws Exception {
        answer(where, (request, response) -> trailed(response.stream()));
        assertEquals("2\r\nhi\r\n0\r\n\r\n", bodyOf(wire(GET_CLOSE)));

        answer(where, (request, response) -> trailed(response.stream().insistOnTrailers()));
        assertEquals("2\r\nhi\r\n0\r\nX-Sum: 7\r\nx-sum: \u00e4\r\n\r\n", bodyOf(wire(GET_CLOSE)));
        assertEquals("hi", bodyOf(wire(GET_10)));
        try (RawClient client = server.connect()) {
            client.send(HEAD).headResponse();
            assertInStep(client);
        }
    }

    @Test
    @Tag("C18")
    @DisplayName("C18: a name that has no place in trailers, or a trailer that has no place, is refused at the call")
    @Over(HttpVersion.HTTP_1_1)
    void trailersRefused() throws Exception {
        var refused = new CompletableFuture<String>();
        answer(Where.HANDLER, (request, response) -> {
            OutgoingBody body = response.stream().insistOnTrailers();
            for (String name : List.of(
                    "Content-Length",
                    "transfer-encoding",
                    "HOST",
                    "Set-Cookie",
                    "Trailer",
                    "Date",
                    "X-Forwarded-For")) {
                Throwable thrown = assertThrows(IllegalArgumentException.class, () -> body.addTrailer(name, "1"));
                assertTrue(thrown.getMessage().contains(name), thrown::getMessage);
            }
            assertThrows(IllegalArgumentException.class, () -> body.addTrailer("a b", "1"));
            assertThrows(IllegalArgumentException.class, () -> body.addTrailer("a", "1\r\n2"));
            body.end();
            assertThrows(IllegalStateException.class, () -> body.addTrailer("a", "1"));
            refused.complete("");
        });
        assertEquals("0\r\n\r\n", bodyOf(wire(GET_CLOSE)));
        Await.result(refused);

        answer(Where.HANDLER, (request, response) -> {
            OutgoingBody body = response.addField("Content-Length", "2").stream();
            assertThrows(IllegalStateException.class, () -> body.addTrailer("a", "1"));
            body.write("hi");
            body.end();
        });
        assertEquals("hi", bodyOf(wire(GET_CLOSE)));
    }

    @ParameterizedTest(name = "C11: interim responses go out before the final one, but not to HTTP/1.0: {0}")
    @EnumSource
    @Tag("C11")
    void interim(Where where) throws Exception {
        answer(where, (request, response) -> {
            response.addField("X-Final", "1");
            response.sendInterim(102);
            response.sendInterim(103, new Field("Link", "</a.css>"), new Field("link", "</b.css>"));
            response.send("final");
        });
        try (Client client = connect()) {
            RawResponse first = client.request(GET);
            assertEquals(102, first.status());
            assertEquals(List.of(), first.fields());
            RawResponse second = client.response();
            assertEquals(103, second.status());
            assertEquals(List.of("</a.css>", "</b.css>"), second.all("link"));
            assertEquals(2, second.fields().size());
            RawResponse last = client.response();
            assertEquals("final", last.text());
            assertEquals("1", last.field("x-final"));
            assertInStep(client);
        }
        if (!isHttp2()) {
            assertTrue(wire(GET_10).startsWith("HTTP/1.1 200 OK\r\n"));
        }
    }

    @Test
    @Tag("C11")
    @DisplayName("C11: 101, a final status and fields about framing are refused for interim responses")
    void interimRefused() throws Exception {
        answer(Where.HANDLER, (request, response) -> {
            for (int status : List.of(99, 101, 200)) {
                assertThrows(IllegalArgumentException.class, () -> response.sendInterim(status));
            }
            for (String name : List.of("Content-Length", "Connection", "Transfer-Encoding")) {
                assertThrows(IllegalArgumentException.class, () -> response.sendInterim(103, new Field(name, "1")));
            }
            for (Field[] fields : new Field[][] {null, {null}}) {
                String refused = assertThrows(NullPointerException.class, () -> response.sendInterim(103, fields))
                        .getMessage();
                assertEquals(fields == null ? "fields" : "field", refused);
            }
            response.send("fine");
            assertThrows(IllegalStateException.class, () -> response.sendInterim(103));
        });
        try (Client client = connect()) {
            assertEquals("fine", client.request(GET).text());
        }
    }

    @Test
    @Tag("C16")
    @DisplayName("C16: the reason phrase of the handler goes out; one with a line break cannot be built")
    @Over(HttpVersion.HTTP_1_1)
    void reason() throws Exception {
        for (String phrase : List.of("Fine by me", "", "gr\u00fcn\t!")) {
            answer(Where.HANDLER, (request, response) -> {
                assertThrows(IllegalArgumentException.class, () -> response.status(200, "a\r\nb"));
                assertThrows(IllegalArgumentException.class, () -> response.status(200, "\u20ac"));
                hello(response.status(299, phrase));
            });
            try (RawClient client = server.connect()) {
                assertEquals("HTTP/1.1 299 " + phrase, client.request(GET).statusLine());
                assertInStep(client);
            }
        }
    }

    @ParameterizedTest(
            name = "C17: names that the server spells are in title case: {0}; those of the handler go out as they are")
    @ValueSource(booleans = {false, true})
    @Tag("C17")
    @Over(HttpVersion.HTTP_1_1)
    void titleCase(boolean on) throws Exception {
        try (TestServer titled = TestServer.start(backend, builder -> builder.titleCaseFields(on))) {
            titled.on("/answer", (request, response) -> {
                response.addField("x-one", "1").addField("X-ONE", "2").addField("X-one", "3");
                OutgoingBody body = response.addField("cOOkie", "4").stream();
                body.insistOnTrailers()
                        .addTrailer("x-sum", "1")
                        .addTrailer("X-SUM", "2")
                        .end();
            });
            titled.on(
                    "/sized",
                    (request, response) -> response.addField("etag", "a")
                            .addField(FieldName.VARY, "b")
                            .addField("VARY", "c")
                            .send("x"));
            try (RawClient client = titled.connect()) {
                String text = new String(client.send(GET_CLOSE).rest(), ISO_8859_1);
                assertTrue(text.contains("\r\nx-one: 1\r\nX-ONE: 2\r\nX-one: 3\r\ncOOkie: 4\r\n"), text);
                assertTrue(text.endsWith("0\r\nx-sum: 1\r\nX-SUM: 2\r\n\r\n"), text);
                for (String own : List.of("Transfer-Encoding: chunked", "Connection: close", "Date: ")) {
                    String name = own.substring(0, own.indexOf(':'));
                    String spelled = (on ? name : name.toLowerCase(Locale.ROOT)) + own.substring(name.length());
                    assertTrue(text.contains("\r\n" + spelled), () -> spelled + " in " + text);
                }
            }
            try (RawClient client = titled.connect()) {
                RawResponse sized = client.request("GET /sized HTTP/1.1\r\nHost: x\r\n\r\n");
                List<String> names =
                        sized.fields().stream().map(Map.Entry::getKey).toList();
                List<String> wanted = on
                        ? List.of("Etag", "Vary", "VARY", "Content-Type", "Content-Length", "Date")
                        : List.of("etag", "vary", "VARY", "content-type", "content-length", "date");
                assertEquals(Set.copyOf(wanted), Set.copyOf(names));
                assertEquals(wanted.size(), names.size());
            }
        }
    }

    @Test
    @DisplayName("a response is committed by stream(): nothing of its head can change, and no other can be sent")
    void committed() throws Exception {
        answer(Where.HANDLER, (request, response) -> {
            OutgoingBody body = response.stream();
            assertTrue(response.isCommitted());
            assertThrows(IllegalStateException.class, () -> response.addField("a", "b"));
            assertThrows(IllegalStateException.class, () -> response.send("x"));
            assertThrows(IllegalStateException.class, response::stream);
            assertThrows(IllegalStateException.class, response::outputStream);
            assertThrows(NullPointerException.class, () -> body.write((ByteBuffer) null));
            assertThrows(NullPointerException.class, () -> body.write((byte[]) null));
            assertThrows(NullPointerException.class, () -> body.write((String) null));
            assertThrows(NullPointerException.class, () -> body.writeAll(null));
            body.end();
            body.end();
            assertThrows(IllegalStateException.class, () -> body.write("x"));
            assertThrows(IllegalStateException.class, () -> body.writeAll(new Buffers(List.of())));
            body.abort();
        });
        try (Client client = connect()) {
            assertEquals("", client.request(GET).text());
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("with reuse of exchanges a body that was ended is of no effect on the next request")
    void reused() throws Exception {
        try (TestServer reusing = TestServer.start(backend, builder -> builder.reuseExchanges(true));
                Client client = connect(reusing)) {
            var before = new OutgoingBody[1];
            reusing.on("/answer", (request, response) -> {
                OutgoingBody body = response.stream();
                if (before[0] != null) {
                    before[0].abort();
                    before[0].end();
                    assertThrows(IllegalStateException.class, () -> before[0].write("x"));
                }
                before[0] = body;
                body.write("hello");
                body.end();
            });
            for (int i = 0; i < 5; i++) {
                assertEquals("hello", client.request(GET).text());
            }
        }
    }

    @Test
    @DisplayName("requests behind a streamed response are answered in order, though they are answered before it")
    void pipelined() throws Exception {
        var first = new CompletableFuture<OutgoingBody>();
        var second = new CompletableFuture<Request>();
        try (TestServer own = TestServer.start(backend, builder -> builder.dispatch(Dispatch.loop()));
                Client client = connect(own)) {
            own.on("/answer", (request, response) -> first.complete(response.stream()));
            own.on("/next", (request, response) -> {
                hello(response);
                second.complete(request);
            });
            client.send(GET + NEXT);
            OutgoingBody body = Await.result(first);
            Await.result(second);
            body.write("first").thenRun(body::end);
            assertEquals("first", client.response().text());
            assertEquals("hello", client.response().text());
        }
    }

    @Test
    @DisplayName("a callback of a write that throws fails nothing but its own chain; the loop goes on")
    void callbackThrows() throws Exception {
        answer(Where.HANDLER, (request, response) -> {
            OutgoingBody body = response.stream();
            CompletionStage<Void> failed = body.write(new byte[200_000]).thenRun(() -> {
                throw new IllegalStateException("a callback's");
            });
            failed.whenComplete((none, failure) -> response.fail(failure));
        });
        try (Client client = connect()) {
            assertEquals(200, client.send(GET).cutResponse().status());
        }
        try (Client client = connect()) {
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("50 clients that vanish in the middle of streams leave nothing behind")
    void manyGone() throws Exception {
        answer(Where.HANDLER, (request, response) -> response.stream().write(new byte[10_000_000]));
        for (int i = 0; i < 50; i++) {
            try (Client client = connect()) {
                client.send(GET);
                client.awaitAnswer();
                client.reset();
            }
        }
        Await.until(
                () -> server.stats().exchangesOpen() == 0, () -> server.stats().toString());
    }
}
