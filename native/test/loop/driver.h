/*
 * Drives a loop over the network in memory as Java does: it lends the region and the slabs, reads events into a small
 * model, and writes commands. One thread plays Java, the loop, and the peers.
 *
 *     struct driver driver;
 *     driver_prepare(&driver);
 *     driver.shared->listener.pipeline = 4;        // settings, before driver_open
 *     driver_open(&driver);
 *     ...
 *     driver_close(&driver);                       // gives everything back and checks that nothing is missing
 *
 * Commands are queued by the driver_... functions of their names and handed over with the next driver_poll. Without
 * `hold_bodies`, the blocks of bodies and trailers are given back by themselves. What driver_read returns is valid until the next one.
 */
#ifndef GN_TEST_LOOP_DRIVER_H
#define GN_TEST_LOOP_DRIVER_H

#include "http/head_block.h"
#include "io/io_memory.h"
#include "loop/loop.h"
#include "test.h"

#define DRIVER_SLAB (1U << 20)
#define DRIVER_SLABS_MAX 64U
#define SECOND (1000ULL * 1000 * 1000)

/* What most tests send and expect. */
#define GET "GET / HTTP/1.1\r\nhost: h\r\n\r\n"
#define POST(length) "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: " #length "\r\n\r\n"
#define POST_CHUNKED "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
#define OK(length) "HTTP/1.1 200 OK\r\ncontent-length: " #length "\r\n\r\n"
#define OK_CLOSE(length) "HTTP/1.1 200 OK\r\ncontent-length: " #length "\r\nconnection: close\r\n\r\n"
#define OK_CHUNKED "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

/* A request as Java knows it. */
struct driver_exchange {
    uint64_t id, connection, head_block;
    uint16_t method;
    uint8_t version;
    uint16_t head_flags; /* GN_HEAD_* */
    uint16_t field_count;
    int64_t content_length;
    char target[64]; /* its beginning */
    uint8_t *body;
    size_t body_length, body_room;
    uint64_t *blocks; /* held, with their lengths */
    uint32_t *block_lengths;
    size_t block_count, block_room;
    char *trailers;          /* the fields that ended the body, as driver_fields; NULL: none */
    uint64_t trailers_block; /* held; 0: none, or it is back */
    uint64_t credits;        /* send credit given by CREDIT events */
    unsigned credit_events, data_events;
    bool queued; /* it begins with GN_QUEUED_SEND_CREDIT */
    bool ended;  /* END was seen */
    bool released;
    uint64_t release_poll; /* in which RELEASE was handed over */
    uint32_t release_tail; /* what the event ring held behind that poll may name it, what comes later may not */
    unsigned resets, sents;
    unsigned reset_reason, reset_status, sent_reason;
    uint64_t mark; /* the test's own */
};

struct driver {
    struct gn_loop *loop;
    struct gn_io *io;
    struct gn_shared *shared;
    struct gn_io_faults faults;
    uint8_t *slabs[DRIVER_SLABS_MAX]; /* by index - 1 */
    unsigned slab_count;              /* to lend at the beginning */
    size_t slab_bytes;
    struct gn_event *events;
    struct gn_command *commands;
    uint8_t *staging;
    uint32_t head; /* events read */
    uint32_t command_count, staging_used;
    uint32_t read_limit; /* events read in a poll at most; 0: all */
    bool hold_bodies;
    bool late;
    bool may_die; /* a poll may fail: `died` says how, and no other one may follow */
    int died;
    int descriptor;
    int64_t listener;

    struct driver_exchange **exchanges; /* in the order of their heads */
    size_t exchange_count, exchange_room;
    uint64_t polls;
    bool releasing;
    uint32_t unknown; /* events for an exchange that was released or never was */
    uint32_t crossed; /* events for an exchange that were not yet read when it was released */
    unsigned unlistened, refused, accept_failed, slabs_wanted, slabs_empty, closed;
    unsigned refused_reason, refused_status, closed_reason;
    uint64_t closed_subject;
    uint32_t accept_error;
    char *text; /* of the last read */
};

#define DRIVER_EVENTS_OFFSET 4096U

/* A program that wants smaller rings, or must prepare often, defines these before. */
#ifndef DRIVER_STAGING
#define DRIVER_STAGING (1U << 20)
#define DRIVER_COMMANDS 1024U
#define DRIVER_EVENTS 1024U
#define DRIVER_EVENTS_MAX 65536U
#endif

