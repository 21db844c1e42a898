#include "h2/peer.h"
#include "h2/session.h"

/*
 * Requests and their responses: bodies both ways, interim responses, trailers, and how a stream ends.
 */

#define OK_2(stream, length) "HEADERS " #stream " :status: 200 | content-length: " #length "\n"
#define EMPTY_OK(stream) "HEADERS " #stream " END :status: 200 | content-length: 0\n"

static struct driver driver;
static struct peer peer;

static const struct driver_staged none;

static void begin(void)
{
    driver_prepare(&driver);
    peer_start(&peer, &driver);
}

/* With a request on stream 1. */
static struct driver_exchange *begin_with(unsigned flags, const char *fields)
{
    begin();
    peer_headers(&peer, 1, flags, fields);
    EXPECT(&peer, "");
    return driver_exchange(&driver, 0);
}

static void end(void)
{
    peer_end(&peer);
    driver_close(&driver);
}

static uint64_t rejections(void)
{
    driver_settle(&driver);
    uint64_t count = driver.shared->counters.commands_rejected;
    driver.shared->counters.commands_rejected = 0;
    return count;
}

static void respond(struct driver_exchange *exchange, unsigned status, unsigned flags, int64_t length, const char *body)
{
    driver_respond(&driver, exchange, (uint16_t)status, (uint8_t)flags, length, body, strlen(body));
}

static void data(struct driver_exchange *exchange, unsigned flags, const char *body)
{
    driver_data(&driver, exchange, (uint8_t)flags, body, strlen(body));
}

static void check_body(const struct driver_exchange *exchange, const char *text)
{
    CHECK_BYTES(exchange->body == NULL ? "" : (const char *)exchange->body, exchange->body_length, text);
}

/* ---- responses ---- */

TEST(C1_H17_a_response_with_and_without_length)
{
    driver_prepare(&driver);
    peer_start(&peer, &driver);
    for (uint32_t stream = 1; stream <= 9; stream += 2)
        peer_get(&peer, stream);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 5);
    driver_answer(&driver, driver_exchange(&driver, 0), "hello");
    EXPECT(&peer, OK_2(1, 5) "DATA 1 END hello\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 1);
    respond(exchange, 200, 0, -1, "");
    EXPECT(&peer, "HEADERS 3 :status: 200\n"); // at once
    data(exchange, 0, "ab");
    EXPECT(&peer, "DATA 3 ab\n");
    data(exchange, GN_FLAG_END, "cd");
    EXPECT(&peer, "DATA 3 END cd\n");
    exchange = driver_exchange(&driver, 2);
    respond(exchange, 404, 0, 4, "ab");
    data(exchange, GN_FLAG_END, "cd");
    peer_send(&peer);
    CHECK_BYTES((char *)peer_stream(&peer, 5)->body, peer_stream(&peer, 5)->body_length, "abcd");
    CHECK(peer_stream(&peer, 5)->ended);
    peer_forget(&peer);
    exchange = driver_exchange(&driver, 3);
    respond(exchange, 200, 0, -1, "x");
    EXPECT(&peer, "HEADERS 7 :status: 200\nDATA 7 x\n");
    data(exchange, GN_FLAG_END, "");
    EXPECT(&peer, "DATA 7 END\n");
    driver_answer(&driver, driver_exchange(&driver, 4), "");
    EXPECT(&peer, EMPTY_OK(9)); // C6
    CHECK_EQ(driver.shared->counters.responses, 5);
    end();
}

TEST(responses_in_any_order)
{
    begin();
    for (uint32_t stream = 1; stream <= 5; stream += 2)
        peer_get(&peer, stream);
    EXPECT(&peer, "");
    for (size_t i = 3; i-- > 0;)
        driver_answer(&driver, driver_exchange(&driver, i), "");
    EXPECT(&peer, EMPTY_OK(5) EMPTY_OK(3) EMPTY_OK(1));
    end();
}

TEST(C6_C7_HEAD_has_a_length_and_no_body)
{
    begin();
    for (uint32_t stream = 1; stream <= 9; stream += 2)
        peer_headers(&peer, stream, GN_H2_END_STREAM, PEER_FIELDS("HEAD"));
    EXPECT(&peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "hello");
    EXPECT(&peer, "HEADERS 1 END :status: 200 | content-length: 5\n");
    respond(driver_exchange(&driver, 1), 200, GN_FLAG_END, 77, "");
    EXPECT(&peer, "HEADERS 3 END :status: 200 | content-length: 77\n");
    respond(driver_exchange(&driver, 2), 200, GN_FLAG_END, -1, "");
    EXPECT(&peer, "HEADERS 5 END :status: 200\n");
    respond(driver_exchange(&driver, 3), 200, 0, -1, "dropped");
    data(driver_exchange(&driver, 3), 0, "this, too");
    data(driver_exchange(&driver, 3), GN_FLAG_END, "");
    EXPECT(&peer, "HEADERS 7 END :status: 200\n");
    respond(driver_exchange(&driver, 4), 200, 0, 10, "hello");
    data(driver_exchange(&driver, 4), GN_FLAG_END, "world");
    EXPECT(&peer, "HEADERS 9 END :status: 200 | content-length: 10\n");
    for (size_t i = 0; i < 5; i++)
        CHECK_EQ(driver_exchange(&driver, i)->resets, 0);
    end();
}

