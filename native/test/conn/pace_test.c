#include "loop/driver.h"

/*
 * Peers that are slow on purpose, or because they cannot help it: body_rate, write_rate and lingering (E5).
 */

/* The wheel fires at most one slot after the moment. */
#define SLOT (2 * GN_TIMER_SLOT_NANOSECONDS)
#define CLOSING_GET "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"

static struct driver driver;
static char bytes[60000];

static unsigned count_of(unsigned reason)
{
    return (unsigned)driver.shared->counters.reasons[reason];
}

static unsigned timeouts(void)
{
    return (unsigned)driver.shared->counters.timeouts;
}

/* ---- bodies ---- */

static void check_body_timeout(struct gn_io_memory_peer *peer, const struct driver_exchange *exchange)
{
    CHECK_EQ(timeouts(), 1);
    CHECK_EQ(count_of(GN_REASON_BODY_TIMEOUT), 1);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_BODY_TIMEOUT);
    CHECK_EQ(exchange->reset_status, 408);
    CHECK_READ(&driver, peer, "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    CHECK(gn_io_memory_saw_end(peer));
}

/* Writes `count` pieces, one a second. */
static void write_each_second(struct gn_io_memory_peer *peer, const char *piece, size_t length, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        driver_write_bytes(&driver, peer, piece, length);
        driver_settle(&driver);
        driver_advance(&driver, SECOND);
    }
}

TEST(E5_a_body_must_come_at_its_rate_over_each_time)
{
    // 240 bytes a second are 7200 in 30 seconds: as many pass, one less does not.
    for (unsigned missing = 0; missing < 2; missing++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(1000000));
        for (unsigned times = 0; times < 3; times++) {
            write_each_second(peer, bytes, 240, 29);
            driver_write_bytes(&driver, peer, bytes, 240 - (times == 2 ? missing : 0));
            driver_settle(&driver);
            driver_advance(&driver, SECOND + SLOT); // each time begins where the one before was found over
            if (times < 2 || missing == 0)
                CHECK_EQ(timeouts(), 0);
        }
        if (missing)
            check_body_timeout(peer, driver_exchange(&driver, 0));
        CHECK_EQ(timeouts(), missing);
        driver_close(&driver);
    }
}

TEST(E5_a_body_that_ends_within_the_time_is_in_time)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(29));
    write_each_second(peer, "x", 1, 29);
    CHECK(driver_exchange(&driver, 0)->ended);
    driver_advance(&driver, 100 * SECOND);
    CHECK_EQ(timeouts(), 0);
    driver_close(&driver);
}

TEST(E2_E5_framing_is_no_progress)
{
    // A size line, extensions, the chunks of a byte, and a trailer section, dribbled: each piece just before its second.
    static const char *const begins[] = {POST_CHUNKED, POST_CHUNKED "1;", POST_CHUNKED, POST_CHUNKED "0\r\n"};
    static const char *const pieces[] = {"0", "e", "1;x=y\r\nz\r\n", "t: u\r\n"};
    for (unsigned i = 0; i < 4; i++) {
        driver_prepare(&driver);
        driver.shared->listener.body_timeout = 12 * SECOND;
        struct gn_io_memory_peer *peer = driver_begin(&driver, begins[i]);
        driver_advance(&driver, SECOND / 2);
        write_each_second(peer, pieces[i], strlen(pieces[i]), 11);
        CHECK_EQ(timeouts(), 0);
        driver_advance(&driver, SECOND / 2 + SLOT);
        check_body_timeout(peer, driver_exchange(&driver, 0));
        driver_close(&driver);
    }
}

TEST(E5_without_a_rate_a_byte_in_time_is_enough)
{
    driver_prepare(&driver);
    driver.shared->listener.body_rate = 0;
    struct gn_io_memory_peer *peer = driver_begin(&driver, POST(1000));
    for (unsigned i = 0; i < 20; i++) {
        driver_advance(&driver, 29 * SECOND);
        driver_write(&driver, peer, "x");
        driver_settle(&driver);
        CHECK_EQ(timeouts(), 0);
    }
    driver_advance(&driver, 30 * SECOND + SLOT); // the time of the last byte may have just begun
    driver_advance(&driver, 30 * SECOND + SLOT);
    check_body_timeout(peer, driver_exchange(&driver, 0));
    driver_close(&driver);
}

