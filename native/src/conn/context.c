#include "conn/context.h"

void gn_context_log(struct gn_context *context, struct gn_event event)
{
    // Log lines come in floods when somebody attacks; the exchanges need the ring more.
    if (gn_ring_room(&context->ring) < context->ring.capacity / 2)
        context->counters->logs_dropped++;
    else
        gn_ring_write(&context->ring, event);
}
