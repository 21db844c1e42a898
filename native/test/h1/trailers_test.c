#include "loop/driver.h"

#define BAD "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
#define CHUNK "3\r\nabc\r\n"

static struct driver driver;

static const struct driver_staged none;

/* How many of the commands so far were rejected, as of now; they count anew from here. */
static uint64_t rejections(void)
{
    driver_settle(&driver);
    uint64_t count = driver.shared->counters.commands_rejected;
    driver.shared->counters.commands_rejected = 0;
    return count;
}

static void check_trailers(size_t number, const char *expected)
{
    struct driver_exchange *exchange = driver_exchange(&driver, number);
    CHECK(exchange->ended);
    CHECK_EQ(exchange->resets, 0);
    CHECK((exchange->trailers != NULL) == (expected != NULL));
    if (exchange->trailers != NULL && expected != NULL)
        CHECK_BYTES(exchange->trailers, strlen(exchange->trailers), expected);
}

/* ---- of requests ---- */

TEST(B14_cut_at_every_offset)
{
    static const char text[] =
        GET POST_CHUNKED CHUNK "0\r\nDigest: 1\r\nX-Empty:\r\ndigest:  2 \r\n\r\n" POST_CHUNKED "0\r\nt: u\r\n\r\n" GET;
    size_t length = sizeof(text) - 1;
    for (size_t cut = 0; cut < length; cut++) {
        for (unsigned way = 0; way < 4; way++) {
            driver_prepare(&driver);
            driver.late = way & 1;
            struct gn_io_memory_peer *peer = driver_begin(&driver, "");
            driver_write_bytes(&driver, peer, text, cut);
            driver_settle(&driver);
            size_t second = way & 2 ? cut + 1 : length;
            driver_write_bytes(&driver, peer, text + cut, second - cut);
            driver_settle(&driver);
            driver_write_bytes(&driver, peer, text + second, length - second);
            driver_settle(&driver);
            CHECK_EQ(driver.exchange_count, 4); // the connection goes on behind them
            CHECK_BYTES(driver_exchange(&driver, 1)->body, driver_exchange(&driver, 1)->body_length, "abc");
            check_trailers(1, "Digest: 1\nX-Empty: \ndigest: 2\n");
            check_trailers(2, "t: u\n");
            check_trailers(3, NULL);
            for (size_t i = 0; i < 4; i++)
                driver_answer(&driver, driver_exchange(&driver, i), "x");
            driver_settle(&driver);
            CHECK_READ(&driver, peer, OK(1) "x" OK(1) "x" OK(1) "x" OK(1) "x");
            driver_close(&driver);
        }
    }
}

TEST(B14_a_byte_at_a_time)
{
    driver_prepare(&driver);
    driver.faults.short_length = 1;
    driver_begin(&driver, POST_CHUNKED CHUNK "0\r\na: b\r\nc: d\r\n\r\n" GET);
    CHECK_EQ(driver.exchange_count, 2);
    check_trailers(0, "a: b\nc: d\n");
    driver_close(&driver);
}

TEST(B14_of_two_connections_at_once)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_CHUNKED "0\r\nfirst: 1\r\n");
    struct gn_io_memory_peer *other = driver_connect(&driver);
    driver_write(&driver, other, POST_CHUNKED "0\r\nan: other\r\nset: of\r\nfields: here\r\n\r\n");
    driver_settle(&driver);
    driver_write(&driver, peer, "second: 2\r\n\r\n");
    driver_settle(&driver);
    check_trailers(0, "first: 1\nsecond: 2\n");
    check_trailers(1, "an: other\nset: of\nfields: here\n");
    driver_close(&driver);
}

