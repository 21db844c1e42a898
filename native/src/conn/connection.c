#include "conn/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "conn/listener.h"
#include "conn/preface.h"
#include "http/head_block.h"
#include "io/listen.h"

/* A connection that was gone when Java asked to be told of its end. */
struct lost {
    struct gn_list link;
    uint64_t id;
};

static void settle(struct gn_connection *connection);

int gn_connection_open(struct gn_context *context, struct gn_listener *listener,
                       const struct gn_listener_settings *settings, int descriptor, struct gn_connection **result)
{
    struct gn_connection *connection = gn_memory_allocate(&context->memory, sizeof(*connection));
    if (connection == NULL)
        return -ENOMEM;
    connection->context = context;
    connection->listener = listener;
    connection->settings = settings;
    connection->protocol = gn_preface_protocol(settings);
    connection->socket.descriptor = -1;
    gn_list_start(&connection->socket.link);
    gn_list_start(&connection->listed);
    gn_list_start(&connection->dirty);
    gn_list_start(&connection->ready);
    gn_list_start(&connection->exchanges);
    gn_list_start(&connection->aside);
    gn_list_start(&connection->sending);
    gn_timer_init(&connection->timer);
    int error = gn_slots_take(&context->connections, connection, &connection->slot, &connection->generation);
    if (error != 0)
        goto free_connection;
    error = context->io->operations->attach(context->io, &connection->socket, descriptor);
    if (error != 0)
        goto free_slot;
    context->counters->connections_accepted++;
    context->counters->connections_open++;
    connection->last_received = connection->last_sent = context->now;
    gn_h1_session_start(&connection->h1, context->now);
    settle(connection);
    gn_connection_watch_time(connection);
    *result = connection;
    return 0;

free_slot:
    gn_slots_free(&context->connections, connection->slot);
free_connection:
    gn_memory_free(&context->memory, connection, sizeof(*connection));
    return error;
}

struct gn_connection *gn_connection_find(const struct gn_context *context, uint64_t id)
{
    if (gn_id_role(id) != 0)
        return NULL;
    return gn_slots_find(&context->connections, gn_id_slot(id), gn_id_generation(id));
}

/* ---- input ---- */

/* After the protocol had its turn: asks for the next one where it waits for something of the loop, and receives or not.
   */
static void settle(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    if (connection->state == GN_CONNECTION_CLOSING)
        return;
    bool open = connection->state == GN_CONNECTION_OPEN;
    if (connection->blocked & GN_BLOCKED_MEMORY)
        context->memory_short = true;
    if (open && connection->blocked != 0 && gn_list_empty(&connection->ready)) {
        if (connection->blocked & (GN_BLOCKED_RING | GN_BLOCKED_MEMORY))
            gn_list_append(&context->starved, &connection->ready);
        else if (connection->blocked == GN_BLOCKED_TURN)
            gn_list_append(&context->ready, &connection->ready);
    }
    if (open && connection->peer_ended && !connection->input_ended && connection->blocked == 0) {
        connection->input_ended = true;
        connection->protocol->input_ended(connection);
        if (connection->state == GN_CONNECTION_CLOSING)
            return;
    }
    bool receive = !connection->peer_ended &&
                   (connection->blocked == 0 || !open || gn_buffer_length(&connection->input) < GN_INPUT_HELD);
    if (receive != connection->receiving) {
        connection->receiving = receive;
        int error = context->io->operations->receive(context->io, &connection->socket, receive);
        if (error != 0)
            gn_connection_end(connection, GN_REASON_INPUT_OUTPUT, true);
    }
}

static void use_held_input(struct gn_connection *connection)
{
    struct gn_buffer *input = &connection->input;
    if (gn_buffer_length(input) == 0)
        return;
    size_t used =
        connection->protocol->input(connection, gn_buffer_bytes(connection->context, input), gn_buffer_length(input));
    gn_buffer_consume(connection->context, input, used);
}

static void use_input(struct gn_connection *connection, const uint8_t *bytes, size_t length)
{
    size_t used = 0;
    bool held = gn_buffer_length(&connection->input) > 0;
    if (connection->blocked == 0 && !held) {
        used = connection->protocol->input(connection, bytes, length);
        if (connection->state != GN_CONNECTION_OPEN) {
            connection->dropped += length - used;
            return;
        }
    }
    if (!gn_buffer_append(connection->context, &connection->input, bytes + used, length - used)) {
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true);
        return;
    }
    if (connection->blocked == 0 && held)
        use_held_input(connection);
}

