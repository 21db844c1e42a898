/*
 * The epoll backend: see io.h for the contract. A connection is registered once, edge-triggered, for everything;
 * what the edges said is remembered in its flags, so that a request costs one wait, one receive and one send.
 *
 * - READABLE: a receive may find something. Set by an edge; cleared by a receive that was short, since what comes
 *   after it makes a new edge. ENDED: the peer's end or an error was announced, perhaps behind bytes that are still
 *   to be received: no further edge comes, so a short receive does not clear READABLE then.
 * - On the list `ready` are the sockets that are READABLE and ON. Each turn serves each of them with one receive;
 *   while one is on the list turns do not wait. Turning receiving off and on moves a socket off and on the list,
 *   and nothing else.
 * - A send is tried at once. Only the kernel's refusal makes it wait, for the next edge with EPOLLOUT, which is
 *   reported as -EAGAIN; a spurious edge costs one more try.
 * - An end or an error that comes while receiving is off is reported when it is turned on, or by the next send.
 * - Closing closes the descriptor at once and frees the slot; events that were fetched before find another
 *   generation.
 * - A failed attach or drain changes nothing: the descriptor stays the caller's, accepting stays on or off.
 */
#include "io/io.h"
#include "io/listen.h"
#include "io/socket_calls.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/time_types.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// glibc has a function for it since 2.35 only.
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

#define EVENTS_PER_TURN 256
#define ACCEPTS_PER_TURN 64u
#define DRAIN_MAX 65536u
#define WAKE_EVENT UINT64_MAX
#define DEFAULT_BUFFER_BYTES 8192u
#define BUFFER_FACTOR 8u
#define NANOSECONDS_PER_MILLISECOND UINT64_C(1000000)
#define NANOSECONDS_PER_SECOND UINT64_C(1000000000)

enum {
    OPEN = 1,
    CLOSING = 2,
    ON = 4,       // receiving or accepting
    READABLE = 8, // a receive may find something
    ENDED = 16,   // the peer's end or an error stands behind the bytes, and no edge will tell again
    SENDING = 32  // a send waits for EPOLLOUT
};

struct epoll {
    struct gn_io io;
    struct gn_memory *memory;
    struct gn_io_faults *faults;
    int descriptor;
    bool has_pwait2;
    struct gn_slots table;
    struct gn_list ready;   // readable and receiving
    struct gn_list serving; // those of `ready` that this turn still has to serve
    struct gn_list closing;
    uint8_t *buffer;
    size_t buffer_bytes;
};

static struct epoll *epoll_of(struct gn_io *io)
{
    return (struct epoll *)(void *)io;
}

static uint64_t event_of(const struct gn_io_socket *socket)
{
    return (uint64_t)socket->generation << 32 | socket->slot;
}

static bool is_set(const struct gn_io_socket *socket, uint16_t flags)
{
    return (socket->state & flags) == flags;
}

static void set(struct gn_io_socket *socket, uint16_t flags)
{
    socket->state |= flags;
}

static void clear(struct gn_io_socket *socket, uint16_t flags)
{
    socket->state = (uint16_t)(socket->state & ~flags);
}

/* ---- the life of an io ---- */

