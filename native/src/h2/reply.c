#include "h2/reply.h"

#include <string.h>

#include "conn/body.h"
#include "h2/frame.h"
#include "h2/prepared.h"
#include "h2/receive.h"
#include "h2/response.h"
#include "h2/session.h"

/* A body up to this size goes into the same block as its head. */
#define JOINED_BODY_MAX 8192U

/* How far Java may go beyond its credit before it is taken for broken: a response's head does not count. */
#define CREDIT_SLACK 65536U

/* A stream sends so many octets before others have their turn. */
#define QUANTUM 16384U

/* Less is held until the end of the turn, where it makes one frame with what else there is by then. */
#define DATA_AT_ONCE 1024U

/* ---- the end of a response ---- */

/* SENT is wanted, and all of the response is in the output. */
static void note_sent(struct gn_connection *connection, struct gn_exchange *exchange)
{
    if (!exchange->notify || !gn_list_empty(&exchange->sending))
        return;
    exchange->sent_position = connection->sent + connection->output.length;
    gn_list_append(&connection->sending, &exchange->sending);
    gn_connection_touch(connection);
}

/* Nobody reads the rest of a request whose response is out (section 8.1). */
static void leave_request(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    if (!stream->receive_ended)
        gn_h2_send_reset(connection, stream->id, GN_H2_NO_ERROR, false);
    if (connection->state == GN_CONNECTION_OPEN)
        gn_h2_close(connection, stream);
}

/* All of the response is out. The stream may be gone behind it, and the exchange if Java has let go of it. */
static void response_out(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    struct gn_exchange *exchange = stream->exchange;
    gn_list_remove(&stream->send_wait.link);
    if (exchange->response == GN_RESPONSE_ENDED)
        note_sent(connection, exchange);
    bool unwanted = exchange->released || exchange->broken;
    if (stream->receive_ended && (unwanted || !gn_h2_stream_holds_input(stream)))
        gn_h2_close(connection, stream);
    else if (!stream->receive_ended && unwanted)
        leave_request(connection, stream);
}

/* ---- DATA ---- */

/* Whether DATA may go out at once: nobody else waits, and the windows let some of it. */
static bool may_write(const struct gn_connection *connection, const struct gn_h2_stream *stream)
{
    const struct gn_h2_session *session = connection->h2;
    return stream->exchange->held.length == 0 && session->scheduler.waiting == 0 && session->send_window > 0 &&
           stream->send_window > 0 && connection->output.length < GN_H2_OUTPUT_MARK;
}

/* The most octets of the next DATA frame. */
static size_t frame_room(const struct gn_connection *connection, const struct gn_h2_stream *stream, uint64_t length)
{
    const struct gn_h2_session *session = connection->h2;
    uint64_t room = length < QUANTUM ? length : QUANTUM;
    room = room < session->peer_frame_bytes ? room : session->peer_frame_bytes;
    room = room < (uint64_t)stream->send_window ? room : (uint64_t)stream->send_window;
    return (size_t)(room < (uint64_t)session->send_window ? room : (uint64_t)session->send_window);
}

/* Whether a body of `length` octets goes out as one frame in the block of its head. */
static bool may_join(const struct gn_connection *connection, const struct gn_h2_stream *stream, size_t length)
{
    return length > 0 && length <= JOINED_BODY_MAX && may_write(connection, stream) &&
           frame_room(connection, stream, length) == length;
}

/* Octets leave the exchange for the output as a DATA frame. */
static void count_data(struct gn_connection *connection, struct gn_h2_stream *stream, size_t length)
{
    struct gn_h2_session *session = connection->h2;
    session->send_window -= (int32_t)length;
    stream->send_window -= (int32_t)length;
    stream->send_wait.progress += length;
    stream->receive_wait.progress += stream->has_length ? 0 : length;
    stream->freed += length;
    if (length > GN_H2_TINY) { // less is what a window makes of it that opens by an octet a time
        gn_h2_budget_give(&session->control_frames, GN_H2_DATA_GIVES);
        session->free_updates += (length + GN_H2_UPDATE_BYTES - 1) / GN_H2_UPDATE_BYTES;
    }
    if (stream->exchange->response == GN_RESPONSE_BEGUN && gn_list_empty(&stream->granted))
        gn_list_append(&session->granted, &stream->granted);
}

