/*
 * Responses that are whole for the peer before their handler ends them: what is behind them goes on, and the exchange
 * hears of its connection's end all the same.
 */
#include "h1/reply.h"
#include "loop/driver.h"

#define HEAD "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n"
#define HEAD_CLOSE "HEAD / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
#define WHOLE_HEAD "HTTP/1.1 200 OK\r\n\r\n"

static struct driver driver;

static const struct kind {
    const char *request;
    uint16_t status;
    int64_t length;
    const char *wire;
} KINDS[] = {
    {HEAD, 200, -1, WHOLE_HEAD},
    {HEAD, 200, 9, OK(9)},
    {GET, 204, -1, "HTTP/1.1 204 No Content\r\n\r\n"},
    {GET, 205, -1, "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n"},
    {GET, 304, -1, "HTTP/1.1 304 Not Modified\r\n\r\n"},
    {GET, 200, 0, OK(0)},
    {GET, 200, 2, OK(2) "ab"},
};

#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

/* The response of a kind, but for its end: in one record, or its last bytes in another one. */
static void begin(const struct kind *kind, size_t number, bool apart, uint8_t flags)
{
    struct driver_exchange *exchange = driver_exchange(&driver, number);
    const char *body = kind->length == 2 ? "ab" : "";
    driver_respond(&driver, exchange, kind->status, flags, kind->length, body, apart ? 0 : strlen(body));
    if (apart) {
        driver_settle(&driver);
        driver_data(&driver, exchange, 0, body, strlen(body));
    }
    driver_settle(&driver);
}

static void answer(size_t number)
{
    driver_answer(&driver, driver_exchange(&driver, number), "x");
    driver_settle(&driver);
}

static void write_and_settle(struct gn_io_memory_peer *peer, const char *text)
{
    driver_write(&driver, peer, text);
    driver_settle(&driver);
}

/* A connection with an exchange that is set aside. */
static struct gn_io_memory_peer *start_aside(uint8_t flags)
{
    struct gn_io_memory_peer *peer = driver_begin(&driver, HEAD);
    begin(&KINDS[0], 0, false, flags);
    CHECK_READ(&driver, peer, WHOLE_HEAD);
    return peer;
}

enum ending { BY_END, BY_TRAILERS, BY_END_AND_RELEASE, BY_RELEASE, BY_RESET, ENDINGS };

static void end_first(enum ending ending)
{
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    struct driver_staged none = {.length = 0}, fields = {.length = 0};
    driver_field(&fields, 0, "x-end", "yes");
    if (ending == BY_END)
        driver_data(&driver, exchange, GN_FLAG_END, "", 0);
    else if (ending == BY_TRAILERS)
        driver_trailers(&driver, exchange, &fields);
    else if (ending == BY_END_AND_RELEASE)
        driver_say_last(&driver, exchange, true, (struct gn_command){.kind = GN_COMMAND_DATA, .flags = GN_FLAG_END},
                        &none, NULL, 0);
    else if (ending == BY_RELEASE)
        driver_release(&driver, exchange);
    else
        driver_reset(&driver, exchange);
    driver_settle(&driver);
}

/* The next request, whenever it comes, is answered, and however the first one ends does no harm. */
static void check_next(const struct kind *kind, enum ending ending, bool pipelined, bool apart)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, kind->request);
    if (pipelined)
        write_and_settle(peer, GET);
    begin(kind, 0, apart, 0);
    CHECK_READ(&driver, peer, kind->wire);
    if (!pipelined)
        write_and_settle(peer, GET);
    REQUIRE(driver.exchange_count == 2);
    answer(1);
    CHECK_READ(&driver, peer, OK(1) "x");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->resets, 0);
    end_first(ending);
    CHECK_READ(&driver, peer, "");
    CHECK_EQ(exchange->resets, ending == BY_RESET ? 1 : 0);
    CHECK_EQ(driver.shared->counters.exchanges_reset, ending >= BY_RELEASE ? 1 : 0);
    CHECK_EQ(driver.shared->counters.responses, ending >= BY_RELEASE ? 1 : 2);
    write_and_settle(peer, GET);
    answer(2);
    CHECK_READ(&driver, peer, OK(1) "x");
    CHECK(!gn_io_memory_saw_end(peer));
    driver_close(&driver);
}