static inline void driver_credit(struct driver *driver, struct driver_exchange *exchange);
static inline void driver_free_trailers(struct driver *driver, struct driver_exchange *exchange);
static inline void driver_release(struct driver *driver, struct driver_exchange *exchange);

static inline struct gn_listener_settings driver_default_settings(void)
{
    return (struct gn_listener_settings){
        .head_bytes = 131072,
        .target_bytes = 65534,
        .fields = 100,
        .empty_lines = 8,
        .trailer_bytes = 16384,
        .extension_bytes = 16384,
        .pipeline = 32,
        .receive_credit = 65536,
        .send_credit = 65536,
        .discard_bytes = 65536,
        .linger_bytes = 1048576,
        .keep_alive = 1,
        .half_close = 1,
        .first_byte_timeout = 30 * SECOND,
        .head_timeout = 30 * SECOND,
        .idle_timeout = 75 * SECOND,
        .body_timeout = 30 * SECOND,
        .write_timeout = 30 * SECOND,
        .body_rate = 240,
        .write_rate = 240,
        .linger_timeout = 5 * SECOND,
        .tunnel_timeout = 600 * SECOND,
        .http_1 = 1,
        .http_2 = 1,
        .streams = 200,
        .stream_window = 1048576,
        .connection_window = 1048576,
        .frame_bytes = 16384,
        .field_list_bytes = 16384,
        .table_bytes = 4096,
        .stream_send_credit = 409600,
        .ping_timeout = 20 * SECOND,
        .resets = 1000,
        .provoked_resets = 500,
        .control_frames = 1000,
    };
}

static inline void driver_prepare(struct driver *driver)
{
    *driver = (struct driver){.slab_count = 2, .slab_bytes = DRIVER_SLAB, .listener = -1};
    size_t most = DRIVER_EVENTS_OFFSET + DRIVER_EVENTS_MAX * sizeof(struct gn_event) +
                  DRIVER_COMMANDS * sizeof(struct gn_command) + DRIVER_STAGING;
    driver->shared = aligned_alloc(128, most);
    REQUIRE(driver->shared != NULL);
    memset(driver->shared, 0, most);
    driver->shared->loop = (struct gn_loop_settings){
        .abi = GN_ABI,
        .size = most,
        .backend = GN_IO_MEMORY,
        .wake_descriptor = (uint64_t)-1,
        .events_offset = DRIVER_EVENTS_OFFSET,
        .events_capacity = DRIVER_EVENTS,
        .commands_capacity = DRIVER_COMMANDS,
        .staging_capacity = DRIVER_STAGING,
    };
    driver->shared->listener = driver_default_settings();
}

static inline uint8_t *driver_new_slab(size_t bytes)
{
    uint8_t *slab = aligned_alloc(65536, bytes);
    REQUIRE(slab != NULL);
    return slab;
}

static inline void driver_add_slab(struct driver *driver)
{
    uint8_t *slab = driver_new_slab(driver->slab_bytes);
    int index = gn_loop_add_slab(driver->loop, slab, driver->slab_bytes);
    REQUIRE(index > 0 && (unsigned)index <= DRIVER_SLABS_MAX && driver->slabs[index - 1] == NULL);
    driver->slabs[index - 1] = slab;
}

/* Places the rings and opens the loop: 0, or its negative errno. */
static inline int driver_open_loop(struct driver *driver)
{
    struct gn_loop_settings *settings = &driver->shared->loop;
    uint8_t *region = (uint8_t *)driver->shared;
    REQUIRE(settings->events_capacity <= DRIVER_EVENTS_MAX);
    settings->commands_offset = settings->events_offset + settings->events_capacity * sizeof(struct gn_event);
    settings->staging_offset = settings->commands_offset + settings->commands_capacity * sizeof(struct gn_command);
    driver->events = (struct gn_event *)(void *)(region + settings->events_offset);
    driver->commands = (struct gn_command *)(void *)(region + settings->commands_offset);
    driver->staging = region + settings->staging_offset;
    int error = gn_loop_open(&driver->loop, driver->shared, &driver->faults);
    driver->io = error == 0 ? driver->loop->context.io : NULL;
    return error;
}

static inline void driver_open(struct driver *driver)
{
    REQUIRE(driver_open_loop(driver) == 0);
    for (unsigned i = 0; i < driver->slab_count; i++)
        driver_add_slab(driver);
    gn_io_memory_late(driver->io, driver->late);
    driver->descriptor = gn_io_memory_descriptor(driver->io);
    driver->listener = gn_loop_listen(driver->loop, driver->descriptor);
    REQUIRE(driver->listener > 0);
}

