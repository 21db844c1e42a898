#include "loop/driver.h"

#define BAD "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

static struct driver driver;

/* Three pipelined messages, written in three pieces that are cut at `first` and `second`, must be understood as one. */
static void check_cut(const char *text, size_t first, size_t second, bool late)
{
    size_t length = strlen(text);
    driver_prepare(&driver);
    driver.late = late;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write_bytes(&driver, peer, text, first);
    driver_settle(&driver);
    driver_write_bytes(&driver, peer, text + first, second - first);
    driver_settle(&driver);
    driver_write_bytes(&driver, peer, text + second, length - second);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 3);
    for (size_t i = 0; i < driver.exchange_count; i++) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        CHECK(exchange->ended);
        if (i == 1)
            CHECK_BYTES(exchange->body, exchange->body_length, "hello world");
        driver_answer(&driver, exchange, "x");
    }
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "x" OK(1) "x");
    driver_close(&driver);
}

static void check_all_cuts(const char *text)
{
    size_t length = strlen(text);
    for (size_t cut = 0; cut <= length; cut++)
        check_cut(text, cut, cut, cut % 2);
    for (size_t cut = 0; cut < length; cut++)
        check_cut(text, cut, cut + 1, cut % 2);
}

TEST(A1_B2_a_sized_body_cut_at_every_offset)
{
    check_all_cuts(GET POST(11) "hello world" GET);
}

TEST(A1_B10_a_chunked_body_cut_at_every_offset)
{
    check_all_cuts(GET POST_CHUNKED "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: u\r\n\r\n" GET);
}

TEST(A1_byte_by_byte)
{
    const char *text = GET POST_CHUNKED "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: u\r\n\r\n" GET;
    driver_prepare(&driver);
    driver.faults.short_length = 1;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, text);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 3);
    CHECK_BYTES(driver_exchange(&driver, 1)->body, driver_exchange(&driver, 1)->body_length, "hello world");
    for (size_t i = 0; i < 3; i++)
        driver_answer(&driver, driver_exchange(&driver, i), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "x" OK(1) "x");
    driver_close(&driver);
}

TEST(A1_a_head_in_pieces_keeps_its_fields_while_others_send_theirs)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\nfirst: 1\r\n");
    struct gn_io_memory_peer *other = driver_connect(&driver);
    driver_write(&driver, other, "GET / HTTP/1.1\r\nhost: other\r\nunlike: it\r\nin: everything\r\n\r\n");
    driver_settle(&driver);
    driver_write(&driver, peer, "second: 22\r\n");
    driver_settle(&driver);
    driver_write(&driver, other, "GET / HTTP/1.1\r\nhost: o\r\na: b\r\nc: d\r\ne: f\r\ng: h\r\n\r\n");
    driver_settle(&driver);
    driver_write(&driver, peer, "\r\nab");
    driver_settle(&driver);
    struct driver_exchange *exchange = driver_exchange(&driver, 2);
    char *fields = driver_fields(&driver, exchange->head_block);
    CHECK_BYTES(fields, strlen(fields), "host: h\ncontent-length: 2\nfirst: 1\nsecond: 22\n");
    free(fields);
    CHECK_EQ(exchange->content_length, 2);
    driver_close(&driver);
}

TEST(B1_no_framing_field_is_no_body)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "POST / HTTP/1.1\r\nhost: h\r\n\r\n" GET);
    CHECK_EQ(driver.exchange_count, 2);
    CHECK(driver_exchange(&driver, 0)->ended);
    CHECK_EQ(driver_exchange(&driver, 0)->data_events, 0);
    (void)peer;
    driver_close(&driver);
}

TEST(a_sized_body_ends_with_its_last_bytes)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST(4) "ab");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->content_length, 4);
    CHECK(!exchange->ended);
    driver_write(&driver, peer, "cd");
    driver_settle(&driver);
    CHECK(exchange->ended);
    CHECK_EQ(exchange->data_events, 2);
    driver_close(&driver);
}

