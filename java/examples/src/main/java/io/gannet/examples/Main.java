package io.gannet.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs one of the examples: {@code java -jar examples.jar NAME [options]}. */
@Command(
        name = "examples",
        mixinStandardHelpOptions = true,
        version = "Gannet examples",
        description = "Small servers made with Gannet.",
        subcommands = {
            Hello.class,
            Echo.class,
            Params.class,
            State.class,
            Service.class,
            SendFile.class,
            WebApi.class,
            SingleThreaded.class,
            MultiServer.class,
            GracefulShutdown.class,
            Upgrades.class,
            HttpProxy.class,
            Grpc.class,
            Playground.class
        })
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    private Main() {}

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "name an example: hello, for instance");
    }

    /**
     * Runs the example that the first argument names. The process ends with 0, with 1 where the server could not start or
     * failed, with 2 where the arguments are wrong, and with 143 after SIGTERM, when the running exchanges are finished.
     *
     * @param arguments the name of an example and its options
     */
    public static void main(String[] arguments) {
        var commandLine = new CommandLine(new Main()).setExecutionExceptionHandler((failure, command, parsed) -> {
            command.getErr().println(command.getCommandName() + ": " + failure.getMessage());
            return 1;
        });
        System.exit(commandLine.execute(arguments));
    }
}
