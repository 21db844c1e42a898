package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Text in shared memory. */
class StagedTextTest {
    private final ByteBuffer region = Region.allocate(4096, 64);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "Hello, World!",
                "gr\u00fc\u00dfe",
                "abc\u20ac",
                "\ud83d\ude00",
                "lone \ud800 surrogate",
                "0123456789012345678901234567890123456789 longer than the short way goes, in ASCII",
                "0123456789012345678901234567890123456789 longer than the short way goes, \u00e9\u20ac\ud83d\ude00"
            })
    void utf8IsThatOfTheJdk(String text) {
        byte[] expected = text.getBytes(StandardCharsets.UTF_8);
        int end = StagedText.putUtf8(region, 8, text);
        assertEquals(8 + expected.length, end);
        byte[] bytes = new byte[expected.length];
        region.get(8, bytes);
        assertArrayEquals(expected, bytes);
    }
}