/* ---- events ---- */

static inline struct driver_exchange *driver_find(struct driver *driver, uint64_t id)
{
    for (size_t i = driver->exchange_count; i-- > 0;) {
        if (driver->exchanges[i]->id == id)
            return driver->exchanges[i];
    }
    return NULL;
}

static inline const uint8_t *driver_block_bytes(const struct driver *driver, uint64_t block)
{
    uint32_t slab = (uint32_t)(block >> 32);
    REQUIRE(slab >= 1 && slab <= DRIVER_SLABS_MAX && driver->slabs[slab - 1] != NULL);
    REQUIRE((uint32_t)block < driver->slab_bytes);
    return driver->slabs[slab - 1] + (uint32_t)block;
}

static inline void driver_take_head(struct driver *driver, const struct gn_event *event)
{
    if (driver->exchange_count == driver->exchange_room) {
        driver->exchange_room = driver->exchange_room * 2 + 16;
        driver->exchanges = realloc(driver->exchanges, driver->exchange_room * sizeof(*driver->exchanges));
        REQUIRE(driver->exchanges != NULL);
    }
    CHECK(driver_find(driver, event->subject) == NULL);
    struct driver_exchange *exchange = calloc(1, sizeof(*exchange));
    REQUIRE(exchange != NULL);
    driver->exchanges[driver->exchange_count] = exchange;
    driver->exchange_count++;
    exchange->id = event->subject;
    exchange->connection = (uint64_t)event->value;
    exchange->head_block = event->block;
    exchange->ended = event->flags & GN_FLAG_END;
    const uint8_t *bytes = driver_block_bytes(driver, event->block);
    struct gn_head_block head;
    memcpy(&head, bytes, sizeof(head));
    exchange->queued = event->flags & GN_FLAG_QUEUED;
    exchange->method = head.method;
    exchange->version = head.version;
    exchange->head_flags = head.flags;
    exchange->field_count = head.field_count;
    exchange->content_length = head.content_length;
    CHECK((uint64_t)head.target_offset + head.target_length <= event->length);
    driver_block_bytes(driver, head.info);
    size_t length =
        head.target_length < sizeof(exchange->target) - 1 ? head.target_length : sizeof(exchange->target) - 1;
    memcpy(exchange->target, bytes + head.target_offset, length);
}

static inline void driver_take_data(struct driver *driver, struct driver_exchange *exchange,
                                    const struct gn_event *event)
{
    CHECK(!exchange->ended);
    exchange->data_events++;
    if (event->block != 0) {
        CHECK(event->length > 0);
        if (exchange->body_length + event->length > exchange->body_room) {
            exchange->body_room = exchange->body_length + event->length + exchange->body_room;
            exchange->body = realloc(exchange->body, exchange->body_room);
            REQUIRE(exchange->body != NULL);
        }
        memcpy(exchange->body + exchange->body_length, driver_block_bytes(driver, event->block), event->length);
        exchange->body_length += event->length;
        if (exchange->block_count == exchange->block_room) {
            exchange->block_room = exchange->block_room * 2 + 8;
            exchange->blocks = realloc(exchange->blocks, exchange->block_room * sizeof(*exchange->blocks));
            exchange->block_lengths = realloc(exchange->block_lengths, exchange->block_room * sizeof(uint32_t));
            REQUIRE(exchange->blocks != NULL && exchange->block_lengths != NULL);
        }
        exchange->blocks[exchange->block_count] = event->block;
        exchange->block_lengths[exchange->block_count++] = event->length;
    }
    exchange->ended = event->flags & GN_FLAG_END;
}

/* The fields of a head block as Java reads them, each on a line of its own. To be freed. */
static inline char *driver_fields(const struct driver *driver, uint64_t block)
{
    const uint8_t *bytes = driver_block_bytes(driver, block);
    struct gn_head_block head;
    memcpy(&head, bytes, sizeof(head));
    char *text = calloc(1, 1);
    size_t length = 0;
    for (unsigned i = 0; i < head.field_count; i++) {
        struct gn_head_field field;
        memcpy(&field, bytes + sizeof(head) + i * sizeof(field), sizeof(field));
        CHECK_EQ(field.token, gn_field_name_lookup(bytes + field.name_offset, field.name_length));
        text = realloc(text, length + field.name_length + field.value_length + 4);
        REQUIRE(text != NULL);
        length += (size_t)sprintf(text + length, "%.*s: %.*s\n", (int)field.name_length,
                                  (const char *)bytes + field.name_offset, (int)field.value_length,
                                  (const char *)bytes + field.value_offset);
    }
    return text;
}

