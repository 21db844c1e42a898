package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gannet.HttpServer;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A program of the tests in a JVM of its own: its lines are read, it is told lines, and it does not outlive the test. */
final class ChildJvm implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;

    private ChildJvm(List<String> command, ProcessBuilder.Redirect errors) throws IOException {
        process = new ProcessBuilder(command).redirectError(errors).start();
        output = process.inputReader(UTF_8);
    }

    static ChildJvm start(Class<?> main, String... arguments) throws IOException {
        return new ChildJvm(command(main, arguments), ProcessBuilder.Redirect.INHERIT);
    }

    /** With options of the JVM besides the usual ones. */
    static ChildJvm startWithOptions(List<String> options, Class<?> main, String... arguments) throws IOException {
        List<String> command = command(main, arguments);
        command.addAll(1, options);
        return new ChildJvm(command, ProcessBuilder.Redirect.INHERIT);
    }

    /** With a limit on file descriptors. */
    static ChildJvm startWithDescriptors(int limit, Class<?> main, String... arguments) throws IOException {
        var command = new ArrayList<>(List.of("sh", "-c", "ulimit -n " + limit + " && exec \"$@\"", "sh"));
        command.addAll(command(main, arguments));
        return new ChildJvm(command, ProcessBuilder.Redirect.INHERIT);
    }

    /** Started by another program, which is given the command as its last arguments; standard error goes to a file. */
    static ChildJvm startBy(List<String> starter, Path errors, Class<?> main, String... arguments) throws IOException {
        var command = new ArrayList<>(starter);
        command.addAll(command(main, arguments));
        return new ChildJvm(command, ProcessBuilder.Redirect.to(errors.toFile()));
    }

    private static List<String> command(Class<?> main, String... arguments) {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-cp",
                root(HttpServer.class) + File.pathSeparator + root(main)));
        String library = System.getProperty("io.gannet.native");
        if (library != null) {
            command.add("-Dio.gannet.native=" + library);
        }
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return command;
    }

    /** Where a class was loaded from; the code source would not do for tests that are patched into the library's module. */
    private static String root(Class<?> type) {
        String file = type.getName().replace('.', '/') + ".class";
        String url = type.getResource('/' + file).toString();
        if (url.startsWith("file:")) {
            try {
                return Path.of(new URI(url.substring(0, url.length() - file.length())))
                        .toString();
            } catch (URISyntaxException e) {
                throw new AssertionError(e);
            }
        }
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath())
                .toString();
    }

    /** The next line that the program writes. */
    String line() throws Exception {
        String line = Await.result(CompletableFuture.supplyAsync(() -> {
            try {
                return output.readLine();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }));
        if (line == null) {
            throw new AssertionError("the program has ended");
        }
        return line;
    }

    void tell(String line) throws IOException {
        process.getOutputStream().write((line + '\n').getBytes(UTF_8));
        process.getOutputStream().flush();
    }

    /** Sends SIGTERM; {@link Process#destroy} would end the talking as well. */
    void terminate() {
        process.toHandle().destroy();
    }

    /** Waits for the end of the program. */
    int exit() throws InterruptedException {
        if (!process.waitFor(Await.SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("the program has not ended");
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
