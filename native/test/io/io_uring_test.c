/*
 * What only the io_uring backend can get wrong: queues and buffers that are too small, cancels that meet completions,
 * and kernels that refuse. What every backend does is in io_test.c.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/io.h"
#include "io/io_uring_ring.h"
#include "test.h"

#define SECOND 1000000000u
#define CONNECTIONS 80 // more than the backend has places for sends of many parts
#define BIG (8u << 20) // more than the buffers of a loopback connection hold

// A connection: the backend's end, and the peer's.
struct connection {
    struct gn_io_socket socket;
    int peer;
    uint64_t received;
    uint64_t bad; // bytes that were not what they should be
    unsigned pieces;
    int end;            // 1: the peer's end came, < 0: errno
    ssize_t sent;       // the last result
    size_t sent_total;  // of all results
    unsigned completed; // sends
    unsigned closed;
    bool off_after_piece;
    bool close_after_piece;
};

struct world {
    struct gn_memory memory;
    struct gn_io_faults faults;
    struct gn_io_config config;
    struct gn_io *io;
    struct gn_io_socket listener;
    struct sockaddr_in address;
    struct connection connections[CONNECTIONS];
    unsigned accepted, closed;
    int accept_error;
    bool drain_at_first;
    bool close_at_first;
};

static const struct gn_io_operations *const io_uring = &gn_io_uring;

static uint8_t byte_at(uint64_t position)
{
    return (uint8_t)(position * 31 + (position >> 8));
}

static void on_accepted(void *owner, struct gn_io_socket *listener, int result)
{
    struct world *world = owner;
    CHECK(listener == &world->listener);
    if (result < 0) {
        world->accept_error = result;
        return;
    }
    REQUIRE(world->accepted < CONNECTIONS);
    CHECK((fcntl(result, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(result, F_GETFD) & FD_CLOEXEC) != 0);
    struct connection *connection = &world->connections[world->accepted++];
    CHECK_EQ(io_uring->attach(world->io, &connection->socket, result), 0);
    if (world->close_at_first)
        io_uring->close(world->io, listener, false);
    if (world->drain_at_first) {
        world->drain_at_first = false;
        CHECK_EQ(io_uring->accept(world->io, listener, false), 0);
        CHECK_EQ(io_uring->drain(world->io, listener, 0), 0);
        io_uring->close(world->io, listener, false);
    }
}

static void on_received(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length)
{
    struct world *world = owner;
    struct connection *connection = (struct connection *)socket;
    CHECK_EQ(connection->end, 0);
    CHECK_EQ(connection->closed, 0);
    if (length <= 0) {
        connection->end = length == 0 ? 1 : (int)length;
        return;
    }
    for (ssize_t i = 0; i < length; i++)
        connection->bad += bytes[i] != byte_at(connection->received++);
    connection->pieces++;
    if (connection->off_after_piece)
        CHECK_EQ(io_uring->receive(world->io, socket, false), 0);
    if (connection->close_after_piece)
        io_uring->close(world->io, socket, false);
}

static void on_sent(void *owner, struct gn_io_socket *socket, ssize_t result)
{
    (void)owner;
    struct connection *connection = (struct connection *)socket;
    CHECK_EQ(connection->closed, 0);
    connection->sent = result;
    connection->sent_total += result > 0 ? (size_t)result : 0;
    connection->completed++;
}

static void on_closed(void *owner, struct gn_io_socket *socket)
{
    struct world *world = owner;
    world->closed++;
    CHECK_EQ(socket->descriptor, -1);
    CHECK_EQ(socket->operations, 0); // the kernel owes nothing any more
    if (socket != &world->listener)
        ((struct connection *)socket)->closed++;
}

static const struct gn_io_handler handler = {on_accepted, on_received, on_sent, on_closed};

static struct world *new_world(void)
{
    struct world *world = calloc(1, sizeof *world);
    REQUIRE(world != NULL);
    world->config = (struct gn_io_config){.memory = &world->memory, .faults = &world->faults, .wake_descriptor = -1};
    world->listener = (struct gn_io_socket){.descriptor = -1, .listener = true};
    for (unsigned i = 0; i < CONNECTIONS; i++)
        world->connections[i] = (struct connection){.socket.descriptor = -1, .peer = -1};
    return world;
}

static void open_world(struct world *world)
{
    const char *detail = NULL;
    int error = io_uring->open(&world->io, &world->config, &handler, world, &detail);
    if (error < 0)
        fprintf(stderr, "io_uring: %s (%d)\n", detail, error);
    REQUIRE(error == 0);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(descriptor >= 0);
    world->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof world->address;
    REQUIRE(bind(descriptor, (struct sockaddr *)&world->address, length) == 0);
    REQUIRE(listen(descriptor, 1024) == 0);
    REQUIRE(getsockname(descriptor, (struct sockaddr *)&world->address, &length) == 0);
    REQUIRE(io_uring->attach(world->io, &world->listener, descriptor) == 0);
}

static void turn(struct world *world)
{
    int result = io_uring->turn(world->io, 5ull * SECOND);
    if (result < 0)
        fprintf(stderr, "turn: %s\n", strerror(-result));
    REQUIRE(result >= 0);
}

// Turns until it is so; a test that hangs fails instead.
#define TURN_UNTIL(world, condition)                                                                                   \
    do {                                                                                                               \
        uint64_t begin_ = io_uring->now((world)->io);                                                                  \
        while (!(condition) && io_uring->now((world)->io) - begin_ < 20ull * SECOND)                                   \
            turn(world);                                                                                               \
        CHECK(condition);                                                                                              \
    } while (0)

// Lets everything happen that can without anything new from outside.
static void turn_until_quiet(struct world *world)
{
    for (int i = 0; i < 100; i++)
        REQUIRE(io_uring->turn(world->io, 0) >= 0);
}

static int connect_peer(struct world *world)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(descriptor >= 0);
    REQUIRE(connect(descriptor, (struct sockaddr *)&world->address, sizeof world->address) == 0);
    return descriptor;
}

// One accepted connection; the first has index 0.
static struct connection *connect_one(struct world *world)
{
    unsigned index = world->accepted;
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    int peer = connect_peer(world);
    TURN_UNTIL(world, world->accepted == index + 1);
    world->connections[index].peer = peer;
    return &world->connections[index];
}

static void connect_many(struct world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        connect_one(world);
}

static void write_pattern(int descriptor, uint64_t position, size_t length)
{
    uint8_t *bytes = malloc(length);
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(position + i);
    REQUIRE(write(descriptor, bytes, length) == (ssize_t)length);
    free(bytes);
}

// Reads until `length` bytes or the end; checks them; returns how many came, or -errno.
static ssize_t read_pattern(int descriptor, size_t length)
{
    uint8_t bytes[65536];
    size_t done = 0;
    while (done < length) {
        ssize_t count = read(descriptor, bytes, length - done < sizeof bytes ? length - done : sizeof bytes);
        if (count <= 0)
            return count < 0 ? -errno : (ssize_t)done;
        for (ssize_t i = 0; i < count; i++)
            REQUIRE(bytes[i] == byte_at(done + (size_t)i));
        done += (size_t)count;
    }
    return (ssize_t)done;
}

static unsigned open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    REQUIRE(directory != NULL);
    unsigned count = 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void end_world(struct world *world)
{
    CHECK_EQ(io_uring->stop(world->io, 20ull * SECOND), 0);
    CHECK_EQ(world->closed, world->accepted + 1);
    io_uring->free(world->io);
    CHECK_EQ(world->memory.used, 0);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        CHECK_EQ(world->connections[i].bad, 0);
        CHECK_EQ(world->connections[i].closed, i < world->accepted);
        if (world->connections[i].peer >= 0)
            close(world->connections[i].peer);
    }
    free(world);
}

static uint8_t *new_pattern(size_t length)
{
    uint8_t *bytes = malloc(length);
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(i);
    return bytes;
}

static ssize_t send_bytes(struct world *world, struct connection *connection, uint8_t *bytes, size_t length)
{
    return io_uring->send(world->io, &connection->socket, &(struct iovec){bytes, length}, 1);
}

// ---- queues and buffers that are too small ----

TEST(completions_that_do_not_fit_into_the_queue_are_not_lost)
{
    struct world *world = new_world();
    world->config.submission_entries = 2;
    world->config.completion_entries = 4;
    open_world(world);
    connect_many(world, CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, true), 0);
    turn_until_quiet(world);
    uint8_t *bytes = new_pattern(1000);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < CONNECTIONS; i++)
            write_pattern(world->connections[i].peer, world->connections[i].received, 100);
        for (unsigned i = 0; i < CONNECTIONS; i++)
            TURN_UNTIL(world, world->connections[i].received == (round + 1) * 100);
        // Many sends in one turn: each pair fills the submission queue.
        for (unsigned i = 0; i < CONNECTIONS; i++)
            CHECK_EQ(send_bytes(world, &world->connections[i], bytes, 1000), -EINPROGRESS);
        for (unsigned i = 0; i < CONNECTIONS; i++)
            TURN_UNTIL(world, world->connections[i].completed == round + 1);
        for (unsigned i = 0; i < CONNECTIONS; i++)
            CHECK_EQ(read_pattern(world->connections[i].peer, 1000), 1000);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++)
        io_uring->close(world->io, &world->connections[i].socket, false);
    TURN_UNTIL(world, world->closed == CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        CHECK_EQ(read_pattern(world->connections[i].peer, 1), 0);
    free(bytes);
    end_world(world);
}

TEST(a_burst_of_connections_overflows_the_completion_queue_and_all_are_accepted)
{
    struct world *world = new_world();
    world->config.submission_entries = 1;
    world->config.completion_entries = 2;
    open_world(world);
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    turn_until_quiet(world);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        world->connections[i].peer = connect_peer(world);
    TURN_UNTIL(world, world->accepted == CONNECTIONS);
    end_world(world);
}

TEST(polling_without_a_wait_gets_what_did_not_fit)
{
    struct world *world = new_world();
    world->config.submission_entries = 1;
    world->config.completion_entries = 2;
    open_world(world);
    connect_many(world, 16);
    for (unsigned i = 0; i < 16; i++) {
        write_pattern(world->connections[i].peer, 0, 100);
        CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, true), 0);
    }
    uint64_t begin = io_uring->now(world->io);
    unsigned complete = 0;
    while (complete < 16 && io_uring->now(world->io) - begin < 20ull * SECOND) {
        REQUIRE(io_uring->turn(world->io, 0) >= 0);
        complete = 0;
        for (unsigned i = 0; i < 16; i++)
            complete += world->connections[i].received == 100;
    }
    CHECK_EQ(complete, 16);
    end_world(world);
}

TEST(connections_without_a_buffer_wait_for_one_and_lose_nothing)
{
    struct world *world = new_world();
    world->config.receive_buffers = 2;
    world->config.receive_buffer_bytes = 64;
    open_world(world);
    connect_many(world, CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        write_pattern(world->connections[i].peer, 0, 5000);
        REQUIRE(shutdown(world->connections[i].peer, SHUT_WR) == 0);
        CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, true), 0);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++)
        TURN_UNTIL(world, world->connections[i].end != 0);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        CHECK_EQ(world->connections[i].received, 5000);
        CHECK_EQ(world->connections[i].end, 1);
    }
    end_world(world);
}

TEST(a_connection_that_waits_for_a_buffer_can_be_turned_off_and_closed)
{
    struct world *world = new_world();
    world->config.receive_buffers = 1;
    world->config.receive_buffer_bytes = 16;
    open_world(world);
    connect_many(world, 6);
    for (unsigned i = 0; i < 6; i++) {
        write_pattern(world->connections[i].peer, 0, 4000);
        CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, true), 0);
    }
    turn(world);
    CHECK_EQ(io_uring->receive(world->io, &world->connections[1].socket, false), 0);
    CHECK_EQ(io_uring->receive(world->io, &world->connections[2].socket, false), 0);
    CHECK_EQ(io_uring->receive(world->io, &world->connections[2].socket, true), 0);
    io_uring->close(world->io, &world->connections[3].socket, false);
    TURN_UNTIL(world, world->connections[0].received == 4000 && world->connections[2].received == 4000 &&
                          world->connections[5].received == 4000 && world->connections[3].closed == 1);
    CHECK(world->connections[1].received < 4000);
    CHECK_EQ(io_uring->receive(world->io, &world->connections[1].socket, true), 0);
    TURN_UNTIL(world, world->connections[1].received == 4000);
    end_world(world);
}

TEST(more_sends_of_many_parts_in_a_turn_than_there_is_room_to_describe)
{
    struct world *world = new_world();
    open_world(world);
    connect_many(world, CONNECTIONS);
    uint8_t *bytes = new_pattern(GN_IO_SEND_PARTS * (20 + CONNECTIONS));
    for (unsigned round = 1; round <= 3; round++) {
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            struct iovec parts[GN_IO_SEND_PARTS];
            for (unsigned part = 0; part < GN_IO_SEND_PARTS; part++)
                parts[part] = (struct iovec){bytes + part * (20 + i), 20 + i};
            CHECK_EQ(io_uring->send(world->io, &world->connections[i].socket, parts, GN_IO_SEND_PARTS), -EINPROGRESS);
            memset(parts, 0xff, sizeof parts); // the array is the caller's again
        }
        for (unsigned i = 0; i < CONNECTIONS; i++)
            TURN_UNTIL(world, world->connections[i].completed == round);
        for (unsigned i = 0; i < CONNECTIONS; i++) {
            REQUIRE(world->connections[i].sent == GN_IO_SEND_PARTS * (20 + i));
            CHECK_EQ(read_pattern(world->connections[i].peer, GN_IO_SEND_PARTS * (20 + i)), world->connections[i].sent);
        }
    }
    free(bytes);
    end_world(world);
}

// ---- cancels ----

TEST(receiving_that_is_off_delivers_nothing_new_and_goes_on_where_it_stopped)
{
    struct world *world = new_world();
    open_world(world);
    struct connection *connection = connect_one(world);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    write_pattern(connection->peer, 0, 10);
    TURN_UNTIL(world, connection->received == 10);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, false), 0);
    turn_until_quiet(world);
    write_pattern(connection->peer, 10, 10);
    turn_until_quiet(world);
    CHECK_EQ(connection->received, 10);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    TURN_UNTIL(world, connection->received == 20);
    end_world(world);
}

TEST(data_before_the_cancel_still_comes)
{
    struct world *world = new_world();
    open_world(world);
    struct connection *connection = connect_one(world);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    turn_until_quiet(world);
    write_pattern(connection->peer, 0, 10);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, false), 0);
    turn_until_quiet(world);
    CHECK(connection->received == 0 || connection->received == 10);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    TURN_UNTIL(world, connection->received == 10);
    end_world(world);
}

// Each has more to deliver than the kernel takes up at a time: the cancels meet work that is still queued there.
TEST(many_connections_turned_off_amid_a_flood_are_all_off_in_the_end)
{
    struct world *world = new_world();
    world->config.receive_buffers = 8192;
    world->config.receive_buffer_bytes = 32;
    open_world(world);
    connect_many(world, CONNECTIONS);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        write_pattern(world->connections[i].peer, 0, 20000);
        CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, true), 0);
    }
    turn(world);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, false), 0);
    turn_until_quiet(world);
    uint64_t received[CONNECTIONS];
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        received[i] = world->connections[i].received;
        write_pattern(world->connections[i].peer, 20000, 32);
    }
    turn_until_quiet(world);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        CHECK_EQ(world->connections[i].received, received[i]);
        CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, true), 0);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++)
        TURN_UNTIL(world, world->connections[i].received == 20032);
    end_world(world);
}

// All orders of on, off and turns of a length, while data comes: nothing is lost, doubled or out of order.
TEST(every_order_of_on_and_off_and_turns_while_data_comes)
{
    struct world *world = new_world();
    world->config.receive_buffers = 4;
    world->config.receive_buffer_bytes = 32;
    open_world(world);
    struct connection *connection = connect_one(world);
    uint64_t written = 0;
    for (unsigned order = 0; order < 1024; order++) {
        for (unsigned step = order, left = 5; left > 0; left--, step /= 4) {
            switch (step % 4) {
            case 0:
                CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
                break;
            case 1:
                CHECK_EQ(io_uring->receive(world->io, &connection->socket, false), 0);
                break;
            case 2:
                write_pattern(connection->peer, written, 50);
                written += 50;
                break;
            default:
                REQUIRE(io_uring->turn(world->io, 0) >= 0);
                break;
            }
        }
        if (order % 64 == 63) {
            CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
            TURN_UNTIL(world, connection->received == written);
        }
    }
    CHECK_EQ(connection->bad, 0);
    REQUIRE(shutdown(connection->peer, SHUT_WR) == 0);
    TURN_UNTIL(world, connection->end == 1);
    CHECK_EQ(connection->received, written);
    end_world(world);
}

TEST(turning_off_from_the_callback_again_and_again)
{
    struct world *world = new_world();
    world->config.receive_buffers = 8;
    world->config.receive_buffer_bytes = 100;
    open_world(world);
    struct connection *connection = connect_one(world);
    connection->off_after_piece = true;
    write_pattern(connection->peer, 0, 100000);
    REQUIRE(shutdown(connection->peer, SHUT_WR) == 0);
    while (connection->end == 0) {
        unsigned pieces = connection->pieces;
        CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
        TURN_UNTIL(world, connection->pieces > pieces || connection->end != 0);
    }
    CHECK_EQ(connection->received, 100000);
    end_world(world);
}

/* Sends until the socket is full: one send is pending then. Returns how many were complete before. */
static unsigned fill(struct world *world, struct connection *connection, uint8_t *bytes)
{
    unsigned sends = 0;
    do {
        size_t sent = connection->sent_total;
        CHECK_EQ(send_bytes(world, connection, bytes + sent, BIG - sent), -EINPROGRESS);
        turn_until_quiet(world);
    } while (connection->completed == ++sends);
    return sends - 1;
}

