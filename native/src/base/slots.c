#include "base/slots.h"

#include <errno.h>
#include <string.h>

void gn_slots_start(struct gn_slots *table, struct gn_memory *memory, uint32_t limit)
{
    *table = (struct gn_slots){.memory = memory, .limit = limit};
}

void gn_slots_end(struct gn_slots *table)
{
    gn_memory_free(table->memory, table->slots, table->capacity * sizeof(struct gn_slot));
    *table = (struct gn_slots){.memory = table->memory, .limit = table->limit};
}

static int grow(struct gn_slots *table)
{
    uint32_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
    if (capacity > table->limit)
        capacity = table->limit;
    if (capacity == table->capacity)
        return -ENOSPC;
    struct gn_slot *slots = gn_memory_allocate(table->memory, capacity * sizeof(struct gn_slot));
    if (slots == NULL)
        return -ENOMEM;
    if (table->slots != NULL)
        memcpy(slots, table->slots, table->capacity * sizeof(struct gn_slot));
    for (uint32_t slot = capacity; slot > table->capacity; slot--) {
        slots[slot - 1].next_free = table->first_free;
        table->first_free = slot;
    }
    gn_memory_free(table->memory, table->slots, table->capacity * sizeof(struct gn_slot));
    table->slots = slots;
    table->capacity = capacity;
    return 0;
}

int gn_slots_take(struct gn_slots *table, void *owner, uint32_t *slot, uint32_t *generation)
{
    if (table->first_free == 0) {
        int error = grow(table);
        if (error != 0)
            return error;
    }
    *slot = table->first_free - 1;
    struct gn_slot *entry = &table->slots[*slot];
    table->first_free = entry->next_free;
    entry->owner = owner;
    // A Java long must stay positive as an id, so the upper bit of a generation is never set.
    entry->generation = entry->generation >= INT32_MAX ? 1 : entry->generation + 1;
    *generation = entry->generation;
    table->used++;
    return 0;
}

void gn_slots_free(struct gn_slots *table, uint32_t slot)
{
    struct gn_slot *entry = &table->slots[slot];
    entry->owner = NULL;
    entry->next_free = table->first_free;
    table->first_free = slot + 1;
    table->used--;
}
