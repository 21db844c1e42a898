#include "h2/peer.h"

/*
 * Both windows in both directions (RFC 9113 section 5.2 and 6.9).
 */

#define MANY 200000U

static struct driver driver;
static struct peer peer;
static char bytes[MANY];

/* With small windows of this side, and `initial` as the client's. */
static void begin(uint32_t initial)
{
    memset(bytes, 'b', sizeof(bytes));
    driver_prepare(&driver);
    driver.shared->listener.stream_window = driver.shared->listener.connection_window = 65535;
    peer_start_with(&peer, &driver,
                    (const struct peer_setting[]){{initial == 65535 ? 0 : GN_H2_INITIAL_WINDOW_SIZE, initial}, {0, 0}});
}

static void end(void)
{
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

static struct driver_exchange *get(uint32_t stream)
{
    peer_get(&peer, stream);
    peer_send(&peer);
    return driver_exchange(&driver, driver.exchange_count - 1);
}

static void answer(struct driver_exchange *exchange, size_t length)
{
    driver_respond(&driver, exchange, 200, GN_FLAG_END, -1, bytes, length);
}

/* How much of a response came so far. */
static size_t came(uint32_t stream)
{
    peer_send(&peer);
    return peer_stream(&peer, stream)->body_length;
}

/* ---- what the server sends ---- */

TEST(H6_a_response_keeps_to_both_windows)
{
    begin(65535);
    answer(get(1), MANY);
    CHECK_EQ(came(1), 65535);
    peer_window_update(&peer, 1, 1000);
    CHECK_EQ(came(1), 65535);
    peer_window_update(&peer, 0, 600);
    CHECK_EQ(came(1), 66135);
    peer_window_update(&peer, 0, 600);
    CHECK_EQ(came(1), 66535); // the stream's is shut again
    peer_window_update(&peer, 1, 1);
    CHECK_EQ(came(1), 66536);
    peer_window_update(&peer, 1, MANY);
    peer_window_update(&peer, 0, MANY);
    CHECK_EQ(came(1), MANY);
    CHECK(peer_stream(&peer, 1)->ended);
    end();
}

TEST(H6_windows_that_are_open_before_the_response)
{
    begin(0);
    struct driver_exchange *exchange = get(1);
    peer_window_update(&peer, 1, 3);
    peer_send(&peer);
    answer(exchange, 10);
    EXPECT(&peer, "HEADERS 1 :status: 200 | content-length: 10\nDATA 1 bbb\n");
    peer_window_update(&peer, 1, 7);
    CHECK_EQ(came(1), 10);
    CHECK(peer_stream(&peer, 1)->ended);
    end();
}

TEST(the_end_of_a_stream_needs_no_window)
{
    begin(0);
    struct driver_exchange *exchange = get(1);
    driver_respond(&driver, exchange, 200, 0, -1, "", 0);
    EXPECT(&peer, "HEADERS 1 :status: 200\n");
    driver_data(&driver, exchange, GN_FLAG_END, "", 0);
    EXPECT(&peer, "DATA 1 END\n");
    exchange = get(3);
    driver_respond(&driver, exchange, 200, 0, -1, "", 0);
    struct driver_staged trailers = {.length = 0};
    driver_field(&trailers, 0, "t", "u");
    driver_trailers(&driver, exchange, &trailers);
    EXPECT(&peer, "HEADERS 3 :status: 200\nHEADERS 3 END t: u\n");
    exchange = get(5);
    driver_answer(&driver, exchange, "");
    EXPECT(&peer, "HEADERS 5 END :status: 200 | content-length: 0\n");
    end();
}

TEST(H9_a_window_may_become_negative)
{
    begin(1000);
    answer(get(1), MANY);
    CHECK_EQ(came(1), 1000);
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 400); // 600 below
    CHECK_EQ(came(1), 1000);
    peer_window_update(&peer, 1, 600);
    CHECK_EQ(came(1), 1000);
    peer_window_update(&peer, 1, 1);
    CHECK_EQ(came(1), 1001);
    answer(get(3), MANY);
    CHECK_EQ(came(3), 400); // a new stream has the new size
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 0);
    CHECK_EQ(came(1), 1001);
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 450);
    CHECK_EQ(came(1), 1051);
    CHECK_EQ(came(3), 450);
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 10000);
    CHECK_EQ(came(1), 10601);
    CHECK_EQ(came(3), 10000);
    end();
}

