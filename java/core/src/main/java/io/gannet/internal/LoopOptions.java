package io.gannet.internal;

import io.gannet.Backend;
import java.time.Duration;

/** What a group of loops is made with, checked. */
public final class LoopOptions {
    static final int EVENTS = 4096;
    static final int COMMANDS = 4096;
    static final int STAGING_BYTES = 1 << 19;

    int loops = Runtime.getRuntime().availableProcessors();
    Backend backend = Backend.AUTO;
    String name = "gannet-loop";
    int slabs = 4;
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
}
