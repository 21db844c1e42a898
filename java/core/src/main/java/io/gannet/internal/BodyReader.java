package io.gannet.internal;

import io.gannet.HttpException;
import io.gannet.RequestBody;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;

/**
 * The body of a request: blocks that C lent are held, within the receive credit, until somebody reads; then each is
 * copied to the heap and given back as it comes. All but {@code taken} is the loop thread's.
 */
final class BodyReader implements RequestBody {
    private static final byte[] NO_BYTES = {};
    private static final int FIRST_CAPACITY = 65536;
    private static final VarHandle TAKEN;

    static {
        try {
            TAKEN = MethodHandles.lookup().findVarHandle(BodyReader.class, "taken", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Exchange exchange;
    private final int defaultLimit;

    @SuppressWarnings("unused") // by TAKEN
    private boolean taken;

    /** Blocks and lengths, by turns, that C lent and nobody has read. */
    private long[] held = new long[4];

    private int heldCount;

    private CompletableFuture<byte[]> future;
    private int limit;
    private byte[] bytes = NO_BYTES;
    private int size;
    private HttpException failure;
    private HttpException refusal;

    BodyReader(Exchange exchange, int defaultLimit) {
        this.exchange = exchange;
        this.defaultLimit = defaultLimit;
    }

    @Override
    public CompletableFuture<byte[]> bytes() {
        return bytes(defaultLimit);
    }

    @Override
    public CompletableFuture<byte[]> bytes(int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("the limit of a body must not be negative: " + limit);
        }
        exchange.open();
        if (!TAKEN.compareAndSet(this, false, true)) {
            throw new IllegalStateException("the body was read already: " + exchange);
        }
        CompletableFuture<byte[]> result = new CompletableFuture<>();
        if (exchange.loop().inEventLoop()) {
            read(result, limit);
        } else if (!exchange.loop().offer(() -> read(result, limit))) {
            result.completeExceptionally(Reasons.exception(Layout.REASON_ABORTED));
        }
        return result;
    }

    @Override
    public CompletableFuture<String> text() {
        return text(defaultLimit);
    }

    @Override
    public CompletableFuture<String> text(int limit) {
        String type = exchange.field("content-type");
        CompletableFuture<String> text = new CompletableFuture<>();
        bytes(limit).whenComplete((body, failed) -> {
            if (failed != null) {
                text.completeExceptionally(failed);
                return;
            }
            Charset charset;
            try {
                charset = charset(type);
            } catch (IllegalArgumentException e) {
                text.completeExceptionally(new HttpException(
                        HttpException.Kind.PARSE,
                        415,
                        "unknown charset in Content-Type: " + FieldText.escape(type),
                        e));
                return;
            }
            String whole;
            try {
                whole = new String(body, charset);
            } catch (OutOfMemoryError full) {
                HttpException why = noMemory(full);
                text.completeExceptionally(why);
                exchange.loop().offer(() -> refuse(why));
                return;
            }
            text.complete(whole);
        });
        return text;
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

    private void read(CompletableFuture<byte[]> result, int most) {
        future = result;
        limit = most;
        if (failure != null) {
            result.completeExceptionally(failure);
            return;
        }
        if (exchange.isReleased()) {
            result.completeExceptionally(Reasons.bodyNotRead());
            return;
        }
        long declared = exchange.contentLength();
        if (declared > limit) {
            tooLarge("the body has " + declared + " bytes");
            return;
        }
        if (declared > 0 && !grow((int) Math.min(declared, FIRST_CAPACITY))) {
            return;
        }
        if (!exchange.isReceived() && (exchange.headFlags() & Layout.HEAD_FLAG_EXPECT_CONTINUE) != 0) {
            // The first credit makes C write 100 (Continue), RFC 9110 section 10.1.1.
            giveBack(0, ServerOptions.RECEIVE_CREDIT);
        }
        for (int i = 0; i < heldCount && failure == null; i++) {
            long block = held[2 * i];
            held[2 * i] = 0;
            copy(block, (int) held[2 * i + 1]);
        }
        if (failure == null) {
            heldCount = 0;
            if (exchange.isReceived()) {
                complete();
            }
        }
    }

    /** Body bytes have come, or the end. */
    void receive(long block, int length, boolean end) {
        if (future == null || failure != null) {
            hold(block, length);
            return;
        }
        copy(block, length);
        if (end && failure == null) {
            complete();
        }
    }

    private void hold(long block, int length) {
        if (block == 0) {
            return;
        }
        if (2 * heldCount == held.length) {
            try {
                held = Arrays.copyOf(held, 2 * held.length);
            } catch (OutOfMemoryError full) {
                giveBack(block, length);
                throw full;
            }
        }
        held[2 * heldCount] = block;
        held[2 * heldCount + 1] = length;
        heldCount++;
    }

    private void copy(long block, int length) {
        if (block == 0) {
            return;
        }
        if (length > limit - size) {
            hold(block, length);
            tooLarge("the body has more than " + limit + " bytes");
            return;
        }
        if (length > bytes.length - size) {
            long wanted = Math.max((long) size + length, 2L * bytes.length);
            if (!grow((int) Math.min(wanted, limit))) {
                giveBack(block, length);
                return;
            }
        }
        ByteBuffer slab = exchange.loop().slab(block);
        slab.get(Slabs.offset(block), bytes, size, length);
        size += length;
        giveBack(block, length);
    }

    private void complete() {
        if (size != bytes.length && !grow(size)) {
            return;
        }
        byte[] whole = bytes;
        bytes = NO_BYTES;
        try {
            future.complete(whole);
        } catch (Throwable thrown) {
            // A callback's own exception could not be wrapped: its toString() throws.
            exchange.drop(thrown);
        }
    }

    /** Gives the bytes another capacity; {@code false}: there is no memory, and the body has failed. */
    private boolean grow(int capacity) {
        try {
            bytes = Arrays.copyOf(bytes, capacity);
            return true;
        } catch (OutOfMemoryError full) {
            bytes = NO_BYTES;
            refuse(noMemory(full));
            return false;
        }
    }

    private static HttpException noMemory(OutOfMemoryError full) {
        return new HttpException(HttpException.Kind.LIMIT, 503, "there is no memory for the body", full);
    }

    private void tooLarge(String what) {
        refuse(new HttpException(HttpException.Kind.LIMIT, 413, what + ", the limit is " + limit, null));
    }

    private void refuse(HttpException why) {
        refusal = why;
        fail(why);
        if (exchange.isReturned()) {
            refuse();
        }
    }

    /** Whoever waited for the body was told that it is refused, if it is: where nobody answered, the server does. */
    void refuse() {
        if (refusal != null) {
            exchange.refuseBody(refusal);
        }
    }

    /** Whether the body is over the limit of its reader, or over the memory that there is. */
    boolean isRefused() {
        return refusal != null;
    }

    /** The body will not be complete; {@code true}: somebody waited for it. */
    boolean fail(HttpException why) {
        if (failure != null) {
            return false;
        }
        failure = why;
        bytes = NO_BYTES;
        try {
            return future != null && future.completeExceptionally(why);
        } catch (Throwable thrown) {
            Log.callbackFailed("a callback of a request body", thrown);
            return true;
        }
    }

    /** Gives back what C lent. */
    void giveBack() {
        for (int i = 0; i < heldCount; i++) {
            if (held[2 * i] != 0) {
                giveBack(held[2 * i], (int) held[2 * i + 1]);
            }
        }
        heldCount = 0;
    }

    private void giveBack(long block, int length) {
        exchange.loop().commands().plain(Layout.COMMAND_CREDIT, 0, exchange.id(), block, length);
    }
}