TEST(H9_a_window_that_is_shut_while_the_connections_is_shut)
{
    for (unsigned negative = 0; negative < 2; negative++) {
        size_t before = negative ? 1000 : 0;
        begin(65535);
        answer(get(1), 65535); // takes all of the connection's window
        CHECK_EQ(came(1), 65535);
        answer(get(3), MANY); // its own window is open
        if (negative)
            peer_window_update(&peer, 0, 1000);
        CHECK_EQ(came(3), before);
        peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 0);
        peer_send(&peer);
        unsigned frames = peer_stream(&peer, 3)->frames;
        peer_window_update(&peer, 0, MANY);
        CHECK_EQ(came(3), before);
        CHECK_EQ(peer_stream(&peer, 3)->frames, frames); // no empty ones either
        peer_window_update(&peer, 3, 1100);
        CHECK_EQ(came(3), 1100);
        end();
    }
}

TEST(H9_several_sizes_in_one_SETTINGS)
{
    begin(1000);
    answer(get(1), MANY);
    CHECK_EQ(came(1), 1000);
    peer_settings(&peer, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 5},
                                                       {GN_H2_INITIAL_WINDOW_SIZE, 3000},
                                                       {GN_H2_INITIAL_WINDOW_SIZE, 2000},
                                                       {0, 0}});
    size_t there = came(1);
    CHECK(there >= 2000 && there <= 3000); // in order: 3000 held for a moment
    answer(get(3), MANY);
    CHECK_EQ(came(3), 2000);
    end();
}

TEST(H6_a_size_that_is_too_large_for_a_stream_is_an_error_though_another_one_follows)
{
    begin(65535);
    get(1);
    peer_window_update(&peer, 1, 1);
    peer_settings(&peer, (const struct peer_setting[]){
                             {GN_H2_INITIAL_WINDOW_SIZE, 0x7fffffff}, {GN_H2_INITIAL_WINDOW_SIZE, 1000}, {0, 0}});
    EXPECT_GOAWAY(&peer, 1, GN_H2_FLOW_CONTROL_ERROR);
    end();
}

TEST(H6_windows_may_be_as_large_as_31_bits_and_no_larger)
{
    begin(65535);
    struct driver_exchange *exchange = get(1);
    peer_window_update(&peer, 1, 0x7fffffff - 65535);
    peer_window_update(&peer, 0, 0x7fffffff - 65535);
    EXPECT_ALIVE(&peer);
    peer_window_update(&peer, 1, 1);
    EXPECT(&peer, "RST_STREAM 1 FLOW_CONTROL_ERROR\n");
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_FLOW_CONTROL);
    EXPECT_ALIVE(&peer);
    peer_window_update(&peer, 0, 1);
    EXPECT_GOAWAY(&peer, 1, GN_H2_FLOW_CONTROL_ERROR);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_FLOW_CONTROL), 2);
    end();

    begin(65535);
    get(1);
    peer_window_update(&peer, 1, 0x7fffffff - 65535);
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 65535);
    EXPECT(&peer, "SETTINGS ACK\n");
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 65536); // of the connection (section 6.9.2)
    EXPECT_GOAWAY(&peer, 1, GN_H2_FLOW_CONTROL_ERROR);
    end();
}

TEST(H11_a_stream_that_has_nothing_to_send_pins_no_window)
{
    begin(1000000);
    struct driver_exchange *idle = get(1), *never = get(3), *busy = get(5);
    driver_respond(&driver, idle, 200, 0, -1, "a", 1);
    CHECK_EQ(came(1), 1);
    answer(busy, MANY);
    CHECK_EQ(came(5), 65534);
    peer_rst_stream(&peer, 5, GN_H2_CANCEL); // nor does what it had to send
    driver_data(&driver, idle, 0, "b", 1);
    CHECK_EQ(came(1), 1);
    peer_window_update(&peer, 0, 11);
    CHECK_EQ(came(1), 2);
    answer(never, MANY);
    CHECK_EQ(came(3), 10);
    end();
}

