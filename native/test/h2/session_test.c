#include "h2/peer.h"

/*
 * The connection: its beginning, its frames, and what breaks it or a stream of it.
 */

/* What a server with the settings of the driver says first. */
#define HELLO                                                                                                          \
    "SETTINGS MAX_CONCURRENT_STREAMS=200 INITIAL_WINDOW_SIZE=1048576 MAX_HEADER_LIST_SIZE=16384 "                      \
    "NO_RFC7540_PRIORITIES=1\n"                                                                                        \
    "WINDOW_UPDATE 0 983041\n"
#define EMPTY_OK(stream) "HEADERS " #stream " END :status: 200 | content-length: 0\n"

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

/* ---- the beginning ---- */

static void queue_greeting_and_request(void)
{
    peer_preface(&peer);
    peer_settings(&peer, NULL);
    peer_get(&peer, 1);
}

TEST(H1_the_server_speaks_first_and_acknowledges)
{
    driver_prepare(&driver);
    driver_open(&driver);
    peer_connect(&peer, &driver);
    EXPECT(&peer, ""); // it may be HTTP/1
    queue_greeting_and_request();
    EXPECT(&peer, HELLO "SETTINGS ACK\n");
    CHECK_EQ(driver.exchange_count, 1);
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    EXPECT(&peer, EMPTY_OK(1));
    peer_settings_ack(&peer);
    EXPECT(&peer, "");
    end();
}

TEST(H1_settings_that_are_as_HTTP_2_has_them_are_not_said)
{
    driver_prepare(&driver);
    struct gn_listener_settings *settings = &driver.shared->listener;
    settings->stream_window = settings->connection_window = 65535;
    settings->streams = 7;
    settings->frame_bytes = 65536;
    settings->table_bytes = 100;
    settings->field_list_bytes = 1000;
    settings->connect = settings->connect_protocol = 1;
    driver_open(&driver);
    peer_connect(&peer, &driver);
    peer_preface(&peer);
    peer_settings(&peer, NULL);
    EXPECT(&peer, "SETTINGS HEADER_TABLE_SIZE=100 MAX_CONCURRENT_STREAMS=7 MAX_FRAME_SIZE=65536 "
                  "MAX_HEADER_LIST_SIZE=1000 ENABLE_CONNECT_PROTOCOL=1 NO_RFC7540_PRIORITIES=1\nSETTINGS ACK\n");
    end();
}

TEST(H1_the_preface_in_two_pieces)
{
    size_t length = 1;
    for (size_t at = 0; at <= length; at++) {
        driver_prepare(&driver);
        driver_open(&driver);
        peer_connect(&peer, &driver);
        queue_greeting_and_request();
        length = peer.out_length;
        peer_send_cut(&peer, at);
        EXPECT(&peer, HELLO "SETTINGS ACK\n");
        CHECK_EQ(driver.exchange_count, 1);
        driver_answer(&driver, driver_exchange(&driver, 0), "");
        EXPECT(&peer, EMPTY_OK(1));
        end();
    }
}

TEST(H1_byte_by_byte)
{
    driver_prepare(&driver);
    driver_open(&driver);
    peer_connect(&peer, &driver);
    queue_greeting_and_request();
    peer_headers_in_pieces(&peer, 3, 0, PEER_POST, 5);
    peer_data_padded(&peer, 3, 0, "hello ", 9);
    peer_ping(&peer, 0, "12345678");
    peer_data(&peer, 3, 0, "world");
    peer_headers_with(&peer, 3, GN_H2_END_STREAM | GN_H2_PADDED | GN_H2_HAS_PRIORITY, "t: u\n", 3);
    peer_send_bytes(&peer);
    EXPECT(&peer, HELLO "SETTINGS ACK\nPING ACK 12345678\n");
    struct driver_exchange *post = driver_exchange(&driver, 1);
    CHECK_BYTES(post->body, post->body_length, "hello world");
    CHECK(post->ended && post->trailers != NULL);
    if (post->trailers != NULL)
        CHECK_BYTES(post->trailers, strlen(post->trailers), "t: u\n");
    driver_answer(&driver, driver_exchange(&driver, 1), "");
    driver_answer(&driver, driver_exchange(&driver, 0), "");
    EXPECT(&peer, EMPTY_OK(3) EMPTY_OK(1));
    end();
}

