package io.gannet.examples;

import io.gannet.HttpServer;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A server to try clients and conformance tools on; {@link PlaygroundHandler} has its routes. */
@Command(
        name = "playground",
        mixinStandardHelpOptions = true,
        description = "A server to try clients and conformance tools on.",
        footerHeading = "%nRoutes:%n",
        footer = {
            "  POST|PUT /echo    the body of the request, as it arrives",
            "  POST|PUT /upload  how many bytes the body has",
            "  /headers          the received fields, one a line, in order",
            "  /bytes/N          N bytes, up to 10 GiB",
            "  /chunked/N        N chunks of unknown total length",
            "  /trailers         a chunked body with a trailer",
            "  /early-hints      a 103 ahead of the answer",
            "  /upgrade          an echo over the protocol echo",
            "  /status/CODE      an answer with that status",
            "  /delay/MS         an answer after MS milliseconds",
            "  /stats            the server's counters, as JSON",
            "  GET|HEAD other    METHOD SP request-target, as received"
        })
final class Playground implements Callable<Integer> {
    @Mixin
    private ServerOptions options;

    @Option(
            names = "--head-timeout",
            paramLabel = "SECONDS",
            description = "how long a head may take, 0 for no limit (default: the library's)")
    private Integer headTimeout;

    @Option(
            names = "--body-timeout",
            paramLabel = "SECONDS",
            description = "how long a body may make no progress, 0 for no limit (default: the library's)")
    private Integer bodyTimeout;

    @Option(
            names = "--write-timeout",
            paramLabel = "SECONDS",
            description = "how long a client may take nothing of its response, 0 for no limit (default: the library's)")
    private Integer writeTimeout;

    @Override
    public Integer call() throws Exception {
        var started = new CompletableFuture<HttpServer>();
        HttpServer.Builder builder = options.server();
        options.checked(() -> applyTimeouts(builder));
        try (var server = builder.handler(new PlaygroundHandler(started)).start()) {
            started.complete(server);
            ServerOptions.run(server);
        }
        return 0;
    }

    private HttpServer.Builder applyTimeouts(HttpServer.Builder builder) {
        if (headTimeout != null) {
            builder.headTimeout(Duration.ofSeconds(headTimeout));
        }
        if (bodyTimeout != null) {
            builder.bodyTimeout(Duration.ofSeconds(bodyTimeout));
        }
        if (writeTimeout != null) {
            builder.writeTimeout(Duration.ofSeconds(writeTimeout));
        }
        return builder;
    }
}