TEST(D1_D2_C7_C8_a_response_that_is_whole_holds_up_nobody)
{
    for (size_t i = 0; i < KIND_COUNT * ENDINGS * 4; i++)
        check_next(&KINDS[i / 4 / ENDINGS], (enum ending)(i / 4 % ENDINGS), i & 1, i & 2);
}

TEST(D1_cut_at_every_offset)
{
    static const char text[] = HEAD GET POST(2) "ab" HEAD GET;
    for (size_t cut = 0; cut < sizeof(text); cut++) {
        driver_prepare(&driver);
        driver.late = cut % 2;
        struct gn_io_memory_peer *peer = driver_begin(&driver, "");
        driver_write_bytes(&driver, peer, text, cut);
        driver_settle(&driver);
        if (driver.exchange_count > 0)
            begin(&KINDS[0], 0, false, 0);
        driver_write_bytes(&driver, peer, text + cut, sizeof(text) - 1 - cut);
        driver_settle(&driver);
        REQUIRE(driver.exchange_count == 5);
        if (gn_io_memory_sent(peer, NULL) == 0)
            begin(&KINDS[0], 0, false, 0);
        begin(&KINDS[4], 1, false, 0);
        begin(&KINDS[6], 2, true, 0);
        begin(&KINDS[1], 3, false, 0);
        answer(4);
        CHECK_READ(&driver, peer, WHOLE_HEAD "HTTP/1.1 304 Not Modified\r\n\r\n" OK(2) "ab" OK(9) OK(1) "x");
        driver_close(&driver);
    }
}

TEST(D2_whole_ones_that_wait_for_their_turn_leave_with_it)
{
    struct gn_io_memory_peer *peer = driver_start_with(&driver, GET HEAD GET HEAD);
    begin(&KINDS[0], 3, false, 0);
    begin(&KINDS[6], 2, true, 0);
    begin(&KINDS[1], 1, false, 0);
    CHECK_READ(&driver, peer, "");
    answer(0);
    CHECK_READ(&driver, peer, OK(1) "x" OK(9) OK(2) "ab" WHOLE_HEAD);
    for (size_t i = 4; i-- > 1;)
        driver_data(&driver, driver_exchange(&driver, i), GN_FLAG_END, "", 0);
    write_and_settle(peer, GET);
    answer(4);
    CHECK_READ(&driver, peer, OK(1) "x");
    driver_close(&driver);
}

TEST(a_prepared_response_goes_on_behind_it)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = start_aside(0);
    struct driver_staged none = {.length = 0};
    driver_keep(&driver, gn_id(1, 1), (struct gn_command){.value = 4}, &none, "kept", 4);
    write_and_settle(peer, GET);
    driver_send_kept(&driver, driver_exchange(&driver, 1), GN_FLAG_RELEASE, gn_id(1, 1));
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(4) "kept");
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, gn_id(1, 1)); // it has a response
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.commands_rejected, 1);
    driver.shared->counters.commands_rejected = 0;
    CHECK_READ(&driver, peer, "");
    driver_close(&driver);
}

TEST(what_is_said_behind_it_gets_its_credit_back_and_no_more)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = start_aside(0);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    static uint8_t body[40000];
    for (unsigned i = 1; i <= 8; i++) {
        driver_data(&driver, exchange, 0, body, sizeof(body));
        driver_settle(&driver);
        CHECK_EQ(exchange->credits, i * sizeof(body));
    }
    driver_data(&driver, exchange, GN_FLAG_END, body, sizeof(body));
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    CHECK_EQ(driver.shared->counters.responses, 1);
    driver_close(&driver);
}

