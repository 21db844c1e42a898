package io.gannet.internal;

import io.gannet.Http2Error;
import io.gannet.HttpException;
import io.gannet.OutgoingBody;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/**
 * The body of a response, or what goes through a tunnel: bytes that are written go to C as far as credit allows, the rest
 * of a write waits. {@link BodySubscriber} and {@link BodyOutputStream} are other ways to use it.
 *
 * <p>One thread at a time writes, which need not be the loop's: {@code writing} hands the turn over. What the loop has in
 * hand, {@code pending} and {@code done}, only its thread touches.
 */
final class BodyWriter implements OutgoingBody {
    private static final int LONGEST_PIECE = 65536;

    /** After so many writes that were complete at once a writer's callbacks may have nested deep enough. */
    private static final int MOST_NESTED = 32;

    /** What a write returns that was complete at once, most often. */
    static final CompletionStage<Void> DONE = CompletableFuture.completedStage(null);

    private static final VarHandle WRITING;

    static {
        try {
            WRITING = MethodHandles.lookup().findVarHandle(BodyWriter.class, "writing", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final ExchangeResponse exchange;
    private final boolean hidden;
    private final boolean endsByLength;
    private final boolean acceptsTrailers;
    private final boolean isTunnel;

    // ---- the writer's ----

    /** Bytes that {@code Content-Length} still allows; -1: any number. */
    private long left;

    private boolean ended;
    private boolean insisted;
    private ResponseFields trailers;
    private int nested;
    private BodyOutputStream stream;

    @SuppressWarnings("unused") // by WRITING
    private boolean writing;

    /** A write is on its way to the loop: what ends the body must not overtake it. */
    private volatile boolean underWay;

    /** Writes in the application's place; {@code null}: the application itself. */
    private volatile BodySubscriber subscriber;

    private volatile HttpException failure;

    // ---- the loop's ----

    private ByteBuffer pending;
    private CompletableFuture<Void> done;
    private boolean headWaits;
    private boolean started;

    /** Bytes that {@code Content-Length} declares and C has not got; below 0: none is declared. */
    private long missingHere;

    private boolean ending;

    /** The body of a response whose head is to be sent: at once, or with what is written first. */
    BodyWriter(
            ExchangeResponse exchange,
            boolean hidden,
            long declaredLength,
            boolean isHttp2,
            boolean acceptsTrailers,
            boolean headWaits) {
        this.exchange = exchange;
        this.hidden = hidden;
        this.endsByLength = declaredLength >= 0 && !isHttp2;
        this.left = hidden ? -1 : declaredLength;
        this.missingHere = declaredLength;
        this.acceptsTrailers = acceptsTrailers;
        this.headWaits = headWaits;
        this.isTunnel = false;
    }

    /** One way of a tunnel. */
    BodyWriter(ExchangeResponse exchange) {
        this.exchange = exchange;
        this.hidden = false;
        this.endsByLength = false;
        this.left = -1;
        this.missingHere = -1;
        this.acceptsTrailers = false;
        this.isTunnel = true;
    }

    /** The rest of a body whose head is sent: nobody writes more. */
    BodyWriter(ExchangeResponse exchange, ByteBuffer rest) {
        this(exchange, false, -1, false, false, false);
        pending = rest;
        ended = true;
        ending = true;
        started = true;
    }

    // ---- the writer's side ----

    @Override
    public CompletionStage<Void> write(ByteBuffer bytes) {
        Objects.requireNonNull(bytes, "bytes");
        checkOwn();
        return put(bytes);
    }

    /** What {@link #write(ByteBuffer)} does, whoever writes. */
    CompletionStage<Void> put(ByteBuffer bytes) {
        if (ended) {
            throw endedAlready();
        }
        if (!WRITING.compareAndSet(this, false, true)) {
            throw incomplete();
        }
        int length = bytes.remaining();
        if (left >= 0 && length > left) {
            WRITING.setVolatile(this, false);
            throw new IllegalStateException(
                    "the body would have " + (length - left) + " bytes more than Content-Length declared, which leaves "
                            + left + " for this write of " + length + ": " + exchange.shortLine());
        }
        HttpException broken = failure;
        if (broken != null) {
            WRITING.setVolatile(this, false);
            return CompletableFuture.failedStage(broken);
        }
        left -= left >= 0 ? length : 0;
        ByteBuffer mine = bytes.duplicate();
        bytes.position(bytes.limit());
        if (hidden || length == 0) {
            WRITING.setVolatile(this, false);
            return completeNow();
        }
        if (!exchange.loop.inEventLoop()) {
            CompletableFuture<Void> later = new CompletableFuture<>();
            underWay = true;
            if (!exchange.loop.offer(() -> take(mine, later))) {
                WRITING.setVolatile(this, false);
                return CompletableFuture.failedStage(exchange.breakage());
            }
            return later;
        }
        pending = mine;
        drain();
        if (failure != null) {
            return CompletableFuture.failedStage(failure);
        }
        if (pending == null) {
            return completeNow();
        }
        CompletableFuture<Void> later = new CompletableFuture<>();
        done = later;
        exchange.settle();
        return later;
    }

    /** A chain of writes that are all complete at once would nest without end. */
    private CompletionStage<Void> completeNow() {
        nested++;
        if (nested < MOST_NESTED) {
            return DONE;
        }
        nested = 0;
        CompletableFuture<Void> later = new CompletableFuture<>();
        return exchange.loop.offer(() -> later.complete(null)) ? later : DONE;
    }

    @Override
    public CompletionStage<Void> write(byte[] bytes) {
        return write(ByteBuffer.wrap(Objects.requireNonNull(bytes, "bytes")));
    }

    @Override
    public CompletionStage<Void> write(String text) {
        return write(ByteBuffer.wrap(Objects.requireNonNull(text, "text").getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public CompletionStage<Void> writeAll(Flow.Publisher<? extends ByteBuffer> publisher) {
        Objects.requireNonNull(publisher, "publisher");
        checkOwn();
        if (ended) {
            throw endedAlready();
        }
        if ((boolean) WRITING.getVolatile(this)) {
            throw incomplete();
        }
        BodySubscriber one = new BodySubscriber(this);
        subscriber = one;
        HttpException broken = failure;
        if (broken != null) {
            one.broken(broken);
        } else {
            try {
                publisher.subscribe(one);
            } catch (Throwable thrown) {
                one.failed(thrown);
            }
        }
        return one.done();
    }

    @Override
    public OutputStream outputStream() {
        BodyOutputStream.checkThread();
        if (stream == null) {
            stream = new BodyOutputStream(this, isTunnel ? 0 : BodyOutputStream.GATHERED);
        }
        return stream;
    }

    @Override
    public OutgoingBody addTrailer(String name, String value) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
        if (isTunnel) {
            throw new IllegalStateException("a tunnel has no trailers: " + exchange.shortLine());
        }
        if (endsByLength) {
            throw new IllegalStateException(
                    "a body with a Content-Length has no trailers (RFC 9112 section 7.1.2): " + exchange.shortLine());
        }
        if (ended) {
            throw endedAlready();
        }
        if (trailers == null) {
            trailers = new ResponseFields();
        }
        trailers.addTrailer(name, value);
        return this;
    }

    @Override
    public OutgoingBody insistOnTrailers() {
        insisted = true;
        return this;
    }

    @Override
    public void end() {
        if (ended) {
            return;
        }
        checkOwn();
        IllegalStateException missing = missing();
        if (missing != null) {
            ended = true;
            abortNow(Http2Error.INTERNAL_ERROR);
            throw missing;
        }
        putEnd();
    }

    /** What is wrong with ending the body now, or {@code null}. */
    IllegalStateException missing() {
        if (left <= 0 || failure != null) {
            return null;
        }
        return new IllegalStateException("the body ended " + left
                + " bytes short of its Content-Length, and was cut off: " + exchange.shortLine());
    }

    /** Ends the body behind what was written, whoever wrote it. */
    void putEnd() {
        ended = true;
        if (exchange.loop.inEventLoop()) {
            endNow();
        } else {
            exchange.loop.offer(this::endNow);
        }
    }

    @Override
    public void abort() {
        abort(Http2Error.CANCEL);
    }

    @Override
    public void abort(Http2Error error) {
        if (Objects.requireNonNull(error, "error") == Http2Error.NO_ERROR) {
            throw new IllegalArgumentException("abort must be told an error, not NO_ERROR: " + exchange.shortLine());
        }
        if (ended && !isTunnel) {
            return;
        }
        ended = true;
        abortNow(error);
    }

    private void checkOwn() {
        if (subscriber != null && !ended) {
            throw new IllegalStateException("a publisher writes this body, and ends it: " + exchange.shortLine());
        }
    }

    private IllegalStateException endedAlready() {
        return new IllegalStateException("the body was ended: " + exchange.shortLine());
    }

    private IllegalStateException incomplete() {
        return new IllegalStateException(
                "the write before is not complete, wait for the stage that it returned: " + exchange.shortLine());
    }

    /** Whether what is written does not go out. */
    boolean isHidden() {
        return hidden;
    }

    /** Fails the exchange as a handler that throws does: what has gone out is cut off. */
    void failExchange(Throwable failure) {
        ended = true;
        exchange.fail(failure);
    }

    private void abortNow(Http2Error error) {
        if (failure != null) {
            return;
        }
        if (exchange.loop.inEventLoop()) {
            exchange.cutOff(error);
            exchange.settle();
        } else {
            exchange.loop.offer(() -> {
                exchange.cutOff(error);
                exchange.settle();
            });
        }
    }

    // ---- the loop's side ----

    /** Whether the head goes out with what is written first. */
    boolean headWaits() {
        return headWaits;
    }

    /** The head was written. */
    void start() {
        started = true;
        drain();
    }

    private void take(ByteBuffer bytes, CompletableFuture<Void> later) {
        underWay = false;
        if (failure != null) {
            WRITING.setVolatile(this, false);
            later.completeExceptionally(failure);
            return;
        }
        pending = bytes;
        done = later;
        drain();
        if (pending != null) {
            exchange.settle();
        }
    }

    private void endNow() {
        ending = true;
        drain();
    }

    /** Whether it waits for the peer. */
    boolean isWaiting() {
        return pending != null;
    }

    /** Whether the client has, or will have, all of the response, though nobody has ended it. */
    boolean isWhole() {
        return started && (hidden || missingHere == 0);
    }

    /** Writes what credit allows. */
    void drain() {
        if (failure != null) {
            return;
        }
        if (headWaits && (pending != null || ending && !underWay)) {
            headWaits = false;
            if (pending != null || hidden) {
                exchange.sendHead(this);
            } else {
                exchange.sendEmpty();
            }
            return;
        }
        if (!started) {
            return;
        }
        if (pending != null) {
            try {
                stagePending();
            } catch (Throwable unreadable) {
                // The buffer is the application's: its memory may be gone, and a mapping fails by an InternalError.
                exchange.fail(unreadable);
                return;
            }
            if (pending.hasRemaining()) {
                return;
            }
            complete();
        }
        if (ending && pending == null && !underWay && !exchange.finished) {
            writeEnd();
            exchange.finish();
        } else if (missingHere == 0) {
            exchange.settle();
        }
    }

    private void stagePending() {
        boolean last = ending && !sendsTrailers();
        while (pending.hasRemaining() && exchange.credit > 0) {
            int length = Math.min(Math.min(pending.remaining(), exchange.credit), LONGEST_PIECE);
            CommandRing commands = exchange.loop.commands();
            commands.reserve(1, length);
            int start = commands.position();
            commands.bytes.put(start, pending, pending.position(), length);
            pending.position(pending.position() + length);
            exchange.credit -= length;
            missingHere -= length;
            boolean end = last && !pending.hasRemaining();
            commands.data(end ? Layout.FLAG_END : 0, exchange.id, start + length);
            if (end) {
                exchange.finished = true;
            }
        }
    }

    /** The write in hand is complete; its callbacks may write on. */
    private void complete() {
        pending = null;
        CompletableFuture<Void> told = done;
        done = null;
        nested = told == null ? nested : 0;
        WRITING.setVolatile(this, false);
        if (exchange.finished) {
            exchange.finish();
        }
        if (told != null) {
            try {
                told.complete(null);
            } catch (Throwable thrown) {
                Log.callbackFailed("a callback of a write", thrown);
            }
            exchange.settle();
        }
    }

    private boolean sendsTrailers() {
        return trailers != null && !hidden && (acceptsTrailers || insisted);
    }

    private void writeEnd() {
        CommandRing commands = exchange.loop.commands();
        if (sendsTrailers()) {
            commands.reserve(1, trailers.bytes());
            int end = trailers.stage(commands.bytes, commands.position());
            commands.message(Layout.COMMAND_TRAILERS, 0, 0, exchange.id, end, end, 0);
        } else {
            commands.reserve(1, 0);
            commands.data(Layout.FLAG_END, exchange.id, commands.position());
        }
    }

    /** The exchange broke: nothing more goes out. */
    void fail(HttpException why) {
        if (failure != null) {
            return;
        }
        failure = why;
        pending = null;
        CompletableFuture<Void> told = done;
        done = null;
        WRITING.setVolatile(this, false);
        if (told != null) {
            try {
                told.completeExceptionally(why);
            } catch (Throwable thrown) {
                Log.callbackFailed("a callback of a write", thrown);
            }
        }
        BodySubscriber one = subscriber;
        if (one != null) {
            one.broken(why);
        }
    }
}
