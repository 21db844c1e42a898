package io.gannet.examples;

import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.Tunnel;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A proxy for CONNECT: two threads copy the bytes of a tunnel, one each way, and wait where the receiver is slower. */
@Command(
        name = "http_proxy",
        mixinStandardHelpOptions = true,
        description = "A proxy for CONNECT, for this machine only. Try: curl -p -x 127.0.0.1:8080 http://example.com/")
final class HttpProxy implements Callable<Integer>, Handler {
    private static final int THREADS_TO_REFUSE_WITH = 8;

    @Mixin
    private ServerOptions options;

    @Option(
            names = "--tunnels",
            paramLabel = "N",
            defaultValue = "256",
            description = "the most tunnels at a time; more are answered with 503 (default: ${DEFAULT-VALUE})")
    private int mostTunnels;

    @Option(
            names = "--connect-timeout",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "how long to wait for the other server, then 504 (default: ${DEFAULT-VALUE})")
    private int connectSeconds;

    @Option(
            names = "--idle-timeout",
            paramLabel = "SECONDS",
            defaultValue = "60",
            description = "how long a tunnel may be without a byte (default: ${DEFAULT-VALUE})")
    private int idleSeconds;

    private Semaphore tunnels;
    private Executor threads;

    @Override
    public Integer call() throws Exception {
        if (mostTunnels < 1 || connectSeconds < 1 || idleSeconds < 1) {
            throw options.wrong(new IllegalArgumentException("the limits must be at least 1"));
        }
        tunnels = new Semaphore(mostTunnels);
        threads = options.blocking(2 * mostTunnels + THREADS_TO_REFUSE_WITH);
        try (var server = options.localServer()
                .dispatch(Dispatch.executor(threads))
                .connectMethod(true)
                .tunnelIdleTimeout(Duration.ofSeconds(idleSeconds))
                .handler(this)
                .start()) {
            ServerOptions.run(server);
        }
        return 0;
    }

    @Override
    public void handle(Request request, Response response) {
        if (!request.method().equals("CONNECT")) {
            response.addField("Allow", "CONNECT");
            throw new HttpException(405, "this proxy does CONNECT only");
        }
        InetSocketAddress target = target(request.target());
        if (!tunnels.tryAcquire()) {
            throw new HttpException(503, "there are " + mostTunnels + " tunnels already");
        }
        var socket = new Socket();
        try {
            connect(socket, target);
        } catch (HttpException e) {
            end(socket);
            throw e;
        }
        // whatever ends the tunnel also wakes the thread that reads from the socket
        request.connection().onClose(reason -> end(socket));
        Tunnel tunnel = response.acceptConnect();
        threads.execute(() -> copyThere(tunnel, socket));
        copyBack(socket, tunnel);
    }

    private static InetSocketAddress target(String authority) {
        try {
            var uri = new URI("connect://" + authority);
            if (uri.getHost() != null && uri.getPort() > 0 && authority.equals(uri.getRawAuthority())) {
                return new InetSocketAddress(uri.getHost(), uri.getPort());
            }
        } catch (URISyntaxException | IllegalArgumentException e) {
            // said below
        }
        throw new HttpException(400, "not a host and a port: " + authority);
    }

    private void connect(Socket socket, InetSocketAddress target) {
        try {
            socket.connect(target, (int) Duration.ofSeconds(connectSeconds).toMillis());
            socket.setTcpNoDelay(true);
        } catch (SocketTimeoutException e) {
            throw new HttpException(504, "no connection to " + target + " within " + connectSeconds + " s", e);
        } catch (IOException e) {
            throw new HttpException(502, "no connection to " + target + ": " + e.getMessage(), e);
        }
    }

    private static void copyThere(Tunnel tunnel, Socket socket) {
        try (InputStream from = tunnel.input().inputStream()) {
            from.transferTo(socket.getOutputStream());
            socket.shutdownOutput();
        } catch (IOException e) {
            tunnel.abort();
        }
    }

    private static void copyBack(Socket socket, Tunnel tunnel) {
        try (OutputStream to = tunnel.output().outputStream()) {
            // a tunnel gathers nothing, so nothing has to be flushed
            socket.getInputStream().transferTo(to);
        } catch (IOException e) {
            tunnel.abort();
        }
    }

    private void end(Socket socket) {
        tunnels.release();
        try {
            socket.close();
        } catch (IOException e) {
            // it is gone either way
        }
    }
}
