package io.gannet.internal;

import io.gannet.HttpException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;

/** Gives the chunks of a body to a callback, the next one when the callback is done with the one before. */
final class BodyChunks implements BodySink {
    private static final CompletionStage<?> DONE = CompletableFuture.completedStage(null);

    private final BodyReader reader;
    private final Function<ByteBuffer, ? extends CompletionStage<?>> callback;
    private final CompletableFuture<Void> future = new CompletableFuture<>();
    private ByteBuffer chunk;

    /** The callback is not done with a chunk. */
    private boolean busy;

    /** The body has ended, and the callback was busy. */
    private boolean ended;

    /** A callback that is done when it returns. */
    static BodyChunks of(BodyReader reader, Consumer<ByteBuffer> callback) {
        Objects.requireNonNull(callback, "chunk");
        return new BodyChunks(reader, bytes -> {
            callback.accept(bytes);
            return DONE;
        });
    }

    BodyChunks(BodyReader reader, Function<ByteBuffer, ? extends CompletionStage<?>> callback) {
        this.reader = reader;
        this.callback = Objects.requireNonNull(callback, "chunk");
    }

    CompletableFuture<Void> future() {
        return future;
    }

    @Override
    public boolean isReady() {
        return !busy && !future.isDone();
    }

    @Override
    public boolean copy(ByteBuffer from, int offset, int length) {
        chunk = BodySink.copyOf(from, offset, length);
        return true;
    }

    @Override
    public void pass() {
        ByteBuffer next = chunk;
        chunk = null;
        try {
            CompletionStage<?> stage = callback.apply(next);
            if (stage == null) {
                throw new NullPointerException("the callback of forEachAsync returned null, not a stage");
            }
            if (stage != DONE && stage != BodyWriter.DONE) {
                busy = true;
                stage.whenComplete((none, failure) -> done(failure));
            }
        } catch (Throwable thrown) {
            future.completeExceptionally(thrown);
        }
    }

    /** The callback is done with a chunk, on any thread. */
    private void done(Throwable failure) {
        if (reader.loop().inEventLoop()) {
            goOn(failure);
        } else {
            reader.loop().offer(() -> goOn(failure));
        }
    }

    private void goOn(Throwable failure) {
        busy = false;
        if (failure != null) {
            Throwable cause = failure instanceof CompletionException ? failure.getCause() : null;
            future.completeExceptionally(cause != null ? cause : failure);
        } else if (ended) {
            finish();
        }
        reader.advance();
    }

    @Override
    public void end() {
        if (busy) {
            ended = true;
        } else {
            finish();
        }
    }

    private void finish() {
        reader.endRead();
        future.complete(null);
    }

    @Override
    public boolean fail(HttpException why) {
        return future.completeExceptionally(why);
    }
}
