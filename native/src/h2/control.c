#include "h2/control.h"

#include <string.h>

#include "conn/connection.h"
#include "h2/estimate.h"
#include "h2/reply.h"
#include "h2/session.h"
#include "h2/time.h"

/* The most bytes of GOAWAY's text. */
#define TEXT_MAX 128U

#define PING_LENGTH 8U

static const uint8_t ping_payloads[][PING_LENGTH] = {
    [GN_H2_PING_ALIVE] = "alive?", [GN_H2_PING_LEAVING] = "leaving", [GN_H2_PING_ESTIMATE] = "window?"};

/* ---- sending ---- */

static uint8_t *put_setting(uint8_t *to, unsigned setting, uint64_t value)
{
    to[0] = 0;
    to[1] = (uint8_t)setting;
    return gn_h2_write_32(to + 2, (uint32_t)value);
}

void gn_h2_send_settings(struct gn_connection *connection)
{
    const struct gn_listener_settings *settings = connection->settings;
    uint8_t payload[8 * GN_H2_SETTING_LENGTH], *end = payload;
    end = put_setting(end, GN_H2_MAX_CONCURRENT_STREAMS, settings->streams);
    if (connection->h2->stream_window_told != GN_H2_WINDOW_DEFAULT)
        end = put_setting(end, GN_H2_INITIAL_WINDOW_SIZE, (uint64_t)connection->h2->stream_window_told);
    if (settings->frame_bytes != GN_H2_FRAME_SIZE_MIN)
        end = put_setting(end, GN_H2_MAX_FRAME_SIZE, settings->frame_bytes);
    end = put_setting(end, GN_H2_MAX_HEADER_LIST_SIZE, settings->field_list_bytes);
    if (settings->table_bytes != GN_HPACK_ENCODER_TABLE_MAX)
        end = put_setting(end, GN_H2_HEADER_TABLE_SIZE, settings->table_bytes);
    if (settings->connect_protocol != 0)
        end = put_setting(end, GN_H2_ENABLE_CONNECT_PROTOCOL, 1);
    end = put_setting(end, GN_H2_NO_RFC7540_PRIORITIES, 1);
    uint32_t length = (uint32_t)(end - payload);
    uint32_t more = (uint32_t)(connection->h2->connection_size - GN_H2_WINDOW_DEFAULT);
    uint8_t *to = gn_h2_reserve(connection, 2 * GN_H2_FRAME_HEADER + length + 4);
    if (to == NULL)
        return;
    uint8_t *begin = to;
    to = gn_h2_frame_write(to, length, GN_H2_SETTINGS, 0, 0);
    memcpy(to, payload, length);
    to += length;
    if (more > 0)
        to = gn_h2_write_32(gn_h2_frame_write(to, 4, GN_H2_WINDOW_UPDATE, 0, 0), more);
    gn_h2_commit(connection, (size_t)(to - begin));
    connection->h2->settings_sent = connection->context->now;
}

static void send_ping(struct gn_connection *connection, const uint8_t *payload, unsigned flags)
{
    uint8_t *to = gn_h2_reserve(connection, GN_H2_FRAME_HEADER + PING_LENGTH);
    if (to == NULL)
        return;
    memcpy(gn_h2_frame_write(to, PING_LENGTH, GN_H2_PING, flags, 0), payload, PING_LENGTH);
    gn_h2_commit(connection, GN_H2_FRAME_HEADER + PING_LENGTH);
}

void gn_h2_send_ping(struct gn_connection *connection, enum gn_h2_ping why)
{
    send_ping(connection, ping_payloads[why], 0);
}

