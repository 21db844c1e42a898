#include "loop/driver.h"

#include "http/head_block.h"

static struct driver driver;

TEST(one_request_and_its_answer)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "GET /a?b=c HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n");
    CHECK_EQ(driver.exchange_count, 1);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK(exchange->ended);
    CHECK_EQ(exchange->method, GN_METHOD_GET);
    CHECK_EQ(exchange->version, 11);
    CHECK_EQ(exchange->field_count, 2);
    CHECK_EQ(exchange->content_length, -1);
    CHECK_BYTES(exchange->target, strlen(exchange->target), "/a?b=c");
    driver_answer(&driver, exchange, "Hello");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(5) "Hello");
    CHECK(!gn_io_memory_saw_end(peer));
    CHECK_EQ(gn_io_memory_sends(peer), 1);
    CHECK_EQ(driver.shared->counters.requests, 1);
    CHECK_EQ(driver.shared->counters.responses, 1);
    CHECK_EQ(driver.shared->counters.exchanges_open, 0);
    driver_close(&driver);
}

TEST(D1_requests_one_after_the_other)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "");
    for (unsigned i = 0; i < 100; i++) {
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        driver_answer(&driver, driver_exchange(&driver, i), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "x");
    }
    CHECK_EQ(driver.shared->counters.connections_open, 1);
    driver_close(&driver);
}

TEST(D1_close_in_either_message_ends_the_connection)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    CHECK_EQ(driver.shared->counters.connections_open, 0);
    driver_close(&driver);

    peer = driver_start_with(&driver, GET);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer)); // it lingers: the client may be sending
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D1_keep_alive_switched_off)
{
    driver_prepare(&driver);
    driver.shared->listener.keep_alive = 0;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 1);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D2_sixteen_pipelined_in_one_segment_are_answered_in_one_send)
{
    char text[2048] = "", expected[2048] = "";
    for (unsigned i = 0; i < 16; i++) {
        sprintf(text + strlen(text), "GET /%u HTTP/1.1\r\nhost: h\r\n\r\n", i);
        sprintf(expected + strlen(expected), OK(2) "%02u", i);
    }
    struct gn_io_memory_peer *peer = driver_start_with(&driver, text);
    CHECK_EQ(driver.exchange_count, 16);
    for (unsigned i = 0; i < 16; i++) {
        char body[4];
        sprintf(body, "%02u", i);
        driver_answer(&driver, driver_exchange(&driver, i), body);
    }
    driver_settle(&driver);
    CHECK_READ(&driver, peer, expected);
    CHECK_EQ(gn_io_memory_sends(peer), 1);
    driver_close(&driver);
}

TEST(D2_answers_out_of_order_leave_in_order)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET GET GET);
    driver_answer(&driver, driver_exchange(&driver, 3), "d");
    driver_answer(&driver, driver_exchange(&driver, 1), "b");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "a");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "a" OK(1) "b");
    driver_answer(&driver, driver_exchange(&driver, 2), "c");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "c" OK(1) "d");
    driver_close(&driver);
}

TEST(D2_held_responses_stream_when_their_turn_comes)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    struct driver_exchange *first = driver_exchange(&driver, 0), *second = driver_exchange(&driver, 1);
    CHECK(!first->queued);
    CHECK(second->queued);
    driver_respond(&driver, second, 200, 0, -1, "one", 3);
    driver_settle(&driver);
    CHECK_EQ(second->credits, 0); // nothing of it could be sent
    driver_answer(&driver, first, "a");
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               OK(1) "a"
                     "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n");
    CHECK_EQ(second->credits, 3 + 65536 - GN_QUEUED_SEND_CREDIT); // and the rest of what one in its turn has
    driver_data(&driver, second, GN_FLAG_END, "two", 3);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "3\r\ntwo\r\n0\r\n\r\n");
    driver_close(&driver);
}