TEST(a_send_to_a_peer_that_does_not_read_can_be_closed)
{
    struct world *world = new_world();
    open_world(world);
    struct connection *connection = connect_one(world);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    uint8_t *bytes = new_pattern(BIG);
    unsigned completed = fill(world, connection, bytes);
    io_uring->close(world->io, &connection->socket, false);
    TURN_UNTIL(world, connection->closed == 1);
    free(bytes); // the kernel is done with them
    CHECK_EQ(connection->completed, completed);
    // What the kernel had taken still arrives, and then the end.
    ssize_t length = read_pattern(connection->peer, BIG);
    CHECK(length > 0 && length < BIG);
    end_world(world);
}

TEST(D10_a_send_to_a_peer_that_reads_late_reports_its_progress)
{
    struct world *world = new_world();
    open_world(world);
    struct connection *connection = connect_one(world);
    uint8_t *bytes = new_pattern(BIG);
    unsigned sends = fill(world, connection, bytes) + 1;
    CHECK_EQ(send_bytes(world, connection, bytes, 1), -EALREADY);
    uint8_t *copy = malloc(BIG);
    REQUIRE(copy != NULL);
    size_t length = 0;
    REQUIRE(fcntl(connection->peer, F_SETFL, O_NONBLOCK) == 0);
    while (length < BIG) {
        ssize_t count = read(connection->peer, copy + length, BIG - length);
        if (count > 0)
            length += (size_t)count;
        else
            REQUIRE(count < 0 && errno == EAGAIN);
        REQUIRE(io_uring->turn(world->io, 0) >= 0);
        size_t sent = connection->sent_total;
        if (connection->completed < sends || sent == BIG)
            continue;
        // In two parts, of which the first is a single byte.
        struct iovec parts[2] = {{bytes + sent, 1}, {bytes + sent + 1, BIG - sent - 1}};
        CHECK_EQ(io_uring->send(world->io, &connection->socket, parts, sent + 1 < BIG ? 2 : 1), -EINPROGRESS);
        sends++;
    }
    TURN_UNTIL(world, connection->sent_total == BIG);
    CHECK(memcmp(bytes, copy, BIG) == 0);
    free(bytes);
    free(copy);
    end_world(world);
}

