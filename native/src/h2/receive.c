#include "h2/receive.h"

#include <string.h>

#include "conn/body.h"
#include "conn/listener.h"
#include "h2/hpack_tables.h"
#include "h2/reply.h"
#include "h2/request.h"
#include "h2/session.h"

/* A list has pseudo-header fields besides those that count. */
#define PSEUDO_MAX 5U

/* A field block may come in so many frames, and in one more for each of so many bytes of the list's limit. */
#define BLOCK_FRAMES 32U
#define BLOCK_FRAME_BYTES 1024U

/* ---- bodies ---- */

/* Java's end of the stream's request, behind the last octet or without one. */
static void end_request(struct gn_connection *connection, struct gn_h2_stream *stream, bool told)
{
    struct gn_exchange *exchange = stream->exchange;
    if (told)
        exchange->request_ended = true;
    else
        gn_exchange_end(connection->context, exchange);
    exchange->expecting = false;
    gn_h2_await_body(connection, stream);
}

static void deliver_trailers(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    struct gn_context *context = connection->context;
    gn_arena_lend(&context->arena, stream->trailers);
    gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_TRAILERS,
                                                    .length = stream->trailers_size,
                                                    .subject = gn_exchange_id(stream->exchange),
                                                    .block = stream->trailers});
    stream->trailers = 0;
    end_request(connection, stream, true);
}

/* A block for `length` octets of body. 0: blocked. */
static uint64_t body_block(struct gn_connection *connection, struct gn_h2_stream *stream, size_t length)
{
    uint64_t block = 0;
    if (gn_ring_room(&connection->context->ring) == 0)
        connection->blocked |= GN_BLOCKED_RING;
    else
        block = gn_body_block(connection, length);
    if (block == 0)
        stream->interrupted = true;
    return block;
}

static void deliver_block(struct gn_connection *connection, struct gn_h2_stream *stream, uint64_t block, size_t length,
                          bool end)
{
    gn_body_deliver(stream->exchange, block, length, end);
    if (stream->exchange->receive_credit == 0)
        stream->interrupted = true;
    if (end)
        end_request(connection, stream, true);
}

bool gn_h2_deliver(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    struct gn_context *context = connection->context;
    struct gn_exchange *exchange = stream->exchange;
    if (stream->tunnel_waits || exchange->released || exchange->broken)
        return true;
    while (stream->input.length > 0) {
        size_t length = gn_body_piece(exchange, stream->input.length);
        if (length == 0)
            return true;
        uint64_t block = body_block(connection, stream, length);
        if (block == 0)
            return false;
        gn_output_take(context, &stream->input, gn_arena_bytes(&context->arena, block), length);
        bool end = stream->input.length == 0 && stream->receive_ended && stream->trailers == 0;
        deliver_block(connection, stream, block, length, end);
        gn_h2_take(connection, stream, (uint32_t)length);
        if (connection->state != GN_CONNECTION_OPEN)
            return false;
    }
    if (stream->trailers != 0) {
        if (gn_ring_room(&context->ring) == 0) {
            connection->blocked |= GN_BLOCKED_RING;
            return false;
        }
        deliver_trailers(connection, stream);
    } else if (stream->receive_ended && !exchange->request_ended) {
        end_request(connection, stream, false);
    }
    if (stream->receive_ended && stream->send_ended)
        gn_h2_close(connection, stream);
    return true;
}

void gn_h2_schedule_delivery(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    bool waits = gn_h2_stream_holds_input(stream) || (stream->receive_ended && !stream->exchange->request_ended);
    if (!waits || !gn_list_empty(&stream->deliverable))
        return;
    gn_list_append(&connection->h2->deliverable, &stream->deliverable);
    // The loop comes round to it in this turn (gn_protocol.resume).
    if (gn_list_empty(&connection->ready))
        gn_list_append(&connection->context->ready, &connection->ready);
}

