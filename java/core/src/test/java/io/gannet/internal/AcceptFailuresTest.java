package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Failures to accept are logged at most once a second by each loop. Times are made up. */
class AcceptFailuresTest {
    private static final Logger LOGGER = Logger.getLogger("io.gannet");
    private static final long SECOND = 1_000_000_000L;

    private final List<String> lines = new ArrayList<>();
    private final Handler capture = new Handler() {
        @Override
        public void publish(LogRecord line) {
            lines.add(line.getMessage());
        }

        @Override
        public void flush() {
            // nothing is held back
        }

        @Override
        public void close() {
            // nothing is open
        }
    };

    @BeforeEach
    void capture() {
        LOGGER.addHandler(capture);
        LOGGER.setUseParentHandlers(false);
    }

    @AfterEach
    void release() {
        LOGGER.removeHandler(capture);
        LOGGER.setUseParentHandlers(true);
    }

    @Test
    void aLineASecondSaysHowManyThereWere() {
        var failures = new Log.AcceptFailures("loop-1");
        long now = Long.MAX_VALUE - SECOND / 2;
        for (int i = 0; i < 100; i++) {
            failures.failed(now + i, Errno.EMFILE);
        }
        assertEquals(1, lines.size());
        assertTrue(lines.get(0).startsWith("loop-1: "), lines.get(0));
        failures.failed(now + SECOND, Errno.EMFILE);
        assertEquals(2, lines.size());
        assertTrue(lines.get(1).contains("100 failures"), lines.get(1));
    }

    @Test
    void eachLoopHasItsOwn() {
        new Log.AcceptFailures("loop-1").failed(0, Errno.EMFILE);
        new Log.AcceptFailures("loop-2").failed(0, Errno.EMFILE);
        assertEquals(2, lines.size());
    }
}
