/*
 * What happens to a connection in each state of the table in h1/session.h, reading × first response, when input goes on,
 * when the peer ends its side, and when the listener ends gracefully. TUNNEL has tests of its own (tunnel_test.c).
 */
#include "loop/driver.h"

#define BAD "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
#define CHUNKED_CLOSE "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"

static struct driver driver;

/* What was received of the first message, and of the second one, and what is still to come. */
static const struct reading {
    const char *name, *before, *rest;
    bool body;   /* the first one's body is cut */
    bool second; /* `rest` completes a second request */
    bool last;   /* nothing behind it is a request */
} READINGS[] = {
    {"HEAD", GET, "", false, false, false},
    {"within HEAD", GET "GET / HT", "TP/1.1\r\nhost: h\r\n\r\n", false, true, false},
    {"SIZED", POST(5) "ab", "cde", true, false, false},
    {"CHUNKED", POST_CHUNKED "5\r\nab", "cde\r\n0\r\n\r\n", true, false, false},
    {"within a chunk's size line", POST_CHUNKED "5\r\nabcde\r\n0", "\r\n\r\n", true, false, false},
    {"TRAILERS", POST_CHUNKED "0\r\nT: ", "u\r\n\r\n", true, false, false},
    {"OFFER", "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n", "", false, false, false},
    {"STOPPED", "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nconnection: keep-alive\r\n\r\n", "", false, false,
     true},
    {"STOPPED, order of options", "GET / HTTP/1.1\r\nhost: h\r\nconnection: keep-alive, close\r\n\r\n", "", false,
     false, true},
};

enum response { NONE, BEGUN, COMPLETE, RESPONSES };

static const char *const RESPONSE_NAMES[] = {"none", "begun", "complete"};

/* Says which pair failed: a failed check has its line only. */
static void check_pairs(void (*check)(const struct reading *, enum response))
{
    for (size_t i = 0; i < sizeof(READINGS) / sizeof(READINGS[0]); i++) {
        for (enum response response = NONE; response < RESPONSES; response++) {
            unsigned before = test_failures;
            check(&READINGS[i], response);
            if (test_failures != before)
                fprintf(stderr, "    in %s, response %s\n", READINGS[i].name, RESPONSE_NAMES[response]);
        }
    }
}

static struct gn_io_memory_peer *arrive(const struct reading *reading, enum response response, bool half_close)
{
    driver_prepare(&driver);
    driver.shared->listener.half_close = half_close;
    struct gn_io_memory_peer *peer = driver_begin(&driver, reading->before);
    CHECK_EQ(driver.exchange_count, 1);
    if (response == BEGUN)
        driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "a", 1);
    if (response == COMPLETE)
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    return peer;
}

/* Writes what a connection that is still there would be given. */
static void write_on(struct gn_io_memory_peer *peer, const char *text, size_t length)
{
    if (!gn_io_memory_saw_close(peer))
        driver_write_bytes(&driver, peer, text, length);
    driver_settle(&driver);
}

static void end_response(enum response response)
{
    if (response == NONE)
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
    if (response == BEGUN)
        driver_data(&driver, driver_exchange(&driver, 0), GN_FLAG_END, "", 0);
    driver_settle(&driver);
}

/* The first response up to where it was when it arrived, and up to its end; `close` is said in it. */
static const char *first_part(enum response response, bool close)
{
    static const char *const parts[RESPONSES][2] = {
        {"", ""}, {OK_CHUNKED "1\r\na\r\n", CHUNKED_CLOSE "1\r\na\r\n"}, {OK(1) "x", OK_CLOSE(1) "x"}};
    return parts[response][close];
}

static const char *first_whole(enum response response, bool close)
{
    static const char *const wholes[RESPONSES][2] = {
        {OK(1) "x", OK_CLOSE(1) "x"},
        {OK_CHUNKED "1\r\na\r\n0\r\n\r\n", CHUNKED_CLOSE "1\r\na\r\n0\r\n\r\n"},
        {OK(1) "x", OK_CLOSE(1) "x"}};
    return wholes[response][close];
}

/* Whoever has ended the connection expects no reset, and the peer's end is the last thing that happens. */
static void check_clean_end(struct gn_io_memory_peer *peer)
{
    CHECK(gn_io_memory_saw_end(peer));
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
}

