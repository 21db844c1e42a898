#include "h2/peer.h"

#include "http/method.h"
#include "random.h"

/*
 * Streams that interleave at random, by a model of both sides: what may be sent is sent, whatever is complete is right, and
 * no window is exceeded (which peer.h checks with each frame).
 */

#define LIVE_MAX 12U
#define STEPS 300U
#define SEEDS 60U

/* A stream as both sides know it. */
struct life {
    uint32_t id;
    struct driver_exchange *exchange; /* once Java has it */
    size_t sent;                      /* of the request's body */
    bool request_ended, reset_by_client;
    size_t written; /* of the response's body, by Java */
    bool begun, response_ended;
    bool over; /* broken on purpose, or let go of */
};

static struct driver driver;
static struct peer peer;
static struct life lives[STEPS];
static unsigned life_count;
static uint64_t sent_in_all;
static uint64_t send_credit;

static uint8_t bytes[100000];

/* ---- the client ---- */

static void open_stream(void)
{
    struct life *life = &lives[life_count];
    *life = (struct life){.id = 2 * life_count + 1, .request_ended = once_in(3)};
    life_count++;
    char fields[256];
    snprintf(fields, sizeof(fields), ":method: POST\n:scheme: http\n:path: /%u\n:authority: h\n%s", life->id,
             once_in(3) ? "priority: u=1\n" : "+same: field\n");
    peer_headers_in_pieces(&peer, life->id, life->request_ended ? GN_H2_END_STREAM : 0, fields, 1 + below(3));
}

static size_t smaller(size_t a, int64_t b)
{
    return b <= 0 ? 0 : a < (size_t)b ? a : (size_t)b;
}

static void send_data(struct life *life)
{
    if (life->request_ended || life->reset_by_client)
        return;
    const struct peer_stream *stream = peer_stream(&peer, life->id);
    size_t length = smaller(below(20000), (int64_t)driver.shared->listener.stream_window + (int64_t)stream->credit -
                                              (int64_t)life->sent);
    length = smaller(length,
                     (int64_t)driver.shared->listener.connection_window + (int64_t)peer.credit - (int64_t)sent_in_all);
    if (stream->reset)
        return;
    life->request_ended = once_in(4);
    bool trailers = life->request_ended && once_in(2);
    peer_data_filled(&peer, life->id, life->request_ended && !trailers ? GN_H2_END_STREAM : 0, length);
    if (trailers)
        peer_headers(&peer, life->id, GN_H2_END_STREAM, once_in(2) ? "+t: u\n" : "");
    life->sent += length;
    sent_in_all += length;
}

static void client_step(void)
{
    struct life *life =
        life_count == 0 ? NULL : &lives[life_count - 1 - below(life_count < LIVE_MAX ? life_count : LIVE_MAX)];
    switch (life == NULL ? 0 : below(10)) {
    case 0:
    case 1:
        if (life_count < STEPS)
            open_stream();
        break;
    case 2:
    case 3:
    case 4:
        send_data(life);
        break;
    case 5:
        peer_window_update(&peer, life->id, 1 + below(30000));
        break;
    case 6:
        peer_window_update(&peer, 0, 1 + below(60000));
        break;
    case 7:
        peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, below(50000));
        break;
    case 8:
        if (once_in(5)) {
            peer_rst_stream(&peer, life->id, GN_H2_CANCEL);
            life->reset_by_client = life->over = true;
        } else {
            peer_priority_update(&peer, life->id, once_in(2) ? "u=2, i" : "u=5");
        }
        break;
    default:
        peer_ping(&peer, 0, "12345678");
        break;
    }
}

/* ---- Java ---- */

static void find_exchanges(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        struct driver_exchange *exchange = driver.exchanges[i];
        if (exchange->mark != 0)
            continue;
        exchange->mark = strtoul(exchange->target + 1, NULL, 10);
        REQUIRE(exchange->mark % 2 == 1 && exchange->mark / 2 < life_count);
        lives[exchange->mark / 2].exchange = exchange;
    }
}

static size_t credit_of(const struct life *life)
{
    uint64_t first = life->exchange->queued ? GN_QUEUED_SEND_CREDIT : send_credit;
    return (size_t)(first + life->exchange->credits - life->written);
}

