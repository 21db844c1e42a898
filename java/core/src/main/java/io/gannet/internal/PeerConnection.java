package io.gannet.internal;

import io.gannet.CloseReason;
import io.gannet.Connection;
import io.gannet.EventLoop;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** A connection that a handler asked for; C says when it is gone. */
final class PeerConnection implements Connection {
    private final Loop loop;
    private final long id;
    private final InetSocketAddress remote;
    private final InetSocketAddress local;
    private final AtomicReference<Object> attachment = new AtomicReference<>();
    private final ConcurrentLinkedQueue<Consumer<CloseReason>> callbacks = new ConcurrentLinkedQueue<>();
    private volatile CloseReason closed;

    PeerConnection(Loop loop, long id, InetSocketAddress remote, InetSocketAddress local) {
        this.loop = loop;
        this.id = id;
        this.remote = remote;
        this.local = local;
    }

    /** What a connection-info block says; no slab where the block was given back already. */
    static PeerConnection read(Loop loop, long id, ByteBuffer slab, int info) {
        if (slab == null) {
            return null;
        }
        return new PeerConnection(
                loop,
                id,
                address(slab, info, Layout.INFO_REMOTE_ADDRESS, Layout.INFO_REMOTE_PORT, Layout.INFO_REMOTE_SCOPE),
                address(slab, info, Layout.INFO_LOCAL_ADDRESS, Layout.INFO_LOCAL_PORT, Layout.INFO_LOCAL_SCOPE));
    }

    private static InetSocketAddress address(ByteBuffer slab, int info, int addressAt, int portAt, int scopeAt) {
        int family = slab.get(info + Layout.INFO_FAMILY);
        if (family != 4 && family != 6) {
            return InetSocketAddress.createUnresolved("unix", 0);
        }
        byte[] bytes = new byte[family == 4 ? 4 : 16];
        slab.get(info + addressAt, bytes);
        int port = Short.toUnsignedInt(slab.getShort(info + portAt));
        int scope = slab.getInt(info + scopeAt);
        try {
            InetAddress address = family == 6 && scope != 0
                    ? Inet6Address.getByAddress(null, bytes, scope)
                    : InetAddress.getByAddress(bytes);
            return new InetSocketAddress(address, port);
        } catch (UnknownHostException e) {
            throw new AssertionError("an address of 4 or 16 bytes", e);
        }
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public EventLoop eventLoop() {
        return loop;
    }

    @Override
    public InetSocketAddress remoteAddress() {
        return remote;
    }

    @Override
    public InetSocketAddress localAddress() {
        return local;
    }

    @Override
    public Object attachment() {
        return attachment.get();
    }

    @Override
    public Object attach(Object attachment) {
        return this.attachment.getAndSet(attachment);
    }

    @Override
    public void onClose(Consumer<CloseReason> callback) {
        callbacks.add(Objects.requireNonNull(callback, "callback"));
        if (closed != null && !loop.offer(this::callBack)) {
            callBack();
        }
    }

    @Override
    public void close() {
        loop.offer(() -> loop.commands().plain(Layout.COMMAND_CLOSE, 0, id, 0, 0));
    }

    /** It is gone. */
    void closed(int reason) {
        closed = Reasons.closeReason(reason);
        callBack();
    }

    private void callBack() {
        for (Consumer<CloseReason> callback = callbacks.poll(); callback != null; callback = callbacks.poll()) {
            try {
                callback.accept(closed);
            } catch (Throwable failure) {
                Log.callbackFailed("an onClose callback", failure);
            }
        }
    }

    /** For logs: both addresses. */
    @Override
    public String toString() {
        return remote + " -> " + local;
    }
}
