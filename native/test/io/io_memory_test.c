#include "io/io_memory.h"
#include "test.h"

#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define CONNECTIONS 4

struct connection {
    struct gn_io_socket socket;
    uint8_t bytes[256];
    size_t length;
    ssize_t received, sent; // the last results
    unsigned receives, sents, closes;
};

// One listener, a few connections, and a log of the callbacks: A accepted, R received, S sent, C closed, with index.
struct world {
    struct gn_memory memory;
    struct gn_io_faults faults;
    struct gn_io *io;
    int number;
    struct gn_io_socket listener;
    struct connection connections[CONNECTIONS];
    unsigned accepted;
    int accept_error;
    bool listener_closed;
    char log[256];
};

static void note(struct world *world, char event, unsigned index)
{
    size_t length = strlen(world->log);
    if (length + 3 < sizeof world->log)
        snprintf(world->log + length, 4, "%c%u ", event, index);
}

static struct connection *connection_of(struct gn_io_socket *socket)
{
    return (struct connection *)(void *)((char *)socket - offsetof(struct connection, socket));
}

static unsigned index_of(struct world *world, struct gn_io_socket *socket)
{
    return (unsigned)(connection_of(socket) - world->connections);
}

static void accepted(void *owner, struct gn_io_socket *listener, int result)
{
    struct world *world = owner;
    (void)listener;
    if (result < 0) {
        world->accept_error = result;
        return;
    }
    note(world, 'A', world->accepted);
    struct gn_io_socket *socket = &world->connections[world->accepted++].socket;
    CHECK_EQ(gn_io_memory.attach(world->io, socket, result), 0);
    CHECK_EQ(gn_io_memory.receive(world->io, socket, true), 0);
}

static void received(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length)
{
    struct world *world = owner;
    struct connection *connection = connection_of(socket);
    note(world, 'R', index_of(world, socket));
    connection->received = length;
    connection->receives++;
    if (length > 0) {
        memcpy(connection->bytes + connection->length, bytes, (size_t)length);
        connection->length += (size_t)length;
    }
}

static void sent(void *owner, struct gn_io_socket *socket, ssize_t result)
{
    struct world *world = owner;
    note(world, 'S', index_of(world, socket));
    connection_of(socket)->sent = result;
    connection_of(socket)->sents++;
}

static void closed(void *owner, struct gn_io_socket *socket)
{
    struct world *world = owner;
    CHECK_EQ(socket->descriptor, -1);
    if (socket == &world->listener) {
        world->listener_closed = true;
        return;
    }
    note(world, 'C', index_of(world, socket));
    connection_of(socket)->closes++;
}

static const struct gn_io_handler handler = {accepted, received, sent, closed};

static void start(struct world *world)
{
    const char *detail = NULL;
    *world = (struct world){.listener = {.descriptor = -1, .listener = true}};
    struct gn_io_config config = {.memory = &world->memory, .faults = &world->faults, .wake_descriptor = -1};
    REQUIRE(gn_io_memory.open(&world->io, &config, &handler, world, &detail) == 0);
    world->number = gn_io_memory_descriptor(world->io);
    CHECK_EQ(gn_io_memory.attach(world->io, &world->listener, world->number), 0);
    CHECK_EQ(gn_io_memory.accept(world->io, &world->listener, true), 0);
}

static void end(struct world *world)
{
    CHECK_EQ(gn_io_memory.stop(world->io, 0), 0);
    CHECK(world->listener_closed);
    gn_io_memory.free(world->io);
    CHECK_EQ(world->memory.used, 0);
    CHECK_EQ(world->memory.blocks, 0);
}

static void turn(struct world *world)
{
    CHECK_EQ(gn_io_memory.turn(world->io, 0), 0);
}

// A connection that is attached and receiving.
static struct gn_io_memory_peer *connect_peer(struct world *world)
{
    unsigned before = world->accepted;
    struct gn_io_memory_peer *peer = gn_io_memory_connect(world->io, world->number);
    REQUIRE(peer != NULL);
    turn(world);
    CHECK_EQ(world->accepted, before + 1);
    world->log[0] = '\0';
    return peer;
}

