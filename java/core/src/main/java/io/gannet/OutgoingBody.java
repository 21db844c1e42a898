package io.gannet;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/**
 * Bytes on their way to the peer, chunk by chunk: the body of a message whose head is out, or what goes through a {@link
 * Tunnel}.
 *
 * <p>At most 64 KiB wait for the peer, or over HTTP/2 {@link Http2.Builder#sendBufferBytes}; what exceeds that stays with the writer, whose {@code write} is then not complete.
 * One {@code write} may be incomplete at a time: a writer that does not wait for it is told so by {@link
 * IllegalStateException}, so a peer that does not read stops the writer. Until the write is complete its buffer is lent:
 * it must not be changed.
 *
 * <pre>{@code
 * OutgoingBody body = response.stream();
 * body.write("first, ").thenCompose(done -> body.write("second")).thenRun(body::end);
 * }</pre>
 *
 * <p>If the exchange breaks, a write fails with an {@link HttpException}, the one in progress and each one after it.
 *
 * <p>May be used from any thread, but by one thread at a time. Implemented by Gannet: it may gain methods in any release,
 * and is not meant to be implemented by applications.
 */
public interface OutgoingBody {
    /**
     * Writes the remaining bytes of a buffer, whose position is then its limit.
     *
     * @param bytes the bytes, lent until the write is complete
     * @return complete, on the calling thread or the loop's, when more may be written; fails with an {@link
     *     HttpException} if the exchange broke
     * @throws IllegalStateException if the write before is not complete, the body was ended, or there are more bytes
     *     than {@code Content-Length} declared; then none of these bytes goes out
     */
    CompletionStage<Void> write(ByteBuffer bytes);

    /**
     * Writes bytes.
     *
     * @param bytes the bytes, lent until the write is complete
     * @return as {@link #write(ByteBuffer)} says
     * @throws IllegalStateException as {@link #write(ByteBuffer)} says
     */
    CompletionStage<Void> write(byte[] bytes);

    /**
     * Writes a text in UTF-8.
     *
     * @param text the text
     * @return as {@link #write(ByteBuffer)} says
     * @throws IllegalStateException as {@link #write(ByteBuffer)} says
     */
    CompletionStage<Void> write(String text);

    /**
     * Writes everything that a publisher gives, and ends. If the publisher fails, the body is cut off as by {@link
     * Response#fail} and the peer sees that it is not complete; if the exchange breaks, the publisher is cancelled. It is
     * cancelled at once where no body goes out, as for HEAD. Until it ends nobody else writes to this body or ends it;
     * {@link #abort} and {@link #addTrailer} are allowed.
     *
     * @param publisher gives buffers, which are lent until the next one is asked for
     * @return complete when all was written; fails with what the publisher failed with, with an {@link HttpException} if the
     *     exchange broke, or with an {@link IllegalStateException} if the buffers do not add up to {@code Content-Length},
     *     which cuts the body off
     * @throws IllegalStateException if the write before is not complete, the body was ended, or another publisher writes
     */
    CompletionStage<Void> writeAll(Flow.Publisher<? extends ByteBuffer> publisher);

    /**
     * A view of this body for a thread that may block: a virtual thread, or one of an executor. The body of a message is
     * gathered, up to 8 KiB, until {@link OutputStream#flush} or {@link OutputStream#close}. A tunnel gathers nothing: each
     * write goes out at once, so that {@link java.io.InputStream#transferTo} passes on what it reads; for many small writes
     * put a {@link java.io.BufferedOutputStream} in front.
     *
     * <p>A write that the peer does not take waits; {@code close} ends the body. It throws an {@link java.io.IOException}
     * with the {@link HttpException} as its cause if the exchange breaks, and {@link java.io.InterruptedIOException} when
     * the thread is interrupted while it waits; the thread stays interrupted, and the body is cut off. A stream that is
     * closed ends the body, also one that try-with-resources closes because of a failure: where that must not look complete,
     * {@link #abort} before.
     *
     * @return the stream, the same one each time; it throws {@link IllegalStateException} where a write would, and on a
     *     thread of a loop
     * @throws IllegalStateException on a thread of a loop
     */
    OutputStream outputStream();

    /**
     * Adds a trailer field, to be sent behind the body (RFC 9110 section 6.5): if the client accepts trailers ({@link
     * Request#acceptsTrailers}) or {@link #insistOnTrailers} was called. Not of a tunnel.
     *
     * @param name the name; not one about framing, routing, authentication or the content, which have no place in
     *     trailers (RFC 9110 section 6.5.1)
     * @param value the value, as {@link Response#addField(String, String)} says
     * @return this
     * @throws IllegalArgumentException if the name is not a token or has no place in trailers, or the value has a
     *     character that it must not have
     * @throws IllegalStateException if the body was ended, is that of a tunnel, or has over HTTP/1 a declared length,
     *     behind which there is no room for trailers; or if there are more than 64 KiB of them
     */
    OutgoingBody addTrailer(String name, String value);

    /**
     * Sends the trailers also to an HTTP/1.1 client that did not say that it accepts them. An HTTP/1.0 client never gets
     * any.
     *
     * @return this
     */
    OutgoingBody insistOnTrailers();

    /**
     * Ends the body. Of a tunnel, it ends this direction: the peer reads the end, and can go on sending. What was written
     * goes out first, also if a write is not complete. A second call does nothing. A response of which the client has all
     * that it gets (to HEAD, with 204, 205 or 304, or as much as {@code Content-Length} declared) holds up no later request
     * of its connection until this is called; of more than 16 of these on a connection the oldest is aborted.
     *
     * @throws IllegalStateException if fewer bytes were written than {@code Content-Length} declared: the response is cut
     *     off, and the client sees that it is not complete
     */
    void end();

    /**
     * Breaks it off: over HTTP/1 the connection is closed in such a way that the peer does not take the body for complete,
     * over HTTP/2 the stream is reset with {@link Http2Error#CANCEL}. Where the peer has all that it is to get, as for HEAD, or with as many bytes as {@code Content-Length} says, the
     * connection goes on.
     * After the end it does nothing, but for a tunnel, which it ends both ways as {@link Tunnel#abort} does.
     */
    void abort();

    /**
     * Breaks it off as {@link #abort()} does, and tells an HTTP/2 client why (RFC 9113 section 7): of a tunnel whose
     * other end broke, {@link Http2Error#CONNECT_ERROR}, for example. Over HTTP/1 it is the same as {@link #abort()}.
     *
     * @param error what the client is told
     * @throws IllegalArgumentException if it is {@link Http2Error#NO_ERROR}, which says that nothing was broken off
     */
    void abort(Http2Error error);
}
