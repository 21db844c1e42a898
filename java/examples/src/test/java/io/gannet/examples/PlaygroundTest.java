package io.gannet.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.HashMap;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The routes of the playground, against the program as it is run. */
@ParameterizedClass(name = "{0}, {1}, {2}")
@MethodSource("io.gannet.examples.RunningExample#modesAndVersions")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class PlaygroundTest {
    private static RunningExample playground;
    private static Browser browser;

    @Parameter(0)
    String backend;

    @Parameter(1)
    String dispatch;

    @Parameter(2)
    String version;

    @BeforeParameterizedClassInvocation
    static void start(String backend, String dispatch, String version) throws Exception {
        browser = new Browser(version);
        playground = RunningExample.start("playground", backend, "--dispatch", dispatch);
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        playground.close();
    }

    private static Browser.Answer send(String method, String path, String body) throws Exception {
        return browser.send(method, playground.uri(path), body);
    }

    private static String field(Browser.Answer answer, String name) {
        return answer.field(name);
    }

    /** Of tests that are about bytes of HTTP/1: they need not be run over HTTP/2. */
    private void aboutHttp1() {
        assumeFalse(version.equals("HTTP/2"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/any/path?a=b&c", "/bytes", "/echoes", "/status", "//", "/stats/"})
    void otherPathsTellTheRequestLine(String target) throws Exception {
        Browser.Answer response = send("GET", target, "");
        assertEquals(200, response.statusCode());
        assertEquals("GET " + target, response.body());
        assertTrue(field(response, "content-type").startsWith("text/plain"));

        Browser.Answer head = send("HEAD", target, "");
        assertEquals(200, head.statusCode());
        assertEquals("", head.body());
    }

    @ParameterizedTest
    @CsvSource({
        "DELETE, /, 405, 'GET, HEAD, OPTIONS'",
        "POST, /path, 405, 'GET, HEAD, OPTIONS'",
        "OPTIONS, /, 204, 'GET, HEAD, OPTIONS'",
        "GET, /echo, 405, 'POST, PUT, OPTIONS'",
        "OPTIONS, /echo, 204, 'POST, PUT, OPTIONS'"
    })
    void otherMethodsAreToldWhichAreAllowed(String method, String path, int status, String allow) throws Exception {
        Browser.Answer response = send(method, path, "");
        assertEquals(status, response.statusCode());
        assertEquals(allow, field(response, "allow"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"POST", "PUT"})
    void echo(String method) throws Exception {
        String body = "gr\u00fcn".repeat(10_000);
        assertEquals(body, send(method, "/echo", body).body());
        assertEquals("", send(method, "/echo", "").body());
    }

    @Test
    void echoComesWhileTheBodyIsStillOnItsWay() throws Exception {
        aboutHttp1();
        try (Socket socket = playground.connect()) {
            OutputStream to = socket.getOutputStream();
            InputStream from = socket.getInputStream();
            to.write("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".getBytes(ISO_8859_1));
            to.write("5\r\nfirst\r\n".getBytes(ISO_8859_1));
            assertTrue(readTo(from, "first").startsWith("HTTP/1.1 200 "));
            to.write("6\r\nsecond\r\n".getBytes(ISO_8859_1));
            readTo(from, "second");
            to.write("0\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(ISO_8859_1));
            assertTrue(readTo(from, "GET /next").contains("0\r\n\r\nHTTP/1.1 200 "));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0"})
    void echoOfABrokenBodyGets400UntilItHasBegun(String zeros) throws Exception {
        aboutHttp1();
        String head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        String response = playground.exchange(head + zeros + "x\r\n");
        assertTrue(response.startsWith("HTTP/1.1 400 "), response);
    }

    @Test
    void echoOfABodyThatBreaksLaterIsCutOff() throws Exception {
        aboutHttp1();
        try (Socket socket = playground.connect()) {
            OutputStream to = socket.getOutputStream();
            InputStream from = socket.getInputStream();
            to.write("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".getBytes(ISO_8859_1));
            to.write("5\r\nfirst\r\n".getBytes(ISO_8859_1));
            readTo(from, "first");
            to.write("x\r\n".getBytes(ISO_8859_1));
            assertFalse(restOf(from).contains("0\r\n\r\n"), "an echo that is cut off must not look complete");
        }
    }

    /** What comes up to and with {@code end}. */
    private static String readTo(InputStream from, String end) throws IOException {
        var text = new StringBuilder();
        while (text.indexOf(end) < 0) {
            int octet = from.read();
            assertTrue(octet >= 0, "closed after: " + text);
            text.append((char) octet);
        }
        return text.toString();
    }

    /** What comes until the server closes or resets the connection. */
    private static String restOf(InputStream from) {
        var text = new StringBuilder();
        try {
            for (int octet = from.read(); octet >= 0; octet = from.read()) {
                text.append((char) octet);
            }
        } catch (IOException e) {
            assertFalse(e instanceof SocketTimeoutException, "neither closed nor reset after: " + text);
        }
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3_000_000})
    void uploadCounts(int length) throws Exception {
        assertEquals(
                length + " bytes", send("POST", "/upload", "x".repeat(length)).body());
    }

    @Test
    void expectationIsMetByTheFirstRead() throws Exception {
        aboutHttp1();
        try (Socket socket = playground.connect()) {
            OutputStream to = socket.getOutputStream();
            InputStream from = socket.getInputStream();
            to.write("PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
                    .getBytes(ISO_8859_1));
            assertTrue(readTo(from, "\r\n\r\n").startsWith("HTTP/1.1 100 "));
            to.write("body".getBytes(ISO_8859_1));
            assertTrue(readTo(from, "4 bytes").startsWith("HTTP/1.1 200 "));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 5_000})
    void chunked(int count) throws Exception {
        aboutHttp1();
        String response =
                playground.exchange("GET /chunked/" + count + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        int bodyStart = response.indexOf("\r\n\r\n") + 4;
        assertTrue(response.substring(0, bodyStart).toLowerCase(Locale.ROOT).contains("transfer-encoding: chunked"));
        assertEquals("1\r\nx\r\n".repeat(count) + "0\r\n\r\n", response.substring(bodyStart));
    }

    @Test
    void chunkedForAnOldClientEndsWithTheConnection() throws Exception {
        aboutHttp1();
        String response = playground.exchange("GET /chunked/3 HTTP/1.0\r\n\r\n");
        assertTrue(response.endsWith("\r\n\r\nxxx"), response);
        assertFalse(response.toLowerCase(Locale.ROOT).contains("transfer-encoding"), response);
    }

    @Test
    void trailers() throws Exception {
        aboutHttp1();
        String response = playground.exchange("GET /trailers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertTrue(response.endsWith("\r\n0\r\nBody-Length: 29\r\n\r\n"), response);
        String old = playground.exchange("GET /trailers HTTP/1.0\r\n\r\n");
        assertTrue(old.endsWith("there is a field behind this\n"), old);
    }

    @Test
    void earlyHints() throws Exception {
        aboutHttp1();
        String response = playground.exchange("GET /early-hints HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertTrue(response.startsWith("HTTP/1.1 103 Early Hints\r\n"), response);
        assertTrue(response.substring(response.indexOf("\r\n\r\n") + 4).startsWith("HTTP/1.1 200 OK\r\n"), response);
        String old = playground.exchange("GET /early-hints HTTP/1.0\r\n\r\n");
        assertTrue(old.startsWith("HTTP/1.1 200 OK\r\n"), old);
    }

    @Test
    void upgradeEchoesUntilTheClientEnds() throws Exception {
        aboutHttp1();
        try (Socket socket = playground.connect()) {
            OutputStream to = socket.getOutputStream();
            InputStream from = socket.getInputStream();
            // the first bytes of the new protocol come right behind the head
            to.write("GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nahead"
                    .getBytes(ISO_8859_1));
            assertTrue(readTo(from, "\r\n\r\n").startsWith("HTTP/1.1 101 "));
            assertEquals("ahead", readTo(from, "ahead"));
            to.write("GET / HTTP/1.1\r\n\r\n".getBytes(ISO_8859_1));
            readTo(from, "GET / HTTP/1.1\r\n\r\n");
            socket.shutdownOutput();
            assertEquals(-1, from.read());
        }
    }

    @Test
    void upgradeThatIsNotOfferedIsAskedFor() throws Exception {
        Browser.Answer response = send("GET", "/upgrade", "");
        assertEquals(426, response.statusCode());
        assertEquals(version.equals("HTTP/2") ? "" : "echo", field(response, "upgrade"));
    }

    @Test
    void headersComeBackInOrderAndUnchanged() throws Exception {
        aboutHttp1();
        try (var socket = new Socket("127.0.0.1", playground.uri("/").getPort())) {
            socket.setSoTimeout(10_000);
            String fields = "Host: x\r\nX-B: 2\r\nx-a:  \u00e4\u00ff\t1\r\nX-B: 3\r\nConnection: close\r\n";
            socket.getOutputStream().write(("GET /headers HTTP/1.1\r\n" + fields + "\r\n").getBytes(ISO_8859_1));
            String response = new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
            assertEquals(
                    "Host: x\nX-B: 2\nx-a: \u00e4\u00ff\t1\nX-B: 3\nConnection: close\n",
                    response.substring(response.indexOf("\r\n\r\n") + 4));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 65_536, 70_000, 10_000_000})
    void bytes(int length) throws Exception {
        Browser.Answer response = send("GET", "/bytes/" + length, "");
        assertEquals(200, response.statusCode());
        assertEquals(String.valueOf(length), field(response, "content-length"));
        assertEquals("x".repeat(length), response.body());
    }

    @Test
    void bytesUpTo10GiB() throws Exception {
        aboutHttp1();
        Browser.Answer head = send("HEAD", "/bytes/10737418240", "");
        assertEquals("10737418240", field(head, "content-length"));
        try (Socket socket = playground.connect()) {
            socket.getOutputStream().write("GET /bytes/10737418240 HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(ISO_8859_1));
            // many times what the server has memory for, and then the client has enough
            socket.getInputStream().skipNBytes(300L << 20);
        }
        assertEquals(400, send("GET", "/bytes/10737418241", "").statusCode());
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 204, 304, 404, 503, 799, 999})
    void status(int code) throws Exception {
        assertEquals(code, send("GET", "/status/" + code, "").statusCode());
    }

    @Test
    void delay() throws Exception {
        long before = System.nanoTime();
        assertEquals(200, send("GET", "/delay/50", "").statusCode());
        assertTrue(System.nanoTime() - before >= TimeUnit.MILLISECONDS.toNanos(50), "answered too early");
    }

    @Test
    void statsAreJsonOfCounters() throws Exception {
        Browser.Answer response = send("GET", "/stats", "");
        assertEquals("application/json", field(response, "content-type"));
        var counters = new HashMap<String, Long>();
        try (JsonParser json = new JsonFactory().createParser(response.body())) {
            assertEquals(JsonToken.START_OBJECT, json.nextToken());
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String name = json.currentName();
                json.nextToken();
                counters.put(name, json.getLongValue());
            }
        }
        assertTrue(counters.get("requests") >= 1, response.body());
        assertTrue(counters.get("connectionsOpen") >= 1, response.body());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/bytes/x",
                "/bytes/",
                "/bytes/-1",
                "/bytes/99999999999",
                "/bytes/99999999999999999999",
                "/chunked/x",
                "/chunked/-1",
                "/status/99",
                "/status/101",
                "/status/1000",
                "/status/abc",
                "/delay/soon",
                "/delay/-5",
                "/bytes/1/2"
            })
    void badPathsAreToldWhy(String path) throws Exception {
        Browser.Answer response = send("GET", path, "");
        assertEquals(400, response.statusCode());
        assertTrue(response.body().contains("must be a number from "), response.body());
    }

    @ParameterizedTest
    @CsvSource({
        "--head-timeout, 'GET / HTTP/1.1\r\n', 'HTTP/1.1 408 '",
        "--body-timeout, 'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nx', 'HTTP/1.1 408 '"
    })
    void timeoutsAreOptions(String option, String request, String expected) throws Exception {
        aboutHttp1();
        try (var own = RunningExample.start("playground", backend, "--dispatch", dispatch, option, "1")) {
            String response = own.exchange(request);
            assertTrue(response.startsWith(expected), response);
        }
    }

    @Test
    void writeTimeoutIsAnOption() throws Exception {
        aboutHttp1();
        try (var own = RunningExample.start("playground", backend, "--dispatch", dispatch, "--write-timeout", "1");
                Socket socket = own.connect()) {
            socket.getOutputStream().write("GET /bytes/10737418240 HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(ISO_8859_1));
            String stats = own.exchange("GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            while (!stats.contains("\"timeouts\":1,")) {
                stats = own.exchange("GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            }
        }
    }

    @Test
    void terminationFinishesWhatRuns() throws Exception {
        aboutHttp1();
        try (var own = RunningExample.start("playground", backend, "--dispatch", dispatch)) {
            try (var socket = new Socket("127.0.0.1", own.uri("/").getPort())) {
                socket.setSoTimeout(10_000);
                // the first response shows that the second request has arrived with it
                String requests = "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /delay/300 HTTP/1.1\r\nHost: x\r\n\r\n";
                socket.getOutputStream().write(requests.getBytes(UTF_8));
                assertEquals('H', socket.getInputStream().read());
                own.terminate();
                String responses = new String(socket.getInputStream().readAllBytes(), UTF_8);
                assertTrue(responses.endsWith("waited for 300 ms"), responses);
            }
            assertEquals(143, own.exit());
        }
    }
}
