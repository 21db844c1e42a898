#include "h1/session.h"

#include <string.h>

#include "conn/body.h"
#include "conn/listener.h"
#include "h1/body.h"
#include "h1/head_writer.h"
#include "h1/reply.h"
#include "h1/trailer_parser.h"
#include "h1/tunnel.h"

struct gn_h1_partial {
    union {
        struct gn_h1_request request;
        struct gn_h1_trailers trailers;
    };
    size_t size;
    struct gn_h1_field fields[];
};

void gn_h1_session_start(struct gn_h1_session *session, uint64_t now)
{
    *session = (struct gn_h1_session){.since = now, .reading = GN_H1_READING_HEAD};
}

static struct gn_h1_request_limits limits_of(const struct gn_connection *connection)
{
    const struct gn_listener_settings *settings = connection->settings;
    return (struct gn_h1_request_limits){
        .head_bytes = (uint32_t)settings->head_bytes,
        .target_bytes = (uint32_t)settings->target_bytes,
        .fields = (uint32_t)settings->fields,
        .empty_lines = (uint32_t)settings->empty_lines,
        .lenient = (uint32_t)settings->lenient,
        .known_host = &connection->context->host,
    };
}

/* Keeps the Host of a request, which was judged, for those to come. */
static void remember_host(struct gn_context *context, const struct gn_h1_request *request, const uint8_t *bytes)
{
    bool is_host = request->target_form == GN_ORIGIN_FORM;
    if (request->host_was_known || !is_host || request->authority_length > GN_H1_HOST_MAX)
        return;
    context->host.length = request->authority_length;
    memcpy(context->host.text, bytes + request->authority, request->authority_length);
}

static void drop_partial(struct gn_connection *connection)
{
    struct gn_h1_partial *partial = connection->h1.partial;
    if (partial == NULL)
        return;
    gn_memory_free(&connection->context->memory, partial, partial->size);
    connection->h1.partial = NULL;
}

/* A partial section with the `count` fields found so far, which leave the loop's own array. NULL: the connection was
   ended. */
static struct gn_h1_partial *keep_partial(struct gn_connection *connection, uint32_t count)
{
    struct gn_context *context = connection->context;
    size_t size = sizeof(struct gn_h1_partial) + connection->settings->fields * sizeof(struct gn_h1_field);
    struct gn_h1_partial *partial = gn_memory_allocate(&context->memory, size);
    if (partial == NULL) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return NULL;
    }
    partial->size = size;
    memcpy(partial->fields, context->fields, count * sizeof(struct gn_h1_field));
    connection->h1.partial = partial;
    return partial;
}

/* A head that is answered without Java; the connection ends behind the answer. */
static void refuse_head(struct gn_connection *connection, const struct gn_h1_request *request, unsigned reason,
                        unsigned status)
{
    gn_connection_log_refusal(connection, reason, status);
    connection->h1.reading = GN_H1_READING_STOPPED;
    struct gn_exchange *exchange = gn_exchange_open(connection->context, connection);
    if (exchange == NULL) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return;
    }
    exchange->released = exchange->request_ended = true;
    exchange->version_1_0 = gn_h1_request_is_1_0(request);
    gn_h1_reply_error(exchange, status);
}

/* A body that cannot be read to its end. Java learns that its exchange broke; where it has not responded, C answers. */
static void fail_body(struct gn_connection *connection, unsigned reason, unsigned status)
{
    struct gn_h1_session *session = &connection->h1;
    struct gn_exchange *exchange = session->receiving;
    gn_connection_log_refusal(connection, reason, status);
    session->reading = GN_H1_READING_STOPPED;
    session->receiving = NULL;
    if (exchange == NULL) {
        // The response is out already, so there is nobody to tell; nothing behind this body can be read.
        if (connection->exchange_count == 0)
            gn_connection_finish_output(connection, false);
        return;
    }
    exchange->request_ended = true;
    bool answer = exchange->response == GN_RESPONSE_NONE;
    gn_exchange_break(connection->context, exchange, reason, answer ? status : 0);
    if (answer)
        gn_h1_reply_error(exchange, status);
    else
        gn_h1_reply_cut(exchange);
}

