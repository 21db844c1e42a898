#include "h2/peer.h"

/*
 * A ring that is full, memory that is not there, sockets that fail: many streams at once, whose bodies Java sends back.
 * Whatever is short, a response that looks complete is right, and nothing stays behind (driver_close).
 */

#define STREAMS 30U
#define BODY 5000U
#define PIECE 1000U

static struct driver driver;
static struct peer peer;

static uint32_t id_of(unsigned number)
{
    return 2 * number + 1;
}

static uint8_t octet_of(uint32_t stream, size_t at)
{
    return (uint8_t)('a' + (stream + at) % 26);
}

static void queue_piece(uint32_t stream, size_t from)
{
    uint8_t piece[PIECE];
    for (size_t i = 0; i < PIECE; i++)
        piece[i] = octet_of(stream, from + i);
    bool last = from + PIECE == BODY && stream % 4 == 1;
    peer_frame(&peer, GN_H2_DATA, last ? GN_H2_END_STREAM : 0, stream, piece, PIECE);
    if (from + PIECE == BODY && !last)
        peer_headers(&peer, stream, GN_H2_END_STREAM, "t: u\n");
}

/* Java answers with what it got, and lets go of what broke. */
static void echo(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        struct driver_exchange *exchange = driver.exchanges[i];
        if (exchange->released)
            continue;
        if (exchange->resets > 0) {
            driver_release(&driver, exchange);
        } else if (exchange->ended && exchange->mark == 0) {
            exchange->mark = 1;
            while (exchange->block_count > 0)
                driver_credit(&driver, exchange);
            driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, exchange->body,
                           exchange->body_length);
            driver_note_release(&driver, exchange);
        }
    }
}

/* Sends requests, their bodies in turns, and takes the answers. */
static void play(void)
{
    peer_window_update(&peer, 0, 1 << 20);
    for (unsigned i = 0; i < STREAMS; i++)
        peer_headers_in_pieces(&peer, id_of(i), 0, PEER_POST "+n: v\n", 1 + i % 3);
    for (size_t from = 0; from < BODY; from += PIECE) {
        for (unsigned i = 0; i < STREAMS; i++)
            queue_piece(id_of(i), from);
    }
    peer_send(&peer);
    for (unsigned round = 0; round < 50; round++) {
        echo();
        peer_send(&peer);
    }
}

static bool is_right(const struct peer_stream *stream)
{
    for (size_t i = 0; i < stream->body_length; i++) {
        if (stream->body[i] != octet_of(stream->id, i))
            return false;
    }
    return stream->body_length == BODY;
}

/* What has ended is right; everything has ended, one way or the other. Returns how many were answered. */
static unsigned judge(void)
{
    unsigned answered = 0;
    for (unsigned i = 0; i < STREAMS; i++) {
        const struct peer_stream *stream = peer_stream(&peer, id_of(i));
        CHECK(!stream->ended || is_right(stream));
        CHECK(stream->ended || stream->reset || peer.saw_end);
        answered += stream->ended;
    }
    return answered;
}

