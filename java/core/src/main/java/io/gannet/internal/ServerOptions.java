package io.gannet.internal;

import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.HttpVersion;
import io.gannet.Leniency;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** What a server is made with, checked; with the settings of its listeners as the C core reads them. */
public final class ServerOptions {
    static final int SEND_CREDIT = 65536;
    static final int RECEIVE_CREDIT = 65536;
    private static final int TARGET_BYTES = 65534;
    private static final int PIPELINE = 32;

    /** An address to listen on; {@code null} for all addresses of both families. */
    record Place(InetSocketAddress address, int port, Handler handler) {}

    private final LoopOptions loopOptions = new LoopOptions();
    private final long[] settings = new long[Layout.LISTENER_SETTINGS_BYTES / Long.BYTES];
    final List<Place> places = new ArrayList<>();
    Handler handler;
    Duration closeDeadline = Duration.ofSeconds(10);
    boolean closeOnShutdown;
    int maxBufferedBodyBytes = 1 << 20;
    /** 0: by the size of the heap. */
    private long maxBufferedBytes;

    Dispatches dispatch = Dispatches.LOOP;
    Duration handlerDeadline;
    boolean interruptOnDisconnect;
    boolean reuseExchanges;
    /** -1: C chooses. */
    int maxConnections = -1;

    int maxConnectionsPerAddress;
    private boolean targetGiven;
    private boolean pipelineGiven;

    /** The defaults. */
    public ServerOptions() {
        maxHeadBytes(131072);
        set(Layout.LISTENER_FIELDS, 100);
        set(Layout.LISTENER_EMPTY_LINES, 8);
        set(Layout.LISTENER_PIPELINE, PIPELINE);
        set(Layout.LISTENER_RECEIVE_CREDIT, RECEIVE_CREDIT);
        set(Layout.LISTENER_SEND_CREDIT, SEND_CREDIT);
        maxTrailerBytes(16384);
        maxChunkExtensionBytes(16384);
        maxDiscardedBytes(65536);
        maxLingerBytes(1 << 20);
        minBodyRate(240);
        minWriteRate(240);
        keepAlive(true);
        date(true);
        halfClose(true);
        firstByteTimeout(Duration.ofSeconds(30));
        headTimeout(Duration.ofSeconds(30));
        idleTimeout(Duration.ofSeconds(75));
        bodyTimeout(Duration.ofSeconds(30));
        writeTimeout(Duration.ofSeconds(30));
        lingerTimeout(Duration.ofSeconds(5));
        tunnelIdleTimeout(Duration.ofMinutes(10));
        versions(EnumSet.allOf(HttpVersion.class));
        http2(new Http2Options());
    }

    private ServerOptions(ServerOptions other) {
        System.arraycopy(other.settings, 0, settings, 0, settings.length);
        places.addAll(other.places);
        handler = other.handler;
        closeDeadline = other.closeDeadline;
        closeOnShutdown = other.closeOnShutdown;
        maxBufferedBodyBytes = other.maxBufferedBodyBytes;
        maxBufferedBytes = other.maxBufferedBytes;
        dispatch = other.dispatch;
        handlerDeadline = other.handlerDeadline;
        interruptOnDisconnect = other.interruptOnDisconnect;
        reuseExchanges = other.reuseExchanges;
        maxConnections = other.maxConnections;
        maxConnectionsPerAddress = other.maxConnectionsPerAddress;
    }

    /** The same, safe from changes. */
    ServerOptions copy() {
        return new ServerOptions(this);
    }

    /** Writes the settings for the next listener. */
    void write(ByteBuffer region) {
        for (int i = 0; i < settings.length; i++) {
            region.putLong(Layout.LISTENER_SETTINGS + i * Long.BYTES, settings[i]);
        }
    }

    /** Refuses what does not fit together. */
    public void check(boolean loopsGiven) {
        if (handler == null && places.stream().anyMatch(place -> place.handler() == null)) {
            throw new IllegalStateException("no handler: call handler(...) before start()");
        }
        if (places.isEmpty()) {
            throw new IllegalStateException("nowhere to listen: call listen(...) before start()");
        }
        if (loopsGiven && loopOptions.touched) {
            throw new IllegalStateException(
                    "loops(...) and backend(...) are about loops of the server's own: call them on"
                            + " EventLoops.builder(), or leave eventLoops(...) out");
        }
        if (reuseExchanges && handlerDeadline != null) {
            throw new IllegalStateException(
                    "reuseExchanges(true) and handlerDeadline(...) cannot be combined: a response that"
                            + " comes as the deadline passes could answer the next request");
        }
        long target = get(Layout.LISTENER_TARGET_BYTES);
        long head = get(Layout.LISTENER_HEAD_BYTES);
        if (target > head) {
            throw new IllegalStateException(
                    "maxTargetBytes is larger than maxHeadBytes, of which the target is a part: " + target + " > "
                            + head);
        }
    }

