package io.gannet.examples;

import io.gannet.Handler;
import io.gannet.Request;
import io.gannet.Response;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** A handler as a class, with state of its own. */
@Command(name = "service", mixinStandardHelpOptions = true, description = "A handler as a class: /, /posts, /authors.")
final class Service implements Callable<Integer> {
    @Mixin
    private ServerOptions options;

    @Override
    public Integer call() throws Exception {
        try (var server = options.server().handler(new Counter(1)).start()) {
            ServerOptions.run(server);
        }
        return 0;
    }

    /** Pages that show a counter. */
    private static final class Counter implements Handler {
        private final AtomicInteger counter;

        Counter(int first) {
            counter = new AtomicInteger(first);
        }

        @Override
        public void handle(Request request, Response response) {
            switch (request.path()) {
                case "/" -> response.send("home! counter = " + counter.get());
                case "/posts" -> response.send("posts, of course! counter = " + counter.get());
                case "/authors" -> response.send("authors extraordinaire! counter = " + counter.get());
                default -> throw Answers.notFound(request);
            }
            counter.incrementAndGet();
        }
    }
}
