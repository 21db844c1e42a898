#include "loop/driver.h"

static struct driver driver;

/* ---- the arena runs out ---- */

static void start_with_slabs(unsigned count, size_t bytes)
{
    driver_prepare(&driver);
    driver.slab_count = count;
    driver.slab_bytes = bytes;
    driver_open(&driver);
}

TEST(without_a_slab_requests_wait_until_one_comes)
{
    start_with_slabs(0, 65536);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK(driver.slabs_wanted == 1);
    CHECK_EQ(driver.exchange_count, 0);
    CHECK(!gn_io_memory_saw_close(peer));
    for (unsigned i = 0; i < 4; i++)
        driver_add_slab(&driver);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 1);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    driver_close(&driver);
}

/* Bodies fill the arena (but for the reserve of heads) while Java holds them. */
static struct gn_io_memory_peer *fill_with_bodies(unsigned slabs, bool late)
{
    driver_prepare(&driver);
    driver.late = late;
    driver.slab_count = slabs;
    driver.slab_bytes = 65536;
    driver.hold_bodies = true;
    driver.shared->loop.reserve = 4 * 65536;
    driver.shared->listener.receive_credit = 9000000;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST(9000000));
    driver_settle(&driver);
    static char body[1000];
    for (unsigned i = 0; i < 1000 && gn_io_memory_unreceived(peer) < 60000; i++) {
        gn_io_memory_write(peer, body, sizeof(body));
        driver_poll(&driver);
    }
    driver_settle(&driver);
    CHECK_EQ(driver.slabs_wanted, 1);
    CHECK(!gn_io_memory_saw_close(peer));
    CHECK(driver_exchange(&driver, 0)->body_length < 9000000);
    return peer;
}

TEST(a_body_waits_for_a_slab_and_goes_on)
{
    for (unsigned late = 0; late < 2; late++) {
        struct gn_io_memory_peer *peer = fill_with_bodies(8, late);
        size_t before = driver_exchange(&driver, 0)->body_length;
        driver_settle(&driver);
        CHECK_EQ(driver_exchange(&driver, 0)->body_length, before);
        for (unsigned i = 0; i < 4 && driver_exchange(&driver, 0)->body_length == before; i++) {
            driver_add_slab(&driver); // the first ones fill the reserve up again
            driver_settle(&driver);
            CHECK_EQ(driver.slabs_wanted, i + 2);
        }
        CHECK(driver_exchange(&driver, 0)->body_length > before);
        // Others are served from the reserve of heads.
        struct gn_io_memory_peer *other = driver_connect(&driver);
        driver_write(&driver, other, GET);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 2);
        CHECK(!gn_io_memory_saw_close(peer));
        driver_close(&driver);
    }
}

TEST(a_body_waits_for_blocks_to_come_back_and_goes_on)
{
    for (unsigned late = 0; late < 2; late++) {
        struct gn_io_memory_peer *peer = fill_with_bodies(8, late);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        size_t before = exchange->body_length;
        while (exchange->block_count > 0)
            driver_credit(&driver, exchange);
        driver_settle(&driver);
        CHECK(exchange->body_length > before);
        (void)peer;
        driver_close(&driver);
    }
}

TEST(a_body_that_waited_for_memory_is_not_late)
{
    driver_prepare(&driver);
    driver.slab_count = 8;
    driver.slab_bytes = 65536;
    driver.hold_bodies = true;
    driver.shared->loop.reserve = 4 * 65536;
    driver.shared->listener.receive_credit = 9000000;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST(9000000));
    driver_settle(&driver);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    const struct gn_connection *connection = driver_connection(&driver, exchange);
    static char body[1000];
    for (unsigned i = 0; i < 1000 && !(connection->blocked & GN_BLOCKED_MEMORY); i++) {
        driver_write_bytes(&driver, peer, body, sizeof(body));
        driver_settle(&driver);
    }
    CHECK_EQ(gn_io_memory_unreceived(peer), 0);
    driver_advance(&driver, 100 * SECOND);
    size_t before = exchange->body_length;
    while (exchange->block_count > 0)
        driver_credit(&driver, exchange);
    driver_settle(&driver);
    CHECK(exchange->body_length > before);
    CHECK_EQ(driver.shared->counters.timeouts, 0);
    driver_advance(&driver, 29 * SECOND);
    CHECK_EQ(driver.shared->counters.timeouts, 0);
    driver_advance(&driver, 2 * SECOND);
    CHECK_EQ(driver.shared->counters.timeouts, 1);
    driver_close(&driver);
}