static void end(void)
{
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

/* ---- the ring ---- */

TEST(through_a_ring_of_64)
{
    for (unsigned i = 0; i < 4; i++) {
        driver_prepare(&driver);
        driver.shared->loop.events_capacity = 64;
        driver.shared->loop.commands_capacity = 64;
        driver.read_limit = i & 1 ? 1 : 0;
        driver.late = i & 2;
        peer_start(&peer, &driver);
        play();
        CHECK_EQ(judge(), STREAMS);
        EXPECT_ALIVE((peer_forget(&peer), &peer));
        end();
    }
}

TEST(many_short_requests_through_a_ring_of_64)
{
    for (unsigned i = 0; i < 2; i++) {
        driver_prepare(&driver);
        driver.shared->loop.events_capacity = 64;
        driver.read_limit = i ? 1 : 0;
        peer_start(&peer, &driver);
        for (unsigned k = 0; k < 200; k++)
            peer_get(&peer, id_of(k));
        peer_send(&peer);
        CHECK_EQ(driver.exchange_count, 200);
        for (size_t k = 0; k < driver.exchange_count; k++)
            driver_answer(&driver, driver_exchange(&driver, k), "x");
        peer_send(&peer);
        for (unsigned k = 0; k < 200; k++)
            CHECK(peer_stream(&peer, id_of(k))->ended);
        end();
    }
}

TEST(resets_while_the_ring_is_full)
{
    driver_prepare(&driver);
    driver.shared->loop.events_capacity = 64;
    driver.read_limit = 1;
    peer_start(&peer, &driver);
    for (unsigned k = 0; k < 150; k++)
        peer_headers(&peer, id_of(k), 0, PEER_POST);
    for (unsigned k = 0; k < 150; k++) {
        peer_data(&peer, id_of(k), 0, "some");
        peer_rst_stream(&peer, id_of(k), GN_H2_CANCEL);
    }
    peer_send(&peer);
    CHECK_EQ(driver.exchange_count, 150);
    for (size_t k = 0; k < driver.exchange_count; k++)
        CHECK_EQ(driver_exchange(&driver, k)->resets, 1);
    end();
}

/* ---- memory ---- */

/* Another client, once there is memory again. */
static void check_loop_is_well(void)
{
    driver_settle(&driver);
    echo();
    driver_advance(&driver, SECOND); // accepting may have paused
    peer_forget(&peer);
    peer_end(&peer);
    size_t before = driver.exchange_count;
    peer_connect(&peer, &driver);
    peer_greet(&peer, NULL);
    peer_get(&peer, 1);
    peer_send(&peer);
    if (driver.exchange_count == before + 1)
        driver_answer(&driver, driver_exchange(&driver, before), "");
    EXPECT(&peer, "HEADERS 1 END :status: 200 | content-length: 0\n");
}

TEST(the_heap_fails_at_any_allocation)
{
    for (unsigned late = 0; late < 2; late++) {
        bool failed = true;
        for (uint64_t chance = 1; failed && chance < 5000; chance += chance < 100 ? 1 : 7) {
            unsigned before = test_failures;
            driver_prepare(&driver);
            driver.late = late;
            peer_start(&peer, &driver);
            struct gn_memory *memory = &driver.loop->context.memory;
            memory->fail_from = memory->count + chance;
            play();
            failed = memory->count >= memory->fail_from;
            memory->fail_from = 0;
            peer_send(&peer);
            echo();
            peer_send(&peer);
            unsigned answered = judge();
            CHECK(failed || answered == STREAMS);
            check_loop_is_well();
            end();
            if (test_failures != before)
                fprintf(stderr, "... at allocation %llu\n", (unsigned long long)chance);
        }
        CHECK(!failed);
    }
}

TEST(one_connection_is_opened_where_the_heap_fails)
{
    for (uint64_t chance = 1; chance < 40; chance++) {
        driver_prepare(&driver);
        driver_open(&driver);
        struct gn_memory *memory = &driver.loop->context.memory;
        memory->fail_from = memory->count + chance;
        peer_connect(&peer, &driver);
        peer_preface(&peer);
        peer_settings(&peer, NULL);
        peer_get(&peer, 1);
        peer_send(&peer);
        memory->fail_from = 0;
        check_loop_is_well();
        end();
    }
}

TEST(slabs_come_late)
{
    for (unsigned slabs = 0; slabs < 4; slabs++) {
        driver_prepare(&driver);
        driver.slab_count = slabs;
        driver.slab_bytes = 65536;
        peer_start(&peer, &driver);
        for (unsigned i = 0; i < 8; i++) {
            peer_headers(&peer, id_of(i), 0, PEER_POST);
            peer_filled(&peer, GN_H2_DATA, GN_H2_END_STREAM, id_of(i), 16384);
        }
        peer_send(&peer);
        for (unsigned i = 0; i < 20; i++) {
            driver_add_slab(&driver);
            peer_send(&peer);
        }
        for (unsigned round = 0; round < 10; round++) {
            for (size_t i = 0; i < driver.exchange_count; i++) {
                if (driver.exchanges[i]->ended && !driver.exchanges[i]->released)
                    driver_answer(&driver, driver.exchanges[i], "x");
            }
            peer_send(&peer);
        }
        CHECK(!peer.saw_end);
        for (unsigned i = 0; i < 8; i++) { // a head for which there was no memory is refused: the client tries again
            const struct peer_stream *stream = peer_stream(&peer, id_of(i));
            CHECK(stream->ended || (stream->reset && stream->code == GN_H2_REFUSED_STREAM));
        }
        peer_forget(&peer);
        EXPECT_ALIVE(&peer);
        end();
    }
}

/* ---- sockets ---- */

TEST(a_socket_fails_at_any_time)
{
    static const enum gn_io_operation operations[] = {GN_IO_OP_RECEIVE, GN_IO_OP_SEND, GN_IO_OP_SHUT_DOWN};
    for (unsigned i = 0; i < 3; i++) {
        for (uint32_t chance = 0; chance < 40; chance++) {
            driver_prepare(&driver);
            driver.late = chance % 2;
            driver_open(&driver);
            peer_connect(&peer, &driver);
            driver.faults.countdown[operations[i]] = chance;
            driver.faults.error[operations[i]] = i == 1 && chance % 3 == 0 ? GN_IO_FAULT_NOTHING_SENT : ECONNRESET;
            driver.faults.once[operations[i]] = true;
            peer_preface(&peer);
            peer_settings(&peer, NULL);
            peer_settings_ack(&peer);
            play();
            judge();
            driver.faults = (struct gn_io_faults){0};
            check_loop_is_well();
            end();
        }
    }
}

TEST(short_reads_and_writes)
{
    static const uint32_t lengths[] = {1, 7, 1000};
    for (unsigned i = 0; i < 3; i++) {
        driver_prepare(&driver);
        driver.faults.short_length = lengths[i];
        peer_start(&peer, &driver);
        play();
        CHECK_EQ(judge(), STREAMS);
        end();
    }
}

TEST_MAIN()
