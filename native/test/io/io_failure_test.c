/* Failures, real and ordered, and waking: what is left when something fails, on every backend. */
#include "io_world.h"

#include <pthread.h>
#include <sys/resource.h>

static void order(struct world *world, enum gn_io_operation operation, int error)
{
    world->faults.error[operation] = error;
    world->faults.once[operation] = true;
    world->faults.countdown[operation] = 0;
}

// Whatever step of opening fails, nothing is left.
static void open_with_failures(const struct gn_io_operations *operations)
{
    unsigned descriptors = count_descriptors();
    struct world world = {.operations = operations, .wake = -1};
    int result = world_open(&world);
    if (result == 0)
        operations->free(world.io);
    else if (operations == &gn_io_uring && (result == -EPERM || result == -ENOSYS))
        return;
    CHECK_EQ(result, 0);
    for (uint32_t step = 0;; step++) {
        REQUIRE(step < 100);
        order(&world, GN_IO_OP_SETUP, EACCES);
        world.faults.countdown[GN_IO_OP_SETUP] = step;
        result = world_open(&world);
        CHECK_EQ(world.memory.blocks, result == 0 ? world.memory.blocks : 0);
        CHECK(result == 0 || result == -EACCES);
        if (result == 0) {
            CHECK(step > 0);
            operations->free(world.io);
            break;
        }
        CHECK_EQ(count_descriptors(), descriptors);
    }
    world.faults = (struct gn_io_faults){0};
    for (uint64_t step = 1;; step++) {
        REQUIRE(step < 100);
        world.memory = (struct gn_memory){.fail_from = step};
        result = world_open(&world);
        if (result == 0) {
            CHECK(step > 1);
            operations->free(world.io);
            break;
        }
        CHECK_EQ(result, -ENOMEM);
        CHECK_EQ(world.memory.blocks, 0);
        CHECK_EQ(count_descriptors(), descriptors);
    }
    CHECK_EQ(world.memory.blocks, 0);
    CHECK_EQ(count_descriptors(), descriptors);
}

TEST(every_backend_leaves_nothing_when_opening_fails)
{
    open_with_failures(&gn_io_uring);
    open_with_failures(&gn_io_epoll);
    open_with_failures(&gn_io_memory);
}

SCENARIO(goes_on_after_a_failed_accept)
{
    struct peer peer;
    order(world, GN_IO_OP_ACCEPT, ENFILE);
    peer = peer_connect(world);
    UNTIL(world, world->accept_failures == 1);
    CHECK_EQ(world->accept_error, -ENFILE);
    turn_idly(world);
    CHECK_EQ(world->accepted, 0); // off
    CHECK_EQ(world->operations->accept(world->io, &world->listener, true), 0);
    UNTIL(world, world->accepted == 1);
    CHECK_EQ(world->accept_failures, 1);
    peer_close(&peer);

    order(world, GN_IO_OP_ACCEPT, EMFILE);
    CHECK_EQ(world->operations->accept(world->io, &world->listener, false), 0);
    turn_idly(world);
    peer = peer_connect(world);
    CHECK_EQ(world->operations->drain(world->io, &world->listener, 0), -EMFILE);
    CHECK_EQ(world->operations->drain(world->io, &world->listener, 0), 0);
    CHECK_EQ(world->accepted, 2);
    peer_close(&peer);
}

SCENARIO(leaves_the_descriptor_when_attaching_fails)
{
    order(world, GN_IO_OP_ATTACH, ENOSPC);
    struct peer peer = peer_connect(world);
    UNTIL(world, world->attach_failures == 1);
    CHECK_EQ(world->accepted, 0);
    peer_close(&peer);
    connect_one(world, &peer);
    peer_close(&peer);
}

SCENARIO(reports_a_failed_receive_and_can_try_again)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    order(world, GN_IO_OP_RECEIVE, EIO);
    peer_say(&peer, "first");
    UNTIL(world, connection->errors == 1);
    CHECK_EQ(connection->error, -EIO);
    turn_idly(world);
    CHECK_EQ(connection->errors, 1);
    CHECK_EQ(connection->input_length, 0); // off
    CHECK_EQ(world->operations->receive(world->io, &connection->socket, true), 0);
    peer_say(&peer, "second");
    UNTIL(world, connection->input_length >= 6);
    peer_close(&peer);
}