static int epoll_open(struct gn_io **io, const struct gn_io_config *config, const struct gn_io_handler *handler,
                      void *owner, const char **detail)
{
    *detail = "memory";
    struct epoll *epoll = gn_memory_allocate(config->memory, sizeof *epoll);
    if (epoll == NULL)
        return -ENOMEM;
    epoll->io = (struct gn_io){&gn_io_epoll, handler, owner};
    epoll->memory = config->memory;
    epoll->faults = config->faults;
    gn_list_start(&epoll->ready);
    gn_list_start(&epoll->serving);
    gn_list_start(&epoll->closing);
    gn_slots_start(&epoll->table, config->memory, GN_IO_SOCKETS_MAX);

    int result = -ENOMEM;
    uint32_t unit = config->receive_buffer_bytes != 0 ? config->receive_buffer_bytes : DEFAULT_BUFFER_BYTES;
    epoll->buffer_bytes = (size_t)unit * BUFFER_FACTOR;
    epoll->buffer = gn_memory_allocate(config->memory, epoll->buffer_bytes);
    if (epoll->buffer == NULL)
        goto without_buffer;

    *detail = "epoll_create1";
    result = -gn_io_fault(config->faults, GN_IO_OP_SETUP);
    if (result != 0)
        goto without_epoll;
    epoll->descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (epoll->descriptor < 0) {
        result = -errno;
        goto without_epoll;
    }
    struct epoll_event event;
    struct __kernel_timespec no_time = {0, 0};
    epoll->has_pwait2 = syscall(SYS_epoll_pwait2, epoll->descriptor, &event, 1, &no_time, NULL, 0) == 0;

    if (config->wake_descriptor >= 0) {
        // Every write to an eventfd is an edge, so that its count need never be read.
        *detail = "epoll_ctl of the wake descriptor";
        event = (struct epoll_event){.events = EPOLLIN | EPOLLET, .data.u64 = WAKE_EVENT};
        if (epoll_ctl(epoll->descriptor, EPOLL_CTL_ADD, config->wake_descriptor, &event) < 0) {
            result = -errno;
            close(epoll->descriptor);
            goto without_epoll;
        }
    }
    *detail = NULL;
    *io = &epoll->io;
    return 0;

without_epoll:
    gn_memory_free(config->memory, epoll->buffer, epoll->buffer_bytes);
without_buffer:
    gn_memory_free(config->memory, epoll, sizeof *epoll);
    return result;
}

static unsigned report_closed(struct epoll *epoll)
{
    struct gn_list due;
    gn_list_start(&due);
    gn_list_move(&due, &epoll->closing);
    struct gn_list *link;
    unsigned count = 0;
    for (; (link = gn_list_take(&due)) != NULL; count++) {
        struct gn_io_socket *socket = gn_list_owner(link, struct gn_io_socket, link);
        socket->state = 0;
        socket->descriptor = -1;
        epoll->io.handler->closed(epoll->io.owner, socket);
    }
    return count;
}

static void epoll_close(struct gn_io *io, struct gn_io_socket *socket, bool reset)
{
    struct epoll *epoll = epoll_of(io);
    if (socket->descriptor < 0 || !is_set(socket, OPEN))
        return;
    if (reset) {
        // Should it fail, the peer gets a FIN instead of a RST: nothing better can be done.
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(socket->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    // A process that is being forked may hold a copy of the descriptor, and a registration lives as long as any copy. A
    // connection's edges then find nobody; a listener's level would keep every turn from waiting.
    if (socket->listener && is_set(socket, ON))
        (void)epoll_ctl(epoll->descriptor, EPOLL_CTL_DEL, socket->descriptor, NULL);
    // Linux frees the number whatever close returns, EINTR included.
    (void)close(socket->descriptor);
    gn_slots_free(&epoll->table, socket->slot);
    socket->state = CLOSING;
    gn_list_remove(&socket->link);
    gn_list_append(&epoll->closing, &socket->link);
}

static int epoll_stop(struct gn_io *io, uint64_t wait)
{
    (void)wait;
    struct epoll *epoll = epoll_of(io);
    do {
        for (uint32_t slot = 0; slot < epoll->table.capacity; slot++) {
            struct gn_io_socket *socket = epoll->table.slots[slot].owner;
            if (socket != NULL)
                epoll_close(io, socket, false);
        }
    } while (report_closed(epoll) > 0);
    return 0;
}

static void epoll_free(struct gn_io *io)
{
    struct epoll *epoll = epoll_of(io);
    (void)close(epoll->descriptor);
    gn_slots_end(&epoll->table);
    gn_memory_free(epoll->memory, epoll->buffer, epoll->buffer_bytes);
    gn_memory_free(epoll->memory, epoll, sizeof *epoll);
}

/* ---- sockets ---- */

static int epoll_attach(struct gn_io *io, struct gn_io_socket *socket, int descriptor)
{
    struct epoll *epoll = epoll_of(io);
    int error = gn_io_fault(epoll->faults, GN_IO_OP_ATTACH);
    if (error != 0)
        return -error;
    if (socket->listener) {
        // Neither a turn nor a drain may wait in accept4.
        int flags = fcntl(descriptor, F_GETFL);
        if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0))
            return -errno;
    }
    int result = gn_slots_take(&epoll->table, socket, &socket->slot, &socket->generation);
    if (result < 0)
        return result;
    // A listener is registered while it accepts.
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.u64 = event_of(socket),
    };
    if (!socket->listener && epoll_ctl(epoll->descriptor, EPOLL_CTL_ADD, descriptor, &event) < 0) {
        result = -errno;
        gn_slots_free(&epoll->table, socket->slot);
        return result;
    }
    socket->descriptor = descriptor;
    socket->operations = 0;
    socket->state = OPEN;
    gn_list_start(&socket->link);
    return 0;
}