TEST(H1_what_only_begins_as_the_preface)
{
    static const char *const texts[] = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx" GET, "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" GET,
                                        "PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", "PRI / HTTP/1.1\r\n\r\nSM\r\n\r\n"};
    for (unsigned i = 0; i < 4; i++) {
        for (size_t at = 0; at < strlen(texts[i]); at++) {
            driver_prepare(&driver);
            driver_open(&driver);
            peer_connect(&peer, &driver);
            driver_write_bytes(&driver, peer.end, texts[i], at);
            driver_settle(&driver);
            if (!gn_io_memory_saw_end(peer.end))
                driver_write(&driver, peer.end, texts[i] + at);
            driver_settle(&driver);
            CHECK_EQ(driver.exchange_count, 0);
            CHECK(gn_io_memory_saw_end(peer.end));
            CHECK(strstr(driver_read(&driver, peer.end, NULL), " 200 ") == NULL);
            end();
        }
    }
}

TEST(H1_HTTP_1_that_begins_with_the_same_letters)
{
    static const char text[] = "PROPFIND / HTTP/1.1\r\nhost: h\r\n\r\n";
    for (size_t at = 0; at < strlen(text); at++) {
        driver_prepare(&driver);
        driver_open(&driver);
        peer_connect(&peer, &driver);
        driver_write_bytes(&driver, peer.end, text, at);
        driver_settle(&driver);
        driver_write(&driver, peer.end, text + at);
        driver_settle(&driver);
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer.end, OK(1) "x");
        end();
    }
}

TEST(A8_the_preface_where_HTTP_2_is_off)
{
    driver_prepare(&driver);
    driver.shared->listener.http_2 = 0;
    driver_open(&driver);
    peer_connect(&peer, &driver);
    queue_greeting_and_request();
    peer_write(&peer, peer.out, peer.out_length);
    driver_settle(&driver);
    const char *text = driver_read(&driver, peer.end, NULL);
    CHECK(memcmp(text, "HTTP/1.1 505 ", 13) == 0 || memcmp(text, "HTTP/1.1 400 ", 13) == 0);
    CHECK(gn_io_memory_saw_end(peer.end));
    CHECK_EQ(driver.exchange_count, 0);
    end();
}

TEST(A8_HTTP_1_where_it_is_off)
{
    static const char *const texts[] = {GET, "x", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", "\r\n" GN_H2_PREFACE};
    for (unsigned i = 0; i < 4; i++) {
        driver_prepare(&driver);
        driver.shared->listener.http_1 = 0;
        driver_open(&driver);
        peer_connect(&peer, &driver);
        peer_raw(&peer, texts[i], strlen(texts[i]));
        EXPECT_GOAWAY(&peer, 0, GN_H2_PROTOCOL_ERROR);
        CHECK_EQ(driver.exchange_count, 0);
        end();
    }
    driver_prepare(&driver);
    driver.shared->listener.http_1 = 0;
    driver_open(&driver);
    peer_connect(&peer, &driver);
    queue_greeting_and_request();
    peer_send_bytes(&peer);
    EXPECT(&peer, HELLO "SETTINGS ACK\n");
    CHECK_EQ(driver.exchange_count, 1);
    end();
}

TEST(H1_the_first_frame_is_SETTINGS)
{
    for (unsigned i = 0; i < 4; i++) {
        driver_prepare(&driver);
        driver_open(&driver);
        peer_connect(&peer, &driver);
        peer_preface(&peer);
        if (i == 0)
            peer_get(&peer, 1);
        else if (i == 1)
            peer_ping(&peer, 0, "12345678");
        else if (i == 2)
            peer_settings_ack(&peer);
        else
            peer_filled(&peer, 200, 0, 0, 5); // nor may it be of an unknown type
        EXPECT_GOAWAY(&peer, 0, GN_H2_PROTOCOL_ERROR);
        CHECK_EQ(driver.exchange_count, 0);
        end();
    }
}

TEST(A8_J8_E4_a_beginning_that_does_not_come_in_time)
{
    static const size_t lengths[] = {3, 23, 24, 24 + 8};
    for (unsigned i = 0; i < 4; i++) {
        driver_prepare(&driver);
        driver_open(&driver);
        peer_connect(&peer, &driver);
        queue_greeting_and_request();
        peer.out_length = lengths[i];
        peer_send(&peer);
        driver_advance(&driver, 29 * SECOND);
        CHECK(!gn_io_memory_saw_end(peer.end));
        driver_advance(&driver, 3 * SECOND);
        CHECK(gn_io_memory_saw_end(peer.end));
        CHECK_EQ(driver.shared->counters.timeouts, 1);
        peer_forget(&peer);
        end();
    }
}

/* ---- SETTINGS and PING ---- */

TEST(H13_a_ping_is_answered_before_what_waits)
{
    driver_prepare(&driver);
    peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 1 << 20}, {0, 0}});
    peer_window_update(&peer, 0, 1 << 20);
    peer_get(&peer, 1);
    peer_send(&peer);
    gn_io_memory_room(peer.end, 20000);
    static char body[200000];
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, sizeof(body), body, sizeof(body));
    driver_settle(&driver);
    peer_ping(&peer, 0, "abcdefgh");
    peer_ping(&peer, 0, "ABCDEFGH");
    peer_ping(&peer, GN_H2_ACK, "nobody's");
    peer_send(&peer);
    const char *first = strstr(peer.text, "PING ACK abcdefgh\n"), *second = strstr(peer.text, "PING ACK ABCDEFGH\n");
    CHECK(first != NULL && second != NULL && first < second);
    CHECK(strstr(peer.text, "nobody's") == NULL);
    CHECK(second != NULL && strstr(second, "DATA") != NULL); // not behind all of the body
    peer_forget(&peer);
    end();
}

