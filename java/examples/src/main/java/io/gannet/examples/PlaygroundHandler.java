package io.gannet.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.gannet.Field;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpServer;
import io.gannet.Request;
import io.gannet.Response;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletionStage;

/** The routes of the playground. */
final class PlaygroundHandler implements Handler {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int MAX_BYTES = 128 << 20;
    private static final int MAX_DELAY_MILLISECONDS = 600_000;

    private final CompletionStage<HttpServer> server;

    PlaygroundHandler(CompletionStage<HttpServer> server) {
        this.server = server;
    }

    @Override
    public void handle(Request request, Response response) {
        String path = request.path();
        int slash = path.indexOf('/', 1);
        String route = slash < 0 ? path : path.substring(0, slash + 1);
        String argument = slash < 0 ? "" : path.substring(slash + 1);

        switch (route) {
            case "/echo" -> echo(request, response);
            case "/headers" -> headers(request, response);
            case "/bytes/" -> bytes(argument, response);
            case "/status/" -> status(argument, response);
            case "/delay/" -> delay(argument, response);
            case "/stats" ->
                server.thenAccept(running -> stats(running, response))
                        .whenComplete((done, failure) -> failIf(failure, response));
            default -> requestLine(request, response);
        }
    }

    private static void echo(Request request, Response response) {
        if (!allowed(request, response, "POST", "PUT")) {
            return;
        }
        String type = request.field("Content-Type");
        request.body()
                .bytes(MAX_BYTES)
                .thenAccept(body -> response.addField("Content-Type", type == null ? "application/octet-stream" : type)
                        .send(body))
                .whenComplete((done, failure) -> failIf(failure, response));
    }

    private static void headers(Request request, Response response) {
        var text = new StringBuilder();
        for (Field field : request.fields()) {
            text.append(field.name()).append(": ").append(field.value()).append('\n');
        }
        // a field value is octets: sent back as they came
        response.addField("Content-Type", "text/plain; charset=iso-8859-1")
                .send(text.toString().getBytes(ISO_8859_1));
    }

    private static void bytes(String argument, Response response) {
        var bytes = new byte[number("N of /bytes/N", argument, 0, MAX_BYTES)];
        Arrays.fill(bytes, (byte) 'x');
        response.addField("Content-Type", "application/octet-stream").send(bytes);
    }

    private static void status(String argument, Response response) {
        response.status(number("CODE of /status/CODE", argument, 200, 999)).send();
    }

    private static void delay(String argument, Response response) {
        int milliseconds = number("MS of /delay/MS", argument, 0, MAX_DELAY_MILLISECONDS);
        response.eventLoop()
                .schedule(Duration.ofMillis(milliseconds), () -> response.send("waited for " + milliseconds + " ms"));
    }

    private static void stats(HttpServer server, Response response) {
        var text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            for (var counter : server.stats().toMap().entrySet()) {
                json.writeNumberField(counter.getKey(), counter.getValue());
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        response.addField("Content-Type", "application/json").send(text.toString());
    }

    private static void requestLine(Request request, Response response) {
        if (allowed(request, response, "GET", "HEAD")) {
            response.send(request.method() + " " + request.target());
        }
    }

    /** The end of each chain of callbacks: what they throw is answered for. */
    private static void failIf(Throwable failure, Response response) {
        if (failure != null) {
            response.fail(failure);
        }
    }

    /** Whether the method is one of these; where it is not, the answer is given. */
    private static boolean allowed(Request request, Response response, String... methods) {
        if (Arrays.asList(methods).contains(request.method())) {
            return true;
        }
        response.status(request.method().equals("OPTIONS") ? 204 : 405)
                .addField("Allow", String.join(", ", methods) + ", OPTIONS")
                .send();
        return false;
    }

    private static int number(String what, String text, int least, int most) {
        try {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below, with the limits
        }
        throw new HttpException(
                400, what + " must be a number from " + least + " to " + most + ", not \"" + text + "\"");
    }
}