static void *read_to_the_end(void *argument)
{
    return (void *)(intptr_t)read_pattern(*(int *)argument, BIG);
}

TEST(a_send_is_closed_at_any_moment_while_the_peer_reads)
{
    struct world *world = new_world();
    open_world(world);
    uint8_t *bytes = new_pattern(BIG);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct connection *connection = connect_one(world);
        pthread_t reader;
        REQUIRE(pthread_create(&reader, NULL, read_to_the_end, &connection->peer) == 0);
        CHECK_EQ(send_bytes(world, connection, bytes, BIG), -EINPROGRESS);
        for (unsigned turns = 0; turns < i * 3; turns++)
            REQUIRE(io_uring->turn(world->io, 0) >= 0);
        io_uring->close(world->io, &connection->socket, false);
        TURN_UNTIL(world, connection->closed == 1);
        void *length;
        REQUIRE(pthread_join(reader, &length) == 0);
        CHECK((intptr_t)length >= 0 && (intptr_t)length <= BIG);
    }
    free(bytes);
    end_world(world);
}

TEST(a_send_queued_before_the_close_still_leaves_and_then_the_end)
{
    struct world *world = new_world();
    open_world(world);
    struct connection *connection = connect_one(world);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    turn_until_quiet(world);
    uint8_t *bytes = new_pattern(1000);
    CHECK_EQ(send_bytes(world, connection, bytes, 1000), -EINPROGRESS);
    io_uring->close(world->io, &connection->socket, false);
    turn(world); // one is enough: no second one is needed for the FIN to leave
    struct timeval limit = {.tv_sec = 10};
    REQUIRE(setsockopt(connection->peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    CHECK_EQ(read_pattern(connection->peer, 2000), 1000);
    TURN_UNTIL(world, connection->closed == 1);
    CHECK_EQ(connection->completed, 0);
    free(bytes);
    end_world(world);
}

TEST(close_from_the_callback_ends_all_callbacks_but_closed)
{
    struct world *world = new_world();
    world->config.receive_buffer_bytes = 64;
    open_world(world);
    struct connection *connection = connect_one(world);
    connection->close_after_piece = true;
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    write_pattern(connection->peer, 0, 6400);
    TURN_UNTIL(world, connection->closed == 1);
    CHECK_EQ(connection->pieces, 1);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), -EBADF);
    end_world(world);
}