static ssize_t send_text(struct world *world, unsigned index, const char *text)
{
    struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    return gn_io_memory.send(world->io, &world->connections[index].socket, &part, 1);
}

TEST(each_write_is_received_apart_and_one_a_turn)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    CHECK_EQ(gn_io_memory_write(peer, "G", 1), 1);
    CHECK_EQ(gn_io_memory_write(peer, "ET /", 4), 4);
    CHECK_EQ(gn_io_memory_unreceived(peer), 5);
    turn(&world);
    CHECK_EQ(world.connections[0].received, 1);
    CHECK_EQ(gn_io_memory_unreceived(peer), 4);
    turn(&world);
    CHECK_BYTES(world.connections[0].bytes, world.connections[0].length, "GET /");
    CHECK_EQ(world.connections[0].receives, 2);
    turn(&world);
    CHECK_EQ(world.connections[0].receives, 2);
    end(&world);
}

TEST(callbacks_come_in_the_order_of_attachment)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *first = gn_io_memory_connect(world.io, world.number);
    struct gn_io_memory_peer *second = gn_io_memory_connect(world.io, world.number);
    gn_io_memory_write(second, "b", 1);
    gn_io_memory_write(first, "a", 1);
    turn(&world);
    turn(&world);
    CHECK_BYTES(world.log, strlen(world.log), "A0 A1 R0 R1 ");
    gn_io_memory.close(world.io, &world.connections[1].socket, false);
    gn_io_memory_write(first, "a", 1);
    turn(&world);
    CHECK_BYTES(world.log, strlen(world.log), "A0 A1 R0 R1 C1 R0 ");
    end(&world);
}

TEST(time_moves_only_when_a_turn_would_wait_or_when_told)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    CHECK_EQ(gn_io_memory.now(world.io), 1000000000);
    gn_io_memory.turn(world.io, 5000);
    CHECK_EQ(gn_io_memory.now(world.io), 1000005000);
    gn_io_memory.turn(world.io, GN_IO_WAIT_FOREVER);
    CHECK_EQ(gn_io_memory.now(world.io), 1000005000);
    gn_io_memory_write(peer, "x", 1);
    gn_io_memory.turn(world.io, 5000);
    CHECK_EQ(gn_io_memory.now(world.io), 1000005000);
    gn_io_memory_advance(world.io, 7);
    CHECK_EQ(gn_io_memory.now(world.io), 1000005007);
    // A close that is due later holds time, too.
    gn_io_memory_late(world.io, true);
    gn_io_memory.close(world.io, &world.connections[0].socket, false);
    gn_io_memory.turn(world.io, 5000);
    CHECK_EQ(world.connections[0].closes, 0);
    CHECK_EQ(gn_io_memory.now(world.io), 1000005007);
    gn_io_memory.turn(world.io, 5000);
    CHECK_EQ(world.connections[0].closes, 1);
    end(&world);
}

TEST(an_early_send_reports_its_bytes_at_once_and_waits_for_room)
{
    struct world world;
    char bytes[8];
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    gn_io_memory_room(peer, 4);
    CHECK_EQ(send_text(&world, 0, "abcdef"), 4);
    CHECK_EQ(send_text(&world, 0, "ef"), -EINPROGRESS);
    CHECK_EQ(send_text(&world, 0, "ef"), -EALREADY);
    CHECK_EQ(gn_io_memory.shut_down(world.io, &world.connections[0].socket), -EALREADY);
    turn(&world);
    CHECK_EQ(world.connections[0].sents, 0);
    CHECK_EQ(gn_io_memory_read(peer, bytes, 1), 1);
    turn(&world);
    CHECK_EQ(world.connections[0].sents, 1);
    CHECK_EQ(world.connections[0].sent, -EAGAIN);
    CHECK_EQ(send_text(&world, 0, "ef"), 1);
    const uint8_t *left;
    size_t length = gn_io_memory_sent(peer, &left);
    CHECK_BYTES(left, length, "bcde");
    CHECK_EQ(gn_io_memory_sends(peer), 2);
    end(&world);
}

