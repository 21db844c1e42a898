#include "conn/exchange.h"

#include "conn/connection.h"
#include "conn/context.h"

#define EXCHANGES_POOLED_MAX 1024U

static struct gn_exchange *take_exchange(struct gn_context *context)
{
    struct gn_list *link = gn_list_take(&context->exchange_pool);
    if (link == NULL)
        return gn_memory_allocate(&context->memory, sizeof(struct gn_exchange));
    context->exchanges_pooled--;
    struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, link);
    *exchange = (struct gn_exchange){0};
    return exchange;
}

static void pool_exchange(struct gn_context *context, struct gn_exchange *exchange)
{
    if (context->exchanges_pooled >= EXCHANGES_POOLED_MAX) {
        gn_memory_free(&context->memory, exchange, sizeof(*exchange));
        return;
    }
    gn_list_prepend(&context->exchange_pool, &exchange->link);
    context->exchanges_pooled++;
}

void gn_exchange_pool_end(struct gn_context *context)
{
    struct gn_list *link;
    while ((link = gn_list_take(&context->exchange_pool)) != NULL)
        gn_memory_free(&context->memory, gn_list_owner(link, struct gn_exchange, link), sizeof(struct gn_exchange));
    context->exchanges_pooled = 0;
}

struct gn_exchange *gn_exchange_open(struct gn_context *context, struct gn_connection *connection)
{
    struct gn_exchange *exchange = take_exchange(context);
    if (exchange == NULL)
        return NULL;
    if (gn_slots_take(&context->exchanges, exchange, &exchange->slot, &exchange->generation) != 0) {
        gn_list_start(&exchange->link);
        pool_exchange(context, exchange);
        return NULL;
    }
    gn_list_start(&exchange->owed_link);
    gn_list_start(&exchange->sending);
    exchange->connection = connection;
    gn_list_append(&connection->exchanges, &exchange->link);
    connection->exchange_count++;
    context->counters->exchanges_open++;
    return exchange;
}

struct gn_exchange *gn_exchange_find(const struct gn_context *context, uint64_t id)
{
    if (gn_id_role(id) != 0)
        return NULL;
    return gn_slots_find(&context->exchanges, gn_id_slot(id), gn_id_generation(id));
}

static void free_exchange(struct gn_context *context, struct gn_exchange *exchange)
{
    gn_list_remove(&exchange->owed_link);
    gn_list_remove(&exchange->sending);
    if (exchange->head_block != 0)
        gn_arena_free(&context->arena, exchange->head_block);
    gn_info_release(context, exchange->info);
    gn_slots_free(&context->exchanges, exchange->slot);
    pool_exchange(context, exchange);
    context->counters->exchanges_open--;
}

void gn_exchange_set_aside(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    gn_list_remove(&exchange->link);
    connection->exchange_count--;
    gn_list_append(&connection->aside, &exchange->link);
    connection->aside_count++;
    exchange->aside = true;
}

void gn_exchange_detach(struct gn_context *context, struct gn_exchange *exchange)
{
    gn_output_clear(context, &exchange->held);
    if (exchange->framing == GN_BODY_RAW)
        context->counters->tunnels_open--;
    gn_list_remove(&exchange->link);
    if (exchange->aside)
        exchange->connection->aside_count--;
    else
        exchange->connection->exchange_count--;
    exchange->connection = NULL;
    if (exchange->released)
        free_exchange(context, exchange);
}

void gn_exchange_release(struct gn_context *context, struct gn_exchange *exchange)
{
    exchange->released = true;
    exchange->owed = 0;
    gn_list_remove(&exchange->owed_link);
    if (exchange->connection == NULL) {
        if (exchange->abandoned)
            context->counters->exchanges_abandoned--;
        free_exchange(context, exchange);
    }
}

static bool deliver(struct gn_context *context, struct gn_exchange *exchange)
{
    uint64_t id = gn_exchange_id(exchange);
    if (exchange->owed & GN_OWED_CREDIT) {
        if (gn_ring_room(&context->ring) == 0)
            return false;
        gn_ring_write(
            &context->ring,
            (struct gn_event){.kind = GN_EVENT_CREDIT, .subject = id, .value = (int64_t)exchange->send_granted});
        exchange->send_granted = 0;
        exchange->owed &= (uint8_t)~GN_OWED_CREDIT;
    }
    if (exchange->owed & GN_OWED_END) {
        if (gn_ring_room(&context->ring) == 0)
            return false;
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_DATA, .flags = GN_FLAG_END, .subject = id});
        exchange->owed &= (uint8_t)~GN_OWED_END;
    }
    if (exchange->owed & GN_OWED_RESET) {
        if (gn_ring_room(&context->ring) == 0)
            return false;
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_RESET,
                                                        .reason = exchange->owed_reason,
                                                        .length = exchange->owed_code,
                                                        .subject = id,
                                                        .value = exchange->owed_status});
        exchange->owed &= (uint8_t)~GN_OWED_RESET;
    }
    if (exchange->owed & GN_OWED_SENT) {
        if (gn_ring_room(&context->ring) == 0)
            return false;
        gn_ring_write(&context->ring,
                      (struct gn_event){.kind = GN_EVENT_SENT, .reason = exchange->sent_reason, .subject = id});
        exchange->owed &= (uint8_t)~GN_OWED_SENT;
    }
    return true;
}

static void owe(struct gn_context *context, struct gn_exchange *exchange, enum gn_owed what)
{
    if (exchange->released)
        return;
    exchange->owed |= (uint8_t)what;
    if (!deliver(context, exchange) && gn_list_empty(&exchange->owed_link))
        gn_list_append(&context->owed, &exchange->owed_link);
}

void gn_exchange_break(struct gn_context *context, struct gn_exchange *exchange, unsigned reason, unsigned status)
{
    if (exchange->broken)
        return;
    exchange->broken = true;
    exchange->owed_reason = (uint16_t)reason;
    exchange->owed_status = (uint16_t)status;
    context->counters->exchanges_reset++;
    owe(context, exchange, GN_OWED_RESET);
}

void gn_exchange_break_by_peer(struct gn_context *context, struct gn_exchange *exchange, uint32_t code)
{
    if (!exchange->broken)
        exchange->owed_code = code;
    gn_exchange_break(context, exchange, GN_REASON_STREAM_RESET, 0);
}

void gn_exchange_sent(struct gn_context *context, struct gn_exchange *exchange, unsigned reason)
{
    gn_list_remove(&exchange->sending);
    exchange->notify = false;
    exchange->sent_reason = (uint16_t)reason;
    owe(context, exchange, GN_OWED_SENT);
}

void gn_exchange_end(struct gn_context *context, struct gn_exchange *exchange)
{
    exchange->request_ended = true;
    owe(context, exchange, GN_OWED_END);
}

void gn_exchange_grant(struct gn_context *context, struct gn_exchange *exchange, uint64_t bytes)
{
    exchange->send_granted += bytes;
    owe(context, exchange, GN_OWED_CREDIT);
}

void gn_exchange_deliver_owed(struct gn_context *context)
{
    struct gn_list *link;
    while (gn_ring_room(&context->ring) > 0 && (link = gn_list_take(&context->owed)) != NULL) {
        struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, owed_link);
        if (!deliver(context, exchange))
            gn_list_append(&context->owed, link);
    }
}