/* B22: without credit the socket is not read, and what is held is bounded. */
static void check_back_pressure(bool chunked, bool late)
{
    driver_prepare(&driver);
    driver.late = late;
    driver.hold_bodies = true;
    driver.shared->listener.receive_credit = 10000;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, chunked ? POST_CHUNKED "186a0\r\n" : POST(100000));
    driver_settle(&driver);
    static uint8_t body[100000];
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (uint8_t)(i * 31 + i / 251);
    size_t written = 0;
    bool last_written = !chunked;
    for (unsigned i = 0; i < 400; i++) {
        size_t piece = sizeof(body) - written < 1000 ? sizeof(body) - written : 1000;
        written += gn_io_memory_write(peer, body + written, piece);
        driver_poll(&driver);
    }
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK(exchange->body_length > 9000 && exchange->body_length <= 10000); // credit counts blocks
    CHECK(gn_io_memory_unreceived(peer) >= 60000);
    struct gn_connection *connection = driver_connection(&driver, exchange);
    CHECK(gn_buffer_length(&connection->input) < 2 * GN_INPUT_HELD);
    CHECK(!connection->receiving);
    // And it goes on as Java takes it.
    for (unsigned i = 0; i < 1000 && !exchange->ended; i++) {
        while (exchange->block_count > 0)
            driver_credit(&driver, exchange);
        size_t piece = sizeof(body) - written < 1000 ? sizeof(body) - written : 1000;
        if (piece > 0)
            written += gn_io_memory_write(peer, body + written, piece);
        else if (!last_written)
            last_written = gn_io_memory_write(peer, "\r\n0\r\n\r\n", 7) == 7;
        driver_poll(&driver);
    }
    CHECK(exchange->ended);
    CHECK_EQ(exchange->body_length, sizeof(body));
    CHECK(memcmp(exchange->body, body, sizeof(body)) == 0);
    driver_close(&driver);
}

TEST(B22_back_pressure)
{
    for (unsigned i = 0; i < 4; i++)
        check_back_pressure(i & 1, i & 2);
}

TEST(B18_100_continue_when_the_body_is_asked_for)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-Continue\r\ncontent-length: 3\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_READ(&driver, peer, "");
    driver_ask(&driver, exchange, 100);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 100 Continue\r\n\r\n");
    driver_ask(&driver, exchange, 100);
    driver_write(&driver, peer, "abc");
    driver_settle(&driver);
    CHECK(exchange->ended);
    driver_answer(&driver, exchange, "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    CHECK(!gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(B18_100_continue_waits_for_the_answers_before_it)
{
    struct gn_io_memory_peer *peer = driver_start_with(
        &driver, GET "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    driver_ask(&driver, driver_exchange(&driver, 1), 100);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               OK(1) "x"
                     "HTTP/1.1 100 Continue\r\n\r\n");
    driver_close(&driver);
}

TEST(B19_a_response_without_100_ends_the_connection)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 30\r\n\r\n");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 1);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(B19_an_unknown_expectation_is_417)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "POST / HTTP/1.1\r\nhost: h\r\nexpect: x\r\ncontent-length: 3\r\n\r\nabc");
    CHECK_EQ(driver.exchange_count, 0);
    CHECK_READ(&driver, peer, "HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    CHECK_EQ(driver.refused_reason, GN_REASON_UNKNOWN_EXPECTATION);
    driver_close(&driver);
}

TEST(A21_CONNECT_is_501)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n");
    CHECK_EQ(driver.exchange_count, 0);
    CHECK_READ(&driver, peer, "HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    driver_close(&driver);
}

TEST(B10_B13_a_bad_chunk_is_400_and_a_reset)
{
    static const char *const bodies[] = {"X\r\n", "f0000000000000003\r\n", "1\r\nab",
                                         "1\na",  "0\r\nbad\r\r\n",        "0\r\nb ad: x\r\n\r\n"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        char text[256];
        sprintf(text, POST_CHUNKED "%s" GET, bodies[i]);
        struct gn_io_memory_peer *peer = driver_start_with(&driver, text);
        CHECK_EQ(driver.exchange_count, 1); // B11: what follows is never a request
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_status, 400);
        CHECK(exchange->reset_reason > GN_REASON_REQUEST);
        CHECK(!exchange->ended);
        CHECK_READ(&driver, peer, BAD);
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
        driver_answer(&driver, exchange, "too late");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, "");
        driver_close(&driver);
    }
}

