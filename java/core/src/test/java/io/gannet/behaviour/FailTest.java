package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.Response;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link Response#fail}: what a handler's exception does, for code that runs later. */
@Tag("C21")
class FailTest extends VersionsTest {
    private static final Logger LOGGER = Logger.getLogger("io.gannet");
    private static final String GET = "GET /fails?a=b HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    private final RuntimeException failure = new IllegalArgumentException("disk on fire");
    private LogCapture log;
    private long counted;

    /** Where the response is failed. */
    enum Place {
        /** In the handler. */
        HANDLER((response, task) -> task.run()),
        /** On the loop, when the handler has returned. */
        LOOP((response, task) -> response.eventLoop().execute(task)),
        /** On another thread. */
        THREAD((response, task) -> new Thread(task).start());

        private final BiConsumer<Response, Runnable> way;

        Place(BiConsumer<Response, Runnable> way) {
            this.way = way;
        }

        void run(Response response, Runnable task) {
            way.accept(response, task);
        }
    }

    @BeforeEach
    void capture() {
        log = LogCapture.open();
        LOGGER.setLevel(Level.FINE);
        counted = server.server().stats().handlerFailures();
        server.on("/next", (request, response) -> response.send("next"));
    }

    @AfterEach
    void release() throws Exception {
        // What this test has caused must not be logged in the next one's time.
        Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchanges end: " + server.stats());
        var behind = new CompletableFuture<Void>();
        server.server().eventLoops().loops().get(0).execute(() -> behind.complete(null));
        Await.result(behind);
        LOGGER.setLevel(null);
        log.close();
    }

    private void assertCounted(long failures) {
        assertEquals(counted + failures, server.server().stats().handlerFailures());
    }

    private List<LogCapture.Entry> failures() {
        return log.entries().stream().filter(entry -> entry.thrown() != null).toList();
    }

    private LogCapture.Entry failure(int index) {
        Await.until(() -> failures().size() > index, () -> "a failure is logged behind " + log.entries());
        return failures().get(index);
    }

    private static void assertInStep(Client client) throws Exception {
        assertEquals("next", client.request(NEXT).text());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("it is answered with 500 without anything that was set, logged once and counted")
    void answered(Place place) throws Exception {
        var after = new CompletableFuture<Response>();
        server.on(
                "/fails",
                (request, response) -> place.run(response, () -> {
                    response.status(201).addField("X-Half", "done").addField("Content-Length", "5");
                    response.fail(failure);
                    after.complete(response);
                }));
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(500, response.status());
            assertFalse(response.has("x-half"), response::toString);
            assertFalse(response.text().contains("disk"), response::toString);
            assertTrue(Await.result(after).isCommitted());
            assertThrows(IllegalStateException.class, () -> Await.result(after).send("more"));
            assertInStep(client);
        }
        assertSame(failure, failure(0).thrown());
        assertEquals(Level.WARNING, failure(0).level());
        assertTrue(failure(0).text().contains("GET /fails?a=b"), failure(0).text());
        assertEquals(1, failures().size());
        assertCounted(1);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("an HttpException, also within a CompletionException, is answered with its status and its fields")
    void asked(Place place) throws Exception {
        var asked = new HttpException(405, "not so");
        server.on(
                "/fails",
                (request, response) -> place.run(response, () -> {
                    response.setField("Allow", "PUT");
                    response.fail(new CompletionException(asked));
                }));
        try (Client client = connect()) {
            RawResponse response = client.request(GET);
            assertEquals(405, response.status());
            assertEquals("PUT", response.field("allow"));
            assertEquals("not so", response.text());
            assertInStep(client);
        }
        assertSame(asked, failure(0).thrown());
        assertEquals(Level.FINE, failure(0).level());
        assertCounted(0);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("a second call, and one after a complete response, change nothing and are logged at DEBUG")
    void tooLate(Place place) throws Exception {
        var late = new IOException("late");
        server.on(
                "/fails",
                (request, response) -> place.run(response, () -> {
                    response.fail(failure);
                    response.fail(late);
                }));
        server.on(
                "/complete",
                (request, response) -> place.run(response, () -> {
                    response.send("complete");
                    response.fail(late);
                }));
        try (Client client = connect()) {
            assertEquals(500, client.request(GET).status());
            assertInStep(client);
            assertEquals(
                    "complete",
                    client.request("GET /complete HTTP/1.1\r\nHost: x\r\n\r\n").text());
            assertInStep(client);
        }
        assertSame(failure, failure(0).thrown());
        assertSame(late, failure(2).thrown());
        assertEquals(
                List.of(Level.WARNING, Level.FINE, Level.FINE),
                failures().stream().map(LogCapture.Entry::level).toList());
        assertCounted(1);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("a response of which a part has gone out is cut off, so that the client can tell")
    void cutOff(Place place) throws Exception {
        var sent = new CompletableFuture<Response>();
        server.on("/fails", (request, response) -> {
            if (place == Place.HANDLER) {
                response.send(new byte[50_000_000]);
                response.fail(failure);
            }
            sent.complete(response);
        });
        try (Client client = connectSlowly()) {
            client.send(GET);
            Response response = Await.result(sent);
            if (place != Place.HANDLER) {
                place.run(response, () -> {
                    response.send(new byte[50_000_000]);
                    response.fail(failure);
                    response.fail(new IOException("again"));
                });
            }
            try {
                assertTrue(client.cutResponse().body().length < 50_000_000, "a whole response");
            } catch (IOException reset) {
                // That is no whole response either.
            }
        }
        assertSame(failure, failure(0).thrown());
        assertEquals(Level.WARNING, failure(0).level());
        Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchange ends: " + server.stats());
        assertEquals(1, log.warnings().size(), log.warnings()::toString);
        assertCounted(1);
    }

    /** The way that examples and Javadoc show. */
    private static Handler echo(int limit) {
        return (request, response) -> request.body()
                .bytes(limit)
                .thenAccept(response::send)
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        response.fail(failure);
                    }
                });
    }

