#include "h2/peer.h"

/*
 * CONNECT and extended CONNECT (RFC 9113 section 8.5, RFC 8441): streams that carry bytes both ways.
 */

#define CONNECT ":method: CONNECT\n:authority: h:1\n"
#define WEBSOCKET ":method: CONNECT\n:protocol: websocket\n:scheme: http\n:path: /chat\n:authority: h\n"
#define OPEN(stream) "HEADERS " #stream " :status: 200\n"
#define MANY 200000U

static struct driver driver;
static struct peer peer;
static char bytes[MANY];

static void prepare(void)
{
    driver_prepare(&driver);
    driver.shared->listener.connect = driver.shared->listener.connect_protocol = 1;
    memset(bytes, 't', sizeof(bytes));
}

static void end(void)
{
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

static struct driver_exchange *begin_connect(uint32_t stream, const char *fields)
{
    size_t before = driver.exchange_count;
    peer_headers(&peer, stream, 0, fields);
    EXPECT(&peer, "");
    return driver_exchange(&driver, before);
}

/* A tunnel on stream 1. */
static struct driver_exchange *begin(void)
{
    prepare();
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    driver_open_tunnel(&driver, exchange, 200, "");
    EXPECT(&peer, OPEN(1));
    CHECK_EQ(driver.shared->counters.tunnels_open, 1);
    return exchange;
}

static void data(struct driver_exchange *exchange, unsigned flags, const char *text)
{
    driver_data(&driver, exchange, (uint8_t)flags, text, strlen(text));
}

static void check_body(const struct driver_exchange *exchange, const char *text)
{
    CHECK_BYTES(exchange->body == NULL ? "" : (const char *)exchange->body, exchange->body_length, text);
}

/* ---- F4 ---- */

TEST(F4_bytes_both_ways_and_each_side_ends_by_itself)
{
    for (unsigned client_first = 0; client_first < 2; client_first++) {
        struct driver_exchange *exchange = begin();
        peer_data(&peer, 1, 0, "ping");
        EXPECT(&peer, "");
        check_body(exchange, "ping");
        data(exchange, 0, "pong");
        EXPECT(&peer, "DATA 1 pong\n");
        if (client_first) {
            peer_data(&peer, 1, GN_H2_END_STREAM, " end");
            EXPECT(&peer, "");
            check_body(exchange, "ping end");
            CHECK(exchange->ended);
            data(exchange, 0, "still");
            EXPECT(&peer, "DATA 1 still\n");
            data(exchange, GN_FLAG_END, "done");
            EXPECT(&peer, "DATA 1 END done\n");
        } else {
            data(exchange, GN_FLAG_END, "done");
            EXPECT(&peer, "DATA 1 END done\n");
            peer_data(&peer, 1, 0, " still");
            EXPECT(&peer, "");
            peer_data(&peer, 1, GN_H2_END_STREAM, "");
            EXPECT(&peer, "");
            check_body(exchange, "ping still");
            CHECK(exchange->ended);
        }
        CHECK_EQ(driver.shared->counters.tunnels_open, 0);
        CHECK_EQ(exchange->resets, 0);
        driver_release(&driver, exchange);
        EXPECT_ALIVE(&peer); // the connection is not the tunnel's
        end();
    }
}

TEST(F4_what_comes_before_the_answer_is_the_tunnels)
{
    prepare();
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    peer_data(&peer, 1, 0, "early ");
    EXPECT(&peer, "");
    driver_open_tunnel(&driver, exchange, 200, "first");
    EXPECT(&peer, OPEN(1) "DATA 1 first\n");
    peer_data(&peer, 1, 0, "late");
    EXPECT(&peer, "");
    check_body(exchange, "early late");
    end();
}

TEST(F4_several_at_once_beside_requests)
{
    begin();
    for (uint32_t stream = 3; stream <= 9; stream += 2) {
        struct driver_exchange *exchange = begin_connect(stream, stream % 4 == 1 ? CONNECT : WEBSOCKET);
        driver_open_tunnel(&driver, exchange, 200, "");
        peer_send(&peer);
        CHECK_EQ(peer_stream(&peer, stream)->heads, 1);
        peer_forget(&peer);
    }
    CHECK_EQ(driver.shared->counters.tunnels_open, 5);
    peer_get(&peer, 11);
    for (uint32_t stream = 1; stream <= 9; stream += 2) {
        peer_data(&peer, stream, 0, "");
        peer_data(&peer, stream, 0, stream % 4 == 1 ? "odd" : "even");
        peer_data_padded(&peer, stream, 0, "", 5);
    }
    EXPECT(&peer, "");
    for (size_t i = 0; i < 5; i++) {
        check_body(driver_exchange(&driver, i), i % 2 == 0 ? "odd" : "even");
        data(driver_exchange(&driver, i), 0, "x");
    }
    driver_answer(&driver, driver_exchange(&driver, 5), "");
    peer_send(&peer);
    for (uint32_t stream = 1; stream <= 9; stream += 2)
        CHECK_EQ(peer_stream(&peer, stream)->body_length, 1);
    CHECK(peer_stream(&peer, 11)->ended);
    end();
}

TEST(F4_large_bodies_both_ways)
{
    struct driver_exchange *exchange = begin();
    peer_window_update(&peer, 0, MANY);
    peer_window_update(&peer, 1, MANY);
    peer_data_filled(&peer, 1, 0, MANY);
    driver_data(&driver, exchange, 0, bytes, MANY);
    peer_send(&peer);
    CHECK_EQ(exchange->body_length, MANY);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, MANY);
    CHECK_EQ(exchange->credits, MANY);
    end();
}

