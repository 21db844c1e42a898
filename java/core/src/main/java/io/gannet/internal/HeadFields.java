package io.gannet.internal;

import io.gannet.Field;
import io.gannet.FieldName;
import io.gannet.Fields;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;

/** The fields of a head block (native/src/http/head_block.h), read when they are asked for. */
final class HeadFields implements Fields {
    private final HeadSource source;

    HeadFields(HeadSource source) {
        this.source = source;
    }

    @Override
    public int size() {
        ByteBuffer slab = source.open();
        return source.sound(count(slab, source.head()));
    }

    @Override
    public String name(int index) {
        ByteBuffer slab = source.open();
        return name(slab, entry(slab, index));
    }

    @Override
    public String value(int index) {
        ByteBuffer slab = source.open();
        return value(slab, entry(slab, index));
    }

    @Override
    public String get(String name) {
        return get(source, Objects.requireNonNull(name, "name"), 0);
    }

    @Override
    public String get(FieldName name) {
        EncodedName encoded = (EncodedName) Objects.requireNonNull(name, "name");
        return get(source, encoded.lowerCase, encoded.token);
    }

    /** The first value of a name, which its token says unless that is 0. */
    static String get(HeadSource source, String name, int token) {
        ByteBuffer slab = source.open();
        int at = find(source, slab, 0, name, token);
        return at < 0 ? source.sound(null) : value(source, slab, entryOffset(source.head(), at));
    }

    @Override
    public List<String> all(String name) {
        return all(Objects.requireNonNull(name, "name"), 0);
    }

    @Override
    public List<String> all(FieldName name) {
        EncodedName encoded = (EncodedName) Objects.requireNonNull(name, "name");
        return all(encoded.lowerCase, encoded.token);
    }

    private List<String> all(String name, int token) {
        ByteBuffer slab = source.open();
        List<String> values = new ArrayList<>(2);
        for (int i = find(source, slab, 0, name, token); i >= 0; i = find(source, slab, i + 1, name, token)) {
            values.add(value(slab, entryOffset(source.head(), i)));
        }
        return source.sound(List.copyOf(values));
    }

    @Override
    public boolean contains(String name) {
        return contains(Objects.requireNonNull(name, "name"), 0);
    }

    @Override
    public boolean contains(FieldName name) {
        EncodedName encoded = (EncodedName) Objects.requireNonNull(name, "name");
        return contains(encoded.lowerCase, encoded.token);
    }

    private boolean contains(String name, int token) {
        ByteBuffer slab = source.open();
        int at = find(source, slab, 0, name, token);
        return source.sound(at) >= 0;
    }

    @Override
    public List<Field> toList() {
        ByteBuffer slab = source.open();
        int count = source.sound(count(slab, source.head()));
        Field[] fields = new Field[count];
        for (int i = 0; i < count; i++) {
            int entry = entryOffset(source.head(), i);
            fields[i] = new Field(name(slab, entry), value(slab, entry));
        }
        return List.of(fields);
    }

    @Override
    public Iterator<Field> iterator() {
        return new Iterator<>() {
            private int next;

            @Override
            public boolean hasNext() {
                return next < size();
            }

            @Override
            public Field next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Field field = new Field(name(next), value(next));
                next++;
                return field;
            }
        };
    }

    /** The fields as the lines of a head, for logs. */
    @Override
    public String toString() {
        return toList().toString();
    }

    private int entry(ByteBuffer slab, int index) {
        Objects.checkIndex(index, source.sound(count(slab, source.head())));
        return entryOffset(source.head(), index);
    }

    private String name(ByteBuffer slab, int entry) {
        int offset;
        int length;
        try {
            offset = slab.getInt(entry + Layout.FIELD_ENTRY_NAME_OFFSET);
            length = Short.toUnsignedInt(slab.getShort(entry + Layout.FIELD_ENTRY_NAME_LENGTH));
        } catch (IndexOutOfBoundsException e) {
            throw source.unreadable(e);
        }
        return source.text(slab, offset, length);
    }

    private String value(ByteBuffer slab, int entry) {
        return value(source, slab, entry);
    }

    private static String value(HeadSource source, ByteBuffer slab, int entry) {
        int offset;
        int length;
        try {
            offset = slab.getInt(entry + Layout.FIELD_ENTRY_VALUE_OFFSET);
            length = slab.getInt(entry + Layout.FIELD_ENTRY_VALUE_LENGTH);
        } catch (IndexOutOfBoundsException e) {
            throw source.unreadable(e);
        }
        return source.text(slab, offset, length);
    }

    private static int count(ByteBuffer slab, int head) {
        return Short.toUnsignedInt(slab.getShort(head + Layout.HEAD_FIELD_COUNT));
    }

    private static int entryOffset(int head, int index) {
        return head + Layout.HEAD_BYTES + index * Layout.FIELD_ENTRY_BYTES;
    }

    /** The index of the first field of a name from {@code from} on, or -1. */
    private static int find(HeadSource source, ByteBuffer slab, int from, String name, int token) {
        if (token == 0) {
            return find(source, slab, from, name);
        }
        int head = source.head();
        int count = count(slab, head);
        try {
            for (int i = from; i < count; i++) {
                if (slab.getShort(entryOffset(head, i) + Layout.FIELD_ENTRY_TOKEN) == (short) token) {
                    return i;
                }
            }
        } catch (IndexOutOfBoundsException e) {
            throw source.unreadable(e);
        }
        return -1;
    }

    private static int find(HeadSource source, ByteBuffer slab, int from, String name) {
        int head = source.head();
        int count = count(slab, head);
        try {
            for (int i = from; i < count; i++) {
                int entry = entryOffset(head, i);
                int length = Short.toUnsignedInt(slab.getShort(entry + Layout.FIELD_ENTRY_NAME_LENGTH));
                if (length == name.length()
                        && equals(slab, head + slab.getInt(entry + Layout.FIELD_ENTRY_NAME_OFFSET), name)) {
                    return i;
                }
            }
        } catch (IndexOutOfBoundsException e) {
            throw source.unreadable(e);
        }
        return -1;
    }

    private static boolean equals(ByteBuffer slab, int at, String name) {
        for (int i = 0; i < name.length(); i++) {
            if (FieldText.lowerCase((char) (slab.get(at + i) & 0xFF)) != FieldText.lowerCase(name.charAt(i))) {
                return false;
            }
        }
        return true;
    }
}
