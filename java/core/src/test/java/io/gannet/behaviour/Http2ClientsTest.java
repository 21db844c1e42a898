package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients of HTTP/2 that others have written: curl, nghttp2's, Node's and Python's. */
@OnEachBackend
class Http2ClientsTest {
    private static TestServer server;

    @Parameter
    Backend backend;

    @TempDir
    Path folder;

    @BeforeParameterizedClassInvocation
    static void start(Backend backend) throws Exception {
        server = PeerServer.start(backend);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        server.close();
    }

    private static String url(String path) {
        return "http://127.0.0.1:" + server.port() + path;
    }

    private String curl(String... arguments) throws Exception {
        var command = new ArrayList<>(
                List.of(Peer.program("curl"), "-sS", "--http2-prior-knowledge", "--noproxy", "*", "--max-time", "40"));
        command.addAll(List.of(arguments));
        return Peer.run(folder, command.toArray(String[]::new));
    }

    private Path upload() throws Exception {
        var bytes = new byte[3_000_000];
        new Random(7).nextBytes(bytes);
        return Files.write(folder.resolve("upload"), bytes);
    }

    @Test
    @DisplayName("curl: GET, HEAD and a trailer")
    void curlGet() throws Exception {
        String response = curl("-i", url("/hello"));
        assertTrue(response.startsWith("HTTP/2 200 \r\n"), response);
        assertTrue(response.endsWith("\r\n\r\n" + PeerServer.HELLO), response);
        String head = curl("-I", url("/hello"));
        assertTrue(head.matches("(?s)HTTP/2 200 \r\n.*content-length: 13\r\n.*\r\n\r\n"), head);
        String counted = curl("-i", "-d", "hello", url("/count"));
        assertTrue(counted.endsWith("5 bytesx-sum: none\r\n"), counted);
    }

    @ParameterizedTest(name = "curl: an upload {0}")
    @ValueSource(
            strings = {"content-type: application/octet-stream", "expect: 100-continue", "transfer-encoding: chunked"})
    void curlUpload(String field) throws Exception {
        Path file = upload();
        Path received = folder.resolve("received");
        curl("-H", field, "--data-binary", "@" + file, "-o", received.toString(), url("/echo"));
        assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(received));
    }

    @ParameterizedTest(name = "h2load {0}: every request is answered")
    @ValueSource(
            strings = {
                "-n 2000 -c 4 -m 1 /hello",
                "-n 20000 -c 4 -m 200 /hello",
                "-n 1000 -c 4 -m 500 /hello",
                "-n 12 -c 3 -m 4 /large",
                "-n 12 -c 3 -m 4 -w 30 -W 30 /large",
                "-n 2 -c 1 -m 2 -w 12 -W 13 /large",
                "-n 200 -c 2 -m 20 -w 1 -W 1 /hello",
                "-n 20 -c 2 -m 5 -d UPLOAD /echo",
                "-n 20 -c 2 -m 5 -w 12 -W 12 -d UPLOAD /echo",
                "-n 20 -c 2 -m 20 -d UPLOAD /count"
            })
    void h2load(String arguments) throws Exception {
        var command = new ArrayList<>(List.of(Peer.program("h2load")));
        String text = arguments.replace("UPLOAD", upload().toString());
        int path = text.lastIndexOf(" /");
        command.addAll(List.of(text.substring(0, path).split(" ")));
        command.add(url(text.substring(path + 1)));
        String output = Peer.run(folder, command.toArray(String[]::new));
        String requests = text.split(" ")[1];
        assertTrue(output.contains(" " + requests + " succeeded, 0 failed"), output);
        assertTrue(output.contains("status codes: " + requests + " 2xx"), output);
    }

    @Test
    @DisplayName("nghttp: trailers of the request, padding, and priorities of old")
    void nghttp() throws Exception {
        String output = Peer.run(
                folder,
                Peer.program("nghttp"),
                "-nv",
                "-b",
                "200",
                "--trailer",
                "x-sum: 9",
                "-d",
                upload().toString(),
                url("/count"));
        assertTrue(output.contains("x-sum: 9\n"), output);
        assertTrue(output.contains("recv (stream_id=13) x-sum: 9\n"), output);
        assertTrue(!output.contains("RST_STREAM"), output);
    }

    @Test
    @DisplayName("Node: streams, trailers, back-pressure, resets, settings midway, extended CONNECT")
    void node() throws Exception {
        String node = Peer.program("node");
        String output =
                Peer.run(folder, node, Peer.file(folder, "client.js").toString(), String.valueOf(server.port()));
        assertTrue(output.endsWith("done\n"), output);
    }

    @Test
    @DisplayName("Python's h2: windows, padding, CONTINUATION, priorities, floods, errors of streams")
    void python() throws Exception {
        String python = Peer.pythonWith("h2");
        String output =
                Peer.run(folder, python, Peer.file(folder, "client.py").toString(), String.valueOf(server.port()));
        assertTrue(output.endsWith("done\n"), output);
    }

    @Test
    @DisplayName("curl: an upgrade to h2c, which RFC 9113 took back, is answered with HTTP/1.1")
    void upgrade() throws Exception {
        String output = Peer.run(
                folder,
                Peer.program("curl"),
                "-sS",
                "--http2",
                "--noproxy",
                "*",
                "-w",
                " %{http_version}",
                url("/hello"));
        assertEquals(PeerServer.HELLO + " 1.1", output);
    }
}