TEST(C5_more_than_the_length_is_refused_and_costs_nobody_else)
{
    for (unsigned pipelined = 0; pipelined < 2; pipelined++) {
        struct gn_io_memory_peer *peer = driver_start_with(&driver, pipelined ? GET GET : GET);
        if (pipelined)
            begin(&KINDS[6], 1, false, 0); // whole, though not sent
        else
            begin(&KINDS[6], 0, false, 0);
        struct driver_exchange *exchange = driver_exchange(&driver, pipelined);
        driver_data(&driver, exchange, 0, "c", 1);
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_RESPONSE_CUT);
        CHECK_EQ(driver.shared->counters.commands_rejected, 1);
        driver.shared->counters.commands_rejected = 0;
        if (pipelined)
            answer(0);
        CHECK_READ(&driver, peer, pipelined ? OK(1) "x" OK(2) "ab" : OK(2) "ab");
        write_and_settle(peer, GET);
        answer(1 + pipelined);
        CHECK_READ(&driver, peer, OK(1) "x");
        driver_close(&driver);
    }
}

TEST(SENT_says_that_the_bytes_are_gone_whether_it_is_ended_or_not)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, HEAD);
    gn_io_memory_room(peer, 5);
    begin(&KINDS[0], 0, false, GN_FLAG_NOTIFY);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->sents, 0);
    driver_read(&driver, peer, NULL);
    gn_io_memory_room(peer, 100);
    driver_settle(&driver);
    CHECK_EQ(exchange->sents, 1);
    CHECK_EQ(exchange->sent_reason, GN_REASON_NONE);
    end_first(BY_END);
    CHECK_EQ(exchange->sents, 1);
    driver_close(&driver);
}

TEST(SENT_does_not_follow_a_RESET)
{
    for (unsigned reset = 0; reset < 2; reset++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = driver_begin(&driver, HEAD);
        gn_io_memory_room(peer, 5);
        begin(&KINDS[0], 0, false, GN_FLAG_NOTIFY);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        end_first(reset ? BY_RESET : BY_END);
        CHECK_EQ(exchange->sents, 0);
        gn_io_memory_room(peer, 100);
        driver_settle(&driver);
        CHECK_EQ(exchange->sents, reset ? 0 : 1);
        CHECK_EQ(exchange->resets, reset);
        driver_close(&driver);
    }
}

/* ---- the request ---- */

#define HEAD_BODY "HEAD / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\n"

TEST(its_body_goes_on_to_Java_under_credit)
{
    static const char *const requests[] = {HEAD_BODY,
                                           "HEAD / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"};
    static const char *const firsts[] = {"abc", "3\r\nabc\r\n"};
    static const char *const rests[] = {"def" GET, "3\r\ndef\r\n0\r\nt: u\r\n\r\n" GET};
    for (unsigned i = 0; i < 4; i++) {
        driver_prepare(&driver);
        driver.hold_bodies = true;
        driver.shared->listener.receive_credit = 3;
        struct gn_io_memory_peer *peer = driver_begin(&driver, requests[i & 1]);
        write_and_settle(peer, firsts[i & 1]);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        begin(&KINDS[0], 0, false, 0);
        CHECK_READ(&driver, peer, WHOLE_HEAD);
        write_and_settle(peer, rests[i & 1]);
        CHECK(!exchange->ended);
        CHECK_EQ(driver.exchange_count, 1); // the rest waits for credit
        if (i < 2) {
            driver_credit(&driver, exchange);
            driver_settle(&driver);
            CHECK(exchange->ended);
            CHECK_BYTES(exchange->body, exchange->body_length, "abcdef");
        } else {
            end_first(BY_END); // what is left is dropped
        }
        CHECK_EQ(driver.exchange_count, 2);
        answer(1);
        CHECK_READ(&driver, peer, OK(1) "x");
        driver_close(&driver);
    }
}

TEST(B17_its_body_can_fail)
{
    for (unsigned half = 0; half < 2; half++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = driver_begin(&driver, HEAD_BODY "abc");
        begin(&KINDS[0], 0, false, 0);
        if (half)
            gn_io_memory_finish(peer);
        else
            gn_io_memory_advance(driver.io, 31 * SECOND);
        driver_settle(&driver);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
        CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, half ? GN_REASON_BODY_CUT : GN_REASON_BODY_TIMEOUT);
        CHECK_READ(&driver, peer, WHOLE_HEAD);
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
        driver_close(&driver);
    }
}