static inline void driver_take_trailers(struct driver *driver, struct driver_exchange *exchange,
                                        const struct gn_event *event)
{
    struct gn_head_block head;
    memcpy(&head, driver_block_bytes(driver, event->block), sizeof(head));
    CHECK(!exchange->ended && exchange->trailers == NULL);
    CHECK(head.field_count > 0);
    CHECK(head.method == 0 && head.version == 0 && head.flags == 0 && head.target_length == 0 && head.info == 0);
    CHECK(event->length > sizeof(head) + head.field_count * sizeof(struct gn_head_field));
    free(exchange->trailers);
    exchange->trailers = driver_fields(driver, event->block);
    exchange->trailers_block = event->block;
    exchange->ended = true;
}

static inline void driver_take_exchange_event(struct driver *driver, const struct gn_event *event)
{
    struct driver_exchange *exchange = driver_find(driver, event->subject);
    if (exchange == NULL || (exchange->released && (int32_t)(driver->head - exchange->release_tail) >= 0)) {
        driver->unknown++;
        return;
    }
    driver->crossed += exchange->released;
    switch (event->kind) {
    case GN_EVENT_DATA:
        CHECK_EQ(exchange->resets, 0);
        driver_take_data(driver, exchange, event);
        break;
    case GN_EVENT_TRAILERS:
        CHECK_EQ(exchange->resets, 0);
        driver_take_trailers(driver, exchange, event);
        break;
    case GN_EVENT_CREDIT:
        CHECK(event->value > 0);
        exchange->credits += (uint64_t)event->value;
        exchange->credit_events++;
        break;
    case GN_EVENT_RESET:
        exchange->resets++;
        exchange->reset_reason = event->reason;
        exchange->reset_status = (unsigned)event->value;
        break;
    default:
        exchange->sents++;
        exchange->sent_reason = event->reason;
        break;
    }
}

static inline void driver_take_event(struct driver *driver, const struct gn_event *event)
{
    switch (event->kind) {
    case GN_EVENT_HEAD:
        driver_take_head(driver, event);
        break;
    case GN_EVENT_DATA:
    case GN_EVENT_TRAILERS:
    case GN_EVENT_CREDIT:
    case GN_EVENT_RESET:
    case GN_EVENT_SENT:
        driver_take_exchange_event(driver, event);
        break;
    case GN_EVENT_CLOSED:
        driver->closed++;
        driver->closed_reason = event->reason;
        driver->closed_subject = event->subject;
        break;
    case GN_EVENT_UNLISTENED:
        if (driver->listener > 0)
            CHECK_EQ(event->subject, driver->listener);
        driver->unlistened++;
        break;
    case GN_EVENT_REFUSED:
        driver->refused++;
        driver->refused_reason = event->reason;
        driver->refused_status = (unsigned)event->value;
        break;
    case GN_EVENT_ACCEPT_FAILED:
        driver->accept_failed++;
        driver->accept_error = event->length;
        break;
    case GN_EVENT_SLAB_WANTED:
        driver->slabs_wanted++;
        break;
    case GN_EVENT_SLAB_EMPTY:
        driver->slabs_empty++;
        REQUIRE(event->value >= 1 && event->value <= DRIVER_SLABS_MAX && driver->slabs[event->value - 1] != NULL);
        free(driver->slabs[event->value - 1]);
        driver->slabs[event->value - 1] = NULL;
        break;
    default:
        CHECK_EQ(event->kind, 0);
        break;
    }
}

