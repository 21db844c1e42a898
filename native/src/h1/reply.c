#include "h1/reply.h"

#include <string.h>

#include "conn/body.h"
#include "h1/body.h"
#include "h1/chunked.h"
#include "h1/prepared.h"
#include "h1/response.h"
#include "h1/tunnel.h"

/* A body up to this size goes into the same block as its head. */
#define JOINED_BODY_MAX 8192U

/* The same for a prepared response; a larger body is sent from where it is. */
#define JOINED_PREPARED_MAX 4096U

/* How far Java may go beyond its credit before it is taken for broken: a response's head does not count. */
#define CREDIT_SLACK 65536U

static bool is_first(const struct gn_exchange *exchange)
{
    return exchange->connection->exchanges.next == &exchange->link;
}

static struct gn_output *output_of(struct gn_exchange *exchange)
{
    return is_first(exchange) ? &exchange->connection->output : &exchange->held;
}

static void out_of_memory(struct gn_connection *connection)
{
    gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
}

/* ---- the end of exchanges ---- */

static void finish_connection(struct gn_connection *connection, bool clean)
{
    struct gn_h1_session *session = &connection->h1;
    while (!gn_list_empty(&connection->exchanges)) {
        struct gn_exchange *exchange = gn_list_owner(connection->exchanges.next, struct gn_exchange, link);
        if (!exchange->released)
            gn_exchange_break(connection->context, exchange, GN_REASON_CLOSED_HERE, 0);
        gn_exchange_detach(connection->context, exchange);
    }
    session->receiving = NULL;
    session->reading = GN_H1_READING_STOPPED;
    gn_connection_finish_output(connection, clean);
}

/* Whether the rest of a request body that nobody reads is small enough to be read for the sake of the connection. */
static bool worth_discarding(const struct gn_connection *connection)
{
    const struct gn_h1_session *session = &connection->h1;
    if (session->reading == GN_H1_READING_SIZED)
        return session->body_left <= connection->settings->discard_bytes;
    return true; // not known of a chunked body: counted as it comes
}

/* Whether the peer lacks nothing of the response, though Java has not ended it. */
static bool is_whole(const struct gn_exchange *exchange)
{
    return exchange->response == GN_RESPONSE_BEGUN &&
           (exchange->framing == GN_BODY_NONE || (exchange->framing == GN_BODY_SIZED && exchange->body_left == 0));
}

/* Nobody takes the rest of the body that is being received: it is dropped. */
static void leave_body(struct gn_connection *connection)
{
    connection->h1.receiving = NULL;
    gn_connection_unblock(connection, GN_BLOCKED_CREDIT);
    gn_h1_body_wait(connection);
}

/* The end of a connection from which no more requests come, once no exchange is left. */
static void end_connection_if_over(struct gn_connection *connection)
{
    if (gn_list_empty(&connection->exchanges) && gn_list_empty(&connection->aside) &&
        (connection->input_ended || connection->h1.reading == GN_H1_READING_STOPPED))
        gn_connection_finish_output(connection, connection->input_ended);
}

/* Lets go of an exchange that was set aside: Java has ended it, or heard that it broke. */
static void end_aside(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    if (connection->h1.receiving == exchange)
        leave_body(connection);
    gn_exchange_detach(connection->context, exchange);
    end_connection_if_over(connection);
    gn_connection_watch_time(connection); // a graceful end may have waited for it
}

/* All bytes of the response are in the connection's output. */
static void ask_for_sent(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    if (exchange->notify && gn_list_empty(&exchange->sending)) {
        exchange->sent_position = connection->sent + connection->output.length;
        gn_list_append(&connection->sending, &exchange->sending);
    }
}

/* Ends a whole response instead of cutting it off: the peer may have sent its next request already, which would be lost
   with the connection, and a proxy sends another client's. */
static void end_whole(struct gn_exchange *exchange, unsigned reason)
{
    struct gn_connection *connection = exchange->connection;
    if (connection->h1.receiving == exchange)
        leave_body(connection);
    gn_exchange_break(connection->context, exchange, reason, 0);
    exchange->notify = false; // the RESET says it
    gn_list_remove(&exchange->sending);
    exchange->response = GN_RESPONSE_ENDED;
    if (exchange->aside)
        end_aside(exchange);
    else if (is_first(exchange))
        gn_h1_reply_advance(connection);
}

