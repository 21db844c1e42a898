package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The order of timers, and what becomes of cancelled ones. Times are made up. */
class TimersTest {
    private final Timers timers = new Timers();
    private final List<String> ran = new ArrayList<>();

    private Timers.Timer add(long deadline, String name) {
        Timers.Timer timer = new Timers.Timer(timers, deadline, () -> ran.add(name));
        timers.add(timer);
        return timer;
    }

    private void runUntil(long now) {
        for (Runnable task = timers.takeDue(now); task != null; task = timers.takeDue(now)) {
            task.run();
        }
    }

    @Test
    void runsByDeadlineThenByOrder() {
        add(20, "c");
        add(10, "a");
        add(10, "b");
        add(30, "d");
        runUntil(9);
        assertEquals(List.of(), ran);
        runUntil(20);
        assertEquals(List.of("a", "b", "c"), ran);
        assertEquals(10, timers.untilNext(20));
        runUntil(30);
        assertEquals(List.of("a", "b", "c", "d"), ran);
        assertEquals(-1, timers.untilNext(30));
    }

    @Test
    void theClockMayWrapAround() {
        add(Long.MAX_VALUE + 10, "after");
        add(Long.MAX_VALUE - 10, "before");
        assertEquals(20, timers.untilNext(Long.MAX_VALUE - 30));
        runUntil(Long.MAX_VALUE);
        assertEquals(List.of("before"), ran);
        runUntil(Long.MAX_VALUE + 10);
        assertEquals(List.of("before", "after"), ran);
    }

    @Test
    void aCancelledTimerDoesNotRun() {
        Timers.Timer timer = add(10, "a");
        assertTrue(timer.cancel());
        assertFalse(timer.cancel());
        assertNull(timers.takeDue(100));
        assertTrue(timers.isEmpty());
    }

    @Test
    void aTimerThatRanCannotBeCancelled() {
        Timers.Timer timer = add(10, "a");
        runUntil(10);
        assertFalse(timer.cancel());
        assertEquals(List.of("a"), ran);
    }

    @Test
    void cancelledTimersDoNotPileUp() {
        add(1_000_000, "kept");
        for (int i = 0; i < 100_000; i++) {
            add(500_000 + i, "never").cancel();
        }
        assertTrue(timers.size() < 200, "size " + timers.size());
        runUntil(1_000_000);
        assertEquals(List.of("kept"), ran);
    }

    @Test
    void manyTimersComeInOrder() {
        Random random = new Random(1);
        List<Long> expected = new ArrayList<>();
        List<Long> seen = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            long deadline = random.nextInt(1000);
            Timers.Timer timer = new Timers.Timer(timers, deadline, () -> seen.add(deadline));
            timers.add(timer);
            if (i % 3 == 0) {
                timer.cancel();
            } else {
                expected.add(deadline);
            }
        }
        runUntil(1000);
        expected.sort(null);
        assertEquals(expected, seen);
    }
}
