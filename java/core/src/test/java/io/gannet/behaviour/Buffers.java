package io.gannet.behaviour;

import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Flow;

/** A publisher that gives what it has at once, on the thread that asks; then it ends, or fails. */
final class Buffers implements Flow.Publisher<ByteBuffer> {
    private final Iterable<ByteBuffer> buffers;
    private final Throwable failure;
    volatile boolean subscribed;
    volatile boolean cancelled;
    volatile long asked;

    Buffers(Iterable<ByteBuffer> buffers) {
        this(buffers, null);
    }

    Buffers(Iterable<ByteBuffer> buffers, Throwable failure) {
        this.buffers = buffers;
        this.failure = failure;
    }

    static Buffers of(String... texts) {
        return new Buffers(List.of(texts).stream()
                .map(text -> ByteBuffer.wrap(text.getBytes()))
                .toList());
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
        subscribed = true;
        Iterator<ByteBuffer> rest = buffers.iterator();
        subscriber.onSubscribe(new Flow.Subscription() {
            private boolean giving;
            private boolean over;
            private long demand;

            @Override
            public void request(long count) {
                asked += count;
                demand += count;
                if (giving) {
                    return;
                }
                giving = true;
                while (demand > 0 && rest.hasNext() && !cancelled) {
                    demand--;
                    subscriber.onNext(rest.next());
                }
                giving = false;
                if (!rest.hasNext() && !over && !cancelled) {
                    over = true;
                    if (failure == null) {
                        subscriber.onComplete();
                    } else {
                        subscriber.onError(failure);
                    }
                }
            }

            @Override
            public void cancel() {
                cancelled = true;
            }
        });
    }
}
