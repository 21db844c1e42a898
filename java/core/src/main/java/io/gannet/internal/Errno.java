package io.gannet.internal;

/**
 * The numbers of the kernel's errors that are told apart, with their names; the same on all Linux architectures in use.
 */
final class Errno {
    static final int EPERM = 1;
    static final int EACCES = 13;
    static final int ENFILE = 23;
    static final int EMFILE = 24;
    static final int EADDRINUSE = 98;
    static final int EADDRNOTAVAIL = 99;
    static final int EAFNOSUPPORT = 97;
    static final int ENOBUFS = 105;
    static final int ETIMEDOUT = 110;
    static final int ECONNREFUSED = 111;
    static final int ENOMEM = 12;
    static final int ENOSYS = 38;
    static final int EINVAL = 22;
    static final int EBADF = 9;
    static final int ENOTSOCK = 88;
    static final int EPROTOTYPE = 91;
    static final int ENOTCONN = 107;

    private Errno() {}

    /** The name, and where there is one a remedy. */
    static String describe(int errno) {
        return switch (errno) {
            case EPERM -> "EPERM: not permitted";
            case ENOMEM ->
                "ENOMEM: the kernel or a memory limit has no memory left; raise the limit (ulimit -l, cgroup)";
            case EACCES ->
                "EACCES: permission denied; ports below 1024 need CAP_NET_BIND_SERVICE, or choose a higher port";
            case EINVAL -> "EINVAL: invalid argument";
            case EBADF -> "EBADF: there is no such descriptor";
            case ENOTSOCK -> "ENOTSOCK: not a socket";
            case EPROTOTYPE -> "EPROTOTYPE: not a stream socket";
            case ENOTCONN -> "ENOTCONN: not connected";
            case ENFILE -> "ENFILE: the system has no file descriptor left; raise fs.file-max";
            case EMFILE -> "EMFILE: the process has no file descriptor left; raise its limit (ulimit -n, LimitNOFILE)";
            case ENOSYS -> "ENOSYS: the kernel does not have it";
            case EAFNOSUPPORT -> "EAFNOSUPPORT: the machine does not have this address family";
            case EADDRINUSE -> "EADDRINUSE: address already in use";
            case EADDRNOTAVAIL -> "EADDRNOTAVAIL: not an address of this machine";
            case ENOBUFS -> "ENOBUFS: the kernel has no buffer space left";
            case ECONNREFUSED ->
                "ECONNREFUSED: there are too many connections; see maxConnections and maxConnectionsPerAddress";
            case ETIMEDOUT -> "ETIMEDOUT: timed out";
            default -> "errno " + errno;
        };
    }
}
