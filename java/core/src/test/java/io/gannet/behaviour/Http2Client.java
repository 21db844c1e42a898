package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.gannet.Http2Error;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A client that speaks HTTP/2 by prior knowledge. It takes requests as they would stand in HTTP/1.1, so that a test can
 * send the same ones over both, or stream by stream ({@link #open}); and reads frames strictly: what RFC 9113 does not
 * allow a server to send is an {@link AssertionError} in what the test reads next.
 *
 * <p>Windows of the connection are opened at once, those of a stream when the test reads.
 */
final class Http2Client implements Client {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 1;
    static final int ACK = 1;
    static final int END_HEADERS = 4;

    private static final int SETTING_STREAMS = 3;
    private static final int SETTING_WINDOW = 4;
    private static final int SETTING_CONNECT = 8;
    private static final int FIRST_WINDOW = 65535;
    private static final int LONGEST_FRAME = 16384;
    private static final int FRAME_HEADER = 9;

    /** A window is opened when so many bytes have come: one by one would be a flood. */
    static final int WINDOW_STEP = 16384;

    /** In the place of an error code: the connection ended without one for this stream. */
    static final long CLOSED = 1L << 32;

    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1);

    private final Socket socket = new Socket();
    private final DataInputStream input;
    private final DataOutputStream output;
    private final Thread reader;
    private final CompletableFuture<Map<Integer, Long>> settings = new CompletableFuture<>();
    private final CompletableFuture<Long> goneAway = new CompletableFuture<>();
    private final CompletableFuture<Throwable> ended = new CompletableFuture<>();

    /** Bytes for which no window was opened yet; the reader's. */
    private int received;

    // ---- guarded by this ----

    private final DefaultHttp2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder();
    private final Map<Integer, Http2Stream> streams = new TreeMap<>();
    private long window = FIRST_WINDOW;
    private long streamWindow = FIRST_WINDOW;
    private int nextId = 1;

    // ---- the test's thread ----

    private final Http1Text requests = new Http1Text(this);
    private final ArrayDeque<Http2Stream> unanswered = new ArrayDeque<>();

    /** The stream that has become one, or whose body is read as if it were, and what was read of it too early. */
    private Http2Stream tunnel;

    private final ByteArrayOutputStream ahead = new ByteArrayOutputStream();

    Http2Client(int port) throws IOException {
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), Await.SECONDS * 1000);
        input = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        output = new DataOutputStream(socket.getOutputStream());
        output.write(PREFACE);
        sendFrame(SETTINGS, 0, 0, new byte[0]);
        reader = new Thread(this::read, "http2-client");
        reader.setDaemon(true);
        reader.start();
    }

    InetSocketAddress localAddress() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    // ---- as over HTTP/1.1 ----

    @Override
    public Http2Client send(byte[] bytes) throws IOException {
        requests.take(bytes);
        return this;
    }

    /** A request whose response the test reads in its turn. */
    Http2Stream begin(List<Map.Entry<String, String>> fields, boolean end) throws IOException {
        Http2Stream stream = open(fields, end);
        unanswered.add(stream);
        return stream;
    }

    @Override
    public RawResponse response() throws IOException {
        Http2Stream stream = unanswered.element();
        RawResponse response = stream.isTunnel ? stream.head() : stream.response();
        if (response.status() >= 200) {
            unanswered.remove();
        }
        if (stream.isTunnel && response.status() < 300) {
            tunnel = stream;
        } else if (stream.isTunnel && response.status() >= 300) {
            requests.end();
            return new RawResponse(response.statusLine(), response.status(), response.fields(), stream.rest());
        }
        return response;
    }

    @Override
    public Http2Client end() throws IOException {
        requests.end();
        return this;
    }

    @Override
    public byte[] readExactly(int length) throws IOException {
        if (tunnel == null) {
            beginBody();
        }
        while (ahead.size() < length) {
            byte[] more = tunnel.data();
            if (more.length == 0) {
                throw new AssertionError("the tunnel ended after " + ahead.size() + " of " + length + " bytes");
            }
            ahead.writeBytes(more);
        }
        byte[] all = ahead.toByteArray();
        ahead.reset();
        ahead.write(all, length, all.length - length);
        return Arrays.copyOf(all, length);
    }

    /** What is read from now on is the body of the next response, as it comes. */
    private void beginBody() throws IOException {
        tunnel = unanswered.remove();
        tunnel.head();
    }

    @Override
    public byte[] rest() throws IOException {
        ahead.writeBytes(tunnel.rest());
        byte[] all = ahead.toByteArray();
        ahead.reset();
        return all;
    }

    @Override
    public void assertEnd() throws Exception {
        if (tunnel == null) {
            assertConnectionEnd();
            return;
        }
        byte[] more = rest();
        if (more.length > 0) {
            throw new AssertionError(more.length + " bytes where a tunnel should end");
        }
    }

    @Override
    public RawResponse headResponse() throws IOException {
        RawResponse response = response();
        if (response.body().length > 0) {
            throw new AssertionError("a body to HEAD: " + response);
        }
        return response;
    }

    @Override
    public RawResponse cutResponse() throws IOException {
        Http2Stream stream = unanswered.remove();
        RawResponse head = stream.head();
        var body = new ByteArrayOutputStream();
        stream.awaitReset(body);
        return new RawResponse(head.statusLine(), head.status(), head.fields(), body.toByteArray());
    }

    @Override
    public boolean isAnswered() {
        return unanswered.element().isAnswered();
    }

    @Override
    public int framing() {
        return FRAME_HEADER;
    }

    /** Ends the sending side of the connection. */
    void endConnection() throws IOException {
        socket.shutdownOutput();
    }

    @Override
    public void reset() throws IOException {
        if (tunnel != null) {
            tunnel.reset(Http2Error.CANCEL);
            return;
        }
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    // ---- streams and frames ----

    /** A stream with this head, pseudo-header fields first. */
    Http2Stream open(List<Map.Entry<String, String>> fields, boolean end) throws IOException {
        synchronized (this) {
            Http2Stream stream = new Http2Stream(this, nextId, streamWindow);
            streams.put(nextId, stream);
            nextId += 2;
            sendHeaders(stream.id, fields, end);
            return stream;
        }
    }

    /** A GET of this path. */
    Http2Stream get(String path) throws IOException {
        return open(head("GET", path), true);
    }

    /** A POST to this path, whose body follows. */
    Http2Stream post(String path) throws IOException {
        return open(head("POST", path), false);
    }

    static List<Map.Entry<String, String>> head(String method, String path) {
        return List.of(
                Map.entry(":method", method),
                Map.entry(":scheme", "http"),
                Map.entry(":path", path),
                Map.entry(":authority", "x"));
    }

    synchronized void sendHeaders(int stream, List<Map.Entry<String, String>> fields, boolean end) throws IOException {
        Http2Headers headers = new DefaultHttp2Headers(false);
        fields.forEach(field -> headers.add(field.getKey(), field.getValue()));
        ByteBuf block = Unpooled.buffer();
        try {
            encoder.encodeHeaders(stream, headers, block);
        } catch (Http2Exception e) {
            throw new IOException(e);
        }
        int flags = end ? END_STREAM : 0;
        for (int type = HEADERS; ; type = CONTINUATION, flags = 0) {
            byte[] fragment = new byte[Math.min(block.readableBytes(), LONGEST_FRAME)];
            block.readBytes(fragment);
            boolean last = !block.isReadable();
            sendFrame(type, flags | (last ? END_HEADERS : 0), stream, fragment);
            if (last) {
                return;
            }
        }
    }

    synchronized void sendFrame(int type, int flags, int stream, byte[] payload) throws IOException {
        output.write(new byte[] {(byte) (payload.length >> 16), (byte) (payload.length >> 8), (byte) payload.length});
        output.writeByte(type);
        output.writeByte(flags);
        output.writeInt(stream);
        output.write(payload);
        output.flush();
    }

    void sendReset(int stream, int code) throws IOException {
        sendFrame(RST_STREAM, 0, stream, word(code));
    }

    void sendWindow(int stream, int bytes) throws IOException {
        try {
            sendFrame(WINDOW_UPDATE, 0, stream, word(bytes));
        } catch (IOException gone) {
            // What has come before can still be read.
        }
    }

    private static byte[] word(int value) {
        return new byte[] {(byte) (value >> 24), (byte) (value >> 16), (byte) (value >> 8), (byte) value};
    }

    /** Waits for room in both windows. */
    synchronized void sendData(Http2Stream stream, byte[] data, boolean end) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Await.SECONDS);
        int sent = 0;
        do {
            long room = Math.min(Math.min(window, stream.window), LONGEST_FRAME);
            if (stream.broken) {
                return;
            }
            if (room <= 0 && data.length > 0) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new AssertionError("no window for stream " + stream.id + " behind " + sent + " bytes");
                }
                try {
                    wait(Math.max(1, TimeUnit.NANOSECONDS.toMillis(left)));
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                continue;
            }
            int length = (int) Math.min(room, data.length - sent);
            byte[] part = Arrays.copyOfRange(data, sent, sent + length);
            sent += length;
            window -= length;
            stream.window -= length;
            sendFrame(DATA, end && sent == data.length ? END_STREAM : 0, stream.id, part);
        } while (sent < data.length);
    }

    // ---- what the connection tells ----

    /** What the server's first SETTINGS frame says. */
    Map<Integer, Long> settings() throws Exception {
        return Await.result(settings);
    }

    long streamsSetting() throws Exception {
        return settings().getOrDefault(SETTING_STREAMS, -1L);
    }

    boolean offersConnectProtocol() throws Exception {
        return settings().getOrDefault(SETTING_CONNECT, 0L) == 1;
    }

    /** The error of the GOAWAY frame that comes last. */
    long goAway() throws Exception {
        return Await.result(goneAway);
    }

    /** Waits for the end of the connection. */
    private void assertConnectionEnd() throws Exception {
        Throwable why = Await.result(ended);
        if (why instanceof AssertionError wrong) {
            throw wrong;
        }
    }

    // ---- the reader's thread ----

    private void read() {
        Throwable why = null;
        try {
            var decoder = new DefaultHttp2HeadersDecoder(true, 1 << 20);
            boolean first = true;
            while (true) {
                int length = input.read();
                if (length < 0) {
                    break;
                }
                length = length << 16 | input.readUnsignedShort();
                int type = input.readUnsignedByte();
                int flags = input.readUnsignedByte();
                int stream = input.readInt() & Integer.MAX_VALUE;
                check(length <= LONGEST_FRAME, "a frame of " + length + " bytes");
                check(!first || type == SETTINGS && (flags & ACK) == 0, "a first frame of type " + type);
                first = false;
                byte[] payload = input.readNBytes(length);
                if (type == HEADERS && (flags & END_HEADERS) == 0) {
                    payload = continuations(stream, payload);
                }
                handle(type, flags, stream, payload, decoder);
            }
        } catch (Throwable thrown) {
            why = thrown;
        }
        end(why);
    }

    private byte[] continuations(int stream, byte[] first) throws IOException {
        var block = new ByteArrayOutputStream();
        block.writeBytes(first);
        while (true) {
            int length = input.readUnsignedByte() << 16 | input.readUnsignedShort();
            check(input.readUnsignedByte() == CONTINUATION, "a frame within a field block");
            int flags = input.readUnsignedByte();
            check(input.readInt() == stream, "a field block on two streams");
            block.writeBytes(input.readNBytes(length));
            if ((flags & END_HEADERS) != 0) {
                return block.toByteArray();
            }
        }
    }

    private void handle(int type, int flags, int id, byte[] payload, DefaultHttp2HeadersDecoder decoder)
            throws Exception {
        Http2Stream stream;
        synchronized (this) {
            stream = streams.get(id);
        }
        check(id == 0 || stream != null, "a frame of type " + type + " on stream " + id);
        switch (type) {
            case HEADERS -> {
                ByteBuf block = Unpooled.wrappedBuffer(payload);
                stream.fields(fields(decoder.decodeHeaders(id, block)), (flags & END_STREAM) != 0);
            }
            case DATA -> {
                check((flags & ~END_STREAM) == 0, "padding that nobody needs");
                received += payload.length;
                if (received >= WINDOW_STEP) {
                    sendWindow(0, received);
                    received = 0;
                }
                stream.data(payload, (flags & END_STREAM) != 0);
            }
            case RST_STREAM -> {
                synchronized (this) {
                    stream.broken = true;
                    notifyAll();
                }
                stream.broken(unsigned(payload, 0));
            }
            case SETTINGS -> settings(flags, payload);
            case PING -> {
                if ((flags & ACK) == 0) {
                    sendFrame(PING, ACK, 0, payload);
                }
            }
            case GOAWAY -> goneAway.obtrudeValue(unsigned(payload, 4));
            case WINDOW_UPDATE -> {
                synchronized (this) {
                    if (id == 0) {
                        window += unsigned(payload, 0);
                    } else {
                        stream.window += unsigned(payload, 0);
                    }
                    notifyAll();
                }
            }
            default -> throw new AssertionError("a frame of type " + type);
        }
    }

    private static List<Map.Entry<String, String>> fields(Http2Headers headers) {
        var fields = new ArrayList<Map.Entry<String, String>>();
        headers.forEach(field -> {
            String name = field.getKey().toString();
            check(name.equals(name.toLowerCase(Locale.ROOT)), "a name with capitals: " + name);
            check(
                    !List.of("connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection")
                            .contains(name),
                    "a field of HTTP/1: " + name);
            fields.add(Map.entry(name, field.getValue().toString()));
        });
        return List.copyOf(fields);
    }

    private void settings(int flags, byte[] payload) throws IOException {
        if ((flags & ACK) != 0) {
            return;
        }
        var told = new TreeMap<Integer, Long>();
        for (int at = 0; at < payload.length; at += 6) {
            told.put((payload[at] & 0xFF) << 8 | payload[at + 1] & 0xFF, unsigned(payload, at + 2));
        }
        synchronized (this) {
            Long changed = told.get(SETTING_WINDOW);
            if (changed != null) {
                long change = changed - streamWindow;
                streamWindow = changed;
                streams.values().forEach(stream -> stream.window += change);
                notifyAll();
            }
            sendFrame(SETTINGS, ACK, 0, new byte[0]);
        }
        settings.complete(told);
    }

    private static long unsigned(byte[] bytes, int at) {
        return (bytes[at] & 0xFFL) << 24
                | (bytes[at + 1] & 0xFF) << 16
                | (bytes[at + 2] & 0xFF) << 8
                | bytes[at + 3] & 0xFF;
    }

    private static void check(boolean right, String what) {
        if (!right) {
            throw new AssertionError("what RFC 9113 forbids, or nobody asked for: " + what);
        }
    }

    /** Nothing comes any more: as clients do, it leaves as well, for which the server waits. */
    private void end(Throwable why) {
        try {
            socket.close();
        } catch (IOException e) {
            // It has ended all the same.
        }
        synchronized (this) {
            for (Http2Stream stream : streams.values()) {
                stream.broken = true;
                stream.broken(CLOSED);
            }
            notifyAll();
        }
        settings.completeExceptionally(new IOException("the connection ended", why));
        goneAway.completeExceptionally(new IOException("the connection ended", why));
        ended.complete(why == null ? new IOException("the end") : why);
    }
}
