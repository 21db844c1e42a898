package io.gannet.bench;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * The Netty side of the comparison: native epoll transport, {@link HttpServerCodec}, one small handler.
 *
 * <p>Usage: {@code NettyServer [--port N] [--loops N]}. Each loop accepts from a socket of its own (SO_REUSEPORT), as
 * Gannet's loops do.
 */
public final class NettyServer {
    private NettyServer() {}

    public static void main(String[] args) throws Exception {
        int port = 8080;
        int loops = 1;
        for (int at = 0; at < args.length; at += 2) {
            if (at + 1 == args.length) {
                throw new IllegalArgumentException("no value for " + args[at]);
            }
            int value = Integer.parseInt(args[at + 1]);
            switch (args[at]) {
                case "--port" -> port = value;
                case "--loops" -> loops = value;
                default -> throw new IllegalArgumentException("unknown option " + args[at]);
            }
        }
        Epoll.ensureAvailability();

        HttpDateClock clock = new HttpDateClock();
        HttpDecoderConfig decoder = new HttpDecoderConfig()
                .setHeadersFactory(DefaultHttpHeadersFactory.headersFactory().withValidation(false))
                .setTrailersFactory(DefaultHttpHeadersFactory.trailersFactory().withValidation(false));
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
                        channel.pipeline().addLast(new HttpServerCodec(decoder), new HelloHandler(clock));
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
}
