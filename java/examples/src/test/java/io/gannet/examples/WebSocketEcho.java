package io.gannet.examples;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.gannet.Handler;
import io.gannet.OutgoingBody;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.Tunnel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameEncoder;
import io.netty.handler.codec.http.websocketx.WebSocketDecoderConfig;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.concurrent.Flow;

/** Echoes WebSocket messages (RFC 6455) with Netty's codec for the frames, in one of the two styles of a tunnel. */
final class WebSocketEcho implements Handler {
    private static final String KEY_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final int LONGEST_FRAME = 1 << 20;

    private final boolean mayBlock;

    /**
     * An echo.
     *
     * @param mayBlock on streams, else by a publisher and a subscriber
     */
    WebSocketEcho(boolean mayBlock) {
        this.mayBlock = mayBlock;
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        if (!request.offersUpgrade("websocket")) {
            response.status(426).addField("Upgrade", "websocket").send();
            return;
        }
        response.addField("Sec-WebSocket-Accept", accept(request.field("Sec-WebSocket-Key")));
        Tunnel tunnel = response.upgrade("websocket");
        if (mayBlock) {
            block(tunnel);
        } else {
            tunnel.input().publisher().subscribe(new Subscriber(tunnel.output()));
        }
    }

    private static String accept(String key) throws NoSuchAlgorithmException {
        byte[] hash = MessageDigest.getInstance("SHA-1").digest((key + KEY_SUFFIX).getBytes(US_ASCII));
        return Base64.getEncoder().encodeToString(hash);
    }

    private static void block(Tunnel tunnel) throws IOException {
        var frames = new Frames();
        try (var from = tunnel.input().inputStream();
                var to = tunnel.output().outputStream()) {
            var bytes = new byte[16384];
            for (int count = from.read(bytes); count >= 0; count = from.read(bytes)) {
                to.write(frames.answer(ByteBuffer.wrap(bytes, 0, count)));
                to.flush();
                if (frames.isClosed()) {
                    return;
                }
            }
        }
    }

    /** One chunk in, its answer out, the next chunk. */
    private static final class Subscriber implements Flow.Subscriber<ByteBuffer> {
        private final Frames frames = new Frames();
        private final OutgoingBody output;
        private Flow.Subscription subscription;

        Subscriber(OutgoingBody output) {
            this.output = output;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            subscription.request(1);
        }

        @Override
        public void onNext(ByteBuffer chunk) {
            output.write(frames.answer(chunk)).whenComplete((done, failure) -> {
                if (failure != null) {
                    subscription.cancel();
                    return;
                }
                if (frames.isClosed()) {
                    output.end();
                }
                subscription.request(1);
            });
        }

        @Override
        public void onError(Throwable failure) {
            output.abort();
        }

        @Override
        public void onComplete() {
            output.end();
        }
    }

    /** Turns the bytes of a client into those that answer them. */
    private static final class Frames {
        private final EmbeddedChannel codec = new EmbeddedChannel(
                new WebSocket13FrameDecoder(WebSocketDecoderConfig.newBuilder()
                        .expectMaskedFrames(true)
                        .allowMaskMismatch(false)
                        .maxFramePayloadLength(LONGEST_FRAME)
                        .build()),
                new WebSocket13FrameEncoder(false));
        private boolean closed;

        boolean isClosed() {
            return closed;
        }

        byte[] answer(ByteBuffer bytes) {
            codec.writeInbound(Unpooled.copiedBuffer(bytes));
            for (WebSocketFrame frame = codec.readInbound(); frame != null; frame = codec.readInbound()) {
                if (frame instanceof PingWebSocketFrame) {
                    codec.writeOutbound(new PongWebSocketFrame(frame.content()));
                } else if (frame instanceof PongWebSocketFrame) {
                    frame.release();
                } else {
                    closed |= frame instanceof CloseWebSocketFrame;
                    codec.writeOutbound(frame);
                }
            }
            ByteBuf answer = Unpooled.buffer();
            for (ByteBuf part = codec.readOutbound(); part != null; part = codec.readOutbound()) {
                answer.writeBytes(part);
                part.release();
            }
            var result = new byte[answer.readableBytes()];
            answer.readBytes(result).release();
            return result;
        }
    }
}
