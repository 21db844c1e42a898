/*
 * Making listening TCP sockets, and what is set on and asked of connections. System calls only: every function here
 * may be called on any thread. Errors are negative errnos; on an error nothing is left open.
 */
#ifndef GN_IO_LISTEN_H
#define GN_IO_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * A listening descriptor, non-blocking and close-on-exec, for an IPv4 or IPv6 address (else -EAFNOSUPPORT; -EINVAL
 * for a `length` that is too short for the family).
 *
 * - SO_REUSEADDR is always set, so that connections that linger in TIME_WAIT keep nobody from listening again.
 * - An IPv6 socket takes IPv6 connections only (IPV6_V6ONLY), whatever the system's default is, so that a concrete
 *   address means itself; but the wildcard :: takes IPv4 connections, too: "every address" means every one. Their
 *   addresses are IPv4-mapped (::ffff:a.b.c.d).
 * - `reuse_port`: SO_REUSEPORT, so that each loop can have its own socket for the port. Any process of the same user
 *   may then join in, and take a part of the connections unseen. With `probe` it is first tried whether the port can
 *   be had without: a port that anybody listens on is -EADDRINUSE. Probe for a server's first socket, not for the
 *   later ones. Between the probe and the socket there is a gap in which another process may come; it is as long as
 *   two system calls. `probe` changes nothing without `reuse_port` or with port 0.
 * - `backlog` is cut by the kernel to net.core.somaxconn.
 */
int gn_listen_open(const struct sockaddr *address, socklen_t length, int backlog, bool reuse_port, bool probe);

/* The address that the socket is bound to: with port 0, the port that the kernel chose. 0 or a negative errno. */
int gn_listen_address(int descriptor, struct sockaddr_storage *address);

/* Sets what every connection needs: TCP_NODELAY, since what is written together leaves in one send. 0 or a negative
   errno. */
int gn_socket_prepare(int descriptor);

/* Makes a socket that somebody else connected what accepted ones are: non-blocking, close-on-exec, TCP_NODELAY where it
   is TCP. 0 or a negative errno: -EPROTOTYPE where it is no stream socket, -ENOTCONN where it is not connected, and what
   the kernel says where it is no socket. It is changed only once it has passed these checks. */
int gn_socket_adopt(int descriptor);

/* The peer's address. 0 or a negative errno: -ENOTCONN when it has already reset. */
int gn_socket_peer(int descriptor, struct sockaddr_storage *address);

/* Closes a connection by RST: no FIN to wait for, no orphan, no TIME_WAIT. */
void gn_socket_refuse(int descriptor);

/*
 * Both addresses of a connection. 0, or the first negative errno: -ENOTCONN for `remote` when the peer has already
 * reset. What could not be found out has the family AF_UNSPEC.
 */
int gn_socket_addresses(int descriptor, struct sockaddr_storage *remote, struct sockaddr_storage *local);

/* Bytes that were sent and that the peer's host has not acknowledged (of a Unix socket: the memory that what the peer has not
   read takes up), or a negative errno. */
int64_t gn_socket_unsent(int descriptor);

#endif