void gn_connection_drop_input(struct gn_connection *connection, size_t length)
{
    connection->dropped += length;
    if (connection->dropped > connection->settings->linger_bytes)
        gn_connection_end(connection, GN_REASON_LINGER_TOO_LARGE, true);
}

void gn_connection_received(struct gn_connection *connection, const uint8_t *bytes, ssize_t length)
{
    if (length < 0) {
        connection->receiving = false;
        gn_connection_end(connection, length == -ECONNRESET ? GN_REASON_PEER_RESET : GN_REASON_INPUT_OUTPUT, true);
        return;
    }
    if (length == 0) {
        connection->receiving = false;
        connection->peer_ended = true;
        if (connection->state == GN_CONNECTION_LINGERING)
            gn_connection_end(connection, GN_REASON_NONE, false);
    } else {
        connection->context->counters->bytes_received += (uint64_t)length;
        if ((connection->blocked & GN_BLOCKED_MEMORY) == 0)
            connection->last_received = connection->context->now;
        if (connection->state == GN_CONNECTION_OPEN)
            use_input(connection, bytes, (size_t)length);
        else
            gn_connection_drop_input(connection, (size_t)length);
    }
    settle(connection);
    gn_connection_watch_time(connection);
}

void gn_connection_resume(struct gn_connection *connection)
{
    gn_list_remove(&connection->ready);
    connection->blocked &= (uint8_t) ~(GN_BLOCKED_TURN | GN_BLOCKED_RING | GN_BLOCKED_MEMORY);
    if (connection->protocol->resume != NULL && connection->state == GN_CONNECTION_OPEN)
        connection->protocol->resume(connection);
    if (connection->blocked == 0 && connection->state == GN_CONNECTION_OPEN)
        use_held_input(connection);
    settle(connection);
    gn_connection_watch_time(connection);
}

void gn_connection_unblock(struct gn_connection *connection, enum gn_blocked reason)
{
    if ((connection->blocked & reason) == 0)
        return;
    // The protocol may be in the middle of something: it goes on when the loop comes round to it.
    connection->blocked = (uint8_t)((connection->blocked & ~(unsigned)reason) | GN_BLOCKED_TURN);
    if (connection->blocked == GN_BLOCKED_TURN && gn_list_empty(&connection->ready))
        gn_list_append(&connection->context->ready, &connection->ready);
}

/* ---- output ---- */

void gn_connection_touch(struct gn_connection *connection)
{
    if (!gn_list_empty(&connection->dirty) || connection->state == GN_CONNECTION_CLOSING)
        return;
    if (!connection->send_pending)
        connection->last_sent = connection->context->now;
    gn_list_append(&connection->context->dirty, &connection->dirty);
}

static void close_socket(struct gn_connection *connection, bool reset)
{
    connection->state = GN_CONNECTION_CLOSING;
    gn_timer_stop(&connection->context->wheel, &connection->timer);
    gn_list_remove(&connection->dirty);
    gn_list_remove(&connection->ready);
    connection->context->io->operations->close(connection->context->io, &connection->socket, reset);
}

static void finish_drained(struct gn_connection *connection)
{
    struct gn_io *io = connection->context->io;
    bool unread = gn_buffer_length(&connection->input) > 0 || connection->dropped > 0;
    if (connection->peer_ended || (connection->clean_end && !unread)) {
        gn_connection_end(connection, GN_REASON_NONE, false);
        return;
    }
    if (io->operations->shut_down(io, &connection->socket) != 0) {
        gn_connection_end(connection, GN_REASON_INPUT_OUTPUT, true);
        return;
    }
    connection->state = GN_CONNECTION_LINGERING;
    connection->last_sent = connection->context->now;
    connection->pace.until = 0;
    settle(connection);
    gn_connection_watch_time(connection);
}

static void shut_down(struct gn_connection *connection)
{
    struct gn_io *io = connection->context->io;
    connection->shutting = false;
    if (io->operations->shut_down(io, &connection->socket) != 0)
        gn_connection_end(connection, GN_REASON_INPUT_OUTPUT, true);
}

static void drained(struct gn_connection *connection)
{
    struct gn_list *link;
    while (!gn_list_empty(&connection->sending)) {
        link = connection->sending.next;
        struct gn_exchange *exchange = gn_list_owner(link, struct gn_exchange, sending);
        if (exchange->sent_position > connection->sent)
            break;
        gn_exchange_sent(connection->context, exchange, GN_REASON_NONE);
    }
    if (connection->state == GN_CONNECTION_OPEN) {
        if (connection->protocol->drained != NULL)
            connection->protocol->drained(connection);
        if (connection->shutting)
            shut_down(connection);
    } else if (connection->state == GN_CONNECTION_FINISHING) {
        finish_drained(connection);
    }
}

