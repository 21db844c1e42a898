#include "h2/time.h"

#include "conn/connection.h"
#include "h2/control.h"
#include "h2/frame.h"
#include "h2/receive.h"
#include "h2/session.h"

static struct gn_h2_stream *receiver_of(struct gn_list *link)
{
    return gn_list_owner(gn_list_owner(link, struct gn_h2_wait, link), struct gn_h2_stream, receive_wait);
}

static struct gn_h2_stream *sender_of(struct gn_list *link)
{
    return gn_list_owner(gn_list_owner(link, struct gn_h2_wait, link), struct gn_h2_stream, send_wait);
}

/* ---- who waits ---- */

/* Begins a wait anew, behind all others of its list. */
static void restart(struct gn_connection *connection, struct gn_list *list, struct gn_h2_wait *wait)
{
    gn_list_remove(&wait->link);
    wait->since = connection->context->now;
    wait->progress = 0;
    gn_list_append(list, &wait->link);
}

static struct gn_list *list_of(struct gn_h2_session *session, const struct gn_h2_stream *stream)
{
    return stream->has_length ? &session->bodies : &session->pauses;
}

void gn_h2_await_body(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    bool unwanted = stream->exchange->receive_credit == 0;
    if (stream->receive_ended) {
        gn_list_remove(&stream->receive_wait.link);
        return;
    }
    if (gn_list_empty(&stream->receive_wait.link)) {
        restart(connection, list_of(connection->h2, stream), &stream->receive_wait);
        stream->interrupted = unwanted;
    } else if (unwanted) {
        stream->interrupted = true;
    }
}

/* ---- when ---- */

struct nearest {
    uint64_t at;
    unsigned reason;
};

static void consider(struct nearest *nearest, uint64_t since, uint64_t limit, unsigned reason)
{
    if (limit == 0 || since + limit >= nearest->at)
        return;
    nearest->at = since + limit;
    nearest->reason = reason;
}

static void consider_list(struct nearest *nearest, const struct gn_list *list, uint64_t limit, unsigned reason)
{
    if (!gn_list_empty(list))
        consider(nearest, gn_list_owner(list->next, struct gn_h2_wait, link)->since, limit, reason);
}

/* Whether the peer was asked for a sign of life and gave none. */
static bool is_silent(const struct gn_connection *connection)
{
    return connection->h2->ping_sent != 0 && connection->last_received <= connection->h2->ping_sent;
}

uint64_t gn_h2_deadline(const struct gn_connection *connection, unsigned *reason)
{
    const struct gn_listener_settings *settings = connection->settings;
    const struct gn_h2_session *session = connection->h2;
    struct nearest nearest = {.at = GN_TIMER_NEVER};
    consider_list(&nearest, &session->bodies, settings->body_timeout, GN_REASON_BODY_TIMEOUT);
    consider_list(&nearest, &session->pauses, settings->tunnel_timeout, GN_REASON_TUNNEL_TIMEOUT);
    consider_list(&nearest, &session->windows, settings->write_timeout, GN_REASON_WINDOW_TIMEOUT);
    if (connection->blocked == 0) {
        if (session->partial_since != 0)
            consider(&nearest, session->partial_since, settings->head_timeout, GN_REASON_HEAD_TIMEOUT);
        if (session->settings_sent != 0)
            consider(&nearest, session->settings_sent, settings->head_timeout, GN_REASON_SETTINGS_TIMEOUT);
    }
    if (session->leaving == GN_H2_LEAVING)
        consider(&nearest, session->leaving_since, GN_H2_LEAVING_TIMEOUT, GN_REASON_SHUTDOWN);
    else if (session->streams.count == 0 && connection->output.length == 0)
        consider(&nearest, session->idle_since, settings->idle_timeout, GN_REASON_IDLE_TIMEOUT);
    if (is_silent(connection))
        consider(&nearest, session->ping_sent, settings->ping_timeout, GN_REASON_PING_TIMEOUT);
    else
        consider(&nearest, connection->last_received, settings->ping_interval, GN_REASON_NONE);
    *reason = nearest.reason;
    return nearest.at;
}