    public LoopOptions loopOptions() {
        return loopOptions;
    }

    public void listen(int port) {
        listen(port, null);
    }

    public void listen(int port, Handler handler) {
        places.add(new Place(null, Check.range("port", port, 0, 65535), handler));
    }

    public void listen(String host, int port) {
        listen(host, port, null);
    }

    public void listen(String host, int port, Handler handler) {
        Check.range("port", port, 0, 65535);
        listen(InetSocketAddress.createUnresolved(host, port), handler);
    }

    public void listen(InetSocketAddress address) {
        listen(address, null);
    }

    public void listen(InetSocketAddress address, Handler handler) {
        places.add(new Place(address, address.getPort(), handler));
    }

    public void dispatch(Dispatch dispatch) {
        this.dispatch = (Dispatches) dispatch;
        if (!pipelineGiven) {
            set(Layout.LISTENER_PIPELINE, this.dispatch == Dispatches.LOOP ? PIPELINE : 1);
        }
        set(Layout.LISTENER_SAFE_PIPELINE, this.dispatch == Dispatches.LOOP ? 0 : 1);
    }

    public void handlerDeadline(Duration time) {
        handlerDeadline = Check.timeout("handlerDeadline", time) == 0 ? null : time;
    }

    public void interruptOnDisconnect(boolean on) {
        interruptOnDisconnect = on;
    }

    public void reuseExchanges(boolean on) {
        reuseExchanges = on;
    }

    public void connectMethod(boolean on) {
        set(Layout.LISTENER_CONNECT, on ? 1 : 0);
    }

    public void titleCaseFields(boolean on) {
        set(Layout.LISTENER_TITLE_CASE, on ? 1 : 0);
    }

    public void tunnelIdleTimeout(Duration time) {
        set(Layout.LISTENER_TUNNEL_TIMEOUT, Check.timeout("tunnelIdleTimeout", time));
    }

    public void handler(Handler handler) {
        this.handler = handler;
    }

    public void closeDeadline(Duration deadline) {
        Check.duration("closeDeadline", deadline, "closes at once");
        closeDeadline = deadline;
    }

    public void closeOnShutdown(boolean on) {
        closeOnShutdown = on;
    }

    public void keepAlive(boolean on) {
        set(Layout.LISTENER_KEEP_ALIVE, on ? 1 : 0);
    }

    public void date(boolean on) {
        set(Layout.LISTENER_DATE, on ? 1 : 0);
    }

    public void halfClose(boolean on) {
        set(Layout.LISTENER_HALF_CLOSE, on ? 1 : 0);
    }

    public void maxFields(int count) {
        set(Layout.LISTENER_FIELDS, Check.range("maxFields", count, 1, 1024));
    }

    public void maxTargetBytes(int bytes) {
        set(Layout.LISTENER_TARGET_BYTES, Check.range("maxTargetBytes", bytes, 1, 1 << 19));
        targetGiven = true;
    }

    public void maxHeadBytes(int bytes) {
        set(Layout.LISTENER_HEAD_BYTES, Check.range("maxHeadBytes", bytes, 1024, 1 << 19));
        if (!targetGiven) {
            set(Layout.LISTENER_TARGET_BYTES, Math.min(TARGET_BYTES, bytes));
        }
    }

    public void maxEmptyLines(int count) {
        set(Layout.LISTENER_EMPTY_LINES, Check.range("maxEmptyLines", count, 0, 1024));
    }

    public void maxPipelinedRequests(int count) {
        set(Layout.LISTENER_PIPELINE, Check.range("maxPipelinedRequests", count, 1, 65536));
        pipelineGiven = true;
    }

    public void maxBodyBytes(long bytes) {
        set(Layout.LISTENER_BODY_BYTES, Check.range("maxBodyBytes", bytes, 0, Long.MAX_VALUE));
    }

    public void maxBufferedBodyBytes(int bytes) {
        maxBufferedBodyBytes = Check.range("maxBufferedBodyBytes", bytes, 0, Integer.MAX_VALUE - 8);
    }

    public void maxBufferedBytes(long bytes) {
        maxBufferedBytes = Check.range("maxBufferedBytes", bytes, 1, Long.MAX_VALUE);
    }

    /** The most heap that all bodies together may take while they are gathered. */
    long maxBufferedBytes() {
        return maxBufferedBytes != 0 ? maxBufferedBytes : Runtime.getRuntime().maxMemory() / 4;
    }