TEST(H10_H11_nor_does_one_whose_own_window_is_shut)
{
    begin(10);
    answer(get(1), MANY);
    answer(get(3), MANY);
    CHECK_EQ(came(1), 10);
    CHECK_EQ(came(3), 10);
    peer_window_update(&peer, 3, MANY);
    CHECK_EQ(came(3), 65535 - 10);
    CHECK_EQ(came(1), 10);
    end();
}

TEST(J7_send_credit_comes_back_with_what_leaves)
{
    begin(65535);
    struct driver_exchange *exchange = get(1);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, MANY);
    CHECK_EQ(came(1), 65535);
    CHECK(exchange->credits <= 65535);
    peer_window_update(&peer, 0, MANY);
    peer_window_update(&peer, 1, MANY);
    CHECK_EQ(came(1), MANY);
    CHECK_EQ(exchange->credits, MANY);
    driver_data(&driver, exchange, GN_FLAG_END, "x", 1);
    CHECK_EQ(came(1), MANY + 1);
    end();
}

TEST(J7_credit_waits_for_a_client_that_does_not_read)
{
    begin(1U << 30);
    peer_window_update(&peer, 0, 1 << 30);
    struct driver_exchange *exchange = get(1);
    gn_io_memory_room(peer.end, 1000);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, MANY);
    driver_settle(&driver);
    CHECK(gn_io_memory_sent(peer.end, NULL) <= 1000);
    CHECK(exchange->credits < MANY);
    CHECK_EQ(came(1), MANY);
    CHECK_EQ(exchange->credits, MANY);
    end();
}

TEST(J7_only_some_responses_begin_with_all_of_their_credit)
{
    begin(65535);
    for (uint32_t i = 0; i < 18; i++)
        CHECK_EQ(get(2 * i + 1)->queued, i >= 16);
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    peer_send(&peer);
    CHECK(!get(37)->queued);
    CHECK(get(39)->queued);
    // One of the others gets some more when its client first takes some of it, once.
    struct driver_exchange *exchange = driver_exchange(&driver, 17);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, 1000);
    CHECK_EQ(came(35), 1000);
    CHECK_EQ(exchange->credits, 1000 + 65536 - GN_QUEUED_SEND_CREDIT);
    driver_data(&driver, exchange, 0, bytes, 500);
    CHECK_EQ(came(35), 1500);
    CHECK_EQ(exchange->credits, 1500 + 65536 - GN_QUEUED_SEND_CREDIT);
    end();
}

/* ---- what it receives ---- */

/* Sends a body on a stream: what the client may still send then by the connection's window and the stream's. */
struct left {
    int64_t connection, stream;
};

static struct left left_after(uint32_t stream, uint64_t *sent, uint64_t *sent_in_all, size_t length)
{
    peer_data_filled(&peer, stream, 0, length);
    *sent += length;
    if (sent_in_all != sent)
        *sent_in_all += length;
    peer_send(&peer);
    return (struct left){65535 + (int64_t)peer.credit - (int64_t)*sent_in_all,
                         65535 + (int64_t)peer_stream(&peer, stream)->credit - (int64_t)*sent};
}

TEST(windows_come_back_with_what_was_delivered)
{
    begin(65535);
    uint64_t sent = 0;
    peer_headers(&peer, 1, 0, PEER_POST);
    for (unsigned i = 0; i < 40; i++) {
        struct left left = left_after(1, &sent, &sent, 16000);
        CHECK(left.connection > 32767 && left.connection <= 65535);
        CHECK(left.stream > 32767 && left.stream <= 65535);
    }
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, sent);
    end();
}

TEST(a_little_is_not_worth_a_WINDOW_UPDATE)
{
    begin(65535);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_data_filled(&peer, 1, 0, 32000);
    EXPECT(&peer, "");
    peer_data_filled(&peer, 1, GN_H2_END_STREAM, 1000);
    EXPECT(&peer, "WINDOW_UPDATE 0 33000\n"); // and none for a stream that sends nothing any more
    end();
}

