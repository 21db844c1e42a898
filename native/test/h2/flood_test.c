#include "h2/peer.h"
#include "h2/session.h"

/*
 * What a peer can do for next to nothing has a budget (group J). Each flood is ended by ENHANCE_YOUR_CALM not long after its
 * limit, and never before; memory stays flat; a peer that behaves never meets it.
 */

static struct driver driver;
static struct peer peer;
static uint64_t memory_before;

static uint64_t memory(void)
{
    return driver.shared->counters.memory_used + driver.shared->counters.arena_total -
           driver.shared->counters.arena_free;
}

static void begin(void)
{
    peer_start(&peer, &driver);
    memory_before = memory();
}

static void prepare(void)
{
    driver_prepare(&driver);
    driver.shared->listener.resets = 50;
    driver.shared->listener.provoked_resets = 50;
    driver.shared->listener.control_frames = 50;
}

static void end(void)
{
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

static void release_all(void)
{
    driver_settle(&driver);
    for (size_t i = 0; i < driver.exchange_count; i++) {
        if (!driver.exchanges[i]->released)
            driver_release(&driver, driver.exchanges[i]);
    }
}

/* One frame of a flood, the i-th. */
typedef void flood(unsigned i);

/* Sends one piece of a flood after the other until the server ends the connection: after at least `least` pieces, and at
   most `most`. */
static void check_flood(flood *one, unsigned least, unsigned most, unsigned reason, bool release, int line)
{
    unsigned before = test_failures, sent = 0;
    uint64_t largest = 0;
    while (!peer.saw_end && sent < 2 * most + 100) {
        one(sent++);
        peer_send(&peer);
        if (release)
            release_all();
        largest = memory() > largest ? memory() : largest;
    }
    CHECK(peer.saw_end);
    CHECK(sent > least && sent <= most);
    CHECK(largest < memory_before + (1 << 20));
    EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_ENHANCE_YOUR_CALM);
    CHECK_EQ(peer_reason_count(&driver, reason), 1);
    if (test_failures != before)
        fprintf(stderr, "... in the flood of line %d, of which %u were sent\n", line, sent);
}
#define CHECK_FLOOD(one, least, most, reason, release) check_flood(one, least, most, reason, release, __LINE__)

/* ---- J1: rapid reset ---- */

static void headers_and_reset(unsigned i)
{
    peer_get(&peer, 2 * i + 1);
    peer_rst_stream(&peer, 2 * i + 1, GN_H2_CANCEL);
}

TEST(J1_rapid_reset)
{
    prepare();
    begin();
    CHECK_FLOOD(headers_and_reset, 50, 60, GN_REASON_RESET_FLOOD, true);
    end();
}

TEST(J1_rapid_reset_where_Java_does_not_let_go)
{
    prepare();
    driver.shared->listener.streams = 10;
    driver.shared->listener.provoked_resets = 1000;
    begin();
    for (unsigned i = 0; i < 200 && !peer.saw_end; i++) {
        headers_and_reset(i);
        peer_send(&peer);
    }
    CHECK(driver.exchange_count <= 10); // a stream counts until Java has let go of it
    CHECK(peer.saw_end);
    EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_ENHANCE_YOUR_CALM);
    end();
}

TEST(J1_all_at_once)
{
    prepare();
    begin();
    for (unsigned i = 0; i < 300; i++)
        headers_and_reset(i);
    EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_ENHANCE_YOUR_CALM);
    CHECK(driver.exchange_count <= 60);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_RESET_FLOOD), 1);
    end();
}

TEST(J1_resets_come_back_with_time)
{
    prepare();
    driver.shared->listener.resets = 60; // two a second
    begin();
    for (unsigned i = 0; i < 300; i++) {
        headers_and_reset(i);
        EXPECT(&peer, "");
        release_all();
        driver_advance(&driver, SECOND / 2 + SECOND / 100);
    }
    EXPECT_ALIVE(&peer);
    end();
}