static inline uint32_t driver_hand_over(struct driver *driver, uint64_t wait)
{
    uint32_t count = driver->command_count;
    driver->polls++;
    driver->command_count = driver->staging_used = 0;
    int64_t there = gn_loop_poll(driver->loop, count, driver->head, wait);
    memset(driver->commands, 0xa5, driver->shared->loop.commands_capacity * sizeof(struct gn_command));
    if (driver->may_die && there < 0) {
        driver->died = (int)there;
        return 0;
    }
    REQUIRE(there >= 0 && there <= (int64_t)driver->shared->loop.events_capacity);
    for (size_t i = 0; driver->releasing && i < driver->exchange_count; i++) {
        if (driver->exchanges[i]->release_poll == driver->polls)
            driver->exchanges[i]->release_tail = driver->head + (uint32_t)there;
    }
    driver->releasing = false;
    uint32_t read = (uint32_t)there;
    if (driver->read_limit != 0 && read > driver->read_limit)
        read = driver->read_limit;
    for (uint32_t i = 0; i < read; i++, driver->head++) {
        struct gn_event event = driver->events[driver->head & (driver->shared->loop.events_capacity - 1)];
        driver_take_event(driver, &event);
    }
    return read;
}

static inline void driver_give_back_bodies(struct driver *driver)
{
    for (size_t i = 0; i < driver->exchange_count; i++) {
        struct driver_exchange *exchange = driver->exchanges[i];
        driver_free_trailers(driver, exchange);
        while (!exchange->released && exchange->block_count > 0)
            driver_credit(driver, exchange);
    }
}

/* One poll with the commands so far, and its events. `wait` in nanoseconds. Returns how many events were read. */
static inline uint32_t driver_poll_wait(struct driver *driver, uint64_t wait)
{
    if (!driver->hold_bodies)
        driver_give_back_bodies(driver);
    return driver_hand_over(driver, wait);
}

static inline uint32_t driver_poll(struct driver *driver)
{
    return driver_poll_wait(driver, 0);
}

/* Polls until nothing happens any more. */
static inline void driver_settle(struct driver *driver)
{
    const struct gn_counters *counters = &driver->shared->counters;
    unsigned quiet = 0, polls = 0;
    while (quiet < 6) {
        REQUIRE(++polls < 1000000);
        uint64_t before = counters->bytes_received + counters->bytes_sent + counters->connections_accepted;
        uint32_t commands = driver->command_count;
        uint32_t events = driver_poll(driver);
        uint64_t after = counters->bytes_received + counters->bytes_sent + counters->connections_accepted;
        quiet = events + commands + driver->command_count + (after - before) == 0 ? quiet + 1 : 0;
    }
}

/* Moves the clock and polls until nothing happens any more. */
static inline void driver_advance(struct driver *driver, uint64_t nanoseconds)
{
    gn_io_memory_advance(driver->io, nanoseconds);
    driver_settle(driver);
}

/* ---- the end ---- */

static inline void driver_free(struct driver *driver)
{
    gn_loop_free(driver->loop);
    for (unsigned i = 0; i < DRIVER_SLABS_MAX; i++)
        free(driver->slabs[i]);
    for (size_t i = 0; i < driver->exchange_count; i++) {
        free(driver->exchanges[i]->body);
        free(driver->exchanges[i]->trailers);
        free(driver->exchanges[i]->blocks);
        free(driver->exchanges[i]->block_lengths);
        free(driver->exchanges[i]);
    }
    free(driver->exchanges);
    free(driver->text);
    free(driver->shared);
}

/* The same for a loop that is to be stopped with everything still in flight. */
static inline void driver_abandon(struct driver *driver)
{
    CHECK_EQ(gn_loop_stop(driver->loop, SECOND), 0);
    driver_free(driver);
}

/* Releases every exchange that is left. */
static inline void driver_release_all(struct driver *driver)
{
    for (size_t i = 0; i < driver->exchange_count; i++) {
        struct driver_exchange *exchange = driver->exchanges[i];
        driver_free_trailers(driver, exchange);
        if (exchange->released)
            continue;
        while (exchange->block_count > 0)
            driver_credit(driver, exchange);
        driver_release(driver, exchange);
    }
}

/* Releases what is held, stops and frees the loop; all that was lent must be back. */
static inline void driver_close(struct driver *driver)
{
    const struct gn_counters *counters = &driver->shared->counters;
    driver->faults = (struct gn_io_faults){0};
    driver->loop->context.memory.fail_from = 0;
    driver->read_limit = 0;
    driver_settle(driver);
    driver_release_all(driver);
    driver_settle(driver);
    CHECK_EQ(driver->unknown, 0);
    CHECK_EQ(counters->commands_rejected, 0);
    CHECK_EQ(counters->exchanges_abandoned, 0);
    CHECK_EQ(gn_loop_stop(driver->loop, SECOND), 0);
    CHECK_EQ(counters->connections_open, 0);
    CHECK_EQ(counters->exchanges_open, 0);
    CHECK_EQ(counters->blocks_lent, 0);
    CHECK_EQ(driver->loop->context.arena.lent_blocks, 0);
    for (unsigned use = 0; use < GN_ARENA_USE_COUNT; use++)
        CHECK_EQ(driver->loop->context.arena.used[use], 0);
    CHECK_EQ(driver->loop->context.connections.used, 0);
    CHECK_EQ(driver->loop->context.exchanges.used, 0);
    CHECK_EQ(driver->loop->context.wheel.count, 0);
    driver_free(driver);
}

