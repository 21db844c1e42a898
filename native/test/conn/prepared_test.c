#include "loop/driver.h"

#define ID(slot) gn_id(slot, 7)

static struct driver driver;
static uint8_t bulk[200000];

static void check_rejected(void)
{
    uint64_t before = driver.shared->counters.commands_rejected;
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.commands_rejected, before + 1);
    driver.shared->counters.commands_rejected = 0;
}

static const struct driver_staged none;

static void keep_text(uint64_t id, const char *body)
{
    driver_keep(&driver, id, (struct gn_command){.value = -1}, &none, body, strlen(body));
}

static size_t memory_used(void)
{
    return driver.loop->context.memory.used;
}

TEST(it_is_sent_any_number_of_times)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, "");
    keep_text(ID(0), "Hello");
    for (unsigned i = 0; i < 100; i++) {
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        driver_send_kept(&driver, driver_exchange(&driver, i), GN_FLAG_RELEASE, ID(0));
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(5) "Hello");
    }
    CHECK_EQ(driver.shared->counters.responses, 100);
    CHECK_EQ(driver.shared->counters.exchanges_open, 0);
    CHECK_EQ(driver_exchange(&driver, 0)->credits, 0); // it is not under credit
    driver_close(&driver);                             // what Java did not forget is freed
}

/* What RESPOND and PREPARED with the same content send to the same request. */
static void check_same(const char *head, struct gn_command command, const struct driver_staged *staged,
                       const char *body, uint8_t flags)
{
    char *texts[2] = {NULL, NULL};
    bool ended[2];
    for (unsigned i = 0; i < 2; i++) {
        struct gn_io_memory_peer *peer = driver_begin(&driver, head);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        if (i == 0) {
            struct gn_command respond = command;
            respond.kind = GN_COMMAND_RESPOND;
            respond.flags |= GN_FLAG_END | flags;
            driver_say(&driver, exchange, respond, staged, body);
        } else {
            driver_keep(&driver, ID(0), command, staged, body, strlen(body));
            driver_send_kept(&driver, exchange, flags, ID(0));
        }
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, 0);
        texts[i] = strdup(driver_read(&driver, peer, NULL));
        char *date = strstr(texts[i], "ate: ");
        if (date != NULL)
            memset(date + 5, 'D', 29); // a second may pass between the two
        ended[i] = gn_io_memory_saw_end(peer);
        struct gn_listener_settings settings = driver.shared->listener;
        driver_close(&driver);
        driver_prepare(&driver);
        driver.shared->listener = settings;
    }
    CHECK(strlen(texts[0]) > 0);
    CHECK_BYTES(texts[1], strlen(texts[1]), texts[0]);
    CHECK_EQ(ended[1], ended[0]);
    free(texts[0]);
    free(texts[1]);
}

TEST(C6_C7_C8_C12_C13_C14_C16_C17_it_says_what_RESPOND_says)
{
    static const char *const heads[] = {
        GET,
        "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
    };
    static const uint16_t statuses[] = {200, 204, 205, 304, 404, 299};
    for (unsigned setting = 0; setting < 4; setting++) {
        driver_prepare(&driver);
        driver.shared->listener.date = setting & 1;
        driver.shared->listener.title_case = setting >> 1;
        for (unsigned head = 0; head < 5; head++) {
            for (unsigned i = 0; i < 6 * 4; i++) {
                const char *body = i & 1 ? "some body" : "";
                bool said = i & 2;
                struct gn_command command = {.status = statuses[i / 4], .value = said ? (int64_t)strlen(body) : -1};
                struct driver_staged staged = {0};
                driver_field(&staged, GN_FIELD_SERVER, "", "gannet");
                driver_field(&staged, GN_FIELD_OTHER, "x-Own", "");
                check_same(heads[head], command, &staged, body, head & 1 ? 0 : GN_FLAG_CLOSE);
                if (i != 0)
                    continue;
                struct driver_staged other = {0};
                driver_field(&other, GN_FIELD_OTHER, "", "Fine");
                driver_field(&other, GN_FIELD_DATE, "", "Sun, 06 Nov 1994 08:49:37 GMT");
                command.flags = GN_FLAG_REASON;
                check_same(heads[head], command, &other, body, 0);
            }
        }
        driver_open(&driver);
        driver_close(&driver);
    }
}

TEST(C12_the_date_is_that_of_the_moment)
{
    driver_prepare(&driver);
    driver.shared->listener.date = 1;
    struct gn_io_memory_peer *peer = driver_begin(&driver, "");
    keep_text(ID(0), "x");
    driver_poll(&driver);
    memcpy(driver.loop->context.date.text, "Sun, 06 Nov 1994", 16); // the loop writes it anew
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, ID(0));
    driver_settle(&driver);
    char expected[200];
    sprintf(expected, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ndate: %.29s\r\n\r\nx", driver.loop->context.date.text);
    CHECK_READ(&driver, peer, expected);
    driver_close(&driver);
}