TEST(connections_that_are_closed_amid_their_input_keep_no_buffer)
{
    struct world *world = new_world();
    world->config.receive_buffers = 4;
    world->config.receive_buffer_bytes = 64;
    open_world(world);
    for (unsigned i = 0; i < 20; i++) {
        struct connection *connection = connect_one(world);
        connection->close_after_piece = i % 2 == 0;
        CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
        turn_until_quiet(world);
        write_pattern(connection->peer, 0, 6400);
        if (i % 2 != 0)
            io_uring->close(world->io, &connection->socket, false); // its input is among the completions
        TURN_UNTIL(world, connection->closed == 1);
    }
    struct connection *last = connect_one(world);
    CHECK_EQ(io_uring->receive(world->io, &last->socket, true), 0);
    write_pattern(last->peer, 0, 6400);
    TURN_UNTIL(world, last->received == 6400);
    end_world(world);
}

TEST(a_reset_reaches_the_peer_as_a_reset)
{
    struct world *world = new_world();
    open_world(world);
    struct connection *connection = connect_one(world);
    CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
    turn_until_quiet(world);
    io_uring->close(world->io, &connection->socket, true);
    TURN_UNTIL(world, connection->closed == 1);
    CHECK_EQ(read_pattern(connection->peer, 1), -ECONNRESET);
    end_world(world);
}