/* ---- bodies ---- */

static void body_complete(struct gn_connection *connection)
{
    struct gn_h1_session *session = &connection->h1;
    struct gn_exchange *exchange = session->receiving;
    session->receiving = NULL;
    bool next = session->message_keep_alive && !session->finishing;
    session->reading = next ? GN_H1_READING_HEAD : GN_H1_READING_STOPPED;
    if (exchange != NULL && gn_h1_tunnel_offered(exchange) && !exchange->aside)
        session->reading = GN_H1_READING_OFFER;
    session->since = connection->context->now;
    if (exchange != NULL) {
        exchange->request_ended = true;
        if (exchange->expecting)
            exchange->receive_credit = connection->settings->receive_credit; // what a tunnel behind it begins with
        exchange->expecting = false; // an empty body can end without being asked for
    } else if (connection->exchange_count == 0) {
        gn_h1_reply_advance(connection); // the answer is out: what follows depends on this message's end only
    }
}

/* Counts body bytes that nobody wants. False: there are too many of them, and the connection is on its way to its end.
   */
static bool discard(struct gn_connection *connection, size_t length)
{
    struct gn_h1_session *session = &connection->h1;
    session->discarded += length;
    session->progress += length;
    if (session->discarded <= connection->settings->discard_bytes)
        return true;
    session->reading = GN_H1_READING_STOPPED;
    gn_context_count(connection->context, GN_REASON_UNREAD_TOO_LARGE);
    connection->dropped += length;
    if (connection->exchange_count == 0)
        gn_connection_finish_output(connection, false);
    return false;
}

static size_t read_sized(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    struct gn_h1_session *session = &connection->h1;
    size_t used = length < session->body_left ? length : (size_t)session->body_left;
    if (session->receiving != NULL) {
        used = gn_h1_body_room(connection, used);
        uint64_t block = used == 0 ? 0 : gn_h1_body_block(connection, used);
        if (block == 0)
            return 0;
        memcpy(gn_arena_bytes(&connection->context->arena, block), bytes, used);
        gn_h1_body_deliver(connection, block, used, used == session->body_left);
    } else if (!discard(connection, used)) {
        return length;
    }
    session->body_left -= used;
    if (session->body_left == 0)
        body_complete(connection);
    return used;
}

/* Hands the data of the chunks in bytes[0..length) to Java, up to `room`, the first byte of which is there. Chunks
   share a block, since one for each of many small ones would hold far more memory than credit says. Returns how many
   bytes were used. */
static size_t deliver_chunks(struct gn_connection *connection, const uint8_t *bytes, size_t length, size_t room)
{
    struct gn_h1_session *session = &connection->h1;
    uint64_t block = gn_h1_body_block(connection, room < length ? room : length);
    if (block == 0)
        return 0;
    uint8_t *to = gn_arena_bytes(&connection->context->arena, block);
    size_t used = 0, filled = 0;
    while (used < length && filled < room) {
        struct gn_h1_chunked before = session->chunked;
        struct gn_h1_chunked_step step;
        if (gn_h1_chunked_decode(&session->chunked, bytes + used, length - used, room - filled, &step) !=
                GN_H1_CHUNKED_DATA ||
            gn_body_is_too_large(connection, session->chunked.total)) {
            session->chunked = before; // no data but something else comes next
            break;
        }
        memcpy(to + filled, bytes + used + step.data, step.data_length);
        filled += step.data_length;
        used += step.consumed;
    }
    gn_h1_body_deliver(connection, block, filled, false);
    return used;
}