void gn_h2_fail_body(struct gn_connection *connection, struct gn_h2_stream *stream, unsigned reason, unsigned status)
{
    struct gn_exchange *exchange = stream->exchange;
    bool answer = exchange->response == GN_RESPONSE_NONE;
    gn_connection_log_refusal(connection, reason, answer ? status : 0);
    if (!answer) {
        gn_h2_reset(connection, stream, GN_H2_CANCEL, reason);
        return;
    }
    gn_exchange_break(connection->context, exchange, reason, status);
    gn_h2_reply_error(exchange, status);
}

/* The last frame of the request's body came. */
static void body_ended(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    stream->receive_ended = true;
    if (stream->has_length && stream->body_left > 0) {
        gn_h2_reset_for(connection, stream, GN_H2_PROTOCOL_ERROR, GN_REASON_LENGTH_MISMATCH); // section 8.1.1
        return;
    }
    struct gn_exchange *exchange = stream->exchange;
    if (!exchange->request_ended && !gn_h2_stream_holds_input(stream) && !stream->tunnel_waits)
        end_request(connection, stream, false);
    gn_h2_await_body(connection, stream);
    // What Java has not taken outlives the stream on the wire.
    if (stream->send_ended && (exchange->released || exchange->broken || !gn_h2_stream_holds_input(stream)))
        gn_h2_close(connection, stream);
}

/* Whether a DATA frame may go to its stream, which is *found; else what is wrong was told. */
static bool accept_data(struct gn_connection *connection, const struct gn_h2_frame *frame, uint32_t octets,
                        struct gn_h2_stream **found)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_h2_stream *stream = *found = gn_h2_streams_find(&session->streams, frame->stream);
    bool end = frame->flags & GN_H2_END_STREAM;
    if (stream == NULL) {
        if (gn_h2_is_idle(session, frame->stream)) {
            gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        } else if (!gn_h2_charge(connection, &session->control_frames, GN_REASON_CONTROL_FLOOD)) {
            return false;
        } else if (!gn_h2_was_reset(session, frame->stream) && frame->stream <= session->last_served) {
            gn_connection_log_refusal(connection, GN_REASON_STREAM_CLOSED, 0);
            if (gn_h2_charge(connection, &session->provoked_resets, GN_REASON_PROVOKED_RESET_FLOOD))
                gn_h2_send_reset(connection, frame->stream, GN_H2_STREAM_CLOSED, false);
        }
        return false;
    }
    stream->receive_window -= (int32_t)frame->length;
    if (stream->receive_ended) {
        gn_h2_reset_for(connection, stream, GN_H2_STREAM_CLOSED, GN_REASON_STREAM_CLOSED);
        return false;
    }
    if (stream->receive_window < 0) {
        gn_h2_reset_for(connection, stream, GN_H2_FLOW_CONTROL_ERROR, GN_REASON_FLOW_CONTROL);
        return false;
    }
    if (stream->has_length && (octets > stream->body_left || (end && octets < stream->body_left))) {
        gn_h2_reset_for(connection, stream, GN_H2_PROTOCOL_ERROR, GN_REASON_LENGTH_MISMATCH);
        return false;
    }
    if (octets <= GN_H2_TINY && !end && !gn_h2_charge(connection, &session->control_frames, GN_REASON_CONTROL_FLOOD))
        return false;
    stream->exchange->expecting &= octets == 0; // it does not wait for 100 (Continue)
    stream->body_left -= stream->has_length ? octets : 0;
    stream->body_total += octets;
    stream->receive_wait.progress += octets;
    struct gn_exchange *exchange = stream->exchange;
    bool tunnel = exchange->framing == GN_BODY_RAW || stream->tunnel_waits;
    if (!tunnel && !exchange->broken && gn_body_is_too_large(connection, stream->body_total)) {
        gn_h2_fail_body(connection, stream, GN_REASON_BODY_TOO_LARGE, 413);
        return false;
    }
    return true;
}

