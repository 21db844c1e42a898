#include "loop/driver.h"

#define UPGRADE "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
#define CONNECT "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n"

static struct driver driver;

static struct gn_io_memory_peer *start_with(const char *text)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    return driver_begin(&driver, text);
}

/* The command is rejected and changes nothing. */
static void check_rejected(struct gn_command command)
{
    uint64_t before = driver.shared->counters.commands_rejected;
    driver_command(&driver, command);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.commands_rejected, before + 1);
}

static void close_driver(void)
{
    driver.shared->counters.commands_rejected = 0;
    driver_close(&driver);
}

TEST(staged_bytes_must_lie_in_the_staging_area)
{
    struct gn_io_memory_peer *peer = start_with(GET);
    uint64_t id = driver_exchange(&driver, 0)->id;
    uint32_t capacity = (uint32_t)driver.shared->loop.staging_capacity;
    struct gn_command command = {.kind = GN_COMMAND_RESPOND, .status = 200, .subject = id, .value = -1};
    static const uint32_t big = UINT32_MAX;
    const uint32_t numbers[][3] = {{capacity, 0, 1}, {capacity + 1, 0, 0}, {capacity - 8, 8, 1}, {big, big, big},
                                   {0, 0, big},      {0, big, 0},          {big, 0, 1},          {0, capacity, 1}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        command.offset = numbers[i][0];
        command.length = numbers[i][1];
        command.body_length = numbers[i][2];
        check_rejected(command);
    }
    command.length = 0;
    command.offset = capacity - 2;
    command.body_length = 2;
    command.flags = GN_FLAG_END;
    memcpy(driver.staging + capacity - 2, "ab", 2);
    driver_command(&driver, command);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(2) "ab");
    close_driver();
}

TEST(staged_fields_must_be_whole)
{
    struct gn_io_memory_peer *peer = start_with(GET);
    uint64_t id = driver_exchange(&driver, 0)->id;
    const struct gn_staged_field fields[] = {
        {.token = 0, .name_length = 0, .value_length = 0},      // no name
        {.token = GN_FIELD_NAME_COUNT, .name_length = 1},       // no such token
        {.token = GN_FIELD_SERVER, .value_length = 2},          // one byte too long
        {.token = GN_FIELD_SERVER, .value_length = UINT32_MAX}, //
        {.token = 0, .name_length = UINT16_MAX, .value_length = UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        uint8_t staged[sizeof(fields[0]) + 1] = {0};
        memcpy(staged, &fields[i], sizeof(fields[i]));
        uint32_t offset = driver_stage(&driver, staged, sizeof(staged));
        check_rejected((struct gn_command){.kind = GN_COMMAND_RESPOND,
                                           .flags = GN_FLAG_END,
                                           .status = 200,
                                           .subject = id,
                                           .length = sizeof(staged),
                                           .offset = offset,
                                           .value = -1});
    }
    check_rejected((struct gn_command){
        .kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = 200, .subject = id, .length = 7, .value = -1});
    CHECK_READ(&driver, peer, "");
    close_driver();
}

TEST(DATA_brings_no_fields)
{
    struct gn_io_memory_peer *peer = start_with(GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_respond(&driver, exchange, 200, 0, 2, NULL, 0);
    driver_settle(&driver);
    check_rejected((struct gn_command){
        .kind = GN_COMMAND_DATA, .flags = GN_FLAG_END, .subject = exchange->id, .length = 1, .body_length = 2});
    driver_data(&driver, exchange, GN_FLAG_END, "ab", 2);
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(2) "ab");
    close_driver();
}

TEST(responses_out_of_turn)
{
    struct gn_io_memory_peer *peer = start_with(GET GET);
    struct driver_exchange *exchange = driver_exchange(&driver, 1);
    struct gn_command respond = {
        .kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = 200, .subject = exchange->id, .value = -1};
    struct gn_command data = {.kind = GN_COMMAND_DATA, .subject = exchange->id};
    check_rejected(data); // before a head
    struct gn_command other = respond;
    other.status = 199;
    check_rejected(other);
    other.status = 1000;
    check_rejected(other);
    other = respond;
    other.value = -2;
    check_rejected(other);
    driver_command(&driver, respond);
    driver_settle(&driver);
    check_rejected(respond); // complete
    check_rejected(data);
    for (unsigned kind = 0; kind < 256; kind++) {
        if (kind == 0 || kind == GN_COMMAND_INTERIM || kind == GN_COMMAND_TRAILERS || kind > GN_COMMAND_UNLISTEN)
            check_rejected((struct gn_command){.kind = (uint8_t)kind, .subject = exchange->id});
    }
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(0));
    close_driver();
}