TEST(what_waits_for_memory_goes_on_when_responses_have_left)
{
    // The slab that was asked for never comes; the memory that others give back within one long wait must do.
    driver_prepare(&driver);
    driver.slab_count = 8;
    driver.slab_bytes = 65536;
    driver.late = true;
    driver_open(&driver);
    struct gn_io_memory_peer *slow = driver_connect(&driver), *waiting = driver_connect(&driver);
    gn_io_memory_room(slow, 1000);
    driver_write(&driver, slow, GET);
    driver_settle(&driver);
    static char body[196608 - 1024];
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, 3 * (int64_t)sizeof(body), body, sizeof(body));
    driver_settle(&driver);
    // The rest of the arena goes to nobody in particular.
    struct gn_arena *arena = &driver.loop->context.arena;
    uint64_t taken[64], block;
    unsigned count = 0;
    for (size_t size = 65536; size >= 256; size /= 2) {
        while (count < 64 && (block = gn_arena_allocate(arena, GN_ARENA_BODY_IN, size - GN_ARENA_RED_ZONE)) != 0)
            taken[count++] = block;
    }
    CHECK(count < 64);
    driver_write(&driver, waiting, POST(10));
    driver_settle(&driver);
    driver_write(&driver, waiting, "0123456789");
    driver_settle(&driver);
    bool held = driver.exchange_count == 2 && !driver_exchange(&driver, 1)->ended;
    gn_io_memory_room(slow, 1000000);
    driver_poll_wait(&driver, SECOND);
    driver_poll_wait(&driver, SECOND);
    if (held)
        CHECK(driver_exchange(&driver, 1)->ended);
    while (count > 0)
        gn_arena_free(arena, taken[--count]);
    driver_close(&driver);
}

TEST(a_starved_connection_is_woken_within_a_wait)
{
    struct gn_io_memory_peer *peer = fill_with_bodies(16, false);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    size_t before = exchange->body_length;
    // A send frees its blocks in the middle of a wait: no event tells Java, so nobody polls anew.
    struct gn_io_memory_peer *other = driver_connect(&driver);
    driver_write(&driver, other, GET);
    driver_settle(&driver);
    REQUIRE(driver.exchange_count == 2);
    while (exchange->block_count > 3)
        driver_credit(&driver, exchange);
    gn_io_memory_room(other, 10);
    static char body[40000];
    driver_respond(&driver, driver_exchange(&driver, 1), 200, GN_FLAG_END, -1, body, sizeof(body));
    driver_poll(&driver);
    driver_settle(&driver);
    CHECK(exchange->body_length > before);
    before = exchange->body_length;
    CHECK(!gn_io_memory_saw_close(other));
    // Until it starves again.
    for (unsigned i = 0; i < 2000; i++) {
        gn_io_memory_write(peer, body, 1000);
        driver_poll(&driver);
    }
    driver_settle(&driver);
    struct gn_connection *connection = driver_connection(&driver, exchange);
    CHECK(connection->blocked & GN_BLOCKED_MEMORY);
    CHECK(!gn_list_empty(&driver.loop->context.starved));
    before = exchange->body_length;
    gn_io_memory_room(other, 1000000);
    driver_poll_wait(&driver, SECOND);
    CHECK(exchange->body_length > before);
    driver_close(&driver);
}

TEST(output_that_finds_no_block_costs_nobody_the_connection)
{
    driver_prepare(&driver);
    driver.slab_count = 6;
    driver.slab_bytes = 65536;
    driver_open(&driver);
    struct gn_io_memory_peer *greedy = driver_connect(&driver), *other = driver_connect(&driver);
    gn_io_memory_room(greedy, 0);
    driver_write(&driver, greedy, GET);
    driver_settle(&driver);
    driver_write(&driver, other, GET);
    driver_settle(&driver);
    static char body[500000];
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, body, sizeof(body));
    driver_settle(&driver);
    CHECK(!gn_io_memory_saw_close(greedy));
    CHECK_EQ(driver.slabs_wanted, 1);
    driver_answer(&driver, driver_exchange(&driver, 1), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, other, OK(1) "x");
    gn_io_memory_room(greedy, 1000000);
    driver_settle(&driver);
    size_t length;
    driver_read(&driver, greedy, &length);
    CHECK_EQ(length, sizeof(OK(500000)) - 1 + sizeof(body));
    driver_close(&driver);
}