static uint8_t *put_data(uint8_t *to, const struct gn_h2_stream *stream, size_t length, bool end)
{
    return gn_h2_frame_write(to, (uint32_t)length, GN_H2_DATA, end ? GN_H2_END_STREAM : 0, stream->id);
}

/* Keeps octets until their turn; false: the connection was ended. */
static bool hold(struct gn_connection *connection, struct gn_h2_stream *stream, const uint8_t *bytes, size_t length)
{
    struct gn_exchange *exchange = stream->exchange;
    if (length == 0)
        return true;
    if (!gn_output_append(connection->context, &exchange->held, bytes, length)) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return false;
    }
    return true;
}

/* Octets are held: the stream waits for its turn, and for its window under a time limit. */
static void wait_for_turn(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    struct gn_h2_session *session = connection->h2;
    if (stream->exchange->held.length == 0)
        return;
    if (gn_list_empty(&stream->send_wait.link)) {
        stream->send_wait.since = connection->context->now;
        stream->send_wait.progress = 0;
        gn_list_append(&session->windows, &stream->send_wait.link);
    }
    if (stream->send_window > 0)
        gn_h2_scheduler_add(&session->scheduler, &stream->turn);
    gn_connection_touch(connection);
}

void gn_h2_reply_opened(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    if (stream->send_window > 0 && stream->exchange->held.length > 0) {
        gn_h2_scheduler_add(&connection->h2->scheduler, &stream->turn);
        gn_connection_touch(connection);
    }
}

/* Sends body octets, or holds them; `end`: they are the last ones, and no trailers follow. False: the connection was ended.
   */
static bool send_body(struct gn_connection *connection, struct gn_h2_stream *stream, const uint8_t *bytes,
                      size_t length, bool end)
{
    while ((end || length >= DATA_AT_ONCE) && length > 0 && may_write(connection, stream)) {
        size_t step = frame_room(connection, stream, length);
        uint8_t *to = gn_h2_reserve(connection, GN_H2_FRAME_HEADER + step);
        if (to == NULL)
            return false;
        stream->send_ended = end && step == length;
        memcpy(put_data(to, stream, step, stream->send_ended), bytes, step);
        gn_h2_commit(connection, GN_H2_FRAME_HEADER + step);
        count_data(connection, stream, step);
        bytes += step;
        length -= step;
    }
    if (!hold(connection, stream, bytes, length))
        return false;
    wait_for_turn(connection, stream);
    return true;
}

/* END_STREAM where no octet is left to bring it. False: the connection was ended. */
static bool send_end(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    uint8_t *to = gn_h2_reserve(connection, GN_H2_FRAME_HEADER);
    if (to == NULL)
        return false;
    put_data(to, stream, 0, true);
    gn_h2_commit(connection, GN_H2_FRAME_HEADER);
    stream->send_ended = true;
    return true;
}

/* ---- field blocks ---- */

/* Makes frames of a field block of `length` bytes at `at` + GN_H2_FRAME_HEADER; returns what they take. */
static size_t put_headers(uint8_t *at, size_t length, uint32_t frame_bytes, unsigned flags, uint32_t id)
{
    if (length <= frame_bytes) {
        gn_h2_frame_write(at, (uint32_t)length, GN_H2_HEADERS, flags | GN_H2_END_HEADERS, id);
        return GN_H2_FRAME_HEADER + length;
    }
    // Fragments move up from the last to the first, to make room for the headers between them.
    size_t last = (length - 1) / frame_bytes;
    for (size_t i = last; i > 0; i--) {
        size_t size = i == last ? length - last * frame_bytes : frame_bytes;
        uint8_t *to = at + i * (frame_bytes + GN_H2_FRAME_HEADER);
        memmove(to + GN_H2_FRAME_HEADER, at + GN_H2_FRAME_HEADER + i * frame_bytes, size);
        gn_h2_frame_write(to, (uint32_t)size, GN_H2_CONTINUATION, i == last ? GN_H2_END_HEADERS : 0, id);
    }
    gn_h2_frame_write(at, frame_bytes, GN_H2_HEADERS, flags, id);
    return length + (last + 1) * GN_H2_FRAME_HEADER;
}

/* The most that the frames of a block of up to `bound` bytes take. */
static size_t frames_bound(const struct gn_connection *connection, size_t bound)
{
    return bound + (bound / connection->h2->peer_frame_bytes + 1) * GN_H2_FRAME_HEADER;
}

