package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import io.gannet.PreparedResponse;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.ObjectName;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Responses that are made once and sent many times. */
class PreparedResponseTest extends VersionsTest {
    private static final String GET = "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String HEAD = "HEAD /answer HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String NEXT = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

    private static void answer(PreparedResponse prepared) {
        server.on("/answer", (request, response) -> response.send(prepared));
        server.on("/next", (request, response) -> response.send("next"));
    }

    private static void assertInStep(Client client) throws Exception {
        assertEquals("next", client.request(NEXT).text());
    }

    @Test
    @DisplayName("goes out with its status, fields and body, each time with a Date, and as text if it is")
    @Over(HttpVersion.HTTP_1_1)
    void sent() throws Exception {
        answer(PreparedResponse.builder()
                .status(201)
                .addField("X-One", "1")
                .addField("Server", "gr\u00fcn")
                .body("gr\u00fcn")
                .build());
        try (RawClient client = server.connect()) {
            for (int i = 0; i < 3; i++) {
                RawResponse response = client.request(GET);
                assertEquals("HTTP/1.1 201 Created", response.statusLine());
                assertEquals("1", response.field("x-one"));
                assertEquals("gr\u00fcn", response.field("server"));
                assertEquals("text/plain; charset=utf-8", response.field("content-type"));
                assertTrue(response.has("date"), response::toString);
                assertArrayEquals("gr\u00fcn".getBytes(UTF_8), response.body());
            }
            assertInStep(client);
        }
    }

    @Test
    @Tag("C7")
    @Tag("C8")
    @DisplayName("C7, C8: HEAD, 204, 205 and 304 get no body")
    void hidden() throws Exception {
        try (Client client = connect()) {
            answer(PreparedResponse.builder().body("hello").build());
            assertEquals("5", client.send(HEAD).headResponse().field("content-length"));
            assertInStep(client);
            for (int status : List.of(204, 205, 304)) {
                answer(PreparedResponse.builder().status(status).body("hello").build());
                RawResponse response = client.request(GET);
                assertEquals(status, response.status());
                assertEquals("", response.text());
                assertInStep(client);
            }
            answer(PreparedResponse.builder().build());
            assertEquals("0", client.request(GET).field("content-length"));
            assertFalse(client.send(HEAD).headResponse().has("content-length"));
        }
    }

