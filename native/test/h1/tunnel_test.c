#include "loop/driver.h"

#define UPGRADE "GET /chat HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
#define CONNECT "CONNECT far:443 HTTP/1.1\r\nhost: far:443\r\n\r\n"
#define SWITCHED "HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n"
#define CONNECTED "HTTP/1.1 200 OK\r\n\r\n"

/* The wheel fires at most one slot after the moment. */
#define SLOT (2 * GN_TIMER_SLOT_NANOSECONDS)

static struct driver driver;

static struct gn_io_memory_peer *connect_with(const char *text)
{
    driver_prepare(&driver);
    driver.shared->listener.connect = 1;
    return driver_begin(&driver, text);
}

/* A tunnel by upgrade, its head read by the peer. */
static struct gn_io_memory_peer *tunnel(void)
{
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE);
    driver_open_tunnel(&driver, driver_exchange(&driver, 0), 101, "");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, SWITCHED);
    return peer;
}

static uint64_t tunnels_open(void)
{
    return driver.shared->counters.tunnels_open;
}

static void check_received(const struct driver_exchange *exchange, const char *text)
{
    const char *body = exchange->body == NULL ? "" : (const char *)exchange->body;
    CHECK_BYTES(body, exchange->body_length, text);
}

static void check_rejected(struct gn_command command)
{
    uint64_t before = driver.shared->counters.commands_rejected;
    driver_command(&driver, command);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.commands_rejected, before + 1);
    driver.shared->counters.commands_rejected = 0;
}

static void check_not_opened(struct driver_exchange *exchange, uint16_t status)
{
    check_rejected(
        (struct gn_command){.kind = GN_COMMAND_RESPOND, .status = status, .subject = exchange->id, .value = -1});
    CHECK_EQ(tunnels_open(), 0);
}

static uint8_t octet_at(size_t at)
{
    return (uint8_t)(at * 31 + at / 253);
}

/* ---- opening ---- */

TEST(F1_101_opens_a_tunnel)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK(exchange->ended);
    CHECK(exchange->head_flags & GN_HEAD_UPGRADE);
    CHECK_EQ(tunnels_open(), 0);
    driver_open_tunnel(&driver, exchange, 101, "first");
    driver_settle(&driver);
    CHECK_EQ(tunnels_open(), 1);
    CHECK_READ(&driver, peer, SWITCHED "first");
    driver_write(&driver, peer, "GET / HTTP/1.1\r\n\r\n\r\n"); // not HTTP any more
    driver_settle(&driver);
    check_received(exchange, "GET / HTTP/1.1\r\n\r\n\r\n");
    CHECK_EQ(driver.exchange_count, 1);
    driver_data(&driver, exchange, 0, "back", 4);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "back");
    CHECK_EQ(exchange->credits, 9); // "first" and "back" may be sent again
    driver_close(&driver);
}

TEST(F2_2xx_to_CONNECT_opens_a_tunnel)
{
    static const char *const heads[] = {CONNECT, "CONNECT far:443 HTTP/1.0\r\n\r\n",
                                        "CONNECT far:443 HTTP/1.1\r\nhost: far:443\r\nconnection: close\r\n\r\n"};
    for (unsigned i = 0; i < 3; i++) {
        struct gn_io_memory_peer *peer = connect_with(heads[i]);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        CHECK_EQ(exchange->method, GN_METHOD_CONNECT);
        CHECK_BYTES(exchange->target, strlen(exchange->target), "far:443");
        driver_write(&driver, peer, "early ");
        driver_settle(&driver);
        driver_open_tunnel(&driver, exchange, 200, "");
        driver_write(&driver, peer, "late");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, CONNECTED); // neither length, coding nor `close` (C9)
        check_received(exchange, "early late");
        CHECK_EQ(tunnels_open(), 1);
        driver_close(&driver);
    }
}

TEST(C9_C10_a_tunnel_has_no_length)
{
    struct gn_io_memory_peer *peer = connect_with(CONNECT);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    exchange->ended = false;
    driver_respond(&driver, exchange, 200, GN_FLAG_CHUNKED, 5, "", 0);
    driver_data(&driver, exchange, 0, "more than five", 14);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, CONNECTED "more than five");
    driver_close(&driver);

    driver_prepare(&driver);
    peer = driver_begin(&driver, UPGRADE);
    exchange = driver_exchange(&driver, 0);
    exchange->ended = false;
    driver_respond(&driver, exchange, 101, 0, 0, "x", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 101 Switching Protocols\r\n\r\nx");
    driver_close(&driver);
}

