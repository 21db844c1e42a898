/* Who goes when memory is short and no more comes (conn/relief.h). */
#include "loop/driver.h"

static struct driver driver;

#define MEMORY (4 * DRIVER_SLAB)
#define PEERS 240U

static struct gn_io_memory_peer *peers[PEERS];
static char body[65536];

static void start_with(uint64_t memory, uint64_t low_water)
{
    driver_prepare(&driver);
    driver.shared->loop.memory = memory;
    driver.shared->loop.reserve = 4 * 65536;
    driver.shared->loop.low_water = low_water;
    driver_open(&driver);
}

static void start(uint64_t memory)
{
    start_with(memory, 65536);
}

/* Does as Java does: lends a slab for each that was asked for. */
static void feed(unsigned *lent)
{
    driver_settle(&driver);
    while (*lent < driver.slabs_wanted) {
        driver_add_slab(&driver);
        ++*lent;
        driver_settle(&driver);
    }
}

static uint64_t evicted(void)
{
    return driver.shared->counters.connections_evicted;
}

/* A connection of `peer` by its latest exchange. */
static void answer_last(struct gn_io_memory_peer *peer, size_t length)
{
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    REQUIRE(driver.exchange_count > 0);
    struct driver_exchange *exchange = driver_exchange(&driver, driver.exchange_count - 1);
    driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, body, length);
    driver_note_release(&driver, exchange);
    driver_settle(&driver);
}

static void check_that_a_fresh_client_is_served(void)
{
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    answer_last(peer, 1000);
    size_t length;
    driver_read(&driver, peer, &length);
    CHECK_EQ(length, sizeof(OK(1000)) - 1 + 1000);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
}

/* Clients that do not read their responses, one each millisecond; the arena grows as far as it may. */
static unsigned fill_with_responses(unsigned count)
{
    unsigned lent = 0;
    for (unsigned i = 0; i < count; i++) {
        peers[i] = driver_connect(&driver);
        gn_io_memory_room(peers[i], 0);
        answer_last(peers[i], sizeof(body));
        feed(&lent);
        gn_io_memory_advance(driver.io, 1000000);
    }
    return lent;
}

TEST(whoever_does_not_read_goes_and_others_are_served)
{
    start(MEMORY);
    unsigned lent = fill_with_responses(80);
    CHECK(lent <= 2); // no slab is asked for beyond the limit
    CHECK(driver.loop->context.arena.used[GN_ARENA_BODY_OUT] <= MEMORY / 8 * 5);
    CHECK(driver.loop->context.spare > 0);
    CHECK_EQ(evicted(), 0);
    check_that_a_fresh_client_is_served();
    CHECK_EQ(evicted(), 0); // nobody has stalled for a second yet
    driver_advance(&driver, SECOND);
    CHECK_EQ(evicted(), GN_RELIEF_BYTES / sizeof(body)); // in a round, no more than those who hold so much
    for (unsigned i = 0; i < 100; i++)
        driver_advance(&driver, GN_RELIEF_PAUSE);
    uint64_t gone = evicted();
    CHECK(gone > 20 && gone < 60);
    for (unsigned i = 0; i < 80; i++)
        CHECK_EQ(gn_io_memory_saw_reset(peers[i]), i < gone); // those who stalled longest, and nobody else
    check_that_a_fresh_client_is_served();
    driver_advance(&driver, 2 * SECOND);
    CHECK_EQ(evicted(), gone); // there is enough now
    driver_close(&driver);
}

TEST(a_loop_that_sleeps_wakes_for_it)
{
    start(MEMORY);
    fill_with_responses(80);
    CHECK_EQ(evicted(), 0);
    driver_poll_wait(&driver, 5 * SECOND);
    CHECK(evicted() > 0);
    driver_close(&driver);
}

TEST(the_heap_stands_in_for_as_much_as_the_limit_and_no_more)
{
    start(MEMORY);
    fill_with_responses(PEERS);
    CHECK(driver.loop->context.spare > MEMORY - 2 * sizeof(body) && driver.loop->context.spare <= MEMORY);
    driver_close(&driver);
}