TEST(pipeline_limit_holds_requests_back)
{
    driver_prepare(&driver);
    driver.shared->listener.pipeline = 2;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET GET GET GET GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 2);
    for (unsigned i = 0; i < 5; i++) {
        driver_answer(&driver, driver_exchange(&driver, i), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "x");
        CHECK_EQ(driver.exchange_count, i + 3 < 5 ? i + 3 : 5);
    }
    driver_close(&driver);
}

TEST(C1_framing_by_what_is_known_of_the_length)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET GET);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, 4, "ab", 2);
    driver_data(&driver, driver_exchange(&driver, 0), GN_FLAG_END, "cd", 2);
    driver_respond(&driver, driver_exchange(&driver, 1), 200, 0, -1, "ab", 2);
    driver_data(&driver, driver_exchange(&driver, 1), 0, "0123456789abcdef", 16);
    driver_data(&driver, driver_exchange(&driver, 1), 0, "", 0);
    driver_data(&driver, driver_exchange(&driver, 1), GN_FLAG_END, "", 0);
    driver_respond(&driver, driver_exchange(&driver, 2), 200, 0, -1, "", 0);
    driver_data(&driver, driver_exchange(&driver, 2), GN_FLAG_END, "", 0);
    driver_settle(&driver);
    CHECK_READ(
        &driver, peer,
        OK(4) "abcd"
              "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"
              "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    driver_close(&driver);
}

TEST(C1_unknown_length_for_HTTP_1_0_ends_with_the_connection)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    CHECK_EQ(driver_exchange(&driver, 0)->version, 10);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "ab", 2);
    driver_settle(&driver);
    driver_data(&driver, driver_exchange(&driver, 0), GN_FLAG_END, "cd", 2);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcd");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(C14_HTTP_1_0_is_kept_only_on_request)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\nx");
    CHECK(!gn_io_memory_saw_end(peer));
    driver_write(&driver, peer, "GET / HTTP/1.0\r\n\r\n");
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "y");
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(C7_HEAD_has_no_body)
{
    const char *head = "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n";
    struct gn_io_memory_peer *peer = driver_start_with(&driver, head);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, "body", 4);
    driver_write(&driver, peer, head);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(4));
    driver_respond(&driver, driver_exchange(&driver, 1), 200, GN_FLAG_END, -1, "", 0);
    driver_write(&driver, peer, head);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\n\r\n"); // C6: no implicit length
    driver_respond(&driver, driver_exchange(&driver, 2), 200, GN_FLAG_END, 123456, "", 0);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(123456));
    CHECK_EQ(driver.shared->counters.responses, 3);
    driver_close(&driver);
}

TEST(a_body_streamed_to_HEAD_gets_its_credit_back)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n");
    static uint8_t body[40000];
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, -1, body, sizeof(body));
    driver_settle(&driver);
    CHECK_EQ(exchange->credits, 40000);
    driver_data(&driver, exchange, 0, body, sizeof(body));
    driver_settle(&driver);
    CHECK_EQ(exchange->credits, 80000);
    driver_data(&driver, exchange, GN_FLAG_END, "", 0);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\n\r\n");
    CHECK(!gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

/* A response of `status` to `request` whose head is all that the peer gets, and which is not ended, is given up, by RESET or
   by RELEASE; the request behind it is answered all the same. */
static void give_up_whole(const char *request, uint16_t status, const char *body, const char *wire, bool released)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, request);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, status, 0, 1, body, 1);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, wire);
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    if (released)
        driver_release(&driver, exchange);
    else
        driver_reset(&driver, exchange);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "y");
    CHECK(!gn_io_memory_saw_end(peer));
    CHECK_EQ(driver.shared->counters.exchanges_reset, 1);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 2), "z");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "z");
    driver_close(&driver);
}

TEST(a_response_that_is_whole_for_the_peer_may_fail)
{
    for (unsigned released = 0; released < 2; released++) {
        give_up_whole("HEAD / HTTP/1.1\r\nhost: h\r\n\r\n", 200, "x", OK(1), released);
        give_up_whole(GET, 204, "x", "HTTP/1.1 204 No Content\r\n\r\n", released);
        give_up_whole(GET, 304, "x", "HTTP/1.1 304 Not Modified\r\ncontent-length: 1\r\n\r\n", released);
        give_up_whole(GET, 200, "x", OK(1) "x", released);
        give_up_whole("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc", 200, "x", OK(1) "x", released);
    }
}

