package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Requests as they stand in HTTP/1.1, in any pieces, which become streams of HTTP/2. One that offers an upgrade becomes an
 * extended CONNECT to the last protocol that it names (RFC 8441), and what follows it goes through that tunnel.
 */
final class Http1Text {
    private static final Set<String> OF_CONNECTION =
            Set.of("host", "connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection");

    private final Http2Client client;
    private String pending = "";

    /** The request whose body is not complete; {@code null}: a head comes next. */
    private Http2Stream stream;

    private boolean chunked;
    private long left;

    Http1Text(Http2Client client) {
        this.client = client;
    }

    /** Sends as much of it as is complete enough. */
    void take(byte[] bytes) throws IOException {
        pending += new String(bytes, ISO_8859_1);
        boolean more = true;
        while (more && !pending.isEmpty()) {
            if (stream == null) {
                more = takeHead();
            } else {
                more = chunked ? takeChunk() : takeBody();
            }
        }
    }

    private String cut(int length) {
        String first = pending.substring(0, length);
        pending = pending.substring(length);
        return first;
    }

    private boolean takeHead() throws IOException {
        int end = pending.indexOf("\r\n\r\n");
        if (end < 0) {
            return false;
        }
        String[] lines = cut(end + 4).strip().split("\r\n");
        String[] first = lines[0].split(" ", 3);
        String host = null;
        String protocol = null;
        long length = 0;
        chunked = false;
        var fields = new ArrayList<Map.Entry<String, String>>();
        for (String line : List.of(lines).subList(1, lines.length)) {
            int colon = line.indexOf(':');
            String name = line.substring(0, colon).toLowerCase(Locale.ROOT);
            String value = line.substring(colon + 1).strip();
            switch (name) {
                case "host" -> host = value;
                case "content-length" -> length = Long.parseLong(value);
                case "transfer-encoding" -> chunked = true;
                case "upgrade" -> protocol = value.substring(value.lastIndexOf(' ') + 1);
                default -> {}
            }
            if (!OF_CONNECTION.contains(name)) {
                fields.add(Map.entry(name, value));
            }
        }
        boolean tunnel = first[0].equals("CONNECT") || protocol != null;
        var head = new ArrayList<Map.Entry<String, String>>();
        head.add(Map.entry(":method", tunnel ? "CONNECT" : first[0]));
        if (protocol != null) {
            head.add(Map.entry(":protocol", protocol));
        }
        if (first[0].equals("CONNECT")) {
            head.add(Map.entry(":authority", first[1]));
        } else {
            head.add(Map.entry(":scheme", "http"));
            head.add(Map.entry(":path", first[1]));
            if (host != null) {
                head.add(Map.entry(":authority", host));
            }
        }
        head.addAll(fields);
        boolean ends = !chunked && length == 0 && !tunnel;
        Http2Stream begun = client.begin(head, ends);
        begun.isTunnel = tunnel;
        left = tunnel ? Long.MAX_VALUE : length;
        stream = ends ? null : begun;
        return true;
    }

    /** Ends a tunnel. */
    void end() throws IOException {
        stream.end();
        stream = null;
    }

    private boolean takeBody() throws IOException {
        int length = (int) Math.min(left, pending.length());
        left -= length;
        stream.send(cut(length).getBytes(ISO_8859_1), left == 0);
        if (left == 0) {
            stream = null;
        }
        return true;
    }

    private boolean takeChunk() throws IOException {
        int line = pending.indexOf("\r\n");
        if (line < 0) {
            return false;
        }
        int length = Integer.parseInt(pending.substring(0, line).split(";")[0], 16);
        if (length == 0) {
            return takeTrailers(line + 2);
        }
        if (pending.length() < line + 2 + length + 2) {
            return false;
        }
        cut(line + 2);
        stream.send(cut(length).getBytes(ISO_8859_1), false);
        cut(2);
        return true;
    }

    private boolean takeTrailers(int from) throws IOException {
        int end = pending.startsWith("\r\n", from) ? from : pending.indexOf("\r\n\r\n", from) + 2;
        if (end < from) {
            return false;
        }
        String section = cut(end + 2).substring(from);
        var fields = new ArrayList<Map.Entry<String, String>>();
        for (String text : section.strip().split("\r\n")) {
            int colon = text.indexOf(':');
            if (colon > 0) {
                fields.add(Map.entry(
                        text.substring(0, colon).toLowerCase(Locale.ROOT),
                        text.substring(colon + 1).strip()));
            }
        }
        if (fields.isEmpty()) {
            stream.end();
        } else {
            stream.end(fields);
        }
        stream = null;
        return true;
    }
}
