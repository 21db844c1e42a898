package io.gannet;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/**
 * The response to a request (RFC 9110 section 3.4): a status, fields, and a body. A {@code send} method, {@link #stream},
 * {@link #outputStream}, {@link #upgrade}, {@link #acceptConnect} or {@link #fail} commits it; until then it may be
 * changed, afterwards every change and every further one of these throws {@link IllegalStateException}.
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
     * Sets the status code and the reason phrase, which HTTP/1.1 sends with it for people to read (RFC 9112 section 4)
     * and HTTP/2 does not. The default is the registered phrase of the code, if there is one.
     *
     * @param code as {@link #status(int)} says
     * @param reason the phrase, of the characters HTAB, U+0020 to U+007E and U+0080 to U+00FF; may be empty
     * @return this
     * @throws IllegalArgumentException if the code or a character of the phrase is not acceptable
     * @throws IllegalStateException if the response was sent
     */
    Response status(int code, String reason);

    /**
     * Adds a field behind those that are there.
     *
     * <p>Some names are not sent as they stand. {@code Content-Length} declares the length of the body: it must be that
     * of what is sent, but for HEAD and 304. {@code Connection: close} closes the connection after the response, and
     * {@code Connection: keep-alive} and {@code Keep-Alive} say what is so already; other connection options are
     * refused. {@code Transfer-Encoding} names the codings that the body has: {@code chunked} is added by the server
     * where it is not there, and asks for it even where the length is known; to an HTTP/1.0 client the field does not go
     * out (RFC 9112 section 6.1). Over HTTP/2 none of them goes out but {@code Content-Length} (RFC 9113 section 8.2.2);
     * {@code Connection: close} ends such a connection as {@link Connection#close} does: its other requests are finished.
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
     * Sends a response that was prepared, instead of this one: nothing of what was set here goes out, but for {@code
     * Connection: close}.
     *
     * @param prepared the response
     * @throws IllegalStateException if it was sent before
     */
    void send(PreparedResponse prepared);

    /**
     * Sends the response with a body that a publisher gives. The head goes out with the first buffer; or at the end, if
     * there is no buffer, and then says that the body is empty. So a publisher that fails before its first buffer is
     * answered with a status, as by {@link #fail}; one that fails later cuts the response off, and the client sees that it
     * is not complete. If the exchange breaks, or no body goes out, as for HEAD, the publisher is cancelled. With {@code
     * Content-Length} set the buffers must add up to it; anything else is such a failure, an {@link IllegalStateException}.
     *
     * @param publisher gives the buffers of the body, which are lent until the next one is asked for; it is subscribed to
     *     at once, on the calling thread
     * @throws IllegalStateException if it was sent before
     */
    void send(Flow.Publisher<? extends ByteBuffer> publisher);

    /**
     * Sends the head, and gives the body to be written chunk by chunk. If {@code Content-Length} was set the body must have
     * that length; else HTTP/1.1 sends it in chunks, and an HTTP/1.0 client reads it to the end of the connection (RFC
     * 9112 section 6); HTTP/2 says with the last frame that it is the last. What is written for HEAD, or with status 204, 205 and 304, is dropped.
     *
     * <p>The head goes out at once, so that a later failure can only cut the response off, and a client that waits for 100
     * (Continue) is never told to send its body: where the request has one, begin to read it before.
     *
     * @return the body
     * @throws IllegalStateException if it was sent before
     */
    OutgoingBody stream();

    /**
     * The body as a stream for a thread that may block: a virtual thread, or one of an executor. The head goes out when 8
     * KiB were written, or at {@link OutputStream#flush}; a body that is closed before has its length known, and says so
     * by {@code Content-Length}. {@link OutgoingBody#outputStream} says what it throws.
     *
     * @return the stream
     * @throws IllegalStateException if it was sent before, or on a thread of a loop
     */
    OutputStream outputStream();

    /**
     * Sends an interim response ahead of the final one (RFC 9110 section 15.2), any number of them: 103 with {@code Link}
     * fields, for example. To an HTTP/1.0 client none goes out, and to HEAD only 100: nginx before 1.29 would take another
     * one for the final response, and send the next client what follows.
     *
     * @param code 100 to 199, but not 101, which {@link #upgrade} sends
     * @param fields its fields, as {@link #addField(String, String)} takes them, but without those about framing and the
     *     connection
     * @throws IllegalArgumentException if the code is none of an interim response, or a field is not acceptable
     * @throws IllegalStateException if the response was sent, or there are more than 64 KiB of fields
     */
    void sendInterim(int code, Field... fields);

    /**
     * Changes to a protocol that the client offers (RFC 9110 section 7.8): sends 101 with the fields that were set, and
     * takes the connection over. HTTP/2 has no such change (RFC 9113 section 8.6); what comes in its place is extended
     * CONNECT ({@link Request#protocol}).
     *
     * @param protocol the name of the protocol, which goes out as {@code Upgrade}
     * @return the connection, now without HTTP
     * @throws IllegalArgumentException if {@code protocol} is not one that the client offers ({@link
     *     Request#offersUpgrade})
     * @throws IllegalStateException if the response was sent, the request has a body that was not read to its end, or it
     *     came over HTTP/2
     */
    Tunnel upgrade(String protocol);

    /**
     * Answers CONNECT with 200, or the 2xx status that was set, and takes the connection over (RFC 9110 section 9.3.6); over
     * HTTP/2 its stream alone (RFC 9113 section 8.5), also for {@link Request#protocol extended CONNECT}.
     *
     * @return the connection or the stream, now without HTTP
     * @throws IllegalStateException if the response was sent, the method is not CONNECT, or {@code Content-Length} or
     *     {@code Transfer-Encoding} was set, which a tunnel cannot have
     */
    Tunnel acceptConnect();

    /**
     * Tells when the last byte of the response is with the kernel: it then needs nothing more of this program. It does not
     * say that it has arrived. To be called before the response is sent.
     *
     * @return completed on the loop's thread when the response was sent; fails with an {@link HttpException} if it will
     *     not be; the same object each time
     * @throws IllegalStateException if the response was sent before the first call
     */
    CompletionStage<Void> onSent();

    /**
     * Ends the response with a failure, as if the handler had thrown it: for code that runs when the handler has
     * returned, where nobody would see an exception, on any thread. {@link Handler} says what is answered, logged and
     * counted. A response of which a part has gone out is cut off, and the client sees that it is not complete. If the
     * response was completely sent, or this was called before, it does nothing but log at {@code DEBUG}.
     *
     * <p>A {@link java.util.concurrent.CompletionException} stands for its cause. {@link #failIfFails} does this for a
     * chain of futures.
     *
     * @param failure what went wrong; an {@link HttpException} for an answer with its status
     */
    void fail(Throwable failure);

    /**
     * Ends the response with the failure of a stage, as by {@link #fail}, if the stage fails; else it does nothing. It is
     * for the end of a chain of futures, whose failure nobody would see:
     *
     * <pre>{@code
     * response.failIfFails(database.find(id).thenAccept(found -> response.send(found.text())));
     * }</pre>
     *
     * @param stage what the response depends on; any thread may complete it
     */
    void failIfFails(CompletionStage<?> stage);

    /**
     * Whether the response is committed, by a {@code send} or another of the methods above. It says nothing of what has
     * gone out, which {@link #onSent} tells. May be asked from any thread at any time.
     *
     * @return {@code true} once the response is committed
     */
    boolean isCommitted();

    /**
     * The loop that serves the connection.
     *
     * @return the loop
     */
    EventLoop eventLoop();
}
