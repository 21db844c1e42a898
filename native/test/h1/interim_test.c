#include "loop/driver.h"

#define EARLY_HINTS "HTTP/1.1 103 Early Hints\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define POST_EXPECTING "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"

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

TEST(C11_any_number_of_them_before_the_final_head)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    struct driver_staged links = {.length = 0};
    driver_field(&links, GN_FIELD_LINK, "", "</a>; rel=preload");
    driver_field(&links, GN_FIELD_LINK, "LINK", "</b>; rel=preload");
    driver_interim(&driver, exchange, 103, &links);
    driver_interim(&driver, exchange, 102, &none);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               EARLY_HINTS "link: </a>; rel=preload\r\nLINK: </b>; rel=preload\r\n\r\n"
                           "HTTP/1.1 102 Processing\r\n\r\n");
    driver_interim(&driver, exchange, 100, &none);
    driver_interim(&driver, exchange, 199, &none);
    driver_interim(&driver, exchange, 103, &none);
    driver_answer(&driver, exchange, "x");
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, CONTINUE "HTTP/1.1 199 \r\n\r\n" EARLY_HINTS "\r\n" OK(1) "x");
    CHECK_EQ(driver.exchange_count, 2); // the connection goes on
    CHECK_EQ(driver.shared->counters.responses, 1);
    driver_close(&driver);
}

TEST(C11_none_to_HEAD_but_100)
{
    struct gn_io_memory_peer *peer =
        driver_start_with(&driver, "HEAD / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_interim(&driver, exchange, 103, &none);
    driver_interim(&driver, exchange, 102, &none);
    CHECK_EQ(rejections(), 0);
    CHECK_READ(&driver, peer, "");
    driver_interim(&driver, exchange, 100, &none);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, CONTINUE);
    driver_write(&driver, peer, "abc");
    driver_answer(&driver, exchange, "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1));
    driver_close(&driver);
}

TEST(C11_no_date_and_title_case_where_it_is_set)
{
    driver_prepare(&driver);
    driver.shared->listener.date = 1;
    driver.shared->listener.title_case = 1;
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET);
    struct driver_staged links = {.length = 0};
    driver_field(&links, GN_FIELD_LINK, "", "<a>");
    driver_interim(&driver, driver_exchange(&driver, 0), 103, &links);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, EARLY_HINTS "Link: <a>\r\n\r\n");
    driver_close(&driver);
}

TEST(C11_only_interim_statuses_and_only_before_the_final_head)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    static const uint16_t statuses[] = {0, 99, 101, 200, 204, 1000};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        driver_interim(&driver, exchange, statuses[i], &none);
        CHECK_EQ(rejections(), 1);
    }
    driver_respond(&driver, exchange, 103, GN_FLAG_END, -1, "", 0); // never through the final path
    CHECK_EQ(rejections(), 1);
    CHECK_READ(&driver, peer, "");
    driver_respond(&driver, exchange, 200, 0, 1, "", 0);
    driver_interim(&driver, exchange, 103, &none);
    CHECK_EQ(rejections(), 1);
    driver_data(&driver, exchange, GN_FLAG_END, "x", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    driver_close(&driver);

    peer = driver_start_with(&driver, GET GET);
    exchange = driver_exchange(&driver, 1);
    driver_respond(&driver, exchange, 200, GN_FLAG_END, -1, "b", 1);
    driver_interim(&driver, exchange, 103, &none); // complete, though nothing of it is out
    CHECK_EQ(rejections(), 1);
    driver_answer(&driver, driver_exchange(&driver, 0), "a");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "a" OK(1) "b");
    driver_close(&driver);
}

TEST(malformed_ones_change_nothing)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_LINK, "", "value");
    for (uint32_t length = 1; length < sizeof(struct gn_staged_field) + 5; length++) {
        fields.length = length;
        driver_interim(&driver, exchange, 103, &fields);
        CHECK_EQ(rejections(), 1);
    }
    driver_say(&driver, exchange, (struct gn_command){.kind = GN_COMMAND_INTERIM, .status = 103}, &none, "body");
    CHECK_EQ(rejections(), 1);
    driver_command(
        &driver,
        (struct gn_command){
            .kind = GN_COMMAND_INTERIM, .status = 103, .subject = exchange->id, .offset = DRIVER_STAGING, .length = 1});
    CHECK_EQ(rejections(), 1);
    driver_answer(&driver, exchange, "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    driver_close(&driver);
}

