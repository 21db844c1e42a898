package io.gannet.bench;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/**
 * The Netty side of the comparison: native epoll transport, one small handler behind {@link HttpServerCodec} or, for HTTP/2
 * by prior knowledge, behind {@link Http2FrameCodec} without a channel for each stream, which is the faster way.
 *
 * <p>Usage: {@code NettyServer [--port N] [--loops N] [--protocol http1|h2c]}. Each loop accepts from a socket of its own (SO_REUSEPORT), as
 * Gannet's loops do.
 */
public final class NettyServer {
    private NettyServer() {}

    public static void main(String[] args) throws Exception {
        int port = 8080;
        int loops = 1;
        boolean isHttp2 = false;
        for (int at = 0; at < args.length; at += 2) {
            if (at + 1 == args.length) {
                throw new IllegalArgumentException("no value for " + args[at]);
            }
            String value = args[at + 1];
            switch (args[at]) {
                case "--port" -> port = Integer.parseInt(value);
                case "--loops" -> loops = Integer.parseInt(value);
                case "--protocol" -> isHttp2 = isHttp2(value);
                default -> throw new IllegalArgumentException("unknown option " + args[at]);
            }
        }
        Epoll.ensureAvailability();

        HttpDateClock clock = new HttpDateClock();
        Consumer<ChannelPipeline> protocol = isHttp2 ? http2(clock) : http1(clock);
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(loops, EpollIoHandler.newFactory());
        clock.start(group.next());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(EpollChannelOption.SO_REUSEPORT, loops > 1)
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        protocol.accept(channel.pipeline());
                    }
                });
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        Channel listener = bootstrap.bind(address).sync().channel();
        for (int more = 1; more < loops; more++) {
            bootstrap.bind(listener.localAddress()).sync();
        }
        System.out.println(
                "listening on http://127.0.0.1:" + ((InetSocketAddress) listener.localAddress()).getPort());
        listener.closeFuture().sync();
    }

    private static boolean isHttp2(String protocol) {
        return switch (protocol) {
            case "http1" -> false;
            case "h2c" -> true;
            default -> throw new IllegalArgumentException("protocol is http1 or h2c: " + protocol);
        };
    }

    private static Consumer<ChannelPipeline> http1(HttpDateClock clock) {
        HttpDecoderConfig decoder = new HttpDecoderConfig()
                .setHeadersFactory(DefaultHttpHeadersFactory.headersFactory().withValidation(false))
                .setTrailersFactory(DefaultHttpHeadersFactory.trailersFactory().withValidation(false));
        return pipeline -> pipeline.addLast(new HttpServerCodec(decoder), new HelloHandler(clock));
    }

    private static Consumer<ChannelPipeline> http2(HttpDateClock clock) {
        return pipeline -> {
            Http2FrameCodec codec =
                    Http2FrameCodecBuilder.forServer().validateHeaders(false).build();
            pipeline.addLast(codec, new Http2HelloHandler(clock));
        };
    }
}