void gn_h2_begin_data(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *padding)
{
    struct gn_h2_session *session = connection->h2;
    uint32_t octets = frame->length;
    if (frame->flags & GN_H2_PADDED) {
        if (gn_h2_unpad(frame, padding, &octets) < 0) {
            bool none = frame->length == 0;
            gn_h2_fail(connection, none ? GN_H2_FRAME_SIZE_ERROR : GN_H2_PROTOCOL_ERROR,
                       none ? GN_REASON_FRAME_SIZE : GN_REASON_HTTP_2_ERROR);
            return;
        }
    }
    // Padding counts, all of it (section 6.9.1).
    session->receive_window -= (int32_t)frame->length;
    if (session->receive_window < 0) {
        gn_h2_fail(connection, GN_H2_FLOW_CONTROL_ERROR, GN_REASON_FLOW_CONTROL);
        return;
    }
    if (connection->settings->adaptive_window != 0 && frame->length > 0)
        gn_h2_estimate_data(connection, frame->length);
    if (connection->state != GN_CONNECTION_OPEN)
        return;
    struct gn_h2_stream *stream;
    bool accepted = accept_data(connection, frame, octets, &stream);
    if (connection->state != GN_CONNECTION_OPEN)
        return;
    session->skipped = frame->flags & GN_H2_PADDED ? frame->length - octets - 1 : 0;
    session->data.stream = accepted ? stream : NULL;
    session->data.left = octets;
    session->data.end = accepted && frame->flags & GN_H2_END_STREAM;
    gn_h2_take(connection, session->data.end ? NULL : session->data.stream, frame->length - octets);
    if (octets == 0 && session->data.end && connection->state == GN_CONNECTION_OPEN) {
        session->data.stream = NULL;
        body_ended(connection, stream);
    }
}

/* Keeps octets until Java has credit for them. */
static void hold(struct gn_connection *connection, struct gn_h2_stream *stream, const uint8_t *bytes, size_t length)
{
    uint64_t before = stream->input.length;
    if (gn_output_append(connection->context, &stream->input, bytes, length))
        return;
    // A part may have been kept, which goes with the stream.
    uint32_t rest = (uint32_t)(before + length - stream->input.length);
    gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_OUT_OF_MEMORY);
    gn_h2_take(connection, NULL, rest);
}

size_t gn_h2_receive_data(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    struct gn_context *context = connection->context;
    struct gn_h2_session *session = connection->h2;
    struct gn_h2_stream *stream = session->data.stream;
    size_t used = length < session->data.left ? length : session->data.left;
    struct gn_exchange *exchange = stream == NULL ? NULL : stream->exchange;
    bool ends = session->data.end && used == session->data.left;
    if (exchange == NULL || exchange->released || exchange->broken) {
        // Nobody wants it. A stream's own window is opened for a while only, so that its peer comes to a halt.
        if (stream != NULL)
            stream->dropped += used;
        bool open = stream != NULL && stream->dropped <= connection->settings->discard_bytes;
        gn_h2_take(connection, open ? stream : NULL, (uint32_t)used);
    } else if (stream->input.length > 0 || exchange->receive_credit == 0 || stream->tunnel_waits) {
        hold(connection, stream, bytes, used);
    } else {
        used = gn_body_piece(exchange, used);
        ends = session->data.end && used == session->data.left;
        uint64_t block = body_block(connection, stream, used);
        if (block == 0)
            return 0;
        memcpy(gn_arena_bytes(&context->arena, block), bytes, used);
        deliver_block(connection, stream, block, used, ends);
        gn_h2_take(connection, session->data.end ? NULL : stream, (uint32_t)used);
    }
    session->data.left -= (uint32_t)used;
    stream = session->data.stream; // it may have ended
    if (ends && stream != NULL && connection->state == GN_CONNECTION_OPEN) {
        session->data.stream = NULL;
        body_ended(connection, stream);
    }
    return used;
}

/* ---- requests ---- */