TEST(F1_F2_cut_at_any_byte)
{
    static const char *const texts[] = {
        UPGRADE "0123456789",
        "POST /chat HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\ncontent-length: 5\r\n\r\n"
        "hello0123456789",
        "POST /chat HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\ntransfer-encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n0\r\n\r\n0123456789",
        CONNECT "0123456789",
    };
    for (unsigned i = 0; i < 4; i++) {
        size_t whole = strlen(texts[i]);
        for (size_t at = 1; at <= whole; at++) {
            for (unsigned late = 0; late < 2; late++) {
                driver_prepare(&driver);
                driver.late = late;
                driver.shared->listener.connect = 1;
                driver_open(&driver);
                struct gn_io_memory_peer *peer = driver_connect(&driver);
                driver_write_bytes(&driver, peer, texts[i], at);
                driver_settle(&driver);
                bool early = driver.exchange_count == 1 && driver_exchange(&driver, 0)->ended;
                if (early) {
                    driver_open_tunnel(&driver, driver_exchange(&driver, 0), i == 3 ? 200 : 101, "");
                    driver_settle(&driver);
                }
                driver_write_bytes(&driver, peer, texts[i] + at, whole - at);
                driver_settle(&driver);
                REQUIRE(driver.exchange_count == 1);
                struct driver_exchange *exchange = driver_exchange(&driver, 0);
                if (!early) {
                    CHECK(exchange->ended);
                    driver_open_tunnel(&driver, exchange, i == 3 ? 200 : 101, "");
                    driver_settle(&driver);
                }
                CHECK_READ(&driver, peer, i == 3 ? CONNECTED : SWITCHED);
                check_received(exchange, i == 1 || i == 2 ? "hello0123456789" : "0123456789");
                driver_close(&driver);
            }
        }
    }
}

TEST(F1_not_before_the_body_has_ended)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(
        &driver, "POST / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\ncontent-length: 3\r\n\r\nab");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    check_not_opened(exchange, 101);
    driver_write(&driver, peer, "c");
    driver_settle(&driver);
    driver_open_tunnel(&driver, exchange, 101, "");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, SWITCHED);
    driver_close(&driver);
}

TEST(F1_not_while_100_is_awaited)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer =
        driver_begin(&driver, "POST / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n"
                              "expect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    check_not_opened(exchange, 101);
    driver_ask(&driver, exchange, 10);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 100 Continue\r\n\r\n");
    check_not_opened(exchange, 101);
    driver_write(&driver, peer, "abcdef");
    driver_settle(&driver);
    driver_open_tunnel(&driver, exchange, 101, "");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, SWITCHED);
    driver_ask(&driver, exchange, 1000); // asked for nothing but 100, so nothing is left of it
    driver_settle(&driver);
    check_received(exchange, "abcdef");
    driver_close(&driver);
}

TEST(F1_an_empty_body_that_nobody_asked_for_takes_no_credit_from_the_tunnel)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer =
        driver_begin(&driver, "POST / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n"
                              "expect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK(exchange->ended);
    driver_open_tunnel(&driver, exchange, 101, "");
    driver_write(&driver, peer, "raw");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, SWITCHED);
    check_received(exchange, "raw");
    driver_close(&driver);
}

TEST(F1_not_without_an_offer)
{
    static const char *const heads[] = {
        GET,
        "GET / HTTP/1.0\r\nhost: h\r\nconnection: upgrade, keep-alive\r\nupgrade: echo\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\nupgrade: echo\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\n\r\n",
        "CONNECT far:443 HTTP/1.1\r\nhost: far:443\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
    };
    for (unsigned i = 0; i < 5; i++) {
        struct gn_io_memory_peer *peer = connect_with(heads[i]);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        check_not_opened(exchange, 101);
        driver_respond(&driver, exchange, 404, GN_FLAG_END, -1, "x", 1);
        driver_settle(&driver);
        const char *answer = driver_read(&driver, peer, NULL);
        CHECK(strncmp(answer, "HTTP/1.1 404 Not Found\r\ncontent-length: 1\r\n", 43) == 0);
        CHECK_EQ(tunnels_open(), 0);
        driver_close(&driver);
    }
}

