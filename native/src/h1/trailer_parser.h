/*
 * The parser of a trailer section (RFC 9112 section 7.1.2): field lines up to an empty line. Pure and resumable like
 * the request parser, with the same rules for a field line, the same leniencies about lines, and the same offsets.
 */
#ifndef GN_H1_TRAILER_PARSER_H
#define GN_H1_TRAILER_PARSER_H

#include "h1/request_parser.h"

struct gn_h1_trailers {
    uint32_t length; /* bytes up to and with the empty line, after GN_H1_COMPLETE */
    uint32_t field_count;
    struct gn_h1_field *fields; /* the caller's array of at least limits.fields entries */
    /* ---- the parser's own ---- */
    struct gn_h1_line line;
};

void gn_h1_trailers_start(struct gn_h1_trailers *trailers, struct gn_h1_field *fields);

/* Continues with bytes[0..length) from the first byte of the section. limits.head_bytes bounds the section. */
enum gn_h1_status gn_h1_trailers_parse(struct gn_h1_trailers *trailers, const uint8_t *bytes, size_t length,
                                       const struct gn_h1_request_limits *limits);

/* After GN_H1_COMPLETE: drops the fields that must not come from a trailer section (gn_field_name_in_trailers); the rest
   keeps its order. Returns how many are left. */
uint32_t gn_h1_trailers_select(struct gn_h1_trailers *trailers);

#endif
