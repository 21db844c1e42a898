package io.gannet.internal;

import io.gannet.Handler;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A handler's run on a thread that is not the loop's. Two things end an exchange: the handler returns, here, and the
 * response is finished, on the loop. Whichever comes second has it released; most often the handler has returned before
 * the loop has seen its response, and no further task is needed.
 */
final class HandlerRun implements Runnable {
    private static final int RETURNED = 1;
    private static final int OVER = 2;
    private static final VarHandle ENDS;

    static {
        try {
            ENDS = MethodHandles.lookup().findVarHandle(HandlerRun.class, "ends", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Exchange exchange;
    private final Handler handler;

    @SuppressWarnings("unused") // by ENDS
    private int ends;

    /** Another run goes on with this exchange: what this one returns means nothing. */
    private boolean handedOver;

    /** Guards {@code thread}, so that no interrupt meets what the thread does next. */
    private final ReentrantLock lock = new ReentrantLock();

    private Thread thread;
    private boolean interrupted;

    HandlerRun(Exchange exchange, Handler handler) {
        this.exchange = exchange;
        this.handler = handler;
    }

    @Override
    public void run() {
        if (exchange.isReleased()) {
            // The deadline answered before a thread was free.
            return;
        }
        boolean interrupts = exchange.listener.server.interrupts();
        if (interrupts) {
            begin();
        }
        Throwable failure = null;
        try {
            handler.handle(exchange, exchange);
        } catch (Throwable thrown) {
            failure = thrown;
        }
        if (interrupts) {
            end();
        }
        if (failure != null) {
            failed(failure);
        } else if (!handedOver) {
            returned();
        }
    }

    private void failed(Throwable failure) {
        Loop loop = exchange.loop;
        if (handedOver) {
            exchange.fail(failure);
        } else if (loop.inEventLoop()) {
            exchange.handlerFailed(failure);
        } else if (!loop.offer(() -> exchange.handlerFailed(failure))) {
            Log.handlerFailed(exchange.requestLine(), failure);
        }
    }

    /** Runs on the loop of the exchange, from another thread or on it. */
    void onLoop() {
        if (exchange.loop.inEventLoop()) {
            run();
        } else {
            exchange.loop.execute(this);
        }
    }

    /** From now on an interrupt is for the calling thread. */
    void begin() {
        lock.lock();
        try {
            thread = Thread.currentThread();
            if (interrupted) {
                thread.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }

    /** No interrupt comes any more, and one that has come is taken back. */
    void end() {
        lock.lock();
        try {
            thread = null;
            if (interrupted) {
                Thread.interrupted();
            }
        } finally {
            lock.unlock();
        }
    }

    private void returned() {
        Loop loop = exchange.loop;
        if (loop.inEventLoop()) {
            exchange.handlerReturned();
            return;
        }
        if (returnsLast() || exchange.needsReturn()) {
            loop.offer(exchange::handlerReturned);
        }
    }

    /** Before another run is started, by the handler of this one. */
    void handOver() {
        handedOver = true;
    }

    /** The loop's: all but the handler is over. */
    void exchangeOver() {
        if (overLast()) {
            exchange.handlerReturned();
        }
    }

    /** The handler has returned; whether all else was over before. */
    boolean returnsLast() {
        return ((int) ENDS.getAndBitwiseOr(this, RETURNED) & OVER) != 0;
    }

    /** All but the handler is over; whether it had returned before. */
    boolean overLast() {
        return ((int) ENDS.getAndBitwiseOr(this, OVER) & RETURNED) != 0;
    }

    /** The executor has no thread for it. */
    void rejected(Throwable why) {
        Runnable end = () -> {
            exchange.rejected(why);
            exchange.handlerReturned();
        };
        if (exchange.loop.inEventLoop()) {
            end.run();
        } else {
            exchange.loop.offer(end);
        }
    }

    /** Interrupts the handler, or the first thing that it will wait for. */
    void interrupt() {
        lock.lock();
        try {
            interrupted = true;
            if (thread != null) {
                thread.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }
}