TEST(a_late_send_completes_in_the_next_turn_with_what_the_bytes_are_then)
{
    struct world world;
    char text[] = "abcdef";
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    gn_io_memory_late(world.io, true);
    gn_io_memory_room(peer, 4);
    CHECK_EQ(send_text(&world, 0, text), -EINPROGRESS);
    CHECK_EQ(gn_io_memory_sent(peer, NULL), 0);
    text[0] = 'X';
    turn(&world);
    CHECK_EQ(world.connections[0].sent, 4);
    CHECK_EQ(send_text(&world, 0, "ef"), -EINPROGRESS);
    turn(&world);
    CHECK_EQ(world.connections[0].sents, 1);
    gn_io_memory_room(peer, 100);
    turn(&world);
    CHECK_EQ(world.connections[0].sent, 2);
    const uint8_t *left;
    size_t length = gn_io_memory_sent(peer, &left);
    CHECK_BYTES(left, length, "Xbcdef");
    end(&world);
}

TEST(the_parts_of_a_send_leave_in_order_as_one)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    struct iovec parts[] = {{(void *)(uintptr_t) "ab", 2}, {NULL, 0}, {(void *)(uintptr_t) "c", 1}};
    CHECK_EQ(gn_io_memory.send(world.io, &world.connections[0].socket, parts, 3), 3);
    const uint8_t *left;
    size_t length = gn_io_memory_sent(peer, &left);
    CHECK_BYTES(left, length, "abc");
    CHECK_EQ(gn_io_memory_sends(peer), 1);
    CHECK_EQ(gn_io_memory.send(world.io, &world.connections[0].socket, parts, 0), -EINVAL);
    CHECK_EQ(gn_io_memory.send(world.io, &world.connections[0].socket, parts, GN_IO_SEND_PARTS + 1), -EINVAL);
    end(&world);
}

TEST(receive_off_holds_back_what_comes_and_late_lets_one_piece_land)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    struct connection *connection = &world.connections[0];
    gn_io_memory_write(peer, "a", 1);
    gn_io_memory_write(peer, "b", 1);
    gn_io_memory.receive(world.io, &connection->socket, false);
    turn(&world);
    CHECK_EQ(connection->receives, 0);
    gn_io_memory.receive(world.io, &connection->socket, true);
    gn_io_memory_late(world.io, true);
    gn_io_memory.receive(world.io, &connection->socket, false);
    turn(&world);
    CHECK_BYTES(connection->bytes, connection->length, "a");
    turn(&world);
    CHECK_BYTES(connection->bytes, connection->length, "a");
    gn_io_memory.receive(world.io, &connection->socket, true);
    turn(&world);
    CHECK_BYTES(connection->bytes, connection->length, "ab");
    // Nothing stood there when it went off: nothing lands.
    gn_io_memory.receive(world.io, &connection->socket, false);
    gn_io_memory_write(peer, "c", 1);
    turn(&world);
    turn(&world);
    CHECK_EQ(connection->receives, 2);
    end(&world);
}

TEST(the_end_and_a_reset_come_after_the_bytes_before_them)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *ending = connect_peer(&world);
    struct gn_io_memory_peer *resetting = connect_peer(&world);
    gn_io_memory_write(ending, "a", 1);
    gn_io_memory_finish(ending);
    CHECK_EQ(gn_io_memory_write(ending, "b", 1), 0);
    gn_io_memory_write(resetting, "a", 1);
    gn_io_memory_reset(resetting);
    turn(&world);
    CHECK_EQ(world.connections[0].received, 1);
    CHECK_EQ(world.connections[1].received, 1);
    turn(&world);
    CHECK_EQ(world.connections[0].received, 0);
    CHECK_EQ(world.connections[1].received, -ECONNRESET);
    turn(&world);
    CHECK_EQ(world.connections[0].receives, 2);
    CHECK_EQ(world.connections[1].receives, 2);
    CHECK_EQ(send_text(&world, 0, "half-closed still sends"), 23);
    CHECK_EQ(send_text(&world, 1, "x"), -ECONNRESET);
    end(&world);
}

