#include "loop/loop.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "h2/frame.h"
#include "h2/hpack_table.h"
#include "io/backend.h"
#include "io/io_memory.h"

#define SLOTS_MAX (1U << GN_ID_SLOT_BITS)
#define LISTENERS_MAX (1U << 16) /* a HEAD event names its listener by a slot of 16 bits */
#define TURN_BYTES 65536U

/* Least sizes that Java may give. */
#define RECORDS_MIN 64U
#define STAGING_MIN 65536U

/* ---- what the io reports ---- */

static void update_clock(struct gn_context *context)
{
    context->now = context->io->operations->now(context->io);
    struct timespec wall;
    if (clock_gettime(CLOCK_REALTIME_COARSE, &wall) == 0)
        gn_date_update(&context->date, wall.tv_sec);
}

/* The time of the turn, read at the first thing that happens in it: the wait before may have been long. */
static void wake_up(void *owner)
{
    struct gn_loop *loop = owner;
    if (loop->asleep) {
        loop->asleep = false;
        update_clock(&loop->context);
    }
}

static void accepted(void *owner, struct gn_io_socket *socket, int result)
{
    wake_up(owner);
    gn_listener_accepted(gn_list_owner(socket, struct gn_listener, socket), result);
}

static void received(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length)
{
    wake_up(owner);
    gn_connection_received(gn_list_owner(socket, struct gn_connection, socket), bytes, length);
}

static void sent(void *owner, struct gn_io_socket *socket, ssize_t result)
{
    wake_up(owner);
    gn_connection_sent(gn_list_owner(socket, struct gn_connection, socket), result);
}

static void closed(void *owner, struct gn_io_socket *socket)
{
    wake_up(owner);
    if (socket->listener)
        gn_listener_closed(gn_list_owner(socket, struct gn_listener, socket));
    else
        gn_connection_closed(gn_list_owner(socket, struct gn_connection, socket));
}

static const struct gn_io_handler io_handler = {
    .accepted = accepted, .received = received, .sent = sent, .closed = closed};

/* ---- opening ---- */

static bool lies_within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset % 64 == 0 && offset >= sizeof(struct gn_shared) && length <= size && offset <= size - length;
}

static bool settings_make_sense(const struct gn_loop_settings *settings)
{
    uint64_t events = settings->events_capacity, commands = settings->commands_capacity, size = settings->size;
    if (settings->abi != GN_ABI || size > UINT32_MAX || settings->backend > GN_IO_MEMORY)
        return false;
    if (events < RECORDS_MIN || events > size || (events & (events - 1)) != 0)
        return false;
    if (commands < RECORDS_MIN || commands > size || settings->staging_capacity < STAGING_MIN)
        return false;
    return lies_within(settings->events_offset, events * sizeof(struct gn_event), size) &&
           lies_within(settings->commands_offset, commands * sizeof(struct gn_command), size) &&
           lies_within(settings->staging_offset, settings->staging_capacity, size);
}

static void set_up_context(struct gn_loop *loop, const struct gn_loop_settings *settings)
{
    struct gn_context *context = &loop->context;
    context->ring.events = (struct gn_event *)(void *)(loop->base + settings->events_offset);
    context->ring.capacity = (uint32_t)settings->events_capacity;
    context->counters = &loop->shared->counters;
    context->spare_limit = settings->memory != 0 && settings->memory < GN_SPARE_MAX ? settings->memory : GN_SPARE_MAX;
    loop->relief_at = GN_TIMER_NEVER;
    context->turn_bytes = settings->turn_bytes == 0 ? TURN_BYTES : settings->turn_bytes;
    gn_slots_start(&context->connections, &context->memory, SLOTS_MAX);
    gn_slots_start(&context->exchanges, &context->memory, SLOTS_MAX);
    gn_slots_start(&loop->listeners, &context->memory, LISTENERS_MAX);
    gn_list_start(&context->dirty);
    gn_list_start(&context->ready);
    gn_list_start(&context->starved);
    gn_list_start(&context->owed);
    gn_list_start(&context->closed);
    gn_list_start(&context->lost);
    gn_list_start(&context->infos);
    gn_list_start(&context->segments);
    gn_list_start(&context->exchange_pool);
    gn_list_start(&loop->listener_list);
    loop->staging = loop->base + settings->staging_offset;
    loop->staging_capacity = settings->staging_capacity;
    loop->commands = (const struct gn_command *)(const void *)(loop->base + settings->commands_offset);
    loop->commands_capacity = (uint32_t)settings->commands_capacity;
}