TEST(empty_slabs_go_back)
{
    start_with_slabs(4, 65536);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    for (unsigned i = 0; i < 5; i++)
        driver_add_slab(&driver);
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    for (unsigned i = 0; i < 10; i++)
        driver_poll(&driver);
    CHECK(driver.slabs_empty > 0);
    CHECK(driver.slabs_empty <= 5);
    CHECK_EQ(driver.shared->counters.arena_total, (9 - driver.slabs_empty) * 65536);
    driver_close(&driver);
}

TEST(memory_that_is_low_is_said_once)
{
    driver_prepare(&driver);
    driver.shared->loop.low_water = 3 * DRIVER_SLAB;
    driver_open(&driver);
    for (unsigned i = 0; i < 5; i++)
        driver_poll(&driver);
    CHECK_EQ(driver.slabs_wanted, 1);
    driver_add_slab(&driver);
    driver_settle(&driver);
    CHECK_EQ(driver.slabs_wanted, 1);
    driver_close(&driver);
}

/* ---- everything fails once ---- */

/* A bit of everything on a few connections; what must hold is that nothing crashes and nothing is missing. */
static void play_everything(void)
{
    struct gn_io_memory_peer *peers[5];
    static const char *const texts[] = {
        GET, POST(6) "abc", "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT",
        "GET /par", GET GET GET "bad\r\n\r\n"};
    for (unsigned i = 0; i < 5; i++) {
        peers[i] = gn_io_memory_connect(driver.io, driver.descriptor);
        if (peers[i] == NULL)
            return;
        gn_io_memory_room(peers[i], 3000);
        gn_io_memory_write(peers[i], texts[i], strlen(texts[i]));
        driver_settle(&driver);
    }
    static const char *const more[] = {GET, "def", ": u\r\n\r\n", "tial HTTP/1.1\r\nhost: h\r\n\r\n", GET};
    for (unsigned i = 0; i < 5; i++) {
        gn_io_memory_write(peers[i], more[i], strlen(more[i]));
        driver_settle(&driver);
    }
    static char body[20000];
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_LINK, "", "<a>");
    for (size_t i = driver.exchange_count; i-- > 0;) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        if (i % 3 == 0) {
            driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, body, sizeof(body));
        } else {
            driver_interim(&driver, exchange, 103, &fields);
            driver_respond(&driver, exchange, 200, 0, -1, body, 10);
            driver_poll(&driver);
            driver_data(&driver, exchange, i % 3 == 1 ? GN_FLAG_END : 0, body, sizeof(body));
            if (i % 3 == 2)
                driver_trailers(&driver, exchange, &fields);
        }
        driver_poll(&driver);
    }
    for (unsigned round = 0; round < 30; round++) {
        for (unsigned i = 0; i < 5; i++)
            driver_read(&driver, peers[i], NULL);
        driver_poll(&driver);
    }
    gn_io_memory_finish(peers[0]);
    gn_io_memory_reset(peers[1]);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    driver_advance(&driver, 200 * SECOND);
    driver_advance(&driver, 200 * SECOND);
}

