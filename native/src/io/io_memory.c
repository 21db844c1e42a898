#include "io/io_memory.h"

#include <string.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR (1 << 30)
#define BUFFER_BYTES 65536u
#define QUEUE_MAX 1024u
#define ACCEPTS_PER_TURN 64u
#define START_OF_TIME UINT64_C(1000000000)

enum {
    OPEN = 1,
    CLOSING = 2,
    ON = 4,       // receiving or accepting
    LANDING = 8,  // turned off with something underway
    WAITING = 16, // a send found no room: -EAGAIN once there is
    QUEUED = 32,  // a send is reported with its result
    SHUT = 64,
    PENDING = WAITING | QUEUED
};

struct piece {
    struct gn_list link;
    uint8_t *bytes; // apart from this structure, so that their ends are the block's
    size_t length, taken;
};

struct gn_io_memory_peer {
    struct network *network;
    struct gn_list link; // on the network's peers
    struct gn_list queued;
    struct gn_io_socket *socket; // NULL: not attached
    int descriptor;

    struct gn_list pieces; // to the loop
    size_t unreceived;
    bool finished, reset, gone;

    uint8_t *sent; // from the loop: sent[taken..filled)
    size_t taken, filled, capacity, room;
    unsigned sends;
    bool saw_end, saw_close, saw_reset;

    struct iovec parts[GN_IO_SEND_PARTS]; // of the queued send
    unsigned part_count;
    uint64_t send_turn, landing_turn, close_turn; // not before that turn
};

struct listener {
    struct gn_list queue;
    uint32_t length;
    uint64_t close_turn;
};

// What a descriptor number stands for; both NULL: nothing any more.
struct end {
    struct gn_io_memory_peer *peer;
    struct listener *listener;
};

struct network {
    struct gn_io io;
    struct gn_memory *memory;
    struct gn_memory storage;
    struct gn_io_faults *faults;
    int wake_descriptor;
    bool late;
    uint64_t now, turn;
    uint32_t generation;
    struct end *ends;
    uint32_t end_count, end_capacity;
    struct gn_list peers;
    struct gn_list sockets, serving, closing;
};

static struct network *network_of(struct gn_io *io)
{
    return (struct network *)(void *)io;
}

static struct end *end_of(struct network *network, int descriptor)
{
    uint32_t index = (uint32_t)descriptor - FIRST_DESCRIPTOR;
    return descriptor >= FIRST_DESCRIPTOR && index < network->end_count ? &network->ends[index] : NULL;
}

static struct gn_io_memory_peer *peer_of(struct network *network, const struct gn_io_socket *socket)
{
    return network->ends[socket->slot].peer;
}

// The descriptor number for a new end, or -1 without memory.
static int add_end(struct network *network, struct gn_io_memory_peer *peer, struct listener *listener)
{
    if (network->end_count == network->end_capacity) {
        uint32_t capacity = network->end_capacity == 0 ? 16 : network->end_capacity * 2;
        struct end *ends = gn_memory_allocate(&network->storage, capacity * sizeof *ends);
        if (ends == NULL)
            return -1;
        if (network->end_count > 0)
            memcpy(ends, network->ends, network->end_count * sizeof *ends);
        gn_memory_free(&network->storage, network->ends, network->end_capacity * sizeof *ends);
        network->ends = ends;
        network->end_capacity = capacity;
    }
    network->ends[network->end_count] = (struct end){peer, listener};
    return FIRST_DESCRIPTOR + (int)network->end_count++;
}

static void free_piece(struct network *network, struct piece *piece)
{
    gn_memory_free(&network->storage, piece->bytes, piece->length);
    gn_memory_free(&network->storage, piece, sizeof *piece);
}

static void free_pieces(struct gn_io_memory_peer *peer)
{
    struct gn_list *link;
    while ((link = gn_list_take(&peer->pieces)) != NULL)
        free_piece(peer->network, gn_list_owner(link, struct piece, link));
    peer->unreceived = 0;
}

static void free_peer(struct gn_io_memory_peer *peer)
{
    struct network *network = peer->network;
    free_pieces(peer);
    gn_list_remove(&peer->link);
    gn_list_remove(&peer->queued);
    end_of(network, peer->descriptor)->peer = NULL;
    gn_memory_free(&network->storage, peer->sent, peer->capacity);
    gn_memory_free(&network->storage, peer, sizeof *peer);
}