/* What lets a request be refused without Java; 0: nothing. */
static unsigned refusal(const struct gn_connection *connection, const struct gn_h2_request *request, unsigned *status)
{
    if (request->method == GN_METHOD_CONNECT && request->protocol.length == 0 && connection->settings->connect == 0) {
        *status = 501;
        return GN_REASON_CONNECT_REFUSED;
    }
    if (request->unknown_expectation) {
        *status = 417;
        return GN_REASON_UNKNOWN_EXPECTATION;
    }
    if (request->content_length > 0 && gn_body_is_too_large(connection, (uint64_t)request->content_length)) {
        *status = 413;
        return GN_REASON_BODY_TOO_LARGE;
    }
    return GN_REASON_NONE;
}

/* An exchange with a stream, or NULL: no memory, and nothing changed. */
static struct gn_exchange *open_exchange(struct gn_connection *connection, uint32_t id, bool ended)
{
    struct gn_context *context = connection->context;
    struct gn_h2_session *session = connection->h2;
    struct gn_exchange *exchange = gn_exchange_open(context, connection);
    if (exchange == NULL)
        return NULL;
    struct gn_h2_stream *stream = gn_h2_streams_open(context, &session->streams, id);
    if (stream == NULL) {
        exchange->released = true;
        gn_exchange_detach(context, exchange);
        return NULL;
    }
    stream->exchange = exchange;
    stream->send_window = (int32_t)session->peer_window;
    stream->receive_window = session->stream_window;
    stream->receive_ended = ended;
    exchange->stream = stream;
    exchange->request_ended = ended;
    exchange->keep_alive = true;
    return exchange;
}

/* A request that C answers by itself. */
static void refuse_request(struct gn_connection *connection, uint32_t id, bool ended, bool head_only, unsigned reason,
                           unsigned status)
{
    gn_connection_log_refusal(connection, reason, status);
    struct gn_exchange *exchange = open_exchange(connection, id, ended);
    if (exchange == NULL) {
        gn_h2_send_reset(connection, id, GN_H2_REFUSED_STREAM, ended);
        return;
    }
    exchange->released = true;
    exchange->head_only = head_only;
    gn_h2_reply_error(exchange, status);
}

/* A request whose field block came. */
struct coming {
    uint32_t id;
    bool ended;                       /* END_STREAM */
    const struct gn_hpack_list *list; /* NULL: it is the one that session->repeat keeps */
    const uint8_t *block;
    size_t length;
    uint32_t inserted, count; /* of the dynamic table, before the block was decoded */
};

static void refuse_stream(struct gn_connection *connection, const struct coming *coming, uint32_t code, unsigned reason)
{
    gn_connection_log_refusal(connection, reason, 0);
    if (gn_h2_charge(connection, &connection->h2->provoked_resets, GN_REASON_PROVOKED_RESET_FLOOD))
        gn_h2_send_reset(connection, coming->id, code, coming->ended);
}

/* The priority that the request says. */
static struct gn_h2_priority said_priority(const struct gn_hpack_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->fields[i].token == GN_FIELD_PRIORITY)
            return gn_h2_priority_parse(list->octets + list->fields[i].value, list->fields[i].value_length);
    return gn_h2_priority_default;
}

/* The priority that PRIORITY_UPDATE gave, else the one that the request says. */
static void take_priority(const struct gn_h2_session *session, struct gn_h2_stream *stream, struct gn_h2_priority said)
{
    stream->turn.priority = said;
    for (uint32_t i = 1; i <= GN_H2_EARLY_KEPT && i <= session->early_made; i++) {
        uint32_t place = (session->early_made - i) % GN_H2_EARLY_KEPT;
        if (session->early[place].stream == stream->id) {
            stream->turn.priority = session->early[place].priority;
            return;
        }
    }
}