/* Who trickles comes behind who is silent: it may be a slow conversation. */
static uint64_t wait_stalled_since(const struct gn_connection *connection, const struct gn_h2_wait *wait)
{
    uint64_t now = connection->context->now, floor = now > GN_RELIEF_WAITED ? now - GN_RELIEF_WAITED : 0;
    if (wait->progress >= gn_connection_least_bytes(GN_RELIEF_BODY_RATE, now - wait->since))
        return GN_TIMER_NEVER;
    return wait->progress == 0 || wait->since > floor ? wait->since : floor;
}

/* Since when a stream has waited for a window only. */
static uint64_t reader_stalled_since(const struct gn_connection *connection, const struct gn_h2_stream *stream)
{
    bool held_up = stream->send_window <= 0 || connection->h2->send_window <= 0;
    return held_up ? wait_stalled_since(connection, &stream->send_wait) : GN_TIMER_NEVER;
}

/* Since when a body has been waited for that does not come, and is wanted; of a tunnel none is due. */
static uint64_t body_stalled_since(const struct gn_connection *connection, const struct gn_h2_stream *stream)
{
    const struct gn_exchange *exchange = stream->exchange;
    bool due = !stream->interrupted && exchange->receive_credit > 0 && exchange->framing != GN_BODY_RAW &&
               !stream->tunnel_waits;
    return due ? wait_stalled_since(connection, &stream->receive_wait) : GN_TIMER_NEVER;
}

uint64_t gn_h2_stalled_since(const struct gn_connection *connection)
{
    const struct gn_h2_session *session = connection->h2;
    if (connection->blocked & GN_BLOCKED_MEMORY)
        return gn_relief_is_up_to_java(connection->context) ? GN_TIMER_NEVER
                                                            : connection->last_received + GN_RELIEF_WAITED;
    if (connection->blocked != 0)
        return GN_TIMER_NEVER;
    uint64_t since = session->partial_since != 0 ? session->partial_since : GN_TIMER_NEVER;
    const struct gn_list *lists[] = {&session->windows, &session->bodies, &session->pauses};
    for (unsigned i = 0; i < 3; i++) {
        for (struct gn_list *link = lists[i]->next; link != lists[i]; link = link->next) {
            if (gn_list_owner(link, struct gn_h2_wait, link)->since >= since)
                break; // and so are those behind it
            uint64_t stalled = i == 0 ? reader_stalled_since(connection, sender_of(link))
                                      : body_stalled_since(connection, receiver_of(link));
            since = stalled < since ? stalled : since;
        }
    }
    return since;
}

/* ---- what then ---- */

static bool is_due(const struct gn_connection *connection, const struct gn_list *list, uint64_t limit)
{
    return connection->state == GN_CONNECTION_OPEN && !gn_list_empty(list) &&
           gn_list_owner(list->next, struct gn_h2_wait, link)->since + limit <= connection->context->now;
}

/* Ends requests in `list` of which less than `least` octets came. */
static void end_slow_bodies(struct gn_connection *connection, struct gn_list *list, uint64_t limit, uint64_t least)
{
    while (is_due(connection, list, limit)) {
        struct gn_h2_stream *stream = receiver_of(list->next);
        if (stream->interrupted || stream->receive_wait.progress >= least) {
            restart(connection, list, &stream->receive_wait);
            stream->interrupted = stream->exchange->receive_credit == 0;
            continue;
        }
        gn_list_remove(&stream->receive_wait.link);
        connection->context->counters->timeouts++;
        bool tunnel = stream->exchange->framing == GN_BODY_RAW;
        gn_h2_fail_body(connection, stream, tunnel ? GN_REASON_TUNNEL_TIMEOUT : GN_REASON_BODY_TIMEOUT, 408);
    }
}