TEST(each_SETTINGS_is_acknowledged)
{
    begin();
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 1);
    peer_setting(&peer, 0xbeef, 17); // nobody knows it
    peer_settings(&peer, (const struct peer_setting[]){{GN_H2_MAX_FRAME_SIZE, 16384},
                                                       {GN_H2_MAX_FRAME_SIZE, 16777215},
                                                       {GN_H2_ENABLE_PUSH, 1},
                                                       {GN_H2_MAX_CONCURRENT_STREAMS, 0},
                                                       {0, 0}});
    EXPECT(&peer, "SETTINGS ACK\nSETTINGS ACK\nSETTINGS ACK\n");
    EXPECT_ALIVE(&peer);
    end();
}

TEST(the_tables_size_that_a_client_allows_is_kept)
{
    begin();
    peer_setting(&peer, GN_H2_HEADER_TABLE_SIZE, 0);
    EXPECT(&peer, "SETTINGS ACK\n");
    gn_hpack_decoder_allow(&peer.decoder, 0);
    for (uint32_t stream = 1; stream < 9; stream += 2) {
        peer_get(&peer, stream);
        peer_send(&peer);
        struct driver_staged staged = {.length = 0};
        driver_field(&staged, GN_FIELD_SERVER, "", "gannet");
        driver_say(&driver, driver_exchange(&driver, stream / 2),
                   (struct gn_command){.kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = 204, .value = -1},
                   &staged, "");
        peer_send(&peer); // a block that does not begin with the table's size does not decode
        CHECK(strstr(peer.text, ":status: 204 | server: gannet\n") != NULL);
        peer_forget(&peer);
    }
    peer_setting(&peer, GN_H2_HEADER_TABLE_SIZE, 100000);
    EXPECT(&peer, "SETTINGS ACK\n");
    gn_hpack_decoder_allow(&peer.decoder, 65535);
    peer_get(&peer, 9);
    peer_send(&peer);
    driver_answer(&driver, driver_exchange(&driver, 4), "");
    EXPECT(&peer, EMPTY_OK(9));
    end();
}

TEST(the_tables_size_that_the_server_allows_holds_from_its_acknowledgement)
{
    static const struct {
        uint64_t allowed;
        const char *block; /* of the next request */
        size_t length;
        bool passes;
    } cases[] = {
        {4096, "\x82\x86\x84\x01\x01h", 6, true},              // as it was
        {4096, "\x3f\xe1\x1f\x82\x86\x84\x01\x01h", 9, true},  // 4096
        {4096, "\x3f\xe2\x1f\x82\x86\x84\x01\x01h", 9, false}, // 4097
        {100, "\x3f\x45\x82\x86\x84\x01\x01h", 8, true},       // 100
        {100, "\x3f\x46\x82\x86\x84\x01\x01h", 8, false},      // 101
        {100, "\x82\x86\x84\x01\x01h", 6, false},              // which must be said
        {0, "\x20\x82\x86\x84\x01\x01h", 7, true},             // 0
        {8192, "\x3f\xe1\x3f\x82\x86\x84\x01\x01h", 9, true},  // 8192
        {8192, "\x3f\xe2\x3f\x82\x86\x84\x01\x01h", 9, false}, // 8193
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        driver_prepare(&driver);
        driver.shared->listener.table_bytes = cases[i].allowed;
        driver_open(&driver);
        peer_connect(&peer, &driver);
        queue_greeting_and_request(); // which goes by 4096
        peer_settings_ack(&peer);
        peer_frame(&peer, GN_H2_HEADERS, GN_H2_END_HEADERS | GN_H2_END_STREAM, 3, cases[i].block, cases[i].length);
        peer_send(&peer);
        CHECK_EQ(driver.exchange_count, 1 + cases[i].passes);
        if (!cases[i].passes)
            EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_COMPRESSION_ERROR);
        peer_forget(&peer);
        end();
    }
}

