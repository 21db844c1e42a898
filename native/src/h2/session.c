#include "h2/session.h"

#include <string.h>

#include "conn/connection.h"
#include "h2/control.h"
#include "h2/frame.h"
#include "h2/receive.h"
#include "h2/reply.h"
#include "h2/time.h"

/* No stream is on any list. */
static void start_lists(struct gn_h2_session *session)
{
    gn_h2_scheduler_start(&session->scheduler);
    gn_list_start(&session->deliverable);
    gn_list_start(&session->granted);
    gn_list_start(&session->bodies);
    gn_list_start(&session->pauses);
    gn_list_start(&session->windows);
}

int gn_h2_session_start(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    const struct gn_listener_settings *settings = connection->settings;
    struct gn_h2_session *session = gn_memory_allocate(&context->memory, sizeof(*session));
    if (session == NULL)
        return -ENOMEM;
    connection->h2 = session;
    connection->protocol = &gn_h2_protocol;
    gn_hpack_decoder_start(&session->decoder, &context->memory, GN_HPACK_ENCODER_TABLE_MAX);
    gn_hpack_encoder_start(&session->encoder, &context->memory);
    start_lists(session);
    session->send_window = GN_H2_WINDOW_DEFAULT;
    session->peer_window = GN_H2_WINDOW_DEFAULT;
    session->peer_frame_bytes = GN_H2_FRAME_SIZE_MIN;
    bool adaptive = settings->adaptive_window != 0;
    session->connection_size = adaptive ? GN_H2_WINDOW_DEFAULT : (int32_t)settings->connection_window;
    session->receive_window = session->connection_size;
    session->stream_window_told = adaptive ? GN_H2_WINDOW_DEFAULT : (int32_t)settings->stream_window;
    // Until the peer has acknowledged our settings, it may go by the defaults.
    bool smaller = session->stream_window_told < GN_H2_WINDOW_DEFAULT;
    session->stream_window = smaller ? GN_H2_WINDOW_DEFAULT : session->stream_window_told;
    session->resets = gn_h2_budget_start(settings->resets, context->now);
    session->provoked_resets = gn_h2_budget_start(settings->provoked_resets, context->now);
    session->control_frames = gn_h2_budget_start(settings->control_frames, context->now);
    session->last_served = GN_H2_STREAM_MAX;
    session->idle_since = context->now;
    gn_h2_send_settings(connection);
    return 0;
}

/* ---- for the parts ---- */

uint8_t *gn_h2_reserve(struct gn_connection *connection, size_t length)
{
    uint8_t *bytes = gn_output_reserve(connection->context, &connection->output, length);
    if (bytes == NULL)
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
    return bytes;
}

void gn_h2_commit(struct gn_connection *connection, size_t length)
{
    gn_output_commit(&connection->output, length);
    gn_connection_touch(connection);
}

/* Takes all exchanges off the connection, which goes on to send what it has. */
static void leave_exchanges(struct gn_connection *connection, unsigned reason)
{
    struct gn_h2_session *session = connection->h2;
    while (!gn_list_empty(&connection->exchanges)) {
        struct gn_exchange *exchange = gn_list_owner(connection->exchanges.next, struct gn_exchange, link);
        struct gn_h2_stream *stream = exchange->stream;
        exchange->stream = NULL;
        bool cut = stream != NULL && !stream->send_ended;
        if (stream != NULL)
            gn_h2_streams_close(connection->context, &session->streams, stream);
        if (!exchange->released && !gn_exchange_whole(exchange))
            gn_exchange_break(connection->context, exchange, reason, 0);
        else if (!exchange->released && cut && exchange->notify)
            gn_exchange_sent(connection->context, exchange, reason);
        gn_exchange_detach(connection->context, exchange);
    }
    start_lists(session);
    session->data.stream = NULL;
}

void gn_h2_fail(struct gn_connection *connection, uint32_t code, unsigned reason)
{
    if (connection->state != GN_CONNECTION_OPEN)
        return;
    gn_connection_log_refusal(connection, reason, 0);
    gn_h2_send_goaway(connection, connection->h2->last_stream, code, gn_reason_text(reason));
    if (connection->state != GN_CONNECTION_OPEN)
        return;
    leave_exchanges(connection, reason);
    gn_connection_finish_output(connection, false);
}

bool gn_h2_charge(struct gn_connection *connection, struct gn_h2_budget *budget, unsigned reason)
{
    if (gn_h2_budget_take(budget, connection->context->now))
        return true;
    gn_h2_fail(connection, GN_H2_ENHANCE_YOUR_CALM, reason);
    return false;
}