static void take_sent(struct gn_connection *connection, size_t length)
{
    connection->sent += length;
    connection->last_sent = connection->context->now;
    connection->context->counters->bytes_sent += length;
    gn_output_advance(connection->context, &connection->output, length);
    if (connection->output.length <= connection->settings->send_credit)
        gn_connection_unblock(connection, GN_BLOCKED_OUTPUT);
}

static void send_failed(struct gn_connection *connection, ssize_t result)
{
    bool gone = result == -EPIPE || result == -ECONNRESET;
    gn_connection_end(connection, gone ? GN_REASON_PEER_RESET : GN_REASON_INPUT_OUTPUT, true);
}

void gn_connection_flush(struct gn_connection *connection)
{
    struct gn_io *io = connection->context->io;
    gn_list_remove(&connection->dirty);
    if (connection->send_pending || connection->state > GN_CONNECTION_FINISHING)
        return;
    bool first = true;
    for (;;) {
        // Behind a send that was not taken as a whole it would only stand in the way of what is more urgent.
        bool more = connection->output.length == 0 || first;
        first = false;
        if (more && connection->protocol->produce != NULL && connection->state == GN_CONNECTION_OPEN)
            connection->protocol->produce(connection);
        if (connection->output.length == 0 || connection->state > GN_CONNECTION_FINISHING)
            break;
        struct iovec parts[GN_IO_SEND_PARTS];
        unsigned count = gn_output_parts(&connection->output, parts, GN_IO_SEND_PARTS);
        ssize_t result = io->operations->send(io, &connection->socket, parts, count);
        if (result == -EINPROGRESS) {
            connection->send_pending = true;
            gn_connection_watch_time(connection);
            return;
        }
        if (result < 0) {
            send_failed(connection, result);
            return;
        }
        take_sent(connection, (size_t)result);
    }
    if (connection->state > GN_CONNECTION_FINISHING)
        return;
    drained(connection);
    gn_connection_watch_time(connection);
}

void gn_connection_sent(struct gn_connection *connection, ssize_t result)
{
    connection->send_pending = false;
    if (result > 0)
        take_sent(connection, (size_t)result);
    else if (result != -EAGAIN) {
        send_failed(connection, result);
        return;
    }
    gn_connection_flush(connection);
}

/* ---- the end ---- */

void gn_connection_log_refusal(struct gn_connection *connection, unsigned reason, unsigned status)
{
    struct gn_context *context = connection->context;
    context->counters->requests_refused++;
    gn_context_count(context, reason);
    gn_context_log(context, (struct gn_event){.kind = GN_EVENT_REFUSED,
                                              .reason = (uint16_t)reason,
                                              .subject = gn_connection_id(connection),
                                              .value = (int64_t)status});
}

void gn_connection_finish_output(struct gn_connection *connection, bool clean)
{
    if (connection->state != GN_CONNECTION_OPEN)
        return;
    connection->state = GN_CONNECTION_FINISHING;
    connection->clean_end = clean;
    connection->blocked = 0;
    gn_list_remove(&connection->ready);
    gn_connection_touch(connection);
}

void gn_connection_shut_output(struct gn_connection *connection)
{
    connection->shutting = true;
    gn_connection_touch(connection);
}

static void abandon_all(struct gn_context *context, struct gn_list *exchanges, unsigned reason)
{
    while (!gn_list_empty(exchanges)) {
        struct gn_exchange *exchange = gn_list_owner(exchanges->next, struct gn_exchange, link);
        if (!exchange->released) {
            exchange->abandoned = true;
            context->counters->exchanges_abandoned++;
            if (!gn_exchange_whole(exchange))
                gn_exchange_break(context, exchange, reason, 0);
            else if (exchange->notify)
                gn_exchange_sent(context, exchange, reason);
        }
        gn_exchange_detach(context, exchange);
    }
}

void gn_connection_end(struct gn_connection *connection, unsigned reason, bool reset)
{
    struct gn_context *context = connection->context;
    if (connection->state == GN_CONNECTION_CLOSING)
        return;
    connection->end_reason = (uint16_t)reason;
    if (reason != GN_REASON_NONE && reason != GN_REASON_HEAD_CUT) // which was counted when it was logged
        gn_context_count(context, reason);
    close_socket(connection, reset);
    while (!gn_list_empty(&connection->sending))
        gn_exchange_sent(context, gn_list_owner(connection->sending.next, struct gn_exchange, sending), reason);
    unsigned why = reason == GN_REASON_NONE ? GN_REASON_PEER_CLOSED : reason;
    abandon_all(context, &connection->aside, why);
    abandon_all(context, &connection->exchanges, why);
}