TEST(C8_statuses_without_content)
{
    static const struct {
        unsigned status;
        int64_t length;
        const char *expected;
    } cases[] = {
        {204, -1, "HEADERS 1 END :status: 204\n"},
        {304, -1, "HEADERS 1 END :status: 304\n"},
        {304, 5, "HEADERS 1 END :status: 304 | content-length: 5\n"},
        {205, -1, "HEADERS 1 END :status: 205 | content-length: 0\n"},
    };
    for (size_t i = 0; i < 4; i++) {
        struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
        respond(exchange, cases[i].status, GN_FLAG_END, cases[i].length, "");
        EXPECT(&peer, cases[i].expected);
        end();
    }
}

TEST(H16_fields_of_the_connection_do_not_go_out)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    struct driver_staged staged = {.length = 0};
    driver_field(&staged, GN_FIELD_SERVER, "", "gannet");
    driver_field(&staged, GN_FIELD_TRANSFER_ENCODING, "", "gzip");
    driver_field(&staged, GN_FIELD_UPGRADE, "", "echo");
    driver_field(&staged, GN_FIELD_PROXY_CONNECTION, "", "x");
    driver_field(&staged, 0, "X-Own", "Value");
    driver_say(&driver, exchange, (struct gn_command){.kind = GN_COMMAND_RESPOND, .status = 200, .value = -1}, &staged,
               "");
    EXPECT(&peer, "HEADERS 1 :status: 200 | server: gannet | x-own: Value\n"); // names in lower case
    data(exchange, GN_FLAG_END, "x");
    EXPECT(&peer, "DATA 1 END x\n");
    end();
}

TEST(C12_the_date)
{
    driver_prepare(&driver);
    driver.shared->listener.date = 1;
    peer_start(&peer, &driver);
    peer_get(&peer, 1);
    peer_get(&peer, 3);
    EXPECT(&peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    peer_send(&peer);
    const char *date = strstr(peer.text, "date: ");
    CHECK(date != NULL && strstr(date, " GMT") == date + 6 + 25);
    CHECK(date != NULL && strstr(date + 1, "date: ") == NULL);
    peer_forget(&peer);
    struct driver_staged staged = {.length = 0};
    driver_field(&staged, GN_FIELD_DATE, "", "mine");
    driver_say(&driver, driver_exchange(&driver, 1),
               (struct gn_command){.kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = 204, .value = -1},
               &staged, "");
    EXPECT(&peer, "HEADERS 3 END :status: 204 | date: mine\n");
    end();
}

TEST(a_reason_phrase_has_no_place_in_HTTP_2)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    struct driver_staged staged = {.length = 0};
    driver_field(&staged, 0, "", "Fine");
    driver_field(&staged, 0, "a", "b");
    driver_say(&driver, exchange,
               (struct gn_command){.kind = GN_COMMAND_RESPOND,
                                   .flags = GN_FLAG_END | GN_FLAG_REASON | GN_FLAG_CHUNKED | GN_FLAG_CLOSE,
                                   .status = 200,
                                   .value = -1},
               &staged, "");
    peer_send(&peer);
    CHECK(peer.text_length > 0 && strstr(peer.text, "HEADERS 1 END :status: 200 | a: b | content-length: 0\n") != NULL);
    peer_forget(&peer); // CLOSE may say GOAWAY, which is for close_test.c
    end();
}

TEST(SENT_says_that_all_is_with_the_kernel)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    static char body[70000];
    driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, body, sizeof(body));
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 65535);
    CHECK_EQ(exchange->sents, 0);
    peer_window_update(&peer, 0, 100000);
    peer_window_update(&peer, 1, 100000);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->ended);
    CHECK_EQ(exchange->sents, 1);
    CHECK_EQ(exchange->sent_reason, GN_REASON_NONE);
    peer_forget(&peer);
    end();
}

