#include "conn/listener.h"

#include <string.h>
#include <unistd.h>

#include "io/listen.h"

/* What a retry takes out of the backlog at most, before accepting is simply on again. */
#define BACKLOG_MAX 64U

int gn_listener_open(struct gn_context *context, struct gn_slots *listeners,
                     const struct gn_listener_settings *settings, int descriptor, struct gn_listener **result)
{
    int error = -ENOMEM;
    struct gn_listener *listener = gn_memory_allocate(&context->memory, sizeof(*listener));
    if (listener == NULL)
        goto close_descriptor;
    listener->context = context;
    listener->settings = *settings;
    listener->admission = (struct gn_admission *)(uintptr_t)settings->admission;
    listener->retry_at = GN_TIMER_NEVER;
    listener->socket.descriptor = -1;
    listener->socket.listener = true;
    gn_list_start(&listener->listed);
    gn_list_start(&listener->connections);
    gn_list_start(&listener->socket.link);
    error = gn_slots_take(listeners, listener, &listener->slot, &listener->generation);
    if (error != 0)
        goto free_listener;
    error = context->io->operations->attach(context->io, &listener->socket, descriptor);
    if (error != 0)
        goto free_slot;
    if (listener->admission != NULL)
        gn_admission_hold(listener->admission);
    error = context->io->operations->accept(context->io, &listener->socket, true);
    if (error != 0) {
        // The socket is attached, so it ends as a listener that was told to.
        *result = listener;
        gn_listener_unlisten(listener, true);
        return error;
    }
    listener->accepting = true;
    *result = listener;
    return 0;

free_slot:
    gn_slots_free(listeners, listener->slot);
free_listener:
    gn_memory_free(&context->memory, listener, sizeof(*listener));
close_descriptor:
    close(descriptor);
    *result = NULL;
    return error;
}

static void free_parked(struct gn_listener *listener)
{
    gn_memory_free(&listener->context->memory, listener->parked, listener->parked_capacity * sizeof(*listener->parked));
}

/* ---- places ---- */

static void set_hungry(struct gn_listener *listener, bool hungry)
{
    if (listener->hungry == hungry)
        return;
    gn_admission_hungry(listener->admission, hungry);
    listener->hungry = hungry;
}

static bool enter(struct gn_listener *listener)
{
    struct gn_admission *admission = listener->admission;
    bool entered = admission == NULL || gn_admission_enter(admission, listener->connection_count == 0);
    if (entered)
        set_hungry(listener, false);
    return entered;
}

static void leave(struct gn_listener *listener)
{
    if (listener->admission != NULL)
        gn_admission_leave(listener->admission);
}

static bool full(const struct gn_listener *listener)
{
    return listener->admission != NULL && gn_admission_full(listener->admission, listener->connection_count == 0);
}

static void note_refused(struct gn_listener *listener, unsigned reason, uint64_t peer)
{
    listener->context->counters->connections_refused++;
    gn_context_count(listener->context, reason);
    gn_context_log(listener->context,
                   (struct gn_event){.kind = GN_EVENT_REFUSED, .reason = (uint16_t)reason, .block = peer});
}

static int count_peer(struct gn_listener *listener, int descriptor, uint64_t *peer)
{
    *peer = GN_ADMISSION_NOBODY;
    if (listener->admission == NULL || !gn_admission_counts_peers(listener->admission))
        return 0;
    struct sockaddr_storage address;
    if (gn_socket_peer(descriptor, &address) != 0)
        return 0; // it is gone already
    *peer = gn_admission_peer(&address);
    int error = gn_admission_add_peer(listener->admission, *peer);
    if (error != 0)
        note_refused(listener, error == -ENOMEM ? GN_REASON_OUT_OF_MEMORY : GN_REASON_ADDRESS_LIMIT, *peer);
    return error;
}

static void forget_peer(struct gn_listener *listener, uint64_t peer)
{
    if (listener->admission != NULL)
        gn_admission_remove_peer(listener->admission, peer);
}

/* ---- accepting ---- */

static void accept_on(struct gn_listener *listener, bool on)
{
    struct gn_io *io = listener->context->io;
    if (listener->unlistened || listener->accepting == on)
        return;
    if (io->operations->accept(io, &listener->socket, on) == 0)
        listener->accepting = on;
    else
        listener->retry_at = listener->context->now + GN_LISTENER_RETRY;
}