TEST(J1_a_reset_of_a_response_that_is_complete_is_none)
{
    prepare();
    begin();
    for (unsigned i = 0; i < 200; i++) {
        peer_headers(&peer, 2 * i + 1, GN_H2_END_STREAM, PEER_GET);
        peer_send(&peer);
        driver_answer(&driver, driver_exchange(&driver, i), "");
        peer_send(&peer);
        peer_forget(&peer);
        peer_rst_stream(&peer, 2 * i + 1, GN_H2_CANCEL); // it had gone out before
        EXPECT(&peer, "");
        if (i % 20 == 0)
            driver_advance(&driver, SECOND); // frames for streams that are gone may cost a little
    }
    end();
}

/* ---- J2: resets that are provoked (MadeYouReset) ---- */

static void zero_window_update(unsigned i)
{
    peer_get(&peer, 2 * i + 1);
    peer_window_update(&peer, 2 * i + 1, 0);
}

static void window_overflow(unsigned i)
{
    peer_get(&peer, 2 * i + 1);
    peer_window_update(&peer, 2 * i + 1, 0x7fffffff);
}

static void data_behind_the_end(unsigned i)
{
    peer_get(&peer, 2 * i + 1);
    peer_data(&peer, 2 * i + 1, GN_H2_END_STREAM, "x");
}

static void malformed_request(unsigned i)
{
    peer_headers(&peer, 2 * i + 1, GN_H2_END_STREAM, PEER_GET "Bad: x\n");
}

static void wrong_length(unsigned i)
{
    peer_headers(&peer, 2 * i + 1, 0, PEER_POST_OF(5));
    peer_data(&peer, 2 * i + 1, GN_H2_END_STREAM, "x");
}

static void headers_behind_the_end(unsigned i)
{
    peer_get(&peer, 2 * i + 1);
    peer_headers(&peer, 2 * i + 1, GN_H2_END_STREAM, "a: b\n");
}

static void short_priority(unsigned i)
{
    peer_get(&peer, 2 * i + 1);
    peer_frame(&peer, GN_H2_PRIORITY, 0, 2 * i + 1, "", 0);
}

TEST(J2_provoked_resets)
{
    static flood *const floods[] = {zero_window_update, window_overflow, data_behind_the_end,   malformed_request,
                                    wrong_length,       short_priority,  headers_behind_the_end};
    for (unsigned i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        prepare();
        begin();
        CHECK_FLOOD(floods[i], 49, 60, GN_REASON_PROVOKED_RESET_FLOOD, true);
        end();
    }
}

static void data_to_a_closed_stream(unsigned i)
{
    (void)i;
    peer_data(&peer, 1, 0, "x");
}

TEST(J2_resets_of_streams_that_are_closed)
{
    prepare();
    begin();
    peer_get(&peer, 1);
    peer_send(&peer);
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    peer_send(&peer);
    peer_forget(&peer);
    unsigned sent = 0;
    for (; sent < 300 && !peer.saw_end; sent++) {
        peer_stream(&peer, 1)->reset = false; // each may be answered
        data_to_a_closed_stream(sent);
        peer_send(&peer);
    }
    CHECK(sent > 40 && sent < 120);
    EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_ENHANCE_YOUR_CALM);
    end();
}

TEST(J2_streams_over_the_limit_are_no_crime_but_not_free)
{
    prepare();
    driver.shared->listener.streams = 1;
    begin();
    peer_get(&peer, 1);
    for (unsigned i = 1; i < 20; i++)
        peer_get(&peer, 2 * i + 1);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 39)->reset);
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    for (unsigned i = 20; i < 1000 && !peer.saw_end; i++) {
        peer_get(&peer, 2 * i + 1);
        peer_send(&peer);
    }
    CHECK(peer.saw_end);
    EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_ENHANCE_YOUR_CALM);
    end();
}

/* ---- J3: CONTINUATION ---- */

