package io.gannet.internal;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;

/**
 * What a loop keeps of an exchange that it has nothing to do for: enough to end it when nobody else knows it any more, and
 * so nobody can answer. The loop thread's, but for being found in the queue.
 */
final class Abandoned extends WeakReference<Exchange> {
    final Loop loop;
    final long id;
    final Listener listener;
    final long connectionId;
    final ByteBuffer slab;
    final int head;
    final boolean occupies;
    boolean responded;
    private LentBlocks body;
    private LentBlocks tunnel;

    Abandoned(Exchange exchange, ReferenceQueue<Exchange> queue) {
        super(exchange, queue);
        loop = exchange.loop;
        id = exchange.id;
        listener = exchange.listener;
        connectionId = exchange.connectionId;
        slab = exchange.slab;
        head = exchange.head;
        occupies = exchange.occupies();
    }

    /** How far the exchange is now. */
    void note(boolean responded, LentBlocks body, LentBlocks tunnel) {
        this.responded = responded;
        this.body = body;
        this.tunnel = tunnel;
    }

    /** The exchange goes on, or was released. */
    void forget() {
        clear();
        loop.forgetAbandoned(this);
    }

    /** Gives back the blocks that nobody read. */
    void giveBack() {
        if (body != null) {
            body.giveBack(loop, id);
        }
        if (tunnel != null) {
            tunnel.giveBack(loop, id);
        }
    }
}