TEST(D2_in_a_pipeline_it_waits_for_its_turn)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET GET GET GET);
    keep_text(ID(0), "kept");
    driver_keep(&driver, ID(1), (struct gn_command){.value = -1}, &none, bulk, sizeof(bulk));
    driver_send_kept(&driver, driver_exchange(&driver, 3), GN_FLAG_RELEASE, ID(0));
    driver_send_kept(&driver, driver_exchange(&driver, 2), GN_FLAG_RELEASE | GN_FLAG_NOTIFY, ID(1));
    driver_send_kept(&driver, driver_exchange(&driver, 1), GN_FLAG_RELEASE, ID(0));
    driver_forget(&driver, ID(1)); // what is under way goes on
    driver_settle(&driver);
    CHECK_READ(&driver, peer, "");
    driver_answer(&driver, driver_exchange(&driver, 0), "first");
    driver_settle(&driver);
    size_t length = 0, whole = strlen(OK(5) "first" OK(4) "kept" OK(200000) OK(4) "kept") + sizeof(bulk);
    static char text[300000];
    for (unsigned polls = 0; length < whole; polls++) {
        REQUIRE(polls < 1000);
        size_t piece;
        const char *bytes = driver_read(&driver, peer, &piece);
        REQUIRE(piece <= whole - length);
        memcpy(text + length, bytes, piece);
        length += piece;
        driver_poll(&driver);
    }
    const char *begin = OK(5) "first" OK(4) "kept" OK(200000);
    CHECK_BYTES(text, strlen(begin), begin);
    CHECK(memcmp(text + strlen(begin), bulk, sizeof(bulk)) == 0);
    CHECK_BYTES(text + strlen(begin) + sizeof(bulk), length - strlen(begin) - sizeof(bulk), OK(4) "kept");
    driver_close(&driver);
}

TEST(many_slow_readers_hold_a_large_one_once)
{
    for (size_t i = 0; i < sizeof(bulk); i++)
        bulk[i] = (uint8_t)(i * 31 + i / 253);
    driver_prepare(&driver);
    driver.slab_count = 8;
    driver_open(&driver);
    driver_keep(&driver, ID(0), (struct gn_command){.value = -1}, &none, bulk, sizeof(bulk));
    enum { READERS = 300 };
    struct gn_io_memory_peer *peers[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        peers[i] = driver_connect(&driver);
        gn_io_memory_room(peers[i], 0);
        driver_write(&driver, peers[i], GET);
    }
    driver_settle(&driver);
    uint64_t memory = memory_used(), arena = driver.loop->context.arena.used[GN_ARENA_BODY_OUT];
    for (unsigned i = 0; i < READERS; i++)
        driver_send_kept(&driver, driver_exchange(&driver, i), GN_FLAG_RELEASE, ID(0));
    driver_settle(&driver);
    CHECK(memory_used() - memory < READERS * 400);
    CHECK(driver.loop->context.arena.used[GN_ARENA_BODY_OUT] - arena <= READERS * 8192);
    driver_forget(&driver, ID(0));
    driver_settle(&driver);
    CHECK(memory_used() > sizeof(bulk)); // they still read it
    size_t heads = strlen(OK(200000));
    for (unsigned i = 0; i < READERS; i++) {
        if (i % 3 == 0) {
            gn_io_memory_reset(peers[i]);
            driver_settle(&driver);
            continue;
        }
        static uint8_t text[300000];
        size_t length = 0;
        gn_io_memory_room(peers[i], 70000);
        for (unsigned polls = 0; length < heads + sizeof(bulk); polls++) {
            REQUIRE(polls < 1000);
            driver_poll(&driver);
            length += gn_io_memory_read(peers[i], text + length, sizeof(text) - length);
        }
        CHECK_BYTES(text, heads, OK(200000));
        CHECK(length == heads + sizeof(bulk) && memcmp(text + heads, bulk, sizeof(bulk)) == 0);
    }
    driver_settle(&driver);
    CHECK(memory_used() < memory); // the last reader let go of it
    driver_close(&driver);
}

