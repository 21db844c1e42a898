#include "conn/relief.h"

#include <string.h>

#include "conn/connection.h"
#include "h2/session.h"
#include "h2/time.h"

static bool is_h2(const struct gn_connection *connection)
{
    return connection->protocol == &gn_h2_protocol;
}

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

static uint64_t exchanges_hold(const struct gn_context *context, const struct gn_list *exchanges)
{
    uint64_t bytes = 0;
    for (const struct gn_list *link = exchanges->next; link != exchanges; link = link->next) {
        const struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, link);
        bytes += exchange->held.length + (exchange->stream != NULL ? exchange->stream->input.length : 0);
        if (exchange->head_block != 0)
            bytes += gn_arena_capacity(&context->arena, exchange->head_block);
    }
    return bytes;
}

/* What ends with it, about: what Java holds of it comes back as soon as it hears of the end. */
static uint64_t holds(const struct gn_connection *connection)
{
    uint64_t block = is_h2(connection) ? gn_buffer_length(&connection->h2->block.fragments) : 0;
    return connection->output.length + gn_buffer_length(&connection->input) + block +
           exchanges_hold(connection->context, &connection->exchanges) +
           exchanges_hold(connection->context, &connection->aside);
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

/* Streams of HTTP/2 go without their connection, where it is they that have stalled. */
static uint64_t end_streams(struct gn_connection *connection, uint64_t late, uint64_t most)
{
    bool alive = is_h2(connection) && connection->state == GN_CONNECTION_OPEN && connection->output.length == 0 &&
                 connection->blocked == 0;
    return alive ? gn_h2_relieve(connection, late, most) : 0;
}

static void end_victims(struct gn_context *context)
{
    struct gn_relief *relief = &context->relief;
    uint64_t late = context->now > GN_RELIEF_STALLED ? context->now - GN_RELIEF_STALLED : 0;
    bool all = context->memory_short || relief->refused || relief->wanted > GN_RELIEF_BYTES;
    uint64_t most = all ? GN_RELIEF_BYTES : relief->wanted, bytes = 0;
    for (uint32_t i = 0; i < relief->count && bytes < most; i++) {
        struct gn_connection *connection = gn_connection_find(context, relief->victims[i].connection);
        // It may have gone on, or gone, since it was looked at.
        if (connection == NULL || stalled_since(connection) > late)
            continue;
        uint64_t of_streams = end_streams(connection, late, most - bytes);
        bytes += of_streams;
        if (of_streams > 0)
            continue;
        bytes += holds(connection);
        context->counters->connections_evicted++;
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
    }
    relief->wanted -= bytes < relief->wanted ? bytes : relief->wanted;
    relief->refused = false;
}

/* ---- when the C heap is at its limit ---- */

/* Bytes of the C heap that come back when it is ended. */
static uint64_t spare_of(const struct gn_connection *connection)
{
    uint64_t bytes = connection->input.heap_capacity;
    if (connection->output.length > 0)
        bytes += gn_output_spare(&connection->output);
    if (is_h2(connection))
        bytes += connection->h2->block.fragments.heap_capacity;
    for (const struct gn_list *link = connection->exchanges.next; link != &connection->exchanges; link = link->next) {
        const struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, link);
        bytes += gn_output_spare(&exchange->held);
        if (exchange->stream != NULL)
            bytes += gn_output_spare(&exchange->stream->input);
    }
    return bytes;
}

/* Who goes first: who holds most; of who waits for Java, a part of it counts. */
static uint64_t rank_of(const struct gn_connection *connection)
{
    uint64_t bytes = connection->state != GN_CONNECTION_CLOSING ? spare_of(connection) : 0;
    if (bytes == 0 || connection->blocked == GN_BLOCKED_MEMORY)
        return bytes;
    return stalled_since(connection) == GN_TIMER_NEVER ? bytes / GN_RELIEF_JAVA_PART : bytes;
}

static bool is_of(const void *asker, const struct gn_connection *connection)
{
    bool is = asker == &connection->input || asker == &connection->output;
    if (is_h2(connection))
        is |= asker == &connection->h2->block.fragments;
    for (const struct gn_list *link = connection->exchanges.next; !is && link != &connection->exchanges;
         link = link->next) {
        const struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, link);
        is = asker == &exchange->held || (exchange->stream != NULL && asker == &exchange->stream->input);
    }
    return is;
}

