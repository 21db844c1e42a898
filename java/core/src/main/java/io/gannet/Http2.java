package io.gannet;

import io.gannet.internal.Http2Options;
import java.time.Duration;

/**
 * What is special to HTTP/2 in a server ({@link HttpServer.Builder#http2}); a server speaks it with the defaults without
 * being told. What {@link HttpServer.Builder} says of bodies, fields and times holds for HTTP/2 as well. Immutable, and may
 * be given to several servers.
 *
 * <pre>{@code
 * HttpServer.builder().http2(Http2.builder().maxConcurrentStreams(1000).build())
 * }</pre>
 */
public final class Http2 {
    private final Http2Options options;

    private Http2(Http2Options options) {
        this.options = options;
    }

    /**
     * What HTTP/2 options are made with.
     *
     * @return a builder with the defaults
     */
    public static Builder builder() {
        return new Builder();
    }

    Http2Options options() {
        return options;
    }

    /** What HTTP/2 options are made with. Not thread-safe. */
    public static final class Builder {
        private final Http2Options options = new Http2Options();

        private Builder() {}

        /**
         * The most requests of a connection that are in progress, as the server tells it by {@code
         * SETTINGS_MAX_CONCURRENT_STREAMS} (RFC 9113 section 6.5.2); a further one is refused with {@link
         * Http2Error#REFUSED_STREAM}, and can be sent again. A request that the client has reset counts until its handler
         * is through with it. The default is 200.
         *
         * @param count 1 to 65536
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder maxConcurrentStreams(int count) {
            options.maxConcurrentStreams(count);
            return this;
        }

        /**
         * How many bytes of a request's body a client may send ahead of being told that they were taken, as the server
         * tells it by {@code SETTINGS_INITIAL_WINDOW_SIZE} (RFC 9113 section 6.9.2). A client that sends more breaks
         * its stream. The default is 1048576.
         *
         * @param bytes 65535 to {@link Integer#MAX_VALUE}
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder streamWindowBytes(int bytes) {
            options.streamWindowBytes(bytes);
            return this;
        }

        /**
         * The same for the bodies of all requests of a connection together (RFC 9113 section 6.9.1): this is what one
         * client can make the server keep of bodies that are not read. A client that sends more breaks its connection.
         * The default is 1048576.
         *
         * @param bytes 65535 to {@link Integer#MAX_VALUE}
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder connectionWindowBytes(int bytes) {
            options.connectionWindowBytes(bytes);
            return this;
        }

        /**
         * Whether both windows grow as far as a connection's product of bandwidth and delay asks for, which is measured by
         * {@code PING} frames: for uploads over long distances. The default is {@code false}.
         *
         * @param on whether they grow
         * @return this
         */
        public Builder adaptiveWindow(boolean on) {
            options.adaptiveWindow(on);
            return this;
        }

        /**
         * The longest payload of a frame that a client may send, as the server tells it by {@code SETTINGS_MAX_FRAME_SIZE}
         * (RFC 9113 section 6.5.2); a longer one is a {@link Http2Error#FRAME_SIZE_ERROR}. The default is 16384.
         *
         * @param bytes 16384, the least that RFC 9113 allows, to 524288
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxFrameBytes(int bytes) {
            options.maxFrameBytes(bytes);
            return this;
        }

        /**
         * The largest list of fields of a request, or of its trailers: the bytes of names and values, and 32 for each
         * field, as {@code SETTINGS_MAX_HEADER_LIST_SIZE} counts (RFC 9113 section 6.5.2). A larger one is answered with
         * 431 (RFC 6585 section 5). It holds for HTTP/2 in the place of {@link HttpServer.Builder#maxHeadBytes}, {@link
         * HttpServer.Builder#maxTargetBytes} and {@link HttpServer.Builder#maxTrailerBytes}; {@link
         * HttpServer.Builder#maxFields} holds as well. The default is 16384.
         *
         * @param bytes 1024 to 524288
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxFieldListBytes(int bytes) {
            options.maxFieldListBytes(bytes);
            return this;
        }

        /**
         * The memory that a client may have the server keep of fields, to send them compressed, as the server tells it by
         * {@code SETTINGS_HEADER_TABLE_SIZE} (RFC 7541 section 4). The default is 4096.
         *
         * @param bytes 0 to 65535; with 0, nothing is kept
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder dynamicTableBytes(int bytes) {
            options.dynamicTableBytes(bytes);
            return this;
        }

        /**
         * How many bytes of a response's body wait for the client at most; what exceeds that stays with the writer, whose
         * {@link OutgoingBody#write} is then not complete. The default is 409600.
         *
         * @param bytes 4096 to 67108864
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder sendBufferBytes(int bytes) {
            options.sendBufferBytes(bytes);
            return this;
        }

        /**
         * How long a client may be silent until it is asked for a sign of life by a {@code PING} frame (RFC 9113 section
         * 6.7); see {@link #pingTimeout}. The default is zero: it is never asked.
         *
         * @param time the time, or zero for never
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder pingInterval(Duration time) {
            options.pingInterval(time);
            return this;
        }

        /**
         * How long a client may take to answer that {@code PING}; then its connection is closed. Without a {@link
         * #pingInterval} it says nothing. The default is 20 seconds.
         *
         * @param time the time, or zero for no limit
         * @return this
         * @throws IllegalArgumentException if it is negative or over 365 days
         */
        public Builder pingTimeout(Duration time) {
            options.pingTimeout(time);
            return this;
        }

        /**
         * Whether clients may ask for a tunnel of a protocol, a WebSocket for example, by extended CONNECT (RFC 8441). Such
         * requests go to the handler, which reads the protocol by {@link Request#protocol} and opens the tunnel by {@link
         * Response#acceptConnect}. It does not depend on {@link HttpServer.Builder#connectMethod}, which is about CONNECT
         * without a protocol. The default is {@code false}.
         *
         * @param on whether the handler knows what to do with it
         * @return this
         */
        public Builder extendedConnect(boolean on) {
            options.extendedConnect(on);
            return this;
        }

        /**
         * The most requests that a client may reset ({@code RST_STREAM}) in a row, against clients that make work and take it
         * back; a thirtieth of the number comes back each second. A client that resets more is told {@link
         * Http2Error#ENHANCE_YOUR_CALM}, and its connection is closed. The default is 1000.
         *
         * @param count 1 or more
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder maxResets(int count) {
            options.maxResets(count);
            return this;
        }

        /**
         * The same for requests that the server had to reset for an error of the client. The default is 500.
         *
         * @param count 1 or more
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder maxProvokedResets(int count) {
            options.maxProvokedResets(count);
            return this;
        }

        /**
         * The same for frames that move nothing: {@code PING}, {@code SETTINGS}, {@code PRIORITY}, {@code WINDOW_UPDATE} and
         * {@code DATA} frames that are empty or tiny, for example. Each request gives room for some more, and so do the
         * bytes of responses. The default is 1000.
         *
         * @param count 1 or more
         * @return this
         * @throws IllegalArgumentException if the count is out of range
         */
        public Builder maxControlFrames(int count) {
            options.maxControlFrames(count);
            return this;
        }

        /**
         * What was set so far.
         *
         * @return the options, which later calls on this builder do not change
         */
        public Http2 build() {
            return new Http2(options.copy());
        }
    }
}
