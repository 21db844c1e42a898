#include "loop/driver.h"

static struct driver driver;

TEST(D13_a_failure_to_accept_pauses_and_is_tried_again)
{
    driver_prepare(&driver);
    driver.faults.error[GN_IO_OP_ACCEPT] = EMFILE;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.accept_failed, 1); // not spun
    CHECK_EQ(driver.accept_error, EMFILE);
    driver_advance(&driver, GN_LISTENER_RETRY - 1);
    CHECK_EQ(driver.accept_failed, 1);
    driver_advance(&driver, 1);
    CHECK_EQ(driver.accept_failed, 2);
    driver.faults.error[GN_IO_OP_ACCEPT] = 0;
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 1);
    CHECK_EQ(driver.shared->counters.accept_failures, 2);
    driver_close(&driver);
}

TEST(D13_a_wait_ends_when_the_pause_is_over)
{
    driver_prepare(&driver);
    driver.faults.error[GN_IO_OP_ACCEPT] = EMFILE;
    driver.faults.once[GN_IO_OP_ACCEPT] = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_poll(&driver);
    CHECK_EQ(driver.accept_failed, 1);
    driver_poll_wait(&driver, 10 * SECOND);
    CHECK_EQ(driver.exchange_count, 1);
    driver_close(&driver);
}

TEST(a_connection_that_failed_in_the_queue_delays_nobody)
{
    driver_prepare(&driver);
    driver.faults.error[GN_IO_OP_ACCEPT] = ECONNABORTED;
    driver.faults.once[GN_IO_OP_ACCEPT] = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 1);
    driver_close(&driver);
}

TEST(attach_failures_and_no_memory_pause_too)
{
    driver_prepare(&driver);
    driver_open(&driver);
    driver.faults.error[GN_IO_OP_ATTACH] = ENOMEM;
    driver.faults.once[GN_IO_OP_ATTACH] = true;
    driver_connect(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.accept_failed, 1);
    CHECK_EQ(driver.exchange_count, 0);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 1);
    driver_close(&driver);
}

/* A backend that cannot be stopped at once, as io_uring's multishot accept, reports more connections than there is room
   for. */
static void accept_all(void)
{
    struct gn_listener *listener = gn_list_owner(driver.loop->listener_list.next, struct gn_listener, listed);
    CHECK_EQ(driver.io->operations->drain(driver.io, &listener->socket, 0), 0);
}

/* Opens the driver with so many connections in all. */
static void open_with_limit(uint64_t connections)
{
    struct gn_admission *admission;
    REQUIRE(gn_admission_open(&admission, connections, 0) == 0);
    driver.shared->listener.admission = (uintptr_t)admission;
    driver_open(&driver);
    gn_admission_release(admission); // the listener holds it
}

TEST(connections_accepted_beyond_the_limit_wait_for_their_turn)
{
    driver_prepare(&driver);
    open_with_limit(2);
    struct gn_io_memory_peer *peers[18];
    for (unsigned i = 0; i < 18; i++) {
        peers[i] = driver_connect(&driver);
        driver_write(&driver, peers[i], GET);
    }
    driver_settle(&driver);
    accept_all();
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.connections_open, 2);
    for (unsigned i = 0; i < 16; i++) {
        driver_respond(&driver, driver_exchange(&driver, i), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
        gn_io_memory_finish(peers[i]);
        driver_settle(&driver);
        CHECK_READ(&driver, peers[i], OK_CLOSE(1) "x");
        CHECK_EQ(driver.shared->counters.connections_open, 2);
    }
    driver_close(&driver);
}

TEST(D6_unlisten_serves_connections_that_wait_for_their_turn_or_resets_them)
{
    for (unsigned abort = 0; abort < 2; abort++) {
        driver_prepare(&driver);
        open_with_limit(1);
        struct gn_io_memory_peer *first = driver_connect(&driver), *second = driver_connect(&driver);
        driver_write(&driver, first, GET);
        driver_write(&driver, second, GET);
        driver_settle(&driver);
        accept_all();
        CHECK_EQ(driver.exchange_count, 1);
        driver_unlisten(&driver, abort ? GN_FLAG_ABORT : 0);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, abort ? 1 : 2);
        driver_close(&driver);
    }
}