TEST(F1_not_twice)
{
    driver_prepare(&driver);
    tunnel();
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    struct gn_command command = {.kind = GN_COMMAND_RESPOND, .status = 101, .subject = exchange->id, .value = -1};
    check_rejected(command);
    command.status = 200;
    check_rejected(command);
    command.kind = GN_COMMAND_INTERIM;
    command.status = 103;
    check_rejected(command);
    command.kind = GN_COMMAND_TRAILERS;
    check_rejected(command);
    CHECK_EQ(tunnels_open(), 1);
    driver_close(&driver);
}

TEST(A21_CONNECT_is_501_unless_it_is_served)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, CONNECT "raw");
    CHECK_EQ(driver.exchange_count, 0);
    CHECK_EQ(driver.refused_reason, GN_REASON_CONNECT_REFUSED);
    CHECK_READ(&driver, peer, "HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    driver_close(&driver);
}

TEST(CONNECT_with_content_is_refused)
{
    static const char *const fields[] = {"content-length: 3", "content-length: 0", "transfer-encoding: chunked"};
    for (unsigned i = 0; i < 3; i++) {
        char text[200];
        sprintf(text, "CONNECT far:443 HTTP/1.1\r\nhost: far:443\r\n%s\r\n\r\nabc", fields[i]);
        struct gn_io_memory_peer *peer = connect_with(text);
        CHECK_EQ(driver.exchange_count, 0);
        CHECK_EQ(driver.refused_reason, GN_REASON_CONNECT_CONTENT);
        CHECK_READ(&driver, peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        driver_close(&driver);
    }
}

/* ---- an offer that is not taken ---- */

TEST(F3_an_ordinary_response_and_the_connection_goes_on)
{
    static const char *const heads[] = {UPGRADE, CONNECT};
    for (unsigned i = 0; i < 2; i++) {
        struct gn_io_memory_peer *peer = connect_with(heads[i]);
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 1); // it may be the tunnel's first bytes
        if (i == 0)
            driver_answer(&driver, driver_exchange(&driver, 0), "x");
        else
            driver_respond(&driver, driver_exchange(&driver, 0), 403, GN_FLAG_END, -1, "x", 1);
        driver_settle(&driver);
        CHECK_READ(&driver, peer, i == 0 ? OK(1) "x" : "HTTP/1.1 403 Forbidden\r\ncontent-length: 1\r\n\r\nx");
        REQUIRE(driver.exchange_count == 2);
        CHECK_EQ(driver_exchange(&driver, 1)->method, GN_METHOD_GET);
        driver_answer(&driver, driver_exchange(&driver, 1), "y");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "y");
        CHECK_EQ(driver.shared->counters.connections_open, 1);
        driver_write(&driver, peer, UPGRADE "raw");
        driver_settle(&driver);
        driver_open_tunnel(&driver, driver_exchange(&driver, 2), 101, "");
        driver_settle(&driver);
        check_received(driver_exchange(&driver, 2), "raw");
        driver_close(&driver);
    }
}

TEST(F3_behind_a_response_that_comes_in_parts)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, 2, "a", 1);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 1);
    driver_data(&driver, exchange, GN_FLAG_END, "b", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(2) "ab");
    CHECK_EQ(driver.exchange_count, 2);
    driver_close(&driver);
}

TEST(F3_with_close_nothing_behind_it_is_read)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE GET);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK_EQ(driver.exchange_count, 1);
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(F3_a_body_that_nobody_read_is_dropped)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(
        &driver, "POST / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\ncontent-length: 3\r\n\r\n");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    driver_write(&driver, peer, "abc" GET);
    driver_settle(&driver);
    REQUIRE(driver.exchange_count == 2);
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "y");
    driver_close(&driver);
}

TEST(what_waits_for_the_answer_to_an_offer_is_bounded)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE);
    static char flood[60000];
    memset(flood, 'x', sizeof(flood));
    size_t written = 0;
    for (unsigned i = 0; i < 40; i++) {
        written += gn_io_memory_write(peer, flood, sizeof(flood));
        driver_settle(&driver);
    }
    CHECK(written < 300000);
    CHECK(driver.shared->counters.bytes_received < 200000);
    driver_open_tunnel(&driver, driver_exchange(&driver, 0), 101, "");
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, written);
    driver_close(&driver);
}

/* ---- both directions ---- */