/* The same for tunnels and prepared responses. */
static void play_tunnels(void)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nraw",
        "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\nraw",
        GET "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nraw", GET GET};
    static const struct driver_staged none;
    static char body[20000];
    struct gn_io_memory_peer *peers[4];
    driver_keep(&driver, gn_id(0, 1), (struct gn_command){.value = -1}, &none, body, 10);
    for (unsigned i = 0; i < 4; i++) {
        peers[i] = gn_io_memory_connect(driver.io, driver.descriptor);
        if (peers[i] == NULL)
            return;
        gn_io_memory_room(peers[i], 3000);
        gn_io_memory_write(peers[i], texts[i], strlen(texts[i]));
        driver_settle(&driver);
    }
    driver_keep(&driver, gn_id(100, 1), (struct gn_command){.value = -1}, &none, body, sizeof(body));
    for (size_t i = driver.exchange_count; i-- > 0;) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        if (exchange->method == GN_METHOD_CONNECT || exchange->head_flags & GN_HEAD_UPGRADE) {
            driver_open_tunnel(&driver, exchange, exchange->method == GN_METHOD_CONNECT ? 200 : 101, "first");
            driver_poll(&driver);
            driver_data(&driver, exchange, 0, body, sizeof(body));
            exchange->mark = 1;
        } else {
            driver_send_kept(&driver, exchange, GN_FLAG_NOTIFY, gn_id(i % 2 == 0 ? 100 : 0, 1));
        }
        driver_poll(&driver);
    }
    driver_forget(&driver, gn_id(100, 1));
    for (unsigned round = 0; round < 30; round++) {
        for (unsigned i = 0; i < 4; i++) {
            if (round < 3)
                gn_io_memory_write(peers[i], body, sizeof(body));
            driver_read(&driver, peers[i], NULL);
        }
        driver_poll(&driver);
    }
    gn_io_memory_finish(peers[1]);
    for (size_t i = 0; i < driver.exchange_count; i++) {
        if (driver_exchange(&driver, i)->mark != 0)
            driver_data(&driver, driver_exchange(&driver, i), GN_FLAG_END, body, 100);
    }
    driver_settle(&driver);
    gn_io_memory_finish(peers[0]);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    driver_advance(&driver, 400 * SECOND);
    driver_advance(&driver, 400 * SECOND);
}

static void (*const plays[])(void) = {play_everything, play_tunnels};

static void close_after_failure(void)
{
    // A DATA that came after its exchange was gone is rejected, which is right here.
    for (size_t i = 0; i < driver.exchange_count; i++)
        CHECK(driver_exchange(&driver, i)->resets <= 1);
    driver.shared->counters.commands_rejected = 0;
    driver_close(&driver);
}

TEST(every_allocation_fails_from_some_point_on)
{
    for (unsigned play = 0; play < 2; play++) {
        bool done = false;
        for (unsigned at = 1; at < 300 && !done; at++) {
            driver_prepare(&driver);
            driver.late = at % 2;
            driver.shared->listener.connect = 1;
            driver_open(&driver);
            struct gn_memory *memory = &driver.loop->context.memory;
            uint64_t before = memory->count;
            memory->fail_from = before + at;
            plays[play]();
            done = memory->count < memory->fail_from;
            close_after_failure();
        }
        CHECK(done);
    }
}

TEST(the_arena_has_fewer_and_fewer_slabs)
{
    for (unsigned count = 0; count < 14; count++) {
        for (unsigned i = 0; i < 4; i++) {
            driver_prepare(&driver);
            driver.late = i & 1;
            driver.slab_bytes = 65536;
            driver.slab_count = count;
            driver.shared->listener.connect = 1;
            driver_open(&driver);
            plays[i >> 1]();
            close_after_failure();
        }
    }
}

static void play_with_fault(unsigned play, unsigned operation, unsigned at, bool once, bool late, uint32_t short_length)
{
    driver_prepare(&driver);
    driver.late = late;
    driver.shared->listener.connect = 1;
    driver_open(&driver);
    driver.faults.error[operation] = operation == GN_IO_OP_ACCEPT ? EMFILE : operation == GN_IO_OP_SEND ? EPIPE : EIO;
    driver.faults.countdown[operation] = at;
    driver.faults.once[operation] = once;
    driver.faults.short_length = short_length;
    plays[play]();
    close_after_failure();
}

TEST(every_operation_of_the_io_fails_from_some_point_on_or_once)
{
    for (unsigned operation = GN_IO_OP_ATTACH; operation <= GN_IO_OP_SHUT_DOWN; operation++) {
        for (unsigned at = 0; at < 24; at++) {
            for (unsigned kind = 0; kind < 8; kind++)
                play_with_fault(kind >> 2, operation, at, kind & 1, kind & 2, 0);
        }
    }
}

TEST(one_byte_at_a_time)
{
    for (unsigned at = 0; at < 60; at++)
        play_with_fault(at % 4 == 3, at % 2 ? GN_IO_OP_SEND : GN_IO_OP_RECEIVE, 7 * at, true, at & 2, 1);
    play_with_fault(0, GN_IO_OP_SETUP, 0, true, false, 1);
    play_with_fault(1, GN_IO_OP_SETUP, 0, true, false, 1);
}

TEST_MAIN()