TEST(a_command_may_release_its_exchange_whatever_becomes_of_it)
{
    struct gn_io_memory_peer *peer = start_with(GET GET);
    struct driver_exchange *first = driver_exchange(&driver, 0), *second = driver_exchange(&driver, 1);
    uint8_t flags = GN_FLAG_END | GN_FLAG_RELEASE;
    driver_respond(&driver, first, 200, flags, -1, "x", 1);
    driver_note_release(&driver, first);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.exchanges_open, 1);
    CHECK_READ(&driver, peer, OK(1) "x");
    driver_note_release(&driver, second);
    check_rejected(
        (struct gn_command){.kind = GN_COMMAND_RESPOND, .flags = flags, .status = 99, .subject = second->id});
    CHECK_EQ(driver.shared->counters.exchanges_open, 0);
    CHECK_READ(&driver, peer, ""); // let go of without a response: nothing may look like one
    CHECK_EQ(driver.shared->counters.exchanges_reset, 1);
    close_driver();
}

TEST(names_of_what_is_no_more)
{
    struct gn_io_memory_peer *peer = start_with(GET);
    uint64_t id = driver_exchange(&driver, 0)->id;
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    CHECK_EQ(gn_id_slot(driver_exchange(&driver, 1)->id), gn_id_slot(id)); // the slot is used again
    static const uint8_t kinds[] = {GN_COMMAND_RESPOND, GN_COMMAND_DATA,  GN_COMMAND_CREDIT,
                                    GN_COMMAND_RELEASE, GN_COMMAND_RESET, GN_COMMAND_PREPARED};
    for (size_t i = 0; i < sizeof(kinds); i++) {
        struct gn_command command = {.kind = kinds[i], .flags = GN_FLAG_END, .status = 200};
        command.subject = id;
        check_rejected(command);
        command.subject = 0;
        check_rejected(command);
        command.subject = driver_exchange(&driver, 1)->id | GN_ID_ROLE_CLIENT; // not this role
        check_rejected(command);
        command.subject = driver_exchange(&driver, 1)->id + 1;
        check_rejected(command);
        command.subject = UINT64_MAX;
        check_rejected(command);
    }
    driver_answer(&driver, driver_exchange(&driver, 1), "y");
    driver_settle(&driver);
    CHECK_READ(&driver, peer, OK(1) "x" OK(1) "y");
    close_driver();
}

TEST(a_block_is_given_back_once)
{
    struct gn_io_memory_peer *peer = start_with(POST(6) "abc");
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    uint64_t block = exchange->blocks[0];
    check_rejected(
        (struct gn_command){.kind = GN_COMMAND_CREDIT, .subject = exchange->id, .block = block + 1, .value = 3});
    check_rejected(
        (struct gn_command){.kind = GN_COMMAND_CREDIT, .subject = exchange->id, .block = block, .value = -1});
    check_rejected((struct gn_command){
        .kind = GN_COMMAND_CREDIT, .subject = exchange->id, .block = exchange->head_block, .value = 3});
    check_rejected((struct gn_command){.kind = GN_COMMAND_FREE, .block = exchange->head_block});
    CHECK_EQ(driver.shared->counters.blocks_lent, 1);
    driver_credit(&driver, exchange);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.blocks_lent, 0);
    check_rejected((struct gn_command){.kind = GN_COMMAND_CREDIT, .subject = exchange->id, .block = block, .value = 3});
    check_rejected((struct gn_command){.kind = GN_COMMAND_FREE, .block = block});
    driver_write(&driver, peer, "def");
    driver_settle(&driver);
    CHECK(exchange->ended);
    close_driver();
}

TEST(more_credit_than_there_is_counts_as_all_of_it)
{
    driver_prepare(&driver);
    driver.hold_bodies = true;
    driver.shared->listener.receive_credit = 10;
    driver_open(&driver);
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, POST(100) "0123456789abcdefghijklmnopqrstuvwxyz");
    driver_settle(&driver);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    CHECK_EQ(exchange->body_length, 10);
    driver_ask(&driver, exchange, INT64_MAX);
    driver_settle(&driver);
    CHECK_EQ(exchange->body_length, 20);
    close_driver();
}

/* ---- commands by chance ---- */

static uint64_t seed = 20240607;

static uint64_t random_word(void)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return seed >> 32 | seed << 32;
}

/* A number as an attacker would choose it: small, near a bound, an id or a block that exists, or anything. */
static uint64_t random_number(void)
{
    uint64_t number = random_word();
    size_t count = driver.exchange_count;
    const struct driver_exchange *exchange =
        count == 0 ? NULL : driver_exchange(&driver, count - 1 - number % count % 40);
    switch (number >> 40 & 15) {
    case 0:
        return number & 255;
    case 1:
        return ~(number & 255);
    case 2:
        return (1ULL << (number & 63)) - (number >> 8 & 1);
    case 3:
        return number;
    case 4:
        return gn_id((uint32_t)number & 31, (uint32_t)(number >> 8) & 63);
    case 5:
        return (1ULL + (number & 1)) << 32 | ((number >> 8 & 0xfff) << 8);
    case 6:
        return exchange != NULL ? exchange->head_block : 0;
    case 7:
        return exchange != NULL ? exchange->connection : 0;
    case 8:
        return exchange != NULL && exchange->block_count > 0 ? exchange->blocks[0] : 0;
    default:
        return exchange != NULL ? exchange->id : 0;
    }
}