static void free_listener(struct network *network, struct end *end)
{
    struct gn_list *link;
    while ((link = gn_list_take(&end->listener->queue)) != NULL) {
        struct gn_io_memory_peer *peer = gn_list_owner(link, struct gn_io_memory_peer, queued);
        peer->saw_close = peer->saw_reset = true;
        if (peer->gone)
            free_peer(peer);
    }
    gn_memory_free(&network->storage, end->listener, sizeof *end->listener);
    end->listener = NULL;
}

/* ---- the life of a network ---- */

static int memory_open(struct gn_io **io, const struct gn_io_config *config, const struct gn_io_handler *handler,
                       void *owner, const char **detail)
{
    int error = gn_io_fault(config->faults, GN_IO_OP_SETUP);
    struct network *network = error != 0 ? NULL : gn_memory_allocate(config->memory, sizeof *network);
    if (network == NULL) {
        *detail = "memory";
        return error != 0 ? -error : -ENOMEM;
    }
    network->io = (struct gn_io){&gn_io_memory, handler, owner};
    network->memory = config->memory;
    network->faults = config->faults;
    network->wake_descriptor = config->wake_descriptor;
    network->now = START_OF_TIME;
    gn_list_start(&network->peers);
    gn_list_start(&network->sockets);
    gn_list_start(&network->serving);
    gn_list_start(&network->closing);
    *io = &network->io;
    return 0;
}

// The last the kernel has to do with the socket; its structure is the owner's again within the callback.
static void finish_close(struct network *network, struct gn_io_socket *socket)
{
    struct end *end = &network->ends[socket->slot];
    gn_list_remove(&socket->link);
    if (end->listener != NULL) {
        free_listener(network, end);
    } else {
        struct gn_io_memory_peer *peer = end->peer;
        if (socket->state & QUEUED) {
            // A kernel may read the bytes of a send until it is cancelled: so does this one.
            volatile uint8_t seen = 0;
            for (unsigned i = 0; i < peer->part_count; i++) {
                const uint8_t *bytes = peer->parts[i].iov_base;
                for (size_t at = 0; at < peer->parts[i].iov_len; at++)
                    seen = bytes[at];
            }
            (void)seen;
        }
        peer->socket = NULL;
        if (peer->gone)
            free_peer(peer);
    }
    socket->state = 0;
    socket->descriptor = -1;
    network->io.handler->closed(network->io.owner, socket);
}

static void memory_close(struct gn_io *io, struct gn_io_socket *socket, bool reset)
{
    struct network *network = network_of(io);
    if (socket->descriptor < 0 || !(socket->state & OPEN))
        return;
    struct end *end = &network->ends[socket->slot];
    uint64_t turn = network->turn + (network->late ? 2 : 1);
    if (end->listener != NULL) {
        end->listener->close_turn = turn;
    } else {
        struct gn_io_memory_peer *peer = end->peer;
        peer->close_turn = turn;
        peer->saw_close = true;
        if (!peer->reset) {
            if (reset || peer->unreceived > 0)
                peer->saw_reset = true;
            else
                peer->saw_end = true;
        }
        free_pieces(peer);
    }
    socket->state = (uint16_t)((socket->state & ~(OPEN | ON | LANDING)) | CLOSING);
    gn_list_remove(&socket->link);
    gn_list_append(&network->closing, &socket->link);
}

static int memory_stop(struct gn_io *io, uint64_t wait)
{
    (void)wait;
    struct network *network = network_of(io);
    for (;;) {
        struct gn_list *from = !gn_list_empty(&network->sockets) ? &network->sockets : &network->closing;
        if (gn_list_empty(from))
            return 0;
        struct gn_io_socket *socket = gn_list_owner(from->next, struct gn_io_socket, link);
        if (from == &network->sockets)
            memory_close(io, socket, false);
        else
            finish_close(network, socket);
    }
}

static void memory_free(struct gn_io *io)
{
    struct network *network = network_of(io);
    for (uint32_t i = 0; i < network->end_count; i++) {
        if (network->ends[i].listener != NULL)
            free_listener(network, &network->ends[i]);
    }
    while (!gn_list_empty(&network->peers))
        free_peer(gn_list_owner(network->peers.next, struct gn_io_memory_peer, link));
    gn_memory_free(&network->storage, network->ends, network->end_capacity * sizeof *network->ends);
    gn_memory_free(network->memory, network, sizeof *network);
}

/* ---- the loop's side ---- */