static void end_slow_readers(struct gn_connection *connection)
{
    const struct gn_listener_settings *settings = connection->settings;
    struct gn_h2_session *session = connection->h2;
    uint64_t least = gn_connection_least_bytes(settings->write_rate, settings->write_timeout);
    while (is_due(connection, &session->windows, settings->write_timeout)) {
        struct gn_h2_stream *stream = sender_of(session->windows.next);
        bool held_up = stream->send_window <= 0 || session->send_window <= 0; // else others were before it
        if (!held_up || stream->send_wait.progress >= least) {
            restart(connection, &session->windows, &stream->send_wait);
            continue;
        }
        connection->context->counters->timeouts++;
        gn_context_count(connection->context, GN_REASON_WINDOW_TIMEOUT);
        gn_h2_reset(connection, stream, GN_H2_CANCEL, GN_REASON_WINDOW_TIMEOUT);
    }
}

/* Resets a stream for want of memory; returns what it held. */
static uint64_t relieve_of(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    const struct gn_exchange *exchange = stream->exchange;
    uint64_t bytes = exchange->held.length + stream->input.length;
    if (exchange->head_block != 0)
        bytes += gn_arena_capacity(&connection->context->arena, exchange->head_block);
    gn_context_count(connection->context, GN_REASON_OUT_OF_MEMORY);
    gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_OUT_OF_MEMORY);
    return bytes;
}

uint64_t gn_h2_relieve(struct gn_connection *connection, uint64_t late, uint64_t most)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_list *lists[] = {&session->windows, &session->bodies, &session->pauses};
    uint64_t bytes = 0;
    for (unsigned i = 0; i < 3; i++) {
        for (struct gn_list *link = lists[i]->next, *next; link != lists[i]; link = next) {
            next = link->next;
            struct gn_h2_stream *stream = i == 0 ? sender_of(link) : receiver_of(link);
            uint64_t since = i == 0 ? reader_stalled_since(connection, stream) : body_stalled_since(connection, stream);
            if (since > late)
                continue;
            bytes += relieve_of(connection, stream);
            if (bytes >= most || connection->state != GN_CONNECTION_OPEN)
                return bytes;
        }
    }
    return bytes;
}

void gn_h2_leave(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    session->leaving = GN_H2_LEFT;
    gn_h2_send_goaway(connection, session->last_stream, GN_H2_NO_ERROR, "");
}

void gn_h2_finish(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    if (session->leaving != GN_H2_OPEN)
        return;
    session->leaving = GN_H2_LEAVING;
    session->leaving_since = connection->context->now;
    gn_h2_send_goaway(connection, GN_H2_STREAM_MAX, GN_H2_NO_ERROR, "");
    if (connection->state == GN_CONNECTION_OPEN)
        gn_h2_send_ping(connection, GN_H2_PING_LEAVING);
}

void gn_h2_expired(struct gn_connection *connection, unsigned reason)
{
    const struct gn_listener_settings *settings = connection->settings;
    struct gn_h2_session *session = connection->h2;
    struct gn_counters *counters = connection->context->counters;
    switch (reason) {
    case GN_REASON_BODY_TIMEOUT:
        end_slow_bodies(connection, &session->bodies, settings->body_timeout,
                        gn_connection_least_bytes(settings->body_rate, settings->body_timeout));
        break;
    case GN_REASON_TUNNEL_TIMEOUT:
        end_slow_bodies(connection, &session->pauses, settings->tunnel_timeout, 1);
        break;
    case GN_REASON_WINDOW_TIMEOUT:
        end_slow_readers(connection);
        break;
    case GN_REASON_HEAD_TIMEOUT:
        counters->timeouts++;
        gn_h2_fail(connection, GN_H2_ENHANCE_YOUR_CALM, reason);
        break;
    case GN_REASON_SETTINGS_TIMEOUT:
        counters->timeouts++;
        gn_h2_fail(connection, GN_H2_SETTINGS_TIMEOUT, reason);
        break;
    case GN_REASON_SHUTDOWN:
        gn_h2_leave(connection);
        gn_h2_settle(connection);
        break;
    case GN_REASON_IDLE_TIMEOUT:
        counters->timeouts++;
        gn_context_count(connection->context, reason);
        gn_h2_leave(connection);
        gn_h2_settle(connection);
        break;
    case GN_REASON_PING_TIMEOUT:
        counters->timeouts++;
        gn_connection_end(connection, reason, true);
        break;
    default:
        session->ping_sent = connection->context->now;
        gn_h2_send_ping(connection, GN_H2_PING_ALIVE);
        break;
    }
}