/* ---- F5 ---- */

TEST(F5_the_writer_waits_for_the_window)
{
    struct driver_exchange *exchange = begin();
    driver_data(&driver, exchange, 0, bytes, MANY);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 65535);
    CHECK(exchange->credits <= 65535);
    peer_window_update(&peer, 1, MANY);
    peer_window_update(&peer, 0, 1000);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, 66535);
    data(exchange, GN_FLAG_END, ""); // shut down while it waits
    peer_send(&peer);
    CHECK(!peer_stream(&peer, 1)->ended);
    peer_window_update(&peer, 0, MANY);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length, MANY);
    CHECK(peer_stream(&peer, 1)->ended);
    CHECK_EQ(exchange->resets, 0);
    end();
}

TEST(F5_a_reset_reaches_a_writer_that_waits)
{
    struct driver_exchange *exchange = begin();
    driver_data(&driver, exchange, 0, bytes, MANY);
    peer_send(&peer);
    peer_forget(&peer);
    peer_rst_stream(&peer, 1, GN_H2_CONNECT_ERROR);
    EXPECT(&peer, "");
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_STREAM_RESET);
    CHECK_EQ(driver.shared->counters.tunnels_open, 0);
    peer_window_update(&peer, 0, MANY);
    EXPECT(&peer, "");
    EXPECT_ALIVE(&peer);
    end();
}

TEST(F5_a_reader_that_does_not_read_shuts_the_window)
{
    prepare();
    driver.shared->listener.stream_window = 65535;
    driver.shared->listener.receive_credit = 100;
    driver.hold_bodies = true;
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    driver_open_tunnel(&driver, exchange, 200, "");
    peer_data_filled(&peer, 1, 0, 65535);
    EXPECT(&peer, OPEN(1));
    CHECK_EQ(exchange->body_length, 100);
    CHECK_EQ(peer_stream(&peer, 1)->credit, 0);
    peer_data(&peer, 1, 0, "x");
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->code, GN_H2_FLOW_CONTROL_ERROR);
    CHECK_EQ(exchange->resets, 1);
    end();
}

TEST(F5_Java_breaks_it)
{
    for (unsigned release = 0; release < 2; release++) {
        struct driver_exchange *exchange = begin();
        driver_data(&driver, exchange, 0, bytes, MANY);
        peer_send(&peer);
        peer_forget(&peer);
        if (release)
            driver_release(&driver, exchange);
        else
            peer_java_resets(&driver, exchange, GN_H2_CONNECT_ERROR);
        EXPECT(&peer, release ? "RST_STREAM 1 INTERNAL_ERROR\n" : "RST_STREAM 1 CONNECT_ERROR\n");
        CHECK_EQ(driver.shared->counters.tunnels_open, 0);
        peer_data(&peer, 1, 0, "on its way");
        EXPECT(&peer, "");
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(tunnel_timeout_ends_the_tunnel_alone)
{
    prepare();
    driver.shared->listener.tunnel_timeout = 100 * SECOND;
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    driver_open_tunnel(&driver, exchange, 200, "");
    EXPECT(&peer, OPEN(1));
    driver_advance(&driver, 80 * SECOND); // longer than idle_timeout: a tunnel is no idle connection
    peer_data(&peer, 1, 0, "x");
    EXPECT(&peer, "");
    driver_advance(&driver, 80 * SECOND);
    data(exchange, 0, "y");
    EXPECT(&peer, "DATA 1 y\n");
    driver_advance(&driver, 80 * SECOND);
    peer_get(&peer, 3);
    EXPECT(&peer, "");
    CHECK_EQ(exchange->resets, 0);
    for (unsigned i = 0; i < 125; i++) // at the latest after twice the time
        driver_advance(&driver, SECOND);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->reset);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_TUNNEL_TIMEOUT);
    CHECK_EQ(driver.shared->counters.tunnels_open, 0);
    peer_forget(&peer);
    driver_answer(&driver, driver_exchange(&driver, 1), "");
    EXPECT(&peer, "HEADERS 3 END :status: 200 | content-length: 0\n");
    end();
}

