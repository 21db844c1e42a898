package io.gannet.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.net.SocketException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples that answer in one piece. */
@ParameterizedClass(name = "{0}, {1}, {2}")
@MethodSource("io.gannet.examples.RunningExample#modesAndVersions")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SmallExamplesTest {
    @Parameter(0)
    String backend;

    @Parameter(1)
    String dispatch;

    @Parameter(2)
    String version;

    private Browser browser;

    @BeforeEach
    void open() {
        browser = new Browser(version);
    }

    private RunningExample start(String name) throws Exception {
        return RunningExample.start(name, backend, "--dispatch", dispatch);
    }

    private Browser.Answer get(URI uri) throws Exception {
        return browser.get(uri);
    }

    private Browser.Answer post(URI uri, String body) throws Exception {
        return browser.post(uri, body);
    }

    private boolean isHttp2() {
        return version.equals("HTTP/2");
    }

    @Test
    void params() throws Exception {
        try (var example = start("params")) {
            assertTrue(get(example.uri("/")).body().contains("<form action=\"post\" method=\"post\">"));
            assertEquals(
                    "You requested page 1 2",
                    get(example.uri("/get?a=b&page=1+2")).body());
            assertEquals(422, get(example.uri("/get")).statusCode());
            String broken = example.exchange("GET /get?page=%4 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assertTrue(broken.startsWith("HTTP/1.1 400 "), broken);
            assertEquals(
                    "Hello \u00c4nne, your number is 4.5",
                    post(example.uri("/post"), "name=%C3%84nne&number=4.5").body());
            assertEquals(
                    "parameter is missing: number",
                    post(example.uri("/post"), "name=x").body());
            assertEquals(422, post(example.uri("/post"), "name=x&number=four").statusCode());
            assertEquals(405, get(example.uri("/post")).statusCode());
            assertEquals(404, get(example.uri("/other")).statusCode());
        }
    }

    @Test
    void state() throws Exception {
        try (var example = start("state")) {
            assertEquals(
                    "Request #1, #1 of its connection", get(example.uri("/")).body());
            if (isHttp2()) {
                String both =
                        Curl.get("--http2-prior-knowledge", example.uri("/") + "", "--next", example.uri("/") + "");
                assertEquals("Request #2, #1 of its connectionRequest #3, #2 of its connection", both);
                return;
            }
            assertEquals(
                    "Request #2, #2 of its connection", get(example.uri("/")).body());
            String other = example.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            assertTrue(other.endsWith("Request #3, #1 of its connection"), other);
        }
    }

    @Test
    void service() throws Exception {
        try (var example = start("service")) {
            assertEquals("home! counter = 1", get(example.uri("/")).body());
            assertEquals(
                    "posts, of course! counter = 2", get(example.uri("/posts")).body());
            assertEquals(
                    "authors extraordinaire! counter = 3",
                    get(example.uri("/authors")).body());
            assertEquals(404, get(example.uri("/other")).statusCode());
        }
    }

    @Test
    void webApi() throws Exception {
        try (var example = start("web_api")) {
            Browser.Answer list = get(example.uri("/json_api"));
            assertEquals("[\"foo\",\"bar\"]", list.body());
            assertEquals("application/json", list.field("content-type"));
            assertEquals(
                    "{\"a\":{\"b\":[1,2.5,null]},\"test\":\"test_value\"}",
                    post(example.uri("/json_api"), " {\"a\": {\"b\": [1, 2.5, null]}, \"test\": {\"c\": 1}}")
                            .body());
            assertEquals(
                    "{\"test\":\"test_value\"}",
                    post(example.uri("/json_api"), "{}").body());
            assertEquals(404, get(example.uri("/test.html")).statusCode());
        }
    }

    @Test
    void webApiRefusesWhatIsNoObject() throws Exception {
        try (var example = start("web_api")) {
            for (var refused : List.of(
                    Map.entry("", "must be a JSON object"),
                    Map.entry("[]", "must be a JSON object"),
                    Map.entry("{\"a\":1", "is not JSON"),
                    Map.entry("{} {}", "behind"))) {
                Browser.Answer response = post(example.uri("/json_api"), refused.getKey());
                assertEquals(400, response.statusCode());
                assertTrue(response.body().contains(refused.getValue()), response.body());
            }
        }
    }

    @Test
    void multiServer() throws Exception {
        try (var example =
                RunningExample.start("multi_server", backend, "--dispatch", dispatch, "--second-port", "0")) {
            String second = example.nextAddress();
            assertNotEquals(example.uri("/"), URI.create(second + "/"));
            assertEquals("The 1st service!", get(example.uri("/")).body());
            assertEquals("The 2nd service!", get(URI.create(second + "/")).body());
            example.terminate();
            assertEquals(143, example.exit());
            assertNull(example.nextLine());
        }
    }

    @Test
    void singleThreaded() throws Exception {
        try (var example = RunningExample.start("single_threaded", backend)) {
            String first = get(example.uri("/")).body();
            assertTrue(first.startsWith("Request #1 on "), first);
            String thread = first.substring("Request #1 on ".length());
            for (int i = 2; i < 10; i++) {
                String other = example.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                assertTrue(other.endsWith("Request #" + i + " on " + thread), other);
            }
        }
    }

    @Test
    void gracefulShutdownFinishesWhatRuns() throws Exception {
        if (isHttp2()) {
            gracefulShutdownOverHttp2();
            return;
        }
        try (var example = start("graceful_shutdown");
                var socket = example.connect()) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII));
            assertEquals("a request came", example.nextLine());
            example.terminate();
            assertEquals("closing: finishing what runs, for at most 10 s", example.nextLine());
            String response = new String(socket.getInputStream().readAllBytes(), US_ASCII);
            assertTrue(response.endsWith("Hello, World!"), response);
            socket.shutdownOutput(); // for which the server waits, up to five seconds
            assertEquals("closed: 1 requests were served", example.nextLine());
            assertEquals(143, example.exit());
        }
    }

    private void gracefulShutdownOverHttp2() throws Exception {
        try (var example = start("graceful_shutdown")) {
            CompletableFuture<String> got = CompletableFuture.supplyAsync(
                    () -> {
                        try {
                            return get(example.uri("/")).body();
                        } catch (Exception failure) {
                            throw new CompletionException(failure);
                        }
                    },
                    RunningExample::onOwnThread);
            assertEquals("a request came", example.nextLine());
            example.terminate();
            assertEquals("closing: finishing what runs, for at most 10 s", example.nextLine());
            assertEquals("Hello, World!", got.get(20, TimeUnit.SECONDS).strip());
            assertEquals("closed: 1 requests were served", example.nextLine());
            assertEquals(143, example.exit());
        }
    }

    @Test
    void gracefulShutdownEndsWhatIsTooSlow() throws Exception {
        assumeFalse(isHttp2(), "over HTTP/1.1 the same");
        try (var example =
                        RunningExample.start("graceful_shutdown", backend, "--dispatch", dispatch, "--deadline", "0");
                var socket = example.connect()) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII));
            assertEquals("a request came", example.nextLine());
            example.terminate();
            assertEquals(143, example.exit());
            assertThrows(SocketException.class, () -> socket.getInputStream().readAllBytes());
        }
    }
}