TEST(whoever_reads_stays)
{
    start(MEMORY);
    struct gn_io_memory_peer *reader = driver_connect(&driver);
    gn_io_memory_room(reader, 0);
    answer_last(reader, sizeof(body));
    fill_with_responses(80);
    size_t length;
    for (unsigned i = 0; i < 8; i++) {
        driver_advance(&driver, SECOND / 4);
        gn_io_memory_room(reader, 1000);
        driver_settle(&driver);
        driver_read(&driver, reader, &length);
        CHECK_EQ(length, 1000);
    }
    CHECK(evicted() > 0);
    CHECK(!gn_io_memory_saw_reset(reader));
    driver_close(&driver);
}

TEST(whoever_does_not_complete_a_head_goes_even_if_a_byte_comes_now_and_then)
{
    start(MEMORY);
    unsigned lent = 0;
    static char head[60000];
    memset(head, 'a', sizeof(head));
    memcpy(head, "GET / HTTP/1.1\r\nhost: h\r\na: ", 28);
    for (unsigned i = 0; i < 60; i++) {
        peers[i] = driver_connect(&driver);
        driver_write_bytes(&driver, peers[i], head, sizeof(head));
        feed(&lent);
        gn_io_memory_advance(driver.io, 1000000);
    }
    CHECK(lent <= 2);
    CHECK(driver.loop->context.arena.used[GN_ARENA_BODY_IN] <= MEMORY / 8 * 5);
    CHECK(driver.loop->context.spare > 0);
    check_that_a_fresh_client_is_served();
    for (unsigned turn = 0; turn < 20; turn++) {
        for (unsigned i = 0; i < 60; i++)
            gn_io_memory_write(peers[i], "a", 1);
        driver_advance(&driver, SECOND / 10);
    }
    CHECK(evicted() > 0 && evicted() < 60);
    CHECK(gn_io_memory_saw_close(peers[0]) && !gn_io_memory_saw_close(peers[59]));
    check_that_a_fresh_client_is_served();
    driver_close(&driver);
}

/* Requests with large heads that Java keeps: the first ones have all the memory that heads may have, the others wait; of
   these there is one, or with `all` so many that 60 clients have come. */
static unsigned fill_with_heads(bool all)
{
    unsigned lent = 0;
    static char head[60000];
    memset(head, 'a', sizeof(head));
    memcpy(head, "GET / HTTP/1.1\r\nhost: h\r\na: ", 28);
    memcpy(head + sizeof(head) - 4, "\r\n\r\n", 4);
    for (unsigned i = 0; i < 60 && (all || !driver.loop->context.memory_short); i++) {
        peers[i] = driver_connect(&driver);
        driver_write_bytes(&driver, peers[i], head, sizeof(head));
        feed(&lent);
    }
    return lent;
}

TEST(heads_leave_a_quarter_to_bodies)
{
    start_with(MEMORY, DRIVER_SLAB / 2 * 3); // more than is left at the limit
    unsigned lent = fill_with_heads(true);
    CHECK(driver.exchange_count > 20 && driver.exchange_count < 60);
    CHECK_EQ(lent, 2); // up to the limit, and no slab beyond it is asked for
    CHECK(driver.loop->context.arena.used[GN_ARENA_HEAD] <= MEMORY / 4 * 3);
    // A request that is there already gets its response, and the others theirs in turn.
    for (unsigned i = 0; i < 60; i++) {
        REQUIRE(i < driver.exchange_count);
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, "x", 1);
        driver_note_release(&driver, exchange);
        driver_settle(&driver);
    }
    for (unsigned i = 0; i < 60; i++)
        CHECK_READ(&driver, peers[i], OK(1) "x");
    driver_close(&driver);
}

/* Uploads that Java does not take: the first ones have all the memory that bodies may have, the others wait for it. */
static void fill_with_uploads(void)
{
    // Half of them send more than Java takes, half of them just as much.
    const size_t exact = sizeof(body) - (sizeof(POST(100000)) - 1);
    unsigned lent = 0;
    for (unsigned i = 0; i < 60; i++) {
        peers[i] = driver_connect(&driver);
        driver_write(&driver, peers[i], POST(100000));
        driver_write_bytes(&driver, peers[i], body, i % 2 ? exact : sizeof(body));
        feed(&lent);
    }
    CHECK(driver.loop->context.arena.used[GN_ARENA_BODY_IN] <= MEMORY / 8 * 5);
    CHECK(driver.loop->context.memory_short);
}

/* As Java does when it takes what it holds. */
static void take_all_bodies(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        while (driver_exchange(&driver, i)->block_count > 0)
            driver_credit(&driver, driver_exchange(&driver, i));
    }
    driver_settle(&driver);
}