static int open_io(struct gn_loop *loop, const struct gn_loop_settings *settings, struct gn_io_faults *faults)
{
    struct gn_io_config config = {
        .memory = &loop->context.memory,
        .faults = faults,
        .receive_buffers = (uint32_t)settings->receive_buffers,
        .receive_buffer_bytes = (uint32_t)settings->receive_buffer_bytes,
        .wake_descriptor = (int)settings->wake_descriptor,
    };
    enum gn_io_backend taken = GN_IO_AUTO;
    char reason[GN_BACKEND_REASON_BYTES] = "";
    int error = gn_backend_open((enum gn_io_backend)settings->backend, &loop->context.io, &config, &io_handler, loop,
                                &taken, reason);
    snprintf(loop->shared->text, sizeof(loop->shared->text), "%s", reason);
    loop->shared->loop.backend_taken = taken;
    return error;
}

/* A class of use may not take everything: in and out each leave 3/8 to the others and, with the eighth that only heads may
   take, at least 1/4 to each other; heads leave 1/4 to bodies. */
static struct gn_arena_config arena_config(const struct gn_loop_settings *settings)
{
    uint64_t memory = settings->memory;
    return (struct gn_arena_config){
        .limit = memory,
        .reserve = settings->reserve,
        .low_water = settings->low_water,
        .quota = {[GN_ARENA_HEAD] = memory / 4 * 3,
                  [GN_ARENA_BODY_IN] = memory / 8 * 5,
                  [GN_ARENA_BODY_OUT] = memory / 8 * 5,
                  [GN_ARENA_PROGRESS] = GN_ARENA_PAGE},
    };
}

int gn_loop_open(struct gn_loop **result, struct gn_shared *shared, struct gn_io_faults *faults)
{
    // A copy: what was checked is what is used, whatever becomes of the shared memory.
    const struct gn_loop_settings settings = shared->loop;
    struct gn_memory memory = {0};
    *result = NULL;
    if (!settings_make_sense(&settings)) {
        snprintf(shared->text, sizeof(shared->text), "settings that make no sense");
        return -EINVAL;
    }
    struct gn_loop *loop = gn_memory_allocate(&memory, sizeof(*loop));
    if (loop == NULL)
        return -ENOMEM;
    loop->context.memory = memory;
    loop->shared = shared;
    loop->base = (uint8_t *)shared;
    set_up_context(loop, &settings);
    struct gn_arena_config arena = arena_config(&settings);
    int error = gn_arena_open(&loop->context.arena, &loop->context.memory, &arena);
    if (error != 0)
        goto free_loop;
    error = open_io(loop, &settings, faults);
    if (error != 0)
        goto close_arena;
    update_clock(&loop->context);
    gn_timer_wheel_start(&loop->context.wheel, loop->context.now);
    *result = loop;
    return 0;

close_arena:
    gn_arena_close(&loop->context.arena);
free_loop:
    memory = loop->context.memory;
    gn_memory_free(&memory, loop, sizeof(*loop));
    return error;
}

int gn_loop_add_slab(struct gn_loop *loop, uint8_t *bytes, size_t size)
{
    int index = gn_arena_add(&loop->context.arena, bytes, size);
    if (index > 0)
        loop->slab_wanted = false;
    return index;
}

static bool http_2_settings_make_sense(const struct gn_listener_settings *settings)
{
    return (settings->http_1 != 0 || settings->http_2 != 0) && settings->streams >= 1 &&
           settings->streams <= UINT32_MAX / 2 && settings->stream_window <= GN_H2_WINDOW_MAX &&
           settings->connection_window >= GN_H2_WINDOW_DEFAULT && settings->connection_window <= GN_H2_WINDOW_MAX &&
           settings->frame_bytes >= GN_H2_FRAME_SIZE_MIN && settings->frame_bytes <= GN_BUFFER_MAX / 2 &&
           settings->field_list_bytes >= 1 && settings->field_list_bytes <= GN_BUFFER_MAX / 4 &&
           settings->table_bytes <= GN_HPACK_TABLE_MAX && settings->stream_send_credit >= 1 && settings->resets >= 1 &&
           settings->provoked_resets >= 1 && settings->control_frames >= 1;
}

static bool listener_settings_make_sense(const struct gn_listener_settings *settings)
{
    return settings->head_bytes >= 1 && settings->head_bytes <= GN_BUFFER_MAX / 2 && settings->target_bytes >= 1 &&
           settings->target_bytes <= UINT32_MAX && settings->fields >= 1 && settings->fields <= GN_H1_FIELDS_MAX &&
           settings->empty_lines <= UINT32_MAX && settings->trailer_bytes >= sizeof("\r\n") - 1 &&
           settings->trailer_bytes <= GN_BUFFER_MAX / 2 && settings->extension_bytes <= UINT32_MAX &&
           settings->body_rate <= UINT32_MAX && settings->write_rate <= UINT32_MAX && settings->pipeline >= 1 &&
           settings->receive_credit >= 1 && settings->send_credit >= 1 && http_2_settings_make_sense(settings);
}

