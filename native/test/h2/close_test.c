#include "h2/peer.h"

/*
 * How a connection ends: gracefully, by an abort, by a time limit, by the client's GOAWAY, and by its end amid something.
 */

#define SLOT (2 * GN_TIMER_SLOT_NANOSECONDS)
#define EMPTY_OK(stream) "HEADERS " #stream " END :status: 200 | content-length: 0\n"
#define GOING "GOAWAY 2147483647 NO_ERROR\nPING\n"

static struct driver driver;
static struct peer peer;
static char bytes[200000];

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
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

/* Moves the clock by seconds, a second at a time. */
static void wait_for(unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++)
        driver_advance(&driver, SECOND);
    driver_advance(&driver, SLOT);
    peer_send(&peer);
}

/* ---- gracefully ---- */

static void close_gracefully(unsigned how)
{
    if (how == 0)
        driver_unlisten(&driver, 0);
    else
        driver_command(
            &driver, (struct gn_command){.kind = GN_COMMAND_CLOSE, .subject = driver_exchange(&driver, 0)->connection});
}

TEST(H14_in_two_steps)
{
    for (unsigned how = 0; how < 2; how++) {
        struct driver_exchange *exchange = begin_with(0, PEER_POST);
        close_gracefully(how);
        EXPECT(&peer, GOING);
        peer_get(&peer, 3); // which the client sent before it knew
        EXPECT(&peer, "");
        CHECK_EQ(driver.exchange_count, 2);
        peer_pong(&peer);
        EXPECT(&peer, "GOAWAY 3 NO_ERROR\n");
        peer_headers(&peer, 5, GN_H2_END_STREAM, PEER_GET "+sync: x\n"); // and this one it should not have
        peer_data(&peer, 1, 0, "go on");
        EXPECT(&peer, "");
        CHECK_EQ(driver.exchange_count, 2);
        CHECK_EQ(exchange->body_length, 5);
        peer_headers(&peer, 1, GN_H2_END_STREAM, "=62\n"); // compression is in step
        EXPECT(&peer, "");
        CHECK(exchange->ended && exchange->trailers != NULL);
        driver_answer(&driver, driver_exchange(&driver, 1), "");
        EXPECT(&peer, EMPTY_OK(3));
        CHECK(!peer.saw_end);
        driver_answer(&driver, exchange, "");
        EXPECT(&peer, EMPTY_OK(1) "FIN\n");
        CHECK_EQ(exchange->resets, 0);
        end();
    }
}

TEST(H14_an_idle_connection)
{
    begin();
    driver_unlisten(&driver, 0);
    EXPECT(&peer, GOING);
    peer_pong(&peer);
    EXPECT(&peer, "GOAWAY 0 NO_ERROR\nFIN\n");
    gn_io_memory_finish(peer.end);
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 1);
    driver.listener = 0;
    end();
}

TEST(H14_a_client_that_does_not_answer_the_PING)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    driver_unlisten(&driver, 0);
    EXPECT(&peer, GOING);
    driver_answer(&driver, exchange, "");
    EXPECT(&peer, EMPTY_OK(1));
    wait_for(60);
    CHECK(peer.saw_end);
    end();
}

TEST(H14_asked_for_twice)
{
    begin_with(GN_H2_END_STREAM, PEER_GET);
    close_gracefully(1);
    EXPECT(&peer, GOING);
    close_gracefully(1);
    EXPECT(&peer, "");
    close_gracefully(0);
    EXPECT(&peer, "");
    peer_ping(&peer, GN_H2_ACK, "no, this"); // another one
    EXPECT(&peer, "");
    peer_pong(&peer);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    close_gracefully(1);
    EXPECT(&peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    EXPECT(&peer, EMPTY_OK(1) "FIN\n");
    end();
}

TEST(H14_before_the_beginning_is_complete)
{
    for (unsigned i = 0; i < 4; i++) {
        static const size_t lengths[] = {0, 5, 24, 24 + 9};
        driver_prepare(&driver);
        driver_open(&driver);
        peer_connect(&peer, &driver);
        peer_preface(&peer);
        peer_settings(&peer, NULL);
        peer.out_length = lengths[i];
        peer_send(&peer);
        driver_unlisten(&driver, 0);
        peer_send(&peer);
        if (!peer.saw_end) { // it goes on, and ends as any other
            peer_forget(&peer);
            peer_pong(&peer);
            peer_send(&peer);
        }
        if (!peer.saw_end)
            wait_for(60);
        CHECK(peer.saw_end);
        end();
    }
}

TEST(CLOSE_at_a_response)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "", 0);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->ended);
    CHECK(strstr(peer.text, "GOAWAY ") != NULL);
    peer_forget(&peer);
    peer_pong(&peer);
    peer_send(&peer);
    CHECK(peer.saw_end);
    end();
}