static size_t read_chunked(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    struct gn_h1_session *session = &connection->h1;
    size_t room = length;
    if (session->receiving != NULL) {
        room = gn_h1_body_room(connection, length);
        // Framing can be read without room, but the event that ends the body needs the ring.
        if (connection->blocked & GN_BLOCKED_RING)
            return 0;
        connection->blocked &= (uint8_t)~GN_BLOCKED_CREDIT;
    }
    struct gn_h1_chunked before = session->chunked;
    struct gn_h1_chunked_step step;
    enum gn_h1_chunked_status status = gn_h1_chunked_decode(&session->chunked, bytes, length, room, &step);
    if (gn_body_is_too_large(connection, session->chunked.total)) {
        fail_body(connection, GN_REASON_BODY_TOO_LARGE, 413);
        return length;
    }
    switch (status) {
    case GN_H1_CHUNKED_DATA:
        if (session->receiving == NULL)
            return discard(connection, step.data_length) ? step.consumed : length;
        session->chunked = before;
        return deliver_chunks(connection, bytes, length, room);
    case GN_H1_CHUNKED_MORE:
        if (step.consumed < length)
            connection->blocked |= GN_BLOCKED_CREDIT;
        return step.consumed;
    case GN_H1_CHUNKED_DONE:
        session->reading = GN_H1_READING_TRAILERS;
        return step.consumed;
    default:
        fail_body(connection, GN_REASON_CHUNKED + (unsigned)status, 400);
        return length;
    }
}

/* Hands what ends a chunked body to Java: its trailer section, or without one a DATA event. False: blocked. */
static bool deliver_trailers(struct gn_connection *connection, struct gn_h1_trailers *trailers, const uint8_t *bytes)
{
    struct gn_context *context = connection->context;
    uint64_t id = gn_exchange_id(connection->h1.receiving);
    if (gn_h1_trailers_select(trailers) == 0) {
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_DATA, .flags = GN_FLAG_END, .subject = id});
        return true;
    }
    size_t size = gn_h1_trailers_size(trailers);
    uint64_t block = gn_h1_body_block(connection, size);
    if (block == 0)
        return false;
    gn_h1_trailers_write(gn_arena_bytes(&context->arena, block), trailers, bytes);
    gn_arena_lend(&context->arena, block);
    gn_ring_write(
        &context->ring,
        (struct gn_event){.kind = GN_EVENT_TRAILERS, .length = (uint32_t)size, .subject = id, .block = block});
    return true;
}

static size_t read_trailers(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    struct gn_context *context = connection->context;
    struct gn_h1_session *session = &connection->h1;
    struct gn_exchange *exchange = session->receiving;
    if (exchange != NULL && gn_ring_room(&context->ring) == 0) {
        connection->blocked |= GN_BLOCKED_RING;
        session->interrupted = true;
        return 0;
    }
    struct gn_h1_request_limits limits = limits_of(connection);
    limits.head_bytes = (uint32_t)connection->settings->trailer_bytes;
    struct gn_h1_trailers fresh, *trailers = &fresh;
    if (session->partial != NULL)
        trailers = &session->partial->trailers;
    else
        gn_h1_trailers_start(trailers, context->fields);
    enum gn_h1_status status = gn_h1_trailers_parse(trailers, bytes, length, &limits);
    if (status == GN_H1_MORE) {
        if (session->partial == NULL && keep_partial(connection, fresh.field_count) != NULL) {
            session->partial->trailers = fresh;
            session->partial->trailers.fields = session->partial->fields;
        }
        return 0;
    }
    if (status != GN_H1_COMPLETE) {
        drop_partial(connection);
        bool large = status == GN_H1_HEAD_TOO_LARGE;
        fail_body(connection, large ? GN_REASON_TRAILERS_TOO_LARGE : GN_REASON_REQUEST + (unsigned)status, 400);
        return length;
    }
    size_t used = trailers->length;
    bool delivered = exchange == NULL || deliver_trailers(connection, trailers, bytes);
    // A section that found no room is parsed again from its beginning.
    drop_partial(connection);
    if (!delivered)
        return 0;
    body_complete(connection);
    return used;
}

/* ---- heads ---- */

