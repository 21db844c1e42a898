package io.gannet.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.provider.Arguments;

/** An example in a process of its own, as a user runs it. */
final class RunningExample implements AutoCloseable {
    private static final int SECONDS = 20;

    /** Little, so that an example that keeps what it streams fails. */
    private static final String MEMORY = "-Xmx64m";

    private static final String FIRST_LINE = "listening on ";

    private static final boolean HAS_VIRTUAL_THREADS = Runtime.version().feature() >= 21;

    private final Process process;
    private final BufferedReader output;
    private String address;

    private RunningExample(Process process, BufferedReader output) {
        this.process = process;
        this.output = output;
    }

    /** A thread for what blocks: there may be too few in the common pool. */
    static void onOwnThread(Runnable task) {
        var thread = new Thread(task, "test");
        thread.setDaemon(true);
        thread.start();
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
                MEMORY,
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

    /** Each backend with each way to run handlers that this JVM has, as the options name them. */
    static List<Arguments> modes() {
        var modes = new ArrayList<Arguments>();
        for (String backend : backends()) {
            for (String dispatch : dispatches()) {
                modes.add(Arguments.of(backend, dispatch));
            }
        }
        return modes;
    }

    /** The modes with HTTP/1.1; and with HTTP/2, the first of one backend and the last of another. */
    static List<Arguments> modesAndVersions() {
        var all = new ArrayList<Arguments>();
        List<Arguments> modes = modes();
        for (Arguments mode : modes) {
            all.add(Arguments.of(mode.get()[0], mode.get()[1], "HTTP/1.1"));
        }
        for (int at : new int[] {0, modes.size() - 1}) {
            all.add(Arguments.of(modes.get(at).get()[0], modes.get(at).get()[1], "HTTP/2"));
        }
        return all;
    }

    /** The ways to run handlers that this JVM has. */
    static List<String> dispatches() {
        return HAS_VIRTUAL_THREADS ? List.of("loop", "virtual", "pool") : List.of("loop", "pool");
    }

    /** Runs a server on a free port, and waits for its first line. */
    static RunningExample start(String name, String backend, String... more) throws Exception {
        var arguments = new ArrayList<>(List.of(name, "--port", "0", "--backend", backend));
        arguments.addAll(List.of(more));
        Process process = run(arguments.toArray(String[]::new));
        var example = new RunningExample(process, process.inputReader(UTF_8));
        try {
            example.address = example.nextAddress();
            return example;
        } catch (Throwable failure) {
            example.close();
            throw failure;
        }
    }

    /** The next line on standard output, {@code null} at its end. */
    String nextLine() throws Exception {
        return CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                return output.readLine();
                            } catch (IOException e) {
                                throw new UncheckedIOException(e);
                            }
                        },
                        RunningExample::onOwnThread)
                .get(SECONDS, TimeUnit.SECONDS);
    }

    /** The address that the next line says. */
    String nextAddress() throws Exception {
        String line = nextLine();
        if (line == null) {
            throw new AssertionError(new String(process.getErrorStream().readAllBytes(), UTF_8));
        }
        assertTrue(line.matches(FIRST_LINE + "http://127\\.0\\.0\\.1:[0-9]+"), line);
        return line.substring(FIRST_LINE.length());
    }

    int port() {
        return uri("/").getPort();
    }

    /** A connection to write bytes to and read them from, as they are. */
    Socket connect() throws IOException {
        var socket = new Socket("127.0.0.1", port());
        socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(SECONDS));
        return socket;
    }

    /** Sends a request, and gives all that comes until the server closes. */
    String exchange(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        }
    }

    URI uri(String path) {
        return URI.create(address + path);
    }

    /** Sends SIGTERM; what the process prints can still be read. */
    void terminate() {
        process.toHandle().destroy();
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
