package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.RecordComponent;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** What the code takes for granted of the layout beyond its constants. */
class LayoutTest {
    @Test
    void aRecordIsFourWords() {
        assertEquals(32, Layout.RECORD_BYTES);
        assertEquals(8, Layout.RECORD_SUBJECT);
        assertEquals(16, Layout.RECORD_BLOCK);
        assertEquals(24, Layout.RECORD_VALUE);
        assertEquals(0, Layout.RECORD_KIND_SHIFT);
        assertEquals(8, Layout.RECORD_FLAGS_SHIFT);
        assertEquals(16, Layout.RECORD_REASON_SHIFT);
        assertEquals(32, Layout.RECORD_LENGTH_SHIFT);
        assertEquals(32, Layout.COMMAND_BODY_LENGTH_SHIFT);
    }

    @Test
    void theHeadOfAStagedFieldIsOneWord() {
        assertEquals(8, Layout.STAGED_BYTES);
    }

    @Test
    void offsetAndLengthOfATextAreNeighbours() {
        assertEquals(Layout.HEAD_METHOD_OFFSET + 4, Layout.HEAD_METHOD_LENGTH);
        assertEquals(Layout.HEAD_TARGET_OFFSET + 4, Layout.HEAD_TARGET_LENGTH);
        assertEquals(Layout.HEAD_PATH_OFFSET + 4, Layout.HEAD_PATH_LENGTH);
        assertEquals(Layout.HEAD_QUERY_OFFSET + 4, Layout.HEAD_QUERY_LENGTH);
        assertEquals(Layout.HEAD_AUTHORITY_OFFSET + 4, Layout.HEAD_AUTHORITY_LENGTH);
    }

    @Test
    void everyCounterIsInTheStatistics() {
        RecordComponent[] components = io.gannet.LoopStats.class.getRecordComponents();
        assertEquals(Layout.counterCount() + 2, components.length);
        assertEquals("loopsHeldUp", components[components.length - 1].getName()); // Java's own
        assertEquals("reasons", components[components.length - 2].getName()); // words of their own
        for (int i = 0; i < components.length - 2; i++) {
            assertEquals(
                    Layout.counterName(i).replace("_", ""),
                    components[i].getName().toLowerCase(Locale.ROOT));
        }
    }

    @Test
    void everyReasonHasAText() {
        assertEquals("no error", Layout.reasonText(Layout.REASON_NONE));
        assertEquals("unknown reason", Layout.reasonText(-1));
        assertEquals("unknown reason", Layout.reasonText(Layout.REASON_LIMIT));
        for (int reason = 0; reason <= Layout.REASON_LIMIT; reason++) {
            assertTrue(Reasons.exception(reason).status() >= 400);
        }
    }
}
