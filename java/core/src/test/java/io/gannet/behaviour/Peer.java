package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Programs that others have written. A test of one that is not installed is skipped, but fails where the environment says
 * that this is CI, which installs them all.
 */
final class Peer {
    private static final int SECONDS = 50;
    private static final List<String> FOLDERS = List.of("/usr/sbin", "/usr/bin", "/usr/local/bin");

    private Peer() {}

    /** A program that runs beside the test, and is ended by it. */
    record Running(Process process, Path log) implements AutoCloseable {
        @Override
        public void close() {
            process.destroy();
            try {
                process.onExit().get(Await.SECONDS, TimeUnit.SECONDS);
            } catch (Exception e) {
                process.destroyForcibly();
            }
        }
    }

    /** Where a program is; the test ends here if it is nowhere. */
    static String program(String name) {
        Stream<String> folders =
                Stream.concat(FOLDERS.stream(), Stream.of(System.getenv("PATH").split(":")));
        return folders.map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst()
                .map(Path::toString)
                .orElseGet(() -> {
                    missing(name);
                    return name;
                });
    }

    private static void missing(String what) {
        if (System.getenv("CI") != null) {
            fail(what + " is not installed, and this is CI");
        }
        assumeTrue(false, what + " is not installed");
    }

    /** That Debian's Python has a module, of the package python3-{@code name}. */
    static String pythonWith(String name) throws Exception {
        String python = program("python3");
        var check = builder(python, "-c", "import " + name).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        if (check.start().waitFor() != 0) {
            missing("python3-" + name);
        }
        return python;
    }

    /** What a program prints, errors included; it ends with 0. */
    static String run(Path folder, String... command) throws Exception {
        Path output = Files.createTempFile(folder, "output", "");
        try (var running = start(output, command)) {
            boolean ended = running.process().waitFor(SECONDS, TimeUnit.SECONDS);
            String text = Files.readString(output, ISO_8859_1);
            assertTrue(ended, () -> String.join(" ", command) + " does not end: " + text);
            assertEquals(0, running.process().exitValue(), () -> String.join(" ", command) + ": " + text);
            return text;
        }
    }

    static Running start(Path log, String... command) throws IOException {
        return new Running(builder(command).redirectOutput(log.toFile()).start(), log);
    }

    private static ProcessBuilder builder(String... command) {
        var builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true);
        builder.environment().remove("LD_PRELOAD"); // of a test with the sanitized library
        return builder;
    }

    /** Starts a server, and waits until it accepts connections. */
    static Running serve(Path log, int port, String... command) throws IOException {
        Running running = start(log, command);
        Await.until(
                () -> {
                    try (var socket = new Socket("127.0.0.1", port)) {
                        return socket.isConnected();
                    } catch (IOException e) {
                        assertTrue(running.process().isAlive(), () -> String.join(" ", command) + ": " + text(log));
                        return false;
                    }
                },
                () -> "a server on port " + port + ": " + text(log));
        return running;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file, UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** A port that nobody listens on. */
    static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** A resource of the folder {@code peers} as a file. */
    static Path file(Path folder, String name) throws IOException {
        try (InputStream from = Peer.class.getResourceAsStream("peers/" + name)) {
            Path file = folder.resolve(name);
            Files.copy(from, file, StandardCopyOption.REPLACE_EXISTING);
            return file;
        }
    }
}
