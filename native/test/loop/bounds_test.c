/* What one connection can hold at most (conn/connection.h), against a peer that tries. */
#include "loop/driver.h"

static struct driver driver;

#define PIPELINE 32U
#define PIECE 65536U /* the most bytes that come at once */

static void start(void)
{
    driver_prepare(&driver);
    driver.slab_count = 16;
    driver.hold_bodies = true;
    driver_open(&driver);
}

static uint64_t used(enum gn_arena_use use)
{
    return driver.loop->context.arena.used[use];
}

TEST(a_partial_head)
{
    start();
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    static char head[131072 - 1];
    memset(head, 'a', sizeof(head));
    memcpy(head, "GET / HTTP/1.1\r\nhost: h\r\na: ", 28);
    driver_write_bytes(&driver, peer, head, sizeof(head));
    driver_settle(&driver);
    CHECK(!gn_io_memory_saw_end(peer));
    CHECK(used(GN_ARENA_BODY_IN) >= sizeof(head));
    CHECK(used(GN_ARENA_BODY_IN) <= 2 * (131072 + PIECE));
    CHECK_EQ(used(GN_ARENA_HEAD) + used(GN_ARENA_BODY_OUT), 0);
    driver_close(&driver);
}

TEST(uploads_in_a_pipeline_that_nobody_reads)
{
    start();
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    static char body[30000];
    for (unsigned i = 0; i < 2 * PIPELINE; i++) {
        gn_io_memory_write(peer, POST(30000), sizeof(POST(30000)) - 1);
        gn_io_memory_write(peer, body, sizeof(body));
        driver_settle(&driver);
    }
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, PIPELINE);
    CHECK(used(GN_ARENA_BODY_IN) >= PIPELINE * sizeof(body));
    CHECK(used(GN_ARENA_BODY_IN) <= PIPELINE * (65536ULL + 16384) + 2 * (16384 + PIECE));
    CHECK(gn_io_memory_unreceived(peer) > 0);
    driver_close(&driver);
}

TEST(heads_in_a_pipeline_that_nobody_answers)
{
    start();
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    static char head[60000];
    memset(head, 'a', sizeof(head));
    memcpy(head, "GET / HTTP/1.1\r\nhost: h\r\na: ", 28);
    memcpy(head + sizeof(head) - 4, "\r\n\r\n", 4);
    for (unsigned i = 0; i < 2 * PIPELINE; i++) {
        gn_io_memory_write(peer, head, sizeof(head));
        driver_settle(&driver);
    }
    CHECK_EQ(driver.exchange_count, PIPELINE);
    CHECK(used(GN_ARENA_HEAD) >= PIPELINE * sizeof(head));
    CHECK(used(GN_ARENA_HEAD) <= PIPELINE * (131072ULL + 65536) + 512);
    CHECK(used(GN_ARENA_BODY_IN) <= 2 * (131072 + PIECE));
    driver_close(&driver);
}

TEST(responses_in_a_pipeline_that_nobody_reads)
{
    start();
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    gn_io_memory_room(peer, 0);
    for (unsigned i = 0; i < 2 * PIPELINE; i++)
        driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, PIPELINE);
    // As Java does: what credit allows, each as one piece.
    static char body[65536];
    for (unsigned i = PIPELINE; i-- > 0;) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        driver_respond(&driver, exchange, 200, 0, 1 << 20, body, exchange->queued ? GN_QUEUED_SEND_CREDIT : 65536);
    }
    driver_settle(&driver);
    CHECK(used(GN_ARENA_BODY_OUT) >= 65536 + (PIPELINE - 2) * GN_QUEUED_SEND_CREDIT);
    CHECK(used(GN_ARENA_BODY_OUT) <= 2 * (2 * 65536 + (PIPELINE - 1) * 2ULL * GN_QUEUED_SEND_CREDIT));
    for (unsigned i = 0; i < PIPELINE; i++)
        driver_reset(&driver, driver_exchange(&driver, i));
    driver_settle(&driver);
    driver_close(&driver);
}

TEST_MAIN()