TEST(B15_as_many_as_a_head_may_have_fields)
{
    for (unsigned count = 3; count <= 4; count++) {
        driver_prepare(&driver);
        driver.shared->listener.fields = 3;
        struct gn_io_memory_peer *peer = driver_begin(&driver, POST_CHUNKED "0\r\n");
        for (unsigned i = 0; i < count; i++)
            driver_write(&driver, peer, "t: u\r\n");
        driver_write(&driver, peer, "\r\n" GET);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, count == 3 ? 2 : 1); // nothing behind an error is read as a request
        if (count == 3) {
            check_trailers(0, "t: u\nt: u\nt: u\n");
        } else {
            CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_REQUEST + GN_H1_TOO_MANY_FIELDS);
            CHECK_READ(&driver, peer, BAD);
        }
        driver_close(&driver);
    }
}

static void check_section(size_t limit, size_t extra)
{
    static char section[65536 + 2];
    size_t length = limit + extra;
    memset(section, 'a', length);
    memcpy(section, "t: ", 3);
    memcpy(section + length - 4, "\r\n\r\n", 4);
    driver_prepare(&driver);
    driver.shared->listener.trailer_bytes = limit;
    struct gn_io_memory_peer *peer = driver_begin(&driver, POST_CHUNKED "0\r\n");
    driver_write_bytes(&driver, peer, section, length);
    driver_settle(&driver);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->ended, extra == 0);
    CHECK_EQ(exchange->resets, extra);
    if (extra == 0)
        CHECK_EQ(strlen(exchange->trailers), limit - 3);
    else
        CHECK_EQ(exchange->reset_reason, GN_REASON_TRAILERS_TOO_LARGE);
    CHECK_EQ(driver.shared->counters.reasons[GN_REASON_TRAILERS_TOO_LARGE], extra);
    driver_close(&driver);
}

TEST(B15_a_section_is_limited_exactly)
{
    static const size_t limits[] = {9, 300, 16384, 65536};
    for (size_t i = 0; i < 4; i++) {
        check_section(limits[i], 0);
        check_section(limits[i], 1);
    }
}

TEST(B15_the_smallest_limit_lets_an_empty_section_pass)
{
    driver_prepare(&driver);
    driver.shared->listener.trailer_bytes = 2;
    driver_begin(&driver, POST_CHUNKED CHUNK "0\r\n\r\n" GET);
    CHECK_EQ(driver.exchange_count, 2);
    CHECK(driver_exchange(&driver, 0)->ended);
    driver_close(&driver);
}

TEST(B15_malformed)
{
    static const char *const sections[] = {"bad\r\r\n", "bad\r\n\r\n", "a : b\r\n\r\n", "a: b\n\r\n", " a: b\r\n\r\n"};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_CHUNKED CHUNK "0\r\n");
        driver_write(&driver, peer, sections[i]);
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 1);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
        CHECK(!driver_exchange(&driver, 0)->ended);
        CHECK_READ(&driver, peer, BAD);
        driver_close(&driver);
    }
}

TEST(B16_what_decides_on_a_message_is_left_out)
{
    static const char *const names[] = {"transfer-encoding",
                                        "Content-Length",
                                        "HOST",
                                        "authorization",
                                        "proxy-authorization",
                                        "Cookie",
                                        "set-cookie",
                                        "content-encoding",
                                        "content-type",
                                        "content-range",
                                        "trailer",
                                        "te",
                                        "connection",
                                        "keep-alive",
                                        "proxy-connection",
                                        "upgrade",
                                        "http2-settings",
                                        "expect",
                                        "max-forwards",
                                        "cache-control",
                                        "pragma",
                                        "if-match",
                                        "if-none-match",
                                        "if-modified-since",
                                        "if-unmodified-since",
                                        "if-range",
                                        "range",
                                        "www-authenticate",
                                        "proxy-authenticate",
                                        "forwarded",
                                        "x-forwarded-for",
                                        "x-forwarded-proto"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[256];
        sprintf(text, POST_CHUNKED CHUNK "0\r\n%s: 1\r\n\r\n" POST_CHUNKED CHUNK "0\r\na: 1\r\n%s: 2\r\nb: 3\r\n\r\n",
                names[i], names[i]);
        driver_start_with(&driver, text);
        CHECK_EQ(driver.exchange_count, 2);
        check_trailers(0, NULL); // nothing is left: the end of the body as without any
        check_trailers(1, "a: 1\nb: 3\n");
        driver_close(&driver);
    }
}

