package io.gannet;

import io.gannet.internal.Server;
import io.gannet.internal.ServerOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * An HTTP server. It listens once it is started and until it is closed; its threads keep the JVM alive meanwhile.
 * Thread-safe.
 *
 * <pre>{@code
 * try (var server = HttpServer.builder()
 *         .listen(8080)
 *         .handler((request, response) -> response.send("Hello, World!"))
 *         .start()) {
 *     server.join();
 * }
 * }</pre>
 */
public final class HttpServer implements AutoCloseable {
    private final Server server;
    private final EventLoops loops;

    private HttpServer(Server server, EventLoops loops) {
        this.server = server;
        this.loops = loops;
    }

    /**
     * What a server is made with.
     *
     * @return a builder with the defaults
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Where the server listens, with the ports that were taken where 0 was asked for.
     *
     * @return the addresses in the order of the {@code listen} calls, an immutable list, the same after the close
     */
    public List<InetSocketAddress> addresses() {
        return server.addresses();
    }

    /**
     * The port of the first address.
     *
     * @return 1 to 65535
     */
    public int port() {
        return server.addresses().get(0).getPort();
    }

    /**
     * The loops that the server runs on.
     *
     * @return the group that was given to the builder, or the server's own
     */
    public EventLoops eventLoops() {
        return loops;
    }

    /**
     * Waits until the server is closed.
     *
     * @throws InterruptedException if the thread is interrupted
     * @throws IllegalStateException if the server ended because one of its loops failed, which is the cause
     */
    public void join() throws InterruptedException {
        server.join();
    }

    /**
     * Whether the server has ended: no connection is left and its port is free.
     *
     * @return {@code true} once it is closed
     */
    public boolean isClosed() {
        return server.isClosed();
    }

    /**
     * Closes the server gracefully within its deadline ({@link Builder#closeDeadline}), and its loops if they are its
     * own. See {@link #close(Duration)}.
     */
    @Override
    public void close() {
        server.close(null);
    }

    /**
     * Closes the server gracefully: it stops accepting, answers the requests that have arrived with {@code Connection:
     * close} (HTTP/1) or behind {@code GOAWAY} (HTTP/2), and closes idle connections. At the deadline it ends what is left. Waits for that, except on a thread of
     * its loops, where it returns at once. A call on a closed server does nothing; one while it closes can only bring
     * the deadline forward.
     *
     * @param deadline how long to wait for requests that run; at once if zero or negative; over 365 days counts as 365
     */
    public void close(Duration deadline) {
        server.close(Objects.requireNonNull(deadline, "deadline"));
    }

    /**
     * Closes the server as {@link #close(Duration)} does, without waiting.
     *
     * @param deadline how long to wait for requests that run; at once if zero or negative; over 365 days counts as 365
     * @return a future that is complete when the server is closed; it cannot be used to stop that
     */
    public CompletableFuture<Void> closeAsync(Duration deadline) {
        return server.closeAsync(Objects.requireNonNull(deadline, "deadline"));
    }

    /**
     * A snapshot of the server's counters.
     *
     * @return the counters, their final values once it is closed and its loops are
     */
    public ServerStats stats() {
        return server.stats();
    }

    /** For logs: where it listens. */
    @Override
    public String toString() {
        return "HttpServer[" + server + (isClosed() ? ", closed]" : "]");
    }

    /**
     * Serves a connection that exists already, as if it had been accepted on the server's first address: one inherited
     * from another process, for example, or an end of a socket pair.
     *
     * @param descriptor the number of a connected stream socket's file descriptor. It is the server's from now on,
     *     which closes it; if this throws, it stays the caller's
     * @throws IOException if it is not a connected stream socket; the message names the descriptor and says why
     * @throws IllegalStateException if the server is closed
     */
    public void adopt(int descriptor) throws IOException {
        server.adopt(descriptor);
    }

    /**
     * What a server is made with. Only {@link #handler} and at least one {@code listen} are needed. Limits and timeouts
     * protect the server from what it is sent; their defaults may be tightened between releases. A duration of zero
     * switches a timeout off, but for {@link #closeDeadline}, where it means at once. Not thread-safe.
     */
    public static final class Builder {
        private final ServerOptions options = new ServerOptions();
        private EventLoops loops;

        private Builder() {}

        /**
         * Listens on a port of all addresses of this machine, over IPv6 and IPv4. May be called several times.
         *
         * @param port 1 to 65535, or 0 for one that is free
         * @return this
         * @throws IllegalArgumentException if the port is out of range
         */
        public Builder listen(int port) {
            options.listen(port);
            return this;
        }