static int memory_attach(struct gn_io *io, struct gn_io_socket *socket, int descriptor)
{
    struct network *network = network_of(io);
    int error = gn_io_fault(network->faults, GN_IO_OP_ATTACH);
    if (error != 0)
        return -error;
    struct end *end = end_of(network, descriptor);
    if (end == NULL || (socket->listener ? end->listener == NULL : end->peer == NULL))
        return -EBADF;
    if (end->peer != NULL) {
        if (end->peer->socket != NULL || end->peer->saw_close)
            return -EEXIST;
        end->peer->socket = socket;
    }
    socket->descriptor = descriptor;
    socket->slot = (uint32_t)(end - network->ends);
    socket->generation = ++network->generation;
    socket->operations = 0;
    socket->state = OPEN;
    gn_list_start(&socket->link);
    gn_list_append(&network->sockets, &socket->link);
    return 0;
}

static int memory_accept(struct gn_io *io, struct gn_io_socket *listener, bool on)
{
    (void)io;
    if (!listener->listener || !(listener->state & OPEN))
        return -EBADF;
    listener->state = (uint16_t)(on ? listener->state | ON : listener->state & ~ON);
    return 0;
}

// One accept: a descriptor number, or the negative errno, -EAGAIN when the queue is empty.
static int accept_one(struct network *network, const struct gn_io_socket *socket)
{
    struct listener *listener = network->ends[socket->slot].listener;
    if (gn_list_empty(&listener->queue))
        return -EAGAIN;
    int error = gn_io_fault(network->faults, GN_IO_OP_ACCEPT);
    if (error != 0)
        return -error;
    listener->length--;
    return gn_list_owner(gn_list_take(&listener->queue), struct gn_io_memory_peer, queued)->descriptor;
}

static unsigned take_connections(struct network *network, struct gn_io_socket *listener)
{
    unsigned taken = 0;
    for (; taken < ACCEPTS_PER_TURN && (listener->state & ON); taken++) {
        int result = accept_one(network, listener);
        if (result == -EAGAIN)
            break;
        if (result < 0)
            listener->state &= (uint16_t)~ON;
        network->io.handler->accepted(network->io.owner, listener, result);
    }
    return taken;
}

static int memory_drain(struct gn_io *io, struct gn_io_socket *listener, uint32_t most)
{
    struct network *network = network_of(io);
    if (!listener->listener || !(listener->state & OPEN))
        return -EBADF;
    for (uint32_t i = 0; (most == 0 || i < most) && (listener->state & OPEN); i++) {
        int result = accept_one(network, listener);
        if (result < 0)
            return result == -EAGAIN ? 0 : result;
        io->handler->accepted(io->owner, listener, result);
    }
    return 0;
}

static int memory_receive(struct gn_io *io, struct gn_io_socket *socket, bool on)
{
    struct network *network = network_of(io);
    if (socket->listener || !(socket->state & OPEN))
        return -EBADF;
    struct gn_io_memory_peer *peer = peer_of(network, socket);
    if (on) {
        socket->state = (uint16_t)((socket->state | ON) & ~LANDING);
    } else if (socket->state & ON) {
        socket->state &= (uint16_t)~ON;
        if (network->late && (!gn_list_empty(&peer->pieces) || peer->finished || peer->reset)) {
            socket->state |= LANDING;
            peer->landing_turn = network->turn + 1;
        }
    }
    return 0;
}

// Room for the loop's sends now.
static size_t room_of(const struct gn_io_memory_peer *peer)
{
    size_t unread = peer->filled - peer->taken;
    return peer->room > unread ? peer->room - unread : 0;
}

static bool reserve(struct gn_io_memory_peer *peer, size_t length)
{
    if (peer->capacity - peer->filled >= length)
        return true;
    size_t unread = peer->filled - peer->taken;
    struct gn_memory *storage = &peer->network->storage;
    size_t capacity = (unread + length) * 2;
    uint8_t *sent = gn_memory_allocate(storage, capacity);
    if (sent == NULL)
        return false;
    if (unread > 0)
        memcpy(sent, peer->sent + peer->taken, unread);
    gn_memory_free(storage, peer->sent, peer->capacity);
    peer->sent = sent;
    peer->capacity = capacity;
    peer->taken = 0;
    peer->filled = unread;
    return true;
}