    @ParameterizedTest(name = "a body of {0} bytes goes out whole, also when it is pipelined and to a slow reader")
    @ValueSource(ints = {1, 4096, 4097, 65536, 262144})
    void sizes(int length) throws Exception {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + i / 255);
        }
        PreparedResponse prepared = PreparedResponse.builder().body(bytes).build();
        byte[] expected = bytes.clone();
        bytes[0]++;
        answer(prepared);
        try (Client client = connectSlowly()) {
            client.send((GET + HEAD).repeat(20));
            for (int i = 0; i < 20; i++) {
                RawResponse response = client.response();
                assertFalse(response.has("content-type"));
                assertArrayEquals(expected, response.body());
                assertEquals(String.valueOf(length), client.headResponse().field("content-length"));
            }
            assertInStep(client);
        }
    }

    @Test
    @DisplayName("takes the place of what was set on the response, but for Connection: close; onSent is told")
    @Over(HttpVersion.HTTP_1_1)
    void instead() throws Exception {
        PreparedResponse prepared = PreparedResponse.builder().body("hello").build();
        var sent = new CompletableFuture<Void>();
        server.on("/answer", (request, response) -> {
            response.onSent().thenRun(() -> sent.complete(null));
            response.status(404, "Gone fishing")
                    .addField("X-One", "1")
                    .addField("Content-Length", "77")
                    .addField("Transfer-Encoding", "chunked")
                    .addField("Connection", "close")
                    .send(prepared);
            assertTrue(response.isCommitted());
            assertThrows(IllegalStateException.class, () -> response.send(prepared));
        });
        try (RawClient client = server.connect()) {
            RawResponse response = client.request(GET);
            assertEquals("HTTP/1.1 200 OK", response.statusLine());
            assertFalse(response.has("x-one"));
            assertEquals("5", response.field("content-length"));
            assertTrue(response.closes());
            client.assertEnd();
        }
        Await.result(sent);
    }

    @Test
    @DisplayName("is sent by any thread, on any loop of any server, also when servers have ended before")
    void manyLoops() throws Exception {
        PreparedResponse prepared = PreparedResponse.builder().body("hello").build();
        for (int round = 0; round < 3; round++) {
            try (TestServer many = TestServer.start(backend, builder -> builder.loops(3))) {
                many.on("/answer", (request, response) -> response.send(prepared));
                many.on("/elsewhere", (request, response) -> new Thread(() -> response.send(prepared)).start());
                for (int i = 0; i < 20; i++) {
                    try (Client client = connect(many)) {
                        assertEquals("hello", client.request(GET).text());
                        assertEquals(
                                "hello",
                                client.request(GET.replace("answer", "elsewhere"))
                                        .text());
                    }
                }
                assertEquals(0, many.stats().commandsRejected());
            }
        }
    }

    @Test
    @DisplayName("once nothing refers to them any more, their memory is given back, and their places used again")
    void collected() throws Exception {
        try (TestServer fresh = TestServer.start(backend);
                Client client = connect(fresh)) {
            var current = new PreparedResponse[1];
            fresh.on("/answer", (request, response) -> response.send(current[0]));
            current[0] = PreparedResponse.builder().body("first").build();
            assertEquals("first", client.request(GET).text());
            long before = fresh.stats().memoryUsed();
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 40; i++) {
                    current[0] = PreparedResponse.builder()
                            .body(("number " + i).repeat(5000))
                            .build();
                    assertEquals(
                            ("number " + i).repeat(5000), client.request(GET).text());
                }
                current[0] = PreparedResponse.builder().body("other").build();
                Await.until(
                        () -> {
                            System.gc();
                            return fresh.stats().memoryUsed() < before + 100_000;
                        },
                        () -> before + " and now " + fresh.stats().memoryUsed());
                assertEquals("other", client.request(GET).text());
            }
            assertEquals(0, fresh.stats().commandsRejected());
        }
    }

    @Test
    @DisplayName("many of them are told apart")
    void many() throws Exception {
        var all = new ArrayList<PreparedResponse>();
        for (int i = 0; i < 3000; i++) {
            all.add(PreparedResponse.builder().body("number " + i).build());
        }
        server.on("/answer", (request, response) -> response.send(all.get(Integer.parseInt(request.query()))));
        try (Client client = connect()) {
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < all.size(); i++) {
                    String get = GET.replace("answer", "answer?" + i);
                    assertEquals("number " + i, client.request(get).text());
                }
            }
        }
    }

    @Test
    @DisplayName("sending one allocates nothing on the loop, where exchanges are used again")
    void allocatesNothing() throws Exception {
        PreparedResponse prepared = PreparedResponse.builder().body("hello").build();
        var loop = new AtomicLong();
        try (HttpServer reusing = HttpServer.builder()
                        .listen("127.0.0.1", 0)
                        .backend(backend)
                        .loops(1)
                        .reuseExchanges(true)
                        .handler((request, response) -> {
                            loop.setOpaque(Thread.currentThread().getId());
                            response.send(prepared);
                        })
                        .start();
                Client client = new RawClient(reusing.port())) {
            String batch = GET.repeat(50);
            long least = Long.MAX_VALUE;
            for (int i = 0; i < 200 && least > 0; i++) {
                long before = i == 0 ? 0 : allocated(loop.get());
                client.send(batch);
                for (int j = 0; j < 50; j++) {
                    assertEquals("hello", client.response().text());
                }
                if (i > 0) {
                    least = Math.min(least, allocated(loop.get()) - before);
                }
            }
            assertEquals(0, least, "bytes allocated for 50 requests");
        }
    }

    private static long allocated(long thread) throws Exception {
        return (long) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("java.lang:type=Threading"),
                        "getThreadAllocatedBytes",
                        new Object[] {thread},
                        new String[] {"long"});
    }

    @Test
    @DisplayName("what is not acceptable is refused by the builder")
    void misuse() throws Exception {
        PreparedResponse.Builder builder = PreparedResponse.builder();
        for (int status : List.of(0, 100, 101, 199, 1000)) {
            Throwable thrown = assertThrows(IllegalArgumentException.class, () -> builder.status(status));
            assertTrue(thrown.getMessage().contains(String.valueOf(status)));
        }
        for (String name : List.of("Content-Length", "transfer-encoding", "Connection", "Keep-Alive")) {
            Throwable thrown = assertThrows(IllegalArgumentException.class, () -> builder.addField(name, "1"));
            assertTrue(thrown.getMessage().contains(name));
        }
        assertThrows(IllegalArgumentException.class, () -> builder.addField("a b", "1"));
        assertThrows(IllegalArgumentException.class, () -> builder.addField("a", "1\n2"));
        assertThrows(NullPointerException.class, () -> builder.addField(null, "1"));
        assertThrows(NullPointerException.class, () -> builder.addField("a", null));
        assertThrows(NullPointerException.class, () -> builder.body((byte[]) null));
        assertThrows(NullPointerException.class, () -> builder.body((String) null));
        Throwable large = assertThrows(IllegalArgumentException.class, () -> builder.body(new byte[262145]));
        assertTrue(large.getMessage().contains("262144") && large.getMessage().contains("262145"));
        assertThrows(IllegalArgumentException.class, () -> builder.body("\u20ac".repeat(100_000)));
        assertThrows(IllegalStateException.class, () -> {
            for (int i = 0; i < 100; i++) {
                builder.addField("X-Long", "x".repeat(1000));
            }
        });
        answer(PreparedResponse.builder().body("fine").build());
        try (Client client = connect()) {
            assertEquals("fine", client.request(GET).text());
        }
    }
}
