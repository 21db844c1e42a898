package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** How fields are kept and staged. */
class ResponseFieldsTest {
    private final ResponseFields fields = new ResponseFields();
    private final ByteBuffer region = Region.allocate(1 << 17, 64);

    private String staged() {
        int end = fields.stage(region, 16);
        assertEquals(fields.bytes(), end - 16, "bytes() is what stage() writes");
        StringBuilder shown = new StringBuilder();
        for (int at = 16; at < end; ) {
            int token = Short.toUnsignedInt(region.getShort(at + Layout.STAGED_TOKEN));
            int nameLength = Short.toUnsignedInt(region.getShort(at + Layout.STAGED_NAME_LENGTH));
            int valueLength = region.getInt(at + Layout.STAGED_VALUE_LENGTH);
            at += Layout.STAGED_BYTES;
            shown.append(token).append('/').append(text(at, nameLength)).append('=');
            at += nameLength;
            shown.append(text(at, valueLength)).append(';');
            at += valueLength;
        }
        return shown.toString();
    }

    private String text(int at, int length) {
        byte[] bytes = new byte[length];
        region.get(at, bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    @Test
    void aTokenSaysAKnownName() {
        fields.add(EncodedName.of("content-type"), "text/html");
        fields.add(EncodedName.of("Date"), "now");
        fields.add(EncodedName.of("X-A"), "\u00ff");
        assertEquals(
                Layout.FIELD_CONTENT_TYPE + "/=text/html;" + Layout.FIELD_DATE + "/Date=now;0/X-A=\u00ff;", staged());
    }

    @Test
    void longValuesAreStagedAsTheyAre() {
        String value = "\u00e4".repeat(1000);
        fields.add(EncodedName.of("a"), value);
        assertEquals("0/a=" + value + ";", staged());
    }

    @Test
    void removesAllOfAName() {
        fields.add(EncodedName.of("a"), "1");
        fields.add(EncodedName.of("vary"), "2");
        fields.add(EncodedName.of("A"), "3");
        fields.add(EncodedName.of("b"), "4");
        fields.remove(EncodedName.of("a"));
        assertEquals(Layout.FIELD_VARY + "/=2;0/b=4;", staged());
        fields.remove(EncodedName.of("Vary"));
        assertEquals("0/b=4;", staged());
    }

    @Test
    void findsByToken() {
        assertFalse(fields.contains(Layout.FIELD_CONTENT_TYPE));
        fields.add(EncodedName.of("Content-Type"), "a/b");
        assertTrue(fields.contains(Layout.FIELD_CONTENT_TYPE));
    }

    @Test
    void holdsManyAndRefusesTooMany() {
        for (int i = 0; i < 100; i++) {
            fields.add(EncodedName.of("x" + i), "v".repeat(100));
        }
        staged();
        IllegalStateException refused =
                assertThrows(IllegalStateException.class, () -> fields.add(EncodedName.of("huge"), "v".repeat(60_000)));
        assertTrue(refused.getMessage().contains("huge"), refused.getMessage());
        assertTrue(refused.getMessage().contains("65536"), refused.getMessage());
    }

    @Test
    void theDefaultContentTypeIsWhatAddWouldStage() {
        fields.add(EncodedName.of("content-type"), "text/plain; charset=utf-8");
        int end = fields.stage(region, 0);
        byte[] bytes = new byte[end];
        region.get(0, bytes);
        assertEquals(text(0, end), new String(ResponseFields.TEXT_PLAIN, StandardCharsets.ISO_8859_1));
    }
}
