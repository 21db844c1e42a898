package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.FieldName;
import java.lang.reflect.Field;
import org.junit.jupiter.api.Test;

/** Names and their tokens. */
class EncodedNameTest {
    @Test
    void everyTokenHasAConstant() throws ReflectiveOperationException {
        for (int token = 1; token < Layout.fieldNameCount(); token++) {
            String text = Layout.fieldName(token);
            Field constant = FieldName.class.getField(
                    text.toUpperCase(java.util.Locale.ROOT).replace('-', '_'));
            EncodedName name = (EncodedName) constant.get(null);
            assertEquals(text, name.toString());
            assertEquals(token, name.token);
            assertTrue(name.isCanonical());
        }
        assertEquals(Layout.fieldNameCount() - 1, FieldName.class.getFields().length);
    }

    @Test
    void aNameKeepsItsCaseAndFindsItsToken() {
        EncodedName name = EncodedName.of("Content-TYPE");
        assertEquals("Content-TYPE", name.toString());
        assertEquals(Layout.FIELD_CONTENT_TYPE, name.token);
        assertFalse(name.isCanonical());
        assertEquals(FieldName.CONTENT_TYPE, name);
        assertEquals(FieldName.CONTENT_TYPE.hashCode(), name.hashCode());
        assertNotEquals(FieldName.CONTENT_LENGTH, name);
    }

    @Test
    void otherNamesHaveNoToken() {
        assertEquals(0, EncodedName.of("x-gannet").token);
        assertEquals(FieldName.of("X-Gannet"), FieldName.of("x-gannet"));
    }

    @Test
    void namesAreMadeOnce() {
        assertSame(EncodedName.cached("X-Made-Once"), EncodedName.cached("X-Made-Once"));
    }
}
