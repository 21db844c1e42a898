package io.gannet;

import java.net.InetSocketAddress;
import java.util.function.Consumer;

/**
 * A connection. It may be kept and used after the exchange that it was asked of. Thread-safe.
 *
 * <p>Implemented by Gannet: it may gain methods in any release, and is not meant to be implemented by applications.
 */
public interface Connection {
    /**
     * A number that is unique among the connections of its loop; connections of two loops may have the same.
     *
     * @return the number
     */
    long id();

    /**
     * The loop that serves the connection.
     *
     * @return the loop
     */
    EventLoop eventLoop();

    /**
     * The address of the client, or of the last proxy before this server.
     *
     * @return the address
     */
    InetSocketAddress remoteAddress();

    /**
     * The address at which the client reached this server.
     *
     * @return the address
     */
    InetSocketAddress localAddress();

    /**
     * What {@link #attach} left here.
     *
     * @return the attachment, {@code null} at first
     */
    Object attachment();

    /**
     * Keeps an object of the application's with the connection.
     *
     * @param attachment any object, or {@code null}
     * @return what was attached before, or {@code null}
     */
    Object attach(Object attachment);

    /**
     * Calls back on the loop's thread when the connection is gone; soon, if it is gone already. Each callback is called
     * once; one that throws is logged.
     *
     * @param callback is given why, also where the end was a peaceful one
     */
    void onClose(Consumer<CloseReason> callback);

    /**
     * Ends the connection gracefully: requests that were received are answered, then it is closed. An HTTP/2 client is told
     * so by {@code GOAWAY} (RFC 9113 section 6.8). Returns at once.
     */
    void close();
}
