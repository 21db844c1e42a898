/*
 * The decoder of field blocks (RFC 7541): one for each connection, since its dynamic table is shared state. It does no
 * I/O; a block is decoded as a whole, when all of its fragments are there.
 *
 *     status = gn_hpack_decode(&decoder, block, length, &list);
 *
 * What is wrong with the compression ends the connection (COMPRESSION_ERROR, RFC 9113 section 4.3). What is wrong with a
 * field, or too much, concerns its message alone: it is told in `list`, and decoding goes on, for the table must stay in
 * step with the peer's.
 */
#ifndef GN_H2_HPACK_DECODER_H
#define GN_H2_HPACK_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h2/hpack_table.h"

enum gn_hpack_status {
    GN_HPACK_OK,
    GN_HPACK_BAD_INDEX,   /* 0, or beyond both tables */
    GN_HPACK_BAD_INTEGER, /* over 2^28, or cut off */
    GN_HPACK_BAD_STRING,  /* longer than the block, or malformed Huffman code */
    GN_HPACK_BAD_RESIZE,  /* a table larger than allowed, not at the block's beginning, or more than two in a row */
    GN_HPACK_NO_RESIZE,   /* the table was to become smaller, and the block did not say so first (section 4.2) */
    GN_HPACK_NO_MEMORY,
    GN_HPACK_STATUS_COUNT
};

struct gn_hpack_field {
    uint32_t name; /* offset in gn_hpack_list.octets */
    uint32_t value;
    uint32_t value_length;
    uint16_t name_length;
    uint16_t token; /* enum gn_field_name or enum gn_pseudo_field */
};

/* What a block becomes. The caller lends `octets` and `fields` and sets the limits; the rest is the decoder's. */
struct gn_hpack_list {
    uint8_t *octets; /* room for gn_hpack_octets_needed */
    struct gn_hpack_field *fields;
    uint32_t fields_max;
    uint32_t size_max; /* as SETTINGS_MAX_HEADER_LIST_SIZE counts: octets, and 32 for each field */
    uint32_t count;
    uint32_t octets_used;
    uint32_t size;
    bool too_large; /* over size_max or fields_max: the list is not complete */
    bool malformed; /* a name with a capital or no token, a value with a control octet or a blank at an end (RFC 9113
                       section 8.2.1) */
};

struct gn_hpack_decoder {
    struct gn_hpack_table table;
    uint32_t allowed; /* what the peer may set the table to: our SETTINGS_HEADER_TABLE_SIZE, once acknowledged */
    bool must_resize; /* `allowed` fell below the table's size limit */
};

/* Room that decoding a block of `length` bytes needs for octets, with a list of at most `size_max`. */
static inline size_t gn_hpack_octets_needed(const struct gn_hpack_decoder *decoder, uint32_t size_max, size_t length)
{
    // Behind what is kept, the field in hand: literal octets, by Huffman at most 8/5 of the block, and an entry.
    return size_max + length * 8 / 5 + decoder->table.max_size + 64;
}

void gn_hpack_decoder_start(struct gn_hpack_decoder *decoder, struct gn_memory *memory, uint32_t allowed);
void gn_hpack_decoder_end(struct gn_hpack_decoder *decoder);

/* The peer has acknowledged another SETTINGS_HEADER_TABLE_SIZE, up to GN_HPACK_TABLE_MAX. */
void gn_hpack_decoder_allow(struct gn_hpack_decoder *decoder, uint32_t allowed);

/* Decodes block[0..length). After anything but GN_HPACK_OK the decoder is out of step and of no more use. */
enum gn_hpack_status gn_hpack_decode(struct gn_hpack_decoder *decoder, const uint8_t *block, size_t length,
                                     struct gn_hpack_list *list);

/* A static English description for log lines. */
const char *gn_hpack_text(enum gn_hpack_status status);

#endif
