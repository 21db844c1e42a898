/*
 * Reads the fields that Java stages for a response (struct gn_staged_field in ring/record.h), which are taken as if they
 * came from an enemy.
 */
#ifndef GN_HTTP_STAGED_FIELDS_H
#define GN_HTTP_STAGED_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "http/field_name.h"
#include "ring/record.h"

/* The entry at `at`, whose name and value are known to lie before `end` if this returns true. */
static inline bool gn_staged_read(const uint8_t *at, const uint8_t *end, struct gn_staged_field *entry)
{
    if ((size_t)(end - at) < sizeof(*entry))
        return false;
    memcpy(entry, at, sizeof(*entry));
    if (entry->token >= GN_FIELD_NAME_COUNT)
        return false;
    return (size_t)(end - at) - sizeof(*entry) >= (size_t)entry->name_length + entry->value_length;
}

static inline size_t gn_staged_size(const struct gn_staged_field *entry)
{
    return sizeof(*entry) + entry->name_length + entry->value_length;
}

/* Takes the entry of the reason phrase off the fields in *at..end; false: there is none. */
static inline bool gn_staged_read_reason(const uint8_t **at, const uint8_t *end, const uint8_t **phrase, size_t *length)
{
    struct gn_staged_field entry;
    if (!gn_staged_read(*at, end, &entry) || entry.token != GN_FIELD_OTHER || entry.name_length != 0)
        return false;
    *phrase = *at + sizeof(entry);
    *length = entry.value_length;
    *at += gn_staged_size(&entry);
    return true;
}

#endif
