#include "loop/driver.h"

/* The wheel fires at most one slot after the moment. */
#define SLOT (2 * GN_TIMER_SLOT_NANOSECONDS)

static struct driver driver;

static unsigned timeouts(void)
{
    return (unsigned)driver.shared->counters.timeouts;
}

/* Nothing happens until just before `limit` from now, and the connection ends by a time limit just after it. */
static void check_ends_after(struct gn_io_memory_peer *peer, uint64_t limit)
{
    driver_advance(&driver, limit - SECOND / 10);
    CHECK(!gn_io_memory_saw_close(peer) && !gn_io_memory_saw_end(peer));
    CHECK_EQ(timeouts(), 0);
    driver_advance(&driver, SECOND / 10 + SLOT);
    CHECK(gn_io_memory_saw_close(peer) || gn_io_memory_saw_end(peer));
    CHECK_EQ(timeouts(), 1);
}

/* ---- time limits (E1 to E5) ---- */

TEST(E3_no_first_byte)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "");
    check_ends_after(peer, 30 * SECOND);
    CHECK_EQ(driver.shared->counters.connections_open, 0);
    driver_close(&driver);
}

TEST(E1_E2_trickled_bytes_do_not_extend_the_head_time)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "");
    driver_advance(&driver, 20 * SECOND);
    driver_write(&driver, peer, "GET");
    driver_settle(&driver);
    for (unsigned i = 0; i < 29; i++) {
        driver_advance(&driver, SECOND);
        driver_write(&driver, peer, i == 0 ? " /" : "a");
        driver_settle(&driver);
    }
    CHECK(!gn_io_memory_saw_close(peer));
    CHECK_EQ(timeouts(), 0);
    driver_advance(&driver, SECOND + SLOT);
    const char *answer = driver_read(&driver, peer, NULL);
    CHECK(strncmp(answer, "HTTP/1.1 408 Request Timeout\r\n", 30) == 0);
    CHECK(gn_io_memory_saw_end(peer));
    CHECK_EQ(timeouts(), 1);
    CHECK_EQ(driver.refused_reason, GN_REASON_HEAD_TIMEOUT);
    driver_advance(&driver, 5 * SECOND + SLOT);
    CHECK(gn_io_memory_saw_close(peer));
    driver_close(&driver);
}

/* Writes a byte of `bytes` each second; the limit of the head, which began with the first one, answers it. */
static void check_trickled(struct gn_io_memory_peer *peer, const char *bytes, unsigned limit)
{
    for (unsigned i = 0; i < limit; i++) {
        CHECK_EQ(timeouts(), 0);
        driver_write_bytes(&driver, peer, bytes + i % strlen(bytes), 1);
        driver_settle(&driver);
        driver_advance(&driver, SECOND - (i == limit - 1 ? SLOT : 0));
    }
    CHECK_EQ(timeouts(), 0);
    driver_advance(&driver, 2 * SLOT);
    CHECK_EQ(timeouts(), 1);
    CHECK_EQ(driver.shared->counters.reasons[GN_REASON_HEAD_TIMEOUT], 1);
    CHECK(strncmp(driver_read(&driver, peer, NULL), "HTTP/1.1 408 Request Timeout\r\n", 30) == 0);
    CHECK(gn_io_memory_saw_end(peer));
}

TEST(E2_E3_empty_lines_begin_the_time_of_a_head)
{
    for (unsigned used = 0; used < 2; used++) {
        driver_prepare(&driver);
        driver.shared->listener.empty_lines = 100;
        struct gn_io_memory_peer *peer = driver_begin(&driver, used ? GET : "");
        if (used) {
            driver_answer(&driver, driver_exchange(&driver, 0), "x");
            driver_settle(&driver);
            driver_read(&driver, peer, NULL);
        }
        driver_advance(&driver, 29 * SECOND);
        check_trickled(peer, "\r\n", 30);
        driver_close(&driver);
    }
}

