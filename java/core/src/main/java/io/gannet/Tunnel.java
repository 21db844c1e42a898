package io.gannet;

/**
 * A connection that was taken over from HTTP: by {@link Response#upgrade} (RFC 9110 section 7.8) or {@link
 * Response#acceptConnect} (RFC 9110 section 9.3.6). Bytes go both ways as they are, each way with its own end and its own
 * back-pressure. Over HTTP/2 it is one stream of its connection, on which others go on, and everything here is about that
 * stream. It lasts until both ways have ended, whatever becomes of the handler; without a byte in either direction
 * it is ended after {@link HttpServer.Builder#tunnelIdleTimeout}. A server that closes leaves tunnels alone until its
 * deadline.
 *
 * <p>Thread-safe; each way may be used by a thread of its own, and says what else it allows. Implemented by Gannet: it may gain methods in any release, and is not meant to be
 * implemented by applications.
 */
public interface Tunnel {
    /**
     * What the peer sends, beginning with what it sent right behind its request.
     *
     * @return the bytes, the same object each time
     */
    IncomingBody input();

    /**
     * What goes to the peer.
     *
     * @return the bytes, the same object each time
     */
    OutgoingBody output();

    /**
     * Ends both ways at once; what was not sent is lost. A second call does nothing. {@link
     * OutgoingBody#abort(Http2Error)} of the output does the same, and tells an HTTP/2 client why.
     */
    void abort();
}