TEST(B22_windows_do_not_come_back_for_what_Java_has_no_credit_for)
{
    driver_prepare(&driver);
    driver.shared->listener.stream_window = driver.shared->listener.connection_window = 65535;
    driver.shared->listener.receive_credit = 1000;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_data_filled(&peer, 1, 0, 65535);
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->body_length, 1000);
    while (exchange->body_length < 65535 && exchange->block_count > 0) {
        while (exchange->block_count > 0)
            driver_credit(&driver, exchange);
        driver_settle(&driver);
    }
    CHECK_EQ(exchange->body_length, 65535);
    peer_send(&peer);
    CHECK(peer.credit >= 32768 && peer.credit <= 65535);
    CHECK(peer_stream(&peer, 1)->credit >= 32768 && peer_stream(&peer, 1)->credit <= 65535);
    end();
}

TEST(B22_a_whole_default_window_is_held_for_a_slow_reader)
{
    driver_prepare(&driver);
    driver.slab_count = 8;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_data_filled(&peer, 1, GN_H2_END_STREAM, 1048576);
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK(exchange->body_length > 30000 && exchange->body_length <= 65536); // credit counts memory
    EXPECT_ALIVE(&peer);                                                    // and other streams are served
    struct driver_exchange *other = get(3);
    driver_answer(&driver, other, "");
    EXPECT(&peer, "HEADERS 3 END :status: 200 | content-length: 0\n");
    while (!exchange->ended && exchange->block_count > 0) {
        while (exchange->block_count > 0)
            driver_credit(&driver, exchange);
        driver_settle(&driver);
    }
    CHECK_EQ(exchange->body_length, 1048576);
    CHECK(exchange->ended);
    end();
}

/* With a window for streams and one for the connection, of which Java takes next to nothing. */
static void begin_held(uint64_t stream_window, uint64_t connection_window)
{
    driver_prepare(&driver);
    driver.shared->listener.stream_window = stream_window;
    driver.shared->listener.connection_window = connection_window;
    driver.shared->listener.receive_credit = 10;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
}

TEST(H6_a_client_that_exceeds_a_streams_window)
{
    for (unsigned more = 0; more < 2; more++) {
        begin_held(1000, 65535);
        peer_headers(&peer, 1, 0, PEER_POST);
        peer_filled(&peer, GN_H2_DATA, 0, 1, 900);
        peer_filled(&peer, GN_H2_DATA, 0, 1, 100 + more);
        EXPECT(&peer, more ? "RST_STREAM 1 FLOW_CONTROL_ERROR\n" : "");
        CHECK_EQ(driver_exchange(&driver, 0)->resets, more);
        CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, more ? GN_REASON_FLOW_CONTROL : GN_REASON_NONE);
        EXPECT_ALIVE(&peer);
        end();
    }
    begin_held(1000, 65535);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_filled(&peer, GN_H2_DATA, 0, 1, 900);
    peer_data_padded(&peer, 1, 0, "x", 99); // padding counts: 101
    EXPECT(&peer, "RST_STREAM 1 FLOW_CONTROL_ERROR\n");
    end();
}

TEST(H6_a_client_that_exceeds_the_connections_window)
{
    for (unsigned more = 0; more < 2; more++) {
        begin_held(1048576, 65535);
        peer_headers(&peer, 1, 0, PEER_POST);
        peer_headers(&peer, 3, 0, PEER_POST);
        peer_data_filled(&peer, 1, 0, 40000);
        peer_data_filled(&peer, 3, 0, 25535 + more);
        if (more) {
            EXPECT_GOAWAY(&peer, 3, GN_H2_FLOW_CONTROL_ERROR);
            CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
            CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_FLOW_CONTROL);
        } else {
            EXPECT(&peer, "");
            EXPECT_ALIVE(&peer);
        }
        end();
    }
}

TEST(H6_a_smaller_window_holds_from_its_acknowledgement)
{
    driver_prepare(&driver);
    driver.shared->listener.stream_window = 1000;
    driver.shared->listener.connection_window = 65535;
    driver.shared->listener.receive_credit = 10;
    driver.hold_bodies = true;
    driver_open(&driver);
    peer_connect(&peer, &driver);
    peer_preface(&peer);
    peer_settings(&peer, NULL);
    peer_headers(&peer, 1, 0, PEER_POST); // the client cannot know it yet
    peer_data_filled(&peer, 1, 0, 50000);
    peer_send(&peer);
    CHECK(!peer_stream(&peer, 1)->reset);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    peer_forget(&peer);
    peer_settings_ack(&peer);
    peer_headers(&peer, 3, 0, PEER_POST);
    peer_filled(&peer, GN_H2_DATA, 0, 3, 1001);
    peer_data(&peer, 1, 0, "x"); // the window of a stream that is open shrinks, too
    EXPECT(&peer, "RST_STREAM 3 FLOW_CONTROL_ERROR\nRST_STREAM 1 FLOW_CONTROL_ERROR\nWINDOW_UPDATE 0 51001\n");
    end();
}

