package io.gannet.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The playground, as curl and Python see it. */
@ParameterizedClass(name = "{0}, {1}, {2}")
@MethodSource("io.gannet.examples.RunningExample#modesAndVersions")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class CurlTest {
    private static RunningExample playground;

    @Parameter(0)
    String backend;

    @Parameter(1)
    String dispatch;

    @Parameter(2)
    String version;

    @BeforeParameterizedClassInvocation
    static void start(String backend, String dispatch, String version) throws Exception {
        playground = RunningExample.start("playground", backend, "--dispatch", dispatch);
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        playground.close();
    }

    private static String url(String path) {
        return playground.uri(path).toString();
    }

    private byte[] send(InputStream body, String... arguments) throws Exception {
        String[] all = Arrays.copyOf(arguments, arguments.length + 1);
        all[arguments.length] = isHttp2() ? "--http2-prior-knowledge" : "--http1.1";
        return Curl.send(body, all);
    }

    private byte[] send(byte[] body, String... arguments) throws Exception {
        return send(new ByteArrayInputStream(body), arguments);
    }

    private String get(String... arguments) throws Exception {
        return new String(send(InputStream.nullInputStream(), arguments), ISO_8859_1);
    }

    private boolean isHttp2() {
        return version.equals("HTTP/2");
    }

    /** Of tests that are about HTTP/1: they need not be run over HTTP/2. */
    private void aboutHttp1() {
        assumeFalse(isHttp2());
    }

    private static byte[] random(int length) {
        var bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 100_000, 20_000_000})
    void echoOfAnUploadOfUnknownLength(int length) throws Exception {
        byte[] body = random(length);
        assertArrayEquals(body, send(body, "-T", "-", url("/echo")));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 20_000_000})
    void echoOfAKnownLength(int length) throws Exception {
        byte[] body = random(length);
        assertArrayEquals(body, send(body, "--data-binary", "@-", url("/echo")));
    }

    @Test
    void echoAfter100Continue() throws Exception {
        String trace = get("-v", "--stderr", "-", "-H", "Expect: 100-continue", "-d", "body", url("/echo"));
        assertTrue(trace.contains("< " + version + " 100"), trace);
        assertTrue(trace.contains("< " + version + " 200"), trace);
        assertTrue(trace.contains("body"), trace);
    }

    @Test
    void oldClients() throws Exception {
        aboutHttp1();
        String echo = Curl.get("--http1.0", "-i", "-d", "body", url("/echo"));
        assertTrue(echo.endsWith("\r\n\r\nbody"), echo);
        String chunked = Curl.get("--http1.0", "-i", url("/chunked/5"));
        assertFalse(chunked.toLowerCase(Locale.ROOT).contains("chunked"), chunked);
        assertTrue(chunked.endsWith("\r\n\r\nxxxxx"), chunked);
        assertEquals(
                "100000 bytes",
                new String(Curl.send(random(100_000), "--http1.0", "--data-binary", "@-", url("/upload")), UTF_8));
    }

    @Test
    void chunksAsTheyAreSent() throws Exception {
        if (!isHttp2()) {
            assertEquals("1\r\nx\r\n".repeat(3) + "0\r\n\r\n", get("--raw", url("/chunked/3")));
        }
        assertEquals("x".repeat(3_000), get(url("/chunked/3000")));
    }

    @Test
    void trailersAndInterimResponses() throws Exception {
        String trailers = get("-D", "-", url("/trailers"));
        assertTrue(trailers.contains("there is a field behind this"), trailers);
        assertTrue(trailers.toLowerCase(Locale.ROOT).contains("body-length: 29"), trailers);
        String hints = get("-i", url("/early-hints"));
        assertTrue(hints.startsWith(version + " 103 "), hints);
        assertTrue(hints.contains(version + " 200 "), hints);
    }

    @Test
    void uploadOf64MiB() throws Exception {
        // a client that sends more than the server has memory for
        byte[] printed = send(endless(64 << 20), "-T", "-", url("/upload"));
        assertEquals((64 << 20) + " bytes", new String(printed, UTF_8));
    }

    private static InputStream endless(int length) {
        return new InputStream() {
            private int left = length;

            @Override
            public int read() {
                return left-- > 0 ? 'x' : -1;
            }

            @Override
            public int read(byte[] into, int offset, int most) {
                if (left <= 0) {
                    return -1;
                }
                int count = Math.min(most, left);
                left -= count;
                return count;
            }
        };
    }

    @Test
    void manyRequestsOnOneConnection() throws Exception {
        var first = List.of("-w", "%{num_connects}\n", "-o", "/dev/null", url("/bytes/70000"));
        var second = List.of("-w", "%{num_connects}\n", "-o", "/dev/null", url("/chunked/7"));
        var all = new ArrayList<>(first);
        // once only: told so again, curl 7.88 fails to use the connection again, whoever the server is
        all.addAll(isHttp2() ? List.of("--http2-prior-knowledge", "--next") : List.of());
        all.addAll(second);
        assertEquals("1\n0\n", Curl.get(all.toArray(String[]::new)));
    }

    @Test
    void python() throws Exception {
        aboutHttp1();
        String program = """
                import http.client, sys
                connection = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=30)
                connection.request('POST', '/echo', body=iter([b'one ', b'two']), encode_chunked=True)
                print(connection.getresponse().read().decode())
                connection.request('GET', '/chunked/10')
                print(connection.getresponse().read().decode())
                connection.request('PUT', '/upload', body=b'x' * 1000000)
                print(connection.getresponse().read().decode())
                connection.request('GET', '/trailers')
                print(connection.getresponse().read().decode(), end='')
                """;
        byte[] printed =
                Curl.run(InputStream.nullInputStream(), "python3", "-c", program, String.valueOf(playground.port()));
        assertEquals(
                "one two\nxxxxxxxxxx\n1000000 bytes\nthere is a field behind this\n", new String(printed, ISO_8859_1));
    }
}