void gn_h2_send_goaway(struct gn_connection *connection, uint32_t last, uint32_t code, const char *text)
{
    // It must not grow (section 6.8): a stream that was left out stays so.
    last = last < connection->h2->last_served ? last : connection->h2->last_served;
    size_t text_length = strnlen(text, TEXT_MAX);
    uint8_t *to = gn_h2_reserve(connection, GN_H2_FRAME_HEADER + 8 + text_length);
    if (to == NULL)
        return;
    to = gn_h2_frame_write(to, (uint32_t)(8 + text_length), GN_H2_GOAWAY, 0, 0);
    to = gn_h2_write_32(gn_h2_write_32(to, last), code);
    memcpy(to, text, text_length);
    gn_h2_commit(connection, GN_H2_FRAME_HEADER + 8 + text_length);
    connection->h2->last_served = last;
}

/* ---- SETTINGS ---- */

/* Whether some stream's window would be too large (section 6.9.2). */
static bool is_too_wide(const struct gn_h2_session *session, uint32_t window)
{
    int64_t change = (int64_t)window - session->peer_window;
    for (uint32_t i = 0; change > 0 && i < session->streams.capacity; i++)
        for (const struct gn_h2_stream *stream = session->streams.buckets[i]; stream != NULL; stream = stream->next)
            if (stream->send_window + change > GN_H2_WINDOW_MAX)
                return true;
    return false;
}

/* The peer's SETTINGS_INITIAL_WINDOW_SIZE changes what open streams may send, maybe below 0 (section 6.9.2). */
static void change_windows(struct gn_connection *connection, uint32_t window)
{
    struct gn_h2_session *session = connection->h2;
    int64_t change = (int64_t)window - session->peer_window;
    session->peer_window = window;
    for (uint32_t i = 0; i < session->streams.capacity; i++) {
        for (struct gn_h2_stream *stream = session->streams.buckets[i]; stream != NULL; stream = stream->next) {
            stream->send_window = (int32_t)(stream->send_window + change);
            if (stream->send_window <= 0)
                gn_h2_scheduler_remove(&session->scheduler, &stream->turn);
            gn_h2_reply_opened(connection, stream);
        }
    }
}

/* Acts on one of the peer's settings but the window: the connection's error, or none. */
static uint32_t take_setting(struct gn_connection *connection, unsigned setting, uint32_t value)
{
    struct gn_h2_session *session = connection->h2;
    enum gn_h2_error error = gn_h2_setting_check(setting, value);
    if (error != GN_H2_NO_ERROR)
        return error;
    switch (setting) {
    case GN_H2_HEADER_TABLE_SIZE:
        gn_hpack_encoder_allow(&session->encoder, value);
        break;
    case GN_H2_MAX_FRAME_SIZE:
        session->peer_frame_bytes = value;
        break;
    default: // pushes are never made, nor lists sent that a peer would find too large but for a handler's sake
        break;
    }
    return GN_H2_NO_ERROR;
}

static void change_stream_windows(struct gn_connection *connection, int32_t window)
{
    struct gn_h2_session *session = connection->h2;
    int32_t change = window - session->stream_window;
    session->stream_window = window;
    for (uint32_t i = 0; change != 0 && i < session->streams.capacity; i++) {
        for (struct gn_h2_stream *stream = session->streams.buckets[i]; stream != NULL; stream = stream->next) {
            stream->receive_window += change;
            // What was too little of a larger window may be all of a smaller one.
            if (change < 0 && !stream->receive_ended && connection->state == GN_CONNECTION_OPEN)
                gn_h2_open_stream(connection, stream);
        }
    }
}

void gn_h2_grow_windows(struct gn_connection *connection, int32_t size)
{
    struct gn_h2_session *session = connection->h2;
    uint32_t more = (uint32_t)(size - session->connection_size);
    uint8_t *to = gn_h2_reserve(connection, 2 * GN_H2_FRAME_HEADER + GN_H2_SETTING_LENGTH + 4);
    if (to == NULL)
        return;
    to = gn_h2_frame_write(to, GN_H2_SETTING_LENGTH, GN_H2_SETTINGS, 0, 0);
    to = put_setting(to, GN_H2_INITIAL_WINDOW_SIZE, (uint64_t)size);
    gn_h2_write_32(gn_h2_frame_write(to, 4, GN_H2_WINDOW_UPDATE, 0, 0), more);
    gn_h2_commit(connection, 2 * GN_H2_FRAME_HEADER + GN_H2_SETTING_LENGTH + 4);
    // The peer may use the larger ones before its acknowledgement is here.
    session->connection_size = session->stream_window_told = size;
    session->receive_window += (int32_t)more;
    session->settings_sent = connection->context->now;
    change_stream_windows(connection, size);
}

