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
    private final Exchange exchange;

    HeadFields(Exchange exchange) {
        this.exchange = exchange;
    }

    @Override
    public int size() {
        ByteBuffer slab = exchange.open();
        return exchange.sound(count(slab, exchange.head()));
    }

    @Override
    public String name(int index) {
        ByteBuffer slab = exchange.open();
        return name(slab, entry(slab, index));
    }

    @Override
    public String value(int index) {
        ByteBuffer slab = exchange.open();
        return value(slab, entry(slab, index));
    }

    @Override
    public String get(String name) {
        return get(exchange, Objects.requireNonNull(name, "name"), 0);
    }

    @Override
    public String get(FieldName name) {
        EncodedName encoded = (EncodedName) Objects.requireNonNull(name, "name");
        return get(exchange, encoded.lowerCase, encoded.token);
    }

    /** The first value of a name, which its token says unless that is 0. */
    static String get(Exchange exchange, String name, int token) {
        ByteBuffer slab = exchange.open();
        int at = find(exchange, slab, 0, name, token);
        return at < 0 ? exchange.sound(null) : value(exchange, slab, entryOffset(exchange.head(), at));
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
        ByteBuffer slab = exchange.open();
        List<String> values = new ArrayList<>(2);
        for (int i = find(exchange, slab, 0, name, token); i >= 0; i = find(exchange, slab, i + 1, name, token)) {
            values.add(value(slab, entryOffset(exchange.head(), i)));
        }
        return exchange.sound(List.copyOf(values));
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
        ByteBuffer slab = exchange.open();
        int at = find(exchange, slab, 0, name, token);
        return exchange.sound(at) >= 0;
    }

    @Override
    public List<Field> toList() {
        ByteBuffer slab = exchange.open();
        int count = exchange.sound(count(slab, exchange.head()));
        Field[] fields = new Field[count];
        for (int i = 0; i < count; i++) {
            int entry = entryOffset(exchange.head(), i);
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
        Objects.checkIndex(index, exchange.sound(count(slab, exchange.head())));
        return entryOffset(exchange.head(), index);
    }

    private String name(ByteBuffer slab, int entry) {
        int offset;
        int length;
        try {
            offset = slab.getInt(entry + Layout.FIELD_ENTRY_NAME_OFFSET);
            length = Short.toUnsignedInt(slab.getShort(entry + Layout.FIELD_ENTRY_NAME_LENGTH));
        } catch (IndexOutOfBoundsException e) {
            throw exchange.unreadable(e);
        }
        return exchange.text(slab, offset, length);
    }

    private String value(ByteBuffer slab, int entry) {
        return value(exchange, slab, entry);
    }

    private static String value(Exchange exchange, ByteBuffer slab, int entry) {
        int offset;
        int length;
        try {
            offset = slab.getInt(entry + Layout.FIELD_ENTRY_VALUE_OFFSET);
            length = slab.getInt(entry + Layout.FIELD_ENTRY_VALUE_LENGTH);
        } catch (IndexOutOfBoundsException e) {
            throw exchange.unreadable(e);
        }
        return exchange.text(slab, offset, length);
    }

    private static int count(ByteBuffer slab, int head) {
        return Short.toUnsignedInt(slab.getShort(head + Layout.HEAD_FIELD_COUNT));
    }

    private static int entryOffset(int head, int index) {
        return head + Layout.HEAD_BYTES + index * Layout.FIELD_ENTRY_BYTES;
    }

    /** The index of the first field of a name from {@code from} on, or -1. */
    private static int find(Exchange exchange, ByteBuffer slab, int from, String name, int token) {
        if (token == 0) {
            return find(exchange, slab, from, name);
        }
        int head = exchange.head();
        int count = count(slab, head);
        try {
            for (int i = from; i < count; i++) {
                if (slab.getShort(entryOffset(head, i) + Layout.FIELD_ENTRY_TOKEN) == (short) token) {
                    return i;
                }
            }
        } catch (IndexOutOfBoundsException e) {
            throw exchange.unreadable(e);
        }
        return -1;
    }

    private static int find(Exchange exchange, ByteBuffer slab, int from, String name) {
        int head = exchange.head();
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
            throw exchange.unreadable(e);
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