TEST(B12_chunk_extensions_have_the_limit_of_the_listener)
{
    for (unsigned extra = 0; extra < 2; extra++) {
        driver_prepare(&driver);
        driver.shared->listener.extension_bytes = 5;
        struct gn_io_memory_peer *peer =
            driver_begin(&driver, extra == 0 ? POST_CHUNKED "1;ab\r\nx\r\n0;c\r\n\r\n" GET
                                             : POST_CHUNKED "1;ab\r\nx\r\n0;cd\r\n\r\n" GET);
        CHECK_EQ(driver.exchange_count, 2 - extra);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, extra);
        CHECK_EQ(driver.shared->counters.reasons[GN_REASON_CHUNKED + GN_H1_CHUNKED_EXTENSIONS_TOO_LONG], extra);
        CHECK_READ(&driver, peer, extra == 0 ? "" : BAD);
        driver_close(&driver);
    }
}

TEST(a_bad_body_behind_a_request_in_flight_is_answered_in_its_turn)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET POST_CHUNKED "X\r\n");
    CHECK_EQ(driver.exchange_count, 2);
    CHECK_EQ(driver_exchange(&driver, 1)->resets, 1);
    driver_release(&driver, driver_exchange(&driver, 1));
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" BAD);
    driver_close(&driver);
}

TEST(a_bad_body_after_the_response_has_begun_cuts_it)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_CHUNKED);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, 10, "abc", 3);
    driver_settle(&driver);
    driver_write(&driver, peer, "X\r\n");
    driver_settle(&driver);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_status, 0);
    CHECK_READ(&driver, peer, OK(10) "abc");
    CHECK(gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(B17_the_end_of_input_within_a_body)
{
    static const char *const texts[] = {POST(10) "abc", POST_CHUNKED "5\r\nabc", POST_CHUNKED "3\r\nabc\r\n0\r\n",
                                        POST(1)};
    for (size_t i = 0; i < 4; i++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, texts[i]);
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        CHECK(!exchange->ended);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_BODY_CUT);
        CHECK_READ(&driver, peer, BAD);
        CHECK(gn_io_memory_saw_close(peer));
        driver_close(&driver);
    }
}

TEST(B17_the_end_comes_only_behind_what_is_held)
{
    // The body is complete on the wire, but Java has not taken it when the end arrives.
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver.shared->listener.receive_credit = 2;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST(6) "abcdef" GET);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->body_length, 2);
    CHECK_EQ(exchange->resets, 0);
    driver.hold_bodies = false;
    driver_settle(&driver);
    CHECK(exchange->ended);
    CHECK_EQ(driver.exchange_count, 2);
    driver_answer(&driver, exchange, "x");
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "y");
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D4_end_before_a_byte_is_clean_and_within_a_head_is_not)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "");
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    CHECK_EQ(driver.refused, 0);
    driver_close(&driver);

    peer = driver_start_with(&driver, "GET / HT");
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_close(peer));
    CHECK_EQ(driver.refused, 1);
    CHECK_EQ(driver.refused_reason, GN_REASON_HEAD_CUT);
    CHECK_EQ(driver.shared->counters.reasons[GN_REASON_HEAD_CUT], 1);
    driver_close(&driver);
}