TEST(those_of_a_body_that_nobody_reads_are_dropped)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_CHUNKED CHUNK "0\r\na: b\r\n");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    driver_write(&driver, peer, "c: d\r\n\r\n" GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 2);
    CHECK(driver_exchange(&driver, 0)->trailers == NULL);
    driver_close(&driver);
}

TEST(an_empty_body_that_was_expected_ends_with_them)
{
    struct gn_io_memory_peer *peer = driver_start_with(
        &driver, "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n"
                 "0\r\na: b\r\n\r\n");
    check_trailers(0, "a: b\n");
    driver_ask(&driver, driver_exchange(&driver, 0), 100); // too late for a 100
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    CHECK_EQ(driver.exchange_count, 2);
    driver_close(&driver);
}

TEST(the_block_is_Javas_until_it_comes_back_once)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    struct gn_io_memory_peer *peer = driver_begin(&driver, POST_CHUNKED "0\r\na: b\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    uint64_t block = exchange->trailers_block;
    CHECK(block != 0);
    CHECK_EQ(driver.shared->counters.blocks_lent, 1);
    driver_answer(&driver, exchange, "x");
    gn_io_memory_reset(peer);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.blocks_lent, 1); // whatever becomes of the exchange and its connection
    char *text = driver_fields(&driver, block);
    CHECK_BYTES(text, strlen(text), "a: b\n");
    free(text);
    driver_free_trailers(&driver, exchange);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.blocks_lent, 0);
    driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_FREE, .block = block});
    CHECK_EQ(rejections(), 1);
    driver_close(&driver);
}

TEST(none_is_lost_or_told_twice_where_the_ring_is_full)
{
    for (unsigned way = 0; way < 8; way++) {
        driver_prepare(&driver);
        driver.shared->loop.events_capacity = 64;
        driver.shared->loop.commands_capacity = 64;
        driver.read_limit = way & 1 ? 1 : 0;
        driver.late = way & 2;
        driver_open(&driver);
        struct gn_io_memory_peer *peers[150];
        for (unsigned i = 0; i < 150; i++) {
            peers[i] = driver_connect(&driver);
            driver_write(&driver, peers[i], POST_CHUNKED CHUNK "0\r\na: b\r\n\r\n" POST_CHUNKED "0\r\n\r\n");
            if (way & 4)
                gn_io_memory_finish(peers[i]); // the end of input comes behind what waits
        }
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 300);
        unsigned with = 0;
        for (size_t i = 0; i < driver.exchange_count; i++) {
            struct driver_exchange *exchange = driver_exchange(&driver, i);
            CHECK(exchange->ended && exchange->resets == 0);
            CHECK((exchange->trailers != NULL) == (exchange->body_length == 3));
            with += exchange->trailers != NULL;
        }
        CHECK_EQ(with, 150);
        driver_close(&driver);
    }
}

TEST(they_wait_for_the_ring_where_only_they_are_left)
{
    static const char *const sections[] = {"a: b\r\n\r\n", "\r\n"};
    for (unsigned way = 0; way < 4; way++) {
        driver_prepare(&driver);
        driver.shared->loop.events_capacity = 64;
        driver.late = way & 1;
        struct gn_io_memory_peer *peer = driver_begin(&driver, POST_CHUNKED CHUNK "0\r\n");
        for (unsigned i = 0; i < 200; i++)
            driver_write(&driver, driver_connect(&driver), GET);
        driver.read_limit = 1;
        for (unsigned i = 0; i < 3; i++)
            driver_poll(&driver); // the ring is full, and others wait for room
        CHECK_EQ(driver.loop->context.ring.tail - driver.head, 63);
        driver_write(&driver, peer, sections[way / 2]);
        driver_write(&driver, peer, GET);
        driver_poll(&driver);
        CHECK(!driver_exchange(&driver, 0)->ended);
        driver_settle(&driver);
        check_trailers(0, way / 2 == 0 ? "a: b\n" : NULL);
        CHECK_EQ(driver.exchange_count, 202);
        driver_close(&driver);
    }
}

