package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.gannet.Backend;
import io.gannet.EventLoop;
import io.gannet.Handler;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.Tunnel;
import java.io.IOException;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A loop whose connections all wait for somebody makes no turns: not for input that nobody takes, nor for an end. */
@OnEachBackend
class IdleLoopTest {
    /** A loop that spins makes thousands of turns meanwhile, one that sleeps only those of the timer itself. */
    private static final Duration WINDOW = Duration.ofMillis(50);

    private static final int FEW_TURNS = 20;

    private static final String BODY = "POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    private static final String UPGRADE =
            "GET /tunnel HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: raw\r\n\r\n";

    @Parameter
    Backend backend;

    /** What a client does that then does nothing more. */
    private enum Situation {
        NEVER_USED(client -> {}),
        USED(client -> assertEquals(200, client.request(get("/")).status())),
        WITHIN_A_HEAD(client -> client.send("GET / HTTP/1.1\r\nHo")),
        BEHIND_EMPTY_LINES(client -> client.send("\r\n\r\n")),
        UNANSWERED(client -> client.send(get("/held"))),
        UNANSWERED_AND_HALF_CLOSED(client -> client.send(get("/held")).end()),
        STREAMED_TO(client -> client.send(get("/stream"))),
        STREAMED_TO_AND_HALF_CLOSED(client -> client.send(get("/stream")).end()),
        NOT_READING(client -> client.send(get("/large"))),
        NOT_READING_AND_HALF_CLOSED(client -> client.send(get("/large")).end()),
        NOT_READING_THE_LAST_RESPONSE(
                client -> client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
        WITHIN_A_BODY(client -> client.send(BODY.replace("held", "read") + "part")),
        WITHIN_A_CHUNK(client ->
                client.send("POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff;ext=1\r\npart")),
        WITHIN_TRAILERS(
                client -> client.send("POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y")),
        WITH_A_BODY_THAT_NOBODY_READS(client -> client.send(BODY).send(new byte[500_000])),
        WITH_A_CUT_BODY_THAT_NOBODY_READS(
                client -> client.send(BODY).send(new byte[500_000]).end()),
        WITH_A_WHOLE_BODY_THAT_NOBODY_READS(
                client -> client.send(BODY).send(new byte[1_000_000]).end()),
        WITH_A_BODY_BEHIND_ITS_RESPONSE(client -> client.send(BODY.replace("/held", "/unread") + "part")),
        EXPECTING_100(client ->
                client.send("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")),
        PIPELINING(client -> client.send(get("/held").repeat(3000))),
        PIPELINING_AND_HALF_CLOSED(
                client -> client.send(get("/held").repeat(3000)).end()),
        OFFERING_A_TUNNEL(client -> client.send(UPGRADE.replace("/tunnel", "/held") + "more")),
        OFFERING_A_TUNNEL_AND_HALF_CLOSED(client ->
                client.send(UPGRADE.replace("/tunnel", "/held") + "more").end()),
        OFFERING_A_TUNNEL_WITH_MUCH_BEHIND(client -> client.send(UPGRADE.replace("/tunnel", "/held"))
                .send(new byte[500_000])
                .end()),
        IN_A_TUNNEL(client -> client.send(UPGRADE)),
        IN_A_TUNNEL_AND_HALF_CLOSED(client -> client.send(UPGRADE + "more").end()),
        IN_A_TUNNEL_THAT_NOBODY_READS(client -> client.send(UPGRADE).send(new byte[500_000])),
        IN_A_TUNNEL_THAT_NOBODY_READS_AND_HALF_CLOSED(
                client -> client.send(UPGRADE).send(new byte[500_000]).end()),
        IN_A_TUNNEL_ENDED_BY_THE_SERVER(client -> client.send(UPGRADE.replace("/tunnel", "/ended-tunnel"))),
        LINGERED_FOR(client -> assertEquals(400, client.request("bad\r\n\r\n").status())),
        GONE_WITH_A_BODY_THAT_NOBODY_READS(client -> {
            client.send(BODY).send(new byte[500_000]);
            client.reset();
        }),
        GONE_UNANSWERED(client -> {
            client.send(get("/held"));
            client.reset();
        });

        private interface Client {
            void act(RawClient client) throws IOException;
        }

        private final Client client;

        Situation(Client client) {
            this.client = client;
        }
    }

    private static String get(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }

    /** Keeps what a handler is given from being collected, which would end it. */
    private final Queue<Object> held = new ConcurrentLinkedQueue<>();

    private Handler holding(Handler handler) {
        return (request, response) -> {
            held.add(request);
            held.add(response);
            handler.handle(request, response);
        };
    }

    private TestServer start() throws IOException {
        return TestServer.start(backend)
                .on("/held", holding((request, response) -> {}))
                .on("/read", holding((request, response) -> request.body().bytes()))
                .on("/unread", (request, response) -> response.send("read nothing"))
                .on("/stream", holding((request, response) -> response.stream().write("first")))
                .on("/large", (request, response) -> response.send(new byte[20_000_000]))
                .on("/tunnel", holding(this::tunnel))
                .on(
                        "/ended-tunnel",
                        holding((request, response) ->
                                tunnel(request, response).output().end()));
    }

    private Tunnel tunnel(Request request, Response response) {
        Tunnel tunnel = response.upgrade("raw");
        held.add(tunnel);
        return tunnel;
    }

    /** Waits until the loop makes no more than a few turns while a timer runs. */
    private static void assertSleeps(TestServer server) {
        EventLoop loop = server.server().eventLoops().loops().get(0);
        var turns = new AtomicLong();
        Await.until(
                () -> {
                    long before = server.stats().turns();
                    var over = new CompletableFuture<Void>();
                    loop.schedule(WINDOW, () -> over.complete(null));
                    over.join();
                    turns.set(server.stats().turns() - before);
                    return turns.get() <= FEW_TURNS;
                },
                () -> "the loop sleeps; it made " + turns + " turns in " + WINDOW);
    }

    @ParameterizedTest(name = "D9: a client that is {0} costs no turns of the loop")
    @EnumSource
    @Tag("D9")
    void sleeps(Situation situation) throws Exception {
        try (var server = start();
                var client = new RawClient(server.port(), 4096)) {
            situation.client.act(client);
            Await.until(() -> server.stats().connectionsAccepted() == 1, () -> "the connection is accepted");
            assertSleeps(server);
            server.server().close(Duration.ZERO);
        } finally {
            held.clear();
        }
    }

    @Test
    @Tag("D9")
    @DisplayName("D9: clients in all these situations at once cost no turns, and another one is served")
    void sleepsWithAll() throws Exception {
        var clients = new ConcurrentLinkedQueue<RawClient>();
        try (var server = start()) {
            for (Situation situation : Situation.values()) {
                var client = new RawClient(server.port(), 4096);
                clients.add(client);
                situation.client.act(client);
            }
            assertSleeps(server);
            try (RawClient other = server.connect()) {
                assertEquals(200, other.request(get("/")).status());
            }
            assertSleeps(server);
            for (RawClient client : clients) {
                client.close();
            }
            assertSleeps(server);
            server.server().close(Duration.ZERO);
        } finally {
            held.clear();
            for (RawClient client : clients) {
                client.close();
            }
        }
    }
}