TEST(a_body_behind_a_response_that_failed_but_is_whole_is_dropped)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "HEAD / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "", 0);
    driver_reset(&driver, driver_exchange(&driver, 0));
    driver_write(&driver, peer, "defghij" GET);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\n\r\n");
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "y");
    CHECK(!gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(C8_no_content_for_204_205_304)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET GET GET GET);
    driver_respond(&driver, driver_exchange(&driver, 0), 204, GN_FLAG_END, -1, "body", 4);
    driver_respond(&driver, driver_exchange(&driver, 1), 205, GN_FLAG_END, -1, "body", 4);
    driver_respond(&driver, driver_exchange(&driver, 2), 304, GN_FLAG_END, -1, "body", 4);
    driver_respond(&driver, driver_exchange(&driver, 3), 304, GN_FLAG_END, 99, "", 0);
    driver_respond(&driver, driver_exchange(&driver, 4), 200, GN_FLAG_END, -1, "", 0);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               "HTTP/1.1 204 No Content\r\n\r\n"
               "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"
               "HTTP/1.1 304 Not Modified\r\n\r\n"
               "HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n" OK(0));
    driver_close(&driver);
}

TEST(C12_one_date_and_not_over_the_handlers_own)
{
    driver_prepare(&driver);
    driver.shared->listener.date = 1;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET GET);
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    driver_settle(&driver);
    const char *text = driver_read(&driver, peer, NULL);
    const char *begin = OK(0);
    size_t before = strlen(begin) - 2;
    CHECK(strncmp(text, begin, before) == 0);
    CHECK_EQ(strlen(text), before + strlen("date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"));
    CHECK(strncmp(text + before, "date: ", 6) == 0 && strcmp(text + strlen(text) - 8, " GMT\r\n\r\n") == 0);

    struct gn_staged_field field = {.token = GN_FIELD_DATE, .value_length = 3};
    uint8_t staged[sizeof(field) + 3];
    memcpy(staged, &field, sizeof(field));
    memcpy(staged + sizeof(field), "now", 3);
    uint32_t offset = driver_stage(&driver, staged, sizeof(staged));
    driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_RESPOND,
                                                .flags = GN_FLAG_END,
                                                .status = 200,
                                                .length = sizeof(staged),
                                                .subject = driver_exchange(&driver, 1)->id,
                                                .offset = offset,
                                                .value = -1});
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 0\r\n\r\n");
    driver_close(&driver);
}

TEST(C12_the_date_goes_on_while_the_loop_lives)
{
    driver_prepare(&driver);
    driver.shared->listener.date = 1;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    gn_date_update(&driver.loop->context.date, 784111777); // as if the last turn had been in 1994
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    driver_settle(&driver);
    const char *text = driver_read(&driver, peer, NULL);
    CHECK(strstr(text, "\r\ndate: ") != NULL);
    CHECK(strstr(text, " 1994 ") == NULL);
    driver_close(&driver);
}

/* Answers with the flags, known length and fields of the first arguments, in one record. */
static void respond_with(struct driver_exchange *exchange, uint16_t status, unsigned flags, int64_t length,
                         const struct driver_staged *fields, const char *body)
{
    struct gn_command command = {
        .kind = GN_COMMAND_RESPOND, .flags = (uint8_t)(flags | GN_FLAG_END), .status = status, .value = length};
    driver_say(&driver, exchange, command, fields, body);
}