TEST(slots_used_again_at_once_never_see_what_is_of_an_earlier_connection)
{
    struct world *world = new_world();
    world->config.completion_entries = 8;
    world->config.submission_entries = 4;
    open_world(world);
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    struct connection *connection = &world->connections[0];
    for (unsigned i = 0; i < 500; i++) {
        *connection = (struct connection){.socket.descriptor = -1, .peer = connect_peer(world)};
        world->accepted = world->closed = 0;
        TURN_UNTIL(world, world->accepted == 1);
        CHECK_EQ(io_uring->receive(world->io, &connection->socket, true), 0);
        if (i % 3 != 0)
            REQUIRE(io_uring->turn(world->io, 0) >= 0);
        write_pattern(connection->peer, 0, 1 + i % 100);
        if (i % 2 == 0)
            TURN_UNTIL(world, connection->received == 1 + i % 100);
        io_uring->close(world->io, &connection->socket, i % 5 == 0);
        if (i % 7 == 0)
            close(connection->peer);
        TURN_UNTIL(world, world->closed == 1);
        if (i % 7 != 0)
            close(connection->peer);
        connection->peer = -1;
        CHECK_EQ(connection->bad, 0);
    }
    world->closed = 1;
    end_world(world);
}

// ---- accepting ----

TEST(accepting_that_is_off_leaves_connections_to_the_kernel_and_drain_gets_them_all)
{
    struct world *world = new_world();
    open_world(world);
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    turn_until_quiet(world);
    for (unsigned i = 0; i < 10; i++)
        world->connections[i].peer = connect_peer(world);
    CHECK_EQ(io_uring->accept(world->io, &world->listener, false), 0);
    CHECK_EQ(io_uring->drain(world->io, &world->listener, 0), 0);
    CHECK_EQ(world->accepted, 10);
    io_uring->close(world->io, &world->listener, false);
    TURN_UNTIL(world, world->closed == 1);
    CHECK_EQ(world->accepted, 10);
    end_world(world);
}