/* D1, D2, D3: what follows in any cut is a request, or, behind the last one, nothing. */
static void check_input_goes_on(const struct reading *reading, enum response response)
{
    char text[256], expected[1024];
    size_t length = (size_t)sprintf(text, "%s" GET, reading->rest);
    for (size_t cut = 0; cut <= length; cut++) {
        struct gn_io_memory_peer *peer = arrive(reading, response, true);
        write_on(peer, text, cut);
        write_on(peer, text + cut, length - cut);
        end_response(response);
        CHECK(response == COMPLETE || driver_exchange(&driver, 0)->ended);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
        CHECK_EQ(driver.exchange_count, reading->last ? 1 : reading->second ? 3 : 2);
        int at = sprintf(expected, "%s", first_whole(response, reading->last));
        for (size_t i = 1; i < driver.exchange_count; i++) {
            driver_answer(&driver, driver_exchange(&driver, i), "y");
            at += sprintf(expected + at, OK(1) "y");
        }
        driver_settle(&driver);
        CHECK_READ(&driver, peer, expected);
        CHECK_EQ(gn_io_memory_saw_end(peer), reading->last);
        if (reading->last)
            check_clean_end(peer);
        driver_close(&driver);
    }
}

TEST(D1_D2_D3_input_goes_on_in_every_state)
{
    check_pairs(check_input_goes_on);
}

/* D5, B17: the peer ends its side; a response that was asked for completely is delivered. */
static void check_half_closed(const struct reading *reading, enum response response)
{
    struct gn_io_memory_peer *peer = arrive(reading, response, true);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    const struct driver_exchange *exchange = driver_exchange(&driver, 0);
    if (!reading->body) {
        CHECK_EQ(exchange->resets, 0);
        end_response(response);
        CHECK_READ(&driver, peer, first_whole(response, reading->last));
    } else {
        CHECK(!exchange->ended);
        CHECK_EQ(exchange->resets, response == COMPLETE ? 0 : 1);
        CHECK_READ(&driver, peer, response == NONE ? BAD : first_part(response, false));
    }
    CHECK_EQ(driver.exchange_count, 1);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D5_B17_the_peer_ends_its_side_in_every_state)
{
    check_pairs(check_half_closed);
}

/* D5 switched off: a response that is not complete is for nobody, and Java is told. */
static void check_gone(const struct reading *reading, enum response response)
{
    struct gn_io_memory_peer *peer = arrive(reading, response, false);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    const struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->resets, response == COMPLETE ? 0 : 1);
    if (exchange->resets > 0)
        CHECK_EQ(exchange->reset_reason, reading->body ? GN_REASON_BODY_CUT : GN_REASON_PEER_CLOSED);
    CHECK_READ(&driver, peer, reading->body && response == NONE ? BAD : first_part(response, reading->last));
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D5_without_half_close_the_peer_is_gone_in_every_state)
{
    check_pairs(check_gone);
}

/* D6: what has begun is finished, the last response says close where it still can, and nothing behind is served, but for
   what was held until it was known whether a tunnel begins. */
static void check_graceful(const struct reading *reading, enum response response)
{
    char expected[1024];
    struct gn_io_memory_peer *peer = arrive(reading, response, true);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    bool idle = response == COMPLETE && !reading->body && !reading->second;
    CHECK_EQ(gn_io_memory_saw_end(peer), idle);
    write_on(peer, reading->rest, strlen(reading->rest));
    write_on(peer, GET, strlen(GET));
    end_response(response);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    bool held = strcmp(reading->name, "OFFER") == 0 && response == BEGUN;
    CHECK_EQ(driver.exchange_count, reading->second || held ? 2 : 1);
    int at = sprintf(expected, "%s", first_whole(response, reading->last || (response == NONE && !reading->second)));
    if (driver.exchange_count == 2) {
        driver_answer(&driver, driver_exchange(&driver, 1), "y");
        driver_settle(&driver);
        sprintf(expected + at, OK_CLOSE(1) "y");
    }
    CHECK_READ(&driver, peer, expected);
    check_clean_end(peer);
    CHECK_EQ(driver.unlistened, 1);
    driver_close(&driver);
}

TEST(D6_a_graceful_end_in_every_state)
{
    check_pairs(check_graceful);
}

/* D6: at the deadline, what is left is reset, and whoever waits for it is told. */
static void check_abort(const struct reading *reading, enum response response)
{
    struct gn_io_memory_peer *peer = arrive(reading, response, true);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    if (driver.unlistened == 0)
        driver_unlisten(&driver, GN_FLAG_ABORT);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_close(peer));
    CHECK_EQ(driver_exchange(&driver, 0)->resets, response == COMPLETE ? 0 : 1);
    CHECK_EQ(driver.unlistened, 1);
    driver_close(&driver);
}

TEST(D6_a_deadline_in_every_state)
{
    check_pairs(check_abort);
}

TEST_MAIN()
