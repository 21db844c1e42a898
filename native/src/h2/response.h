/*
 * The field blocks of responses and their trailers, out of staged fields (ring/record.h). What belongs to a connection of
 * HTTP/1 is left out (RFC 9113 section 8.2.2): connection, keep-alive, proxy-connection, transfer-encoding, upgrade.
 */
#ifndef GN_H2_RESPONSE_H
#define GN_H2_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h2/hpack_encoder.h"

struct gn_h2_response {
    uint16_t status; /* 100..999 */
    bool reason;     /* the first entry of `fields` is a reason phrase, for which HTTP/2 has no place */
    bool has_length;
    uint64_t length;       /* content-length */
    const uint8_t *fields; /* staged */
    size_t fields_length;
    const char
        *date; /* GN_DATE_LENGTH characters, or NULL: none is added. None is added either where `fields` has one */
};

/* The most bytes of the field block, or 0: the staged fields are malformed. */
size_t gn_h2_response_bound(const struct gn_h2_response *response);

/* Writes the block to `to`, which has room for the bound; returns its length. */
size_t gn_h2_response_write(const struct gn_h2_response *response, struct gn_hpack_encoder *encoder, uint8_t *to);

/* The same for a trailer section. */
size_t gn_h2_response_trailers_bound(const uint8_t *fields, size_t length);
size_t gn_h2_response_trailers_write(const uint8_t *fields, size_t length, struct gn_hpack_encoder *encoder,
                                     uint8_t *to);

#endif