TEST(C2_chunked_with_a_known_body)
{
    static const struct driver_staged none;
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET GET GET);
    respond_with(driver_exchange(&driver, 0), 200, GN_FLAG_CHUNKED, -1, &none, "abc");
    respond_with(driver_exchange(&driver, 1), 200, GN_FLAG_CHUNKED, 3, &none, "abc");
    respond_with(driver_exchange(&driver, 2), 200, GN_FLAG_CHUNKED, -1, &none, "");
    driver_respond(&driver, driver_exchange(&driver, 3), 200, GN_FLAG_CHUNKED, 4, "ab", 2);
    driver_data(&driver, driver_exchange(&driver, 3), GN_FLAG_END, "cd", 2);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               OK_CHUNKED "3\r\nabc\r\n0\r\n\r\n" OK_CHUNKED "3\r\nabc\r\n0\r\n\r\n" OK_CHUNKED "0\r\n\r\n" OK_CHUNKED
                          "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n");
    CHECK(!gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(C3_a_coding_of_the_handlers_own_becomes_chunked)
{
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_TRANSFER_ENCODING, "", "gzip");
    driver_field(&fields, GN_FIELD_SERVER, "", "s");
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    respond_with(driver_exchange(&driver, 0), 200, 0, 3, &fields, "abc");
    respond_with(driver_exchange(&driver, 1), 200, GN_FLAG_CHUNKED, -1, &fields, "");
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               "HTTP/1.1 200 OK\r\nserver: s\r\ntransfer-encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
               "HTTP/1.1 200 OK\r\nserver: s\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    driver_close(&driver);
}

TEST(C4_no_transfer_encoding_where_it_means_nothing)
{
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_TRANSFER_ENCODING, "", "gzip");
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n" GET GET GET
                                                                "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
                                                                "GET / HTTP/1.0\r\n\r\n");
    respond_with(driver_exchange(&driver, 0), 200, 0, 3, &fields, "abc");
    respond_with(driver_exchange(&driver, 1), 204, GN_FLAG_CHUNKED, -1, &fields, "");
    respond_with(driver_exchange(&driver, 2), 205, GN_FLAG_CHUNKED, -1, &fields, "");
    respond_with(driver_exchange(&driver, 3), 304, GN_FLAG_CHUNKED, 3, &fields, "");
    respond_with(driver_exchange(&driver, 4), 200, GN_FLAG_CHUNKED, 3, &fields, "abc");
    driver_say(&driver, driver_exchange(&driver, 5),
               (struct gn_command){.kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_CHUNKED, .status = 200, .value = -1},
               &fields, "abc");
    driver_data(&driver, driver_exchange(&driver, 5), GN_FLAG_END, "d", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               "HTTP/1.1 200 OK\r\n\r\n" // GET would have no content-length either
               "HTTP/1.1 204 No Content\r\n\r\n"
               "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"
               "HTTP/1.1 304 Not Modified\r\n\r\n"
               "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: keep-alive\r\n\r\nabc"
               "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcd");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(C16_a_reason_phrase_of_the_handlers_own)
{
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_OTHER, "", "All is well");
    driver_field(&fields, GN_FIELD_SERVER, "", "s");
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    respond_with(driver_exchange(&driver, 0), 200, 0, -1, &fields, "x"); // without the flag it is no field
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.commands_rejected, 1);
    driver.shared->counters.commands_rejected = 0;
    respond_with(driver_exchange(&driver, 0), 200, GN_FLAG_REASON, -1, &fields, "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 All is well\r\nserver: s\r\ncontent-length: 1\r\n\r\nx");
    driver_close(&driver);
}

