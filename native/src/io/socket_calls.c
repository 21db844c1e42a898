#include "io/socket_calls.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t gn_socket_receive(int descriptor, void *bytes, size_t length)
{
    return syscall(SYS_recvfrom, descriptor, bytes, length, MSG_DONTWAIT, NULL, NULL);
}

ssize_t gn_socket_send(int descriptor, const void *bytes, size_t length)
{
    return syscall(SYS_sendto, descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}
