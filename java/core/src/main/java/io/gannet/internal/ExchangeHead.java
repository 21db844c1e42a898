package io.gannet.internal;

import io.gannet.Connection;
import io.gannet.EventLoop;
import io.gannet.FieldName;
import io.gannet.Fields;
import io.gannet.HttpVersion;
import io.gannet.Request;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * The head of a request, in the block that C lent (native/src/http/head_block.h).
 *
 * <p>Readable from any thread while {@code slab} is not null. Whoever reads looks at {@code slab} before and after, and it
 * becomes null before C gets the block back; so what was read in between is this request's, or is thrown away.
 */
abstract class ExchangeHead implements Request, HeadSource {
    private static final int VERSION_1_0 = 10;
    private static final int VERSION_2 = 20;

    final Loop loop;
    Listener listener;
    long id;
    long connectionId;
    int head;
    ByteBuffer slab;

    /** It came over HTTP/2: the other exchanges of its connection do not depend on it. */
    boolean isHttp2;

    /** The method's token, once the head cannot be read any more. */
    private short method;

    private String target;

    ExchangeHead(Loop loop) {
        this.loop = loop;
    }

    /** Begins an exchange; all of the head's state is set. */
    final void openHead(Listener listener, long id, long connectionId, ByteBuffer slab, int head) {
        this.listener = listener;
        this.id = id;
        this.connectionId = connectionId;
        this.slab = slab;
        this.head = head;
        isHttp2 = slab.get(head + Layout.HEAD_VERSION) == VERSION_2;
        target = null;
        method = 0;
    }

    /** The last moment in which the head can be read; the caller may then give it back. */
    final void closeHead() {
        method = slab.getShort(head + Layout.HEAD_METHOD);
        slab = null;
        VarHandle.storeStoreFence();
    }

    // ---- reading, for HeadFields too ----

    @Override
    public final ByteBuffer open() {
        ByteBuffer open = slab;
        if (open == null) {
            throw ended();
        }
        return open;
    }

    @Override
    public final int head() {
        return head;
    }

    @Override
    public final <T> T sound(T value) {
        VarHandle.acquireFence();
        if (slab == null) {
            throw ended();
        }
        return value;
    }

    @Override
    public final int sound(int value) {
        VarHandle.acquireFence();
        if (slab == null) {
            throw ended();
        }
        return value;
    }

    @Override
    public final IndexOutOfBoundsException unreadable(IndexOutOfBoundsException failure) {
        return sound(failure);
    }

    @Override
    public final String text(ByteBuffer open, int offset, int length) {
        return text(open, offset, length, StandardCharsets.ISO_8859_1);
    }

    private String text(ByteBuffer open, int offset, int length, Charset charset) {
        long end = (long) head + offset + length;
        if (offset < 0 || length < 0 || end > open.capacity()) {
            throw ended();
        }
        byte[] bytes = loop.inEventLoop() ? loop.scratch(length) : new byte[length];
        open.get(head + offset, bytes, 0, length);
        return sound(new String(bytes, 0, length, charset));
    }

    private String textAt(int offsetOfOffset) {
        return textAt(offsetOfOffset, StandardCharsets.ISO_8859_1);
    }

    private String textAt(int offsetOfOffset, Charset charset) {
        ByteBuffer open = open();
        int offset = open.getInt(head + offsetOfOffset);
        return text(open, offset, open.getInt(head + offsetOfOffset + Integer.BYTES), charset);
    }

    private IllegalStateException ended() {
        return new IllegalStateException("the exchange has ended: " + shortLine());
    }

    /** Method and target, as far as they are known: they are not copied from the block for the sake of a message. */
    final String shortLine() {
        String text = target;
        if (slab != null) {
            return FieldText.escape(method() + " " + target());
        }
        String name = method == 0 ? "request" : Layout.method(method);
        return text == null ? name : FieldText.escape(name + " " + text);
    }

    /** For logs. */
    final String requestLine() {
        try {
            return FieldText.escape(method() + " " + target() + " " + version());
        } catch (IllegalStateException e) {
            return "(ended)";
        } catch (Throwable e) {
            return "(unreadable)";
        }
    }