TEST(drain_finds_connections_that_are_accepted_but_not_delivered_yet)
{
    struct world *world = new_world();
    open_world(world);
    for (unsigned i = 0; i < 10; i++)
        world->connections[i].peer = connect_peer(world);
    world->drain_at_first = true;
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    TURN_UNTIL(world, world->closed == 1); // the listener, closed from the callback of the first connection
    CHECK_EQ(world->accepted, 10);
    end_world(world);
}

TEST(a_listener_that_is_closed_lets_go_of_its_port)
{
    struct world *world = new_world();
    open_world(world);
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    turn_until_quiet(world);
    io_uring->close(world->io, &world->listener, false);
    TURN_UNTIL(world, world->closed == 1);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(descriptor >= 0);
    CHECK_EQ(bind(descriptor, (struct sockaddr *)&world->address, sizeof world->address), 0);
    close(descriptor);
    end_world(world);
}

TEST(a_listener_that_is_closed_keeps_no_connection_that_was_accepted_but_not_delivered)
{
    unsigned before = open_descriptors();
    for (unsigned fail = 0; fail < 2; fail++) {
        struct world *world = new_world();
        open_world(world);
        int peers[10];
        for (unsigned i = 0; i < 10; i++)
            peers[i] = connect_peer(world);
        world->faults.error[GN_IO_OP_ACCEPT] = fail ? EMFILE : 0;
        world->faults.once[GN_IO_OP_ACCEPT] = true;
        world->close_at_first = true;
        CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
        TURN_UNTIL(world, world->closed == 1);
        CHECK_EQ(world->accepted, 1);
        end_world(world);
        for (unsigned i = 0; i < 10; i++)
            close(peers[i]);
    }
    CHECK_EQ(open_descriptors(), before);
}

