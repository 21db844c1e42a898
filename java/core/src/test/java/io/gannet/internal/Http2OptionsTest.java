package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Http2;
import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The options of HTTP/2 and of the versions, as the core reads them. */
class Http2OptionsTest {
    private static long word(ServerOptions options, String name) throws ReflectiveOperationException {
        return options.get(Layout.class.getField("LISTENER_" + name).getInt(null));
    }

    /** The settings by name, of those that are about HTTP/2. */
    private static Map<String, Long> words(ServerOptions options) throws ReflectiveOperationException {
        var words = new TreeMap<String, Long>();
        for (Field field : Layout.class.getFields()) {
            if (field.getName().startsWith("LISTENER_") && field.getType() == int.class) {
                int offset = field.getInt(null);
                if (offset >= Layout.LISTENER_STREAMS && offset <= Layout.LISTENER_CONTROL_FRAMES) {
                    words.put(field.getName().substring("LISTENER_".length()), options.get(offset));
                }
            }
        }
        return words;
    }

    @Test
    @DisplayName("the defaults are those that the core's header names")
    void defaults() throws Exception {
        Map<String, Long> wanted = new TreeMap<>(Map.of(
                "STREAMS", 200L,
                "STREAM_WINDOW", 1048576L,
                "CONNECTION_WINDOW", 1048576L,
                "ADAPTIVE_WINDOW", 0L,
                "FRAME_BYTES", 16384L,
                "FIELD_LIST_BYTES", 16384L,
                "TABLE_BYTES", 4096L,
                "STREAM_SEND_CREDIT", 409600L,
                "PING_INTERVAL", 0L,
                "PING_TIMEOUT", Duration.ofSeconds(20).toNanos()));
        wanted.putAll(
                Map.of("CONNECT_PROTOCOL", 0L, "RESETS", 1000L, "PROVOKED_RESETS", 500L, "CONTROL_FRAMES", 1000L));
        assertEquals(wanted, words(new ServerOptions()));
    }

    static Stream<Arguments> settings() {
        return Stream.of(
                Arguments.of("STREAMS", 7L, set(o -> o.maxConcurrentStreams(7))),
                Arguments.of("STREAM_WINDOW", 65535L, set(o -> o.streamWindowBytes(65535))),
                Arguments.of("CONNECTION_WINDOW", 2147483647L, set(o -> o.connectionWindowBytes(2147483647))),
                Arguments.of("ADAPTIVE_WINDOW", 1L, set(o -> o.adaptiveWindow(true))),
                Arguments.of("FRAME_BYTES", 524288L, set(o -> o.maxFrameBytes(524288))),
                Arguments.of("FIELD_LIST_BYTES", 1024L, set(o -> o.maxFieldListBytes(1024))),
                Arguments.of("TABLE_BYTES", 0L, set(o -> o.dynamicTableBytes(0))),
                Arguments.of("STREAM_SEND_CREDIT", 4096L, set(o -> o.sendBufferBytes(4096))),
                Arguments.of("PING_INTERVAL", 5L, set(o -> o.pingInterval(Duration.ofNanos(5)))),
                Arguments.of("PING_TIMEOUT", 0L, set(o -> o.pingTimeout(Duration.ZERO))),
                Arguments.of("CONNECT_PROTOCOL", 1L, set(o -> o.extendedConnect(true))),
                Arguments.of("RESETS", 1L, set(o -> o.maxResets(1))),
                Arguments.of("PROVOKED_RESETS", 2L, set(o -> o.maxProvokedResets(2))),
                Arguments.of("CONTROL_FRAMES", 3L, set(o -> o.maxControlFrames(3))));
    }

    /** What a test does with the options. */
    private interface Change {
        void on(Http2Options options);
    }

    private static Change set(Change change) {
        return change;
    }

    @ParameterizedTest(name = "{0} = {1}, and nothing else")
    @MethodSource("settings")
    void eachIsWrittenToItsPlace(String name, long value, Change change) throws Exception {
        Map<String, Long> wanted = words(new ServerOptions());
        wanted.put(name, value);
        var options = new Http2Options();
        change.on(options);
        var server = new ServerOptions();
        Map<String, Long> before = new TreeMap<>(words(server));
        long http1 = word(server, "HTTP_1");
        server.http2(options);
        assertEquals(wanted, words(server));
        assertEquals(wanted, words(server.copy()));
        assertEquals(http1, word(server, "HTTP_1"));
        assertEquals(before, words(new ServerOptions()), "the defaults stay");
    }