/* ---- peers ---- */

static inline struct gn_io_memory_peer *driver_connect(struct driver *driver)
{
    struct gn_io_memory_peer *peer = gn_io_memory_connect(driver->io, driver->descriptor);
    REQUIRE(peer != NULL);
    return peer;
}

static inline void driver_write_bytes(struct driver *driver, struct gn_io_memory_peer *peer, const void *bytes,
                                      size_t length)
{
    const uint8_t *from = bytes;
    for (unsigned polls = 0; length > 0;) {
        size_t written = gn_io_memory_write(peer, from, length);
        from += written;
        length -= written;
        if (length > 0) {
            REQUIRE(++polls < 100000);
            driver_poll(driver);
        }
    }
}

/* Writes all of the text, polling while there is no room. */
static inline void driver_write(struct driver *driver, struct gn_io_memory_peer *peer, const char *text)
{
    driver_write_bytes(driver, peer, text, strlen(text));
}

/* Opens what was prepared, and lets a peer write `text`. */
static inline struct gn_io_memory_peer *driver_begin(struct driver *driver, const char *text)
{
    driver_open(driver);
    struct gn_io_memory_peer *peer = driver_connect(driver);
    driver_write(driver, peer, text);
    driver_settle(driver);
    return peer;
}

/* The same with the default settings. */
static inline struct gn_io_memory_peer *driver_start_with(struct driver *driver, const char *text)
{
    driver_prepare(driver);
    return driver_begin(driver, text);
}

/* Takes what was sent so far. */
static inline const char *driver_read(struct driver *driver, struct gn_io_memory_peer *peer, size_t *length)
{
    size_t there = gn_io_memory_sent(peer, NULL);
    driver->text = realloc(driver->text, there + 1);
    REQUIRE(driver->text != NULL);
    gn_io_memory_read(peer, driver->text, there);
    driver->text[there] = '\0';
    if (length != NULL)
        *length = there;
    return driver->text;
}

/* ---- commands ---- */

static inline struct driver_exchange *driver_exchange(struct driver *driver, size_t number)
{
    REQUIRE(number < driver->exchange_count);
    return driver->exchanges[number];
}

static inline struct gn_connection *driver_connection(struct driver *driver, const struct driver_exchange *exchange)
{
    return gn_connection_find(&driver->loop->context, exchange->connection);
}

static inline void driver_command(struct driver *driver, struct gn_command command)
{
    if (driver->command_count == driver->shared->loop.commands_capacity)
        driver_hand_over(driver, 0);
    driver->commands[driver->command_count++] = command;
}

/* Places bytes in staging; their offset. */
static inline uint32_t driver_stage(struct driver *driver, const void *bytes, size_t length)
{
    REQUIRE(length <= driver->shared->loop.staging_capacity);
    // A poll forgets what is staged, so there must be room for the command, too.
    if (driver->command_count == driver->shared->loop.commands_capacity ||
        driver->shared->loop.staging_capacity - driver->staging_used < length)
        driver_hand_over(driver, 0);
    uint32_t offset = driver->staging_used;
    if (length > 0)
        memcpy(driver->staging + offset, bytes, length);
    driver->staging_used += (uint32_t)length;
    return offset;
}

/* A response head, and `body_length` bytes of body; `length` as in the record: -1: not known. */
static inline void driver_respond(struct driver *driver, struct driver_exchange *exchange, uint16_t status,
                                  uint8_t flags, int64_t length, const void *body, size_t body_length)
{
    uint32_t offset = driver_stage(driver, body, body_length);
    driver_command(driver, (struct gn_command){.kind = GN_COMMAND_RESPOND,
                                               .flags = flags,
                                               .status = status,
                                               .subject = exchange->id,
                                               .offset = offset,
                                               .body_length = (uint32_t)body_length,
                                               .value = length});
}