int64_t gn_loop_listen(struct gn_loop *loop, int descriptor)
{
    const struct gn_listener_settings settings = loop->shared->listener; // what is checked is what is used
    if (!listener_settings_make_sense(&settings)) {
        close(descriptor);
        return -EINVAL;
    }
    struct gn_listener *listener;
    int error = gn_listener_open(&loop->context, &loop->listeners, &settings, descriptor, &listener);
    if (listener != NULL)
        gn_list_append(&loop->listener_list, &listener->listed);
    return error != 0 ? error : (int64_t)gn_listener_id(listener);
}

int gn_loop_adopt(struct gn_loop *loop, uint64_t id, int descriptor)
{
    struct gn_listener *listener = NULL;
    if (gn_id_role(id) == 0)
        listener = gn_slots_find(&loop->listeners, gn_id_slot(id), gn_id_generation(id));
    if (listener == NULL)
        return -ENOENT;
    update_clock(&loop->context); // its time limits count from now
    return gn_listener_adopt(listener, descriptor);
}

/* ---- a turn ---- */

static void flush(struct gn_context *context)
{
    struct gn_list *link;
    while ((link = gn_list_take(&context->dirty)) != NULL)
        gn_connection_flush(gn_list_owner(link, struct gn_connection, dirty));
}

static void resume(struct gn_list *list)
{
    // Those that put themselves on the list again wait for the next turn.
    struct gn_list now, *link;
    gn_list_start(&now);
    gn_list_move(&now, list);
    while ((link = gn_list_take(&now)) != NULL)
        gn_connection_resume(gn_list_owner(link, struct gn_connection, ready));
}

static void resume_starved(struct gn_context *context)
{
    context->memory_short = false;
    resume(&context->starved);
}

static void expire(struct gn_context *context)
{
    struct gn_list expired, *link;
    gn_list_start(&expired);
    gn_timer_expire(&context->wheel, context->now, &expired);
    while ((link = gn_list_take(&expired)) != NULL)
        gn_connection_expired(gn_list_owner(gn_list_owner(link, struct gn_timer, link), struct gn_connection, timer));
}

/* Retries pauses that are over, reports listeners that are gone, and returns when the next pause is over. */
static uint64_t look_after_listeners(struct gn_loop *loop)
{
    struct gn_context *context = &loop->context;
    uint64_t next = GN_TIMER_NEVER;
    for (struct gn_list *link = loop->listener_list.next, *after; link != &loop->listener_list; link = after) {
        struct gn_listener *listener = gn_list_owner(link, struct gn_listener, listed);
        after = link->next;
        if (listener->retry_at <= context->now)
            gn_listener_retry(listener);
        if (listener->retry_at < next)
            next = listener->retry_at;
        if (listener->told) {
            // Its slot names it in events: it is free for another one when Java has read them all.
            if ((int32_t)(context->ring.head - listener->told_at) >= 0)
                gn_listener_free(listener, &loop->listeners);
            continue;
        }
        if (!gn_listener_gone(listener) || gn_ring_room(&context->ring) == 0)
            continue;
        gn_ring_write(&context->ring,
                      (struct gn_event){.kind = GN_EVENT_UNLISTENED, .subject = gn_listener_id(listener)});
        listener->told = true;
        listener->told_at = context->ring.tail;
    }
    return next;
}

static void look_after_memory(struct gn_loop *loop)
{
    struct gn_context *context = &loop->context;
    bool may_grow = gn_arena_may_grow(&context->arena);
    bool low = gn_arena_low(&context->arena) || (may_grow && context->arena.short_of_pages);
    if (low && may_grow && !loop->slab_wanted && gn_ring_room(&context->ring) > 0) {
        loop->slab_wanted = true;
        loop->slab_wanted_at = context->now;
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_SLAB_WANTED});
    }
    if (!may_grow)
        context->arena.short_of_pages = false;
    bool overdue = loop->slab_wanted && context->now - loop->slab_wanted_at >= GN_RELIEF_STALLED;
    loop->relief_at = gn_relief_look(context, !may_grow || overdue);
    if (low || gn_ring_room(&context->ring) == 0)
        return;
    uint32_t slab = gn_arena_give_back(&context->arena);
    if (slab != 0)
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_SLAB_EMPTY, .value = slab});
}

static void publish(struct gn_loop *loop)
{
    struct gn_context *context = &loop->context;
    context->counters->memory_used = context->memory.used;
    context->counters->arena_total = context->arena.total;
    context->counters->arena_free = context->arena.free;
    context->counters->blocks_lent = context->arena.lent_blocks;
}

