/*
 * Prepared responses on HTTP/2: the field block as far as it stays the same, by the static table and literals alone, so
 * that it fits every connection.
 */
#ifndef GN_H2_PREPARED_H
#define GN_H2_PREPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/prepared.h"
#include "h2/hpack_encoder.h"

/* Encodes a new one, which was checked: 0, or -ENOMEM. */
int gn_h2_prepared_encode(struct gn_context *context, struct gn_prepared *prepared);

/* The most bytes that its field block takes. */
size_t gn_h2_prepared_bound(const struct gn_prepared *prepared);

/* Writes the block of one response to `to`; `date` as in h2/response.h. Returns its length. */
size_t gn_h2_prepared_write(const struct gn_prepared *prepared, struct gn_hpack_encoder *encoder, bool head_only,
                            const char *date, uint8_t *to);

#endif
