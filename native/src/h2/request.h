/*
 * A request of HTTP/2: what a decoded field list says, and its head block (RFC 9113 section 8.3.1). Pure functions.
 *
 * A list that is no request makes its stream fail (PROTOCOL_ERROR), and nothing else.
 */
#ifndef GN_H2_REQUEST_H
#define GN_H2_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h2/hpack_decoder.h"

enum gn_h2_request_status {
    GN_H2_REQUEST_OK,
    GN_H2_REQUEST_BAD_FIELD,     /* told by the decoder: a malformed name or value */
    GN_H2_REQUEST_BAD_PSEUDO,    /* unknown, not one of a request, repeated, or behind a field */
    GN_H2_REQUEST_INCOMPLETE,    /* :method, :scheme or :path is missing, or one that CONNECT must not have is there */
    GN_H2_REQUEST_BAD_METHOD,    /* no token */
    GN_H2_REQUEST_BAD_TARGET,    /* :path empty, malformed, or of a form that the method does not allow */
    GN_H2_REQUEST_BAD_AUTHORITY, /* malformed, missing where the scheme needs one, or Host repeated, malformed, or another
                                    one than :authority */
    GN_H2_REQUEST_BAD_LENGTH,    /* Content-Length malformed or repeated */
    GN_H2_REQUEST_OF_CONNECTION, /* a field of HTTP/1 connections, or TE other than trailers (section 8.2.2) */
    GN_H2_REQUEST_NO_PROTOCOL,   /* :protocol that was not allowed, or without CONNECT (RFC 8441) */
    GN_H2_REQUEST_STATUS_COUNT
};

struct gn_h2_span {
    uint32_t at; /* offset in gn_hpack_list.octets */
    uint32_t length;
};

struct gn_h2_request {
    uint16_t method;      /* enum gn_method */
    uint8_t form;         /* enum gn_target_form */
    uint16_t flags;       /* GN_HEAD_* */
    uint32_t fields;      /* of the list that go to Java, cookies counted once */
    uint32_t cookies;     /* fields named Cookie; several become one (section 8.2.3) */
    uint32_t cookie_size; /* octets of that one */
    uint32_t texts;       /* octets of all texts in the block, but for that cookie */
    bool unknown_expectation;
    int64_t content_length;                                                  /* -1: none */
    struct gn_h2_span method_text, path, query, authority, scheme, protocol; /* length 0: there is none */
};

/* Judges a list that is complete (not too_large). `connect_protocol`: extended CONNECT is on. Fields of the connection and
   pseudo-header fields stay in the list. */
enum gn_h2_request_status gn_h2_request_read(struct gn_h2_request *request, const struct gn_hpack_list *list,
                                             bool connect_protocol);

/* The size of its head block, and the block: `block` has that size and is aligned to 8; `info` is the connection-info
   block. Pseudo-header fields are no fields there; cookies are one, in the place of the first. */
size_t gn_h2_head_size(const struct gn_h2_request *request);
void gn_h2_head_write(uint8_t *block, const struct gn_h2_request *request, const struct gn_hpack_list *list,
                      uint64_t info);

/* The same for a trailer section: whether a list may be one (no pseudo-header field, nothing of the connection). Fields
   that have no place in trailers are left out of the block (gn_field_name_in_trailers). */
enum gn_h2_request_status gn_h2_trailers_read(const struct gn_hpack_list *list);
size_t gn_h2_trailers_size(const struct gn_hpack_list *list);
void gn_h2_trailers_write(uint8_t *block, const struct gn_hpack_list *list);

/* A static English description for log lines. */
const char *gn_h2_request_text(enum gn_h2_request_status status);

#endif