/* What lets a complete head be refused without Java; 0: nothing. */
static unsigned refusal(const struct gn_connection *connection, const struct gn_h1_request *request, unsigned *status)
{
    if (request->method == GN_METHOD_CONNECT && connection->settings->connect == 0) {
        *status = 501;
        return GN_REASON_CONNECT_REFUSED;
    }
    if (request->method == GN_METHOD_CONNECT && gn_h1_tunnel_has_content(request)) {
        *status = 400;
        return GN_REASON_CONNECT_CONTENT;
    }
    if (request->unknown_expectation) {
        *status = 417;
        return GN_REASON_UNKNOWN_EXPECTATION;
    }
    if (request->framing == GN_H1_SIZED && gn_body_is_too_large(connection, request->content_length)) {
        *status = 413;
        return GN_REASON_BODY_TOO_LARGE;
    }
    return GN_REASON_NONE;
}

/* The head block of a request, `size` bytes, in a new exchange, or NULL: no memory, and nothing changed. */
static struct gn_exchange *open_exchange(struct gn_connection *connection, const struct gn_h1_request *request,
                                         size_t size, const uint8_t *bytes)
{
    struct gn_context *context = connection->context;
    struct gn_exchange *exchange = gn_exchange_open(context, connection);
    if (exchange == NULL)
        return NULL;
    exchange->info = gn_connection_info(connection);
    if (exchange->info == NULL)
        goto give_up;
    uint64_t block = gn_arena_allocate(&context->arena, GN_ARENA_HEAD, size);
    if (block == 0)
        goto give_up;
    gn_h1_head_write(gn_arena_bytes(&context->arena, block), request, bytes, exchange->info->block);
    exchange->head_block = block;
    return exchange;

give_up:
    exchange->released = true;
    gn_exchange_detach(context, exchange);
    return NULL;
}

/* Counts a request; true: its connection may have no more than there were with it. */
static bool is_last_request(struct gn_connection *connection)
{
    uint64_t limit = connection->settings->requests;
    if (limit == 0 || ++connection->h1.requests < limit)
        return false;
    gn_context_count(connection->context, GN_REASON_LAST_REQUEST);
    return true;
}

/* Hands a complete head to Java; false: blocked. */
static bool admit(struct gn_connection *connection, const struct gn_h1_request *request, const uint8_t *bytes)
{
    struct gn_context *context = connection->context;
    struct gn_h1_session *session = &connection->h1;
    if (gn_ring_room(&context->ring) == 0) {
        connection->blocked |= GN_BLOCKED_RING;
        return false;
    }
    // RFC 9112 section 9.3.2: what is not safe to repeat waits for what is in flight, and what follows waits for it.
    bool alone = connection->settings->safe_pipeline != 0 && !gn_method_is_safe((enum gn_method)request->method);
    if (alone && connection->exchange_count > 0) {
        session->alone = true;
        connection->blocked |= GN_BLOCKED_PIPELINE;
        return false;
    }
    size_t size = gn_h1_head_size(request);
    struct gn_exchange *exchange = open_exchange(connection, request, size, bytes);
    if (exchange == NULL) {
        connection->blocked |= GN_BLOCKED_MEMORY;
        return false;
    }
    bool has_body =
        request->framing == GN_H1_CHUNKED || (request->framing == GN_H1_SIZED && request->content_length > 0);
    exchange->head_only = request->method == GN_METHOD_HEAD;
    exchange->connect = request->method == GN_METHOD_CONNECT;
    exchange->upgrade = request->upgrade && !exchange->connect;
    exchange->version_1_0 = request->version == 0;
    exchange->keep_alive = !is_last_request(connection) && request->keep_alive &&
                           connection->settings->keep_alive != 0 && !session->finishing;
    exchange->asked_keep_alive = exchange->version_1_0 && request->keep_alive;
    exchange->expecting = request->expect_continue && has_body;
    exchange->receive_credit = exchange->expecting ? 0 : connection->settings->receive_credit;
    exchange->request_ended = !has_body;
    session->client_close = !request->keep_alive && !request->length_dropped;
    session->message_keep_alive = exchange->keep_alive;
    session->used = true;
    session->alone = alone;
    session->discarded = 0;
    session->since = context->now;
    if (has_body) {
        session->receiving = exchange;
        session->progress = 0;
        session->interrupted = false;
        if (request->framing == GN_H1_CHUNKED) {
            session->reading = GN_H1_READING_CHUNKED;
            gn_h1_chunked_start(&session->chunked, (uint32_t)connection->settings->extension_bytes,
                                connection->settings->lenient & GN_H1_ALLOW_BARE_LF);
        } else {
            session->reading = GN_H1_READING_SIZED;
            session->body_left = request->content_length;
        }
    } else if (gn_h1_tunnel_offered(exchange)) {
        session->reading = GN_H1_READING_OFFER;
    } else if (!exchange->keep_alive) {
        session->reading = GN_H1_READING_STOPPED;
    }
    unsigned flags = has_body ? 0 : GN_FLAG_END;
    exchange->queued = connection->exchange_count > 1 && connection->settings->send_credit > GN_QUEUED_SEND_CREDIT;
    flags |= exchange->queued ? GN_FLAG_QUEUED : 0;
    context->counters->requests++;
    remember_host(context, request, bytes);
    gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_HEAD,
                                                    .flags = (uint8_t)flags,
                                                    .reason = (uint16_t)connection->listener->slot,
                                                    .length = (uint32_t)size,
                                                    .subject = gn_exchange_id(exchange),
                                                    .block = exchange->head_block,
                                                    .value = (int64_t)gn_connection_id(connection)});
    return true;
}

