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

/* Why this side sends PING; the answer says which it was. */
enum gn_h2_ping { GN_H2_PING_ALIVE, GN_H2_PING_LEAVING, GN_H2_PING_ESTIMATE };

void gn_h2_send_ping(struct gn_connection *connection, enum gn_h2_ping why);

/* Makes the window of the connection and those of all streams larger, to `size`. */
void gn_h2_grow_windows(struct gn_connection *connection, int32_t size);

/* GOAWAY; `text` is its debug data. */
void gn_h2_send_goaway(struct gn_connection *connection, uint32_t last, uint32_t code, const char *text);

/* Acts on a whole frame of one of these types, or of one that is not known; its header was checked. */
void gn_h2_receive_control(struct gn_connection *connection, const struct gn_h2_frame *frame, const uint8_t *payload);

#endif
