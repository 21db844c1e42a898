package io.gannet.examples;

import io.gannet.Backend;
import io.gannet.HttpServer;
import picocli.CommandLine.Option;

/** The options that every example has, as a builder with these options applied. */
final class ServerOptions {
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
            description = "auto, io_uring or epoll (default: ${DEFAULT-VALUE})")
    private Backend backend;

    @Option(names = "--loops", paramLabel = "N", description = "how many event loops (default: one a processor)")
    private Integer loops;

    /** A builder that listens where the options say, and closes gracefully when the process is asked to end. */
    HttpServer.Builder server() {
        var builder = HttpServer.builder().listen(port).backend(backend).closeOnShutdown(true);
        return loops == null ? builder : builder.loops(loops);
    }

    /** Says on stdout that the server accepts connections, and waits until it is closed. */
    static void run(HttpServer server) throws InterruptedException {
        System.out.println("listening on http://127.0.0.1:" + server.port());
        server.join();
    }
}
