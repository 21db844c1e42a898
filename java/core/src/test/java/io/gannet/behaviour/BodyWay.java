package io.gannet.behaviour;

import io.gannet.IncomingBody;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/** Each way in which an application can read a body. */
enum BodyWay {
    BYTES,
    BYTES_ELSEWHERE,
    TEXT,
    FOR_EACH,
    FOR_EACH_ELSEWHERE,
    FOR_EACH_ASYNC,
    FOR_EACH_ASYNC_ELSEWHERE,
    DISCARD,
    PUBLISHER,
    PUBLISHER_AT_ONCE,
    PUBLISHER_ELSEWHERE,
    STREAM,
    STREAM_BY_BYTE,
    STREAM_ALL;

    /** What was read. */
    static final class Sum {
        private final CRC32 crc = new CRC32();
        private long length;
        private boolean counted;

        static Sum of(byte[] bytes) {
            var sum = new Sum();
            sum.add(bytes, bytes.length);
            return sum;
        }

        static Sum of(long length) {
            var sum = new Sum();
            sum.length = length;
            sum.counted = true;
            return sum;
        }

        Sum add(byte[] bytes, int count) {
            crc.update(bytes, 0, count);
            length += count;
            return this;
        }

        private void add(ByteBuffer chunk) {
            if (!chunk.hasRemaining() || chunk.remaining() > 65536) {
                throw new AssertionError("a chunk of " + chunk.remaining() + " bytes");
            }
            length += chunk.remaining();
            crc.update(chunk);
        }

        long length() {
            return length;
        }

        /** Whether both have the same bytes, or only their numbers are known and are the same. */
        boolean isSame(Sum other) {
            return length == other.length && (counted || other.counted || crc.getValue() == other.crc.getValue());
        }

        @Override
        public String toString() {
            return length + " bytes, CRC " + (counted ? "unknown" : Long.toHexString(crc.getValue()));
        }
    }

    private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "test-reader");
        thread.setDaemon(true);
        return thread;
    });

    static Executor threads() {
        return THREADS;
    }

    /** Reads a body to its end; to be called on the thread of the handler. */
    CompletableFuture<Sum> read(IncomingBody body) {
        return switch (this) {
            case BYTES -> body.bytes(Integer.MAX_VALUE).thenApply(Sum::of);
            case BYTES_ELSEWHERE ->
                CompletableFuture.supplyAsync(() -> body.bytes(Integer.MAX_VALUE), THREADS)
                        .thenCompose(bytes -> bytes)
                        .thenApply(Sum::of);
            case TEXT ->
                body.text(Integer.MAX_VALUE)
                        .thenApply(text -> text.chars().allMatch(c -> c < 128) ? Sum.of(text.getBytes()) : Sum.of(-1));
            case FOR_EACH -> {
                var sum = new Sum();
                yield body.forEach(sum::add).thenApply(done -> sum);
            }
            case FOR_EACH_ELSEWHERE -> {
                var sum = new Sum();
                yield CompletableFuture.supplyAsync(() -> body.forEach(sum::add), THREADS)
                        .thenCompose(done -> done)
                        .thenApply(done -> sum);
            }
            case FOR_EACH_ASYNC -> {
                var sum = new Sum();
                yield body.forEachAsync(chunk -> {
                            sum.add(chunk);
                            return CompletableFuture.completedStage(chunk);
                        })
                        .thenApply(done -> sum);
            }
            case FOR_EACH_ASYNC_ELSEWHERE -> {
                var sum = new Sum();
                yield body.forEachAsync(chunk -> CompletableFuture.runAsync(() -> sum.add(chunk), THREADS))
                        .thenApply(done -> sum);
            }
            case DISCARD -> body.discard().thenApply(Sum::of);
            case PUBLISHER -> subscribe(body, Runnable::run, 1);
            case PUBLISHER_AT_ONCE -> subscribe(body, Runnable::run, Long.MAX_VALUE);
            case PUBLISHER_ELSEWHERE -> subscribe(body, THREADS, 1);
            case STREAM -> onThread(() -> readBuffers(body.inputStream()));
            case STREAM_BY_BYTE -> onThread(() -> readBytes(body.inputStream()));
            case STREAM_ALL -> onThread(() -> Sum.of(body.inputStream().readAllBytes()));
        };
    }

    /** Whether it reads without holding all of the body. */
    boolean isStreaming() {
        return this != BYTES && this != BYTES_ELSEWHERE && this != TEXT && this != STREAM_ALL;
    }

    private static CompletableFuture<Sum> subscribe(IncomingBody body, Executor requests, long atOnce) {
        var sum = new Sum();
        return subscribe(body.publisher(), requests, atOnce, sum::add).thenApply(done -> sum);
    }

    /** Subscribes, and asks for so many buffers at once by this executor. */
    static CompletableFuture<Void> subscribe(
            Flow.Publisher<ByteBuffer> publisher, Executor requests, long atOnce, Consumer<ByteBuffer> chunk) {
        var result = new CompletableFuture<Void>();
        publisher.subscribe(new Flow.Subscriber<>() {
            private Flow.Subscription subscription;
            private long asked;

            @Override
            public void onSubscribe(Flow.Subscription given) {
                subscription = given;
                ask();
            }

            private void ask() {
                asked = atOnce;
                requests.execute(() -> subscription.request(atOnce));
            }

            @Override
            public void onNext(ByteBuffer next) {
                chunk.accept(next);
                asked--;
                if (asked == 0) {
                    ask();
                }
            }

            @Override
            public void onError(Throwable failure) {
                result.completeExceptionally(failure);
            }

            @Override
            public void onComplete() {
                result.complete(null);
            }
        });
        return result;
    }

    /** A piece of code that may throw. */
    interface Reading<T> {
        T read() throws IOException;
    }

    /** Runs it on a thread that may block. */
    static <T> CompletableFuture<T> onThread(Reading<T> reading) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return reading.read();
                    } catch (IOException failure) {
                        throw new UncheckedIOException(failure);
                    }
                },
                THREADS);
    }

    private static Sum readBuffers(InputStream stream) throws IOException {
        var sum = new Sum();
        var buffer = new byte[5000];
        for (int count = stream.read(buffer); count != -1; count = stream.read(buffer)) {
            sum.add(buffer, count);
        }
        return sum;
    }

    private static Sum readBytes(InputStream stream) throws IOException {
        var bytes = new ByteArrayOutputStream();
        for (int octet = stream.read(); octet != -1; octet = stream.read()) {
            bytes.write(octet);
        }
        return Sum.of(bytes.toByteArray());
    }
}
