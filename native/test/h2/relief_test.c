#include "h2/peer.h"

/*
 * Who goes when memory is short and no more comes (conn/relief.h): streams whose peer has stalled, and the connections that
 * hold most where the C heap is at its limit.
 */

static struct driver driver;

#define MEMORY (4 * DRIVER_SLAB)
#define PEERS 240U

static struct peer peers[PEERS];
static char body[65536];

static void start(void)
{
    driver_prepare(&driver);
    driver.shared->loop.memory = MEMORY;
    driver.shared->loop.reserve = 4 * 65536;
    driver.shared->loop.low_water = 65536;
    driver_open(&driver);
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

static void end(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        peer_forget(&peers[i]);
        peer_end(&peers[i]);
    }
    driver_close(&driver);
}

static void answer_last(size_t length)
{
    REQUIRE(driver.exchange_count > 0);
    struct driver_exchange *exchange = driver_exchange(&driver, driver.exchange_count - 1);
    driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, body, length);
    driver_note_release(&driver, exchange);
    driver_settle(&driver);
}

static void release_broken(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        if (driver.exchanges[i]->resets > 0 && !driver.exchanges[i]->released)
            driver_release(&driver, driver.exchanges[i]);
    }
    driver_settle(&driver);
}

static void pass(uint64_t time)
{
    driver_advance(&driver, time);
    release_broken();
}

/* Whether a new client with a head of `length` bytes is answered. */
static bool is_served(size_t length)
{
    struct peer peer;
    peer_connect(&peer, &driver);
    peer_greet(&peer, NULL);
    static char fields[17000];
    size_t used = (size_t)sprintf(fields, "%sa: ", PEER_GET);
    memset(fields + used, 'a', length);
    fields[used + length] = '\n';
    fields[used + length + 1] = '\0';
    peer_headers(&peer, 1, GN_H2_END_STREAM, fields);
    size_t before = driver.exchange_count;
    peer_send(&peer);
    if (driver.exchange_count > before) {
        answer_last(1000);
        peer_send(&peer);
    }
    bool served = peer_stream(&peer, 1)->ended;
    CHECK(served || peer_stream(&peer, 1)->code == GN_H2_REFUSED_STREAM || peer.saw_end);
    if (!peer.saw_end)
        gn_io_memory_finish(peer.end);
    driver_settle(&driver);
    peer_forget(&peer);
    peer_end(&peer);
    return served;
}

static void connect_with_window(unsigned i, uint32_t window)
{
    peer_connect(&peers[i], &driver);
    const struct peer_setting settings[9] = {{GN_H2_INITIAL_WINDOW_SIZE, window}};
    peer_greet(&peers[i], settings);
}

/* Clients that open no window for their responses, one each millisecond; the arena grows as far as it may. */
static void fill_with_responses(unsigned count)
{
    unsigned lent = 0;
    for (unsigned i = 0; i < count; i++) {
        connect_with_window(i, 0);
        peer_get(&peers[i], 1);
        peer_send(&peers[i]);
        answer_last(sizeof(body));
        feed(&lent);
        gn_io_memory_advance(driver.io, 1000000);
    }
}

TEST(J7_streams_whose_window_stays_shut_go)
{
    start();
    fill_with_responses(80);
    CHECK(driver.loop->context.spare > 0);
    pass(SECOND);
    for (unsigned i = 0; i < 100; i++)
        pass(GN_RELIEF_PAUSE);
    unsigned gone = 0;
    for (unsigned i = 0; i < 80; i++) {
        peer_send(&peers[i]);
        gone += peer_stream(&peers[i], 1)->reset;
        CHECK(!peer_stream(&peers[i], 1)->reset || i < 60); // those who stalled longest
        CHECK(!peers[i].saw_end);                           // and not the connection
    }
    CHECK(gone > 20 && gone < 60);
    CHECK_EQ(driver.loop->context.relief.wanted, 0);
    CHECK(is_served(0));
    end(80);
}

TEST(J7_a_stream_whose_window_opens_stays)
{
    start();
    connect_with_window(PEERS - 1, 0);
    struct peer *reader = &peers[PEERS - 1];
    for (unsigned stream = 1; stream <= 3; stream += 2) {
        peer_get(reader, stream);
        peer_send(reader);
        answer_last(sizeof(body));
    }
    fill_with_responses(80);
    for (unsigned i = 0; i < 20; i++) {
        peer_window_update(reader, 1, 1000);
        peer_send(reader);
        pass(SECOND / 10);
    }
    peer_send(reader);
    CHECK(!peer_stream(reader, 1)->reset);
    CHECK(peer_stream(reader, 3)->reset);
    EXPECT_ALIVE((peer_forget(reader), reader));
    peer_end(reader);
    end(80);
}

/* Requests with large heads whose bodies do not come, or an octet of them now and then. */
static void send_heads(struct peer *peer)
{
    static char fields[16384];
    size_t used = (size_t)sprintf(fields, "%sa: ", PEER_POST);
    memset(fields + used, 'a', 15000);
    memcpy(fields + used + 15000, "\n", 2);
    for (uint32_t id = 1; id < 40; id += 2)
        peer_headers(peer, id, 0, fields);
    peer_data(peer, 1, 0, "octets");
    peer_send(peer);
}