TEST(C5_a_body_short_of_its_length_resets_the_stream)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    respond(exchange, 200, 0, 10, "abc");
    data(exchange, GN_FLAG_END, "def");
    peer_send(&peer);
    CHECK(strstr(peer.text, "RST_STREAM 1 INTERNAL_ERROR\n") != NULL);
    CHECK(!peer_stream(&peer, 1)->ended);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_RESPONSE_CUT);
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(C5_a_body_past_its_length_never_goes_out)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    respond(exchange, 200, 0, 4, "abc");
    data(exchange, GN_FLAG_END, "defg");
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->body_length <= 4);
    CHECK(peer_stream(&peer, 1)->reset && !peer_stream(&peer, 1)->ended);
    CHECK_EQ(peer_stream(&peer, 1)->code, GN_H2_INTERNAL_ERROR);
    CHECK_EQ(exchange->resets, 1);
    rejections();
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(commands_that_make_no_sense_are_rejected)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    data(exchange, 0, "x");
    CHECK_EQ(rejections(), 1);
    driver_trailers(&driver, exchange, &none);
    CHECK_EQ(rejections(), 1);
    respond(exchange, 101, 0, -1, ""); // HTTP/2 has no 101 (RFC 9113 section 8.6)
    CHECK_EQ(rejections(), 1);
    respond(exchange, 103, GN_FLAG_END, -1, "");
    CHECK_EQ(rejections(), 1);
    driver_interim(&driver, exchange, 101, &none);
    CHECK_EQ(rejections(), 1);
    EXPECT(&peer, "");
    respond(exchange, 200, 0, 1, "");
    respond(exchange, 200, 0, 1, "");
    CHECK_EQ(rejections(), 1);
    driver_interim(&driver, exchange, 103, &none);
    CHECK_EQ(rejections(), 1);
    data(exchange, GN_FLAG_END, "x");
    EXPECT(&peer, OK_2(1, 1) "DATA 1 END x\n");
    EXPECT_ALIVE(&peer);
    end();
}

/* ---- interim responses ---- */

TEST(C11_any_number_of_interim_responses_before_the_final_head)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    struct driver_staged links = {.length = 0};
    driver_field(&links, GN_FIELD_LINK, "LINK", "</a>; rel=preload");
    driver_interim(&driver, exchange, 103, &links);
    driver_interim(&driver, exchange, 102, &none);
    EXPECT(&peer, "HEADERS 1 :status: 103 | link: </a>; rel=preload\nHEADERS 1 :status: 102\n");
    driver_interim(&driver, exchange, 100, &none);
    driver_answer(&driver, exchange, "x");
    EXPECT(&peer, "HEADERS 1 :status: 100\n" OK_2(1, 1) "DATA 1 END x\n");
    end();
}

TEST(B18_100_goes_out_with_the_first_credit)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(3) "expect: 100-Continue\n");
    CHECK_EQ(exchange->head_flags & GN_HEAD_EXPECT_CONTINUE, GN_HEAD_EXPECT_CONTINUE);
    driver_ask(&driver, exchange, 100);
    EXPECT(&peer, "HEADERS 1 :status: 100\n");
    driver_ask(&driver, exchange, 100);
    EXPECT(&peer, "");
    peer_data(&peer, 1, GN_H2_END_STREAM, "abc");
    EXPECT(&peer, "");
    check_body(exchange, "abc");
    driver_answer(&driver, exchange, "");
    EXPECT(&peer, EMPTY_OK(1));
    end();
}

TEST(B18_no_100_where_the_body_came_by_itself)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(3) "expect: 100-continue\n");
    peer_data(&peer, 1, 0, "abc");
    EXPECT(&peer, "");
    driver_ask(&driver, exchange, 100);
    EXPECT(&peer, "");
    check_body(exchange, "abc");
    peer_data(&peer, 1, GN_H2_END_STREAM, "");
    EXPECT(&peer, "");
    CHECK(exchange->ended);
    end();
}

TEST(B19_no_100_behind_a_final_response_or_without_a_body)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(3) "expect: 100-continue\n");
    respond(exchange, 200, 0, 1, "");
    driver_ask(&driver, exchange, 100);
    EXPECT(&peer, OK_2(1, 1));
    data(exchange, GN_FLAG_END, "x");
    EXPECT(&peer, "DATA 1 END x\n");
    peer_data(&peer, 1, GN_H2_END_STREAM, "abc"); // sent after all, and Java still reads
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_POST "expect: 100-continue\n");
    EXPECT(&peer, "");
    check_body(exchange, "abc");
    driver_ask(&driver, driver_exchange(&driver, 1), 100);
    EXPECT(&peer, "");
    end();
}

TEST(B19_a_body_that_nobody_asked_for_is_not_awaited)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(3) "expect: 100-continue\n");
    driver_answer(&driver, exchange, "no");
    EXPECT(&peer, OK_2(1, 2) "DATA 1 END no\nRST_STREAM 1 NO_ERROR\n");
    peer_data(&peer, 1, GN_H2_END_STREAM, "abc");
    EXPECT(&peer, "");
    EXPECT_ALIVE(&peer);
    end();
}

/* ---- request bodies ---- */