static int epoll_accept(struct gn_io *io, struct gn_io_socket *listener, bool on)
{
    struct epoll *epoll = epoll_of(io);
    if (!listener->listener || !is_set(listener, OPEN))
        return -EBADF;
    if (is_set(listener, ON) == on)
        return 0;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = event_of(listener)};
    if (epoll_ctl(epoll->descriptor, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener->descriptor, &event) < 0)
        return -errno;
    if (on)
        set(listener, ON);
    else
        clear(listener, ON);
    return 0;
}

// One accept: a descriptor, or the negative errno.
static int accept_one(struct epoll *epoll, const struct gn_io_socket *listener)
{
    int error = gn_io_fault(epoll->faults, GN_IO_OP_ACCEPT);
    if (error != 0)
        return -error;
    int descriptor;
    do
        descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    return descriptor >= 0 ? descriptor : -errno;
}

static void take_connections(struct epoll *epoll, struct gn_io_socket *listener)
{
    for (unsigned i = 0; i < ACCEPTS_PER_TURN && is_set(listener, OPEN | ON); i++) {
        int result = accept_one(epoll, listener);
        if (result == -EAGAIN)
            return;
        // Level-triggered: still registered, a listener that cannot accept would end every wait at once.
        if (result < 0)
            (void)epoll_accept(&epoll->io, listener, false);
        epoll->io.handler->accepted(epoll->io.owner, listener, result);
    }
}

static int epoll_drain(struct gn_io *io, struct gn_io_socket *listener, uint32_t most)
{
    struct epoll *epoll = epoll_of(io);
    if (!listener->listener || !is_set(listener, OPEN))
        return -EBADF;
    for (unsigned i = 0; i < (most == 0 ? DRAIN_MAX : most) && is_set(listener, OPEN); i++) {
        int result = accept_one(epoll, listener);
        if (result == -EAGAIN)
            return 0;
        if (result == -ECONNABORTED)
            continue;
        if (result < 0)
            return result;
        io->handler->accepted(io->owner, listener, result);
    }
    return 0;
}

static int epoll_receive(struct gn_io *io, struct gn_io_socket *socket, bool on)
{
    struct epoll *epoll = epoll_of(io);
    if (socket->listener || !is_set(socket, OPEN))
        return -EBADF;
    if (!on) {
        clear(socket, ON);
        gn_list_remove(&socket->link);
    } else if (!is_set(socket, ON)) {
        set(socket, ON);
        if (is_set(socket, READABLE))
            gn_list_append(&epoll->ready, &socket->link);
    }
    return 0;
}

// Shortens the parts to `length` bytes; the number of parts left.
static unsigned cut_parts(struct iovec *cut, const struct iovec *parts, unsigned count, size_t length)
{
    unsigned used = 0;
    for (; used < count && length > 0; used++) {
        cut[used] = parts[used];
        if (cut[used].iov_len > length)
            cut[used].iov_len = length;
        length -= cut[used].iov_len;
    }
    return used;
}