TEST(they_wait_for_memory_and_are_not_late)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver.slab_count = 8;
        driver.slab_bytes = 65536;
        driver.hold_bodies = true;
        driver.shared->loop.reserve = 4 * 65536;
        driver.shared->listener.receive_credit = 9000000;
        struct gn_io_memory_peer *greedy = driver_begin(&driver, POST(9000000));
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, POST_CHUNKED);
        driver_settle(&driver);
        static char body[1000];
        for (unsigned i = 0; i < 1000 && gn_io_memory_unreceived(greedy) < 60000; i++) {
            gn_io_memory_write(greedy, body, sizeof(body));
            driver_poll(&driver);
        }
        static char section[5000];
        memset(section, 'a', sizeof(section));
        memcpy(section, "0\r\na: b\r\nc: ", 12);
        memcpy(section + sizeof(section) - 4, "\r\n\r\n", 4);
        driver_write_bytes(&driver, peer, section, sizeof(section));
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        struct driver_exchange *exchange = driver_exchange(&driver, 1);
        CHECK(!exchange->ended);
        CHECK_EQ(driver.exchange_count, 2);
        driver_advance(&driver, 1000 * SECOND); // that is nothing the peer could do something about
        CHECK_EQ(exchange->resets, 0);
        driver_release(&driver, driver_exchange(&driver, 0)); // with all of its blocks
        driver_settle(&driver);
        REQUIRE(exchange->ended && exchange->trailers != NULL);
        CHECK(strncmp(exchange->trailers, "a: b\nc: aaa", 11) == 0);
        CHECK_EQ(strlen(exchange->trailers), sizeof(section) - strlen("0\r\n"
                                                                      "\r"
                                                                      "\r"
                                                                      "\r\n"));
        CHECK_EQ(driver.exchange_count, 3);
        driver_close(&driver);
    }
}

/* ---- of responses ---- */

/* An exchange whose chunked response has begun. */
static struct gn_io_memory_peer *start_chunked(void)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "abc", 3);
    return peer;
}

TEST(C18_behind_the_last_chunk)
{
    struct gn_io_memory_peer *peer = start_chunked();
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_OTHER, "Server-Timing", "a;dur=1");
    driver_field(&fields, GN_FIELD_ETAG, "", "\"v\"");
    driver_field(&fields, GN_FIELD_ETAG, "eTag", "");
    driver_data(&driver, exchange, 0, "de", 2);
    driver_trailers(&driver, exchange, &fields);
    driver_release(&driver, exchange);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               OK_CHUNKED CHUNK "2\r\nde\r\n0\r\nServer-Timing: a;dur=1\r\netag: \"v\"\r\neTag: \r\n\r\n");
    CHECK_EQ(driver.shared->counters.responses, 1);
    CHECK_EQ(driver.exchange_count, 2);
    driver_close(&driver);
}

TEST(C18_without_fields_they_are_an_end)
{
    struct gn_io_memory_peer *peer = start_chunked();
    driver_trailers(&driver, driver_exchange(&driver, 0), &none);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CHUNKED CHUNK "0\r\n\r\n");
    CHECK_EQ(driver.shared->counters.responses, 1);
    driver_close(&driver);
}

