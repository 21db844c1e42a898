/*
 * Whatever fails, and whenever: each kind of failure comes at the first chance, at the second, and so on, until a whole
 * exchange passes without it, on every backend. Afterwards the client has what was meant for it or an end that says
 * otherwise, nothing is missing, and the loop serves the next one.
 */
#include "loop/failure_world.h"

#include <sys/resource.h>

/* ---- a play ---- */

/* Nothing is ordered any more. */
static void nothing_fails(void)
{
    memset(driver.faults.error, 0, sizeof(driver.faults.error));
    driver.faults.short_length = 0;
    failing.call = CALL_NONE;
}

/*
 * Turns until `done` says so. What goes on failing does so until nothing moves any more. False: nothing moves, and it is
 * not done.
 */
static bool turn_until(struct client *client, bool (*done)(const struct client *client))
{
    const struct gn_counters *counters = &driver.shared->counters;
    time_t deadline = seconds_now() + PLAY_SECONDS;
    unsigned quiet = 0;
    for (unsigned turns = 0; driver.died == 0 && !done(client); turns++) {
        uint64_t before = counters->bytes_received + counters->bytes_sent + counters->connections_accepted;
        uint32_t events = driver_poll_wait(&driver, quiet < 20 ? 0 : MILLISECOND);
        serve_all();
        size_t moved = client == NULL ? 0 : client_act(client, turns);
        uint64_t after = counters->bytes_received + counters->bytes_sent + counters->connections_accepted;
        quiet = events + moved + (after - before) + driver.command_count == 0 ? quiet + 1 : 0;
        if (quiet == 40 && ordered->lasting)
            nothing_fails();
        if (quiet > 5000 || seconds_now() > deadline)
            return false;
    }
    return true;
}

static bool is_unlistened(const struct client *client)
{
    (void)client;
    return driver.unlistened > 0;
}

static bool say_where(bool right)
{
    if (!right)
        fprintf(stderr, "    %s, %s, %s chance %u: %s\n", variant_names[variant], ordered->name, calm ? "after" : "at",
                chance, played);
    return right;
}

static bool reached(void)
{
    if (ordered->call != CALL_NONE)
        return failing.failed > 0;
    return ordered->error != 0 && driver.faults.error[ordered->operation] == 0;
}

/* One client from its connection to its end. */
static void play_client(const struct scenario *scenario)
{
    struct client client = client_connect(scenario);
    played = scenario->name;
    unsigned before = test_failures;
    CHECK(turn_until(&client, client_is_done));
    client_judge(&client);
    if (calm || ordered->harmless || !reached())
        CHECK(client.whole);
    say_where(test_failures == before);
    client_free(&client);
}

static void unlisten(void)
{
    unsigned before = test_failures;
    driver.unlistened = driver.accept_failed = 0;
    driver_unlisten(&driver, 0);
    CHECK(turn_until(NULL, is_unlistened));
    say_where(test_failures == before);
}

static void order(const struct kind *kind, uint32_t at)
{
    ordered = kind;
    chance = at;
    calm = false;
    driver.faults.short_length = kind->piece;
    if (kind->call != CALL_NONE) {
        failing_order(kind->call, kind->error, at, kind->lasting);
        return;
    }
    driver.faults.error[kind->operation] = kind->error;
    driver.faults.countdown[kind->operation] = at;
    driver.faults.once[kind->operation] = !kind->lasting;
}

static void check_nothing_is_missing(void)
{
    const struct gn_counters *counters = &driver.shared->counters;
    unsigned before = test_failures;
    CHECK_EQ(counters->connections_open, 0);
    CHECK_EQ(counters->exchanges_open, 0);
    CHECK_EQ(counters->exchanges_abandoned, 0);
    CHECK_EQ(counters->tunnels_open, 0);
    CHECK_EQ(counters->blocks_lent, 0);
    for (unsigned use = 0; use < GN_ARENA_USE_COUNT; use++)
        CHECK_EQ(driver.loop->context.arena.used[use], 0);
    CHECK_EQ(driver.loop->context.wheel.count, 0);
    CHECK_EQ(driver.unknown, 0);
    CHECK_EQ(driver.closed, watched);
    say_where(test_failures == before);
}

