package io.gannet.internal;

import io.gannet.HttpException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Gives the chunks of a body to a callback. */
final class BodyChunks implements BodySink {
    private final BodyReader reader;
    private final Consumer<ByteBuffer> callback;
    private final CompletableFuture<Void> future = new CompletableFuture<>();
    private ByteBuffer chunk;

    BodyChunks(BodyReader reader, Consumer<ByteBuffer> callback) {
        this.reader = reader;
        this.callback = Objects.requireNonNull(callback, "chunk");
    }

    CompletableFuture<Void> future() {
        return future;
    }

    @Override
    public boolean isReady() {
        return !future.isDone();
    }

    @Override
    public boolean isWaiting() {
        return !future.isDone();
    }

    @Override
    public boolean copy(ByteBuffer from, int offset, int length) {
        byte[] bytes = new byte[length];
        from.get(offset, bytes);
        chunk = ByteBuffer.wrap(bytes);
        return true;
    }

    @Override
    public void pass() {
        ByteBuffer next = chunk;
        chunk = null;
        try {
            callback.accept(next);
        } catch (Throwable thrown) {
            future.completeExceptionally(thrown);
        }
    }

    @Override
    public void end() {
        reader.endRead();
        future.complete(null);
    }

    @Override
    public boolean fail(HttpException why) {
        return future.completeExceptionally(why);
    }
}