TEST(the_last_of_the_requests_that_a_connection_may_have)
{
    driver_prepare(&driver);
    driver.shared->listener.requests = 2;
    peer_start(&peer, &driver);
    for (uint32_t stream = 1; stream <= 7; stream += 2)
        peer_get(&peer, stream);
    peer_send(&peer);
    CHECK(strstr(peer.text, "GOAWAY ") != NULL);
    for (size_t i = 0; i < driver.exchange_count; i++)
        driver_answer(&driver, driver_exchange(&driver, i), "");
    peer_pong(&peer);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->ended && peer_stream(&peer, 3)->ended);
    CHECK(peer.saw_end);
    end();
}

/* ---- at once ---- */

TEST(an_abort_ends_everything)
{
    for (unsigned how = 0; how < 2; how++) {
        struct driver_exchange *exchange = begin_with(0, PEER_POST);
        peer_get(&peer, 3);
        peer_send(&peer);
        driver_respond(&driver, driver_exchange(&driver, 1), 200, 0, -1, bytes, 100000);
        peer_send(&peer);
        if (how == 0)
            driver_unlisten(&driver, GN_FLAG_ABORT);
        else
            driver_command(
                &driver,
                (struct gn_command){.kind = GN_COMMAND_CLOSE, .flags = GN_FLAG_ABORT, .subject = exchange->connection});
        peer_send(&peer);
        CHECK(peer.saw_end);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(driver_exchange(&driver, 1)->resets, 1);
        end();
    }
}

TEST(H20_a_connection_error_wakes_every_stream)
{
    begin();
    for (uint32_t stream = 1; stream <= 9; stream += 2)
        peer_headers(&peer, stream, stream % 4 == 1 ? GN_H2_END_STREAM : 0, PEER_POST);
    peer_send(&peer);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, bytes, 100000);
    peer_send(&peer);
    peer_forget(&peer);
    peer_data(&peer, 0, 0, "");
    EXPECT_GOAWAY(&peer, 9, GN_H2_PROTOCOL_ERROR);
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ(driver_exchange(&driver, i)->resets, 1);
        CHECK_EQ(driver_exchange(&driver, i)->reset_reason, GN_REASON_HTTP_2_ERROR);
    }
    end();
}

TEST(D7_what_was_complete_goes_out_before_GOAWAY)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    driver_answer(&driver, exchange, "hello");
    peer_data(&peer, 0, 0, "");
    EXPECT(&peer, "HEADERS 1 :status: 200 | content-length: 5\nDATA 1 END hello\nGOAWAY 1 PROTOCOL_ERROR\nFIN\n");
    end();
}

/* ---- time ---- */

TEST(E5_an_idle_connection)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    wait_for(100); // not idle
    CHECK(!peer.saw_end);
    driver_answer(&driver, exchange, "");
    EXPECT(&peer, EMPTY_OK(1));
    wait_for(74);
    EXPECT(&peer, "");
    wait_for(2);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\nFIN\n");
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_IDLE_TIMEOUT), 1);
    CHECK_EQ(driver.shared->counters.timeouts, 1);
    end();
}

TEST(E2_pings_do_not_keep_a_connection)
{
    begin();
    for (unsigned i = 0; i < 80 && !peer.saw_end; i++) {
        peer_ping(&peer, 0, "12345678");
        wait_for(1);
    }
    CHECK(peer.saw_end);
    CHECK_EQ(driver.shared->counters.timeouts, 1);
    end();
}