/* Writes the head block of a request, or copies the one that is kept. Returns the priority that it says. */
static struct gn_h2_priority write_head(struct gn_connection *connection, const struct coming *coming,
                                        const struct gn_h2_request *request, uint8_t *head, size_t size, uint64_t info)
{
    struct gn_h2_session *session = connection->h2;
    if (coming->list == NULL) {
        memcpy(head, session->repeat.head, size);
        ((struct gn_head_block *)(void *)head)->info = info;
        return session->repeat.priority;
    }
    struct gn_h2_priority priority = said_priority(coming->list);
    gn_h2_head_write(head, request, coming->list, info);
    gn_h2_repeat_note(&session->repeat, &connection->context->memory, &session->decoder, coming->inserted,
                      coming->count, coming->block, coming->length, request, priority, head, size);
    return priority;
}

/* Counts a request: the connection may take no more than there were with it. */
static void count_request(struct gn_connection *connection)
{
    uint64_t limit = connection->settings->requests;
    bool last = limit != 0 && ++connection->h2->requests == limit;
    if (last)
        gn_context_count(connection->context, GN_REASON_LAST_REQUEST);
    if (last || connection->settings->keep_alive == 0)
        connection->protocol->finish(connection);
}

/* Hands a request to Java. */
static void admit(struct gn_connection *connection, const struct coming *coming, const struct gn_h2_request *request)
{
    bool ended = coming->ended;
    uint32_t id = coming->id;
    struct gn_context *context = connection->context;
    struct gn_h2_session *session = connection->h2;
    size_t size = coming->list == NULL ? session->repeat.head_size : gn_h2_head_size(request);
    struct gn_exchange *exchange = open_exchange(connection, id, ended);
    if (exchange != NULL) {
        exchange->info = gn_connection_info(connection);
        if (exchange->info != NULL)
            exchange->head_block = gn_arena_allocate(&context->arena, GN_ARENA_HEAD, size);
    }
    if (exchange == NULL || exchange->head_block == 0) {
        // The list cannot be decoded again; the client may try again, since nothing was done.
        gn_context_count(context, GN_REASON_OUT_OF_MEMORY);
        context->relief.refused = true;
        if (exchange == NULL) {
            gn_h2_send_reset(connection, id, GN_H2_REFUSED_STREAM, ended);
        } else {
            exchange->released = true;
            gn_h2_reset(connection, exchange->stream, GN_H2_REFUSED_STREAM, GN_REASON_OUT_OF_MEMORY);
        }
        return;
    }
    struct gn_h2_stream *stream = exchange->stream;
    uint8_t *head = gn_arena_bytes(&context->arena, exchange->head_block);
    take_priority(session, stream, write_head(connection, coming, request, head, size, exchange->info->block));
    exchange->head_only = request->method == GN_METHOD_HEAD;
    exchange->connect = request->method == GN_METHOD_CONNECT;
    exchange->expecting = (request->flags & GN_HEAD_EXPECT_CONTINUE) && !ended && !exchange->connect;
    exchange->receive_credit = exchange->expecting ? 0 : connection->settings->receive_credit;
    stream->has_length = request->content_length >= 0 && !exchange->connect;
    stream->body_left = stream->has_length ? (uint64_t)request->content_length : 0;
    // What follows CONNECT is the tunnel's: for Java the request itself has ended.
    stream->tunnel_waits = exchange->connect;
    exchange->request_ended = ended || exchange->connect;
    exchange->queued =
        session->full_credits >= GN_H2_FULL_CREDITS && connection->settings->stream_send_credit > GN_QUEUED_SEND_CREDIT;
    stream->full_credit = !exchange->queued;
    session->full_credits += stream->full_credit;
    context->counters->requests++;
    gn_h2_budget_give(&session->control_frames, GN_H2_REQUEST_GIVES);
    unsigned flags = (exchange->request_ended ? GN_FLAG_END : 0U) | (exchange->queued ? GN_FLAG_QUEUED : 0U);
    gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_HEAD,
                                                    .flags = (uint8_t)flags,
                                                    .reason = (uint16_t)connection->listener->slot,
                                                    .length = (uint32_t)size,
                                                    .subject = gn_exchange_id(exchange),
                                                    .block = exchange->head_block,
                                                    .value = (int64_t)gn_connection_id(connection)});
    gn_h2_await_body(connection, stream);
    count_request(connection);
}

