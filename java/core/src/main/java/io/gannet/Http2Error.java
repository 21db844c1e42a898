package io.gannet;

/**
 * Why a stream or a connection of HTTP/2 was broken off (RFC 9113 section 7): with which code one peer tells it to the
 * other.
 */
public enum Http2Error {
    /** Nothing went wrong: the rest is not needed. */
    NO_ERROR,
    /** The peer does not keep to the protocol. */
    PROTOCOL_ERROR,
    /** An error of the program's own. */
    INTERNAL_ERROR,
    /** The peer sent more than its window allows, or opened a window too wide. */
    FLOW_CONTROL_ERROR,
    /** The settings were not acknowledged in time. */
    SETTINGS_TIMEOUT,
    /** A frame came for a stream whose end was there already. */
    STREAM_CLOSED,
    /** A frame of a wrong length. */
    FRAME_SIZE_ERROR,
    /** The request was not processed at all: it can be sent again (RFC 9113 section 8.7). */
    REFUSED_STREAM,
    /** The stream is not wanted any more. */
    CANCEL,
    /** Compressed fields could not be decoded. */
    COMPRESSION_ERROR,
    /** The connection behind a tunnel broke, or was closed with an error (RFC 9113 section 8.5). */
    CONNECT_ERROR,
    /** The peer makes too much work. */
    ENHANCE_YOUR_CALM,
    /** The TLS of the connection is not good enough. */
    INADEQUATE_SECURITY,
    /** The request needs HTTP/1.1. */
    HTTP_1_1_REQUIRED;

    private static final Http2Error[] ALL = values();

    /**
     * The error of a code.
     *
     * @param code the code, as it comes from the peer
     * @return the error; {@link #INTERNAL_ERROR} for a code that RFC 9113 does not know, as its section 7 allows
     */
    public static Http2Error of(long code) {
        return code >= 0 && code < ALL.length ? ALL[(int) code] : INTERNAL_ERROR;
    }

    /**
     * The code, as it goes over the wire.
     *
     * @return 0 to 13
     */
    public int code() {
        return ordinal();
    }
}
