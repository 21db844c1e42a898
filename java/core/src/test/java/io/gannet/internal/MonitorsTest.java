package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * Before JDK 24 a virtual thread that waits within a monitor holds its carrier. So whatever in the library takes one is
 * listed here, with why nothing waits in there; a new one has to be judged, or to be a lock of java.util.concurrent.
 */
class MonitorsTest {
    private static final Path SOURCES = Path.of("src/main/java");

    /** A map's compute methods hold a monitor while they call the function that they are given. */
    private static final Pattern MONITOR = Pattern.compile(
            "\\bsynchronized\\b|\\b(compute|computeIfAbsent|computeIfPresent|merge|wait|notify|notifyAll)\\(");

    private static final Pattern COMMENT = Pattern.compile("^\\s*(\\*|/\\*|//)");

    private static final List<String> KNOWN = List.of(
            // Two numbers are looked at and set.
            "Log.java: synchronized long pass() {",
            // Two objects are added to a list, by a loop at its end.
            "Loop.java: synchronized (LEAKED) {",
            // Unpacks the library, once in a JVM, when the first server is made: reading a file and dlopen hold the
            // carrier whatever the lock is.
            "NativeLibrary.java: static synchronized void require() {",
            // A flag is looked at and set.
            "Server.java: private synchronized boolean isClosing() {",
            "Server.java: synchronized (this) {");

    @Test
    @DisplayName("nothing in the library waits within a monitor")
    void everyMonitorIsKnown() throws IOException {
        assertEquals(KNOWN, monitors());
    }

    private static List<String> monitors() throws IOException {
        try (Stream<Path> files = Files.walk(SOURCES)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .flatMap(MonitorsTest::monitors)
                    .toList();
        }
    }

    private static Stream<String> monitors(Path file) {
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> !COMMENT.matcher(line).find())
                    .filter(line -> MONITOR.matcher(line).find())
                    .map(line -> file.getFileName() + ": " + line.strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
