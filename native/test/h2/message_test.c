#include "h2/peer.h"

/*
 * What makes a request: fields that are well-formed, a list within its limits, a body of its length. What is wrong with a
 * message breaks its stream and nothing else, and compression goes on.
 */

static struct driver driver;
static struct peer peer;

static void begin(void)
{
    driver_prepare(&driver);
    peer_start(&peer, &driver);
}

static void end(void)
{
    peer_end(&peer);
    driver_close(&driver);
}

static void check_fields(size_t number, const char *expected)
{
    if (number >= driver.exchange_count) {
        CHECK_EQ(driver.exchange_count, number + 1);
        return;
    }
    char *fields = driver_fields(&driver, driver_exchange(&driver, number)->head_block);
    CHECK_BYTES(fields, strlen(fields), expected);
    free(fields);
}

/* One text of a head block. */
static void check_text(size_t number, size_t offset_at, const char *expected)
{
    const uint8_t *bytes = driver_block_bytes(&driver, driver_exchange(&driver, number)->head_block);
    uint32_t span[2];
    memcpy(span, bytes + offset_at, sizeof(span));
    CHECK_BYTES(bytes + span[0], span[1], expected);
}

TEST(a_request_as_Java_reads_it)
{
    begin();
    peer_headers(&peer, 1, 0,
                 ":scheme: https\n:path: /a/b?c=d\n:method: PUT\n:authority: example.com:81\n"
                 "te: trailers\ncontent-length: 7\nx-a: b\nx-a: \nx-b: \xff\tc\n");
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->version, 20);
    CHECK_EQ(exchange->content_length, 7);
    CHECK_EQ(exchange->head_flags & GN_HEAD_HTTPS, GN_HEAD_HTTPS);
    CHECK_EQ(exchange->head_flags & GN_HEAD_TRAILERS, GN_HEAD_TRAILERS);
    CHECK(!exchange->ended && !exchange->queued);
    check_text(0, offsetof(struct gn_head_block, method_offset), "PUT");
    check_text(0, offsetof(struct gn_head_block, target_offset), "/a/b?c=d");
    check_text(0, offsetof(struct gn_head_block, path_offset), "/a/b");
    check_text(0, offsetof(struct gn_head_block, query_offset), "c=d");
    check_text(0, offsetof(struct gn_head_block, authority_offset), "example.com:81");
    check_fields(0, "te: trailers\ncontent-length: 7\nx-a: b\nx-a: \nx-b: \xff\tc\n");
    end();
}

TEST(H23_cookies_are_one)
{
    begin();
    peer_headers(&peer, 1, GN_H2_END_STREAM, PEER_GET "cookie: a=b\nx: y\ncookie: c=d\ncookie: e=f; g=h\n");
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_GET "cookie: a=b\n");
    EXPECT(&peer, "");
    check_fields(0, "cookie: a=b; c=d; e=f; g=h\nx: y\n");
    check_fields(1, "cookie: a=b\n");
    end();
}

TEST(A20_the_host)
{
    begin();
    peer_headers(&peer, 1, GN_H2_END_STREAM, PEER_GET "host: h\n");                               // the same
    peer_headers(&peer, 3, GN_H2_END_STREAM, ":method: GET\n:scheme: http\n:path: /\nhost: i\n"); // by Host alone
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 2);
    if (driver.exchange_count == 2) {
        check_text(0, offsetof(struct gn_head_block, authority_offset), "h");
        check_text(1, offsetof(struct gn_head_block, authority_offset), "i");
    }
    end();
}

#define BAD_AUTHORITY(value) ":method: GET\n:scheme: http\n:path: /\n:authority: " value "\n"
#define BAD_PATH(value) ":method: GET\n:scheme: http\n:path: " value "\n:authority: h\n"