TEST(a_graceful_end_leaves_tunnels_until_it_is_an_abort)
{
    struct driver_exchange *exchange = begin();
    driver_unlisten(&driver, 0);
    peer_send(&peer);
    peer_pong(&peer);
    peer_send(&peer);
    peer_forget(&peer);
    peer_data(&peer, 1, 0, "x");
    data(exchange, 0, "y");
    EXPECT(&peer, "DATA 1 y\n");
    check_body(exchange, "x");
    CHECK_EQ(driver.unlistened, 0);
    driver_unlisten(&driver, GN_FLAG_ABORT);
    peer_send(&peer);
    CHECK(peer.saw_end);
    CHECK_EQ(exchange->resets, 1);
    driver_release(&driver, exchange);
    driver_settle(&driver);
    CHECK_EQ(driver.unlistened, 1);
    driver.listener = 0;
    end();
}

/* ---- F6 ---- */

TEST(F6_CONNECT_with_content)
{
    static const char *const requests[] = {CONNECT "content-length: 5\n", CONNECT "content-length: 0\n",
                                           CONNECT "transfer-encoding: chunked\n", WEBSOCKET "content-length: 5\n"};
    for (unsigned i = 0; i < 4; i++) {
        prepare();
        peer_start(&peer, &driver);
        peer_headers(&peer, 1, 0, requests[i]);
        EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
        CHECK_EQ(driver.exchange_count, 0);
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(F6_C9_the_answer_has_no_length)
{
    prepare();
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    exchange->ended = false;
    driver_respond(&driver, exchange, 200, GN_FLAG_CHUNKED, 5, "", 0);
    data(exchange, 0, "more than five");
    EXPECT(&peer, OPEN(1) "DATA 1 more than five\n");
    end();
}

TEST(a_tunnel_has_no_trailers)
{
    struct driver_exchange *exchange = begin();
    peer_headers(&peer, 1, GN_H2_END_STREAM, "+t: u\n");
    EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
    CHECK_EQ(exchange->resets, 1);
    EXPECT_ALIVE(&peer);
    end();

    exchange = begin();
    struct driver_staged trailers = {.length = 0};
    driver_field(&trailers, 0, "t", "u");
    driver_trailers(&driver, exchange, &trailers);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.commands_rejected, 1);
    driver.shared->counters.commands_rejected = 0;
    EXPECT(&peer, "");
    end();
}

TEST(a_refused_CONNECT_is_an_ordinary_response)
{
    prepare();
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    driver_respond(&driver, exchange, 404, GN_FLAG_END | GN_FLAG_RELEASE, -1, "none", 4);
    driver_note_release(&driver, exchange);
    EXPECT(&peer, "HEADERS 1 :status: 404 | content-length: 4\nDATA 1 END none\nRST_STREAM 1 NO_ERROR\n");
    CHECK_EQ(driver.shared->counters.tunnels_open, 0);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(F4_a_client_that_says_nothing)
{
    prepare();
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, GN_H2_END_STREAM, CONNECT);
    EXPECT(&peer, "");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_open_tunnel(&driver, exchange, 200, "a");
    EXPECT(&peer, OPEN(1) "DATA 1 a\n");
    CHECK(exchange->ended);
    data(exchange, GN_FLAG_END, "b");
    EXPECT(&peer, "DATA 1 END b\n");
    CHECK_EQ(driver.shared->counters.tunnels_open, 0);
    end();
}

/* ---- F7 ---- */

TEST(F7_extended_CONNECT_as_Java_reads_it)
{
    prepare();
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, WEBSOCKET "sec-websocket-version: 13\n");
    const uint8_t *block = driver_block_bytes(&driver, exchange->head_block);
    struct gn_head_block head;
    memcpy(&head, block, sizeof(head));
    CHECK_BYTES(block + head.protocol_offset, head.protocol_length, "websocket");
    CHECK_BYTES(block + head.path_offset, head.path_length, "/chat");
    CHECK_BYTES(block + head.authority_offset, head.authority_length, "h");
    driver_open_tunnel(&driver, exchange, 200, "");
    peer_data(&peer, 1, 0, "frame");
    EXPECT(&peer, OPEN(1));
    check_body(exchange, "frame");
    end();
}

