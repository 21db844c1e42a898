package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;

/**
 * A client for what is the same over each version: requests are given as they stand in HTTP/1.1, one behind the other, and
 * responses are read in that order.
 */
interface Client extends AutoCloseable {
    Client send(byte[] bytes) throws IOException;

    default Client send(String bytes) throws IOException {
        return send(bytes.getBytes(ISO_8859_1));
    }

    /** Sends and reads the response to it. */
    default RawResponse request(String bytes) throws IOException {
        return send(bytes).response();
    }

    RawResponse response() throws IOException;

    /** Reads the response to a HEAD request. */
    RawResponse headResponse() throws IOException;

    /** Reads a response whose body is cut off, in such a way that it does not look complete. */
    RawResponse cutResponse() throws IOException;

    /** Whether a byte of the next response can be read without waiting. */
    boolean isAnswered();

    /** Waits until something of the next response has come. */
    default void awaitAnswer() {
        Await.until(this::isAnswered, () -> "a response begins");
    }

    /** Ends the sending side: of the connection, or of the stream that is a tunnel. */
    Client end() throws IOException;

    /** So many bytes of a tunnel, or of what comes: over HTTP/2, of the body of the next response. */
    byte[] readExactly(int length) throws IOException;

    /** Everything up to the end of the connection, or of the stream that is a tunnel; a reset throws. */
    byte[] rest() throws IOException;

    /** The server has ended its side, of the connection or of the stream that is a tunnel, without another byte. */
    void assertEnd() throws Exception;

    /** How many bytes there are around what is sent through a tunnel at a time. */
    default int framing() {
        return 0;
    }

    /** Resets the connection, or the stream that is a tunnel. */
    void reset() throws IOException;

    @Override
    void close() throws IOException;
}