/* How many fields of a list are no pseudo-header fields. */
static uint32_t count_fields(const struct gn_hpack_list *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++)
        count += list->fields[i].token < GN_PSEUDO_AUTHORITY;
    return count;
}

/* What makes a request no request, whatever its fields are: its length. */
static bool has_wrong_length(const struct gn_h2_request *request, bool ended)
{
    if (request->method == GN_METHOD_CONNECT)
        return request->content_length >= 0; // section 8.5: there is no content
    return request->content_length > 0 && ended;
}

static void receive_request(struct gn_connection *connection, const struct coming *coming)
{
    struct gn_h2_session *session = connection->h2;
    const struct gn_listener_settings *settings = connection->settings;
    const struct gn_hpack_list *list = coming->list;
    struct gn_h2_request fresh, *request = list == NULL ? &session->repeat.request : &fresh;
    enum gn_h2_request_status status = GN_H2_REQUEST_OK;
    if (session->streams.count + session->places >= settings->streams ||
        connection->exchange_count >= 2 * settings->streams) {
        refuse_stream(connection, coming, GN_H2_REFUSED_STREAM, GN_REASON_STREAM_REFUSED);
        return;
    }
    if (list != NULL &&
        (list->too_large || (list->count > settings->fields && count_fields(list) > settings->fields))) {
        refuse_request(connection, coming->id, coming->ended, false, GN_REASON_FIELD_LIST_TOO_LARGE, 431);
        return;
    }
    if (list != NULL)
        status = gn_h2_request_read(request, list, settings->connect_protocol != 0);
    if (status != GN_H2_REQUEST_OK || has_wrong_length(request, coming->ended)) {
        refuse_stream(connection, coming, GN_H2_PROTOCOL_ERROR,
                      status != GN_H2_REQUEST_OK ? GN_REASON_MALFORMED_MESSAGE : GN_REASON_LENGTH_MISMATCH);
        return;
    }
    unsigned code = 0, reason = refusal(connection, request, &code);
    if (reason != GN_REASON_NONE)
        refuse_request(connection, coming->id, coming->ended, request->method == GN_METHOD_HEAD, reason, code);
    else
        admit(connection, coming, request);
}

/* A field block on a stream whose request has a body: its trailer section (section 8.1). */
static void receive_trailers(struct gn_connection *connection, struct gn_h2_stream *stream, bool ended,
                             const struct gn_hpack_list *list)
{
    struct gn_context *context = connection->context;
    struct gn_exchange *exchange = stream->exchange;
    if (stream->receive_ended) {
        gn_h2_reset_for(connection, stream, GN_H2_STREAM_CLOSED, GN_REASON_STREAM_CLOSED);
        return;
    }
    if (list->too_large || list->count > connection->settings->fields ||
        list->size > connection->settings->trailer_bytes) {
        stream->receive_ended = ended;
        gn_h2_fail_body(connection, stream, GN_REASON_TRAILERS_TOO_LARGE, 431);
        return;
    }
    if (!ended || gn_h2_trailers_read(list) != GN_H2_REQUEST_OK || exchange->connect) {
        gn_h2_reset_for(connection, stream, GN_H2_PROTOCOL_ERROR, GN_REASON_MALFORMED_MESSAGE);
        return;
    }
    size_t size = gn_h2_trailers_size(list);
    if (size > gn_head_texts_offset(0) && !exchange->released && !exchange->broken &&
        !(stream->has_length && stream->body_left > 0)) {
        stream->trailers = gn_arena_allocate(&context->arena, GN_ARENA_BODY_IN, size);
        if (stream->trailers == 0) {
            gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_OUT_OF_MEMORY);
            return;
        }
        stream->trailers_size = (uint32_t)size;
        gn_h2_trailers_write(gn_arena_bytes(&context->arena, stream->trailers), list);
        if (stream->input.length == 0)
            deliver_trailers(connection, stream); // there is room in the ring, see gn_h2_receive_block
    }
    body_ended(connection, stream);
}