TEST(D13_accepting_stops_when_descriptors_run_out_and_goes_on_later)
{
    struct world *world = new_world();
    open_world(world);
    int peer = connect_peer(world);
    struct rlimit limit, none;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0); // the kernel looks at it when an accept begins
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    TURN_UNTIL(world, world->accept_error != 0);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_EQ(world->accept_error, -EMFILE);
    CHECK_EQ(world->accepted, 0);
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    TURN_UNTIL(world, world->accepted == 1);
    world->connections[0].peer = peer;
    end_world(world);
}

TEST(an_accept_that_a_test_made_fail_is_not_a_connection_lost)
{
    struct world *world = new_world();
    open_world(world);
    world->faults.error[GN_IO_OP_ACCEPT] = EMFILE;
    world->faults.once[GN_IO_OP_ACCEPT] = true;
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    world->connections[0].peer = connect_peer(world);
    TURN_UNTIL(world, world->accept_error != 0);
    CHECK_EQ(world->accept_error, -EMFILE);
    CHECK_EQ(world->accepted, 0);
    CHECK_EQ(io_uring->accept(world->io, &world->listener, true), 0);
    TURN_UNTIL(world, world->accepted == 1);
    end_world(world);
}

// ---- waking ----

#define WAKES 2000

static void *wake_often(void *argument)
{
    int *pair = argument; // written to after each wake was seen
    for (unsigned i = 0; i < WAKES; i++) {
        uint64_t one = 1;
        REQUIRE(write(pair[0], &one, sizeof one) == sizeof one);
        REQUIRE(read(pair[1], &one, sizeof one) == sizeof one);
    }
    return NULL;
}

TEST(every_write_to_the_wake_descriptor_ends_a_wait)
{
    struct world *world = new_world();
    int pair[2] = {eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)};
    REQUIRE(pair[0] >= 0 && pair[1] >= 0);
    world->config.wake_descriptor = pair[0];
    world->config.completion_entries = 2;
    world->config.submission_entries = 1;
    open_world(world);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, wake_often, pair) == 0);
    for (unsigned i = 0; i < WAKES; i++) {
        int result;
        while ((result = io_uring->turn(world->io, 10ull * SECOND)) == 0)
            REQUIRE(false); // a wait of ten seconds that nothing ended
        REQUIRE(result == 1);
        uint64_t one = 1;
        REQUIRE(write(pair[1], &one, sizeof one) == sizeof one);
    }
    REQUIRE(pthread_join(thread, NULL) == 0);
    end_world(world);
    close(pair[0]);
    close(pair[1]);
}

// ---- the beginning and the end ----

TEST(stop_ends_every_kind_of_operation_and_leaves_no_descriptor)
{
    unsigned before = open_descriptors();
    struct world *world = new_world();
    int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    REQUIRE(wake >= 0);
    world->config.wake_descriptor = wake;
    open_world(world);
    connect_many(world, 8);
    uint8_t *bytes = new_pattern(BIG);
    for (unsigned i = 0; i < 8; i++) {
        if (i % 2 == 0)
            CHECK_EQ(io_uring->receive(world->io, &world->connections[i].socket, true), 0);
        if (i % 4 > 1)
            CHECK_EQ(send_bytes(world, &world->connections[i], bytes, BIG), -EINPROGRESS);
    }
    turn_until_quiet(world);
    // One that was never handed over, and one that is closing already.
    CHECK_EQ(send_bytes(world, &world->connections[0], bytes, BIG), -EINPROGRESS);
    io_uring->close(world->io, &world->connections[2].socket, true);
    end_world(world);
    free(bytes);
    close(wake);
    CHECK_EQ(open_descriptors(), before);
}