TEST(J8_E2_a_field_block_that_does_not_end_in_time)
{
    begin();
    size_t length;
    uint8_t *block = peer_block(PEER_GET, &length);
    peer_frame(&peer, GN_H2_HEADERS, 0, 1, block, length);
    for (unsigned i = 0; i < 31 && !peer.saw_end; i++) {
        peer_frame(&peer, GN_H2_CONTINUATION, 0, 1, NULL, 0); // trickling does not help
        wait_for(1);
    }
    free(block);
    CHECK(peer.saw_end);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_HEAD_TIMEOUT), 1);
    end();
}

TEST(J8_E2_a_frame_that_does_not_end_in_time)
{
    static const uint8_t headers[] = {0, 0, 50, GN_H2_HEADERS, GN_H2_END_HEADERS, 0, 0, 0, 1};
    begin();
    peer_raw(&peer, headers, sizeof(headers));
    for (unsigned i = 0; i < 31 && !peer.saw_end; i++) {
        peer_raw(&peer, "\x82", 1);
        wait_for(1);
    }
    CHECK(peer.saw_end);
    CHECK_EQ(driver.shared->counters.timeouts, 1);
    end();
}

TEST(E5_a_body_that_Java_waits_for)
{
    for (unsigned pings = 0; pings < 2; pings++) {
        struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(1000));
        peer_get(&peer, 3);
        peer_send(&peer);
        for (unsigned i = 0; i < 29; i++) {
            if (pings)
                peer_ping(&peer, 0, "12345678");
            wait_for(1);
        }
        CHECK_EQ(exchange->resets, 0);
        wait_for(3);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_BODY_TIMEOUT);
        CHECK_EQ(exchange->reset_status, 408);
        peer_forget(&peer);
        driver_answer(&driver, driver_exchange(&driver, 1), ""); // the connection is not concerned
        EXPECT(&peer, EMPTY_OK(3));
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(E5_a_body_without_a_length_may_be_a_conversation)
{
    driver_prepare(&driver);
    driver.shared->listener.tunnel_timeout = 100 * SECOND;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    for (unsigned i = 0; i < 5; i++) {
        wait_for(90);
        peer_data(&peer, 1, 0, "a message");
        EXPECT(&peer, "");
    }
    CHECK_EQ(exchange->resets, 0);
    wait_for(200);
    CHECK_EQ(exchange->resets, 1);
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(E5_a_conversation_goes_on_while_this_side_talks)
{
    driver_prepare(&driver);
    driver.shared->listener.tunnel_timeout = 100 * SECOND;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, -1, "", 0);
    peer_send(&peer);
    for (unsigned i = 0; i < 5; i++) {
        wait_for(90);
        driver_data(&driver, exchange, 0, "a message", 9);
        peer_send(&peer);
    }
    CHECK_EQ(exchange->resets, 0);
    wait_for(200);
    CHECK_EQ(exchange->resets, 1);
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(E5_a_body_that_Java_does_not_wait_for)
{
    driver_prepare(&driver);
    driver.shared->listener.receive_credit = 10;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST_OF(1000));
    peer_data(&peer, 1, 0, "more than ten bytes");
    peer_send(&peer);
    wait_for(200);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(E5_a_body_at_its_rate)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(100000));
    for (unsigned i = 0; i < 100; i++) {
        peer_data_filled(&peer, 1, 0, 300);
        wait_for(1);
    }
    CHECK_EQ(exchange->resets, 0);
    CHECK_EQ(exchange->body_length, 30000);
    end();
}

TEST(E5_a_client_that_reads_nothing)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    gn_io_memory_room(peer.end, 0);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, 10000);
    for (unsigned i = 0; i < 70; i++)
        driver_advance(&driver, SECOND);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_WRITE_TIMEOUT);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_WRITE_TIMEOUT), 1);
    end();
}

static void begin_with_pings(void)
{
    driver_prepare(&driver);
    driver.shared->listener.ping_interval = 10 * SECOND;
    driver.shared->listener.ping_timeout = 5 * SECOND;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, GN_H2_END_STREAM, PEER_GET);
    EXPECT(&peer, "");
}