TEST(C17_title_case_is_a_setting)
{
    driver_prepare(&driver);
    driver.shared->listener.title_case = 1;
    struct gn_io_memory_peer *peer =
        driver_begin(&driver, GET "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_SET_COOKIE, "", "a=b");
    driver_field(&fields, GN_FIELD_SET_COOKIE, "set-COOKIE", "c=d");
    driver_field(&fields, GN_FIELD_SET_COOKIE, "", "e=f");
    driver_field(&fields, GN_FIELD_OTHER, "x-own", "g");
    respond_with(driver_exchange(&driver, 0), 200, 0, -1, &fields, "x");
    respond_with(driver_exchange(&driver, 1), 200, GN_FLAG_CHUNKED, -1, &fields, "");
    driver_settle(&driver);
#define FIELDS "Set-Cookie: a=b\r\nset-COOKIE: c=d\r\nSet-Cookie: e=f\r\nx-own: g\r\n"
    CHECK_READ(&driver, peer,
               "HTTP/1.1 200 OK\r\n" FIELDS "Content-Length: 1\r\n\r\nx"
               "HTTP/1.1 200 OK\r\n" FIELDS "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n");
    driver_close(&driver);
}

TEST(C5_a_body_short_of_its_length_is_cut)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, 10, "abc", 3);
    driver_data(&driver, exchange, GN_FLAG_END, "def", 3);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(10) "abcdef");
    CHECK(gn_io_memory_saw_end(peer));
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 1)->resets, 1); // it can have no answer any more
    driver_close(&driver);
}

TEST(C5_a_body_past_its_length_is_cut_at_its_length)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, 4, "abc", 3);
    driver_data(&driver, exchange, GN_FLAG_END, "defg", 4);
    driver_settle(&driver);
    const char *text = driver_read(&driver, peer, NULL);
    CHECK(strlen(text) <= strlen(OK(4) "abcd"));
    CHECK(gn_io_memory_saw_end(peer));
    CHECK_EQ(exchange->resets, 1);
    driver.shared->counters.commands_rejected = 0;
    driver_close(&driver);
}

TEST(C21_a_chunked_response_that_is_reset_has_no_last_chunk)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, -1, "abc", 3);
    driver_reset(&driver, exchange);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
    CHECK(gn_io_memory_saw_end(peer));
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_ABORTED);
    driver_close(&driver);
}

TEST(C21_a_close_delimited_response_that_is_reset_ends_with_RST)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "GET / HTTP/1.0\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, -1, "abc", 3);
    driver_settle(&driver);
    driver_reset(&driver, exchange);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(release_without_a_response_cuts_and_says_no_more)
{
    for (unsigned begun = 0; begun < 3; begun++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, begun == 2 ? "GET / HTTP/1.0\r\n\r\n" : GET);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        if (begun > 0)
            driver_respond(&driver, exchange, 200, 0, -1, "abc", 3);
        driver_release(&driver, exchange);
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_end(peer) || gn_io_memory_saw_reset(peer));
        CHECK_EQ(driver.unknown + driver.crossed, 0); // after RELEASE no record of the exchange follows
        CHECK_EQ(driver.shared->counters.exchanges_open, 0);
        driver_close(&driver);
    }
}

TEST(D7_a_slow_reader_gets_a_large_response_whole_before_the_end)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver_open(&driver);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        gn_io_memory_room(peer, 1000);
        driver_write(&driver, peer, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        driver_settle(&driver);
        static uint8_t body[300000];
        for (size_t i = 0; i < sizeof(body); i++)
            body[i] = (uint8_t)(i * 7 + i / 256);
        driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, body, sizeof(body));
        driver_release(&driver, driver_exchange(&driver, 0));
        size_t head = strlen(OK_CLOSE(300000)), at = 0;
        for (unsigned polls = 0; at < head + sizeof(body) && polls < 10000; polls++) {
            driver_poll(&driver);
            size_t length;
            const char *text = driver_read(&driver, peer, &length);
            CHECK(at + length <= head + sizeof(body));
            if (at >= head)
                CHECK(memcmp(text, body + (at - head), length) == 0);
            at += length;
        }
        CHECK_EQ(at, head + sizeof(body));
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        driver_close(&driver);
    }
}