/* ---- frames ---- */

/*
 * Streams in each state: 1 is open, 3 was never used, 5 is closed, 7 half closed, 9 and others idle.
 */
static void begin_with_streams(void)
{
    driver_prepare(&driver);
    driver.shared->listener.connect = 1;
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_get(&peer, 5);
    peer_get(&peer, 7);
    EXPECT(&peer, "");
    driver_answer(&driver, driver_exchange(&driver, 1), "");
    EXPECT(&peer, EMPTY_OK(5));
}

/* A frame: its payload is `bytes`, with zeros behind them up to `length`. */
struct frame_case {
    unsigned type, flags;
    uint32_t stream;
    size_t length;
    const char *bytes;
    enum gn_h2_error code;
    unsigned reason;
};

static void queue_case(const struct frame_case *frame)
{
    static uint8_t payload[70000];
    memset(payload, 0, sizeof(payload));
    for (size_t i = 0; frame->bytes != NULL && i < frame->length && i < 12; i++)
        payload[i] = (uint8_t)frame->bytes[i];
    peer_frame(&peer, frame->type, frame->flags, frame->stream, payload, frame->length);
}

/* Bytes of exactly 12. */
#define GET_BLOCK "\x82\x86\x84\x01\x01h\x82\x82\x82\x82\x82\x82"
#define ONE "\0\0\0\1\0\0\0\0\0\0\0\0"
#define WHOLE GN_H2_END_HEADERS

static void check_connection_errors(const struct frame_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned before = test_failures;
        begin_with_streams();
        peer_ping(&peer, 0, "in time.");
        queue_case(&cases[i]);
        peer_get(&peer, 11);
        peer_send(&peer);
        CHECK(peer.text_length > 18 && memcmp(peer.text, "PING ACK in time.\n", 18) == 0);
        EXPECT_GOAWAY(&peer, PEER_ANY, cases[i].code);
        CHECK_EQ(peer_reason_count(&driver, cases[i].reason), 1);
        CHECK_EQ(driver.exchange_count, 3);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
        CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, cases[i].reason);
        CHECK_EQ(driver_exchange(&driver, 2)->resets, 1);
        end();
        if (test_failures != before)
            fprintf(stderr, "... in case %zu: type %u, stream %u, %zu bytes\n", i, cases[i].type, cases[i].stream,
                    cases[i].length);
    }
}
#define CHECK_CONNECTION_ERRORS(cases) check_connection_errors((cases), sizeof(cases) / sizeof((cases)[0]))

