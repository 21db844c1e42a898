package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The charset of a text body. */
class BodyCharsetTest {
    @Test
    void utf8UnlessSaidOtherwise() {
        assertEquals(StandardCharsets.UTF_8, BodyBytes.charset(null));
        assertEquals(StandardCharsets.UTF_8, BodyBytes.charset("text/plain"));
        assertEquals(StandardCharsets.UTF_8, BodyBytes.charset("text/plain; format=flowed; x"));
    }

    @Test
    void whatContentTypeSays() {
        assertEquals(StandardCharsets.ISO_8859_1, BodyBytes.charset("text/plain;charset=iso-8859-1"));
        assertEquals(StandardCharsets.UTF_16BE, BodyBytes.charset("text/plain; a=b ; CharSet=\"UTF-16BE\""));
    }

    @Test
    void anUnknownOneIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> BodyBytes.charset("text/plain; charset=no-such"));
        assertThrows(IllegalArgumentException.class, () -> BodyBytes.charset("text/plain; charset=\"\""));
    }
}
