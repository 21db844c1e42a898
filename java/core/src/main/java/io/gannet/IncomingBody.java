package io.gannet;

import java.util.concurrent.CompletableFuture;

/**
 * The body of a request (RFC 9110 section 6.4), without its transfer coding. It is read once, by one of the methods
 * below; a second call throws {@link IllegalStateException}. A body that is not read is discarded when the response was
 * sent.
 *
 * <p>The futures are completed on the loop's thread, so a callback that is chained to them without an executor runs
 * there and must not block. A body that breaks off or is malformed fails its future with an {@link HttpException}; the
 * exchange has ended then, and a response that is sent nevertheless goes nowhere. A body over its limit fails it with
 * one of kind {@link HttpException.Kind#LIMIT} and status 413; if no callback has sent another response by then, the
 * server answers with 413 (RFC 9110 section 15.5.14) and closes the connection.
 *
 * <p>What a callback throws nobody hears of: end the chain with {@link Response#fail}, or the client waits for ever.
 *
 * <pre>{@code
 * request.body().text().thenAccept(text -> response.send(reply(text))).whenComplete((done, failure) -> {
 *     if (failure != null) {
 *         response.fail(failure);
 *     }
 * });
 * }</pre>
 *
 * <p>Thread-safe. Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by
 * applications.
 */
public interface RequestBody {
    /**
     * All bytes of the body, up to the limit of the server ({@link HttpServer.Builder#maxBodyBytes(int)}, default 1
     * MiB).
     *
     * @return a future of the bytes, an empty array if there is no body; the array is the caller's
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<byte[]> bytes();

    /**
     * All bytes of the body, up to a limit.
     *
     * @param limit the most bytes to accept, exact: a body of {@code limit} bytes passes
     * @return a future of the bytes, an empty array if there is no body; the array is the caller's
     * @throws IllegalArgumentException if the limit is negative
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<byte[]> bytes(int limit);

    /**
     * The body as text, up to the limit of the server ({@link HttpServer.Builder#maxBodyBytes(int)}, default 1 MiB).
     * See {@link #text(int)}.
     *
     * @return a future of the text, empty if there is no body
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<String> text();

    /**
     * The body as text, in the {@code charset} that {@code Content-Type} names, in UTF-8 if it names none. What cannot
     * be decoded becomes U+FFFD; a charset that this JVM does not know fails the future with an {@link HttpException}
     * of status 415.
     *
     * @param limit the most bytes to accept before decoding, exact: a body of {@code limit} bytes passes
     * @return a future of the text, empty if there is no body
     * @throws IllegalArgumentException if the limit is negative
     * @throws IllegalStateException if the body was read before or the exchange has ended
     */
    CompletableFuture<String> text(int limit);
}