static inline void driver_data(struct driver *driver, struct driver_exchange *exchange, uint8_t flags, const void *body,
                               size_t length)
{
    uint32_t offset = driver_stage(driver, body, length);
    driver_command(driver, (struct gn_command){.kind = GN_COMMAND_DATA,
                                               .flags = flags,
                                               .subject = exchange->id,
                                               .offset = offset,
                                               .body_length = (uint32_t)length});
}

/* Staged fields in the making. */
struct driver_staged {
    uint8_t bytes[4096];
    uint32_t length;
};

/* Adds an entry. An empty name with a token: the canonical one. */
static inline void driver_field(struct driver_staged *staged, unsigned token, const char *name, const char *value)
{
    struct gn_staged_field field = {
        .token = (uint16_t)token, .name_length = (uint16_t)strlen(name), .value_length = (uint32_t)strlen(value)};
    REQUIRE(sizeof(field) + strlen(name) + strlen(value) <= sizeof(staged->bytes) - staged->length);
    memcpy(staged->bytes + staged->length, &field, sizeof(field));
    memcpy(staged->bytes + staged->length + sizeof(field), name, strlen(name));
    memcpy(staged->bytes + staged->length + sizeof(field) + strlen(name), value, strlen(value));
    staged->length += (uint32_t)(sizeof(field) + strlen(name) + strlen(value));
}

/* A command with staged fields, a body behind them (for RESPOND), and the rest as in `command`. */
static inline void driver_say(struct driver *driver, struct driver_exchange *exchange, struct gn_command command,
                              const struct driver_staged *staged, const char *body)
{
    uint8_t bytes[sizeof(staged->bytes) + 4096];
    size_t length = strlen(body);
    REQUIRE(length <= 4096);
    memcpy(bytes, staged->bytes, staged->length);
    memcpy(bytes + staged->length, body, length);
    command.subject = exchange->id;
    command.offset = driver_stage(driver, bytes, staged->length + length);
    command.length = staged->length;
    command.body_length = (uint32_t)length;
    driver_command(driver, command);
}

static inline void driver_interim(struct driver *driver, struct driver_exchange *exchange, uint16_t status,
                                  const struct driver_staged *staged)
{
    driver_say(driver, exchange, (struct gn_command){.kind = GN_COMMAND_INTERIM, .status = status}, staged, "");
}

static inline void driver_trailers(struct driver *driver, struct driver_exchange *exchange,
                                   const struct driver_staged *staged)
{
    driver_say(driver, exchange, (struct gn_command){.kind = GN_COMMAND_TRAILERS}, staged, "");
}

/* The next poll hands its release over. */
static inline void driver_note_release(struct driver *driver, struct driver_exchange *exchange)
{
    exchange->released = true;
    exchange->release_poll = driver->polls + 1;
    driver->releasing = true;
}

static inline void driver_release(struct driver *driver, struct driver_exchange *exchange)
{
    while (exchange->block_count > 0)
        driver_credit(driver, exchange);
    if (driver->command_count == driver->shared->loop.commands_capacity)
        driver_hand_over(driver, 0);
    driver_note_release(driver, exchange);
    driver_command(driver, (struct gn_command){.kind = GN_COMMAND_RELEASE, .subject = exchange->id});
}

static inline void driver_reset(struct driver *driver, struct driver_exchange *exchange)
{
    driver_command(driver, (struct gn_command){.kind = GN_COMMAND_RESET, .subject = exchange->id});
}

/* Gives one held body block back. */
static inline void driver_credit(struct driver *driver, struct driver_exchange *exchange)
{
    REQUIRE(exchange->block_count > 0);
    exchange->block_count--;
    driver_command(driver, (struct gn_command){.kind = GN_COMMAND_CREDIT,
                                               .subject = exchange->id,
                                               .block = exchange->blocks[exchange->block_count],
                                               .value = exchange->block_lengths[exchange->block_count]});
}

/* Gives the block of a TRAILERS event back, if one is held. */
static inline void driver_free_trailers(struct driver *driver, struct driver_exchange *exchange)
{
    if (exchange->trailers_block != 0)
        driver_command(driver, (struct gn_command){.kind = GN_COMMAND_FREE, .block = exchange->trailers_block});
    exchange->trailers_block = 0;
}

/* Credit without a block. */
static inline void driver_ask(struct driver *driver, struct driver_exchange *exchange, uint64_t bytes)
{
    driver_command(driver,
                   (struct gn_command){.kind = GN_COMMAND_CREDIT, .subject = exchange->id, .value = (int64_t)bytes});
}

