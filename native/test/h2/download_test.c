#include "h2/frame.h"
#include "loop/driver.h"

/* A response that goes on, to a peer that opens its windows piece by piece as it reads. */

static struct driver driver;
static struct gn_io_memory_peer *peer;
static struct driver_exchange *exchange;
static char body[16384];

static void begin(uint32_t window)
{
    static const uint8_t get[] = {0x82, 0x86, 0x84, 0x41, 1, 'h'}; // GET / of http://h
    uint8_t bytes[128], *to = bytes;
    memcpy(to, GN_H2_PREFACE, GN_H2_PREFACE_LENGTH);
    to = gn_h2_frame_write(to + GN_H2_PREFACE_LENGTH, GN_H2_SETTING_LENGTH, GN_H2_SETTINGS, 0, 0);
    *to++ = 0;
    *to++ = GN_H2_INITIAL_WINDOW_SIZE;
    to = gn_h2_write_32(to, window);
    to = gn_h2_frame_write(to, 4, GN_H2_WINDOW_UPDATE, 0, 0);
    to = gn_h2_write_32(to, window);
    to = gn_h2_frame_write(to, sizeof(get), GN_H2_HEADERS, GN_H2_END_STREAM | GN_H2_END_HEADERS, 1);
    memcpy(to, get, sizeof(get));
    to += sizeof(get);

    driver_prepare(&driver);
    driver.shared->listener.stream_send_credit = 8U << 20;
    driver_open(&driver);
    peer = driver_connect(&driver);
    driver_write_bytes(&driver, peer, bytes, (size_t)(to - bytes));
    driver_settle(&driver);
    exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, -1, body, sizeof(body));
    driver_settle(&driver);
}

static size_t read_all(void)
{
    size_t all = 0, length;
    do {
        driver_read(&driver, peer, &length);
        all += length;
        driver_settle(&driver);
    } while (length > 0);
    return all;
}

/* Opens both windows by `octets`, `piece` of them at a time. */
static void update(size_t octets, uint32_t piece)
{
    static uint8_t bytes[65536 * 2 * (GN_H2_FRAME_HEADER + 4)];
    uint8_t *to = bytes;
    for (size_t done = 0; done < octets; done += piece) {
        REQUIRE((size_t)(to - bytes) + (size_t)2 * (GN_H2_FRAME_HEADER + 4) <= sizeof(bytes));
        for (uint32_t stream = 0; stream < 2; stream++)
            to = gn_h2_write_32(gn_h2_frame_write(to, 4, GN_H2_WINDOW_UPDATE, 0, stream), piece);
    }
    driver_write_bytes(&driver, peer, bytes, (size_t)(to - bytes));
    driver_settle(&driver);
}

static uint64_t floods(void)
{
    return driver.shared->counters.reasons[GN_REASON_CONTROL_FLOOD];
}

static void end(void)
{
    driver_release_all(&driver);
    driver_close(&driver);
}

TEST(J6_windows_that_are_opened_packet_by_packet_are_no_flood)
{
    begin(65535);
    for (unsigned i = 0; i < 500; i++) {
        CHECK(read_all() > sizeof(body));
        update(sizeof(body), 1448);
        CHECK_EQ(exchange->resets, 0);
        driver_data(&driver, exchange, 0, body, sizeof(body));
        driver_settle(&driver);
    }
    CHECK_EQ(floods(), 0);
    end();
}

TEST(J6_a_large_window_that_is_opened_piece_by_piece_at_its_end_is_no_flood)
{
    begin(4U << 20);
    for (unsigned i = 1; i < 256; i++) {
        driver_data(&driver, exchange, 0, body, sizeof(body));
        driver_settle(&driver);
        read_all();
    }
    update(256 * sizeof(body), 1448);
    CHECK_EQ(exchange->resets, 0);
    CHECK_EQ(floods(), 0);
    end();
}

TEST(J6_more_updates_than_octets_call_for_are_a_flood)
{
    begin(65535);
    read_all();
    update(700, 1);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(floods(), 1);
    end();
}

TEST_MAIN()