        /**
         * Listens on a port of an address. May be called several times.
         *
         * @param host an address, or a name, whose first address is taken at the start
         * @param port 1 to 65535, or 0 for one that is free
         * @return this
         * @throws IllegalArgumentException if the port is out of range
         */
        public Builder listen(String host, int port) {
            options.listen(Objects.requireNonNull(host, "host"), port);
            return this;
        }

        /**
         * Listens on an address. May be called several times.
         *
         * @param address the address, which is resolved at the start if it is not; port 0 is for one that is free
         * @return this
         */
        public Builder listen(InetSocketAddress address) {
            options.listen(Objects.requireNonNull(address, "address"));
            return this;
        }

        /**
         * Listens on a port of all addresses, with a handler of its own for what comes there.
         *
         * @param port as {@link #listen(int)} says
         * @param handler what answers the requests that come to this port
         * @return this
         * @throws IllegalArgumentException if the port is out of range
         */
        public Builder listen(int port, Handler handler) {
            options.listen(port, Objects.requireNonNull(handler, "handler"));
            return this;
        }

        /**
         * Listens on a port of an address, with a handler of its own for what comes there.
         *
         * @param host as {@link #listen(String, int)} says
         * @param port as {@link #listen(String, int)} says
         * @param handler what answers the requests that come to this address
         * @return this
         * @throws IllegalArgumentException if the port is out of range
         */
        public Builder listen(String host, int port, Handler handler) {
            options.listen(Objects.requireNonNull(host, "host"), port, Objects.requireNonNull(handler, "handler"));
            return this;
        }

        /**
         * Listens on an address, with a handler of its own for what comes there.
         *
         * @param address as {@link #listen(InetSocketAddress)} says
         * @param handler what answers the requests that come to this address
         * @return this
         */
        public Builder listen(InetSocketAddress address, Handler handler) {
            options.listen(Objects.requireNonNull(address, "address"), Objects.requireNonNull(handler, "handler"));
            return this;
        }

        /**
         * What answers the requests that come to addresses without a handler of their own.
         *
         * @param handler the handler, which is called by all loops at once
         * @return this
         */
        public Builder handler(Handler handler) {
            options.handler(Objects.requireNonNull(handler, "handler"));
            return this;
        }

        /**
         * Where handlers run. The default is {@link Dispatch#loop()}.
         *
         * @param dispatch on the loop, on virtual threads, or on an executor
         * @return this
         */
        public Builder dispatch(Dispatch dispatch) {
            options.dispatch(Objects.requireNonNull(dispatch, "dispatch"));
            return this;
        }

        /**
         * How long an exchange may take, from its head to the end of its response; then it is answered with 503 (RFC 9110
         * section 15.6.4), or cut off if its response has begun, logged and counted ({@link
         * ServerStats#handlerDeadlines}). Tunnels are not bounded by it. The default is zero, which is no limit.
         *
         * @param time the limit, or zero for none
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder handlerDeadline(Duration time) {
            options.handlerDeadline(time);
            return this;
        }

        /**
         * Whether the thread of a handler off the loop is interrupted when its client is gone or {@link #handlerDeadline}
         * is over. The default is {@code false}.
         *
         * @param on whether to interrupt
         * @return this
         */
        public Builder interruptOnDisconnect(boolean on) {
            options.interruptOnDisconnect(on);
            return this;
        }

        /**
         * Whether a loop uses the objects that are a request and its response again for later requests, which saves an
         * allocation. It is for handlers on the loop that answer before they return. What is lost: a handler that keeps a
         * {@link Request}, {@link Response} or {@link Fields} beyond the end of its exchange does not get an {@link
         * IllegalStateException}, but reads, or answers, another request. The default is {@code false}.
         *
         * @param on whether to reuse
         * @return this
         */
        public Builder reuseExchanges(boolean on) {
            options.reuseExchanges(on);
            return this;
        }

        /**
         * Whether CONNECT requests go to the handler (RFC 9110 section 9.3.6). The default is {@code false}: they are
         * answered with 501.
         *
         * @param on whether the handler knows what to do with CONNECT
         * @return this
         */
        public Builder connectMethod(boolean on) {
            options.connectMethod(on);
            return this;
        }