TEST(bodies_of_several_streams_at_once)
{
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_headers(&peer, 3, 0, PEER_POST_OF(6));
    for (unsigned i = 0; i < 3; i++) {
        peer_data(&peer, 1, 0, "ab");
        peer_data(&peer, 3, i == 2 ? GN_H2_END_STREAM : 0, "cd");
        peer_data(&peer, 1, 0, "");
    }
    EXPECT(&peer, "");
    check_body(driver_exchange(&driver, 0), "ababab");
    check_body(driver_exchange(&driver, 1), "cdcdcd");
    CHECK(!driver_exchange(&driver, 0)->ended && driver_exchange(&driver, 1)->ended);
    respond(driver_exchange(&driver, 0), 200, 0, -1, "early"); // both directions at once
    EXPECT(&peer, "HEADERS 1 :status: 200\nDATA 1 early\n");
    peer_data(&peer, 1, 0, "more");
    EXPECT(&peer, "");
    check_body(driver_exchange(&driver, 0), "abababmore");
    data(driver_exchange(&driver, 0), GN_FLAG_END, "late");
    EXPECT(&peer, "DATA 1 END late\n");
    peer_data(&peer, 1, GN_H2_END_STREAM, "end");
    EXPECT(&peer, "");
    check_body(driver_exchange(&driver, 0), "abababmoreend");
    CHECK(driver_exchange(&driver, 0)->ended);
    end();
}

TEST(H7_padding_of_every_length)
{
    for (unsigned padding = 0; padding < 256; padding += 51) {
        struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(9));
        peer_data_padded(&peer, 1, 0, "", (uint8_t)padding);
        peer_data_padded(&peer, 1, 0, "abcde", (uint8_t)padding);
        peer_data_padded(&peer, 1, GN_H2_END_STREAM, "fghi", (uint8_t)padding);
        peer_headers_with(&peer, 3, GN_H2_END_STREAM | GN_H2_PADDED | GN_H2_HAS_PRIORITY, PEER_GET, (uint8_t)padding);
        peer_headers_with(&peer, 5, GN_H2_END_STREAM | GN_H2_PADDED, PEER_GET, (uint8_t)padding);
        peer_headers_with(&peer, 7, GN_H2_END_STREAM | GN_H2_HAS_PRIORITY, PEER_GET, 0);
        EXPECT(&peer, "");
        check_body(exchange, "abcdefghi");
        CHECK(exchange->ended);
        CHECK_EQ(driver.exchange_count, 4);
        end();
    }
}

TEST(H21_parallel_exchanges_of_8_KiB_both_ways)
{
    static char body[8192];
    memset(body, 'b', sizeof(body));
    begin();
    peer_window_update(&peer, 0, 1 << 20);
    for (uint32_t stream = 1; stream < 21; stream += 2)
        peer_headers(&peer, stream, 0, PEER_POST_OF(8192));
    for (unsigned piece = 0; piece < 8; piece++) {
        for (uint32_t stream = 1; stream < 21; stream += 2)
            peer_filled(&peer, GN_H2_DATA, piece == 7 ? GN_H2_END_STREAM : 0, stream, 1024);
    }
    EXPECT(&peer, "");
    REQUIRE(driver.exchange_count == 10);
    for (size_t i = 0; i < 10; i++) {
        CHECK_EQ(driver_exchange(&driver, i)->body_length, 8192);
        CHECK(driver_exchange(&driver, i)->ended);
        driver_respond(&driver, driver_exchange(&driver, i), 200, GN_FLAG_END, -1, body, sizeof(body));
    }
    peer_send(&peer);
    for (uint32_t stream = 1; stream < 21; stream += 2) {
        CHECK_EQ(peer_stream(&peer, stream)->body_length, 8192);
        CHECK(peer_stream(&peer, stream)->ended);
    }
    peer_forget(&peer);
    end();
}

/* ---- trailers ---- */

TEST(H19_C18_trailers_of_a_response_without_TE)
{
    begin();
    peer_get(&peer, 1);
    peer_get(&peer, 3);
    EXPECT(&peer, "");
    struct driver_staged trailers = {.length = 0};
    driver_field(&trailers, 0, "Grpc-Status", "0");
    driver_field(&trailers, 0, "t", "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    respond(exchange, 200, 0, -1, "body");
    driver_trailers(&driver, exchange, &trailers);
    EXPECT(&peer, "HEADERS 1 :status: 200\nDATA 1 body\nHEADERS 1 END grpc-status: 0 | t: \n");
    exchange = driver_exchange(&driver, 1);
    respond(exchange, 200, 0, -1, "");
    driver_trailers(&driver, exchange, &trailers); // nothing but trailers
    EXPECT(&peer, "HEADERS 3 :status: 200\nHEADERS 3 END grpc-status: 0 | t: \n");
    end();
}

TEST(H19_trailers_stay_behind_a_body_that_waits_for_a_window)
{
    static char body[70000];
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    struct driver_staged trailers = {.length = 0};
    driver_field(&trailers, 0, "t", "u");
    driver_respond(&driver, exchange, 200, 0, -1, body, sizeof(body));
    driver_trailers(&driver, exchange, &trailers);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 65535);
    CHECK(!peer_stream(&peer, 1)->ended);
    peer_forget(&peer);
    peer_window_update(&peer, 1, 100000);
    peer_window_update(&peer, 0, 70000 - 65535);
    EXPECT(&peer, "DATA 1 4465 bytes\nHEADERS 1 END t: u\n");
    end();
}

