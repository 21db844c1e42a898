package io.gannet.examples;

import io.gannet.Handler;
import io.gannet.OutgoingBody;
import io.gannet.Request;
import io.gannet.Response;
import java.nio.ByteBuffer;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Sends back what it is sent: as it is, changed on the way, or when it has come completely. */
@Command(
        name = "echo",
        mixinStandardHelpOptions = true,
        description = "Sends back the body of a POST to /echo, /echo/uppercase and /echo/reversed.")
final class Echo implements Callable<Integer>, Handler {
    private static final int MOST_TO_REVERSE = 65536;

    @Mixin
    private ServerOptions options;

    @Override
    public Integer call() throws Exception {
        try (var server = options.server().handler(this).start()) {
            ServerOptions.run(server);
        }
        return 0;
    }

    @Override
    public void handle(Request request, Response response) {
        switch (request.path()) {
            case "/" -> response.send("Try: curl 127.0.0.1:8080/echo -d 'hello world'\n");
            case "/echo" -> stream(request, response);
            case "/echo/uppercase" -> uppercase(request, response);
            case "/echo/reversed" -> reversed(request, response);
            default -> throw Answers.notFound(request);
        }
    }

    /** Of any size: no more than a chunk of it is here at a time. */
    private static void stream(Request request, Response response) {
        if (Answers.allowed(request, response, "POST")) {
            response.send(request.body().publisher());
        }
    }

    /** Of any size too: the next chunk is asked for when the client has taken the one before. */
    private static void uppercase(Request request, Response response) {
        if (Answers.allowed(request, response, "POST")) {
            var answer = new Uppercase(response);
            response.failIfFails(request.body().forEachAsync(answer::write).thenRun(answer::end));
        }
    }

    /** Begins with the first chunk, so that until then a failure still gets its status. */
    private static final class Uppercase {
        private final Response response;
        private OutgoingBody body;

        Uppercase(Response response) {
            this.response = response;
        }

        CompletionStage<Void> write(ByteBuffer chunk) {
            if (body == null) {
                body = response.stream();
            }
            return body.write(uppercase(chunk));
        }

        void end() {
            if (body == null) {
                response.send();
            } else {
                body.end();
            }
        }
    }

    /** The last byte goes first, so that all must be here: up to a limit, over which the server answers 413. */
    private static void reversed(Request request, Response response) {
        if (Answers.allowed(request, response, "POST")) {
            response.failIfFails(
                    request.body().bytes(MOST_TO_REVERSE).thenAccept(body -> response.send(reversed(body))));
        }
    }

    private static ByteBuffer uppercase(ByteBuffer chunk) {
        for (int i = chunk.position(); i < chunk.limit(); i++) {
            byte octet = chunk.get(i);
            if (octet >= 'a' && octet <= 'z') {
                chunk.put(i, (byte) (octet - 'a' + 'A'));
            }
        }
        return chunk;
    }

    private static byte[] reversed(byte[] body) {
        var result = new byte[body.length];
        for (int i = 0; i < body.length; i++) {
            result[i] = body[body.length - 1 - i];
        }
        return result;
    }
}
