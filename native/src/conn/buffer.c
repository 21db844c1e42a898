#include "conn/buffer.h"

#include <string.h>

#include "conn/context.h"

static uint8_t *memory_of(const struct gn_context *context, const struct gn_buffer *buffer)
{
    return buffer->heap != NULL ? buffer->heap : gn_arena_bytes(&context->arena, buffer->block);
}

static size_t capacity_of(const struct gn_context *context, const struct gn_buffer *buffer)
{
    if (buffer->block == 0)
        return buffer->heap_capacity;
    return gn_arena_capacity(&context->arena, buffer->block);
}

static void free_memory(struct gn_context *context, struct gn_buffer *buffer)
{
    if (buffer->block != 0)
        gn_arena_free(&context->arena, buffer->block);
    if (buffer->heap != NULL)
        gn_context_give_back(context, buffer->heap, buffer->heap_capacity);
    *buffer = (struct gn_buffer){0};
}

uint8_t *gn_buffer_bytes(const struct gn_context *context, const struct gn_buffer *buffer)
{
    return memory_of(context, buffer) + buffer->begin;
}

/* Memory of `wanted` bytes, or at least `least`, for what `asker` is to hold. False: there is none. */
static bool take_memory(struct gn_context *context, struct gn_buffer *buffer, const struct gn_buffer *asker,
                        size_t wanted, size_t least)
{
    buffer->block = gn_arena_allocate(&context->arena, GN_ARENA_BODY_IN, wanted);
    if (buffer->block == 0 && wanted > least)
        buffer->block = gn_arena_allocate(&context->arena, GN_ARENA_BODY_IN, least);
    if (buffer->block != 0)
        return true;
    // It was received already, so it is held or the connection is lost.
    buffer->heap = gn_context_spare(context, asker, 0, wanted);
    buffer->heap_capacity = (uint32_t)wanted;
    return buffer->heap != NULL;
}

static bool make_room(struct gn_context *context, struct gn_buffer *buffer, size_t length)
{
    size_t held = gn_buffer_length(buffer);
    if (held + length > GN_BUFFER_MAX)
        return false;
    size_t capacity = capacity_of(context, buffer);
    if (capacity - buffer->end >= length)
        return true;
    // Moving pays only where it frees at least as much as it moves; else a stream of small pieces would be quadratic.
    if (capacity >= held + length && buffer->begin >= held) {
        uint8_t *bytes = memory_of(context, buffer);
        memmove(bytes, bytes + buffer->begin, held);
    } else {
        size_t wanted = 2 * held > held + length ? 2 * held : held + length;
        struct gn_buffer larger = {0};
        if (!take_memory(context, &larger, buffer, wanted > GN_BUFFER_MAX ? GN_BUFFER_MAX : wanted, held + length))
            return false;
        if (held > 0)
            memcpy(memory_of(context, &larger), gn_buffer_bytes(context, buffer), held);
        free_memory(context, buffer);
        *buffer = larger;
    }
    buffer->begin = 0;
    buffer->end = (uint32_t)held;
    return true;
}

bool gn_buffer_append(struct gn_context *context, struct gn_buffer *buffer, const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return true;
    if (!make_room(context, buffer, length))
        return false;
    memcpy(memory_of(context, buffer) + buffer->end, bytes, length);
    buffer->end += (uint32_t)length;
    return true;
}

void gn_buffer_consume(struct gn_context *context, struct gn_buffer *buffer, size_t length)
{
    buffer->begin += (uint32_t)length;
    if (buffer->begin == buffer->end)
        free_memory(context, buffer);
}
