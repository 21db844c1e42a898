package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The wake-up protocol between a loop and other threads. */
class InboxTest {
    private static final Runnable NOTHING = () -> {};

    private final AtomicInteger wakes = new AtomicInteger();
    private final Inbox inbox = new Inbox(wakes::incrementAndGet);

    @Test
    void aLoopThatIsAwakeIsNotWoken() {
        assertTrue(inbox.offer(NOTHING));
        assertEquals(0, wakes.get());
        assertSame(NOTHING, inbox.poll());
        assertNull(inbox.poll());
    }

    @Test
    void aLoopWithTasksDoesNotSleep() {
        inbox.offer(NOTHING);
        assertFalse(inbox.prepareToSleep());
        inbox.offer(NOTHING);
        assertEquals(0, wakes.get());
    }

    @Test
    void aSleepingLoopIsWokenOnce() {
        assertTrue(inbox.prepareToSleep());
        inbox.offer(NOTHING);
        inbox.offer(NOTHING);
        assertEquals(1, wakes.get());
        inbox.awake();
        inbox.poll();
        inbox.poll();
        assertTrue(inbox.prepareToSleep());
        inbox.offer(NOTHING);
        assertEquals(2, wakes.get());
    }

    @Test
    void aLoopThatEndsTakesNothingMore() {
        inbox.offer(NOTHING);
        inbox.refuse();
        assertFalse(inbox.offer(NOTHING));
        assertSame(NOTHING, inbox.poll());
        assertNull(inbox.poll());
    }

    @Test
    void nobodyWakesAfterTheClose() {
        assertTrue(inbox.prepareToSleep());
        inbox.close();
        assertFalse(inbox.offer(NOTHING));
        assertEquals(0, wakes.get());
    }

    @Test
    void theCloseWaitsForAWakeThatIsUnderWay() throws InterruptedException {
        CountDownLatch waking = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger open = new AtomicInteger(1);
        Inbox slow = new Inbox(() -> {
            waking.countDown();
            await(goOn);
            assertEquals(1, open.get(), "the descriptor was closed under a wake");
            wakes.incrementAndGet();
        });
        assertTrue(slow.prepareToSleep());
        Thread waker = new Thread(() -> slow.offer(NOTHING));
        waker.start();
        waking.await();
        Thread closer = new Thread(() -> {
            slow.close();
            open.set(0);
        });
        closer.start();
        goOn.countDown();
        closer.join();
        waker.join();
        assertEquals(1, wakes.get());
    }

    /** A loop that sleeps whenever it may, and threads that give it tasks: none is left behind. */
    @Test
    void noTaskIsForgottenByASleepingLoop() throws InterruptedException {
        int threads = 3;
        int each = 20_000;
        Semaphore eventfd = new Semaphore(0);
        Inbox shared = new Inbox(eventfd::release);
        AtomicInteger done = new AtomicInteger();
        Thread[] senders = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            senders[i] = new Thread(() -> {
                for (int j = 0; j < each; j++) {
                    assertTrue(shared.offer(done::incrementAndGet));
                }
            });
            senders[i].start();
        }
        while (done.get() < threads * each) {
            if (shared.prepareToSleep()) {
                eventfd.acquire();
                eventfd.drainPermits();
            }
            shared.awake();
            for (Runnable task = shared.poll(); task != null; task = shared.poll()) {
                task.run();
            }
        }
        for (Thread sender : senders) {
            sender.join();
        }
        assertEquals(threads * each, done.get());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
