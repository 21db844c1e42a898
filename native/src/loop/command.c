#include "loop/loop.h"

/*
 * Commands are taken as if they came from an enemy: whatever they name is looked up, whatever they point at is checked
 * against what C knows. One that makes no sense is counted and changes nothing.
 */

/* The bytes that a command stages, or NULL: they do not lie in the staging area. */
static const uint8_t *staged_bytes(const struct gn_loop *loop, const struct gn_command *command)
{
    uint64_t end = (uint64_t)command->offset + command->length + command->body_length;
    return end <= loop->staging_capacity ? loop->staging + command->offset : NULL;
}

static void release(struct gn_loop *loop, struct gn_exchange *exchange)
{
    if (exchange->connection != NULL)
        exchange->connection->protocol->released(exchange);
    gn_exchange_release(&loop->context, exchange);
}

static bool send_prepared(struct gn_loop *loop, struct gn_exchange *exchange, const struct gn_command *command)
{
    struct gn_connection *connection = exchange->connection;
    struct gn_prepared *prepared;
    int error = gn_prepared_find(&loop->context, command->block, &prepared);
    if (error == 0)
        return connection->protocol->prepared(exchange, command, prepared);
    if (error == -ENOMEM)
        gn_connection_end(connection, GN_REASON_OUT_OF_MEMORY, true); // Java believes that its response is on its way
    return error == -ENOMEM;
}

static bool apply_to_attached(struct gn_loop *loop, struct gn_exchange *exchange, const struct gn_command *command)
{
    if (exchange->connection == NULL || exchange->broken)
        return true; // Java could not know yet
    const struct gn_protocol *protocol = exchange->connection->protocol;
    const uint8_t *staged;
    switch (command->kind) {
    case GN_COMMAND_RESPOND:
        staged = staged_bytes(loop, command);
        return staged != NULL && protocol->respond(exchange, command, staged);
    case GN_COMMAND_INTERIM:
        staged = staged_bytes(loop, command);
        return staged != NULL && command->body_length == 0 && protocol->interim(exchange, command, staged);
    case GN_COMMAND_TRAILERS:
        staged = staged_bytes(loop, command);
        return staged != NULL && command->body_length == 0 && protocol->trailers(exchange, command, staged);
    case GN_COMMAND_DATA:
        staged = staged_bytes(loop, command);
        return staged != NULL && command->length == 0 && protocol->data(exchange, command, staged);
    case GN_COMMAND_PREPARED:
        return send_prepared(loop, exchange, command);
    case GN_COMMAND_RESET:
        protocol->reset(exchange, (uint32_t)command->value);
        return true;
    default:
        return false;
    }
}

static bool apply_to_exchange(struct gn_loop *loop, const struct gn_command *command)
{
    struct gn_exchange *exchange = gn_exchange_find(&loop->context, command->subject);
    if (exchange == NULL || exchange->released)
        return false;
    bool done = apply_to_attached(loop, exchange, command);
    if (command->flags & GN_FLAG_RELEASE)
        release(loop, exchange);
    return done;
}

static bool take_back(struct gn_loop *loop, uint64_t block)
{
    if (!gn_arena_take_back(&loop->context.arena, block))
        return false;
    gn_arena_free(&loop->context.arena, block);
    return true;
}

static bool apply_credit(struct gn_loop *loop, const struct gn_command *command)
{
    struct gn_exchange *exchange = gn_exchange_find(&loop->context, command->subject);
    if (exchange == NULL || exchange->released || command->value < 0)
        return false;
    uint64_t bytes = (uint64_t)command->value;
    if (command->block != 0) {
        if (!gn_arena_take_back(&loop->context.arena, command->block))
            return false;
        bytes = gn_arena_capacity(&loop->context.arena, command->block); // what it was charged for
        gn_arena_free(&loop->context.arena, command->block);
    }
    if (exchange->connection != NULL && !exchange->broken)
        exchange->connection->protocol->credit(exchange, bytes);
    return true;
}

static bool apply_release(struct gn_loop *loop, const struct gn_command *command)
{
    struct gn_exchange *exchange = gn_exchange_find(&loop->context, command->subject);
    if (exchange == NULL || exchange->released)
        return false;
    release(loop, exchange);
    return true;
}

static bool apply_to_connection(struct gn_loop *loop, const struct gn_command *command)
{
    struct gn_connection *connection = gn_connection_find(&loop->context, command->subject);
    if (connection == NULL) {
        // It may be gone before Java could know; WATCH then still promises a CLOSED event.
        return command->kind == GN_COMMAND_CLOSE || gn_connection_watch_lost(&loop->context, command->subject);
    }
    if (command->kind == GN_COMMAND_WATCH)
        connection->watched = true;
    else if (command->flags & GN_FLAG_ABORT)
        gn_connection_end(connection, GN_REASON_CLOSED_HERE, true);
    else
        gn_connection_finish(connection);
    return true;
}

static bool apply_unlisten(struct gn_loop *loop, const struct gn_command *command)
{
    struct gn_listener *listener =
        gn_slots_find(&loop->listeners, gn_id_slot(command->subject), gn_id_generation(command->subject));
    if (listener == NULL)
        return false;
    gn_listener_unlisten(listener, command->flags & GN_FLAG_ABORT);
    return true;
}

static bool apply_prepare(struct gn_loop *loop, const struct gn_command *command)
{
    const uint8_t *staged = staged_bytes(loop, command);
    return staged != NULL && gn_prepared_keep(&loop->context, command, staged);
}

static bool apply(struct gn_loop *loop, const struct gn_command *command)
{
    switch (command->kind) {
    case GN_COMMAND_RESPOND:
    case GN_COMMAND_INTERIM:
    case GN_COMMAND_DATA:
    case GN_COMMAND_TRAILERS:
    case GN_COMMAND_PREPARED:
    case GN_COMMAND_RESET:
        return apply_to_exchange(loop, command);
    case GN_COMMAND_PREPARE:
        return apply_prepare(loop, command);
    case GN_COMMAND_UNPREPARE:
        return gn_prepared_drop(&loop->context, command->subject);
    case GN_COMMAND_CREDIT:
        return apply_credit(loop, command);
    case GN_COMMAND_FREE:
        return take_back(loop, command->block);
    case GN_COMMAND_RELEASE:
        return apply_release(loop, command);
    case GN_COMMAND_WATCH:
    case GN_COMMAND_CLOSE:
        return apply_to_connection(loop, command);
    case GN_COMMAND_UNLISTEN:
        return apply_unlisten(loop, command);
    default: // what the record table has for roles that are not built yet
        return false;
    }
}

void gn_loop_apply(struct gn_loop *loop, uint32_t count)
{
    loop->context.counters->commands += count;
    for (uint32_t i = 0; i < count; i++) {
        struct gn_command command = loop->commands[i];
        if (!apply(loop, &command))
            loop->context.counters->commands_rejected++;
    }
}