/* ---- how streams end ---- */

TEST(H15_a_response_before_the_end_of_the_request)
{
    for (unsigned released = 0; released < 2; released++) {
        struct driver_exchange *exchange = begin_with(0, PEER_POST);
        peer_data(&peer, 1, 0, "some");
        EXPECT(&peer, "");
        if (released) {
            driver_answer(&driver, exchange, "done");
            EXPECT(&peer, OK_2(1, 4) "DATA 1 END done\nRST_STREAM 1 NO_ERROR\n");
            peer_data(&peer, 1, 0, "on its way");
            peer_headers(&peer, 1, GN_H2_END_STREAM, "+t: u\n");
            EXPECT(&peer, "");
            check_body(exchange, "some");
        } else {
            respond(exchange, 200, GN_FLAG_END, -1, "done");
            EXPECT(&peer, OK_2(1, 4) "DATA 1 END done\n"); // Java may still want the rest
            peer_data(&peer, 1, GN_H2_END_STREAM, " more");
            EXPECT(&peer, "");
            check_body(exchange, "some more");
            driver_release(&driver, exchange);
            EXPECT(&peer, "");
        }
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(H15_a_body_that_waits_for_credit_outlives_its_stream)
{
    for (unsigned i = 0; i < 4; i++) { // the request ends before the response or behind it, with trailers or without
        driver_prepare(&driver);
        driver.shared->listener.receive_credit = 10;
        driver.hold_bodies = true;
        peer_start(&peer, &driver);
        peer_headers(&peer, 1, 0, PEER_POST);
        peer_data(&peer, 1, 0, "more than ten");
        EXPECT(&peer, "");
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        for (unsigned side = 0; side < 2; side++) {
            if (side == (i & 1)) {
                respond(exchange, 200, GN_FLAG_END, -1, "done");
                EXPECT(&peer, OK_2(1, 4) "DATA 1 END done\n");
            } else {
                peer_data(&peer, 1, i & 2 ? 0 : GN_H2_END_STREAM, " bytes");
                if (i & 2)
                    peer_headers(&peer, 1, GN_H2_END_STREAM, "t: u\n");
                EXPECT(&peer, "");
            }
        }
        CHECK_EQ(exchange->resets, 0);
        while (exchange->block_count > 0) {
            while (exchange->block_count > 0)
                driver_credit(&driver, exchange);
            driver_settle(&driver);
        }
        check_body(exchange, "more than ten bytes");
        CHECK(exchange->ended);
        CHECK_EQ(exchange->trailers != NULL, i >= 2);
        EXPECT_ALIVE(&peer);
        CHECK_EQ(driver_connection(&driver, exchange)->h2->streams.count, 0);
        end();
    }
}

TEST(H18_the_clients_reset_is_told_with_its_code)
{
    for (unsigned phase = 0; phase < 4; phase++) {
        struct driver_exchange *exchange = begin_with(phase == 3 ? GN_H2_END_STREAM : 0, PEER_POST);
        if (phase == 1 || phase == 2)
            peer_data(&peer, 1, 0, "some");
        if (phase >= 2)
            respond(exchange, 200, 0, -1, "begun");
        peer_send(&peer);
        peer_forget(&peer);
        peer_rst_stream(&peer, 1, GN_H2_CANCEL);
        EXPECT(&peer, "");
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_STREAM_RESET);
        CHECK_EQ(driver.shared->counters.exchanges_reset, 1);
        data(exchange, GN_FLAG_END, "late"); // which goes nowhere
        EXPECT(&peer, "");
        driver_release(&driver, exchange);
        EXPECT(&peer, "");
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(C21_Javas_reset_goes_out_with_its_code)
{
    static const struct {
        uint32_t code;
        const char *expected;
    } cases[] = {
        {GN_H2_CANCEL, "RST_STREAM 1 CANCEL\n"},
        {GN_H2_REFUSED_STREAM, "RST_STREAM 1 REFUSED_STREAM\n"},
        {GN_H2_INTERNAL_ERROR, "RST_STREAM 1 INTERNAL_ERROR\n"},
        {0, "RST_STREAM 1 INTERNAL_ERROR\n"},
    };
    for (unsigned i = 0; i < 8; i++) {
        struct driver_exchange *exchange = begin_with(0, PEER_POST);
        if (i >= 4)
            respond(exchange, 200, 0, -1, "begun");
        EXPECT(&peer, i >= 4 ? "HEADERS 1 :status: 200\nDATA 1 begun\n" : "");
        peer_java_resets(&driver, exchange, cases[i % 4].code);
        EXPECT(&peer, cases[i % 4].expected);
        peer_data(&peer, 1, GN_H2_END_STREAM, "on its way");
        EXPECT(&peer, "");
        driver_release(&driver, exchange);
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(C21_a_response_that_is_let_go_of_unfinished)
{
    static char body[100000];
    for (unsigned i = 0; i < 3; i++) {
        struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
        if (i == 1)
            respond(exchange, 200, 0, 100, "begun");
        if (i == 2)
            driver_respond(&driver, exchange, 200, 0, -1, body, sizeof(body)); // more than the windows take
        peer_send(&peer);
        peer_forget(&peer);
        driver_release(&driver, exchange);
        EXPECT(&peer, "RST_STREAM 1 INTERNAL_ERROR\n");
        CHECK_EQ(driver.shared->counters.exchanges_reset, 1);
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(a_complete_response_that_waits_for_a_window_survives_its_release)
{
    static char body[100000];
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, body, sizeof(body));
    driver_note_release(&driver, exchange);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 65535);
    peer_window_update(&peer, 0, 100000);
    peer_window_update(&peer, 1, 100000);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 100000);
    CHECK(peer_stream(&peer, 1)->ended && !peer_stream(&peer, 1)->reset);
    peer_forget(&peer);
    end();
}

TEST(a_reset_stream_forgets_what_it_had_to_send)
{
    static char body[100000];
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    driver_respond(&driver, exchange, 200, 0, -1, body, sizeof(body));
    peer_send(&peer);
    peer_forget(&peer);
    peer_rst_stream(&peer, 1, GN_H2_CANCEL);
    peer_window_update(&peer, 0, 1000000);
    peer_window_update(&peer, 1, 1000000);
    peer_get(&peer, 3);
    EXPECT(&peer, "");
    driver_answer(&driver, driver_exchange(&driver, 1), "x");
    EXPECT(&peer, OK_2(3, 1) "DATA 3 END x\n");
    end();
}

/* ---- concurrency ---- */

TEST(H12_streams_over_the_limit_are_refused)
{
    driver_prepare(&driver);
    driver.shared->listener.streams = 2;
    peer_start(&peer, &driver);
    peer_get(&peer, 1);
    peer_headers(&peer, 3, 0, PEER_POST);
    peer_headers(&peer, 5, GN_H2_END_STREAM, PEER_GET "+sync: x\n");
    EXPECT(&peer, "RST_STREAM 5 REFUSED_STREAM\n");
    CHECK_EQ(driver.exchange_count, 2);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_STREAM_REFUSED), 1);
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    EXPECT(&peer, EMPTY_OK(1));
    peer_headers(&peer, 7, GN_H2_END_STREAM, PEER_GET "=62\n"); // there is room again, and compression is in step
    peer_headers(&peer, 9, 0, PEER_POST);
    peer_data(&peer, 9, GN_H2_END_STREAM, "dropped");
    EXPECT(&peer, "RST_STREAM 9 REFUSED_STREAM\n");
    CHECK_EQ(driver.exchange_count, 3);
    end();
}

TEST(J1_a_reset_stream_counts_until_Java_lets_go)
{
    driver_prepare(&driver);
    driver.shared->listener.streams = 2;
    peer_start(&peer, &driver);
    peer_get(&peer, 1);
    peer_get(&peer, 3);
    peer_rst_stream(&peer, 1, GN_H2_CANCEL);
    peer_get(&peer, 5);
    EXPECT(&peer, "RST_STREAM 5 REFUSED_STREAM\n");
    driver_release(&driver, driver_exchange(&driver, 0));
    EXPECT(&peer, "");
    peer_get(&peer, 7);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 3);
    peer_java_resets(&driver, driver_exchange(&driver, 1), GN_H2_CANCEL);
    peer_get(&peer, 9);
    EXPECT(&peer, "RST_STREAM 3 CANCEL\nRST_STREAM 9 REFUSED_STREAM\n");
    driver_release(&driver, driver_exchange(&driver, 1));
    EXPECT(&peer, "");
    peer_get(&peer, 11);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 4);
    end();
}

