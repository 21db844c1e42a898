package io.gannet.examples;

import io.gannet.Backend;
import io.gannet.HttpServer;
import java.util.Locale;
import java.util.function.Supplier;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The options that every example has, as a builder with these options applied. */
class ListenOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description = "the port to listen on, 0 for any free one (default: ${DEFAULT-VALUE})")
    private int port;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = "auto",
            converter = BackendName.class,
            description = "auto, io_uring or epoll (default: ${DEFAULT-VALUE})")
    private Backend backend;

    /** A builder that listens where the options say, and closes gracefully when the process is asked to end. */
    final HttpServer.Builder server() {
        return checked(() -> apply(HttpServer.builder().listen(port)));
    }

    /** As {@link #server}, but for this machine only. */
    final HttpServer.Builder localServer() {
        return checked(() -> apply(HttpServer.builder().listen("127.0.0.1", port)));
    }

    /** Applies the other options. */
    HttpServer.Builder apply(HttpServer.Builder builder) {
        return builder.backend(backend).closeOnShutdown(true);
    }

    final int port() {
        return port;
    }

    final Backend backend() {
        return backend;
    }

    /** What {@code making} gives; where that cannot be had, the command line is wrong. */
    final <T> T checked(Supplier<T> making) {
        try {
            return making.get();
        } catch (IllegalArgumentException | UnsupportedOperationException e) {
            throw wrong(e);
        }
    }

    /** What the command line asks for cannot be had: said in one line, with the usage. */
    final ParameterException wrong(RuntimeException why) {
        return new ParameterException(command.commandLine(), why.getMessage(), why);
    }

    /** Says on stdout that the server accepts connections, and waits until it is closed. */
    static void run(HttpServer server) throws InterruptedException {
        announce(server);
        server.join();
    }

    static void announce(HttpServer server) {
        System.out.println("listening on http://127.0.0.1:" + server.port());
    }

    /** The names of the backends, as the help writes them. */
    static final class BackendName implements ITypeConverter<Backend> {
        @Override
        public Backend convert(String name) {
            return switch (name.toLowerCase(Locale.ROOT)) {
                case "auto" -> Backend.AUTO;
                case "io_uring" -> Backend.IO_URING;
                case "epoll" -> Backend.EPOLL;
                default -> throw new TypeConversionException("not auto, io_uring or epoll: " + name);
            };
        }
    }
}
