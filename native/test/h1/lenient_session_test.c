#include "loop/driver.h"

#include "h1/request_parser.h"

static struct driver driver;

/* A connection of a listener with leniencies, and what it received first. */
static struct gn_io_memory_peer *start(uint64_t lenient, const char *text, size_t first)
{
    driver_prepare(&driver);
    driver.shared->listener.lenient = lenient;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write_bytes(&driver, peer, text, first);
    driver_settle(&driver);
    driver_write_bytes(&driver, peer, text + first, strlen(text) - first);
    driver_settle(&driver);
    return peer;
}

/* Requests in a row, of which the second has the body `hello world`, are understood whatever the cut. */
static void check_row(uint64_t lenient, const char *text, size_t requests)
{
    for (size_t cut = 0; cut < strlen(text); cut++) {
        struct gn_io_memory_peer *peer = start(lenient, text, cut);
        CHECK_EQ(driver.exchange_count, requests);
        for (size_t i = 0; i < driver.exchange_count; i++) {
            struct driver_exchange *exchange = driver_exchange(&driver, i);
            CHECK(exchange->ended);
            if (i == 1)
                CHECK_BYTES(exchange->body, exchange->body_length, "hello world");
            else
                CHECK_EQ(exchange->body_length, 0);
            driver_answer(&driver, exchange, "x");
        }
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "x" OK(1) "x" OK(1) "x");
        driver_close(&driver);
    }
}

TEST(A3_bare_lf_never_loses_the_next_request)
{
    check_row(GN_H1_ALLOW_BARE_LF,
              "GET / HTTP/1.1\nhost: h\n\n"
              "\nPOST / HTTP/1.1\nhost: h\ntransfer-encoding: chunked\n\n5\nhello\n6;a=b\n world\n0\nT: u\n\n"
              "\r\n\nGET / HTTP/1.1\nhost: h\n\r\n",
              3);
    check_row(GN_H1_ALLOW_BARE_LF,
              GET "POST / HTTP/1.1\nhost: h\r\ncontent-length: 11\n\nhello world"
                  "GET / HTTP/1.1\r\nhost: h\n\n",
              3);
}

TEST(A12_B14_dropped_lines_in_a_head_and_in_trailers)
{
    check_row(GN_H1_ALLOW_INVALID_FIELDS,
              GET "POST / HTTP/1.1\r\nbad name\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
                  "b\r\nhello world\r\n0\r\nbad name: x\r\nT: u\r\n\r\n" GET,
              3);
}

TEST(B4_B5_repeated_lengths_and_other_codings_frame_as_one_does)
{
    check_row(GN_H1_ALLOW_REPEATED_CONTENT_LENGTH,
              GET "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 11, 11\r\ncontent-length: 11\r\n\r\nhello world" GET,
              3);
    check_row(GN_H1_ALLOW_TRANSFER_CODINGS,
              GET "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
                  "b\r\nhello world\r\n0\r\n\r\n" GET,
              3);
}

TEST(B8_nothing_behind_a_message_with_both_is_read_as_a_request)
{
    static const char text[] = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n"
                               "connection: upgrade\r\nupgrade: x\r\n\r\n3\r\nabc\r\n0\r\n\r\n" GET;
    for (size_t cut = 0; cut < sizeof text - 1; cut++) {
        struct gn_io_memory_peer *peer = start(GN_H1_ALLOW_LENGTH_AND_CHUNKED, text, cut);
        CHECK_EQ(driver.exchange_count, 1);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        CHECK(exchange->ended);
        CHECK_BYTES(exchange->body, exchange->body_length, "abc");
        CHECK_EQ(exchange->content_length, -1);
        CHECK_EQ(exchange->field_count, 4);
        CHECK_EQ(exchange->head_flags & (GN_HEAD_UPGRADE | GN_HEAD_KEEP_ALIVE), 0);
        driver_answer(&driver, exchange, "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
        // It lingers: the client did not ask for the end and may be sending.
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK(!gn_io_memory_saw_reset(peer));
        driver_close(&driver);
    }
}

TEST(B8_what_comes_behind_the_answer_to_a_message_with_both_does_not_reset_it)
{
    static const char text[] =
        "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    struct gn_io_memory_peer *peer = start(GN_H1_ALLOW_LENGTH_AND_CHUNKED, text, 0);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 1);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(!gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST_MAIN()
