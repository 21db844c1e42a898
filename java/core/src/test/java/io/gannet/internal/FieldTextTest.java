package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.FieldName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What may stand in a field, and how it is shown. */
class FieldTextTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "Content-Type", "!#$%&'*+-.^_`|~09azAZ"})
    void tokensAreNames(String name) {
        FieldText.checkName(name);
        assertEquals(name, FieldName.of(name).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a b", "a:", " a", "a\r\nb", "a\0", "\u00e9", "\u0100a", "(a)", "a\u007f", "{", "@", "[", "/"})
    void otherNamesAreRefused(String name) {
        assertThrows(IllegalArgumentException.class, () -> FieldName.of(name));
    }

    @Test
    void anEmptyNameIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> FieldName.of(""));
    }

    @Tag("C19")
    @ParameterizedTest
    @ValueSource(strings = {"a\rb", "a\nb", "a\r\nx: y", "a\0b", "a\u007f", "a\u0001", "\u20ac"})
    void valuesWithLineBreaksAndControlsAreRefused(String value) {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> FieldText.checkValue("x-name", value));
        assertTrue(refused.getMessage().contains("x-name"), refused.getMessage());
        assertTrue(refused.getMessage().chars().allMatch(c -> c >= 0x20 && c < 0x7F), "no raw control in the message");
    }

    @Test
    void theMessageNamesTheFieldAndThePlace() {
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> FieldText.checkValue("x-name", "ab\rc"));
        assertEquals(
                "the value of field x-name has a character that is not allowed at index 2: U+000D",
                refused.getMessage());
    }

    @Test
    void valuesKeepTabsAndHighBytesAndLoseTheirSurroundings() {
        assertEquals("a\tb \u0080\u00ff", FieldText.checkValue("x", " \ta\tb \u0080\u00ff\t "));
        assertEquals("", FieldText.checkValue("x", " \t "));
        assertEquals("", FieldText.checkValue("x", ""));
    }

    @Test
    void whatIsLoggedCannotEndItsLine() {
        assertEquals("GET /a?b HTTP/1.1", FieldText.escape("GET /a?b HTTP/1.1"));
        assertEquals("\\r\\n\\t\\\\\\\"\\u001b\\u00ff", FieldText.escape("\r\n\t\\\"\u001b\u00ff"));
    }

    @Test
    void whatIsLoggedIsNotWithoutEnd() {
        String shown = FieldText.escape("x".repeat(5000));
        assertEquals("x".repeat(1024) + "... (5000 characters)", shown);
    }

    @Test
    void caseIsThatOfAsciiOnly() {
        assertEquals("a-z\u00c4", FieldText.lowerCase("A-Z\u00c4"));
        assertTrue(FieldText.equalsIgnoreCase("Content-TYPE", "content-type"));
    }
}