TEST(the_limit_of_connections_pauses_accepting)
{
    driver_prepare(&driver);
    open_with_limit(2);
    struct gn_io_memory_peer *peers[5];
    for (unsigned i = 0; i < 5; i++) {
        peers[i] = driver_connect(&driver);
        driver_write(&driver, peers[i], GET);
    }
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.connections_open, 2);
    CHECK_EQ(driver.exchange_count, 2);
    for (unsigned i = 0; i < 5; i++) {
        driver_respond(&driver, driver_exchange(&driver, i), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
        gn_io_memory_finish(peers[i]);
        driver_settle(&driver);
        CHECK_READ(&driver, peers[i], OK_CLOSE(1) "x");
        CHECK_EQ(driver.exchange_count, i + 3 < 5 ? i + 3 : 5);
    }
    driver_close(&driver);
}

TEST(what_finds_no_place_stays_in_the_backlog)
{
    driver_prepare(&driver);
    open_with_limit(2);
    struct gn_io_memory_peer *peers[60];
    for (unsigned i = 0; i < 60; i++) {
        peers[i] = driver_connect(&driver);
        driver_write(&driver, peers[i], GET);
    }
    struct gn_listener *listener = gn_list_owner(driver.loop->listener_list.next, struct gn_listener, listed);
    for (unsigned i = 0; i < 60; i++) {
        driver_settle(&driver);
        CHECK_EQ(listener->parked_count, 0);
        driver_respond(&driver, driver_exchange(&driver, i), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
        gn_io_memory_finish(peers[i]);
    }
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.connections_refused, 0);
    CHECK_EQ(driver.shared->counters.connections_accepted, 60);
    driver_close(&driver);
}

TEST(a_connection_that_cannot_be_opened_leaves_its_place)
{
    driver_prepare(&driver);
    open_with_limit(1);
    driver.faults.error[GN_IO_OP_ATTACH] = ENOMEM;
    driver.faults.once[GN_IO_OP_ATTACH] = true;
    driver_connect(&driver);
    driver_settle(&driver);
    CHECK_EQ(driver.accept_failed, 1);
    driver_write(&driver, driver_connect(&driver), GET);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 1);
    driver_close(&driver);
}

TEST(too_many_that_were_accepted_beyond_the_limit_are_refused)
{
    driver_prepare(&driver);
    open_with_limit(1);
    driver_connect(&driver);
    driver_settle(&driver);
    for (unsigned i = 0; i < GN_ADMISSION_WAITING + 10; i++)
        driver_connect(&driver);
    accept_all();
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.connections_open, 1);
    CHECK_EQ(driver.shared->counters.connections_refused, 10);
    CHECK_EQ(driver.refused_reason, GN_REASON_CONNECTION_LIMIT);
    driver_close(&driver);
}

/* A second listener of the same server, with its descriptor. */
static int add_listener(void)
{
    int descriptor = gn_io_memory_descriptor(driver.io);
    REQUIRE(gn_loop_listen(driver.loop, descriptor) > 0);
    return descriptor;
}

TEST(a_place_that_another_listener_has_left_is_found_in_time)
{
    driver_prepare(&driver);
    open_with_limit(2);
    int second = add_listener();
    struct gn_io_memory_peer *here[2] = {driver_connect(&driver), driver_connect(&driver)};
    driver_settle(&driver);
    struct gn_io_memory_peer *there = gn_io_memory_connect(driver.io, second);
    driver_write(&driver, there, GET);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 0);
    gn_io_memory_finish(here[0]);
    driver_settle(&driver);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 1);
    CHECK_EQ(driver.shared->counters.connections_open, 2);
    driver_close(&driver);
}

TEST(a_busy_listener_leaves_a_place_to_one_without_connections)
{
    driver_prepare(&driver);
    open_with_limit(2);
    int second = add_listener();
    struct gn_io_memory_peer *busy[3];
    for (unsigned i = 0; i < 3; i++)
        busy[i] = driver_connect(&driver); // the third waits, and would be the next
    driver_settle(&driver);
    struct gn_io_memory_peer *there = gn_io_memory_connect(driver.io, second);
    driver_write(&driver, there, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 0);
    gn_io_memory_finish(busy[0]);
    driver_settle(&driver);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 1);
    driver_write(&driver, busy[2], GET);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 1);
    gn_io_memory_finish(busy[1]);
    driver_settle(&driver);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 2);
    driver_close(&driver);
}