/* A failure at one chance, from listening to the end of the listener. True: it was reached. */
static bool play_chance(const struct scenario *scenario, const struct kind *kind, uint32_t at)
{
    order(kind, at);
    played = scenario->name;
    keep_responses();
    bool listens = listen_anew();
    if (listens)
        play_client(scenario);
    bool was_reached = reached();
    if (driver.died == 0 && listens) {
        unlisten();
        was_reached = reached() || was_reached;
    }
    nothing_fails();
    if (driver.died != 0)
        return was_reached;
    calm = true;
    if (!listens)
        driver_settle(&driver); // a listener that could not begin ends as others do
    CHECK(listens || was_reached);
    forget_responses();
    REQUIRE(listen_anew());
    play_client(&scenarios[0]);
    unlisten();
    check_nothing_is_missing();
    forget_exchanges();
    return was_reached;
}

static void close_world(unsigned descriptors)
{
    nothing_fails();
    if (driver.died == 0)
        driver_settle(&driver);
    CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
    say_where(driver.shared->counters.connections_open == 0);
    CHECK_EQ(driver.shared->counters.connections_open, 0);
    driver_free(&driver); // asserts that the heap is empty
    CHECK_EQ(count_descriptors(), descriptors);
}

static void play_kind(enum variant wanted, const struct scenario *scenario, const struct kind *kind)
{
    unsigned descriptors = count_descriptors();
    bool is_open = false;
    uint32_t at = 0;
    for (bool more = true; more; at++) {
        REQUIRE(at < CHANCES_MAX);
        if (!is_open) {
            prepare_world(wanted);
            driver.may_die = kind->fatal;
            if (!open_world())
                return;
        }
        is_open = true;
        more = play_chance(scenario, kind, at);
        if (kind->fresh || driver.died != 0) {
            close_world(descriptors);
            is_open = false;
        }
    }
    if (is_open)
        close_world(descriptors);
}

/* ---- the kinds ---- */

enum {
    IN_MEMORY = 1 << MEMORY | 1 << LATE,
    IN_KERNEL = 1 << EPOLL | 1 << URING,
    ON_EPOLL = 1 << EPOLL,
    ON_URING = 1 << URING,
    ANYWHERE = IN_MEMORY | IN_KERNEL,
};

static const struct kind sending[] = {
    {.name = "sends nothing", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = GN_IO_FAULT_NOTHING_SENT},
    {.name = "send: EAGAIN", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = EAGAIN, .harmless = true},
    {.name = "send: EINTR", .variants = ON_URING, .operation = GN_IO_OP_SEND, .error = EINTR, .harmless = true},
    {.name = "send: EPIPE", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = EPIPE},
    {.name = "send: ECONNRESET", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = ECONNRESET},
    {.name = "send: ENOBUFS", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = ENOBUFS},
    {.name = "send: ENOMEM", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = ENOMEM},
    {.name = "sendto returns 0", .variants = ON_EPOLL, .call = CALL_SEND, .error = 0},
    {.name = "sendto: EINTR", .variants = ON_EPOLL, .call = CALL_SEND, .error = EINTR, .harmless = true},
    {.name = "sendto: ENOBUFS", .variants = ON_EPOLL, .call = CALL_SEND, .error = ENOBUFS},
};

static const struct kind receiving[] = {
    {.name = "receive: EAGAIN", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = EAGAIN, .harmless = true},
    {.name = "receive: EINTR", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = EINTR, .harmless = true},
    {.name = "receive: ECONNRESET", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = ECONNRESET},
    {.name = "receive: ENOMEM", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = ENOMEM},
    {.name = "receive: ENOBUFS", .variants = IN_MEMORY | ON_EPOLL, .operation = GN_IO_OP_RECEIVE, .error = ENOBUFS},
    {.name = "no buffers", .variants = ON_URING, .operation = GN_IO_OP_RECEIVE, .error = ENOBUFS, .harmless = true},
    {.name = "recvfrom: EINTR", .variants = ON_EPOLL, .call = CALL_RECEIVE, .error = EINTR, .harmless = true},
    {.name = "recvfrom: ENOMEM", .variants = ON_EPOLL, .call = CALL_RECEIVE, .error = ENOMEM},
};