TEST(E2_a_head_behind_a_slow_response_has_its_own_time)
{
    // While Java takes its time, and also when the response becomes complete in the middle of it.
    for (unsigned answered = 0; answered < 2; answered++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
        driver_advance(&driver, 100 * SECOND);
        driver_write(&driver, peer, "GET / HTTP/1.1\r\n");
        driver_settle(&driver);
        driver_advance(&driver, 15 * SECOND);
        if (answered)
            driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        driver_advance(&driver, 14 * SECOND);
        CHECK_EQ(timeouts(), 0);
        driver_advance(&driver, SECOND + SLOT);
        CHECK_EQ(timeouts(), 1);
        if (!answered)
            driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        CHECK(strncmp(driver_read(&driver, peer, NULL), OK(1) "xHTTP/1.1 408 ", 51) == 0);
        CHECK(gn_io_memory_saw_end(peer));
        driver_close(&driver);
    }
}

TEST(E4_half_of_another_protocol)
{
    // The preface of HTTP/2 cut off anywhere within its first line; nothing else looks for a protocol here.
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for (size_t length = 0; length < 18; length++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, "");
        driver_write_bytes(&driver, peer, preface, length);
        driver_settle(&driver);
        if (gn_io_memory_saw_end(peer)) {
            CHECK_EQ(driver.shared->counters.requests_refused, 1); // before the limit: what is there is no HTTP/1
        } else {
            check_ends_after(peer, 30 * SECOND);
        }
        CHECK_EQ(driver.exchange_count, 0);
        driver_close(&driver);
    }
}

TEST(E3_a_peer_that_has_ended_its_side_is_waited_for_no_longer)
{
    // Half-closed in the time of each limit: the end of input, not the limit, ends it.
    static const char *const texts[] = {"", "GET / HT", POST(3) "a", POST_CHUNKED "1"};
    for (unsigned i = 0; i < 4; i++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, texts[i]);
        driver_advance(&driver, 10 * SECOND);
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        CHECK_EQ(timeouts(), 0);
        driver_close(&driver);
    }
    // One that waits for Java stays, and is not idle.
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    gn_io_memory_finish(peer);
    driver_advance(&driver, 1000 * SECOND);
    CHECK_EQ(timeouts(), 0);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    CHECK_EQ(driver.shared->counters.connections_open, 0);
    driver_close(&driver);
}

TEST(E3_a_silent_peer_behind_a_slow_response_is_not_late)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_advance(&driver, 1000 * SECOND);
    CHECK_EQ(timeouts(), 0);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "y");
    check_ends_after(peer, 75 * SECOND);
    CHECK_EQ(driver.shared->counters.reasons[GN_REASON_IDLE_TIMEOUT], 1);
    driver_close(&driver);
}

TEST(E3_idle_after_a_request)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "");
    driver_advance(&driver, 10 * SECOND);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    driver_advance(&driver, 5 * SECOND);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    check_ends_after(peer, 75 * SECOND);
    driver_close(&driver);
}

/* The table of connections grows by leaps. */
static size_t heap_but_slots(const struct gn_context *context)
{
    return context->memory.used - context->connections.capacity * sizeof(struct gn_slot);
}

TEST(E5_an_idle_connection_costs_at_most_512_bytes_right_after_a_request)
{
    driver_prepare(&driver);
    driver_open(&driver);
    struct gn_context *context = &driver.loop->context;
    const unsigned groups = 2 * GN_INFO_GROUP;
    size_t heap = 0, arena = 0;
    for (unsigned i = 0; i < 2 * groups; i++) { // one after the other: exchanges and their pool stay as they are
        if (i == groups) {
            heap = heap_but_slots(context);
            arena = context->arena.used[GN_ARENA_HEAD];
        }
        driver_write(&driver, driver_connect(&driver), GET);
        driver_settle(&driver);
        driver_answer(&driver, driver_exchange(&driver, i), "x");
        driver_settle(&driver);
    }
    size_t cost = heap_but_slots(context) - heap + context->arena.used[GN_ARENA_HEAD] - arena;
    CHECK(cost / groups <= 512);
    CHECK_EQ(context->arena.used[GN_ARENA_BODY_IN] + context->arena.used[GN_ARENA_BODY_OUT], 0);
    driver_close(&driver);
}