TEST(whoever_waits_for_java_stays_whatever_it_holds)
{
    start(MEMORY);
    driver.hold_bodies = true;
    fill_with_uploads();
    driver_advance(&driver, SECOND);
    for (unsigned i = 0; i < 50; i++)
        driver_advance(&driver, SECOND / 10);
    CHECK_EQ(evicted(), 0);
    check_that_a_fresh_client_is_served();
    take_all_bodies();
    driver_close(&driver);
}

TEST(whoever_waits_for_a_response_stays_though_its_next_request_has_stalled)
{
    static const char *const stalled[] = {GET "GET / HTTP/1.1\r\nhost", GET POST(1000) "a", POST(1000) "a"};
    start(MEMORY);
    driver.hold_bodies = true;
    struct gn_io_memory_peer *first[3];
    for (unsigned i = 0; i < 3; i++) {
        first[i] = driver_connect(&driver);
        driver_write(&driver, first[i], stalled[i]);
    }
    driver_settle(&driver);
    fill_with_uploads();
    for (unsigned i = 0; i < 50; i++)
        driver_advance(&driver, SECOND / 10);
    CHECK(!gn_io_memory_saw_reset(first[0]) && !gn_io_memory_saw_reset(first[1]));
    CHECK(gn_io_memory_saw_reset(first[2])); // nobody waits for anything but its peer
    CHECK_EQ(evicted(), 1);
    driver_close(&driver);
}

TEST(E5_the_time_of_a_body_for_which_there_was_no_memory_does_not_count)
{
    start(MEMORY);
    driver.hold_bodies = true;
    fill_with_uploads();
    const struct driver_exchange *exchange;
    do { // the smallest blocks, too
        driver_write(&driver, driver_connect(&driver), POST(1) "a");
        driver_settle(&driver);
        exchange = driver_exchange(&driver, driver.exchange_count - 1);
    } while (exchange->ended);
    driver_write(&driver, driver_connect(&driver), POST(1000) "a");
    driver_settle(&driver);
    exchange = driver_exchange(&driver, driver.exchange_count - 1);
    CHECK_EQ(exchange->body_length, 0);
    for (unsigned i = 0; i < 40; i++)
        driver_advance(&driver, SECOND);
    driver.hold_bodies = false;
    take_all_bodies();
    CHECK_EQ(exchange->body_length, 1);
    driver_advance(&driver, 29 * SECOND);
    CHECK_EQ(exchange->resets, 0);
    driver_advance(&driver, 2 * SECOND);
    CHECK_EQ(exchange->reset_reason, GN_REASON_BODY_TIMEOUT);
    driver_close(&driver);
}

TEST(while_it_waits_for_memory_the_loop_sleeps)
{
    start(MEMORY);
    driver.hold_bodies = true;
    fill_with_uploads();
    uint64_t turns = driver.shared->counters.turns;
    driver_poll_wait(&driver, 10 * SECOND);
    CHECK(driver.shared->counters.turns - turns <= 110);
    driver_close(&driver);
}

TEST(a_slab_that_does_not_come_is_as_good_as_none)
{
    start(0);
    for (unsigned i = 0; i < 50; i++) {
        peers[i] = driver_connect(&driver);
        gn_io_memory_room(peers[i], 0);
        answer_last(peers[i], sizeof(body));
    }
    CHECK_EQ(driver.slabs_wanted, 1);
    driver_advance(&driver, SECOND / 2);
    CHECK_EQ(evicted(), 0);
    driver_advance(&driver, SECOND);
    for (unsigned i = 0; i < 100; i++)
        driver_advance(&driver, GN_RELIEF_PAUSE);
    CHECK(evicted() > 0 && evicted() < 50);
    CHECK_EQ(driver.slabs_wanted, 1);
    driver_close(&driver);
}

/* A head that is almost complete, `length` bytes of it, of a request with a body of 100,000 bytes. */
static void write_most_of_head(struct gn_io_memory_peer *peer, size_t length)
{
    static char head[65536];
    static const char begin[] = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\na: ";
    memset(head, 'a', length);
    memcpy(head, begin, sizeof(begin) - 1);
    driver_write_bytes(&driver, peer, head, length);
}

