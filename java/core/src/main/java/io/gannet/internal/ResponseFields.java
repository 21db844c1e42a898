package io.gannet.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The fields of a response in the making, checked, and how they are staged. */
final class ResponseFields {
    /** The most bytes that the fields of a response take in the staging area. */
    static final int MOST_BYTES = 65536;

    /** The entry of {@code content-type: text/plain; charset=utf-8}, ready to be staged. */
    static final byte[] TEXT_PLAIN = entry(Layout.FIELD_CONTENT_TYPE, "text/plain; charset=utf-8");

    /** Name and value, by turns. */
    private Object[] entries = new Object[8];

    private int count;
    private int bytes;

    void add(EncodedName name, String value) {
        int size = size(name, value);
        if (bytes + size > MOST_BYTES) {
            throw new IllegalStateException("the fields of a response must not take more than " + MOST_BYTES
                    + " bytes: field " + name + " would make it " + (bytes + size));
        }
        if (2 * count == entries.length) {
            entries = Arrays.copyOf(entries, 2 * entries.length);
        }
        entries[2 * count] = name;
        entries[2 * count + 1] = value;
        count++;
        bytes += size;
    }

    void remove(EncodedName name) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (is(i, name)) {
                bytes -= size(name(i), value(i));
            } else {
                entries[2 * kept] = entries[2 * i];
                entries[2 * kept + 1] = entries[2 * i + 1];
                kept++;
            }
        }
        Arrays.fill(entries, 2 * kept, 2 * count, null);
        count = kept;
    }

    boolean contains(int token) {
        for (int i = 0; i < count; i++) {
            if (name(i).token == token) {
                return true;
            }
        }
        return false;
    }

    /** How many bytes {@link #stage} writes. */
    int bytes() {
        return bytes;
    }

    /** Writes all entries and returns where they end. */
    int stage(ByteBuffer region, int start) {
        int at = start;
        for (int i = 0; i < count; i++) {
            EncodedName name = name(i);
            String value = value(i);
            int nameLength = stagedNameLength(name);
            region.putLong(at, first(name.token, nameLength, value.length()));
            at += Layout.STAGED_BYTES;
            if (nameLength > 0) {
                at = StagedText.put(region, at, name.bytes);
            }
            at = StagedText.putLatin1(region, at, value);
        }
        return at;
    }

    private EncodedName name(int index) {
        return (EncodedName) entries[2 * index];
    }

    private String value(int index) {
        return (String) entries[2 * index + 1];
    }

    private boolean is(int index, EncodedName name) {
        EncodedName other = name(index);
        return other == name || other.token == name.token && other.lowerCase.equals(name.lowerCase);
    }

    private static int size(EncodedName name, String value) {
        return Layout.STAGED_BYTES + stagedNameLength(name) + value.length();
    }

    /** The token says the name, if that is in lower case. */
    private static int stagedNameLength(EncodedName name) {
        return name.isCanonical() ? 0 : name.bytes.length;
    }

    /** The head of an entry as one little-endian word. */
    private static long first(int token, int nameLength, int valueLength) {
        return (long) token << 8 * Layout.STAGED_TOKEN
                | (long) nameLength << 8 * Layout.STAGED_NAME_LENGTH
                | (long) valueLength << 8 * Layout.STAGED_VALUE_LENGTH;
    }

    private static byte[] entry(int token, String value) {
        byte[] entry = new byte[Layout.STAGED_BYTES + value.length()];
        long first = first(token, 0, value.length());
        for (int i = 0; i < Layout.STAGED_BYTES; i++) {
            entry[i] = (byte) (first >>> 8 * i);
        }
        byte[] text = value.getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(text, 0, entry, Layout.STAGED_BYTES, text.length);
        return entry;
    }
}