/* Places become free on other loops as well, of which nothing is heard. */
static void pause_while_full(struct gn_listener *listener)
{
    accept_on(listener, false);
    listener->retry_at = listener->context->now + GN_LISTENER_RETRY;
    set_hungry(listener, listener->parked_count > 0 && listener->connection_count == 0);
}

static void accept_failed(struct gn_listener *listener, int error)
{
    struct gn_context *context = listener->context;
    listener->accepting = false;
    listener->failing = true;
    listener->failures++;
    context->counters->accept_failures++;
    // A connection that went away while it waited says nothing about the next one.
    bool again = error == ECONNABORTED || error == EAGAIN || error == EINTR;
    listener->retry_at = context->now + (again ? 0 : GN_LISTENER_RETRY);
    gn_context_log(context, (struct gn_event){.kind = GN_EVENT_ACCEPT_FAILED,
                                              .length = (uint32_t)error,
                                              .subject = gn_listener_id(listener),
                                              .value = (int64_t)listener->failures});
}

/* Keeps a connection for which there is no place now. False: no memory, or too many of them. */
static bool park(struct gn_listener *listener, struct gn_parked connection)
{
    if (!gn_admission_wait(listener->admission))
        return false;
    if (listener->parked_count == listener->parked_capacity) {
        uint32_t capacity = listener->parked_capacity == 0 ? 16 : 2 * listener->parked_capacity;
        struct gn_parked *parked = gn_memory_allocate(&listener->context->memory, capacity * sizeof(*parked));
        if (parked == NULL) {
            gn_admission_stop_waiting(listener->admission);
            return false;
        }
        if (listener->parked_count > 0)
            memcpy(parked, listener->parked, listener->parked_count * sizeof(*parked));
        free_parked(listener);
        listener->parked = parked;
        listener->parked_capacity = capacity;
    }
    listener->parked[listener->parked_count++] = connection;
    pause_while_full(listener);
    return true;
}

/* The one that has waited longest; there is one. */
static struct gn_parked unpark(struct gn_listener *listener)
{
    struct gn_parked first = listener->parked[0];
    listener->parked_count--;
    memmove(listener->parked, listener->parked + 1, listener->parked_count * sizeof(*listener->parked));
    gn_admission_stop_waiting(listener->admission);
    return first;
}

/* Makes a connection that has a place of the descriptor. 0, or a negative errno: place and descriptor stay the
   caller's. */
static int open_connection(struct gn_listener *listener, int descriptor, uint64_t peer)
{
    struct gn_connection *connection;
    int error = gn_connection_open(listener->context, listener, &listener->settings, descriptor, &connection);
    if (error != 0)
        return error;
    connection->peer = peer;
    gn_list_append(&listener->connections, &connection->listed);
    listener->connection_count++;
    if (listener->accepting && full(listener))
        pause_while_full(listener);
    return 0;
}

/* The same for what was accepted, and can only be closed. */
static void take_connection(struct gn_listener *listener, struct gn_parked from)
{
    if (open_connection(listener, from.descriptor, from.peer) == 0)
        return;
    close(from.descriptor);
    leave(listener);
    forget_peer(listener, from.peer);
    accept_on(listener, false);
    accept_failed(listener, ENOMEM);
}

/* Takes one connection out of the backlog. Whether there may be another one. */
static bool take_from_backlog(struct gn_listener *listener)
{
    struct gn_io *io = listener->context->io;
    uint64_t before = listener->accepted;
    int error = io->operations->drain(io, &listener->socket, 1);
    if (error != 0)
        accept_failed(listener, -error);
    return error == 0 && listener->accepted != before;
}

void gn_listener_retry(struct gn_listener *listener)
{
    listener->retry_at = GN_TIMER_NEVER;
    listener->failing = false;
    while (listener->parked_count > 0 && !listener->failing && enter(listener))
        take_connection(listener, unpark(listener));
    // One by one: once accepting is on, some backends take all of the backlog, whether there are places or not.
    for (unsigned i = 0; i < BACKLOG_MAX && listener->parked_count == 0 && !listener->failing && !full(listener); i++) {
        if (!take_from_backlog(listener))
            break;
    }
    if (listener->failing)
        return;
    if (listener->parked_count > 0 || full(listener))
        pause_while_full(listener);
    else
        accept_on(listener, true);
}