TEST(sizes_around_the_one_that_is_copied)
{
    static const size_t sizes[] = {1, 3900, 4095, 4096, 4097, 8192, 65536, 199999};
    for (unsigned late = 0; late < 2; late++) {
        for (unsigned i = 0; i < 8; i++) {
            driver_prepare(&driver);
            driver.late = late;
            struct gn_io_memory_peer *peer = driver_begin(&driver, GET "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n" GET);
            driver_keep(&driver, ID(0), (struct gn_command){.value = -1}, &none, bulk, sizes[i]);
            for (unsigned k = 0; k < 3; k++)
                driver_send_kept(&driver, driver_exchange(&driver, k), GN_FLAG_RELEASE, ID(0));
            char head[100];
            size_t length = 0,
                   head_length = (size_t)sprintf(head, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", sizes[i]);
            static uint8_t text[500000];
            size_t whole = 3 * head_length + 2 * sizes[i];
            for (unsigned polls = 0; polls < 60; polls++) {
                driver_poll(&driver);
                length += gn_io_memory_read(peer, text + length, sizeof(text) - length);
            }
            REQUIRE(length == whole);
            CHECK_BYTES(text, head_length, head);
            CHECK(memcmp(text + head_length, bulk, sizes[i]) == 0);
            CHECK_BYTES(text + head_length + sizes[i], head_length, head); // HEAD
            CHECK_BYTES(text + 2 * head_length + sizes[i], head_length, head);
            CHECK(memcmp(text + 3 * head_length + sizes[i], bulk, sizes[i]) == 0);
            driver_close(&driver);
        }
    }
}

TEST(SENT_comes_behind_the_last_byte)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET);
    gn_io_memory_room(peer, 1000);
    driver_keep(&driver, ID(0), (struct gn_command){.value = -1}, &none, bulk, 5000);
    driver_send_kept(&driver, driver_exchange(&driver, 0), GN_FLAG_NOTIFY, ID(0));
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->sents, 0);
    for (unsigned i = 0; i < 10; i++) {
        driver_read(&driver, peer, NULL);
        driver_settle(&driver);
    }
    CHECK_EQ(driver_exchange(&driver, 0)->sents, 1);
    CHECK_EQ(driver_exchange(&driver, 0)->sent_reason, GN_REASON_NONE);
    driver_close(&driver);
}

TEST(B19_without_100_the_connection_ends)
{
    driver_prepare(&driver);
    struct gn_io_memory_peer *peer =
        driver_begin(&driver, "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
    keep_text(ID(0), "no");
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, ID(0));
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK_CLOSE(2) "no");
    driver_close(&driver);
}

TEST(it_is_a_final_response_and_the_only_one)
{
    driver_prepare(&driver);
    driver.shared->listener.connect = 1;
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET GET "CONNECT far:1 HTTP/1.1\r\nhost: far:1\r\n\r\n");
    keep_text(ID(0), "x");
    driver_respond(&driver, driver_exchange(&driver, 0), 200, 0, 1, NULL, 0);
    driver_settle(&driver);
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, ID(0));
    check_rejected(); // the head is out
    driver_send_kept(&driver, driver_exchange(&driver, 1), 0, ID(0));
    driver_send_kept(&driver, driver_exchange(&driver, 1), 0, ID(0));
    check_rejected(); // complete
    driver_send_kept(&driver, driver_exchange(&driver, 2), 0, ID(0));
    check_rejected(); // it would open a tunnel
    driver_keep(&driver, ID(1), (struct gn_command){.status = 403, .value = -1}, &none, "no", 2);
    driver_send_kept(&driver, driver_exchange(&driver, 2), 0, ID(1));
    driver_data(&driver, driver_exchange(&driver, 0), GN_FLAG_END, "a", 1);
    driver_settle(&driver);
    CHECK_READ(&driver, peer,
               OK(1) "a" OK(1) "x"
                               "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
    driver_close(&driver);
}

TEST(what_cannot_be_sent_is_not_kept)
{
    driver_prepare(&driver);
    driver_begin(&driver, GET);
    struct driver_staged coded = {0}, bad = {0};
    driver_field(&coded, GN_FIELD_TRANSFER_ENCODING, "", "gzip");
    driver_field(&bad, GN_FIELD_OTHER, "", "no name");
    const struct gn_command commands[] = {
        {.status = 199, .value = -1}, {.status = 101, .value = -1}, {.status = 1000, .value = -1},
        {.status = 200, .value = 1},  {.status = 200, .value = 3},  {.status = 200, .value = -2},
        {.status = 304, .value = -2},
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        driver_keep(&driver, ID(0), commands[i], &none, "ab", 2);
        check_rejected();
    }
    driver_keep(&driver, ID(0), (struct gn_command){.value = -1}, &coded, "ab", 2);
    check_rejected();
    driver_keep(&driver, ID(0), (struct gn_command){.value = -1}, &bad, "ab", 2);
    check_rejected();
    driver_keep(&driver, ID(0), (struct gn_command){.flags = GN_FLAG_REASON, .value = -1}, &none, "ab", 2);
    check_rejected();
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, ID(0));
    check_rejected();
    driver_forget(&driver, ID(0));
    check_rejected();
    driver_close(&driver);
}

