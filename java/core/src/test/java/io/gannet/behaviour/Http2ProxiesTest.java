package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import java.net.Socket;
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
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;

/** Proxies that others have written, between a client and a server of HTTP/2: haproxy, and nginx for gRPC. */
@OnEachBackend
class Http2ProxiesTest {
    private static final String HAPROXY = """
            global
              maxconn 200
            defaults
              mode http
              timeout connect 10s
              timeout client 20s
              timeout server 20s
            frontend front
              bind 127.0.0.1:FRONT
              default_backend back
            backend back
              server gannet 127.0.0.1:BACK proto h2
            """;
    private static final String NGINX = """
            daemon off;
            master_process off;
            pid FOLDER/pid;
            error_log FOLDER/errors;
            events { worker_connections 64; }
            http {
              access_log off;
              client_body_temp_path FOLDER/bodies;
              proxy_temp_path FOLDER/proxy;
              fastcgi_temp_path FOLDER/fastcgi;
              uwsgi_temp_path FOLDER/uwsgi;
              scgi_temp_path FOLDER/scgi;
              client_max_body_size 10m;
              upstream gannet { server 127.0.0.1:BACK; keepalive 2; }
              server {
                listen 127.0.0.1:FRONT http2;
                location / { grpc_pass grpc://gannet; }
              }
            }
            """;

    @Parameter
    Backend backend;

    @TempDir
    Path folder;

    private Path configuration(String text, int front, int back) throws Exception {
        String filled = text.replace("FRONT", String.valueOf(front))
                .replace("BACK", String.valueOf(back))
                .replace("FOLDER", folder.toString());
        return Files.writeString(folder.resolve("configuration"), filled);
    }

    private static HttpRequest.Builder request(int port, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(30));
    }

    @Test
    @DisplayName("haproxy: requests, uploads, long downloads, and clients that go away, over HTTP/1.1 in front")
    void haproxy() throws Exception {
        String haproxy = Peer.program("haproxy");
        int front = Peer.freePort();
        var body = new byte[1_000_000];
        new Random(5).nextBytes(body);
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        try (var server = PeerServer.start(backend)) {
            String file = configuration(HAPROXY, front, server.port()).toString();
            try (var running = Peer.serve(folder.resolve("log"), front, haproxy, "-f", file)) {
                for (int round = 0; round < 20; round++) {
                    var answers = new ArrayList<CompletableFuture<HttpResponse<byte[]>>>();
                    for (int i = 0; i < 50; i++) {
                        HttpRequest.Builder request = request(front, i % 10 == 0 ? "/echo" : "/hello");
                        if (i % 10 == 0) {
                            request.POST(BodyPublishers.ofByteArray(body));
                        }
                        answers.add(client.sendAsync(request.build(), BodyHandlers.ofByteArray()));
                    }
                    for (int i = 0; i < 50; i++) {
                        byte[] expected = i % 10 == 0 ? body : PeerServer.HELLO.getBytes(ISO_8859_1);
                        assertArrayEquals(expected, Await.result(answers.get(i)).body());
                    }
                    abandon(front);
                }
                HttpResponse<byte[]> large =
                        client.send(request(front, "/large").build(), BodyHandlers.ofByteArray());
                assertEquals(PeerServer.LARGE, large.body().length);
                assertTrue(running.process().isAlive());
            }
            Await.until(
                    () -> server.stats().exchangesOpen() == 0,
                    () -> "exchanges that are open: " + server.stats().exchangesOpen());
            assertEquals(0, server.stats().toMap().getOrDefault("reasons.controlFlood", 0L));
        }
    }

    /** Clients that go away in the middle of a download and of an upload. */
    private static void abandon(int front) throws Exception {
        try (var download = new Socket("127.0.0.1", front);
                var upload = new Socket("127.0.0.1", front)) {
            download.getOutputStream().write("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n".getBytes(ISO_8859_1));
            download.getInputStream().skipNBytes(1_000_000);
            String head = "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
            upload.getOutputStream().write((head + "x".repeat(50_000)).getBytes(ISO_8859_1));
        }
    }

    @Test
    @DisplayName("nginx: calls of gRPC, whose status is a trailer")
    void nginx() throws Exception {
        String nginx = Peer.program("nginx");
        String curl = Peer.program("curl");
        int front = Peer.freePort();
        var message = new byte[300_000];
        new Random(6).nextBytes(message);
        Path sent = Files.write(folder.resolve("sent"), message);
        Path received = folder.resolve("received");
        Path head = folder.resolve("head");
        try (var server = PeerServer.start(backend)) {
            String file = configuration(NGINX, front, server.port()).toString();
            String errors = folder.resolve("errors").toString();
            try (var running = Peer.serve(folder.resolve("log"), front, nginx, "-e", errors, "-c", file)) {
                for (int i = 0; i < 20; i++) {
                    var command = List.of(curl, "-sS", "--noproxy", "*", "--http2-prior-knowledge");
                    var more = List.of(
                            "-H", "content-type: application/grpc", "-H", "te: trailers", "-D", head.toString());
                    var rest = List.of("--data-binary", "@" + sent, "-o", received.toString());
                    var all = new ArrayList<>(command);
                    all.addAll(more);
                    all.addAll(rest);
                    all.add("http://127.0.0.1:" + front + "/grpc.Echo/Say");
                    Peer.run(folder, all.toArray(String[]::new));
                    String fields = Files.readString(head);
                    assertTrue(fields.startsWith("HTTP/2 200"), fields);
                    assertTrue(fields.endsWith("grpc-status: 0\r\ngrpc-message: fine\r\n"), fields);
                    assertArrayEquals(message, Files.readAllBytes(received));
                }
                assertTrue(running.process().isAlive());
            }
        }
    }
}
