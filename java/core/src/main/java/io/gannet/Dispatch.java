package io.gannet;

import io.gannet.internal.Dispatches;
import java.util.concurrent.Executor;

/**
 * Where handlers run. For all requests of a server by {@link HttpServer.Builder#dispatch}; for some of them by wrapping
 * their handler:
 *
 * <pre>{@code
 * Handler slow = Dispatch.virtualThreads().wrap(this::report);
 * Handler all = (request, response) -> {
 *     if (request.path().equals("/report")) {
 *         slow.handle(request, response);
 *     } else {
 *         response.send("quick");
 *     }
 * };
 * }</pre>
 *
 * <p>Off the loop, requests of one connection are handled one at a time, in order, unless {@link
 * HttpServer.Builder#maxPipelinedRequests} is set. The next one waits for the response before it, not for what its handler
 * does when the client has all of it.
 *
 * <p>Immutable and thread-safe. Implemented by Gannet, and not meant to be implemented by applications.
 */
public interface Dispatch {
    /**
     * On the thread of the connection's loop, the default: the shortest way, for handlers that never block.
     *
     * @return the dispatch
     */
    static Dispatch loop() {
        return Dispatches.LOOP;
    }

    /**
     * On a new virtual thread for each request, which may block.
     *
     * @return the dispatch
     * @throws UnsupportedOperationException if this JVM is older than 21 and has none; the message says so
     */
    static Dispatch virtualThreads() {
        return Dispatches.virtualThreads();
    }

    /**
     * On an executor of the application, whose threads may block. A request that it rejects is answered with 503 (RFC 9110
     * section 15.6.4). The server does not shut it down.
     *
     * @param executor the executor, which runs each task once, or rejects it by an exception: a request whose task it drops
     *     is never answered, unless {@link HttpServer.Builder#handlerDeadline} is set
     * @return the dispatch
     */
    static Dispatch executor(Executor executor) {
        return Dispatches.executor(executor);
    }

    /**
     * A handler that runs another one here, whatever the server's own dispatch is: for some of a server's requests. The
     * handler that it returns may be called once for each request and only with the request and response that the server
     * gave.
     *
     * @param handler what to run
     * @return the wrapping handler
     */
    Handler wrap(Handler handler);
}
