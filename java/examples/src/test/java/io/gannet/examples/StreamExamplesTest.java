package io.gannet.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples that stream: echo, send_file, upgrades and http_proxy. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class StreamExamplesTest {
    private static final int LARGE = 3_000_000;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    Path directory;

    /** The modes in which a handler may block. */
    static List<Arguments> blockingModes() {
        var modes = new ArrayList<>(RunningExample.modes());
        modes.removeIf(mode -> mode.get()[1].equals("loop"));
        return modes;
    }

    private HttpRequest.Builder request(RunningExample example, String path) {
        return HttpRequest.newBuilder(example.uri(path)).timeout(Duration.ofSeconds(20));
    }

    private HttpResponse<String> post(RunningExample example, String path, String body) throws Exception {
        return client.send(
                request(example, path).POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
    }

    @ParameterizedTest
    @MethodSource("io.gannet.examples.RunningExample#modes")
    void echo(String backend, String dispatch) throws Exception {
        try (var example = RunningExample.start("echo", backend, "--dispatch", dispatch)) {
            assertEquals("hello \u00fc", post(example, "/echo", "hello \u00fc").body());
            assertEquals("", post(example, "/echo", "").body());
            assertEquals(
                    "HELLO \u00fc 1",
                    post(example, "/echo/uppercase", "hello \u00fc 1").body());
            assertEquals("olleh", post(example, "/echo/reversed", "hello").body());
            assertEquals(
                    413, post(example, "/echo/reversed", "x".repeat(65_537)).statusCode());
            assertEquals(404, post(example, "/nothing", "").statusCode());
            String uppercase = Curl.get("-d", "x".repeat(100_000), example.uri("/echo/uppercase") + "");
            assertEquals("X".repeat(100_000), uppercase);
            String over2 =
                    Curl.get("--http2-prior-knowledge", "-d", "x".repeat(100_000), example.uri("/echo/uppercase") + "");
            assertEquals("X".repeat(100_000), over2);
        }
    }

    @ParameterizedTest
    @MethodSource("blockingModes")
    void sendFile(String backend, String dispatch) throws Exception {
        var content = new byte[LARGE];
        new Random(1).nextBytes(content);
        Path file = Files.write(directory.resolve("content.bin"), content);
        try (var example = RunningExample.start("send_file", backend, "--dispatch", dispatch, file.toString())) {
            HttpResponse<byte[]> got = client.send(request(example, "/").build(), BodyHandlers.ofByteArray());
            assertArrayEquals(content, got.body());
            assertEquals(LARGE, got.headers().firstValueAsLong("content-length").orElseThrow());
            HttpResponse<String> head = client.send(
                    request(example, "/")
                            .method("HEAD", BodyPublishers.noBody())
                            .build(),
                    BodyHandlers.ofString());
            assertEquals(
                    LARGE, head.headers().firstValueAsLong("content-length").orElseThrow());
            assertEquals("", head.body());

            byte[] over2 = Curl.send(new byte[0], "--http2-prior-knowledge", example.uri("/") + "");
            assertArrayEquals(content, over2);

            Files.delete(file);
            HttpResponse<String> gone = client.send(request(example, "/").build(), BodyHandlers.ofString());
            assertEquals(404, gone.statusCode());
        }
    }

    @ParameterizedTest
    @MethodSource("blockingModes")
    void upgrades(String backend, String dispatch) throws Exception {
        try (var example = RunningExample.start("upgrades", backend, "--dispatch", dispatch)) {
            try (Socket socket = example.connect()) {
                socket.getOutputStream()
                        .write("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foobar\r\n\r\nfoo"
                                .getBytes(US_ASCII));
                socket.getOutputStream().write("=bar".getBytes(US_ASCII));
                String all = new String(socket.getInputStream().readAllBytes(), US_ASCII);
                assertTrue(all.startsWith("HTTP/1.1 101 Switching Protocols\r\n"), all);
                assertTrue(all.endsWith("\r\n\r\nbar=foo"), all);
            }
            assertEquals("client says: foo=bar", example.nextLine());
            HttpResponse<String> other = client.send(request(example, "/").build(), BodyHandlers.ofString());
            assertEquals(426, other.statusCode());
            assertEquals("foobar", other.headers().firstValue("upgrade").orElse(""));
        }
    }

    @ParameterizedTest
    @MethodSource("blockingModes")
    void curlThroughTheProxyToAnotherExample(String backend, String dispatch) throws Exception {
        try (var other = RunningExample.start("playground", backend);
                var proxy = RunningExample.start("http_proxy", backend, "--dispatch", dispatch)) {
            String through = "127.0.0.1:" + proxy.port();
            assertEquals("GET /path", Curl.get("-p", "-x", through, other.uri("/path") + ""));
            assertEquals("x".repeat(LARGE), Curl.get("-p", "-x", through, other.uri("/bytes/" + LARGE) + ""));
            var body = new byte[LARGE];
            new Random(2).nextBytes(body);
            assertArrayEquals(body, Curl.send(body, "-p", "-x", through, "-T", "-", other.uri("/echo") + ""));
        }
    }

    @ParameterizedTest
    @MethodSource("blockingModes")
    void proxyPassesTheEndOfEachWay(String backend, String dispatch) throws Exception {
        try (var target = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var proxy = RunningExample.start("http_proxy", backend, "--dispatch", dispatch);
                Socket client = proxy.connect()) {
            String authority = "127.0.0.1:" + target.getLocalPort();
            client.getOutputStream()
                    .write(("CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority + "\r\n\r\nahead")
                            .getBytes(US_ASCII));
            client.shutdownOutput();
            try (Socket server = target.accept()) {
                server.setSoTimeout(20_000);
                assertEquals("ahead", new String(server.getInputStream().readAllBytes(), US_ASCII));
                server.getOutputStream().write("answer".getBytes(US_ASCII));
            }
            String all = new String(client.getInputStream().readAllBytes(), US_ASCII);
            assertTrue(all.startsWith("HTTP/1.1 200 "), all);
            assertTrue(all.endsWith("\r\n\r\nanswer"), all);
        }
    }

    @ParameterizedTest
    @MethodSource("blockingModes")
    void proxyHasOneTunnelAtATimeIfToldSo(String backend, String dispatch) throws Exception {
        try (var target = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                var proxy = RunningExample.start("http_proxy", backend, "--dispatch", dispatch, "--tunnels", "1")) {
            // one that fails takes no place, also on a connection that is kept
            Socket failed = proxy.connect();
            failed.getOutputStream().write("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII));
            assertEquals("HTTP/1.1 502 ", new String(failed.getInputStream().readNBytes(13), US_ASCII));
            String connect = "CONNECT 127.0.0.1:" + target.getLocalPort() + " HTTP/1.1\r\nHost: x\r\n"
                    + "Connection: close\r\n\r\n";
            try (Socket first = proxy.connect()) {
                first.getOutputStream().write(connect.getBytes(US_ASCII));
                Socket accepted = target.accept();
                assertEquals('H', first.getInputStream().read());
                String refused = proxy.exchange(connect);
                assertTrue(refused.startsWith("HTTP/1.1 503 "), refused);
                accepted.close();
                failed.close();
                first.shutdownOutput();
                first.getInputStream().readAllBytes();
            }
            // the end of the first makes room, which the proxy may notice a moment after its client
            String again = connectUntilThereIsRoom(proxy, target, connect);
            assertTrue(again.startsWith("HTTP/1.1 200 "), again);
        }
    }

    private static String connectUntilThereIsRoom(RunningExample proxy, ServerSocket target, String connect)
            throws IOException {
        while (true) {
            try (Socket socket = proxy.connect()) {
                socket.getOutputStream().write(connect.getBytes(US_ASCII));
                var start = new String(socket.getInputStream().readNBytes("HTTP/1.1 200 ".length()), US_ASCII);
                if (!start.startsWith("HTTP/1.1 503 ")) {
                    return start;
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"GET http://example.com/, 405", "CONNECT 127.0.0.1:1, 502", "CONNECT 127.0.0.1:0, 400"})
    void proxySaysWhatItDoesNotDo(String line, int status) throws Exception {
        try (var proxy = RunningExample.start("http_proxy", "epoll")) {
            String response = proxy.exchange(line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assertTrue(response.startsWith("HTTP/1.1 " + status + " "), response);
        }
    }

    @Test
    void proxyListensForThisMachineOnly() throws Exception {
        try (var proxy = RunningExample.start("http_proxy", "epoll");
                var sameElsewhere = new ServerSocket(proxy.port(), 1, InetAddress.getByName("127.0.0.2"))) {
            assertEquals(proxy.port(), sameElsewhere.getLocalPort());
        }
    }
}
