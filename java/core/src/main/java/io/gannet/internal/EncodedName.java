package io.gannet.internal;

import io.gannet.FieldName;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A field name with its token and its bytes. */
public final class EncodedName implements FieldName {
    private static final int LONGEST = 0xFFFF;
    private static final Map<String, Integer> TOKENS = new HashMap<>();

    static {
        for (int token = 1; token < Layout.fieldNameCount(); token++) {
            TOKENS.put(Layout.fieldName(token), token);
        }
    }

    /** Names come from programs, not from peers, so there are few; if not, some are made anew each time. */
    private static final ConcurrentHashMap<String, EncodedName> CACHE = new ConcurrentHashMap<>();

    private static final int CACHE_MOST = 1024;

    private final String text;
    final String lowerCase;
    final byte[] bytes;
    /** The token, or 0. */
    final int token;

    private final boolean canonical;

    private EncodedName(String text, String lowerCase) {
        this.text = text;
        this.lowerCase = lowerCase;
        this.bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        this.token = TOKENS.getOrDefault(lowerCase, 0);
        this.canonical = token != 0 && text.equals(lowerCase);
    }

    /** A name, checked. */
    public static EncodedName of(String text) {
        checkToken(text);
        return new EncodedName(text, FieldText.lowerCase(text));
    }

    /** A name, checked, or one from before. */
    static EncodedName cached(String text) {
        EncodedName name = CACHE.get(text);
        if (name == null) {
            name = of(text);
            if (CACHE.size() < CACHE_MOST) {
                CACHE.put(text, name);
            }
        }
        return name;
    }

    private static void checkToken(String text) {
        FieldText.checkName(text);
        if (text.length() > LONGEST) {
            throw new IllegalArgumentException("a field name has at most " + LONGEST + " characters: " + text.length());
        }
    }

    /** Whether the token says all of it. */
    boolean isCanonical() {
        return canonical;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EncodedName name && name.lowerCase.equals(lowerCase);
    }

    @Override
    public int hashCode() {
        return lowerCase.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
