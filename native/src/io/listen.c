#include "io/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int check_address(const struct sockaddr *address, socklen_t length)
{
    if (length < (socklen_t)sizeof address->sa_family)
        return -EINVAL;
    switch (address->sa_family) {
    case AF_INET:
        return length < (socklen_t)sizeof(struct sockaddr_in) ? -EINVAL : 0;
    case AF_INET6:
        return length < (socklen_t)sizeof(struct sockaddr_in6) ? -EINVAL : 0;
    default:
        return -EAFNOSUPPORT;
    }
}

static int set(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int open_bound(const struct sockaddr *address, socklen_t length, bool reuse_port)
{
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0)
        return -errno;
    int result = set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    if (result == 0 && reuse_port)
        result = set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
    if (result == 0 && address->sa_family == AF_INET6) {
        struct sockaddr_in6 inet6;
        memcpy(&inet6, address, sizeof inet6);
        result = set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, !IN6_IS_ADDR_UNSPECIFIED(&inet6.sin6_addr));
    }
    if (result == 0 && bind(descriptor, address, length) < 0)
        result = -errno;
    if (result < 0) {
        (void)close(descriptor);
        return result;
    }
    return descriptor;
}

static bool has_port(const struct sockaddr *address)
{
    // The port stands at the same place for both families.
    struct sockaddr_in inet;
    memcpy(&inet, address, sizeof inet);
    return inet.sin_port != 0;
}

int gn_listen_open(const struct sockaddr *address, socklen_t length, int backlog, bool reuse_port, bool probe)
{
    int result = check_address(address, length);
    if (result < 0)
        return result;
    if (probe && reuse_port && has_port(address)) {
        int probed = open_bound(address, length, false);
        if (probed < 0)
            return probed;
        (void)close(probed);
    }
    int descriptor = open_bound(address, length, reuse_port);
    if (descriptor < 0)
        return descriptor;
    if (listen(descriptor, backlog) < 0) {
        result = -errno;
        (void)close(descriptor);
        return result;
    }
    return descriptor;
}

int gn_listen_address(int descriptor, struct sockaddr_storage *address)
{
    *address = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    socklen_t length = sizeof *address;
    return getsockname(descriptor, (struct sockaddr *)address, &length) < 0 ? -errno : 0;
}

int gn_socket_prepare(int descriptor)
{
    return set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int get(int descriptor, int option, int *value)
{
    socklen_t length = sizeof *value;
    return getsockopt(descriptor, SOL_SOCKET, option, value, &length) < 0 ? -errno : 0;
}

int gn_socket_adopt(int descriptor)
{
    int type, domain;
    int error = get(descriptor, SO_TYPE, &type);
    if (error == 0)
        error = get(descriptor, SO_DOMAIN, &domain);
    if (error < 0)
        return error;
    if (type != SOCK_STREAM)
        return -EPROTOTYPE;
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getpeername(descriptor, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return domain == AF_INET || domain == AF_INET6 ? gn_socket_prepare(descriptor) : 0;
}

int gn_socket_peer(int descriptor, struct sockaddr_storage *address)
{
    *address = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
    socklen_t length = sizeof *address;
    return getpeername(descriptor, (struct sockaddr *)address, &length) < 0 ? -errno : 0;
}

void gn_socket_refuse(int descriptor)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset); // else it ends by FIN
    (void)close(descriptor);
}

int gn_socket_addresses(int descriptor, struct sockaddr_storage *remote, struct sockaddr_storage *local)
{
    int result = gn_socket_peer(descriptor, remote);
    int local_result = gn_listen_address(descriptor, local);
    return result < 0 ? result : local_result;
}

int64_t gn_socket_unsent(int descriptor)
{
    int bytes = 0;
    return ioctl(descriptor, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}