TEST(E5_a_body_that_is_dropped_must_come_at_its_rate_too)
{
    for (unsigned slow = 0; slow < 2; slow++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(20000));
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "x");
        write_each_second(peer, bytes, slow ? 239 : 250, 30);
        driver_advance(&driver, SLOT);
        CHECK_EQ(timeouts(), slow);
        CHECK_EQ(count_of(GN_REASON_BODY_TIMEOUT), slow);
        CHECK_EQ(gn_io_memory_saw_end(peer), slow);
        driver_close(&driver);
    }
}

TEST(E5_what_is_dropped_of_a_body_is_measured_from_the_end_of_the_response)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(60000));
    driver_write_bytes(&driver, peer, bytes, 10000);
    driver_settle(&driver);
    driver_advance(&driver, 10 * SECOND);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    driver_advance(&driver, 30 * SECOND - SLOT);
    CHECK_EQ(timeouts(), 0);
    driver_advance(&driver, 2 * SLOT);
    CHECK_EQ(timeouts(), 1);
    driver_close(&driver);
}

TEST(E5_the_time_of_a_body_begins_anew_when_Java_lets_go_of_it)
{
    // Nobody has asked for it, and its response is behind another one that takes long.
    struct gn_io_memory_peer *peer = driver_start_with(
        &driver, GET "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 50000\r\nexpect: 100-continue\r\n\r\n");
    CHECK_EQ(driver.exchange_count, 2);
    driver_advance(&driver, 40 * SECOND);
    driver_respond(&driver, driver_exchange(&driver, 1), 200, GN_FLAG_END, -1, "x", 1);
    driver_release(&driver, driver_exchange(&driver, 1));
    driver_settle(&driver);
    driver_advance(&driver, 30 * SECOND - SLOT);
    CHECK_EQ(timeouts(), 0);
    CHECK(!gn_io_memory_saw_end(peer));
    driver_advance(&driver, 2 * SLOT);
    CHECK_EQ(timeouts(), 1);
    driver_close(&driver);
}

TEST(E5_the_time_begins_anew_when_Java_wants_the_body_again)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver.shared->listener.receive_credit = 16384;
    struct gn_io_memory_peer *peer = driver_begin(&driver, POST(1000000));
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    for (unsigned i = 0; i < 3; i++) {
        driver_advance(&driver, 29 * SECOND);
        driver_write_bytes(&driver, peer, bytes, 16384); // all that Java takes
        driver_advance(&driver, 29 * SECOND);
        CHECK_EQ(timeouts(), 0);
        driver_credit(&driver, exchange);
        driver_settle(&driver);
    }
    driver_advance(&driver, 30 * SECOND - SLOT);
    CHECK_EQ(timeouts(), 0);
    driver_advance(&driver, 2 * SLOT);
    check_body_timeout(peer, exchange);
    driver_close(&driver);
}

/* Java reads no events for two minutes, so the ring is full of other connections' heads when `more` comes. */
static struct gn_io_memory_peer *fill_the_ring(const char *begin, const char *more)
{
    driver_prepare(&driver);
    driver.shared->loop.events_capacity = 64;
    struct gn_io_memory_peer *peer = driver_begin(&driver, begin);
    driver.read_limit = UINT32_MAX;
    for (unsigned i = 0; i < 70; i++)
        driver_write(&driver, driver_connect(&driver), GET);
    uint32_t head = driver.head;
    for (unsigned i = 0; i < 20; i++)
        CHECK(gn_loop_poll(driver.loop, 0, head, 0) <= 64); // events stay unread
    driver_write(&driver, peer, more);
    for (unsigned i = 0; i < 4; i++) {
        gn_io_memory_advance(driver.io, 29 * SECOND);
        CHECK(gn_loop_poll(driver.loop, 0, head, 0) <= 64);
    }
    CHECK_EQ(timeouts(), 0);
    driver_settle(&driver);
    return peer;
}