static unsigned fill_with_heads(void)
{
    unsigned lent = 0, count = 0;
    for (bool refused = false; !refused && count < PEERS; count++) {
        connect_with_window(count, 65535);
        send_heads(&peers[count]);
        feed(&lent);
        refused = peer_stream(&peers[count], 39)->reset;
    }
    return count;
}

TEST(E5_heads_whose_bodies_do_not_come_go)
{
    start();
    unsigned count = fill_with_heads();
    REQUIRE(count < PEERS);
    CHECK(!is_served(15000));
    for (unsigned i = 0; i < 40; i++) {
        pass(SECOND / 20);
        if (i % 15 == 0)
            is_served(15000);
    }
    CHECK(is_served(15000));
    for (unsigned i = 0; i < count; i++) {
        peer_send(&peers[i]);
        CHECK(!peers[i].saw_end);
    }
    end(count);
}

TEST(E5_an_octet_now_and_then_does_not_keep_a_head_for_ever)
{
    start();
    unsigned count = fill_with_heads();
    REQUIRE(count < PEERS);
    bool served = false;
    for (unsigned i = 0; i < 30 && !served; i++) {
        for (unsigned k = 0; k < count; k++) {
            for (uint32_t id = 1; id < 40; id += 2) {
                if (!peer_stream(&peers[k], id)->reset)
                    peer_data(&peers[k], id, 0, "octet");
            }
            peer_send(&peers[k]);
        }
        pass(SECOND);
        served = is_served(15000);
    }
    CHECK(served);
    end(count);
}

TEST(E5_nobody_goes_where_a_slab_comes)
{
    driver_prepare(&driver);
    driver.slab_count = 1;
    driver.shared->loop.low_water = 65536;
    driver_open(&driver);
    unsigned lent = driver.slabs_wanted = 0, count = 0;
    for (bool refused = false; !refused && count < PEERS; count++) {
        connect_with_window(count, 65535);
        send_heads(&peers[count]);
        refused = peer_stream(&peers[count], 39)->reset;
    }
    feed(&lent);
    CHECK(lent > 0);
    pass(SECOND / 2);
    CHECK_EQ(driver.loop->relief_at, GN_TIMER_NEVER);
    pass(2 * SECOND);
    for (unsigned i = 0; i < count; i++) {
        peer_send(&peers[i]);
        CHECK(!peer_stream(&peers[i], 1)->reset || peer_stream(&peers[i], 1)->code == GN_H2_REFUSED_STREAM);
    }
    end(count);
}

/* ---- when the C heap is at its limit ---- */

TEST(E5_in_the_first_moment_of_a_flood_whose_window_is_shut_goes_and_not_who_is_answered_next)
{
    start();
    fill_with_responses(PEERS);
    CHECK(driver.loop->context.spare > driver.loop->context.spare_limit - sizeof(body) || evicted() > 0);
    struct gn_io_memory_peer *others[60];
    for (unsigned i = 0; i < 60; i++) {
        others[i] = driver_connect(&driver);
        gn_io_memory_room(others[i], 0);
        driver_write(&driver, others[i], GET);
        driver_settle(&driver);
        answer_last(20000);
        gn_io_memory_advance(driver.io, 1000000);
    }
    CHECK(evicted() > 0);
    CHECK(driver.loop->context.spare <= MEMORY);
    for (unsigned i = 0; i < 60; i++)
        CHECK(!gn_io_memory_saw_reset(others[i]));
    end(PEERS);
}

/* Bodies that wait for 100 (Continue), and field blocks without an end. */
static void fill_with_input(unsigned i)
{
    connect_with_window(i, 65535);
    if (i % 2 == 0) {
        peer_headers(&peers[i], 1, 0, PEER_POST "expect: 100-continue\n");
        peer_data_filled(&peers[i], 1, 0, 65536);
    } else {
        peer_filled(&peers[i], GN_H2_HEADERS, 0, 1, 16384);
        for (unsigned k = 0; k < 2; k++)
            peer_filled(&peers[i], GN_H2_CONTINUATION, 0, 1, 16384);
    }
    peer_send(&peers[i]);
    release_broken();
}

TEST(E5_in_the_first_moment_of_a_flood_who_holds_most_input_goes_and_not_who_comes_next)
{
    start();
    unsigned lent = 0;
    for (unsigned i = 0; i < PEERS; i++) {
        fill_with_input(i);
        feed(&lent);
        gn_io_memory_advance(driver.io, 1000000);
    }
    CHECK(evicted() > 0);
    CHECK(driver.loop->context.spare <= MEMORY);
    struct gn_io_memory_peer *others[60];
    for (unsigned i = 0; i < 60; i++) {
        others[i] = driver_connect(&driver);
        driver_write(&driver, others[i], "GET / HTTP/1.1\r\nhost: h\r\na: ");
        driver_write_bytes(&driver, others[i], memset(body, 'a', sizeof(body)), 5000);
        driver_settle(&driver);
        gn_io_memory_advance(driver.io, 1000000);
    }
    for (unsigned i = 0; i < 60; i++)
        CHECK(!gn_io_memory_saw_reset(others[i]));
    end(PEERS);
}

TEST_MAIN()
