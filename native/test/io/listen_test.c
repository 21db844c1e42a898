#include "io/listen.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static struct sockaddr_in inet(in_addr_t address, in_port_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

static int listen_inet(in_addr_t to, in_port_t port, bool reuse_port, bool probe)
{
    struct sockaddr_in address = inet(to, port);
    return gn_listen_open((struct sockaddr *)&address, sizeof address, 16, reuse_port, probe);
}

static int listen_inet6(struct in6_addr to)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = to};
    return gn_listen_open((struct sockaddr *)&address, sizeof address, 16, false, false);
}

static in_port_t port_of(int descriptor)
{
    struct sockaddr_storage address;
    CHECK_EQ(gn_listen_address(descriptor, &address), 0);
    struct sockaddr_in found;
    memcpy(&found, &address, sizeof found);
    return ntohs(found.sin_port);
}

static int option_of(int descriptor, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof value;
    CHECK_EQ(getsockopt(descriptor, level, option, &value, &length), 0);
    return value;
}

static int connect_inet(in_addr_t to, in_port_t port)
{
    struct sockaddr_in address = inet(to, port);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(descriptor >= 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

TEST(a_listening_socket_is_non_blocking_and_not_inherited)
{
    int descriptor = listen_inet(INADDR_LOOPBACK, 0, false, false);
    REQUIRE(descriptor >= 0);
    CHECK((fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_EQ(option_of(descriptor, SOL_SOCKET, SO_ACCEPTCONN), 1);
    CHECK_EQ(option_of(descriptor, SOL_SOCKET, SO_REUSEADDR), 1);
    CHECK_EQ(option_of(descriptor, SOL_SOCKET, SO_REUSEPORT), 0);
    CHECK_EQ(accept4(descriptor, NULL, NULL, 0), -1);
    CHECK_EQ(errno, EAGAIN);
    close(descriptor);
}

TEST(port_0_is_a_port_of_the_kernels_choice)
{
    int descriptor = listen_inet(INADDR_LOOPBACK, 0, true, true);
    REQUIRE(descriptor >= 0);
    in_port_t port = port_of(descriptor);
    CHECK(port != 0);
    int client = connect_inet(INADDR_LOOPBACK, port);
    CHECK(client >= 0);
    close(client);
    close(descriptor);
    CHECK_EQ(connect_inet(INADDR_LOOPBACK, port), -ECONNREFUSED);
}

TEST(sockets_of_one_server_share_a_port_only_with_reuse_port)
{
    int first = listen_inet(INADDR_LOOPBACK, 0, true, true);
    REQUIRE(first >= 0);
    in_port_t port = port_of(first);
    int second = listen_inet(INADDR_LOOPBACK, port, true, false);
    CHECK(second >= 0);
    CHECK_EQ(option_of(second, SOL_SOCKET, SO_REUSEPORT), 1);
    CHECK_EQ(listen_inet(INADDR_LOOPBACK, port, false, false), -EADDRINUSE);
    close(first);
    close(second);
}

TEST(the_probe_finds_a_port_that_others_listen_on)
{
    // Another server that would let us in.
    int other = listen_inet(INADDR_LOOPBACK, 0, true, false);
    REQUIRE(other >= 0);
    in_port_t port = port_of(other);
    CHECK_EQ(listen_inet(INADDR_LOOPBACK, port, true, true), -EADDRINUSE);
    CHECK_EQ(listen_inet(INADDR_ANY, port, true, true), -EADDRINUSE);
    close(other);
    // Free again, the probe's own socket left nothing behind.
    int descriptor = listen_inet(INADDR_LOOPBACK, port, true, true);
    CHECK(descriptor >= 0);
    close(descriptor);
}

TEST(a_port_with_connections_in_time_wait_can_be_had_again)
{
    int descriptor = listen_inet(INADDR_LOOPBACK, 0, false, false);
    REQUIRE(descriptor >= 0);
    in_port_t port = port_of(descriptor);
    int client = connect_inet(INADDR_LOOPBACK, port);
    int server = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC);
    REQUIRE(client >= 0 && server >= 0);
    // The server ends first: TIME_WAIT is on its side.
    close(server);
    char byte;
    CHECK_EQ(read(client, &byte, 1), 0);
    close(client);
    close(descriptor);
    for (int probe = 0; probe < 2; probe++) {
        descriptor = listen_inet(INADDR_LOOPBACK, port, probe, probe);
        CHECK(descriptor >= 0);
        close(descriptor);
    }
}

TEST(the_ipv6_wildcard_takes_ipv4_connections_and_a_concrete_address_does_not)
{
    int wildcard = listen_inet6((struct in6_addr)IN6ADDR_ANY_INIT);
    if (wildcard == -EAFNOSUPPORT || wildcard == -EADDRNOTAVAIL) {
        printf("     (no IPv6 here)\n");
        return;
    }
    REQUIRE(wildcard >= 0);
    CHECK_EQ(option_of(wildcard, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    int client = connect_inet(INADDR_LOOPBACK, port_of(wildcard));
    CHECK(client >= 0);
    int server = accept4(wildcard, NULL, NULL, SOCK_CLOEXEC);
    struct sockaddr_storage remote, local;
    CHECK_EQ(gn_socket_addresses(server, &remote, &local), 0);
    CHECK_EQ(remote.ss_family, AF_INET6);
    struct sockaddr_in6 address;
    memcpy(&address, &remote, sizeof address);
    CHECK(IN6_IS_ADDR_V4MAPPED(&address.sin6_addr));
    close(client);
    close(server);
    close(wildcard);

    int concrete = listen_inet6((struct in6_addr)IN6ADDR_LOOPBACK_INIT);
    if (concrete == -EADDRNOTAVAIL)
        return;
    REQUIRE(concrete >= 0);
    CHECK_EQ(option_of(concrete, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    close(concrete);
}

TEST(what_is_no_address_is_refused)
{
    struct sockaddr_in address = inet(INADDR_LOOPBACK, 0);
    CHECK_EQ(gn_listen_open((struct sockaddr *)&address, sizeof address - 9, 16, false, false), -EINVAL);
    CHECK_EQ(gn_listen_open((struct sockaddr *)&address, 1, 16, false, false), -EINVAL);
    address.sin_family = AF_INET6;
    CHECK_EQ(gn_listen_open((struct sockaddr *)&address, sizeof address, 16, false, false), -EINVAL);
    address.sin_family = AF_UNIX;
    CHECK_EQ(gn_listen_open((struct sockaddr *)&address, sizeof address, 16, false, false), -EAFNOSUPPORT);
    // 192.0.2.0/24 is for documentation (RFC 5737): nobody's.
    CHECK_EQ(listen_inet(0xc0000201, 0, true, true), -EADDRNOTAVAIL);
    struct sockaddr_storage storage;
    CHECK_EQ(gn_listen_address(-1, &storage), -EBADF);
    CHECK_EQ(storage.ss_family, AF_UNSPEC);
}

TEST(a_connection_is_prepared_and_knows_both_addresses)
{
    int descriptor = listen_inet(INADDR_LOOPBACK, 0, false, false);
    REQUIRE(descriptor >= 0);
    int client = connect_inet(INADDR_LOOPBACK, port_of(descriptor));
    int server = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC);
    REQUIRE(client >= 0 && server >= 0);
    CHECK_EQ(gn_socket_prepare(server), 0);
    CHECK_EQ(option_of(server, IPPROTO_TCP, TCP_NODELAY), 1);
    struct sockaddr_storage remote, local, other_remote, other_local;
    CHECK_EQ(gn_socket_addresses(server, &remote, &local), 0);
    CHECK_EQ(gn_socket_addresses(client, &other_remote, &other_local), 0);
    CHECK(memcmp(&remote, &other_local, sizeof(struct sockaddr_in)) == 0);
    CHECK(memcmp(&local, &other_remote, sizeof(struct sockaddr_in)) == 0);
    CHECK_EQ(port_of(descriptor), port_of(server));

    struct linger linger = {1, 0};
    CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    close(client);
    char byte;
    CHECK_EQ(read(server, &byte, 1), -1);
    CHECK_EQ(gn_socket_addresses(server, &remote, &local), -ENOTCONN);
    CHECK_EQ(remote.ss_family, AF_UNSPEC);
    CHECK_EQ(local.ss_family, AF_INET);
    CHECK_EQ(gn_socket_prepare(-1), -EBADF);
    close(server);
    close(descriptor);
}

TEST_MAIN()
