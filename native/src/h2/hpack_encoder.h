/*
 * The encoder of field blocks (RFC 7541): one for each connection. What it writes must go out in that order.
 *
 * What is indexed: a field goes into the dynamic table when it comes for the second time, as far as the encoder
 * remembers; so what changes with every message (lengths, ids) costs no entry, and what stays (Server, Content-Type, a
 * date within its second) costs an octet. Fields that tell who somebody is are never indexed (section 7.1.3).
 */
#ifndef GN_H2_HPACK_ENCODER_H
#define GN_H2_HPACK_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h2/hpack_table.h"

/* The largest table that is made use of, bytes; a peer may allow more. */
#define GN_HPACK_ENCODER_TABLE_MAX 4096U

/* Fields that are remembered, by hash; one with the same place takes it. */
#define GN_HPACK_ENCODER_SLOTS 32U

struct gn_hpack_slot {
    uint32_t hash;   /* of a field that was written */
    uint32_t number; /* 1 + its number among all insertions, or 0: not in the table */
};

struct gn_hpack_encoder {
    struct gn_hpack_table table;
    uint32_t smallest; /* the smallest size since the last block, to be told in the next one */
    bool resized;
    struct gn_hpack_slot slots[GN_HPACK_ENCODER_SLOTS];
};

/* The table begins with the 4096 bytes that a peer allows until it says otherwise (RFC 9113 section 6.5.2). */
void gn_hpack_encoder_start(struct gn_hpack_encoder *encoder, struct gn_memory *memory);
void gn_hpack_encoder_end(struct gn_hpack_encoder *encoder);

/* The peer's SETTINGS_HEADER_TABLE_SIZE, bytes: what is written from now on keeps to it. */
void gn_hpack_encoder_allow(struct gn_hpack_encoder *encoder, uint32_t size);

/* The most bytes that gn_hpack_encode_begin writes, and gn_hpack_encode_field or _status for a field. */
#define GN_HPACK_BEGIN_MAX 12U
static inline size_t gn_hpack_field_max(size_t name_length, size_t value_length)
{
    return 16 + name_length + value_length;
}
#define GN_HPACK_STATUS_MAX (16U + 7U + 3U)

/* Each writes to `to`, which has room for the most that it writes, and returns where its bytes end. Without memory for
   the table a field is written without an index. */

/* Begins a block: tells of changed table sizes. */
uint8_t *gn_hpack_encode_begin(struct gn_hpack_encoder *encoder, uint8_t *to);

/* :status, 100 to 999. */
uint8_t *gn_hpack_encode_status(struct gn_hpack_encoder *encoder, uint8_t *to, unsigned status);

/* A field. With a token its name is the token's, and name_length may be 0; else name[0..name_length) is a token in any
   case, which goes out in lower case (RFC 9113 section 8.2). */
uint8_t *gn_hpack_encode_field(struct gn_hpack_encoder *encoder, uint8_t *to, uint16_t token, const uint8_t *name,
                               size_t name_length, const uint8_t *value, size_t value_length);

#endif
