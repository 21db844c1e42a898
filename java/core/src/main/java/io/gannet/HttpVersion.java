package io.gannet;

/** A version of HTTP, as a message says it (RFC 9110 section 2.5). */
public enum HttpVersion {
    /** HTTP/1.0. */
    HTTP_1_0("HTTP/1.0"),
    /** HTTP/1.1 and, as RFC 9110 section 2.5 asks, every later minor version of 1. */
    HTTP_1_1("HTTP/1.1"),
    /** HTTP/2 (RFC 9113). */
    HTTP_2("HTTP/2");

    private final String text;

    HttpVersion(String text) {
        this.text = text;
    }

    /** The version as it is written on the wire and in logs, for example {@code HTTP/1.1}. */
    @Override
    public String toString() {
        return text;
    }
}