/* Lets the responses behind a whole one go on: a proxy may have sent another client's request, which must not wait for a
   handler that forgot to end its own. */
static void set_aside(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    if (connection->aside_count == GN_H1_ASIDE_MAX)
        end_whole(gn_list_owner(connection->aside.next, struct gn_exchange, link), GN_REASON_ABORTED);
    if (exchange->framing == GN_BODY_NONE && exchange->send_charged > 0)
        gn_exchange_grant(connection->context, exchange, exchange->send_charged);
    exchange->send_charged = 0;
    gn_exchange_set_aside(exchange);
    gn_connection_unblock(connection, GN_BLOCKED_PIPELINE);
}

/* Gives an exchange that was in the queue the rest of its send credit: in its turn, and once it turns out to need it. Most
   responses are one record, and an event for each would cost more than they do. */
static void grant_turn(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    if (!exchange->queued || exchange->response != GN_RESPONSE_BEGUN || !is_first(exchange))
        return;
    exchange->queued = false;
    gn_exchange_grant(connection->context, exchange, connection->settings->send_credit - GN_QUEUED_SEND_CREDIT);
}

void gn_h1_reply_advance(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    struct gn_h1_session *session = &connection->h1;
    while (!gn_list_empty(&connection->exchanges)) {
        struct gn_exchange *exchange = gn_list_owner(connection->exchanges.next, struct gn_exchange, link);
        if (exchange->held.length > 0) {
            gn_output_move(&connection->output, &exchange->held);
            gn_connection_touch(connection);
        }
        grant_turn(exchange);
        if (exchange->response == GN_RESPONSE_CUT) {
            if (exchange->framing == GN_BODY_TO_END) {
                gn_connection_end(connection, GN_REASON_ABORTED, true); // only RST tells this end from a complete body
                return;
            }
            gn_list_remove(&exchange->sending);
            finish_connection(connection, false);
            return;
        }
        if (exchange->response != GN_RESPONSE_ENDED) {
            if (!is_whole(exchange))
                return;
            ask_for_sent(exchange);
            if (!exchange->keep_alive)
                return; // nothing is behind it: the connection's end can wait for Java's
            set_aside(exchange);
            continue;
        }
        ask_for_sent(exchange);
        if (!gn_exchange_complete(exchange)) {
            gn_connection_shut_output(connection); // a tunnel: the peer may go on
            return;
        }
        bool keep_alive = exchange->keep_alive, request_ended = exchange->request_ended;
        if (session->receiving == exchange)
            session->receiving = NULL;
        gn_exchange_detach(context, exchange);
        gn_connection_unblock(connection, GN_BLOCKED_PIPELINE);
        if (!keep_alive) {
            finish_connection(connection, session->client_close && request_ended);
            return;
        }
    }
    if (session->partial == NULL) // the time of a head that is under way goes on
        session->since = context->now;
    session->progress = 0;
    gn_connection_unblock(connection, GN_BLOCKED_CREDIT);
    if (session->reading == GN_H1_READING_OFFER)
        session->reading =
            connection->input_ended ? GN_H1_READING_STOPPED : GN_H1_READING_HEAD; // it was not taken (F3)
    end_connection_if_over(connection);
}

/* Goes on behind a record that does not end the response. */
static void go_on(struct gn_exchange *exchange)
{
    if (is_whole(exchange) && is_first(exchange))
        gn_h1_reply_advance(exchange->connection);
    else
        grant_turn(exchange);
}

static void end_response(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    exchange->response = GN_RESPONSE_ENDED;
    connection->context->counters->responses++;
    if (exchange->aside)
        end_aside(exchange);
    else if (is_first(exchange))
        gn_h1_reply_advance(connection);
}