/* Java lets go of what broke, as it does. */
static void release_broken(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        if (exchange->resets > 0 && !exchange->released)
            driver_release(&driver, exchange);
    }
    driver_settle(&driver);
}

static void pass(unsigned lent, uint64_t time)
{
    for (uint64_t passed = 0; passed < time; passed += SECOND / 10) {
        driver_advance(&driver, SECOND / 10);
        release_broken();
        feed(&lent);
    }
}

static bool is_body_taken(void)
{
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    size_t before = driver.exchange_count;
    driver_write(&driver, peer, POST(20000));
    driver_write_bytes(&driver, peer, body, 20000);
    driver_settle(&driver);
    REQUIRE(driver.exchange_count == before + 1);
    bool taken = driver_exchange(&driver, before)->ended;
    driver_answer(&driver, driver_exchange(&driver, before), "");
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    return taken;
}

#define WAITING_BODIES 180U /* so that their heads leave room for others */

/* Requests that hold all the memory of bodies, and wait for it with so much of their bodies: it came behind heads that
   were completed when there was no memory any more. */
static unsigned fill_with_waiting_bodies(size_t length)
{
    unsigned lent = 0;
    for (unsigned i = 0; i < WAITING_BODIES; i++) {
        peers[i] = driver_connect(&driver);
        write_most_of_head(peers[i], 15000);
        feed(&lent);
    }
    CHECK(driver.loop->context.arena.used[GN_ARENA_BODY_IN] > MEMORY / 8 * 5 - 16384);
    for (unsigned i = 0; i < WAITING_BODIES; i++) {
        driver_write(&driver, peers[i], "\r\n\r\n");
        driver_write_bytes(&driver, peers[i], body, length);
    }
    feed(&lent);
    return lent;
}

TEST(E5_those_who_hold_all_that_they_wait_for_go_on)
{
    start(MEMORY);
    unsigned lent = fill_with_waiting_bodies(1000);
    CHECK(is_body_taken());
    check_that_a_fresh_client_is_served();
    CHECK_EQ(evicted(), 0);
    unsigned waiting = 0;
    for (size_t i = 0; i < driver.exchange_count; i++)
        waiting += !driver_exchange(&driver, i)->released && driver_exchange(&driver, i)->body_length < 1000;
    CHECK_EQ(waiting, 0);
    CHECK_EQ(driver.loop->context.arena.used[GN_ARENA_PROGRESS], 0);
    pass(lent, SECOND);
    driver_release_all(&driver); // those whose heads waited come then
    driver_close(&driver);
}

TEST(those_who_hold_all_that_they_wait_for_go)
{
    start(MEMORY);
    driver.hold_bodies = true; // what lets one after the other go on does not come back
    unsigned lent = fill_with_waiting_bodies(20000);
    CHECK(driver.loop->context.memory_short);
    // A byte now and then does not make the time that they have waited shorter.
    for (unsigned second = 0; second < 20; second++) {
        for (unsigned i = 0; i < WAITING_BODIES; i++) {
            if (!gn_io_memory_saw_close(peers[i]))
                driver_write(&driver, peers[i], "a");
        }
        pass(lent, SECOND);
    }
    CHECK(evicted() > 0);
    driver.hold_bodies = false;
    CHECK(is_body_taken());
    check_that_a_fresh_client_is_served();
    driver_close(&driver);
}

TEST(those_who_wait_for_a_body_that_trickles_do_not_wait_for_ever)
{
    start(MEMORY);
    unsigned lent = 0;
    for (unsigned i = 0; i < 80; i++) {
        peers[i] = driver_connect(&driver);
        write_most_of_head(peers[i], 50000);
        driver_write(&driver, peers[i], "\r\n\r\n");
        feed(&lent);
    }
    CHECK(driver.loop->context.arena.used[GN_ARENA_HEAD] > MEMORY / 2);
    for (unsigned second = 0; second < 20; second++) {
        for (unsigned i = 0; i < 80; i++) {
            if (!gn_io_memory_saw_close(peers[i]))
                driver_write_bytes(&driver, peers[i], body, 250); // more than body_rate
        }
        pass(lent, SECOND);
    }
    CHECK(evicted() > 0);
    CHECK(is_body_taken());
    check_that_a_fresh_client_is_served();
    driver_close(&driver);
}

