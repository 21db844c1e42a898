/*
 * The encoder of HTTP/1 response heads (RFC 9112 section 4) and trailer sections (section 7.1.2): pure functions from the
 * neutral record to bytes.
 *
 * Staged fields (ring/record.h) are written in their order. Of those named transfer-encoding the values make one line,
 * behind the others: they are the codings that the body has, and `chunked` comes last (RFC 9112 section 6.1). Where the
 * body is not chunked, and among trailers, they are left out. An `upgrade` field brings `connection: upgrade` along.
 */
#ifndef GN_H1_RESPONSE_H
#define GN_H1_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gn_h1_response_connection { GN_H1_CONNECTION_SILENT, GN_H1_CONNECTION_CLOSE, GN_H1_CONNECTION_KEEP_ALIVE };

struct gn_h1_response {
    uint16_t status;    /* 100..999 */
    uint8_t connection; /* enum gn_h1_response_connection */
    bool chunked;       /* transfer-encoding: chunked; then no content-length */
    bool has_length;
    bool title_case;       /* names that stand without a spelling of their own are written Title-Case (C17) */
    bool reason;           /* the first entry of `fields` is the reason phrase: no token, no name */
    bool coded;            /* out: `fields` name transfer codings; set by gn_h1_response_bound */
    uint64_t length;       /* content-length */
    const uint8_t *fields; /* staged fields, see ring/record.h */
    size_t fields_length;
    const char *date; /* 29 characters, or NULL: no date field is added. None is added either where `fields` has one */
};

/* The most bytes that the head can take, however it is framed, or 0: the staged fields are malformed. */
size_t gn_h1_response_bound(struct gn_h1_response *response);

/* Writes the head to `bytes`, which has room for gn_h1_response_bound; returns its length. */
size_t gn_h1_response_write(const struct gn_h1_response *response, uint8_t *bytes);

/* The two parts of it, one behind the other: what stays the same however often the response is sent (status line, fields,
   framing), and what does not (connection, date, the empty line). The first says whether `fields` has a date. */
size_t gn_h1_response_write_fixed(const struct gn_h1_response *response, uint8_t *bytes, bool *dated);
size_t gn_h1_response_write_varying(const struct gn_h1_response *response, bool dated, uint8_t *bytes);

/* The same for the last chunk of a body with the trailer section behind it. */
size_t gn_h1_response_trailers_bound(const uint8_t *fields, size_t length);
size_t gn_h1_response_trailers_write(const uint8_t *fields, size_t length, bool title_case, uint8_t *bytes);

#endif
