/**
 * An HTTP/1.1 server on event loops whose sockets, timers and HTTP framing are in a small native core.
 *
 * <pre>{@code
 * try (var server = HttpServer.builder()
 *         .listen(8080)
 *         .handler((request, response) -> response.send("Hello, World!"))
 *         .start()) {
 *     server.join();
 * }
 * }</pre>
 *
 * <p>{@link io.gannet.HttpServer} is the place to begin. A {@link io.gannet.Handler} runs on an event-loop thread, where
 * it must not block, unless a {@link io.gannet.Dispatch} says otherwise; it may answer later, from any thread. Arguments must not be {@code null} unless their description
 * says so: a {@code null} is a {@link NullPointerException} at the call.
 *
 * <p>What is logged goes to the {@link System.Logger} named {@code io.gannet}.
 */
package io.gannet;
