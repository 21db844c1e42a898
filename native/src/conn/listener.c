#include "conn/listener.h"

#include <string.h>
#include <unistd.h>

#include "io/listen.h"

int gn_listener_open(struct gn_context *context, struct gn_slots *listeners,
                     const struct gn_listener_settings *settings, int descriptor, struct gn_listener **result)
{
    int error = -ENOMEM;
    struct gn_listener *listener = gn_memory_allocate(&context->memory, sizeof(*listener));
    if (listener == NULL)
        goto close_descriptor;
    listener->context = context;
    listener->settings = *settings;
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
    gn_memory_free(&listener->context->memory, listener->parked, listener->parked_capacity * sizeof(int));
}

static bool full(const struct gn_listener *listener)
{
    return listener->settings.connections != 0 && listener->connection_count >= listener->settings.connections;
}

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

void gn_listener_retry(struct gn_listener *listener)
{
    listener->retry_at = GN_TIMER_NEVER;
    if (!full(listener))
        accept_on(listener, true);
}

static void accept_failed(struct gn_listener *listener, int error)
{
    struct gn_context *context = listener->context;
    listener->accepting = false;
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

/* Keeps a descriptor for which there is no room now. */
static bool park(struct gn_listener *listener, int descriptor)
{
    if (listener->parked_count == listener->parked_capacity) {
        uint32_t capacity = listener->parked_capacity == 0 ? 16 : 2 * listener->parked_capacity;
        int *parked = gn_memory_allocate(&listener->context->memory, capacity * sizeof(*parked));
        if (parked == NULL)
            return false;
        if (listener->parked_count > 0)
            memcpy(parked, listener->parked, listener->parked_count * sizeof(*parked));
        free_parked(listener);
        listener->parked = parked;
        listener->parked_capacity = capacity;
    }
    listener->parked[listener->parked_count++] = descriptor;
    return true;
}

/* The descriptor that has waited longest; there is one. */
static int unpark(struct gn_listener *listener)
{
    int descriptor = listener->parked[0];
    listener->parked_count--;
    memmove(listener->parked, listener->parked + 1, listener->parked_count * sizeof(*listener->parked));
    return descriptor;
}

/* Makes a connection of the descriptor. 0, or a negative errno: it stays the caller's. */
static int open_connection(struct gn_listener *listener, int descriptor)
{
    struct gn_connection *connection;
    int error = gn_connection_open(listener->context, listener, &listener->settings, descriptor, &connection);
    if (error != 0)
        return error;
    gn_list_append(&listener->connections, &connection->listed);
    listener->connection_count++;
    if (full(listener))
        accept_on(listener, false);
    return 0;
}

static void take_connection(struct gn_listener *listener, int descriptor)
{
    if (open_connection(listener, descriptor) == 0)
        return;
    close(descriptor);
    accept_on(listener, false);
    accept_failed(listener, ENOMEM);
}

int gn_listener_adopt(struct gn_listener *listener, int descriptor)
{
    if (listener->unlistened)
        return -ESHUTDOWN;
    int error = gn_socket_adopt(descriptor);
    if (error != 0)
        return error;
    if (full(listener))
        return park(listener, descriptor) ? 0 : -ENOMEM;
    return open_connection(listener, descriptor);
}

void gn_listener_accepted(struct gn_listener *listener, int result)
{
    if (result < 0) {
        if (!listener->unlistened)
            accept_failed(listener, -result);
    } else if (listener->unlistened || !full(listener)) {
        take_connection(listener, result);
    } else if (!park(listener, result)) {
        close(result);
        accept_failed(listener, ENOMEM);
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

void gn_listener_unlisten(struct gn_listener *listener, bool abort)
{
    struct gn_io *io = listener->context->io;
    if (!listener->unlistened) {
        // What is in the accept queue was promised a connection by the kernel: closing the socket would reset it.
        if (!abort && io->operations->drain(io, &listener->socket) != 0)
            listener->failures++;
        listener->unlistened = true;
        while (listener->parked_count > 0) {
            if (abort)
                close(unpark(listener));
            else
                take_connection(listener, unpark(listener));
        }
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
    while (listener->parked_count > 0 && !full(listener))
        take_connection(listener, unpark(listener));
    if (!listener->accepting && listener->retry_at == GN_TIMER_NEVER && !full(listener))
        accept_on(listener, true);
}

void gn_listener_free(struct gn_listener *listener, struct gn_slots *listeners)
{
    gn_list_remove(&listener->listed);
    gn_slots_free(listeners, listener->slot);
    free_parked(listener);
    gn_memory_free(&listener->context->memory, listener, sizeof(*listener));
}
