package io.gannet;

/**
 * Answers requests. One handler serves many requests, from all event-loop threads at once: it must be thread-safe.
 *
 * <p>It is called on the event-loop thread of the request's connection and must not block: other connections of that
 * loop wait while it runs. It answers by one call of a {@code send} method, now or after it has returned, on this
 * thread or another.
 *
 * <p>A handler that throws before it has sent is answered for: with the status of an {@link HttpException} and its
 * message as text, with 500 for anything else; the connection is kept where HTTP allows. If it throws afterwards, a
 * response that is complete stays as it is, and one that is not is cut off. Either way it is logged once, with the
 * request line and the throwable: at {@code WARNING}, or at {@code DEBUG} for an {@code HttpException} with a status
 * below 500.
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
