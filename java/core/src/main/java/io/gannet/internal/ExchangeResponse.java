package io.gannet.internal;

import io.gannet.Field;
import io.gannet.FieldName;
import io.gannet.Http2Error;
import io.gannet.HttpException;
import io.gannet.OutgoingBody;
import io.gannet.PreparedResponse;
import io.gannet.Response;
import io.gannet.Tunnel;
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
 * The response of an exchange: what the application sets and sends, and the records that say so to C.
 *
 * <p>What is staged and written is the loop thread's alone. Whoever sends takes {@code committed} first, by which the
 * fields become the loop's to read; a thread that is not the loop's then leaves what it sends in {@code queued} and puts
 * {@link #respondQueued} into the loop's inbox.
 */
abstract class ExchangeResponse extends ExchangeHead implements Response {
    private static final byte[] NO_BYTES = {};
    private static final int MOST_BYTES_PER_CHARACTER = 3;

    private static final VarHandle COMMITTED;

    static {
        try {
            COMMITTED = MethodHandles.lookup().findVarHandle(ExchangeResponse.class, "committed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // ---- what the application sets ----

    ResponseFields fields;
    private long declaredLength;
    private short status;
    private String reasonPhrase;
    private boolean closing;
    private boolean chunked;
    private CompletableFuture<Void> sent;

    // ---- how far it is ----

    private boolean committed;

    /** The loop's thread took {@code committed}: no response comes from another. */
    private boolean committedHere;

    /** RESPOND was written, or there is nobody to respond to. */
    boolean responded;

    /** The whole response was written, or the rest is of no use. */
    boolean finished;

    /** The exchange broke, or the server answered in the handler's place: what the handler sends goes nowhere. */
    boolean broken;

    /** Why it broke, if it was not by the server itself. */
    private HttpException breakage;

    /** A SENT event is still to come. */
    private boolean awaitingSent;

    /** How many bytes of the body C takes now. */
    int credit;

    /** Writes what is more than one record; {@code null} while there is nothing. */
    BodyWriter writer;

    ExchangeTunnel tunnel;

    private Object queued;
    private boolean queuedText;

    /** Another thread has left a response that is whole. */
    private boolean queuedWhole;

    ExchangeResponse(Loop loop) {
        super(loop);
    }

    final void openResponse(int sendCredit) {
        fields = null;
        declaredLength = -1;
        status = 200;
        reasonPhrase = null;
        closing = false;
        chunked = false;
        sent = null;
        committed = false;
        committedHere = false;
        responded = false;
        finished = false;
        broken = false;
        breakage = null;
        awaitingSent = false;
        credit = sendCredit;
        writer = null;
        tunnel = null;
        queued = null;
        queuedWhole = false;
    }

    /** The whole response was written, or was given up. */
    abstract void finish();

    /** What the loop waits for has begun or ended: see {@link Exchange}. */
    abstract void settle();

    // ---- what the application sets ----

    @Override
    public final Response status(int code) {
        checkOpen();
        status = (short) checkStatus(code);
        reasonPhrase = null;
        return this;
    }

    @Override
    public final Response status(int code, String reason) {
        Objects.requireNonNull(reason, "reason");
        checkOpen();
        checkStatus(code);
        FieldText.checkPhrase(reason);
        // RFC 9113 section 8.3.2: HTTP/2 has none.
        reasonPhrase = isHttp2 ? null : reason;
        status = (short) code;
        return this;
    }

    static int checkStatus(int code) {
        if (code < 100 || code > 999) {
            throw new IllegalArgumentException("status must be 200 to 999: " + code);
        }
        if (code < 200) {
            throw new IllegalArgumentException("status must be 200 to 999, 1xx is not of a final response: " + code);
        }
        return code;
    }

    @Override
    public final Response addField(String name, String value) {
        return field(EncodedName.cached(Objects.requireNonNull(name, "name")), value, false);
    }

    @Override
    public final Response addField(FieldName name, String value) {
        return field((EncodedName) Objects.requireNonNull(name, "name"), value, false);
    }

    @Override
    public final Response setField(String name, String value) {
        return field(EncodedName.cached(Objects.requireNonNull(name, "name")), value, true);
    }

    @Override
    public final Response setField(FieldName name, String value) {
        return field((EncodedName) Objects.requireNonNull(name, "name"), value, true);
    }

    @Override
    public final Response removeField(String name) {
        return remove(EncodedName.cached(Objects.requireNonNull(name, "name")));
    }

    @Override
    public final Response removeField(FieldName name) {
        return remove((EncodedName) Objects.requireNonNull(name, "name"));
    }

    private Response remove(EncodedName name) {
        checkOpen();
        switch (name.token) {
            case Layout.FIELD_CONTENT_LENGTH -> declaredLength = -1;
            case Layout.FIELD_CONNECTION -> closing = false;
            default -> {
                chunked &= name.token != Layout.FIELD_TRANSFER_ENCODING;
                if (fields != null) {
                    fields.remove(name);
                }
            }
        }
        return this;
    }

    private Response field(EncodedName name, String value, boolean instead) {
        Objects.requireNonNull(value, "value");
        checkOpen();
        String text = FieldText.checkValue(name.toString(), value);
        switch (name.token) {
            case Layout.FIELD_CONTENT_LENGTH -> declareLength(text, instead);
            case Layout.FIELD_CONNECTION -> connectionOptions(text, instead);
            case Layout.FIELD_TRANSFER_ENCODING -> transferCodings(name, text, instead);
            case Layout.FIELD_KEEP_ALIVE -> {}
            default -> {
                if (fields == null) {
                    fields = new ResponseFields();
                } else if (instead) {
                    fields.remove(name);
                }
                fields.add(name, text);
            }
        }
        return this;
    }

    private void declareLength(String value, boolean instead) {
        long length = 0;
        boolean valid = !value.isEmpty() && value.length() <= 18;
        for (int i = 0; valid && i < value.length(); i++) {
            char c = value.charAt(i);
            valid = c >= '0' && c <= '9';
            length = 10 * length + (c - '0');
        }
        if (!valid) {
            throw new IllegalArgumentException(
                    "Content-Length must be a number of at most 18 digits: " + FieldText.escape(value));
        }
        if (!instead && declaredLength >= 0 && declaredLength != length) {
            throw new IllegalArgumentException(
                    "Content-Length was declared as " + declaredLength + " and now as " + length);
        }
        declaredLength = length;
    }

    private void connectionOptions(String value, boolean instead) {
        boolean close = closing && !instead;
        for (String option : value.split(",", -1)) {
            String trimmed = FieldText.trim(option);
            if (FieldText.equalsIgnoreCase(trimmed, "close")) {
                close = true;
            } else if (!trimmed.isEmpty() && !FieldText.equalsIgnoreCase(trimmed, "keep-alive")) {
                throw new IllegalArgumentException(
                        "Connection can be close or keep-alive here, not: " + FieldText.escape(trimmed));
            }
        }
        closing = close;
    }

    /** The codings without chunked, which C adds behind them (RFC 9112 section 6.1). */
    private void transferCodings(EncodedName name, String value, boolean instead) {
        StringBuilder codings = new StringBuilder();
        boolean last = false;
        for (String part : value.split(",", -1)) {
            String coding = FieldText.trim(part);
            if (coding.isEmpty()) {
                continue;
            }
            if (last) {
                throw new IllegalArgumentException(
                        "chunked must be the last of Transfer-Encoding, once: " + FieldText.escape(value));
            }
            last = FieldText.equalsIgnoreCase(coding, "chunked");
            if (!last) {
                codings.append(codings.length() == 0 ? "" : ", ").append(coding);
            }
        }
        if (instead && fields != null) {
            fields.remove(name);
        }
        if (codings.length() > 0) {
            if (fields == null) {
                fields = new ResponseFields();
            }
            fields.add((EncodedName) FieldName.TRANSFER_ENCODING, codings.toString());
        }
        chunked = true;
    }

    @Override
    public final CompletionStage<Void> onSent() {
        if (sent == null) {
            checkOpen();
            sent = new CompletableFuture<>();
            if (broken) {
                loop.offer(() -> complete(breakage()));
            }
        }
        return sent;
    }

    // ---- sending the whole ----

    @Override
    public final void send() {
        send(NO_BYTES, false);
    }

    @Override
    public final void send(byte[] bytes) {
        send(Objects.requireNonNull(bytes, "bytes"), false);
    }

    @Override
    public final void send(ByteBuffer buffer) {
        Objects.requireNonNull(buffer, "buffer");
        checkOpen();
        checkLength(buffer.remaining());
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        send(bytes, false);
    }

    @Override
    public final void send(String text) {
        Objects.requireNonNull(text, "text");
        if (loop.inEventLoop() && fits(text) && declaredLength < 0 && !broken && !hidesBody()) {
            checkOpen();
            commit();
            respond(text);
        } else {
            send(text.getBytes(StandardCharsets.UTF_8), true);
        }
    }

    /** Whether the credit is surely enough for all of the text. */
    private boolean fits(String text) {
        return text.length() <= credit / MOST_BYTES_PER_CHARACTER;
    }

    private void send(byte[] bytes, boolean isText) {
        checkOpen();
        checkLength(bytes.length);
        if (loop.inEventLoop()) {
            commit();
            respond(bytes, isText);
        } else {
            queue(bytes, isText);
        }
    }

    @Override
    public final void send(PreparedResponse prepared) {
        PreparedMessage message = (PreparedMessage) Objects.requireNonNull(prepared, "prepared");
        checkOpen();
        if (loop.inEventLoop()) {
            commit();
            respond(message);
        } else {
            queue(message, false);
        }
    }

    @Override
    public final void send(Flow.Publisher<? extends ByteBuffer> publisher) {
        Objects.requireNonNull(publisher, "publisher");
        open(true).writeAll(publisher);
    }

    @Override
    public final OutgoingBody stream() {
        return open(false);
    }

    /** A body whose head is sent now, or with what is written first. */
    private BodyWriter open(boolean headWaits) {
        checkOpen();
        BodyWriter body = new BodyWriter(this, hidesBody(), declaredLength, isHttp2, acceptsTrailersHere(), headWaits);
        if (loop.inEventLoop()) {
            commit();
            respond(body);
        } else {
            queue(body, false);
        }
        return body;
    }

    private boolean acceptsTrailersHere() {
        try {
            return acceptsTrailers();
        } catch (IllegalStateException ended) {
            return false;
        }
    }

    @Override
    public final OutputStream outputStream() {
        checkOpen();
        if (Loop.isCurrent()) {
            throw new IllegalStateException(
                    "outputStream() waits for the client, and must not be used on the thread of a"
                            + " loop: use stream(), or dispatch the handler elsewhere");
        }
        return new ResponseStream(this);
    }

    /** Leaves what another thread sends to the loop. */
    private void queue(Object what, boolean isText) {
        if (!commitElsewhere()) {
            if (broken) {
                failUnsent(what);
                return;
            }
            throw sentAlready();
        }
        queued = what;
        queuedText = isText;
        queuedWhole = what instanceof byte[] || what instanceof PreparedMessage;
        if (!loop.offer(this::respondQueued)) {
            failUnsent(what);
        }
    }

    /** What was to be sent will not be: whoever goes on with it is told. */
    private void failUnsent(Object what) {
        if (what instanceof BodyWriter body) {
            body.fail(breakage());
        } else if (what instanceof ExchangeTunnel one) {
            one.fail(breakage());
        }
        complete(breakage());
    }

    private void finishBroken() {
        complete(breakage());
        finish();
    }

    final boolean isQueuedWhole() {
        return queuedWhole;
    }

    /** A response from another thread has come to the loop. */
    private void respondQueued() {
        Object what = queued;
        queued = null;
        committedHere = true;
        try {
            if (responded) {
                failUnsent(what);
            } else if (what instanceof byte[] bytes) {
                respond(bytes, queuedText);
            } else if (what instanceof BodyWriter body) {
                respond(body);
            } else if (what instanceof ExchangeTunnel one) {
                respond(one);
            } else {
                respond((PreparedMessage) what);
            }
        } catch (Throwable thrown) {
            drop(thrown);
        }
    }

    /** What handling this exchange threw, and nobody caught. */
    abstract void drop(Throwable thrown);

    // ---- the commit ----

    @Override
    public final boolean isCommitted() {
        return (boolean) COMMITTED.getOpaque(this);
    }

    /** The loop's thread responds, having looked that no other has. */
    private void commit() {
        COMMITTED.setOpaque(this, true);
        committedHere = true;
    }

    /** Whether the loop's thread may respond: no other has. */
    final boolean commitHere() {
        committedHere |= COMMITTED.compareAndSet(this, false, true);
        return committedHere;
    }

    /** Whether the calling thread, which is not the loop's, may respond. */
    final boolean commitElsewhere() {
        return COMMITTED.compareAndSet(this, false, true);
    }

    final void checkOpen() {
        if (isCommitted() && !broken) {
            throw sentAlready();
        }
    }

    private IllegalStateException sentAlready() {
        return new IllegalStateException("the response was sent already: " + shortLine());
    }

    private void checkLength(int length) {
        if (declaredLength >= 0 && declaredLength != length && !(length == 0 && mayDeclareMore())) {
            throw new IllegalStateException("the body has " + length + " bytes, Content-Length was declared as "
                    + declaredLength + ": " + shortLine());
        }
    }

    /** HEAD and 304 tell the length of a body that they do not have. */
    private boolean mayDeclareMore() {
        if (broken || status == 304 || isMethod(Layout.METHOD_HEAD)) {
            return true;
        }
        // Another thread may have looked into the block of a request that has ended: nobody is there to be misled.
        VarHandle.acquireFence();
        return slab == null;
    }

    private boolean hidesBody() {
        return status == 204 || status == 205 || status == 304 || isMethod(Layout.METHOD_HEAD);
    }

    // ---- records ----

    /** Writes a short text as the whole response, without an array in between. */
    private void respond(String text) {
        CommandRing commands = loop.commands();
        commands.reserve(2, stagedHeadBytes() + 3 * text.length());
        int bodyStart = stageFields(commands, true);
        int end = StagedText.putUtf8(commands.bytes, bodyStart, text);
        commands.message(Layout.COMMAND_RESPOND, flags(Layout.FLAG_END), status, id, bodyStart, end, -1);
        responded = true;
        finish();
    }

    /** Writes the response, or as much of it as credit allows; the rest follows. */
    private void respond(byte[] bytes, boolean isText) {
        responded = true;
        if (broken) {
            finishBroken();
            return;
        }
        boolean hidden = hidesBody();
        long length = declaredLength;
        if (hidden && length < 0 && isMethod(Layout.METHOD_HEAD) && (bytes.length > 0 || isText)) {
            length = bytes.length;
        }
        int first = hidden ? 0 : Math.min(bytes.length, credit);
        boolean whole = hidden || first == bytes.length;
        CommandRing commands = loop.commands();
        commands.reserve(2, stagedHeadBytes() + first);
        int bodyStart = stageFields(commands, isText);
        commands.bytes.put(bodyStart, bytes, 0, first);
        commands.message(
                Layout.COMMAND_RESPOND,
                flags(whole ? Layout.FLAG_END : 0),
                status,
                id,
                bodyStart,
                bodyStart + first,
                whole ? length : bytes.length);
        credit -= first;
        if (whole) {
            finish();
        } else {
            writer = new BodyWriter(this, ByteBuffer.wrap(bytes, first, bytes.length - first));
            settle();
        }
    }

    private void respond(PreparedMessage message) {
        responded = true;
        if (broken) {
            finishBroken();
            return;
        }
        reasonPhrase = null;
        chunked = false;
        long known = message.idOn(loop);
        if (known != 0) {
            loop.commands().plain(Layout.COMMAND_PREPARED, flags(0), id, known, 0);
            finish();
        } else {
            respondUnprepared(message);
        }
    }

    /** C keeps as many as it can: this one goes out as any other response does. */
    private void respondUnprepared(PreparedMessage message) {
        status = (short) message.status;
        boolean hidden = hidesBody();
        int first = hidden ? 0 : Math.min(message.bodyLength(), credit);
        boolean whole = hidden || first == message.bodyLength();
        CommandRing commands = loop.commands();
        commands.reserve(2, message.fieldsLength + first);
        int start = commands.position();
        commands.bytes.put(start, message.staged, 0, message.fieldsLength + first);
        int bodyStart = start + message.fieldsLength;
        int flags = flags(whole ? Layout.FLAG_END : 0);
        commands.message(
                Layout.COMMAND_RESPOND, flags, status, id, bodyStart, bodyStart + first, message.declaredLength());
        credit -= first;
        if (whole) {
            finish();
        } else {
            writer = new BodyWriter(this, message.body(first));
            settle();
        }
    }

    /** Writes the head, or has it wait for the body; the body follows. */
    private void respond(BodyWriter body) {
        if (broken) {
            responded = true;
            body.fail(breakage());
            finishBroken();
            return;
        }
        writer = body;
        if (body.headWaits()) {
            settle();
        } else {
            sendHead(body);
        }
    }

    /** The body has ended before there was anything in it. */
    final void sendEmpty() {
        respond(NO_BYTES, false);
    }

    final void sendHead(BodyWriter body) {
        responded = true;
        CommandRing commands = loop.commands();
        commands.reserve(1, stagedHeadBytes());
        int end = stageFields(commands, false);
        commands.message(Layout.COMMAND_RESPOND, flags(0), status, id, end, end, declaredLength);
        body.start();
        settle();
    }

    private int stagedHeadBytes() {
        int phrase = reasonPhrase == null ? 0 : Layout.STAGED_BYTES + reasonPhrase.length();
        return phrase + (fields == null ? 0 : fields.bytes()) + ResponseFields.TEXT_PLAIN.length;
    }

    private int stageFields(CommandRing commands, boolean isText) {
        int at = commands.position();
        if (reasonPhrase != null) {
            at = ResponseFields.stagePhrase(commands.bytes, at, reasonPhrase);
        }
        if (fields != null) {
            at = fields.stage(commands.bytes, at);
        }
        if (isText && (fields == null || !fields.contains(Layout.FIELD_CONTENT_TYPE))) {
            at = StagedText.put(commands.bytes, at, ResponseFields.TEXT_PLAIN);
        }
        return at;
    }

    private int flags(int flags) {
        int all = flags;
        if (reasonPhrase != null) {
            all |= Layout.FLAG_REASON;
        }
        if (chunked) {
            all |= Layout.FLAG_CHUNKED;
        }
        if (sent != null) {
            awaitingSent = true;
            all |= Layout.FLAG_NOTIFY;
        }
        if (closing) {
            if (!isHttp2) {
                loop.closes(connectionId);
            }
            all |= Layout.FLAG_CLOSE;
        }
        return all;
    }

    /** Answers in the handler's place; the fields are those that go out. */
    final void answer(int code, String text, boolean close) {
        if (writer != null) {
            // A publisher, whose first buffer comes too late.
            writer.fail(breakage());
        }
        declaredLength = -1;
        closing = close && (closing || !isHttp2);
        chunked = false;
        status = (short) code;
        reasonPhrase = null;
        respond(text == null ? NO_BYTES : text.getBytes(StandardCharsets.UTF_8), true);
    }

    final boolean isClosing() {
        return closing;
    }

    final void removeContentFields() {
        if (fields != null) {
            fields.remove((EncodedName) FieldName.CONTENT_TYPE);
            fields.remove((EncodedName) FieldName.CONTENT_ENCODING);
            fields.remove((EncodedName) FieldName.TRANSFER_ENCODING);
        }
    }

    // ---- interim responses and tunnels ----

    @Override
    public final void sendInterim(int code, Field... list) {
        if (code < 100 || code > 199 || code == 101) {
            throw new IllegalArgumentException(
                    "status of an interim response must be 100 to 199, but not 101: " + code);
        }
        checkOpen();
        ResponseFields interim = ResponseFields.interim(list);
        if (loop.inEventLoop()) {
            writeInterim(code, interim);
        } else {
            loop.offer(() -> writeInterim(code, interim));
        }
    }

    private void writeInterim(int code, ResponseFields interim) {
        if (responded || broken || slab == null) {
            return;
        }
        CommandRing commands = loop.commands();
        commands.reserve(1, interim.bytes());
        int end = interim.stage(commands.bytes, commands.position());
        commands.message(Layout.COMMAND_INTERIM, 0, code, id, end, end, 0);
    }

    @Override
    public final Tunnel upgrade(String protocol) {
        checkOpen();
        if (isHttp2) {
            throw new IllegalStateException("HTTP/2 has no 101 (RFC 9113 section 8.6): a client asks for a tunnel by"
                    + " extended CONNECT, which acceptConnect() accepts: " + shortLine());
        }
        if (!broken && !offersUpgrade(protocol)) {
            throw new IllegalArgumentException(
                    "the client does not offer an upgrade to " + FieldText.escape(protocol) + ": " + shortLine());
        }
        checkReceived();
        checkNoBodyFields("101");
        setField(FieldName.UPGRADE, protocol);
        status = 101;
        return openTunnel();
    }

    @Override
    public final Tunnel acceptConnect() {
        checkOpen();
        if (!broken && !isMethod(Layout.METHOD_CONNECT)) {
            throw new IllegalStateException(
                    "acceptConnect() answers CONNECT only; to an offer to upgrade there is upgrade(): " + shortLine());
        }
        if (status > 299) {
            throw new IllegalStateException("a tunnel is opened by a status from 200 to 299, not " + status);
        }
        checkNoBodyFields("2xx to CONNECT");
        return openTunnel();
    }

    /** What comes from now on is the tunnel's. */
    abstract void tunnelOpened();

    /** Cuts the response off, and tells an HTTP/2 client why. */
    abstract void cutOff(Http2Error error);

    /** Throws unless the body of the request was read to its end. */
    abstract void checkReceived();

    private void checkNoBodyFields(String what) {
        if (declaredLength >= 0 || chunked) {
            throw new IllegalStateException("a response of " + what + " has no body: remove Content-Length and"
                    + " Transfer-Encoding (RFC 9110 sections 8.6 and 9.3.6): " + shortLine());
        }
    }

    private Tunnel openTunnel() {
        ExchangeTunnel opened = new ExchangeTunnel((Exchange) this);
        if (loop.inEventLoop()) {
            commit();
            respond(opened);
        } else {
            queue(opened, false);
        }
        return opened;
    }

    private void respond(ExchangeTunnel opened) {
        responded = true;
        if (broken) {
            opened.fail(breakage());
            finishBroken();
            return;
        }
        tunnel = opened;
        writer = opened.writer();
        tunnelOpened();
        sendHead(writer);
    }

    // ---- what comes of it, on the loop's thread ----

    /** The peer can take more of the response. */
    final void addCredit(long bytes) {
        credit += (int) Math.min(bytes, Integer.MAX_VALUE - credit);
        if (writer != null) {
            writer.drain();
        }
    }

    /** The last byte of the response is with the kernel, or never will be. */
    final void sent(int reason) {
        awaitingSent = false;
        complete(reason == Layout.REASON_NONE ? null : Reasons.exception(reason));
        settle();
    }

    final boolean isAwaitingSent() {
        return awaitingSent;
    }

    private void complete(HttpException failure) {
        if (sent == null) {
            return;
        }
        try {
            if (failure == null) {
                sent.complete(null);
            } else {
                sent.completeExceptionally(failure);
            }
        } catch (Throwable thrown) {
            Log.callbackFailed("a callback of onSent", thrown);
        }
    }

    /** Nothing more of the response goes out; {@code null}: the server itself has ended it. */
    final void breakOff(HttpException why) {
        broken = true;
        if (breakage == null) {
            breakage = why;
        }
        awaitingSent = false;
        complete(breakage());
        if (writer != null) {
            writer.fail(breakage());
        }
        if (responded || writer != null) {
            finished = true;
        }
    }

    /** What to tell whoever still writes. */
    final HttpException breakage() {
        HttpException why = breakage;
        return why != null ? why : Reasons.exception(Layout.REASON_ABORTED);
    }
}