TEST(H13_a_silent_client_is_asked_for_a_sign_of_life)
{
    begin_with_pings();
    for (unsigned i = 0; i < 5; i++) {
        wait_for(9);
        EXPECT(&peer, "");
        wait_for(1);
        EXPECT(&peer, "PING\n");
        wait_for(4);
        peer_pong(&peer);
        EXPECT(&peer, "");
    }
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    for (unsigned i = 0; i < 30; i++) { // who speaks is not asked
        peer_window_update(&peer, 0, 1);
        wait_for(1);
        EXPECT(&peer, "");
    }
    end();
}

TEST(H13_a_dead_client_is_found)
{
    begin_with_pings();
    wait_for(10);
    EXPECT(&peer, "PING\n");
    wait_for(4);
    EXPECT(&peer, "");
    wait_for(2);
    CHECK(peer.saw_end);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_PING_TIMEOUT);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_PING_TIMEOUT), 1);
    end();
}

TEST(settings_that_nobody_acknowledges)
{
    driver_prepare(&driver);
    driver_open(&driver);
    peer_connect(&peer, &driver);
    peer_preface(&peer);
    peer_settings(&peer, NULL);
    peer_get(&peer, 1);
    peer_send(&peer);
    wait_for(29);
    CHECK(!peer.saw_end);
    wait_for(2);
    EXPECT_GOAWAY(&peer, 1, GN_H2_SETTINGS_TIMEOUT);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_SETTINGS_TIMEOUT);
    end();
}

/* ---- the client's end ---- */

TEST(a_client_that_goes_away_gets_its_answers)
{
    static const uint32_t codes[] = {GN_H2_NO_ERROR, GN_H2_INTERNAL_ERROR};
    for (unsigned i = 0; i < 2; i++) {
        struct driver_exchange *exchange = begin_with(0, PEER_POST);
        peer_goaway(&peer, 0, codes[i]);
        peer_data(&peer, 1, GN_H2_END_STREAM, "body");
        EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
        CHECK(exchange->ended && exchange->resets == 0);
        driver_answer(&driver, exchange, "");
        EXPECT(&peer, EMPTY_OK(1) "FIN\n");
        end();
    }
}

TEST(H20_D5_the_clients_end_amid_requests)
{
    for (unsigned half_close = 0; half_close < 2; half_close++) {
        driver_prepare(&driver);
        driver.shared->listener.half_close = half_close;
        peer_start(&peer, &driver);
        peer_get(&peer, 1);
        peer_headers(&peer, 3, 0, PEER_POST);
        peer_data(&peer, 3, 0, "some");
        EXPECT(&peer, "");
        gn_io_memory_finish(peer.end);
        driver_settle(&driver);
        struct driver_exchange *get = driver_exchange(&driver, 0), *post = driver_exchange(&driver, 1);
        CHECK_EQ(post->resets, 1);
        CHECK_EQ(get->resets, !half_close);
        if (half_close) {
            CHECK_EQ(post->reset_reason, GN_REASON_BODY_CUT);
            driver_answer(&driver, get, "");
            peer_send(&peer);
            CHECK(strstr(peer.text, EMPTY_OK(1)) != NULL);
        }
        driver_release(&driver, post);
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_close(peer.end));
        end();
    }
}

TEST(H20_the_clients_end_where_an_answer_waits_for_a_window)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, 100000);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 65535);
    gn_io_memory_finish(peer.end); // so the window never opens
    wait_for(70);
    CHECK_EQ(exchange->resets, 1);
    CHECK(peer.saw_end);
    end();
}

