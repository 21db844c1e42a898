/*
 * The event ring seen from C: the one place that writes events. The memory is Java's (see shared.h); head and tail are
 * kept here, in memory of C's own.
 */
#ifndef GN_RING_RING_H
#define GN_RING_RING_H

#include <stdbool.h>
#include <string.h>

#include "ring/record.h"

struct gn_ring {
    struct gn_event *events;
    uint32_t capacity; /* a power of two */
    uint32_t head;     /* events that Java has read */
    uint32_t tail;     /* events that C has written */
};

static inline uint32_t gn_ring_count(const struct gn_ring *ring)
{
    return ring->tail - ring->head;
}

static inline uint32_t gn_ring_room(const struct gn_ring *ring)
{
    return ring->capacity - gn_ring_count(ring);
}

/* Java says that it has read up to `head`; false: it cannot have. */
static inline bool gn_ring_read_up_to(struct gn_ring *ring, uint32_t head)
{
    if (head - ring->head > gn_ring_count(ring))
        return false;
    ring->head = head;
    return true;
}

/* Writes an event; there must be room. */
static inline void gn_ring_write(struct gn_ring *ring, struct gn_event event)
{
    ring->events[ring->tail & (ring->capacity - 1)] = event;
    ring->tail++;
}

#endif
