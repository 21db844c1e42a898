package io.gannet.internal;

import io.gannet.HttpException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Writes what a publisher gives to a body: one buffer is asked for when the one before is written.
 *
 * <p>The publisher's thread and the loop's meet here. A subscription is called by one thread at a time (Reactive Streams
 * rule 2.7): whoever comes second leaves its call to the first, which also keeps a publisher that answers at once from
 * nesting.
 */
final class BodySubscriber implements Flow.Subscriber<ByteBuffer> {
    private final BodyWriter body;
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    private volatile Flow.Subscription subscription;

    /** Nothing that the publisher says matters any more. */
    private volatile boolean over;

    private volatile boolean demanded;
    private volatile boolean cancelled;
    private final AtomicInteger calls = new AtomicInteger();

    /** The publisher's, which gives one thing after the other. */
    private CompletionStage<Void> last = BodyWriter.DONE;

    BodySubscriber(BodyWriter body) {
        this.body = body;
    }

    CompletionStage<Void> done() {
        return done;
    }

    // ---- the publisher's side ----

    @Override
    public void onSubscribe(Flow.Subscription one) {
        Objects.requireNonNull(one, "subscription");
        if (subscription != null || cancelled) {
            one.cancel();
            return;
        }
        subscription = one;
        if (body.isHidden()) {
            over = true;
            cancel();
            body.putEnd();
            done.complete(null);
        } else if (over) {
            cancel();
        } else {
            demand();
        }
    }

    @Override
    public void onNext(ByteBuffer bytes) {
        Objects.requireNonNull(bytes, "bytes");
        if (over) {
            return;
        }
        CompletionStage<Void> written;
        try {
            written = body.put(bytes);
        } catch (Throwable refused) {
            failed(refused);
            return;
        }
        last = written;
        if (written == BodyWriter.DONE) {
            demand();
        } else {
            written.whenComplete((none, failure) -> {
                if (failure == null) {
                    demand();
                } else if (failure instanceof HttpException broken) {
                    broken(broken);
                }
            });
        }
    }

    @Override
    public void onError(Throwable failure) {
        Objects.requireNonNull(failure, "failure");
        fail(failure);
    }

    @Override
    public void onComplete() {
        if (over) {
            return;
        }
        IllegalStateException missing = body.missing();
        if (missing != null) {
            fail(missing);
            return;
        }
        over = true;
        subscription = null;
        body.putEnd();
        last.whenComplete((none, failure) -> {
            if (failure == null) {
                done.complete(null);
            } else {
                done.completeExceptionally(failure);
            }
        });
    }

    // ---- failures, on any thread ----

    /** The publisher gave what cannot be written, or broke a rule. */
    void failed(Throwable failure) {
        if (!over) {
            cancel();
        }
        fail(failure);
    }

    private void fail(Throwable failure) {
        if (over) {
            return;
        }
        over = true;
        body.failExchange(failure);
        done.completeExceptionally(failure);
    }

    /** The exchange broke. */
    void broken(HttpException why) {
        if (over) {
            return;
        }
        over = true;
        cancel();
        done.completeExceptionally(why);
    }

    // ---- calls of the subscription ----

    private void demand() {
        demanded = true;
        call();
    }

    private void cancel() {
        cancelled = true;
        call();
    }

    private void call() {
        if (calls.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            Flow.Subscription one = subscription;
            if (one != null) {
                callOnce(one);
            }
            seen = calls.addAndGet(-seen);
        } while (seen != 0);
    }

    private void callOnce(Flow.Subscription one) {
        try {
            if (cancelled) {
                subscription = null;
                one.cancel();
            } else if (demanded && !over) {
                demanded = false;
                one.request(1);
            }
        } catch (Throwable thrown) {
            if (over) {
                Log.callbackFailed("a subscription", thrown);
            } else {
                failed(thrown);
            }
        }
    }
}
