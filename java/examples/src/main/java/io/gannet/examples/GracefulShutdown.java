package io.gannet.examples;

import io.gannet.Handler;
import io.gannet.HttpServer;
import io.gannet.Request;
import io.gannet.Response;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Ends on SIGTERM and Ctrl-C: no new connections, what runs is finished, and a deadline for that. */
@Command(
        name = "graceful_shutdown",
        mixinStandardHelpOptions = true,
        description = "Answers after two seconds; asked to end, it finishes what runs.")
final class GracefulShutdown implements Callable<Integer>, Handler {
    private static final Duration WORK = Duration.ofSeconds(2);

    @Mixin
    private ServerOptions options;

    @Option(
            names = "--deadline",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "how long to wait for what runs (default: ${DEFAULT-VALUE})")
    private int deadline;

    @Override
    public Integer call() throws Exception {
        // closeOnShutdown(true) alone does the same, without a word
        var server = options.server().closeOnShutdown(false).handler(this).start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(server)));
        ServerOptions.run(server);
        return 0;
    }

    private void close(HttpServer server) {
        System.out.println("closing: finishing what runs, for at most " + deadline + " s");
        server.close(Duration.ofSeconds(deadline));
        System.out.println("closed: " + server.stats().loops().requests() + " requests were served");
    }

    @Override
    public void handle(Request request, Response response) {
        System.out.println("a request came");
        // no thread waits meanwhile
        response.eventLoop().schedule(WORK, () -> response.send("Hello, World!"));
    }
}
