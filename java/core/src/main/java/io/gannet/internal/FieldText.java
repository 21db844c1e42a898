package io.gannet.internal;

/**
 * What may stand in names and values of fields (RFC 9110 sections 5.1, 5.5 and 5.6.2), and how text is shown in logs.
 */
final class FieldText {
    private static final boolean[] TOKEN_CHARACTERS = new boolean[128];

    static {
        for (char c = '0'; c <= 'z'; c++) {
            TOKEN_CHARACTERS[c] = c <= '9' || c >= 'a' || c >= 'A' && c <= 'Z';
        }
        for (char c : "!#$%&'*+-.^_`|~".toCharArray()) {
            TOKEN_CHARACTERS[c] = true;
        }
    }

    private FieldText() {}

    static void checkName(String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("a field name must not be empty");
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c >= 128 || !TOKEN_CHARACTERS[c]) {
                throw new IllegalArgumentException("field name \"" + escape(name)
                        + "\" has a character that is not allowed at index " + i + ": " + show(c));
            }
        }
    }

    /** The value without the white space around it. */
    static String checkValue(String name, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c < 0x20 && c != '\t' || c == 0x7F || c > 0xFF) {
                throw new IllegalArgumentException("the value of field " + name
                        + " has a character that is not allowed at index " + i + ": " + show(c));
            }
        }
        return trim(value);
    }

    /** A reason phrase (RFC 9112 section 4). */
    static String checkPhrase(String phrase) {
        if (phrase.length() > 1024) {
            throw new IllegalArgumentException(
                    "a reason phrase must not have more than 1024 characters: " + phrase.length());
        }
        for (int i = 0; i < phrase.length(); i++) {
            char c = phrase.charAt(i);
            if (c < 0x20 && c != '\t' || c == 0x7F || c > 0xFF) {
                throw new IllegalArgumentException(
                        "the reason phrase has a character that is not allowed at index " + i + ": " + show(c));
            }
        }
        return phrase;
    }

    /** Without SP and HTAB around it. */
    static String trim(String value) {
        int start = 0;
        int end = value.length();
        while (start < end && isBlank(value.charAt(start))) {
            start++;
        }
        while (end > start && isBlank(value.charAt(end - 1))) {
            end--;
        }
        return value.substring(start, end);
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    /** ASCII letters in lower case, everything else as it is. */
    static String lowerCase(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 'A' && c <= 'Z') {
                StringBuilder lower = new StringBuilder(text);
                for (int j = i; j < text.length(); j++) {
                    lower.setCharAt(j, lowerCase(text.charAt(j)));
                }
                return lower.toString();
            }
        }
        return text;
    }

    static char lowerCase(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
    }

    static boolean equalsIgnoreCase(CharSequence a, CharSequence b) {
        if (a.length() != b.length()) {
            return false;
        }
        for (int i = 0; i < a.length(); i++) {
            if (lowerCase(a.charAt(i)) != lowerCase(b.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** For logs and messages: nothing that could end the line or steer a terminal, and not without end. */
    static String escape(String text) {
        int most = 1024;
        StringBuilder shown = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean plain = c >= 0x20 && c < 0x7F && c != '\\' && c != '"';
            if (plain && i < most) {
                if (shown != null) {
                    shown.append(c);
                }
                continue;
            }
            if (shown == null) {
                shown = new StringBuilder(text.length() + 16).append(text, 0, i);
            }
            if (i >= most) {
                return shown.append("... (")
                        .append(text.length())
                        .append(" characters)")
                        .toString();
            }
            if (c == '\\' || c == '"') {
                shown.append('\\').append(c);
            } else if (c == '\r') {
                shown.append("\\r");
            } else if (c == '\n') {
                shown.append("\\n");
            } else if (c == '\t') {
                shown.append("\\t");
            } else {
                shown.append(String.format("\\u%04x", (int) c));
            }
        }
        return shown == null ? text : shown.toString();
    }

    private static String show(char c) {
        return c > 0x20 && c < 0x7F ? "'" + c + "'" : String.format("U+%04X", (int) c);
    }
}
