/* What every backend promises (io.h): each scenario runs over io_uring and epoll with loopback sockets, and over
   memory. */
#include "io_world.h"

SCENARIO(accepts_and_echoes)
{
    struct peer peer;
    world->on_received = echo;
    struct connection *connection = connect_one(world, &peer);
    peer_say(&peer, "hello");
    peer_expect(world, &peer, "hello");
    UNTIL(world, all_sent(connection));
    peer_say(&peer, "again");
    peer_expect(world, &peer, "again");
    peer_close(&peer);
    UNTIL(world, connection->ends == 1);
    close_connection(connection, false);
    UNTIL(world, connection->closes == 1);
}

SCENARIO(serves_many_connections)
{
    enum { COUNT = 200 };
    static struct peer peers[COUNT];
    char text[32];
    world->on_received = echo;
    for (unsigned i = 0; i < COUNT; i++)
        peers[i] = peer_connect(world);
    UNTIL(world, world->accepted == COUNT);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            snprintf(text, sizeof text, "round %u of %u", round, i);
            peer_say(&peers[i], text);
        }
        for (unsigned i = 0; i < COUNT; i++) {
            snprintf(text, sizeof text, "round %u of %u", round, i);
            peer_expect(world, &peers[i], text);
        }
        for (unsigned i = 0; i < COUNT; i++)
            UNTIL(world, all_sent(world->connections[i]));
    }
    for (unsigned i = 0; i < COUNT; i++)
        peer_close(&peers[i]);
    for (unsigned i = 0; i < COUNT; i++) {
        UNTIL(world, world->connections[i]->ends == 1);
        close_connection(world->connections[i], false);
    }
    for (unsigned i = 0; i < COUNT; i++)
        UNTIL(world, world->connections[i]->closes == 1);
}

SCENARIO(receives_split_and_cut_input_whole)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    const char *text = "split into single bytes";
    for (size_t i = 0; i < strlen(text); i++) {
        CHECK_EQ(peer_write(&peer, text + i, 1), 1);
        UNTIL(world, connection->input_length == i + 1);
    }
    CHECK_BYTES(connection->input, connection->input_length, text);
    // A receive that is full says that there may be more, without another event.
    world->faults.short_length = 3;
    stream_in(world, &peer, connection, 1000);
    world->faults.short_length = 0;
    stream_in(world, &peer, connection, 1 << 20);
    peer_close(&peer);
}

SCENARIO(sends_much_to_a_slow_reader)
{
    static uint8_t bytes[30000];
    const size_t total = 6 << 20;
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    send_pattern(connection, total);
    CHECK(connection->was_waiting);
    size_t taken = 0, wrong = 0;
    bool goes_on = true;
    for (size_t most = 1; taken < total && goes_on; most = most * 3 % sizeof bytes + 1) {
        ssize_t result = peer_read(&peer, bytes, most);
        for (ssize_t i = 0; i < result; i++)
            wrong += bytes[i] != pattern(taken + (size_t)i);
        if (result > 0)
            taken += (size_t)result;
        goes_on = (result > 0 || result == -EAGAIN) && turn(world, result > 0 ? 0 : TURN_WAIT);
    }
    CHECK_EQ(taken, total);
    CHECK_EQ(wrong, 0);
    UNTIL(world, all_sent(connection));
    CHECK_EQ(connection->send_error, 0);
    peer_close(&peer);
}

SCENARIO(sends_parts_in_order)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    const char *words = "abcdefghijklmnop";
    struct iovec parts[GN_IO_SEND_PARTS];
    char letters[GN_IO_SEND_PARTS];
    memcpy(letters, words, sizeof letters);
    for (unsigned i = 0; i < GN_IO_SEND_PARTS; i++)
        parts[i] = (struct iovec){letters + i, i % 5 != 4};
    connection->output_length = 13;
    bool full =
        take_output(connection, world->operations->send(world->io, &connection->socket, parts, GN_IO_SEND_PARTS));
    CHECK(full || connection->waiting);
    memset(parts, 0, sizeof parts); // only the bytes have to stay
    peer_expect(world, &peer, "abcdfghiklmnp");
    UNTIL(world, all_sent(connection));
    CHECK_EQ(world->operations->send(world->io, &connection->socket, parts, GN_IO_SEND_PARTS + 1), -EINVAL);
    CHECK_EQ(world->operations->send(world->io, &connection->socket, parts, 0), -EINVAL);
    // Cut sends go on where they stopped.
    world->faults.short_length = 2;
    send_bytes(connection, "cut to pieces", 13);
    peer_expect(world, &peer, "cut to pieces");
    UNTIL(world, all_sent(connection));
    peer_close(&peer);
}