TEST(J3_continuations_without_end)
{
    for (unsigned length = 0; length < 3; length++) {
        prepare();
        begin();
        size_t block_length;
        uint8_t *block = peer_block(PEER_GET, &block_length);
        peer_frame(&peer, GN_H2_HEADERS, GN_H2_END_STREAM, 1, block, block_length);
        free(block);
        unsigned sent = 0;
        for (; sent < 5000 && !peer.saw_end; sent++) {
            peer_filled(&peer, GN_H2_CONTINUATION, 0, 1, length == 2 ? 16384 : length);
            peer_send(&peer);
        }
        CHECK(sent < 1500);
        CHECK(length < 2 || sent < 50);
        CHECK(memory() < memory_before + (2 << 20));
        EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_ENHANCE_YOUR_CALM);
        CHECK_EQ(peer_reason_count(&driver, GN_REASON_CONTINUATION_FLOOD), 1);
        CHECK_EQ(driver.exchange_count, 0);
        end();
    }
}

TEST(J3_a_large_block_in_a_few_continuations_is_none)
{
    driver_prepare(&driver);
    driver.shared->listener.field_list_bytes = 100000;
    begin();
    static char fields[60000] = PEER_GET "x: ";
    memset(fields + strlen(fields), 'v', 50000);
    strcat(fields, "\n");
    peer_headers_in_pieces(&peer, 1, GN_H2_END_STREAM, fields, 4);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 1);
    end();
}

/* ---- J4: empty DATA ---- */

static void empty_data(unsigned i)
{
    (void)i;
    peer_data(&peer, 1, 0, "");
}

static void padded_empty_data(unsigned i)
{
    peer_data_padded(&peer, 1, 0, "", i % 2 ? 255 : 0);
}

TEST(J4_empty_data)
{
    static flood *const floods[] = {empty_data, padded_empty_data};
    for (unsigned i = 0; i < 2; i++) {
        prepare();
        begin();
        peer_headers(&peer, 1, 0, PEER_POST);
        peer_send(&peer);
        CHECK_FLOOD(floods[i], 40, 200, GN_REASON_CONTROL_FLOOD, false);
        CHECK(driver.exchange_count > 0 && driver.exchanges[0]->resets == 1);
        end();
    }
}

static void one_byte(unsigned i)
{
    (void)i;
    peer_data(&peer, 1, 0, "x");
}

TEST(J4_tiny_data)
{
    prepare();
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_send(&peer);
    CHECK_FLOOD(one_byte, 40, 100000, GN_REASON_CONTROL_FLOOD, false);
    end();
}

TEST(J4_tiny_last_frames_are_no_flood)
{
    prepare();
    begin();
    for (unsigned i = 0; i < 500; i++) {
        peer_headers(&peer, 2 * i + 1, 0, PEER_POST);
        peer_data(&peer, 2 * i + 1, 0, "a message");
        peer_data(&peer, 2 * i + 1, GN_H2_END_STREAM, i % 2 ? "" : "x");
        EXPECT(&peer, "");
        driver_answer(&driver, driver_exchange(&driver, i), "");
        peer_send(&peer);
        CHECK(peer_stream(&peer, 2 * i + 1)->ended);
        peer_forget(&peer);
    }
    end();
}

TEST(J4_bodies_of_many_streams_hold_no_more_than_twice_what_there_is_of_them)
{
    driver_prepare(&driver);
    driver.slab_count = 8;
    begin();
    for (uint32_t id = 1; id < 400; id += 2)
        peer_headers(&peer, id, 0, PEER_POST "expect: 100-continue\n");
    peer_send(&peer);
    CHECK_EQ(driver.exchange_count, 200);
    memory_before = memory();
    for (unsigned i = 0; i < 2; i++) {
        for (uint32_t id = 1; id < 400; id += 2)
            peer_data_filled(&peer, id, 0, i == 0 ? 4096 : 5);
        peer_send(&peer);
    }
    CHECK(memory() - memory_before <= 200 * (2 * 4096 + 256));
    release_all();
    end();
}

/* ---- J6: frames that move nothing ---- */

static void ping(unsigned i)
{
    (void)i;
    peer_ping(&peer, 0, "12345678");
}

static void ping_ack(unsigned i)
{
    (void)i;
    peer_ping(&peer, GN_H2_ACK, "12345678");
}

static void settings(unsigned i)
{
    (void)i;
    peer_settings(&peer, NULL);
}

static void window_size(unsigned i)
{
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 1000 + i);
}

static void priority(unsigned i)
{
    peer_priority(&peer, 2 * i + 1);
}