bool gn_h2_was_reset(const struct gn_h2_session *session, uint32_t id)
{
    for (uint32_t i = 0; i < GN_H2_RESETS_KEPT; i++)
        if (session->reset_ids[i] == id)
            return true;
    return false;
}

/* A frame whose payload is one number. False: the connection was ended. */
static bool send_number(struct gn_connection *connection, enum gn_h2_frame_type type, uint32_t id, uint32_t number)
{
    uint8_t *to = gn_h2_reserve(connection, GN_H2_FRAME_HEADER + 4);
    if (to == NULL)
        return false;
    gn_h2_write_32(gn_h2_frame_write(to, 4, type, 0, id), number);
    gn_h2_commit(connection, GN_H2_FRAME_HEADER + 4);
    return true;
}

void gn_h2_send_reset(struct gn_connection *connection, uint32_t id, uint32_t code, bool ended)
{
    struct gn_h2_session *session = connection->h2;
    if (send_number(connection, GN_H2_RST_STREAM, id, code) && !ended)
        session->reset_ids[session->resets_made++ % GN_H2_RESETS_KEPT] = id;
}

void gn_h2_reset(struct gn_connection *connection, struct gn_h2_stream *stream, uint32_t code, unsigned reason)
{
    struct gn_exchange *exchange = stream->exchange;
    gn_h2_send_reset(connection, stream->id, code, stream->receive_ended);
    if (connection->state != GN_CONNECTION_OPEN)
        return;
    if (!exchange->released && !gn_exchange_whole(exchange))
        gn_exchange_break(connection->context, exchange, reason, 0);
    else if (exchange->notify)
        gn_exchange_sent(connection->context, exchange, reason);
    gn_h2_close(connection, stream);
}

void gn_h2_reset_for(struct gn_connection *connection, struct gn_h2_stream *stream, uint32_t code, unsigned reason)
{
    gn_connection_log_refusal(connection, reason, 0);
    if (gn_h2_charge(connection, &connection->h2->provoked_resets, GN_REASON_PROVOKED_RESET_FLOOD))
        gn_h2_reset(connection, stream, code, reason);
}

void gn_h2_close(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    struct gn_context *context = connection->context;
    struct gn_h2_session *session = connection->h2;
    struct gn_exchange *exchange = stream->exchange;
    uint32_t held = (uint32_t)stream->input.length;
    if (session->data.stream == stream)
        session->data.stream = NULL; // what comes of it is dropped
    gn_list_remove(&stream->deliverable);
    gn_list_remove(&stream->granted);
    gn_list_remove(&stream->receive_wait.link);
    gn_list_remove(&stream->send_wait.link);
    gn_h2_scheduler_remove(&session->scheduler, &stream->turn);
    session->full_credits -= stream->full_credit;
    gn_output_clear(context, &exchange->held);
    exchange->stream = NULL;
    if (exchange->framing == GN_BODY_RAW) {
        context->counters->tunnels_open--;
        exchange->framing = GN_BODY_NONE;
    }
    gn_h2_streams_close(context, &session->streams, stream);
    if (exchange->released) {
        gn_exchange_detach(context, exchange);
    } else if (exchange->broken) {
        exchange->holds_place = true;
        session->places++;
    }
    if (held > 0)
        gn_h2_take(connection, NULL, held);
    if (session->streams.count == 0)
        session->idle_since = context->now;
    gn_h2_settle(connection);
}

void gn_h2_settle(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    if (connection->state != GN_CONNECTION_OPEN || session->streams.count > 0)
        return;
    if (session->leaving == GN_H2_LEFT || connection->input_ended) {
        leave_exchanges(connection, GN_REASON_CLOSED_HERE);
        gn_connection_finish_output(connection, connection->input_ended);
    }
}

/* ---- windows of what is received ---- */

/* Opens a window by what was taken, once that is half of it. Returns by how much. */
static uint32_t open_window(int32_t *window, uint32_t *taken, uint64_t size)
{
    if (*taken == 0 || *taken < size / 2)
        return 0;
    uint32_t more = *taken;
    *window += (int32_t)more;
    *taken = 0;
    return more;
}

void gn_h2_open_stream(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    uint64_t size = (uint64_t)connection->h2->stream_window;
    uint32_t more = open_window(&stream->receive_window, &stream->taken, size);
    if (more > 0)
        send_number(connection, GN_H2_WINDOW_UPDATE, stream->id, more);
}