/* ---- one script, cut everywhere ---- */

static void queue_script(void)
{
    peer_headers_in_pieces(&peer, 1, 0, PEER_POST "+a: b\n", 3);
    peer_window_update(&peer, 1, 5);
    peer_data(&peer, 1, 0, "hello ");
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_GET "=62\n");
    peer_data_padded(&peer, 1, 0, "world", 7);
    peer_filled(&peer, 200, 3, 1, 20);
    peer_headers(&peer, 5, GN_H2_END_STREAM, PEER_GET "Bad: x\n");
    peer_headers_in_pieces(&peer, 1, GN_H2_END_STREAM, "t: u\n", 2);
}

TEST(A1_the_same_wherever_the_input_is_cut)
{
    size_t length = 1;
    for (size_t at = 0; at <= length; at++) {
        begin();
        queue_script();
        length = peer.out_length;
        peer_send_cut(&peer, at);
        EXPECT(&peer, "RST_STREAM 5 PROTOCOL_ERROR\n");
        REQUIRE(driver.exchange_count == 2);
        check_body(driver_exchange(&driver, 0), "hello world");
        CHECK(driver_exchange(&driver, 0)->ended && driver_exchange(&driver, 0)->trailers != NULL);
        CHECK_EQ(driver_exchange(&driver, 1)->field_count, 1);
        driver_answer(&driver, driver_exchange(&driver, 1), "");
        driver_answer(&driver, driver_exchange(&driver, 0), "");
        EXPECT(&peer, EMPTY_OK(3) EMPTY_OK(1));
        end();
    }
}

