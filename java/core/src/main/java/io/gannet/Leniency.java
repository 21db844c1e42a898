package io.gannet;

/**
 * What a server lets in that it refuses otherwise ({@link HttpServer.Builder#allow}), for clients that cannot be mended.
 * Each is named after what it lets in. None may be needed behind a proxy that is sound, and each takes away a defence
 * against request smuggling (RFC 9112 section 11.2) where a proxy reads the same bytes otherwise.
 */
public enum Leniency {
    /**
     * Lines that end in LF without CR: of a head, of a chunk and of a trailer section (RFC 9112 section 2.2). A CR that no
     * LF follows stays an error.
     */
    BARE_LF,

    /** Several spaces where the request line has one (RFC 9112 section 3). Other white space stays an error. */
    REPEATED_SPACES,

    /**
     * Malformed field lines of a head, which are dropped: a name that is no token, no colon, a control octet in the value.
     * Never a line that could be about framing, which is one whose name, without blanks and controls, is Content-Length or
     * Transfer-Encoding; and never white space before the colon, a line that begins with white space, NUL, or CR on its
     * own: these stay errors.
     */
    INVALID_FIELDS,

    /** Well-formed UTF-8 beyond ASCII in the request target, where RFC 3986 wants it percent-encoded. */
    UTF_8_TARGETS,

    /**
     * Several Content-Length fields, or one with a list, of the same value (RFC 9112 section 6.3): they count as one. The
     * handler sees the fields as they came.
     */
    REPEATED_CONTENT_LENGTH,

    /**
     * Other transfer codings before chunked, as in {@code gzip, chunked} (RFC 9112 section 6.1): the body goes to the
     * handler with them still applied.
     */
    TRANSFER_CODINGS,

    /**
     * Content-Length beside Transfer-Encoding: it is dropped, chunked wins, and the connection is closed after the response
     * (RFC 9112 section 6.3).
     */
    LENGTH_AND_CHUNKED
}
