#include "conn/preface.h"

#include <string.h>

#include "conn/connection.h"
#include "h2/frame.h"
#include "h2/session.h"

static size_t input(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    size_t compared = length < GN_H2_PREFACE_LENGTH ? length : GN_H2_PREFACE_LENGTH;
    bool matches = memcmp(bytes, GN_H2_PREFACE, compared) == 0;
    if (matches && compared < GN_H2_PREFACE_LENGTH) {
        if (gn_buffer_length(&connection->input) == 0)
            connection->h1.since = connection->context->now; // its first byte
        return 0;
    }
    if (!matches && connection->settings->http_1 != 0) {
        connection->protocol = &gn_h1_protocol;
        return connection->protocol->input(connection, bytes, length);
    }
    if (gn_h2_session_start(connection) != 0) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return length;
    }
    if (!matches) {
        if (connection->state == GN_CONNECTION_OPEN)
            gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        return length;
    }
    if (connection->state != GN_CONNECTION_OPEN)
        return length;
    size_t used = GN_H2_PREFACE_LENGTH;
    if (used < length)
        used += connection->protocol->input(connection, bytes + used, length - used);
    return used;
}

static void input_ended(struct gn_connection *connection)
{
    gn_h1_protocol.input_ended(connection);
}

static void finish(struct gn_connection *connection)
{
    gn_h1_protocol.finish(connection);
}

static uint64_t deadline(const struct gn_connection *connection, unsigned *reason)
{
    if (gn_buffer_length(&connection->input) == 0)
        return gn_h1_protocol.deadline(connection, reason);
    *reason = GN_REASON_HEAD_TIMEOUT;
    uint64_t limit = connection->settings->head_timeout;
    return limit == 0 ? GN_TIMER_NEVER : connection->h1.since + limit;
}

static uint64_t stalled_since(const struct gn_connection *connection)
{
    return gn_h1_protocol.stalled_since(connection);
}

static void expired(struct gn_connection *connection, unsigned reason)
{
    if (reason == GN_REASON_HEAD_TIMEOUT && connection->settings->http_1 != 0) {
        // What is there begins a request line as well, and is answered as one.
        connection->protocol = &gn_h1_protocol;
        connection->protocol->input(connection, gn_buffer_bytes(connection->context, &connection->input),
                                    gn_buffer_length(&connection->input));
        if (connection->state != GN_CONNECTION_OPEN) {
            connection->context->counters->timeouts++;
            return;
        }
    }
    gn_h1_protocol.expired(connection, reason);
}

static void end(struct gn_connection *connection)
{
    gn_h1_protocol.end(connection);
}

/* There is no exchange yet, so nothing asks it to write. */
static const struct gn_protocol protocol = {
    .name = "not known yet",
    .input = input,
    .input_ended = input_ended,
    .finish = finish,
    .deadline = deadline,
    .stalled_since = stalled_since,
    .expired = expired,
    .end = end,
};

const struct gn_protocol *gn_preface_protocol(const struct gn_listener_settings *settings)
{
    return settings->http_2 != 0 ? &protocol : &gn_h1_protocol;
}