void gn_h2_take(struct gn_connection *connection, struct gn_h2_stream *stream, uint32_t octets)
{
    struct gn_h2_session *session = connection->h2;
    if (octets == 0 || connection->state != GN_CONNECTION_OPEN)
        return;
    session->taken += octets;
    uint32_t more = open_window(&session->receive_window, &session->taken, (uint64_t)session->connection_size);
    if (more > 0)
        send_number(connection, GN_H2_WINDOW_UPDATE, 0, more);
    if (stream == NULL || stream->receive_ended || connection->state != GN_CONNECTION_OPEN)
        return;
    stream->taken += octets;
    gn_h2_open_stream(connection, stream);
}

/* ---- input ---- */

/* Whether a frame may not stand where it does, which is an error of the connection. */
static bool is_out_of_place(const struct gn_h2_session *session, const struct gn_h2_frame *frame)
{
    if (!session->settings_received && (frame->type != GN_H2_SETTINGS || (frame->flags & GN_H2_ACK)))
        return true;                // section 3.4
    if (session->block.stream != 0) // section 6.10
        return frame->type != GN_H2_CONTINUATION || frame->stream != session->block.stream;
    return frame->type == GN_H2_CONTINUATION;
}

/* A frame whose header says that it is wrong. */
static void refuse_frame(struct gn_connection *connection, const struct gn_h2_frame *frame, enum gn_h2_error error,
                         bool of_stream)
{
    struct gn_h2_session *session = connection->h2;
    unsigned reason = error == GN_H2_FRAME_SIZE_ERROR ? GN_REASON_FRAME_SIZE : GN_REASON_HTTP_2_ERROR;
    if (!of_stream || (gn_h2_is_idle(session, frame->stream) && frame->type != GN_H2_PRIORITY)) {
        gn_h2_fail(connection, error, reason);
        return;
    }
    if (frame->type == GN_H2_DATA) {
        session->receive_window -= (int32_t)frame->length;
        if (session->receive_window < 0) {
            gn_h2_fail(connection, GN_H2_FLOW_CONTROL_ERROR, GN_REASON_FLOW_CONTROL);
            return;
        }
        gn_h2_take(connection, NULL, frame->length);
    }
    session->skipped = frame->length;
    struct gn_h2_stream *stream = gn_h2_streams_find(&session->streams, frame->stream);
    if (stream != NULL)
        gn_h2_reset_for(connection, stream, error, reason);
    else
        gn_h2_charge(connection, &session->provoked_resets, GN_REASON_PROVOKED_RESET_FLOOD);
}

/* Uses what it can of the next frame; returns how many bytes it used. 0: it needs more, or is blocked. */
static size_t read_frame(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    struct gn_h2_session *session = connection->h2;
    if (length < GN_H2_FRAME_HEADER)
        return 0;
    struct gn_h2_frame frame = gn_h2_frame_read(bytes);
    bool of_stream;
    enum gn_h2_error error = gn_h2_frame_check(&frame, (uint32_t)connection->settings->frame_bytes, &of_stream);
    if (is_out_of_place(session, &frame) && (error == GN_H2_NO_ERROR || of_stream)) {
        gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        return length;
    }
    if (error != GN_H2_NO_ERROR) {
        refuse_frame(connection, &frame, error, of_stream);
        return GN_H2_FRAME_HEADER;
    }
    const uint8_t *payload = bytes + GN_H2_FRAME_HEADER;
    size_t whole = GN_H2_FRAME_HEADER + frame.length;
    switch (frame.type) {
    case GN_H2_DATA:
        if ((frame.flags & GN_H2_PADDED) && frame.length > 0 && length == GN_H2_FRAME_HEADER)
            return 0;
        gn_h2_begin_data(connection, &frame, payload);
        return GN_H2_FRAME_HEADER + ((frame.flags & GN_H2_PADDED) != 0);
    case GN_H2_HEADERS:
    case GN_H2_CONTINUATION:
        return length >= whole && gn_h2_receive_block(connection, &frame, payload) ? whole : 0;
    case GN_H2_PRIORITY:
    case GN_H2_RST_STREAM:
    case GN_H2_SETTINGS:
    case GN_H2_PUSH_PROMISE:
    case GN_H2_PING:
    case GN_H2_GOAWAY:
    case GN_H2_WINDOW_UPDATE:
    case GN_H2_PRIORITY_UPDATE:
        if (length < whole)
            return 0;
        gn_h2_receive_control(connection, &frame, payload);
        return whole;
    default:
        gn_h2_receive_control(connection, &frame, NULL);
        session->skipped = frame.length;
        return GN_H2_FRAME_HEADER;
    }
}