static void priority_update(unsigned i)
{
    peer_priority_update(&peer, 2 * i + 1, "u=1");
}

static void window_update(unsigned i)
{
    (void)i;
    peer_window_update(&peer, 0, 1);
}

static void reset_of_a_closed_stream(unsigned i)
{
    (void)i;
    peer_rst_stream(&peer, 1, GN_H2_CANCEL);
}

static void unknown_frame(unsigned i)
{
    peer_filled(&peer, 200, 0, i % 3, 0);
}

TEST(J6_frames_that_move_nothing)
{
    static flood *const floods[] = {ping,         ping_ack,        settings,      window_size,
                                    priority,     priority_update, window_update, reset_of_a_closed_stream,
                                    unknown_frame};
    for (unsigned i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        unsigned before = test_failures;
        prepare();
        begin();
        if (floods[i] == reset_of_a_closed_stream) {
            peer_get(&peer, 1);
            peer_send(&peer);
            driver_answer(&driver, driver_exchange(&driver, 0), "");
            peer_send(&peer);
            peer_forget(&peer);
        }
        CHECK_FLOOD(floods[i], 40, 200, GN_REASON_CONTROL_FLOOD, false);
        end();
        if (test_failures != before)
            fprintf(stderr, "... flood %u\n", i);
    }
}

static void dribble(unsigned i)
{
    (void)i;
    peer_window_update(&peer, 1, 1);
}

TEST(J6_a_window_that_opens_by_an_octet_a_time)
{
    static uint8_t body[10000];
    prepare();
    peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 0}, {0, 0}});
    memory_before = memory();
    peer_get(&peer, 1);
    peer_send(&peer);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, body, sizeof(body));
    peer_send(&peer);
    peer_forget(&peer);
    CHECK_FLOOD(dribble, 40, 200, GN_REASON_CONTROL_FLOOD, false);
    end();
}

static void goaway(unsigned i)
{
    (void)i;
    peer_goaway(&peer, 0, GN_H2_NO_ERROR);
}

static void headers_that_goaway_left_out(unsigned i)
{
    (void)i;
    peer_get(&peer, 3);
}

TEST(J6_frames_behind_GOAWAY)
{
    static flood *const floods[] = {goaway, headers_that_goaway_left_out};
    for (unsigned i = 0; i < 2; i++) {
        prepare();
        begin();
        peer_get(&peer, 1);
        goaway(0);
        EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
        CHECK_FLOOD(floods[i], 40, 200, GN_REASON_CONTROL_FLOOD, false);
        end();
    }
}

TEST(J6_data_of_a_stream_that_never_was_is_an_error_behind_GOAWAY_too)
{
    prepare();
    begin();
    peer_get(&peer, 1);
    goaway(0);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    peer_data(&peer, 3, 0, "");
    EXPECT_GOAWAY(&peer, 1, GN_H2_PROTOCOL_ERROR);
    end();
}

TEST(J6_acknowledgements_are_not_queued_for_one_who_does_not_read)
{
    static flood *const floods[] = {ping, settings};
    for (unsigned i = 0; i < 2; i++) {
        driver_prepare(&driver);
        driver.shared->listener.control_frames = 1000000;
        begin();
        gn_io_memory_room(peer.end, 0);
        for (unsigned j = 0; j < 100; j++) {
            for (unsigned k = 0; k < 1000; k++)
                floods[i](k);
            size_t written = 0; // as far as it goes
            while (written < peer.out_length) {
                size_t taken = gn_io_memory_write(peer.end, peer.out + written, peer.out_length - written);
                driver_settle(&driver);
                written += taken;
                if (taken == 0)
                    break;
            }
            peer.out_length = 0;
        }
        CHECK(memory() < memory_before + (1 << 20));
        end();
    }
}