static void cut(struct gn_exchange *exchange, unsigned reason)
{
    struct gn_connection *connection = exchange->connection;
    if (gn_exchange_complete(exchange) || exchange->response == GN_RESPONSE_CUT)
        return;
    if (exchange->framing == GN_BODY_RAW && is_first(exchange)) {
        gn_connection_end(connection, reason, true); // only RST tells this end from a complete stream
        return;
    }
    if (exchange->framing == GN_BODY_RAW)
        gn_output_clear(connection->context, &exchange->held);
    exchange->response = GN_RESPONSE_CUT;
    exchange->keep_alive = false;
    // Nothing behind it will be answered, and no more of its own body follows the RESET.
    connection->h1.reading = GN_H1_READING_STOPPED;
    connection->h1.receiving = NULL;
    gn_connection_unblock(connection, GN_BLOCKED_CREDIT);
    gn_exchange_break(connection->context, exchange, reason, 0);
    if (is_first(exchange))
        gn_h1_reply_advance(connection);
}

void gn_h1_reply_end_whole(struct gn_connection *connection, unsigned reason)
{
    while (!gn_list_empty(&connection->aside))
        end_whole(gn_list_owner(connection->aside.next, struct gn_exchange, link), reason);
    struct gn_exchange *first = gn_list_owner(connection->exchanges.next, struct gn_exchange, link);
    if (!gn_list_empty(&connection->exchanges) && is_whole(first))
        end_whole(first, reason);
}

bool gn_h1_reply_waits_for_java(const struct gn_connection *connection)
{
    if (gn_list_empty(&connection->exchanges))
        return connection->aside_count > 0;
    return is_whole(gn_list_owner(connection->exchanges.next, struct gn_exchange, link));
}

void gn_h1_reply_cut(struct gn_exchange *exchange)
{
    if (is_whole(exchange))
        end_whole(exchange, GN_REASON_ABORTED);
    else
        cut(exchange, GN_REASON_ABORTED);
}

void gn_h1_reply_released(struct gn_exchange *exchange)
{
    struct gn_connection *connection = exchange->connection;
    if (connection->h1.receiving == exchange)
        leave_body(connection);
    if (gn_exchange_complete(exchange) || exchange->response == GN_RESPONSE_CUT)
        return;
    // Java must not let go of a response that it has not finished; where it does, the peer must not take it for
    // complete.
    if (!exchange->broken)
        connection->context->counters->exchanges_reset++;
    exchange->broken = true; // so that no RESET follows its RELEASE
    gn_h1_reply_cut(exchange);
}

/* ---- heads ---- */

/* Decides how the body is framed (RFC 9112 section 6) and what the head says of it. */
static void frame(struct gn_exchange *exchange, const struct gn_command *command, struct gn_h1_response *response)
{
    bool end = command->flags & GN_FLAG_END;
    bool has_length = command->value >= 0 || end;
    bool chunked = (command->flags & GN_FLAG_CHUNKED || response->coded) && !exchange->version_1_0;
    uint64_t length = command->value >= 0 ? (uint64_t)command->value : command->body_length;
    exchange->framing = GN_BODY_NONE;
    if (command->status == 304) {
        response->has_length = !chunked && command->value >= 0;
        response->length = length;
    } else if (command->status == 205) {
        response->has_length = true; // RFC 9110 15.3.6: no content, and the client must be able to tell
    } else if (command->status == 204) {
        response->has_length = false;
    } else if (exchange->head_only) {
        // What the response to GET would not say is not said here either (RFC 9110 section 8.6).
        response->has_length = !chunked && (command->value >= 0 || (end && command->body_length > 0));
        response->length = length;
    } else if (has_length && !chunked) {
        response->has_length = true;
        response->length = exchange->body_left = length;
        exchange->framing = GN_BODY_SIZED;
    } else if (exchange->version_1_0) {
        exchange->framing = GN_BODY_TO_END;
        exchange->keep_alive = false;
    } else {
        response->chunked = true;
        exchange->framing = GN_BODY_CHUNKED;
    }
}

/* Whether the connection can go on behind this response, as far as is known now. */
static void settle_keep_alive(struct gn_exchange *exchange, const struct gn_command *command)
{
    struct gn_connection *connection = exchange->connection;
    bool last = connection->exchanges.previous == &exchange->link;
    if (command->flags & GN_FLAG_CLOSE)
        exchange->keep_alive = false;
    // Without 100 (Continue) the client may or may not send the body: what follows cannot be told apart (B19).
    if (exchange->expecting)
        exchange->keep_alive = false;
    if (connection->h1.finishing && last && connection->h1.partial == NULL)
        exchange->keep_alive = false;
    if ((command->flags & GN_FLAG_END) && !exchange->request_ended && exchange->keep_alive &&
        !worth_discarding(connection)) {
        gn_context_count(connection->context, GN_REASON_UNREAD_TOO_LARGE);
        exchange->keep_alive = false;
    }
    if (!exchange->keep_alive) {
        // No request behind a response that says `close` is processed (RFC 9112 section 9.6).
        connection->h1.message_keep_alive = false;
        if (connection->h1.reading == GN_H1_READING_HEAD)
            connection->h1.reading = GN_H1_READING_STOPPED;
    }
}

