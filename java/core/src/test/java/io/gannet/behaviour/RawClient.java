package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A client that sends the bytes it is given and reads responses strictly: what RFC 9112 does not allow a server to send
 * is an {@link AssertionError}. Strings are bytes, one a char. A server that stays silent for ten seconds is a
 * {@link java.net.SocketTimeoutException}.
 */
final class RawClient implements Client {
    private final Socket socket = new Socket();
    private final InputStream input;

    RawClient(int port) throws IOException {
        this(port, 0);
    }

    /** From this address. */
    RawClient(int port, InetAddress from) throws IOException {
        this(port, 0, from);
    }

    /** With a receive buffer of about this many bytes, 0 for the usual one. */
    RawClient(int port, int receiveBuffer) throws IOException {
        this(port, receiveBuffer, null);
    }

    private RawClient(int port, int receiveBuffer, InetAddress from) throws IOException {
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(Await.SECONDS * 1000);
        if (from != null) {
            socket.bind(new InetSocketAddress(from, 0));
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), Await.SECONDS * 1000);
        input = new BufferedInputStream(socket.getInputStream(), receiveBuffer > 0 ? 512 : 8192);
    }

    InetSocketAddress localAddress() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    @Override
    public RawClient send(String bytes) throws IOException {
        return send(bytes.getBytes(ISO_8859_1));
    }

    @Override
    public RawClient send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    @Override
    public RawClient end() throws IOException {
        socket.shutdownOutput();
        return this;
    }

    @Override
    public RawResponse response() throws IOException {
        return response(false);
    }

    @Override
    public RawResponse headResponse() throws IOException {
        return response(true);
    }

    @Override
    public RawResponse cutResponse() throws IOException {
        String statusLine = line();
        var head = new RawResponse(statusLine, Integer.parseInt(statusLine.substring(9, 12)), fields(), new byte[0]);
        var body = new ByteArrayOutputStream();
        try {
            for (int octet = input.read(); octet != -1; octet = input.read()) {
                body.write(octet);
            }
        } catch (SocketException reset) {
            // So it was cut off, whatever has come.
            return head;
        }
        String length = head.field("content-length");
        byte[] bytes = body.toByteArray();
        if (length != null) {
            if (bytes.length >= Long.parseLong(length)) {
                throw new AssertionError("a response that is not cut off: " + head);
            }
            return new RawResponse(statusLine, head.status(), head.fields(), bytes);
        }
        return new RawResponse(statusLine, head.status(), head.fields(), wholeChunks(bytes));
    }

    /** The chunks in what came before a cut, which is no last chunk. */
    private static byte[] wholeChunks(byte[] bytes) {
        String text = new String(bytes, ISO_8859_1);
        var body = new StringBuilder();
        for (int at = 0; at < text.length(); ) {
            int line = text.indexOf("\r\n", at);
            if (line < 0) {
                break;
            }
            int length = Integer.parseInt(text.substring(at, line), 16);
            if (length == 0) {
                throw new AssertionError("a body that is not cut off, of " + body.length() + " bytes");
            }
            body.append(text, line + 2, Math.min(text.length(), line + 2 + length));
            at = line + 2 + length + 2;
        }
        return body.toString().getBytes(ISO_8859_1);
    }

    @Override
    public byte[] rest() throws IOException {
        return input.readAllBytes();
    }

    @Override
    public byte[] readExactly(int length) throws IOException {
        byte[] bytes = input.readNBytes(length);
        if (bytes.length < length) {
            throw new AssertionError("the connection ended after " + bytes.length + " of " + length + " bytes");
        }
        return bytes;
    }

    @Override
    public boolean isAnswered() {
        try {
            return input.available() > 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void assertEnd() throws IOException {
        int next = input.read();
        if (next != -1) {
            throw new AssertionError("bytes behind what should be the last response: "
                    + (char) next
                    + new String(input.readNBytes(Math.min(input.available(), 200)), ISO_8859_1));
        }
    }

    @Override
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private RawResponse response(boolean toHead) throws IOException {
        String statusLine = line();
        if (!statusLine.matches("HTTP/1\\.[01] [1-9][0-9]{2} [\\t\\x20-\\x7e\\x80-\\xff]*")) {
            throw new AssertionError("not a status line: " + statusLine);
        }
        int status = Integer.parseInt(statusLine.substring(9, 12));
        List<Map.Entry<String, String>> fields = fields();
        var head = new RawResponse(statusLine, status, fields, new byte[0]);
        if (head.has("content-length") && head.has("transfer-encoding")) {
            throw new AssertionError("both framing fields: " + head);
        }
        return new RawResponse(statusLine, status, fields, body(head, toHead));
    }

    private byte[] body(RawResponse head, boolean toHead) throws IOException {
        String coding = head.field("transfer-encoding");
        String length = head.field("content-length");
        if (length != null && !length.matches("[0-9]+")) {
            throw new AssertionError("not a Content-Length: " + length);
        }
        if (toHead || head.status() < 200 || head.status() == 204 || head.status() == 304) {
            return new byte[0];
        }
        if (coding != null) {
            if (!coding.equals("chunked")) {
                throw new AssertionError("not a transfer coding that was asked for: " + coding);
            }
            return chunked();
        }
        return length != null ? readExactly(Integer.parseInt(length)) : rest();
    }

    private byte[] chunked() throws IOException {
        var body = new ByteArrayOutputStream();
        while (true) {
            String size = line();
            if (!size.matches("[0-9a-fA-F]{1,8}")) {
                throw new AssertionError("not a chunk size: " + size);
            }
            int length = Integer.parseInt(size, 16);
            if (length == 0) {
                if (!fields().isEmpty()) {
                    throw new AssertionError("trailers that nobody sent");
                }
                return body.toByteArray();
            }
            body.writeBytes(readExactly(length));
            if (!line().isEmpty()) {
                throw new AssertionError("bytes behind a chunk of " + length);
            }
        }
    }

    private List<Map.Entry<String, String>> fields() throws IOException {
        var fields = new ArrayList<Map.Entry<String, String>>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            if (!line.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \\t]*[\\t\\x20-\\x7e\\x80-\\xff]*")) {
                throw new AssertionError("not a field line: " + line);
            }
            int colon = line.indexOf(':');
            fields.add(Map.entry(
                    line.substring(0, colon), line.substring(colon + 1).strip()));
        }
        return List.copyOf(fields);
    }

    /** A line without its CRLF; a lone CR or LF is an error. */
    private String line() throws IOException {
        var line = new StringBuilder();
        for (int octet = input.read(); octet != '\r'; octet = input.read()) {
            if (octet == -1) {
                throw new AssertionError("the connection ended within a head: \"" + line + '"');
            }
            if (octet == '\n') {
                throw new AssertionError("a bare LF behind: " + line);
            }
            line.append((char) octet);
        }
        if (input.read() != '\n') {
            throw new AssertionError("a bare CR behind: " + line);
        }
        return line.toString();
    }
}
