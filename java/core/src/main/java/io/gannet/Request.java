package io.gannet;

import java.util.concurrent.CompletionStage;

/**
 * A request (RFC 9110 section 3.4).
 *
 * <p>It is readable from any thread for as long as its exchange lasts: until the handler has returned <em>and</em> the
 * response was sent completely, or was given up. After that, every method throws {@link IllegalStateException}; take
 * what you need later before you send.
 *
 * <p>Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by applications.
 */
public interface Request {
    /**
     * The method, as received: methods are case-sensitive (RFC 9110 section 9.1).
     *
     * @return for example {@code GET}
     */
    String method();

    /**
     * The request target, as received (RFC 9112 section 3.2). It is ASCII; where {@link Leniency#UTF_8_TARGETS} is
     * allowed, this and {@link #path} and {@link #query} have the characters that came as UTF-8, beside those that are
     * percent-encoded.
     *
     * <p>HTTP/2 has the path and the query in its place ({@code :path}, RFC 9113 section 8.3.1), and for CONNECT the
     * authority.
     *
     * @return for example {@code /search?q=gannet}; in absolute-form for example {@code http://example.com/}; {@code *};
     *     for CONNECT, in authority-form, for example {@code example.com:443}
     */
    String target();

    /**
     * The path of the target, as received, that is not decoded, without the query.
     *
     * @return for example {@code /search}; {@code *} for {@code OPTIONS *}; empty where an absolute-form target has no
     *     path, and for CONNECT without a {@link #protocol}
     */
    String path();

    /**
     * The query of the target, as received, that is not decoded, without the question mark.
     *
     * @return for example {@code q=gannet}, or {@code null} if the target has no question mark, as for CONNECT
     */
    String query();

    /**
     * The version that the client speaks.
     *
     * @return the version
     */
    HttpVersion version();

    /**
     * The scheme of the target: of an absolute-form target its own, over HTTP/2 what the client says, else that of the
     * connection.
     *
     * @return {@code http} or {@code https}
     */
    String scheme();

    /**
     * Who is asked: the authority of an absolute-form target, else the value of {@code Host} (RFC 9112 section 3.3); over
     * HTTP/2 {@code :authority}, else {@code Host} (RFC 9113 section 8.3.1). For CONNECT, which names the host and port to
     * connect to, the target (RFC 9110 section 9.3.6).
     *
     * @return for example {@code example.com:8080}, or {@code null} if the client did not say
     */
    String authority();

    /**
     * The protocol of an extended CONNECT (RFC 8441 section 4): what the tunnel will carry that {@link
     * Response#acceptConnect} opens. There are such requests over HTTP/2 alone, and where {@link
     * Http2.Builder#extendedConnect} is on.
     *
     * @return for example {@code websocket}; {@code null} for any other request
     */
    String protocol();

    /**
     * The fields of the head.
     *
     * @return a view that ends with the exchange
     */
    Fields fields();

    /**
     * The value of the first field of a name.
     *
     * @param name the name, in any case
     * @return the value, or {@code null} if there is no such field
     */
    String field(String name);

    /**
     * The value of the first field of a name; faster than {@link #field(String)}.
     *
     * @param name the name
     * @return the value, or {@code null} if there is no such field
     */
    String field(FieldName name);

    /**
     * The length of the body in bytes as the client declared it by {@code Content-Length}.
     *
     * @return the length, or -1 if none was declared: there is no body then, or it is chunked
     */
    long contentLength();

    /**
     * The body. It exists for every request; without content it is empty.
     *
     * @return the body, the same object each time
     */
    IncomingBody body();

    /**
     * Whether the client takes trailers behind a response: it said so ({@code TE: trailers}, RFC 9110 section 10.1.4), or
     * speaks HTTP/2, where they need no announcement.
     *
     * @return {@code true} if it does
     */
    boolean acceptsTrailers();

    /**
     * Whether the client offers to change to a protocol, by {@code Upgrade} (RFC 9110 section 7.8). HTTP/2 has no such
     * offer (RFC 9113 section 8.6); see {@link #protocol}.
     *
     * @param protocol the name of the protocol, for example {@code websocket}, compared without regard to case
     * @return {@code true} if {@link Response#upgrade} may be called with it
     */
    boolean offersUpgrade(String protocol);

    /**
     * Tells when the exchange breaks before its response was sent: the client went away, its body was malformed, or a
     * time limit was passed. A client that only ended its sending side still waits for its response, and is not gone,
     * unless {@link HttpServer.Builder#halfClose} is off.
     *
     * @return completed on the loop's thread with what happened; never, if it does not; the same object each time
     */
    CompletionStage<HttpException> onDisconnect();

    /**
     * The connection that the request came on.
     *
     * @return the connection, the same object for all requests of a connection
     */
    Connection connection();

    /**
     * The loop that serves the connection.
     *
     * @return the loop
     */
    EventLoop eventLoop();
}
