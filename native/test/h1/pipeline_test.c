#include "loop/driver.h"

#define HEAD "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n"
#define OPTIONS "OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n"
#define TRACE "TRACE / HTTP/1.1\r\nhost: h\r\n\r\n"
#define DELETE "DELETE / HTTP/1.1\r\nhost: h\r\n\r\n"
#define OWN "get / HTTP/1.1\r\nhost: h\r\n\r\n" /* a method of its own: names are case-sensitive */

static struct driver driver;

static void prepare(void)
{
    driver_prepare(&driver);
    driver.shared->listener.safe_pipeline = 1;
}

static void answer(size_t number)
{
    driver_answer(&driver, driver_exchange(&driver, number), "x");
    driver_settle(&driver);
}

/* The connection is not looked at again before something happens. */
static void check_at_rest(void)
{
    CHECK(gn_list_empty(&driver.loop->context.ready));
    CHECK(gn_list_empty(&driver.loop->context.starved));
}

TEST(D14_safe_requests_are_in_flight_together)
{
    prepare();
    driver_begin(&driver, GET HEAD OPTIONS TRACE GET);
    CHECK_EQ(driver.exchange_count, 5);
    driver_close(&driver);
}

TEST(D14_an_unsafe_one_waits_for_those_before_it_and_is_waited_for)
{
    static const char *const unsafe[] = {DELETE, POST(3) "abc", OWN, POST_CHUNKED "3\r\nabc\r\n0\r\nt: u\r\n\r\n"};
    for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
        prepare();
        char text[512];
        sprintf(text, GET GET "%s" GET GET, unsafe[i]);
        struct gn_io_memory_peer *peer = driver_begin(&driver, text);
        CHECK_EQ(driver.exchange_count, 2);
        check_at_rest();
        answer(0);
        CHECK_EQ(driver.exchange_count, 2); // one is still before it
        check_at_rest();
        answer(1);
        CHECK_EQ(driver.exchange_count, 3);
        CHECK(driver_exchange(&driver, 2)->ended);
        check_at_rest();
        answer(2);
        CHECK_EQ(driver.exchange_count, 5);
        answer(4);
        answer(3);
        CHECK_READ(&driver, peer, OK(1) "x" OK(1) "x" OK(1) "x" OK(1) "x" OK(1) "x");
        driver_close(&driver);
    }
}

TEST(D14_unsafe_ones_come_one_by_one)
{
    prepare();
    driver_begin(&driver, DELETE DELETE DELETE);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(driver.exchange_count, i + 1);
        check_at_rest();
        answer(i);
    }
    driver_close(&driver);
}

TEST(without_the_setting_they_come_together)
{
    driver_start_with(&driver, GET DELETE POST(3) "abc" GET);
    CHECK_EQ(driver.exchange_count, 4);
    driver_close(&driver);
}

TEST(the_limit_of_the_pipeline_holds_as_well)
{
    prepare();
    driver.shared->listener.pipeline = 2;
    driver_begin(&driver, GET GET GET DELETE);
    CHECK_EQ(driver.exchange_count, 2);
    answer(0);
    CHECK_EQ(driver.exchange_count, 3);
    answer(1);
    CHECK_EQ(driver.exchange_count, 3);
    answer(2);
    CHECK_EQ(driver.exchange_count, 4);
    driver_close(&driver);
}

TEST(D14_cut_at_every_offset)
{
    static const char text[] = GET DELETE GET POST(2) "ab" GET;
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        prepare();
        driver.late = cut % 2;
        struct gn_io_memory_peer *peer = driver_begin(&driver, "");
        driver_write_bytes(&driver, peer, text, cut);
        driver_settle(&driver);
        driver_write_bytes(&driver, peer, text + cut, sizeof(text) - 1 - cut);
        driver_settle(&driver);
        for (unsigned i = 0; i < 5; i++) {
            CHECK_EQ(driver.exchange_count, i + 1);
            answer(i);
        }
        CHECK_READ(&driver, peer, OK(1) "x" OK(1) "x" OK(1) "x" OK(1) "x" OK(1) "x");
        driver_close(&driver);
    }
}

TEST(D14_what_follows_waits_for_the_end_of_an_unsafe_body_too)
{
    prepare();
    struct gn_io_memory_peer *peer = driver_begin(&driver, POST(3) "a");
    answer(0); // before the body is there
    driver_write(&driver, peer, "bc" GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 2);
    driver_close(&driver);
}

TEST(a_request_that_waits_is_not_late)
{
    prepare();
    driver_begin(&driver, GET DELETE);
    driver_advance(&driver, 1000 * SECOND);
    CHECK_EQ(driver.exchange_count, 1);
    answer(0);
    CHECK_EQ(driver.exchange_count, 2);
    CHECK_EQ(driver.shared->counters.timeouts, 0);
    driver_close(&driver);
}

TEST(D5_a_half_closed_peer_gets_all_of_its_answers)
{
    prepare();
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET DELETE);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    answer(0);
    CHECK_EQ(driver.exchange_count, 2);
    answer(1);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "x");
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(an_error_needs_not_wait)
{
    prepare();
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET "BAD\r\n\r\n");
    CHECK_EQ(driver.refused, 1);
    answer(0);
    CHECK_READ(&driver, peer,
               OK(1) "x"
                     "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    driver_close(&driver);
}

/* Answers, as long as there are requests to answer, with 20,000 bytes each; returns how many there were in all. */
static size_t answer_at_length(size_t answered)
{
    static char body[20000];
    memset(body, 'b', sizeof(body));
    for (; driver_settle(&driver), answered < driver.exchange_count; answered++)
        driver_respond(&driver, driver_exchange(&driver, answered), 200, GN_FLAG_END, -1, body, sizeof(body));
    return answered;
}

TEST(J7_answers_that_nobody_reads_hold_up_the_requests_behind_them)
{
    enum { COUNT = 100 };
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.shared->listener.pipeline = 2;
        driver.late = late != 0;
        struct gn_io_memory_peer *peer = driver_begin(&driver, "");
        gn_io_memory_room(peer, 0);
        for (unsigned i = 0; i < COUNT; i++)
            CHECK_EQ(gn_io_memory_write(peer, GET, strlen(GET)), strlen(GET));
        size_t answered = answer_at_length(0), length, received = 0;
        CHECK(answered <= 65536 / 20000 + 1 + 2); // past the send credit, and those that were in flight
        check_at_rest();
        gn_io_memory_room(peer, 1000);
        for (unsigned i = 0; answered < COUNT && i < 10000; i++) {
            driver_read(&driver, peer, &length);
            received += length;
            answered = answer_at_length(answered);
        }
        CHECK_EQ(answered, COUNT);
        for (length = 1; length > 0; received += length) {
            driver_read(&driver, peer, &length);
            driver_settle(&driver);
        }
        CHECK_EQ(received, COUNT * (strlen(OK(20000)) + 20000));
        driver_close(&driver);
    }
}

TEST(J7_E1_a_head_that_has_begun_is_not_held_up_for_its_time_runs)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET GET GET GET GET "GET / HTT");
    gn_io_memory_room(peer, 0);
    CHECK_EQ(answer_at_length(0), 5);
    driver_write(&driver, peer, "P/1.1\r\nhost: h\r\n\r\n" GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 6);
    driver_close(&driver);
}

TEST_MAIN()