TEST(a_reset_ends_a_send_that_waits)
{
    for (int late = 0; late < 2; late++) {
        struct world world;
        start(&world);
        struct gn_io_memory_peer *peer = connect_peer(&world);
        gn_io_memory_late(world.io, late);
        gn_io_memory_room(peer, 0);
        CHECK_EQ(send_text(&world, 0, "abc"), -EINPROGRESS);
        turn(&world);
        CHECK_EQ(world.connections[0].sents, 0);
        gn_io_memory_reset(peer);
        turn(&world);
        CHECK_EQ(world.connections[0].sent, late ? -ECONNRESET : -EAGAIN);
        end(&world);
    }
}

TEST(the_peer_sees_how_the_loop_ended)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peers[CONNECTIONS];
    for (unsigned i = 0; i < CONNECTIONS; i++)
        peers[i] = connect_peer(&world);
    CHECK_EQ(gn_io_memory.shut_down(world.io, &world.connections[0].socket), 0);
    CHECK_EQ(send_text(&world, 0, "x"), -EPIPE);
    CHECK(gn_io_memory_saw_end(peers[0]) && !gn_io_memory_saw_close(peers[0]));
    gn_io_memory.close(world.io, &world.connections[1].socket, false);
    CHECK(gn_io_memory_saw_end(peers[1]) && gn_io_memory_saw_close(peers[1]) && !gn_io_memory_saw_reset(peers[1]));
    gn_io_memory.close(world.io, &world.connections[2].socket, true);
    CHECK(gn_io_memory_saw_reset(peers[2]) && !gn_io_memory_saw_end(peers[2]));
    // A close over bytes that nobody took is a reset.
    gn_io_memory_write(peers[3], "x", 1);
    gn_io_memory.close(world.io, &world.connections[3].socket, false);
    CHECK(gn_io_memory_saw_reset(peers[3]) && !gn_io_memory_saw_end(peers[3]));
    CHECK_EQ(gn_io_memory_write(peers[3], "y", 1), 0);
    end(&world);
}

TEST(a_closed_socket_hears_only_closed_and_can_be_attached_again)
{
    for (int late = 0; late < 2; late++) {
        struct world world;
        start(&world);
        struct gn_io_memory_peer *peer = connect_peer(&world);
        struct connection *connection = &world.connections[0];
        gn_io_memory_late(world.io, late);
        gn_io_memory_room(peer, 0);
        CHECK_EQ(send_text(&world, 0, "abc"), -EINPROGRESS);
        gn_io_memory_write(peer, "x", 1);
        gn_io_memory.close(world.io, &connection->socket, false);
        gn_io_memory.close(world.io, &connection->socket, true); // again: nothing
        CHECK_EQ(gn_io_memory.receive(world.io, &connection->socket, true), -EBADF);
        CHECK_EQ(send_text(&world, 0, "x"), -EBADF);
        gn_io_memory_room(peer, 10);
        turn(&world);
        CHECK_EQ(connection->closes, !late);
        turn(&world);
        CHECK_EQ(connection->closes, 1);
        CHECK_EQ(connection->sents + connection->receives, 0);
        uint32_t generation = connection->socket.generation;
        world.accepted = 0;
        connect_peer(&world);
        CHECK(connection->socket.generation != generation);
        CHECK_EQ(send_text(&world, 0, "new"), late ? -EINPROGRESS : 3);
        end(&world);
    }
}

TEST(the_loop_can_write_no_more_than_the_room_and_the_peer_no_more_than_a_buffer)
{
    struct world world;
    static uint8_t bytes[70000];
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    struct iovec part = {bytes, sizeof bytes};
    CHECK_EQ(gn_io_memory.send(world.io, &world.connections[0].socket, &part, 1), 65536);
    gn_io_memory.receive(world.io, &world.connections[0].socket, false);
    CHECK_EQ(gn_io_memory_write(peer, bytes, sizeof bytes), 65536);
    CHECK_EQ(gn_io_memory_write(peer, bytes, 1), 0);
    end(&world);
}