TEST(D5_a_half_closed_peer_gets_its_response)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "a", 1);
    driver_settle(&driver);
    driver_data(&driver, driver_exchange(&driver, 0), GN_FLAG_END, "", 0);
    driver_answer(&driver, driver_exchange(&driver, 1), "b");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" OK(1) "b");
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D5_or_counts_as_gone)
{
    driver_prepare(&driver);
    driver.shared->listener.half_close = 0;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_PEER_CLOSED);
    CHECK(gn_io_memory_saw_close(peer));
    driver_close(&driver);
}

TEST(D5_gone_in_the_middle_of_a_body_that_ends_with_the_connection)
{
    driver_prepare(&driver);
    driver.shared->listener.half_close = 0;
    struct gn_io_memory_peer *peer = driver_begin(&driver, "GET / HTTP/1.0\r\n\r\n");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "half", 4);
    driver_settle(&driver);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK(gn_io_memory_saw_reset(peer)); // a plain end would be that of the body
    driver_close(&driver);
}

/* B20, B21: the response is complete before the body of `length` bytes was sent, of which `limit` may be dropped. */
static void check_discard(bool chunked, size_t length, bool kept)
{
    driver_prepare(&driver);
    driver.shared->listener.discard_bytes = 1000;
    driver.shared->listener.receive_credit = 10;
    driver.hold_bodies = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    char text[256];
    sprintf(text, chunked ? POST_CHUNKED "%zx\r\n" : "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: %zu\r\n\r\n",
            length);
    driver_write(&driver, peer, text);
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    if (chunked || kept)
        CHECK_READ(&driver, peer, OK(1) "x");
    else
        CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    for (size_t i = 0; i < length; i++)
        driver_write(&driver, peer, "b");
    driver_write(&driver, peer, chunked ? "\r\n0\r\nT: u\r\n\r\n" GET : GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, kept ? 2 : 1);
    CHECK_EQ(gn_io_memory_saw_end(peer), !kept);
    CHECK_EQ(driver.shared->counters.reasons[GN_REASON_UNREAD_TOO_LARGE], !kept);
    CHECK(!gn_io_memory_saw_reset(peer));
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_EQ(gn_io_memory_saw_close(peer), !kept);
    CHECK_EQ(driver.unknown, 0);
    driver_close(&driver);
}

TEST(B20_B21_what_is_left_of_a_body_is_dropped_up_to_a_limit)
{
    for (unsigned chunked = 0; chunked < 2; chunked++) {
        check_discard(chunked, 1000, true);
        check_discard(chunked, 1001, false);
        check_discard(chunked, 5000, false);
    }
}

TEST(a_body_that_nobody_would_have_dropped_for_the_connections_sake_is_not_counted)
{
    driver_prepare(&driver);
    driver.shared->listener.discard_bytes = 1000;
    struct gn_io_memory_peer *peer = driver_begin(&driver, POST(1000000));
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK_EQ(driver.shared->counters.reasons[GN_REASON_UNREAD_TOO_LARGE], 0);
    driver_close(&driver);
}

TEST(B20_what_is_dropped_is_counted_for_each_body_anew)
{
    driver_prepare(&driver);
    driver.shared->listener.discard_bytes = 1000;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    for (size_t i = 0; i < 3; i++) {
        driver_write(&driver, peer, POST(900));
        driver_settle(&driver);
        driver_answer(&driver, driver_exchange(&driver, i), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "x");
        static const char body[900];
        driver_write_bytes(&driver, peer, body, sizeof(body));
        driver_settle(&driver);
        CHECK(!gn_io_memory_saw_end(peer));
    }
    driver_close(&driver);
}

TEST(the_response_is_complete_while_body_bytes_are_held_for_lack_of_credit)
{
    driver_prepare(&driver);
    driver.shared->listener.receive_credit = 10;
    driver.hold_bodies = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST(500));
    for (unsigned i = 0; i < 500; i++)
        driver_write(&driver, peer, "b");
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK(driver_exchange(&driver, 0)->body_length <= 10);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 2);
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "y");
    driver_close(&driver);
}