static void java_step(struct life *life)
{
    struct driver_exchange *exchange = life->exchange;
    if (exchange == NULL || exchange->released)
        return;
    if (exchange->resets > 0) {
        life->over = true;
        driver_release(&driver, exchange);
        return;
    }
    while (exchange->block_count > 0 && !once_in(3))
        driver_credit(&driver, exchange);
    if (life->response_ended) {
        if (once_in(driver.hold_bodies ? 20 : 3))
            driver_release(&driver, exchange);
        return;
    }
    size_t length = smaller(below(30000), (int64_t)credit_of(life));
    bool last = once_in(4);
    if (once_in(40)) {
        life->over = true;
        if (once_in(2)) {
            driver_release(&driver, exchange);
        } else {
            peer_java_resets(&driver, exchange, GN_H2_CANCEL);
        }
    } else if (!life->begun) {
        driver_respond(&driver, exchange, 200, last ? GN_FLAG_END : 0, -1, bytes, length);
        life->begun = true;
        life->response_ended = last;
        life->written += length;
    } else if (last && once_in(2)) {
        struct driver_staged trailers = {.length = 0};
        driver_field(&trailers, 0, "t", "u");
        driver_trailers(&driver, exchange, &trailers);
        life->response_ended = true;
    } else {
        driver_data(&driver, exchange, last ? GN_FLAG_END : 0, bytes + life->written % 50000, length);
        life->response_ended = last;
        life->written += length;
    }
}

/* ---- what must hold when nothing moves any more ---- */

static void check_stream(const struct life *life)
{
    const struct peer_stream *stream = peer_stream(&peer, life->id);
    const struct driver_exchange *exchange = life->exchange;
    CHECK(stream->body_length <= life->written);
    if (life->over || stream->reset || exchange == NULL || exchange->resets > 0)
        return;
    bool stalled = life->begun && stream->body_length < life->written && stream->window > 0 && peer.window > 0;
    CHECK(!stalled);
    CHECK(life->begun == (stream->heads > 0));
    CHECK(!stream->ended || (life->response_ended && stream->body_length == life->written));
    if (life->response_ended && stream->body_length == life->written)
        CHECK(stream->ended);
    if (exchange->released)
        return;
    CHECK(exchange->body_length <= life->sent);
    CHECK(!exchange->ended || (life->request_ended && exchange->body_length == life->sent));
    if (exchange->block_count == 0) { // so that Java has all of its credit
        CHECK_EQ(exchange->body_length, life->sent);
        CHECK_EQ(exchange->ended, life->request_ended);
    }
}

static void check_all(void)
{
    CHECK(!peer.saw_end);
    for (unsigned i = 0; i < life_count; i++)
        check_stream(&lives[i]);
}

static void play(void)
{
    memset(lives, 0, sizeof(lives));
    life_count = 0;
    sent_in_all = 0;
    driver_prepare(&driver);
    driver.late = once_in(2);
    if (once_in(2))
        driver.shared->loop.events_capacity = 64;
    driver.read_limit = once_in(4) ? 1 + below(3) : 0;
    struct gn_listener_settings *settings = &driver.shared->listener;
    settings->resets = settings->control_frames = settings->provoked_resets = 1000000;
    settings->streams = 1000;
    settings->stream_window = settings->connection_window = once_in(2) ? 65535 : 1048576;
    settings->receive_credit = once_in(2) ? 65536 : 20000;
    send_credit = settings->stream_send_credit = once_in(2) ? 409600 : 30000;
    driver.slab_count = 16;
    driver.hold_bodies = once_in(2);
    driver_open(&driver);
    peer_connect(&peer, &driver);
    if (once_in(3))
        driver.faults.short_length = 1 + below(3000);
    if (once_in(3))
        gn_io_memory_room(peer.end, 100 + below(30000));
    peer_greet(&peer, NULL);
    for (unsigned step = 0; step < STEPS; step++) {
        for (unsigned i = below(4); i > 0; i--)
            client_step();
        if (once_in(2))
            peer_send(&peer);
        find_exchanges();
        if (life_count > 0)
            java_step(&lives[below(life_count)]);
        if (once_in(5)) {
            peer_send(&peer);
            find_exchanges();
            check_all();
            peer_forget(&peer);
        }
    }
}

/* All windows open, all that was begun comes to its end. */
static void finish(void)
{
    peer_setting(&peer, GN_H2_INITIAL_WINDOW_SIZE, 1 << 28);
    peer_window_update(&peer, 0, 1 << 28);
    peer_send(&peer);
    find_exchanges();
    driver.hold_bodies = false;
    peer_send(&peer);
    check_all();
    for (unsigned i = 0; i < life_count; i++) {
        const struct peer_stream *stream = peer_stream(&peer, lives[i].id);
        if (lives[i].response_ended && !lives[i].over)
            CHECK(stream->ended && stream->body_length == lives[i].written);
    }
    EXPECT_ALIVE((peer_forget(&peer), &peer));
    peer_end(&peer);
    driver_close(&driver);
}

