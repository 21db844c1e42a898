package io.gannet.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AsciiString;
import io.netty.util.CharsetUtil;
import io.netty.util.ReferenceCountUtil;

/** Answers every request with the same 13 octets; what one read brought is answered by one write. */
final class HelloHandler extends ChannelInboundHandlerAdapter {
    private static final DefaultHttpHeadersFactory HEADERS =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false);
    private static final AsciiString TEXT = AsciiString.cached("text/plain; charset=utf-8");
    private static final AsciiString LENGTH = AsciiString.cached("13");
    // Its reference count never changes, so responses share it without a copy, a slice or a release.
    private static final ByteBuf BODY = Unpooled.unreleasableBuffer(
            Unpooled.directBuffer(13).writeBytes("Hello, World!".getBytes(CharsetUtil.US_ASCII)).asReadOnly());

    private final HttpDateClock clock;
    private boolean keepAlive;
    private boolean http10;

    HelloHandler(HttpDateClock clock) {
        this.clock = clock;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        // By class and identity: cheaper than a test against the codec's interfaces.
        if (message instanceof DefaultHttpRequest request) {
            keepAlive = request.decoderResult().isSuccess() && HttpUtil.isKeepAlive(request);
            http10 = request.protocolVersion() == HttpVersion.HTTP_1_0;
            if (request.decoderResult().isFailure()) {
                answer(context, HttpResponseStatus.BAD_REQUEST);
            }
        } else if (message == LastHttpContent.EMPTY_LAST_CONTENT) {
            answer(context, HttpResponseStatus.OK);
        } else {
            boolean last = message instanceof LastHttpContent;
            ReferenceCountUtil.release(message);
            if (last) {
                answer(context, HttpResponseStatus.OK);
            }
        }
    }

    private void answer(ChannelHandlerContext context, HttpResponseStatus status) {
        HttpHeaders headers = HEADERS.newHeaders()
                .add(HttpHeaderNames.CONTENT_TYPE, TEXT)
                .add(HttpHeaderNames.CONTENT_LENGTH, LENGTH)
                .add(HttpHeaderNames.DATE, clock.now());
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, status, BODY.duplicate(), headers, EmptyHttpHeaders.INSTANCE);
        if (keepAlive) {
            if (http10) {
                headers.add(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
            }
            context.write(response, context.voidPromise());
        } else {
            headers.add(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
            context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
