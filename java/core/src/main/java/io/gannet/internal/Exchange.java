package io.gannet.internal;

import io.gannet.Connection;
import io.gannet.EventLoop;
import io.gannet.FieldName;
import io.gannet.Fields;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.Request;
import io.gannet.RequestBody;
import io.gannet.Response;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CompletionException;

/**
 * One request and its response.
 *
 * <pre>
 *   HEAD event --> handler runs --> handler has returned ----------+
 *                       |                                          +--> RELEASE: {@code slab} is null, everything
 *                     refuses send --> [body under credit] --> finished ---+
 * </pre>
 *
 * <p>Reading: from any thread while {@code slab} is not null. Whoever reads looks at {@code slab} before and after, and
 * it becomes null before C gets the block back; so what was read in between is this request's, or is thrown away.
 *
 * <p>Sending: what is staged and written is the loop thread's alone. Another thread that sends takes {@code committed},
 * leaves the body in {@code queued}, or what went wrong in {@code queuedFailure}, and puts this object into the loop's
 * inbox.
 */
final class Exchange implements Request, Response, Runnable {
    private static final byte[] NO_BYTES = {};
    private static final int LONGEST_PIECE = 65536;
    private static final int MOST_BYTES_PER_CHARACTER = 3;

    private static final VarHandle COMMITTED;

