/*
 * A table of slots: hands out (slot, generation) names for structures that it points to and does not own. A name is
 * found again until it is freed, and never afterwards: the generation of a slot counts up with each use and skips 0.
 * Slots are reused last in, first out, so that few are touched. Taking, finding and freeing take constant time.
 */
#ifndef GN_BASE_SLOTS_H
#define GN_BASE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct gn_slot {
    void *owner; /* NULL while free */
    uint32_t generation;
    uint32_t next_free; /* slot + 1, or 0 */
};

struct gn_slots {
    struct gn_memory *memory;
    struct gn_slot *slots;
    uint32_t capacity;
    uint32_t limit; /* most slots there may be */
    uint32_t used;
    uint32_t first_free; /* slot + 1, or 0 */
};

void gn_slots_start(struct gn_slots *table, struct gn_memory *memory, uint32_t limit);
void gn_slots_end(struct gn_slots *table);

/* Names `owner`. 0, -ENOMEM, or -ENOSPC: the limit is reached. */
int gn_slots_take(struct gn_slots *table, void *owner, uint32_t *slot, uint32_t *generation);

void gn_slots_free(struct gn_slots *table, uint32_t slot);

/* The structure of that name, or NULL where there is none (any more). */
static inline void *gn_slots_find(const struct gn_slots *table, uint32_t slot, uint32_t generation)
{
    if (slot >= table->capacity || table->slots[slot].generation != generation)
        return NULL;
    return table->slots[slot].owner;
}

#endif