TEST(F7_extended_CONNECT_is_refused_unless_it_is_on)
{
    for (unsigned connects = 0; connects < 2; connects++) {
        driver_prepare(&driver);
        driver.shared->listener.connect = connects;
        peer_start(&peer, &driver);
        peer_headers(&peer, 1, 0, WEBSOCKET);
        EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
        CHECK_EQ(driver.exchange_count, 0);
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(F7_pseudo_fields_of_CONNECT)
{
    static const char *const requests[] = {
        PEER_GET ":protocol: websocket\n",
        ":method: CONNECT\n:protocol: websocket\n:path: /\n:authority: h\n",
        ":method: CONNECT\n:protocol: websocket\n:scheme: http\n:authority: h\n",
        ":method: CONNECT\n:protocol: \n:scheme: http\n:path: /\n:authority: h\n",
        ":method: CONNECT\n:scheme: http\n:path: /\n:authority: h:1\n",
        ":method: CONNECT\n:path: /\n:authority: h:1\n",
        ":method: CONNECT\n:scheme: http\n:authority: h:1\n",
        ":method: CONNECT\n",
        ":method: CONNECT\n:authority: \n",
        ":method: CONNECT\n:authority: h\n", // without a port
        WEBSOCKET ":protocol: again\n",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        unsigned before = test_failures;
        prepare();
        peer_start(&peer, &driver);
        peer_headers(&peer, 1, 0, requests[i]);
        EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\n");
        CHECK_EQ(driver.exchange_count, 0);
        EXPECT_ALIVE(&peer);
        end();
        if (test_failures != before)
            fprintf(stderr, "... for\n%s", requests[i]);
    }
}

TEST(F5_what_goes_out_keeps_a_tunnel_too)
{
    prepare();
    driver.shared->listener.tunnel_timeout = 100 * SECOND;
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    driver_open_tunnel(&driver, exchange, 200, "");
    EXPECT(&peer, OPEN(1));
    for (unsigned i = 0; i < 5; i++) { // a stream of events to a client that only listens
        driver_advance(&driver, 90 * SECOND);
        data(exchange, 0, "an event");
        EXPECT(&peer, "DATA 1 an event\n");
    }
    CHECK_EQ(exchange->resets, 0);
    end();
}

TEST(B24_the_limit_of_a_body_is_none_of_a_tunnel)
{
    prepare();
    driver.shared->listener.body_bytes = 10;
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    peer_data(&peer, 1, 0, "more than it takes");
    EXPECT(&peer, "");
    driver_open_tunnel(&driver, exchange, 200, "");
    EXPECT(&peer, OPEN(1));
    peer_data(&peer, 1, 0, ", and so is this");
    EXPECT(&peer, "");
    check_body(exchange, "more than it takes, and so is this");
    end();
}

TEST(CONNECT_is_accepted_by_2xx_alone)
{
    prepare();
    peer_start(&peer, &driver);
    struct driver_exchange *exchange = begin_connect(1, CONNECT);
    driver_respond(&driver, exchange, 300, GN_FLAG_END | GN_FLAG_RELEASE, -1, "", 0);
    driver_note_release(&driver, exchange);
    EXPECT(&peer, "HEADERS 1 END :status: 300 | content-length: 0\nRST_STREAM 1 NO_ERROR\n");
    CHECK_EQ(driver.shared->counters.tunnels_open, 0);
    // Nor by a prepared response, which has a length.
    struct driver_staged none = {.length = 0};
    exchange = begin_connect(3, CONNECT);
    driver_keep(&driver, gn_id(0, 7), (struct gn_command){.value = 0}, &none, "", 0);
    driver_send_kept(&driver, exchange, 0, gn_id(0, 7));
    driver_forget(&driver, gn_id(0, 7));
    EXPECT(&peer, "");
    CHECK_EQ(driver.shared->counters.commands_rejected, 1);
    driver.shared->counters.commands_rejected = 0;
    end();
}

TEST(F7_extended_CONNECT_where_CONNECT_is_off)
{
    prepare();
    driver.shared->listener.connect = 0;
    peer_start(&peer, &driver);
    begin_connect(1, WEBSOCKET);
    end();
}

TEST_MAIN()
