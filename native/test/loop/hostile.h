/*
 * Commands that Java would never write, among peers that ask for everything: whatever they name or point at, the loop
 * goes on, and nothing is missing in the end. The choices come from random numbers or from a fuzzer.
 */
#ifndef GN_TEST_LOOP_HOSTILE_H
#define GN_TEST_LOOP_HOSTILE_H

#include "loop/driver.h"

#define HOSTILE_NAMES 12U

struct hostile {
    struct driver *driver;
    uint32_t (*below)(uint32_t limit); /* where the choices come from: a number below `limit` */
    /* What events have named; the newest take the place of any. */
    uint64_t ids[HOSTILE_NAMES], blocks[HOSTILE_NAMES];
    uint32_t id_count, block_count;
};

static const char *const hostile_texts[] = {
    GET,
    POST(5) "hello",
    POST_CHUNKED "3\r\nabc\r\n",
    "0\r\nx: y\r\n\r\n",
    GET GET,
    "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
    "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n",
    "HEAD / HTTP/1.0\r\n\r\n",
};
#define HOSTILE_TEXTS 8

static inline bool hostile_once_in(const struct hostile *hostile, uint32_t count)
{
    return hostile->below(count) == 0;
}

static inline void hostile_name(const struct hostile *hostile, uint64_t *list, uint32_t *count, uint64_t value)
{
    list[*count < HOSTILE_NAMES ? *count : hostile->below(HOSTILE_NAMES)] = value;
    *count += *count < HOSTILE_NAMES;
}

static inline uint64_t hostile_any_of(const struct hostile *hostile, const uint64_t *list, uint32_t count)
{
    if (count == 0 || hostile_once_in(hostile, 30))
        return ((uint64_t)hostile->below(4) << 32) | hostile->below(40);
    return list[hostile->below(count)];
}

static inline void hostile_read(struct hostile *hostile, uint32_t there)
{
    struct driver *driver = hostile->driver;
    for (uint32_t i = 0; i < there; i++, driver->head++) {
        const struct gn_event *event = &driver->events[driver->head & (driver->shared->loop.events_capacity - 1)];
        if (event->kind == GN_EVENT_HEAD) {
            hostile_name(hostile, hostile->ids, &hostile->id_count, event->subject);
            hostile_name(hostile, hostile->ids, &hostile->id_count, (uint64_t)event->value);
        }
        if (event->kind == GN_EVENT_DATA || event->kind == GN_EVENT_TRAILERS)
            hostile_name(hostile, hostile->blocks, &hostile->block_count, event->block);
    }
}

/* Staged fields, most of them well-formed, and bytes of any kind behind them. */
static inline void hostile_stage(const struct hostile *hostile)
{
    struct driver *driver = hostile->driver;
    uint32_t octets = hostile->below(65536);
    for (uint32_t i = 0; i < 4096; i++) {
        octets = octets * 1664525 + 1013904223;
        driver->staging[i] = (uint8_t)(octets >> 30 == 0 ? octets >> 20 : 0);
    }
    uint32_t at = 0;
    for (unsigned i = 0; i < 4; i++) {
        struct gn_staged_field field = {.token = (uint16_t)hostile->below(hostile_once_in(hostile, 9) ? 500 : 20),
                                        .name_length = (uint16_t)hostile->below(9),
                                        .value_length = hostile_once_in(hostile, 20) ? UINT32_MAX : hostile->below(9)};
        memcpy(driver->staging + at, &field, sizeof(field));
        at += (uint32_t)sizeof(field) + field.name_length + (field.value_length & 15);
    }
}

static inline struct gn_command hostile_command(const struct hostile *hostile)
{
    static const uint16_t statuses[] = {0, 100, 101, 103, 200, 200, 200, 204, 304, 404, 999, 1000};
    struct gn_command command = {
        .kind = (uint8_t)hostile->below(19),
        .flags = (uint8_t)(hostile->below(256) & hostile->below(256)),
        .status = statuses[hostile->below(12)],
        .length = hostile_once_in(hostile, 2) ? 0 : hostile->below(hostile_once_in(hostile, 9) ? UINT32_MAX : 40),
        .subject = hostile_any_of(hostile, hostile->ids, hostile->id_count),
        .value = hostile_once_in(hostile, 2) ? -1 : (int64_t)hostile->below(3000) - 5};
    bool prepared = command.kind == GN_COMMAND_PREPARE || command.kind == GN_COMMAND_UNPREPARE;
    if (prepared || hostile_once_in(hostile, 50))
        command.subject = gn_id(hostile->below(hostile_once_in(hostile, 9) ? 1U << 24 : 40), hostile->below(4));
    if (command.kind == GN_COMMAND_CREDIT || command.kind == GN_COMMAND_FREE) {
        command.block = hostile_any_of(hostile, hostile->blocks, hostile->block_count);
    } else if (command.kind == GN_COMMAND_PREPARED) {
        command.block = gn_id(hostile->below(40), hostile->below(4));
    } else {
        command.offset = hostile_once_in(hostile, 9) ? hostile->below(UINT32_MAX) : 0;
        command.body_length =
            hostile_once_in(hostile, 2) ? 0 : hostile->below(hostile_once_in(hostile, 9) ? UINT32_MAX : 9000);
    }
    if ((command.kind == GN_COMMAND_UNLISTEN || command.kind == GN_COMMAND_CLOSE || command.kind == GN_COMMAND_RESET ||
         command.kind == GN_COMMAND_RELEASE) &&
        !hostile_once_in(hostile, 12)) // they end too much for others to be seen
        command.kind = GN_COMMAND_RESPOND;
    return command;
}

/* A poll with a few such commands, whose events are read. */
static inline void hostile_poll(struct hostile *hostile)
{
    struct driver *driver = hostile->driver;
    hostile_stage(hostile);
    uint32_t count = hostile->below(4);
    for (uint32_t i = 0; i < count; i++)
        driver->commands[i] = hostile_command(hostile);
    int64_t there = gn_loop_poll(driver->loop, count, driver->head, 0);
    REQUIRE(there >= 0);
    hostile_read(hostile, (uint32_t)there);
}

#endif
