package io.gannet.behaviour;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** What is logged as {@code io.gannet} while this is open; it reaches nobody else. */
final class LogCapture extends Handler implements AutoCloseable {
    /** One entry. */
    record Entry(Level level, String text, Throwable thrown) {}

    private static final Logger LOGGER = Logger.getLogger("io.gannet");

    private final Queue<Entry> entries = new ConcurrentLinkedQueue<>();

    static LogCapture open() {
        var capture = new LogCapture();
        LOGGER.addHandler(capture);
        LOGGER.setUseParentHandlers(false);
        return capture;
    }

    List<Entry> entries() {
        return List.copyOf(entries);
    }

    /** The entries of level WARNING and above. */
    List<Entry> warnings() {
        return entries.stream()
                .filter(entry -> entry.level().intValue() >= Level.WARNING.intValue())
                .toList();
    }

    /** The first such entry, waited for: an entry may be written after the response has gone out. */
    Entry warning() {
        Await.until(() -> !warnings().isEmpty(), () -> "a warning is logged; there are only " + entries);
        return warnings().get(0);
    }

    @Override
    public void publish(LogRecord entry) {
        entries.add(new Entry(entry.getLevel(), new SimpleFormatter().formatMessage(entry), entry.getThrown()));
    }

    @Override
    public void flush() {
        // nothing is held back
    }

    @Override
    public void close() {
        LOGGER.removeHandler(this);
        LOGGER.setUseParentHandlers(true);
    }
}
