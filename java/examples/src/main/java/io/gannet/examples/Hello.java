package io.gannet.examples;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The first program: every request is answered with one line of text. */
@Command(name = "hello", mixinStandardHelpOptions = true, description = "Answers every request with Hello, World!")
final class Hello implements Callable<Integer> {
    @Mixin
    private ServerOptions options;

    @Override
    public Integer call() throws Exception {
        try (var server = options.server()
                .handler((request, response) -> response.send("Hello, World!"))
                .start()) {
            ServerOptions.run(server);
        }
        return 0;
    }
}
