// The io_uring floor: multishot accept and receive, a ring of provided buffers, one io_uring_enter a turn.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SUBMISSIONS 4096u
#define COMPLETIONS 32768u // accept, receive and send of every connection fit
#define BUFFERS 1024u      // a power of two
#define BUFFER_SIZE 4096u
#define BUFFER_GROUP 1u

enum operation { ACCEPT, RECEIVE, SEND };

// Closed only when neither a receive nor a send is in flight, so a completion never meets a reused descriptor.
struct connection {
    uint64_t owed;    // octets of answers not yet sent
    uint32_t matched; // see floor_count_ends
    bool receiving;
    bool sending;
};

struct ring {
    int descriptor;
    unsigned int enter_descriptor; // the registered index
    _Atomic uint32_t *submission_head;
    _Atomic uint32_t *submission_tail;
    uint32_t submission_mask;
    uint32_t submission_next; // our copy of the tail, published when entering
    struct io_uring_sqe *submissions;
    _Atomic uint32_t *completion_head;
    _Atomic uint32_t *completion_tail;
    uint32_t completion_mask;
    struct io_uring_cqe *completions;
    struct io_uring_buf_ring *buffer_ring;
    uint16_t buffer_next;
    uint8_t *buffers;
};

struct server {
    int listener;
    uint32_t count;
    struct ring ring;
    struct floor_answers answers;
    struct connection connections[FLOOR_MAX_DESCRIPTORS];
};

static int ring_register(int descriptor, unsigned int operation, void *argument, unsigned int count)
{
    return (int)syscall(SYS_io_uring_register, descriptor, operation, argument, count);
}

static void *map(size_t length, int flags, int descriptor, off_t offset)
{
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, descriptor, offset);
    if (memory == MAP_FAILED) {
        floor_fail("mmap");
    }
    return memory;
}

static void buffer_provide(struct ring *ring, uint16_t index)
{
    struct io_uring_buf *entry = &ring->buffer_ring->bufs[ring->buffer_next++ & (BUFFERS - 1)];
    entry->addr = (uint64_t)(uintptr_t)(ring->buffers + (size_t)index * BUFFER_SIZE);
    entry->len = BUFFER_SIZE;
    entry->bid = index;
}

static void buffers_publish(struct ring *ring)
{
    atomic_store_explicit((_Atomic uint16_t *)&ring->buffer_ring->tail, ring->buffer_next, memory_order_release);
}

static void buffers_open(struct ring *ring)
{
    ring->buffer_ring = map(BUFFERS * sizeof(struct io_uring_buf), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ring->buffers = map((size_t)BUFFERS * BUFFER_SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)ring->buffer_ring, .ring_entries = BUFFERS, .bgid = BUFFER_GROUP};
    if (ring_register(ring->descriptor, IORING_REGISTER_PBUF_RING, &registration, 1) < 0) {
        floor_fail("io_uring_register PBUF_RING");
    }
    for (uint16_t index = 0; index < BUFFERS; index++) {
        buffer_provide(ring, index);
    }
    buffers_publish(ring);
}

