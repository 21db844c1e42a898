/*
 * System calls and allocations of the core that fail when a test orders it, on every backend: the program is linked
 * with --wrap for each of them (CMakeLists.txt), so what is tested is what is shipped. Only what gn_loop_poll calls fails, or what is called between
 * failing_arm and failing_disarm: nothing that the test does itself.
 */
#ifndef GN_TEST_LOOP_FAILING_CALLS_H
#define GN_TEST_LOOP_FAILING_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/uring_kernel.h"
#include "loop/loop.h"

enum failing_call {
    CALL_NONE,
    CALL_ALLOCATE,
    CALL_ACCEPT,
    CALL_ADDRESS, /* getsockname, getpeername */
    CALL_CLOSE,   /* closes and fails, as Linux does */
    CALL_EPOLL_CREATE,
    CALL_EPOLL_REGISTER,
    CALL_FLAGS, /* fcntl */
    CALL_MAP,
    CALL_OPTION, /* setsockopt */
    CALL_RECEIVE,
    CALL_RING_ENTER,
    CALL_RING_REGISTER,
    CALL_RING_SETUP,
    CALL_SEND,
    CALL_SHUT_DOWN,
};

/* What is ordered: the call with number `countdown`, from 0, fails with `error` (0: it returns 0), and with `lasting`
   all later ones. */
struct failing {
    enum failing_call call;
    int error;
    bool lasting;
    uint32_t countdown;
    uint32_t failed; /* how many did */
    bool armed;
};

static struct failing failing;

static inline void failing_order(enum failing_call call, int error, uint32_t countdown, bool lasting)
{
    failing = (struct failing){.call = call, .error = error, .lasting = lasting, .countdown = countdown};
}

static inline void failing_arm(void)
{
    failing.armed = true;
}

static inline void failing_disarm(void)
{
    failing.armed = false;
}

static inline bool failing_now(enum failing_call call)
{
    if (!failing.armed || failing.call != call || (failing.failed > 0 && !failing.lasting))
        return false;
    if (failing.countdown > 0) {
        failing.countdown--;
        return false;
    }
    failing.failed++;
    errno = failing.error;
    return true;
}

static inline int failing_result(void)
{
    return failing.error == 0 ? 0 : -1;
}

/* RESULT NAME(PARAMETERS), called as NAME(ARGUMENTS); `otherwise` is what it returns when it fails. */
#define FAILING(result, name, parameters, arguments, call, otherwise)                                                  \
    result __real_##name parameters;                                                                                   \
    result __wrap_##name parameters;                                                                                   \
    result __wrap_##name parameters                                                                                    \
    {                                                                                                                  \
        return failing_now(call) ? (otherwise) : __real_##name arguments;                                              \
    }

FAILING(void *, calloc, (size_t count, size_t size), (count, size), CALL_ALLOCATE, NULL)
FAILING(int, accept4, (int descriptor, struct sockaddr *address, socklen_t *length, int flags),
        (descriptor, address, length, flags), CALL_ACCEPT, -1)
FAILING(int, getsockname, (int descriptor, struct sockaddr *address, socklen_t *length), (descriptor, address, length),
        CALL_ADDRESS, -1)
FAILING(int, getpeername, (int descriptor, struct sockaddr *address, socklen_t *length), (descriptor, address, length),
        CALL_ADDRESS, -1)
FAILING(int, epoll_create1, (int flags), (flags), CALL_EPOLL_CREATE, -1)
FAILING(int, epoll_ctl, (int epoll, int operation, int descriptor, struct epoll_event *event),
        (epoll, operation, descriptor, event), CALL_EPOLL_REGISTER, -1)
FAILING(void *, mmap, (void *at, size_t length, int protection, int flags, int descriptor, off_t offset),
        (at, length, protection, flags, descriptor, offset), CALL_MAP, MAP_FAILED)
FAILING(int, setsockopt, (int descriptor, int level, int option, const void *value, socklen_t length),
        (descriptor, level, option, value, length), CALL_OPTION, -1)
FAILING(ssize_t, gn_socket_receive, (int descriptor, void *bytes, size_t length), (descriptor, bytes, length),
        CALL_RECEIVE, failing_result())
FAILING(ssize_t, gn_socket_send, (int descriptor, const void *bytes, size_t length), (descriptor, bytes, length),
        CALL_SEND, failing_result())
FAILING(ssize_t, sendmsg, (int descriptor, const struct msghdr *message, int flags), (descriptor, message, flags),
        CALL_SEND, failing_result())
FAILING(int, shutdown, (int descriptor, int how), (descriptor, how), CALL_SHUT_DOWN, -1)
FAILING(int, gn_uring_kernel_setup, (unsigned entries, struct io_uring_params *parameters), (entries, parameters),
        CALL_RING_SETUP, -failing.error)
FAILING(int, gn_uring_kernel_register, (int descriptor, unsigned operation, void *argument, unsigned count),
        (descriptor, operation, argument, count), CALL_RING_REGISTER, -failing.error)
FAILING(int, gn_uring_kernel_enter,
        (int descriptor, unsigned submit, unsigned complete, unsigned flags, const void *argument, size_t size),
        (descriptor, submit, complete, flags, argument, size), CALL_RING_ENTER, -failing.error)

int64_t __real_gn_loop_poll(struct gn_loop *loop, uint32_t count, uint32_t head, uint64_t wait);
int64_t __wrap_gn_loop_poll(struct gn_loop *loop, uint32_t count, uint32_t head, uint64_t wait);
int64_t __wrap_gn_loop_poll(struct gn_loop *loop, uint32_t count, uint32_t head, uint64_t wait)
{
    failing_arm();
    int64_t events = __real_gn_loop_poll(loop, count, head, wait);
    failing_disarm();
    return events;
}

int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __wrap_close(int descriptor)
{
    int result = __real_close(descriptor);
    return failing_now(CALL_CLOSE) ? -1 : result;
}

int __real_fcntl(int descriptor, int operation, ...);
int __wrap_fcntl(int descriptor, int operation, ...);
int __wrap_fcntl(int descriptor, int operation, ...)
{
    va_list arguments;
    va_start(arguments, operation);
    long argument = operation == F_GETFL ? 0 : va_arg(arguments, int);
    va_end(arguments);
    return failing_now(CALL_FLAGS) ? -1 : __real_fcntl(descriptor, operation, argument);
}

#endif
