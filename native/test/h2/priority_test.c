#include "h2/peer.h"

/*
 * Who sends next (RFC 9218): the priority field, PRIORITY_UPDATE, turns among equals. The windows of streams are open; that
 * of the connection says how much may be sent.
 */

#define BODY 100000U
#define QUANTUM 65536U /* at most: a stream's turn among others */

static struct driver driver;
static struct peer peer;
static char bytes[BODY];

/* The connection's window is used up by stream 1. */
static void begin(void)
{
    driver_prepare(&driver);
    peer_start_with(&peer, &driver, (const struct peer_setting[]){{GN_H2_INITIAL_WINDOW_SIZE, 1 << 24}, {0, 0}});
    peer_get(&peer, 1);
    peer_send(&peer);
    driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END, -1, bytes, 65535);
    peer_send(&peer);
    CHECK(peer_stream(&peer, 1)->ended);
    peer_forget(&peer);
}

static void end(void)
{
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

/* A request with a priority field, or without. */
static void get(uint32_t stream, const char *priority)
{
    char fields[256];
    snprintf(fields, sizeof(fields), "%s%s%s%s", PEER_GET, priority ? "priority: " : "", priority ? priority : "",
             priority ? "\n" : "");
    peer_headers(&peer, stream, GN_H2_END_STREAM, fields);
}

/* Responds to all requests behind the first; nothing of a body can be sent yet. */
static void answer_all(void)
{
    peer_send(&peer);
    for (size_t i = 1; i < driver.exchange_count; i++)
        driver_respond(&driver, driver_exchange(&driver, i), 200, GN_FLAG_END, -1, bytes, BODY);
    peer_send(&peer);
    CHECK(peer.text_length == 0 || strstr(peer.text, "DATA") == NULL);
    peer_forget(&peer);
}

static void open_window(uint32_t length)
{
    peer_window_update(&peer, 0, length);
    peer_send(&peer);
    peer_forget(&peer);
}

static size_t came(uint32_t stream)
{
    return peer_stream(&peer, stream)->body_length;
}

/* Streams 3, 5 and 7 got so many bytes. */
static void check_came(size_t third, size_t fifth, size_t seventh, int line)
{
    if (came(3) != third || came(5) != fifth || came(7) != seventh) {
        test_fail(__FILE__, line);
        fprintf(stderr, "came %zu %zu %zu, expected %zu %zu %zu\n", came(3), came(5), came(7), third, fifth, seventh);
    }
}
#define CHECK_CAME(third, fifth, seventh) check_came(third, fifth, seventh, __LINE__)

TEST(the_most_urgent_is_first)
{
    begin();
    get(3, "u=5");
    get(5, NULL); // 3
    get(7, "u=0");
    answer_all();
    open_window(1000);
    CHECK_CAME(0, 0, 1000);
    open_window(BODY - 1000);
    CHECK_CAME(0, 0, BODY);
    open_window(BODY);
    CHECK_CAME(0, BODY, BODY);
    open_window(BODY);
    CHECK_CAME(BODY, BODY, BODY);
    end();
}

TEST(equals_take_turns)
{
    begin();
    get(3, NULL);
    get(5, "u=3,i"); // the same, said aloud
    get(7, "i");
    answer_all();
    for (uint32_t window = 0; window < 3 * BODY; window += 3000) {
        open_window(3000);
        size_t least = came(3), most = came(3);
        for (uint32_t stream = 5; stream <= 7; stream += 2) {
            least = came(stream) < least ? came(stream) : least;
            most = came(stream) > most ? came(stream) : most;
        }
        CHECK(most - least <= QUANTUM);
        CHECK_EQ(came(3) + came(5) + came(7), window + 3000);
    }
    end();
}

TEST(turns_within_one_window)
{
    begin();
    get(3, NULL);
    get(5, NULL);
    get(7, NULL);
    answer_all();
    open_window(3 * BODY - 3000); // each of them must have had its turn before the last bytes
    CHECK(came(3) >= BODY - 3000 && came(5) >= BODY - 3000 && came(7) >= BODY - 3000);
    CHECK(peer_stream(&peer, 3)->frames > 2);
    end();
}

TEST(what_is_of_no_use_in_parts_is_sent_as_a_whole)
{
    begin();
    get(3, "u=3");
    get(5, "u=3, i=?0");
    get(7, "u=3");
    answer_all();
    open_window(70000);
    CHECK_CAME(70000, 0, 0);
    open_window(70000);
    CHECK_CAME(BODY, 40000, 0);
    open_window(160000);
    CHECK_CAME(BODY, BODY, BODY);
    end();
}

TEST(PRIORITY_UPDATE_changes_what_the_field_said)
{
    begin();
    get(3, "u=1");
    get(5, "u=2");
    get(7, "u=3");
    answer_all();
    open_window(1000);
    CHECK_CAME(1000, 0, 0);
    peer_priority_update(&peer, 7, "u=0");
    open_window(1000);
    CHECK_CAME(1000, 0, 1000);
    peer_priority_update(&peer, 3, "u=7");
    peer_priority_update(&peer, 7, "u=6");
    open_window(1000);
    CHECK_CAME(1000, 1000, 1000);
    peer_priority_update(&peer, 5, ""); // the default
    open_window(1000);
    CHECK_CAME(1000, 2000, 1000);
    end();
}

TEST(PRIORITY_UPDATE_before_its_stream)
{
    begin();
    peer_priority_update(&peer, 7, "u=0");
    get(3, "u=1");
    get(5, "u=1");
    get(7, "u=7"); // what it says itself is older (RFC 9218 section 7)
    answer_all();
    open_window(1000);
    CHECK_CAME(0, 0, 1000);
    end();
}

TEST(values_that_nobody_understands_are_no_errors)
{
    static const char *const values[] = {"u=8", "u=-1", "urgent", "u=\"0\"", "U=0", "u", "\x01", ",", "x=1"};
    for (unsigned i = 0; i < 9; i++) {
        begin();
        get(3, NULL);
        get(5, NULL);
        get(7, NULL);
        answer_all();
        peer_priority_update(&peer, 7, values[i]);
        open_window(60000);
        CHECK_EQ(came(3) + came(5) + came(7), 60000);
        CHECK(came(3) > 0);
        EXPECT_ALIVE(&peer);
        end();
    }
}

TEST(the_old_priorities_are_ignored)
{
    begin();
    get(3, NULL);
    peer_headers_with(&peer, 5, GN_H2_END_STREAM | GN_H2_HAS_PRIORITY, PEER_GET, 0);
    get(7, "u=2");
    answer_all();
    peer_priority(&peer, 3);
    peer_frame(&peer, GN_H2_PRIORITY, 0, 3, "\0\0\0\3\xff", 5); // of itself; nobody looks
    open_window(1000);
    CHECK_CAME(0, 0, 1000);
    EXPECT_ALIVE(&peer);
    end();
}

TEST(PRIORITY_UPDATE_where_it_may_not_be)
{
    for (unsigned i = 0; i < 4; i++) {
        begin();
        if (i == 0)
            peer_priority_update(&peer, 0, "u=1");
        else if (i == 1)
            peer_frame(&peer, GN_H2_PRIORITY_UPDATE, 0, 1, "\0\0\0\3u=1", 7);
        else if (i == 2)
            peer_frame(&peer, GN_H2_PRIORITY_UPDATE, 0, 0, "\0\0\0", 3);
        else
            peer_priority_update(&peer, 2, "u=1"); // a push that never was promised
        EXPECT_GOAWAY(&peer, 1, i == 2 ? GN_H2_FRAME_SIZE_ERROR : GN_H2_PROTOCOL_ERROR);
        end();
    }
}

TEST(PRIORITY_UPDATE_for_streams_that_are_gone_or_never_come)
{
    begin();
    driver_release(&driver, driver_exchange(&driver, 0));
    for (unsigned i = 0; i < 300; i++) {
        peer_priority_update(&peer, 1, "u=1");
        peer_priority_update(&peer, 0x7fffffff - 2 * i, "u=1");
    }
    EXPECT(&peer, "");
    EXPECT_ALIVE(&peer);
    end();
}

TEST(heads_do_not_wait_for_bodies)
{
    begin();
    get(3, "u=0");
    answer_all();
    open_window(1000);
    get(5, "u=7");
    peer_send(&peer);
    driver_respond(&driver, driver_exchange(&driver, 2), 200, 0, -1, "x", 1);
    EXPECT(&peer, "HEADERS 5 :status: 200\n");
    end();
}

TEST(requests_that_are_the_same_have_the_same_priority)
{
    begin();
    get(3, NULL);
    for (uint32_t stream = 5; stream <= 11; stream += 2)
        peer_headers(&peer, stream, GN_H2_END_STREAM, "=2\n=6\n=4\n:authority: h\npriority: u=0\n"); // a short block
    answer_all();
    open_window(4 * BODY);
    CHECK_CAME(0, BODY, BODY);
    CHECK_EQ(came(9), BODY);
    CHECK_EQ(came(11), BODY);
    end();
}

TEST(the_last_eight_PRIORITY_UPDATE_before_their_streams_are_kept)
{
    begin();
    peer_priority_update(&peer, 17, "u=0");
    peer_priority_update(&peer, 3, "u=7");
    for (uint32_t stream = 13; stream >= 5; stream -= 2)
        peer_priority_update(&peer, stream, "u=2");
    peer_priority_update(&peer, 3, "u=0"); // the later one counts
    for (uint32_t stream = 3; stream <= 17; stream += 2)
        get(stream, NULL);
    answer_all();
    open_window(2 * BODY);
    CHECK_CAME(BODY, 0, 0);
    CHECK_EQ(came(17), BODY);
    open_window(5 * BODY);
    CHECK_CAME(BODY, BODY, BODY);
    CHECK_EQ(came(15), 0);
    end();
}

TEST_MAIN()