/* What this side's SETTINGS say holds for the peer's frames from now on. */
static void settings_acknowledged(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    if (session->settings_sent == 0)
        return; // nobody asked
    session->settings_sent = 0;
    gn_hpack_decoder_allow(&session->decoder, (uint32_t)connection->settings->table_bytes);
    change_stream_windows(connection, session->stream_window_told);
}

/* Acts on the settings of a frame, which may say a window thousands of times: the last one changes those of the streams,
   and the largest may be the error. */
static uint32_t take_settings(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    uint32_t window = session->peer_window, largest = window;
    for (uint32_t at = 0; at < frame->length; at += GN_H2_SETTING_LENGTH) {
        unsigned setting = (unsigned)payload[at] << 8 | payload[at + 1];
        uint32_t value = gn_h2_read_32(payload + at + 2), error = take_setting(connection, setting, value);
        if (error != GN_H2_NO_ERROR)
            return error;
        if (setting == GN_H2_INITIAL_WINDOW_SIZE) {
            window = value;
            largest = value > largest ? value : largest;
        }
    }
    if (is_too_wide(session, largest))
        return GN_H2_FLOW_CONTROL_ERROR;
    if (window != session->peer_window)
        change_windows(connection, window);
    return GN_H2_NO_ERROR;
}

static void receive_settings(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    connection->h2->settings_received = true;
    if (frame->flags & GN_H2_ACK) {
        settings_acknowledged(connection);
        return;
    }
    uint32_t error = take_settings(connection, frame, payload);
    if (error != GN_H2_NO_ERROR) {
        bool window = error == GN_H2_FLOW_CONTROL_ERROR;
        gn_h2_fail(connection, error, window ? GN_REASON_FLOW_CONTROL : GN_REASON_HTTP_2_ERROR);
        return;
    }
    uint8_t *to = gn_h2_reserve(connection, GN_H2_FRAME_HEADER);
    if (to == NULL)
        return;
    gn_h2_frame_write(to, 0, GN_H2_SETTINGS, GN_H2_ACK, 0);
    gn_h2_commit(connection, GN_H2_FRAME_HEADER);
}

/* ---- the others ---- */

static void receive_ping(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    if (!(frame->flags & GN_H2_ACK)) {
        send_ping(connection, payload, GN_H2_ACK);
        return;
    }
    if (memcmp(payload, ping_payloads[GN_H2_PING_ESTIMATE], PING_LENGTH) == 0) {
        gn_h2_estimate_answered(connection);
    } else if (session->leaving == GN_H2_LEAVING &&
               memcmp(payload, ping_payloads[GN_H2_PING_LEAVING], PING_LENGTH) == 0) {
        // What the peer sent before it knew of the first GOAWAY is here.
        gn_h2_leave(connection);
    }
}