SCENARIO(allows_one_send_at_a_time)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    send_pattern(connection, 20 << 20);
    CHECK(connection->waiting);
    struct iovec part = {connection->output, 1};
    CHECK_EQ(world->operations->send(world->io, &connection->socket, &part, 1), -EALREADY);
    CHECK_EQ(world->operations->shut_down(world->io, &connection->socket), -EALREADY);
    peer_close(&peer);
}

static int64_t unsent(struct world *world, struct connection *connection)
{
    return world->operations->unsent(world->io, &connection->socket);
}

SCENARIO(says_what_the_peer_has_not_taken)
{
    static uint8_t sink[1 << 16];
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    CHECK_EQ(unsent(world, connection), 0);
    send_pattern(connection, 8 << 20);
    for (int i = 0; i < 20; i++)
        turn(world, 0);
    CHECK(connection->waiting); // the peer reads nothing
    int64_t before = unsent(world, connection);
    CHECK(before > 0);
    size_t sent = connection->output_sent, taken = 0;
    CHECK(world->operations == &gn_io_uring || (uint64_t)before <= sent); // a send in flight may have begun
    for (ssize_t length = 0; taken<connection->output_length; taken += length> 0 ? (size_t)length : 0) {
        turn(world, 0);
        length = peer_read(&peer, sink, sizeof sink);
        CHECK(unsent(world, connection) + (int64_t)taken <= 8 << 20);
    }
    UNTIL(world, all_sent(connection) && unsent(world, connection) == 0);
    CHECK_EQ(world->operations->unsent(world->io, &world->listener), -EBADF);
    close_connection(connection, false);
    CHECK_EQ(unsent(world, connection), -EBADF);
    UNTIL(world, connection->closes == 1);
    peer_close(&peer);
}

SCENARIO(holds_input_back_while_receiving_is_off)
{
    static uint8_t bytes[1 << 16];
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(i);
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, false), 0);
    turn_idly(world);
    size_t written = 0;
    for (int i = 0; i < 100; i++) {
        size_t length = sizeof bytes - written < 1000 ? sizeof bytes - written : 1000;
        if (length > 0)
            written += peer_write(&peer, bytes + written, length);
        turn(world, 0);
    }
    CHECK_EQ(written, sizeof bytes);
    CHECK_EQ(connection->input_length, 0);
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, true), 0);
    UNTIL(world, connection->input_length == sizeof bytes);
    CHECK(connection->input_length == sizeof bytes && memcmp(connection->input, bytes, sizeof bytes) == 0);
    peer_close(&peer);
}

SCENARIO(stops_a_peer_that_writes_while_receiving_is_off)
{
    static uint8_t bytes[1 << 16];
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, false), 0);
    turn_idly(world);
    size_t written = 0, more, idle = 0;
    while (idle < 20 && written < (64u << 20)) {
        more = peer_write(&peer, bytes, sizeof bytes);
        written += more;
        idle = more == 0 ? idle + 1 : 0;
        turn(world, 0);
    }
    CHECK(written < (64u << 20));
    CHECK_EQ(connection->input_length, 0);
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, true), 0);
    UNTIL(world, connection->input_length == written);
    peer_close(&peer);
}

static void toggle(struct connection *connection, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    struct world *world = connection->world;
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, false), 0);
    // Sometimes at once, sometimes once the turn is over.
    if (connection->input_length % 3 == 0)
        CHECK_EQ(world->operations->receive(world->io, &connection->socket, true), 0);
    else
        world->victim = connection;
}

SCENARIO(loses_nothing_when_receiving_goes_off_and_on)
{
    static uint8_t bytes[300000];
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(i);
    world->on_received = toggle;
    size_t written = 0;
    bool goes_on = true;
    for (size_t most = 1; connection->input_length < sizeof bytes && goes_on; most = most * 7 % 20011 + 1) {
        size_t length = sizeof bytes - written < most ? sizeof bytes - written : most;
        if (length > 0)
            written += peer_write(&peer, bytes + written, length);
        goes_on = turn(world, 0);
        if (world->victim != NULL && most % 2 == 0) {
            world->victim = NULL;
            CHECK_EQ(world->operations->receive(world->io, &connection->socket, true), 0);
        }
    }
    CHECK_EQ(connection->input_length, sizeof bytes);
    CHECK(connection->input_length == sizeof bytes && memcmp(connection->input, bytes, sizeof bytes) == 0);
    peer_close(&peer);
}