static void remember(struct gn_relief *relief, const struct gn_connection *connection, uint64_t rank)
{
    uint32_t at = relief->large_count;
    while (at > 0 && relief->large[at - 1].rank < rank)
        at--;
    if (at == GN_RELIEF_VICTIMS)
        return;
    if (relief->large_count < GN_RELIEF_VICTIMS)
        relief->large_count++;
    memmove(&relief->large[at + 1], &relief->large[at], (relief->large_count - 1 - at) * sizeof(relief->large[0]));
    relief->large[at].rank = rank;
    relief->large[at].connection = gn_connection_id(connection);
}

/* Looks at some more connections for the largest holders. */
static void search_on(struct gn_context *context)
{
    struct gn_relief *relief = &context->relief;
    uint32_t capacity = context->connections.capacity, looks = GN_RELIEF_LOOKS_AT_ONCE - relief->searched;
    if (looks > GN_RELIEF_LOOKS)
        looks = GN_RELIEF_LOOKS;
    if (looks > capacity)
        looks = capacity;
    relief->searched += looks;
    for (uint32_t i = 0; i < looks; i++) {
        if (relief->search_from >= capacity)
            relief->search_from = 0;
        const struct gn_connection *connection = context->connections.slots[relief->search_from++].owner;
        uint64_t rank = connection == NULL ? 0 : rank_of(connection);
        if (rank > 0)
            remember(relief, connection, rank);
    }
}

/* Takes the first of the largest holders that are known off their list; NULL: it is not what it was, or is the asker. */
static struct gn_connection *take_largest(struct gn_context *context, const void *asker)
{
    struct gn_relief *relief = &context->relief;
    uint64_t rank = relief->large[0].rank;
    struct gn_connection *connection = gn_connection_find(context, relief->large[0].connection);
    relief->large_count--;
    memmove(&relief->large[0], &relief->large[1], relief->large_count * sizeof(relief->large[0]));
    return connection != NULL && rank_of(connection) == rank && !is_of(asker, connection) ? connection : NULL;
}

/* The session is there until the socket is closed, and would hold it until then. */
static void drop_input_of_session(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    struct gn_buffer *fragments = &connection->h2->block.fragments;
    gn_buffer_consume(context, fragments, gn_buffer_length(fragments));
    for (const struct gn_list *link = connection->exchanges.next; link != &connection->exchanges; link = link->next) {
        const struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, link);
        if (exchange->stream != NULL)
            gn_output_clear(context, &exchange->stream->input);
    }
}

static void end_at_once(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    context->counters->connections_evicted++;
    if (is_h2(connection))
        drop_input_of_session(connection);
    gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
    gn_buffer_consume(context, &connection->input, gn_buffer_length(&connection->input));
    if (!connection->send_pending) {
        gn_output_clear(context, &connection->output);
        return;
    }
    context->relief.leaving += gn_output_spare(&connection->output);
    connection->leaving = true;
}

void gn_relief_left(struct gn_connection *connection)
{
    connection->context->relief.leaving -= gn_output_spare(&connection->output);
    connection->leaving = false;
}

bool gn_relief_make_room(struct gn_context *context, const void *asker, uint64_t bytes)
{
    struct gn_relief *relief = &context->relief;
    uint32_t capacity = context->connections.capacity;
    for (;;) {
        while (relief->large_count > 0 && relief->large[0].rank > bytes / 2) {
            struct gn_connection *connection = take_largest(context, asker);
            if (connection != NULL) {
                end_at_once(connection);
                return true;
            }
        }
        if (relief->searched_at != context->now) {
            relief->searched_at = context->now;
            relief->searched = relief->large_count = 0;
        }
        bool all_known = relief->searched >= capacity && relief->large_count > 0;
        if (all_known || relief->searched >= GN_RELIEF_LOOKS_AT_ONCE || capacity == 0)
            return false;
        search_on(context);
    }
}

uint64_t gn_relief_look(struct gn_context *context, bool no_more)
{
    struct gn_relief *relief = &context->relief;
    if (!context->memory_short && !relief->refused && relief->wanted == 0) {
        context->arena.over_quota = false;
        relief->cursor = relief->count = 0;
        relief->next = 0;
        return GN_TIMER_NEVER;
    }
    if (!no_more && !context->arena.over_quota) {
        relief->refused = false; // whoever was refused is not there any more to wait for the slab
        return context->now + GN_RELIEF_STALLED;
    }
    if (context->now < relief->next)
        return relief->next;
    if (!look_on(context))
        return context->now;
    relief->next = context->now + (relief->count > 0 ? 1 : 10) * GN_RELIEF_PAUSE;
    end_victims(context);
    relief->cursor = relief->count = 0;
    return relief->next;
}
