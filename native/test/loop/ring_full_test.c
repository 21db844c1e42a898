#include "loop/driver.h"

static struct driver driver;

static void start(uint32_t read_limit, bool late)
{
    driver_prepare(&driver);
    driver.shared->loop.events_capacity = 64;
    driver.shared->loop.commands_capacity = 64;
    driver.shared->listener.pipeline = 1000;
    driver.read_limit = read_limit;
    driver.late = late;
    driver_open(&driver);
}

/* Answers every request that has not been answered. */
static void answer_all(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        if (exchange->ended && !exchange->released)
            driver_answer(&driver, exchange, "x");
    }
}

static size_t responses_of(struct gn_io_memory_peer *peer)
{
    size_t length, count = 0;
    const char *text = driver_read(&driver, peer, &length);
    for (; strncmp(text, OK(1) "x", strlen(OK(1) "x")) == 0; text += strlen(OK(1) "x"))
        count++;
    CHECK(*text == '\0');
    return count;
}

TEST(two_hundred_pipelined_requests_through_a_ring_of_64)
{
    for (unsigned i = 0; i < 4; i++) {
        start(i & 1 ? 1 : 0, i & 2);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        static char text[200 * sizeof(GET)];
        text[0] = '\0';
        for (unsigned k = 0; k < 200; k++)
            strcat(text, GET);
        driver_write(&driver, peer, text);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 200);
        answer_all();
        driver_settle(&driver);
        CHECK_EQ(responses_of(peer), 200);
        driver_close(&driver);
    }
}

TEST(two_hundred_connections_at_once_through_a_ring_of_64)
{
    for (unsigned i = 0; i < 4; i++) {
        start(i & 1 ? 1 : 0, i & 2);
        struct gn_io_memory_peer *peers[200];
        for (unsigned k = 0; k < 200; k++) {
            peers[k] = driver_connect(&driver);
            driver_write(&driver, peers[k], "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc" GET);
        }
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 400);
        for (size_t k = 0; k < driver.exchange_count; k++) {
            CHECK(driver_exchange(&driver, k)->ended);
            CHECK_EQ(driver_exchange(&driver, k)->body_length, driver_exchange(&driver, k)->content_length < 0 ? 0 : 3);
        }
        answer_all();
        driver_settle(&driver);
        for (unsigned k = 0; k < 200; k++)
            CHECK_EQ(responses_of(peers[k]), 2);
        driver_close(&driver);
    }
}

TEST(no_RESET_is_lost_when_everybody_goes_at_once)
{
    start(1, false);
    struct gn_io_memory_peer *peers[200];
    for (unsigned k = 0; k < 200; k++) {
        peers[k] = driver_connect(&driver);
        driver_write(&driver, peers[k], GET);
    }
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 200);
    for (size_t k = 0; k < 200; k++) {
        driver_command(
            &driver, (struct gn_command){.kind = GN_COMMAND_WATCH, .subject = driver_exchange(&driver, k)->connection});
        if (k % 2 == 0)
            driver_respond(&driver, driver_exchange(&driver, k), 200, GN_FLAG_NOTIFY, -1, "x", 1);
    }
    driver_poll(&driver);
    for (unsigned k = 0; k < 200; k++)
        gn_io_memory_reset(peers[k]);
    driver_settle(&driver);
    for (size_t k = 0; k < 200; k++)
        CHECK_EQ(driver_exchange(&driver, k)->resets, 1);
    CHECK_EQ(driver.closed, 200);
    driver_close(&driver);
}

TEST(no_CREDIT_and_no_SENT_is_lost)
{
    start(1, false);
    struct gn_io_memory_peer *peers[200];
    for (unsigned k = 0; k < 200; k++) {
        peers[k] = driver_connect(&driver);
        driver_write(&driver, peers[k], GET);
    }
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 200);
    for (unsigned k = 0; k < 200; k++)
        driver_respond(&driver, driver_exchange(&driver, k), 200, GN_FLAG_NOTIFY, 4, "ab", 2);
    driver_settle(&driver);
    for (unsigned k = 0; k < 200; k++)
        CHECK_EQ(driver_exchange(&driver, k)->credits, 2);
    for (unsigned k = 0; k < 200; k++)
        driver_data(&driver, driver_exchange(&driver, k), GN_FLAG_END, "cd", 2);
    driver_settle(&driver);
    for (unsigned k = 0; k < 200; k++) {
        CHECK_EQ(driver_exchange(&driver, k)->sents, 1);
        CHECK_EQ(driver_exchange(&driver, k)->sent_reason, GN_REASON_NONE);
    }
    driver_close(&driver);
}

TEST(an_exchange_that_is_owed_events_may_be_released)
{
    start(1, false);
    struct gn_io_memory_peer *peers[200];
    for (unsigned k = 0; k < 200; k++) {
        peers[k] = driver_connect(&driver);
        driver_write(&driver, peers[k], GET);
    }
    driver_settle(&driver);
    for (unsigned k = 0; k < 200; k++)
        gn_io_memory_reset(peers[k]);
    driver_poll(&driver);
    driver_poll(&driver);
    for (unsigned k = 0; k < 200; k++) {
        struct driver_exchange *exchange = driver_exchange(&driver, k);
        if (exchange->resets == 0)
            driver_release(&driver, exchange);
    }
    driver_settle(&driver);
    CHECK_EQ(driver.unknown, 0);
    driver_close(&driver);
}

TEST(UNLISTENED_waits_for_room)
{
    start(1, false);
    struct gn_io_memory_peer *peers[100];
    for (unsigned k = 0; k < 100; k++) {
        peers[k] = driver_connect(&driver);
        driver_write(&driver, peers[k], GET);
    }
    driver_settle(&driver);
    driver_unlisten(&driver, GN_FLAG_ABORT);
    driver_settle(&driver);
    for (unsigned k = 0; k < 100; k++)
        CHECK_EQ(driver_exchange(&driver, k)->resets, 1);
    CHECK_EQ(driver.unlistened, 1);
    driver_close(&driver);
}

TEST(a_flood_of_refusals_is_counted_where_the_ring_has_no_room)
{
    start(0, false);
    for (unsigned k = 0; k < 60; k++) {
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, "bad\r\n\r\n");
    }
    driver_settle(&driver);
    CHECK_EQ(driver.refused + driver.shared->counters.logs_dropped, 60);
    CHECK(driver.shared->counters.logs_dropped > 0);
    CHECK_EQ(driver.shared->counters.requests_refused, 60);
    driver_close(&driver);
}

TEST(whoever_asks_for_the_end_of_lost_connections_hears_of_each)
{
    start(1, false);
    for (uint32_t i = 0; i < 200; i++)
        driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_WATCH, .subject = gn_id(i, 1000)});
    for (unsigned i = 0; i < 300; i++)
        driver_poll(&driver);
    CHECK_EQ(driver.closed, 200);
    CHECK_EQ(driver.shared->counters.commands_rejected, 0);
    driver_close(&driver);
}

TEST(what_is_owed_of_lost_connections_goes_with_the_loop)
{
    start(1, false);
    for (uint32_t i = 0; i < 200; i++)
        driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_WATCH, .subject = gn_id(i, 1000)});
    driver_poll(&driver);
    driver_close(&driver);
}

TEST_MAIN()
