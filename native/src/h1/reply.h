/*
 * The writing half of an HTTP/1 session: frames what Java says of an exchange, keeps responses in the order of their
 * requests, and decides when the connection ends. See session.h for the states.
 */
#ifndef GN_H1_REPLY_H
#define GN_H1_REPLY_H

#include "conn/exchange.h"

/* How many exchanges of a connection can be set aside (conn/exchange.h): the next one breaks the oldest, with ABORTED. */
#define GN_H1_ASIDE_MAX 16U

struct gn_connection;
struct gn_prepared;

/* The functions of gn_protocol of the same names. */
bool gn_h1_reply_respond(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h1_reply_interim(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h1_reply_data(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h1_reply_trailers(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
bool gn_h1_reply_prepared(struct gn_exchange *exchange, const struct gn_command *command, struct gn_prepared *prepared);
void gn_h1_reply_credit(struct gn_exchange *exchange, uint64_t bytes);
void gn_h1_reply_released(struct gn_exchange *exchange);
void gn_h1_reply_drained(struct gn_connection *connection);

/* An empty response with `status` by C itself, which is the last of its connection. */
void gn_h1_reply_error(struct gn_exchange *exchange, unsigned status);

/* Breaks the response off: the connection ends behind what was sent of it, so that it never looks complete. One that is
   all out but for its end (no body goes out, or all that Content-Length says has) is ended instead. */
void gn_h1_reply_cut(struct gn_exchange *exchange);

/* Whether the peer has all that it asked for, so that the end of its connection waits for nothing but Java: to end
   exchanges whose responses are whole. */
bool gn_h1_reply_waits_for_java(const struct gn_connection *connection);

/* Waits no longer: breaks these exchanges with `reason`, and ends the connection if no more requests come. */
void gn_h1_reply_end_whole(struct gn_connection *connection, unsigned reason);

/* Passes the turn on: complete responses leave the queue, whole ones are set aside, the next one may write, an empty queue
   may end the connection. */
void gn_h1_reply_advance(struct gn_connection *connection);

#endif
