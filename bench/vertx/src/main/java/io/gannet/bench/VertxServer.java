package io.gannet.bench;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerOptions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * The Vert.x side of the comparison: one event loop on the native epoll transport, HTTP/1.1 and HTTP/2 in clear text on the
 * same port.
 *
 * <p>Usage: {@code VertxServer --port N}.
 */
public final class VertxServer {
    private static final CharSequence TEXT = HttpHeaders.createOptimized("text/plain; charset=utf-8");
    private static final CharSequence LENGTH = HttpHeaders.createOptimized("13");
    private static final Buffer BODY = Buffer.buffer("Hello, World!");
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US).withZone(ZoneOffset.UTC);

    private static volatile CharSequence date = format();

    private VertxServer() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 2 || !args[0].equals("--port")) {
            throw new IllegalArgumentException("usage: VertxServer --port N");
        }
        Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true).setEventLoopPoolSize(1));
        if (!vertx.isNativeTransportEnabled()) {
            throw new IllegalStateException("no native transport", vertx.unavailableNativeTransportCause());
        }
        vertx.setPeriodic(1000, timer -> date = format());
        HttpServerOptions options = new HttpServerOptions()
                .setHost("127.0.0.1")
                .setPort(Integer.parseInt(args[1]))
                .setAcceptBacklog(4096)
                .setTcpNoDelay(true)
                .setHttp2ClearTextEnabled(true);
        int port = vertx.createHttpServer(options)
                .requestHandler(request -> request.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, TEXT)
                        .putHeader(HttpHeaders.CONTENT_LENGTH, LENGTH)
                        .putHeader(HttpHeaders.DATE, date)
                        .end(BODY))
                .listen()
                .await(30, TimeUnit.SECONDS)
                .actualPort();
        System.out.println("listening on http://127.0.0.1:" + port);
    }

    private static CharSequence format() {
        return HttpHeaders.createOptimized(FORMAT.format(Instant.now()));
    }
}
