/*
 * A world for the tests of what every backend promises (io.h): one io, its listener, the connections that it
 * accepted, and peers, which are loopback sockets, or the far ends of the network in memory. A SCENARIO is a test of
 * each backend.
 */
#ifndef GN_TEST_IO_WORLD_H
#define GN_TEST_IO_WORLD_H

#include "io/io.h"
#include "io/io_memory.h"
#include "io/listen.h"
#include "process.h"
#include "test.h"

#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define TURNS_MAX 200000
#define DEADLINE_SECONDS 30
#define TURN_WAIT UINT64_C(5000000)
#define LONG_WAIT UINT64_C(20000000000)

struct connection {
    struct gn_io_socket socket;
    struct world *world;
    uint8_t *input;
    size_t input_length, input_capacity;
    uint8_t *output; // stays in place while a send is pending
    size_t output_length, output_sent;
    size_t output_most; // bytes a send is asked for; 0: all
    bool waiting, was_waiting;
    ssize_t send_error;
    unsigned ends, errors, closes;
    int error;
    bool silent; // close was called: nothing but closed may come
};

struct world {
    const struct gn_io_operations *operations;
    bool kernel, late;
    struct gn_memory memory;
    struct gn_io_faults faults;
    struct gn_io *io;
    int wake;
    int listener_descriptor;
    struct sockaddr_storage address;
    struct gn_io_socket listener;
    unsigned listener_closes;
    struct connection *connections[CONNECTIONS_MAX];
    unsigned accepted, accept_failures, attach_failures;
    int accept_error;
    unsigned turns;
    time_t deadline;
    void (*on_received)(struct connection *connection, const uint8_t *bytes, size_t length);
    void (*on_closed)(struct connection *connection);
    struct connection *victim; // of the scenario
};

struct peer {
    int descriptor;
    struct gn_io_memory_peer *far;
};

static inline uint8_t pattern(size_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

/* ---- the loop's side ---- */

static inline struct connection *connection_of(struct gn_io_socket *socket)
{
    return (struct connection *)(void *)((char *)socket - offsetof(struct connection, socket));
}

static inline bool take_output(struct connection *connection, ssize_t result)
{
    if (result == -EINPROGRESS) {
        connection->waiting = connection->was_waiting = true;
        return false;
    }
    if (result < 0 && result != -EAGAIN) {
        connection->send_error = result;
        return false;
    }
    CHECK(result != 0);
    if (result > 0)
        connection->output_sent += (size_t)result;
    return true;
}

static inline void push(struct connection *connection)
{
    struct world *world = connection->world;
    while (!connection->waiting && connection->output_sent < connection->output_length) {
        size_t length = connection->output_length - connection->output_sent;
        if (connection->output_most > 0 && length > connection->output_most)
            length = connection->output_most;
        struct iovec part = {connection->output + connection->output_sent, length};
        if (!take_output(connection, world->operations->send(world->io, &connection->socket, &part, 1)))
            return;
    }
}

// Sends bytes on the heap, of exactly this length.
static inline void send_bytes(struct connection *connection, const void *bytes, size_t length)
{
    CHECK_EQ(connection->output_sent, connection->output_length);
    free(connection->output);
    connection->output = malloc(length);
    REQUIRE(connection->output != NULL);
    memcpy(connection->output, bytes, length);
    connection->output_length = length;
    connection->output_sent = 0;
    push(connection);
}

static inline void send_pattern(struct connection *connection, size_t length)
{
    uint8_t *bytes = malloc(length);
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < length; i++)
        bytes[i] = pattern(i);
    send_bytes(connection, bytes, length);
    free(bytes);
}

static inline bool all_sent(const struct connection *connection)
{
    return !connection->waiting && connection->output_sent == connection->output_length;
}

static inline void accepted(void *owner, struct gn_io_socket *listener, int result)
{
    struct world *world = owner;
    CHECK(listener == &world->listener);
    if (result < 0) {
        world->accept_failures++;
        world->accept_error = result;
        return;
    }
    REQUIRE(world->accepted < CONNECTIONS_MAX);
    struct connection *connection = calloc(1, sizeof *connection);
    REQUIRE(connection != NULL);
    connection->socket.descriptor = -1;
    connection->world = world;
    int attached = world->operations->attach(world->io, &connection->socket, result);
    if (attached < 0) {
        // Refused: the descriptor is still its owner's.
        world->attach_failures++;
        if (world->kernel)
            CHECK_EQ(close(result), 0);
        free(connection);
        return;
    }
    world->connections[world->accepted++] = connection;
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, true), 0);
}

static inline void received(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length)
{
    struct world *world = owner;
    struct connection *connection = connection_of(socket);
    CHECK(!connection->silent && connection->closes == 0);
    if (length < 0) {
        connection->errors++;
        connection->error = (int)length;
        return;
    }
    if (length == 0) {
        connection->ends++;
        return;
    }
    size_t needed = connection->input_length + (size_t)length;
    if (needed > connection->input_capacity) {
        connection->input_capacity = needed * 2;
        connection->input = realloc(connection->input, connection->input_capacity);
        REQUIRE(connection->input != NULL);
    }
    memcpy(connection->input + connection->input_length, bytes, (size_t)length);
    connection->input_length = needed;
    if (world->on_received != NULL)
        world->on_received(connection, bytes, (size_t)length);
}

