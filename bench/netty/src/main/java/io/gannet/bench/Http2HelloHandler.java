package io.gannet.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameStream;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.util.AsciiString;
import io.netty.util.CharsetUtil;
import io.netty.util.ReferenceCountUtil;

/** Answers every request with the same 13 octets; the codec sends what one read brought with one flush. */
final class Http2HelloHandler extends ChannelInboundHandlerAdapter {
    private static final AsciiString TEXT = AsciiString.cached("text/plain; charset=utf-8");
    private static final AsciiString LENGTH = AsciiString.cached("13");
    // Its reference count never changes, so responses share it without a copy, a slice or a release.
    private static final ByteBuf BODY = Unpooled.unreleasableBuffer(
            Unpooled.directBuffer(13).writeBytes("Hello, World!".getBytes(CharsetUtil.US_ASCII)).asReadOnly());

    private final HttpDateClock clock;

    Http2HelloHandler(HttpDateClock clock) {
        this.clock = clock;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof Http2HeadersFrame headers) {
            if (headers.isEndStream()) {
                answer(context, headers.stream());
            }
        } else if (message instanceof Http2DataFrame data) {
            Http2FrameStream stream = data.stream();
            boolean isLast = data.isEndStream();
            int octets = data.initialFlowControlledBytes();
            data.release();
            context.write(new DefaultHttp2WindowUpdateFrame(octets).stream(stream));
            if (isLast) {
                answer(context, stream);
            }
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    private void answer(ChannelHandlerContext context, Http2FrameStream stream) {
        Http2Headers headers = ReadOnlyHttp2Headers.serverHeaders(
                false,
                HttpResponseStatus.OK.codeAsText(),
                HttpHeaderNames.CONTENT_TYPE,
                TEXT,
                HttpHeaderNames.CONTENT_LENGTH,
                LENGTH,
                HttpHeaderNames.DATE,
                clock.now());
        context.write(new DefaultHttp2HeadersFrame(headers, false).stream(stream));
        context.write(new DefaultHttp2DataFrame(BODY.duplicate(), true).stream(stream));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
