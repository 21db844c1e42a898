package io.gannet.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs that others have written, where they are installed: curl, mostly. */
final class Curl {
    private static final int SECONDS = 60;

    private Curl() {}

    /** What curl prints; the test is skipped where there is no curl. */
    static String get(String... arguments) throws Exception {
        return new String(send(InputStream.nullInputStream(), arguments), ISO_8859_1);
    }

    /** What curl prints, with something on its standard input. */
    static byte[] send(InputStream input, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of("curl", "--silent", "--show-error", "--max-time", "50", "--noproxy", ""));
        command.addAll(List.of(arguments));
        return run(input, command.toArray(String[]::new));
    }

    static byte[] send(byte[] input, String... arguments) throws Exception {
        return send(new ByteArrayInputStream(input), arguments);
    }

    /** What a program prints; the test is skipped where it is not installed. */
    static byte[] run(InputStream input, String... command) throws Exception {
        assumeTrue(isInstalled(command[0]), command[0] + " is not installed");
        Process process = new ProcessBuilder(command).start();
        CompletableFuture<byte[]> errors =
                CompletableFuture.supplyAsync(() -> readAll(process.getErrorStream()), RunningExample::onOwnThread);
        CompletableFuture<Void> given =
                CompletableFuture.runAsync(() -> give(input, process), RunningExample::onOwnThread);
        byte[] printed = readAll(process.getInputStream());
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "it does not end: " + String.join(" ", command));
        given.get(SECONDS, TimeUnit.SECONDS);
        assertEquals(
                0, process.exitValue(), () -> String.join(" ", command) + ": " + new String(errors.join(), ISO_8859_1));
        return printed;
    }

    private static boolean isInstalled(String name) {
        return Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, name)));
    }

    private static byte[] readAll(InputStream from) {
        try {
            return from.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void give(InputStream input, Process process) {
        try (var to = process.getOutputStream()) {
            input.transferTo(to);
        } catch (IOException e) {
            // it has ended, and its exit value says how
        }
    }
}
