package io.gannet.internal;

import io.gannet.Handler;
import io.gannet.Http2Error;
import io.gannet.HttpException;
import io.gannet.IncomingBody;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * One request and its response, and their life.
 *
 * <pre>
 *   HEAD event --> handler runs --> handler has returned ------------+
 *                       |                                            +--> RELEASE: nothing can be read any more
 *                     send --> [body under credit] --> finished -----+
 * </pre>
 *
 * <p>A tunnel is finished when both of its ways have ended.
 *
 * <p>A handler off the loop returns on a thread of its own, see {@link HandlerRun}. Between handler and end the loop holds
 * the exchange only while it has something to do for it ({@link #settle}); otherwise whoever is to answer holds it, and if
 * nobody does, it is found by {@link Abandoned}.
 */
final class Exchange extends ExchangeResponse {
    private static final VarHandle BODY;
    private static final VarHandle DISCONNECT;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            BODY = lookup.findVarHandle(Exchange.class, "body", BodyReader.class);
            DISCONNECT = lookup.findVarHandle(Exchange.class, "disconnect", CompletableFuture.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private BodyReader body;
    private CompletableFuture<HttpException> disconnect;

    /** The handler is not running any more. */
    private boolean returned;

    /** All of the request body has come. */
    private boolean received;

    /** A failure was answered for, or cut the response off: a later one changes nothing. */
    private boolean failed;

    /** Where the handler runs, if not on the loop. */
    private HandlerRun run;

    /** The requests behind it on its connection wait for its end. */
    private boolean occupies;

    private Timers.Timer deadline;

    /** The weak hold of the loop on this, while it has nothing to do for it. */
    private Abandoned abandoned;

    Exchange(Loop loop) {
        super(loop);
    }

    /** Begins: all state is set, whatever was here before. */
    void begin(Listener listener, long id, long connectionId, ByteBuffer slab, int head, int flags) {
        openHead(listener, id, connectionId, slab, head);
        openResponse((flags & Layout.FLAG_QUEUED) != 0 ? Layout.QUEUED_SEND_CREDIT : sendCredit());
        body = null;
        disconnect = null;
        returned = false;
        received = (flags & Layout.FLAG_END) != 0;
        failed = false;
        run = null;
        occupies = false;
        deadline = null;
        abandoned = null;
    }

    private int sendCredit() {
        return isHttp2 ? listener.streamSendCredit : ServerOptions.SEND_CREDIT;
    }

    // ---- the handler ----

    /** Runs the handler where the server wants it. */
    void handle() {
        Server server = listener.server;
        if (server.handlerDeadline() != null) {
            deadline = loop.timer(server.handlerDeadline(), this::deadlineOver);
        }
        if (server.dispatch() != Dispatches.LOOP) {
            dispatch(server.dispatch(), listener.handler);
            return;
        }
        try {
            listener.handler.handle(this, this);
        } catch (Throwable failure) {
            failed(failure);
        }
        if (run == null) {
            handlerReturned();
        }
    }

    /** A handler off the loop has ended by a failure; on the loop's thread, behind all that it has sent. */
    void handlerFailed(Throwable failure) {
        try {
            failed(failure);
        } catch (Throwable thrown) {
            drop(thrown);
        }
        handlerReturned();
    }

    /** Whether the loop must be told that the handler off it has returned: the response will not lead there by itself. */
    boolean needsReturn() {
        return body != null || !isQueuedWhole();
    }

    /** Runs a handler elsewhere; on the loop's thread, or on the one that runs another handler of this exchange. */
    void dispatch(Dispatches where, Handler handler) {
        open();
        HandlerRun before = run;
        HandlerRun next = new HandlerRun(this, handler);
        if (before == null) {
            if (!loop.inEventLoop()) {
                throw new IllegalStateException(
                        "a wrapped handler is called by the handler of the request, or on its loop: " + shortLine());
            }
            if (returned) {
                // The requests behind it were handled already.
                returned = false;
                holdAgain();
            } else if (listener.server.dispatch() == Dispatches.LOOP && !isHttp2) {
                occupies = true;
                loop.occupy(connectionId);
            }
        } else {
            before.handOver();
        }
        run = next;
        where.start(next);
    }

    /** The handler has returned: on the loop's thread. */
    void handlerReturned() {
        returned = true;
        if (body != null) {
            body.refuse();
        }
        if (isOver()) {
            release();
        } else {
            settle();
        }
    }

    /** The handler, or what runs for it later, has failed: on the loop's thread. */
    void failed(Throwable failure) {
        Asked asked = Asked.by(failure);
        tell(failure, asked);
        if (!responded && commitHere()) {
            answerFailure(asked);
        } else if (responded && !finished) {
            cutOff(Asked.error(asked));
            releaseIfOver();
        }
    }

    /** The handler was not let run. */
    void rejected(Throwable why) {
        listener.server.countHandlerFailure();
        Log.handlerRejected(requestLine(), why);
        if (!responded && commitHere()) {
            answerError(503, "Service Unavailable", false);
        }
    }

    private void deadlineOver() {
        if (slab == null || finished || broken || tunnel != null) {
            return;
        }
        listener.server.countHandlerDeadline();
        Log.deadlineOver(requestLine(), listener.server.handlerDeadline());
        HandlerRun running = run;
        if (running != null && listener.server.interrupts()) {
            running.interrupt();
        }
        if (responded) {
            cutOff(Http2Error.INTERNAL_ERROR);
        } else {
            // Whoever took the right to respond has not used it in time.
            commitHere();
            answerError(503, "Service Unavailable", body != null);
            broken = true;
        }
        if (isOver()) {
            release();
        }
    }

    @Override
    void drop(Throwable thrown) {
        returned |= run == null;
        if (broken || slab == null) {
            finished = true;
            tellDropped(thrown);
            releaseIfOver();
            return;
        }
        tellDropped(thrown);
        try {
            if (!responded && commitHere()) {
                answerError(500, "Internal Server Error", true);
            } else if (responded && !finished) {
                cutOff(Http2Error.INTERNAL_ERROR);
            }
        } catch (Throwable again) {
            // Without memory, nothing is left but what needs none.
            responded = true;
            cutOff(Http2Error.INTERNAL_ERROR);
        }
        releaseIfOver();
    }

    private void tellDropped(Throwable thrown) {
        listener.server.countHandlerFailure();
        Log.handlerFailed(requestLine(), thrown);
    }

    /** What an {@link HttpException} asks for; its methods may be a user's, so they are called once. */
    private record Asked(int status, String text, HttpException.Kind kind, Http2Error http2Error) {
        /** {@code null}: it is no such exception, or a useless one. */
        static Asked by(Throwable failure) {
            try {
                // A stream has to say by an IOException what went wrong with the exchange.
                Throwable told = failure instanceof IOException ? failure.getCause() : failure;
                if (!(told instanceof HttpException exception)) {
                    return null;
                }
                Asked asked =
                        new Asked(exception.status(), exception.getMessage(), exception.kind(), exception.http2Error());
                return asked.status >= 400 && asked.status <= 599 ? asked : null;
            } catch (Throwable useless) {
                return null;
            }
        }

        /** What an HTTP/2 client is told, where nothing else can be said. */
        static Http2Error error(Asked asked) {
            Http2Error error = asked == null ? null : asked.http2Error;
            return error == null || error == Http2Error.NO_ERROR ? Http2Error.INTERNAL_ERROR : error;
        }
    }

    private void answerFailure(Asked asked) {
        if (asked != null) {
            failed = true;
            removeContentFields();
            // What is left of a body that was refused is not read, so nothing can follow it.
            boolean refused = body != null && body.isRefused();
            answer(asked.status, asked.text, isClosing() || refused);
        } else {
            answerError(500, "Internal Server Error", false);
        }
    }

    /** Answers for a failure, with nothing of what the handler had put together. */
    private void answerError(int code, String text, boolean close) {
        failed = true;
        fields = null;
        answer(code, text, close);
    }

    /** Counts and logs a failure. */
    private void tell(Throwable failure, Asked asked) {
        if (isExpected(asked)) {
            Log.handlerRefused(requestLine(), failure);
        } else {
            listener.server.countHandlerFailure();
            Log.handlerFailed(requestLine(), failure);
        }
    }

    /** Whether a request was refused on purpose, or this only passes on that the exchange broke. */
    private boolean isExpected(Asked asked) {
        return asked != null && (asked.status < 500 || broken && asked.kind != HttpException.Kind.STATUS);
    }

    @Override
    public void fail(Throwable thrown) {
        Objects.requireNonNull(thrown, "failure");
        Throwable failure =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (loop.inEventLoop()) {
            if (isCommitted()) {
                failedAfterSend(failure);
            } else {
                failed(failure);
            }
        } else if (commitElsewhere()) {
            if (!loop.offer(() -> failedCommitted(failure))) {
                tell(failure, Asked.by(failure));
            }
        } else if (!loop.offer(() -> failedAfterSend(failure))) {
            Log.failedTooLate(requestLine(), failure);
        }
    }

    @Override
    public void failIfFails(CompletionStage<?> stage) {
        Objects.requireNonNull(stage, "stage").whenComplete((done, failure) -> {
            if (failure != null) {
                fail(failure);
            }
        });
    }

    /** A failure, to which another thread has committed, has come to the loop. */
    private void failedCommitted(Throwable failure) {
        try {
            Asked asked = Asked.by(failure);
            tell(failure, asked);
            if (!responded) {
                commitHere();
                answerFailure(asked);
            }
        } catch (Throwable thrown) {
            drop(thrown);
        }
    }

    /** What fails when the response was sent is heard of only if it can still be cut off. */
    private void failedAfterSend(Throwable failure) {
        if (responded && !finished && !failed && !broken) {
            Asked asked = Asked.by(failure);
            tell(failure, asked);
            cutOff(Asked.error(asked));
            releaseIfOver();
        } else if (!responded && writer != null && !broken) {
            // A publisher has the response, and has given nothing yet.
            failedCommitted(failure);
        } else {
            Log.failedTooLate(shortLine(), failure);
        }
    }

    // ---- events ----

    /** Body bytes have come, or the body's end. */
    void receive(long block, int length, boolean end) {
        receive(block, length, end, null);
    }

    /** The body's end has come, with trailers. */
    void receiveTrailers(HeadCopy trailers) {
        receive(0, 0, true, trailers);
    }

    private void receive(long block, int length, boolean end, HeadCopy trailers) {
        received |= end;
        BodyReader reader;
        try {
            reader = tunnel != null ? tunnel.reader() : bodyReader();
        } catch (OutOfMemoryError full) {
            if (block != 0) {
                loop.commands().plain(Layout.COMMAND_CREDIT, 0, id, block, length);
            }
            throw full;
        }
        reader.receive(block, length, end, trailers);
        if (end) {
            releaseIfOver();
        }
        if (abandoned != null) {
            settle();
        }
    }

    /** The exchange broke, by the peer, with this code over HTTP/2, or by C. */
    void reset(int reason, int code) {
        HttpException why = Reasons.exception(reason, code);
        breakOff(why);
        // A handler off the loop may come to read only now: it must find the failure.
        boolean told = (body != null || !received) && bodyReader().fail(why);
        if (tunnel != null) {
            tunnel.reader().fail(why);
        }
        // A reader that was told has no reason to send; another one may read on until it does.
        finished |= told;
        tellDisconnect(why);
        releaseIfOver();
    }

    private void tellDisconnect(HttpException why) {
        HandlerRun running = run;
        if (running != null && listener.server.interrupts()) {
            running.interrupt();
        }
        CompletableFuture<HttpException> waiting = disconnect;
        if (waiting != null) {
            try {
                waiting.complete(why);
            } catch (Throwable thrown) {
                Log.callbackFailed("a callback of onDisconnect", thrown);
            }
        }
    }

    @Override
    void cutOff(Http2Error error) {
        if (finished && tunnel == null || slab == null) {
            return;
        }
        failed = true;
        loop.commands().plain(Layout.COMMAND_RESET, 0, id, 0, error.code());
        breakOff(null);
        if (tunnel != null) {
            tunnel.reader().fail(breakage());
        }
    }

    /** The loop is ending: nothing can be sent or read any more. */
    void abandon(int reason) {
        HttpException why = Reasons.exception(reason);
        responded = true;
        breakOff(why);
        slab = null;
        if (body != null) {
            body.fail(why);
        }
        if (tunnel != null) {
            tunnel.reader().fail(why);
        }
        tellDisconnect(why);
    }

    /** A body was too large, for its limit or for the memory, and no handler cared to answer. */
    void refuseBody(HttpException failure) {
        if (!broken && slab != null && !isCommitted() && commitHere()) {
            Log.refusedBody(requestLine(), failure);
            fields = null;
            answer(failure.status(), failure.getMessage(), true);
            broken = true;
        }
    }

    // ---- the end ----

    @Override
    void finish() {
        finished = true;
        releaseIfOver();
    }

    private boolean isOver() {
        return finished && !isAwaitingSent() && (tunnel == null || broken || received);
    }

    private void releaseIfOver() {
        if (returned && isOver()) {
            release();
        } else if (run != null && !returned && isOver()) {
            if (body != null && isBodyLost()) {
                // The handler may wait for it, and would not return.
                body.fail(Reasons.bodyNotRead());
            }
            run.exchangeOver();
        }
    }

    /** Gives everything back; no record of this exchange follows in either direction. */
    private void release() {
        if (slab == null) {
            return;
        }
        BodyReader reader = body;
        if (reader != null) {
            reader.giveBack();
        }
        if (tunnel != null) {
            tunnel.reader().giveBack();
        }
        closeHead();
        loop.commands().release(id);
        loop.forget(id);
        if (abandoned != null) {
            abandoned.forget();
            abandoned = null;
        }
        if (deadline != null) {
            deadline.cancel();
        }
        if (reader != null) {
            reader.fail(Reasons.bodyNotRead());
        }
        if (occupies) {
            vacate();
        } else if (run == null && reader == null && writer == null && tunnel == null && listener.server.reuses()) {
            // Whoever holds a body or a tunnel would hold the next request's.
            loop.recycle(this);
        }
    }

    private void vacate() {
        occupies = false;
        // RFC 9112 section 9.6: nothing is handled behind a response that closes.
        loop.vacate(connectionId, broken || isClosing());
    }

    boolean isReleased() {
        return slab == null;
    }

    /** Whether the handler is not running any more. */
    boolean isReturned() {
        return returned;
    }

    /** The response went out before the body had come, and C discards the rest. */
    boolean isBodyLost() {
        return finished && !received && tunnel == null;
    }

    boolean isReceived() {
        return received;
    }

    /** The turn of an exchange that waited behind another one of its connection; it may be broken by now. */
    void handleLate() {
        if (broken || responded || slab == null) {
            skip();
        } else {
            handle();
        }
    }

    /** It is not handled: nothing can be sent behind what closed its connection. */
    void skip() {
        finished = true;
        handlerReturned();
    }

    /** Ends an exchange that nobody can answer any more; this is all that is left of it. */
    void endAbandoned(Abandoned before) {
        returned = true;
        responded = before.responded;
        occupies = before.occupies;
        before.giveBack();
        listener.server.countHandlerFailure();
        Log.abandoned(requestLine(), responded);
        commitHere();
        if (responded) {
            cutOff(Http2Error.INTERNAL_ERROR);
        } else {
            answerError(500, "Internal Server Error", false);
        }
        releaseIfOver();
    }

    @Override
    void tunnelOpened() {
        received = false;
    }

    /**
     * Whether the loop must hold this: it has something to do for it that others wait for. On the loop's thread, whenever
     * that may have changed.
     */
    @Override
    void settle() {
        releaseIfOver();
        if (slab == null || !returned) {
            return;
        }
        if (occupies && writer != null && writer.isWhole()) {
            // The client may have sent its next request, a proxy that of somebody else.
            vacate();
        }
        boolean needed = writer != null && writer.isWaiting()
                || body != null && body.isReading()
                || tunnel != null && tunnel.reader().isReading()
                || isAwaitingSent()
                || disconnect != null && !disconnect.isDone();
        if (needed) {
            holdAgain();
        } else {
            if (abandoned == null) {
                abandoned = loop.loosen(this);
            }
            LentBlocks unread = body == null ? null : body.blocks();
            abandoned.note(
                    responded, unread, tunnel == null ? null : tunnel.reader().blocks());
        }
    }

    private void holdAgain() {
        if (abandoned != null) {
            abandoned.forget();
            abandoned = null;
            loop.hold(this);
        }
    }

    boolean occupies() {
        return occupies;
    }

    // ---- for the application ----

    @Override
    public IncomingBody body() {
        open();
        return bodyReader();
    }

    private BodyReader bodyReader() {
        BodyReader reader = body;
        if (reader == null) {
            reader = new BodyReader(this, listener.server.maxBufferedBodyBytes(), false);
            if (!BODY.compareAndSet(this, null, reader)) {
                reader = (BodyReader) BODY.getVolatile(this);
            }
        }
        return reader;
    }

    @Override
    void checkReceived() {
        if (!received && !broken) {
            throw new IllegalStateException(
                    "the body of the request must be read to its end before an upgrade: " + shortLine());
        }
    }

    @Override
    public CompletionStage<HttpException> onDisconnect() {
        open();
        CompletableFuture<HttpException> future = disconnect;
        if (future == null) {
            future = new CompletableFuture<>();
            if (!DISCONNECT.compareAndSet(this, null, future)) {
                future = disconnect;
            }
            if (loop.inEventLoop()) {
                disconnectAsked();
            } else {
                loop.offer(this::disconnectAsked);
            }
        }
        return future;
    }

    private void disconnectAsked() {
        if (broken) {
            tellDisconnect(breakage());
        } else {
            settle();
        }
    }
}
