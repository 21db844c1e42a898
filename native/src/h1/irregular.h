/*
 * Where the request and trailer parsers come upon what the grammar does not allow: which error it is, or what
 * gn_h1_request_limits.lenient lets in. All of it is the parsers' own, and out of the way of what is well-formed.
 *
 * A parser calls with the position where its search stopped; line->part and line->scanned say where it goes on. As
 * everywhere in the parsers, the outcome does not depend on how the bytes were cut.
 *
 * Bare LF (A3) ends a line wherever CRLF does. CR that no LF follows is an error always.
 *
 * An invalid field line (A12) is dropped as a whole and counts as a field and with its bytes. Which these are is known at
 * the end of the line, so that errors of such a line are told there, but for NUL and wrong line ends. Errors stay: NUL,
 * lone CR, white space before the colon or at the beginning of the line, and every line that somebody who reads on
 * behind a wrong octet, or without it, might take for one that frames the message or names its host. Those are lines in
 * which the octets that a name may have, put together, contain Content-Length or Transfer-Encoding, or have the name
 * Host.
 */
#ifndef GN_H1_IRREGULAR_H
#define GN_H1_IRREGULAR_H

#include "h1/request_parts.h"

/* So that compilers lay the well-formed way out straight. */
#define GN_H1_COLD __attribute__((cold))

/* What the functions for field lines return for a line that was dropped: the one behind it is next. */
#define GN_H1_LINE_DROPPED (GN_H1_STATUS_COUNT + 1)

/* A target that stopped at bytes[stop], which is no octet of one, or a space before its first. GN_H1_COMPLETE: the target
   goes on at line.scanned. */
GN_H1_COLD enum gn_h1_status gn_h1_irregular_target(struct gn_h1_request *request, const uint8_t *bytes, size_t stop,
                                                    size_t end, const struct gn_h1_request_limits *limits);

/* A line whose name stopped at bytes[stop], where no colon stands behind a name. `full`: no further field is allowed.
   GN_H1_SECTION_END: it is the empty line, and passed. */
GN_H1_COLD enum gn_h1_status gn_h1_irregular_name(struct gn_h1_line *line, const uint8_t *bytes, size_t stop,
                                                  size_t end, bool full, const struct gn_h1_request_limits *limits);

/* A value that stopped at bytes[stop], where neither CRLF nor the end of what was received is. GN_H1_COMPLETE: *field is
   filled. */
GN_H1_COLD enum gn_h1_status gn_h1_irregular_value(struct gn_h1_line *line, const uint8_t *bytes, size_t stop,
                                                   size_t end, const struct gn_h1_request_limits *limits,
                                                   struct gn_h1_field *field);

/* Goes on with a line that is being dropped (GN_H1_PART_DROPPED). */
GN_H1_COLD enum gn_h1_status gn_h1_irregular_line(struct gn_h1_line *line, const uint8_t *bytes, size_t end,
                                                  const struct gn_h1_request_limits *limits);

#endif