/* Corrects the version in a head that was written (C15). */
static void set_version(const struct gn_exchange *exchange, uint8_t *head)
{
    if (exchange->version_1_0 && exchange->connection->settings->http_1_0 != 0)
        head[sizeof("HTTP/1.") - 1] = '0';
}

static uint8_t connection_field(const struct gn_exchange *exchange)
{
    if (exchange->framing == GN_BODY_RAW)
        return GN_H1_CONNECTION_SILENT;
    if (!exchange->keep_alive)
        return GN_H1_CONNECTION_CLOSE;
    return exchange->asked_keep_alive ? GN_H1_CONNECTION_KEEP_ALIVE : GN_H1_CONNECTION_SILENT;
}

/* Appends body bytes in the exchange's framing; false: the connection was ended. */
static bool append_body(struct gn_exchange *exchange, struct gn_output *output, const uint8_t *bytes, size_t length)
{
    struct gn_context *context = exchange->connection->context;
    bool done = true;
    if (length == 0)
        return true;
    if (exchange->framing == GN_BODY_NONE) {
        exchange->send_charged += length; // dropped, but Java's credit comes back all the same
        return true;
    }
    if (exchange->framing == GN_BODY_CHUNKED) {
        uint8_t line[GN_H1_CHUNK_SIZE_MAX];
        done = gn_output_append(context, output, line, gn_h1_chunk_size(length, line));
    }
    done = done && gn_output_append(context, output, bytes, length);
    if (exchange->framing == GN_BODY_CHUNKED)
        done = done && gn_output_append(context, output, "\r\n", 2);
    if (!done) {
        out_of_memory(exchange->connection);
        return false;
    }
    exchange->body_left -= exchange->framing == GN_BODY_SIZED ? length : 0;
    exchange->send_charged += length;
    return true;
}

/* The body's last byte was appended. */
static void end_body(struct gn_exchange *exchange, struct gn_output *output)
{
    struct gn_connection *connection = exchange->connection;
    if (exchange->framing == GN_BODY_SIZED && exchange->body_left > 0) {
        cut(exchange, GN_REASON_RESPONSE_CUT); // short of its Content-Length (C5)
        return;
    }
    if (exchange->framing == GN_BODY_CHUNKED && !gn_output_append(connection->context, output, "0\r\n\r\n", 5)) {
        out_of_memory(connection);
        return;
    }
    if (exchange->framing == GN_BODY_TO_END)
        exchange->keep_alive = false;
    end_response(exchange);
}

bool gn_h1_reply_respond(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_context *context = connection->context;
    struct gn_output *output = output_of(exchange);
    bool tunnel = gn_h1_tunnel_opens(exchange, command->status);
    if (exchange->response != GN_RESPONSE_NONE || command->status > 999 || command->value < -1)
        return false;
    if (command->status < 200 && !tunnel)
        return false;
    struct gn_h1_response response = {
        .status = command->status,
        .fields = staged,
        .fields_length = command->length,
        .title_case = connection->settings->title_case != 0,
        .reason = command->flags & GN_FLAG_REASON,
        .date = connection->settings->date ? context->date.text : NULL,
    };
    size_t bound = gn_h1_response_bound(&response);
    if (bound == 0 || bound > GN_BUFFER_MAX - JOINED_BODY_MAX)
        return false;
    if (tunnel)
        gn_h1_tunnel_open(exchange); // neither length nor coding (C9, C10)
    else
        frame(exchange, command, &response);
    if (exchange->framing == GN_BODY_SIZED && command->body_length > exchange->body_left) {
        cut(exchange, GN_REASON_RESPONSE_CUT); // past its Content-Length (C5)
        return false;
    }
    if (!tunnel)
        settle_keep_alive(exchange, command);
    response.connection = connection_field(exchange);
    exchange->response = GN_RESPONSE_BEGUN;
    exchange->notify = command->flags & GN_FLAG_NOTIFY;
    bool joined = exchange->framing == GN_BODY_SIZED && command->body_length <= JOINED_BODY_MAX;
    uint8_t *bytes = gn_output_reserve(context, output, bound + (joined ? command->body_length : 0));
    if (bytes == NULL) {
        out_of_memory(connection);
        return true;
    }
    size_t length = gn_h1_response_write(&response, bytes);
    set_version(exchange, bytes);
    if (joined && command->body_length > 0) {
        memcpy(bytes + length, staged + command->length, command->body_length);
        length += command->body_length;
        exchange->body_left -= command->body_length;
        exchange->send_charged += command->body_length;
    }
    gn_output_commit(output, length);
    gn_connection_touch(connection);
    if (!joined && !append_body(exchange, output, staged + command->length, command->body_length))
        return true;
    if (command->flags & GN_FLAG_END)
        end_body(exchange, output);
    else
        go_on(exchange);
    return true;
}

