/*
 * Writes head blocks (head_block.h) from what the HTTP/1 parsers found: of a request head, or of a trailer section.
 */
#ifndef GN_H1_HEAD_WRITER_H
#define GN_H1_HEAD_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "h1/request_parser.h"
#include "h1/trailer_parser.h"

/* How many bytes the block of a complete request head takes. */
size_t gn_h1_head_size(const struct gn_h1_request *request);

/* Writes the block to `block` (gn_h1_head_size bytes, aligned to 8). `bytes` are those that the parser read; `info` is the
   reference of the connection-info block. */
void gn_h1_head_write(uint8_t *block, const struct gn_h1_request *request, const uint8_t *bytes, uint64_t info);

/* The same for a complete trailer section, of whose head block everything but the fields is 0. */
size_t gn_h1_trailers_size(const struct gn_h1_trailers *trailers);
void gn_h1_trailers_write(uint8_t *block, const struct gn_h1_trailers *trailers, const uint8_t *bytes);

#endif
