/*
 * The frames of HTTP/2 that carry no message: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM, PRIORITY and
 * PRIORITY_UPDATE (RFC 9113 section 6, RFC 9218 section 7.1). Each function may end the connection.
 */
#ifndef GN_H2_CONTROL_H
#define GN_H2_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "h2/frame.h"

struct gn_connection;

/* This side's SETTINGS, and the connection's window. */
void gn_h2_send_settings(struct gn_connection *connection);

/* PING with a payload of its own, to which the answer is known. */
void gn_h2_send_ping(struct gn_connection *connection, bool leaving);

/* GOAWAY; `text` is its debug data. */
void gn_h2_send_goaway(struct gn_connection *connection, uint32_t last, uint32_t code, const char *text);

/* Acts on a whole frame of one of these types, or of one that is not known; its header was checked. */
void gn_h2_receive_control(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload);

#endif