static void ring_open(struct ring *ring)
{
    struct io_uring_params params = {.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
                                              IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                     .cq_entries = COMPLETIONS};
    ring->descriptor = (int)syscall(SYS_io_uring_setup, SUBMISSIONS, &params);
    if (ring->descriptor < 0) {
        floor_fail("io_uring_setup (needs Linux 6.1 and io_uring enabled)");
    }
    if ((params.features & IORING_FEAT_SINGLE_MMAP) == 0 || (params.features & IORING_FEAT_NODROP) == 0) {
        errno = ENOTSUP;
        floor_fail("io_uring features");
    }
    size_t completions_end = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
    size_t array_end = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    uint8_t *rings = map(completions_end > array_end ? completions_end : array_end, MAP_SHARED, ring->descriptor,
                         IORING_OFF_SQ_RING);
    ring->submissions =
        map(params.sq_entries * sizeof(struct io_uring_sqe), MAP_SHARED, ring->descriptor, IORING_OFF_SQES);
    ring->submission_head = (_Atomic uint32_t *)(void *)(rings + params.sq_off.head);
    ring->submission_tail = (_Atomic uint32_t *)(void *)(rings + params.sq_off.tail);
    ring->submission_mask = params.sq_entries - 1;
    ring->completion_head = (_Atomic uint32_t *)(void *)(rings + params.cq_off.head);
    ring->completion_tail = (_Atomic uint32_t *)(void *)(rings + params.cq_off.tail);
    ring->completion_mask = params.cq_entries - 1;
    ring->completions = (struct io_uring_cqe *)(void *)(rings + params.cq_off.cqes);
    // Slots are used in order, so the indirection is filled in once and never changes.
    uint32_t *array = (uint32_t *)(void *)(rings + params.sq_off.array);
    for (uint32_t index = 0; index < params.sq_entries; index++) {
        array[index] = index;
    }
    struct io_uring_rsrc_update self = {.offset = UINT32_MAX, .data = (uint32_t)ring->descriptor};
    if (ring_register(ring->descriptor, IORING_REGISTER_RING_FDS, &self, 1) != 1) {
        floor_fail("io_uring_register RING_FDS");
    }
    ring->enter_descriptor = self.offset;
    buffers_open(ring);
}

static void ring_enter(struct ring *ring, uint32_t wait_for)
{
    unsigned int flags = IORING_ENTER_REGISTERED_RING | (wait_for > 0 ? IORING_ENTER_GETEVENTS : 0);
    atomic_store_explicit(ring->submission_tail, ring->submission_next, memory_order_release);
    uint32_t pending = ring->submission_next - atomic_load_explicit(ring->submission_head, memory_order_acquire);
    if (syscall(SYS_io_uring_enter, ring->enter_descriptor, pending, wait_for, flags, NULL, 0) < 0) {
        // What was not submitted stays queued; a full completion queue is emptied by the caller's next turn.
        if (errno != EINTR && errno != EBUSY && errno != EAGAIN) {
            floor_fail("io_uring_enter");
        }
    }
}

static struct io_uring_sqe *submission(struct ring *ring, enum operation operation, int descriptor)
{
    while (ring->submission_next - atomic_load_explicit(ring->submission_head, memory_order_acquire) >
           ring->submission_mask) {
        ring_enter(ring, 0);
    }
    struct io_uring_sqe *entry = &ring->submissions[ring->submission_next++ & ring->submission_mask];
    memset(entry, 0, sizeof *entry);
    entry->fd = descriptor;
    entry->user_data = (uint64_t)operation << 32 | (uint32_t)descriptor;
    return entry;
}

static void accept_start(struct server *server)
{
    struct io_uring_sqe *entry = submission(&server->ring, ACCEPT, server->listener);
    entry->opcode = IORING_OP_ACCEPT;
    entry->ioprio = IORING_ACCEPT_MULTISHOT;
    entry->accept_flags = SOCK_CLOEXEC;
}

static void receive_start(struct server *server, int descriptor)
{
    struct io_uring_sqe *entry = submission(&server->ring, RECEIVE, descriptor);
    entry->opcode = IORING_OP_RECV;
    entry->ioprio = IORING_RECV_MULTISHOT;
    entry->flags = IOSQE_BUFFER_SELECT;
    entry->buf_group = BUFFER_GROUP;
    server->connections[descriptor].receiving = true;
}

static void send_start(struct server *server, int descriptor)
{
    struct connection *connection = &server->connections[descriptor];
    size_t length;
    const uint8_t *bytes = floor_answers_next(&server->answers, connection->owed, &length);
    struct io_uring_sqe *entry = submission(&server->ring, SEND, descriptor);
    entry->opcode = IORING_OP_SEND;
    entry->addr = (uint64_t)(uintptr_t)bytes;
    entry->len = (uint32_t)length;
    entry->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
    connection->sending = true;
}

static void connection_close(struct server *server, int descriptor)
{
    if (close(descriptor) < 0) {
        floor_fail("close");
    }
    server->count--;
}

