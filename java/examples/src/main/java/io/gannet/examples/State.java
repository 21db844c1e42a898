package io.gannet.examples;

import io.gannet.Connection;
import io.gannet.Handler;
import io.gannet.Request;
import io.gannet.Response;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** State that requests share: all of a server, and those of one connection. */
@Command(
        name = "state",
        mixinStandardHelpOptions = true,
        description = "Counts the requests of the server and of each connection.")
final class State implements Callable<Integer>, Handler {
    /** All loops call the handler at once. */
    private final AtomicLong requests = new AtomicLong();

    @Mixin
    private ServerOptions options;

    @Override
    public Integer call() throws Exception {
        try (var server = options.server().handler(this).start()) {
            ServerOptions.run(server);
        }
        return 0;
    }

    @Override
    public void handle(Request request, Response response) {
        Connection connection = request.connection();
        if (connection.attachment() == null) {
            connection.attach(new AtomicLong());
        }
        var ofConnection = (AtomicLong) connection.attachment();
        response.send("Request #" + requests.incrementAndGet() + ", #" + ofConnection.incrementAndGet()
                + " of its connection");
    }
}
