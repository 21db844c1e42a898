package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A response as it stood on the wire; the body without its chunk framing. */
record RawResponse(String statusLine, int status, List<Map.Entry<String, String>> fields, byte[] body) {
    /** The values of the fields with this name, in order; the name in lower case. */
    List<String> all(String name) {
        return fields.stream()
                .filter(field -> field.getKey().toLowerCase(Locale.ROOT).equals(name))
                .map(Map.Entry::getValue)
                .toList();
    }

    /** The value of the only field with this name, or null where there is none. */
    String field(String name) {
        List<String> values = all(name);
        if (values.size() > 1) {
            throw new AssertionError(name + " stands there " + values.size() + " times: " + values);
        }
        return values.isEmpty() ? null : values.get(0);
    }

    boolean has(String name) {
        return !all(name).isEmpty();
    }

    boolean closes() {
        return "close".equals(field("connection"));
    }

    String text() {
        return new String(body, ISO_8859_1);
    }

    @Override
    public String toString() {
        return statusLine + " " + fields + " " + (body.length > 200 ? body.length + " bytes" : text());
    }
}