TEST(H6_a_smaller_window_opens_by_what_was_taken_of_the_larger_one)
{
    driver_prepare(&driver);
    driver.shared->listener.stream_window = 1000;
    driver.shared->listener.connection_window = 65535;
    driver_open(&driver);
    peer_connect(&peer, &driver);
    peer_preface(&peer);
    peer_settings(&peer, NULL);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_data_filled(&peer, 1, 0, 20000); // less than half of 65535, which the client goes by
    peer_send(&peer);
    peer_forget(&peer);
    peer_settings_ack(&peer);
    EXPECT(&peer, "WINDOW_UPDATE 1 20000\n");
    end();
}

/* The connection's window stays open, whatever becomes of the bodies sent on a stream. */
static void check_window_stays_open(uint32_t stream, uint64_t *sent)
{
    uint64_t on_stream = 0;
    for (unsigned i = 0; i < 30; i++) {
        struct left left = left_after(stream, &on_stream, sent, 16000);
        CHECK(left.connection > 32767 && left.connection <= 65535);
        if (left.connection <= 32767)
            break;
    }
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
}

TEST(H8_the_window_comes_back_when_a_stream_is_reset)
{
    for (unsigned by_peer = 0; by_peer < 2; by_peer++) {
        begin_held(65535, 65535);
        peer_headers(&peer, 1, 0, PEER_POST);
        uint64_t sent = 60000;
        peer_data_filled(&peer, 1, 0, sent);
        EXPECT(&peer, "");
        if (by_peer)
            peer_rst_stream(&peer, 1, GN_H2_CANCEL);
        else
            peer_java_resets(&driver, driver_exchange(&driver, 0), GN_H2_CANCEL);
        peer_send(&peer);
        CHECK(peer.credit >= 60000 - 32768 && peer.credit <= 60000); // Java holds at most ten of them
        peer_forget(&peer);
        if (!by_peer)
            check_window_stays_open(1, &sent);
        end();
    }
}

TEST(H8_the_window_comes_back_when_a_body_is_dropped_unread)
{
    begin_held(65535, 65535);
    peer_headers(&peer, 1, 0, PEER_POST);
    uint64_t sent = 60000;
    peer_data_filled(&peer, 1, 0, sent);
    EXPECT(&peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "no");
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->ended && peer_stream(&peer, 1)->reset);
    CHECK_EQ(peer_stream(&peer, 1)->code, GN_H2_NO_ERROR);
    CHECK(peer.credit >= 60000 - 32768 && peer.credit <= 60000);
    peer_forget(&peer);
    check_window_stays_open(1, &sent);
    end();
}

TEST(H8_the_window_comes_back_for_requests_that_were_refused)
{
    static const char *const requests[] = {PEER_POST "Bad: x\n", PEER_POST "expect: x\n", PEER_POST};
    for (unsigned i = 0; i < 3; i++) {
        driver_prepare(&driver);
        driver.shared->listener.stream_window = driver.shared->listener.connection_window = 65535;
        driver.shared->listener.streams = i == 2 ? 1 : 2;
        peer_start(&peer, &driver);
        get(1);
        peer_headers(&peer, 3, 0, requests[i]);
        peer_send(&peer);
        CHECK(peer_stream(&peer, 3)->reset);
        uint64_t sent = 0;
        check_window_stays_open(3, &sent);
        end();
    }
}

TEST(H8_the_window_comes_back_after_GOAWAY)
{
    begin(65535);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_send(&peer);
    driver_unlisten(&driver, 0);
    EXPECT(&peer, "GOAWAY 2147483647 NO_ERROR\nPING\n");
    peer_pong(&peer);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    peer_headers(&peer, 3, 0, PEER_POST);
    uint64_t sent = 0;
    check_window_stays_open(3, &sent);
    CHECK_EQ(driver.exchange_count, 1);
    check_window_stays_open(1, &sent);
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, sent / 2);
    end();
}

