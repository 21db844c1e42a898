package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gannet.OutgoingBody;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.ScheduledTask;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One call of gRPC over HTTP/2: messages in the bodies both ways, and a status in the trailers. All but the constructor and
 * {@link #endWith} is called on the loop's thread.
 */
final class GrpcCall {
    static final int OK = 0;
    static final int INVALID_ARGUMENT = 3;
    static final int DEADLINE_EXCEEDED = 4;
    static final int RESOURCE_EXHAUSTED = 8;
    static final int UNIMPLEMENTED = 12;
    static final int INTERNAL = 13;

    /** A call that ends with a status other than OK. */
    static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final int status;

        Failure(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    private static final String TYPE = "application/grpc";
    private static final Pattern TIMEOUT = Pattern.compile("([0-9]{1,8})([HMSmun])");
    private static final CompletionStage<Void> DONE = CompletableFuture.completedStage(null);

    private final Request request;
    private final Response response;
    private final String timeout;
    private OutgoingBody body;
    private ScheduledTask deadline;
    private boolean ended;

    GrpcCall(Request request, Response response) {
        this.request = request;
        this.response = response;
        timeout = request.field("grpc-timeout");
    }

    static boolean isGrpc(Request request) {
        String type = request.field("Content-Type");
        return request.method().equals("POST") && type != null && type.startsWith(TYPE);
    }

    /** Gives each message to a function; the next one when the stage that it returns is complete. */
    CompletionStage<Void> forEach(Function<byte[], ? extends CompletionStage<?>> message) {
        var messages = new GrpcMessages();
        return request.body()
                .forEachAsync(chunk -> inTurn(messages.completedBy(chunk).iterator(), message))
                .thenRun(messages::end);
    }

    /** The message of a call that has one. */
    CompletionStage<byte[]> message() {
        var found = new ArrayList<byte[]>(1);
        return forEach(message -> {
                    if (!found.isEmpty()) {
                        throw new Failure(UNIMPLEMENTED, "there is more than one message");
                    }
                    found.add(message);
                    return DONE;
                })
                .thenApply(end -> {
                    if (found.isEmpty()) {
                        throw new Failure(INTERNAL, "there is no message");
                    }
                    return found.get(0);
                });
    }

    /** Complete when the client can be sent another one. The first one is preceded by the head. */
    CompletionStage<Void> send(byte[] message) {
        if (ended) {
            throw new IllegalStateException("the call has ended");
        }
        if (body == null) {
            body = response.addField("Content-Type", TYPE).stream();
        }
        return body.write(GrpcMessages.framed(message));
    }

    CompletionStage<Void> sendAll(Iterator<byte[]> messages) {
        return inTurn(messages, this::send);
    }

    /** Ends the call when the stage is complete, and with its failure if it fails; or when the client waits no longer. */
    void endWith(CompletionStage<?> stage) {
        response.eventLoop().execute(this::startDeadline);
        request.onDisconnect().thenRun(this::stopDeadline);
        stage.whenComplete((done, failure) -> {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
            if (cause == null) {
                end(OK, null);
            } else if (cause instanceof Failure wrong) {
                end(wrong.status, wrong.getMessage());
            } else if (!ended) {
                stopDeadline();
                response.fail(cause);
            }
        });
    }

    private void startDeadline() {
        if (ended || timeout == null) {
            return;
        }
        Matcher parts = TIMEOUT.matcher(timeout);
        if (parts.matches()) {
            deadline = response.eventLoop().schedule(duration(parts), () -> end(DEADLINE_EXCEEDED, "too late"));
        } else {
            end(INTERNAL, "not a timeout: " + timeout);
        }
    }

    private void stopDeadline() {
        if (deadline != null) {
            deadline.cancel();
        }
    }

    private static Duration duration(Matcher parts) {
        long number = Long.parseLong(parts.group(1));
        return switch (parts.group(2)) {
            case "H" -> Duration.ofHours(number);
            case "M" -> Duration.ofMinutes(number);
            case "S" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMillis(number);
            case "u" -> Duration.ofNanos(number * 1000);
            default -> Duration.ofNanos(number);
        };
    }

    /** The status goes behind the messages, or into the head where there were none. */
    private void end(int status, String message) {
        if (ended) {
            return;
        }
        ended = true;
        stopDeadline();
        if (body == null) {
            response.addField("Content-Type", TYPE).addField("grpc-status", String.valueOf(status));
            if (message != null) {
                response.addField("grpc-message", escaped(message));
            }
            response.send();
        } else {
            body.addTrailer("grpc-status", String.valueOf(status));
            if (message != null) {
                body.addTrailer("grpc-message", escaped(message));
            }
            body.end();
        }
    }

    /** As gRPC has the text of a status: bytes of UTF-8, those that a field cannot have as {@code %XX}. */
    private static String escaped(String message) {
        var text = new StringBuilder();
        for (byte octet : message.getBytes(UTF_8)) {
            if (octet < ' ' || octet > '~' || octet == '%') {
                text.append(String.format("%%%02X", octet));
            } else {
                text.append((char) octet);
            }
        }
        return text.toString();
    }

    /** Calls the function with one after the other, each when the stage of the one before is complete. */
    private static CompletionStage<Void> inTurn(
            Iterator<byte[]> messages, Function<byte[], ? extends CompletionStage<?>> function) {
        while (messages.hasNext()) {
            CompletableFuture<?> stage = function.apply(messages.next()).toCompletableFuture();
            if (!stage.isDone() || stage.isCompletedExceptionally()) {
                return stage.thenCompose(done -> inTurn(messages, function));
            }
        }
        return DONE;
    }
}