TEST(J6_control_frames_come_back_with_time_and_with_streams)
{
    prepare();
    driver.shared->listener.control_frames = 60; // two a second
    begin();
    peer_get(&peer, 1); // so that the connection is not idle
    peer_send(&peer);
    for (unsigned i = 0; i < 200; i++) {
        EXPECT_ALIVE(&peer);
        driver_advance(&driver, SECOND / 2 + SECOND / 100);
    }
    end();

    prepare();
    begin();
    for (unsigned i = 0; i < 500; i++) { // as a client does that opens windows as it reads
        peer_get(&peer, 2 * i + 1);
        peer_send(&peer);
        driver_answer(&driver, driver_exchange(&driver, i), "hello");
        peer_send(&peer);
        CHECK(peer_stream(&peer, 2 * i + 1)->ended);
        peer_forget(&peer);
        peer_window_update(&peer, 0, 5);
        EXPECT(&peer, "");
    }
    EXPECT_ALIVE(&peer);
    end();
}

TEST(J6_window_updates_of_a_download_are_no_flood)
{
    driver_prepare(&driver);
    begin();
    peer_get(&peer, 1);
    peer_send(&peer);
    static char bytes[16384];
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, -1, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 5000 && !peer.saw_end; i++) { // 80 MiB, two WINDOW_UPDATE for each frame
        peer_send(&peer);
        peer_forget(&peer);
        peer_stream(&peer, 1)->body_length = 0;
        peer_window_update(&peer, 0, sizeof(bytes));
        peer_window_update(&peer, 1, sizeof(bytes));
        driver_data(&driver, exchange, 0, bytes, sizeof(bytes));
    }
    peer_send(&peer);
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    end();
}

/* ---- J7: zero-window stalls ---- */

TEST(J7_a_zero_window_holds_no_more_than_send_credit)
{
    driver_prepare(&driver);
    driver.slab_count = 16;
    driver.shared->listener.stream_send_credit = 65536;
    peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 0}, {0, 0}});
    memory_before = memory();
    static char bytes[65536];
    for (unsigned i = 0; i < 20; i++)
        peer_get(&peer, 2 * i + 1);
    peer_send(&peer);
    for (size_t i = 0; i < driver.exchange_count; i++) {
        driver_respond(&driver, driver_exchange(&driver, i), 200, 0, -1, bytes, sizeof(bytes));
        driver_settle(&driver);
        CHECK_EQ(driver_exchange(&driver, i)->credits, 0); // so Java stops
    }
    CHECK(memory() < memory_before + 20 * (2 * 65536 + 8192));
    end();
}

TEST(J7_a_zero_window_is_waited_for_so_long)
{
    driver_prepare(&driver);
    peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 0}, {0, 0}});
    peer_get(&peer, 1);
    peer_send(&peer);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, "hello", 5);
    peer_send(&peer);
    peer_forget(&peer);
    for (unsigned i = 0; i < 70; i++) { // pings are no progress
        peer_ping(&peer, 0, "12345678");
        peer_send(&peer);
        driver_advance(&driver, SECOND);
    }
    peer_send(&peer);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_WINDOW_TIMEOUT);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_WINDOW_TIMEOUT), 1);
    end();
}

TEST(J6_control_frames_do_not_come_back_without_end)
{
    prepare();
    driver.shared->listener.control_frames = 60;
    begin();
    peer_get(&peer, 1);
    peer_send(&peer);
    driver_advance(&driver, 600 * SECOND);
    unsigned sent = 0;
    for (; sent < 1000 && !peer.saw_end; sent++) {
        if (sent == 50)
            driver_advance(&driver, 600 * SECOND);
        ping(sent);
        peer_send(&peer);
    }
    CHECK(sent > 60 && sent < 140);
    EXPECT_GOAWAY(&peer, 1, GN_H2_ENHANCE_YOUR_CALM);
    end();
}

TEST(J6_pings_amid_a_download_are_no_flood)
{
    prepare();
    begin();
    peer_get(&peer, 1);
    peer_send(&peer);
    static char bytes[8000];
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, -1, NULL, 0);
    for (unsigned i = 0; i < 300 && !peer.saw_end; i++) { // one for each frame, as a client does that measures
        driver_data(&driver, driver_exchange(&driver, 0), 0, bytes, sizeof(bytes));
        peer_window_update(&peer, 0, sizeof(bytes));
        peer_window_update(&peer, 1, sizeof(bytes));
        ping(i);
        peer_send(&peer);
        peer_forget(&peer);
    }
    EXPECT_ALIVE(&peer);
    end();
}