    @Test
    @DisplayName("a body over its limit is answered with 413 and the end, once")
    @Over(HttpVersion.HTTP_1_1)
    void bodyTooLarge() throws Exception {
        server.on("/echo", echo(3));
        for (String body : List.of(
                "Content-Length: 4\r\n\r\nabcd", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n")) {
            server.assertRefused(1, 413, "POST /echo HTTP/1.1\r\nHost: x\r\n" + body);
        }
        assertCounted(0);
        assertEquals(List.of(), log.warnings());
    }

    @Test
    @DisplayName("a body that breaks off is not the handler's failure")
    void bodyCut() throws Exception {
        server.on("/echo", echo(1000));
        try (Client client = connect()) {
            client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
            Await.until(() -> server.stats().exchangesOpen() > 0, () -> "the request comes");
            client.reset();
        }
        failure(0);
        Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchange ends: " + server.stats());
        assertEquals(Level.FINE, failure(0).level());
        assertCounted(0);
        assertEquals(0, server.stats().commandsRejected());
    }

    @Test
    @DisplayName("a failure for a client that is gone is logged and counted, and goes nowhere")
    void clientGone() throws Exception {
        var waiting = new CompletableFuture<Response>();
        var gone = new CompletableFuture<Object>();
        server.on("/fails", (request, response) -> {
            request.connection().onClose(gone::complete);
            waiting.complete(response);
        });
        try (Client client = connect()) {
            client.send(GET);
            Await.result(waiting);
            client.reset();
        }
        Await.result(gone);
        Await.result(waiting).fail(failure);
        assertSame(failure, failure(0).thrown());
        Await.until(() -> server.stats().exchangesOpen() == 0, () -> "the exchange ends: " + server.stats());
        assertCounted(1);
    }

    @Test
    @DisplayName("what a handler throws behind fail() does not answer a second time")
    void throwsAfterFail() throws Exception {
        server.on("/fails", (request, response) -> {
            response.fail(new HttpException(404, "no such thing"));
            throw failure;
        });
        try (Client client = connect()) {
            assertEquals("no such thing", client.request(GET).text());
            assertInStep(client);
        }
    }
}
