#include "h1/tunnel.h"

#include <string.h>

#include "conn/connection.h"
#include "h1/body.h"
#include "h1/reply.h"

bool gn_h1_tunnel_has_content(const struct gn_h1_request *request)
{
    for (uint32_t i = 0; i < request->field_count; i++) {
        unsigned token = request->fields[i].token;
        if (token == GN_FIELD_CONTENT_LENGTH || token == GN_FIELD_TRANSFER_ENCODING)
            return true;
    }
    return false;
}

bool gn_h1_tunnel_opens(const struct gn_exchange *exchange, unsigned status)
{
    if (status == 101)
        return exchange->upgrade && exchange->request_ended;
    return exchange->connect && status >= 200 && status < 300;
}

void gn_h1_tunnel_open(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h1_session *session = &connection->h1;
    exchange->framing = GN_BODY_RAW;
    exchange->keep_alive = false;
    exchange->request_ended = false;
    connection->context->counters->tunnels_open++;
    if (session->reading != GN_H1_READING_OFFER)
        return; // a response before it broke, and bytes were dropped since: it never gets its turn
    session->reading = GN_H1_READING_TUNNEL;
    session->receiving = exchange;
    session->since = connection->context->now;
    if (connection->input_ended)
        gn_h1_tunnel_input_ended(connection);
    gn_connection_unblock(connection, GN_BLOCKED_PIPELINE);
}

size_t gn_h1_tunnel_input(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    size_t used = gn_h1_body_room(connection, length);
    uint64_t block = used == 0 ? 0 : gn_h1_body_block(connection, used);
    if (block == 0)
        return 0;
    memcpy(gn_arena_bytes(&connection->context->arena, block), bytes, used);
    gn_h1_body_deliver(connection, block, used, false);
    connection->h1.since = connection->context->now; // bytes that were held may be older than the time limit
    return used;
}

void gn_h1_tunnel_input_ended(struct gn_connection *connection)
{
    struct gn_exchange *exchange = connection->h1.receiving;
    connection->h1.receiving = NULL;
    gn_exchange_end(connection->context, exchange);
    if (gn_exchange_complete(exchange))
        gn_h1_reply_advance(connection);
}

uint64_t gn_h1_tunnel_deadline(const struct gn_connection *connection, unsigned *reason)
{
    uint64_t limit = connection->settings->tunnel_timeout;
    const struct gn_exchange *first = gn_list_owner(connection->exchanges.next, struct gn_exchange, link);
    if (limit == 0 || first->framing != GN_BODY_RAW)
        return GN_TIMER_NEVER; // off, or its turn has not come
    uint64_t since = connection->h1.since;
    since = connection->last_received > since ? connection->last_received : since;
    since = connection->last_sent > since ? connection->last_sent : since;
    *reason = GN_REASON_TUNNEL_TIMEOUT;
    return since + limit;
}
