package io.gannet.internal;

import java.io.IOException;
import java.net.BindException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/** The listening sockets of one address, one for each loop. */
final class ListenSockets {
    private static final int BACKLOG = 4096;
    private static final byte[] ANY_4 = new byte[4];
    private static final byte[] ANY_6 = new byte[16];

    private final Deque<Integer> descriptors = new ArrayDeque<>();
    private InetSocketAddress address;

    private ListenSockets() {}

    /** Binds so many sockets to one port. */
    static ListenSockets open(ServerOptions.Place place, int count) throws IOException {
        ListenSockets sockets = new ListenSockets();
        if (place.address() != null) {
            sockets.open(resolve(place.address()), place.port(), count);
            return sockets;
        }
        try {
            sockets.open(InetAddress.getByAddress(ANY_6), place.port(), count);
        } catch (NoSuchFamily e) {
            sockets.open(InetAddress.getByAddress(ANY_4), place.port(), count);
        }
        return sockets;
    }

    /** Where they listen. */
    InetSocketAddress address() {
        return address;
    }

    /** One of the sockets, which is then the caller's. */
    int take() {
        return descriptors.remove();
    }

    /** Closes those that were not taken. */
    void close() {
        for (Integer descriptor = descriptors.poll(); descriptor != null; descriptor = descriptors.poll()) {
            Native.closeDescriptor(descriptor);
        }
    }

    private void open(InetAddress ip, int wantedPort, int count) throws IOException {
        int port = wantedPort;
        try {
            for (int i = 0; i < count; i++) {
                int descriptor = openOne(ip, port, count > 1, i == 0);
                if (descriptor < 0) {
                    throw refused(-descriptor, ip, port);
                }
                descriptors.add(descriptor);
                if (port == 0) {
                    port = Native.listenerPort(descriptor);
                    if (port < 0) {
                        throw new SocketException("cannot find the port of a new socket: " + Errno.describe(-port));
                    }
                }
            }
        } catch (Throwable failed) {
            close();
            throw failed;
        }
        address = new InetSocketAddress(ip, port);
    }

    private static int openOne(InetAddress ip, int port, boolean reusePort, boolean probe) {
        ByteBuffer bytes = ByteBuffer.wrap(ip.getAddress());
        if (ip instanceof Inet4Address) {
            return Native.openListener(4, 0, bytes.getInt() & 0xFFFFFFFFL, 0, port, BACKLOG, reusePort, probe);
        }
        int scope = ((Inet6Address) ip).getScopeId();
        return Native.openListener(6, bytes.getLong(), bytes.getLong(), scope, port, BACKLOG, reusePort, probe);
    }

    /** For logs and messages. */
    static String where(InetAddress ip, int port) {
        if (ip.isAnyLocalAddress()) {
            return (ip instanceof Inet4Address ? "all IPv4 addresses" : "all addresses") + ", port " + port;
        }
        String host = ip.getHostAddress();
        return (ip instanceof Inet6Address ? "[" + host + "]" : host) + ":" + port;
    }

    private static InetAddress resolve(InetSocketAddress address) throws UnknownHostException {
        return address.isUnresolved() ? InetAddress.getByName(address.getHostString()) : address.getAddress();
    }

    private static IOException refused(int errno, InetAddress ip, int port) {
        String text = "cannot listen on " + where(ip, port) + ": " + Errno.describe(errno);
        return switch (errno) {
            case Errno.EAFNOSUPPORT -> new NoSuchFamily(text);
            case Errno.EADDRNOTAVAIL -> ip.isAnyLocalAddress() ? new NoSuchFamily(text) : new BindException(text);
            case Errno.EADDRINUSE, Errno.EACCES -> new BindException(text);
            default -> new SocketException(text);
        };
    }

    /** The machine does not have the address family. */
    private static final class NoSuchFamily extends BindException {
        private static final long serialVersionUID = 1;

        NoSuchFamily(String message) {
            super(message);
        }
    }
}