TEST(E5_the_time_in_which_the_loop_took_nothing_does_not_count)
{
    // Bytes of a body, and some of its trailer section.
    static const char *const begins[] = {POST(1000000) "a", POST_CHUNKED "1\r\na\r\n0\r\n"};
    static const char *const more[] = {"b", "t: u"};
    for (unsigned i = 0; i < 2; i++) {
        fill_the_ring(begins[i], more[i]);
        CHECK_EQ(driver_exchange(&driver, 0)->body_length, 2 - i);
        driver_advance(&driver, 29 * SECOND);
        CHECK_EQ(timeouts(), 0);
        driver_advance(&driver, SECOND + SLOT);
        CHECK_EQ(count_of(GN_REASON_BODY_TIMEOUT), 1);
        driver_close(&driver);
    }
}

TEST(E5_each_body_of_a_pipeline_is_measured_by_itself)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(10000));
    driver_write_bytes(&driver, peer, bytes, 10000);
    driver_write(&driver, peer, POST(1000000)); // of which nothing comes
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 2);
    CHECK(driver_exchange(&driver, 0)->ended);
    driver_advance(&driver, 30 * SECOND + SLOT);
    CHECK_EQ(driver_exchange(&driver, 1)->reset_reason, GN_REASON_BODY_TIMEOUT);
    CHECK_EQ(timeouts(), 1);
    driver_close(&driver);

    // Nor does it matter that the loop took nothing of the one before for a while.
    peer = fill_the_ring(POST(2) "a", "b");
    driver_write(&driver, peer, POST(1000000));
    driver_settle(&driver);
    CHECK(driver_exchange(&driver, 0)->ended);
    driver_advance(&driver, 30 * SECOND + SLOT);
    CHECK_EQ(count_of(GN_REASON_BODY_TIMEOUT), 1);
    driver_close(&driver);
}

/* ---- responses ---- */

/* Answers the first exchange with more than the peer's host takes. */
static struct gn_io_memory_peer *begin_large_response(size_t room, uint64_t rate)
{
    driver_prepare(&driver);
    driver.shared->listener.write_rate = rate;
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET);
    gn_io_memory_room(peer, room);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, bytes, sizeof(bytes));
    driver_settle(&driver);
    return peer;
}

/* The peer takes `length` bytes each second, for `count` seconds. */
static void read_each_second(struct gn_io_memory_peer *peer, size_t length, unsigned count)
{
    static char sink[60000];
    for (unsigned i = 0; i < count; i++) {
        gn_io_memory_read(peer, sink, length);
        driver_advance(&driver, SECOND);
    }
}

static void check_write_timeout(const struct gn_io_memory_peer *peer)
{
    CHECK_EQ(timeouts(), 1);
    CHECK_EQ(count_of(GN_REASON_WRITE_TIMEOUT), 1);
    CHECK(gn_io_memory_saw_reset(peer));
    CHECK_EQ(driver_exchange(&driver, 0)->sent_reason, GN_REASON_WRITE_TIMEOUT);
}

TEST(E5_a_response_that_nobody_takes_ends_in_time)
{
    struct gn_io_memory_peer *peer = begin_large_response(10000, 240);
    driver_advance(&driver, 30 * SECOND - SLOT);
    CHECK_EQ(timeouts(), 0);
    driver_advance(&driver, 2 * SLOT);
    check_write_timeout(peer);
    driver_close(&driver);
}

TEST(E5_a_peer_that_takes_a_byte_now_and_then_is_not_in_time)
{
    struct gn_io_memory_peer *peer = begin_large_response(10000, 240);
    read_each_second(peer, 1, 30);
    CHECK_EQ(timeouts(), 0);
    read_each_second(peer, 1, 10); // the first look, within a quarter of the time, only saw where it was
    check_write_timeout(peer);
    driver_close(&driver);
}

TEST(E5_a_peer_that_takes_at_its_rate_gets_everything)
{
    for (unsigned late = 0; late < 2; late++) {
        struct gn_io_memory_peer *peer = begin_large_response(10000, 240);
        gn_io_memory_late(driver.io, late);
        read_each_second(peer, 250, 250);
        CHECK_EQ(timeouts(), 0);
        CHECK_EQ(driver_exchange(&driver, 0)->sents, 1);
        CHECK_EQ(driver_exchange(&driver, 0)->sent_reason, GN_REASON_NONE);
        driver_close(&driver);
    }
}