static bool send_trailers(struct gn_connection *connection, struct gn_h2_stream *stream, const uint8_t *fields,
                          size_t length)
{
    struct gn_h2_session *session = connection->h2;
    size_t bound = gn_h2_response_trailers_bound(fields, length);
    uint8_t *to = gn_h2_reserve(connection, frames_bound(connection, bound));
    if (to == NULL)
        return false;
    size_t size = gn_h2_response_trailers_write(fields, length, &session->encoder, to + GN_H2_FRAME_HEADER);
    gn_h2_commit(connection, put_headers(to, size, session->peer_frame_bytes, GN_H2_END_STREAM, stream->id));
    stream->send_ended = true;
    return true;
}

/* ---- what Java says ---- */

/* Java has said all of the response. */
static void end_response(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_stream *stream = exchange->stream;
    if (exchange->framing == GN_BODY_SIZED && exchange->body_left > 0) {
        gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_RESPONSE_CUT); // short of its length (C5)
        return;
    }
    exchange->response = GN_RESPONSE_ENDED;
    connection->context->counters->responses++;
    if (stream == NULL) {
        note_sent(connection, exchange);
        return;
    }
    if (!stream->send_ended && exchange->held.length == 0 && stream->tail == NULL && !send_end(connection, stream))
        return;
    if (stream->send_ended)
        response_out(connection, stream);
}

/* Decides what the head says of the body (RFC 9110 section 8.6, RFC 9113 section 8.1.1). */
static void frame(struct gn_exchange *exchange, const struct gn_command *command, struct gn_h2_response *response)
{
    bool end = command->flags & GN_FLAG_END;
    uint64_t length = command->value >= 0 ? (uint64_t)command->value : command->body_length;
    response->length = length;
    exchange->framing = GN_BODY_NONE;
    if (command->status == 304) {
        response->has_length = command->value >= 0;
    } else if (command->status == 205) {
        response->has_length = true; // RFC 9110 15.3.6
        response->length = 0;
    } else if (command->status == 204) {
        response->has_length = false;
    } else if (exchange->head_only) {
        response->has_length = command->value >= 0 || (end && command->body_length > 0);
    } else if (command->value >= 0 || end) {
        response->has_length = true;
        exchange->body_left = length;
        exchange->framing = GN_BODY_SIZED;
    } else {
        exchange->framing = GN_BODY_CHUNKED;
    }
}

/* CONNECT was accepted: what comes and goes now is the tunnel's (section 8.5). */
static void open_tunnel(struct gn_connection *connection, struct gn_exchange *exchange)
{
    exchange->framing = GN_BODY_RAW;
    exchange->request_ended = false;
    exchange->stream->tunnel_waits = false;
    connection->context->counters->tunnels_open++;
    gn_h2_schedule_delivery(connection, exchange->stream);
    gn_h2_await_body(connection, exchange->stream);
}

/* Takes the body that came with a head; `sent`: it is out already. */
static void finish_head(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *body,
                        size_t length, bool sent)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_stream *stream = exchange->stream;
    bool end = command->flags & GN_FLAG_END;
    if (exchange->framing == GN_BODY_SIZED)
        exchange->body_left -= length;
    exchange->send_charged += length;
    if (length < command->body_length && !end)
        gn_exchange_grant(connection->context, exchange, command->body_length - length); // what is dropped
    bool last = end && (exchange->framing != GN_BODY_SIZED || exchange->body_left == 0);
    if (!sent && length > 0 && !send_body(connection, stream, body, length, last))
        return;
    if (end)
        end_response(exchange);
    else if (stream->send_ended)
        response_out(connection, stream);
}