TEST(D4_the_clients_end_anywhere)
{
    size_t length = 1;
    for (size_t at = 0; at <= length; at++) {
        driver_prepare(&driver);
        driver_open(&driver);
        peer_connect(&peer, &driver);
        peer_preface(&peer);
        peer_settings(&peer, NULL);
        peer_headers_in_pieces(&peer, 1, 0, PEER_POST, 2);
        peer_data(&peer, 1, 0, "body");
        peer_headers(&peer, 1, GN_H2_END_STREAM, "t: u\n");
        length = peer.out_length;
        peer.out_length = at;
        peer_send(&peer);
        gn_io_memory_finish(peer.end);
        driver_settle(&driver);
        for (size_t i = 0; i < driver.exchange_count; i++) {
            CHECK_EQ(driver_exchange(&driver, i)->resets, at < length);
            driver_answer(&driver, driver_exchange(&driver, i), "");
        }
        peer_send(&peer);
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_close(peer.end));
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        end();
    }
}

TEST(H22_an_idle_client_that_ends_is_no_error)
{
    begin();
    gn_io_memory_finish(peer.end);
    driver_settle(&driver);
    CHECK(gn_io_memory_saw_close(peer.end));
    for (unsigned reason = 1; reason < GN_REASON_LIMIT; reason++)
        CHECK(reason == GN_REASON_PEER_CLOSED || peer_reason_count(&driver, reason) == 0);
    end();
}

TEST(H20_a_broken_connection_wakes_every_stream)
{
    begin();
    for (uint32_t stream = 1; stream <= 9; stream += 2)
        peer_headers(&peer, stream, stream % 4 == 1 ? GN_H2_END_STREAM : 0, PEER_POST);
    peer_send(&peer);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, bytes, 100000);
    peer_send(&peer);
    peer_forget(&peer);
    gn_io_memory_reset(peer.end);
    driver_settle(&driver);
    for (size_t i = 0; i < 5; i++) {
        CHECK_EQ(driver_exchange(&driver, i)->resets, 1);
        CHECK_EQ(driver_exchange(&driver, i)->reset_reason, GN_REASON_PEER_RESET);
    }
    end();
}

/* ---- time limits of responses ---- */

/* With a request whose response may send so much. */
static struct driver_exchange *begin_with_window(uint32_t window)
{
    driver_prepare(&driver);
    peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, window}, {0, 0}});
    peer_get(&peer, 1);
    EXPECT(&peer, "");
    return driver_exchange(&driver, 0);
}

TEST(E5_a_stream_with_nothing_to_send_is_not_slow)
{
    struct driver_exchange *exchange = begin_with_window(0);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, 100);
    wait_for(1);
    peer_window_update(&peer, 1, 100); // all that there is, and its window is used up again
    peer_send(&peer);
    wait_for(200);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 100);
    CHECK_EQ(exchange->resets, 0);
    driver_data(&driver, exchange, 0, bytes, 100); // and its time begins now
    wait_for(25);
    CHECK_EQ(exchange->resets, 0);
    wait_for(10);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_WINDOW_TIMEOUT);
    end();
}

TEST(E5_a_response_at_its_rate)
{
    struct driver_exchange *exchange = begin_with_window(0);
    driver_respond(&driver, exchange, 200, GN_FLAG_END, -1, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 100; i++) {
        peer_window_update(&peer, 1, 300);
        wait_for(1);
    }
    CHECK(!peer_stream(&peer, 1)->reset);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 30000);
    end();
}

TEST(E5_what_left_at_once_is_no_progress_of_what_waits)
{
    struct driver_exchange *exchange = begin_with_window(20000);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, 30000);
    wait_for(33);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 20000);
    end();
}

TEST(E5_J7_the_connections_window_holds_a_response_up_as_well)
{
    struct driver_exchange *exchange = begin_with_window(1 << 20);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, sizeof(bytes));
    peer_send(&peer);
    wait_for(70);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 65535);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_WINDOW_TIMEOUT);
    end();
}

TEST(D4_a_client_that_ends_amid_a_frame_is_counted)
{
    begin();
    peer_raw(&peer, "abc", 3);
    peer_send(&peer);
    gn_io_memory_finish(peer.end);
    driver_settle(&driver);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_HEAD_CUT), 1);
    end();
}