static const char *const malformed[] = {
    PEER_GET "connection: close\n",
    PEER_GET "keep-alive: 5\n",
    PEER_GET "proxy-connection: keep-alive\n",
    PEER_GET "transfer-encoding: chunked\n",
    PEER_GET "upgrade: h2c\n",
    PEER_GET "te: gzip\n",
    PEER_GET "te: trailers, gzip\n",
    PEER_GET "Upper: x\n",
    PEER_GET "lateR: x\n",
    PEER_GET "na me: x\n",
    PEER_GET "n\"ame: x\n",
    PEER_GET "name: x\ry\n",
    PEER_GET "name: x \n",
    PEER_GET "name:  x\n",
    PEER_GET "name: x\x7f\n",
    ":method: GET\n:scheme: http\nx: y\n:path: /\n:authority: h\n",
    PEER_GET "x: y\n:authority: h\n",
    PEER_GET ":path: /\n",
    PEER_GET ":method: GET\n",
    PEER_GET ":scheme: http\n",
    PEER_GET ":authority: h\n",
    PEER_GET ":status: 200\n",
    PEER_GET ":unknown: x\n",
    PEER_GET ":protocol: websocket\n",
    PEER_GET ":Method: GET\n",
    ":scheme: http\n:path: /\n:authority: h\n",
    ":method: GET\n:path: /\n:authority: h\n",
    ":method: GET\n:scheme: http\n:authority: h\n",
    "x: y\n",
    "",
    BAD_PATH(""),
    BAD_PATH("abc"),
    BAD_PATH("*"),
    BAD_PATH("/a b"),
    BAD_PATH("/\x80"),
    BAD_AUTHORITY("a b"),
    BAD_AUTHORITY("user@h"),
    BAD_AUTHORITY("h:99999"),
    ":method: G T\n:scheme: http\n:path: /\n:authority: h\n",
    ":method: \n:scheme: http\n:path: /\n:authority: h\n",
    PEER_GET "host: other\n",
    PEER_GET "host: h\nhost: h\n",
    PEER_GET "content-length: abc\n",
    PEER_GET "content-length: +0\n",
    PEER_GET "content-length: \n",
    PEER_GET "content-length: 0\ncontent-length: 0\n",
    PEER_GET "content-length: 18446744073709551616\n",
};
#define MALFORMED (sizeof(malformed) / sizeof(malformed[0]))

TEST(H2_each_malformed_request_breaks_its_stream_alone)
{
    char fields[1024], expected[128];
    for (size_t i = 0; i < MALFORMED; i++) {
        unsigned before = test_failures;
        begin();
        peer_headers(&peer, 1, 0, PEER_POST);
        snprintf(fields, sizeof(fields), "%s+sync: %zu\n", malformed[i], i); // decoded, whatever is wrong before it
        peer_headers(&peer, 3, GN_H2_END_STREAM, fields);
        EXPECT(&peer, "RST_STREAM 3 PROTOCOL_ERROR\n");
        CHECK_EQ(driver.exchange_count, 1);
        CHECK_EQ(peer_reason_count(&driver, GN_REASON_MALFORMED_MESSAGE), 1);
        peer_headers(&peer, 5, GN_H2_END_STREAM, PEER_GET "=62\n");
        peer_data(&peer, 1, GN_H2_END_STREAM, "body");
        EXPECT_ALIVE(&peer);
        snprintf(expected, sizeof(expected), "sync: %zu\n", i);
        check_fields(1, expected);
        CHECK(driver.exchange_count > 0 && driver.exchanges[0]->ended && driver.exchanges[0]->resets == 0);
        end();
        if (test_failures != before)
            fprintf(stderr, "... for\n%s", malformed[i]);
    }
}

TEST(H2_all_of_them_on_one_connection)
{
    begin();
    for (size_t i = 0; i < MALFORMED; i++) {
        char fields[1024];
        snprintf(fields, sizeof(fields), "+first: %zu\n%s+last: %zu\n", i, malformed[i], i);
        peer_headers_in_pieces(&peer, (uint32_t)(4 * i + 1), i % 2 ? GN_H2_END_STREAM : 0, fields, 1 + i % 4);
        peer_headers(&peer, (uint32_t)(4 * i + 3), GN_H2_END_STREAM, PEER_GET "=63\n=62\n");
        snprintf(fields, sizeof(fields), "RST_STREAM %zu PROTOCOL_ERROR\n", 4 * i + 1);
        EXPECT(&peer, fields);
        snprintf(fields, sizeof(fields), "first: %zu\nlast: %zu\n", i, i);
        check_fields(i, fields);
    }
    end();
}

