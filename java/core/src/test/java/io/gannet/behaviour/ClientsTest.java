package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that others have written: the JDK's and curl. */
class ClientsTest extends ServerTest {
    private static final int LARGE = 600_000;

    @TempDir
    Path directory;

    @BeforeEach
    void handlers() {
        server.on("/hello", (request, response) -> response.send("Hello, World!"));
        server.on("/echo", (request, response) -> request.body().bytes(LARGE).thenAccept(response::send));
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    private static HttpRequest.Builder request(URI uri) {
        return HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(Await.SECONDS));
    }

    private static byte[] random() {
        var bytes = new byte[LARGE];
        new Random(3).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest(name = "the JDK''s HttpClient, asking for {0}: GET and HEAD")
    @EnumSource(HttpClient.Version.class)
    void jdkGet(HttpClient.Version version) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(version).build();
        HttpResponse<String> response = client.send(request(uri("/hello")).build(), BodyHandlers.ofString());
        assertEquals(200, response.statusCode());
        assertEquals(HttpClient.Version.HTTP_1_1, response.version());
        assertEquals("Hello, World!", response.body());

        HttpResponse<String> head = client.send(
                request(uri("/hello")).method("HEAD", BodyPublishers.noBody()).build(), BodyHandlers.ofString());
        assertEquals("13", head.headers().firstValue("content-length").orElseThrow());
        assertEquals("", head.body());
    }

    @Test
    @DisplayName("the JDK's HttpClient: bodies with a known length, and chunked")
    void jdkPost() throws Exception {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        byte[] body = random();
        for (var publisher : List.of(
                BodyPublishers.ofByteArray(body), BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)))) {
            HttpResponse<byte[]> response =
                    client.send(request(uri("/echo")).POST(publisher).build(), BodyHandlers.ofByteArray());
            assertEquals(200, response.statusCode());
            assertArrayEquals(body, response.body());
        }
    }

    @Test
    @DisplayName("the JDK's HttpClient: a hundred requests at once")
    void jdkConcurrent() throws Exception {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        var responses = new ArrayList<CompletableFuture<HttpResponse<String>>>();
        for (int i = 0; i < 100; i++) {
            responses.add(client.sendAsync(
                    request(uri("/echo"))
                            .PUT(BodyPublishers.ofString("body " + i))
                            .build(),
                    BodyHandlers.ofString()));
        }
        for (int i = 0; i < 100; i++) {
            assertEquals("body " + i, Await.result(responses.get(i)).body());
        }
    }

    @Test
    @DisplayName("curl: GET with its head")
    void curlGet() throws Exception {
        String response = curl("-i", url("/hello"));
        assertTrue(response.startsWith("HTTP/1.1 200 OK\r\n"), response);
        assertTrue(response.endsWith("\r\n\r\nHello, World!"), response);
    }

    @Test
    @DisplayName("curl: HEAD")
    void curlHead() throws Exception {
        String head = curl("-I", url("/hello"));
        assertTrue(head.matches("(?is)HTTP/1.1 200 OK\r\n.*content-length: 13\r\n.*\r\n\r\n"), head);
    }

    @ParameterizedTest(name = "curl: an upload {0}")
    @ValueSource(strings = {"Content-Type: application/octet-stream", "Transfer-Encoding: chunked"})
    void curlUpload(String field) throws Exception {
        byte[] body = random();
        Path file = Files.write(directory.resolve("body"), body);
        Path received = directory.resolve("received");
        curl("-H", field, "-H", "Expect:", "--data-binary", "@" + file, "-o", received.toString(), url("/echo"));
        assertArrayEquals(body, Files.readAllBytes(received));
    }

    @Test
    @DisplayName("curl: several requests use one connection, with HTTP/1.1 and, kept alive, with HTTP/1.0")
    void curlKeepAlive() throws Exception {
        assertEquals("Hello, World! 1 Hello, World! 0 ", curl("-w", " %{num_connects} ", url("/hello"), url("/hello")));
        assertEquals(
                "Hello, World! 1 Hello, World! 0 ",
                curl("-0", "-H", "Connection: keep-alive", "-w", " %{num_connects} ", url("/hello"), url("/hello")));
        assertEquals(
                "Hello, World! 1 Hello, World! 1 ",
                curl("-0", "-H", "Connection: close", "-w", " %{num_connects} ", url("/hello"), url("/hello")));
    }

    private String url(String path) {
        return uri(path).toString();
    }

    private static String curl(String... arguments) throws IOException, InterruptedException {
        assumeTrue(hasCurl(), "curl is not installed");
        var command = new ArrayList<>(List.of("curl", "-sS", "--max-time", String.valueOf(Await.SECONDS)));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("LD_PRELOAD");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertTrue(process.waitFor(Await.SECONDS, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        return output;
    }

    private static boolean hasCurl() throws InterruptedException {
        try {
            var builder = new ProcessBuilder("curl", "--version").redirectOutput(ProcessBuilder.Redirect.DISCARD);
            builder.environment().remove("LD_PRELOAD");
            return builder.start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