static inline void sent(void *owner, struct gn_io_socket *socket, ssize_t result)
{
    (void)owner;
    struct connection *connection = connection_of(socket);
    CHECK(!connection->silent && connection->closes == 0);
    CHECK(connection->waiting);
    connection->waiting = false;
    if (take_output(connection, result))
        push(connection);
}

static inline void closed(void *owner, struct gn_io_socket *socket)
{
    struct world *world = owner;
    CHECK_EQ(socket->descriptor, -1);
    if (socket->listener) {
        world->listener_closes++;
        return;
    }
    struct connection *connection = connection_of(socket);
    connection->closes++;
    // From here on the bytes of a pending send are the owner's again: whoever reads them still is found out.
    free(connection->output);
    connection->output = NULL;
    if (world->on_closed != NULL)
        world->on_closed(connection);
}

static const struct gn_io_handler handler = {accepted, received, sent, closed};

static inline bool turn(struct world *world, uint64_t wait)
{
    int result = world->operations->turn(world->io, wait);
    CHECK(result >= 0);
    return result >= 0 && ++world->turns < TURNS_MAX && seconds_now() < world->deadline;
}

// Turns until the condition holds: at once, or it fails.
#define UNTIL(world, condition)                                                                                        \
    do {                                                                                                               \
        bool goes_on_ = true;                                                                                          \
        while (!(condition) && goes_on_)                                                                               \
            goes_on_ = turn((world), TURN_WAIT);                                                                       \
        CHECK(condition);                                                                                              \
    } while (0)

// Enough for everything that is underway to arrive.
static inline void turn_idly(struct world *world)
{
    for (int i = 0; i < 20; i++)
        turn(world, 0);
}

static inline void close_connection(struct connection *connection, bool reset)
{
    connection->silent = true;
    connection->world->operations->close(connection->world->io, &connection->socket, reset);
}

/* ---- the peers' side ---- */

static inline struct peer peer_connect(struct world *world)
{
    struct peer peer = {-1, NULL};
    if (!world->kernel) {
        peer.far = gn_io_memory_connect(world->io, world->listener_descriptor);
        REQUIRE(peer.far != NULL);
        return peer;
    }
    peer.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(peer.descriptor >= 0);
    REQUIRE(connect(peer.descriptor, (struct sockaddr *)&world->address, sizeof(struct sockaddr_in)) == 0);
    return peer;
}