bool gn_h2_reply_respond(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_context *context = connection->context;
    struct gn_h2_session *session = connection->h2;
    struct gn_h2_stream *stream = exchange->stream;
    if (stream == NULL || exchange->response != GN_RESPONSE_NONE || command->status < 200 || command->status > 999 ||
        command->value < -1)
        return false;
    struct gn_h2_response response = {
        .status = command->status,
        .fields = staged,
        .fields_length = command->length,
        .reason = command->flags & GN_FLAG_REASON,
        .date = connection->settings->date ? context->date.text : NULL,
    };
    size_t bound = gn_h2_response_bound(&response);
    if (bound == 0 || bound > GN_BUFFER_MAX / 2)
        return false;
    if (command->flags & GN_FLAG_CLOSE)
        connection->protocol->finish(connection);
    if (connection->state != GN_CONNECTION_OPEN)
        return true;
    if (exchange->connect && command->status < 300)
        open_tunnel(connection, exchange);
    else
        frame(exchange, command, &response);
    if (exchange->framing == GN_BODY_SIZED && command->body_length > exchange->body_left) {
        gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_RESPONSE_CUT); // past its length (C5)
        return false;
    }
    bool end = command->flags & GN_FLAG_END;
    size_t length = exchange->framing == GN_BODY_NONE ? 0 : command->body_length;
    bool whole = exchange->framing == GN_BODY_NONE ||
                 (end && (exchange->framing != GN_BODY_SIZED || exchange->body_left == length));
    bool joined = may_join(connection, stream, length);
    exchange->response = GN_RESPONSE_BEGUN;
    exchange->notify = command->flags & GN_FLAG_NOTIFY;
    exchange->expecting = false;
    uint8_t *to =
        gn_h2_reserve(connection, frames_bound(connection, bound) + (joined ? GN_H2_FRAME_HEADER + length : 0));
    if (to == NULL)
        return true;
    stream->send_ended = whole && (length == 0 || joined);
    unsigned flags = whole && length == 0 ? GN_H2_END_STREAM : 0;
    size_t size =
        gn_h2_response_repeat_write(&session->response_repeat, &response, &session->encoder, to + GN_H2_FRAME_HEADER);
    size = put_headers(to, size, session->peer_frame_bytes, flags, stream->id);
    if (joined) {
        memcpy(put_data(to + size, stream, length, whole), staged + command->length, length);
        size += GN_H2_FRAME_HEADER + length;
        count_data(connection, stream, length);
    }
    gn_h2_commit(connection, size);
    finish_head(exchange, command, staged + command->length, length, joined);
    return true;
}

bool gn_h2_reply_prepared(struct gn_exchange *exchange, const struct gn_command *command, struct gn_prepared *prepared)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_session *session = connection->h2;
    struct gn_h2_stream *stream = exchange->stream;
    if (stream == NULL || exchange->response != GN_RESPONSE_NONE || (exchange->connect && prepared->status < 300))
        return false;
    if (command->flags & GN_FLAG_CLOSE)
        connection->protocol->finish(connection);
    if (connection->state != GN_CONNECTION_OPEN)
        return true;
    size_t length = exchange->head_only || !gn_prepared_has_content(prepared) ? 0 : prepared->body_length;
    bool joined = may_join(connection, stream, length);
    exchange->framing = length == 0 ? GN_BODY_NONE : GN_BODY_SIZED;
    exchange->response = GN_RESPONSE_BEGUN;
    exchange->notify = command->flags & GN_FLAG_NOTIFY;
    exchange->expecting = false;
    size_t bound = frames_bound(connection, gn_h2_prepared_bound(prepared));
    uint8_t *to = gn_h2_reserve(connection, bound + (joined ? GN_H2_FRAME_HEADER + length : 0));
    if (to == NULL)
        return true;
    const char *date = connection->settings->date ? connection->context->date.text : NULL;
    stream->send_ended = length == 0 || joined;
    size_t size = gn_h2_prepared_write(prepared, &session->encoder, exchange->head_only, date, to + GN_H2_FRAME_HEADER);
    size = put_headers(to, size, session->peer_frame_bytes, length == 0 ? GN_H2_END_STREAM : 0, stream->id);
    if (joined) {
        memcpy(put_data(to + size, stream, length, true), prepared->body, length);
        size += GN_H2_FRAME_HEADER + length;
        count_data(connection, stream, length);
    }
    gn_h2_commit(connection, size);
    if (!stream->send_ended) {
        if (!gn_output_refer(connection->context, &exchange->held, prepared)) {
            gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
            return true;
        }
        wait_for_turn(connection, stream);
    }
    end_response(exchange);
    return true;
}

void gn_h2_reply_error(struct gn_exchange *exchange, unsigned status)
{
    struct gn_command command = {
        .kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = (uint16_t)status, .value = 0};
    exchange->response = GN_RESPONSE_NONE;
    gn_h2_reply_respond(exchange, &command, (const uint8_t *)"");
}

