package io.gannet.internal;

import java.time.Duration;

/** The settings of a listener that are about HTTP/2, checked. */
public final class Http2Options {
    /** The first word of them: they stand together. */
    private static final int FIRST = Layout.LISTENER_STREAMS;

    private static final int LEAST_WINDOW = 65535;

    private final long[] settings = new long[(Layout.LISTENER_CONTROL_FRAMES - FIRST) / Long.BYTES + 1];

    /** The defaults. */
    public Http2Options() {
        maxConcurrentStreams(200);
        streamWindowBytes(1 << 20);
        connectionWindowBytes(1 << 20);
        maxFrameBytes(16384);
        maxFieldListBytes(16384);
        dynamicTableBytes(4096);
        sendBufferBytes(409600);
        pingTimeout(Duration.ofSeconds(20));
        maxResets(1000);
        maxProvokedResets(500);
        maxControlFrames(1000);
    }

    /** The same, safe from changes. */
    public Http2Options copy() {
        Http2Options copy = new Http2Options();
        System.arraycopy(settings, 0, copy.settings, 0, settings.length);
        return copy;
    }

    /** Puts them where a listener's settings have them. */
    void write(long[] all) {
        System.arraycopy(settings, 0, all, (FIRST - Layout.LISTENER_SETTINGS) / Long.BYTES, settings.length);
    }

    public void maxConcurrentStreams(int count) {
        set(Layout.LISTENER_STREAMS, Check.range("maxConcurrentStreams", count, 1, 65536));
    }

    public void streamWindowBytes(int bytes) {
        set(Layout.LISTENER_STREAM_WINDOW, Check.range("streamWindowBytes", bytes, LEAST_WINDOW, Integer.MAX_VALUE));
    }

    public void connectionWindowBytes(int bytes) {
        set(
                Layout.LISTENER_CONNECTION_WINDOW,
                Check.range("connectionWindowBytes", bytes, LEAST_WINDOW, Integer.MAX_VALUE));
    }

    public void adaptiveWindow(boolean on) {
        set(Layout.LISTENER_ADAPTIVE_WINDOW, on ? 1 : 0);
    }

    public void maxFrameBytes(int bytes) {
        set(Layout.LISTENER_FRAME_BYTES, Check.range("maxFrameBytes", bytes, 16384, 1 << 19));
    }

    public void maxFieldListBytes(int bytes) {
        set(Layout.LISTENER_FIELD_LIST_BYTES, Check.range("maxFieldListBytes", bytes, 1024, 1 << 19));
    }

    public void dynamicTableBytes(int bytes) {
        set(Layout.LISTENER_TABLE_BYTES, Check.range("dynamicTableBytes", bytes, 0, 65535));
    }

    public void sendBufferBytes(int bytes) {
        set(
                Layout.LISTENER_STREAM_SEND_CREDIT,
                Check.range("sendBufferBytes", bytes, Layout.QUEUED_SEND_CREDIT, 1 << 26));
    }

    public void pingInterval(Duration time) {
        set(Layout.LISTENER_PING_INTERVAL, Check.timeout("pingInterval", time));
    }

    public void pingTimeout(Duration time) {
        set(Layout.LISTENER_PING_TIMEOUT, Check.timeout("pingTimeout", time));
    }

    public void extendedConnect(boolean on) {
        set(Layout.LISTENER_CONNECT_PROTOCOL, on ? 1 : 0);
    }

    public void maxResets(int count) {
        set(Layout.LISTENER_RESETS, Check.range("maxResets", count, 1, Integer.MAX_VALUE));
    }

    public void maxProvokedResets(int count) {
        set(Layout.LISTENER_PROVOKED_RESETS, Check.range("maxProvokedResets", count, 1, Integer.MAX_VALUE));
    }

    public void maxControlFrames(int count) {
        set(Layout.LISTENER_CONTROL_FRAMES, Check.range("maxControlFrames", count, 1, Integer.MAX_VALUE));
    }

    private void set(int offset, long value) {
        settings[(offset - FIRST) / Long.BYTES] = value;
    }
}