TEST(drain_accepts_what_is_queued_though_accepting_is_off)
{
    struct world world;
    start(&world);
    gn_io_memory.accept(world.io, &world.listener, false);
    gn_io_memory_connect(world.io, world.number);
    gn_io_memory_connect(world.io, world.number);
    turn(&world);
    CHECK_EQ(world.accepted, 0);
    CHECK_EQ(gn_io_memory.drain(world.io, &world.listener, 0), 0);
    CHECK_EQ(world.accepted, 2);
    end(&world);
}

TEST(a_listener_that_closes_resets_its_queue_and_refuses)
{
    struct world world;
    start(&world);
    gn_io_memory.accept(world.io, &world.listener, false);
    struct gn_io_memory_peer *peer = gn_io_memory_connect(world.io, world.number);
    gn_io_memory.close(world.io, &world.listener, false);
    CHECK(gn_io_memory_connect(world.io, world.number) == NULL);
    turn(&world);
    CHECK(world.listener_closed);
    CHECK(gn_io_memory_saw_reset(peer));
    CHECK(gn_io_memory_connect(world.io, 3) == NULL);
    end(&world);
}

TEST(a_peer_that_is_freed_is_an_end_for_the_loop)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    gn_io_memory_write(peer, "a", 1);
    gn_io_memory_peer_free(peer);
    turn(&world);
    turn(&world);
    CHECK_BYTES(world.connections[0].bytes, world.connections[0].length, "a");
    CHECK_EQ(world.connections[0].received, 0);
    CHECK_EQ(send_text(&world, 0, "x"), -ECONNRESET);
    gn_io_memory.close(world.io, &world.connections[0].socket, false);
    turn(&world);
    CHECK_EQ(world.connections[0].closes, 1);
    // One that was never accepted, and one that was closed before.
    gn_io_memory.accept(world.io, &world.listener, false);
    gn_io_memory_peer_free(gn_io_memory_connect(world.io, world.number));
    end(&world);
}

TEST(ordered_failures_happen_when_ordered)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    struct gn_io_socket *socket = &world.connections[0].socket;

    world.faults.error[GN_IO_OP_RECEIVE] = EIO;
    world.faults.once[GN_IO_OP_RECEIVE] = true;
    gn_io_memory_write(peer, "a", 1);
    turn(&world);
    CHECK_EQ(world.connections[0].received, -EIO);
    turn(&world);
    CHECK_EQ(world.connections[0].receives, 1); // off after an error
    gn_io_memory.receive(world.io, socket, true);
    turn(&world);
    CHECK_EQ(world.connections[0].received, 1);

    world.faults.error[GN_IO_OP_SEND] = EPIPE;
    world.faults.countdown[GN_IO_OP_SEND] = 1;
    CHECK_EQ(send_text(&world, 0, "x"), 1);
    CHECK_EQ(send_text(&world, 0, "x"), -EPIPE);
    CHECK_EQ(send_text(&world, 0, "x"), -EPIPE);
    gn_io_memory_late(world.io, true);
    CHECK_EQ(send_text(&world, 0, "x"), -EINPROGRESS);
    turn(&world);
    CHECK_EQ(world.connections[0].sent, -EPIPE);
    gn_io_memory_late(world.io, false);
    world.faults.error[GN_IO_OP_SEND] = EAGAIN;
    world.faults.once[GN_IO_OP_SEND] = true;
    CHECK_EQ(send_text(&world, 0, "x"), -EINPROGRESS);
    turn(&world);
    CHECK_EQ(world.connections[0].sent, -EAGAIN);

    world.faults.error[GN_IO_OP_SHUT_DOWN] = ENOTCONN;
    CHECK_EQ(gn_io_memory.shut_down(world.io, socket), -ENOTCONN);
    world.faults.error[GN_IO_OP_WAIT] = ENOMEM;
    CHECK_EQ(gn_io_memory.turn(world.io, 0), -ENOMEM);
    world.faults.error[GN_IO_OP_WAIT] = 0;
    struct gn_io_socket other = {.descriptor = -1};
    world.faults.error[GN_IO_OP_ATTACH] = ENOSPC;
    CHECK_EQ(gn_io_memory.attach(world.io, &other, world.number), -ENOSPC);
    world.faults.error[GN_IO_OP_ATTACH] = 0;
    CHECK_EQ(gn_io_memory.attach(world.io, &other, 12345), -EBADF);

    // A failed accept leaves the connection in the queue and accepting off.
    world.faults.error[GN_IO_OP_ACCEPT] = EMFILE;
    world.faults.once[GN_IO_OP_ACCEPT] = true;
    gn_io_memory_connect(world.io, world.number);
    turn(&world);
    CHECK_EQ(world.accept_error, -EMFILE);
    turn(&world);
    CHECK_EQ(world.accepted, 1);
    gn_io_memory.accept(world.io, &world.listener, true);
    turn(&world);
    CHECK_EQ(world.accepted, 2);
    end(&world);
}