TEST(H5_frames_on_streams_where_they_may_not_be)
{
    static const struct frame_case cases[] = {
        {GN_H2_DATA, 0, 0, 5, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_DATA, 0, 0, 0, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_HEADERS, WHOLE, 0, 6, GET_BLOCK, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_HEADERS, WHOLE, 10, 6, GET_BLOCK, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_HEADERS, WHOLE, 2, 6, GET_BLOCK, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_HEADERS, WHOLE, 3, 6, GET_BLOCK, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_HEADERS, WHOLE | GN_H2_END_STREAM, 5, 6, GET_BLOCK, GN_H2_STREAM_CLOSED, GN_REASON_STREAM_CLOSED},
        {GN_H2_DATA, 0, 9, 5, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_DATA, 0, 10, 5, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_RST_STREAM, 0, 0, 4, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_RST_STREAM, 0, 9, 4, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_RST_STREAM, 0, 2, 4, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_WINDOW_UPDATE, 0, 9, 4, ONE, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_WINDOW_UPDATE, 0, 2, 4, ONE, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_PRIORITY, 0, 0, 5, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_SETTINGS, 0, 1, 0, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_SETTINGS, GN_H2_ACK, 1, 0, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_PING, 0, 1, 8, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_GOAWAY, 0, 1, 8, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_CONTINUATION, WHOLE, 0, 6, GET_BLOCK, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_CONTINUATION, WHOLE, 1, 6, GET_BLOCK, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_CONTINUATION, WHOLE, 9, 6, GET_BLOCK, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_PUSH_PROMISE, WHOLE, 1, 10, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
    };
    CHECK_CONNECTION_ERRORS(cases);
}

TEST(H5_frames_of_lengths_that_they_may_not_have)
{
    static const struct frame_case cases[] = {
        {GN_H2_HEADERS, WHOLE, 9, 16385, GET_BLOCK, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_SETTINGS, 0, 0, 16386, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_CONTINUATION, WHOLE, 9, 16385, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_SETTINGS, 0, 0, 5, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_SETTINGS, 0, 0, 7, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_SETTINGS, GN_H2_ACK, 0, 6, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_PING, 0, 0, 7, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_PING, 0, 0, 9, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_PING, GN_H2_ACK, 0, 0, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_GOAWAY, 0, 0, 7, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_RST_STREAM, 0, 1, 3, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_RST_STREAM, 0, 1, 5, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_WINDOW_UPDATE, 0, 0, 3, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_WINDOW_UPDATE, 0, 1, 5, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_HEADERS, WHOLE | GN_H2_HAS_PRIORITY, 9, 4, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
        {GN_H2_HEADERS, WHOLE | GN_H2_PADDED, 9, 0, NULL, GN_H2_FRAME_SIZE_ERROR, GN_REASON_FRAME_SIZE},
    };
    CHECK_CONNECTION_ERRORS(cases);
}

TEST(frames_with_contents_that_they_may_not_have)
{
    static const struct frame_case cases[] = {
        {GN_H2_WINDOW_UPDATE, 0, 0, 4, NULL, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_HEADERS, WHOLE | GN_H2_PADDED, 9, 4, "\4\x82\x86\x84\0\0\0\0\0\0\0\0", GN_H2_PROTOCOL_ERROR,
         GN_REASON_HTTP_2_ERROR},
        {GN_H2_DATA, GN_H2_PADDED, 1, 4, "\4abc\0\0\0\0\0\0\0\0", GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_SETTINGS, 0, 0, 6, "\0\2\0\0\0\2\0\0\0\0\0\0", GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_SETTINGS, 0, 0, 6, "\0\4\x80\0\0\0\0\0\0\0\0\0", GN_H2_FLOW_CONTROL_ERROR, GN_REASON_FLOW_CONTROL},
        {GN_H2_SETTINGS, 0, 0, 6, "\0\5\0\0\x3f\xff\0\0\0\0\0\0", GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_SETTINGS, 0, 0, 6, "\0\5\1\0\0\0\0\0\0\0\0\0", GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_SETTINGS, 0, 0, 12, "\0\3\0\0\0\1\0\2\0\0\0\3", GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR},
        {GN_H2_HEADERS, WHOLE, 9, 1, "\x80\0\0\0\0\0\0\0\0\0\0\0", GN_H2_COMPRESSION_ERROR, GN_REASON_COMPRESSION},
        {GN_H2_HEADERS, WHOLE | GN_H2_END_STREAM, 1, 1, "\xff\xff\0\0\0\0\0\0\0\0\0\0", GN_H2_COMPRESSION_ERROR,
         GN_REASON_COMPRESSION}, // in trailers, too
    };
    CHECK_CONNECTION_ERRORS(cases);
}

TEST(H5_stream_errors_leave_the_connection_alone)
{
    static const struct {
        struct frame_case frame;
        const char *expected;
        int resets; /* the exchange that hears of it, or -1 */
    } cases[] = {
        {{GN_H2_DATA, 0, 5, 5, NULL, 0, 0}, "RST_STREAM 5 STREAM_CLOSED\n", -1},
        {{GN_H2_DATA, 0, 7, 5, NULL, 0, 0}, "RST_STREAM 7 STREAM_CLOSED\n", 2},
        {{GN_H2_HEADERS, WHOLE | GN_H2_END_STREAM, 7, 6, GET_BLOCK, 0, 0}, "RST_STREAM 7 STREAM_CLOSED\n", 2},
        {{GN_H2_PRIORITY, 0, 1, 4, NULL, 0, 0}, "RST_STREAM 1 FRAME_SIZE_ERROR\n", 0},
        {{GN_H2_WINDOW_UPDATE, 0, 1, 4, NULL, 0, 0}, "RST_STREAM 1 PROTOCOL_ERROR\n", 0},
        {{GN_H2_WINDOW_UPDATE, 0, 7, 4, NULL, 0, 0}, "RST_STREAM 7 PROTOCOL_ERROR\n", 2},
        {{GN_H2_DATA, 0, 1, 16385, NULL, 0, 0}, "RST_STREAM 1 FRAME_SIZE_ERROR\n", 0},
        {{GN_H2_DATA, 0, 1, 70000, NULL, 0, 0}, "RST_STREAM 1 FRAME_SIZE_ERROR\n", 0},
        {{GN_H2_HEADERS, WHOLE, 1, 0, NULL, 0, 0}, "RST_STREAM 1 PROTOCOL_ERROR\n", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned before = test_failures;
        begin_with_streams();
        queue_case(&cases[i].frame);
        EXPECT(&peer, cases[i].expected);
        EXPECT_ALIVE(&peer);
        for (int j = 0; j < 3; j++)
            CHECK_EQ(driver_exchange(&driver, (size_t)j)->resets, j == cases[i].resets);
        peer_get(&peer, 11);
        peer_send(&peer);
        CHECK_EQ(driver.exchange_count, 4);
        driver_answer(&driver, driver_exchange(&driver, 3), "");
        EXPECT(&peer, EMPTY_OK(11));
        end();
        if (test_failures != before)
            fprintf(stderr, "... in case %zu\n", i);
    }
}

TEST(frames_that_change_nothing)
{
    static const struct frame_case cases[] = {
        {GN_H2_PRIORITY, 0, 1, 5, NULL, 0, 0},
        {GN_H2_PRIORITY, 0, 9, 5, NULL, 0, 0},
        {GN_H2_PRIORITY, 0, 10, 5, NULL, 0, 0},
        {GN_H2_PRIORITY, 0, 5, 5, NULL, 0, 0},
        {GN_H2_PRIORITY, 0, 1, 5, ONE, 0, 0},
        {GN_H2_WINDOW_UPDATE, 0, 5, 4, ONE, 0, 0},
        {GN_H2_RST_STREAM, 0, 5, 4, NULL, 0, 0},
        {GN_H2_WINDOW_UPDATE, 0, 7, 4, ONE, 0, 0},
        {GN_H2_WINDOW_UPDATE, 0, 0, 4, ONE, 0, 0},
        {GN_H2_PING, GN_H2_ACK, 0, 8, NULL, 0, 0},
        {200, 255, 0, 5, NULL, 0, 0},
        {200, 255, 1, 5, NULL, 0, 0},
        {255, 0, 9, 0, NULL, 0, 0},
        {0x0b, 0, 10, 16384, NULL, 0, 0},
        {GN_H2_SETTINGS, 0x80, 0, 0, NULL, 0, 0},
        {GN_H2_HEADERS, 0xff & ~32, 1, 3, "\2\0\0\0\0\0\0\0\0\0\0", 0, 0},
        {GN_H2_DATA, 0xf0, 1, 0, NULL, 0, 0},
        {GN_H2_DATA, GN_H2_PADDED, 1, 1, NULL, 0, 0},
        {GN_H2_PRIORITY_UPDATE, 0, 0, 4, ONE, 0, 0},
        {GN_H2_WINDOW_UPDATE, 0xff, 1, 4, ONE, 0, 0},
        {GN_H2_RST_STREAM, 0, 0x80000005, 4, NULL, 0, 0}, // the reserved bit
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned before = test_failures;
        begin_with_streams();
        queue_case(&cases[i]);
        EXPECT(&peer, cases[i].type == GN_H2_SETTINGS ? "SETTINGS ACK\n" : "");
        EXPECT_ALIVE(&peer);
        driver_answer(&driver, driver_exchange(&driver, 2), "");
        EXPECT(&peer, EMPTY_OK(7));
        CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
        end();
        if (test_failures != before)
            fprintf(stderr, "... in case %zu\n", i);
    }
}

TEST(H5_a_larger_frame_where_the_setting_allows_it)
{
    for (unsigned more = 0; more < 2; more++) {
        driver_prepare(&driver);
        driver.shared->listener.frame_bytes = 20000;
        driver.shared->listener.receive_credit = 100000;
        peer_start(&peer, &driver);
        peer_headers(&peer, 1, 0, PEER_POST);
        peer_filled(&peer, GN_H2_DATA, GN_H2_END_STREAM, 1, 20000 + more);
        EXPECT(&peer, more ? "RST_STREAM 1 FRAME_SIZE_ERROR\n" : "");
        CHECK_EQ(driver_exchange(&driver, 0)->body_length, more ? 0 : 20000);
        CHECK_EQ(driver_exchange(&driver, 0)->resets, more);
        end();
    }
}

TEST(nothing_comes_between_the_pieces_of_a_field_block)
{
    for (unsigned i = 0; i < 8; i++) {
        begin();
        peer_headers(&peer, 1, 0, PEER_POST);
        size_t length;
        uint8_t *block = peer_block(PEER_GET, &length);
        peer_frame(&peer, GN_H2_HEADERS, 0, 3, block, length);
        switch (i) {
        case 0:
            peer_data(&peer, 1, 0, "x");
            break;
        case 1:
            peer_ping(&peer, 0, "12345678");
            break;
        case 2:
            peer_frame(&peer, GN_H2_CONTINUATION, GN_H2_END_HEADERS, 1, NULL, 0);
            break;
        case 3:
            peer_get(&peer, 5);
            break;
        case 4:
            peer_filled(&peer, 200, 0, 3, 1); // unknown types, too
            break;
        case 5:
            peer_priority(&peer, 3);
            break;
        case 6:
            peer_settings(&peer, NULL);
            break;
        default:
            peer_rst_stream(&peer, 3, GN_H2_CANCEL);
            break;
        }
        free(block);
        EXPECT_GOAWAY(&peer, PEER_ANY, GN_H2_PROTOCOL_ERROR);
        CHECK_EQ(driver.exchange_count, 1);
        end();
    }
}

TEST(a_field_block_in_many_pieces)
{
    for (size_t pieces = 1; pieces <= 40; pieces++) { // up to one of an octet, or none
        begin();
        peer_headers_in_pieces(&peer, 1, GN_H2_END_STREAM, PEER_GET, pieces);
        peer_get(&peer, 3);
        EXPECT(&peer, "");
        CHECK_EQ(driver.exchange_count, 2);
        end();
    }
}

/* ---- what leaves ---- */

TEST(all_of_a_turn_leaves_in_one_send)
{
    begin();
    for (uint32_t stream = 1; stream < 21; stream += 2)
        peer_get(&peer, stream);
    peer_ping(&peer, 0, "12345678");
    peer_write(&peer, peer.out, peer.out_length);
    peer.out_length = 0;
    driver_poll(&driver);
    driver_poll(&driver);
    CHECK_EQ(driver.exchange_count, 10);
    driver_settle(&driver);
    unsigned before = gn_io_memory_sends(peer.end);
    for (size_t i = 0; i < 10 && i < driver.exchange_count; i++)
        driver_answer(&driver, driver_exchange(&driver, i), "hello");
    peer_receive(&peer);
    CHECK_EQ(gn_io_memory_sends(peer.end) - before, 1);
    CHECK_EQ(peer_stream(&peer, 19)->body_length, 5);
    CHECK(peer_stream(&peer, 19)->ended);
    peer_forget(&peer);
    end();
}

TEST(frames_are_no_larger_than_a_client_allows)
{
    for (unsigned larger = 0; larger < 2; larger++) {
        driver_prepare(&driver);
        struct peer_setting settings[] = {
            {GN_H2_INITIAL_WINDOW_SIZE, 1 << 20}, {larger ? GN_H2_MAX_FRAME_SIZE : 0, 40000}, {0, 0}};
        peer_start_with(&peer, &driver, settings);
        peer.frame_max = larger ? 40000 : 16384; // looked at by the peer
        peer_window_update(&peer, 0, 1 << 20);
        peer_get(&peer, 1);
        peer_send(&peer);
        static char body[100000];
        driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, body, sizeof(body));
        peer_send(&peer);
        CHECK_EQ(peer_stream(&peer, 1)->body_length, sizeof(body));
        CHECK(peer_stream(&peer, 1)->ended);
        peer_forget(&peer);
        end();
    }
}

TEST(a_field_block_larger_than_a_frame_goes_on_in_CONTINUATION)
{
    begin();
    peer_get(&peer, 1);
    peer_send(&peer);
    static char value[40000];
    memset(value, 'v', sizeof(value));
    struct gn_staged_field field = {.name_length = 1, .value_length = sizeof(value)};
    static uint8_t staged[sizeof(field) + 1 + sizeof(value)];
    memcpy(staged, &field, sizeof(field));
    staged[sizeof(field)] = 'n';
    memcpy(staged + sizeof(field) + 1, value, sizeof(value));
    driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_RESPOND,
                                                .flags = GN_FLAG_END,
                                                .status = 200,
                                                .subject = driver_exchange(&driver, 0)->id,
                                                .offset = driver_stage(&driver, staged, sizeof(staged)),
                                                .length = sizeof(staged),
                                                .value = -1});
    peer_send(&peer); // whose frames are looked at as they come
    CHECK(strstr(peer.text, "HEADERS 1 END :status: 200") == peer.text);
    CHECK(peer.text_length > 40000);
    CHECK_EQ(peer_stream(&peer, 1)->heads, 1);
    peer_forget(&peer);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(a_field_block_that_fills_its_frames)
{
    begin();
    static char value[2 * 16384];
    static uint8_t staged[sizeof(struct gn_staged_field) + 1 + sizeof(value)];
    memset(value, '{', sizeof(value)); // of no less than 8 bits with Huffman's code
    uint32_t stream = 1;
    for (size_t frames = 1; frames <= 2; frames++) {
        for (size_t length = frames * 16384 - 40; length < frames * 16384; length++, stream += 2) {
            struct gn_staged_field field = {.name_length = 1, .value_length = (uint32_t)length};
            memcpy(staged, &field, sizeof(field));
            staged[sizeof(field)] = 'n';
            memcpy(staged + sizeof(field) + 1, value, length);
            peer_get(&peer, stream);
            peer_send(&peer);
            struct driver_exchange *exchange = driver_exchange(&driver, driver.exchange_count - 1);
            uint32_t size = (uint32_t)(sizeof(field) + 1 + length);
            driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_RESPOND,
                                                        .flags = GN_FLAG_END | GN_FLAG_RELEASE,
                                                        .status = 200,
                                                        .subject = exchange->id,
                                                        .offset = driver_stage(&driver, staged, size),
                                                        .length = size,
                                                        .value = -1});
            driver_note_release(&driver, exchange);
            peer_send(&peer);
            CHECK(peer.text_length > length);
            CHECK(peer_stream(&peer, stream)->ended);
            CHECK_EQ(peer.block_length, 0);
            peer_forget(&peer);
        }
    }
    EXPECT_ALIVE(&peer);
    end();
}