        /**
         * Whether field names are sent with capitals, {@code Content-Length}, for clients that do not know that names are
         * case-insensitive (RFC 9110 section 5.1): those that the server spells, the constants of {@link FieldName}, and
         * their names in lower case. Names that a handler spells otherwise go out as they are. The default is {@code
         * false}.
         *
         * @param on whether to use capitals
         * @return this
         */
        public Builder titleCaseFields(boolean on) {
            options.titleCaseFields(on);
            return this;
        }

        /**
         * Which versions of HTTP are served, on all addresses. The default is all of them: a client that begins with the
         * preface of HTTP/2 is served that, without a word on it before (RFC 9113 section 3.3). HTTP/1.0 is served wherever
         * HTTP/1.1 is, and need not be named. A client that speaks another version is refused.
         *
         * @param first a version
         * @param more further versions
         * @return this
         * @throws IllegalArgumentException if only {@link HttpVersion#HTTP_1_0} is named of HTTP/1
         */
        public Builder versions(HttpVersion first, HttpVersion... more) {
            EnumSet<HttpVersion> versions = EnumSet.of(Objects.requireNonNull(first, "first"));
            for (HttpVersion version : more) {
                versions.add(Objects.requireNonNull(version, "more"));
            }
            options.versions(versions);
            return this;
        }

        /**
         * What is special to HTTP/2: its windows, frames and limits. The default is {@code Http2.builder().build()}.
         *
         * @param http2 the options
         * @return this
         */
        public Builder http2(Http2 http2) {
            options.http2(http2.options());
            return this;
        }

        /**
         * Whether requests of HTTP/1.0 are answered with {@code HTTP/1.0} in the status line, for clients that insist; also
         * by an error, once the version was read. The default is {@code false}: a server answers with its own version, {@code HTTP/1.1} (RFC 9110 section 6.2), framed
         * so that the client understands it.
         *
         * @param on whether to answer with HTTP/1.0
         * @return this
         */
        public Builder http10StatusLine(boolean on) {
            options.http10StatusLine(on);
            return this;
        }

        /**
         * Lets in what is refused otherwise. The default is nothing: each kind is a way to make this server and another
         * one on the path see different requests in the same bytes. May be called several times.
         *
         * @param first a kind of malformed request
         * @param more further kinds
         * @return this
         */
        public Builder allow(Leniency first, Leniency... more) {
            options.allow(Objects.requireNonNull(first, "first"));
            for (Leniency leniency : more) {
                options.allow(Objects.requireNonNull(leniency, "more"));
            }
            return this;
        }

        /**
         * How long a tunnel may be without a byte in either direction; then it is ended. Over HTTP/2 it holds as well for a
         * request whose body has no Content-Length and has not ended, with the body of its response. The default is 10 minutes.
         *
         * @param time the limit, or zero for none
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder tunnelIdleTimeout(Duration time) {
            options.tunnelIdleTimeout(time);
            return this;
        }

        /**
         * The loops to run on, which other servers may share and which outlive this one. The default is loops of the
         * server's own; {@link #loops(int)} and {@link #backend} are about those and cannot be combined with this.
         *
         * @param loops running loops
         * @return this
         */
        public Builder eventLoops(EventLoops loops) {
            this.loops = Objects.requireNonNull(loops, "loops");
            return this;
        }

        /**
         * How many loops the server's own group has. The default is one for each processor that the JVM may use.
         *
         * @param count 1 to 1024
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder loops(int count) {
            options.loopOptions().loops(count);
            return this;
        }

        /**
         * What the server's own loops do their input and output with. The default is {@link Backend#AUTO}.
         *
         * @param backend the backend
         * @return this
         */
        public Builder backend(Backend backend) {
            options.loopOptions().backend(Objects.requireNonNull(backend, "backend"));
            return this;
        }

        /**
         * How long {@link HttpServer#close()} waits for requests that run. The default is 10 seconds.
         *
         * @param deadline the time; zero ends them at once
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder closeDeadline(Duration deadline) {
            options.closeDeadline(Objects.requireNonNull(deadline, "deadline"));
            return this;
        }

        /**
         * Whether the server closes itself gracefully when the JVM shuts down, for example on SIGTERM. The default is
         * {@code false}: the application decides.
         *
         * @param on {@code true} to close
         * @return this
         */
        public Builder closeOnShutdown(boolean on) {
            options.closeOnShutdown(on);
            return this;
        }

