package io.gannet.examples;

import io.gannet.Dispatch;
import io.gannet.HttpServer;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Two servers on the same loops, each with a port, a handler and, if need be, limits of its own. */
@Command(name = "multi_server", mixinStandardHelpOptions = true, description = "Two servers on the same loops.")
final class MultiServer implements Callable<Integer> {
    @Mixin
    private ServerOptions options;

    @Option(
            names = "--second-port",
            paramLabel = "N",
            defaultValue = "8081",
            description = "the port of the second server, 0 for any free one (default: ${DEFAULT-VALUE})")
    private int secondPort;

    @Override
    public Integer call() throws Exception {
        Dispatch dispatch = options.checked(options::dispatch);
        try (var loops = options.eventLoops().start();
                var first = HttpServer.builder()
                        .eventLoops(loops)
                        .dispatch(dispatch)
                        .listen(options.port())
                        .handler((request, response) -> response.send("The 1st service!"))
                        .closeOnShutdown(true)
                        .start();
                var second = HttpServer.builder()
                        .eventLoops(loops)
                        .dispatch(dispatch)
                        .listen(secondPort)
                        .handler((request, response) -> response.send("The 2nd service!"))
                        .closeOnShutdown(true)
                        .start()) {
            ServerOptions.announce(first);
            ServerOptions.announce(second);
            first.join();
            second.join();
        }
        return 0;
    }
}