    final boolean isMethod(int token) {
        ByteBuffer open = slab;
        return open != null && open.getShort(head + Layout.HEAD_METHOD) == token;
    }

    final int headFlags() {
        return sound(Short.toUnsignedInt(open().getShort(head + Layout.HEAD_FLAGS)));
    }

    // ---- Request ----

    @Override
    public final String method() {
        ByteBuffer open = open();
        int token = sound(Short.toUnsignedInt(open.getShort(head + Layout.HEAD_METHOD)));
        return token != 0 ? Layout.method(token) : textAt(Layout.HEAD_METHOD_OFFSET);
    }

    @Override
    public final String target() {
        open();
        String text = target;
        if (text == null) {
            text = textAt(Layout.HEAD_TARGET_OFFSET, listener.targetCharset);
            target = text;
        }
        return text;
    }

    @Override
    public final String path() {
        ByteBuffer open = open();
        if (open.getLong(head + Layout.HEAD_PATH_OFFSET) == open.getLong(head + Layout.HEAD_TARGET_OFFSET)) {
            return target();
        }
        return textAt(Layout.HEAD_PATH_OFFSET, listener.targetCharset);
    }

    @Override
    public final String query() {
        int offset = open().getInt(head + Layout.HEAD_QUERY_OFFSET);
        return sound(offset) == 0 ? null : textAt(Layout.HEAD_QUERY_OFFSET, listener.targetCharset);
    }

    @Override
    public final HttpVersion version() {
        int number = sound(open().get(head + Layout.HEAD_VERSION));
        return switch (number) {
            case VERSION_1_0 -> HttpVersion.HTTP_1_0;
            case VERSION_2 -> HttpVersion.HTTP_2;
            default -> HttpVersion.HTTP_1_1;
        };
    }

    @Override
    public final String scheme() {
        return (headFlags() & Layout.HEAD_FLAG_HTTPS) != 0 ? "https" : "http";
    }

    @Override
    public final String authority() {
        int length = open().getInt(head + Layout.HEAD_AUTHORITY_LENGTH);
        return sound(length) == 0 ? null : textAt(Layout.HEAD_AUTHORITY_OFFSET);
    }

    @Override
    public final String protocol() {
        int length = open().getInt(head + Layout.HEAD_PROTOCOL_LENGTH);
        return sound(length) == 0 ? null : textAt(Layout.HEAD_PROTOCOL_OFFSET);
    }

    @Override
    public final Fields fields() {
        open();
        return new HeadFields(this);
    }

    @Override
    public final String field(String name) {
        return HeadFields.get(this, Objects.requireNonNull(name, "name"), 0);
    }

    @Override
    public final String field(FieldName name) {
        EncodedName encoded = (EncodedName) Objects.requireNonNull(name, "name");
        return HeadFields.get(this, encoded.lowerCase, encoded.token);
    }

    @Override
    public final long contentLength() {
        long length = open().getLong(head + Layout.HEAD_CONTENT_LENGTH);
        sound(0);
        return length;
    }

    @Override
    public final boolean acceptsTrailers() {
        return (headFlags() & Layout.HEAD_FLAG_TRAILERS) != 0 || isHttp2;
    }

    @Override
    public final boolean offersUpgrade(String protocol) {
        Objects.requireNonNull(protocol, "protocol");
        if ((headFlags() & Layout.HEAD_FLAG_UPGRADE) == 0) {
            return false;
        }
        for (String value : fields().all("upgrade")) {
            for (String offered : value.split(",", -1)) {
                if (!protocol.isEmpty() && FieldText.equalsIgnoreCase(FieldText.trim(offered), protocol)) {
                    return true;
                }
            }
        }
        return false;
    }

    @Override
    public final Connection connection() {
        ByteBuffer open = open();
        long info = open.getLong(head + Layout.HEAD_INFO);
        sound(0);
        return loop.connection(connectionId, info, this);
    }

    @Override
    public final EventLoop eventLoop() {
        return loop;
    }

    /** For logs: the request line while it can be read. */
    @Override
    public String toString() {
        ByteBuffer open = slab;
        return open == null ? String.valueOf(target) : requestLine();
    }
}
