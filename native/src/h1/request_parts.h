/*
 * What the request parsers of every width share: the parts of a head that are looked at once, so that no width has to
 * have its own. All of it is the parsers' own; nothing else includes this header.
 */
#ifndef GN_H1_REQUEST_PARTS_H
#define GN_H1_REQUEST_PARTS_H

#include "h1/request_parser.h"

/* Where a parse goes on: gn_h1_line.part. */
enum gn_h1_part {
    GN_H1_PART_EMPTY_LINES,
    GN_H1_PART_METHOD,
    GN_H1_PART_TARGET,
    GN_H1_PART_VERSION,
    GN_H1_PART_LINE, /* a field line, or the empty line, from its first byte or within a name */
    GN_H1_PART_BLANKS,
    GN_H1_PART_VALUE,
    GN_H1_PART_DROPPED, /* an invalid field line, which is let in by being left out (h1/irregular.h) */
};

/* Bytes of `HTTP/1.1` and CRLF. */
#define GN_H1_VERSION_LENGTH 10

/* What scan_field_line returns for the empty line. */
#define GN_H1_SECTION_END GN_H1_STATUS_COUNT

/* Skips empty lines from request->line.scanned on; GN_H1_COMPLETE when a request line begins there. */
enum gn_h1_status gn_h1_request_skip_empty_lines(struct gn_h1_request *request, const uint8_t *bytes, size_t length,
                                                 const struct gn_h1_request_limits *limits);

/* The error of a method that ends at bytes[stop], which is not the space behind a method. */
enum gn_h1_status gn_h1_request_method_error(const struct gn_h1_request *request, const uint8_t *bytes, size_t stop);

/* Judges the form of a whole target and takes it apart (RFC 9112 section 3.2). */
enum gn_h1_status gn_h1_request_target(struct gn_h1_request *request, const uint8_t *bytes);

/* The version and line end at bytes[from..end). Sets line.scanned to where they begin, or with GN_H1_COMPLETE to what
   stands behind. */
enum gn_h1_status gn_h1_request_version(struct gn_h1_request *request, const uint8_t *bytes, size_t from, size_t end,
                                        const struct gn_h1_request_limits *limits);

/* The tokens that gn_h1_request_field wants to see, one bit each. */
extern const uint64_t gn_h1_request_fields_of_interest;

/* Takes in a field that framing, routing or the life of the connection depend on. */
enum gn_h1_status gn_h1_request_field(struct gn_h1_request *request, const uint8_t *bytes,
                                      const struct gn_h1_field *field, const struct gn_h1_request_limits *limits);

/* Judges the head as a whole at its empty line. */
enum gn_h1_status gn_h1_request_finish(struct gn_h1_request *request, const struct gn_h1_request_limits *limits);

enum gn_h1_status gn_h1_request_parse_portable(struct gn_h1_request *request, const uint8_t *bytes, size_t length,
                                               const struct gn_h1_request_limits *limits);
#if defined(__x86_64__)
enum gn_h1_status gn_h1_request_parse_sse42(struct gn_h1_request *request, const uint8_t *bytes, size_t length,
                                            const struct gn_h1_request_limits *limits);
#endif

#endif