    public void maxTrailerBytes(int bytes) {
        set(Layout.LISTENER_TRAILER_BYTES, Check.range("maxTrailerBytes", bytes, 2, 1 << 19));
    }

    public void maxChunkExtensionBytes(int bytes) {
        set(Layout.LISTENER_EXTENSION_BYTES, Check.range("maxChunkExtensionBytes", bytes, 0, 1 << 19));
    }

    public void maxRequestsPerConnection(int count) {
        set(Layout.LISTENER_REQUESTS, Check.range("maxRequestsPerConnection", count, 0, Integer.MAX_VALUE));
    }

    public void maxDiscardedBytes(int bytes) {
        set(Layout.LISTENER_DISCARD_BYTES, Check.range("maxDiscardedBytes", bytes, 0, Integer.MAX_VALUE));
    }

    public void maxLingerBytes(int bytes) {
        set(Layout.LISTENER_LINGER_BYTES, Check.range("maxLingerBytes", bytes, 0, Integer.MAX_VALUE));
    }

    public void minBodyRate(int bytesPerSecond) {
        set(Layout.LISTENER_BODY_RATE, Check.range("minBodyRate", bytesPerSecond, 0, 1 << 20));
    }

    public void minWriteRate(int bytesPerSecond) {
        set(Layout.LISTENER_WRITE_RATE, Check.range("minWriteRate", bytesPerSecond, 0, 1 << 20));
    }

    public void http10StatusLine(boolean on) {
        set(Layout.LISTENER_HTTP_1_0, on ? 1 : 0);
    }

    public void versions(Set<HttpVersion> versions) {
        boolean http1 = versions.contains(HttpVersion.HTTP_1_1);
        if (versions.contains(HttpVersion.HTTP_1_0) && !http1) {
            throw new IllegalArgumentException(
                    "versions must have HTTP/1.1 where they have HTTP/1.0, of which it is the same server: "
                            + versions);
        }
        set(Layout.LISTENER_HTTP_1, http1 ? 1 : 0);
        set(Layout.LISTENER_HTTP_2, versions.contains(HttpVersion.HTTP_2) ? 1 : 0);
    }

    public void http2(Http2Options options) {
        options.write(settings);
    }

    /** How many bytes of a response wait for an HTTP/2 client at most. */
    int streamSendCredit() {
        return (int) get(Layout.LISTENER_STREAM_SEND_CREDIT);
    }

    public void allow(Leniency leniency) {
        set(Layout.LISTENER_LENIENT, get(Layout.LISTENER_LENIENT) | 1L << leniency.ordinal());
    }

    /** Without leniency a target is ASCII, of which ISO-8859-1 is the faster form. */
    Charset targetCharset() {
        boolean utf8 = (get(Layout.LISTENER_LENIENT) & 1L << Leniency.UTF_8_TARGETS.ordinal()) != 0;
        return utf8 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
    }

    public void maxConnections(int count) {
        maxConnections = Check.range("maxConnections", count, 0, Integer.MAX_VALUE);
    }

    public void maxConnectionsPerAddress(int count) {
        maxConnectionsPerAddress = Check.range("maxConnectionsPerAddress", count, 0, Integer.MAX_VALUE);
    }

    /** What the server's listeners share. */
    void admission(long pointer) {
        set(Layout.LISTENER_ADMISSION, pointer);
    }

    public void firstByteTimeout(Duration time) {
        set(Layout.LISTENER_FIRST_BYTE_TIMEOUT, Check.timeout("firstByteTimeout", time));
    }

    public void headTimeout(Duration time) {
        set(Layout.LISTENER_HEAD_TIMEOUT, Check.timeout("headTimeout", time));
    }

    public void idleTimeout(Duration time) {
        set(Layout.LISTENER_IDLE_TIMEOUT, Check.timeout("idleTimeout", time));
    }

    public void bodyTimeout(Duration time) {
        set(Layout.LISTENER_BODY_TIMEOUT, Check.timeout("bodyTimeout", time));
    }

    public void writeTimeout(Duration time) {
        set(Layout.LISTENER_WRITE_TIMEOUT, Check.timeout("writeTimeout", time));
    }

    public void lingerTimeout(Duration time) {
        set(Layout.LISTENER_LINGER_TIMEOUT, Check.timeout("lingerTimeout", time));
    }

    long get(int offset) {
        return settings[(offset - Layout.LISTENER_SETTINGS) / Long.BYTES];
    }

    private void set(int offset, long value) {
        settings[(offset - Layout.LISTENER_SETTINGS) / Long.BYTES] = value;
    }
}