TEST(a_stream_whose_response_is_whole_makes_room_before_Java_ends_it)
{
    driver_prepare(&driver);
    driver.shared->listener.streams = 1;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, GN_H2_END_STREAM, PEER_FIELDS("HEAD"));
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    respond(exchange, 200, GN_FLAG_NOTIFY, 5, "");
    EXPECT(&peer, "HEADERS 1 END :status: 200 | content-length: 5\n");
    CHECK_EQ(exchange->sents, 0);
    peer_get(&peer, 3);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 2);
    data(exchange, GN_FLAG_END, "");
    EXPECT(&peer, "");
    CHECK_EQ(exchange->sents, 1);
    CHECK_EQ(exchange->sent_reason, GN_REASON_NONE);
    CHECK_EQ(exchange->resets, 0);
    end();
}

TEST(C7_credit_comes_back_for_content_that_HEAD_does_not_get)
{
    for (unsigned flags = 0; flags <= GN_H2_END_STREAM; flags += GN_H2_END_STREAM) {
        struct driver_exchange *exchange = begin_with(flags, PEER_FIELDS("HEAD"));
        respond(exchange, 200, 0, 11, "hello");
        EXPECT(&peer, "HEADERS 1 END :status: 200 | content-length: 11\n");
        CHECK_EQ(exchange->credits, 5);
        data(exchange, 0, " world");
        EXPECT(&peer, "");
        CHECK_EQ(exchange->credits, 11);
        struct driver_staged staged = {.length = 0};
        driver_field(&staged, GN_FIELD_OTHER, "sum", "1");
        driver_trailers(&driver, exchange, &staged); // there is no place for them
        EXPECT(&peer, "");
        CHECK_EQ(driver.shared->counters.responses, 1);
        CHECK_EQ(exchange->resets, 0);
        end();
    }
}

TEST(SENT_says_why_a_response_that_was_complete_did_not_arrive)
{
    static const unsigned reasons[] = {GN_REASON_STREAM_RESET, GN_REASON_FLOW_CONTROL, GN_REASON_HTTP_2_ERROR};
    for (unsigned i = 0; i < 3; i++) {
        driver_prepare(&driver);
        peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 0}, {0, 0}});
        peer_get(&peer, 1);
        EXPECT(&peer, "");
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        respond(exchange, 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "hello");
        EXPECT(&peer, OK_2(1, 5));
        CHECK_EQ(exchange->sents, 0);
        if (i == 0) {
            peer_rst_stream(&peer, 1, GN_H2_CANCEL);
        } else if (i == 1) {
            peer_number(&peer, GN_H2_WINDOW_UPDATE, 1, GN_H2_WINDOW_MAX);
            peer_number(&peer, GN_H2_WINDOW_UPDATE, 1, 1);
        } else {
            peer_number(&peer, GN_H2_WINDOW_UPDATE, 0, 0);
        }
        peer_send(&peer);
        peer_forget(&peer);
        CHECK_EQ(exchange->resets, 0); // Java has said all of it
        CHECK_EQ(exchange->sents, 1);
        CHECK_EQ(exchange->sent_reason, reasons[i]);
        end();
    }
}

TEST(any_status_of_three_digits)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    respond(exchange, 1000, GN_FLAG_END, -1, "");
    CHECK_EQ(rejections(), 1);
    struct driver_staged staged = {.length = 0};
    driver_field(&staged, GN_FIELD_OTHER, "", "a value without a name");
    driver_say(&driver, exchange,
               (struct gn_command){.kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = 200, .value = -1},
               &staged, "");
    CHECK_EQ(rejections(), 1);
    respond(exchange, 999, GN_FLAG_END, -1, "");
    EXPECT(&peer, "HEADERS 1 END :status: 999 | content-length: 0\n");
    end();
}

TEST(B18_an_empty_frame_is_no_body_that_came_by_itself)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(3) "expect: 100-continue\n");
    peer_data(&peer, 1, 0, "");
    EXPECT(&peer, "");
    driver_ask(&driver, exchange, 100);
    EXPECT(&peer, "HEADERS 1 :status: 100\n");
    end();
}