TEST(no_body_bytes_for_an_exchange_that_was_released_in_the_queue)
{
    // The second response is complete and released, the first holds the queue up, the second's body still comes.
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET POST(10) "abc");
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    driver_write(&driver, peer, "defghij" GET);
    driver_settle(&driver);
    CHECK_EQ(driver.unknown, 0);
    CHECK_EQ(driver.shared->counters.blocks_lent, 0);
    CHECK_EQ(driver.exchange_count, 3);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_answer(&driver, driver_exchange(&driver, 2), "z");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "y" OK(1) "z");
    driver_close(&driver);
}

TEST(no_body_bytes_behind_a_reset)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver.shared->listener.receive_credit = 5;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET POST(10) "abc");
    driver_settle(&driver);
    struct driver_exchange *exchange = driver_exchange(&driver, 1);
    driver_reset(&driver, exchange);
    driver_settle(&driver);
    CHECK_EQ(exchange->resets, 1);
    driver_write(&driver, peer, "defghij" GET);
    driver_settle(&driver);
    CHECK_EQ(exchange->body_length, 3);
    CHECK_EQ(driver.exchange_count, 2);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    CHECK(gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(B14_trailers_end_the_body)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, POST_CHUNKED "3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n" GET);
    CHECK_EQ(driver.exchange_count, 2);
    CHECK(driver_exchange(&driver, 0)->ended);
    CHECK_BYTES(driver_exchange(&driver, 0)->body, driver_exchange(&driver, 0)->body_length, "abc");
    (void)peer;
    driver_close(&driver);
}

TEST(A15_A17_A18_limits_of_a_head)
{
    static const struct {
        const char *text, *answer;
    } cases[] = {
        {"GET /12345678 HTTP/1.1\r\nhost: h\r\n\r\n", "HTTP/1.1 414 URI Too Long\r\n"},
        {"GET /1 HTTP/1.1\r\nhost: h\r\na: b\r\nc: d\r\n\r\n", "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {"GET /1 HTTP/1.1\r\nhost: h\r\na: 0123456789012345678901234567890123456789\r\n\r\n",
         "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {"\r\n\r\n\r\nGET /1 HTTP/1.1\r\nhost: h\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
    };
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned bytes = 0; bytes < 2; bytes++) {
            driver_prepare(&driver);
            driver.shared->listener.target_bytes = 8;
            driver.shared->listener.fields = 2;
            driver.shared->listener.head_bytes = 60;
            driver.shared->listener.empty_lines = 2;
            driver.faults.short_length = bytes;
            driver_open(&driver);
            struct gn_io_memory_peer *peer = driver_connect(&driver);
            driver_write(&driver, peer, cases[i].text);
            driver_settle(&driver);
            CHECK_EQ(driver.exchange_count, 0);
            char expected[128];
            sprintf(expected, "%scontent-length: 0\r\nconnection: close\r\n\r\n", cases[i].answer);
            CHECK_READ(&driver, peer, expected);
            CHECK(!gn_io_memory_saw_reset(peer));
            driver_close(&driver);
        }
    }
}

TEST(A18_the_largest_head_that_can_be_allowed_is_served)
{
    driver_prepare(&driver);
    driver.slab_count = 4;
    driver.shared->listener.head_bytes = GN_BUFFER_MAX / 2;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    static char line[10000];
    memset(line, 'a', sizeof(line));
    memcpy(line, "name: ", 6);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    driver_write(&driver, peer, "GET / HTTP/1.1\r\nhost: h\r\n");
    for (unsigned i = 0; i < 52; i++)
        driver_write_bytes(&driver, peer, line, sizeof(line));
    driver_write(&driver, peer, "\r\n" GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 2);
    driver.shared->listener.head_bytes++;
    CHECK_EQ(gn_loop_listen(driver.loop, gn_io_memory_descriptor(driver.io)), -EINVAL);
    driver_close(&driver);
}

