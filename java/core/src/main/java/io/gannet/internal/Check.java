package io.gannet.internal;

import java.time.Duration;
import java.util.Objects;

/** Refuses impossible options, naming the value and the limit. */
final class Check {
    private static final Duration LONGEST = Duration.ofDays(365);

    private Check() {}

    static int range(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " must be " + least + " to " + most + ": " + value);
        }
        return value;
    }

    static long range(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " must be " + least + " to " + most + ": " + value);
        }
        return value;
    }

    /** The nanoseconds of a time limit, 0 for none. */
    static long timeout(String name, Duration time) {
        return duration(name, time, "switches it off");
    }

    /** The nanoseconds; {@code zero} says what zero does. */
    static long duration(String name, Duration time, String zero) {
        Objects.requireNonNull(time, name);
        if (time.isNegative()) {
            throw new IllegalArgumentException(name + " must not be negative: " + time + "; zero " + zero);
        }
        if (time.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(name + " must be at most 365 days: " + time + "; zero " + zero);
        }
        return time.toNanos();
    }
}