TEST(ids_are_checked)
{
    driver_prepare(&driver);
    driver_begin(&driver, GET);
    const uint64_t bad[] = {
        0, gn_id(5, 0), gn_id(GN_PREPARED_MAX, 1), gn_id(0xffffff, 1), UINT64_MAX, ID(1) | GN_ID_ROLE_CLIENT};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        keep_text(bad[i], "x");
        check_rejected();
        driver_forget(&driver, bad[i]);
        check_rejected();
        driver_send_kept(&driver, driver_exchange(&driver, 0), 0, bad[i]);
        check_rejected();
    }
    keep_text(ID(3), "x");
    driver_settle(&driver);
    keep_text(ID(3), "y");
    check_rejected(); // taken
    keep_text(gn_id(3, 8), "y");
    check_rejected();
    const uint64_t others[] = {gn_id(3, 8), gn_id(3, 0), ID(2), ID(16), ID(3) | GN_ID_ROLE_CLIENT};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        driver_forget(&driver, others[i]);
        check_rejected();
        driver_send_kept(&driver, driver_exchange(&driver, 0), 0, others[i]);
        check_rejected();
    }
    driver_forget(&driver, ID(3));
    driver_settle(&driver);
    driver_forget(&driver, ID(3));
    check_rejected();
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, ID(3));
    check_rejected();
    keep_text(gn_id(3, 8), "y"); // the slot again
    keep_text(ID(GN_PREPARED_MAX - 1), "z");
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, ID(GN_PREPARED_MAX - 1));
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.responses, 1);
    driver_close(&driver);
}

TEST(without_memory_to_keep_it_the_exchange_breaks)
{
    for (unsigned at = 1; at <= 3; at++) { // itself, its encoding, the table
        driver_prepare(&driver);
        struct gn_io_memory_peer *peer = driver_begin(&driver, GET);
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        struct gn_memory *memory = &driver.loop->context.memory;
        size_t used = memory_used();
        memory->fail_from = memory->count + at;
        keep_text(ID(0), "x");
        driver_send_kept(&driver, exchange, 0, ID(0));
        driver_settle(&driver);
        CHECK_EQ(exchange->resets, 1);
        CHECK_EQ(exchange->reset_reason, GN_REASON_OUT_OF_MEMORY);
        CHECK(gn_io_memory_saw_reset(peer));
        CHECK(memory_used() <= used);
        memory->fail_from = 0;
        driver_forget(&driver, ID(0));
        keep_text(gn_id(0, 8), "y"); // there is memory again
        peer = driver_connect(&driver);
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        driver_send_kept(&driver, driver_exchange(&driver, 1), 0, gn_id(0, 8));
        driver_settle(&driver);
        CHECK_READ(&driver, peer, OK(1) "y");
        driver_close(&driver);
    }
}

TEST(without_memory_to_refer_to_it_the_exchange_breaks)
{
    for (unsigned at = 1; at < 6; at++) {
        driver_prepare(&driver);
        driver_begin(&driver, GET);
        driver_keep(&driver, ID(0), (struct gn_command){.value = -1}, &none, bulk, 100000);
        driver_settle(&driver);
        struct gn_memory *memory = &driver.loop->context.memory;
        memory->fail_from = memory->count + at;
        struct driver_exchange *exchange = driver_exchange(&driver, 0);
        driver_send_kept(&driver, exchange, 0, ID(0));
        driver_settle(&driver);
        if (at <= 2) { // the segments of the head and of the body
            CHECK_EQ(exchange->resets, 1);
            CHECK_EQ(exchange->reset_reason, GN_REASON_OUT_OF_MEMORY);
        }
        driver_close(&driver);
    }
}

TEST(a_loop_that_is_stopped_with_all_in_flight_frees_it)
{
    driver_prepare(&driver);
    driver.late = true;
    struct gn_io_memory_peer *peer = driver_begin(&driver, GET GET);
    gn_io_memory_room(peer, 100);
    driver_keep(&driver, ID(0), (struct gn_command){.value = -1}, &none, bulk, 100000);
    driver_send_kept(&driver, driver_exchange(&driver, 0), 0, ID(0));
    driver_send_kept(&driver, driver_exchange(&driver, 1), 0, ID(0));
    driver_poll(&driver);
    driver_abandon(&driver);
}

TEST_MAIN()
