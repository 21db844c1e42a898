/*
 * The encoder of HTTP/1 response heads (RFC 9112 section 4): a pure function from the neutral record to bytes.
 */
#ifndef GN_H1_RESPONSE_H
#define GN_H1_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gn_h1_response_connection { GN_H1_CONNECTION_SILENT, GN_H1_CONNECTION_CLOSE, GN_H1_CONNECTION_KEEP_ALIVE };

struct gn_h1_response {
    uint16_t status;
    uint8_t connection; /* enum gn_h1_response_connection */
    bool chunked;       /* transfer-encoding: chunked */
    bool has_length;
    uint64_t length;       /* content-length */
    const uint8_t *fields; /* staged fields, see ring/record.h */
    size_t fields_length;
    const char *date; /* 29 characters, or NULL: no date field is added. None is added either where `fields` has one */
};

/* The most bytes that the head can take, or 0: the staged fields are malformed. */
size_t gn_h1_response_bound(const struct gn_h1_response *response);

/* Writes the head to `bytes`, which has room for gn_h1_response_bound; returns its length. */
size_t gn_h1_response_write(const struct gn_h1_response *response, uint8_t *bytes);

#endif