static void check_echo(bool late, uint32_t short_length, size_t room)
{
    driver_prepare(&driver);
    driver.late = late;
    driver.shared->listener.receive_credit = 8192;
    driver.shared->listener.send_credit = 8192;
    struct gn_io_memory_peer *peer = tunnel();
    driver.faults.short_length = short_length;
    gn_io_memory_room(peer, room);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    const size_t whole = short_length != 0 ? 5000 : 200000;
    size_t written = 0, echoed = 0, read = 0;
    uint64_t spent = 0;
    bool good = true;
    static uint8_t piece[3000], back[65536];
    for (unsigned polls = 0; read < whole; polls++) {
        REQUIRE(polls < 1000000);
        size_t length = whole - written < sizeof(piece) ? whole - written : sizeof(piece);
        for (size_t i = 0; i < length; i++)
            piece[i] = octet_at(written + i);
        written += gn_io_memory_write(peer, piece, length);
        driver_poll(&driver);
        length = exchange->body_length - echoed;
        uint64_t credit = 8192 + exchange->credits - spent;
        length = length < credit ? length : (size_t)credit;
        if (length > 0)
            driver_data(&driver, exchange, 0, exchange->body + echoed, length);
        echoed += length;
        spent += length;
        length = gn_io_memory_read(peer, back, sizeof(back));
        for (size_t i = 0; i < length; i++)
            good = good && back[i] == octet_at(read + i);
        read += length;
    }
    CHECK(good);
    CHECK_EQ(exchange->body_length, whole);
    driver_close(&driver);
}

TEST(bytes_go_both_ways)
{
    for (unsigned late = 0; late < 2; late++) {
        check_echo(late, 0, 65536);
        check_echo(late, 0, 1000);
        check_echo(late, 1, 65536);
        check_echo(late, 7, 10);
    }
}

TEST(B22_without_credit_the_socket_is_not_read)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver.shared->listener.receive_credit = 1000;
    struct gn_io_memory_peer *peer = tunnel();
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    static char flood[60000];
    for (unsigned i = 0; i < 10; i++) {
        gn_io_memory_write(peer, flood, sizeof(flood));
        driver_settle(&driver);
    }
    CHECK_EQ(exchange->body_length, 1000);
    CHECK(gn_io_memory_unreceived(peer) > 0);
    driver_credit(&driver, exchange);
    driver_settle(&driver);
    CHECK_EQ(exchange->body_length, 2000);
    driver_close(&driver);
}

TEST(without_memory_input_waits_for_a_slab)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver.slab_count = 5;
    driver.slab_bytes = 65536;
    driver.shared->loop.reserve = 131072; // what holds the input
    driver.shared->listener.receive_credit = 10000000;
    struct gn_io_memory_peer *peer = tunnel();
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    static uint8_t flood[6000];
    for (size_t i = 0; i < sizeof(flood); i++)
        flood[i] = octet_at(i);
    size_t written = 0;
    for (unsigned i = 0; i < 100 && exchange->body_length == written; i++) {
        size_t length = gn_io_memory_write(peer, flood, sizeof(flood));
        CHECK(length == sizeof(flood) || driver.slabs_wanted > 0);
        written += length;
        driver_settle(&driver);
    }
    CHECK(driver.slabs_wanted > 0);
    CHECK(exchange->body_length < written);
    CHECK_EQ(exchange->resets, 0);
    for (unsigned i = 0; i < 4; i++)
        driver_add_slab(&driver);
    driver_settle(&driver);
    CHECK_EQ(exchange->body_length, written);
    for (size_t i = 0; i < exchange->body_length; i++) {
        if (exchange->body[i] != octet_at(i % sizeof(flood))) {
            CHECK(false);
            break;
        }
    }
    driver_close(&driver);
}

TEST(more_than_the_credit_breaks_it)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = tunnel();
    gn_io_memory_room(peer, 0);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    static char bytes[60000];
    for (unsigned i = 0; i < 4; i++) {
        driver_data(&driver, exchange, 0, bytes, sizeof(bytes));
        driver_poll(&driver);
    }
    driver_settle(&driver);
    CHECK_EQ(exchange->resets, 1);
    CHECK(gn_io_memory_saw_reset(peer));
    driver.shared->counters.commands_rejected = 0;
    driver_close(&driver);
}

/* ---- the end ---- */

TEST(each_side_ends_by_itself_Java_first)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        struct gn_io_memory_peer *peer = tunnel();
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        gn_io_memory_room(peer, 3);
        driver_data(&driver, exchange, GN_FLAG_END, "goodbye", 7);
        driver_settle(&driver);
        CHECK(!gn_io_memory_saw_end(peer)); // behind what is queued
        CHECK_READ(&driver, peer, "goo");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, "dby");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, "e");
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
        check_rejected((struct gn_command){.kind = GN_COMMAND_DATA, .subject = exchange->id});
        driver_write(&driver, peer, "still here");
        driver_settle(&driver);
        check_received(exchange, "still here");
        CHECK(!exchange->ended);
        CHECK_EQ(tunnels_open(), 1);
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK(exchange->ended);
        CHECK_EQ(exchange->resets, 0);
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        CHECK_EQ(tunnels_open(), 0);
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        driver_close(&driver);
    }
}