static void free_connection(struct gn_context *context, struct gn_connection *connection)
{
    gn_slots_free(&context->connections, connection->slot);
    gn_memory_free(&context->memory, connection, sizeof(*connection));
}

void gn_connection_closed(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    if (connection->state != GN_CONNECTION_CLOSING) {
        // The io is stopping and closed it by itself.
        gn_connection_end(connection, GN_REASON_SHUTDOWN, true);
    }
    connection->protocol->end(connection);
    gn_buffer_consume(context, &connection->input, gn_buffer_length(&connection->input));
    if (connection->leaving)
        gn_relief_left(connection);
    gn_output_clear(context, &connection->output);
    gn_info_release(context, connection->info);
    context->counters->connections_open--;
    gn_listener_lost(connection->listener, connection);
    if (connection->watched) {
        gn_list_append(&context->closed, &connection->dirty);
        gn_connection_deliver_closed(context);
    } else {
        free_connection(context, connection);
    }
}

bool gn_connection_watch_lost(struct gn_context *context, uint64_t id)
{
    if (gn_ring_room(&context->ring) > 0 && gn_list_empty(&context->lost)) {
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_CLOSED, .subject = id});
        return true;
    }
    struct lost *lost = gn_memory_allocate(&context->memory, sizeof(*lost));
    if (lost == NULL)
        return false;
    lost->id = id;
    gn_list_append(&context->lost, &lost->link);
    return true;
}

void gn_connection_deliver_closed(struct gn_context *context)
{
    struct gn_list *link;
    while (gn_ring_room(&context->ring) > 0 && (link = gn_list_take(&context->lost)) != NULL) {
        struct lost *lost = gn_list_owner(link, struct lost, link);
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_CLOSED, .subject = lost->id});
        gn_memory_free(&context->memory, lost, sizeof(*lost));
    }
    while (gn_ring_room(&context->ring) > 0 && (link = gn_list_take(&context->closed)) != NULL) {
        struct gn_connection *connection = gn_list_owner(link, struct gn_connection, dirty);
        gn_ring_write(&context->ring, (struct gn_event){.kind = GN_EVENT_CLOSED,
                                                        .reason = connection->end_reason,
                                                        .subject = gn_connection_id(connection)});
        free_connection(context, connection);
    }
}

void gn_connection_finish(struct gn_connection *connection)
{
    if (connection->state == GN_CONNECTION_OPEN)
        connection->protocol->finish(connection);
    settle(connection);
    gn_connection_watch_time(connection);
}

/* ---- time ---- */

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* When the peer's pace is looked at next, while output waits. The first look is early: it only sees where the peer is. */
static uint64_t next_look(const struct gn_connection *connection, uint64_t timeout)
{
    return connection->pace.until != 0 ? connection->pace.until : connection->last_sent + timeout / 4;
}

static uint64_t deadline_of(const struct gn_connection *connection, unsigned *reason)
{
    const struct gn_listener_settings *settings = connection->settings;
    uint64_t deadline = GN_TIMER_NEVER;
    if (connection->state == GN_CONNECTION_LINGERING && settings->linger_timeout == 0)
        return deadline;
    if (connection->state == GN_CONNECTION_LINGERING) {
        deadline = connection->last_sent + settings->linger_timeout;
        return connection->pace.until != 0 ? earlier(deadline, connection->pace.until) : deadline;
    }
    if (connection->state == GN_CONNECTION_OPEN)
        deadline = connection->protocol->deadline(connection, reason);
    if (connection->output.length > 0 && settings->write_timeout != 0)
        deadline = earlier(deadline, next_look(connection, settings->write_timeout));
    return deadline;
}

void gn_connection_watch_time(struct gn_connection *connection)
{
    if (connection->state == GN_CONNECTION_CLOSING)
        return;
    // The timer may fire too early for a deadline that has moved away since, never too late: a request costs a
    // comparison, not a restart.
    unsigned reason;
    uint64_t deadline = deadline_of(connection, &reason);
    if (deadline < connection->timer.expiry)
        gn_timer_start(&connection->context->wheel, &connection->timer, deadline);
}

/* Bytes that the peer's host has not acknowledged. Where the kernel does not say, what it took counts as acknowledged. */
static uint64_t unacknowledged(struct gn_connection *connection)
{
    struct gn_io *io = connection->context->io;
    int64_t unsent = io->operations->unsent(io, &connection->socket);
    return unsent < 0 ? 0 : earlier((uint64_t)unsent, connection->sent);
}

