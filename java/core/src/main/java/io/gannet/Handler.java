package io.gannet;

/**
 * Answers requests. One handler serves many requests, from all event-loop threads at once: it must be thread-safe.
 *
 * <p>It is called where the server's {@link Dispatch} says. By default that is the event-loop thread of the request's
 * connection, where it must not block: other connections of that loop wait while it runs. It answers by one call of a
 * {@code send} method, or one of the others that {@link Response} has for it, now or after it has returned, on this thread
 * or another.
 *
 * <p>A handler that throws before it has sent is answered for, and the connection is kept where HTTP allows:
 *
 * <ul>
 *   <li>An {@link HttpException} is answered with its status, and its message as text. The fields that the handler has
 *       set go out too, such as {@code WWW-Authenticate} with 401 (RFC 9110 section 15.5.2), but for {@code
 *       Content-Length}, {@code Content-Type} and {@code Content-Encoding}, which told of a body that is not sent.
 *   <li>Anything else is answered with 500, and nothing of what the handler has set.
 * </ul>
 *
 * <p>If it throws afterwards, a response that is complete stays as it is, and one that is not is cut off; an HTTP/2 client
 * is told {@link HttpException#http2Error}, or {@link Http2Error#INTERNAL_ERROR} by anything else. Either way it
 * is logged once, with the request line and the throwable, at {@code WARNING}, and counted ({@link
 * ServerStats#handlerFailures}); an {@code HttpException} with a status below 500 is logged at {@code DEBUG} and not
 * counted.
 *
 * <p>Code that runs when the handler has returned, a callback for example, has nobody to throw to: it calls {@link
 * Response#fail}, to the same effect. A request that is neither answered nor failed keeps its client waiting: until {@link
 * HttpServer.Builder#handlerDeadline}, if that is set; or until nothing refers to it any more and the garbage collector has
 * noticed, when it is answered with 500 and logged.
 */
@FunctionalInterface
public interface Handler {
    /**
     * Answers a request.
     *
     * @param request what was asked; readable until this method has returned and the response is complete
     * @param response what is answered
     * @throws Exception whatever; see above
     */
    void handle(Request request, Response response) throws Exception;
}
