package io.gannet.internal;

import io.gannet.Handler;
import io.gannet.ServerStats;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * A server: a listener for each address on each loop.
 *
 * <pre>
 *   start --> running --> closing: UNLISTEN, at the deadline with ABORT --> each listener is gone --> closed
 * </pre>
 */
public final class Server {
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final ServerOptions options;
    private final Dispatches dispatch;
    private final Duration handlerDeadline;
    private final boolean interrupts;
    private final boolean reuses;
    private final int maxBufferedBodyBytes;
    private final LoopGroup group;
    private final boolean ownsGroup;
    private final List<InetSocketAddress> addresses = new CopyOnWriteArrayList<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    /** The listeners, one more until closing, and one more until started. */
    private final AtomicInteger remaining = new AtomicInteger(2);

    private final LongAdder handlerFailures = new LongAdder();
    private final LongAdder handlerDeadlines = new LongAdder();
    private final BufferedBodies bufferedBodies;
    private final AtomicInteger adopted = new AtomicInteger();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final Thread hook;
    private boolean closing;
    /** How many connections there may be, as C counts them; this server's reference to it. */
    private long admission;

    private volatile Throwable failure;
    private volatile String failedLoop;

    private Server(ServerOptions options, LoopGroup group, boolean ownsGroup) {
        this.options = options.copy();
        this.dispatch = options.dispatch;
        this.handlerDeadline = options.handlerDeadline;
        this.interrupts = options.interruptOnDisconnect;
        this.reuses = options.reuseExchanges;
        this.maxBufferedBodyBytes = options.maxBufferedBodyBytes;
        this.bufferedBodies = new BufferedBodies(options.maxBufferedBytes());
        this.group = group;
        this.ownsGroup = ownsGroup;
        this.hook = options.closeOnShutdown ? new Thread(() -> close(null), "gannet-shutdown") : null;
    }

    /** Starts a server that was checked. */
    public static Server start(ServerOptions options, LoopGroup group, boolean ownsGroup) throws IOException {
        Server server = new Server(options, group, ownsGroup);
        group.add(server);
        try {
            server.openAdmission();
            for (ServerOptions.Place place : server.options.places) {
                server.listen(place);
            }
            if (server.hook != null) {
                Runtime.getRuntime().addShutdownHook(server.hook);
            }
            Log.listening(server.where(), group.all().size(), group.backend());
        } catch (Throwable failed) {
            server.closeAsync(Duration.ZERO);
            throw failed;
        } finally {
            server.listenerGone();
        }
        return server;
    }

    private void openAdmission() throws IOException {
        long opened = Native.openAdmission(options.maxConnections, options.maxConnectionsPerAddress);
        if (opened <= 0) {
            throw new IOException("cannot count connections: " + Errno.describe((int) -opened));
        }
        admission = opened;
        options.admission(opened);
    }

    private void listen(ServerOptions.Place place) throws IOException {
        ListenSockets sockets = ListenSockets.open(place, group.all().size());
        addresses.add(sockets.address());
        Handler handler = place.handler() == null ? options.handler : place.handler();
        for (Loop loop : group.all()) {
            CompletableFuture<Listener> result = new CompletableFuture<>();
            int descriptor = sockets.take();
            Runnable listen = () -> {
                try {
                    result.complete(loop.listen(this, handler, options, descriptor));
                } catch (Throwable failed) {
                    result.completeExceptionally(failed);
                }
            };
            try {
                remaining.incrementAndGet();
                if (loop.inEventLoop()) {
                    listen.run();
                } else {
                    loop.execute(listen);
                }
                listeners.add(result.join());
                if (isClosing()) {
                    sockets.close();
                    throw new IllegalStateException("the event loops are closed");
                }
            } catch (CompletionException e) {
                remaining.decrementAndGet();
                sockets.close();
                if (e.getCause() instanceof IOException refused) {
                    throw refused;
                }
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            } catch (RejectedExecutionException e) {
                remaining.decrementAndGet();
                Native.closeDescriptor(descriptor);
                sockets.close();
                throw new IllegalStateException("the event loops are closed", e);
            }
        }
    }

    /** Hands a connected socket to the next loop in turn. */
    public void adopt(int descriptor) throws IOException {
        List<Listener> first = listeners.subList(0, group.all().size());
        Listener listener = first.get((int) (Integer.toUnsignedLong(adopted.getAndIncrement()) % first.size()));
        CompletableFuture<Integer> result = new CompletableFuture<>();
        Runnable adopt = () -> result.complete(listener.loop.adopt(listener, descriptor));
        if (listener.loop.inEventLoop()) {
            adopt.run();
        } else if (isClosing() || !listener.loop.offer(adopt)) {
            throw new IllegalStateException("the server is closed");
        }
        int refused;
        try {
            refused = result.get();
        } catch (InterruptedException e) {
            // It is under way, and cannot be taken back.
            refused = result.join();
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new AssertionError("adopt is never failed", e);
        }
        if (refused == Loop.LISTENER_GONE) {
            throw new IllegalStateException("the server is closed");
        }
        if (refused != 0) {
            throw new IOException("descriptor " + descriptor + " cannot be served: " + Errno.describe(-refused));
        }
    }

