package io.gannet.examples;

import io.gannet.Backend;
import io.gannet.HttpServer;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The options that every example has, as a builder with these options applied. */
final class ServerOptions {
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

    @Option(names = "--loops", paramLabel = "N", description = "how many event loops (default: one a processor)")
    private Integer loops;

    /** A builder that listens where the options say, and closes gracefully when the process is asked to end. */
    HttpServer.Builder server() {
        try {
            var builder = HttpServer.builder().listen(port).backend(backend).closeOnShutdown(true);
            return loops == null ? builder : builder.loops(loops);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), e.getMessage(), e);
        }
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

    /** Says on stdout that the server accepts connections, and waits until it is closed. */
    static void run(HttpServer server) throws InterruptedException {
        System.out.println("listening on http://127.0.0.1:" + server.port());
        server.join();
    }
}