TEST(F3_an_offer_was_not_taken)
{
#define OFFER "connection: upgrade\r\nupgrade: echo\r\n"
    for (unsigned body = 0; body < 2; body++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer =
            driver_begin(&driver, body ? "HEAD / HTTP/1.1\r\nhost: h\r\n" OFFER "content-length: 3\r\n\r\nab"
                                       : "HEAD / HTTP/1.1\r\nhost: h\r\n" OFFER "\r\n");
        begin(&KINDS[0], 0, false, 0);
        write_and_settle(peer, body ? "c" GET : GET);
        REQUIRE(driver.exchange_count == 2);
        answer(1);
        CHECK_READ(&driver, peer, WHOLE_HEAD OK(1) "x");
        driver_close(&driver);
    }
}

/* ---- how many ---- */

TEST(the_pipeline_counts_what_the_peer_waits_for)
{
    for (unsigned safe = 0; safe < 2; safe++) {
        driver_prepare(&driver);
        driver.shared->listener.pipeline = 1; // as off the loop
        driver.shared->listener.safe_pipeline = safe;
        struct gn_io_memory_peer *peer = driver_begin(&driver, HEAD POST(1) "a" GET HEAD);
        CHECK_EQ(driver.exchange_count, 1);
        begin(&KINDS[0], 0, false, 0);
        CHECK_EQ(driver.exchange_count, 2);
        begin(&KINDS[6], 1, true, 0); // unsafe, and whole
        CHECK_EQ(driver.exchange_count, 3);
        answer(2);
        CHECK_EQ(driver.exchange_count, 4);
        CHECK_READ(&driver, peer, WHOLE_HEAD OK(2) "ab" OK(1) "x");
        driver_close(&driver);
    }
}

TEST(one_too_many_breaks_the_oldest)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, HEAD);
    for (unsigned i = 0; i < GN_H1_ASIDE_MAX + 3; i++) {
        begin(&KINDS[0], i, false, 0);
        CHECK_READ(&driver, peer, WHOLE_HEAD);
        for (unsigned k = 0; k <= i; k++)
            CHECK_EQ(driver_exchange(&driver, k)->resets, k + GN_H1_ASIDE_MAX <= i ? 1 : 0);
        write_and_settle(peer, HEAD);
    }
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_ABORTED);
    CHECK_EQ(driver_connection(&driver, driver_exchange(&driver, 5))->aside_count, GN_H1_ASIDE_MAX);
    driver_close(&driver);
}

/* ---- the end ---- */

TEST(D5_the_peer_ends_its_side_and_Java_has_a_while)
{
    for (unsigned ended = 0; ended < 2; ended++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = start_aside(0);
        driver_advance(&driver, 20 * SECOND);
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK(!gn_io_memory_saw_end(peer));
        if (ended) {
            end_first(BY_END);
        } else {
            driver_advance(&driver, 4 * SECOND);
            CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
            driver_advance(&driver, 2 * SECOND);
            CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_PEER_CLOSED);
        }
        CHECK_EQ(driver_exchange(&driver, 0)->resets, ended ? 0 : 1);
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        CHECK_EQ(driver.shared->counters.timeouts, 0);
        driver_close(&driver);
    }
}

TEST(D5_without_half_close_Java_hears_of_it_at_once)
{
    driver_prepare(&driver);
    driver.shared->listener.half_close = 0;
    struct gn_io_memory_peer *peer = start_aside(0);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_PEER_CLOSED);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D5_the_end_of_a_peer_whose_offer_is_not_taken)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, "HEAD / HTTP/1.1\r\nhost: h\r\n" OFFER "\r\n");
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    begin(&KINDS[0], 0, false, 0);
    driver_advance(&driver, 6 * SECOND);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_READ(&driver, peer, WHOLE_HEAD);
    CHECK(gn_io_memory_saw_close(peer));
    driver_close(&driver);
}

TEST(a_reset_is_told_at_once_to_each_of_them)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = start_aside(GN_FLAG_NOTIFY);
    write_and_settle(peer, HEAD GET);
    begin(&KINDS[0], 1, false, 0);
    gn_io_memory_reset(peer);
    driver_settle(&driver);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(driver_exchange(&driver, i)->resets, 1);
        CHECK_EQ(driver_exchange(&driver, i)->reset_reason, GN_REASON_PEER_RESET);
    }
    CHECK_EQ(driver_exchange(&driver, 0)->sents, 1);
    CHECK_EQ(driver.shared->counters.exchanges_abandoned, 3);
    end_first(BY_END);
    driver_close(&driver);
}

