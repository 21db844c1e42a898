package io.gannet.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Writes text into shared memory. Short text goes character by character, which needs no array in between. */
final class StagedText {
    private static final int SHORT = 24;

    private StagedText() {}

    /** Writes the text in UTF-8, at most three bytes a character, and returns where it ends. */
    static int putUtf8(ByteBuffer bytes, int at, String text) {
        int length = text.length();
        if (length > SHORT) {
            return put(bytes, at, text.getBytes(StandardCharsets.UTF_8));
        }
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c >= 0x80) {
                return put(bytes, at, text.getBytes(StandardCharsets.UTF_8));
            }
            bytes.put(at + i, (byte) c);
        }
        return at + length;
    }

    /** Writes the text in ISO-8859-1, one byte a character, and returns where it ends. */
    static int putLatin1(ByteBuffer bytes, int at, String text) {
        int length = text.length();
        if (length > SHORT) {
            return put(bytes, at, text.getBytes(StandardCharsets.ISO_8859_1));
        }
        for (int i = 0; i < length; i++) {
            bytes.put(at + i, (byte) text.charAt(i));
        }
        return at + length;
    }

    static int put(ByteBuffer bytes, int at, byte[] text) {
        bytes.put(at, text);
        return at + text.length;
    }
}
