package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The room that bodies share while they are gathered. */
class BufferedBodiesTest {
    @Test
    @DisplayName("the limit is exact, and what is given back can be taken again")
    void limit() {
        var bodies = new BufferedBodies(10);
        assertTrue(bodies.take(7));
        assertFalse(bodies.take(4));
        assertTrue(bodies.take(3));
        assertFalse(bodies.take(1));
        bodies.give(10);
        assertTrue(bodies.take(10));
        assertEquals(10, bodies.held());
    }

    @Test
    @DisplayName("who is refused takes no room from others meanwhile, and less room is never refused")
    void refusedMeanwhile() throws InterruptedException {
        var bodies = new BufferedBodies(10);
        assertTrue(bodies.take(2));
        var done = new AtomicBoolean();
        var greedy = new Thread(() -> {
            while (!done.get()) {
                bodies.take(10);
            }
        });
        greedy.start();
        try {
            for (int i = 0; i < 300_000; i++) {
                assertTrue(bodies.take(-1));
                assertTrue(bodies.take(1));
            }
        } finally {
            done.set(true);
            greedy.join();
        }
        assertEquals(2, bodies.held());
    }
}