TEST(H14_DATA_on_a_stream_of_the_servers_is_an_error_at_any_time)
{
    begin_with(GN_H2_END_STREAM, PEER_GET);
    close_gracefully(1);
    EXPECT(&peer, GOING);
    peer_pong(&peer);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    peer_headers(&peer, 3, 0, PEER_POST);
    peer_data(&peer, 3, 0, "of a stream that GOAWAY left out");
    EXPECT_ALIVE(&peer);
    peer_data(&peer, 2, 0, "x");
    EXPECT_GOAWAY(&peer, 1, GN_H2_PROTOCOL_ERROR);
    end();
}

TEST(H14_the_clients_GOAWAY_amid_both_steps)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    close_gracefully(1);
    EXPECT(&peer, GOING);
    peer_goaway(&peer, 0, GN_H2_NO_ERROR);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    driver_answer(&driver, exchange, "");
    EXPECT(&peer, EMPTY_OK(1) "FIN\n");
    end();
}

TEST(CLOSE_at_a_prepared_response)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    struct driver_staged none = {.length = 0};
    driver_keep(&driver, gn_id(0, 7), (struct gn_command){.value = 0}, &none, "", 0);
    driver_send_kept(&driver, exchange, GN_FLAG_CLOSE | GN_FLAG_RELEASE, gn_id(0, 7));
    driver_forget(&driver, gn_id(0, 7));
    EXPECT(&peer, GOING EMPTY_OK(1));
    end();
}

TEST(H14_frames_of_streams_that_GOAWAY_left_out_are_ignored)
{
    begin_with(GN_H2_END_STREAM, PEER_GET);
    close_gracefully(1);
    EXPECT(&peer, GOING);
    peer_pong(&peer);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    peer_headers(&peer, 3, 0, PEER_POST);
    peer_data(&peer, 3, 0, "a body");
    peer_headers(&peer, 3, GN_H2_END_STREAM, "t: u\n");
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 1);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(the_first_GOAWAY_comes_with_the_last_request)
{
    driver_prepare(&driver);
    driver.shared->listener.requests = 2;
    peer_start(&peer, &driver);
    peer_get(&peer, 1);
    EXPECT(&peer, "");
    peer_get(&peer, 3);
    EXPECT(&peer, GOING);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_LAST_REQUEST), 1);
    end();
}

TEST(B19_a_body_that_waits_for_100_is_not_slow)
{
    struct driver_exchange *exchange = begin_with(0, PEER_POST_OF(3) "expect: 100-continue\n");
    wait_for(40);
    CHECK_EQ(exchange->resets, 0);
    end();
}

TEST(E5_a_body_that_Java_waits_for_again)
{
    driver_prepare(&driver);
    driver.shared->listener.receive_credit = 10;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST_OF(1000));
    peer_data(&peer, 1, 0, "0123456789");
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    wait_for(100);
    CHECK_EQ(exchange->resets, 0);
    driver_credit(&driver, exchange);
    wait_for(65); // at the latest after twice the time
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_BODY_TIMEOUT);
    CHECK_EQ(driver.shared->counters.timeouts, 1);
    end();
}

TEST(H14_the_last_stream_of_GOAWAY_never_grows)
{
    begin_with(GN_H2_END_STREAM, PEER_GET);
    close_gracefully(1);
    EXPECT(&peer, GOING);
    peer_pong(&peer);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    peer_get(&peer, 3); // left out, so the client may have sent it elsewhere
    peer_number(&peer, GN_H2_WINDOW_UPDATE, 0, 0);
    EXPECT_GOAWAY(&peer, 1, GN_H2_PROTOCOL_ERROR);
    end();
}

TEST(H14_a_stream_that_was_served_and_is_over_stays_so_behind_GOAWAY)
{
    begin_with(GN_H2_END_STREAM, PEER_GET);
    peer_get(&peer, 3);
    EXPECT(&peer, "");
    close_gracefully(1);
    EXPECT(&peer, GOING);
    peer_pong(&peer);
    EXPECT(&peer, "GOAWAY 3 NO_ERROR\n");
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    EXPECT(&peer, EMPTY_OK(1));
    peer_headers(&peer, 1, GN_H2_END_STREAM, "t: u\n");
    EXPECT_GOAWAY(&peer, 3, GN_H2_STREAM_CLOSED);
    end();
}

TEST_MAIN()