static void tiny(unsigned i)
{
    (void)i;
    peer_filled(&peer, GN_H2_DATA, 0, 1, GN_H2_TINY);
}

TEST(J4_the_size_of_tiny_data_is_exact)
{
    prepare();
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_send(&peer);
    CHECK_FLOOD(tiny, 40, 70, GN_REASON_CONTROL_FLOOD, false);
    end();

    prepare();
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    for (unsigned i = 0; i < 200; i++)
        peer_filled(&peer, GN_H2_DATA, 0, 1, GN_H2_TINY + 1);
    EXPECT(&peer, "");
    EXPECT_ALIVE(&peer);
    end();
}

static void trailers_of_a_reset_stream(unsigned i)
{
    (void)i;
    peer_headers(&peer, 1, GN_H2_END_STREAM, "a: b\n");
}

static void request_behind_GOAWAY(unsigned i)
{
    peer_get(&peer, 2 * i + 3);
}

TEST(J6_field_blocks_that_move_nothing)
{
    prepare();
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_send(&peer);
    peer_java_resets(&driver, driver_exchange(&driver, 0), GN_H2_CANCEL);
    EXPECT(&peer, "RST_STREAM 1 CANCEL\n");
    CHECK_FLOOD(trailers_of_a_reset_stream, 40, 70, GN_REASON_CONTROL_FLOOD, false);
    end();

    prepare();
    begin();
    peer_get(&peer, 1);
    peer_goaway(&peer, 0, GN_H2_NO_ERROR);
    EXPECT(&peer, "GOAWAY 1 NO_ERROR\n");
    CHECK_FLOOD(request_behind_GOAWAY, 40, 70, GN_REASON_CONTROL_FLOOD, false);
    end();
}

TEST(J2_data_to_closed_streams_has_the_smaller_budget)
{
    prepare();
    driver.shared->listener.control_frames = 1000;
    begin();
    peer_get(&peer, 1);
    peer_send(&peer);
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    peer_send(&peer);
    peer_forget(&peer);
    unsigned sent = 0;
    // What this side has reset lately is ignored, so it is a stream of its own each time.
    for (; sent < 300 && !peer.saw_end; sent++) {
        uint32_t stream = 2 * sent + 3;
        peer_get(&peer, stream);
        peer_send(&peer);
        driver_answer(&driver, driver_exchange(&driver, sent + 1), "");
        peer_send(&peer);
        peer_data(&peer, stream, 0, "x");
        peer_stream(&peer, stream)->ended = false;
        peer_send(&peer);
        peer_forget(&peer);
    }
    CHECK(sent > 40 && sent < 70);
    CHECK_EQ(peer_reason_count(&driver, GN_REASON_PROVOKED_RESET_FLOOD), 1);
    end();
}

TEST(frames_that_crossed_one_of_the_last_resets_are_ignored)
{
    driver_prepare(&driver);
    begin();
    for (uint32_t i = 0; i < 64; i++) {
        peer_headers(&peer, 2 * i + 1, 0, PEER_POST);
        peer_send(&peer);
        peer_java_resets(&driver, driver_exchange(&driver, i), GN_H2_CANCEL);
        peer_send(&peer);
        CHECK(peer_stream(&peer, 2 * i + 1)->reset);
        peer_forget(&peer);
    }
    for (uint32_t i = 0; i < 64; i++) {
        peer_data(&peer, 2 * i + 1, GN_H2_END_STREAM, "on its way");
        EXPECT(&peer, "");
    }
    EXPECT_ALIVE(&peer);
    end();
}

static void wrong_frame_of_a_closed_stream(unsigned i)
{
    (void)i;
    peer_frame(&peer, GN_H2_PRIORITY, 0, 1, "1234", 4);
}

TEST(J2_wrong_frames_of_closed_streams)
{
    prepare();
    begin();
    peer_get(&peer, 1);
    peer_send(&peer);
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    peer_send(&peer);
    peer_forget(&peer);
    CHECK_FLOOD(wrong_frame_of_a_closed_stream, 40, 70, GN_REASON_PROVOKED_RESET_FLOOD, false);
    end();
}

TEST_MAIN()
