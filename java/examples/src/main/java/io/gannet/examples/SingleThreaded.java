package io.gannet.examples;

import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.Request;
import io.gannet.Response;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** One loop with the handler on it: one thread does everything, and state needs no lock. */
@Command(
        name = "single_threaded",
        mixinStandardHelpOptions = true,
        description = "One thread for everything; counts requests without a lock.")
final class SingleThreaded implements Callable<Integer>, Handler {
    @Mixin
    private ListenOptions options;

    private long requests;

    @Override
    public Integer call() throws Exception {
        try (var server = options.server()
                .loops(1)
                .dispatch(Dispatch.loop())
                .handler(this)
                .start()) {
            ListenOptions.run(server);
        }
        return 0;
    }

    @Override
    public void handle(Request request, Response response) {
        requests++;
        response.send("Request #" + requests + " on " + Thread.currentThread().getName());
    }
}