static void begin_pace(struct gn_connection *connection, uint64_t acknowledged, uint64_t until)
{
    uint64_t time = until - connection->context->now;
    connection->pace.until = until;
    connection->pace.goal = acknowledged + gn_connection_least_bytes(connection->settings->write_rate, time);
    connection->pace.gone = connection->sent + connection->output.length;
}

/* Whether the peer takes our bytes at write_rate, as far as is known now, measured over `timeout`. */
static bool keeps_pace(struct gn_connection *connection, uint64_t timeout)
{
    uint64_t now = connection->context->now;
    if (connection->pace.until > now)
        return true;
    uint64_t acknowledged = connection->sent - unacknowledged(connection);
    if (connection->pace.until == 0) {
        uint64_t until = connection->last_sent + timeout;
        begin_pace(connection, acknowledged, until > now ? until : now + timeout);
        return true;
    }
    bool all_gone = connection->output.length > 0 && connection->sent >= connection->pace.gone;
    if (!all_gone && acknowledged < connection->pace.goal)
        return false;
    begin_pace(connection, acknowledged, now + timeout);
    return true;
}

static void end_slow_reader(struct gn_connection *connection)
{
    connection->context->counters->timeouts++;
    gn_connection_end(connection, GN_REASON_WRITE_TIMEOUT, true);
}

/* linger_timeout is over since `last_sent`: the beginning of lingering, or the last look at it. */
static void look_at_lingering(struct gn_connection *connection)
{
    const struct gn_listener_settings *settings = connection->settings;
    uint64_t unsent = unacknowledged(connection);
    // Without a write_timeout the time that there is must do.
    uint64_t timeout = settings->write_timeout != 0 ? settings->write_timeout : settings->linger_timeout;
    if (unsent == 0 && connection->pace.until == 0) {
        gn_connection_end(connection, GN_REASON_LINGER_TIMEOUT, false);
        return;
    }
    if (unsent == 0) {
        connection->pace.until = 0; // acknowledged since the last look: the time to close begins
    } else if (!keeps_pace(connection, timeout)) {
        end_slow_reader(connection);
        return;
    }
    connection->last_sent = connection->context->now;
}

void gn_connection_expired(struct gn_connection *connection)
{
    struct gn_context *context = connection->context;
    const struct gn_listener_settings *settings = connection->settings;
    unsigned reason = GN_REASON_NONE;
    if (connection->state == GN_CONNECTION_LINGERING) {
        if (deadline_of(connection, &reason) <= context->now)
            look_at_lingering(connection);
        gn_connection_watch_time(connection);
        return;
    }
    // What only requests need is not held while there is none. A new one makes it again, but not each new one.
    if (connection->exchange_count == 0) {
        gn_info_release(context, connection->info);
        connection->info = NULL;
    }
    if (connection->output.length == 0 || settings->write_timeout == 0) {
        connection->pace.until = 0;
    } else if (!keeps_pace(connection, settings->write_timeout)) {
        end_slow_reader(connection);
        return;
    }
    if (connection->state == GN_CONNECTION_OPEN && connection->protocol->deadline(connection, &reason) <= context->now)
        connection->protocol->expired(connection, reason);
    gn_connection_watch_time(connection);
}

/* ---- info ---- */

static void write_address(uint8_t address[16], uint16_t *port, uint32_t *scope, const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)from;
        memcpy(address, &ipv4->sin_addr, sizeof(ipv4->sin_addr));
        *port = ntohs(ipv4->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)(const void *)from;
        memcpy(address, &ipv6->sin6_addr, sizeof(ipv6->sin6_addr));
        *port = ntohs(ipv6->sin6_port);
        *scope = ipv6->sin6_scope_id;
    }
}

static struct gn_info *make_info(struct gn_context *context, int descriptor)
{
    struct gn_info *info = gn_info_open(context);
    if (info == NULL)
        return NULL;
    struct gn_connection_info *to = gn_info_bytes(context, info);
    struct sockaddr_storage remote = {0}, local = {0};
    // A peer that is gone already has no address any more; its request is served all the same.
    if (gn_socket_addresses(descriptor, &remote, &local) == 0) {
        to->family = remote.ss_family == AF_INET ? 4 : remote.ss_family == AF_INET6 ? 6 : 0;
        write_address(to->remote_address, &to->remote_port, &to->remote_scope, &remote);
        write_address(to->local_address, &to->local_port, &to->local_scope, &local);
    }
    return info;
}

struct gn_info *gn_connection_info(struct gn_connection *connection)
{
    if (connection->info == NULL) {
        connection->info = make_info(connection->context, connection->socket.descriptor);
        if (connection->info == NULL)
            return NULL;
    }
    connection->info->references++;
    return connection->info;
}
