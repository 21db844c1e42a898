package io.gannet.internal;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Which loops have a prepared response, and under which ids. It does not know the response, so that it can let the loops
 * forget it when that is gone: that is {@link #run}.
 */
final class PreparedCopies implements Runnable {
    private record Copy(Loop loop, long id) {}

    private final ReentrantLock lock = new ReentrantLock();

    /** Replaced, never changed: loops look for theirs at any time. */
    private volatile Copy[] copies = {};

    /** The id on a loop, or 0. */
    long idOn(Loop loop) {
        for (Copy copy : copies) {
            if (copy.loop == loop) {
                return copy.id;
            }
        }
        return 0;
    }

    void add(Loop loop, long id) {
        lock.lock();
        try {
            Copy[] before = copies;
            Copy[] after = new Copy[before.length + 1];
            System.arraycopy(before, 0, after, 0, before.length);
            after[before.length] = new Copy(loop, id);
            copies = after;
        } finally {
            lock.unlock();
        }
    }

    /** The loop has ended. */
    void remove(Loop loop) {
        lock.lock();
        try {
            Copy[] before = copies;
            int kept = 0;
            Copy[] after = new Copy[before.length - (idOn(loop) == 0 ? 0 : 1)];
            for (Copy copy : before) {
                if (copy.loop != loop) {
                    after[kept++] = copy;
                }
            }
            copies = after;
        } finally {
            lock.unlock();
        }
    }

    /** Nobody can send it any more: on the thread of a cleaner. */
    @Override
    public void run() {
        for (Copy copy : copies) {
            copy.loop.offer(() -> PreparedMessage.letGo(copy.loop, copy.id));
        }
    }
}
