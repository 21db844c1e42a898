package io.gannet.internal;

import io.gannet.HttpException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A body for a thread that may wait. When the thread has read what it has, it asks the loop, and parks until the loop has
 * left an answer: all that has come by then in one array, the end, or what went wrong. One thread at a time asks, so one
 * answer is under way at most; after an interrupt, which leaves one without a taker, the stream is closed.
 */
final class BodyStream extends InputStream implements BodySink {
    private static final byte[] NO_BYTES = {};

    private final BodyReader reader;

    // ---- the reading thread's ----

    private final ReentrantLock turn = new ReentrantLock();
    private byte[] bytes = NO_BYTES;
    private int at;
    private boolean ended;
    private HttpException broken;

    // ---- between the two ----

    private volatile boolean closed;
    private volatile Thread waiter;

    /** Bytes, {@link #NO_BYTES} at the end, or an {@link HttpException}; {@code null}: none yet. */
    private volatile Object answer;

    /** The bytes of the answer are the last. */
    private boolean last;

    // ---- the loop's ----

    private boolean attached;
    private boolean asked;
    private boolean over;
    private HttpException failure;
    private byte[] gathered;
    private int size;

    BodyStream(BodyReader reader) {
        this.reader = reader;
    }

    // ---- the reading thread ----

    @Override
    public int read() throws IOException {
        turn.lock();
        try {
            return fill() ? bytes[at++] & 0xFF : -1;
        } finally {
            turn.unlock();
        }
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, to.length);
        if (length == 0) {
            return 0;
        }
        turn.lock();
        try {
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, bytes.length - at);
            System.arraycopy(bytes, at, to, offset, count);
            at += count;
            return count;
        } finally {
            turn.unlock();
        }
    }

    /** The bytes that have come and were not read; what asks for them does not wait for the peer. */
    @Override
    public int available() throws IOException {
        if (closed) {
            throw closedHere();
        }
        int inHand = 0;
        if (turn.tryLock()) {
            inHand = bytes.length - at;
            turn.unlock();
        }
        return inHand + reader.unread();
    }

    /** From any thread; a thread that waits in a read is woken and told. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        LockSupport.unpark(waiter);
        if (reader.loop().inEventLoop()) {
            reader.advance();
        } else {
            reader.loop().offer(reader::advance);
        }
    }

    /** There is a byte in hand; {@code false}: the body has ended. */
    private boolean fill() throws IOException {
        if (Loop.isCurrent()) {
            throw new IllegalStateException(
                    "the stream of a body waits for the peer, and must not be read on the thread of a loop");
        }
        if (closed) {
            throw closedHere();
        }
        if (at < bytes.length) {
            return true;
        }
        if (!ended && broken == null) {
            accept(ask());
        }
        if (broken != null) {
            throw new IOException(broken.getMessage(), broken);
        }
        if (at < bytes.length) {
            return true;
        }
        reader.endRead();
        return false;
    }

    private void accept(Object answered) {
        at = 0;
        if (answered instanceof byte[] come) {
            bytes = come;
            ended = last;
        } else {
            bytes = NO_BYTES;
            broken = (HttpException) answered;
        }
    }

    private Object ask() throws IOException {
        answer = null;
        waiter = Thread.currentThread();
        try {
            if (!reader.loop().offer(this::demand)) {
                return Reasons.exception(Layout.REASON_ABORTED);
            }
            for (Object come = answer; ; come = answer) {
                if (come != null) {
                    return come;
                }
                if (closed) {
                    throw closedHere();
                }
                if (Thread.currentThread().isInterrupted()) {
                    close();
                    throw new InterruptedIOException("interrupted while waiting for a body; its stream is closed");
                }
                LockSupport.park(this);
            }
        } finally {
            waiter = null;
        }
    }

    private static IOException closedHere() {
        return new IOException("the stream of the body was closed");
    }

    // ---- the loop's thread ----

    private void demand() {
        if (closed) {
            return;
        }
        asked = true;
        try {
            if (attached) {
                reader.advance();
            } else {
                attached = true;
                reader.attach(this);
            }
        } catch (OutOfMemoryError full) {
            reader.refuse(BodyReader.noMemory(full));
        }
        if (asked && failure != null) {
            tell(failure);
        } else if (asked && over) {
            tell(NO_BYTES);
        }
    }

    private void tell(Object what) {
        asked = false;
        last = over || what == NO_BYTES;
        answer = what;
        LockSupport.unpark(waiter);
    }

    @Override
    public boolean isReady() {
        return asked && !closed;
    }

    @Override
    public boolean copy(ByteBuffer from, int offset, int length) {
        if (gathered == null) {
            gathered = new byte[reader.unread()];
            size = 0;
        }
        from.get(offset, gathered, size, length);
        size += length;
        return true;
    }

    @Override
    public void pass() {
        if (size == gathered.length) {
            byte[] come = gathered;
            gathered = null;
            over = reader.isEnded();
            tell(come);
        }
    }

    @Override
    public void end() {
        over = true;
        if (asked) {
            tell(NO_BYTES);
        }
    }

    @Override
    public boolean fail(HttpException why) {
        if (over || closed) {
            return false;
        }
        failure = why;
        gathered = null;
        if (asked) {
            tell(why);
        }
        return true;
    }
}
