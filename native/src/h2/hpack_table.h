/*
 * The dynamic table of HPACK (RFC 7541 section 2.3.2 and 4): the fields that one side of a connection sent last, by age.
 *
 * The octets of all entries stand one behind the other in one block, entries in a ring; both grow with what the table
 * holds, not with what it may hold, since most connections are idle. An entry counts its octets and 32 (section 4.1).
 *
 * Owner: the decoder or encoder that it is a part of. Thread: the loop's.
 */
#ifndef GN_H2_HPACK_TABLE_H
#define GN_H2_HPACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define GN_HPACK_ENTRY_OVERHEAD 32U

/* The largest table that either side is allowed here, bytes: lengths fit into 16 bits. */
#define GN_HPACK_TABLE_MAX 65535U

/* What is wrong with a field, so that a message must not have it; with a wrong name, none of that name. */
enum gn_hpack_malformed { GN_HPACK_VALUE_MALFORMED = 1, GN_HPACK_NAME_MALFORMED = 2 };

struct gn_hpack_entry {
    uint32_t start; /* of its name in `octets`; the value stands behind */
    uint16_t name_length;
    uint16_t value_length;
    uint16_t token;    /* enum gn_field_name or enum gn_pseudo_field */
    uint8_t malformed; /* the decoder's: enum gn_hpack_malformed */
};

struct gn_hpack_table {
    struct gn_memory *memory;
    uint8_t *octets;
    struct gn_hpack_entry *entries;
    uint32_t octets_capacity, octets_end;
    uint32_t entries_capacity; /* 0, or a power of two */
    uint32_t inserted;         /* entries ever; the newest one stands at inserted - 1 */
    uint32_t count;
    uint32_t size; /* as section 4.1 counts */
    uint32_t max_size;
};

/* An empty table without memory of its own. max_size: bytes, up to GN_HPACK_TABLE_MAX. */
void gn_hpack_table_start(struct gn_hpack_table *table, struct gn_memory *memory, uint32_t max_size);
void gn_hpack_table_end(struct gn_hpack_table *table);

/* Changes how much it may hold, and drops the oldest entries that do not fit any more. */
void gn_hpack_table_resize(struct gn_hpack_table *table, uint32_t max_size);

/* Adds a field; its texts do not lie in the table. An entry larger than the table empties it (section 4.4), which is no
   error. False: no memory, and the table is as before but for what made room. */
bool gn_hpack_table_insert(struct gn_hpack_table *table, const uint8_t *name, size_t name_length, const uint8_t *value,
                           size_t value_length, uint16_t token, uint8_t malformed);

/* The entry that was inserted `age` insertions ago: 1 is the newest one, `count` the oldest. Valid until the next
   insertion or change of size. */
static inline const struct gn_hpack_entry *gn_hpack_table_entry(const struct gn_hpack_table *table, uint32_t age)
{
    return &table->entries[(table->inserted - age) & (table->entries_capacity - 1)];
}

#endif
