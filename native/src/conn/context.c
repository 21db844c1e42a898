#include "conn/context.h"

void *gn_context_spare(struct gn_context *context, const void *asker, size_t held, size_t length)
{
    if (length > context->spare_limit)
        return NULL;
    while (context->spare - context->relief.leaving > context->spare_limit - length) {
        if (!gn_relief_make_room(context, asker, held + length))
            return NULL;
    }
    void *bytes = gn_memory_allocate(&context->memory, length);
    if (bytes != NULL) {
        context->spare += length;
        context->relief.wanted += length;
    }
    return bytes;
}

void gn_context_give_back(struct gn_context *context, void *bytes, size_t length)
{
    gn_memory_free(&context->memory, bytes, length);
    context->spare -= length;
    if (context->relief.wanted > context->spare)
        context->relief.wanted = context->spare;
}

void gn_context_log(struct gn_context *context, struct gn_event event)
{
    // Log lines come in floods when somebody attacks; the exchanges need the ring more.
    if (gn_ring_room(&context->ring) < context->ring.capacity / 2)
        context->counters->logs_dropped++;
    else
        gn_ring_write(&context->ring, event);
}
