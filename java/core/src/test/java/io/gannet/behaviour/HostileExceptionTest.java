package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.Response;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Exceptions whose own methods throw or lie harm no other exchange. */
@Tag("C21")
class HostileExceptionTest extends VersionsTest {
    private static final String POST = "POST /hostile HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
    private static final String GET = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    private LogCapture log;

    /** An exception that is wrong in one way. */
    enum Wrong {
        MESSAGE(() -> new HttpException(404, "x") {
            private static final long serialVersionUID = 1;

            @Override
            public String getMessage() {
                throw new IllegalStateException("no message");
            }
        }),
        STATUS(() -> new HttpException(404, "x") {
            private static final long serialVersionUID = 1;

            @Override
            public int status() {
                throw new IllegalStateException("no status");
            }
        }),
        NONSENSE(() -> new HttpException(404, "x") {
            private static final long serialVersionUID = 1;

            @Override
            public int status() {
                return 7;
            }
        }),
        TEXT(Unprintable::new);

        private final Supplier<RuntimeException> made;

        Wrong(Supplier<RuntimeException> made) {
            this.made = made;
        }
    }

    private static final class Unprintable extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String toString() {
            throw new AssertionError("no text");
        }
    }

    @BeforeEach
    void capture() {
        log = LogCapture.open();
        server.on("/next", (request, response) -> response.send("next"));
    }

    @AfterEach
    void release() {
        log.close();
    }

    private void assertAnsweredAndServing() throws Exception {
        try (RawClient client = server.connect()) {
            assertEquals(500, client.request(POST + "hello").status());
        }
        LogCapture.Entry entry = log.warning();
        assertTrue(entry.text().contains("POST /hostile"), entry.text());
        try (RawClient client = server.connect()) {
            assertEquals("next", client.request(GET).text());
        }
        assertFalse(server.server().isClosed());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("thrown by the handler it is 500 and logged")
    void thrown(Wrong wrong) throws Exception {
        server.on("/hostile", (request, response) -> {
            throw wrong.made.get();
        });
        assertAnsweredAndServing();
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("given to fail it is 500 and logged")
    void failed(Wrong wrong) throws Exception {
        server.on("/hostile", (request, response) -> new Thread(() -> response.fail(wrong.made.get())).start());
        assertAnsweredAndServing();
    }

    @Test
    @EnabledIf("io.gannet.behaviour.TestDispatch#isLoop") // elsewhere the callback may run in the handler's own call
    @DisplayName(
            "thrown by a callback of the body, where no CompletionException can be made of it, it is 500 and logged")
    @Over(HttpVersion.HTTP_1_1)
    void thrownByCallback() throws Exception {
        server.on(
                "/hostile",
                (request, response) -> request.body().bytes().thenAccept(body -> {
                    throw new Unprintable();
                }));
        try (RawClient client = server.connect()) {
            client.send(POST);
            client.send("hello");
            if (!futureTakesIt()) {
                assertEquals(500, client.response().status());
                client.assertEnd();
                assertTrue(
                        log.warning().text().contains("POST /hostile"),
                        log.warning().text());
            }
        }
        try (RawClient client = server.connect()) {
            assertEquals("next", client.request(GET).text());
        }
    }

    /** Newer JDKs make a CompletionException of anything: the callback's own future then has it, and nobody else. */
    private static boolean futureTakesIt() {
        try {
            return CompletableFuture.completedFuture("")
                    .thenAccept(text -> {
                        throw new Unprintable();
                    })
                    .isCompletedExceptionally();
        } catch (AssertionError noText) {
            return false;
        }
    }

    @Test
    @DisplayName("thrown by a callback of a body that breaks, it is logged")
    void thrownWhenTheBodyBreaks() throws Exception {
        var came = new CompletableFuture<Response>();
        server.on("/hostile", (request, response) -> {
            request.body().bytes().whenComplete((body, failure) -> {
                throw new Unprintable();
            });
            came.complete(response);
        });
        try (Client client = connect()) {
            client.send(POST);
            Await.result(came);
            client.reset();
        }
        try (Client client = connect()) {
            assertEquals("next", client.request(GET).text());
        }
        assertFalse(server.server().isClosed());
    }
}
