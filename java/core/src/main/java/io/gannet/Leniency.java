package io.gannet;

/**
 * What a server lets in that it refuses otherwise ({@link HttpServer.Builder#allow}), for clients that cannot be mended.
 * Each is named after what it lets in. None may be needed behind a proxy that is sound, and each takes away a defence
 * against request smuggling (RFC 9112 section 11.2) where a proxy reads the same bytes otherwise.
 */
public enum Leniency {
    /**
     * Lines that end in LF without CR: of a head, with the empty ones before it, of a chunk, with its extensions and behind
     * its data, and of a trailer section (RFC 9112 section 2.2). A CR that no LF follows stays an error.
     */
    BARE_LF,

    /**
     * Several spaces where the request line has one (RFC 9112 section 3). Spaces before the method and behind the version,
     * and other white space, stay errors.
     */
    REPEATED_SPACES,

    /**
     * Malformed field lines of a head or a trailer section, which are dropped: a name that is empty or no token, no colon,
     * a control octet in the value. They still count toward the limits of bytes and fields. Never a line that could be
     * about framing, which is one that contains Content-Length or Transfer-Encoding, whatever else stands between, before
     * and behind the letters, nor one that could be the Host; and never white space before the colon, a line that begins
     * with white space, NUL, or CR on its own: these stay errors.
     */
    INVALID_FIELDS,

    /**
     * Well-formed UTF-8 beyond ASCII in the path and the query of the request target, where RFC 3986 wants it
     * percent-encoded: characters from U+00A0 on, as in RFC 3987. {@link Request#target}, {@link Request#path} and {@link
     * Request#query} then return these characters.
     */
    UTF_8_TARGETS,

    /**
     * Several Content-Length fields, or one with a list, of the same decimal value (RFC 9110 section 8.6), so {@code 5} and
     * {@code 05}, too: they count as one. The handler sees the fields as they came.
     */
    REPEATED_CONTENT_LENGTH,

    /**
     * Other transfer codings before chunked, as in {@code gzip, chunked}, in one line or several (RFC 9112 section 6.1):
     * the body goes to the handler with them still applied, and the field Transfer-Encoding says which. Chunked must be the
     * last, and once.
     */
    TRANSFER_CODINGS,

    /**
     * Content-Length beside Transfer-Encoding: it is dropped, chunked wins, the handler does not see it, and the connection
     * is closed after the response (RFC 9112 section 6.3). Such a request offers no upgrade. HTTP/1.0 knows no
     * Transfer-Encoding: there both together stay an error.
     */
    LENGTH_AND_CHUNKED
}
