/*
 * The io_uring backend: what each socket has going on in the kernel. See io.h for the contract.
 *
 * Receiving (and accepting, for a listener) is what is wanted against what the kernel has. Callers only change what is
 * wanted and put the socket on the list `changed`; the beginning of the next turn settles the difference, so that
 * turning receiving off and on within a turn costs nothing:
 *
 *                      wanted                        not wanted                    closing
 *     idle             arm, -> armed                 -                             -
 *     armed            -                             cancel, -> cancelling         cancel, -> cancelling
 *     cancelling       wait for the last completion  wait                          wait
 *
 * The last completion of the multishot (without IORING_CQE_F_MORE, for whatever reason) makes it idle, and the socket
 * is settled again. A cancel that found nothing (-ENOENT: the operation was between two of the kernel's queues) makes
 * `cancelling` armed again, and the cancel is repeated. At most one multishot is in the kernel for a socket, and
 * entries are taken in order, so a cancel never meets a later one of the same name. Without a buffer (-ENOBUFS) the
 * idle socket goes to the list `starved`, from whose front as many as there are buffers are armed in each turn.
 *
 * Closing queues, in this order, the cancels and IORING_OP_CLOSE: a send queued before still gets its try, no entry can
 * name a descriptor number that is in use again, and the file goes, with its FIN or RST, in the same system call, since
 * the cancelled operations let go of it there. The socket is `closed` when its count of operations is 0.
 *
 * Where io.h leaves it open: what the kernel accepted before accept(off) took hold is still `accepted`, unless the
 * listener is closing, when it is closed (drain delivers it before that). A descriptor stays the caller's when attach
 * fails. A call for a socket that is not open is -EBADF, a send during a send -EALREADY. The count of the wake
 * descriptor is not read.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/io.h"
#include "io/io_uring_buffers.h"
#include "io/io_uring_ring.h"
#include "io/listen.h"

#define COMPLETIONS_PER_TURN 1024
#define MESSAGES 64
#define NO_LIMIT UINT32_MAX

// The defaults of struct gn_io_config.
#define SUBMISSIONS 1024
#define COMPLETIONS 8192
#define BUFFERS 256
#define BUFFER_BYTES 8192

// gn_io_socket.state
enum {
    WANTED = 1,           // receiving or accepting is on
    ARMED = 2,            // its multishot is in the kernel
    CANCELLING = 4,       // and a cancel of it
    SENDING = 8,          // a send is in the kernel
    SEND_CANCELLING = 16, // and a cancel of it
    CLOSING = 32,
    CLOSE_QUEUED = 64,
    RECEIVE_FAULT = 128, // a test's failure: of the multishot, of the send in the kernel
    SEND_FAULT = 256,
};

// What a completion is of: a part of its user_data.
enum operation {
    OPERATION_RECEIVE,
    OPERATION_ACCEPT,
    OPERATION_SEND,
    OPERATION_CANCEL_RECEIVE, // or accept
    OPERATION_CANCEL_SEND,
    OPERATION_CLOSE,
    OPERATION_WAKE,
    OPERATION_CANCEL_WAKE,
};

// Read by the kernel when the send is handed over, not later (IORING_FEAT_SUBMIT_STABLE).
struct message {
    struct msghdr header;
    struct iovec parts[GN_IO_SEND_PARTS];
};

struct uring_io {
    struct gn_io io;
    struct gn_memory *memory;
    struct gn_io_faults *faults;
    struct gn_uring ring;
    struct gn_uring_buffers buffers;
    struct gn_slots sockets;
    struct gn_list changed;
    struct gn_list starved;
    int wake_descriptor;
    bool wake_armed;
    bool wake_cancelling;
    bool woken;
    bool stopping;
    int failure; // a negative errno that ends the loop
    // A connection whose accept a test made fail: as in a real failure it is not lost; the next accept(on) brings it.
    int held;
    struct gn_io_socket *held_listener;
    int receive_fault, send_fault; // what a completion of a socket with such a fault says instead
    uint32_t messages_used;
    struct message messages[MESSAGES];
};

static struct uring_io *uring_of(struct gn_io *io)
{
    return (struct uring_io *)io;
}

static uint64_t name_of(const struct gn_io_socket *socket, enum operation operation)
{
    return (uint64_t)socket->generation << 32 | (uint64_t)operation << 24 | socket->slot;
}

static void set_state(struct gn_io_socket *socket, int on, int off)
{
    socket->state = (uint16_t)((socket->state | on) & ~off);
}

// ---- queueing operations: false when the kernel takes no more entries ----

static bool queue_cancel(struct uring_io *uring, uint64_t target, uint64_t name)
{
    struct io_uring_sqe *entry = gn_uring_next(&uring->ring);
    if (entry == NULL)
        return false;
    entry->opcode = IORING_OP_ASYNC_CANCEL;
    entry->fd = -1;
    entry->addr = target;
    entry->user_data = name;
    return true;
}

static bool queue_close(struct uring_io *uring, struct gn_io_socket *socket)
{
    struct io_uring_sqe *entry = gn_uring_next(&uring->ring);
    if (entry == NULL)
        return false;
    entry->opcode = IORING_OP_CLOSE;
    entry->fd = socket->descriptor;
    entry->user_data = name_of(socket, OPERATION_CLOSE);
    socket->operations++;
    return true;
}

// What the kernel reports of a multishot receive that merely has to be started again.
static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ENOBUFS;
}

// The failure that a test ordered of receives, if it comes at the start (`starting`) or with bytes, which it then costs.
static int receive_fault(struct gn_io_faults *faults, bool starting)
{
    if (__builtin_expect(faults == NULL, 1) || is_passing(faults->error[GN_IO_OP_RECEIVE]) != starting)
        return 0;
    return gn_io_fault(faults, GN_IO_OP_RECEIVE);
}

static bool queue_multishot(struct uring_io *uring, struct gn_io_socket *socket)
{
    struct io_uring_sqe *entry = gn_uring_next(&uring->ring);
    if (entry == NULL)
        return false;
    entry->fd = socket->descriptor;
    int fault = socket->listener ? 0 : receive_fault(uring->faults, true);
    if (fault != 0) {
        entry->fd = -1;
        uring->receive_fault = fault;
        set_state(socket, RECEIVE_FAULT, 0);
    }
    if (socket->listener) {
        entry->opcode = IORING_OP_ACCEPT;
        entry->ioprio = IORING_ACCEPT_MULTISHOT;
        entry->accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
        entry->user_data = name_of(socket, OPERATION_ACCEPT);
    } else {
        entry->opcode = IORING_OP_RECV;
        entry->ioprio = IORING_RECV_MULTISHOT;
        entry->flags = IOSQE_BUFFER_SELECT; // of group 0
        entry->user_data = name_of(socket, OPERATION_RECEIVE);
    }
    socket->operations++;
    set_state(socket, ARMED, 0);
    return true;
}

static bool queue_wake(struct uring_io *uring)
{
    struct io_uring_sqe *entry = gn_uring_next(&uring->ring);
    if (entry == NULL)
        return false;
    // Each write to an eventfd reports anew, so its count need not be read.
    entry->opcode = IORING_OP_POLL_ADD;
    entry->fd = uring->wake_descriptor;
    entry->len = IORING_POLL_ADD_MULTI;
    entry->poll32_events = POLLIN;
    entry->user_data = (uint64_t)OPERATION_WAKE << 24;
    uring->wake_armed = true;
    return true;
}

// ---- settling what is wanted with what the kernel has ----

static void change(struct uring_io *uring, struct gn_io_socket *socket)
{
    gn_list_remove(&socket->link);
    gn_list_append(&uring->changed, &socket->link);
}

static bool cancel_receive(struct uring_io *uring, struct gn_io_socket *socket)
{
    uint64_t target = name_of(socket, socket->listener ? OPERATION_ACCEPT : OPERATION_RECEIVE);
    if (!queue_cancel(uring, target, name_of(socket, OPERATION_CANCEL_RECEIVE)))
        return false;
    socket->operations++;
    set_state(socket, CANCELLING, 0);
    return true;
}

static bool cancel_send(struct uring_io *uring, struct gn_io_socket *socket)
{
    if (!queue_cancel(uring, name_of(socket, OPERATION_SEND), name_of(socket, OPERATION_CANCEL_SEND)))
        return false;
    socket->operations++;
    set_state(socket, SEND_CANCELLING, 0);
    return true;
}

static bool settle(struct uring_io *uring, struct gn_io_socket *socket)
{
    if ((socket->state & (WANTED | ARMED | CANCELLING)) == ARMED && !cancel_receive(uring, socket))
        return false;
    if ((socket->state & (WANTED | ARMED)) == WANTED && !queue_multishot(uring, socket))
        return false;
    if ((socket->state & CLOSING) == 0)
        return true;
    if ((socket->state & (SENDING | SEND_CANCELLING)) == SENDING && !cancel_send(uring, socket))
        return false;
    if ((socket->state & CLOSE_QUEUED) == 0) {
        if (!queue_close(uring, socket))
            return false;
        set_state(socket, CLOSE_QUEUED, 0);
    }
    return true;
}

static void settle_list(struct uring_io *uring, struct gn_list *list, uint32_t limit)
{
    struct gn_list *link;
    for (uint32_t settled = 0; settled < limit && (link = gn_list_take(list)) != NULL; settled++) {
        if (!settle(uring, gn_list_owner(link, struct gn_io_socket, link))) {
            gn_list_append(list, link);
            return;
        }
    }
}

// ---- completions ----

static void drop_held(struct uring_io *uring)
{
    (void)close(uring->held);
    uring->held_listener = NULL;
}

static void finish_if_done(struct uring_io *uring, struct gn_io_socket *socket)
{
    if ((socket->state & CLOSE_QUEUED) == 0 || socket->operations > 0)
        return;
    gn_list_remove(&socket->link);
    gn_slots_free(&uring->sockets, socket->slot);
    socket->descriptor = -1;
    socket->state = 0;
    if (uring->held_listener == socket)
        drop_held(uring);
    uring->io.handler->closed(uring->io.owner, socket);
}

// Whether the operation ended for no reason of the peer's or the system's: it starts again if it is still wanted.
static bool ended_idly(int result)
{
    return result == -ECANCELED || result == -EINTR || result == -EAGAIN;
}

// One completion of a multishot fewer, or the last.
static void count_multishot(struct gn_io_socket *socket, uint32_t flags)
{
    if ((flags & IORING_CQE_F_MORE) != 0)
        return;
    socket->operations--;
    set_state(socket, 0, ARMED | CANCELLING);
}

// After a multishot's completion was delivered: the callback may have changed everything.
static void settle_later(struct uring_io *uring, struct gn_io_socket *socket)
{
    bool wanted = (socket->state & WANTED) != 0, armed = (socket->state & ARMED) != 0;
    if (wanted != armed && gn_list_empty(&socket->link))
        change(uring, socket);
}

// A test's own little network: pieces of a length that it chose.
static void deliver(struct uring_io *uring, struct gn_io_socket *socket, const uint8_t *bytes, size_t length)
{
    size_t most = length;
    if (uring->faults != NULL && uring->faults->short_length > 0)
        most = uring->faults->short_length;
    while (length > 0 && (socket->state & CLOSING) == 0) {
        size_t piece = length < most ? length : most;
        uring->io.handler->received(uring->io.owner, socket, bytes, (ssize_t)piece);
        bytes += piece;
        length -= piece;
    }
}

static void receive_completed(struct uring_io *uring, struct gn_io_socket *socket,
                              const struct io_uring_cqe *completion)
{
    int result = completion->res;
    count_multishot(socket, completion->flags);
    if ((socket->state & CLOSING) != 0) {
        finish_if_done(uring, socket);
        return;
    }
    int fault = 0;
    if (result >= 0) {
        fault = receive_fault(uring->faults, false);
    } else if ((socket->state & RECEIVE_FAULT) != 0) {
        set_state(socket, 0, RECEIVE_FAULT);
        fault = uring->receive_fault;
    }
    if (fault != 0)
        result = -fault;
    if (result > 0) {
        deliver(uring, socket, gn_uring_buffers_bytes(&uring->buffers, completion->flags), (size_t)result);
    } else if (result == -ENOBUFS) {
        if ((socket->state & WANTED) != 0 && gn_list_empty(&socket->link))
            gn_list_append(&uring->starved, &socket->link);
    } else if (!ended_idly(result)) {
        set_state(socket, 0, WANTED);
        uring->io.handler->received(uring->io.owner, socket, NULL, result);
    }
    settle_later(uring, socket);
}

static void accept_completed(struct uring_io *uring, struct gn_io_socket *listener,
                             const struct io_uring_cqe *completion)
{
    int result = completion->res;
    count_multishot(listener, completion->flags);
    if ((listener->state & CLOSING) != 0) {
        if (result >= 0)
            (void)close(result);
        finish_if_done(uring, listener);
        return;
    }
    int fault = result >= 0 && uring->held_listener == NULL ? gn_io_fault(uring->faults, GN_IO_OP_ACCEPT) : 0;
    if (fault != 0) {
        uring->held = result;
        uring->held_listener = listener;
        result = -fault;
    }
    if (result < 0 && !ended_idly(result))
        set_state(listener, 0, WANTED);
    if (!ended_idly(result))
        uring->io.handler->accepted(uring->io.owner, listener, result);
    settle_later(uring, listener);
}

static void send_completed(struct uring_io *uring, struct gn_io_socket *socket, int result)
{
    bool fault = result < 0 && (socket->state & SEND_FAULT) != 0;
    socket->operations--;
    set_state(socket, 0, SENDING | SEND_CANCELLING | SEND_FAULT);
    if ((socket->state & CLOSING) != 0) {
        finish_if_done(uring, socket);
        return;
    }
    if (fault)
        result = uring->send_fault == GN_IO_FAULT_NOTHING_SENT ? 0 : -uring->send_fault;
    if (result == 0)
        result = -EPIPE;
    else if (ended_idly(result))
        result = -EAGAIN;
    uring->io.handler->sent(uring->io.owner, socket, result);
}

static void cancel_completed(struct uring_io *uring, struct gn_io_socket *socket, int result, int cancelled,
                             int cancelling)
{
    socket->operations--;
    if (result == -ENOENT && (socket->state & cancelled) != 0) {
        set_state(socket, 0, cancelling);
        change(uring, socket);
    }
    finish_if_done(uring, socket);
}

static void wake_completed(struct uring_io *uring, const struct io_uring_cqe *completion)
{
    if ((completion->flags & IORING_CQE_F_MORE) == 0)
        uring->wake_armed = uring->wake_cancelling = false;
    if (completion->res >= 0)
        uring->woken = true;
    else if (!ended_idly(completion->res))
        uring->failure = completion->res;
}

static void complete_for_socket(struct uring_io *uring, const struct io_uring_cqe *completion, enum operation operation)
{
    struct gn_io_socket *socket =
        gn_slots_find(&uring->sockets, (uint32_t)completion->user_data & (GN_IO_SOCKETS_MAX - 1),
                      (uint32_t)(completion->user_data >> 32));
    if (socket == NULL) {
        if (operation == OPERATION_ACCEPT && completion->res >= 0)
            (void)close(completion->res);
        return;
    }
    switch (operation) {
    case OPERATION_RECEIVE:
        receive_completed(uring, socket, completion);
        break;
    case OPERATION_ACCEPT:
        accept_completed(uring, socket, completion);
        break;
    case OPERATION_SEND:
        send_completed(uring, socket, completion->res);
        break;
    case OPERATION_CANCEL_RECEIVE:
        cancel_completed(uring, socket, completion->res, ARMED, CANCELLING);
        break;
    case OPERATION_CANCEL_SEND:
        cancel_completed(uring, socket, completion->res, SENDING, SEND_CANCELLING);
        break;
    default:
        socket->operations--;
        finish_if_done(uring, socket);
        break;
    }
}

static void complete(struct uring_io *uring, const struct io_uring_cqe *completion)
{
    enum operation operation = (enum operation)(completion->user_data >> 24 & 0xff);
    if (operation == OPERATION_WAKE)
        wake_completed(uring, completion);
    else if (operation == OPERATION_CANCEL_WAKE)
        uring->wake_cancelling = completion->res != -ENOENT;
    else
        complete_for_socket(uring, completion, operation);
    if ((completion->flags & IORING_CQE_F_BUFFER) != 0)
        gn_uring_buffers_return(&uring->buffers, completion->flags);
}

// ---- a turn ----

static uint64_t uring_now(struct gn_io *io)
{
    (void)io;
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time); // fails only for a clock that does not exist
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static bool held_is_due(const struct uring_io *uring)
{
    return uring->held_listener != NULL && (uring->held_listener->state & WANTED) != 0;
}

static void deliver_held(struct uring_io *uring)
{
    struct gn_io_socket *listener = uring->held_listener;
    uring->held_listener = NULL;
    uring->io.handler->accepted(uring->io.owner, listener, uring->held);
}

// `fault`: a test's failure of the wait.
static int run(struct uring_io *uring, uint64_t wait, int fault)
{
    settle_list(uring, &uring->changed, NO_LIMIT);
    settle_list(uring, &uring->starved, uring->buffers.count);
    if (uring->wake_descriptor >= 0 && !uring->wake_armed && !uring->stopping && !queue_wake(uring))
        wait = 0;
    if (!gn_list_empty(&uring->changed) || !gn_list_empty(&uring->starved) || held_is_due(uring))
        wait = 0;

    int error = fault != 0 ? gn_uring_tolerate(-fault) : gn_uring_wait(&uring->ring, wait);
    if (error < 0)
        return error;
    uring->woken = false;
    if (held_is_due(uring))
        deliver_held(uring);
    for (int count = 0; count < COMPLETIONS_PER_TURN && gn_uring_completed(&uring->ring) > 0; count++) {
        struct io_uring_cqe completion = *gn_uring_completion(&uring->ring, 0);
        gn_uring_remove(&uring->ring);
        complete(uring, &completion);
    }
    return uring->failure < 0 ? uring->failure : uring->woken;
}

static int uring_turn(struct gn_io *io, uint64_t wait)
{
    struct uring_io *uring = uring_of(io);
    return run(uring, wait, gn_io_fault(uring->faults, GN_IO_OP_WAIT));
}

// ---- what the owner calls ----

static int uring_attach(struct gn_io *io, struct gn_io_socket *socket, int descriptor)
{
    struct uring_io *uring = uring_of(io);
    int error = -gn_io_fault(uring->faults, GN_IO_OP_ATTACH);
    if (error == 0 && uring->stopping)
        error = -ESHUTDOWN;
    if (error == 0 && socket->listener) {
        // gn_io_operations.drain must not wait.
        int flags = fcntl(descriptor, F_GETFL);
        if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
            error = -errno;
    }
    if (error == 0)
        error = gn_slots_take(&uring->sockets, socket, &socket->slot, &socket->generation);
    if (error < 0)
        return error;
    socket->descriptor = descriptor;
    socket->operations = 0;
    socket->state = 0;
    gn_list_start(&socket->link);
    return 0;
}

static bool is_open(const struct gn_io_socket *socket)
{
    return socket->descriptor >= 0 && (socket->state & CLOSING) == 0;
}

// Receiving and accepting are the same but for the operation.
static int uring_receive(struct gn_io *io, struct gn_io_socket *socket, bool on)
{
    if (!is_open(socket))
        return -EBADF;
    if (((socket->state & WANTED) != 0) == on)
        return 0;
    set_state(socket, on ? WANTED : 0, on ? 0 : WANTED);
    change(uring_of(io), socket);
    return 0;
}

// The kernel may have accepted connections that are still among the completions: they came before what is queued.
static void drain_completions(struct uring_io *uring, struct gn_io_socket *listener)
{
    uint64_t name = name_of(listener, OPERATION_ACCEPT);
    uint32_t count = gn_uring_completed(&uring->ring);
    for (uint32_t i = 0; i < count && is_open(listener); i++) {
        struct io_uring_cqe *completion = gn_uring_completion(&uring->ring, i);
        if (completion->user_data != name || completion->res < 0)
            continue;
        int descriptor = completion->res;
        completion->res = -EAGAIN; // it still counts, but brings nothing
        uring->io.handler->accepted(uring->io.owner, listener, descriptor);
    }
}

static int uring_drain(struct gn_io *io, struct gn_io_socket *listener, uint32_t most)
{
    struct uring_io *uring = uring_of(io);
    if (uring->held_listener == listener)
        deliver_held(uring);
    drain_completions(uring, listener);
    for (uint32_t accepted = 0; is_open(listener) && (most == 0 || accepted < most);) {
        int fault = gn_io_fault(uring->faults, GN_IO_OP_ACCEPT);
        if (fault != 0)
            return -fault;
        int result = accept4(listener->descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        accepted += result >= 0;
        if (result >= 0)
            io->handler->accepted(io->owner, listener, result);
        else if (errno == EAGAIN)
            return 0;
        else if (errno != EINTR && errno != ECONNABORTED)
            return -errno;
    }
    return 0;
}

// A place to describe a send in: valid until the queue is handed over next. NULL: the kernel takes nothing.
static struct message *next_message(struct uring_io *uring)
{
    if (uring->messages_used == MESSAGES)
        (void)gn_uring_submit(&uring->ring);
    if (gn_uring_unsubmitted(&uring->ring) == 0)
        uring->messages_used = 0;
    return uring->messages_used < MESSAGES ? &uring->messages[uring->messages_used++] : NULL;
}

// Copies `parts` up to `most` bytes in all; returns how many parts that are.
static unsigned copy_parts(struct iovec *copy, const struct iovec *parts, unsigned count, size_t most)
{
    unsigned copied = 0;
    for (unsigned i = 0; i < count && most > 0; i++) {
        if (parts[i].iov_len == 0)
            continue;
        copy[copied] = parts[i];
        if (copy[copied].iov_len > most)
            copy[copied].iov_len = most;
        most -= copy[copied].iov_len;
        copied++;
    }
    return copied;
}

static ssize_t uring_send(struct gn_io *io, struct gn_io_socket *socket, const struct iovec *parts, unsigned count)
{
    struct uring_io *uring = uring_of(io);
    int fault = gn_io_fault(uring->faults, GN_IO_OP_SEND);
    if (fault == ENOMEM)
        return -ENOMEM;
    if (!is_open(socket))
        return -EBADF;
    if (count == 0 || count > GN_IO_SEND_PARTS)
        return -EINVAL;
    if ((socket->state & SENDING) != 0)
        return -EALREADY;

    size_t most = INT32_MAX; // a completion's result is an int
    if (uring->faults != NULL && uring->faults->short_length > 0)
        most = uring->faults->short_length;
    struct message *message = NULL;
    if (count > 1 && (message = next_message(uring)) == NULL)
        return -ENOMEM;
    struct io_uring_sqe *entry = gn_uring_next(&uring->ring);
    if (entry == NULL)
        return -ENOMEM;
    entry->fd = socket->descriptor;
    entry->user_data = name_of(socket, OPERATION_SEND);
    entry->msg_flags =
        MSG_NOSIGNAL; // a short send is reported: it is progress, by which a slow reader is told from a dead one
    if (message == NULL) {
        entry->opcode = IORING_OP_SEND;
        entry->addr = (uint64_t)(uintptr_t)parts[0].iov_base;
        entry->len = (uint32_t)(parts[0].iov_len < most ? parts[0].iov_len : most);
    } else {
        message->header = (struct msghdr){
            .msg_iov = message->parts,
            .msg_iovlen = copy_parts(message->parts, parts, count, most),
        };
        entry->opcode = IORING_OP_SENDMSG;
        entry->addr = (uint64_t)(uintptr_t)&message->header;
        entry->len = 1;
    }
    if (__builtin_expect(fault != 0, 0)) {
        entry->fd = -1;
        uring->send_fault = fault;
        set_state(socket, SEND_FAULT, 0);
    }
    socket->operations++;
    set_state(socket, SENDING, 0);
    return -EINPROGRESS;
}

static int64_t uring_unsent(struct gn_io *io, struct gn_io_socket *socket)
{
    (void)io;
    return is_open(socket) && !socket->listener ? gn_socket_unsent(socket->descriptor) : -EBADF;
}

static int uring_shut_down(struct gn_io *io, struct gn_io_socket *socket)
{
    int fault = gn_io_fault(uring_of(io)->faults, GN_IO_OP_SHUT_DOWN);
    if (fault != 0)
        return -fault;
    if (!is_open(socket))
        return -EBADF;
    if ((socket->state & SENDING) != 0)
        return -EALREADY;
    return shutdown(socket->descriptor, SHUT_WR) < 0 ? -errno : 0;
}

static void uring_close(struct gn_io *io, struct gn_io_socket *socket, bool reset)
{
    if (!is_open(socket))
        return;
    // It fails only for what is no socket.
    if (reset)
        (void)setsockopt(socket->descriptor, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                         sizeof(struct linger));
    set_state(socket, CLOSING, WANTED);
    change(uring_of(io), socket);
}

// ---- the beginning and the end ----

static void uring_free(struct gn_io *io)
{
    struct uring_io *uring = uring_of(io);
    gn_uring_buffers_close(&uring->buffers, &uring->ring);
    gn_uring_close(&uring->ring);
    gn_slots_end(&uring->sockets);
    gn_memory_free(uring->memory, uring, sizeof *uring);
}

static int uring_open(struct gn_io **io, const struct gn_io_config *config, const struct gn_io_handler *handler,
                      void *owner, const char **detail)
{
    *io = NULL;
    *detail = "no memory for the loop's io_uring";
    struct uring_io *uring = gn_memory_allocate(config->memory, sizeof *uring);
    if (uring == NULL)
        return -ENOMEM;
    uring->io = (struct gn_io){.operations = &gn_io_uring, .handler = handler, .owner = owner};
    uring->memory = config->memory;
    uring->faults = config->faults;
    uring->wake_descriptor = config->wake_descriptor;
    gn_list_start(&uring->changed);
    gn_list_start(&uring->starved);
    gn_slots_start(&uring->sockets, config->memory, GN_IO_SOCKETS_MAX);
    int error = gn_uring_open(&uring->ring, config->submission_entries > 0 ? config->submission_entries : SUBMISSIONS,
                              config->completion_entries > 0 ? config->completion_entries : COMPLETIONS, config->faults,
                              detail);
    if (error == 0)
        error = gn_uring_buffers_open(
            &uring->buffers, &uring->ring, config->receive_buffers > 0 ? config->receive_buffers : BUFFERS,
            config->receive_buffer_bytes > 0 ? config->receive_buffer_bytes : BUFFER_BYTES, config, detail);
    if (error < 0) {
        uring_free(&uring->io);
        return error;
    }
    *detail = NULL;
    *io = &uring->io;
    return 0;
}

static void cancel_wake(struct uring_io *uring)
{
    if (uring->wake_armed && !uring->wake_cancelling)
        uring->wake_cancelling =
            queue_cancel(uring, (uint64_t)OPERATION_WAKE << 24, (uint64_t)OPERATION_CANCEL_WAKE << 24);
}

static int uring_stop(struct gn_io *io, uint64_t wait)
{
    struct uring_io *uring = uring_of(io);
    uring->stopping = true;
    uint64_t begin = uring_now(io);
    for (uint32_t slot = 0; slot < uring->sockets.capacity; slot++) {
        struct gn_io_socket *socket = uring->sockets.slots[slot].owner;
        if (socket != NULL)
            uring_close(io, socket, false);
    }
    while (uring->sockets.used > 0 || uring->wake_armed) {
        cancel_wake(uring);
        uint64_t passed = uring_now(io) - begin;
        uint64_t left = wait == GN_IO_WAIT_FOREVER ? wait : passed < wait ? wait - passed : 0;
        if (run(uring, left, 0) < 0)
            return -ETIMEDOUT;
        if (left == 0 && (uring->sockets.used > 0 || uring->wake_armed))
            return -ETIMEDOUT;
    }
    gn_uring_buffers_close(&uring->buffers, &uring->ring);
    return 0;
}

const struct gn_io_operations gn_io_uring = {
    .name = "io_uring",
    .open = uring_open,
    .stop = uring_stop,
    .free = uring_free,
    .attach = uring_attach,
    .accept = uring_receive,
    .drain = uring_drain,
    .receive = uring_receive,
    .send = uring_send,
    .unsent = uring_unsent,
    .shut_down = uring_shut_down,
    .close = uring_close,
    .turn = uring_turn,
    .now = uring_now,
};
