package io.gannet;

import io.gannet.internal.LoopGroup;
import io.gannet.internal.LoopOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A group of event loops, each a non-daemon platform thread, which several servers may share. A server without one
 * starts its own. Thread-safe.
 *
 * <pre>{@code
 * try (var loops = EventLoops.builder().loops(2).start();
 *         var first = HttpServer.builder().eventLoops(loops).listen(8080).handler(a).start();
 *         var second = HttpServer.builder().eventLoops(loops).listen(8081).handler(b).start()) {
 *     first.join();
 * }
 * }</pre>
 */
public final class EventLoops implements AutoCloseable {
    private final LoopGroup group;

    private EventLoops(LoopGroup group) {
        this.group = group;
    }

    /**
     * What a group of event loops is made with.
     *
     * @return a builder with the defaults
     */
    public static Builder builder() {
        return new Builder(new LoopOptions());
    }

    /**
     * The loops.
     *
     * @return an immutable list, always the same
     */
    public List<EventLoop> loops() {
        return group.loops();
    }

    /**
     * What the loops do their input and output with.
     *
     * @return {@link Backend#IO_URING} or {@link Backend#EPOLL}
     */
    public Backend backend() {
        return group.backend();
    }

    /**
     * The sums of the loops' counters; {@link EventLoop#stats()} has those of one.
     *
     * @return a snapshot, the final numbers once closed
     */
    public LoopStats stats() {
        return group.stats();
    }

    /**
     * Closes the servers on these loops, each within its own deadline ({@link HttpServer.Builder#closeDeadline}), then
     * ends the loops. Waits for that, except on a thread of one of these loops, where it returns at once. A second call
     * waits too.
     */
    @Override
    public void close() {
        group.close();
    }

    LoopGroup group() {
        return group;
    }

    /** For logs: how many loops there are, and their backend. */
    @Override
    public String toString() {
        return "EventLoops[loops " + group.loops().size() + ", backend " + group.backend() + "]";
    }

    /** What a group of event loops is made with. Not thread-safe. */
    public static final class Builder {
        private final LoopOptions options;

        Builder(LoopOptions options) {
            this.options = options;
        }

        /**
         * How many loops there are. The default is one for each processor that the JVM may use.
         *
         * @param count 1 to 1024
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder loops(int count) {
            options.loops(count);
            return this;
        }

        /**
         * What the loops do their input and output with. The default is {@link Backend#AUTO}.
         *
         * @param backend the backend
         * @return this
         */
        public Builder backend(Backend backend) {
            options.backend(Objects.requireNonNull(backend, "backend"));
            return this;
        }

        /**
         * What the threads' names begin with; a hyphen and a number from 1 follow. The default is {@code gannet-loop}.
         *
         * @param prefix the prefix
         * @return this
         */
        public Builder name(String prefix) {
            options.name(Objects.requireNonNull(prefix, "prefix"));
            return this;
        }

        /**
         * The direct memory that each loop begins with for heads and bodies, in slabs of 1 MiB. It grows when it runs
         * short, up to {@link #maxMemory}. The default is 4, which is 4 MiB.
         *
         * @param count 1 to 1024
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder slabs(int count) {
            options.slabs(count);
            return this;
        }

        /**
         * The most direct memory that each loop takes for heads and bodies. No kind of use may take all of it: of what
         * comes in and what goes out, each leaves the other a quarter at least, and heads have an eighth to themselves.
         *
         * <p>Where it runs out, reading pauses and responses are held in the native heap, of which a loop takes as much
         * again at most (and no more than 256 MiB). Meanwhile the connection whose client has stalled longest is ended,
         * if that is a second or more: one that does not read its response, or does not go on with its request. {@link
         * LoopStats#connectionsEvicted} counts them. A connection that waits for its handler is never among them. The
         * same is done when the JVM has no direct memory left ({@code -XX:MaxDirectMemorySize}).
         *
         * <p>The default is a quarter of the JVM's largest heap, divided by the loops, but at least 16 MiB, at least
         * what the loops begin with, and at most 1 GiB.
         *
         * @param bytes a multiple of 1048576, up to 4 GiB, and not less than {@link #slabs}
         * @return this
         * @throws IllegalArgumentException if it is out of range or no multiple of 1 MiB
         */
        public Builder maxMemory(long bytes) {
            options.maxMemory(bytes);
            return this;
        }

        /**
         * How long handlers and callbacks may hold up a loop before that is logged, with what the loop's thread is doing,
         * and counted ({@link LoopStats#loopsHeldUp}). The default is 1 second.
         *
         * @param time the limit, or zero for none
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder heldUpAfter(Duration time) {
            options.heldUpAfter(time);
            return this;
        }

        /**
         * Starts the loops.
         *
         * @return the running loops
         * @throws IOException if the kernel refuses what they need, or the JVM's direct memory is too small for it: the
         *     message says what, and what to do about it
         * @throws IllegalStateException if {@link #slabs} is more than {@link #maxMemory}
         * @throws UnsupportedOperationException if the native library cannot be loaded here: the message says why
         */
        public EventLoops start() throws IOException {
            return new EventLoops(LoopGroup.start(options));
        }
    }
}