int gn_listener_adopt(struct gn_listener *listener, int descriptor)
{
    if (listener->unlistened)
        return -ESHUTDOWN;
    int error = gn_socket_adopt(descriptor);
    if (error != 0)
        return error;
    uint64_t peer;
    error = count_peer(listener, descriptor, &peer);
    if (error != 0)
        return error;
    if (listener->parked_count == 0 && enter(listener)) {
        error = open_connection(listener, descriptor, peer);
        if (error != 0)
            leave(listener);
    } else if (!park(listener, (struct gn_parked){descriptor, peer})) {
        note_refused(listener, GN_REASON_CONNECTION_LIMIT, peer);
        error = -ECONNREFUSED;
    }
    if (error != 0)
        forget_peer(listener, peer);
    return error;
}

void gn_listener_accepted(struct gn_listener *listener, int result)
{
    if (result < 0) {
        if (!listener->unlistened)
            accept_failed(listener, -result);
        return;
    }
    listener->accepted++;
    struct gn_parked connection = {.descriptor = result};
    if (count_peer(listener, result, &connection.peer) != 0) {
        gn_socket_refuse(result);
        return;
    }
    if (listener->parked_count == 0 && enter(listener)) {
        take_connection(listener, connection);
    } else if (!park(listener, connection)) {
        note_refused(listener, GN_REASON_CONNECTION_LIMIT, connection.peer);
        forget_peer(listener, connection.peer);
        gn_socket_refuse(result);
    }
}

static void end_connections(struct gn_listener *listener, bool abort)
{
    struct gn_list waiting, *link;
    gn_list_start(&waiting);
    gn_list_move(&waiting, &listener->connections);
    while ((link = gn_list_take(&waiting)) != NULL) {
        gn_list_append(&listener->connections, link);
        struct gn_connection *connection = gn_list_owner(link, struct gn_connection, listed);
        if (abort)
            gn_connection_end(connection, GN_REASON_SHUTDOWN, true);
        else
            gn_connection_finish(connection);
    }
}

/* What the kernel had promised a connection gets it, past the limit. */
static void end_waiting(struct gn_listener *listener, bool abort)
{
    while (listener->parked_count > 0) {
        struct gn_parked connection = unpark(listener);
        if (abort) {
            close(connection.descriptor);
            forget_peer(listener, connection.peer);
        } else {
            gn_admission_enter_anyway(listener->admission);
            take_connection(listener, connection);
        }
    }
    set_hungry(listener, false);
}

void gn_listener_unlisten(struct gn_listener *listener, bool abort)
{
    struct gn_io *io = listener->context->io;
    if (!listener->unlistened) {
        // What is in the accept queue was promised a connection by the kernel: closing the socket would reset it.
        if (!abort && io->operations->drain(io, &listener->socket, 0) != 0)
            listener->failures++;
        listener->unlistened = true;
        end_waiting(listener, abort);
        listener->accepting = false;
        listener->retry_at = GN_TIMER_NEVER;
        io->operations->close(io, &listener->socket, false);
    }
    end_connections(listener, abort);
}

void gn_listener_closed(struct gn_listener *listener)
{
    listener->socket_closed = true;
}

void gn_listener_lost(struct gn_listener *listener, struct gn_connection *connection)
{
    gn_list_remove(&connection->listed);
    listener->connection_count--;
    leave(listener);
    forget_peer(listener, connection->peer);
    // Not from here: this may be within a callback of the io, which must not accept then.
    if (!listener->accepting && !listener->unlistened && !listener->failing)
        listener->retry_at = listener->context->now;
}

void gn_listener_free(struct gn_listener *listener, struct gn_slots *listeners)
{
    gn_list_remove(&listener->listed);
    gn_slots_free(listeners, listener->slot);
    free_parked(listener);
    if (listener->admission != NULL)
        gn_admission_release(listener->admission);
    gn_memory_free(&listener->context->memory, listener, sizeof(*listener));
}