static size_t read_head(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    struct gn_h1_session *session = &connection->h1;
    session->alone = session->alone && connection->exchange_count > 0;
    if (connection->exchange_count >= connection->settings->pipeline || session->alone) {
        connection->blocked |= GN_BLOCKED_PIPELINE;
        return 0;
    }
    // A head that has begun goes on, because its time does.
    if (connection->output.length > connection->settings->send_credit && session->partial == NULL) {
        connection->blocked |= GN_BLOCKED_OUTPUT;
        return 0;
    }
    struct gn_h1_request_limits limits = limits_of(connection);
    struct gn_h1_request fresh, *request = &fresh;
    if (session->partial != NULL)
        request = &session->partial->request;
    else
        gn_h1_request_start(request, connection->context->fields);
    enum gn_h1_status status = gn_h1_request_parse(request, bytes, length, &limits);
    if (status == GN_H1_MORE) {
        if (session->partial == NULL && keep_partial(connection, fresh.field_count) != NULL) {
            session->partial->request = fresh;
            session->partial->request.fields = session->partial->fields;
            session->since = connection->context->now;
        }
        return 0;
    }
    size_t used = length;
    unsigned code, reason;
    if (status != GN_H1_COMPLETE)
        refuse_head(connection, request, GN_REASON_REQUEST + (unsigned)status, gn_h1_error_code(status));
    else if ((reason = refusal(connection, request, &code)) != GN_REASON_NONE)
        refuse_head(connection, request, reason, code);
    else
        used = admit(connection, request, bytes) ? request->head_length : 0;
    // A head that found no room is parsed again from its beginning.
    drop_partial(connection);
    return used;
}

/* ---- the protocol ---- */

static size_t input(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    size_t used = 0;
    while (used < length && connection->blocked == 0 && connection->state == GN_CONNECTION_OPEN) {
        if (used >= connection->context->turn_bytes) {
            connection->blocked |= GN_BLOCKED_TURN;
            break;
        }
        size_t step = 0;
        switch ((enum gn_h1_reading)connection->h1.reading) {
        case GN_H1_READING_HEAD:
            step = read_head(connection, bytes + used, length - used);
            break;
        case GN_H1_READING_SIZED:
            step = read_sized(connection, bytes + used, length - used);
            break;
        case GN_H1_READING_CHUNKED:
            step = read_chunked(connection, bytes + used, length - used);
            break;
        case GN_H1_READING_TRAILERS:
            step = read_trailers(connection, bytes + used, length - used);
            break;
        case GN_H1_READING_OFFER:
            connection->blocked |= GN_BLOCKED_PIPELINE;
            break;
        case GN_H1_READING_TUNNEL:
            step = gn_h1_tunnel_input(connection, bytes + used, length - used);
            break;
        case GN_H1_READING_STOPPED:
            step = length - used;
            gn_connection_drop_input(connection, step);
            break;
        }
        if (step == 0)
            break;
        used += step;
    }
    return used;
}