TEST(an_idle_connection_gives_back_what_only_requests_need)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    struct gn_context *context = &driver.loop->context;
    uint64_t id = driver_exchange(&driver, 0)->connection;
    driver_advance(&driver, 31 * SECOND); // Java has not answered yet
    CHECK(gn_connection_find(context, id)->info != NULL);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    driver_advance(&driver, 74 * SECOND);
    driver_write(&driver, peer, GET); // still there for whoever comes at last
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    size_t with = context->memory.used;
    for (unsigned i = 0; i < 70; i++)
        driver_advance(&driver, SECOND);
    CHECK(gn_connection_find(context, id)->info == NULL);
    CHECK_EQ(context->arena.used[GN_ARENA_HEAD], 0);
    CHECK(context->memory.used < with);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 3);
    driver_answer(&driver, driver_exchange(&driver, 2), "z");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "y" OK(1) "z");
    driver_close(&driver);
}

TEST(E3_a_short_idle_time_is_kept_to)
{
    for (unsigned first_byte = 0; first_byte < 2; first_byte++) {
        driver_prepare(&driver);
        driver.shared->listener.first_byte_timeout = first_byte * 30 * SECOND;
        driver.shared->listener.idle_timeout = 2 * SECOND;
        driver_open(&driver);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        check_ends_after(peer, 2 * SECOND);
        driver_close(&driver);
    }
}

TEST(E3_idle_after_a_request_that_took_long)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    driver_advance(&driver, 100 * SECOND); // nobody waits for the peer meanwhile
    CHECK_EQ(timeouts(), 0);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    check_ends_after(peer, 75 * SECOND);
    driver_close(&driver);
}

TEST(E3_idle_begins_when_the_response_is_sent)
{
    driver_prepare(&driver);
    driver.shared->listener.write_rate = 0;
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET);
    static char body[60000];
    gn_io_memory_room(peer, 1000);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, body, sizeof(body));
    driver_settle(&driver);
    for (unsigned i = 0; i < 60; i++) { // slow, but never stalled
        driver_advance(&driver, 20 * SECOND);
        CHECK(!gn_io_memory_saw_close(peer));
        driver_read(&driver, peer, NULL);
        driver_settle(&driver);
    }
    CHECK_EQ(timeouts(), 0);
    check_ends_after(peer, 75 * SECOND);
    driver_close(&driver);
}

TEST(E5_a_body_without_progress)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(100));
    driver_advance(&driver, 10 * SECOND);
    CHECK_EQ(timeouts(), 0);
    check_ends_after(peer, 20 * SECOND);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_BODY_TIMEOUT);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_status, 408);
    CHECK_READ(&driver, peer, "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    driver_close(&driver);
}

TEST(E5_a_body_that_Java_does_not_want_yet_is_not_late)
{
    // No credit and nothing held; everything that arrived was taken; bytes held.
    for (unsigned i = 0; i < 3; i++) {
        driver_prepare(&driver);
        driver.hold_bodies = true;
        driver.shared->listener.receive_credit = 300;
        driver_open(&driver);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer,
                     i == 0 ? "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 500\r\n\r\n"
                            : POST(500));
        if (i > 0)
            driver_write_bytes(&driver, peer, (uint8_t[302]){0}, i == 1 ? 300 : 302);
        driver_settle(&driver);
        driver_advance(&driver, 200 * SECOND);
        CHECK_EQ(timeouts(), 0);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
        driver_ask(&driver, driver_exchange(&driver, 0), 300);
        driver_settle(&driver);
        driver_read(&driver, peer, NULL);
        check_ends_after(peer, 30 * SECOND); // now it is waited for
        driver_close(&driver);
    }
}

