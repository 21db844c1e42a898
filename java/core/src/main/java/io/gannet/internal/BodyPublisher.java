package io.gannet.internal;

import io.gannet.HttpException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A body as a stream of buffers for one subscriber. Requests and cancellations come from any thread, and are carried out on
 * the loop's, where all signals are given.
 */
final class BodyPublisher implements Flow.Publisher<ByteBuffer>, Flow.Subscription, BodySink {
    /** The subscription of a subscriber that is given nothing. */
    private static final Flow.Subscription NOTHING = new Flow.Subscription() {
        @Override
        public void request(long count) {}

        @Override
        public void cancel() {}
    };

    private final BodyReader reader;
    private final AtomicBoolean subscribed = new AtomicBoolean();
    private volatile boolean cancelled;

    // ---- the loop's ----

    /** {@code null} before it subscribes and when it is given nothing more. */
    private Flow.Subscriber<? super ByteBuffer> subscriber;

    private long demand;
    private ByteBuffer chunk;

    BodyPublisher(BodyReader reader) {
        this.reader = reader;
    }

    // ---- any thread ----

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> newcomer) {
        Objects.requireNonNull(newcomer, "subscriber");
        if (!subscribed.compareAndSet(false, true)) {
            IllegalStateException second = new IllegalStateException("a body has one subscriber, this is another one");
            if (!onLoop(() -> refuse(newcomer, second))) {
                refuse(newcomer, second);
            }
        } else if (!onLoop(() -> begin(newcomer))) {
            refuse(newcomer, Reasons.exception(Layout.REASON_ABORTED));
        }
    }

    @Override
    public void request(long count) {
        onLoop(() -> add(count));
    }

    @Override
    public void cancel() {
        cancelled = true;
        onLoop(this::drop);
    }

    /** Runs it on the loop's thread, at once or soon; {@code false}: the loop has ended. */
    private boolean onLoop(Runnable task) {
        if (reader.loop().inEventLoop()) {
            task.run();
            return true;
        }
        return reader.loop().offer(task);
    }

    // ---- the loop's thread ----

    private static void refuse(Flow.Subscriber<? super ByteBuffer> newcomer, Throwable why) {
        try {
            newcomer.onSubscribe(NOTHING);
            newcomer.onError(why);
        } catch (Throwable thrown) {
            Log.callbackFailed("a subscriber of a body", thrown);
        }
    }

    private void begin(Flow.Subscriber<? super ByteBuffer> newcomer) {
        subscriber = newcomer;
        try {
            newcomer.onSubscribe(this);
        } catch (Throwable thrown) {
            drop();
            Log.callbackFailed("a subscriber of a body", thrown);
        }
        if (subscriber != null) {
            reader.attach(this);
        }
    }

    private void add(long count) {
        if (subscriber == null || cancelled) {
            return;
        }
        if (count > 0) {
            demand = count < Long.MAX_VALUE - demand ? demand + count : Long.MAX_VALUE;
        } else {
            fail(new IllegalArgumentException(
                    "the demand of a subscriber must be positive (Reactive Streams 3.9): " + count));
        }
        reader.advance();
    }

    private void drop() {
        cancelled = true;
        subscriber = null;
        chunk = null;
        reader.advance();
    }

    @Override
    public boolean isReady() {
        return demand > 0 && subscriber != null && !cancelled;
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
        if (demand != Long.MAX_VALUE) {
            demand--;
        }
        try {
            subscriber.onNext(next);
        } catch (Throwable thrown) {
            cancelled = true;
            subscriber = null;
            throw thrown;
        }
    }

    @Override
    public void end() {
        Flow.Subscriber<? super ByteBuffer> told = subscriber;
        if (told != null && !cancelled) {
            subscriber = null;
            reader.endRead();
            told.onComplete();
        }
    }

    @Override
    public boolean fail(HttpException why) {
        return fail((Throwable) why);
    }

    private boolean fail(Throwable why) {
        Flow.Subscriber<? super ByteBuffer> told = subscriber;
        if (told == null || cancelled) {
            return false;
        }
        subscriber = null;
        try {
            told.onError(why);
        } catch (Throwable thrown) {
            Log.callbackFailed("a subscriber of a body", thrown);
        }
        return true;
    }
}
