#include "conn/relief.h"

#include <string.h>

#include "conn/connection.h"

/* Since when the connection waits for its peer; GN_TIMER_NEVER: it does not, or holds nothing. */
static uint64_t stalled_since(const struct gn_connection *connection)
{
    if (connection->state > GN_CONNECTION_FINISHING)
        return GN_TIMER_NEVER; // while it lingers it holds nothing
    if (connection->output.length > 0)
        return connection->last_sent;
    return connection->state == GN_CONNECTION_OPEN ? connection->protocol->stalled_since(connection) : GN_TIMER_NEVER;
}

bool gn_relief_is_up_to_java(const struct gn_context *context)
{
    const struct gn_arena *arena = &context->arena;
    return arena->lent_bytes > (arena->used[GN_ARENA_HEAD] + arena->used[GN_ARENA_BODY_IN]) / 2;
}

/* What ends with it, about: what Java holds of it comes back as soon as it hears of the end. */
static uint64_t holds(const struct gn_connection *connection)
{
    uint64_t bytes = connection->output.length + gn_buffer_length(&connection->input);
    for (const struct gn_list *link = connection->exchanges.next; link != &connection->exchanges; link = link->next) {
        const struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, link);
        bytes += exchange->held.length;
        if (exchange->head_block != 0)
            bytes += gn_arena_capacity(&connection->context->arena, exchange->head_block);
    }
    return bytes;
}

static void consider(struct gn_relief *relief, const struct gn_connection *connection, uint64_t since)
{
    uint32_t at = relief->count;
    while (at > 0 && relief->victims[at - 1].since > since)
        at--;
    if (at == GN_RELIEF_VICTIMS)
        return;
    if (relief->count < GN_RELIEF_VICTIMS)
        relief->count++;
    memmove(&relief->victims[at + 1], &relief->victims[at], (relief->count - 1 - at) * sizeof(relief->victims[0]));
    relief->victims[at].since = since;
    relief->victims[at].connection = gn_connection_id(connection);
}

/* Looks at a part of the connections. Whether that was the last one. */
static bool look_on(struct gn_context *context)
{
    struct gn_relief *relief = &context->relief;
    uint64_t late = context->now > GN_RELIEF_STALLED ? context->now - GN_RELIEF_STALLED : 0;
    uint32_t end = context->connections.capacity;
    if (end - relief->cursor > GN_RELIEF_LOOKS)
        end = relief->cursor + GN_RELIEF_LOOKS;
    for (; relief->cursor < end; relief->cursor++) {
        const struct gn_connection *connection = context->connections.slots[relief->cursor].owner;
        if (connection == NULL)
            continue;
        uint64_t since = stalled_since(connection);
        if (since <= late)
            consider(relief, connection, since);
    }
    return relief->cursor >= context->connections.capacity;
}

static void end_victims(struct gn_context *context)
{
    struct gn_relief *relief = &context->relief;
    bool all = context->memory_short || relief->wanted > GN_RELIEF_BYTES;
    uint64_t most = all ? GN_RELIEF_BYTES : relief->wanted, bytes = 0;
    for (uint32_t i = 0; i < relief->count && bytes < most; i++) {
        struct gn_connection *connection = gn_connection_find(context, relief->victims[i].connection);
        // It may have gone on, or gone, since it was looked at.
        if (connection == NULL || stalled_since(connection) != relief->victims[i].since)
            continue;
        bytes += holds(connection);
        context->counters->connections_evicted++;
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
    }
    relief->wanted -= bytes < relief->wanted ? bytes : relief->wanted;
}

uint64_t gn_relief_look(struct gn_context *context, bool no_more)
{
    struct gn_relief *relief = &context->relief;
    if (!context->memory_short && relief->wanted == 0) {
        context->arena.over_quota = false;
        relief->cursor = relief->count = 0;
        relief->next = 0;
        return GN_TIMER_NEVER;
    }
    if (!no_more && !context->arena.over_quota)
        return context->now + GN_RELIEF_STALLED;
    if (context->now < relief->next)
        return relief->next;
    if (!look_on(context))
        return context->now;
    relief->next = context->now + (relief->count > 0 ? 1 : 10) * GN_RELIEF_PAUSE;
    end_victims(context);
    relief->cursor = relief->count = 0;
    return relief->next;
}
