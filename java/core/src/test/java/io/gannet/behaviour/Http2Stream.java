package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Http2Error;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A stream of an {@link Http2Client}: a request, or a tunnel, and what comes of it. */
final class Http2Stream {
    /** What has come: a field list, data, or a reset, of which the other two are null or -1. */
    private record Part(List<Map.Entry<String, String>> fields, byte[] data, boolean end, long reset) {}

    private final Http2Client client;
    final int id;
    private final BlockingQueue<Part> parts = new LinkedBlockingQueue<>();
    private List<Map.Entry<String, String>> trailers = List.of();
    private boolean ended;

    /** How many bytes were read for which no window was opened yet. */
    private int read;

    /** How many bytes may be sent; guarded by the client. */
    long window;

    /** The peer has reset it; guarded by the client. */
    boolean broken;

    /** It was opened to be a tunnel. */
    boolean isTunnel;

    Http2Stream(Http2Client client, int id, long window) {
        this.client = client;
        this.id = id;
        this.window = window;
    }

    // ---- what goes out ----

    Http2Stream send(String data) throws IOException {
        return send(data.getBytes(ISO_8859_1), false);
    }

    /** Sends data in frames as long as the windows allow, and waits for them. */
    Http2Stream send(byte[] data, boolean end) throws IOException {
        client.sendData(this, data, end);
        return this;
    }

    /** Ends this side. */
    Http2Stream end() throws IOException {
        return send(new byte[0], true);
    }

    /** Ends this side with trailers. */
    Http2Stream end(List<Map.Entry<String, String>> fields) throws IOException {
        client.sendHeaders(id, fields, true);
        return this;
    }

    void reset(Http2Error error) throws IOException {
        client.sendReset(id, error.code());
    }

    // ---- what has come ----

    void fields(List<Map.Entry<String, String>> fields, boolean end) {
        parts.add(new Part(fields, null, end, -1));
    }

    void data(byte[] data, boolean end) {
        parts.add(new Part(null, data, end, -1));
    }

    void broken(long code) {
        parts.add(new Part(null, null, true, code));
    }

    /** Whether anything can be read without waiting. */
    boolean isAnswered() {
        return !parts.isEmpty();
    }

    private Part next(String what) throws IOException {
        try {
            Part part = parts.poll(Await.SECONDS, TimeUnit.SECONDS);
            if (part == null) {
                throw new AssertionError("no " + what + " came on stream " + id + " within " + Await.SECONDS + " s");
            }
            if (part.data != null) {
                read += part.data.length;
                if (read >= Http2Client.WINDOW_STEP) {
                    client.sendWindow(id, read);
                    read = 0;
                }
            }
            ended |= part.end;
            return part;
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** The next head: of an interim response, or of the final one, whose body is not read. */
    RawResponse head() throws IOException {
        Part part = next("head");
        if (part.reset >= 0) {
            throw new AssertionError("stream " + id + " was reset before a head: " + error(part.reset));
        }
        assertTrue(part.fields != null, "data before a head");
        Map.Entry<String, String> first = part.fields.get(0);
        assertTrue(first.getKey().equals(":status") && first.getValue().matches("[1-9][0-9]{2}"), first::toString);
        List<Map.Entry<String, String>> fields = part.fields.subList(1, part.fields.size());
        return new RawResponse("HTTP/2 " + first.getValue(), Integer.parseInt(first.getValue()), fields, new byte[0]);
    }

    /** The next response, complete; an interim one by itself. */
    RawResponse response() throws IOException {
        RawResponse head = head();
        if (head.status() < 200) {
            assertTrue(!ended, () -> "the end with an interim response: " + head);
            return head;
        }
        var body = new ByteArrayOutputStream();
        while (!ended) {
            Part part = next("end of a body");
            if (part.reset >= 0) {
                throw new AssertionError("stream " + id + " was reset behind " + body.size() + " bytes of the body: "
                        + error(part.reset));
            }
            take(part, body);
        }
        String length = head.field("content-length");
        if (length != null && body.size() > 0 && Long.parseLong(length) != body.size()) {
            throw new AssertionError(body.size() + " bytes of body: " + head);
        }
        return new RawResponse(head.statusLine(), head.status(), head.fields(), body.toByteArray());
    }

    private void take(Part part, ByteArrayOutputStream body) {
        if (part.fields != null) {
            assertTrue(part.end, "trailers that are not the end");
            trailers = part.fields;
        } else {
            body.writeBytes(part.data);
        }
    }

    /** The trailers of the response that was read. */
    List<Map.Entry<String, String>> trailers() {
        return trailers;
    }

    /** The next bytes of the body or the tunnel; empty at its end. */
    byte[] data() throws IOException {
        if (ended) {
            return new byte[0];
        }
        Part part = next("data");
        if (part.reset >= 0) {
            throw new SocketException("stream " + id + " was reset: " + error(part.reset));
        }
        assertTrue(part.data != null, () -> "not data: " + part.fields);
        return part.data.length == 0 && !part.end ? data() : part.data;
    }

    /** So many bytes of the body or the tunnel. */
    String text(int length) throws IOException {
        var text = new StringBuilder();
        while (text.length() < length && !ended) {
            text.append(new String(data(), ISO_8859_1));
        }
        return text.toString();
    }

    /** What comes up to its end. */
    byte[] rest() throws IOException {
        var bytes = new ByteArrayOutputStream();
        while (!ended) {
            bytes.writeBytes(data());
        }
        return bytes.toByteArray();
    }

    /** Reads on until the stream is reset by the peer; this is the error. */
    Http2Error awaitReset() throws IOException {
        return awaitReset(new ByteArrayOutputStream());
    }

    /** The same, with what comes of the body before. */
    Http2Error awaitReset(ByteArrayOutputStream body) throws IOException {
        while (true) {
            Part part = next("reset");
            if (part.reset == Http2Client.CLOSED) {
                throw new AssertionError("the connection ended, stream " + id + " was not reset");
            }
            if (part.reset >= 0) {
                return Http2Error.of(part.reset);
            }
            if (part.end) {
                throw new AssertionError("stream " + id + " ended, and was not reset");
            }
            if (part.data != null) {
                body.writeBytes(part.data);
            }
        }
    }

    private static String error(long code) {
        return code == Http2Client.CLOSED ? "the connection ended" : Http2Error.of(code) + " (" + code + ")";
    }
}