        /**
         * Whether connections are kept for further requests (RFC 9112 section 9.3). The default is {@code true}. An HTTP/2
         * connection that is not kept is told so by {@code GOAWAY} with its first request (RFC 9113 section 6.8); what the
         * client has sent by the time that it hears of this is served.
         *
         * @param on {@code false} to close each connection after its first response
         * @return this
         */
        public Builder keepAlive(boolean on) {
            options.keepAlive(on);
            return this;
        }

        /**
         * Whether responses get a {@code Date} field, unless the handler sets one (RFC 9110 section 6.6.1). The default
         * is {@code true}.
         *
         * @param on {@code false} for none
         * @return this
         */
        public Builder date(boolean on) {
            options.date(on);
            return this;
        }

        /**
         * Whether a client that ends its sending side still gets the responses to what it had sent (RFC 9112 section
         * 9.6). The default is {@code true}; else it counts as gone, with all requests that an HTTP/2 connection has open. What
         * HTTP/2 has for one request, {@code END_STREAM}, is not meant.
         *
         * @param on {@code false} to take it for gone
         * @return this
         */
        public Builder halfClose(boolean on) {
            options.halfClose(on);
            return this;
        }

        /**
         * The most fields of a request's head; more are answered with 431 (RFC 6585 section 5). The default is 100.
         *
         * @param count 1 to 1024
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder maxFields(int count) {
            options.maxFields(count);
            return this;
        }

        /**
         * The longest request target; a longer one is answered with 414 (RFC 9110 section 15.5.15). The default is
         * 65534, or {@link #maxHeadBytes} if that is less.
         *
         * @param bytes 1 to 524288, and not more than {@link #maxHeadBytes}, which {@link #start} checks
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxTargetBytes(int bytes) {
            options.maxTargetBytes(bytes);
            return this;
        }

        /**
         * The longest head of a request, from its first byte to the empty line; a longer one is answered with 431 (RFC
         * 6585 section 5). The default is 131072.
         *
         * @param bytes 1024 to 524288
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxHeadBytes(int bytes) {
            options.maxHeadBytes(bytes);
            return this;
        }

        /**
         * The most empty lines before a request that are skipped (RFC 9112 section 2.2); more are answered with 400.
         * The default is 8.
         *
         * @param count 0 to 1024
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder maxEmptyLines(int count) {
            options.maxEmptyLines(count);
            return this;
        }

        /**
         * The most requests of an HTTP/1 connection that are not answered yet; the connection is not read while there are as
         * many. HTTP/2 has {@link Http2.Builder#maxConcurrentStreams}. The default is 32 with handlers on the loop, and 1 elsewhere, where several at a time are only ever
         * handled if all of them have safe methods (RFC 9112 section 9.3.2).
         *
         * @param count 1 to 65536
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder maxPipelinedRequests(int count) {
            options.maxPipelinedRequests(count);
            return this;
        }

        /**
         * The most bytes of a body that {@link IncomingBody#bytes()} and {@link IncomingBody#text()} accept; more are
         * answered with 413 (RFC 9110 section 15.5.14). The default is 1048576.
         *
         * @param bytes 0 to {@link Integer#MAX_VALUE} - 8
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxBufferedBodyBytes(int bytes) {
            options.maxBufferedBodyBytes(bytes);
            return this;
        }

        /**
         * The most bytes that all bodies together may hold while {@link IncomingBody#bytes()} and {@link
         * IncomingBody#text()} gather them, so that clients that send bodies and never finish them cannot fill the heap;
         * what comes beyond is answered with 503 (RFC 9110 section 15.6.4). What a handler has got does not count any more.
         * The default is a quarter of the JVM's largest heap.
         *
         * @param bytes 1 or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxBufferedBytes(long bytes) {
            options.maxBufferedBytes(bytes);
            return this;
        }

        /**
         * The longest body of a request, however it is read; a longer one is answered with 413 (RFC 9110 section 15.5.14), at
         * once if its Content-Length says so, before a handler hears of it and instead of 100 (Continue), else when it is passed:
         * then the handler's read fails with {@link HttpException.Kind#LIMIT}. An HTTP/1 connection is closed. It holds for a body
         * that nobody reads, too, but not for the bytes of a tunnel. The default is 0: bodies that are streamed have no limit
         * but what the handler makes of them.
         *
         * @param bytes 0 or more; 0 for no limit
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxBodyBytes(long bytes) {
            options.maxBodyBytes(bytes);
            return this;
        }

        /**
         * The longest trailer section of a request, with its empty line; a longer one is answered with 400. The default is
         * 16384. It may have as many fields as a head ({@link #maxFields}).
         *
         * @param bytes 2 to 524288
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxTrailerBytes(int bytes) {
            options.maxTrailerBytes(bytes);
            return this;
        }

        /**
         * The most bytes of chunk extensions in a request's body, all chunks together; more are answered with 400 (RFC 9112
         * section 7.1.1). The default is 16384.
         *
         * @param bytes 0 to 524288
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxChunkExtensionBytes(int bytes) {
            options.maxChunkExtensionBytes(bytes);
            return this;
        }

        /**
         * The most requests of a connection; the response to the last one says {@code Connection: close}. An HTTP/2 connection
         * is told so by {@code GOAWAY} with that request (RFC 9113 section 6.8), and may have some more until its client has
         * heard of it. The default is 0: no limit.
         *
         * @param count 0 or more; 0 for no limit
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxRequestsPerConnection(int count) {
            options.maxRequestsPerConnection(count);
            return this;
        }

        /**
         * The most bytes of a body without a reader that are read and dropped, so that the connection can be kept; where more
         * are to come, it is closed behind the response. The default is 65536. Over HTTP/2 nothing is closed: a client that has more to
         * send is told by {@code NO_ERROR} that it need not (RFC 9113 section 8.1).
         *
         * @param bytes 0 or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxDiscardedBytes(int bytes) {
            options.maxDiscardedBytes(bytes);
            return this;
        }

        /**
         * The most bytes that are read and dropped behind the last response, while the server waits for the client to close its
         * side; then the connection is closed at once. The default is 1048576. See {@link #lingerTimeout}.
         *
         * @param bytes 0 or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxLingerBytes(int bytes) {
            options.maxLingerBytes(bytes);
            return this;
        }

        /**
         * The most connections of this server at a time, on all of its addresses and loops together. While there are as
         * many, none is accepted: further ones wait in the kernel's backlog until there is room. Of those that come in
         * the moment when the limit is reached, a few may be accepted all the same and wait like that (at most 64, or a
         * thirty-second of the limit if that is more), and further ones are closed; {@link LoopStats#connectionsRefused}
         * counts these.
         *
         * <p>The default is seven eighths of the descriptors that the process may have open ({@code ulimit -n}) when the
         * server starts, so that a flood of connections leaves some for files and for connections elsewhere. Where one
         * process has several servers, each should be given its part.
         *
         * @param count 1 or more, or 0 for no limit
         * @return this
         * @throws IllegalArgumentException if the count is negative
         */
        public Builder maxConnections(int count) {
            options.maxConnections(count);
            return this;
        }