TEST(E5_slower_than_the_rate_ends_after_one_to_two_times)
{
    struct gn_io_memory_peer *peer = begin_large_response(10000, 240);
    read_each_second(peer, 400, 40);
    CHECK_EQ(timeouts(), 0);
    read_each_second(peer, 200, 50);
    check_write_timeout(peer);
    driver_close(&driver);
}

TEST(E5_the_rate_of_a_response_is_exact)
{
    static char sink[60000];
    for (unsigned missing = 0; missing < 2; missing++) {
        struct gn_io_memory_peer *peer = begin_large_response(10000, 240);
        driver_advance(&driver, 30 * SECOND / 4 + SLOT); // the first look
        const struct gn_connection *connection =
            gn_connection_find(&driver.loop->context, driver_exchange(&driver, 0)->connection);
        REQUIRE(connection != NULL && connection->pace.until > driver.loop->context.now);
        CHECK(connection->pace.goal > 240 * 22 && connection->pace.goal <= 240 * 30 * 3 / 4);
        CHECK_EQ(gn_io_memory_read(peer, sink, connection->pace.goal - missing), connection->pace.goal - missing);
        driver_advance(&driver, 30 * SECOND * 3 / 4);
        CHECK_EQ(timeouts(), missing);
        driver_close(&driver);
    }
}

TEST(E5_without_a_rate_a_byte_taken_in_time_is_enough)
{
    struct gn_io_memory_peer *peer = begin_large_response(10000, 0);
    static char sink[1];
    for (unsigned i = 0; i < 20; i++) {
        gn_io_memory_read(peer, sink, 1);
        driver_advance(&driver, 20 * SECOND);
        CHECK_EQ(timeouts(), 0);
    }
    driver_advance(&driver, 30 * SECOND + SLOT);
    driver_advance(&driver, 30 * SECOND + SLOT);
    check_write_timeout(peer);
    driver_close(&driver);
}

/* A kernel that takes nothing from us while its buffers are over a third full, and says how much stands in them. */
static size_t in_kernel;

static int64_t unsent(struct gn_io *io, struct gn_io_socket *socket)
{
    return gn_io_memory.unsent(io, socket) + (int64_t)in_kernel;
}

TEST(E5_what_counts_is_what_the_peers_host_acknowledged)
{
    // The kernel has megabytes and takes nothing for minutes: 20 KB/s is in time, nothing at all is not.
    for (unsigned steady = 0; steady < 2; steady++) {
        struct gn_io_operations operations = gn_io_memory;
        operations.unsent = unsent;
        driver_prepare(&driver);
        driver_open(&driver);
        driver.io->operations = &operations;
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        gn_io_memory_room(peer, 20000);
        driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, bytes, sizeof(bytes));
        driver_settle(&driver);
        // As if 4 MB more had been sent before.
        struct gn_connection *connection =
            gn_connection_find(&driver.loop->context, driver_exchange(&driver, 0)->connection);
        REQUIRE(connection != NULL);
        connection->sent += in_kernel = 4000000;
        for (unsigned i = 0; i < 180; i++) {
            in_kernel -= steady ? 20000 : 0;
            driver_advance(&driver, SECOND);
        }
        CHECK_EQ(timeouts(), !steady);
        CHECK_EQ(gn_io_memory_saw_reset(peer), !steady);
        driver.io->operations = &gn_io_memory;
        driver_close(&driver);
    }
    in_kernel = 0;
}

TEST(E5_output_that_waits_again_and_again_costs_nobody_the_connection)
{
    // Each response is taken, late in the time that began with the one before.
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, "");
    for (unsigned i = 0; i < 40; i++) {
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        gn_io_memory_room(peer, 10);
        driver_answer(&driver, driver_exchange(&driver, i), "x");
        driver_advance(&driver, 11 * SECOND);
        gn_io_memory_room(peer, 65536);
        driver_advance(&driver, SECOND);
        CHECK_READ(&driver, peer, OK(1) "x");
        CHECK_EQ(timeouts(), 0);
    }
    driver_close(&driver);
}

