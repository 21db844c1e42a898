package io.gannet.internal;

import io.gannet.HttpException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/** Drops a body, and counts its bytes. */
final class BodyCount implements BodySink {
    private final BodyReader reader;
    private final CompletableFuture<Long> future = new CompletableFuture<>();
    private long count;

    BodyCount(BodyReader reader) {
        this.reader = reader;
    }

    CompletableFuture<Long> future() {
        return future;
    }

    @Override
    public boolean isReady() {
        return !future.isDone();
    }

    @Override
    public boolean copy(ByteBuffer from, int offset, int length) {
        count += length;
        return true;
    }

    @Override
    public void pass() {}

    @Override
    public void end() {
        reader.endRead();
        future.complete(count);
    }

    @Override
    public boolean fail(HttpException why) {
        return future.completeExceptionally(why);
    }
}
