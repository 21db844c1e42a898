package io.gannet;

import io.gannet.internal.PreparedMessage;
import java.util.Objects;

/**
 * A response that is made once and sent many times, by {@link Response#send(PreparedResponse)}: status, fields and body
 * are encoded when a loop first sends it, and every further send costs it a copy of the bytes, and none of the heap. {@code
 * Date} and {@code Connection} are filled in each time. A loop keeps up to 65536 of them; what exceeds that is sent like any
 * other response. Once nothing refers to it any more, the memory that it has outside of the heap is given back, some time
 * after its last send.
 *
 * <pre>{@code
 * private static final PreparedResponse PONG =
 *         PreparedResponse.builder().addField("Content-Type", "text/plain").body("pong").build();
 * }</pre>
 *
 * <p>Immutable and thread-safe; may be sent by any number of servers. Implemented by Gannet, and not meant to be
 * implemented by applications.
 */
public interface PreparedResponse {
    /**
     * What a prepared response is made with.
     *
     * @return a builder of an empty response with status 200
     */
    static Builder builder() {
        return new Builder();
    }

    /** What a prepared response is made with. Not thread-safe. */
    final class Builder {
        private final PreparedMessage.Draft draft = new PreparedMessage.Draft();

        private Builder() {}

        /**
         * The status code (RFC 9110 section 15). The default is 200.
         *
         * @param code 200 to 999
         * @return this
         * @throws IllegalArgumentException if the code is out of range
         */
        public Builder status(int code) {
            draft.status(code);
            return this;
        }

        /**
         * Adds a field behind those that are there.
         *
         * @param name the name, as {@link Response#addField(String, String)} says; {@code Content-Length}, {@code
         *     Transfer-Encoding}, {@code Connection} and {@code Keep-Alive} are the server's
         * @param value the value, as {@link Response#addField(String, String)} says
         * @return this
         * @throws IllegalArgumentException if the name or the value is not acceptable
         * @throws IllegalStateException if there are more than 64 KiB of fields
         */
        public Builder addField(String name, String value) {
            draft.addField(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
            return this;
        }

        /**
         * The body, of which a copy is taken. The default is none.
         *
         * @param bytes at most 262144 bytes
         * @return this
         * @throws IllegalArgumentException if there are more
         */
        public Builder body(byte[] bytes) {
            draft.body(Objects.requireNonNull(bytes, "bytes"));
            return this;
        }

        /**
         * The body as a text in UTF-8, with {@code Content-Type: text/plain; charset=utf-8} unless that field is set.
         *
         * @param text at most 262144 bytes in UTF-8
         * @return this
         * @throws IllegalArgumentException if it is longer
         */
        public Builder body(String text) {
            draft.body(Objects.requireNonNull(text, "text"));
            return this;
        }

        /**
         * Makes it.
         *
         * @return the prepared response
         */
        public PreparedResponse build() {
            return draft.build();
        }
    }
}
