package io.gannet;

import java.util.Objects;

/**
 * A field of a message (RFC 9110 section 5), which HTTP/1.1 calls a header when it stands before the body.
 *
 * @param name the name, in the case in which it was received
 * @param value the value without the white space around it; bytes 0x80 to 0xFF are the characters U+0080 to U+00FF
 */
public record Field(String name, String value) {
    /**
     * A field.
     *
     * @param name the name
     * @param value the value
     */
    public Field {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(value, "value");
    }

    /** The field as a line without its end: {@code name: value}. */
    @Override
    public String toString() {
        return name + ": " + value;
    }
}
