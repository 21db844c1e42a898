package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.gannet.Backend;
import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import io.gannet.Request;
import io.gannet.Response;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** What a server makes of the bytes that one connection after the other sends before its end. */
final class GannetReader implements AutoCloseable {
    private static final String SEEN = "X-Seen";

    private final List<Reading.Message> requests = new CopyOnWriteArrayList<>();
    private final HttpServer server;
    private final AtomicLong finished = new AtomicLong();
    private volatile boolean cut;

    GannetReader(Backend backend) throws IOException {
        server = HttpServer.builder()
                .listen("127.0.0.1", 0)
                .backend(backend)
                .loops(1)
                .connectMethod(true)
                .versions(HttpVersion.HTTP_1_1)
                .handler(this::handle)
                .start();
    }

    Reading read(String bytes) throws IOException {
        requests.clear();
        cut = false;
        String answers;
        try (var client = new RawClient(server.port())) {
            client.send(bytes).end();
            answers = new String(client.rest(), ISO_8859_1);
        }
        // The loop may have ended the connection before the handler has heard of it.
        Await.until(
                () -> finished.get() == server.stats().loops().requests(),
                () -> finished + " handlers finished of "
                        + server.stats().loops().requests());
        // What the server says by itself: every answer of the handler has the field.
        boolean refused = List.of(answers.split("\r\n\r\n")).stream()
                .anyMatch(head -> head.matches("(?s)HTTP/1.1 [45].*") && !head.contains(SEEN));
        Reading.End end = cut ? Reading.End.CUT : refused ? Reading.End.REFUSED : Reading.End.DONE;
        return new Reading(List.copyOf(requests), end);
    }

    private void handle(Request request, Response response) {
        String method = request.method();
        String target = request.target();
        request.body().bytes().whenComplete((body, failure) -> {
            if (failure != null) {
                cut = String.valueOf(failure.getMessage()).contains("ended within a message body");
            } else {
                requests.add(new Reading.Message(method, target, new String(body, ISO_8859_1)));
                response.status(method.equals("CONNECT") ? 404 : 200)
                        .addField(SEEN, "yes")
                        .send();
            }
            finished.incrementAndGet();
        });
    }

    @Override
    public void close() {
        server.close();
    }
}
