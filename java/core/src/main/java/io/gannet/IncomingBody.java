package io.gannet;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Bytes that come from the peer: the body of a message (RFC 9110 section 6.4) without its transfer coding, or what comes
 * through a {@link Tunnel}. It is read once, by one of the methods below ({@link #trailers} reads nothing); a second call
 * of any of them throws {@link IllegalStateException}.
 *
 * <p>Nothing is read ahead of need: while its reader is slow, or there is none, the peer can send no more than 64 KiB
 * and what fits into the buffers of the kernel and of the loop, which with io_uring may have received more already. The
 * body of a request that nobody reads is discarded when the response was sent, and a client that asked with {@code
 * Expect: 100-continue} is told to go on by the first read (RFC 9110 section 10.1.1).
 *
 * <p>Futures are completed, and callbacks and subscribers called, on the loop's thread, whatever the {@link Dispatch} of
 * the handler; what is chained to them without an executor runs there and must not block. The exception is {@link
 * #inputStream}, which is for threads that may block.
 *
 * <p>A body that breaks off or is malformed ends with an {@link HttpException}; the exchange has ended then, and a
 * response that is sent nevertheless goes nowhere. One over the limit of {@link #bytes(int)} or {@link #text(int)} ends
 * with an exception of kind {@link HttpException.Kind#LIMIT} and status 413; if nobody has sent another response by then,
 * the server answers with 413 (RFC 9110 section 15.5.14) and closes the connection.
 *
 * <p>What has come through a tunnel can be read when the tunnel has ended; what is left of a body cannot be read when the
 * response was sent.
 *
 * <p>What a callback throws nobody hears of: give the chain to {@link Response#failIfFails}, or the client waits.
 * Completing or cancelling a future that a method returned leaves what has not come yet unread.
 *
 * <pre>{@code
 * response.failIfFails(request.body().text().thenAccept(text -> response.send(reply(text))));
 * }</pre>
 *
 * <p>Thread-safe. Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by
 * applications.
 */
public interface IncomingBody {
    /**
     * All bytes, up to the limit of the server ({@link HttpServer.Builder#maxBufferedBodyBytes}, default 1 MiB).
     *
     * @return a future of the bytes, an empty array if there are none; the array is the caller's
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<byte[]> bytes();

    /**
     * All bytes, up to a limit.
     *
     * @param limit the most bytes to accept, exact: a body of {@code limit} bytes passes
     * @return a future of the bytes, an empty array if there are none; the array is the caller's
     * @throws IllegalArgumentException if the limit is negative
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<byte[]> bytes(int limit);

    /**
     * All of it as text, up to the limit of the server ({@link HttpServer.Builder#maxBufferedBodyBytes}, default 1 MiB).
     * See {@link #text(int)}.
     *
     * @return a future of the text, empty if there is none
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<String> text();

    /**
     * All of it as text, in the {@code charset} that {@code Content-Type} names, in UTF-8 if it names none. What cannot
     * be decoded becomes U+FFFD; a charset that this JVM does not know fails the future with an {@link HttpException}
     * of status 415.
     *
     * @param limit the most bytes to accept before decoding, exact: a body of {@code limit} bytes passes
     * @return a future of the text, empty if there is none
     * @throws IllegalArgumentException if the limit is negative
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<String> text(int limit);

    /**
     * Reads the bytes as they come, without a limit, by a callback. The next chunk is not asked for before the callback
     * has returned.
     *
     * @param chunk is given each chunk, of at least one byte and at most 64 KiB, on the loop's thread; the buffer is the
     *     callback's to keep. If it throws, reading ends, and the future fails with what it threw
     * @return a future that is complete when all chunks were given
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<Void> forEach(Consumer<ByteBuffer> chunk);

    /**
     * Reads the bytes as they come, without a limit, by a callback that may be done with a chunk later: the next one is not
     * asked for before the stage that it returned is complete. So a slow consumer holds the peer up without a thread:
     *
     * <pre>{@code
     * response.failIfFails(request.body().forEachAsync(storage::append).thenRun(() -> response.send("stored")));
     * }</pre>
     *
     * @param chunk is given each chunk, of at least one byte and at most 64 KiB, on the loop's thread; the buffer is the
     *     callback's to keep. It returns a stage, which any thread may complete. If it throws, or returns {@code null}, or
     *     the stage fails, reading ends, and the future fails likewise
     * @return a future that is complete when all chunks were given and the last stage is complete
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<Void> forEachAsync(Function<ByteBuffer, ? extends CompletionStage<?>> chunk);

    /**
     * Reads all bytes and drops them, without a limit.
     *
     * @return a future of how many there were
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<Long> discard();

    /**
     * The bytes as a stream of buffers, without a limit, for one subscriber, which is signalled on the loop's thread. A
     * buffer has at least one byte and at most 64 KiB and is the subscriber's to keep. Cancelling leaves the rest of the
     * body unread. A second subscriber is given an {@link IllegalStateException}. A subscriber that throws fails the
     * exchange.
     *
     * @return the publisher
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    Flow.Publisher<ByteBuffer> publisher();

    /**
     * The bytes as a stream that waits for them, without a limit, for one thread that may block: a virtual thread, or
     * one of an executor. It throws what goes wrong as an {@link java.io.IOException} whose cause is the {@link
     * HttpException}, and {@link java.io.InterruptedIOException} when the thread is interrupted while it waits: the
     * stream is closed then, and the thread stays interrupted. Closing it leaves the rest of the body unread, and may be
     * done by any thread: one that waits in a read is told by an {@link java.io.IOException}.
     *
     * @return the stream, which buffers up to 64 KiB by itself; reading it on a thread of a loop throws {@link
     *     IllegalStateException}
     * @throws IllegalStateException if the body was read before or the exchange has ended, or on a thread of a loop
     */
    InputStream inputStream();

    /**
     * The trailer fields that came behind the body (RFC 9110 section 6.5). Fields that have no place there, such as those
     * about framing, routing and authentication, are left out.
     *
     * @return the fields, which outlive the exchange; empty if there were none
     * @throws IllegalStateException if the end of the body was not read yet; an {@link #inputStream} has read it when a
     *     read returned -1
     */
    Fields trailers();
}