/* ---- field blocks ---- */

void gn_h2_room_end(struct gn_context *context)
{
    struct gn_h2_room *room = &context->field_room;
    gn_memory_free(&context->memory, room->octets, room->octets_size);
    gn_memory_free(&context->memory, room->fields, room->fields_max * sizeof(*room->fields));
    *room = (struct gn_h2_room){0};
}

/* Room for the list of a block of `length` bytes; false: no memory. */
static bool make_room(struct gn_context *context, size_t octets, uint32_t fields)
{
    struct gn_h2_room *room = &context->field_room;
    if (room->octets_size < octets) {
        gn_memory_free(&context->memory, room->octets, room->octets_size);
        room->octets = gn_memory_allocate(&context->memory, octets);
        room->octets_size = room->octets == NULL ? 0 : octets;
    }
    if (room->fields_max < fields) {
        gn_memory_free(&context->memory, room->fields, room->fields_max * sizeof(*room->fields));
        room->fields = gn_memory_allocate(&context->memory, fields * sizeof(*room->fields));
        room->fields_max = room->fields == NULL ? 0 : fields;
    }
    return room->octets != NULL && room->fields != NULL;
}

/* Ids that a new stream leaves out must not be used any more (section 5.1.1), which is another error than to use one again. */
static void note_gap(struct gn_h2_session *session, uint32_t id)
{
    uint32_t expected = session->last_stream == 0 ? 1 : session->last_stream + 2, place;
    if (id == expected)
        return;
    place = session->gaps_made++ % GN_H2_GAPS_KEPT;
    session->gaps[place].from = expected;
    session->gaps[place].to = id - 2;
}

static bool is_in_gap(const struct gn_h2_session *session, uint32_t id)
{
    for (uint32_t i = 0; i < GN_H2_GAPS_KEPT; i++)
        if (id >= session->gaps[i].from && id <= session->gaps[i].to)
            return true;
    return false;
}

/* A request on a stream that is new. */
static void open_stream(struct gn_connection *connection, const struct coming *coming)
{
    struct gn_h2_session *session = connection->h2;
    note_gap(session, coming->id);
    session->last_stream = coming->id;
    if (session->leaving == GN_H2_LEFT)
        gn_h2_charge(connection, &session->control_frames, GN_REASON_CONTROL_FLOOD); // GOAWAY left it out
    else
        receive_request(connection, coming);
}

/* A whole field block came. */
static void receive_list(struct gn_connection *connection, uint32_t id, bool ended, const uint8_t *bytes, size_t length)
{
    struct gn_context *context = connection->context;
    struct gn_h2_session *session = connection->h2;
    struct coming coming = {
        .id = id,
        .ended = ended,
        .block = bytes,
        .length = length,
        .inserted = session->decoder.table.inserted,
        .count = session->decoder.table.count,
    };
    if (id > session->last_stream && gn_h2_repeat_is(&session->repeat, &session->decoder, bytes, length)) {
        open_stream(connection, &coming);
        return;
    }
    uint32_t size_max = (uint32_t)connection->settings->field_list_bytes;
    uint32_t fields_max = (uint32_t)connection->settings->fields + PSEUDO_MAX;
    if (!make_room(context, gn_hpack_octets_needed(&session->decoder, size_max, length), fields_max)) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return;
    }
    struct gn_hpack_list list = {
        .octets = context->field_room.octets,
        .fields = context->field_room.fields,
        .fields_max = fields_max,
        .size_max = size_max,
    };
    enum gn_hpack_status status = gn_hpack_decode(&session->decoder, bytes, length, &list);
    if (status == GN_HPACK_NO_MEMORY) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return;
    }
    if (status != GN_HPACK_OK) {
        gn_h2_fail(connection, GN_H2_COMPRESSION_ERROR, GN_REASON_COMPRESSION);
        return;
    }
    struct gn_h2_stream *stream = gn_h2_streams_find(&session->streams, id);
    if (stream != NULL) {
        receive_trailers(connection, stream, ended, &list);
    } else if (id > session->last_stream) {
        coming.list = &list;
        open_stream(connection, &coming);
    } else if (gn_h2_was_reset(session, id)) {
        gn_h2_charge(connection, &session->control_frames, GN_REASON_CONTROL_FLOOD);
    } else if (is_in_gap(session, id)) {
        gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
    } else if (session->leaving != GN_H2_LEFT || id <= session->last_served) {
        gn_h2_fail(connection, GN_H2_STREAM_CLOSED, GN_REASON_STREAM_CLOSED);
    } else {
        gn_h2_charge(connection, &session->control_frames, GN_REASON_CONTROL_FLOOD); // GOAWAY left it out
    }
}

