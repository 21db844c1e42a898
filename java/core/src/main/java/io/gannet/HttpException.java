package io.gannet;

import java.util.Objects;

/**
 * What went wrong with an exchange, told apart by {@link #kind()}.
 *
 * <p>A handler throws one to answer with a status: {@code throw new HttpException(404, "no such user")}. The fields
 * that it has set on the response go out with it: {@code WWW-Authenticate} with 401 (RFC 9110 section 15.5.2), {@code
 * Allow} with 405, {@code Retry-After} with 503. {@link Handler} says which do not.
 */
public class HttpException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** What kind of thing went wrong. */
    public enum Kind {
        /** A handler asks for a status. */
        STATUS,
        /** What the peer sent is not HTTP. Sending the same again will not help. */
        PARSE,
        /** The peer was too slow. */
        TIMEOUT,
        /** The peer closed the connection, or it broke. */
        CLOSED,
        /** The exchange was ended, not the connection: by the peer or by this side. */
        RESET,
        /** A limit was passed, or memory is short. */
        LIMIT
    }

    /** What kind of thing went wrong. */
    private final Kind kind;

    /** The status code that answers it. */
    private final int status;

    /** The error of HTTP/2 that it comes from, or asks for; may be {@code null}. */
    private final Http2Error http2Error;

    /**
     * An answer with a status.
     *
     * @param status the status code, 400 to 599
     * @param message the text that is sent as the body, and logged; {@code null} for no body
     * @throws IllegalArgumentException if the status is none of an error
     */
    public HttpException(int status, String message) {
        this(Kind.STATUS, status, message, null);
    }

    /**
     * An answer with a status.
     *
     * @param status the status code, 400 to 599
     * @param message the text that is sent as the body, and logged; {@code null} for no body
     * @param cause what led to it, for the log; may be {@code null}
     * @throws IllegalArgumentException if the status is none of an error
     */
    public HttpException(int status, String message, Throwable cause) {
        this(Kind.STATUS, status, message, cause);
    }

    /**
     * An error of any kind.
     *
     * @param kind the kind
     * @param status the status code that answers it, 400 to 599
     * @param message what happened; may be {@code null}
     * @param cause what led to it; may be {@code null}
     * @throws IllegalArgumentException if the status is none of an error
     */
    public HttpException(Kind kind, int status, String message, Throwable cause) {
        this(Objects.requireNonNull(kind, "kind"), null, status, message, cause);
    }

    /**
     * An error that resets its stream, where that is all that is left to do: thrown by a handler or given to {@link
     * Response#fail} when the response has begun, it tells an HTTP/2 client this error (RFC 9113 section 7). Before, and
     * over HTTP/1, it is an answer with the status or a cut connection, as any other one.
     *
     * @param error what the client is told; {@link Http2Error#NO_ERROR} counts as {@link Http2Error#INTERNAL_ERROR}
     * @param status the status code that answers it, 400 to 599
     * @param message what happened; may be {@code null}
     * @param cause what led to it; may be {@code null}
     * @throws IllegalArgumentException if the status is none of an error
     */
    public HttpException(Http2Error error, int status, String message, Throwable cause) {
        this(Kind.RESET, Objects.requireNonNull(error, "error"), status, message, cause);
    }

    private HttpException(Kind kind, Http2Error error, int status, String message, Throwable cause) {
        super(message, cause);
        if (status < 400 || status > 599) {
            throw new IllegalArgumentException("status of an error must be 400 to 599: " + status);
        }
        this.kind = kind;
        this.http2Error = error;
        this.status = status;
    }

    /**
     * What kind of thing went wrong.
     *
     * @return the kind
     */
    public Kind kind() {
        return kind;
    }

    /**
     * The status code that answers a request which ends with this error.
     *
     * @return the status code, 400 to 599
     */
    public int status() {
        return status;
    }

    /**
     * With what the peer has reset the stream, if it did (RFC 9113 section 7): then {@link #kind} is {@link Kind#RESET}.
     *
     * @return the error; {@code null} if this is about something else, or over HTTP/1
     */
    public Http2Error http2Error() {
        return http2Error;
    }
}