static ssize_t epoll_send(struct gn_io *io, struct gn_io_socket *socket, const struct iovec *parts, unsigned count)
{
    struct epoll *epoll = epoll_of(io);
    if (socket->listener || !is_set(socket, OPEN))
        return -EBADF;
    if (is_set(socket, SENDING))
        return -EALREADY;
    if (count == 0 || count > GN_IO_SEND_PARTS)
        return -EINVAL;
    struct iovec cut[GN_IO_SEND_PARTS];
    if (__builtin_expect(epoll->faults != NULL, 0)) {
        int error = gn_io_fault(epoll->faults, GN_IO_OP_SEND);
        if (error == EAGAIN) {
            // The socket is writable all along: a modification makes the edge that will not come by itself.
            struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.u64 = event_of(socket)}};
            if (epoll_ctl(epoll->descriptor, EPOLL_CTL_MOD, socket->descriptor, &event) < 0)
                return -errno;
            set(socket, SENDING);
            return -EINPROGRESS;
        }
        if (error != 0)
            return error == GN_IO_FAULT_NOTHING_SENT ? -EPIPE : -error;
        if (epoll->faults->short_length > 0) {
            count = cut_parts(cut, parts, count, epoll->faults->short_length);
            parts = cut;
        }
    }

    ssize_t result;
    do {
        if (count == 1) {
            result = gn_socket_send(socket->descriptor, parts->iov_base, parts->iov_len);
        } else {
            struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = count};
            result = sendmsg(socket->descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    } while (result < 0 && errno == EINTR);
    if (result > 0)
        return result;
    if (result == 0) {
        size_t total = 0;
        for (unsigned i = 0; i < count; i++)
            total += parts[i].iov_len;
        return total == 0 ? -EINVAL : -EPIPE;
    }
    if (errno != EAGAIN)
        return -errno;
    set(socket, SENDING);
    return -EINPROGRESS;
}

static int64_t epoll_unsent(struct gn_io *io, struct gn_io_socket *socket)
{
    (void)io;
    if (socket->listener || !(socket->state & OPEN))
        return -EBADF;
    return gn_socket_unsent(socket->descriptor);
}

static int epoll_shut_down(struct gn_io *io, struct gn_io_socket *socket)
{
    struct epoll *epoll = epoll_of(io);
    if (socket->listener || !is_set(socket, OPEN))
        return -EBADF;
    if (is_set(socket, SENDING))
        return -EALREADY;
    int error = gn_io_fault(epoll->faults, GN_IO_OP_SHUT_DOWN);
    if (error != 0)
        return -error;
    return shutdown(socket->descriptor, SHUT_WR) < 0 ? -errno : 0;
}

/* ---- a turn ---- */

// One receive, and what it gave.
static void serve(struct epoll *epoll, struct gn_io_socket *socket)
{
    size_t length = epoll->buffer_bytes;
    ssize_t result = 0;
    if (__builtin_expect(epoll->faults != NULL, 0)) {
        if (epoll->faults->short_length > 0 && epoll->faults->short_length < length)
            length = epoll->faults->short_length;
        result = -gn_io_fault(epoll->faults, GN_IO_OP_RECEIVE);
        if (result == -EAGAIN || result == -EINTR) {
            // Nothing was read, so no edge will come: try again in the next turn.
            gn_list_append(&epoll->ready, &socket->link);
            return;
        }
    }
    if (result == 0) {
        do
            result = gn_socket_receive(socket->descriptor, epoll->buffer, length);
        while (result < 0 && errno == EINTR);
        if (result < 0)
            result = -errno;
        if (result == -EAGAIN) {
            clear(socket, READABLE | ENDED);
            return;
        }
    }
    if (result <= 0)
        clear(socket, ON);
    else if ((size_t)result < length && !is_set(socket, ENDED))
        clear(socket, READABLE);
    // The callback sees the socket as it is from now on, and may turn receiving off and on.
    if (is_set(socket, ON | READABLE))
        gn_list_append(&epoll->ready, &socket->link);
    epoll->io.handler->received(epoll->io.owner, socket, result > 0 ? epoll->buffer : NULL, result);
}

