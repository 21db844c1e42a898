package io.gannet.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.gannet.Field;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpServer;
import io.gannet.OutgoingBody;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.Tunnel;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** The routes of the playground. None blocks, so that they may run on the loop as well as off it. */
final class PlaygroundHandler implements Handler {
    private static final JsonFactory JSON = new JsonFactory();
    private static final long MAX_BYTES = 10L << 30;
    private static final int MAX_CHUNKS = 1_000_000;
    private static final int MAX_DELAY_MILLISECONDS = 600_000;
    private static final String ECHO_PROTOCOL = "echo";

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
            case "/upload" -> upload(request, response);
            case "/bytes/" -> bytes(argument, request, response);
            case "/chunked/" -> chunked(argument, response);
            case "/trailers" -> trailers(response);
            case "/early-hints" -> earlyHints(response);
            case "/upgrade" -> upgrade(request, response);
            case "/status/" -> status(argument, response);
            case "/delay/" -> delay(argument, response);
            case "/stats" -> response.failIfFails(server.thenAccept(running -> stats(running, response)));
            default -> requestLine(request, response);
        }
    }

    private static void echo(Request request, Response response) {
        if (!Answers.allowed(request, response, "POST", "PUT")) {
            return;
        }
        String type = request.field("Content-Type");
        response.addField("Content-Type", type == null ? "application/octet-stream" : type);
        if (request.contentLength() >= 0) {
            response.addField("Content-Length", String.valueOf(request.contentLength()));
        }
        response.send(request.body().publisher());
    }

    private static void upload(Request request, Response response) {
        if (Answers.allowed(request, response, "POST", "PUT")) {
            response.failIfFails(request.body().discard().thenAccept(count -> response.send(count + " bytes")));
        }
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

    private static void bytes(String argument, Request request, Response response) {
        long length = number("N of /bytes/N", argument, 0, MAX_BYTES);
        response.addField("Content-Type", "application/octet-stream")
                .addField("Content-Length", String.valueOf(length));
        if (request.method().equals("HEAD")) {
            response.send();
        } else {
            Chunks.ofBytes(length).writeTo(response.stream());
        }
    }

    private static void chunked(String argument, Response response) {
        long count = number("N of /chunked/N", argument, 0, MAX_CHUNKS);
        Chunks.ofOneByte(count).writeTo(response.stream());
    }

    private static void trailers(Response response) {
        OutgoingBody body = response.addField("Content-Type", "text/plain").addField("Trailer", "Body-Length").stream();
        String text = "there is a field behind this\n";
        body.addTrailer("Body-Length", String.valueOf(text.length())).insistOnTrailers();
        body.write(text);
        body.end();
    }

    private static void earlyHints(Response response) {
        var hint = new Field("Link", "</style.css>; rel=preload; as=style");
        response.sendInterim(103, hint);
        response.addField(hint.name(), hint.value()).send("the hint came before this\n");
    }

    private static void upgrade(Request request, Response response) {
        if (request.offersUpgrade(ECHO_PROTOCOL)) {
            Tunnel tunnel = response.upgrade(ECHO_PROTOCOL);
            tunnel.output().writeAll(tunnel.input().publisher());
        } else {
            response.status(426).addField("Upgrade", ECHO_PROTOCOL).send("this speaks " + ECHO_PROTOCOL + "\n");
        }
    }

    private static void status(String argument, Response response) {
        response.status((int) number("CODE of /status/CODE", argument, 200, 999))
                .send();
    }

    private static void delay(String argument, Response response) {
        long milliseconds = number("MS of /delay/MS", argument, 0, MAX_DELAY_MILLISECONDS);
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
        if (Answers.allowed(request, response, "GET", "HEAD")) {
            response.send(request.method() + " " + request.target());
        }
    }

    private static long number(String what, String text, long least, long most) {
        try {
            long number = Long.parseLong(text);
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