    public List<InetSocketAddress> addresses() {
        return List.copyOf(addresses);
    }

    Dispatches dispatch() {
        return dispatch;
    }

    /** {@code null}: there is none. */
    Duration handlerDeadline() {
        return handlerDeadline;
    }

    /** Whether the thread of a handler is interrupted when its client is gone. */
    boolean interrupts() {
        return interrupts;
    }

    /** Whether exchanges are used again. */
    boolean reuses() {
        return reuses;
    }

    BufferedBodies bufferedBodies() {
        return bufferedBodies;
    }

    int maxBufferedBodyBytes() {
        return maxBufferedBodyBytes;
    }

    void countHandlerFailure() {
        handlerFailures.increment();
    }

    void countHandlerDeadline() {
        handlerDeadlines.increment();
    }

    public ServerStats stats() {
        return new ServerStats(group.stats(), handlerFailures.sum(), handlerDeadlines.sum(), bufferedBodies.refused());
    }

    public boolean isClosed() {
        return closed.isDone();
    }

    public void join() throws InterruptedException {
        try {
            closed.get();
        } catch (ExecutionException e) {
            throw new AssertionError("closed is never failed", e);
        }
        if (failure != null) {
            throw new IllegalStateException("the server ended because " + failedLoop + " failed: " + failure, failure);
        }
    }

    // ---- closing ----

    /** Closes and waits, but not on a loop; {@code null}: within the server's own deadline. */
    public void close(Duration deadline) {
        Duration within = deadline == null ? options.closeDeadline : deadline;
        CompletableFuture<Void> done = closeAsync(within);
        if (group.inEventLoop()) {
            return;
        }
        boolean interrupted = false;
        long end = System.nanoTime() + nanoseconds(within) + GRACE.toNanos();
        while (true) {
            try {
                done.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                break;
            } catch (InterruptedException e) {
                interrupted = true;
                closeAsync(Duration.ZERO);
                end = System.nanoTime() + GRACE.toNanos();
            } catch (ExecutionException e) {
                break;
            } catch (TimeoutException e) {
                Log.closeOverdue(toString());
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean isClosing() {
        return closing;
    }

    /** Closes within the server's own deadline. */
    CompletableFuture<Void> closeAsync() {
        return closeAsync(options.closeDeadline);
    }

    /** Closes; a later call can only bring the deadline forward. */
    public CompletableFuture<Void> closeAsync(Duration deadline) {
        boolean first;
        synchronized (this) {
            first = !closing;
            closing = true;
        }
        long wait = nanoseconds(deadline);
        for (Listener listener : listeners) {
            listener.loop.offer(() -> {
                listener.loop.unlisten(listener, wait == 0);
                if (wait > 0) {
                    listener.loop.later(Duration.ofNanos(wait), () -> listener.loop.unlisten(listener, true));
                }
            });
        }
        if (first) {
            listenerGone();
        }
        return closed.copy();
    }

    private static long nanoseconds(Duration time) {
        if (time.isNegative()) {
            return 0;
        }
        return time.compareTo(Duration.ofDays(365)) > 0 ? Duration.ofDays(365).toNanos() : time.toNanos();
    }

    /** A listener and its connections are gone; with the last one, once started and closing, the server is. */
    void listenerGone() {
        if (remaining.decrementAndGet() > 0) {
            return;
        }
        group.remove(this);
        removeHook();
        if (admission != 0) {
            Native.releaseAdmission(admission);
        }
        if (ownsGroup) {
            group.end().thenRun(() -> closed.complete(null));
        } else {
            closed.complete(null);
        }
    }

    /** A loop has ended under this server. */
    void loopEnded(String loop, Throwable cause) {
        if (cause != null && failure == null) {
            failedLoop = loop;
            failure = cause;
        }
        closeAsync();
        listenerGone();
    }

    private void removeHook() {
        if (hook != null) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The JVM is shutting down, and the hook is what closes the server.
            }
        }
    }

    private String where() {
        List<String> places = new ArrayList<>();
        for (InetSocketAddress address : addresses) {
            places.add(ListenSockets.where(address.getAddress(), address.getPort()));
        }
        return String.join(" and ", places);
    }

    /** For logs: where it listens. */
    @Override
    public String toString() {
        return "server on " + where();
    }
}