static void take_event(struct epoll *epoll, struct gn_io_socket *socket, uint32_t events)
{
    if (socket->listener) {
        take_connections(epoll, socket);
        return;
    }
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        set(socket, READABLE | ENDED);
    if (events & EPOLLIN)
        set(socket, READABLE);
    if (is_set(socket, ON | READABLE) && gn_list_empty(&socket->link))
        gn_list_append(&epoll->ready, &socket->link);
    if (is_set(socket, SENDING) && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))) {
        clear(socket, SENDING);
        epoll->io.handler->sent(epoll->io.owner, socket, -EAGAIN);
    }
}

static int wait_for_events(struct epoll *epoll, struct epoll_event *events, uint64_t wait)
{
    long count;
    int error = gn_io_fault(epoll->faults, GN_IO_OP_WAIT);
    if (error != 0) {
        errno = error;
        count = -1;
    } else if (wait != 0 && epoll->has_pwait2) {
        struct __kernel_timespec time = {
            .tv_sec = (int64_t)(wait / NANOSECONDS_PER_SECOND),
            .tv_nsec = (int64_t)(wait % NANOSECONDS_PER_SECOND),
        };
        count = syscall(SYS_epoll_pwait2, epoll->descriptor, events, EVENTS_PER_TURN,
                        wait == GN_IO_WAIT_FOREVER ? NULL : &time, NULL, 0);
    } else {
        int milliseconds = -1;
        if (wait != GN_IO_WAIT_FOREVER) {
            uint64_t rounded = wait / NANOSECONDS_PER_MILLISECOND + (wait % NANOSECONDS_PER_MILLISECOND != 0);
            milliseconds = rounded > INT_MAX ? INT_MAX : (int)rounded;
        }
        count = epoll_wait(epoll->descriptor, events, EVENTS_PER_TURN, milliseconds);
    }
    if (count < 0)
        return errno == EINTR ? 0 : -errno;
    return (int)count;
}

static int epoll_turn(struct gn_io *io, uint64_t wait)
{
    struct epoll *epoll = epoll_of(io);
    struct epoll_event events[EVENTS_PER_TURN];
    bool idle = gn_list_empty(&epoll->ready) && gn_list_empty(&epoll->closing);
    int count = wait_for_events(epoll, events, idle ? wait : 0);
    if (count < 0)
        return count;

    (void)report_closed(epoll);
    int woken = 0;
    for (int i = 0; i < count; i++) {
        uint64_t event = events[i].data.u64;
        if (event == WAKE_EVENT) {
            woken = 1;
            continue;
        }
        struct gn_io_socket *socket = gn_slots_find(&epoll->table, (uint32_t)event, (uint32_t)(event >> 32));
        if (socket != NULL)
            take_event(epoll, socket, events[i].events);
    }

    gn_list_move(&epoll->serving, &epoll->ready);
    struct gn_list *link;
    while ((link = gn_list_take(&epoll->serving)) != NULL)
        serve(epoll, gn_list_owner(link, struct gn_io_socket, link));
    return woken;
}

static uint64_t epoll_now(struct gn_io *io)
{
    (void)io;
    struct timespec time = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &time); // fails for no clock that every kernel has
    return (uint64_t)time.tv_sec * NANOSECONDS_PER_SECOND + (uint64_t)time.tv_nsec;
}

const struct gn_io_operations gn_io_epoll = {
    .name = "epoll",
    .open = epoll_open,
    .stop = epoll_stop,
    .free = epoll_free,
    .attach = epoll_attach,
    .accept = epoll_accept,
    .drain = epoll_drain,
    .receive = epoll_receive,
    .send = epoll_send,
    .unsent = epoll_unsent,
    .shut_down = epoll_shut_down,
    .close = epoll_close,
    .turn = epoll_turn,
    .now = epoll_now,
};
