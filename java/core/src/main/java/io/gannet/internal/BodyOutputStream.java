package io.gannet.internal;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** A body for a thread that may wait. Not thread-safe, as its body is not. */
final class BodyOutputStream extends OutputStream {
    /** So many bytes are gathered before they are written. */
    static final int GATHERED = 8192;

    private final BodyWriter body;
    private final int most;
    private byte[] gathered;
    private int count;
    private boolean closed;
    private IOException failure;

    /** Gathers at most so many bytes; 0: what is written goes out at once. */
    BodyOutputStream(BodyWriter body, int most) {
        this.body = body;
        this.most = most;
    }

    /** Throws on a thread that must not wait. */
    static void checkThread() {
        if (Loop.isCurrent()) {
            throw new IllegalStateException(
                    "an OutputStream waits for the client, and must not be used on the thread of a"
                            + " loop: use stream() and write(), or dispatch the handler elsewhere");
        }
    }

    @Override
    public void write(int octet) throws IOException {
        checkOpen();
        if (most == 0) {
            put(ByteBuffer.wrap(new byte[] {(byte) octet}));
            return;
        }
        if (count == most) {
            writeGathered();
        }
        gathered()[count++] = (byte) octet;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        checkOpen();
        if (length > most - count) {
            writeGathered();
        }
        if (length >= most && length > 0) {
            put(ByteBuffer.wrap(bytes, offset, length));
        } else if (length > 0) {
            System.arraycopy(bytes, offset, gathered(), count, length);
            count += length;
        }
    }

    @Override
    public void flush() throws IOException {
        checkOpen();
        writeGathered();
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        if (failure == null) {
            writeGathered();
            body.end();
        }
        gathered = null;
    }

    private void checkOpen() throws IOException {
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure.getCause());
        }
        if (closed) {
            throw new IOException("the stream was closed");
        }
    }

    private byte[] gathered() {
        if (gathered == null) {
            gathered = new byte[most];
        }
        return gathered;
    }

    private void writeGathered() throws IOException {
        if (count > 0) {
            int length = count;
            count = 0;
            put(ByteBuffer.wrap(gathered, 0, length));
        }
    }

    private void put(ByteBuffer bytes) throws IOException {
        checkThread();
        CompletionStage<Void> written = body.write(bytes);
        if (written == BodyWriter.DONE) {
            return;
        }
        try {
            // It parks, and holds no monitor: a virtual thread leaves its carrier.
            written.toCompletableFuture().get();
        } catch (InterruptedException interrupted) {
            body.abort();
            Thread.currentThread().interrupt();
            failure = new InterruptedIOException("interrupted while the client took no bytes: the body was cut off");
            throw (InterruptedIOException) failure;
        } catch (ExecutionException failed) {
            Throwable why = failed.getCause();
            failure = new IOException("what was written cannot be sent: " + why.getMessage(), why);
            throw failure;
        }
    }
}