// What a send gives: bytes (> 0), -EAGAIN when there is no room, or the negative errno.
static ssize_t transmit(struct network *network, struct gn_io_memory_peer *peer, const struct iovec *parts,
                        unsigned count)
{
    int error = gn_io_fault(network->faults, GN_IO_OP_SEND);
    if (error != 0)
        return error == GN_IO_FAULT_NOTHING_SENT ? -EPIPE : -error;
    if (peer->reset || peer->gone)
        return -ECONNRESET;
    size_t room = room_of(peer), total = 0;
    if (room == 0)
        return -EAGAIN;
    for (unsigned i = 0; i < count; i++)
        total += parts[i].iov_len;
    if (network->faults != NULL && network->faults->short_length > 0 && total > network->faults->short_length)
        total = network->faults->short_length;
    if (total > room)
        total = room;
    if (!reserve(peer, total))
        return -ENOBUFS;
    size_t left = total;
    for (unsigned i = 0; left > 0; i++) {
        size_t length = parts[i].iov_len < left ? parts[i].iov_len : left;
        if (length > 0)
            memcpy(peer->sent + peer->filled, parts[i].iov_base, length);
        peer->filled += length;
        left -= length;
    }
    peer->sends++;
    return (ssize_t)total;
}

static ssize_t memory_send(struct gn_io *io, struct gn_io_socket *socket, const struct iovec *parts, unsigned count)
{
    struct network *network = network_of(io);
    if (socket->listener || !(socket->state & OPEN))
        return -EBADF;
    if (socket->state & PENDING)
        return -EALREADY;
    if (count > GN_IO_SEND_PARTS)
        return -EINVAL;
    size_t total = 0;
    for (unsigned i = 0; i < count; i++)
        total += parts[i].iov_len;
    if (total == 0)
        return -EINVAL;
    if (socket->state & SHUT)
        return -EPIPE;
    struct gn_io_memory_peer *peer = peer_of(network, socket);
    peer->send_turn = network->turn + 1;
    if (network->late) {
        memcpy(peer->parts, parts, count * sizeof *parts);
        peer->part_count = count;
        socket->state |= QUEUED;
        return -EINPROGRESS;
    }
    ssize_t result = transmit(network, peer, parts, count);
    if (result == -EAGAIN) {
        socket->state |= WAITING;
        return -EINPROGRESS;
    }
    return result;
}

// What the peer's host has is what its program has read.
static int64_t memory_unsent(struct gn_io *io, struct gn_io_socket *socket)
{
    if (socket->listener || !(socket->state & OPEN))
        return -EBADF;
    const struct gn_io_memory_peer *peer = peer_of(network_of(io), socket);
    return (int64_t)(peer->filled - peer->taken);
}

static int memory_shut_down(struct gn_io *io, struct gn_io_socket *socket)
{
    struct network *network = network_of(io);
    if (socket->listener || !(socket->state & OPEN))
        return -EBADF;
    if (socket->state & PENDING)
        return -EALREADY;
    int error = gn_io_fault(network->faults, GN_IO_OP_SHUT_DOWN);
    if (error != 0)
        return -error;
    struct gn_io_memory_peer *peer = peer_of(network, socket);
    if (peer->reset)
        return -ENOTCONN;
    socket->state |= SHUT;
    peer->saw_end = true;
    return 0;
}

/* ---- a turn ---- */

static unsigned serve_send(struct network *network, struct gn_io_socket *socket, struct gn_io_memory_peer *peer)
{
    if (!(socket->state & PENDING) || peer->send_turn > network->turn)
        return 0;
    ssize_t result = -EAGAIN;
    if (socket->state & WAITING) {
        if (room_of(peer) == 0 && !peer->reset && !peer->gone)
            return 0;
    } else {
        result = transmit(network, peer, peer->parts, peer->part_count);
        if (result == -EAGAIN)
            return 0;
    }
    socket->state &= (uint16_t)~PENDING;
    network->io.handler->sent(network->io.owner, socket, result);
    return 1;
}