TEST(C20_streamed_under_credit_to_a_slow_reader)
{
    for (unsigned late = 0; late < 2; late++) {
        for (unsigned sized = 0; sized < 2; sized++) {
            driver_prepare(&driver);
            driver.late = late;
            driver.shared->listener.send_credit = 4096;
            driver_open(&driver);
            struct gn_io_memory_peer *peer = driver_connect(&driver);
            gn_io_memory_room(peer, 500);
            driver_write(&driver, peer, GET);
            driver_settle(&driver);
            struct driver_exchange *exchange = driver_exchange(&driver, 0);
            driver_respond(&driver, exchange, 200, 0, sized ? 100000 : -1, "", 0);
            uint64_t credit = 4096, given = 0;
            size_t total = 0;
            for (unsigned polls = 0; polls < 10000; polls++) {
                while (given < 100000 && credit - given + exchange->credits >= 1000) {
                    char piece[1000];
                    memset(piece, 'a' + (int)(given / 1000 % 26), sizeof(piece));
                    given += 1000;
                    driver_data(&driver, exchange, given == 100000 ? GN_FLAG_END : 0, piece, sizeof(piece));
                }
                driver_poll(&driver);
                struct gn_connection *connection = driver_connection(&driver, exchange);
                CHECK(connection->output.length < 4096 + 600); // bounded by the credit
                size_t length;
                driver_read(&driver, peer, &length);
                total += length;
            }
            CHECK_EQ(given, 100000);
            CHECK_EQ(total, sized ? strlen(OK(100000)) + 100000
                                  : strlen("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n") +
                                        100 * (1000 + strlen("3e8\r\n\r\n")) + strlen("0\r\n\r\n"));
            CHECK(!gn_io_memory_saw_end(peer));
            driver_close(&driver);
        }
    }
}

TEST(a_flood_of_data_without_credit_is_cut)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    gn_io_memory_room(peer, 0);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, -1, "", 0);
    static uint8_t piece[32768];
    for (unsigned i = 0; i < 8; i++)
        driver_data(&driver, exchange, 0, piece, sizeof(piece));
    driver_settle(&driver);
    CHECK_EQ(exchange->resets, 1);
    driver.shared->counters.commands_rejected = 0;
    driver_close(&driver);
}

TEST(SENT_comes_when_the_last_byte_is_with_the_kernel)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET);
    gn_io_memory_room(peer, 10);
    struct driver_exchange *first = driver_exchange(&driver, 0), *second = driver_exchange(&driver, 1);
    driver_respond(&driver, second, 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "b", 1);
    driver_respond(&driver, first, 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "a", 1);
    driver_settle(&driver);
    CHECK_EQ(first->sents, 0);
    gn_io_memory_room(peer, strlen(OK(1) "a") - 1);
    driver_settle(&driver);
    CHECK_EQ(first->sents, 0);
    gn_io_memory_room(peer, 10000);
    driver_settle(&driver);
    CHECK_EQ(first->sents, 1);
    CHECK_EQ(first->sent_reason, GN_REASON_NONE);
    CHECK_EQ(second->sents, 1);
    driver_close(&driver);
}

TEST(SENT_comes_with_a_reason_when_the_connection_dies_first)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET GET);
    gn_io_memory_room(peer, 10);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "a", 1);
    driver_respond(&driver, driver_exchange(&driver, 2), 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "c", 1);
    driver_settle(&driver);
    gn_io_memory_reset(peer);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->sents, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->sent_reason, GN_REASON_PEER_RESET);
    CHECK_EQ(driver_exchange(&driver, 2)->sents, 1); // complete, but held behind the second
    CHECK_EQ(driver_exchange(&driver, 2)->sent_reason, GN_REASON_PEER_RESET);
    CHECK_EQ(driver_exchange(&driver, 1)->resets, 1);
    driver_close(&driver);
}