static const struct kind accepting[] = {
    {.name = "accept: ECONNABORTED",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_ACCEPT,
     .error = ECONNABORTED,
     .harmless = true},
    {.name = "accept: EINTR", .variants = ANYWHERE, .operation = GN_IO_OP_ACCEPT, .error = EINTR, .harmless = true},
    {.name = "accept: EMFILE",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_ACCEPT,
     .error = EMFILE,
     .harmless = true,
     .few = true},
    {.name = "accept4: EINTR", .variants = ON_EPOLL, .call = CALL_ACCEPT, .error = EINTR, .harmless = true},
    {.name = "accept4: ECONNABORTED",
     .variants = ON_EPOLL,
     .call = CALL_ACCEPT,
     .error = ECONNABORTED,
     .harmless = true},
    {.name = "accept4: ENOBUFS",
     .variants = ON_EPOLL,
     .call = CALL_ACCEPT,
     .error = ENOBUFS,
     .harmless = true,
     .few = true},
    {.name = "accept4: ENFILE lastingly",
     .variants = ON_EPOLL,
     .call = CALL_ACCEPT,
     .error = ENFILE,
     .lasting = true,
     .harmless = true,
     .few = true},
    {.name = "attach: ENOSPC", .variants = ANYWHERE, .operation = GN_IO_OP_ATTACH, .error = ENOSPC, .few = true},
    {.name = "epoll_ctl: ENOMEM", .variants = ON_EPOLL, .call = CALL_EPOLL_REGISTER, .error = ENOMEM, .few = true},
    {.name = "fcntl: EBADF", .variants = IN_KERNEL, .call = CALL_FLAGS, .error = EBADF, .few = true},
};

static const struct kind others[] = {
    {.name = "shut down: ENOTCONN", .variants = ANYWHERE, .operation = GN_IO_OP_SHUT_DOWN, .error = ENOTCONN},
    {.name = "shutdown: ENOBUFS", .variants = IN_KERNEL, .call = CALL_SHUT_DOWN, .error = ENOBUFS},
    {.name = "addresses: ENOBUFS", .variants = IN_KERNEL, .call = CALL_ADDRESS, .error = ENOBUFS, .harmless = true},
    {.name = "addresses: ENOTCONN",
     .variants = IN_KERNEL,
     .call = CALL_ADDRESS,
     .error = ENOTCONN,
     .lasting = true,
     .harmless = true},
    {.name = "close: EINTR", .variants = ON_EPOLL, .call = CALL_CLOSE, .error = EINTR, .harmless = true},
    {.name = "close: EIO", .variants = ON_EPOLL, .call = CALL_CLOSE, .error = EIO, .harmless = true},
    {.name = "wait: EINTR", .variants = ANYWHERE, .operation = GN_IO_OP_WAIT, .error = EINTR, .harmless = true},
    {.name = "enter: EAGAIN", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EAGAIN, .harmless = true},
    {.name = "enter: EBUSY", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EBUSY, .harmless = true},
    {.name = "enter: EINTR", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EINTR, .harmless = true},
};

static const struct kind in_pieces[] = {
    {.name = "byte for byte", .variants = ANYWHERE, .piece = 1, .harmless = true},
    {.name = "in pieces", .variants = ANYWHERE, .piece = 7, .harmless = true},
    {.name = "send: EAGAIN between pieces",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_SEND,
     .error = EAGAIN,
     .piece = 500,
     .harmless = true},
    {.name = "send: EPIPE between pieces",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_SEND,
     .error = EPIPE,
     .piece = 500},
};

static const struct kind fatal[] = {
    {.name = "wait: EBADF", .variants = ANYWHERE, .operation = GN_IO_OP_WAIT, .error = EBADF, .fatal = true},
    {.name = "enter: EBADR", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EBADR, .fatal = true},
};

static const struct kind memory[] = {
    {.name = "an allocation", .variants = ANYWHERE, .call = CALL_ALLOCATE, .error = ENOMEM, .fresh = true},
    {.name = "allocations from there on",
     .variants = IN_MEMORY,
     .call = CALL_ALLOCATE,
     .error = ENOMEM,
     .lasting = true,
     .fresh = true},
};

static void play_all(const struct kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++) {
            if ((kinds[i].variants & 1U << wanted) == 0)
                continue;
            for (size_t j = 0; j < (kinds[i].few ? 1 : SCENARIOS); j++)
                play_kind(wanted, &scenarios[j], &kinds[i]);
        }
    }
}

#define PLAY_ALL(kinds) play_all(kinds, sizeof(kinds) / sizeof(kinds[0]))

TEST(D12_a_send_that_fails_or_takes_nothing_costs_its_connection_only)
{
    PLAY_ALL(sending);
}