static void receive_window_update(struct gn_connection *connection, const struct gn_h2_frame *frame,
                                  const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    uint32_t more = gn_h2_read_32(payload) & GN_H2_STREAM_MAX;
    struct gn_h2_stream *stream = frame->stream == 0 ? NULL : gn_h2_streams_find(&session->streams, frame->stream);
    if (frame->stream != 0 && stream == NULL) {
        if (gn_h2_is_idle(session, frame->stream))
            gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        return; // it may have crossed its stream's end
    }
    if (more == 0) {
        if (stream == NULL)
            gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        else
            gn_h2_reset_for(connection, stream, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        return;
    }
    if (stream == NULL) {
        if ((int64_t)session->send_window + more > GN_H2_WINDOW_MAX) {
            gn_h2_fail(connection, GN_H2_FLOW_CONTROL_ERROR, GN_REASON_FLOW_CONTROL);
            return;
        }
        session->send_window += (int32_t)more;
        if (session->scheduler.waiting != 0)
            gn_connection_touch(connection);
        return;
    }
    if ((int64_t)stream->send_window + more > GN_H2_WINDOW_MAX) {
        gn_h2_reset_for(connection, stream, GN_H2_FLOW_CONTROL_ERROR, GN_REASON_FLOW_CONTROL);
        return;
    }
    stream->send_window += (int32_t)more;
    gn_h2_reply_opened(connection, stream);
}

static void receive_reset(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_h2_stream *stream = gn_h2_streams_find(&session->streams, frame->stream);
    if (stream == NULL) {
        if (gn_h2_is_idle(session, frame->stream))
            gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        else
            gn_h2_charge(connection, &session->control_frames, GN_REASON_CONTROL_FLOOD);
        return;
    }
    struct gn_exchange *exchange = stream->exchange;
    if (!gn_h2_charge(connection, &session->resets, GN_REASON_RESET_FLOOD))
        return;
    // A stream whose request has ended, and whose response is here in full, lacks nothing for Java.
    if (!exchange->released && !gn_exchange_whole(exchange)) {
        gn_context_count(connection->context, GN_REASON_STREAM_RESET);
        gn_exchange_break_by_peer(connection->context, exchange, gn_h2_read_32(payload));
    } else if (exchange->notify) {
        gn_exchange_sent(connection->context, exchange, GN_REASON_STREAM_RESET);
    }
    gn_h2_close(connection, stream);
}

static void receive_priority_update(struct gn_connection *connection, const struct gn_h2_frame *frame,
                                    const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    uint32_t id = gn_h2_read_32(payload) & GN_H2_STREAM_MAX;
    if ((id & 1) == 0) {
        gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR); // RFC 9218 section 7.1
        return;
    }
    struct gn_h2_priority priority = gn_h2_priority_parse(payload + 4, frame->length - 4);
    struct gn_h2_stream *stream = gn_h2_streams_find(&session->streams, id);
    if (stream != NULL) {
        gn_h2_scheduler_change(&session->scheduler, &stream->turn, priority);
    } else if (id > session->last_stream) {
        uint32_t place = session->early_made++ % GN_H2_EARLY_KEPT;
        session->early[place].stream = id;
        session->early[place].priority = priority;
    }
}

static void receive_goaway(struct gn_connection *connection)
{
    // Nothing is pushed, so no stream of ours is named. The peer opens no more: the connection ends with those it has.
    if (connection->h2->leaving != GN_H2_LEFT)
        gn_h2_leave(connection);
}

void gn_h2_receive_control(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct gn_h2_session *session = connection->h2;
    bool again = session->leaving == GN_H2_LEFT || frame->type != GN_H2_GOAWAY; // the first GOAWAY is no flood
    if (frame->type == GN_H2_WINDOW_UPDATE && session->free_updates > 0)
        session->free_updates--;
    else if (frame->type != GN_H2_RST_STREAM && again &&
             !gn_h2_charge(connection, &session->control_frames, GN_REASON_CONTROL_FLOOD))
        return;
    switch (frame->type) {
    case GN_H2_SETTINGS:
        receive_settings(connection, frame, payload);
        break;
    case GN_H2_PING:
        receive_ping(connection, frame, payload);
        break;
    case GN_H2_WINDOW_UPDATE:
        receive_window_update(connection, frame, payload);
        break;
    case GN_H2_RST_STREAM:
        receive_reset(connection, frame, payload);
        break;
    case GN_H2_GOAWAY:
        receive_goaway(connection);
        break;
    case GN_H2_PRIORITY_UPDATE:
        receive_priority_update(connection, frame, payload);
        break;
    case GN_H2_PUSH_PROMISE:
        gn_h2_fail(connection, GN_H2_PROTOCOL_ERROR, GN_REASON_HTTP_2_ERROR);
        break;
    default: // PRIORITY, which means nothing any more (section 5.3.2), and extensions (section 5.5)
        break;
    }
}
