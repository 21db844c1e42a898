package io.gannet.internal;

import io.gannet.Dispatch;
import io.gannet.Handler;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Objects;
import java.util.concurrent.Executor;

/** Where handlers run. */
public final class Dispatches implements Dispatch {
    /** On the loop. */
    public static final Dispatches LOOP = new Dispatches(null);

    /** {@code null}: the loop of the exchange. */
    private final Executor executor;

    private Dispatches(Executor executor) {
        this.executor = executor;
    }

    public static Dispatch executor(Executor executor) {
        return new Dispatches(Objects.requireNonNull(executor, "executor"));
    }

    public static Dispatch virtualThreads() {
        if (VirtualThreads.START == null) {
            throw new UnsupportedOperationException("virtual threads need JDK 21 or newer, this is JDK "
                    + Runtime.version().feature() + ": use Dispatch.executor(...)");
        }
        return VirtualThreads.DISPATCH;
    }

    /** Virtual threads, as far as this JVM has them. */
    private static final class VirtualThreads {
        private static final MethodHandle START = find();
        private static final Dispatches DISPATCH = new Dispatches(VirtualThreads::start);

        private static MethodHandle find() {
            try {
                return MethodHandles.publicLookup()
                        .findStatic(
                                Thread.class,
                                "startVirtualThread",
                                MethodType.methodType(Thread.class, Runnable.class));
            } catch (NoSuchMethodException | IllegalAccessException e) {
                return null;
            }
        }

        private static void start(Runnable task) {
            try {
                Thread started = (Thread) START.invokeExact(task);
                Objects.requireNonNull(started, "started");
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("startVirtualThread throws nothing checked", e);
            }
        }
    }

    /** Starts a run; one that the executor rejects is told so. */
    void start(HandlerRun run) {
        try {
            if (executor == null) {
                run.onLoop();
            } else {
                executor.execute(run);
            }
        } catch (Throwable rejected) {
            run.rejected(rejected);
        }
    }

    @Override
    public Handler wrap(Handler handler) {
        Objects.requireNonNull(handler, "handler");
        return (request, response) -> {
            if (!(request instanceof Exchange exchange) || request != response) {
                throw new IllegalArgumentException("a wrapped handler takes the request and response of the server");
            }
            if (executor == null && exchange.loop.inEventLoop()) {
                handler.handle(request, response);
            } else {
                exchange.dispatch(this, handler);
            }
        };
    }

    /** For logs. */
    @Override
    public String toString() {
        return executor == null ? "on the loop" : "off the loop";
    }
}