/* The kernel takes nothing and gives no reason, now and whenever it is asked again. */
TEST(D12_a_send_that_takes_nothing_ends_the_connection_and_does_not_spin)
{
    static const struct kind nothing_sent = {.name = "sends nothing lastingly", .lasting = true};
    for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++) {
        prepare_world(wanted);
        if (!open_world())
            return;
        order(&nothing_sent, 0);
        REQUIRE(listen_anew());
        struct client client = client_connect(&scenarios[0]);
        driver.faults.error[GN_IO_OP_SEND] = GN_IO_FAULT_NOTHING_SENT;
        for (unsigned turns = 0; turns < 50 && !client.ended; turns++) {
            driver_poll_wait(&driver, MILLISECOND);
            serve_all();
            client_act(&client, turns);
        }
        say_where(client.ended && client.reset);
        CHECK(client.ended && client.reset);
        CHECK_EQ(client.length, 0);
        client_free(&client);
        nothing_fails();
        unlisten();
        check_nothing_is_missing();
        CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
        driver_free(&driver);
    }
}

TEST(a_failure_between_pieces_costs_its_connection_only)
{
    PLAY_ALL(in_pieces);
}

TEST(a_receive_that_fails_costs_its_connection_only)
{
    PLAY_ALL(receiving);
}

TEST(D13_an_accept_that_fails_costs_no_client_more_than_time)
{
    PLAY_ALL(accepting);
}

TEST(whatever_else_fails_costs_its_connection_only)
{
    PLAY_ALL(others);
}

TEST(an_allocation_that_fails_costs_its_connection_only)
{
    PLAY_ALL(memory);
}

TEST(a_wait_that_cannot_be_met_is_reported_and_the_loop_can_be_stopped)
{
    PLAY_ALL(fatal);
}

/* ---- beginning and end ---- */

/* Whether `call` can fail once and the loop opens all the same. */
static void open_with(enum variant wanted, enum failing_call call, int error)
{
    unsigned descriptors = count_descriptors();
    for (uint32_t at = 0, more = 1; more; at++) {
        REQUIRE(at < 100);
        prepare_world(wanted);
        failing_order(call, error, at, false);
        failing_arm();
        int result = driver_open_loop(&driver);
        failing_disarm();
        more = failing.failed > 0;
        if (result == 0) {
            CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
            driver_free(&driver);
        } else {
            CHECK(more || wanted == URING);
            more = more && result != -EPERM;
            free(driver.shared);
        }
        CHECK_EQ(count_descriptors(), descriptors);
    }
}

TEST(a_loop_that_cannot_be_opened_leaves_nothing)
{
    for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++)
        open_with(wanted, CALL_ALLOCATE, ENOMEM);
    open_with(EPOLL, CALL_EPOLL_CREATE, EMFILE);
    open_with(EPOLL, CALL_EPOLL_CREATE, ENOMEM);
    open_with(URING, CALL_RING_SETUP, ENOMEM);
    open_with(URING, CALL_RING_SETUP, EMFILE);
    open_with(URING, CALL_RING_REGISTER, ENOMEM);
    open_with(URING, CALL_MAP, ENOMEM);
}

TEST(a_slab_that_finds_no_memory_stays_with_its_owner)
{
    prepare_world(MEMORY);
    driver.slab_count = 0;
    driver.shared->loop.low_water = DRIVER_SLAB / 2;
    REQUIRE(open_world());
    driver_settle(&driver);
    uint8_t *slab = driver_new_slab(DRIVER_SLAB);
    int index = -ENOMEM;
    uint32_t at = 0;
    for (; index == -ENOMEM; at++) {
        REQUIRE(at < 100);
        CHECK_EQ(driver.loop->context.arena.total, 0);
        failing_order(CALL_ALLOCATE, ENOMEM, at, false);
        failing_arm();
        index = gn_loop_add_slab(driver.loop, slab, DRIVER_SLAB);
        failing_disarm();
        driver_settle(&driver);
        CHECK_EQ(driver.slabs_wanted, 1); // it is the owner that tries again
    }
    CHECK(at > 1);
    CHECK_EQ(index, 1);
    driver.slabs[0] = slab;
    CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
    driver_free(&driver);
}