TEST(E5_a_reader_that_stalls)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    static char body[30000];
    gn_io_memory_room(peer, 10000);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, body, sizeof(body));
    driver_settle(&driver);
    driver_advance(&driver, 20 * SECOND);
    driver_read(&driver, peer, NULL); // fast enough, this once
    driver_settle(&driver);
    driver_advance(&driver, 10 * SECOND + SLOT);
    check_ends_after(peer, 30 * SECOND);
    CHECK(gn_io_memory_saw_reset(peer));
    CHECK_EQ(driver_exchange(&driver, 0)->sents, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->sent_reason, GN_REASON_WRITE_TIMEOUT);
    driver_close(&driver);
}

TEST(E5_a_stalled_reader_of_a_streamed_response)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    gn_io_memory_room(peer, 100);
    static char body[3000];
    driver_advance(&driver, 50 * SECOND);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, body, sizeof(body));
    driver_settle(&driver);
    check_ends_after(peer, 30 * SECOND);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_WRITE_TIMEOUT);
    driver_close(&driver);
}

TEST(E5_lingering_has_an_end)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "bad\r\n\r\n");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
    driver_read(&driver, peer, NULL);
    for (unsigned i = 0; i < 4; i++) {
        driver_advance(&driver, SECOND);
        driver_write(&driver, peer, "x");
    }
    driver_settle(&driver);
    CHECK(!gn_io_memory_saw_close(peer));
    driver_advance(&driver, SECOND + SLOT);
    CHECK(gn_io_memory_saw_close(peer));
    driver_close(&driver);
}

TEST(limits_that_are_off_end_nobody)
{
    driver_prepare(&driver);
    struct gn_listener_settings *settings = &driver.shared->listener;
    settings->first_byte_timeout = settings->head_timeout = settings->idle_timeout = settings->body_timeout = 0;
    settings->write_timeout = settings->linger_timeout = 0;
    driver_open(&driver);
    static const char *const texts[] = {"", "GET", GET, POST(3), "bad\r\n\r\n"};
    struct gn_io_memory_peer *peers[5];
    for (unsigned i = 0; i < 5; i++) {
        peers[i] = driver_connect(&driver);
        gn_io_memory_room(peers[i], i == 2 ? 5 : 1000);
        driver_write(&driver, peers[i], texts[i]);
        driver_settle(&driver);
    }
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    driver_advance(&driver, 100000 * SECOND);
    for (unsigned i = 0; i < 5; i++)
        CHECK(!gn_io_memory_saw_close(peers[i]));
    CHECK_EQ(timeouts(), 0);
    driver_close(&driver);
}

/* ---- deaths ---- */

TEST(the_peer_resets_while_Java_holds_head_and_body)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET POST(10) "abc");
    driver_settle(&driver);
    gn_io_memory_reset(peer);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.connections_open, 0);
    CHECK_EQ(driver.shared->counters.exchanges_open, 2);
    CHECK_EQ(driver.shared->counters.exchanges_abandoned, 2);
    CHECK_EQ(driver.shared->counters.blocks_lent, 1);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(driver_exchange(&driver, i)->resets, 1);
        CHECK_EQ(driver_exchange(&driver, i)->reset_reason, GN_REASON_PEER_RESET);
    }
    // What Java still says of them is ignored, not rejected.
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, "x", 1);
    driver_respond(&driver, driver_exchange(&driver, 1), 200, 0, -1, "x", 1);
    driver_data(&driver, driver_exchange(&driver, 1), GN_FLAG_END, "x", 1);
    driver_reset(&driver, driver_exchange(&driver, 1));
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.commands_rejected, 0);
    driver_release(&driver, driver_exchange(&driver, 0));
    driver_release(&driver, driver_exchange(&driver, 1));
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.exchanges_open, 0);
    driver_close(&driver);
}

TEST(the_peer_resets_with_a_send_in_flight)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver_open(&driver);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, GET GET);
        driver_settle(&driver);
        static char body[100000];
        driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, body, sizeof(body));
        driver_respond(&driver, driver_exchange(&driver, 1), 200, GN_FLAG_END, -1, body, sizeof(body));
        driver_poll(&driver);
        gn_io_memory_reset(peer);
        driver_settle(&driver);
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        CHECK_EQ(driver.loop->context.arena.used[GN_ARENA_BODY_OUT], 0);
        driver_close(&driver);
    }
}

