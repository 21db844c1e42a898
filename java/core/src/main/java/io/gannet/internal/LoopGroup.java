package io.gannet.internal;

import io.gannet.Backend;
import io.gannet.CloseReason;
import io.gannet.EventLoop;
import io.gannet.HttpException;
import io.gannet.LoopStats;
import io.gannet.ServerStats;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;

/** A group of loops and the servers on it. */
public final class LoopGroup {
    private final List<Loop> loops;
    private final Backend backend;
    private final Set<Server> servers = ConcurrentHashMap.newKeySet();
    private final CompletableFuture<Void> ended;
    private final Watchdog watchdog;
    private volatile boolean closing;

    private LoopGroup(List<Loop> loops, Watchdog watchdog) {
        this.watchdog = watchdog;
        this.loops = List.copyOf(loops);
        this.backend = loops.get(0).region().backendTaken();
        this.ended = ended(loops).whenComplete((done, failure) -> watchdog.stop());
    }

    /** Starts all loops, or none. */
    public static LoopGroup start(LoopOptions options) throws IOException {
        options.memory();
        NativeLibrary.require();
        preload();
        List<Loop> loops = new ArrayList<>();
        List<CompletableFuture<Void>> opened = new ArrayList<>();
        Watchdog watchdog = new Watchdog(options.heldUpAfter);
        try {
            for (int i = 1; i <= options.loops; i++) {
                Loop loop = new Loop(options, options.name + "-" + i, watchdog);
                loops.add(loop);
                opened.add(loop.start());
            }
            for (CompletableFuture<Void> one : opened) {
                join(one);
            }
            watchdog.start(options.name, loops);
        } catch (Throwable failure) {
            loops.forEach(Loop::end);
            ended(loops).join();
            throw failure;
        }
        LoopGroup group = new LoopGroup(loops, watchdog);
        Log.started(
                loops.size(),
                group.backend,
                options.backend,
                loops.get(0).region().text());
        return group;
    }

    /** Loads what must work when no descriptor is left to read a class file with. */
    private static void preload() {
        Class<?>[] types = {
            Abandoned.class,
            BodyReader.class,
            BodyWriter.class,
            CloseReason.class,
            CloseReason.Kind.class,
            Counters.class,
            Errno.class,
            Exchange.class,
            FieldText.class,
            ExchangeTunnel.class,
            HandlerRun.class,
            HeadCopy.class,
            HeadFields.class,
            HttpException.Kind.class,
            HttpException.class,
            Log.class,
            PeerConnection.class,
            Reasons.class,
            ResponseFields.class,
            ServerStats.class,
            StagedText.class,
            Timers.Timer.class
        };
        try {
            for (Class<?> type : types) {
                MethodHandles.lookup().ensureInitialized(type);
            }
        } catch (IllegalAccessException e) {
            throw new AssertionError("these are our own classes", e);
        }
        Log.prepare();
    }

    private static void join(CompletableFuture<Void> opened) throws IOException {
        try {
            opened.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof IOException refused) {
                throw refused;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    private static CompletableFuture<Void> ended(List<Loop> loops) {
        return CompletableFuture.allOf(loops.stream().map(Loop::ended).toArray(CompletableFuture<?>[]::new));
    }

    public List<EventLoop> loops() {
        return List.copyOf(loops);
    }

    List<Loop> all() {
        return loops;
    }

    public Backend backend() {
        return backend;
    }

    public LoopStats stats() {
        LoopStats sum = Counters.NONE;
        for (Loop loop : loops) {
            sum = sum.plus(loop.stats());
        }
        return sum.plus(Counters.heldUp(watchdog.heldUp()));
    }

    /** Whether the calling thread is one of the loops. */
    boolean inEventLoop() {
        for (Loop loop : loops) {
            if (loop.inEventLoop()) {
                return true;
            }
        }
        return false;
    }

    void add(Server server) {
        servers.add(server);
        if (closing) {
            servers.remove(server);
            throw new IllegalStateException("the event loops are closed");
        }
    }

    void remove(Server server) {
        servers.remove(server);
    }

    /** Ends the loops, whose servers have ended. */
    CompletableFuture<Void> end() {
        closing = true;
        loops.forEach(Loop::end);
        return ended;
    }

    /** Closes the servers, then the loops; waits, but not on a loop. */
    public void close() {
        closing = true;
        CompletableFuture<?>[] closed = servers.stream().map(Server::closeAsync).toArray(CompletableFuture<?>[]::new);
        CompletableFuture<Void> all = CompletableFuture.allOf(closed).thenCompose(done -> end());
        if (!inEventLoop()) {
            await(all);
        }
    }

    /** Waits without giving up when interrupted; the interrupt is kept. */
    static void await(CompletableFuture<Void> future) {
        boolean interrupted = false;
        while (true) {
            try {
                future.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
