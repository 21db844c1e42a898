package io.gannet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Impossible options are refused when they are given, or at the start, in words. */
@Tag("A19")
class HttpServerBuilderTest {
    private static Arguments option(String words, Function<HttpServer.Builder, HttpServer.Builder> option) {
        return Arguments.of(words, option);
    }

    static Stream<Arguments> impossible() {
        return Stream.of(
                option("port must be 0 to 65535: 65536", b -> b.listen(65536)),
                option("port must be 0 to 65535: -1", b -> b.listen(-1)),
                option("loops must be 1 to 1024: 0", b -> b.loops(0)),
                option("maxHeadBytes must be 1024 to 524288: 1023", b -> b.maxHeadBytes(1023)),
                option("maxHeadBytes must be 1024 to 524288: 524289", b -> b.maxHeadBytes(524289)),
                option("maxTargetBytes must be 1 to 524288: 0", b -> b.maxTargetBytes(0)),
                option("maxFields must be 1 to 1024: 1025", b -> b.maxFields(1025)),
                option("maxEmptyLines must be 0 to 1024: -1", b -> b.maxEmptyLines(-1)),
                option("maxPipelinedRequests must be 1 to 65536: 0", b -> b.maxPipelinedRequests(0)),
                option("maxBufferedBodyBytes must be 0 to 2147483639: -1", b -> b.maxBufferedBodyBytes(-1)),
                option("maxConnections must be 0 to 2147483647: -5", b -> b.maxConnections(-5)),
                option("maxConnectionsPerAddress must be 0 to 2147483647: -5", b -> b.maxConnectionsPerAddress(-5)),
                option(
                        "closeDeadline must not be negative: PT-1S; zero closes at once",
                        b -> b.closeDeadline(Duration.ofSeconds(-1))),
                option(
                        "closeDeadline must be at most 365 days: PT8784H; zero closes at once",
                        b -> b.closeDeadline(Duration.ofDays(366))),
                option("headTimeout must not be negative: PT-0.000000001S", b -> b.headTimeout(Duration.ofNanos(-1))),
                option("idleTimeout must be at most 365 days: PT8784H", b -> b.idleTimeout(Duration.ofDays(366))),
                option(
                        "idleTimeout must not be negative: PT-1S; zero switches it off",
                        b -> b.idleTimeout(Duration.ofSeconds(-1))),
                option("firstByteTimeout must not", b -> b.firstByteTimeout(Duration.ofDays(-1))),
                option("bodyTimeout must not", b -> b.bodyTimeout(Duration.ofDays(-1))),
                option("writeTimeout must not", b -> b.writeTimeout(Duration.ofDays(-1))),
                option("lingerTimeout must not", b -> b.lingerTimeout(Duration.ofDays(-1))));
    }

    @ParameterizedTest
    @MethodSource
    void impossible(String words, Function<HttpServer.Builder, HttpServer.Builder> option) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> option.apply(HttpServer.builder()));
        assertTrue(refused.getMessage().startsWith(words), refused.getMessage());
    }

    @Test
    void aServerNeedsAHandler() {
        IllegalStateException refused = assertThrows(
                IllegalStateException.class,
                () -> HttpServer.builder().listen(0).start());
        assertEquals("no handler: call handler(...) before start()", refused.getMessage());
    }

    @Test
    void aServerNeedsAPlaceToListen() {
        IllegalStateException refused = assertThrows(
                IllegalStateException.class,
                () -> HttpServer.builder()
                        .handler((request, response) -> response.send())
                        .start());
        assertEquals("nowhere to listen: call listen(...) before start()", refused.getMessage());
    }

    @Test
    void aSmallerHeadNeedsNoWordOnTheTarget() throws Exception {
        try (HttpServer server = HttpServer.builder()
                .listen("127.0.0.1", 0)
                .loops(1)
                .handler((request, response) -> response.send())
                .maxHeadBytes(1024)
                .start()) {
            assertTrue(server.port() > 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2049, 4096, 65534})
    void aTargetCannotBeLongerThanItsHead(int bytes) {
        IllegalStateException refused = assertThrows(
                IllegalStateException.class,
                () -> HttpServer.builder()
                        .listen(0)
                        .handler((request, response) -> response.send())
                        .maxHeadBytes(2048)
                        .maxTargetBytes(bytes)
                        .start());
        assertEquals(
                "maxTargetBytes is larger than maxHeadBytes, of which the target is a part: " + bytes + " > 2048",
                refused.getMessage());
    }

    @Test
    void aGroupOfLoopsHasItsOwnLimits() {
        assertThrows(IllegalArgumentException.class, () -> EventLoops.builder().loops(-1));
        assertThrows(IllegalArgumentException.class, () -> EventLoops.builder().slabs(0));
    }

    @Test
    void anErrorNeedsAStatusOfOne() {
        assertEquals(404, new HttpException(404, "no such thing").status());
        assertEquals(HttpException.Kind.STATUS, new HttpException(404, "no such thing").kind());
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> new HttpException(200, "fine"));
        assertEquals("status of an error must be 400 to 599: 200", refused.getMessage());
    }

    @Test
    @DisplayName("objects that are used again and a deadline do not go together")
    void reuseWithDeadline() {
        HttpServer.Builder builder = HttpServer.builder()
                .listen(0)
                .handler((request, response) -> response.send())
                .reuseExchanges(true)
                .handlerDeadline(Duration.ofSeconds(1));
        String message =
                assertThrows(IllegalStateException.class, builder::start).getMessage();
        assertTrue(message.contains("reuseExchanges") && message.contains("handlerDeadline"), message);
    }
}