TEST(H2_a_malformed_request_with_a_body_drops_it)
{
    begin();
    peer_headers(&peer, 1, 0, PEER_POST "Bad: x\n");
    EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
    peer_data(&peer, 1, 0, "on its way");
    peer_headers(&peer, 1, GN_H2_END_STREAM, "+trailer: x\n");
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_GET "=62\n");
    EXPECT(&peer, "");
    check_fields(0, "trailer: x\n");
    EXPECT_ALIVE(&peer);
    end();
}

/* ---- trailers ---- */

TEST(H19_trailers_of_a_request)
{
    static const char *const trailers[] = {"t: u\nt: v\nw: \n", ""};
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned with_body = 0; with_body < 2; with_body++) {
            begin();
            peer_headers(&peer, 1, 0, PEER_POST);
            if (with_body)
                peer_data(&peer, 1, 0, "body");
            peer_headers(&peer, 1, GN_H2_END_STREAM, trailers[i]);
            EXPECT(&peer, "");
            struct driver_exchange *exchange = driver_exchange(&driver, 0);
            CHECK(exchange->ended && exchange->resets == 0);
            CHECK_EQ(exchange->body_length, with_body ? 4 : 0);
            CHECK_EQ(exchange->trailers != NULL, i == 0);
            if (exchange->trailers != NULL)
                CHECK_BYTES(exchange->trailers, strlen(exchange->trailers), trailers[i]);
            driver_answer(&driver, exchange, "");
            EXPECT(&peer, "HEADERS 1 END :status: 200 | content-length: 0\n");
            end();
        }
    }
}

TEST(B16_fields_that_are_no_trailers_are_left_out)
{
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_headers(&peer, 1, GN_H2_END_STREAM, "host: x\na: b\ncontent-length: 5\nauthorization: z\n");
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK(exchange->ended && exchange->trailers != NULL);
    if (exchange->trailers != NULL)
        CHECK_BYTES(exchange->trailers, strlen(exchange->trailers), "a: b\n");
    end();
}

TEST(H19_malformed_trailers_break_the_stream)
{
    static const char *const trailers[] = {":path: /\n", ":status: 200\n",        "Upper: x\n",   "connection: close\n",
                                           "x: \x01\n",  "te: trailers\nTe: x\n", "a: b\n:x: y\n"};
    for (unsigned i = 0; i < 7; i++) {
        begin();
        peer_headers(&peer, 1, 0, PEER_POST);
        peer_data(&peer, 1, 0, "body");
        char fields[128];
        snprintf(fields, sizeof(fields), "%s+sync: x\n", trailers[i]);
        peer_headers(&peer, 1, GN_H2_END_STREAM, fields);
        peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_GET "=62\n");
        EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
        CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_MALFORMED_MESSAGE);
        check_fields(1, "sync: x\n");
        end();
    }
}

TEST(H19_a_second_field_section_that_does_not_end_the_stream)
{
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_headers(&peer, 1, 0, "+t: u\n");
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_GET "=62\n");
    EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    check_fields(1, "t: u\n");
    end();
}

/* ---- limits ---- */

#define PAD_16 "0123456789abcdef"
#define TOO_LARGE(stream) "HEADERS " #stream " END :status: 431 | content-length: 0\n"

/* PEER_GET counts 166 octets; `more` octets are added by a field. */
static void queue_list_of(uint32_t stream, unsigned flags, size_t size)
{
    char fields[1024] = PEER_GET;
    size_t length = strlen(fields), value = size - 166 - 32 - 1;
    REQUIRE(value < 512);
    memcpy(fields + length, "x: ", 3);
    memset(fields + length + 3, 'v', value);
    memcpy(fields + length + 3 + value, "\n", 2);
    peer_headers(&peer, stream, flags, fields);
}

TEST(H4_the_limit_of_a_field_list_is_exact)
{
    driver_prepare(&driver);
    driver.shared->listener.field_list_bytes = 500;
    peer_start(&peer, &driver);
    queue_list_of(1, GN_H2_END_STREAM, 500);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 1);
    queue_list_of(3, GN_H2_END_STREAM, 501);
    EXPECT(&peer, TOO_LARGE(3));
    queue_list_of(5, 0, 501);
    EXPECT(&peer, TOO_LARGE(5) "RST_STREAM 5 NO_ERROR\n");
    peer_data(&peer, 5, GN_H2_END_STREAM, "on its way");
    peer_get(&peer, 7);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 2);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_FIELD_LIST_TOO_LARGE), 2);
    end();
}