TEST(C11_nothing_to_an_HTTP_1_0_client)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_interim(&driver, exchange, 103, &none);
    driver_interim(&driver, exchange, 100, &none);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, exchange, "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\nx");
    driver_close(&driver); // and none was rejected
}

TEST(C11_in_a_pipeline_they_wait_for_their_turn)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET GET GET);
    struct driver_exchange *second = driver_exchange(&driver, 1), *third = driver_exchange(&driver, 2);
    driver_interim(&driver, third, 103, &none);
    driver_interim(&driver, second, 103, &none);
    driver_answer(&driver, third, "c");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "a");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "a" EARLY_HINTS "\r\n"); // as soon as it can be, not with the final head
    driver_interim(&driver, second, 102, &none);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 102 Processing\r\n\r\n");
    driver_answer(&driver, second, "b");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "b" EARLY_HINTS "\r\n" OK(1) "c");
    driver_close(&driver);
}

TEST(B18_a_100_of_the_handlers_own_is_the_only_one)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_EXPECTING);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_interim(&driver, exchange, 100, &none);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, CONTINUE);
    driver_ask(&driver, exchange, 100);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_write(&driver, peer, "abc");
    driver_settle(&driver);
    CHECK(exchange->ended);
    CHECK_BYTES(exchange->body, exchange->body_length, "abc");
    driver_answer(&driver, exchange, "x");
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    CHECK_EQ(driver.exchange_count, 2);
    driver_close(&driver);
}

TEST(B19_behind_a_100_of_the_handlers_own_the_body_is_known_to_come)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_EXPECTING);
    driver_interim(&driver, driver_exchange(&driver, 0), 100, &none);
    driver_answer(&driver, driver_exchange(&driver, 0), "x"); // which did not read it
    driver_settle(&driver);
    CHECK_READ(&driver, peer, CONTINUE OK(1) "x");
    driver_write(&driver, peer, "abc" GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 2);
    CHECK(!gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(B19_any_other_interim_response_is_no_100)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_EXPECTING);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_interim(&driver, exchange, 103, &none);
    driver_ask(&driver, exchange, 100);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, EARLY_HINTS "\r\n" CONTINUE);
    driver_close(&driver);

    peer = driver_start_with(&driver, POST_EXPECTING);
    driver_interim(&driver, driver_exchange(&driver, 0), 103, &none);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, EARLY_HINTS "\r\n" OK_CLOSE(1) "x");
    driver_close(&driver);
}

TEST(an_exchange_may_end_behind_one)
{
    for (unsigned how = 0; how < 3; how++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, GET);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        struct gn_command interim = {
            .kind = GN_COMMAND_INTERIM, .status = 103, .flags = how == 0 ? GN_FLAG_RELEASE : 0};
        driver_say(&driver, exchange, interim, &none, "");
        if (how == 0)
            driver_note_release(&driver, exchange);
        else if (how == 1)
            driver_release(&driver, exchange);
        else
            driver_reset(&driver, exchange);
        driver_settle(&driver);
        CHECK_READ(&driver, peer, EARLY_HINTS "\r\n");
        CHECK(gn_io_memory_saw_end(peer)); // without a final response
        CHECK_EQ(exchange->resets, how == 2);
        driver_close(&driver);
    }
}

TEST(a_bad_body_is_answered_behind_one)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, POST_CHUNKED);
    driver_interim(&driver, driver_exchange(&driver, 0), 103, &none);
    driver_settle(&driver);
    driver_write(&driver, peer, "X\r\n");
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               EARLY_HINTS "\r\nHTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    CHECK_EQ(driver_exchange(&driver, 0)->reset_status, 400);
    driver_close(&driver);
}

TEST_MAIN()
