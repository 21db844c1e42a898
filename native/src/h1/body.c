#include "h1/body.h"

#include "conn/connection.h"

/* The most bytes in one DATA event. */
#define DATA_MAX 16384U

size_t gn_h1_body_room(struct gn_connection *connection, size_t length)
{
    struct gn_exchange *exchange = connection->h1.receiving;
    if (exchange->receive_credit == 0) {
        connection->blocked |= GN_BLOCKED_CREDIT;
        return 0;
    }
    if (gn_ring_room(&connection->context->ring) == 0) {
        connection->blocked |= GN_BLOCKED_RING;
        connection->h1.interrupted = true;
        return 0;
    }
    size_t room = length < DATA_MAX ? length : DATA_MAX;
    return room < exchange->receive_credit ? room : (size_t)exchange->receive_credit;
}

uint64_t gn_h1_body_block(struct gn_connection *connection, size_t length)
{
    struct gn_context *context = connection->context;
    uint64_t block = gn_arena_allocate(&context->arena, GN_ARENA_BODY_IN, length);
    if (block != 0)
        return block;
    context->memory_short = true;
    // Those who wait may hold among them all that they wait for: one after the other goes on. The blocks are of one size,
    // so that they share a page.
    if (length <= DATA_MAX)
        block = gn_arena_allocate(&context->arena, GN_ARENA_PROGRESS, DATA_MAX);
    if (block == 0) {
        connection->blocked |= GN_BLOCKED_MEMORY;
        connection->h1.interrupted = true;
    }
    return block;
}

void gn_h1_body_wait(struct gn_connection *connection)
{
    struct gn_h1_session *session = &connection->h1;
    session->since = connection->context->now;
    session->progress = 0;
    session->interrupted = false;
    gn_connection_watch_time(connection);
}

void gn_h1_body_deliver(struct gn_connection *connection, uint64_t block, size_t length, bool end)
{
    struct gn_context *context = connection->context;
    struct gn_exchange *exchange = connection->h1.receiving;
    // Credit counts memory, not bytes: a body that comes a byte at a time would hold 256 times as much as it says.
    uint64_t charged = gn_arena_capacity(&context->arena, block);
    exchange->receive_credit -= charged < exchange->receive_credit ? charged : exchange->receive_credit;
    gn_arena_lend(&context->arena, block);
    exchange->expecting = false;
    connection->h1.progress += length;
    gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_DATA,
                                                    .flags = end ? GN_FLAG_END : 0,
                                                    .length = (uint32_t)length,
                                                    .subject = gn_exchange_id(exchange),
                                                    .block = block});
}