TEST(whoever_trickles_a_body_goes_and_whoever_sends_it_at_a_fair_rate_stays)
{
    start_with(MEMORY, DRIVER_SLAB / 2 * 3);
    struct gn_io_memory_peer *slow = driver_connect(&driver), *fair = driver_connect(&driver);
    driver_write(&driver, slow, POST(100000));
    driver_write_bytes(&driver, slow, body, 25);
    driver_write(&driver, fair, POST(100000));
    driver_write_bytes(&driver, fair, body, 500);
    driver_settle(&driver);
    unsigned lent = fill_with_heads(false); // nobody of these has stalled
    CHECK(driver.loop->context.memory_short);
    for (unsigned i = 0; i < 50; i++) {
        if (!gn_io_memory_saw_close(slow))
            driver_write_bytes(&driver, slow, body, 25); // about body_rate
        driver_write_bytes(&driver, fair, body, 500);
        pass(lent, SECOND / 10);
    }
    CHECK(gn_io_memory_saw_reset(slow));
    CHECK(!gn_io_memory_saw_reset(fair));
    CHECK_EQ(evicted(), 1);
    driver_release_all(&driver); // the one that waited comes then
    driver_close(&driver);
}

/* As many heads that are not completed as fill the arena and the heap that stands in for it, and more, all at once. */
static void flood_with_heads(unsigned count, size_t length)
{
    REQUIRE(count <= PEERS);
    unsigned lent = 0;
    for (unsigned i = 0; i < count; i++) {
        peers[i] = driver_connect(&driver);
        write_most_of_head(peers[i], length);
        feed(&lent);
        gn_io_memory_advance(driver.io, 1000000);
    }
    CHECK(driver.loop->context.spare > driver.loop->context.spare_limit - sizeof(body));
}

TEST(E5_in_the_first_moment_of_a_flood_who_holds_most_goes_and_not_who_comes_next)
{
    start(MEMORY);
    flood_with_heads(PEERS, 60000);
    uint64_t gone = evicted();
    struct gn_io_memory_peer *others[60];
    for (unsigned i = 0; i < 60; i++) {
        others[i] = driver_connect(&driver);
        write_most_of_head(others[i], 5000);
        driver_settle(&driver);
        write_most_of_head(driver_connect(&driver), 60000); // the flood goes on
        driver_advance(&driver, 1000000);
    }
    CHECK(evicted() > gone && evicted() <= gone + 120);
    for (unsigned i = 0; i < 60; i++) {
        size_t before = driver.exchange_count;
        driver_write(&driver, others[i], "\r\n\r\n");
        driver_settle(&driver);
        REQUIRE(driver.exchange_count == before + 1);
        driver_answer(&driver, driver_exchange(&driver, before), "x");
        driver_settle(&driver);
        CHECK(!gn_io_memory_saw_reset(others[i]));
    }
    CHECK(driver.loop->context.spare <= MEMORY);
    driver_close(&driver);
}

TEST(E5_in_the_first_moment_of_a_flood_who_does_not_read_goes_and_not_who_is_answered_next)
{
    start(MEMORY);
    fill_with_responses(PEERS);
    struct gn_io_memory_peer *others[60];
    for (unsigned i = 0; i < 60; i++) {
        others[i] = driver_connect(&driver);
        gn_io_memory_room(others[i], 0);
        answer_last(others[i], 20000);
        struct gn_io_memory_peer *more = driver_connect(&driver); // the flood goes on
        gn_io_memory_room(more, 0);
        answer_last(more, sizeof(body));
        gn_io_memory_advance(driver.io, 1000000);
    }
    CHECK(evicted() > 0);
    CHECK(driver.loop->context.spare <= MEMORY);
    for (unsigned i = 0; i < 60; i++) {
        gn_io_memory_room(others[i], 40000);
        driver_settle(&driver);
        size_t length;
        driver_read(&driver, others[i], &length);
        CHECK_EQ(length, sizeof(OK(20000)) - 1 + 20000);
    }
    driver_close(&driver);
}

TEST(E5_at_the_limit_of_the_heap_who_holds_most_itself_goes)
{
    start(MEMORY / 2);
    flood_with_heads(PEERS, 25000);
    uint64_t gone = evicted();
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    write_most_of_head(peer, 60000);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_reset(peer));
    CHECK_EQ(evicted(), gone);
    CHECK(driver.loop->context.spare <= MEMORY / 2);
    driver_close(&driver);
}

TEST_MAIN()
