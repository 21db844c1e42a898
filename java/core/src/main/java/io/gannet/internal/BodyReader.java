package io.gannet.internal;

import io.gannet.Fields;
import io.gannet.HttpException;
import io.gannet.IncomingBody;
import java.io.InputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What comes from the peer, as the body of a request or through a tunnel: blocks that C lent are held, within the receive
 * credit, until a {@link BodySink} takes them; then each is copied to the heap and given back, by which the peer may send
 * on. All but what says otherwise is the loop thread's.
 */
final class BodyReader implements IncomingBody {
    private static final VarHandle TAKEN;

    static {
        try {
            TAKEN = MethodHandles.lookup().findVarHandle(BodyReader.class, "taken", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Exchange exchange;
    private final int defaultLimit;
    private final boolean isTunnel;

    /** Any thread's. */
    @SuppressWarnings("unused") // by TAKEN
    private boolean taken;

    // ---- what has come ----

    private final LentBlocks blocks = new LentBlocks();

    /** What was unread when the exchange of a tunnel was released. */
    private ByteBuffer rest;

    /** How many bytes of it nobody has read; written by the loop, for any thread to read. */
    private volatile int unread;

    private boolean ended;
    private HeadCopy trailers = HeadCopy.EMPTY;

    /** The trailers, once the end was read; written by whoever reads it. */
    private volatile HeadCopy trailersRead;

    /** Why the body will not be complete; written by the loop, for any thread to read. */
    private volatile HttpException failure;

    // ---- who reads it ----

    private BodySink sink;

    /** The sink has asked for bytes. */
    private boolean asked;

    /** The sink was told that the body has ended. */
    private boolean toldEnd;

    private boolean draining;

    /** What {@link Exchange#settle} was told. */
    private boolean settledReading;

    private HttpException refusal;

    BodyReader(Exchange exchange, int defaultLimit, boolean isTunnel) {
        this.exchange = exchange;
        this.defaultLimit = defaultLimit;
        this.isTunnel = isTunnel;
    }

    // ---- for the application ----

    @Override
    public CompletableFuture<byte[]> bytes() {
        return bytes(defaultLimit);
    }

    @Override
    public CompletableFuture<byte[]> bytes(int limit) {
        checkLimit(limit);
        take();
        return read(new BodyBytes(this, limit, declaredLength()));
    }

    @Override
    public CompletableFuture<String> text() {
        return text(defaultLimit);
    }

    @Override
    public CompletableFuture<String> text(int limit) {
        checkLimit(limit);
        take();
        String type = isTunnel ? null : exchange.field("content-type");
        CompletableFuture<String> text = new CompletableFuture<>();
        read(new BodyBytes(this, limit, declaredLength())).whenComplete((body, failed) -> {
            if (failed != null) {
                text.completeExceptionally(failed);
                return;
            }
            String whole;
            try {
                whole = BodyBytes.text(body, type);
            } catch (HttpException unknown) {
                text.completeExceptionally(unknown);
                return;
            } catch (OutOfMemoryError full) {
                HttpException why = noMemory(full);
                text.completeExceptionally(why);
                exchange.loop.offer(() -> refuse(why));
                return;
            }
            text.complete(whole);
        });
        return text;
    }

    @Override
    public CompletableFuture<Void> forEach(Consumer<ByteBuffer> chunk) {
        return read(BodyChunks.of(this, chunk));
    }

    @Override
    public CompletableFuture<Void> forEachAsync(Function<ByteBuffer, ? extends CompletionStage<?>> chunk) {
        return read(new BodyChunks(this, chunk));
    }

    private CompletableFuture<Void> read(BodyChunks chunks) {
        take();
        begin(chunks);
        return chunks.future();
    }

    @Override
    public CompletableFuture<Long> discard() {
        take();
        BodyCount count = new BodyCount(this);
        begin(count);
        return count.future();
    }

    @Override
    public Flow.Publisher<ByteBuffer> publisher() {
        take();
        return new BodyPublisher(this);
    }

    @Override
    public InputStream inputStream() {
        if (Loop.isCurrent()) {
            throw new IllegalStateException("inputStream() waits for the peer, and must not be used on the thread of a"
                    + " loop: use forEach() or publisher(), or dispatch the handler elsewhere: "
                    + exchange.shortLine());
        }
        take();
        return new BodyStream(this);
    }

    @Override
    public Fields trailers() {
        HeadCopy read = trailersRead;
        if (read == null) {
            throw new IllegalStateException("the end of the body was not read yet: " + exchange.shortLine());
        }
        return new HeadFields(read);
    }

    private static void checkLimit(int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("the limit of a body must not be negative: " + limit);
        }
    }

    /** The caller is the one that reads. */
    private void take() {
        if (!isTunnel) {
            exchange.open();
        }
        if (!TAKEN.compareAndSet(this, false, true)) {
            throw new IllegalStateException("the body was read already: " + exchange);
        }
    }

    private long declaredLength() {
        return isTunnel ? -1 : exchange.contentLength();
    }

    private CompletableFuture<byte[]> read(BodyBytes bytes) {
        begin(bytes);
        return bytes.future();
    }

    private void begin(BodySink chosen) {
        if (exchange.loop.inEventLoop()) {
            attach(chosen);
        } else if (!exchange.loop.offer(() -> attach(chosen))) {
            chosen.fail(Reasons.exception(Layout.REASON_ABORTED));
        }
    }

    // ---- for the sinks ----

    Loop loop() {
        return exchange.loop;
    }

    /** How many bytes have come that nobody has read; from any thread. */
    int unread() {
        return failure == null ? unread : 0;
    }

    /** Whether all of the body has come. */
    boolean isEnded() {
        return ended;
    }

    /** The end was read: from now on there are trailers. Called by the sink, on the thread that reads. */
    void endRead() {
        trailersRead = trailers;
    }

    /** From now on this sink reads. */
    void attach(BodySink chosen) {
        sink = chosen;
        // What a request that became a tunnel had as its body was complete before.
        ended |= !isTunnel && (exchange.isReceived() || exchange.tunnel != null);
        if (failure != null) {
            chosen.fail(failure);
        } else if (!isTunnel && (exchange.isReleased() || exchange.isBodyLost())) {
            fail(Reasons.bodyNotRead());
        } else {
            chosen.begin();
            advance();
        }
    }

    /** Hands over what has come, as far as the sink takes it; when the sink may take more, or waits no more. */
    void advance() {
        if (draining) {
            return;
        }
        draining = true;
        try {
            drain();
        } catch (OutOfMemoryError full) {
            refuse(noMemory(full));
        } finally {
            draining = false;
        }
        settleReading();
    }

    private void settleReading() {
        boolean reading = isReading();
        if (reading != settledReading) {
            settledReading = reading;
            exchange.settle();
        }
    }

    private void drain() {
        while (sink != null && failure == null) {
            boolean ready = sink.isReady();
            if (ready && !asked) {
                asked = true;
                invite();
            }
            if (unread > 0) {
                if (!ready || !takeFirst()) {
                    return;
                }
                tell(sink::pass);
            } else {
                if (ended && !toldEnd) {
                    toldEnd = true;
                    tell(sink::end);
                }
                return;
            }
        }
    }

    /** The first credit makes C write 100 (Continue), RFC 9110 section 10.1.1. */
    private void invite() {
        if (!isTunnel && !ended && (exchange.headFlags() & Layout.HEAD_FLAG_EXPECT_CONTINUE) != 0) {
            giveBack(0, ServerOptions.RECEIVE_CREDIT);
        }
    }

    private boolean takeFirst() {
        if (rest != null) {
            int length = rest.remaining();
            if (!sink.copy(rest, 0, length)) {
                return false;
            }
            rest = null;
            unread = 0;
            return true;
        }
        long block = blocks.firstBlock();
        int length = blocks.firstLength();
        if (!sink.copy(exchange.loop.slab(block), Slabs.offset(block), length)) {
            return false;
        }
        blocks.removeFirst();
        unread -= length;
        giveBack(block, length);
        return true;
    }

    private void tell(Runnable what) {
        try {
            what.run();
        } catch (Throwable thrown) {
            // A subscriber threw, or a callback's own exception could not be wrapped: its toString() throws.
            exchange.drop(thrown);
        }
    }

    static HttpException noMemory(OutOfMemoryError full) {
        return new HttpException(HttpException.Kind.LIMIT, 503, "there is no memory for the body", full);
    }

    /** The body will not be read: it is over the limit of its reader, or over the memory that there is. */
    void refuse(HttpException why) {
        refusal = why;
        fail(why);
        if (exchange.isReturned()) {
            refuse();
        }
    }

    // ---- for the exchange ----

    BufferedBodies bodies() {
        return exchange.listener.server.bufferedBodies();
    }

    /** What C lent and nobody has read. */
    LentBlocks blocks() {
        return blocks;
    }

    /** Whether somebody waits for bytes. */
    boolean isReading() {
        return sink != null && failure == null && !toldEnd && sink.isWaiting();
    }

    /** Bytes have come, or the end; {@code null} if it has no trailers. */
    void receive(long block, int length, boolean end, HeadCopy fields) {
        if (block != 0) {
            hold(block, length);
        }
        if (end) {
            ended = true;
            trailers = fields == null ? HeadCopy.EMPTY : fields;
        }
        advance();
        if (!blocks.isEmpty()) {
            // So that these are given back even if nobody comes for them.
            exchange.settle();
        }
    }

    private void hold(long block, int length) {
        try {
            blocks.add(block, length);
        } catch (OutOfMemoryError full) {
            giveBack(block, length);
            throw full;
        }
        unread += length;
    }

    /** Whoever waited for the body was told that it is refused, if it is: where nobody answered, the server does. */
    void refuse() {
        if (refusal != null) {
            exchange.refuseBody(refusal);
        }
    }

    /** Whether the body is over the limit of its reader, or over the memory that there is. */
    boolean isRefused() {
        return refusal != null;
    }

    /** The body will not be complete; {@code true}: somebody waited for it. */
    boolean fail(HttpException why) {
        if (failure != null) {
            return false;
        }
        failure = why;
        rest = null;
        try {
            return sink != null && sink.fail(why);
        } catch (Throwable thrown) {
            Log.callbackFailed("a callback of a body", thrown);
            return true;
        }
    }

    /** Gives back what C lent; what a tunnel has brought can still be read. */
    void giveBack() {
        if (isTunnel && failure == null && !blocks.isEmpty()) {
            keepRest();
        }
        blocks.giveBack(exchange.loop, exchange.id);
    }

    private void keepRest() {
        try {
            ByteBuffer kept = ByteBuffer.allocate(unread);
            for (int i = 0; i < blocks.size(); i++) {
                long block = blocks.block(i);
                int length = blocks.length(i);
                exchange.loop.slab(block).get(Slabs.offset(block), kept.array(), kept.position(), length);
                kept.position(kept.position() + length);
            }
            rest = kept.flip();
        } catch (OutOfMemoryError full) {
            fail(noMemory(full));
        }
    }

    private void giveBack(long block, int length) {
        exchange.loop.commands().plain(Layout.COMMAND_CREDIT, 0, exchange.id, block, length);
    }
}
