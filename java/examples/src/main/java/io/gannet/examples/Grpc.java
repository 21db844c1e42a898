package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gannet.Handler;
import io.gannet.Request;
import io.gannet.Response;
import java.util.Arrays;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Speaks gRPC: calls with one message or many, each way. The messages are texts in UTF-8, where others have protobuf. */
@Command(
        name = "grpc",
        mixinStandardHelpOptions = true,
        description = "gRPC: Uppercase, Split, Join, Chat and Wait of the service gannet.Text.")
final class Grpc implements Callable<Integer>, Handler {
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
        if (!GrpcCall.isGrpc(request)) {
            response.status(415).send("this server speaks gRPC\n");
            return;
        }
        var call = new GrpcCall(request, response);
        call.endWith(
                switch (request.path()) {
                    case "/gannet.Text/Uppercase" -> uppercase(call);
                    case "/gannet.Text/Split" -> split(call);
                    case "/gannet.Text/Join" -> join(call);
                    case "/gannet.Text/Chat" -> chat(call);
                    case "/gannet.Text/Wait" -> waitForTheEnd(call, request);
                    default ->
                        CompletableFuture.failedStage(
                                new GrpcCall.Failure(GrpcCall.UNIMPLEMENTED, "there is no " + request.path()));
                });
    }

    /** One message, one answer. */
    private static CompletionStage<Void> uppercase(GrpcCall call) {
        return call.message().thenCompose(message -> {
            if (message.length == 0) {
                throw new GrpcCall.Failure(GrpcCall.INVALID_ARGUMENT, "the text is empty \u2013 100% of it");
            }
            return call.send(uppercase(message));
        });
    }

    /** One message, an answer for each word: of which there can be more than the client reads at once. */
    private static CompletionStage<Void> split(GrpcCall call) {
        return call.message()
                .thenCompose(message -> call.sendAll(
                        Arrays.stream(text(message).split(" ")).map(Grpc::word).iterator()));
    }

    /** Many messages, one answer. */
    private static CompletionStage<Void> join(GrpcCall call) {
        var all = new StringJoiner(" ");
        return call.forEach(message -> {
                    all.add(text(message));
                    return CompletableFuture.completedStage(null);
                })
                .thenCompose(end -> call.send(all.toString().getBytes(UTF_8)));
    }

    /** An answer to each message as it comes: a client that does not read its answers is read from no more. */
    private static CompletionStage<Void> chat(GrpcCall call) {
        return call.forEach(message -> call.send(uppercase(message)));
    }

    /** Ends by the deadline, or when the client gives up. */
    private static CompletionStage<Void> waitForTheEnd(GrpcCall call, Request request) {
        return call.message().thenCompose(message -> {
            request.onDisconnect()
                    .thenAccept(end -> System.out.println("the client is gone: " + text(message) + ", " + end.kind()));
            return call.send("waiting".getBytes(UTF_8)).thenCompose(sent -> new CompletableFuture<>());
        });
    }

    private static byte[] word(String word) {
        if (!word.chars().allMatch(Character::isLetter)) {
            throw new GrpcCall.Failure(GrpcCall.INVALID_ARGUMENT, "not a word: " + word);
        }
        return word.getBytes(UTF_8);
    }

    private static byte[] uppercase(byte[] message) {
        return text(message).toUpperCase(Locale.ROOT).getBytes(UTF_8);
    }

    private static String text(byte[] message) {
        return new String(message, UTF_8);
    }
}