TEST(A15_J5_the_number_of_fields_is_exact)
{
    for (unsigned more = 0; more < 2; more++) {
        driver_prepare(&driver);
        driver.shared->listener.fields = 10;
        peer_start(&peer, &driver);
        char fields[1024] = PEER_GET;
        for (unsigned i = 0; i < 10 + more; i++)
            strcat(fields, "a: b\n");
        strcat(fields, "");
        peer_headers(&peer, 1, GN_H2_END_STREAM, fields);
        EXPECT(&peer, more ? TOO_LARGE(1) : "");
        CHECK_EQ(driver.exchange_count, 1 - more);
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(J5_a_list_of_references_is_counted_as_what_it_says)
{
    begin();
    char fields[16384] = PEER_GET "+x: ";
    memset(fields + strlen(fields), 'v', 3000);
    strcat(fields, "\n");
    for (unsigned i = 0; i < 90; i++) // 3 KiB each, for an octet
        strcat(fields, "=62\n");
    peer_headers(&peer, 1, GN_H2_END_STREAM, fields);
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_GET "=62\n");
    EXPECT(&peer, TOO_LARGE(1));
    CHECK_EQ(driver.exchange_count, 1); // and the table stayed in step
    CHECK_EQ(driver.exchange_count > 0 ? driver.exchanges[0]->field_count : 0, 1);
    end();
}

TEST(J5_cookie_crumbs_are_counted_before_they_are_joined)
{
    begin();
    char fields[32768] = PEER_GET;
    for (unsigned i = 0; i < 101; i++)
        strcat(fields, "cookie: a\n");
    peer_headers(&peer, 1, GN_H2_END_STREAM, fields);
    EXPECT(&peer, TOO_LARGE(1));
    CHECK_EQ(driver.exchange_count, 0);
    end();
}

TEST(B15_trailers_over_the_limit_break_the_stream)
{
    driver_prepare(&driver);
    driver.shared->listener.fields = 10;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    char fields[1024] = "";
    for (unsigned i = 0; i < 11; i++)
        strcat(fields, "a: b\n");
    peer_headers(&peer, 1, GN_H2_END_STREAM, fields);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->reset || peer_stream(&peer, 1)->ended);
    peer_forget(&peer);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK(driver_exchange(&driver, 0)->trailers == NULL);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(B15_the_limits_of_trailers_are_exact)
{
    for (unsigned over = 0; over < 3; over++) {
        driver_prepare(&driver);
        driver.shared->listener.fields = over == 1 ? 9 : 10;
        driver.shared->listener.trailer_bytes = 10 * (1 + 1 + 32) - (over == 2);
        peer_start(&peer, &driver);
        peer_headers(&peer, 1, 0, PEER_POST);
        char fields[1024] = "";
        for (unsigned i = 0; i < 10; i++)
            strcat(fields, "a: b\n");
        peer_headers(&peer, 1, GN_H2_END_STREAM, fields);
        peer_send(&peer);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        CHECK_EQ(exchange->resets, over > 0);
        CHECK_EQ(exchange->trailers != NULL, over == 0);
        CHECK_EQ(peer_reason_count(&driver, GN_REASON_TRAILERS_TOO_LARGE), over > 0);
        CHECK(over == 0 || (peer_stream(&peer, 1)->ended && !peer_stream(&peer, 1)->reset));
        peer_forget(&peer);
        end();
    }
}

/* ---- length ---- */

TEST(H3_a_body_as_long_as_it_says)
{
    begin();
    peer_headers(&peer, 1, 0, PEER_POST_OF(5));
    peer_data(&peer, 1, 0, "ab");
    peer_data(&peer, 1, 0, "");
    peer_data_padded(&peer, 1, GN_H2_END_STREAM, "cde", 100);
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_POST_OF(0));
    peer_headers(&peer, 5, 0, PEER_POST_OF(0));
    peer_data(&peer, 5, GN_H2_END_STREAM, "");
    peer_headers(&peer, 7, 0, PEER_POST_OF(2));
    peer_data(&peer, 7, 0, "ab");
    peer_headers(&peer, 7, GN_H2_END_STREAM, "t: u\n");
    EXPECT(&peer, "");
    for (size_t i = 0; i < 4; i++)
        CHECK(driver_exchange(&driver, i)->ended && driver_exchange(&driver, i)->resets == 0);
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, 5);
    end();
}