bool gn_h1_reply_prepared(struct gn_exchange *exchange, const struct gn_command *command, struct gn_prepared *prepared)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_context *context = connection->context;
    struct gn_output *output = output_of(exchange);
    if (exchange->response != GN_RESPONSE_NONE || gn_h1_tunnel_opens(exchange, prepared->status))
        return false;
    struct gn_command whole = *command;
    whole.flags |= GN_FLAG_END;
    settle_keep_alive(exchange, &whole);
    struct gn_h1_response response = {
        .connection = connection_field(exchange),
        .title_case = connection->settings->title_case != 0,
        .date = connection->settings->date ? context->date.text : NULL,
    };
    exchange->response = GN_RESPONSE_BEGUN;
    exchange->notify = command->flags & GN_FLAG_NOTIFY;
    size_t body = exchange->head_only || !gn_prepared_has_content(prepared) ? 0 : prepared->body_length;
    bool joined = body <= JOINED_PREPARED_MAX;
    uint8_t *bytes = gn_output_reserve(context, output, gn_h1_prepared_bound(prepared) + (joined ? body : 0));
    if (bytes == NULL) {
        out_of_memory(connection);
        return true;
    }
    size_t length = gn_h1_prepared_write(prepared, &response, exchange->head_only, bytes);
    set_version(exchange, bytes);
    if (joined && body > 0) {
        memcpy(bytes + length, prepared->body, body);
        length += body;
    }
    gn_output_commit(output, length);
    gn_connection_touch(connection);
    if (!joined && !gn_output_refer(context, output, prepared))
        out_of_memory(connection);
    else
        end_response(exchange);
    return true;
}

void gn_h1_reply_error(struct gn_exchange *exchange, unsigned status)
{
    struct gn_connection *connection = exchange->connection;
    exchange->keep_alive = false;
    exchange->response = GN_RESPONSE_NONE;
    connection->h1.client_close = false;
    struct gn_command command = {
        .kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END | GN_FLAG_CLOSE, .status = (uint16_t)status, .value = 0};
    // An error to a HEAD that broke must still say `content-length: 0`, hence the value.
    gn_h1_reply_respond(exchange, &command, (const uint8_t *)"");
}

bool gn_h1_reply_interim(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    struct gn_connection *connection = exchange->connection;
    bool is_interim = command->status >= 100 && command->status < 200 && command->status != 101;
    if (exchange->response != GN_RESPONSE_NONE || !is_interim)
        return false;
    struct gn_h1_response response = {
        .status = command->status,
        .fields = staged,
        .fields_length = command->length,
        .title_case = connection->settings->title_case != 0,
    };
    size_t bound = gn_h1_response_bound(&response);
    if (bound == 0 || bound > GN_BUFFER_MAX)
        return false;
    if (exchange->version_1_0)
        return true; // RFC 9110 section 15.2: it could not understand
    // nginx before 1.29 takes it for the final response, which to HEAD has no body: it gives the connection to another
    // client, and that one gets what was meant for the first.
    if (exchange->head_only && command->status != 100)
        return true;
    if (command->status == 100)
        exchange->expecting = false;
    struct gn_output *output = output_of(exchange);
    uint8_t *bytes = gn_output_reserve(connection->context, output, bound);
    if (bytes == NULL) {
        out_of_memory(connection);
        return true;
    }
    gn_output_commit(output, gn_h1_response_write(&response, bytes));
    gn_connection_touch(connection);
    return true;
}