    static Stream<Arguments> impossible() {
        return Stream.of(
                option("maxConcurrentStreams must be 1 to 65536: 0", b -> b.maxConcurrentStreams(0)),
                option("maxConcurrentStreams must be 1 to 65536: 65537", b -> b.maxConcurrentStreams(65537)),
                option("streamWindowBytes must be 65535 to 2147483647: 65534", b -> b.streamWindowBytes(65534)),
                option("connectionWindowBytes must be 65535 to 2147483647: 65534", b -> b.connectionWindowBytes(65534)),
                option("maxFrameBytes must be 16384 to 524288: 16383", b -> b.maxFrameBytes(16383)),
                option("maxFrameBytes must be 16384 to 524288: 524289", b -> b.maxFrameBytes(524289)),
                option("maxFieldListBytes must be 1024 to 524288: 1023", b -> b.maxFieldListBytes(1023)),
                option("maxFieldListBytes must be 1024 to 524288: 524289", b -> b.maxFieldListBytes(524289)),
                option("dynamicTableBytes must be 0 to 65535: 65536", b -> b.dynamicTableBytes(65536)),
                option("sendBufferBytes must be 4096 to 67108864: 4095", b -> b.sendBufferBytes(4095)),
                option("sendBufferBytes must be 4096 to 67108864: 67108865", b -> b.sendBufferBytes(67108865)),
                option("maxResets must be 1 to 2147483647: 0", b -> b.maxResets(0)),
                option("maxProvokedResets must be 1 to 2147483647: 0", b -> b.maxProvokedResets(0)),
                option("maxControlFrames must be 1 to 2147483647: 0", b -> b.maxControlFrames(0)));
    }

    private static Arguments option(String words, Function<Http2.Builder, Http2.Builder> option) {
        return Arguments.of(words, option);
    }

    @ParameterizedTest(name = "A19: {0}")
    @MethodSource
    @Tag("A19")
    void impossible(String words, Function<Http2.Builder, Http2.Builder> option) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> option.apply(Http2.builder()));
        assertEquals(words, refused.getMessage());
    }

    @Test
    @DisplayName("all versions are served unless fewer are named; HTTP/1.0 comes with HTTP/1.1")
    void versions() throws Exception {
        var options = new ServerOptions();
        assertEquals(1, word(options, "HTTP_1"));
        assertEquals(1, word(options, "HTTP_2"));
        options.versions(EnumSet.of(HttpVersion.HTTP_2));
        assertEquals(0, word(options, "HTTP_1"));
        assertEquals(1, word(options, "HTTP_2"));
        options.versions(EnumSet.of(HttpVersion.HTTP_1_1));
        assertEquals(1, word(options, "HTTP_1"));
        assertEquals(0, word(options, "HTTP_2"));
    }

    @ParameterizedTest(name = "A19: HTTP/1.0 alone and with {0} is refused")
    @EnumSource(names = {"HTTP_1_0", "HTTP_2"})
    @Tag("A19")
    void noServerOfHttp10Alone(HttpVersion other) {
        String words = assertThrows(
                        IllegalArgumentException.class,
                        () -> HttpServer.builder().versions(HttpVersion.HTTP_1_0, other))
                .getMessage();
        assertTrue(words.startsWith("versions must have HTTP/1.1") && words.contains("HTTP/1.0"), words);
    }

    @Test
    @DisplayName("what was built stays as it is when its builder goes on")
    void builtStays() throws Exception {
        Http2.Builder builder = Http2.builder().maxResets(5);
        Http2 built = builder.build();
        builder.maxResets(6);
        Field options = Http2.class.getDeclaredField("options");
        options.setAccessible(true);
        var server = new ServerOptions();
        server.http2((Http2Options) options.get(built));
        assertEquals(5, word(server, "RESETS"));
    }
}
