package io.gannet.internal;

import io.gannet.Field;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

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

    /** Writes the entry of a reason phrase, which comes before all others, and returns where it ends. */
    static int stagePhrase(ByteBuffer region, int start, String phrase) {
        region.putLong(start, first(0, 0, phrase.length()));
        return StagedText.putLatin1(region, start + Layout.STAGED_BYTES, phrase);
    }

    /** The fields of an interim response, checked. */
    static ResponseFields interim(Field... list) {
        ResponseFields fields = new ResponseFields();
        for (Field field : Objects.requireNonNull(list, "fields")) {
            Objects.requireNonNull(field, "field");
            fields.addContentField("an interim response", field.name(), field.value());
        }
        return fields;
    }

    /** Adds a field, checked, but none about framing and the connection. */
    void addContentField(String what, String name, String value) {
        EncodedName encoded = EncodedName.cached(name);
        switch (encoded.token) {
            case Layout.FIELD_CONTENT_LENGTH,
                    Layout.FIELD_TRANSFER_ENCODING,
                    Layout.FIELD_CONNECTION,
                    Layout.FIELD_KEEP_ALIVE ->
                throw new IllegalArgumentException(
                        what + " has no field " + name + " of its own: the server writes it");
            default -> add(encoded, FieldText.checkValue(name, value));
        }
    }

    /** Adds a trailer field, checked. */
    void addTrailer(String name, String value) {
        EncodedName encoded = EncodedName.cached(name);
        if (!Layout.inTrailers(encoded.token)) {
            throw new IllegalArgumentException("field " + name + " has no place in trailers (RFC 9110 section 6.5.1)");
        }
        add(encoded, FieldText.checkValue(name, value));
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
