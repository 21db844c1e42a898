package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** An example in a process of its own, as a user runs it. */
final class RunningExample implements AutoCloseable {
    private static final int SECONDS = 20;
    private static final String FIRST_LINE = "listening on ";

    private final Process process;
    private final String address;

    private RunningExample(Process process, String address) {
        this.process = process;
        this.address = address;
    }

    /** The backends that are tested, as the option names them. */
    static List<String> backends() {
        return Arrays.asList(
                System.getProperty("gannet.test.backends", "io_uring,epoll").split(","));
    }

    /** Runs a command line, which need not be that of a server. */
    static Process run(String... arguments) throws IOException {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path")));
        String library = System.getProperty("io.gannet.native");
        if (library != null) {
            command.add("-Dio.gannet.native=" + library);
        }
        command.add(Main.class.getName());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).start();
    }

    /** Runs a server on a free port, and waits for its first line. */
    static RunningExample start(String name, String backend) throws Exception {
        Process process = run(name, "--port", "0", "--loops", "1", "--backend", backend);
        BufferedReader output = process.inputReader(UTF_8);
        String line = CompletableFuture.supplyAsync(() -> {
                    try {
                        return output.readLine();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .get(SECONDS, TimeUnit.SECONDS);
        if (line == null) {
            throw new AssertionError(new String(process.getErrorStream().readAllBytes(), UTF_8));
        }
        assertTrue(line.matches(FIRST_LINE + "http://127\\.0\\.0\\.1:[0-9]+"), line);
        return new RunningExample(process, line.substring(FIRST_LINE.length()));
    }

    URI uri(String path) {
        return URI.create(address + path);
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.destroy();
    }

    int exit() throws InterruptedException {
        return exit(process);
    }

    static int exit(Process process) throws InterruptedException {
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "the process does not end");
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