static unsigned serve_receive(struct network *network, struct gn_io_socket *socket, struct gn_io_memory_peer *peer)
{
    const struct gn_io_handler *handler = network->io.handler;
    void *owner = network->io.owner;
    if (!(socket->state & OPEN))
        return 0;
    if (!(socket->state & ON) && !((socket->state & LANDING) && peer->landing_turn <= network->turn))
        return 0;
    socket->state &= (uint16_t)~LANDING;
    if (gn_list_empty(&peer->pieces) && !peer->finished && !peer->reset)
        return 0;

    int error = gn_io_fault(network->faults, GN_IO_OP_RECEIVE);
    if (error == EAGAIN || error == EINTR)
        return 1;
    if (error == 0 && gn_list_empty(&peer->pieces) && peer->reset)
        error = ECONNRESET;
    if (error != 0 || gn_list_empty(&peer->pieces)) {
        socket->state &= (uint16_t)~ON;
        handler->received(owner, socket, NULL, -error);
        return 1;
    }

    struct piece *piece = gn_list_owner(peer->pieces.next, struct piece, link);
    size_t length = piece->length - piece->taken;
    if (network->faults != NULL && network->faults->short_length > 0 && length > network->faults->short_length)
        length = network->faults->short_length;
    if (length == piece->length) {
        gn_list_remove(&piece->link);
        peer->unreceived -= length;
        handler->received(owner, socket, piece->bytes, (ssize_t)length);
        free_piece(network, piece);
        return 1;
    }
    uint8_t *copy = gn_memory_allocate(&network->storage, length);
    if (copy == NULL) {
        socket->state &= (uint16_t)~ON;
        handler->received(owner, socket, NULL, -ENOBUFS);
        return 1;
    }
    memcpy(copy, piece->bytes + piece->taken, length);
    piece->taken += length;
    peer->unreceived -= length;
    if (piece->taken == piece->length) {
        gn_list_remove(&piece->link);
        free_piece(network, piece);
    }
    handler->received(owner, socket, copy, (ssize_t)length);
    gn_memory_free(&network->storage, copy, length);
    return 1;
}

static uint64_t close_turn_of(const struct network *network, const struct gn_io_socket *socket)
{
    const struct end *end = &network->ends[socket->slot];
    return end->listener != NULL ? end->listener->close_turn : end->peer->close_turn;
}

static unsigned report_closed(struct network *network)
{
    unsigned delivered = 0;
    while (!gn_list_empty(&network->closing)) {
        struct gn_io_socket *socket = gn_list_owner(network->closing.next, struct gn_io_socket, link);
        if (close_turn_of(network, socket) > network->turn)
            break;
        finish_close(network, socket);
        delivered++;
    }
    return delivered;
}

static bool take_wake(const struct network *network)
{
    uint64_t count;
    ssize_t length = -1;
    if (network->wake_descriptor >= 0) {
        do
            length = read(network->wake_descriptor, &count, sizeof count);
        while (length < 0 && errno == EINTR);
    }
    return length == (ssize_t)sizeof count;
}

static int memory_turn(struct gn_io *io, uint64_t wait)
{
    struct network *network = network_of(io);
    int error = gn_io_fault(network->faults, GN_IO_OP_WAIT);
    if (error != 0)
        return error == EINTR ? 0 : -error;
    network->turn++;
    bool woken = take_wake(network);
    unsigned delivered = report_closed(network);

    // Callbacks attach and close: what is attached now is served from the next turn on.
    gn_list_move(&network->serving, &network->sockets);
    struct gn_list *link;
    while ((link = gn_list_take(&network->serving)) != NULL) {
        gn_list_append(&network->sockets, link);
        struct gn_io_socket *socket = gn_list_owner(link, struct gn_io_socket, link);
        if (socket->listener) {
            delivered += take_connections(network, socket);
        } else {
            struct gn_io_memory_peer *peer = peer_of(network, socket);
            delivered += serve_send(network, socket, peer);
            delivered += serve_receive(network, socket, peer);
        }
    }
    if (delivered == 0 && !woken && gn_list_empty(&network->closing) && wait != GN_IO_WAIT_FOREVER)
        network->now += wait;
    return woken;
}

static uint64_t memory_now(struct gn_io *io)
{
    return network_of(io)->now;
}

/* ---- the peers' side ---- */

int gn_io_memory_descriptor(struct gn_io *io)
{
    struct network *network = network_of(io);
    struct listener *listener = gn_memory_allocate(&network->storage, sizeof *listener);
    if (listener == NULL)
        return -ENOMEM;
    gn_list_start(&listener->queue);
    int descriptor = add_end(network, NULL, listener);
    if (descriptor < 0) {
        gn_memory_free(&network->storage, listener, sizeof *listener);
        return -ENOMEM;
    }
    return descriptor;
}

