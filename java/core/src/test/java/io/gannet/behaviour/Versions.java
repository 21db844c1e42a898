package io.gannet.behaviour;

import io.gannet.HttpVersion;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** The versions that the tests run over: both, unless the system property {@code gannet.test.versions} names fewer. */
final class Versions {
    private static final List<HttpVersion> TESTED = Arrays.stream(
                    System.getProperty("gannet.test.versions", "http_1_1,http_2")
                            .split(","))
            .map(name -> HttpVersion.valueOf(name.strip().toUpperCase(Locale.ROOT)))
            .toList();

    private Versions() {}

    static Stream<Arguments> onEachBackend() {
        return Backends.tested().stream()
                .flatMap(backend -> TESTED.stream().map(version -> Arguments.of(backend, version)));
    }
}