TEST(whoever_waits_longest_is_first_when_a_place_was_left_elsewhere)
{
    driver_prepare(&driver);
    open_with_limit(1);
    int second = add_listener();
    struct gn_listener *listener = gn_list_owner(driver.loop->listener_list.previous, struct gn_listener, listed);
    struct gn_io_memory_peer *here = driver_connect(&driver);
    driver_settle(&driver);
    driver_write(&driver, gn_io_memory_connect(driver.io, second), "GET /earlier HTTP/1.1\r\nhost: h\r\n\r\n");
    CHECK_EQ(driver.io->operations->drain(driver.io, &listener->socket, 0), 0);
    gn_io_memory_finish(here);
    driver_settle(&driver);
    driver_write(&driver, gn_io_memory_connect(driver.io, second), "GET /later HTTP/1.1\r\nhost: h\r\n\r\n");
    CHECK_EQ(driver.io->operations->drain(driver.io, &listener->socket, 0), 0);
    driver_settle(&driver);
    driver_advance(&driver, GN_LISTENER_RETRY);
    CHECK_EQ(driver.exchange_count, 1);
    CHECK(strcmp(driver_exchange(&driver, 0)->target, "/earlier") == 0);
    driver_close(&driver);
}

TEST(two_loops_share_the_places)
{
    static struct driver other;
    struct gn_admission *admission;
    REQUIRE(gn_admission_open(&admission, 1, 0) == 0);
    driver_prepare(&driver);
    driver_prepare(&other);
    driver.shared->listener.admission = other.shared->listener.admission = (uintptr_t)admission;
    driver_open(&driver);
    driver_open(&other);
    struct gn_io_memory_peer *here = driver_connect(&driver), *there = driver_connect(&other);
    driver_write(&driver, here, GET);
    driver_settle(&driver);
    driver_write(&other, there, GET);
    driver_settle(&other);
    CHECK_EQ(driver.exchange_count, 1);
    CHECK_EQ(other.exchange_count, 0);
    CHECK(gn_admission_full(admission, true));
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    gn_io_memory_finish(here);
    driver_settle(&driver);
    driver_advance(&other, GN_LISTENER_RETRY);
    CHECK_EQ(other.exchange_count, 1);
    driver_close(&driver);
    driver_close(&other);
    CHECK(!gn_admission_full(admission, true));
    gn_admission_release(admission);
}

TEST(D6_unlisten_ends_everybody_in_the_right_way)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver_open(&driver);
        struct gn_io_memory_peer *never = driver_connect(&driver), *idle = driver_connect(&driver);
        struct gn_io_memory_peer *half = driver_connect(&driver), *busy = driver_connect(&driver);
        struct gn_io_memory_peer *begun = driver_connect(&driver);
        driver_write(&driver, idle, GET);
        driver_settle(&driver);
        driver_answer(&driver, driver_exchange(&driver, 0), "i");
        driver_settle(&driver);
        CHECK_READ(&driver, idle, OK(1) "i");
        driver_write(&driver, busy, GET);
        driver_settle(&driver);
        driver_write(&driver, begun, GET);
        driver_settle(&driver);
        driver_write(&driver, half, "GET / HT");
        driver_settle(&driver);
        driver_respond(&driver, driver_exchange(&driver, 2), 200, 0, -1, "a", 1);
        driver_settle(&driver);

        driver_unlisten(&driver, 0);
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_close(never) && !gn_io_memory_saw_reset(never));
        CHECK(gn_io_memory_saw_close(idle) && !gn_io_memory_saw_reset(idle));
        CHECK_EQ(driver.shared->counters.timeouts, 0);
        CHECK_EQ(driver.shared->counters.reasons[GN_REASON_SHUTDOWN], 2);
        CHECK(!gn_io_memory_saw_end(half) && !gn_io_memory_saw_end(busy) && !gn_io_memory_saw_end(begun));
        CHECK_EQ(driver.unlistened, 0);
        CHECK(gn_io_memory_connect(driver.io, driver.descriptor) == NULL);

        driver_write(&driver, half, "TP/1.1\r\nhost: h\r\n\r\n" GET);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 4);
        driver_answer(&driver, driver_exchange(&driver, 3), "h");
        driver_answer(&driver, driver_exchange(&driver, 1), "b");
        driver_data(&driver, driver_exchange(&driver, 2), GN_FLAG_END, "", 0);
        driver_settle(&driver);
        CHECK_READ(&driver, half, OK_CLOSE(1) "h");
        CHECK_READ(&driver, busy, OK_CLOSE(1) "b");
        CHECK_READ(&driver, begun, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
        CHECK(gn_io_memory_saw_end(half) && gn_io_memory_saw_end(busy) && gn_io_memory_saw_end(begun));
        gn_io_memory_finish(half);
        gn_io_memory_finish(busy);
        gn_io_memory_finish(begun);
        driver_settle(&driver);
        CHECK(!gn_io_memory_saw_reset(half) && !gn_io_memory_saw_reset(busy) && !gn_io_memory_saw_reset(begun));
        CHECK_EQ(driver.unlistened, 1);
        driver_settle(&driver);
        CHECK_EQ(driver.unlistened, 1);
        driver_close(&driver);
    }
}

