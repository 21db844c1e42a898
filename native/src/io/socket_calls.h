/*
 * Receiving and sending without libc's thread cancellation: recv() and send() switch it on and off around the call, which
 * is 1.5 % of a pipelined load's CPU time, and no thread of Gannet is ever cancelled.
 */
#ifndef GN_IO_SOCKET_CALLS_H
#define GN_IO_SOCKET_CALLS_H

#include <stddef.h>
#include <sys/types.h>

/* As recv() with MSG_DONTWAIT: the bytes received, 0 at the end, or -1 and errno. */
ssize_t gn_socket_receive(int descriptor, void *bytes, size_t length);

/* As send() with MSG_DONTWAIT and MSG_NOSIGNAL: the bytes sent, or -1 and errno. */
ssize_t gn_socket_send(int descriptor, const void *bytes, size_t length);

#endif
