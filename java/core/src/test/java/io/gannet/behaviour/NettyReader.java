package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.ArrayList;
import java.util.List;

/** What Netty's decoder of requests makes of bytes, with its default settings. */
final class NettyReader {
    private final List<Reading.Message> requests = new ArrayList<>();
    private HttpRequest request;
    private StringBuilder body;
    private boolean closing;

    private NettyReader() {}

    static Reading read(String bytes) {
        var channel = new EmbeddedChannel(new HttpRequestDecoder());
        var reader = new NettyReader();
        Reading.End end = Reading.End.DONE;
        try {
            channel.writeInbound(Unpooled.wrappedBuffer(bytes.getBytes(ISO_8859_1)));
            channel.finish();
            for (HttpObject object; end == Reading.End.DONE && (object = channel.readInbound()) != null; ) {
                end = reader.take(object);
                if (reader.closed()) {
                    return new Reading(reader.requests, end);
                }
            }
        } finally {
            channel.finishAndReleaseAll();
        }
        boolean within = end == Reading.End.DONE && reader.request != null;
        return new Reading(reader.requests, within ? Reading.End.CUT : end);
    }

    /** Whether the last whole request was one behind which a server reads nothing. */
    private boolean closed() {
        return request == null && closing;
    }

    private Reading.End take(HttpObject object) {
        DecoderResult result = object.decoderResult();
        if (result.isFailure()) {
            return result.cause() instanceof PrematureChannelClosureException ? Reading.End.CUT : Reading.End.REFUSED;
        }
        if (object instanceof HttpRequest head) {
            request = head;
            body = new StringBuilder();
        }
        if (object instanceof HttpContent content) {
            body.append(content.content().toString(ISO_8859_1));
        }
        if (object instanceof LastHttpContent) {
            requests.add(new Reading.Message(request.method().name(), request.uri(), body.toString()));
            closing = !HttpUtil.isKeepAlive(request);
            request = null;
        }
        return Reading.End.DONE;
    }
}