SCENARIO(sends_after_the_peer_has_ended)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    peer_say(&peer, "request");
    peer_finish(&peer);
    UNTIL(world, connection->ends == 1);
    CHECK_BYTES(connection->input, connection->input_length, "request");
    turn_idly(world);
    CHECK_EQ(connection->ends, 1); // once, and no turn spins on it
    send_bytes(connection, "response", 8);
    UNTIL(world, all_sent(connection));
    CHECK_EQ(world->operations->shut_down(world->io, &connection->socket), 0);
    peer_expect(world, &peer, "response");
    CHECK_EQ(peer_ending(world, &peer), 0);
    close_connection(connection, false);
    UNTIL(world, connection->closes == 1);
    peer_close(&peer);
}

SCENARIO(receives_bytes_and_end_that_came_before_it_looked)
{
    // All is there before the connection is accepted: there is a single event for both.
    CHECK_EQ(world->operations->accept(world->io, &world->listener, false), 0);
    turn_idly(world);
    struct peer peer = peer_connect(world);
    peer_say(&peer, "all at once");
    peer_finish(&peer);
    CHECK_EQ(world->operations->accept(world->io, &world->listener, true), 0);
    UNTIL(world, world->accepted == 1 && world->connections[0]->ends == 1);
    struct connection *connection = world->connections[0];
    CHECK_BYTES(connection->input, connection->input_length, "all at once");
    peer_close(&peer);

    // And while receiving is off.
    connection = connect_one(world, &peer);
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, false), 0);
    turn_idly(world);
    peer_say(&peer, "later");
    peer_finish(&peer);
    turn_idly(world);
    CHECK_EQ(connection->ends, 0);
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, true), 0);
    UNTIL(world, connection->ends == 1);
    CHECK_BYTES(connection->input, connection->input_length, "later");
    peer_close(&peer);
}

SCENARIO(reports_a_reset_while_a_send_is_pending)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    send_pattern(connection, 20 << 20);
    turn_idly(world);
    CHECK(connection->waiting);
    peer_reset(&peer);
    UNTIL(world, connection->send_error != 0);
    CHECK(connection->send_error == -ECONNRESET || connection->send_error == -EPIPE);
    UNTIL(world, connection->errors + connection->ends == 1);
    turn_idly(world);
    CHECK_EQ(connection->errors + connection->ends, 1);
    close_connection(connection, true);
    UNTIL(world, connection->closes == 1);
}

SCENARIO(closes_while_a_send_is_pending)
{
    for (int reset = 0; reset < 2; reset++) {
        struct peer peer;
        struct connection *connection = connect_one(world, &peer);
        send_pattern(connection, 20 << 20);
        if (reset == 0)
            turn_idly(world);
        CHECK(connection->waiting);
        close_connection(connection, reset);
        close_connection(connection, reset); // a second time: nothing
        CHECK_EQ(connection->closes, 0);     // never from within close
        UNTIL(world, connection->closes == 1);
        turn_idly(world);
        CHECK_EQ(connection->closes, 1);
        ssize_t ending = peer_ending(world, &peer);
        CHECK(reset ? ending == -ECONNRESET : ending == 0);
        peer_close(&peer);
    }
}

SCENARIO(ends_with_a_reset_only_when_told_to)
{
    for (int reset = 0; reset < 2; reset++) {
        struct peer peer;
        struct connection *connection = connect_one(world, &peer);
        close_connection(connection, reset);
        UNTIL(world, connection->closes == 1);
        CHECK_EQ(peer_ending(world, &peer), reset ? -ECONNRESET : 0);
        peer_close(&peer);
    }
}

static void close_itself(struct connection *connection, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    close_connection(connection, false);
}

SCENARIO(hears_nothing_more_after_closing_in_a_callback)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    world->on_received = close_itself;
    static uint8_t bytes[60000];
    CHECK_EQ(peer_write(&peer, bytes, sizeof bytes), sizeof bytes);
    UNTIL(world, connection->closes == 1);
    peer_close(&peer);
}

// The first to receive closes both and takes the next connection from the queue at once: the numbers of both are free.
static void replace(struct connection *connection, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    (void)length;
    struct world *world = connection->world;
    world->on_received = NULL;
    close_connection(world->connections[0], false);
    close_connection(world->connections[1], false);
    CHECK_EQ(world->operations->drain(world->io, &world->listener, 0), 0);
    CHECK_EQ(world->accepted, 4);
}