static void watch(uint64_t id, uint8_t kind, uint8_t flags)
{
    driver_command(&driver, (struct gn_command){.kind = kind, .flags = flags, .subject = id});
}

TEST(a_watched_connection_is_reported_once_when_it_is_gone)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    uint64_t id = driver_exchange(&driver, 0)->connection;
    watch(id, GN_COMMAND_WATCH, 0);
    driver_settle(&driver);
    CHECK_EQ(driver.closed, 0);
    gn_io_memory_reset(peer);
    driver_settle(&driver);
    CHECK_EQ(driver.closed, 1);
    CHECK_EQ(driver.closed_reason, GN_REASON_PEER_RESET);
    CHECK(driver.closed_subject == id);
    watch(id, GN_COMMAND_WATCH, 0); // too late: reported at once
    driver_settle(&driver);
    CHECK_EQ(driver.closed, 2);
    driver_close(&driver);
}

TEST(CLOSE_of_a_connection)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    watch(driver_exchange(&driver, 0)->connection, GN_COMMAND_CLOSE, 0);
    driver_settle(&driver);
    CHECK(!gn_io_memory_saw_end(peer)); // what runs is finished
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);

    peer = driver_start_with(&driver, GET);
    watch(driver_exchange(&driver, 0)->connection, GN_COMMAND_CLOSE, GN_FLAG_ABORT);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_reset(peer));
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_CLOSED_HERE);
    driver_close(&driver);
}

TEST(CLOSE_while_a_body_still_comes_ends_behind_it)
{
    // The answer was begun as one that is kept; the body ends after CLOSE.
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(6) "abc");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, "x", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    watch(driver_exchange(&driver, 0)->connection, GN_COMMAND_CLOSE, 0);
    driver_settle(&driver);
    driver_write(&driver, peer, "def");
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(faults_of_sending_and_receiving_end_only_their_connection)
{
    for (unsigned operation = GN_IO_OP_RECEIVE; operation <= GN_IO_OP_SHUT_DOWN; operation++) {
        driver_prepare(&driver);
        driver_open(&driver);
        struct gn_io_memory_peer *healthy = driver_connect(&driver);
        driver_write(&driver, healthy, GET);
        driver_settle(&driver);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_settle(&driver);
        driver.faults.error[operation] = EIO;
        driver.faults.once[operation] = true;
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        if (driver.exchange_count == 2)
            driver_respond(&driver, driver_exchange(&driver, 1), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_close(peer));
        CHECK(!gn_io_memory_saw_close(healthy));
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, healthy, OK(1) "x");
        driver_close(&driver);
    }
}

/* A turn that waits for 40 seconds until what it then delivers comes in. */
static int turn_after_a_long_wait(struct gn_io *io, uint64_t wait)
{
    if (wait > 0)
        gn_io_memory_advance(io, 40 * SECOND);
    return gn_io_memory.turn(io, 0);
}

TEST(E1_E3_the_time_of_a_wait_is_not_held_against_who_ends_it)
{
    struct gn_io_operations operations = gn_io_memory;
    operations.turn = turn_after_a_long_wait;
    driver_prepare(&driver);
    driver.shared->listener.idle_timeout = 75 * SECOND;
    driver_open(&driver);
    driver.io->operations = &operations;
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_poll_wait(&driver, 30 * SECOND); // accepted at the end of the wait: 30 s for the first byte from now on
    driver.io->operations = &gn_io_memory;
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    driver.io->operations = &operations;
    driver_write(&driver, peer, "GET / HTTP/1.1\r\n");
    driver_poll_wait(&driver, 30 * SECOND); // received after 40 s of idling: 30 s for the rest from now on
    driver.io->operations = &gn_io_memory;
    driver_advance(&driver, 29 * SECOND);
    driver_write(&driver, peer, "host: h\r\n\r\n");
    driver_settle(&driver);
    CHECK_EQ(timeouts(), 0);
    CHECK_EQ(driver.exchange_count, 2);
    driver_close(&driver);
}

TEST_MAIN()
