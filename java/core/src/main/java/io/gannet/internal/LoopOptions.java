package io.gannet.internal;

import io.gannet.Backend;
import java.time.Duration;

/** What a group of loops is made with, checked. */
public final class LoopOptions {
    static final int EVENTS = 4096;
    static final int COMMANDS = 4096;
    private static final int MOST_SLABS = 4096;
    static final int STAGING_BYTES = 1 << 19;

    int loops = Runtime.getRuntime().availableProcessors();
    Backend backend = Backend.AUTO;
    String name = "gannet-loop";
    int slabs = 4;
    /** 0: by the size of the heap. */
    long maxMemory;

    Duration heldUpAfter = Duration.ofSeconds(1);
    boolean touched;

    /** The defaults. */
    public LoopOptions() {}

    public void loops(int count) {
        loops = Check.range("loops", count, 1, 1024);
        touched = true;
    }

    public void backend(Backend backend) {
        this.backend = backend;
        touched = true;
    }

    public void name(String prefix) {
        name = prefix;
    }

    public void heldUpAfter(Duration time) {
        Check.timeout("heldUpAfter", time);
        heldUpAfter = time;
    }

    public void slabs(int count) {
        slabs = Check.range("slabs", count, 1, 1024);
    }

    public void maxMemory(long bytes) {
        Check.range("maxMemory", bytes, Slabs.BYTES, (long) MOST_SLABS * Slabs.BYTES);
        if (bytes % Slabs.BYTES != 0) {
            throw new IllegalArgumentException("maxMemory must be a multiple of " + Slabs.BYTES + " (1 MiB): " + bytes);
        }
        maxMemory = bytes;
    }

    /** The most memory of a loop's slabs, in bytes. */
    long memory() {
        long begin = (long) slabs * Slabs.BYTES;
        if (maxMemory != 0) {
            if (maxMemory < begin) {
                throw new IllegalStateException(
                        "slabs(" + slabs + ") is more memory than maxMemory(" + maxMemory + ")");
            }
            return maxMemory;
        }
        long share = Runtime.getRuntime().maxMemory() / 4 / loops / Slabs.BYTES * Slabs.BYTES;
        return Math.max(begin, Math.min(1L << 30, Math.max(16L << 20, share)));
    }
}
