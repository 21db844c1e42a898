package io.gannet.internal;

import io.gannet.Backend;
import io.gannet.HttpException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Everything that is logged. What the network can cause is limited in its rate. */
final class Log {
    private static final Logger LOGGER = System.getLogger("io.gannet");
    private static final Limit REFUSALS = new Limit();
    private static final int MOST_CAUSES = 32;

    private Log() {}

    /** At most ten a second. */
    private static final class Limit {
        private static final int MOST = 10;
        private static final long SECOND = 1_000_000_000L;

        private long since = System.nanoTime() - SECOND;
        private int passed;
        private final AtomicLong dropped = new AtomicLong();

        /** How many were dropped before this one, or -1: this one is dropped. */
        synchronized long pass() {
            long now = System.nanoTime();
            if (now - since >= SECOND) {
                since = now;
                passed = 0;
            }
            if (passed < MOST) {
                passed++;
                return dropped.getAndSet(0);
            }
            dropped.incrementAndGet();
            return -1;
        }
    }

    /** Makes the lines of accept failures once, so that what makes them is loaded. */
    static void prepare() {
        AcceptFailures.line("", Errno.EMFILE, 1);
        LOGGER.isLoggable(Level.WARNING);
    }

    /** The failures of a loop to accept: at most one line a second. Only the loop's thread touches it. */
    static final class AcceptFailures {
        private static final long SECOND = 1_000_000_000L;

        private final String loop;
        private boolean logged;
        private long loggedAt;
        private long unsaid;

        AcceptFailures(String loop) {
            this.loop = loop;
        }

        void failed(long now, int errno) {
            unsaid++;
            if (logged && now - loggedAt < SECOND) {
                return;
            }
            log(Level.WARNING, line(loop, errno, unsaid));
            logged = true;
            loggedAt = now;
            unsaid = 0;
        }

        private static String line(String loop, int errno, long failures) {
            return loop + ": accepting a connection failed: " + Errno.describe(errno)
                    + (failures == 1 ? "" : " (" + failures + " failures since the last such line)");
        }
    }

    private static void log(Level level, String message) {
        log(level, message, "", null);
    }

    /** What goes wrong in a logger, or in a user's exception, must not end a loop. */
    private static void log(Level level, String start, String end, Throwable failure) {
        try {
            if (LOGGER.isLoggable(level)) {
                LOGGER.log(level, start + end, printable(failure));
            }
        } catch (Throwable ignored) {
            // There is nowhere else to say it.
        }
    }

    /** The failure, or one that tells of it, where its own methods throw. */
    private static Throwable printable(Throwable failure) {
        try {
            int depth = 0;
            for (Throwable cause = failure; cause != null && depth < MOST_CAUSES; cause = cause.getCause()) {
                cause.toString();
                cause.getStackTrace();
                depth++;
            }
            return failure;
        } catch (Throwable thrown) {
            return new IllegalStateException(failure.getClass().getName() + ", whose text cannot be had");
        }
    }

    static void started(int loops, Backend taken, Backend wanted, String why) {
        log(Level.INFO, "event loops: " + loops + ", backend " + name(taken) + " (" + name(wanted) + ": " + why + ")");
    }

    static void listening(String where, int loops, Backend backend) {
        log(Level.INFO, "listening on " + where + "; loops " + loops + ", backend " + name(backend));
    }

    private static String name(Backend backend) {
        return backend.name().toLowerCase(Locale.ROOT);
    }

    static void handlerFailed(String requestLine, Throwable failure) {
        log(Level.WARNING, "handler failed: ", requestLine, failure);
    }

    static void handlerRefused(String requestLine, Throwable failure) {
        log(Level.DEBUG, "handler refused: ", requestLine, failure);
    }

    static void handlerRejected(String requestLine, Throwable why) {
        log(Level.WARNING, "answered with 503, since no thread could be had for its handler: ", requestLine, why);
    }

    static void deadlineOver(String requestLine, Duration deadline) {
        log(Level.WARNING, "ended, since it took longer than " + deadline + ": " + requestLine);
    }