TEST(A8_J8_E4_the_time_for_the_beginning_counts_from_its_first_byte)
{
    driver_prepare(&driver);
    driver_open(&driver);
    peer_connect(&peer, &driver);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(!gn_io_memory_saw_end(peer.end));
        gn_io_memory_write(peer.end, (const uint8_t *)GN_H2_PREFACE + i, 1);
        driver_settle(&driver);
        driver_advance(&driver, 9 * SECOND);
    }
    CHECK(gn_io_memory_saw_end(peer.end));
    CHECK_EQ(driver.shared->counters.timeouts, 1);
    end();
}

TEST(frames_that_are_unusual_and_no_errors)
{
    begin();
    peer_number(&peer, GN_H2_WINDOW_UPDATE, 0, 0x80000001); // a bit is reserved (section 6.9)
    EXPECT_ALIVE(&peer);
    peer_frame(&peer, GN_H2_PING, GN_H2_ACK, 0, "leaving", 8); // nobody asked
    EXPECT_ALIVE(&peer);
    peer_get(&peer, 1);
    EXPECT(&peer, "");
    CHECK_EQ(driver.exchange_count, 1);
    peer_frame(&peer, GN_H2_PRIORITY, 0, 99, "1234", 4); // an error of a stream, which is not there
    EXPECT_ALIVE(&peer);
    end();
}

TEST(H5_padding_without_a_length_is_found_at_once)
{
    begin();
    peer_headers(&peer, 1, 0, PEER_POST);
    peer_frame(&peer, GN_H2_DATA, GN_H2_PADDED, 1, "", 0);
    EXPECT_GOAWAY(&peer, 1, GN_H2_FRAME_SIZE_ERROR);
    end();
}

TEST_MAIN()