TEST(D6_a_request_whose_body_was_coming_ends_its_connection)
{
    driver_prepare(&driver);
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\nabc");
    driver_settle(&driver);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "a", 1);
    driver_settle(&driver);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    driver_write(&driver, peer, "def");
    driver_settle(&driver);
    CHECK(driver_exchange(&driver, 0)->ended);
    driver_data(&driver, driver_exchange(&driver, 0), GN_FLAG_END, "", 0);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_end(peer));
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 1);
    driver_close(&driver);
}

TEST(unlisten_takes_what_the_queue_holds)
{
    driver_prepare(&driver);
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.connections_accepted, 1);
    CHECK(!gn_io_memory_saw_reset(peer)); // its request was on its way before the end
    if (driver.exchange_count == 1) {
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    }
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 1);
    driver_close(&driver);
}

TEST(unlisten_with_abort_resets)
{
    driver_prepare(&driver);
    driver_open(&driver);
    struct gn_io_memory_peer *busy = driver_connect(&driver), *idle = driver_connect(&driver);
    driver_write(&driver, busy, GET);
    driver_settle(&driver);
    struct gn_io_memory_peer *queued = driver_connect(&driver);
    driver_unlisten(&driver, GN_FLAG_ABORT);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_reset(busy) && gn_io_memory_saw_reset(idle) && gn_io_memory_saw_reset(queued));
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_SHUTDOWN);
    CHECK_EQ(driver.unlistened, 1);
    driver_close(&driver);
}

TEST(a_graceful_unlisten_may_be_followed_by_an_abort)
{
    driver_prepare(&driver);
    driver_open(&driver);
    struct gn_io_memory_peer *busy = driver_connect(&driver);
    driver_write(&driver, busy, GET);
    driver_settle(&driver);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 0);
    driver_unlisten(&driver, GN_FLAG_ABORT);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_reset(busy));
    CHECK_EQ(driver.unlistened, 1);
    driver_unlisten(&driver, GN_FLAG_ABORT);
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 1);
    CHECK_EQ(driver.shared->counters.commands_rejected, 1);
    driver.shared->counters.commands_rejected = 0;
    driver_close(&driver);
}

TEST(unlisten_during_a_pause)
{
    driver_prepare(&driver);
    driver.faults.error[GN_IO_OP_ACCEPT] = EMFILE;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_settle(&driver);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 1);
    CHECK(gn_io_memory_saw_close(peer));
    driver_advance(&driver, 10 * SECOND);
    CHECK_EQ(driver.unlistened, 1);
    driver_close(&driver);
}

TEST(a_slot_is_not_used_again_before_Java_has_read_of_the_end)
{
    driver_prepare(&driver);
    driver_open(&driver);
    driver_unlisten(&driver, GN_FLAG_ABORT);
    // The poll that writes UNLISTENED; Java has not read it when the next listener comes.
    driver.read_limit = 0;
    int64_t first = driver.listener;
    int64_t events = 0;
    for (unsigned i = 0; i < 10 && events == 0; i++) {
        events = gn_loop_poll(driver.loop, driver.command_count, driver.head, 0);
        driver.command_count = 0;
    }
    CHECK_EQ(events, 1);
    int64_t second = gn_loop_listen(driver.loop, gn_io_memory_descriptor(driver.io));
    CHECK(second > 0);
    CHECK(gn_id_slot((uint64_t)second) != gn_id_slot((uint64_t)first));
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 1);
    int64_t third = gn_loop_listen(driver.loop, gn_io_memory_descriptor(driver.io));
    CHECK_EQ(gn_id_slot((uint64_t)third), gn_id_slot((uint64_t)first));
    driver_close(&driver);
}

TEST_MAIN()
