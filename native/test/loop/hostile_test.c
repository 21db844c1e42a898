#include "loop/driver.h"

/*
 * Commands that Java would never write, made of random numbers, among peers that ask for everything: whatever they name
 * or point at, the loop goes on, and nothing is missing in the end.
 */

static struct driver driver;
static uint64_t seed;

static uint32_t below(uint32_t limit)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % limit;
}

static bool once_in(uint32_t count)
{
    return below(count) == 0;
}

#define IDS 12U

/* What events have named; the newest take the place of any. */
struct names {
    uint64_t ids[IDS], blocks[IDS];
    uint32_t id_count, block_count;
};

static void name(uint64_t *list, uint32_t *count, uint64_t value)
{
    list[*count < IDS ? *count : below(IDS)] = value;
    *count += *count < IDS;
}

static uint64_t any_of(const uint64_t *list, uint32_t count)
{
    if (count == 0 || once_in(30))
        return ((uint64_t)below(4) << 32) | below(40);
    return list[below(count)];
}

static void read_names(struct names *names, uint32_t there)
{
    for (uint32_t i = 0; i < there; i++, driver.head++) {
        const struct gn_event *event = &driver.events[driver.head & (driver.shared->loop.events_capacity - 1)];
        if (event->kind == GN_EVENT_HEAD) {
            name(names->ids, &names->id_count, event->subject);
            name(names->ids, &names->id_count, (uint64_t)event->value);
        }
        if (event->kind == GN_EVENT_DATA || event->kind == GN_EVENT_TRAILERS)
            name(names->blocks, &names->block_count, event->block);
    }
}

/* Staged fields, most of them well-formed, and bytes of any kind behind them. */
static void stage_anything(void)
{
    for (uint32_t i = 0; i < 4096; i++)
        driver.staging[i] = (uint8_t)(once_in(3) ? below(256) : 0);
    uint32_t at = 0;
    for (unsigned i = 0; i < 4; i++) {
        struct gn_staged_field field = {.token = (uint16_t)below(once_in(9) ? 500 : 20),
                                        .name_length = (uint16_t)below(9),
                                        .value_length = once_in(20) ? UINT32_MAX : below(9)};
        memcpy(driver.staging + at, &field, sizeof(field));
        at += (uint32_t)sizeof(field) + field.name_length + (field.value_length & 15);
    }
}

static struct gn_command any_command(const struct names *names)
{
    static const uint16_t statuses[] = {0, 100, 101, 103, 200, 200, 200, 204, 304, 404, 999, 1000};
    struct gn_command command = {.kind = (uint8_t)below(19),
                                 .flags = (uint8_t)(below(256) & below(256)),
                                 .status = statuses[below(12)],
                                 .length = once_in(2) ? 0 : below(once_in(9) ? UINT32_MAX : 40),
                                 .subject = any_of(names->ids, names->id_count),
                                 .value = once_in(2) ? -1 : (int64_t)below(3000) - 5};
    bool prepared = command.kind == GN_COMMAND_PREPARE || command.kind == GN_COMMAND_UNPREPARE;
    if (prepared || once_in(50))
        command.subject = gn_id(below(once_in(9) ? 1U << 24 : 40), below(4));
    if (command.kind == GN_COMMAND_CREDIT || command.kind == GN_COMMAND_FREE) {
        command.block = any_of(names->blocks, names->block_count);
    } else if (command.kind == GN_COMMAND_PREPARED) {
        command.block = gn_id(below(40), below(4));
    } else {
        command.offset = once_in(9) ? below(UINT32_MAX) : 0;
        command.body_length = once_in(2) ? 0 : below(once_in(9) ? UINT32_MAX : 9000);
    }
    if ((command.kind == GN_COMMAND_UNLISTEN || command.kind == GN_COMMAND_CLOSE || command.kind == GN_COMMAND_RESET ||
         command.kind == GN_COMMAND_RELEASE) &&
        !once_in(12)) // they end too much for others to be seen
        command.kind = GN_COMMAND_RESPOND;
    return command;
}

TEST(no_command_does_harm)
{
    uint64_t rejected = 0, responses = 0;
    for (uint64_t run = 1; run <= 60; run++) {
        seed = run * 15485863;
        driver_prepare(&driver);
        driver.shared->loop.events_capacity = 64;
        driver.shared->listener.connect = 1;
        driver.shared->listener.send_credit = 1 + below(9000);
        driver.late = once_in(2);
        driver_open(&driver);
        struct names names = {.id_count = 0};
        struct gn_io_memory_peer *peer = NULL;
        for (unsigned step = 0; step < 1500; step++) {
            static const char *texts[] = {GET,
                                          POST(5) "hello",
                                          POST_CHUNKED "3\r\nabc\r\n",
                                          "0\r\nx: y\r\n\r\n",
                                          GET GET,
                                          "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
                                          "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n",
                                          "HEAD / HTTP/1.0\r\n\r\n"};
            if (peer == NULL || gn_io_memory_saw_end(peer) || once_in(100)) {
                if (peer != NULL)
                    gn_io_memory_peer_free(peer);
                peer = gn_io_memory_connect(driver.io, driver.descriptor);
            }
            if (peer == NULL)
                break; // the listener is gone
            const char *text = texts[below(8)];
            if (once_in(2))
                gn_io_memory_write(peer, text, strlen(text));
            stage_anything();
            uint32_t count = below(4);
            for (uint32_t i = 0; i < count; i++)
                driver.commands[i] = any_command(&names);
            int64_t there = gn_loop_poll(driver.loop, count, driver.head, 0);
            REQUIRE(there >= 0);
            read_names(&names, (uint32_t)there);
        }
        rejected += driver.shared->counters.commands_rejected;
        responses += driver.shared->counters.responses;
        driver_abandon(&driver); // frees all that was lent, and asserts that nothing is missing
    }
    CHECK(rejected > 1000 && responses > 100);
}

TEST_MAIN()
