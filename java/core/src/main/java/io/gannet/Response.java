package io.gannet;

import java.nio.ByteBuffer;

/**
 * The response to a request (RFC 9110 section 3.4): a status, fields, and a body. A {@code send} method or {@link
 * #fail} commits it; until then it may be changed, afterwards every change and every further {@code send} throws
 * {@link IllegalStateException}.
 *
 * <p>It may be completed after the handler has returned and from any thread, but by one thread at a time. On the loop's
 * own thread a {@code send} takes effect at once, from another it is handed to the loop. No {@code send} blocks,
 * whatever the size of the body: what the peer cannot take yet waits. If the client is gone a {@code send} does
 * nothing, and is no error.
 *
 * <p>Framing is the server's: it writes {@code Content-Length}, {@code Transfer-Encoding}, {@code Connection}, and
 * {@code Date} unless the handler sets one (RFC 9110 section 6.6.1). No body goes out for HEAD, and with status 204,
 * 205 and 304 (RFC 9110 section 6.4.1), whatever is sent.
 *
 * <p>Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by applications.
 */
public interface Response {
    /**
     * Sets the status code (RFC 9110 section 15). The default is 200.
     *
     * @param code 200 to 999; codes without a registered meaning are sent without a reason phrase
     * @return this
     * @throws IllegalArgumentException if the code is not of three digits, or 1xx: interim responses and 101 do not go
     *     out through a final response (RFC 9110 section 15.2)
     * @throws IllegalStateException if the response was sent
     */
    Response status(int code);

    /**
     * Adds a field behind those that are there.
     *
     * <p>Some names are not sent as they stand. {@code Content-Length} declares the length of the body: it must be that
     * of what is sent, but for HEAD and 304. {@code Connection: close} closes the connection after the response, and
     * {@code Connection: keep-alive} and {@code Keep-Alive} say what is so already; other connection options are
     * refused. {@code Transfer-Encoding: chunked} is accepted and left to the server's choice; other codings are
     * refused.
     *
     * @param name the name, a token (RFC 9110 section 5.1); its case is kept
     * @param value the value, of the characters HTAB, U+0020 to U+007E and U+0080 to U+00FF (RFC 9110 section 5.5);
     *     the latter go out as one byte each, and white space around the value does not go out
     * @return this
     * @throws IllegalArgumentException if the name is not a token, or the value has another character (a line break for
     *     example), or is not acceptable as above; the message names the field and the place
     * @throws IllegalStateException if the response was sent, or there are more than 64 KiB of fields
     */
    Response addField(String name, String value);

    /**
     * Adds a field behind those that are there; faster than {@link #addField(String, String)}.
     *
     * @param name the name
     * @param value the value, as {@link #addField(String, String)} says
     * @return this
     * @throws IllegalArgumentException as {@link #addField(String, String)} says
     * @throws IllegalStateException as {@link #addField(String, String)} says
     */
    Response addField(FieldName name, String value);

    /**
     * Removes all fields of a name and adds one.
     *
     * @param name the name, as {@link #addField(String, String)} says
     * @param value the value, as {@link #addField(String, String)} says
     * @return this
     * @throws IllegalArgumentException as {@link #addField(String, String)} says
     * @throws IllegalStateException as {@link #addField(String, String)} says
     */
    Response setField(String name, String value);

    /**
     * Removes all fields of a name and adds one.
     *
     * @param name the name
     * @param value the value, as {@link #addField(String, String)} says
     * @return this
     * @throws IllegalArgumentException as {@link #addField(String, String)} says
     * @throws IllegalStateException as {@link #addField(String, String)} says
     */
    Response setField(FieldName name, String value);

    /**
     * Removes all fields of a name, if there are any.
     *
     * @param name the name, as {@link #addField(String, String)} says
     * @return this
     * @throws IllegalArgumentException if the name is not a token
     * @throws IllegalStateException if the response was sent
     */
    Response removeField(String name);

    /**
     * Removes all fields of a name, if there are any.
     *
     * @param name the name
     * @return this
     * @throws IllegalStateException if the response was sent
     */
    Response removeField(FieldName name);

    /**
     * Sends the response without a body.
     *
     * @throws IllegalStateException if it was sent before, or a {@code Content-Length} other than 0 was declared where
     *     there would be a body
     */
    void send();

    /**
     * Sends the response with a text as its body, in UTF-8, and with {@code Content-Type: text/plain; charset=utf-8}
     * unless that field is set.
     *
     * @param text the body
     * @throws IllegalStateException if it was sent before, or another {@code Content-Length} was declared
     */
    void send(String text);

    /**
     * Sends the response with bytes as its body. The array is lent, not copied: it must not be changed until the
     * response has gone out.
     *
     * @param bytes the body
     * @throws IllegalStateException if it was sent before, or another {@code Content-Length} was declared
     */
    void send(byte[] bytes);

    /**
     * Sends the response with the remaining bytes of a buffer as its body. They are copied before this method returns,
     * and the buffer's position is then its limit.
     *
     * @param buffer the body
     * @throws IllegalStateException if it was sent before, or another {@code Content-Length} was declared
     */
    void send(ByteBuffer buffer);

    /**
     * Ends the response with a failure, as if the handler had thrown it: for code that runs when the handler has
     * returned, where nobody would see an exception, on any thread. {@link Handler} says what is answered, logged and
     * counted. A response of which a part has gone out is cut off, and the client sees that it is not complete. If the
     * response was completely sent, or this was called before, it does nothing but log at {@code DEBUG}.
     *
     * <p>A {@link java.util.concurrent.CompletionException} stands for its cause, so that this can end a chain of
     * futures:
     *
     * <pre>{@code
     * database.find(id).thenAccept(found -> response.send(found.text())).whenComplete((done, failure) -> {
     *     if (failure != null) {
     *         response.fail(failure);
     *     }
     * });
     * }</pre>
     *
     * @param failure what went wrong; an {@link HttpException} for an answer with its status
     */
    void fail(Throwable failure);

    /**
     * Whether a {@code send} or {@link #fail} was called. It says nothing of what has arrived at the client.
     *
     * @return {@code true} once the response is committed
     */
    boolean isSent();

    /**
     * The loop that serves the connection.
     *
     * @return the loop
     */
    EventLoop eventLoop();
}