static bool send_interim(struct gn_exchange *exchange, const struct gn_h2_response *response, size_t bound)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_session *session = connection->h2;
    uint8_t *to = gn_h2_reserve(connection, frames_bound(connection, bound));
    if (to == NULL)
        return false;
    size_t size = gn_h2_response_write(response, &session->encoder, to + GN_H2_FRAME_HEADER);
    gn_h2_commit(connection, put_headers(to, size, session->peer_frame_bytes, 0, exchange->stream->id));
    return true;
}

bool gn_h2_reply_interim(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    bool is_interim = command->status >= 100 && command->status < 200 && command->status != 101;
    if (exchange->stream == NULL || exchange->response != GN_RESPONSE_NONE || !is_interim)
        return false;
    struct gn_h2_response response = {.status = command->status, .fields = staged, .fields_length = command->length};
    size_t bound = gn_h2_response_bound(&response);
    if (bound == 0 || bound > GN_BUFFER_MAX / 2)
        return false;
    if (command->status == 100)
        exchange->expecting = false;
    send_interim(exchange, &response, bound);
    return true;
}

/* Whether the body may go on; one that floods its credit is cut. */
static bool may_continue(struct gn_exchange *exchange)
{
    if (exchange->response != GN_RESPONSE_BEGUN)
        return false;
    if (exchange->send_charged <= exchange->connection->settings->stream_send_credit + CREDIT_SLACK)
        return true;
    gn_h2_reply_reset(exchange, GN_H2_INTERNAL_ERROR);
    return false;
}

bool gn_h2_reply_data(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_stream *stream = exchange->stream;
    size_t length = command->body_length;
    bool end = command->flags & GN_FLAG_END;
    if (!may_continue(exchange))
        return false;
    if (exchange->framing == GN_BODY_SIZED && length > exchange->body_left) {
        gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_RESPONSE_CUT); // past its length (C5)
        return false;
    }
    if (exchange->framing == GN_BODY_NONE) {
        if (length > 0)
            gn_exchange_grant(connection->context, exchange, length); // dropped
        length = 0;
    }
    exchange->body_left -= exchange->framing == GN_BODY_SIZED ? length : 0;
    exchange->send_charged += length;
    bool last = end && (exchange->framing != GN_BODY_SIZED || exchange->body_left == 0);
    if (length > 0 && !send_body(connection, stream, staged, length, last))
        return true;
    if (end)
        end_response(exchange);
    return true;
}

bool gn_h2_reply_trailers(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_stream *stream = exchange->stream;
    size_t bound = gn_h2_response_trailers_bound(staged, command->length);
    if (exchange->framing == GN_BODY_RAW || bound == 0 || bound > GN_BUFFER_MAX / 2 || !may_continue(exchange))
        return false;
    bool cut = exchange->framing == GN_BODY_SIZED && exchange->body_left > 0;
    if (stream == NULL || stream->send_ended || cut) {
        end_response(exchange);
        return true;
    }
    if (exchange->held.length == 0) {
        if (send_trailers(connection, stream, staged, command->length))
            end_response(exchange);
        return true;
    }
    if (command->length > 0) {
        stream->tail = gn_memory_allocate(&connection->context->memory, command->length);
        if (stream->tail == NULL) {
            gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_OUT_OF_MEMORY);
            return true;
        }
        stream->tail_length = command->length;
        memcpy(stream->tail, staged, command->length);
    }
    end_response(exchange);
    return true;
}

void gn_h2_reply_credit(struct gn_exchange *exchange, uint64_t bytes)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_stream *stream = exchange->stream;
    bool waited = exchange->receive_credit > 0;
    gn_body_credit(exchange, bytes);
    if (stream == NULL)
        return;
    if (exchange->expecting && bytes > 0) {
        exchange->expecting = false;
        struct gn_h2_response response = {.status = 100, .fields = (const uint8_t *)""};
        if (exchange->response == GN_RESPONSE_NONE &&
            !send_interim(exchange, &response, gn_h2_response_bound(&response)))
            return;
    }
    gn_h2_schedule_delivery(connection, stream);
    if (!waited)
        gn_h2_await_body(connection, stream);
}

