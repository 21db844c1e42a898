/*
 * The writing half of an HTTP/2 session: responses as HEADERS, DATA and trailers. See session.h for who owns what.
 */
#ifndef GN_H2_REPLY_H
#define GN_H2_REPLY_H

#include "conn/exchange.h"

struct gn_connection;
struct gn_prepared;

/* The functions of gn_protocol of the same names. */
bool gn_h2_reply_respond(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h2_reply_interim(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h2_reply_data(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h2_reply_trailers(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h2_reply_prepared(struct gn_exchange *exchange, const struct gn_command *command, struct gn_prepared *prepared);
void gn_h2_reply_credit(struct gn_exchange *exchange, uint64_t bytes);
void gn_h2_reply_reset(struct gn_exchange *exchange, uint32_t code);
void gn_h2_reply_released(struct gn_exchange *exchange);

/* An empty response with `status` by C itself. */
void gn_h2_reply_error(struct gn_exchange *exchange, unsigned status);

/* Writes DATA of those whose turn it is, as far as windows and GN_H2_OUTPUT_MARK let it. */
void gn_h2_reply_produce(struct gn_connection *connection);

/* The stream's window was opened, or the peer's: it may send again. */
void gn_h2_reply_opened(struct gn_connection *connection, struct gn_h2_stream *stream);

#endif
