#include "conn/buffer.h"

#include <string.h>

#include "conn/context.h"

uint8_t *gn_buffer_bytes(const struct gn_context *context, const struct gn_buffer *buffer)
{
    return gn_arena_bytes(&context->arena, buffer->block) + buffer->begin;
}

static bool make_room(struct gn_context *context, struct gn_buffer *buffer, size_t length)
{
    size_t held = gn_buffer_length(buffer);
    if (held + length > GN_BUFFER_MAX)
        return false;
    size_t capacity = buffer->block == 0 ? 0 : gn_arena_capacity(&context->arena, buffer->block);
    if (capacity - buffer->end >= length)
        return true;
    // Moving pays only where it frees at least as much as it moves; else a stream of small pieces would be quadratic.
    if (capacity >= held + length && buffer->begin >= held) {
        uint8_t *bytes = gn_arena_bytes(&context->arena, buffer->block);
        memmove(bytes, bytes + buffer->begin, held);
    } else {
        size_t wanted = 2 * held > held + length ? 2 * held : held + length;
        if (wanted > GN_BUFFER_MAX)
            wanted = GN_BUFFER_MAX;
        uint64_t block = gn_arena_allocate(&context->arena, GN_ARENA_HEAD, wanted);
        if (block == 0 && wanted > held + length)
            block = gn_arena_allocate(&context->arena, GN_ARENA_HEAD, held + length);
        if (block == 0) {
            context->slab_needed = true;
            return false;
        }
        if (buffer->block != 0) {
            memcpy(gn_arena_bytes(&context->arena, block), gn_buffer_bytes(context, buffer), held);
            gn_arena_free(&context->arena, buffer->block);
        }
        buffer->block = block;
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
    memcpy(gn_arena_bytes(&context->arena, buffer->block) + buffer->end, bytes, length);
    buffer->end += (uint32_t)length;
    return true;
}

void gn_buffer_consume(struct gn_context *context, struct gn_buffer *buffer, size_t length)
{
    buffer->begin += (uint32_t)length;
    if (buffer->begin == buffer->end && buffer->block != 0) {
        gn_arena_free(&context->arena, buffer->block);
        *buffer = (struct gn_buffer){0};
    }
}