/* One of a few names of prepared responses. */
static uint64_t random_prepared(void)
{
    return gn_id(1U << (random_word() % 8), 1 + (uint32_t)(random_word() % 2));
}

static struct gn_command random_command(void)
{
    struct gn_command command = {
        .kind = (uint8_t)(random_word() % 18),
        .flags = (uint8_t)(random_word() & random_word() & ~(uint64_t)GN_FLAG_RELEASE),
        .status = (uint16_t)(random_word() % 4 == 0 ? random_word() : 200 + random_word() % 200),
        .length = random_word() % 4 != 0 ? 0 : (uint32_t)random_number(),
        .subject = random_number(),
        .value = (int64_t)(random_word() % 2 == 0 ? -1LL : (long long)random_number()),
    };
    command.block = random_number();
    if (random_word() % 2 == 0) {
        command.offset = (uint32_t)(random_word() % (driver.shared->loop.staging_capacity + 10));
        command.body_length = (uint32_t)(random_word() % 3000);
    }
    if (command.kind == GN_COMMAND_RESPOND && random_word() % 3 == 0)
        command.status = 101;
    if (command.kind == GN_COMMAND_PREPARE || command.kind == GN_COMMAND_UNPREPARE) {
        command.subject = random_word() % 8 == 0 ? random_number() : random_prepared();
        command.body_length *= 10;
    }
    if (command.kind == GN_COMMAND_PREPARED && random_word() % 8 != 0)
        command.block = random_prepared();
    // Else everything would be over at once.
    if (command.kind == GN_COMMAND_UNLISTEN || (command.kind == GN_COMMAND_CLOSE && random_word() % 8 != 0))
        command.subject |= 0xff00;
    return command;
}

/* Chance alone seldom says the right thing to one that offers it. */
static void open_tunnel_by_chance(void)
{
    for (size_t i = driver.exchange_count; i-- > 0 && driver.exchange_count - i < 20;) {
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        bool connect = exchange->method == GN_METHOD_CONNECT;
        if (!exchange->released && (connect || exchange->head_flags & GN_HEAD_UPGRADE))
            driver_open_tunnel(&driver, exchange, connect ? 200 : 101, "x");
    }
}

TEST(two_hundred_thousand_commands_by_chance)
{
    for (unsigned late = 0; late < 2; late++) {
        driver_prepare(&driver);
        driver.late = late;
        driver.hold_bodies = true;
        driver.shared->listener.connect = 1;
        uint64_t tunnels = 0;
        driver_open(&driver);
        for (size_t i = 0; i < driver.shared->loop.staging_capacity; i++)
            driver.staging[i] = (uint8_t)(random_word() % 8 == 0 ? random_word() : 0);
        struct gn_io_memory_peer *peers[6] = {0};
        for (unsigned round = 0; round < 2000; round++) {
            for (unsigned i = 0; i < 6; i++) {
                if (peers[i] == NULL || gn_io_memory_saw_end(peers[i]) || gn_io_memory_saw_close(peers[i])) {
                    if (peers[i] != NULL)
                        gn_io_memory_peer_free(peers[i]);
                    peers[i] = driver_connect(&driver);
                }
                static const char *const texts[] = {
                    GET,     POST(20) "abc", "defghijklmnopqrstuv", GET GET, "HEAD / HTTP/1.0\r\n\r\n",
                    UPGRADE, CONNECT GET};
                const char *text = texts[random_word() % 7];
                gn_io_memory_write(peers[i], text, strlen(text));
                driver_read(&driver, peers[i], NULL);
            }
            open_tunnel_by_chance();
            for (unsigned i = 0; i < 50; i++)
                driver_command(&driver, random_command());
            driver_poll(&driver);
            tunnels += driver.shared->counters.tunnels_open;
            // The model does not know what chance has done to them.
            for (size_t i = 0; i < driver.exchange_count; i++)
                driver.exchanges[i]->ended = false, driver.exchanges[i]->resets = 0;
            if (round % 100 == 99) {
                for (size_t i = 0; i < driver.exchange_count; i++) {
                    struct driver_exchange *exchange = driver_exchange(&driver, i);
                    if (exchange->released)
                        continue;
                    for (size_t k = 0; k < exchange->block_count; k++)
                        driver_command(&driver,
                                       (struct gn_command){.kind = GN_COMMAND_FREE, .block = exchange->blocks[k]});
                    exchange->block_count = 0;
                    driver_release(&driver, exchange);
                }
                driver_poll(&driver);
                for (unsigned i = 0; i < 6; i++)
                    gn_io_memory_reset(peers[i]);
                for (unsigned i = 0; i < 6; i++)
                    driver_poll(&driver);
            }
        }
        CHECK(driver.shared->counters.commands_rejected > 10000);
        CHECK(driver.shared->counters.responses > 100);
        CHECK(tunnels > 1000);
        CHECK_EQ(driver.shared->counters.commands >= 100000, true);
        close_driver();
    }
}

TEST_MAIN()
