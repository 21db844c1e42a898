package io.gannet.behaviour;

import io.gannet.Backend;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import io.gannet.Response;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Queue;
import java.util.Scanner;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A server in a JVM of its own. It writes its port, or why it cannot start, and {@code held} for each request of
 * {@code /held}, whose response it sends when it is told a line. Its arguments are the backend and, if that is not to be the
 * default, the most connections.
 */
final class ChildServer {
    /** How many descriptors {@code /take} takes, and {@code /give} gives back. */
    static final int TAKEN = 40;

    private ChildServer() {}

    public static void main(String[] arguments) throws Exception {
        BlockingQueue<Response> held = new LinkedBlockingQueue<>();
        HttpServer server;
        try {
            HttpServer.Builder builder = HttpServer.builder().backend(Backend.valueOf(arguments[0]));
            if (arguments.length > 1) {
                builder.maxConnections(Integer.parseInt(arguments[1]));
            }
            server = start(builder, held);
        } catch (IOException refused) {
            System.out.println(refused.toString().replace('\n', ' '));
            System.exit(1);
            return;
        }
        System.out.println(server.port());
        var lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            lines.nextLine();
            held.take().send("finished");
        }
    }

    private static HttpServer start(HttpServer.Builder builder, Queue<Response> held) throws IOException {
        var loops = new CompletableFuture<EventLoops>();
        var taken = new ArrayList<FileInputStream>();
        HttpServer server = builder.listen("127.0.0.1", 0)
                .loops(1)
                .closeOnShutdown(true)
                .handler((request, response) -> {
                    switch (request.path()) {
                        case "/held" -> {
                            held.add(response);
                            System.out.println("held");
                        }
                        case "/accept-failures" ->
                            response.send(
                                    String.valueOf(request.eventLoop().stats().acceptFailures()));
                        case "/accepted" ->
                            response.send(
                                    String.valueOf(request.eventLoop().stats().connectionsAccepted()));
                        case "/take" -> {
                            for (int i = 0; i < TAKEN; i++) {
                                taken.add(new FileInputStream("/dev/null"));
                            }
                            response.send("taken");
                        }
                        case "/give" -> {
                            for (FileInputStream file : taken) {
                                file.close();
                            }
                            taken.clear();
                            response.send("given");
                        }
                        case "/backend" ->
                            loops.thenAccept(
                                    running -> response.send(running.backend().name()));
                        default -> response.send("hello");
                    }
                })
                .start();
        loops.complete(server.eventLoops());
        return server;
    }
}