TEST(each_side_ends_by_itself_the_peer_first)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver.shared->listener.half_close = 0; // speaks of requests
        struct gn_io_memory_peer *peer = tunnel();
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        driver_write(&driver, peer, "last");
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        check_received(exchange, "last");
        CHECK(exchange->ended);
        CHECK(!gn_io_memory_saw_end(peer));
        driver_data(&driver, exchange, 0, "a", 1);
        driver_settle(&driver);
        driver_data(&driver, exchange, GN_FLAG_END, "b", 1);
        driver_settle(&driver);
        CHECK_READ(&driver, peer, "ab");
        CHECK_EQ(exchange->resets, 0);
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        CHECK_EQ(tunnels_open(), 0);
        driver_close(&driver);
    }
}

TEST(a_tunnel_may_end_in_the_record_that_opens_it)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE "raw");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    exchange->ended = false;
    driver_respond(&driver, exchange, 101, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "all", 3);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "HTTP/1.1 101 Switching Protocols\r\n\r\nall");
    CHECK_EQ(exchange->sents, 1);
    CHECK_EQ(exchange->sent_reason, GN_REASON_NONE);
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    check_received(exchange, "raw");
    CHECK(exchange->ended);
    CHECK_EQ(exchange->resets, 0);
    CHECK_EQ(exchange->sents, 1);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(SENT_comes_once_where_the_peer_ends_before_it_has_read_all)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    gn_io_memory_room(peer, 0);
    exchange->ended = false;
    struct driver_staged staged = {0};
    driver_field(&staged, GN_FIELD_UPGRADE, "", "echo");
    driver_say(&driver, exchange,
               (struct gn_command){
                   .kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END | GN_FLAG_NOTIFY, .status = 101, .value = -1},
               &staged, "last");
    driver_settle(&driver);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(exchange->ended);
    CHECK_EQ(exchange->sents, 0);
    CHECK(!gn_io_memory_saw_close(peer));
    gn_io_memory_room(peer, 65536);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, SWITCHED "last");
    CHECK_EQ(exchange->sents, 1);
    CHECK_EQ(exchange->sent_reason, GN_REASON_NONE);
    CHECK_EQ(exchange->resets, 0);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(D5_the_peer_ends_before_it_is_answered)
{
    for (unsigned i = 0; i < 4; i++) {
        bool held = i & 1, taken = i & 2;
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = driver_begin(&driver, held ? UPGRADE "raw" : UPGRADE);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, 0);
        if (taken) {
            driver_open_tunnel(&driver, exchange, 101, "x");
            driver_settle(&driver);
            CHECK_READ(&driver, peer, SWITCHED "x");
            CHECK(exchange->ended);
            check_received(exchange, held ? "raw" : "");
            CHECK(!gn_io_memory_saw_close(peer));
            driver_data(&driver, exchange, GN_FLAG_END, "y", 1);
            driver_settle(&driver);
            CHECK_READ(&driver, peer, "y");
        } else {
            driver_answer(&driver, exchange, "x");
            driver_settle(&driver);
            CHECK_READ(&driver, peer, OK(1) "x");
        }
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        driver_close(&driver);
    }
}

TEST(D5_switched_off_a_peer_that_ends_before_it_is_answered_is_gone)
{
    driver_prepare(&driver);
    driver.shared->listener.half_close = 0;
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_PEER_CLOSED);
    CHECK(gn_io_memory_saw_close(peer));
    driver_close(&driver);
}

