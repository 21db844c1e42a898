package io.gannet.examples;

import io.gannet.OutgoingBody;
import io.gannet.Response;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;
import java.util.function.UnaryOperator;

/**
 * Sends the body of a request back as it arrives, chunk by chunk: the next one is asked for when the client has taken the
 * one before. The response begins with the first chunk, or with the end, so that until then a failure still gets its
 * status; once it has begun, a failure cuts it off.
 */
final class StreamedEcho implements Flow.Subscriber<ByteBuffer> {
    private final Response response;
    private final UnaryOperator<ByteBuffer> change;
    private Flow.Subscription subscription;
    private OutgoingBody body;

    /**
     * Will send what {@code change} makes of each chunk.
     *
     * @param response has its fields already
     * @param change is given each chunk
     */
    StreamedEcho(Response response, UnaryOperator<ByteBuffer> change) {
        this.response = response;
        this.change = change;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        subscription.request(1);
    }

    @Override
    public void onNext(ByteBuffer chunk) {
        if (body == null) {
            body = response.stream();
        }
        body.write(change.apply(chunk)).whenComplete((done, failure) -> {
            if (failure == null) {
                subscription.request(1);
            } else {
                subscription.cancel();
            }
        });
    }

    @Override
    public void onError(Throwable failure) {
        response.fail(failure);
    }

    @Override
    public void onComplete() {
        if (body == null) {
            response.send();
        } else {
            body.end();
        }
    }
}