TEST(D1_nothing_behind_a_response_that_says_close_is_read_as_a_request)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, GN_FLAG_CLOSE, -1, "a", 1);
    driver_settle(&driver);
    driver_write(&driver, peer, GET); // RFC 9112 section 9.6: not processed
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 1);
    driver_data(&driver, exchange, GN_FLAG_END, "", 0);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n1\r\na\r\n0\r\n\r\n");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(nor_is_what_follows_the_body_of_its_own_request)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, GN_FLAG_CLOSE, 1, NULL, 0);
    driver_settle(&driver);
    driver_write(&driver, peer, "abc" GET);
    driver_settle(&driver);
    CHECK(exchange->ended);
    CHECK_BYTES(exchange->body, exchange->body_length, "abc");
    CHECK_EQ(driver.exchange_count, 1);
    driver_data(&driver, exchange, GN_FLAG_END, "a", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "a");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D2_an_error_to_a_bad_head_comes_behind_the_answers_before_it)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET "GE T / HTTP/1.1\r\nhost: h\r\n\r\n" GET); // A4
    CHECK_EQ(driver.exchange_count, 1);
    CHECK_EQ(driver.refused, 1);
    CHECK_EQ(driver.refused_reason, GN_REASON_REQUEST + GN_H1_BAD_TARGET);
    CHECK_EQ(driver.refused_status, 400);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "a");
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               OK(1) "a"
                     "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    CHECK_EQ(driver.shared->counters.requests_refused, 1);
    driver_close(&driver);
}

TEST(C8_HEAD_says_no_more_of_a_status_without_content_than_GET)
{
    static const uint16_t statuses[] = {204, 205, 304};
    static const char *const lines[] = {"204 No Content\r\n", "205 Reset Content\r\ncontent-length: 0\r\n",
                                        "304 Not Modified\r\n"};
    static const char *const heads[] = {GET, "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n"};
    for (unsigned i = 0; i < 6; i++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, heads[i & 1]);
        driver_respond(&driver, driver_exchange(&driver, 0), statuses[i / 2], GN_FLAG_END, -1, "body", 4);
        driver_settle(&driver);
        char expected[100];
        sprintf(expected, "HTTP/1.1 %s\r\n", lines[i / 2]);
        CHECK_READ(&driver, peer, expected);
        driver_close(&driver);
    }
}

#define OK_1_0(length) "HTTP/1.0 200 OK\r\ncontent-length: " #length "\r\n"

static struct gn_io_memory_peer *start_1_0(const char *text)
{
    driver_prepare(&driver);
    driver.shared->listener.http_1_0 = 1;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, text);
    driver_settle(&driver);
    return peer;
}

TEST(C15_the_switch_answers_HTTP_1_0_with_HTTP_1_0)
{
    struct gn_io_memory_peer *peer = start_1_0("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_1_0(1) "connection: keep-alive\r\n\r\nx");
    driver_write(&driver, peer, GET); // the version is that of the request, not of the connection
    driver_settle(&driver);
    driver_answer(&driver, driver_exchange(&driver, 1), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    driver_write(&driver, peer, "GET / HTTP/1.0\r\n\r\n");
    driver_settle(&driver);
    struct driver_staged none = {.length = 0};
    driver_interim(&driver, driver_exchange(&driver, 2), 103, &none);
    driver_respond(&driver, driver_exchange(&driver, 2), 200, 0, -1, "ab", 2);
    driver_settle(&driver);
    driver_data(&driver, driver_exchange(&driver, 2), GN_FLAG_END, "c", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nabc");
    driver_close(&driver);
}

TEST(C15_an_error_that_C_answers_has_the_version_as_far_as_it_was_read)
{
#define BAD(version) "HTTP/1." version " 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    struct gn_io_memory_peer *peer = start_1_0("GET / HTTP/1.0\r\nX : y\r\n\r\n");
    CHECK_READ(&driver, peer, BAD("0"));
    driver_close(&driver);
    peer = start_1_0("GET / HTTP/1.1\r\nX : y\r\n\r\n");
    CHECK_READ(&driver, peer, BAD("1"));
    driver_close(&driver);
    peer = start_1_0("GET # HTTP/1.0\r\n\r\n");
    CHECK_READ(&driver, peer, BAD("1"));
    driver_close(&driver);
    peer = start_1_0("POST / HTTP/1.0\r\ncontent-length: 3\r\n\r\nab");
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, BAD("0"));
    driver_close(&driver);
    peer = start_1_0("GET / HTTP/1.0\r\nX: y");
    driver_advance(&driver, 31 * SECOND);
    CHECK_READ(&driver, peer, "HTTP/1.0 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    driver_close(&driver);
}

TEST_MAIN()
