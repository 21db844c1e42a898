#include "h1/body.h"

#include "conn/body.h"

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
    return gn_body_piece(exchange, length);
}

uint64_t gn_h1_body_block(struct gn_connection *connection, size_t length)
{
    uint64_t block = gn_body_block(connection, length);
    if (block == 0)
        connection->h1.interrupted = true;
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
    connection->h1.progress += length;
    gn_body_deliver(connection->h1.receiving, block, length, end);
}