/* A complete 200 response with `body`, which releases as well. */
static inline void driver_answer(struct driver *driver, struct driver_exchange *exchange, const char *body)
{
    while (exchange->block_count > 0)
        driver_credit(driver, exchange);
    driver_respond(driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, body, strlen(body));
    driver_note_release(driver, exchange);
}

/* Gives back the blocks of events that crossed a release. */
static inline void driver_give_back_crossed(struct driver *driver)
{
    for (size_t i = 0; i < driver->exchange_count; i++) {
        struct driver_exchange *exchange = driver->exchanges[i];
        while (exchange->released && exchange->block_count > 0) {
            exchange->block_count--;
            driver_command(
                driver, (struct gn_command){.kind = GN_COMMAND_FREE, .block = exchange->blocks[exchange->block_count]});
        }
    }
}

/* The last record of a response: `command`, with what it stages, and RELEASE as a flag of it. */
static inline void driver_say_last(struct driver *driver, struct driver_exchange *exchange, bool release,
                                   struct gn_command command, const struct driver_staged *staged, const void *body,
                                   size_t length)
{
    while (release && exchange->block_count > 0)
        driver_credit(driver, exchange);
    command.flags |= release ? GN_FLAG_RELEASE : 0;
    command.subject = exchange->id;
    if (command.kind != GN_COMMAND_PREPARED) {
        char *bytes = malloc(staged->length + length + 1);
        REQUIRE(bytes != NULL);
        memcpy(bytes, staged->bytes, staged->length);
        if (length > 0)
            memcpy(bytes + staged->length, body, length);
        command.offset = driver_stage(driver, bytes, staged->length + length);
        command.length = staged->length;
        command.body_length = (uint32_t)length;
        free(bytes);
    }
    driver_command(driver, command);
    if (release)
        driver_note_release(driver, exchange);
}

/* The response that makes a tunnel of the exchange, 101 with an upgrade field or 2xx without, and its first bytes. */
static inline void driver_open_tunnel(struct driver *driver, struct driver_exchange *exchange, uint16_t status,
                                      const char *bytes)
{
    struct driver_staged staged = {0};
    if (status == 101)
        driver_field(&staged, GN_FIELD_UPGRADE, "", "echo");
    exchange->ended = false; // what the peer sends now is no body, and ends by its FIN
    driver_say(driver, exchange, (struct gn_command){.kind = GN_COMMAND_RESPOND, .status = status, .value = -1},
               &staged, bytes);
}

/* Keeps a response under `id`; `command` may say a status (else 200), flags and a value. */
static inline void driver_keep(struct driver *driver, uint64_t id, struct gn_command command,
                               const struct driver_staged *staged, const void *body, size_t length)
{
    static uint8_t bytes[1U << 20];
    REQUIRE(staged->length + length <= sizeof(bytes));
    memcpy(bytes, staged->bytes, staged->length);
    memcpy(bytes + staged->length, body, length);
    command.kind = GN_COMMAND_PREPARE;
    command.status = command.status == 0 ? 200 : command.status;
    command.subject = id;
    command.offset = driver_stage(driver, bytes, staged->length + length);
    command.length = staged->length;
    command.body_length = (uint32_t)length;
    driver_command(driver, command);
}

static inline void driver_send_kept(struct driver *driver, struct driver_exchange *exchange, uint8_t flags, uint64_t id)
{
    driver_command(
        driver, (struct gn_command){.kind = GN_COMMAND_PREPARED, .flags = flags, .subject = exchange->id, .block = id});
    if (flags & GN_FLAG_RELEASE)
        driver_note_release(driver, exchange);
}

static inline void driver_forget(struct driver *driver, uint64_t id)
{
    driver_command(driver, (struct gn_command){.kind = GN_COMMAND_UNPREPARE, .subject = id});
}

static inline void driver_unlisten(struct driver *driver, uint8_t flags)
{
    driver_command(driver, (struct gn_command){
                               .kind = GN_COMMAND_UNLISTEN, .flags = flags, .subject = (uint64_t)driver->listener});
}

/* What the peer can read now is exactly `text`. */
#define CHECK_READ(driver, peer, text)                                                                                 \
    do {                                                                                                               \
        size_t read_length_;                                                                                           \
        const char *read_ = driver_read((driver), (peer), &read_length_);                                              \
        CHECK_BYTES(read_, read_length_, text);                                                                        \
    } while (0)

#endif