TEST(H3_a_body_shorter_or_longer_than_it_says)
{
    for (unsigned i = 0; i < 6; i++) {
        begin();
        peer_headers(&peer, 1, 0, PEER_POST_OF(5));
        peer_data(&peer, 1, 0, "ab");
        switch (i) {
        case 0:
            peer_data(&peer, 1, GN_H2_END_STREAM, "cd");
            break;
        case 1:
            peer_data(&peer, 1, GN_H2_END_STREAM, "cdef");
            break;
        case 2:
            peer_data(&peer, 1, 0, "cdef"); // at once
            break;
        case 3:
            peer_data(&peer, 1, GN_H2_END_STREAM, "");
            break;
        case 4:
            peer_headers(&peer, 1, GN_H2_END_STREAM, "t: u\n");
            break;
        default:
            peer_data_padded(&peer, 1, GN_H2_END_STREAM, "", 3); // padding is no body
            break;
        }
        peer_get(&peer, 3);
        EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
        CHECK_EQ(driver.exchange_count, 2);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_LENGTH_MISMATCH);
        CHECK(!exchange->ended && exchange->body_length <= 5);
        end();
    }
}

TEST(H3_the_end_of_the_stream_with_a_length)
{
    begin();
    peer_headers(&peer, 1, GN_H2_END_STREAM, PEER_POST_OF(5));
    peer_get(&peer, 3);
    EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
    CHECK_EQ(driver.exchange_count, 1);
    end();
}

TEST(B24_a_body_that_is_announced_too_large)
{
    driver_prepare(&driver);
    driver.shared->listener.body_bytes = 10;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST_OF(11));
    peer_data(&peer, 1, GN_H2_END_STREAM, "hello world");
    EXPECT(&peer, "HEADERS 1 END :status: 413 | content-length: 0\nRST_STREAM 1 NO_ERROR\n");
    peer_headers(&peer, 3, 0, PEER_POST_OF(10));
    peer_data(&peer, 3, GN_H2_END_STREAM, "hello worl");
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 1);
    CHECK(driver_exchange(&driver, 0)->ended);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_BODY_TOO_LARGE), 1);
    end();
}

TEST(B24_a_body_that_becomes_too_large)
{
    driver_prepare(&driver);
    driver.shared->listener.body_bytes = 10;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_data(&peer, 1, 0, "hello worl");
    EXPECT(&peer, "");
    peer_data(&peer, 1, 0, "d");
    EXPECT(&peer, "HEADERS 1 END :status: 413 | content-length: 0\nRST_STREAM 1 NO_ERROR\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_BODY_TOO_LARGE);
    CHECK_EQ(exchange->reset_status, 413);
    CHECK(exchange->body_length <= 10);
    EXPECT_ALIVE(&peer);
    end();
}

/* ---- expectations and methods that are not served ---- */

TEST(B19_an_unknown_expectation_is_417)
{
    begin();
    peer_headers(&peer, 1, 0, PEER_POST "expect: x\n");
    peer_headers(&peer, 3, GN_H2_END_STREAM, PEER_GET "expect: x\n");
    EXPECT(&peer, "HEADERS 1 END :status: 417 | content-length: 0\nRST_STREAM 1 NO_ERROR\n"
                  "HEADERS 3 END :status: 417 | content-length: 0\n");
    CHECK_EQ(driver.exchange_count, 0);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_UNKNOWN_EXPECTATION), 2);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(A21_CONNECT_is_501)
{
    begin();
    peer_headers(&peer, 1, 0, ":method: CONNECT\n:authority: h:1\n");
    EXPECT(&peer, "HEADERS 1 END :status: 501 | content-length: 0\nRST_STREAM 1 NO_ERROR\n");
    CHECK_EQ(driver.exchange_count, 0);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_CONNECT_REFUSED), 1);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(A21_the_asterisk_is_for_OPTIONS)
{
    begin();
    peer_headers(&peer, 1, GN_H2_END_STREAM, ":method: OPTIONS\n:scheme: http\n:path: *\n:authority: h\n");
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 1);
    end();
}

TEST_MAIN()