TEST(H7_padding_comes_back_to_both_windows)
{
    begin(65535);
    peer_headers(&peer, 1, 0, PEER_POST);
    static uint8_t payload[300] = {255};
    uint64_t sent = 0;
    for (unsigned i = 0; i < 400; i++) {
        peer_frame(&peer, GN_H2_DATA, GN_H2_PADDED, 1, payload, sizeof(payload)); // 44 and 256 that are none
        peer_send(&peer);
        sent += sizeof(payload);
        CHECK(65535 + peer.credit - sent > 32767);
        CHECK(65535 + peer_stream(&peer, 1)->credit - sent > 32767);
    }
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, 400 * 44);
    end();
}

TEST(H7_padding_comes_back_though_the_body_waits)
{
    begin_held(65535, 65535);
    peer_headers(&peer, 1, 0, PEER_POST);
    static uint8_t payload[256] = {255};
    peer_data(&peer, 1, 0, "more than ten bytes");
    for (unsigned i = 0; i < 200; i++)
        peer_frame(&peer, GN_H2_DATA, GN_H2_PADDED, 1, payload, sizeof(payload));
    peer_send(&peer);
    CHECK(peer.credit >= 200 * 256 - 32768);
    CHECK(peer_stream(&peer, 1)->credit >= 200 * 256 - 32768);
    end();
}

TEST(H8_a_body_that_nobody_takes_comes_to_a_halt)
{
    driver_prepare(&driver);
    driver.shared->listener.stream_window = 65536;
    driver.shared->listener.discard_bytes = 32768;
    peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 0}, {0, 0}});
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_send(&peer);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, "hello", 5); // waits for its window
    driver_note_release(&driver, exchange);
    peer_send(&peer);
    peer_data_filled(&peer, 1, 0, 65536);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->credit, 32768);
    peer_data_filled(&peer, 1, 0, 32768);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->credit, 32768);
    CHECK(!peer_stream(&peer, 1)->reset);
    CHECK_EQ(exchange->data_events, 0);
    CHECK_EQ(driver.unknown, 0);
    peer_window_update(&peer, 1, 5);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->ended);
    end();
}

TEST(a_stream_that_has_ended_needs_no_window)
{
    driver_prepare(&driver);
    driver.shared->listener.stream_window = driver.shared->listener.connection_window = 65535;
    driver.shared->listener.receive_credit = 16384;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_send(&peer);
    peer_data_filled(&peer, 1, GN_H2_END_STREAM, 65535);
    peer_send(&peer);
    CHECK(driver_exchange(&driver, 0)->body_length < 32767);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    while (exchange->block_count > 0) {
        driver_credit(&driver, exchange);
        peer_send(&peer);
    }
    CHECK_EQ(exchange->body_length, 65535);
    CHECK(exchange->ended);
    CHECK_EQ(peer_stream(&peer, 1)->credit, 0);
    CHECK(peer.credit > 0);
    end();
}

TEST(H6_DATA_that_is_too_large_counts_for_the_connections_window)
{
    driver_prepare(&driver);
    driver.shared->listener.stream_window = 65535;
    driver.shared->listener.connection_window = 65535;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_filled(&peer, GN_H2_DATA, 0, 1, 20000);
    EXPECT(&peer, "RST_STREAM 1 FRAME_SIZE_ERROR\n");
    peer_data_filled(&peer, 1, 0, 12767); // half of the window is used up now
    EXPECT(&peer, "WINDOW_UPDATE 0 32767\n");
    peer_filled(&peer, GN_H2_DATA, 0, 1, 65536);
    EXPECT_GOAWAY(&peer, 1, GN_H2_FLOW_CONTROL_ERROR);
    end();
}

TEST(Javas_credit_never_exceeds_the_setting)
{
    driver_prepare(&driver);
    driver.shared->listener.receive_credit = 1000;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_send(&peer);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_ask(&driver, exchange, 100000);
    driver_ask(&driver, exchange, 100000);
    peer_data_filled(&peer, 1, 0, 16384);
    peer_send(&peer);
    CHECK(exchange->body_length > 0 && exchange->body_length <= 1000);
    end();
}

TEST_MAIN()
