#include "loop/driver.h"

static struct driver driver;

static int open_with(void (*change)(struct gn_loop_settings *settings))
{
    driver_prepare(&driver);
    struct gn_loop_settings *settings = &driver.shared->loop;
    settings->commands_offset = settings->events_offset + settings->events_capacity * sizeof(struct gn_event);
    settings->staging_offset = settings->commands_offset + settings->commands_capacity * sizeof(struct gn_command);
    change(settings);
    struct gn_loop *loop = NULL;
    int error = gn_loop_open(&loop, driver.shared, NULL);
    if (error == 0) {
        gn_loop_stop(loop, 0);
        gn_loop_free(loop);
    }
    CHECK(error == 0 || driver.shared->text[0] != '\0');
    free(driver.shared);
    return error;
}

static void change_nothing(struct gn_loop_settings *settings)
{
    (void)settings;
}

static void change_abi(struct gn_loop_settings *settings)
{
    settings->abi++;
}

static void change_events(struct gn_loop_settings *settings)
{
    settings->events_capacity = 96;
}

static void change_few_events(struct gn_loop_settings *settings)
{
    settings->events_capacity = 32;
}

static void change_many_events(struct gn_loop_settings *settings)
{
    settings->events_capacity = 1ULL << 59;
}

static void change_commands(struct gn_loop_settings *settings)
{
    settings->commands_capacity = UINT64_MAX / 32 + 2;
}

static void change_staging(struct gn_loop_settings *settings)
{
    settings->staging_capacity = settings->size;
}

static void change_offset(struct gn_loop_settings *settings)
{
    settings->staging_offset = UINT64_MAX - 63;
}

static void change_alignment(struct gn_loop_settings *settings)
{
    settings->events_offset += 8;
}

static void change_overlap(struct gn_loop_settings *settings)
{
    settings->events_offset = 64;
}

static void change_backend(struct gn_loop_settings *settings)
{
    settings->backend = 77;
}

TEST(settings_that_make_no_sense_are_refused)
{
    CHECK_EQ(open_with(change_nothing), 0);
    void (*const changes[])(struct gn_loop_settings *) = {
        change_abi,     change_events, change_few_events, change_many_events, change_commands,
        change_staging, change_offset, change_alignment,  change_overlap,     change_backend};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
        CHECK_EQ(open_with(changes[i]), -EINVAL);
}

TEST(A19_B12_B15_settings_of_a_listener_that_make_no_sense_are_refused)
{
    driver_prepare(&driver);
    driver_open(&driver);
    struct gn_listener_settings *settings = &driver.shared->listener;
    uint64_t *words[] = {&settings->trailer_bytes, &settings->trailer_bytes, &settings->extension_bytes,
                         &settings->body_rate, &settings->write_rate};
    static const uint64_t values[] = {1, GN_BUFFER_MAX, 1ULL << 32, 1ULL << 32, 1ULL << 32};
    for (size_t i = 0; i < 5; i++) {
        uint64_t before = *words[i];
        *words[i] = values[i];
        CHECK_EQ(gn_loop_listen(driver.loop, gn_io_memory_descriptor(driver.io)), -EINVAL);
        *words[i] = before;
    }
    driver_close(&driver);
}

TEST(poll_refuses_what_Java_cannot_have_done)
{
    driver_prepare(&driver);
    driver_open(&driver);
    CHECK_EQ(gn_loop_poll(driver.loop, 1025, 0, 0), -EINVAL);
    CHECK_EQ(gn_loop_poll(driver.loop, 0, 1, 0), -EINVAL);
    CHECK_EQ(gn_loop_poll(driver.loop, 0, 0, 0), 0);
    driver_close(&driver);
}

TEST(a_wait_ends_with_its_time_or_with_an_event)
{
    driver_prepare(&driver);
    driver_open(&driver);
    driver_poll_wait(&driver, 3 * SECOND);
    CHECK_EQ(driver.io->operations->now(driver.io), 4 * SECOND);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_poll_wait(&driver, 10 * SECOND);
    CHECK_EQ(driver.exchange_count, 1);
    CHECK_EQ(driver.io->operations->now(driver.io), 4 * SECOND);
    driver_close(&driver);
}

