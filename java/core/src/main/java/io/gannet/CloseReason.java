package io.gannet;

import java.util.Objects;

/**
 * Why a connection ended.
 *
 * @param kind what kind of end it was
 * @param text a short English text for logs; it may change between releases
 */
public record CloseReason(Kind kind, String text) {
    /** What kind of end it was. A release may add kinds. */
    public enum Kind {
        /**
         * In peace: the client closed it between two requests, or this side did after the last response, by {@link
         * Connection#close()} or with the server (whose deadline may have cut off what still ran).
         */
        CLOSED,
        /** The client was idle for too long, or too slow, or did not close its side after the last response. */
        TIMEOUT,
        /**
         * It broke: the client reset it, left within a message or before its response, or did not keep to HTTP/2; or the
         * network failed.
         */
        BROKEN,
        /** This side cut a response off that a failure had left incomplete. */
        ABORTED,
        /** Memory was short, or the client made more work than an HTTP/2 client may. */
        LIMIT
    }

    /**
     * A reason.
     *
     * @param kind what kind of end it was
     * @param text a short English text for logs
     */
    public CloseReason {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(text, "text");
    }

    /** The kind and the text. */
    @Override
    public String toString() {
        return kind + ": " + text;
    }
}