// How many bytes found room.
static inline size_t peer_write(struct peer *peer, const void *bytes, size_t length)
{
    if (peer->far != NULL)
        return gn_io_memory_write(peer->far, bytes, length);
    ssize_t result = send(peer->descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return result < 0 ? 0 : (size_t)result;
}

static inline void peer_say(struct peer *peer, const char *text)
{
    CHECK_EQ(peer_write(peer, text, strlen(text)), strlen(text));
}

// Bytes, 0 for the end, -EAGAIN, or a negative errno.
static inline ssize_t peer_read(struct peer *peer, void *bytes, size_t length)
{
    if (peer->far == NULL) {
        ssize_t result = recv(peer->descriptor, bytes, length, MSG_DONTWAIT);
        return result < 0 ? -errno : result;
    }
    size_t result = gn_io_memory_read(peer->far, bytes, length);
    if (result > 0)
        return (ssize_t)result;
    return gn_io_memory_saw_reset(peer->far) ? -ECONNRESET : gn_io_memory_saw_end(peer->far) ? 0 : -EAGAIN;
}

static inline void peer_finish(struct peer *peer)
{
    if (peer->far != NULL)
        gn_io_memory_finish(peer->far);
    else
        CHECK_EQ(shutdown(peer->descriptor, SHUT_WR), 0);
}

static inline void peer_close(struct peer *peer)
{
    gn_io_memory_peer_free(peer->far);
    if (peer->descriptor >= 0)
        CHECK_EQ(close(peer->descriptor), 0);
    *peer = (struct peer){-1, NULL};
}

static inline void peer_reset(struct peer *peer)
{
    if (peer->far != NULL) {
        gn_io_memory_reset(peer->far);
        return;
    }
    struct linger linger = {1, 0};
    CHECK_EQ(setsockopt(peer->descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    peer_close(peer);
}

static inline void peer_expect(struct world *world, struct peer *peer, const char *text)
{
    char bytes[4096];
    size_t length = 0, expected = strlen(text);
    bool goes_on = true;
    while (length < expected && goes_on) {
        ssize_t result = peer_read(peer, bytes + length, expected - length);
        if (result > 0)
            length += (size_t)result;
        else if (result == -EAGAIN)
            goes_on = turn(world, TURN_WAIT);
        else
            break;
    }
    CHECK_BYTES(bytes, length, text);
}

// What comes after all bytes: 0 or the errno.
static inline ssize_t peer_ending(struct world *world, struct peer *peer)
{
    char bytes[4096];
    ssize_t result;
    bool goes_on = true;
    do {
        result = peer_read(peer, bytes, sizeof bytes);
        if (result == -EAGAIN)
            goes_on = turn(world, TURN_WAIT);
    } while ((result > 0 || result == -EAGAIN) && goes_on);
    return result;
}

// Writes `total` bytes of the pattern, and turns until the connection has them all.
static inline void stream_in(struct world *world, struct peer *peer, struct connection *connection, size_t total)
{
    static uint8_t bytes[1 << 20];
    REQUIRE(total <= sizeof bytes);
    size_t written = 0;
    for (size_t i = 0; i < total; i++)
        bytes[i] = pattern(i);
    connection->input_length = 0;
    bool goes_on = true;
    while (connection->input_length < total && goes_on) {
        size_t length = total - written < 40000 ? total - written : 40000;
        if (length > 0)
            written += peer_write(peer, bytes + written, length);
        goes_on = turn(world, TURN_WAIT);
    }
    CHECK_EQ(connection->input_length, total);
    CHECK(connection->input_length == total && memcmp(connection->input, bytes, total) == 0);
}

/* ---- scenarios ---- */

static inline int world_open(struct world *world)
{
    const char *detail = NULL;
    struct gn_io_config config = {
        .memory = &world->memory,
        .faults = &world->faults,
        .submission_entries = 16, // few of everything, so that running out is usual
        .completion_entries = 64,
        .receive_buffers = 16,
        .receive_buffer_bytes = 4096,
        .wake_descriptor = world->wake,
    };
    int result = world->operations->open(&world->io, &config, &handler, world, &detail);
    CHECK(result == 0 || detail != NULL);
    return result;
}

static inline void listen_on(struct world *world)
{
    if (!world->kernel) {
        world->listener_descriptor = gn_io_memory_descriptor(world->io);
        gn_io_memory_late(world->io, world->late);
    } else {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        world->listener_descriptor = gn_listen_open((struct sockaddr *)&address, sizeof address, 512, false, false);
        REQUIRE(world->listener_descriptor >= 0);
        REQUIRE(gn_listen_address(world->listener_descriptor, &world->address) == 0);
    }
    world->listener = (struct gn_io_socket){.descriptor = -1, .listener = true};
    REQUIRE(world->operations->attach(world->io, &world->listener, world->listener_descriptor) == 0);
    REQUIRE(world->operations->accept(world->io, &world->listener, true) == 0);
}

static inline void run(const struct gn_io_operations *operations, bool late, void (*scenario)(struct world *))
{
    unsigned descriptors = count_descriptors();
    struct world *world = calloc(1, sizeof *world);
    REQUIRE(world != NULL);
    world->operations = operations;
    world->kernel = operations != &gn_io_memory;
    world->late = late;
    world->deadline = seconds_now() + DEADLINE_SECONDS;
    world->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    REQUIRE(world->wake >= 0);
    int result = world_open(world);
    if (operations == &gn_io_uring && (result == -EPERM || result == -ENOSYS)) {
        printf("     (io_uring is not to be had here)\n");
    } else {
        REQUIRE(result == 0);
        listen_on(world);
        scenario(world);
        CHECK_EQ(operations->stop(world->io, LONG_WAIT), 0);
        CHECK_EQ(world->listener_closes, 1);
        for (unsigned i = 0; i < world->accepted; i++) {
            CHECK_EQ(world->connections[i]->closes, 1);
            free(world->connections[i]->input);
            free(world->connections[i]);
        }
        operations->free(world->io);
    }
    CHECK_EQ(close(world->wake), 0);
    CHECK_EQ(world->memory.blocks, 0);
    CHECK_EQ(world->memory.used, 0);
    CHECK_EQ(count_descriptors(), descriptors);
    free(world);
}

#define KERNEL_SCENARIO(name)                                                                                          \
    static void name(struct world *world);                                                                             \
    TEST(uring_##name)                                                                                                 \
    {                                                                                                                  \
        run(&gn_io_uring, false, name);                                                                                \
    }                                                                                                                  \
    TEST(epoll_##name)                                                                                                 \
    {                                                                                                                  \
        run(&gn_io_epoll, false, name);                                                                                \
    }                                                                                                                  \
    static void name(struct world *world)

#define SCENARIO(name)                                                                                                 \
    static void name(struct world *world);                                                                             \
    TEST(memory_##name)                                                                                                \
    {                                                                                                                  \
        run(&gn_io_memory, false, name);                                                                               \
    }                                                                                                                  \
    TEST(late_memory_##name)                                                                                           \
    {                                                                                                                  \
        run(&gn_io_memory, true, name);                                                                                \
    }                                                                                                                  \
    KERNEL_SCENARIO(name)

// The next connection, accepted and receiving.
static inline struct connection *connect_one(struct world *world, struct peer *peer)
{
    unsigned before = world->accepted;
    *peer = peer_connect(world);
    UNTIL(world, world->accepted > before);
    REQUIRE(world->accepted > before);
    return world->connections[before];
}

static inline void echo(struct connection *connection, const uint8_t *bytes, size_t length)
{
    send_bytes(connection, bytes, length);
}

#endif
