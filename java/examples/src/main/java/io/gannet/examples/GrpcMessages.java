package io.gannet.examples;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds the messages of gRPC in a body, wherever it is cut: each stands behind a byte that says whether it is compressed and
 * four with its length, the highest first.
 */
final class GrpcMessages {
    /** What a client of gRPC takes by default, and so what this server does. */
    static final int MOST_BYTES = 4 * 1024 * 1024;

    private static final int PREFIX = 5;

    private final ByteBuffer prefix = ByteBuffer.allocate(PREFIX);
    private final ByteArrayOutputStream message = new ByteArrayOutputStream();
    private int missing;

    /** A message with its prefix. */
    static ByteBuffer framed(byte[] message) {
        return ByteBuffer.allocate(PREFIX + message.length)
                .put((byte) 0)
                .putInt(message.length)
                .put(message)
                .flip();
    }

    /** The messages that end in this chunk. */
    List<byte[]> completedBy(ByteBuffer chunk) {
        var completed = new ArrayList<byte[]>();
        while (chunk.hasRemaining()) {
            if (prefix.hasRemaining()) {
                prefix.put(chunk.get());
                if (prefix.hasRemaining()) {
                    continue;
                }
                missing = checkedLength();
            }
            var part = new byte[Math.min(missing, chunk.remaining())];
            chunk.get(part);
            message.writeBytes(part);
            missing -= part.length;
            if (missing == 0) {
                completed.add(message.toByteArray());
                message.reset();
                prefix.clear();
            }
        }
        return completed;
    }

    /** No message may be cut by the end of the body. */
    void end() {
        if (prefix.position() > 0) {
            throw new GrpcCall.Failure(GrpcCall.INTERNAL, "the last message is not complete");
        }
    }

    private int checkedLength() {
        if (prefix.get(0) != 0) {
            throw new GrpcCall.Failure(GrpcCall.UNIMPLEMENTED, "the message is compressed");
        }
        int length = prefix.getInt(1);
        if (length < 0 || length > MOST_BYTES) {
            throw new GrpcCall.Failure(
                    GrpcCall.RESOURCE_EXHAUSTED,
                    "a message has " + Integer.toUnsignedString(length) + " bytes, more than " + MOST_BYTES);
        }
        return length;
    }
}