/* ---- lingering ---- */

/* A complete closing response, all of it in the kernel's hands, and none in the peer's. */
static struct gn_io_memory_peer *begin_lingering(void)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, CLOSING_GET "and bytes that nobody reads");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, bytes, sizeof(bytes));
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
    return peer;
}

TEST(D7_E5_lingering_goes_on_while_the_last_response_is_taken)
{
    // Whenever the last byte is taken, between two looks that are linger_timeout apart.
    for (unsigned phase = 0; phase < 5; phase++) {
        struct gn_io_memory_peer *peer = begin_lingering();
        read_each_second(peer, 300, 180 + phase);
        CHECK(!gn_io_memory_saw_close(peer));
        driver_read(&driver, peer, NULL); // all of it
        unsigned seconds = 0;
        for (; !gn_io_memory_saw_close(peer) && seconds < 20; seconds++)
            driver_advance(&driver, SECOND);
        CHECK(seconds > 5 && seconds <= 12); // found at the next look, at most linger_timeout later
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        CHECK_EQ(count_of(GN_REASON_LINGER_TIMEOUT), 1);
        CHECK_EQ(timeouts(), 0);
        driver_close(&driver);
    }
}

TEST(D7_E5_lingering_begins_with_a_time_of_its_own)
{
    // The peer was slow before: what was measured of it then is over with the last byte that it took.
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, CLOSING_GET "x");
    gn_io_memory_room(peer, 10000);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, bytes, sizeof(bytes));
    driver_settle(&driver);
    read_each_second(peer, 250, 10); // the first look was at 7.5 seconds
    CHECK(!gn_io_memory_saw_end(peer));
    gn_io_memory_room(peer, 65536);
    driver_settle(&driver);
    driver_read(&driver, peer, NULL);
    CHECK(gn_io_memory_saw_end(peer));
    driver_advance(&driver, 5 * SECOND + SLOT);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    CHECK_EQ(count_of(GN_REASON_LINGER_TIMEOUT), 1);
    driver_close(&driver);
}

TEST(D7_E5_lingering_ends_at_once_with_the_peers_end)
{
    struct gn_io_memory_peer *peer = begin_lingering();
    read_each_second(peer, 300, 60);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(E5_lingering_is_not_for_a_peer_that_takes_nothing)
{
    for (unsigned trickles = 0; trickles < 2; trickles++) {
        struct gn_io_memory_peer *peer = begin_lingering();
        read_each_second(peer, trickles, 29);
        CHECK(!gn_io_memory_saw_close(peer));
        read_each_second(peer, trickles, 2);
        CHECK(gn_io_memory_saw_reset(peer));
        CHECK_EQ(count_of(GN_REASON_WRITE_TIMEOUT), 1);
        CHECK_EQ(timeouts(), 1);
        driver_close(&driver);
    }
}

TEST(E5_a_long_linger_timeout_gives_a_stalled_peer_no_more_time)
{
    driver_prepare(&driver);
    driver.shared->listener.linger_timeout = 100 * SECOND;
    struct gn_io_memory_peer *peer = driver_begin(&driver, CLOSING_GET "x");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, bytes, sizeof(bytes));
    driver_settle(&driver);
    driver_advance(&driver, 100 * SECOND + SLOT);
    CHECK(!gn_io_memory_saw_close(peer)); // the first look
    driver_advance(&driver, 30 * SECOND + SLOT);
    CHECK(gn_io_memory_saw_reset(peer));
    CHECK_EQ(count_of(GN_REASON_WRITE_TIMEOUT), 1);
    driver_close(&driver);
}

TEST(E5_without_a_write_timeout_lingering_has_an_end_all_the_same)
{
    driver_prepare(&driver);
    driver.shared->listener.write_timeout = 0;
    struct gn_io_memory_peer *peer = driver_begin(&driver, CLOSING_GET "x");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, bytes, sizeof(bytes));
    driver_settle(&driver);
    driver_advance(&driver, 9 * SECOND);
    CHECK(!gn_io_memory_saw_close(peer));
    driver_advance(&driver, SECOND + 2 * SLOT);
    driver_advance(&driver, 5 * SECOND);
    CHECK(gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST_MAIN()