TEST(the_end_is_not_lost_where_the_ring_is_full)
{
    driver_prepare(&driver);
    driver.shared->loop.events_capacity = 64;
    driver.shared->listener.pipeline = 1000;
    struct gn_io_memory_peer *peers[20];
    driver_open(&driver);
    for (unsigned i = 0; i < 20; i++) {
        peers[i] = driver_connect(&driver);
        driver_write(&driver, peers[i], UPGRADE);
    }
    driver_settle(&driver);
    for (unsigned i = 0; i < 20; i++)
        driver_open_tunnel(&driver, driver_exchange(&driver, i), 101, "");
    driver_settle(&driver);
    struct gn_io_memory_peer *other = driver_connect(&driver);
    driver.read_limit = 1; // from now on the ring stays full
    static char flood[100 * sizeof(GET)];
    for (unsigned i = 0; i < 100; i++)
        strcat(flood, GET);
    driver_write(&driver, other, flood);
    for (unsigned i = 0; i < 3; i++)
        driver_poll(&driver);
    CHECK_EQ(gn_ring_room(&driver.loop->context.ring) <= 1, true);
    for (unsigned i = 0; i < 20; i++)
        gn_io_memory_finish(peers[i]);
    for (unsigned i = 0; i < 3; i++)
        driver_poll(&driver);
    for (unsigned i = 0; i < 20; i += 2)
        driver_data(&driver, driver_exchange(&driver, i), GN_FLAG_END, "", 0); // ends before Java has heard of it
    for (unsigned i = 1; i < 20; i += 4)
        gn_io_memory_reset(peers[i]);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 120);
    for (unsigned i = 0; i < 20; i++) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        CHECK(exchange->ended);
        CHECK(i % 2 == 1 || gn_io_memory_saw_close(peers[i]));
        CHECK_EQ(exchange->resets, 0);
    }
    driver_close(&driver);
}

TEST(a_RESET_command_resets_the_connection)
{
    for (unsigned i = 0; i < 4; i++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = tunnel();
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        if (i == 1)
            driver_data(&driver, exchange, GN_FLAG_END, "x", 1);
        if (i == 2)
            gn_io_memory_finish(peer);
        driver_settle(&driver);
        if (i == 3)
            driver_data(&driver, exchange, GN_FLAG_END, "x", 1); // in the same turn
        driver_reset(&driver, exchange);
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_ABORTED);
        CHECK(gn_io_memory_saw_reset(peer));
        CHECK_EQ(tunnels_open(), 0);
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        driver_close(&driver);
    }
}

TEST(RELEASE_before_both_sides_have_ended_resets_the_connection)
{
    for (unsigned i = 0; i < 3; i++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = tunnel();
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        if (i == 1)
            driver_data(&driver, exchange, GN_FLAG_END, "x", 1);
        if (i == 2)
            gn_io_memory_finish(peer);
        driver_settle(&driver);
        driver_release(&driver, exchange);
        driver_settle(&driver);
        CHECK(gn_io_memory_saw_reset(peer));
        CHECK_EQ(exchange->resets, 0);
        CHECK_EQ(tunnels_open(), 0);
        CHECK_EQ(driver.shared->counters.exchanges_open, 0);
        CHECK_EQ(driver.shared->counters.exchanges_reset, 1);
        driver_close(&driver);
    }
}

TEST(the_reset_of_the_peer_is_told)
{
    for (unsigned i = 0; i < 2; i++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = tunnel();
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        if (i == 1)
            driver_data(&driver, exchange, GN_FLAG_END, "x", 1);
        driver_settle(&driver);
        gn_io_memory_reset(peer);
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_PEER_RESET);
        CHECK_EQ(tunnels_open(), 0);
        driver_close(&driver);
    }
}

TEST(D6_a_graceful_end_leaves_it_alone_until_ABORT)
{
    for (unsigned i = 0; i < 2; i++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = tunnel();
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        struct gn_command close = {.kind = GN_COMMAND_CLOSE, .subject = exchange->connection};
        if (i == 0)
            driver_unlisten(&driver, 0);
        else
            driver_command(&driver, close);
        driver_settle(&driver);
        driver_advance(&driver, 100 * SECOND);
        driver_write(&driver, peer, "still");
        driver_data(&driver, exchange, 0, "here", 4);
        driver_settle(&driver);
        check_received(exchange, "still");
        CHECK_READ(&driver, peer, "here");
        CHECK_EQ(driver.unlistened, 0);
        close.flags = GN_FLAG_ABORT;
        if (i == 0)
            driver_unlisten(&driver, GN_FLAG_ABORT);
        else
            driver_command(&driver, close);
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, 1);
        CHECK(gn_io_memory_saw_reset(peer));
        CHECK_EQ(driver.unlistened, i == 0);
        driver_close(&driver);
    }
}

TEST(D6_an_offer_may_be_taken_while_the_connection_finishes)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE);
    driver_unlisten(&driver, 0);
    driver_settle(&driver);
    driver_open_tunnel(&driver, driver_exchange(&driver, 0), 101, "");
    driver_write(&driver, peer, "raw");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, SWITCHED);
    check_received(driver_exchange(&driver, 0), "raw");
    driver_close(&driver);
}