static void accept_done(struct server *server, const struct io_uring_cqe *completion)
{
    int descriptor = completion->res;
    if ((completion->flags & IORING_CQE_F_MORE) == 0) {
        accept_start(server);
    }
    if (descriptor < 0) {
        if (descriptor != -ECONNABORTED && descriptor != -EINTR) {
            errno = -descriptor;
            floor_fail("accept");
        }
        return;
    }
    server->count++;
    if (server->count > FLOOR_MAX_CONNECTIONS || (uint32_t)descriptor >= FLOOR_MAX_DESCRIPTORS) {
        connection_close(server, descriptor);
        return;
    }
    floor_connection_prepare(descriptor);
    server->connections[descriptor] = (struct connection){0};
    receive_start(server, descriptor);
}

static void receive_done(struct server *server, int descriptor, const struct io_uring_cqe *completion)
{
    struct connection *connection = &server->connections[descriptor];
    int received = completion->res;
    if ((completion->flags & IORING_CQE_F_BUFFER) != 0) {
        uint16_t index = (uint16_t)(completion->flags >> IORING_CQE_BUFFER_SHIFT);
        if (received > 0) {
            const uint8_t *bytes = server->ring.buffers + (size_t)index * BUFFER_SIZE;
            uint32_t ends = floor_count_ends(&connection->matched, bytes, (size_t)received);
            connection->owed += (uint64_t)ends * server->answers.length;
        }
        buffer_provide(&server->ring, index);
    }
    if (connection->owed > 0 && !connection->sending) {
        send_start(server, descriptor);
    }
    if ((completion->flags & IORING_CQE_F_MORE) != 0) {
        return;
    }
    connection->receiving = false;
    if (received > 0 || received == -ENOBUFS || received == -EINTR) {
        receive_start(server, descriptor);
    } else if (received != 0 && received != -ECONNRESET && received != -ETIMEDOUT && received != -EPIPE) {
        errno = -received;
        floor_fail("recv");
    } else if (!connection->sending) {
        connection_close(server, descriptor);
    }
}

static void send_done(struct server *server, int descriptor, const struct io_uring_cqe *completion)
{
    struct connection *connection = &server->connections[descriptor];
    int sent = completion->res;
    connection->sending = false;
    if (sent >= 0) {
        connection->owed -= (uint64_t)sent;
    } else if (sent == -EPIPE || sent == -ECONNRESET) {
        connection->owed = 0;
        // The receive then ends, and with it the connection.
        if (connection->receiving && shutdown(descriptor, SHUT_RDWR) < 0 && errno != ENOTCONN) {
            floor_fail("shutdown");
        }
    } else if (sent != -EINTR) {
        errno = -sent;
        floor_fail("send");
    }
    if (connection->owed > 0) {
        send_start(server, descriptor);
    } else if (!connection->receiving) {
        connection_close(server, descriptor);
    }
}

static void completions_handle(struct server *server)
{
    struct ring *ring = &server->ring;
    uint32_t head = atomic_load_explicit(ring->completion_head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(ring->completion_tail, memory_order_acquire);
    for (; head != tail; head++) {
        const struct io_uring_cqe *completion = &ring->completions[head & ring->completion_mask];
        int descriptor = (int)(uint32_t)completion->user_data;
        switch ((enum operation)(completion->user_data >> 32)) {
        case ACCEPT:
            accept_done(server, completion);
            break;
        case RECEIVE:
            receive_done(server, descriptor, completion);
            break;
        case SEND:
            send_done(server, descriptor, completion);
            break;
        }
    }
    buffers_publish(ring);
    atomic_store_explicit(ring->completion_head, head, memory_order_release);
}

int main(int argc, char **argv)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        floor_fail("calloc");
    }
    floor_answers_build(&server->answers);
    ring_open(&server->ring);
    server->listener = floor_listen(argc, argv, 0);
    accept_start(server);
    for (;;) {
        ring_enter(&server->ring, 1);
        completions_handle(server);
    }
}
