package io.gannet.internal;

import io.gannet.HttpException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;

/** Gathers a body into one array, up to a limit. */
final class BodyBytes implements BodySink {
    private static final byte[] NO_BYTES = {};
    private static final int FIRST_CAPACITY = 65536;

    private final BodyReader reader;
    private final BufferedBodies bodies;
    private final int limit;
    private final long declaredLength;
    private final CompletableFuture<byte[]> future = new CompletableFuture<>();
    private byte[] bytes = NO_BYTES;
    private int size;

    BodyBytes(BodyReader reader, int limit, long declaredLength) {
        this.reader = reader;
        this.bodies = reader.bodies();
        this.limit = limit;
        this.declaredLength = declaredLength;
    }

    CompletableFuture<byte[]> future() {
        return future;
    }

    /**
     * The text of a body with a Content-Type.
     *
     * @throws HttpException if this JVM does not know the charset
     */
    static String text(byte[] body, String type) {
        Charset charset;
        try {
            charset = charset(type);
        } catch (IllegalArgumentException e) {
            throw new HttpException(
                    HttpException.Kind.PARSE, 415, "unknown charset in Content-Type: " + FieldText.escape(type), e);
        }
        return new String(body, charset);
    }

    /** The charset that a Content-Type names (RFC 9110 section 8.3.1), else UTF-8. */
    static Charset charset(String type) {
        if (type != null) {
            String[] parts = type.split(";");
            for (int i = 1; i < parts.length; i++) {
                int equals = parts[i].indexOf('=');
                if (equals > 0
                        && FieldText.equalsIgnoreCase(FieldText.trim(parts[i].substring(0, equals)), "charset")) {
                    String name = FieldText.trim(parts[i].substring(equals + 1));
                    if (name.length() >= 2 && name.startsWith("\"") && name.endsWith("\"")) {
                        name = name.substring(1, name.length() - 1);
                    }
                    return Charset.forName(name);
                }
            }
        }
        return StandardCharsets.UTF_8;
    }

    @Override
    public void begin() {
        if (declaredLength > limit) {
            tooLarge("the body has " + declaredLength + " bytes");
        } else if (declaredLength > 0) {
            grow((int) Math.min(declaredLength, FIRST_CAPACITY));
        }
    }

    @Override
    public boolean isReady() {
        return !future.isDone();
    }

    @Override
    public boolean isWaiting() {
        return !future.isDone();
    }

    @Override
    public boolean copy(ByteBuffer from, int offset, int length) {
        if (length > limit - size) {
            tooLarge("the body has more than " + limit + " bytes");
            return false;
        }
        if (length > bytes.length - size) {
            long wanted = Math.max((long) size + length, 2L * bytes.length);
            if (!grow((int) Math.min(wanted, limit))) {
                return false;
            }
        }
        from.get(offset, bytes, size, length);
        size += length;
        return true;
    }

    @Override
    public void pass() {}

    @Override
    public void end() {
        if (size != bytes.length && !grow(size)) {
            return;
        }
        byte[] whole = bytes;
        drop();
        reader.endRead();
        future.complete(whole);
    }

    @Override
    public boolean fail(HttpException why) {
        drop();
        size = 0;
        return future.completeExceptionally(why);
    }

    private void drop() {
        bodies.give(bytes.length);
        bytes = NO_BYTES;
    }

    /** Gives the bytes another capacity; {@code false}: there is no memory, and the body has failed. */
    private boolean grow(int capacity) {
        int before = bytes.length;
        if (!bodies.take(capacity - before)) {
            drop();
            bodies.countRefused();
            reader.refuse(new HttpException(
                    HttpException.Kind.LIMIT,
                    503,
                    "the bodies that are being read whole hold " + bodies.held() + " bytes, the limit is "
                            + bodies.limit,
                    null));
            return false;
        }
        try {
            bytes = Arrays.copyOf(bytes, capacity);
            return true;
        } catch (OutOfMemoryError full) {
            bodies.give(capacity - before);
            drop();
            reader.refuse(BodyReader.noMemory(full));
            return false;
        }
    }

    private void tooLarge(String what) {
        bodies.countRefused();
        reader.refuse(new HttpException(HttpException.Kind.LIMIT, 413, what + ", the limit is " + limit, null));
    }
}