void gn_h2_reply_reset(struct gn_exchange *exchange, uint32_t code)
{
    struct gn_connection *connection = exchange->connection;
    if (exchange->stream != NULL) {
        gn_h2_reset(connection, exchange->stream, code == GN_H2_NO_ERROR ? GN_H2_INTERNAL_ERROR : code,
                    GN_REASON_ABORTED);
    } else if (!gn_exchange_complete(exchange)) {
        // The peer has all of it.
        gn_exchange_break(connection->context, exchange, GN_REASON_ABORTED, 0);
        exchange->notify = false;
        exchange->response = GN_RESPONSE_ENDED;
    }
}

void gn_h2_reply_released(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_h2_stream *stream = exchange->stream;
    if (stream != NULL && !gn_exchange_complete(exchange)) {
        // Java must not let go of a response or a tunnel that has not ended; where it does, the peer must not take it for
        // complete.
        if (!exchange->broken)
            connection->context->counters->exchanges_reset++;
        exchange->broken = true; // so that no RESET follows its RELEASE
        gn_h2_reset(connection, stream, GN_H2_INTERNAL_ERROR, GN_REASON_ABORTED);
    } else if (stream != NULL) {
        gn_h2_take(connection, NULL, (uint32_t)stream->input.length);
        gn_output_clear(connection->context, &stream->input);
        if (stream->send_ended && connection->state == GN_CONNECTION_OPEN)
            leave_request(connection, stream);
    }
    if (exchange->connection == NULL || exchange->stream != NULL)
        return;
    connection->h2->places -= exchange->holds_place;
    exchange->holds_place = false;
    gn_exchange_detach(connection->context, exchange);
    gn_h2_settle(connection);
}

/* ---- whose turn it is ---- */

static void grant(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_list *link;
    while ((link = gn_list_take(&session->granted)) != NULL) {
        struct gn_h2_stream *stream = gn_list_owner(link, struct gn_h2_stream, granted);
        struct gn_exchange *exchange = stream->exchange;
        if (exchange->response != GN_RESPONSE_BEGUN || exchange->broken)
            continue;
        uint64_t bytes = stream->freed, later = connection->settings->stream_send_credit;
        later = later < GN_H2_LATER_CREDIT ? later : GN_H2_LATER_CREDIT;
        stream->freed = 0;
        exchange->send_charged -= bytes < exchange->send_charged ? bytes : exchange->send_charged;
        if (exchange->queued && later > GN_QUEUED_SEND_CREDIT)
            bytes += later - GN_QUEUED_SEND_CREDIT;
        exchange->queued = false;
        gn_exchange_grant(connection->context, exchange, bytes);
    }
}

/* Sends a DATA frame of what the stream holds. False: the connection was ended. */
static bool send_held(struct gn_connection *connection, struct gn_h2_stream *stream)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_exchange *exchange = stream->exchange;
    size_t length = frame_room(connection, stream, exchange->held.length);
    bool last = exchange->held.length == length && exchange->response == GN_RESPONSE_ENDED;
    uint8_t *to = gn_output_reserve(connection->context, &connection->output, GN_H2_FRAME_HEADER + length);
    if (to == NULL) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return false;
    }
    stream->send_ended = last && stream->tail == NULL;
    to = put_data(to, stream, length, stream->send_ended);
    gn_output_take(connection->context, &exchange->held, to, length);
    gn_output_commit(&connection->output, GN_H2_FRAME_HEADER + length);
    count_data(connection, stream, length);
    if (exchange->held.length > 0 && stream->send_window > 0) {
        gn_h2_scheduler_sent(&session->scheduler, &stream->turn);
        return true;
    }
    gn_h2_scheduler_remove(&session->scheduler, &stream->turn);
    if (exchange->held.length > 0)
        return true;
    gn_list_remove(&stream->send_wait.link);
    if (last && stream->tail != NULL && !send_trailers(connection, stream, stream->tail, stream->tail_length))
        return false;
    if (stream->send_ended)
        response_out(connection, stream);
    return connection->state == GN_CONNECTION_OPEN;
}

void gn_h2_reply_produce(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_h2_turn *turn;
    while (session->send_window > 0 && connection->output.length < GN_H2_OUTPUT_MARK &&
           (turn = gn_h2_scheduler_next(&session->scheduler)) != NULL) {
        if (!send_held(connection, gn_list_owner(turn, struct gn_h2_stream, turn)))
            return;
    }
    grant(connection);
}