/* What can be done before waiting: what the commands and the room in ring and arena have made possible. */
static void go_on(struct gn_context *context)
{
    gn_exchange_deliver_owed(context);
    gn_connection_deliver_closed(context);
    resume_starved(context);
    resume(&context->ready);
    flush(context);
}

static uint64_t wait_time(const struct gn_loop *loop, uint64_t deadline, uint64_t next_retry)
{
    const struct gn_context *context = &loop->context;
    if (gn_ring_count(&context->ring) > 0 || !gn_list_empty(&context->ready) || deadline <= context->now)
        return 0;
    uint64_t wait = deadline == GN_TIMER_NEVER ? GN_IO_WAIT_FOREVER : deadline - context->now;
    uint64_t timer = gn_timer_next(&context->wheel, context->now);
    if (timer < wait)
        wait = timer;
    uint64_t next = next_retry < loop->relief_at ? next_retry : loop->relief_at;
    if (next != GN_TIMER_NEVER) {
        uint64_t until = next > context->now ? next - context->now : 0;
        wait = until < wait ? until : wait;
    }
    return wait;
}

int64_t gn_loop_poll(struct gn_loop *loop, uint32_t count, uint32_t head, uint64_t wait)
{
    struct gn_context *context = &loop->context;
    if (count > loop->commands_capacity || !gn_ring_read_up_to(&context->ring, head))
        return -EINVAL;
    uint32_t tail = context->ring.tail;
    update_clock(context);
    gn_loop_apply(loop, count);
    go_on(context);
    uint64_t deadline =
        wait == GN_IO_WAIT_FOREVER || wait > GN_TIMER_NEVER - 1 - context->now ? GN_TIMER_NEVER : context->now + wait;
    int turned;
    do {
        context->counters->turns++;
        publish(loop); // a wait can be long, and others read the gauges meanwhile
        uint64_t next_retry = look_after_listeners(loop);
        loop->asleep = true;
        turned = context->io->operations->turn(context->io, wait_time(loop, deadline, next_retry));
        if (turned < 0)
            return turned;
        wake_up(loop);
        expire(context); // after the input, so that a pause of the whole process ends nobody who was in time
        flush(context);
        look_after_listeners(loop);
        look_after_memory(loop);
        if (gn_ring_count(&context->ring) > 0 || turned != 0 || context->now >= deadline)
            break;
        resume_starved(context); // what was sent may have freed memory, and no event tells Java to poll
        resume(&context->ready);
        flush(context);
    } while (true);
    context->counters->events += context->ring.tail - tail;
    publish(loop);
    return gn_ring_count(&context->ring);
}

/* ---- the end ---- */

int gn_loop_stop(struct gn_loop *loop, uint64_t wait)
{
    struct gn_context *context = &loop->context;
    // Java reads no more events: the ring is emptied as it fills.
    for (struct gn_list *link = loop->listener_list.next; link != &loop->listener_list; link = link->next) {
        context->ring.head = context->ring.tail;
        gn_listener_unlisten(gn_list_owner(link, struct gn_listener, listed), true);
    }
    context->ring.head = context->ring.tail;
    int error = context->io->operations->stop(context->io, wait);
    while (!gn_list_empty(&context->closed) || !gn_list_empty(&context->lost)) {
        context->ring.head = context->ring.tail;
        gn_connection_deliver_closed(context);
    }
    publish(loop);
    return error;
}

static void free_exchanges(struct gn_context *context)
{
    for (uint32_t slot = 0; slot < context->exchanges.capacity; slot++) {
        struct gn_exchange *exchange = context->exchanges.slots[slot].owner;
        if (exchange != NULL)
            gn_exchange_release(context, exchange);
    }
}

void gn_loop_free(struct gn_loop *loop)
{
    struct gn_context *context = &loop->context;
    struct gn_list *link;
    context->io->operations->free(context->io);
    while ((link = gn_list_take(&loop->listener_list)) != NULL)
        gn_listener_free(gn_list_owner(link, struct gn_listener, listed), &loop->listeners);
    free_exchanges(context);
    gn_prepared_end(context);
    gn_output_pool_end(context);
    gn_exchange_pool_end(context);
    gn_h2_stream_pool_end(context);
    gn_h2_room_end(context);
    gn_slots_end(&loop->listeners);
    gn_slots_end(&context->connections);
    gn_slots_end(&context->exchanges);
    gn_arena_close(&context->arena);
    struct gn_memory memory = context->memory;
    gn_memory_free(&memory, loop, sizeof(*loop));
    assert(memory.blocks == 0 && memory.used == 0);
}
