package io.gannet.internal;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Objects;

/**
 * The body of a response whose head waits: until it is known whether the body is short, and so how long it is. Not
 * thread-safe, as the response is not.
 */
final class ResponseStream extends OutputStream {
    private final ExchangeResponse response;
    private byte[] gathered = new byte[BodyOutputStream.GATHERED];
    private int count;

    /** What goes on when the head is out; {@code null}: it is not. */
    private OutputStream body;

    private boolean closed;

    ResponseStream(ExchangeResponse response) {
        this.response = response;
    }

    @Override
    public void write(int octet) throws IOException {
        checkOpen();
        if (body == null && count == gathered.length) {
            open();
        }
        if (body == null) {
            gathered[count++] = (byte) octet;
        } else {
            body.write(octet);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        checkOpen();
        if (body == null && length > gathered.length - count) {
            open();
        }
        if (body == null) {
            System.arraycopy(bytes, offset, gathered, count, length);
            count += length;
        } else {
            body.write(bytes, offset, length);
        }
    }

    @Override
    public void flush() throws IOException {
        checkOpen();
        if (body == null) {
            open();
        }
        body.flush();
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        if (body != null) {
            body.close();
        } else {
            response.send(Arrays.copyOf(gathered, count));
            gathered = null;
        }
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the stream was closed");
        }
    }

    private void open() throws IOException {
        BodyOutputStream.checkThread();
        body = response.stream().outputStream();
        byte[] before = gathered;
        gathered = null;
        body.write(before, 0, count);
    }
}
