package io.gannet.internal;

import io.gannet.PreparedResponse;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A prepared response: its fields as they are staged, and its body, in one array that each loop's C core copies once. */
public final class PreparedMessage implements PreparedResponse {
    private static final int MOST_BODY_BYTES = 262144;
    private static final Cleaner CLEANER = Cleaner.create();

    final int status;
    final int fieldsLength;
    final byte[] staged;
    private final boolean hasBody;
    private final PreparedCopies copies = new PreparedCopies();

    private PreparedMessage(int status, byte[] staged, int fieldsLength, boolean hasBody) {
        this.status = status;
        this.staged = staged;
        this.fieldsLength = fieldsLength;
        this.hasBody = hasBody;
        CLEANER.register(this, copies);
    }

    /**
     * The id under which this loop has it, which is asked to keep it if it has not yet; 0: it cannot keep more. On the
     * loop's thread.
     */
    long idOn(Loop loop) {
        long known = copies.idOn(loop);
        long id = known != 0 ? known : prepareOn(loop);
        // Until here it was in use: what lets go of it comes to this thread, and so behind what was written.
        Reference.reachabilityFence(this);
        return id;
    }

    private long prepareOn(Loop loop) {
        long id = loop.prepared().take(copies);
        if (id == 0) {
            return 0;
        }
        try {
            copies.add(loop, id);
        } catch (Throwable noMemory) {
            loop.prepared().giveBack(id);
            throw noMemory;
        }
        CommandRing commands = loop.commands();
        commands.reserve(1, staged.length);
        int start = commands.position();
        commands.bytes.put(start, staged);
        commands.message(
                Layout.COMMAND_PREPARE, 0, status, id, start + fieldsLength, start + staged.length, declaredLength());
        return id;
    }

    /** The loop forgets it; on its thread. */
    static void letGo(Loop loop, long id) {
        if (loop.prepared().giveBack(id)) {
            loop.commands().plain(Layout.COMMAND_UNPREPARE, 0, id, 0, 0);
        }
    }

    int bodyLength() {
        return staged.length - fieldsLength;
    }

    /** The body from here on. */
    ByteBuffer body(int from) {
        return ByteBuffer.wrap(staged, fieldsLength + from, bodyLength() - from);
    }

    /** What Content-Length says; -1: only what follows from the body that goes out. */
    long declaredLength() {
        return hasBody && status != 304 ? bodyLength() : -1;
    }

    /** A prepared response in the making. */
    public static final class Draft {
        private final ResponseFields fields = new ResponseFields();
        private int status = 200;
        private byte[] body;
        private boolean isText;

        /** An empty one with status 200. */
        public Draft() {}

        public void status(int code) {
            status = ExchangeResponse.checkStatus(code);
        }

        public void addField(String name, String value) {
            fields.addContentField("a prepared response", name, value);
        }

        public void body(byte[] bytes) {
            checkLength(bytes.length);
            body = bytes.clone();
            isText = false;
        }

        public void body(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            checkLength(bytes.length);
            body = bytes;
            isText = true;
        }

        private static void checkLength(int length) {
            if (length > MOST_BODY_BYTES) {
                throw new IllegalArgumentException("the body of a prepared response must not have more than "
                        + MOST_BODY_BYTES + " bytes: " + length);
            }
        }

        public PreparedResponse build() {
            boolean addsType = isText && !fields.contains(Layout.FIELD_CONTENT_TYPE);
            int bodyLength = body == null ? 0 : body.length;
            int fieldsLength = fields.bytes() + (addsType ? ResponseFields.TEXT_PLAIN.length : 0);
            byte[] staged = new byte[fieldsLength + bodyLength];
            ByteBuffer bytes = ByteBuffer.wrap(staged).order(ByteOrder.LITTLE_ENDIAN);
            int at = fields.stage(bytes, 0);
            if (addsType) {
                at = StagedText.put(bytes, at, ResponseFields.TEXT_PLAIN);
            }
            if (bodyLength > 0) {
                System.arraycopy(body, 0, staged, at, bodyLength);
            }
            return new PreparedMessage(status, staged, fieldsLength, body != null);
        }
    }
}