    static void abandoned(String requestLine, boolean responded) {
        String how = responded ? "cut off" : "answered with 500";
        log(
                Level.WARNING,
                how + ", since nothing can complete it any more: " + requestLine
                        + " (a response must be sent or failed on every path)");
    }

    static void heldUp(String loop, Duration time, Thread thread) {
        StringBuilder stack = new StringBuilder();
        for (StackTraceElement element : thread.getStackTrace()) {
            stack.append(System.lineSeparator()).append("    at ").append(element);
        }
        log(
                Level.WARNING,
                loop + " is held up for " + time + " by a handler or callback that does not return:" + stack);
    }

    static void failedTooLate(String request, Throwable failure) {
        log(Level.DEBUG, "failed after the response was sent: ", request, failure);
    }

    static void refusedBody(String requestLine, HttpException failure) {
        log(Level.DEBUG, "refused with " + failure.status() + ": " + requestLine + ": " + failure.getMessage());
    }

    static void callbackFailed(String what, Throwable failure) {
        log(Level.WARNING, what, " failed", failure);
    }

    static void taskFailed(String loop, Throwable failure) {
        log(Level.WARNING, "a task failed on ", loop, failure);
    }

    static void eventFailed(String loop, Throwable failure) {
        log(Level.WARNING, "handling an event failed on ", loop, failure);
    }

    static void refused(PeerConnection connection, long connectionId, int reason, long status) {
        refusal(() -> "refused" + (status == 0 ? "" : " with " + status) + ": " + Layout.reasonText(reason)
                + " (connection " + (connection == null ? Long.toHexString(connectionId) : connection) + ")");
    }

    /** A connection that was not taken; {@code peer} is its address as admission.h has it, or -1. */
    static void connectionRefused(String loop, int reason, long peer) {
        refusal(() -> loop + ": a connection was refused: " + Layout.reasonText(reason)
                + (peer == -1 ? "" : " (" + address(peer) + ")"));
    }

    private static void refusal(Supplier<String> text) {
        if (!LOGGER.isLoggable(Level.DEBUG)) {
            return;
        }
        long dropped = REFUSALS.pass();
        if (dropped >= 0) {
            log(Level.DEBUG, text.get() + droppedBefore(dropped));
        }
    }

    private static String address(long peer) {
        if (peer >>> 32 == 0xFFFFFFFFL) {
            return (peer >>> 24 & 0xFF) + "." + (peer >>> 16 & 0xFF) + "." + (peer >>> 8 & 0xFF) + "." + (peer & 0xFF);
        }
        return Long.toHexString(peer >>> 48) + ":" + Long.toHexString(peer >>> 32 & 0xFFFF) + ":"
                + Long.toHexString(peer >>> 16 & 0xFFFF) + ":" + Long.toHexString(peer & 0xFFFF) + "::/64";
    }

    static void slabRefused(String loop, int errno) {
        log(Level.WARNING, loop + ": a slab of memory was not taken: " + Errno.describe(errno));
    }

    static void slabNotAllocated(String loop, OutOfMemoryError failure) {
        log(
                Level.WARNING,
                loop,
                ": no direct memory, or no thread, to get another slab with, trying again every second; raise"
                        + " -XX:MaxDirectMemorySize, or the limit of threads",
                failure);
    }

    static void loopFailed(String loop, Throwable failure) {
        log(Level.ERROR, loop, " failed and ends; servers on it are closed", failure);
    }

    static void memoryLeaked(String loop, int errno) {
        log(
                Level.ERROR,
                loop + ": the kernel did not let go of its memory at the end (" + Errno.describe(errno)
                        + "); it is kept on purpose");
    }

    static void closeOverdue(String server) {
        log(Level.ERROR, server + " did not end in time: an event loop is held up, probably by a handler that blocks");
    }

    private static String droppedBefore(long dropped) {
        return dropped == 0 ? "" : "; " + dropped + " more such lines were left out before";
    }
}