static size_t skip(struct gn_h2_session *session, size_t length)
{
    size_t used = length < session->skipped ? length : session->skipped;
    session->skipped -= (uint32_t)used;
    return used;
}

static size_t input(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    struct gn_h2_session *session = connection->h2;
    size_t used = 0;
    while (used < length && connection->blocked == 0 && connection->state == GN_CONNECTION_OPEN) {
        if (used >= connection->context->turn_bytes) {
            connection->blocked |= GN_BLOCKED_TURN;
            break;
        }
        // What answers the peer's frames waits for the peer, too.
        if (connection->output.length > 2 * GN_H2_OUTPUT_MARK) {
            connection->blocked |= GN_BLOCKED_OUTPUT;
            break;
        }
        size_t step;
        if (session->data.left > 0)
            step = gn_h2_receive_data(connection, bytes + used, length - used);
        else if (session->skipped > 0)
            step = skip(session, length - used);
        else
            step = read_frame(connection, bytes + used, length - used);
        if (step == 0)
            break;
        used += step;
    }
    if (used > length)
        used = length;
    bool partial = (used < length && connection->blocked == 0) || session->block.stream != 0;
    if (!partial)
        session->partial_since = 0;
    else if (session->partial_since == 0 || (used > 0 && session->block.stream == 0))
        session->partial_since = connection->context->now;
    if (connection->state == GN_CONNECTION_OPEN)
        gn_h2_settle(connection);
    return used;
}

static void resume(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_list *link;
    while (connection->state == GN_CONNECTION_OPEN && (link = gn_list_take(&session->deliverable)) != NULL) {
        struct gn_h2_stream *stream = gn_list_owner(link, struct gn_h2_stream, deliverable);
        if (!gn_h2_deliver(connection, stream)) {
            if (connection->state == GN_CONNECTION_OPEN)
                gn_list_prepend(&session->deliverable, &stream->deliverable);
            return;
        }
    }
}

static void input_ended(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    bool cut = gn_buffer_length(&connection->input) > 0 || session->block.stream != 0;
    if (session->streams.count > 0 && connection->settings->half_close == 0) {
        gn_connection_end(connection, GN_REASON_PEER_CLOSED, false);
        return;
    }
    for (uint32_t i = 0; i < session->streams.capacity; i++) {
        struct gn_h2_stream *stream = session->streams.buckets[i];
        while (stream != NULL && connection->state == GN_CONNECTION_OPEN) {
            struct gn_h2_stream *next = stream->next;
            if (!stream->receive_ended)
                gn_h2_reset(connection, stream, GN_H2_CANCEL, GN_REASON_BODY_CUT);
            stream = next;
        }
    }
    if (connection->state != GN_CONNECTION_OPEN || session->streams.count > 0)
        return;
    if (cut)
        gn_connection_log_refusal(connection, GN_REASON_HEAD_CUT, 0);
    if (connection->output.length == 0)
        gn_connection_end(connection, cut ? GN_REASON_HEAD_CUT : GN_REASON_NONE, false);
    else
        gn_h2_settle(connection);
}

/* ---- the end ---- */

static void end(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    struct gn_h2_session *session = connection->h2;
    gn_h2_streams_end(context, &session->streams);
    gn_buffer_consume(context, &session->block.fragments, gn_buffer_length(&session->block.fragments));
    gn_h2_repeat_end(&session->repeat, &context->memory);
    gn_hpack_decoder_end(&session->decoder);
    gn_hpack_encoder_end(&session->encoder);
    gn_memory_free(&context->memory, session, sizeof(*session));
}

const struct gn_protocol gn_h2_protocol = {
    .name = "HTTP/2",
    .input = input,
    .input_ended = input_ended,
    .resume = resume,
    .respond = gn_h2_reply_respond,
    .interim = gn_h2_reply_interim,
    .data = gn_h2_reply_data,
    .trailers = gn_h2_reply_trailers,
    .prepared = gn_h2_reply_prepared,
    .credit = gn_h2_reply_credit,
    .reset = gn_h2_reply_reset,
    .released = gn_h2_reply_released,
    .produce = gn_h2_reply_produce,
    .finish = gn_h2_finish,
    .deadline = gn_h2_deadline,
    .stalled_since = gn_h2_stalled_since,
    .expired = gn_h2_expired,
    .end = end,
};