        /**
         * The most connections at a time from one remote address, on all loops together. A further one is reset at once,
         * without a response, and counted ({@link LoopStats#connectionsRefused}). An IPv4 address counts by itself; of an
         * IPv6 address the first 64 bits do, since whoever has one address has all of that network. Connections without an
         * address, as {@link HttpServer#adopt adopted} Unix sockets, do not count.
         *
         * <p>The default is 0: no limit. Behind a proxy or a load balancer all connections come from its address, so there
         * this limit is of no use, and a low one shuts everybody out. Of clients that share an address (NAT), each takes
         * part of it.
         *
         * @param count 1 or more, or 0 for no limit
         * @return this
         * @throws IllegalArgumentException if the count is negative
         */
        public Builder maxConnectionsPerAddress(int count) {
            options.maxConnectionsPerAddress(count);
            return this;
        }

        /**
         * How long a new connection may stay without a byte; then it is closed. The preface of HTTP/2, once it has begun, has
         * {@link #headTimeout} to be there. The default is 30 seconds.
         *
         * @param time the time, or zero for no limit
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder firstByteTimeout(Duration time) {
            options.firstByteTimeout(Objects.requireNonNull(time, "time"));
            return this;
        }

        /**
         * How long a request's head may take from its first byte to its end; then it is answered with 408 and the
         * connection is closed (RFC 9110 section 15.5.9). Over HTTP/2 it holds for each frame but those with bodies, for a field
         * block of several frames, and for the client's answer to the server's settings; its end is {@code GOAWAY} with {@link
         * Http2Error#ENHANCE_YOUR_CALM}, or {@link Http2Error#SETTINGS_TIMEOUT}. The default is 30 seconds.
         *
         * @param time the time, or zero for no limit
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder headTimeout(Duration time) {
            options.headTimeout(Objects.requireNonNull(time, "time"));
            return this;
        }

        /**
         * How long a connection may stay without a request after a response; then it is closed (RFC 9112 section 9.5), behind
         * {@code GOAWAY} over HTTP/2, where it also holds for a connection that has not had a request yet. The default is 75
         * seconds.
         *
         * @param time the time, or zero for no limit
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder idleTimeout(Duration time) {
            options.idleTimeout(Objects.requireNonNull(time, "time"));
            return this;
        }

        /**
         * How long a body may make too little progress: less than {@link #minBodyRate} over this time, or none at all; then the
         * request is answered with 408 and the connection is closed (RFC 9110 section 15.5.9). Only the body's bytes count,
         * neither chunk framing nor trailers, and only the time in which the server could take them: not while the handler
         * leaves 64 KiB of it unread. It begins with the head, and anew each
         * time that it is over or that the body is wanted again. The default is 30 seconds.
         *
         * <p>Over HTTP/2 the request alone ends, not its connection, and only a body with a Content-Length is measured so: any
         * other one may be a conversation, as in gRPC, and may pause for as long as a tunnel ({@link #tunnelIdleTimeout}).
         *
         * @param time the time, or zero for no limit
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder bodyTimeout(Duration time) {
            options.bodyTimeout(Objects.requireNonNull(time, "time"));
            return this;
        }

        /**
         * How long a client may take too little of a response that waits for it: less than {@link #minWriteRate} over
         * this time, or nothing at all; then the connection is closed with a reset. That time begins when the response begins to
         * wait, and anew each time that it is over, so that a client that stops is waited for up to twice as long. It holds
         * while the last response of a connection is still on its way, too ({@link #lingerTimeout}). The default is 30
         * seconds.
         *
         * <p>Over HTTP/2 it holds for the connection, as above, and for each response that waits for nothing but a window of
         * the client (RFC 9113 section 5.2): such a response alone is reset with {@link Http2Error#CANCEL}, and its handler
         * told {@link HttpException.Kind#TIMEOUT}.
         *
         * @param time the time, or zero for no limit
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder writeTimeout(Duration time) {
            options.writeTimeout(Objects.requireNonNull(time, "time"));
            return this;
        }

        /**
         * The least rate at which the body of a request must come while its handler reads it, over each {@link #bodyTimeout}: a
         * body that ends before is in time. Without a {@code bodyTimeout} it says nothing. The default is 240 bytes a second.
         *
         * @param bytesPerSecond 0 to 1048576; with 0, a byte in that time is enough
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder minBodyRate(int bytesPerSecond) {
            options.minBodyRate(bytesPerSecond);
            return this;
        }

        /**
         * The least rate at which a client must take the response that waits for it, over each {@link #writeTimeout}. What counts
         * is what its host has acknowledged, whatever the kernel has taken from the server; or that nothing is left to wait of
         * what did at the beginning. Without a {@code writeTimeout} it says nothing. The default is 240 bytes a second.
         *
         * @param bytesPerSecond 0 to 1048576; with 0, a byte in that time is enough
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder minWriteRate(int bytesPerSecond) {
            options.minWriteRate(bytesPerSecond);
            return this;
        }

        /**
         * How long the server waits for a client to close its side after the last response, so that this response
         * arrives (RFC 9112 section 9.6). As long as the client takes what the kernel still holds of it, at {@link
         * #minWriteRate}, this time does not begin. A handler has as long to end a stream of which the client has all
         * that it gets, where only that keeps a connection open. The default is 5 seconds.
         *
         * @param time the time, or zero for no limit
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder lingerTimeout(Duration time) {
            options.lingerTimeout(Objects.requireNonNull(time, "time"));
            return this;
        }

        /**
         * Starts the server: it accepts connections when this method returns.
         *
         * @return the running server
         * @throws java.net.BindException if an address is in use or is none of this machine; the message names it
         * @throws java.net.UnknownHostException if a name cannot be resolved
         * @throws IOException if the kernel refuses something else: the message says what, and what to do about it
         * @throws IllegalStateException if the options do not fit together, or the given loops are closed
         * @throws UnsupportedOperationException if the native library cannot be loaded here: the message says why
         */
        public HttpServer start() throws IOException {
            options.check(loops != null);
            if (loops != null) {
                return new HttpServer(Server.start(options, loops.group(), false), loops);
            }
            EventLoops own = new EventLoops.Builder(options.loopOptions()).start();
            try {
                return new HttpServer(Server.start(options, own.group(), true), own);
            } catch (Throwable failure) {
                own.close();
                throw failure;
            }
        }
    }
}
