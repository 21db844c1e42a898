package io.gannet.examples;

import io.gannet.Dispatch;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import java.util.Locale;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of the examples that run on any number of loops, with handlers on the loop or off it. */
final class ServerOptions extends ListenOptions {
    private static final int POOL_THREADS = 64;
    private static final int FIRST_WITH_VIRTUAL_THREADS = 21;

    @Option(names = "--loops", paramLabel = "N", description = "how many event loops (default: one a processor)")
    private Integer loops;

    @Option(
            names = "--dispatch",
            paramLabel = "WHERE",
            converter = ThreadsName.class,
            description = "where handlers run: loop, virtual (threads, from JDK 21 on) or pool (default: loop; of an"
                    + " example that blocks: virtual, before JDK 21 pool)")
    private Threads threads;

    private enum Threads {
        LOOP,
        VIRTUAL,
        POOL
    }

    @Override
    HttpServer.Builder apply(HttpServer.Builder builder) {
        super.apply(builder).dispatch(dispatch());
        return loops == null ? builder : builder.loops(loops);
    }

    /** Loops that several servers share. */
    EventLoops.Builder eventLoops() {
        var builder = EventLoops.builder().backend(backend());
        return checked(() -> loops == null ? builder : builder.loops(loops));
    }

    /** Where handlers run. */
    Dispatch dispatch() {
        if (threads == null || threads == Threads.LOOP) {
            return Dispatch.loop();
        }
        return threads == Threads.VIRTUAL ? Dispatch.virtualThreads() : Dispatch.executor(pool(POOL_THREADS));
    }

    /** Threads that may block, for handlers that do: virtual ones, or a pool of so many. */
    Executor blocking(int most) {
        if (threads == Threads.LOOP) {
            throw wrong(new IllegalArgumentException("this example blocks: --dispatch virtual or pool, not loop"));
        }
        boolean isNew = Runtime.version().feature() >= FIRST_WITH_VIRTUAL_THREADS;
        if (threads == Threads.POOL || threads == null && !isNew) {
            return pool(most);
        }
        try {
            // The examples are compiled for JDK 17; a program for 21 calls it as it is.
            return (Executor)
                    Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (ReflectiveOperationException e) {
            throw wrong(new UnsupportedOperationException(
                    "--dispatch virtual needs JDK 21 or newer, this is JDK "
                            + Runtime.version().feature(),
                    e));
        }
    }

    /** A pool that does not keep the JVM alive. */
    private static Executor pool(int threads) {
        return Executors.newFixedThreadPool(threads, task -> {
            var thread = new Thread(task, "handler");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** The ways to run handlers, as the help writes them. */
    static final class ThreadsName implements ITypeConverter<Threads> {
        @Override
        public Threads convert(String name) {
            return switch (name.toLowerCase(Locale.ROOT)) {
                case "loop" -> Threads.LOOP;
                case "virtual" -> Threads.VIRTUAL;
                case "pool" -> Threads.POOL;
                default -> throw new TypeConversionException("not loop, virtual or pool: " + name);
            };
        }
    }
}