TEST(short_length_cuts_both_ways)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    world.faults.short_length = 2;
    gn_io_memory_write(peer, "abcde", 5);
    for (int i = 0; i < 3; i++)
        turn(&world);
    CHECK_BYTES(world.connections[0].bytes, world.connections[0].length, "abcde");
    CHECK_EQ(world.connections[0].receives, 3);
    CHECK_EQ(world.connections[0].received, 1);
    CHECK_EQ(send_text(&world, 0, "vwxyz"), 2);
    end(&world);
}

TEST(open_without_memory_fails_and_leaves_nothing)
{
    struct gn_memory memory = {.fail_from = 1};
    struct gn_io_config config = {.memory = &memory, .wake_descriptor = -1};
    struct gn_io *io = NULL;
    const char *detail = NULL;
    CHECK_EQ(gn_io_memory.open(&io, &config, &handler, NULL, &detail), -ENOMEM);
    CHECK(detail != NULL);
    CHECK_EQ(memory.blocks, 0);
    struct gn_io_faults faults = {.error[GN_IO_OP_SETUP] = EPERM};
    config.faults = &faults;
    CHECK_EQ(gn_io_memory.open(&io, &config, &handler, NULL, &detail), -EPERM);
}

TEST(a_turn_says_that_it_was_woken)
{
    struct gn_memory memory = {0};
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct gn_io_config config = {.memory = &memory, .wake_descriptor = wake};
    struct gn_io *io = NULL;
    const char *detail = NULL;
    REQUIRE(wake >= 0 && gn_io_memory.open(&io, &config, &handler, NULL, &detail) == 0);
    CHECK_EQ(eventfd_write(wake, 1), 0);
    CHECK_EQ(gn_io_memory.turn(io, 1000), 1);
    CHECK_EQ(gn_io_memory.now(io), 1000000000);
    CHECK_EQ(gn_io_memory.turn(io, 0), 0);
    gn_io_memory.free(io);
    close(wake);
    CHECK_EQ(memory.blocks, 0);
}

// What the child does must be found by AddressSanitizer.
static void check_found(void (*run)(void))
{
    if (!SANITIZED)
        return;
    fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(0);
        run();
        _exit(0);
    }
    int status = 0;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

static void free_bytes_before_closed(void)
{
    struct world world;
    start(&world);
    connect_peer(&world);
    gn_io_memory_late(world.io, true);
    char *bytes = strdup("abc");
    send_text(&world, 0, bytes);
    gn_io_memory.close(world.io, &world.connections[0].socket, false);
    free(bytes);
    turn(&world);
    turn(&world);
}

static volatile uint8_t beyond;

static void read_beyond(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length)
{
    (void)owner;
    (void)socket;
    beyond = bytes[length];
}

static void read_beyond_the_piece(void)
{
    struct world world;
    start(&world);
    struct gn_io_memory_peer *peer = connect_peer(&world);
    struct gn_io_handler reader = handler;
    reader.received = read_beyond;
    world.io->handler = &reader;
    gn_io_memory_write(peer, "abc", 3);
    turn(&world);
}

TEST(misuse_of_memory_is_seen_by_the_sanitizer)
{
    check_found(free_bytes_before_closed);
    check_found(read_beyond_the_piece);
}

TEST_MAIN()
