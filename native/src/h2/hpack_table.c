#include "h2/hpack_table.h"

#include <string.h>

#define OCTETS_FIRST 256U
#define ENTRIES_FIRST 8U

void gn_hpack_table_start(struct gn_hpack_table *table, struct gn_memory *memory, uint32_t max_size)
{
    *table = (struct gn_hpack_table){.memory = memory, .max_size = max_size};
}

void gn_hpack_table_end(struct gn_hpack_table *table)
{
    gn_memory_free(table->memory, table->octets, table->octets_capacity);
    gn_memory_free(table->memory, table->entries, table->entries_capacity * sizeof(*table->entries));
    gn_hpack_table_start(table, table->memory, table->max_size);
}

/* Drops the oldest entries until the rest has at most `size` bytes. */
static void evict(struct gn_hpack_table *table, uint32_t size)
{
    while (table->size > size) {
        const struct gn_hpack_entry *oldest = gn_hpack_table_entry(table, table->count);
        table->size -= GN_HPACK_ENTRY_OVERHEAD + oldest->name_length + oldest->value_length;
        table->count--;
    }
    if (table->count == 0)
        table->octets_end = 0;
}

void gn_hpack_table_resize(struct gn_hpack_table *table, uint32_t max_size)
{
    table->max_size = max_size;
    evict(table, max_size);
}

/* Moves the octets of all entries to the beginning of `to`. */
static void move_octets(struct gn_hpack_table *table, uint8_t *to)
{
    uint32_t first = gn_hpack_table_entry(table, table->count)->start;
    memmove(to, table->octets + first, table->octets_end - first);
    for (uint32_t age = table->count; age > 0; age--)
        table->entries[(table->inserted - age) & (table->entries_capacity - 1)].start -= first;
    table->octets_end -= first;
}

/* Room for `length` octets at octets_end. At least half of the block is free after a move, so an octet is moved once on
   average. */
static bool reserve_octets(struct gn_hpack_table *table, uint32_t length)
{
    if (table->octets != NULL && table->octets_capacity - table->octets_end >= length)
        return true;
    uint32_t live = table->size - table->count * GN_HPACK_ENTRY_OVERHEAD;
    if (table->count > 0 && 2 * (live + length) <= table->octets_capacity) {
        move_octets(table, table->octets);
        return true;
    }
    uint32_t capacity = table->octets_capacity == 0 ? OCTETS_FIRST : table->octets_capacity;
    while (capacity < 2 * (live + length))
        capacity *= 2;
    uint8_t *octets = gn_memory_allocate(table->memory, capacity);
    if (octets == NULL)
        return false;
    if (table->count > 0)
        move_octets(table, octets);
    gn_memory_free(table->memory, table->octets, table->octets_capacity);
    table->octets = octets;
    table->octets_capacity = capacity;
    return true;
}

static bool reserve_entry(struct gn_hpack_table *table)
{
    if (table->count < table->entries_capacity)
        return true;
    uint32_t capacity = table->entries_capacity == 0 ? ENTRIES_FIRST : 2 * table->entries_capacity;
    struct gn_hpack_entry *entries = gn_memory_allocate(table->memory, capacity * sizeof(*entries));
    if (entries == NULL)
        return false;
    for (uint32_t age = table->count; age > 0; age--)
        entries[(table->inserted - age) & (capacity - 1)] = *gn_hpack_table_entry(table, age);
    gn_memory_free(table->memory, table->entries, table->entries_capacity * sizeof(*entries));
    table->entries = entries;
    table->entries_capacity = capacity;
    return true;
}

bool gn_hpack_table_insert(struct gn_hpack_table *table, const uint8_t *name, size_t name_length, const uint8_t *value,
                           size_t value_length, uint16_t token, uint8_t malformed)
{
    if (name_length + value_length + GN_HPACK_ENTRY_OVERHEAD > table->max_size) {
        evict(table, 0);
        return true;
    }
    uint32_t length = (uint32_t)(name_length + value_length);
    evict(table, table->max_size - length - GN_HPACK_ENTRY_OVERHEAD);
    if (!reserve_octets(table, length) || !reserve_entry(table))
        return false;
    memcpy(table->octets + table->octets_end, name, name_length);
    memcpy(table->octets + table->octets_end + name_length, value, value_length);
    table->entries[table->inserted & (table->entries_capacity - 1)] = (struct gn_hpack_entry){
        .start = table->octets_end,
        .name_length = (uint16_t)name_length,
        .value_length = (uint16_t)value_length,
        .token = token,
        .malformed = malformed,
    };
    table->octets_end += length;
    table->inserted++;
    table->count++;
    table->size += length + GN_HPACK_ENTRY_OVERHEAD;
    return true;
}
