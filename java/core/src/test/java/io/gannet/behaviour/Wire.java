package io.gannet.behaviour;

import java.util.Arrays;
import java.util.stream.Stream;

/** Bytes for the wire, one a char, shown so that a report can be read. */
record Wire(String bytes) {
    static Stream<Wire> each(String... bytes) {
        return Arrays.stream(bytes).map(Wire::new);
    }

    @Override
    public String toString() {
        var text = new StringBuilder();
        for (char octet : bytes.substring(0, Math.min(bytes.length(), 100)).toCharArray()) {
            switch (octet) {
                case '\r' -> text.append("\\r");
                case '\n' -> text.append("\\n");
                case '\t' -> text.append("\\t");
                default ->
                    text.append(
                            octet >= 0x20 && octet < 0x7f
                                    ? String.valueOf(octet)
                                    : String.format("\\x%02x", (int) octet));
            }
        }
        return text.append(bytes.length() > 100 ? "... (" + bytes.length() + " bytes)" : "")
                .toString();
    }
}
