#include "conn/body.h"

uint64_t gn_body_block(struct gn_connection *connection, size_t length)
{
    struct gn_context *context = connection->context;
    uint64_t block = gn_arena_allocate(&context->arena, GN_ARENA_BODY_IN, length);
    if (block != 0)
        return block;
    context->memory_short = true;
    // Those who wait may hold among them all that they wait for: one after the other goes on. The blocks are of one size,
    // so that they share a page.
    if (length <= GN_BODY_DATA_MAX)
        block = gn_arena_allocate(&context->arena, GN_ARENA_PROGRESS, GN_BODY_DATA_MAX);
    if (block == 0)
        connection->blocked |= GN_BLOCKED_MEMORY;
    return block;
}

void gn_body_deliver(struct gn_exchange *exchange, uint64_t block, size_t length, bool end)
{
    struct gn_context *context = exchange->connection->context;
    // Credit counts memory, not bytes: a body that comes a byte at a time would hold 256 times as much as it says.
    uint64_t charged = gn_arena_capacity(&context->arena, block);
    exchange->receive_credit -= charged < exchange->receive_credit ? charged : exchange->receive_credit;
    exchange->expecting = false;
    gn_arena_lend(&context->arena, block);
    gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_DATA,
                                                    .flags = end ? GN_FLAG_END : 0,
                                                    .length = (uint32_t)length,
                                                    .subject = gn_exchange_id(exchange),
                                                    .block = block});
}

void gn_body_credit(struct gn_exchange *exchange, uint64_t bytes)
{
    uint64_t most = exchange->connection->settings->receive_credit;
    exchange->receive_credit = bytes > most - exchange->receive_credit ? most : exchange->receive_credit + bytes;
}