/* Java asks to be told of the end of a connection that is gone already. */
TEST(a_watch_that_comes_too_late_is_answered_without_memory)
{
    prepare_world(MEMORY);
    REQUIRE(open_world());
    static const struct kind nothing = {.name = "a late watch"};
    order(&nothing, 0);
    REQUIRE(listen_anew());
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    gn_io_memory_reset(peer);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    uint64_t connection = driver_exchange(&driver, 0)->connection;
    driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_WATCH, .subject = connection});
    failing_order(CALL_ALLOCATE, ENOMEM, 0, true);
    driver_settle(&driver);
    nothing_fails();
    CHECK_EQ(driver.closed, 1);
    CHECK_EQ(driver.closed_subject, connection);
    driver_close(&driver);
}

/* Stops a loop in the middle of a large response while a call fails, lastingly for what may be tried again. */
static void stop_with(enum variant wanted, enum failing_call call, int error)
{
    static const struct kind stopping = {.name = "stop"};
    unsigned descriptors = count_descriptors();
    for (uint32_t at = 0, more = 1; more; at++) {
        REQUIRE(at < 100);
        prepare_world(wanted);
        if (!open_world())
            return;
        order(&stopping, at);
        nothing_fails();
        REQUIRE(listen_anew());
        struct client client = client_connect(&scenarios[7]);
        for (unsigned turns = 0; client.length < 1000; turns++) {
            REQUIRE(turns < 100000);
            driver_poll(&driver);
            serve_all();
            client_act(&client, turns);
        }
        failing_order(call, error, at, false);
        failing_arm();
        CHECK_EQ(gn_loop_stop(driver.loop, 5 * SECOND), 0);
        failing_disarm();
        more = failing.failed > 0;
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        time_t deadline = seconds_now() + PLAY_SECONDS;
        while (!client.ended && seconds_now() < deadline)
            client_read(&client);
        CHECK(client.ended);
        client_judge(&client);
        CHECK(!client.whole);
        client_free(&client);
        driver_free(&driver);
        CHECK_EQ(count_descriptors(), descriptors);
    }
}

TEST(a_loop_stops_whatever_fails)
{
    for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++)
        stop_with(wanted, CALL_ALLOCATE, ENOMEM);
    stop_with(EPOLL, CALL_EPOLL_REGISTER, ENOENT);
    stop_with(EPOLL, CALL_CLOSE, EINTR);
    stop_with(URING, CALL_RING_ENTER, EINTR);
    stop_with(URING, CALL_RING_ENTER, EAGAIN);
    stop_with(URING, CALL_RING_REGISTER, EINVAL);
}

/* ---- no descriptors ---- */

static uint64_t milliseconds_now(void)
{
    struct timespec time;
    REQUIRE(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* The process may open no more descriptors, from before the listener begins: io_uring keeps the limit of that time. */
static void run_out_of_descriptors(enum variant wanted)
{
    static const struct kind shortage = {.name = "no descriptors", .harmless = true};
    prepare_world(wanted);
    if (!open_world())
        return;
    order(&shortage, 0);
    unsigned before = test_failures;
    struct client client = {.scenario = &scenarios[0], .descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    driver.descriptor = listening_descriptor();
    int next = dup(0);
    REQUIRE(client.descriptor >= 0 && next >= 0 && close(next) == 0);
    struct rlimit usual, none;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
    none = usual;
    none.rlim_cur = (rlim_t)next;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    driver.listener = gn_loop_listen(driver.loop, driver.descriptor);
    REQUIRE(driver.listener > 0);
    REQUIRE(connect(client.descriptor, (struct sockaddr *)&address, sizeof(address)) == 0);

    const struct gn_counters *counters = &driver.shared->counters;
    uint64_t begin = milliseconds_now(), turns = counters->turns;
    while (counters->accept_failures < 4) {
        REQUIRE(milliseconds_now() - begin < 1000 * PLAY_SECONDS);
        driver_poll_wait(&driver, SECOND);
    }
    // Three pauses of 100 ms, and each attempt a few turns.
    CHECK_EQ(driver.accept_error, EMFILE);
    CHECK(milliseconds_now() - begin >= 300);
    CHECK(counters->turns - turns < 40);
    CHECK_EQ(counters->connections_accepted, 0);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
    CHECK(turn_until(&client, client_is_done));
    client_judge(&client);
    CHECK(client.whole);
    client_free(&client);
    unlisten();
    check_nothing_is_missing();
    say_where(test_failures == before);
    CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
    driver_free(&driver);
}

TEST(D13_without_descriptors_the_loop_neither_ends_nor_spins)
{
    run_out_of_descriptors(EPOLL);
    run_out_of_descriptors(URING);
}

TEST_MAIN()