/* The old priority in HEADERS (section 5.3.2). */
#define PRIORITY_LENGTH 5U

/* Takes what surrounds the fragment off the payload of HEADERS. -1: malformed, with the error. */
static int fragment_offset(const struct gn_h2_frame *frame, const uint8_t *payload, uint32_t *length,
                           enum gn_h2_error *error)
{
    uint32_t priority = frame->flags & GN_H2_HAS_PRIORITY ? PRIORITY_LENGTH : 0;
    uint32_t least = priority + ((frame->flags & GN_H2_PADDED) != 0);
    int offset = gn_h2_unpad(frame, payload, length);
    *error = frame->length < least ? GN_H2_FRAME_SIZE_ERROR : GN_H2_PROTOCOL_ERROR;
    if (offset < 0 || *length < priority)
        return -1;
    *length -= priority;
    return offset + (int)priority;
}

static void continue_block(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    uint64_t limit = connection->settings->field_list_bytes;
    struct gn_buffer *fragments = &session->block.fragments;
    session->block.frames++;
    if (session->block.frames > BLOCK_FRAMES + limit / BLOCK_FRAME_BYTES ||
        gn_buffer_length(fragments) + frame->length > 2 * limit + connection->settings->frame_bytes) {
        gn_h2_fail(connection, GN_H2_ENHANCE_YOUR_CALM, GN_REASON_CONTINUATION_FLOOD);
        return;
    }
    if (!gn_buffer_append(connection->context, fragments, payload, frame->length)) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return;
    }
    if (!(frame->flags & GN_H2_END_HEADERS))
        return;
    uint32_t id = session->block.stream;
    session->block.stream = 0;
    size_t length = gn_buffer_length(fragments);
    const uint8_t *bytes = length > 0 ? gn_buffer_bytes(connection->context, fragments) : payload;
    receive_list(connection, id, session->block.end, bytes, length);
    gn_buffer_consume(connection->context, fragments, length);
}

bool gn_h2_receive_block(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    // A block is decoded once, so there must be room for what becomes of it.
    if (gn_ring_room(&connection->context->ring) == 0) {
        connection->blocked |= GN_BLOCKED_RING;
        return false;
    }
    if (frame->type == GN_H2_CONTINUATION) {
        continue_block(connection, frame, payload);
        return true;
    }
    uint32_t length = frame->length;
    enum gn_h2_error error;
    int offset = fragment_offset(frame, payload, &length, &error);
    if (offset < 0) {
        gn_h2_fail(connection, error, error == GN_H2_FRAME_SIZE_ERROR ? GN_REASON_FRAME_SIZE : GN_REASON_HTTP_2_ERROR);
        return true;
    }
    if ((frame->stream & 1) == 0) {
        gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        return true;
    }
    bool ended = frame->flags & GN_H2_END_STREAM;
    if (frame->flags & GN_H2_END_HEADERS) {
        receive_list(connection, frame->stream, ended, payload + offset, length);
        return true;
    }
    session->block.stream = frame->stream;
    session->block.frames = 1;
    session->block.end = ended;
    if (length > 0 && !gn_buffer_append(connection->context, &session->block.fragments, payload + offset, length))
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
    return true;
}
