/*
 * Messages that come in: field blocks (HEADERS, CONTINUATION) become exchanges and trailer sections, DATA becomes bodies.
 * Each function may end the connection.
 */
#ifndef GN_H2_RECEIVE_H
#define GN_H2_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "h2/frame.h"

struct gn_connection;
struct gn_h2_stream;

/* The room in which field blocks are decoded; one for a loop, in its context. Zeroed, it is empty. */
struct gn_h2_room {
    uint8_t *octets;
    struct gn_hpack_field *fields;
    size_t octets_size;
    uint32_t fields_max;
};

struct gn_context;
void gn_h2_room_end(struct gn_context *context);

/* A whole HEADERS or CONTINUATION frame. False: blocked, nothing was done. */
bool gn_h2_receive_block(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload);

/* The header of a DATA frame; with padding, its length stands at `padding`. */
void gn_h2_begin_data(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *padding);

/* Octets of the DATA frame in hand, of which there are some. Returns how many were used; 0: blocked. */
size_t gn_h2_receive_data(struct gn_connection *connection, const uint8_t *bytes, size_t length);

/* Gives Java what is held for it, as far as it has credit and the ring has room. False: blocked. */
bool gn_h2_deliver(struct gn_connection *connection, struct gn_h2_stream *stream);

/* The request breaks: Java is told, and where it has not responded, C answers with `status`. */
void gn_h2_fail_body(struct gn_connection *connection, struct gn_h2_stream *stream, unsigned reason, unsigned status);

/* Java takes more of a body: what is held is delivered in this turn. */
void gn_h2_schedule_delivery(struct gn_connection *connection, struct gn_h2_stream *stream);

#endif