TEST(what_Java_answered_leaves_before_the_wait)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver_open(&driver);
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        uint64_t before = driver.io->operations->now(driver.io);
        driver_respond(&driver, driver_exchange(&driver, 0), 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, "x", 1);
        driver_poll_wait(&driver, 10 * SECOND);
        CHECK_EQ(driver_exchange(&driver, 0)->sents, 1);
        CHECK_EQ(driver.io->operations->now(driver.io), before);
        CHECK_READ(&driver, peer, "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
        driver_close(&driver);
    }
}

TEST(a_dead_backend_ends_the_loop)
{
    driver_prepare(&driver);
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    driver.faults.error[GN_IO_OP_WAIT] = EIO;
    CHECK_EQ(gn_loop_poll(driver.loop, 0, driver.head, 0), -EIO);
    driver_abandon(&driver);
}

TEST(stopped_with_everything_in_flight)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver.hold_bodies = true;
        driver.shared->loop.events_capacity = 64;
        driver_open(&driver);
        static char body[100000];
        for (unsigned i = 0; i < 300; i++) {
            struct gn_io_memory_peer *peer = driver_connect(&driver);
            gn_io_memory_room(peer, 100);
            driver_write(&driver, peer,
                         i % 3 == 0   ? "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab"
                         : i % 3 == 1 ? GET GET "GET "
                                      : GET);
        }
        driver_settle(&driver);
        for (unsigned i = 0; i < 20; i++)
            driver_respond(&driver, driver_exchange(&driver, i), 200, GN_FLAG_END | GN_FLAG_NOTIFY, -1, body, 10000);
        for (size_t i = 0; i < driver.exchange_count; i++)
            driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_WATCH,
                                                        .subject = driver_exchange(&driver, i)->connection});
        driver_poll(&driver);
        CHECK(driver.shared->counters.blocks_lent > 0);
        CHECK(driver.shared->counters.connections_open == 300);
        driver_abandon(&driver);
    }
}

TEST(slots_are_used_again_under_new_names)
{
    driver_prepare(&driver);
    driver_open(&driver);
    uint64_t before = 0;
    for (unsigned i = 0; i < 50; i++) {
        struct gn_io_memory_peer *peer = driver_connect(&driver);
        driver_write(&driver, peer, GET);
        driver_settle(&driver);
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        CHECK(exchange->id != before);
        if (before != 0)
            CHECK_EQ(gn_id_slot(exchange->id), gn_id_slot(before));
        before = exchange->id;
        driver_answer(&driver, exchange, "x");
        gn_io_memory_reset(peer);
        driver_settle(&driver);
    }
    driver_close(&driver);
}

/* ---- a seeded random model ---- */

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % limit;
}

#define PEERS 8U
#define REQUESTS 12U

struct client {
    struct gn_io_memory_peer *peer;
    char *text;     /* all that it sends */
    char *expected; /* all that it must get */
    char *got;
    size_t length, at, got_length;
    bool reset;
    bool stalls;
};

static void add(char **text, const char *more, size_t length)
{
    size_t before = *text == NULL ? 0 : strlen(*text);
    *text = realloc(*text, before + length + 1);
    REQUIRE(*text != NULL);
    memcpy(*text + before, more, length);
    (*text)[before + length] = '\0';
}

/* The body of a request, and what its answer is made of. */
static size_t body_length_of(unsigned peer, unsigned request)
{
    unsigned kind = (peer * 7 + request * 13) % 5;
    return kind == 0 ? 0 : kind == 1 ? 1 : kind == 2 ? 300 : kind == 3 ? 5000 : 20000;
}

static size_t answer_length_of(unsigned peer, unsigned request)
{
    unsigned kind = (peer * 3 + request * 5) % 4;
    return kind == 0 ? 0 : kind == 1 ? 10 : kind == 2 ? 2000 : 30000;
}