TEST(E3_a_connection_with_nothing_else_is_idle)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = start_aside(0);
    driver_advance(&driver, 74 * SECOND);
    CHECK(!gn_io_memory_saw_end(peer));
    driver_advance(&driver, 2 * SECOND);
    CHECK(gn_io_memory_saw_close(peer));
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_IDLE_TIMEOUT);
    driver_close(&driver);
}

/* Behind a response that says close there is nothing to go on with: Java has a while to end it, too. */
TEST(D1_the_last_one_of_its_connection)
{
    for (unsigned way = 0; way < 6; way++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = driver_begin(&driver, way & 1 ? HEAD : HEAD_CLOSE);
        begin(&KINDS[0], 0, false, (way & 1 ? GN_FLAG_CLOSE : 0) | GN_FLAG_NOTIFY);
        CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        CHECK_EQ(exchange->sents, 1);
        CHECK(!gn_io_memory_saw_end(peer));
        if (way / 2 == 0)
            end_first(BY_END);
        else if (way / 2 == 1)
            end_first(BY_RELEASE);
        else
            driver_advance(&driver, 6 * SECOND);
        CHECK_EQ(exchange->resets, way / 2 == 2 ? 1 : 0);
        if (way / 2 == 2)
            CHECK_EQ(exchange->reset_reason, GN_REASON_CLOSED_HERE);
        CHECK_EQ(exchange->sents, 1);
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
        driver_close(&driver);
    }
}

TEST(a_slow_reader_of_the_last_one_is_not_cut_off)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET);
    gn_io_memory_room(peer, 10);
    begin(&KINDS[6], 0, false, GN_FLAG_CLOSE);
    driver_advance(&driver, 6 * SECOND);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    gn_io_memory_room(peer, 1000);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(2) "ab");
    driver_advance(&driver, 4 * SECOND);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    end_first(BY_END);
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(the_last_one_behind_it_ends_the_connection)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = start_aside(0);
    write_and_settle(peer, "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    answer(1);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_PEER_CLOSED);
    driver_close(&driver);
}

TEST(it_can_end_while_its_connection_lingers)
{
    for (enum ending ending = BY_END; ending < ENDINGS; ending++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = start_aside(0);
        write_and_settle(peer, "GE T / HTTP/1.1\r\n\r\n");
        CHECK_READ(&driver, peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
        driver_data(&driver, driver_exchange(&driver, 0), 0, "abc", 3);
        end_first(ending);
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        driver_close(&driver);
    }
}

/* What a graceful end finds, and what happens until Java has ended the exchange, or not in time. */
TEST(D6_a_graceful_end_gives_Java_a_while)
{
    enum { ENDED, LATE, ANOTHER, OUTPUT, WAYS };
    for (unsigned way = 0; way < WAYS; way++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = start_aside(0);
        driver_advance(&driver, 20 * SECOND);
        if (way == OUTPUT) {
            gn_io_memory_room(peer, 3);
            write_and_settle(peer, GET);
            answer(1);
        }
        driver_unlisten(&driver, 0);
        driver_settle(&driver);
        CHECK(!gn_io_memory_saw_end(peer));
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
        if (way == ANOTHER) {
            write_and_settle(peer, GET); // it is served
            answer(1);
            CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
        } else if (way == LATE) {
            driver_advance(&driver, 6 * SECOND);
            CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_SHUTDOWN);
        } else {
            gn_io_memory_room(peer, 1000);
            driver_settle(&driver);
            CHECK(!gn_io_memory_saw_end(peer));
            end_first(BY_END);
            CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
            CHECK_READ(&driver, peer, way == OUTPUT ? OK(1) "x" : "");
        }
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK_EQ(driver.unlistened, 1);
        driver_close(&driver);
    }
}

TEST(a_loop_can_stop_meanwhile)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = start_aside(GN_FLAG_NOTIFY);
    write_and_settle(peer, HEAD);
    begin(&KINDS[0], 1, false, 0);
    driver_abandon(&driver);
}

TEST_MAIN()
