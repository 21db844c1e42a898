package io.gannet.behaviour;

import io.gannet.Backend;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The backends that the tests run on: both, unless the system property {@code gannet.test.backends} names fewer. */
final class Backends {
    private static final List<Backend> TESTED = Arrays.stream(
                    System.getProperty("gannet.test.backends", "io_uring,epoll").split(","))
            .map(name -> Backend.valueOf(name.strip().toUpperCase(Locale.ROOT)))
            .toList();

    private Backends() {}

    static List<Backend> tested() {
        return TESTED;
    }
}