TEST(tiny_chunks_are_handed_over_together)
{
    // Each DATA event takes a block of at least 256 bytes: one for each octet would be a 256th of what credit promises.
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST_CHUNKED);
    driver_settle(&driver);
    static char text[1000 * 6 + 1];
    for (unsigned i = 0; i < 1000; i++)
        strcpy(text + 6 * i, "1\r\na\r\n");
    driver_write(&driver, peer, text);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, 1000);
    CHECK(driver_exchange(&driver, 0)->data_events <= 2);
    driver_write(&driver, peer, "X\r\n");
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    driver_close(&driver);
}

TEST(B22_a_body_that_comes_a_byte_at_a_time_holds_no_more_memory_than_credit_says)
{
    driver_prepare(&driver);
    driver.shared->listener.receive_credit = 4096;
    driver.hold_bodies = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST(1000));
    for (unsigned i = 0; i < 1000; i++) {
        driver_write(&driver, peer, "b");
        driver_poll(&driver);
    }
    driver_settle(&driver);
    CHECK(driver.loop->context.arena.used[GN_ARENA_BODY_IN] <= 2 * 4096); // red zones included
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    for (unsigned i = 0; i < 1000 && !exchange->ended; i++) {
        while (exchange->block_count > 0)
            driver_credit(&driver, exchange);
        driver_settle(&driver);
    }
    CHECK(exchange->ended);
    CHECK_EQ(exchange->body_length, 1000);
    driver_close(&driver);
}

TEST(B22_a_block_given_back_brings_as_much_credit_as_it_took)
{
    driver_prepare(&driver);
    driver.shared->listener.receive_credit = 4096;
    driver.hold_bodies = true;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST(10));
    for (unsigned i = 0; i < 4; i++) {
        driver_write(&driver, peer, "b");
        driver_settle(&driver);
    }
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    const struct gn_exchange *own = gn_exchange_find(&driver.loop->context, exchange->id);
    REQUIRE(own != NULL && exchange->block_count == 4);
    CHECK(own->receive_credit < 4096 - 4);
    while (exchange->block_count > 0)
        driver_credit(&driver, exchange);
    driver_settle(&driver);
    CHECK_EQ(own->receive_credit, 4096);
    driver_close(&driver);
}

TEST(B21_input_behind_close_is_dropped_up_to_a_limit)
{
    for (unsigned more = 0; more < 2; more++) {
        driver_prepare(&driver);
        driver.shared->listener.linger_bytes = 1000;
        driver_open(&driver);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        driver_write_bytes(&driver, peer, (uint8_t[1001]){0}, 1000 + more);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 1);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, more);
        CHECK_EQ(gn_io_memory_saw_reset(peer), more);
        driver_close(&driver);
    }
}

TEST(B21_input_behind_the_last_request_is_bounded)
{
    driver_prepare(&driver);
    driver.shared->listener.linger_bytes = 5000;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    char garbage[1000] = {0};
    driver_write_bytes(&driver, peer, garbage, sizeof(garbage));
    for (unsigned i = 0; i < 20 && !gn_io_memory_saw_close(peer); i++) {
        driver_write_bytes(&driver, peer, garbage, sizeof(garbage));
        driver_settle(&driver);
    }
    CHECK(gn_io_memory_saw_close(peer));
    driver_close(&driver);
}

/* ---- the longest body (B24) ---- */

#define TOO_LARGE "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

static struct gn_io_memory_peer *begin_with_body_limit(uint64_t limit, const char *text)
{
    driver_prepare(&driver);
    driver.shared->listener.body_bytes = limit;
    return driver_begin(&driver, text);
}

static unsigned count_of(unsigned reason)
{
    return (unsigned)driver.shared->counters.reasons[reason];
}