static bool answer_is_chunked(unsigned peer, unsigned request)
{
    return (peer + request) % 3 == 0;
}

#define ANSWER_PIECE 1500U

static char octet_of(unsigned peer, unsigned request, size_t at)
{
    return (char)('a' + (peer + request * 5 + at) % 26);
}

static void script_client(struct client *client, unsigned peer)
{
    *client = (struct client){0};
    char line[256];
    static char piece[40000];
    for (unsigned request = 0; request < REQUESTS; request++) {
        size_t length = body_length_of(peer, request), answer = answer_length_of(peer, request);
        for (size_t i = 0; i < length; i++)
            piece[i] = octet_of(peer, request, i);
        bool chunked = (peer + request) % 2;
        if (length == 0 && !chunked)
            sprintf(line, "GET /%u/%u HTTP/1.1\r\nhost: h\r\n\r\n", peer, request);
        else if (chunked)
            sprintf(line, "POST /%u/%u HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n", peer, request);
        else
            sprintf(line, "POST /%u/%u HTTP/1.1\r\nhost: h\r\ncontent-length: %zu\r\n\r\n", peer, request, length);
        add(&client->text, line, strlen(line));
        for (size_t at = 0, span; chunked && at < length; at += span) {
            span = 1 + random_below(3000);
            span = span < length - at ? span : length - at;
            sprintf(line, "%zx;x=y\r\n", span);
            add(&client->text, line, strlen(line));
            add(&client->text, piece + at, span);
            add(&client->text, "\r\n", 2);
        }
        if (chunked)
            add(&client->text, request % 2 ? "0\r\nT: u\r\n\r\n" : "0\r\n\r\n", request % 2 ? 11 : 5);
        else
            add(&client->text, piece, length);

        for (size_t i = 0; i < answer; i++)
            piece[i] = octet_of(peer, request + 1, i);
        if (!answer_is_chunked(peer, request)) {
            sprintf(line, "HTTP/1.1 200 OK\r\ncontent-length: %zu\r\n\r\n", answer);
            add(&client->expected, line, strlen(line));
            add(&client->expected, piece, answer);
            continue;
        }
        sprintf(line, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        add(&client->expected, line, strlen(line));
        for (size_t at = 0, span; at < answer; at += span) {
            span = ANSWER_PIECE < answer - at ? ANSWER_PIECE : answer - at;
            sprintf(line, "%zx\r\n", span);
            add(&client->expected, line, strlen(line));
            add(&client->expected, piece + at, span);
            add(&client->expected, "\r\n", 2);
        }
        add(&client->expected, "0\r\n\r\n", 5);
    }
    client->length = strlen(client->text);
}

/* Goes on with one exchange by a random step; `mark` is how far its answer is, plus one once the head is out. */
static void play_handler(struct driver_exchange *exchange)
{
    unsigned peer, request;
    if (sscanf(exchange->target, "/%u/%u", &peer, &request) != 2 || peer >= PEERS || request >= REQUESTS) {
        CHECK(false);
        return;
    }
    if (exchange->resets > 0) {
        driver_release(&driver, exchange);
        return;
    }
    if (!exchange->ended)
        return;
    if (exchange->mark == 0) {
        CHECK_EQ(exchange->body_length, body_length_of(peer, request));
        for (size_t i = 0; i < exchange->body_length; i++) {
            if (exchange->body[i] != (uint8_t)octet_of(peer, request, i)) {
                CHECK(false);
                break;
            }
        }
    }
    size_t length = answer_length_of(peer, request);
    static char piece[30000];
    for (size_t i = 0; i < length; i++)
        piece[i] = octet_of(peer, request + 1, i);
    if (!answer_is_chunked(peer, request) && random_below(2) == 0 && exchange->mark == 0) {
        driver_respond(&driver, exchange, 200, GN_FLAG_END, -1, piece, length);
        driver_release(&driver, exchange);
        return;
    }
    if (exchange->mark == 0) {
        driver_respond(&driver, exchange, 200, 0, answer_is_chunked(peer, request) ? -1 : (int64_t)length, "", 0);
        exchange->mark = 1;
        return;
    }
    size_t at = exchange->mark - 1, span = length - at < ANSWER_PIECE ? length - at : ANSWER_PIECE;
    if (at + span > driver.shared->listener.send_credit + exchange->credits)
        return;
    exchange->mark += span;
    bool end = at + span == length;
    driver_data(&driver, exchange, end ? GN_FLAG_END : 0, piece + at, span);
    if (end)
        driver_release(&driver, exchange);
}

static void check_client(struct client *client)
{
    size_t expected = strlen(client->expected);
    if (client->reset)
        CHECK(client->got_length <= expected);
    else
        CHECK_EQ(client->got_length, expected);
    CHECK(client->got_length <= expected && memcmp(client->got, client->expected, client->got_length) == 0);
    free(client->text);
    free(client->expected);
    free(client->got);
}

static bool all_done(struct client *clients)
{
    for (unsigned i = 0; i < PEERS; i++) {
        if (!clients[i].reset && clients[i].got_length < strlen(clients[i].expected))
            return false;
    }
    return true;
}

static void play(uint64_t start)
{
    seed = start;
    driver_prepare(&driver);
    driver.late = random_below(2);
    driver.shared->loop.events_capacity = 64;
    driver.shared->loop.turn_bytes = 1 + random_below(4000);
    driver.shared->listener.pipeline = 1 + random_below(6);
    driver.shared->listener.receive_credit = 1 + random_below(9000);
    driver.shared->listener.send_credit = ANSWER_PIECE + random_below(9000);
    driver.faults.short_length = random_below(3) == 0 ? 1 + random_below(700) : 0;
    driver.read_limit = random_below(20);
    driver_open(&driver);
    struct client clients[PEERS];
    for (unsigned i = 0; i < PEERS; i++) {
        script_client(&clients[i], i);
        clients[i].peer = driver_connect(&driver);
        clients[i].got = calloc(1, strlen(clients[i].expected) + 1);
        REQUIRE(clients[i].got != NULL);
        gn_io_memory_room(clients[i].peer, 1 + random_below(20000));
    }
    size_t first = 0;
    for (unsigned steps = 0; steps < 400000 && !all_done(clients); steps++) {
        struct client *client = &clients[random_below(PEERS)];
        if (!client->reset) {
            size_t span = 1 + random_below(random_below(4) == 0 ? 20 : 8000);
            span = span < client->length - client->at ? span : client->length - client->at;
            if (span > 0)
                client->at += gn_io_memory_write(client->peer, client->text + client->at, span);
            size_t room = strlen(client->expected) - client->got_length;
            size_t take = 1 + random_below(9000);
            client->got_length +=
                gn_io_memory_read(client->peer, client->got + client->got_length, take < room ? take : room);
            if (random_below(20000) == 0) {
                gn_io_memory_reset(client->peer);
                client->reset = true;
            }
        }
        while (first < driver.exchange_count && driver_exchange(&driver, first)->released)
            first++;
        if (first < driver.exchange_count) {
            size_t number = first + random_below((uint32_t)(driver.exchange_count - first));
            if (!driver_exchange(&driver, number)->released)
                play_handler(driver_exchange(&driver, number));
        }
        driver_poll(&driver);
    }
    CHECK(all_done(clients));
    for (unsigned i = 0; i < PEERS; i++)
        check_client(&clients[i]);
    driver_close(&driver);
}

TEST(random_exchanges_come_out_as_expected)
{
    for (uint64_t run = 1; run <= 40; run++) {
        unsigned before = test_failures;
        play(run * 7919);
        if (test_failures != before)
            fprintf(stderr, "with seed %llu\n", (unsigned long long)(run * 7919));
    }
}

TEST_MAIN()
