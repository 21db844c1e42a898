package io.gannet;

import java.util.Iterator;
import java.util.List;

/**
 * The fields of a message: an ordered, immutable list with the names in the case in which they were received. Names are
 * looked up without regard to case (RFC 9110 section 5.1). Values have no white space around them; their bytes 0x80 to
 * 0xFF are delivered unchanged as the characters U+0080 to U+00FF (RFC 9110 section 5.5).
 *
 * <p>The fields of a request are a view that ends with its exchange: afterwards every method throws
 * {@link IllegalStateException}. Thread-safe.
 *
 * <p>Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by applications.
 */
public interface Fields extends Iterable<Field> {
    /**
     * How many fields there are, repeated ones counted each.
     *
     * @return the number of fields
     */
    int size();

    /**
     * The name of a field, as received.
     *
     * @param index 0 to {@link #size()} - 1
     * @return the name
     * @throws IndexOutOfBoundsException if there is no such field
     */
    String name(int index);

    /**
     * The value of a field.
     *
     * @param index 0 to {@link #size()} - 1
     * @return the value, maybe empty
     * @throws IndexOutOfBoundsException if there is no such field
     */
    String value(int index);

    /**
     * The value of the first field of a name.
     *
     * @param name the name, in any case
     * @return the value, or {@code null} if there is no such field
     */
    String get(String name);

    /**
     * The value of the first field of a name; faster than {@link #get(String)}.
     *
     * @param name the name
     * @return the value, or {@code null} if there is no such field
     */
    String get(FieldName name);

    /**
     * The values of all fields of a name, in order.
     *
     * @param name the name, in any case
     * @return the values, an immutable list of its own, empty if there is no such field
     */
    List<String> all(String name);

    /**
     * The values of all fields of a name, in order.
     *
     * @param name the name
     * @return the values, an immutable list of its own, empty if there is no such field
     */
    List<String> all(FieldName name);

    /**
     * Whether there is a field of a name.
     *
     * @param name the name, in any case
     * @return {@code true} if there is at least one
     */
    boolean contains(String name);

    /**
     * Whether there is a field of a name.
     *
     * @param name the name
     * @return {@code true} if there is at least one
     */
    boolean contains(FieldName name);

    /**
     * All fields, in order, as a list that outlives the exchange.
     *
     * @return an immutable list of its own
     */
    List<Field> toList();

    /** The fields in order. {@link Iterator#remove()} is not supported. */
    @Override
    Iterator<Field> iterator();
}
