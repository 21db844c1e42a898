package io.gannet.behaviour;

import io.gannet.Backend;
import io.gannet.Http2;
import io.gannet.OutgoingBody;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.Tunnel;
import java.io.IOException;
import java.time.Duration;

/** The server that programs of others are tried on. */
final class PeerServer {
    static final String HELLO = "Hello, World!";
    static final int LARGE = 32 << 20;

    private PeerServer() {}

    static TestServer start(Backend backend) throws IOException {
        return TestServer.start(
                        backend,
                        builder -> builder.http2(
                                Http2.builder().extendedConnect(true).build()))
                .on("/slow", PeerServer::slow)
                .on("/hello", PeerServer::hello)
                .on("/echo", (request, response) -> response.send(request.body().publisher()))
                .on("/count", PeerServer::count)
                .on("/large", (request, response) -> write(response.stream(), new byte[65536], LARGE))
                .on("/endless", (request, response) -> write(response.stream(), new byte[65536], Long.MAX_VALUE))
                .on("/never", (request, response) -> {})
                .on("/tunnel", PeerServer::tunnel)
                .on("/grpc.Echo/Say", PeerServer::call);
    }

    /** Reads the body before it answers, so that what is wrong with it comes first. */
    private static void hello(Request request, Response response) {
        response.failIfFails(request.body().discard().thenAccept(count -> response.send(HELLO)));
    }

    /** The same after a moment, so that a client has time for another frame of a request that has ended. */
    private static void slow(Request request, Response response) {
        response.failIfFails(request.body()
                .discard()
                .thenAccept(
                        count -> response.eventLoop().schedule(Duration.ofMillis(100), () -> response.send(HELLO))));
    }

    /** How many bytes there were, and the trailer x-sum of the request as one of the response. */
    private static void count(Request request, Response response) {
        response.failIfFails(request.body().discard().thenAccept(count -> {
            OutgoingBody body = response.stream();
            String sum = request.body().trailers().get("x-sum");
            body.addTrailer("x-sum", sum == null ? "none" : sum).insistOnTrailers();
            body.write(count + " bytes");
            body.end();
        }));
    }

    private static void write(OutgoingBody body, byte[] block, long left) {
        if (left == 0) {
            body.end();
            return;
        }
        body.write(block).whenComplete((done, failure) -> {
            if (failure == null) {
                write(body, block, left - block.length);
            }
        });
    }

    private static void tunnel(Request request, Response response) {
        if (request.protocol() == null) {
            response.status(400).send("not an extended CONNECT");
            return;
        }
        Tunnel tunnel = response.addField("x-protocol", request.protocol()).acceptConnect();
        tunnel.output().writeAll(tunnel.input().publisher());
    }

    /** Answers as gRPC does: the message comes back, and its status is a trailer. */
    private static void call(Request request, Response response) {
        response.failIfFails(request.body().bytes().thenAccept(message -> {
            OutgoingBody body = response.addField("content-type", "application/grpc").stream();
            body.addTrailer("grpc-status", "0")
                    .addTrailer("grpc-message", "fine")
                    .insistOnTrailers();
            body.write(message);
            body.end();
        }));
    }
}