TEST(D6_an_offer_that_is_not_taken_ends_the_connection_that_finishes)
{
    for (unsigned begun = 0; begun < 2; begun++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = driver_begin(&driver, UPGRADE);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        if (begun)
            driver_respond(&driver, exchange, 200, 0, 1, NULL, 0);
        driver_settle(&driver);
        driver_unlisten(&driver, 0);
        driver_settle(&driver);
        if (begun)
            driver_data(&driver, exchange, GN_FLAG_END, "x", 1);
        else
            driver_answer(&driver, exchange, "x");
        driver_settle(&driver);
        if (begun)
            CHECK_READ(&driver, peer, OK(1) "x");
        else
            CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
        driver_advance(&driver, SLOT);
        CHECK(gn_io_memory_saw_end(peer));
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK_EQ(driver.unlistened, 1);
        driver_close(&driver);
    }
}

/* ---- in a pipeline ---- */

TEST(behind_other_responses_it_waits_for_its_turn)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        struct gn_io_memory_peer *peer = driver_begin(&driver, GET UPGRADE "raw " GET);
        REQUIRE(driver.exchange_count == 2);
        struct driver_exchange *exchange = driver_exchange(&driver, 1);
        CHECK(exchange->queued);
        driver_open_tunnel(&driver, exchange, 101, "first");
        driver_settle(&driver);
        CHECK_EQ(driver.exchange_count, 2); // nothing behind it is HTTP
        check_received(exchange, "raw " GET);
        CHECK_READ(&driver, peer, "");
        CHECK_EQ(exchange->credits, 0);
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "x" SWITCHED "first");
        CHECK_EQ(exchange->credits, 65536 - GN_QUEUED_SEND_CREDIT + 5);
        driver_data(&driver, exchange, GN_FLAG_END, "last", 4);
        gn_io_memory_finish(peer);
        driver_settle(&driver);
        CHECK_READ(&driver, peer, "last");
        CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
        driver_close(&driver);
    }
}

TEST(both_sides_may_have_ended_before_its_turn)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET UPGRADE "raw");
    struct driver_exchange *exchange = driver_exchange(&driver, 1);
    driver_open_tunnel(&driver, exchange, 101, "");
    driver_data(&driver, exchange, GN_FLAG_END, "all", 3);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    CHECK(exchange->ended);
    CHECK(!gn_io_memory_saw_end(peer));
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" SWITCHED "all");
    CHECK_EQ(exchange->resets, 0);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(its_sending_side_may_have_ended_before_its_turn)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET UPGRADE);
    struct driver_exchange *exchange = driver_exchange(&driver, 1);
    driver_open_tunnel(&driver, exchange, 101, "");
    driver_data(&driver, exchange, GN_FLAG_END, "all", 3);
    driver_settle(&driver);
    CHECK(!gn_io_memory_saw_end(peer));
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" SWITCHED "all");
    CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_close(peer));
    driver_write(&driver, peer, "more");
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    check_received(exchange, "more");
    CHECK(exchange->ended);
    CHECK(gn_io_memory_saw_close(peer) && !gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(one_that_breaks_before_its_turn_takes_nothing_from_the_responses_before_it)
{
    for (unsigned release = 0; release < 2; release++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = driver_begin(&driver, GET UPGRADE);
        struct driver_exchange *exchange = driver_exchange(&driver, 1);
        driver_open_tunnel(&driver, exchange, 101, "unseen");
        driver_settle(&driver);
        if (release)
            driver_release(&driver, exchange);
        else
            driver_reset(&driver, exchange);
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, !release);
        driver_answer(&driver, driver_exchange(&driver, 0), "x");
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "x");
        CHECK(gn_io_memory_saw_end(peer) && !gn_io_memory_saw_reset(peer));
        CHECK_EQ(tunnels_open(), 0);
        driver_close(&driver);
    }
}

TEST(a_close_before_it_ends_it)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET UPGRADE);
    struct driver_exchange *exchange = driver_exchange(&driver, 1);
    driver_open_tunnel(&driver, exchange, 101, "unseen");
    driver_settle(&driver);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "x", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(1) "x");
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_CLOSED_HERE);
    CHECK_EQ(tunnels_open(), 0);
    driver_close(&driver);
}

/* The first response goes on while the one behind it breaks: what the peer says then is read by nobody, so that no
   tunnel may begin in the middle of it. */