struct gn_io_memory_peer *gn_io_memory_connect(struct gn_io *io, int listener_descriptor)
{
    struct network *network = network_of(io);
    struct end *end = end_of(network, listener_descriptor);
    struct listener *listener = end != NULL ? end->listener : NULL;
    if (listener == NULL || listener->close_turn != 0 || listener->length == QUEUE_MAX)
        return NULL;
    struct gn_io_memory_peer *peer = gn_memory_allocate(&network->storage, sizeof *peer);
    if (peer == NULL)
        return NULL;
    peer->network = network;
    peer->room = BUFFER_BYTES;
    gn_list_start(&peer->link);
    gn_list_start(&peer->queued);
    gn_list_start(&peer->pieces);
    peer->descriptor = add_end(network, peer, NULL);
    if (peer->descriptor < 0) {
        gn_memory_free(&network->storage, peer, sizeof *peer);
        return NULL;
    }
    gn_list_append(&network->peers, &peer->link);
    gn_list_append(&listener->queue, &peer->queued);
    listener->length++;
    return peer;
}

size_t gn_io_memory_write(struct gn_io_memory_peer *peer, const void *bytes, size_t length)
{
    struct network *network = peer->network;
    if (length > BUFFER_BYTES - peer->unreceived)
        length = BUFFER_BYTES - peer->unreceived;
    if (length == 0 || peer->finished || peer->reset || peer->saw_close)
        return 0;
    struct piece *piece = gn_memory_allocate(&network->storage, sizeof *piece);
    if (piece == NULL)
        return 0;
    piece->bytes = gn_memory_allocate(&network->storage, length);
    if (piece->bytes == NULL) {
        gn_memory_free(&network->storage, piece, sizeof *piece);
        return 0;
    }
    memcpy(piece->bytes, bytes, length);
    piece->length = length;
    gn_list_append(&peer->pieces, &piece->link);
    peer->unreceived += length;
    return length;
}

size_t gn_io_memory_read(struct gn_io_memory_peer *peer, void *bytes, size_t length)
{
    size_t unread = peer->filled - peer->taken;
    if (length > unread)
        length = unread;
    if (length > 0)
        memcpy(bytes, peer->sent + peer->taken, length);
    peer->taken += length;
    return length;
}

size_t gn_io_memory_sent(struct gn_io_memory_peer *peer, const uint8_t **bytes)
{
    if (bytes != NULL)
        *bytes = peer->sent == NULL ? NULL : peer->sent + peer->taken;
    return peer->filled - peer->taken;
}

size_t gn_io_memory_unreceived(const struct gn_io_memory_peer *peer)
{
    return peer->unreceived;
}

unsigned gn_io_memory_sends(const struct gn_io_memory_peer *peer)
{
    return peer->sends;
}

void gn_io_memory_finish(struct gn_io_memory_peer *peer)
{
    peer->finished = true;
}

void gn_io_memory_reset(struct gn_io_memory_peer *peer)
{
    peer->reset = true;
}

bool gn_io_memory_saw_end(const struct gn_io_memory_peer *peer)
{
    return peer->saw_end;
}

bool gn_io_memory_saw_close(const struct gn_io_memory_peer *peer)
{
    return peer->saw_close;
}

bool gn_io_memory_saw_reset(const struct gn_io_memory_peer *peer)
{
    return peer->saw_reset;
}

void gn_io_memory_room(struct gn_io_memory_peer *peer, size_t room)
{
    peer->room = room;
}

void gn_io_memory_late(struct gn_io *io, bool late)
{
    network_of(io)->late = late;
}

void gn_io_memory_peer_free(struct gn_io_memory_peer *peer)
{
    if (peer == NULL)
        return;
    peer->finished = peer->gone = true;
    // In the accept queue, or accepted and not attached yet, the near end goes on without it.
    if (peer->saw_close && peer->socket == NULL)
        free_peer(peer);
}

void gn_io_memory_advance(struct gn_io *io, uint64_t nanoseconds)
{
    network_of(io)->now += nanoseconds;
}

const struct gn_io_operations gn_io_memory = {
    .name = "memory",
    .open = memory_open,
    .stop = memory_stop,
    .free = memory_free,
    .attach = memory_attach,
    .accept = memory_accept,
    .drain = memory_drain,
    .receive = memory_receive,
    .send = memory_send,
    .unsent = memory_unsent,
    .shut_down = memory_shut_down,
    .close = memory_close,
    .turn = memory_turn,
    .now = memory_now,
};