SCENARIO(keeps_the_events_of_closed_sockets_from_newer_ones)
{
    struct peer first, second;
    connect_one(world, &first);
    connect_one(world, &second);
    CHECK_EQ(world->operations->accept(world->io, &world->listener, false), 0);
    turn_idly(world);
    struct peer third = peer_connect(world), fourth = peer_connect(world);
    world->on_received = replace;
    peer_say(&first, "first");
    peer_finish(&first);
    peer_say(&second, "second");
    peer_finish(&second);
    UNTIL(world, world->accepted == 4 && world->connections[0]->closes + world->connections[1]->closes == 2);
    turn_idly(world);
    for (unsigned i = 2; i < 4; i++) {
        struct connection *connection = world->connections[i];
        CHECK_EQ(connection->input_length + connection->ends + connection->errors + connection->closes, 0);
    }
    peer_say(&third, "third");
    peer_say(&fourth, "fourth");
    UNTIL(world, world->connections[2]->input_length == 5 && world->connections[3]->input_length == 6);
    CHECK_BYTES(world->connections[2]->input, 5, "third");
    CHECK_BYTES(world->connections[3]->input, 6, "fourth");
    peer_close(&first);
    peer_close(&second);
    peer_close(&third);
    peer_close(&fourth);
}

static void attach_again(struct connection *connection)
{
    struct world *world = connection->world;
    // Within `closed` the structure is the owner's: it may serve the next connection.
    world->on_closed = NULL;
    world->victim = connection;
    CHECK_EQ(world->operations->drain(world->io, &world->listener, 0), 0);
}

SCENARIO(attaches_from_within_closed)
{
    struct peer first, second;
    struct connection *connection = connect_one(world, &first);
    CHECK_EQ(world->operations->accept(world->io, &world->listener, false), 0);
    turn_idly(world);
    second = peer_connect(world);
    world->on_closed = attach_again;
    close_connection(connection, false);
    UNTIL(world, world->accepted == 2);
    peer_say(&second, "second");
    UNTIL(world, world->accepted == 2 && world->connections[1]->input_length == 6);
    peer_close(&first);
    peer_close(&second);
}

SCENARIO(drains_the_accept_queue)
{
    struct peer peers[3];
    CHECK_EQ(world->operations->accept(world->io, &world->listener, false), 0);
    turn_idly(world);
    for (unsigned i = 0; i < 3; i++)
        peers[i] = peer_connect(world);
    turn_idly(world);
    CHECK_EQ(world->accepted, 0);
    CHECK_EQ(world->operations->drain(world->io, &world->listener, 0), 0);
    CHECK_EQ(world->accepted, 3);
    CHECK_EQ(world->operations->drain(world->io, &world->listener, 0), 0);
    CHECK_EQ(world->accepted, 3);
    for (unsigned i = 0; i < 3; i++)
        peer_close(&peers[i]);
}

SCENARIO(closes_a_listener)
{
    world->operations->close(world->io, &world->listener, false);
    UNTIL(world, world->listener_closes == 1);
    CHECK_EQ(world->operations->accept(world->io, &world->listener, true), -EBADF);
    if (world->kernel) {
        int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(connect(descriptor, (struct sockaddr *)&world->address, sizeof(struct sockaddr_in)) < 0);
        CHECK_EQ(errno, ECONNREFUSED);
        CHECK_EQ(close(descriptor), 0);
    }
}

SCENARIO(stops_with_everything_underway)
{
    struct peer peers[5];
    struct connection *connections[4];
    for (unsigned i = 0; i < 4; i++)
        connections[i] = connect_one(world, &peers[i]);
    send_pattern(connections[0], 20 << 20);
    CHECK_EQ(world->operations->receive(world->io, &connections[1]->socket, false), 0);
    peer_say(&peers[1], "nobody looks");
    turn_idly(world);
    send_pattern(connections[2], 20 << 20); // not even handed over
    close_connection(connections[3], false);
    peers[4] = peer_connect(world); // perhaps accepted, perhaps not
    for (unsigned i = 0; i < 4; i++)
        connections[i]->silent = true;
    CHECK_EQ(world->operations->stop(world->io, LONG_WAIT), 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(connections[i]->closes, 1);
    CHECK_EQ(world->listener_closes, 1);
    for (unsigned i = 0; i < 5; i++)
        peer_close(&peers[i]);
}

SCENARIO(refuses_calls_for_what_is_not_attached)
{
    struct gn_io_socket socket = {.descriptor = -1};
    struct iovec part = {(void *)(uintptr_t) "x", 1};
    CHECK_EQ(world->operations->receive(world->io, &socket, true), -EBADF);
    CHECK_EQ(world->operations->send(world->io, &socket, &part, 1), -EBADF);
    CHECK_EQ(world->operations->shut_down(world->io, &socket), -EBADF);
    CHECK_EQ(world->operations->unsent(world->io, &socket), -EBADF);
    world->operations->close(world->io, &socket, true);
    turn_idly(world);
}

SCENARIO(reads_a_clock_that_never_goes_back)
{
    uint64_t before = world->operations->now(world->io);
    for (int i = 0; i < 10; i++) {
        turn(world, 1000);
        uint64_t now = world->operations->now(world->io);
        CHECK(now >= before);
        before = now;
    }
    CHECK(before >= 1000);
}

TEST_MAIN()