/* Whether the end of the connection would be that of the body that is being sent, complete or not. */
static bool ends_by_close(const struct gn_connection *connection)
{
    return connection->exchange_count > 0 &&
           gn_list_owner(connection->exchanges.next, struct gn_exchange, link)->framing == GN_BODY_TO_END;
}

static void input_ended(struct gn_connection *connection)
{
    struct gn_h1_session *session = &connection->h1;
    if (session->reading == GN_H1_READING_TUNNEL) {
        gn_h1_tunnel_input_ended(connection);
        return;
    }
    if (session->reading == GN_H1_READING_OFFER && connection->settings->half_close != 0)
        return; // it is the tunnel's, or that of HTTP once the response is complete
    if (session->reading >= GN_H1_READING_SIZED && session->reading <= GN_H1_READING_TRAILERS) {
        fail_body(connection, GN_REASON_BODY_CUT, 400);
        return;
    }
    bool in_head = session->reading == GN_H1_READING_HEAD && gn_buffer_length(&connection->input) > 0;
    if (in_head)
        gn_connection_log_refusal(connection, GN_REASON_HEAD_CUT, 0);
    session->reading = GN_H1_READING_STOPPED;
    uint32_t held = connection->exchange_count + connection->aside_count;
    if (held > 0)
        session->since = connection->context->now;
    if (held > 0 && connection->settings->half_close == 0)
        gn_connection_end(connection, GN_REASON_PEER_CLOSED, ends_by_close(connection));
    else if (held == 0 && connection->output.length == 0)
        gn_connection_end(connection, in_head ? GN_REASON_HEAD_CUT : GN_REASON_NONE, false);
    else if (held == 0)
        gn_connection_finish_output(connection, true);
}

static void finish(struct gn_connection *connection)
{
    struct gn_h1_session *session = &connection->h1;
    session->finishing = true;
    bool between = session->reading == GN_H1_READING_HEAD && gn_buffer_length(&connection->input) == 0;
    if (!between)
        return;
    // An idle connection ends behind this turn's input (see `deadline`): a request that is here already would be lost
    // by RST.
    session->since = connection->context->now;
    if (connection->exchange_count == 0 && connection->output.length == 0)
        return;
    session->reading = GN_H1_READING_STOPPED;
    if (connection->exchange_count == 0 && connection->aside_count == 0)
        gn_connection_finish_output(connection, false);
}

static uint64_t deadline(const struct gn_connection *connection, unsigned *reason)
{
    const struct gn_listener_settings *settings = connection->settings;
    const struct gn_h1_session *session = &connection->h1;
    uint64_t limit = 0, since = session->since;
    if (session->reading == GN_H1_READING_TUNNEL)
        return gn_h1_tunnel_deadline(connection, reason);
    if (session->reading == GN_H1_READING_OFFER) {
        return GN_TIMER_NEVER;
    } else if (session->reading == GN_H1_READING_STOPPED) {
        if (connection->output.length > 0 || !gn_h1_reply_waits_for_java(connection))
            return GN_TIMER_NEVER;
        limit = settings->linger_timeout;
        since = connection->last_sent > since ? connection->last_sent : since;
        *reason = connection->input_ended ? GN_REASON_PEER_CLOSED : GN_REASON_CLOSED_HERE;
    } else if (session->reading != GN_H1_READING_HEAD) {
        bool unwanted = session->receiving != NULL && session->receiving->receive_credit == 0;
        if (unwanted || connection->blocked & (GN_BLOCKED_CREDIT | GN_BLOCKED_MEMORY | GN_BLOCKED_RING))
            return GN_TIMER_NEVER;
        limit = settings->body_timeout;
        *reason = GN_REASON_BODY_TIMEOUT;
    } else if (session->partial != NULL) {
        limit = settings->head_timeout;
        *reason = GN_REASON_HEAD_TIMEOUT;
    } else if (connection->exchange_count > 0 || connection->blocked != 0 || connection->output.length > 0) {
        return GN_TIMER_NEVER;
    } else if (session->finishing) {
        *reason = GN_REASON_SHUTDOWN;
        if (connection->aside_count == 0)
            return 0;
        limit = settings->linger_timeout;
        since = connection->last_sent > since ? connection->last_sent : since;
    } else if (session->used) {
        limit = settings->idle_timeout;
        since = connection->last_sent > since ? connection->last_sent : since;
        *reason = GN_REASON_IDLE_TIMEOUT;
    } else {
        limit = settings->first_byte_timeout;
        *reason = GN_REASON_FIRST_BYTE_TIMEOUT;
    }
    return limit == 0 ? GN_TIMER_NEVER : since + limit;
}