TEST(a_setup_that_fails_at_any_step_leaves_nothing_and_says_where)
{
    unsigned before = open_descriptors();
    struct world *world = new_world();
    unsigned failures = 0;
    int error;
    do {
        const char *detail = NULL;
        world->faults.error[GN_IO_OP_SETUP] = ENOMEM;
        world->faults.countdown[GN_IO_OP_SETUP] = failures;
        error = io_uring->open(&world->io, &world->config, &handler, world, &detail);
        if (error < 0) {
            CHECK_EQ(error, -ENOMEM);
            CHECK(detail != NULL);
            CHECK_EQ(world->memory.used, 0);
            CHECK_EQ(open_descriptors(), before);
            failures++;
        }
    } while (error < 0 && failures < 100);
    CHECK_EQ(error, 0);
    CHECK(failures >= 4);
    CHECK_EQ(io_uring->stop(world->io, SECOND), 0);
    io_uring->free(world->io);

    for (uint64_t allocation = 1; allocation <= 2; allocation++) {
        const char *detail = NULL;
        world->memory.count = 0;
        world->memory.fail_from = allocation;
        world->faults.error[GN_IO_OP_SETUP] = 0;
        CHECK_EQ(io_uring->open(&world->io, &world->config, &handler, world, &detail), -ENOMEM);
        CHECK(detail != NULL);
        CHECK_EQ(world->memory.used, 0);
        CHECK_EQ(open_descriptors(), before);
    }
    free(world);
}

// Runs `open` in a process where a system call fails with `error`; returns its result, with *detail of this process.
static int open_refused(long call, int error, const char **detail)
{
    int pipes[2];
    REQUIRE(pipe(pipes) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        struct sock_filter filter[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            _exit(1);
        struct gn_memory memory = {0};
        struct gn_io_config config = {.memory = &memory, .wake_descriptor = -1};
        struct gn_io *io;
        struct {
            int result;
            const char *detail; // a static text: the same address in the parent
        } answer = {0};
        answer.result = io_uring->open(&io, &config, &handler, NULL, &answer.detail);
        if (answer.result < 0 && memory.used != 0)
            answer.result = -EDOM;
        _exit(write(pipes[1], &answer, sizeof answer) != sizeof answer);
    }
    close(pipes[1]);
    struct {
        int result;
        const char *detail;
    } answer = {0};
    ssize_t length = read(pipes[0], &answer, sizeof answer);
    close(pipes[0]);
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    REQUIRE(length == sizeof answer);
    *detail = answer.detail;
    return answer.result;
}

TEST(a_kernel_that_refuses_is_told_apart_from_one_that_is_too_old)
{
    const char *detail;
    CHECK_EQ(open_refused(__NR_io_uring_setup, EPERM, &detail), -EPERM);
    CHECK(strstr(detail, "refused") != NULL);
    CHECK_EQ(open_refused(__NR_io_uring_setup, ENOSYS, &detail), -ENOSYS);
    CHECK(strstr(detail, "no io_uring") != NULL);
    CHECK_EQ(open_refused(__NR_io_uring_setup, EINVAL, &detail), -ENOSYS);
    CHECK(strstr(detail, "6.1") != NULL);
    CHECK_EQ(open_refused(__NR_io_uring_setup, ENOMEM, &detail), -ENOMEM);
    CHECK(strstr(detail, "memory") != NULL);
    CHECK_EQ(open_refused(__NR_io_uring_register, EACCES, &detail), -EACCES);
    CHECK(strstr(detail, "io_uring_register") != NULL);
}

TEST(receive_buffers_that_cannot_be_a_ring_are_refused)
{
    struct world *world = new_world();
    const char *detail;
    world->config.receive_buffers = 3;
    CHECK_EQ(io_uring->open(&world->io, &world->config, &handler, world, &detail), -EINVAL);
    world->config.receive_buffers = 65536;
    CHECK_EQ(io_uring->open(&world->io, &world->config, &handler, world, &detail), -EINVAL);
    CHECK_EQ(world->memory.used, 0);
    free(world);
}

TEST(a_thread_can_have_more_rings_than_it_can_register)
{
    struct world *worlds[20];
    for (unsigned i = 0; i < 20; i++) {
        worlds[i] = new_world();
        open_world(worlds[i]);
    }
    for (unsigned i = 0; i < 20; i++)
        connect_one(worlds[i]);
    for (unsigned i = 0; i < 20; i++)
        end_world(worlds[i]);
}

TEST_MAIN()