/* Whether the body may go on; one that floods its credit is cut. */
static bool may_continue(struct gn_exchange *exchange)
{
    if (exchange->response != GN_RESPONSE_BEGUN)
        return false;
    if (exchange->send_charged > exchange->connection->settings->send_credit + CREDIT_SLACK) {
        gn_h1_reply_cut(exchange);
        return false;
    }
    return true;
}

/* What comes behind a whole response is not sent, but Java's credit comes back, and it can end. */
static void say_aside(struct gn_exchange *exchange, const struct gn_command *command)
{
    if (command->body_length > 0)
        gn_exchange_grant(exchange->connection->context, exchange, command->body_length);
    if (command->flags & GN_FLAG_END)
        end_response(exchange);
}

bool gn_h1_reply_data(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    struct gn_connection *connection = exchange->connection;
    if (!may_continue(exchange))
        return false;
    if (exchange->framing == GN_BODY_SIZED && command->body_length > exchange->body_left) {
        if (is_whole(exchange)) // past its Content-Length (C5)
            end_whole(exchange, GN_REASON_RESPONSE_CUT);
        else
            cut(exchange, GN_REASON_RESPONSE_CUT);
        return false;
    }
    if (exchange->aside) {
        say_aside(exchange, command);
        return true;
    }
    struct gn_output *output = output_of(exchange);
    gn_connection_touch(connection);
    if (!append_body(exchange, output, staged, command->body_length))
        return true;
    if (command->flags & GN_FLAG_END)
        end_body(exchange, output);
    else if (is_whole(exchange))
        go_on(exchange);
    return true;
}

bool gn_h1_reply_trailers(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged)
{
    struct gn_connection *connection = exchange->connection;
    size_t bound = gn_h1_response_trailers_bound(staged, command->length);
    if (exchange->framing == GN_BODY_RAW || bound == 0 || bound > GN_BUFFER_MAX || !may_continue(exchange))
        return false;
    if (exchange->aside) {
        end_response(exchange);
        return true;
    }
    struct gn_output *output = output_of(exchange);
    gn_connection_touch(connection);
    if (exchange->framing != GN_BODY_CHUNKED) {
        end_body(exchange, output); // no place for the fields
        return true;
    }
    uint8_t *bytes = gn_output_reserve(connection->context, output, bound);
    if (bytes == NULL) {
        out_of_memory(connection);
        return true;
    }
    bool title_case = connection->settings->title_case != 0;
    gn_output_commit(output, gn_h1_response_trailers_write(staged, command->length, title_case, bytes));
    end_response(exchange);
    return true;
}

void gn_h1_reply_credit(struct gn_exchange *exchange, uint64_t bytes)
{
    struct gn_connection *connection = exchange->connection;
    bool waited = exchange->receive_credit > 0;
    gn_body_credit(exchange, bytes);
    if (exchange->expecting && bytes > 0) {
        exchange->expecting = false;
        static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (exchange->response == GN_RESPONSE_NONE) {
            if (!gn_output_append(connection->context, output_of(exchange), interim, sizeof(interim) - 1)) {
                out_of_memory(connection);
                return;
            }
            gn_connection_touch(connection);
        }
    }
    if (connection->h1.receiving == exchange) {
        gn_connection_unblock(connection, GN_BLOCKED_CREDIT);
        if (!waited)
            gn_h1_body_wait(connection);
    }
}

void gn_h1_reply_drained(struct gn_connection *connection)
{
    if (gn_list_empty(&connection->exchanges))
        return;
    struct gn_exchange *exchange = gn_list_owner(connection->exchanges.next, struct gn_exchange, link);
    if (exchange->response == GN_RESPONSE_BEGUN && exchange->send_charged > 0) {
        uint64_t bytes = exchange->send_charged;
        exchange->send_charged = 0;
        gn_exchange_grant(connection->context, exchange, bytes);
    }
}