TEST(one_behind_a_response_that_broke_reads_nothing)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET GET UPGRADE);
    REQUIRE(driver.exchange_count == 3);
    driver_reset(&driver, driver_exchange(&driver, 1));
    driver_settle(&driver);
    driver_write(&driver, peer, "first");
    driver_settle(&driver);
    struct driver_exchange *exchange = driver_exchange(&driver, 2);
    driver_open_tunnel(&driver, exchange, 101, "");
    driver_settle(&driver);
    driver_write(&driver, peer, "second");
    driver_settle(&driver);
    check_received(exchange, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x");
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(tunnels_open(), 0);
    gn_io_memory_finish(peer);
    driver_settle(&driver);
    driver_close(&driver);
}

/* ---- time ---- */

static uint64_t timeouts(void)
{
    return driver.shared->counters.timeouts;
}

TEST(E5_an_idle_tunnel_ends)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = tunnel();
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_advance(&driver, 599 * SECOND); // no other limit applies
    CHECK_EQ(timeouts(), 0);
    driver_write(&driver, peer, "x");
    driver_settle(&driver);
    driver_advance(&driver, 599 * SECOND);
    CHECK_EQ(timeouts(), 0);
    driver_data(&driver, exchange, 0, "y", 1);
    driver_settle(&driver);
    driver_advance(&driver, 599 * SECOND);
    CHECK_EQ(timeouts(), 0);
    CHECK_EQ(tunnels_open(), 1);
    driver_advance(&driver, SECOND + SLOT);
    CHECK_EQ(timeouts(), 1);
    CHECK_EQ(exchange->resets, 1);
    CHECK_EQ(exchange->reset_reason, GN_REASON_TUNNEL_TIMEOUT);
    CHECK(gn_io_memory_saw_reset(peer));
    driver_close(&driver);
}

TEST(E5_a_tunnel_with_one_side_ended_does_not_stay_for_ever)
{
    for (unsigned i = 0; i < 2; i++) {
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = tunnel();
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        if (i == 0)
            driver_data(&driver, exchange, GN_FLAG_END, "", 0);
        else
            gn_io_memory_finish(peer);
        driver_settle(&driver);
        driver_advance(&driver, 599 * SECOND);
        CHECK_EQ(tunnels_open(), 1);
        driver_advance(&driver, SECOND + SLOT);
        CHECK_EQ(tunnels_open(), 0);
        CHECK_EQ(exchange->reset_reason, GN_REASON_TUNNEL_TIMEOUT);
        driver_close(&driver);
    }
}

TEST(E5_the_limit_can_be_off)
{
    driver_prepare(&driver);
    driver.shared->listener.tunnel_timeout = 0;
    tunnel();
    driver_advance(&driver, 100000 * SECOND);
    CHECK_EQ(tunnels_open(), 1);
    driver_close(&driver);
}

TEST(E5_a_peer_that_takes_nothing_ends_it)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = tunnel();
    gn_io_memory_room(peer, 0);
    driver_data(&driver, driver_exchange(&driver, 0), 0, "x", 1);
    driver_settle(&driver);
    driver_advance(&driver, 10 * SECOND);
    driver_advance(&driver, 20 * SECOND + SLOT);
    CHECK_EQ(driver_exchange(&driver, 0)->reset_reason, GN_REASON_WRITE_TIMEOUT);
    driver_close(&driver);
}

TEST(E5_a_tunnel_whose_turn_has_not_come_is_not_idle)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET UPGRADE);
    struct driver_exchange *exchange = driver_exchange(&driver, 1);
    driver_open_tunnel(&driver, exchange, 101, "");
    driver_settle(&driver);
    driver_advance(&driver, 2000 * SECOND);
    CHECK_EQ(exchange->resets, 0);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" SWITCHED);
    driver_advance(&driver, 599 * SECOND);
    CHECK_EQ(exchange->resets, 0);
    driver_advance(&driver, SECOND + SLOT);
    CHECK_EQ(exchange->reset_reason, GN_REASON_TUNNEL_TIMEOUT);
    driver_close(&driver);
}

TEST(an_offer_that_nobody_answers_is_not_the_peers_fault)
{
    driver_prepare(&driver);
    driver_begin(&driver, UPGRADE "raw");
    driver_advance(&driver, 1000 * SECOND);
    CHECK_EQ(timeouts(), 0);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 0);
    driver_close(&driver);
}

TEST_MAIN()