    static {
        try {
            COMMITTED = MethodHandles.lookup().findVarHandle(Exchange.class, "committed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Loop loop;
    private final Server server;
    private final long id;
    private final long connectionId;
    private final int head;
    private ByteBuffer slab;

    /** The method's token, once the head cannot be read any more. */
    private short method;

    private String target;
    private BodyReader body;

    private ResponseFields fields;
    private long declaredLength = -1;
    private short status = 200;
    private boolean closing;

    @SuppressWarnings("unused") // by COMMITTED
    private boolean committed;

    /** The loop's thread took {@code committed}: no response comes from another. */
    private boolean committedHere;

    /** The handler is not running any more. */
    private boolean returned;

    /** RESPOND was written, or there is nobody to respond to. */
    private boolean responded;

    /** The whole response was written, or the rest is of no use. */
    private boolean finished;

    /** The exchange broke, or the server answered in the handler's place: what the handler sends goes nowhere. */
    private boolean broken;

    /** All of the request body has come. */
    private boolean received;

    /** A failure was answered for, or cut the response off: a later one changes nothing. */
    private boolean failed;

    private boolean queuedText;
    private byte[] queued;
    private Throwable queuedFailure;

    private int credit;
    private byte[] rest;
    private int restPosition;

    Exchange(Loop loop, Server server, long id, long connectionId, ByteBuffer slab, int head, int flags) {
        this.loop = loop;
        this.server = server;
        this.id = id;
        this.connectionId = connectionId;
        this.slab = slab;
        this.head = head;
        this.received = (flags & Layout.FLAG_END) != 0;
        this.credit = (flags & Layout.FLAG_QUEUED) != 0 ? Layout.QUEUED_SEND_CREDIT : ServerOptions.SEND_CREDIT;
    }

    // ---- the loop's side ----

    long id() {
        return id;
    }

    /** Runs the handler. */
    void handle() {
        try {
            server.handler().handle(this, this);
        } catch (Throwable failure) {
            failed(failure);
        }
        returned = true;
        if (body != null) {
            body.refuse();
        }
        if (finished) {
            release();
        }
    }

    /** The handler, or what runs for it later, has failed. */
    private void failed(Throwable failure) {
        Asked asked = Asked.by(failure);
        tell(failure, asked);
        if (!responded && commitHere()) {
            answerFailure(asked);
        } else if (responded && !finished) {
            cutOff();
        }
    }

    /** Whether the loop's thread may respond: no other has. */
    private boolean commitHere() {
        committedHere |= COMMITTED.compareAndSet(this, false, true);
        return committedHere;
    }

    /** What handling an event of this exchange threw, and nobody caught. */
    void drop(Throwable thrown) {
        returned = true;
        if (broken || slab == null) {
            finished = true;
            tellDropped(thrown);
            release();
            return;
        }
        tellDropped(thrown);
        try {
            if (!responded && commitHere()) {
                failed = true;
                fields = null;
                answer(500, "Internal Server Error", true);
            } else if (responded && !finished) {
                cutOff();
            }
        } catch (Throwable again) {
            // Without memory, nothing is left but what needs none.
            responded = true;
            cutOff();
        }
        if (finished) {
            release();
        }
    }

    private void tellDropped(Throwable thrown) {
        server.countHandlerFailure();
        Log.handlerFailed(requestLine(), thrown);
    }

    /** What an {@link HttpException} asks for; its methods may be a user's, so they are called once. */
    private record Asked(int status, String text, HttpException.Kind kind) {
        /** {@code null}: it is no such exception, or a useless one. */
        static Asked by(Throwable failure) {
            if (!(failure instanceof HttpException exception)) {
                return null;
            }
            try {
                Asked asked = new Asked(exception.status(), exception.getMessage(), exception.kind());
                return asked.status >= 400 && asked.status <= 599 ? asked : null;
            } catch (Throwable useless) {
                return null;
            }
        }
    }

    private void cutOff() {
        failed = true;
        loop.commands().plain(Layout.COMMAND_RESET, 0, id, 0, 0);
        breakOff();
    }

    private void answerFailure(Asked asked) {
        failed = true;
        if (asked != null) {
            if (fields != null) {
                fields.remove((EncodedName) FieldName.CONTENT_TYPE);
                fields.remove((EncodedName) FieldName.CONTENT_ENCODING);
            }
            // What is left of a body that was refused is not read, so nothing can follow it.
            boolean refused = body != null && body.isRefused();
            answer(asked.status, asked.text, closing || refused);
        } else {
            fields = null;
            answer(500, "Internal Server Error", false);
        }
    }

    /** Counts and logs a failure. */
    private void tell(Throwable failure, Asked asked) {
        if (isExpected(asked)) {
            Log.handlerRefused(requestLine(), failure);
        } else {
            server.countHandlerFailure();
            Log.handlerFailed(requestLine(), failure);
        }
    }

    /** Whether a request was refused on purpose, or this only passes on that the exchange broke. */
    private boolean isExpected(Asked asked) {
        return asked != null && (asked.status < 500 || broken && asked.kind != HttpException.Kind.STATUS);
    }

    /** Answers in the handler's place; the fields are those that go out. */
    private void answer(int code, String text, boolean close) {
        declaredLength = -1;
        closing = close;
        status = (short) code;
        respond(text == null ? NO_BYTES : text.getBytes(StandardCharsets.UTF_8), true);
    }

    /** Body bytes have come, or the body's end. */
    void receive(long block, int length, boolean end) {
        received |= end;
        BodyReader reader;
        try {
            reader = bodyReader();
        } catch (OutOfMemoryError full) {
            if (block != 0) {
                loop.commands().plain(Layout.COMMAND_CREDIT, 0, id, block, length);
            }
            throw full;
        }
        reader.receive(block, length, end);
    }

    /** The peer can take more of the response. */
    void addCredit(long bytes) {
        credit += (int) Math.min(bytes, Integer.MAX_VALUE - credit);
        sendRest();
    }

    /** The exchange broke, by the peer or by C. */
    void reset(int reason) {
        breakOff();
        boolean told = body != null && body.fail(Reasons.exception(reason));
        // A reader that was told has no reason to send; another one may read on until it does.
        finished |= told;
        if (returned && finished) {
            release();
        }
    }

    private void breakOff() {
        broken = true;
        rest = null;
        if (responded) {
            finished = true;
        }
    }

    /** The loop is ending: nothing can be sent or read any more. */
    void abandon(int reason) {
        broken = true;
        finished = true;
        rest = null;
        slab = null;
        if (body != null) {
            body.fail(Reasons.exception(reason));
        }
    }

    /** A body was too large, for its limit or for the memory, and no handler cared to answer. */
    void refuseBody(HttpException failure) {
        if (!broken && slab != null && !isSent() && commitHere()) {
            Log.refusedBody(requestLine(), failure);
            fields = null;
            answer(failure.status(), failure.getMessage(), true);
            broken = true;
        }
    }

    /** Gives everything back; no record of this exchange follows in either direction. */
    private void release() {
        if (slab == null) {
            return;
        }
        if (body != null) {
            body.giveBack();
        }
        method = slab.getShort(head + Layout.HEAD_METHOD);
        slab = null;
        VarHandle.storeStoreFence();
        loop.commands().release(id);
        loop.forget(id);
        if (body != null) {
            body.fail(Reasons.bodyNotRead());
        }
    }

    boolean isReleased() {
        return slab == null;
    }

    /** Whether the handler is not running any more. */
    boolean isReturned() {
        return returned;
    }

    boolean isReceived() {
        return received;
    }

    Loop loop() {
        return loop;
    }

    // ---- reading ----

    /** Where to read; refuses if the exchange has ended. What was read counts only after {@link #sound}. */
    ByteBuffer open() {
        ByteBuffer open = slab;
        if (open == null) {
            throw ended();
        }
        return open;
    }

    int head() {
        return head;
    }

    /** The value, if it was read while the exchange lasted. */
    <T> T sound(T value) {
        VarHandle.acquireFence();
        if (slab == null) {
            throw ended();
        }
        return value;
    }

    int sound(int value) {
        VarHandle.acquireFence();
        if (slab == null) {
            throw ended();
        }
        return value;
    }

    /** What to throw where reading failed: the exchange may have ended meanwhile. */
    IndexOutOfBoundsException unreadable(IndexOutOfBoundsException failure) {
        return sound(failure);
    }

    /** The text at an offset from the head's beginning. */
    String text(ByteBuffer open, int offset, int length) {
        long end = (long) head + offset + length;
        if (offset < 0 || length < 0 || end > open.capacity()) {
            throw ended();
        }
        byte[] bytes = loop.inEventLoop() ? loop.scratch(length) : new byte[length];
        open.get(head + offset, bytes, 0, length);
        return sound(new String(bytes, 0, length, StandardCharsets.ISO_8859_1));
    }

    private String textAt(int offsetOfOffset) {
        ByteBuffer open = open();
        return text(open, open.getInt(head + offsetOfOffset), open.getInt(head + offsetOfOffset + Integer.BYTES));
    }

    private IllegalStateException ended() {
        return new IllegalStateException("the exchange has ended: " + shortLine());
    }

    /** Method and target, as far as they are known: they are not copied from the block for the sake of a message. */
    private String shortLine() {
        String text = target;
        if (slab != null) {
            return FieldText.escape(method() + " " + target());
        }
        String name = method == 0 ? "request" : Layout.method(method);
        return text == null ? name : FieldText.escape(name + " " + text);
    }

    private String requestLine() {
        try {
            return FieldText.escape(method() + " " + target() + " " + version());
        } catch (IllegalStateException e) {
            return "(ended)";
        } catch (Throwable e) {
            return "(unreadable)";
        }
    }

    @Override
    public String method() {
        ByteBuffer open = open();
        int token = sound(Short.toUnsignedInt(open.getShort(head + Layout.HEAD_METHOD)));
        return token != 0 ? Layout.method(token) : textAt(Layout.HEAD_METHOD_OFFSET);
    }

    @Override
    public String target() {
        open();
        String text = target;
        if (text == null) {
            text = textAt(Layout.HEAD_TARGET_OFFSET);
            target = text;
        }
        return text;
    }

    @Override
    public String path() {
        ByteBuffer open = open();
        if (open.getLong(head + Layout.HEAD_PATH_OFFSET) == open.getLong(head + Layout.HEAD_TARGET_OFFSET)) {
            return target();
        }
        return textAt(Layout.HEAD_PATH_OFFSET);
    }

    @Override
    public String query() {
        int offset = open().getInt(head + Layout.HEAD_QUERY_OFFSET);
        return sound(offset) == 0 ? null : textAt(Layout.HEAD_QUERY_OFFSET);
    }

    @Override
    public HttpVersion version() {
        int number = sound(open().get(head + Layout.HEAD_VERSION));
        return switch (number) {
            case 10 -> HttpVersion.HTTP_1_0;
            case 20 -> HttpVersion.HTTP_2;
            default -> HttpVersion.HTTP_1_1;
        };
    }

    @Override
    public String scheme() {
        return (headFlags() & Layout.HEAD_FLAG_HTTPS) != 0 ? "https" : "http";
    }

    @Override
    public String authority() {
        int length = open().getInt(head + Layout.HEAD_AUTHORITY_LENGTH);
        return sound(length) == 0 ? null : textAt(Layout.HEAD_AUTHORITY_OFFSET);
    }

    @Override
    public Fields fields() {
        open();
        return new HeadFields(this);
    }

    @Override
    public String field(String name) {
        return HeadFields.get(this, Objects.requireNonNull(name, "name"), 0);
    }

    @Override
    public String field(FieldName name) {
        EncodedName encoded = (EncodedName) Objects.requireNonNull(name, "name");
        return HeadFields.get(this, encoded.lowerCase, encoded.token);
    }

    @Override
    public long contentLength() {
        long length = open().getLong(head + Layout.HEAD_CONTENT_LENGTH);
        sound(0);
        return length;
    }

    int headFlags() {
        return sound(Short.toUnsignedInt(open().getShort(head + Layout.HEAD_FLAGS)));
    }

    @Override
    public RequestBody body() {
        open();
        return bodyReader();
    }

    private synchronized BodyReader bodyReader() {
        if (body == null) {
            body = new BodyReader(this, server.maxBodyBytes());
        }
        return body;
    }

    @Override
    public Connection connection() {
        ByteBuffer open = open();
        long info = open.getLong(head + Layout.HEAD_INFO);
        sound(0);
        return loop.connection(connectionId, info, this);
    }

    @Override
    public EventLoop eventLoop() {
        return loop;
    }

    // ---- writing ----

    @Override
    public Response status(int code) {
        checkOpen();
        if (code < 100 || code > 999) {
            throw new IllegalArgumentException("status must be 200 to 999: " + code);
        }
        if (code < 200) {
            throw new IllegalArgumentException("status must be 200 to 999, 1xx is not of a final response: " + code);
        }
        status = (short) code;
        return this;
    }

    @Override
    public Response addField(String name, String value) {
        return field(EncodedName.cached(Objects.requireNonNull(name, "name")), value, false);
    }

    @Override
    public Response addField(FieldName name, String value) {
        return field((EncodedName) Objects.requireNonNull(name, "name"), value, false);
    }

    @Override
    public Response setField(String name, String value) {
        return field(EncodedName.cached(Objects.requireNonNull(name, "name")), value, true);
    }

    @Override
    public Response setField(FieldName name, String value) {
        return field((EncodedName) Objects.requireNonNull(name, "name"), value, true);
    }

    @Override
    public Response removeField(String name) {
        return remove(EncodedName.cached(Objects.requireNonNull(name, "name")));
    }

    @Override
    public Response removeField(FieldName name) {
        return remove((EncodedName) Objects.requireNonNull(name, "name"));
    }

    private Response remove(EncodedName name) {
        checkOpen();
        switch (name.token) {
            case Layout.FIELD_CONTENT_LENGTH -> declaredLength = -1;
            case Layout.FIELD_CONNECTION -> closing = false;
            default -> {
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
            case Layout.FIELD_TRANSFER_ENCODING -> checkCoding(text);
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

    private static void checkCoding(String value) {
        if (!FieldText.equalsIgnoreCase(value, "chunked")) {
            throw new IllegalArgumentException(
                    "Transfer-Encoding can only be chunked here: " + FieldText.escape(value));
        }
    }

    @Override
    public void send() {
        send(NO_BYTES, false);
    }

    @Override
    public void send(byte[] bytes) {
        send(Objects.requireNonNull(bytes, "bytes"), false);
    }

    @Override
    public void send(ByteBuffer buffer) {
        Objects.requireNonNull(buffer, "buffer");
        checkOpen();
        checkLength(buffer.remaining());
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        send(bytes, false);
    }

    @Override
    public void send(String text) {
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

    private void commit() {
        COMMITTED.setOpaque(this, true);
        committedHere = true;
    }

    private void send(byte[] bytes, boolean isText) {
        checkOpen();
        checkLength(bytes.length);
        if (loop.inEventLoop()) {
            commit();
            respond(bytes, isText);
            return;
        }
        if (!COMMITTED.compareAndSet(this, false, true)) {
            if (broken) {
                return;
            }
            throw sentAlready();
        }
        queued = bytes;
        queuedText = isText;
        loop.offer(this);
    }

    @Override
    public void fail(Throwable thrown) {
        Objects.requireNonNull(thrown, "failure");
        Throwable failure =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (loop.inEventLoop()) {
            if (isSent()) {
                failedAfterSend(failure);
            } else {
                failed(failure);
            }
        } else if (COMMITTED.compareAndSet(this, false, true)) {
            queuedFailure = failure;
            if (!loop.offer(this)) {
                tell(failure, Asked.by(failure));
            }
        } else if (!loop.offer(() -> failedAfterSend(failure))) {
            Log.failedTooLate(requestLine(), failure);
        }
    }

    /** What fails when the response was sent is heard of only if it can still be cut off. */
    private void failedAfterSend(Throwable failure) {
        if (responded && !finished && !failed && !broken) {
            tell(failure, Asked.by(failure));
            cutOff();
        } else {
            Log.failedTooLate(shortLine(), failure);
        }
    }

    /** A response, or a failure, from another thread has come to the loop. */
    @Override
    public void run() {
        byte[] bytes = queued;
        queued = null;
        Throwable failure = queuedFailure;
        queuedFailure = null;
        committedHere = true;
        try {
            if (failure != null) {
                Asked asked = Asked.by(failure);
                tell(failure, asked);
                if (!responded) {
                    answerFailure(asked);
                }
            } else if (!responded) {
                respond(bytes, queuedText);
            }
        } catch (Throwable thrown) {
            drop(thrown);
        }
    }

    @Override
    public boolean isSent() {
        return (boolean) COMMITTED.getOpaque(this);
    }

    private void checkOpen() {
        if (isSent() && !broken) {
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
        if (broken || status == 304 || isHead()) {
            return true;
        }
        // Another thread may have looked into the block of a request that has ended: nobody is there to be misled.
        VarHandle.acquireFence();
        return slab == null;
    }

    private boolean isHead() {
        ByteBuffer open = slab;
        return open != null && open.getShort(head + Layout.HEAD_METHOD) == Layout.METHOD_HEAD;
    }

    private boolean hidesBody() {
        return status == 204 || status == 205 || status == 304 || isHead();
    }

    /** Writes a short text as the whole response, without an array in between. */
    private void respond(String text) {
        CommandRing commands = loop.commands();
        int fieldBytes = fields == null ? 0 : fields.bytes();
        commands.reserve(2, fieldBytes + ResponseFields.TEXT_PLAIN.length + 3 * text.length());
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
            finish();
            return;
        }
        boolean hidden = hidesBody();
        long length = declaredLength;
        if (hidden && length < 0 && isHead() && (bytes.length > 0 || isText)) {
            length = bytes.length;
        }
        int first = hidden ? 0 : Math.min(bytes.length, credit);
        boolean whole = hidden || first == bytes.length;
        CommandRing commands = loop.commands();
        int fieldBytes = fields == null ? 0 : fields.bytes();
        commands.reserve(2, fieldBytes + ResponseFields.TEXT_PLAIN.length + first);
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
            rest = bytes;
            restPosition = first;
        }
    }

    private int stageFields(CommandRing commands, boolean isText) {
        int at = commands.position();
        if (fields != null) {
            at = fields.stage(commands.bytes, at);
        }
        if (isText && (fields == null || !fields.contains(Layout.FIELD_CONTENT_TYPE))) {
            at = StagedText.put(commands.bytes, at, ResponseFields.TEXT_PLAIN);
        }
        return at;
    }

    private int flags(int flags) {
        if (!closing) {
            return flags;
        }
        loop.closes(connectionId);
        return flags | Layout.FLAG_CLOSE;
    }

    private void sendRest() {
        while (rest != null && credit > 0) {
            int length = Math.min(Math.min(rest.length - restPosition, credit), LONGEST_PIECE);
            CommandRing commands = loop.commands();
            commands.reserve(1, length);
            int start = commands.position();
            commands.bytes.put(start, rest, restPosition, length);
            restPosition += length;
            credit -= length;
            boolean end = restPosition == rest.length;
            commands.data(end ? Layout.FLAG_END : 0, id, start + length);
            if (end) {
                rest = null;
                finish();
            }
        }
    }

    private void finish() {
        finished = true;
        if (returned) {
            release();
        }
    }

    /** For logs: the request line while it can be read. */
    @Override
    public String toString() {
        ByteBuffer open = slab;
        return open == null ? String.valueOf(target) : requestLine();
    }
}