TEST(B24_a_Content_Length_over_the_limit_is_413_before_Java_hears_of_it)
{
    static const char *const over[] = {
        POST(11) "hello world" GET, POST(11), POST(9223372036854775807),
        "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 11\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\ncontent-length: 11\r\n\r\nhello world"};
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        struct gn_io_memory_peer *peer = begin_with_body_limit(10, over[i]);
        CHECK_EQ(driver.exchange_count, 0);
        CHECK_READ(&driver, peer, TOO_LARGE);
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
        CHECK_EQ(count_of(GN_REASON_BODY_TOO_LARGE), 1);
        CHECK_EQ(driver.refused_reason, GN_REASON_BODY_TOO_LARGE);
        driver_close(&driver);
    }
    begin_with_body_limit(11, POST(11) "hello world" POST(11) "hello world");
    CHECK_EQ(driver.exchange_count, 2);
    CHECK_EQ(count_of(GN_REASON_BODY_TOO_LARGE), 0);
    driver_close(&driver);
}

TEST(B24_behind_a_request_in_flight_the_413_waits_for_its_turn)
{
    struct gn_io_memory_peer *peer = begin_with_body_limit(10, GET POST(11) "hello world");
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" TOO_LARGE);
    driver_close(&driver);
}

/* A chunked body, all that may precede the answer of which is `before`, in pieces of one byte or in one. */
static void check_chunked_limit(const char *chunks, bool passes, bool byte_by_byte, enum gn_response_state response)
{
    driver_prepare(&driver);
    driver.shared->listener.body_bytes = 10;
    driver.faults.short_length = byte_by_byte;
    struct gn_io_memory_peer *peer = driver_begin(&driver, POST_CHUNKED);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    if (response == GN_RESPONSE_BEGUN)
        driver_respond(&driver, exchange, 200, 0, -1, "x", 1);
    else if (response == GN_RESPONSE_ENDED)
        driver_answer(&driver, exchange, "x"); // what follows is dropped
    driver_settle(&driver);
    driver_read(&driver, peer, NULL);
    driver_write(&driver, peer, chunks);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, passes ? 2 : 1);
    CHECK_EQ(count_of(GN_REASON_BODY_TOO_LARGE), !passes);
    CHECK_EQ(gn_io_memory_saw_end(peer), !passes);
    if (response == GN_RESPONSE_ENDED) {
        CHECK_READ(&driver, peer, "");
    } else {
        CHECK_EQ(exchange->ended, passes);
        CHECK(exchange->body_length <= 10);
        CHECK_EQ(exchange->resets, !passes);
        CHECK_EQ(exchange->reset_reason, passes ? 0 : GN_REASON_BODY_TOO_LARGE);
        CHECK_EQ(exchange->reset_status, !passes && response == GN_RESPONSE_NONE ? 413 : 0);
        CHECK_READ(&driver, peer, !passes && response == GN_RESPONSE_NONE ? TOO_LARGE : "");
    }
    driver_close(&driver);
}

TEST(B24_a_chunked_body_fails_at_the_size_that_passes_the_limit)
{
    for (unsigned i = 0; i < 6; i++) {
        enum gn_response_state response = (enum gn_response_state)(i / 2);
        check_chunked_limit("a\r\n0123456789\r\n0\r\n\r\n", true, i % 2, response);
        check_chunked_limit("4\r\n0123\r\n6\r\n456789\r\n0\r\nt: u\r\n\r\n", true, i % 2, response);
        check_chunked_limit("b\r\n0123456789a\r\n0\r\n\r\n", false, i % 2, response);
        check_chunked_limit("b\r\n", false, i % 2, response);
        check_chunked_limit("a\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n", false, i % 2, response);
        check_chunked_limit("1\r\n0\r\n7fffffff\r\n1", false, i % 2, response);
    }
}

TEST(B24_F1_a_tunnel_has_no_such_limit)
{
    struct gn_io_memory_peer *peer =
        begin_with_body_limit(3, "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    driver_open_tunnel(&driver, driver_exchange(&driver, 0), 101, "");
    driver_write(&driver, peer, "more than three");
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, 15);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    driver_close(&driver);
}

/* ---- the most requests of a connection ---- */

