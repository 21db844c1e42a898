package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.Tunnel;
import java.io.OutputStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Changes to a protocol of its own when a client offers it: reads seven bytes, and says goodbye. */
@Command(
        name = "upgrades",
        mixinStandardHelpOptions = true,
        description = "Upgrades to the protocol foobar: seven bytes one way, \"bar=foo\" back, and the end.")
final class Upgrades implements Callable<Integer>, Handler {
    private static final String PROTOCOL = "foobar";
    private static final int THREADS = 64;

    @Mixin
    private ServerOptions options;

    @Override
    public Integer call() throws Exception {
        var dispatch = Dispatch.executor(options.blocking(THREADS));
        try (var server = options.server().dispatch(dispatch).handler(this).start()) {
            ServerOptions.run(server);
        }
        return 0;
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        if (!request.offersUpgrade(PROTOCOL)) {
            response.status(426).addField("Upgrade", PROTOCOL).send("this server speaks " + PROTOCOL + "\n");
            return;
        }
        Tunnel tunnel = response.upgrade(PROTOCOL);
        try (var from = tunnel.input().inputStream()) {
            try (var to = tunnel.output().outputStream()) {
                System.out.println("client says: " + new String(from.readNBytes(7), UTF_8));
                to.write("bar=foo".getBytes(UTF_8));
            }
            // the tunnel lasts until the client has ended its way too
            from.transferTo(OutputStream.nullOutputStream());
        }
    }
}