static uint64_t stalled_since(const struct gn_connection *connection)
{
    const struct gn_h1_session *session = &connection->h1;
    bool begins = session->reading == GN_H1_READING_HEAD;
    if (connection->exchange_count > (begins ? 0 : 1) || (connection->blocked & ~(unsigned)GN_BLOCKED_MEMORY) != 0)
        return GN_TIMER_NEVER;
    if (connection->blocked != 0)
        return gn_relief_is_up_to_java(connection->context) ? GN_TIMER_NEVER
                                                            : connection->last_received + GN_RELIEF_WAITED;
    // A head counts from its beginning, else a byte now and then would keep it for ever.
    if (begins)
        return session->partial != NULL ? session->since : GN_TIMER_NEVER;
    const struct gn_exchange *exchange = session->receiving;
    if (session->reading > GN_H1_READING_TRAILERS || exchange == NULL || exchange->receive_credit == 0)
        return GN_TIMER_NEVER;
    uint64_t time = connection->context->now - session->since;
    bool slow = !session->interrupted && session->progress < gn_connection_least_bytes(GN_RELIEF_BODY_RATE, time);
    return slow || connection->last_received < session->since ? session->since : connection->last_received;
}

static void expired(struct gn_connection *connection, unsigned reason)
{
    const struct gn_listener_settings *settings = connection->settings;
    struct gn_h1_session *session = &connection->h1;
    if (reason == GN_REASON_BODY_TIMEOUT &&
        (session->interrupted ||
         session->progress >= gn_connection_least_bytes(settings->body_rate, settings->body_timeout))) {
        gn_h1_body_wait(connection);
        return;
    }
    if (reason == GN_REASON_PEER_CLOSED || reason == GN_REASON_CLOSED_HERE) {
        gn_h1_reply_end_whole(connection, reason);
        return;
    }
    if (reason != GN_REASON_SHUTDOWN)
        connection->context->counters->timeouts++;
    if (reason == GN_REASON_BODY_TIMEOUT) {
        fail_body(connection, reason, 408);
        return;
    }
    if (reason == GN_REASON_HEAD_TIMEOUT) {
        refuse_head(connection, &connection->h1.partial->request, reason, 408);
        drop_partial(connection);
        return;
    }
    gn_connection_end(connection, reason, reason == GN_REASON_TUNNEL_TIMEOUT);
}

/* HTTP/1 has no codes. */
static void reset(struct gn_exchange *exchange, uint32_t code)
{
    (void)code;
    gn_h1_reply_cut(exchange);
}

const struct gn_protocol gn_h1_protocol = {
    .name = "HTTP/1",
    .input = input,
    .input_ended = input_ended,
    .respond = gn_h1_reply_respond,
    .interim = gn_h1_reply_interim,
    .data = gn_h1_reply_data,
    .trailers = gn_h1_reply_trailers,
    .prepared = gn_h1_reply_prepared,
    .credit = gn_h1_reply_credit,
    .reset = reset,
    .released = gn_h1_reply_released,
    .drained = gn_h1_reply_drained,
    .finish = finish,
    .deadline = deadline,
    .stalled_since = stalled_since,
    .expired = expired,
    .end = drop_partial,
};