TEST(D1_the_last_request_that_a_connection_may_have_ends_it)
{
    for (unsigned pipelined = 0; pipelined < 2; pipelined++) {
        driver_prepare(&driver);
        driver.shared->listener.requests = 3;
        struct gn_io_memory_peer *peer =
            driver_begin(&driver, pipelined ? GET GET POST(3) "abc" GET "bad\r\n\r\n" : "");
        for (unsigned i = 0; i < 3; i++) {
            if (!pipelined)
                driver_write(&driver, peer, i < 2 ? GET : POST(3) "abc" GET "bad\r\n\r\n");
            driver_settle(&driver);
            CHECK_EQ(driver.exchange_count, pipelined ? 3 : i + 1);
            driver_answer(&driver, driver_exchange(&driver, i), "x");
            driver_settle(&driver);
            if (i < 2)
                CHECK_READ(&driver, peer, OK(1) "x");
            else
                CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
            CHECK_EQ(gn_io_memory_saw_end(peer), i == 2);
        }
        CHECK_EQ(driver.exchange_count, 3);
        CHECK(!gn_io_memory_saw_reset(peer));
        CHECK_EQ(count_of(GN_REASON_LAST_REQUEST), 1);
        driver_close(&driver);
    }
}

TEST(F1_F3_the_last_request_may_offer_a_tunnel)
{
    for (unsigned taken = 0; taken < 2; taken++) {
        driver_prepare(&driver);
        driver.shared->listener.requests = 1;
        struct gn_io_memory_peer *peer =
            driver_begin(&driver, "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n" GET);
        if (taken) {
            driver_open_tunnel(&driver, driver_exchange(&driver, 0), 101, "");
            driver_settle(&driver);
            CHECK_EQ(driver_exchange(&driver, 0)->body_length, strlen(GET));
        } else {
            driver_answer(&driver, driver_exchange(&driver, 0), "x");
            driver_settle(&driver);
            CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
        }
        CHECK_EQ(driver.exchange_count, 1);
        driver_close(&driver);
    }
}

TEST(D11_pipelined_input_without_end_does_not_starve_others)
{
    driver_prepare(&driver);
    driver.shared->listener.pipeline = 100000;
    driver.shared->loop.turn_bytes = 270; // ten requests
    driver_open(&driver);
    struct gn_io_memory_peer *busy = driver_connect(&driver), *other = driver_connect(&driver);
    for (unsigned i = 0; i < 500; i++)
        CHECK_EQ(gn_io_memory_write(busy, GET, strlen(GET)), strlen(GET));
    driver_write(&driver, other, "GET /other HTTP/1.1\r\nhost: h\r\n\r\n");
    for (unsigned i = 0; i < 10; i++)
        driver_poll(&driver);
    bool seen = false;
    for (size_t i = 0; i < driver.exchange_count; i++)
        seen |= strcmp(driver_exchange(&driver, i)->target, "/other") == 0;
    CHECK(seen);
    CHECK(driver.exchange_count < 200);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 501);
    driver_close(&driver);
}

TEST(A20_a_host_that_was_judged_is_known_and_no_other_one)
{
    static const struct {
        const char *host;
        bool valid;
    } cases[] = {{"a.example:80", true},   {"a.example:80", true},    {"a.example:8x", false}, {"a.example:80", true},
                 {"a.example:8", true},    {"a.example:80 b", false}, {"A.example:80", true},  {"A.example:80", true},
                 {"a.exampl\\:80", false}, {"[::1]:80", true},        {"[::1]:80", true},      {"[::g]:80", false}};
    driver_prepare(&driver);
    driver_open(&driver);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[100];
        size_t before = driver.exchange_count, length;
        sprintf(request, "GET / HTTP/1.1\r\nhost: %s\r\n\r\n", cases[i].host);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, request);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, before + cases[i].valid);
        if (cases[i].valid)
            driver_answer(&driver, driver_exchange(&driver, before), "");
        driver_settle(&driver);
        const char *read = driver_read(&driver, peer, &length);
        CHECK(length > 12 && strncmp(read + 9, cases[i].valid ? "200" : "400", 3) == 0);
    }
    driver_close(&driver);
}

TEST_MAIN()