TEST(C18_in_a_pipeline_and_with_RELEASE)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    struct driver_exchange *second = driver_exchange(&driver, 1);
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_OTHER, "t", "u");
    driver_respond(&driver, second, 200, GN_FLAG_NOTIFY, -1, "abc", 3);
    driver_say(&driver, second, (struct gn_command){.kind = GN_COMMAND_TRAILERS, .flags = GN_FLAG_RELEASE}, &fields,
               "");
    driver_note_release(&driver, second);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK_CHUNKED CHUNK "0\r\nt: u\r\n\r\n");
    CHECK_EQ(driver.shared->counters.exchanges_open, 0);
    driver_close(&driver);
}

TEST(C17_title_case)
{
    driver_prepare(&driver);
    driver.shared->listener.title_case = 1;
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_X_REQUEST_ID, "", "1");
    driver_field(&fields, GN_FIELD_OTHER, "x-own", "2");
    driver_respond(&driver, exchange, 200, 0, -1, "", 0);
    driver_trailers(&driver, exchange, &fields);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Request-Id: 1\r\nx-own: 2\r\n\r\n");
    driver_close(&driver);
}

TEST(where_the_framing_has_no_place_for_them_they_end_the_body)
{
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_OTHER, "t", "u");
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n" GET);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, 3, "abc", 3);
    driver_respond(&driver, driver_exchange(&driver, 1), 200, 0, -1, "abc", 3);
    driver_respond(&driver, driver_exchange(&driver, 2), 204, 0, -1, "", 0);
    for (size_t i = 0; i < 3; i++)
        driver_trailers(&driver, driver_exchange(&driver, i), &fields);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               OK(3) "abc"
                     "HTTP/1.1 200 OK\r\n\r\n"
                     "HTTP/1.1 204 No Content\r\n\r\n");
    CHECK_EQ(driver.shared->counters.responses, 3);
    CHECK(!gn_io_memory_saw_end(peer));
    driver_close(&driver);

    peer = driver_start_with(&driver, "GET / HTTP/1.0\r\n\r\n");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "abc", 3);
    driver_trailers(&driver, driver_exchange(&driver, 0), &fields);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(C5_they_do_not_hide_a_body_short_of_its_length)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, 10, "abc", 3);
    driver_trailers(&driver, driver_exchange(&driver, 0), &none);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(10) "abc");
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_RESPONSE_CUT);
    CHECK(gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(where_they_make_no_sense_nothing_changes)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    struct driver_exchange *first = driver_exchange(&driver, 0), *second = driver_exchange(&driver, 1);
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_OTHER, "t", "value");
    driver_trailers(&driver, first, &fields); // before a head
    CHECK_EQ(rejections(), 1);
    driver_respond(&driver, first, 200, 0, -1, "", 0);
    uint32_t whole = fields.length;
    for (fields.length = 1; fields.length < whole; fields.length++) {
        driver_trailers(&driver, first, &fields);
        CHECK_EQ(rejections(), 1);
    }
    struct driver_staged nameless = {.length = 0};
    driver_field(&nameless, GN_FIELD_OTHER, "", "reason?");
    driver_trailers(&driver, first, &nameless);
    CHECK_EQ(rejections(), 1);
    driver_say(&driver, first, (struct gn_command){.kind = GN_COMMAND_TRAILERS}, &none, "body");
    CHECK_EQ(rejections(), 1);
    driver_command(
        &driver,
        (struct gn_command){.kind = GN_COMMAND_TRAILERS, .subject = first->id, .offset = DRIVER_STAGING, .length = 1});
    CHECK_EQ(rejections(), 1);
    driver_answer(&driver, second, "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CHUNKED);
    driver_trailers(&driver, first, &fields);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "0\r\nt: value\r\n\r\n" OK(1) "x");
    driver_close(&driver);

    peer = driver_start_with(&driver, GET GET);
    driver_respond(&driver, driver_exchange(&driver, 1), 200, GN_FLAG_END, -1, "", 0);
    driver_trailers(&driver, driver_exchange(&driver, 1), &fields); // complete
    CHECK_EQ(rejections(), 1);
    driver_close(&driver);
}

TEST_MAIN()