TEST(H6_H9_H10_H11_streams_at_random)
{
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)('a' + i % 23);
    for (uint64_t run = 1; run <= SEEDS; run++) {
        unsigned before = test_failures;
        seed = run;
        play();
        finish();
        if (test_failures != before) {
            fprintf(stderr, "... with seed %llu\n", (unsigned long long)run);
            break;
        }
    }
}

/* ---- frames that nobody would send ---- */

/* Of streams 1 to 9, once in a while of another one; of any type; mostly of a length that it may have. */
static void queue_any_frame(void)
{
    static const uint8_t lengths[] = {[GN_H2_PRIORITY] = 5, [GN_H2_RST_STREAM] = 4, [GN_H2_PING] = 8,
                                      [GN_H2_GOAWAY] = 8,   [GN_H2_SETTINGS] = 6,   [GN_H2_WINDOW_UPDATE] = 4};
    uint32_t stream = once_in(60) ? below(12) : 1 + 2 * below(5);
    unsigned type = once_in(3) ? GN_H2_HEADERS : below(20), flags = below(256);
    if (!once_in(60) && (type == GN_H2_PUSH_PROMISE || type == GN_H2_CONTINUATION || type == GN_H2_GOAWAY))
        type = GN_H2_DATA;
    uint8_t payload[64];
    uint32_t length = type < sizeof(lengths) && lengths[type] != 0 && !once_in(60) ? lengths[type] : below(40);
    for (uint32_t i = 0; i < sizeof(payload); i++)
        payload[i] = i == 0 || once_in(2) ? 0 : (uint8_t)below(256);
    if (type == GN_H2_HEADERS) {
        peer_headers_with(&peer, stream, flags & ~(unsigned)GN_H2_END_HEADERS,
                          once_in(3)   ? "+t: u\n"
                          : once_in(3) ? ":method: CONNECT\n:authority: h:1\n"
                                       : PEER_POST,
                          (uint8_t)below(4));
        return;
    }
    if (type == GN_H2_SETTINGS || type == GN_H2_PING || type == GN_H2_GOAWAY || type == GN_H2_PRIORITY_UPDATE)
        stream = 0;
    if (type == GN_H2_SETTINGS && length == 6)
        flags &= ~(unsigned)GN_H2_ACK;
    if (type == GN_H2_PRIORITY_UPDATE)
        length += 4;
    peer_frame(&peer, type, flags, stream, payload, length);
}

static void answer_any(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        struct driver_exchange *exchange = driver.exchanges[i];
        if (exchange->released || once_in(3))
            continue;
        if (exchange->resets > 0 || once_in(10)) {
            driver_release(&driver, exchange);
        } else if (once_in(8)) {
            peer_java_resets(&driver, exchange, below(20));
        } else if (exchange->mark++ == 0) {
            exchange->ended &= exchange->method != GN_METHOD_CONNECT; // it begins as a tunnel
            driver_respond(&driver, exchange, 200, 0, -1, bytes, below(3000));
        } else {
            driver_data(&driver, exchange, once_in(3) ? GN_FLAG_END : 0, bytes, below(3000));
        }
    }
}

TEST(frames_at_random_take_nothing_but_their_connection)
{
    for (uint64_t run = 1; run <= 400; run++) {
        unsigned before = test_failures;
        seed = run;
        driver_prepare(&driver);
        driver.late = once_in(2);
        driver.hold_bodies = once_in(3);
        driver.shared->listener.connect = driver.shared->listener.connect_protocol = once_in(2);
        driver.shared->listener.receive_credit = once_in(2) ? 10 : 65536;
        driver_open(&driver);
        peer_connect(&peer, &driver);
        peer_preface(&peer);
        peer_settings(&peer, NULL);
        for (uint32_t stream = 1; stream <= 9; stream += 2)
            peer_headers(&peer, stream, 0, PEER_POST);
        for (unsigned i = 0; i < 60 && !peer.saw_end; i++) {
            for (unsigned j = 1 + below(4); j > 0; j--)
                queue_any_frame();
            gn_io_memory_write(peer.end, peer.out, peer.out_length);
            peer.out_length = 0;
            driver_settle(&driver);
            driver_read(&driver, peer.end, NULL); // what was made by hand may be answered so, too
            answer_any();
            if (gn_io_memory_saw_end(peer.end))
                break;
        }
        driver.shared->counters.commands_rejected = 0;
        peer_end(&peer);
        for (unsigned i = 0; i < 3; i++) {
            driver_settle(&driver);
            driver.shared->counters.commands_rejected = 0;
        }
        driver_close(&driver);
        if (test_failures != before) {
            fprintf(stderr, "... with seed %llu\n", (unsigned long long)run);
            break;
        }
    }
}

TEST_MAIN()