TEST(B18_no_second_100_behind_Javas_own)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(3) "expect: 100-continue\n");
    driver_interim(&driver, exchange, 100, &none);
    EXPECT(&peer, "HEADERS 1 :status: 100\n");
    driver_ask(&driver, exchange, 100);
    EXPECT(&peer, "");
    end();
}

TEST(C5_trailers_do_not_complete_a_body_short_of_its_length)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    respond(exchange, 200, 0, 10, "abc");
    driver_trailers(&driver, exchange, &none);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->reset && !peer_stream(&peer, 1)->ended);
    CHECK_EQ(peer_stream(&peer, 1)->heads, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_RESPONSE_CUT);
    peer_forget(&peer);
    end();
}

TEST(H12_exchanges_that_Java_keeps_have_a_limit_of_twice_the_streams)
{
    driver_prepare(&driver);
    driver.shared->listener.streams = 2;
    peer_start(&peer, &driver);
    for (uint32_t i = 0; i < 4; i++) {
        peer_get(&peer, 2 * i + 1);
        EXPECT(&peer, "");
        respond(driver_exchange(&driver, i), 204, GN_FLAG_END, -1, "");
        peer_send(&peer);
        CHECK(peer_stream(&peer, 2 * i + 1)->ended);
        peer_forget(&peer);
    }
    peer_get(&peer, 9);
    EXPECT(&peer, "RST_STREAM 9 REFUSED_STREAM\n");
    driver_release(&driver, driver_exchange(&driver, 2));
    peer_get(&peer, 11);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 5);
    end();
}

TEST(a_stream_that_is_reset_amid_a_frame)
{
    driver_prepare(&driver);
    driver.shared->listener.frame_bytes = 65536;
    driver.shared->listener.stream_window = driver.shared->listener.connection_window = 65535;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    peer_filled(&peer, GN_H2_DATA, GN_H2_END_STREAM, 1, 40000);
    size_t written = peer_write(&peer, peer.out, 1000);
    CHECK_EQ(written, 1000);
    peer_receive(&peer);
    CHECK_EQ(exchange->body_length, 1000 - GN_H2_FRAME_HEADER);
    peer_java_resets(&driver, exchange, GN_H2_CANCEL);
    peer_receive(&peer);
    size_t before = exchange->body_length;
    peer_write(&peer, peer.out + 1000, peer.out_length - 1000);
    peer.out_length = 0;
    peer_receive(&peer);
    CHECK_EQ(exchange->body_length, before);
    CHECK(peer_stream(&peer, 1)->reset);
    CHECK_EQ(peer_stream(&peer, 1)->credit, 0);
    CHECK(peer.credit > 32000);
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(H18_a_reset_drops_a_body_and_its_trailers)
{
    driver_prepare(&driver);
    driver.shared->listener.receive_credit = 10;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_data(&peer, 1, 0, "more than ten bytes");
    peer_headers(&peer, 1, GN_H2_END_STREAM, "t: u\n");
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    peer_rst_stream(&peer, 1, GN_H2_CANCEL);
    EXPECT(&peer, "");
    CHECK_EQ(exchange->resets, 1);
    CHECK(exchange->trailers == NULL);
    end(); // nothing of it is left
}

TEST(D7_SENT_follows_a_response_that_goes_out_before_GOAWAY)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    gn_io_memory_room(peer.end, 0);
    respond(exchange, 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "hello");
    driver_settle(&driver);
    peer_number(&peer, GN_H2_WINDOW_UPDATE, 0, 0);
    gn_io_memory_write(peer.end, peer.out, peer.out_length);
    peer.out_length = 0;
    driver_settle(&driver);
    CHECK_EQ(exchange->sents, 0);
    gn_io_memory_room(peer.end, 65536);
    EXPECT(&peer, OK_2(1, 5) "DATA 1 END hello\nGOAWAY 1 PROTOCOL_ERROR\nFIN\n");
    CHECK_EQ(exchange->sents, 1);
    CHECK_EQ(exchange->sent_reason, GN_REASON_NONE);
    CHECK_EQ(exchange->resets, 0);
    end();
}

TEST(H15_trailers_on_their_way_to_any_stream_that_was_answered_early)
{
    begin();
    for (uint32_t i = 0; i < 200; i++) {
        peer_headers(&peer, 1 + 2 * i, 0, PEER_POST);
        peer_send(&peer);
        driver_answer(&driver, driver_exchange(&driver, i), "");
        peer_send(&peer);
    }
    peer_forget(&peer);
    for (uint32_t i = 0; i < 200; i++) {
        peer_data(&peer, 1 + 2 * i, 0, "more than it needs");
        peer_headers(&peer, 1 + 2 * i, GN_H2_END_STREAM, "t: u\n");
    }
    EXPECT(&peer, "");
    EXPECT_ALIVE(&peer);
    end();
}

TEST_MAIN()