SCENARIO(reports_a_failed_send)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    order(world, GN_IO_OP_SEND, EPIPE);
    send_bytes(connection, "never", 5);
    UNTIL(world, connection->send_error == -EPIPE);
    CHECK(!connection->waiting);
    connection->send_error = 0;
    connection->output_length = 0;
    send_bytes(connection, "but now", 7);
    peer_expect(world, &peer, "but now");
    UNTIL(world, all_sent(connection));
    peer_close(&peer);
}

SCENARIO(reports_a_failed_shut_down)
{
    struct peer peer;
    struct connection *connection = connect_one(world, &peer);
    order(world, GN_IO_OP_SHUT_DOWN, ENOTCONN);
    CHECK_EQ(world->operations->shut_down(world->io, &connection->socket), -ENOTCONN);
    CHECK_EQ(world->operations->shut_down(world->io, &connection->socket), 0);
    CHECK_EQ(peer_ending(world, &peer), 0);
    peer_close(&peer);
}

SCENARIO(reports_a_failed_wait)
{
    order(world, GN_IO_OP_WAIT, EBADF);
    CHECK_EQ(world->operations->turn(world->io, TURN_WAIT), -EBADF);
}

// Behaviour D13.
KERNEL_SCENARIO(survives_running_out_of_descriptors)
{
    struct peer peers[2];
    connect_one(world, &peers[0]);
    // io_uring keeps the limit of when accepting began.
    CHECK_EQ(world->operations->accept(world->io, &world->listener, false), 0);
    turn_idly(world);
    peers[1].far = NULL;
    peers[1].descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(peers[1].descriptor >= 0);

    struct rlimit before, none;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int next = dup(world->wake);
    REQUIRE(next >= 0 && close(next) == 0);
    none = before;
    none.rlim_cur = (rlim_t)next;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_EQ(world->operations->accept(world->io, &world->listener, true), 0);
    REQUIRE(connect(peers[1].descriptor, (struct sockaddr *)&world->address, sizeof(struct sockaddr_in)) == 0);
    UNTIL(world, world->accept_failures == 1);
    CHECK_EQ(world->accept_error, -EMFILE);
    turn_idly(world);
    CHECK_EQ(world->accept_failures, 1); // off: it does not spin
    CHECK_EQ(world->operations->accept(world->io, &world->listener, true), 0);
    UNTIL(world, world->accept_failures == 2);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);

    // The connection that could not be taken is still there.
    CHECK_EQ(world->operations->accept(world->io, &world->listener, true), 0);
    UNTIL(world, world->accepted == 2);
    world->on_received = echo;
    peer_say(&peers[1], "still there");
    peer_expect(world, &peers[1], "still there");
    peer_close(&peers[0]);
    peer_close(&peers[1]);
}

/* ---- waking ---- */

struct waker {
    int wake, answer;
    unsigned rounds;
};

static void *wake_repeatedly(void *argument)
{
    struct waker *waker = argument;
    eventfd_t count;
    for (unsigned i = 0; i < waker->rounds; i++) {
        if (eventfd_write(waker->wake, 1) != 0 || eventfd_read(waker->answer, &count) != 0)
            break;
    }
    return NULL;
}

KERNEL_SCENARIO(is_woken_from_another_thread)
{
    struct waker waker = {world->wake, eventfd(0, EFD_CLOEXEC), 500};
    REQUIRE(waker.answer >= 0);
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, wake_repeatedly, &waker) == 0);
    unsigned woken = 0;
    while (woken < waker.rounds) {
        // Nothing else can end the wait: a wake that got lost is a 0 here.
        int result = world->operations->turn(world->io, LONG_WAIT);
        if (result == 0 && seconds_now() < world->deadline)
            continue;
        CHECK_EQ(result, 1);
        if (result != 1)
            break;
        woken++;
        CHECK_EQ(eventfd_write(waker.answer, 1), 0);
    }
    CHECK_EQ(woken, waker.rounds);
    CHECK_EQ(eventfd_write(waker.answer, woken < waker.rounds ? waker.rounds : 1), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(close(waker.answer), 0);
    CHECK_EQ(world->operations->turn(world->io, 0), 0); // one write, one wake
}

TEST_MAIN()
