/*
 * How long an HTTP/2 session waits, and its graceful end. See session.h for the limits.
 */
#ifndef GN_H2_TIME_H
#define GN_H2_TIME_H

#include <stdint.h>

struct gn_connection;

/* How long the peer may take to answer the PING of a graceful end, nanoseconds. */
#define GN_H2_LEAVING_TIMEOUT (5ULL * 1000 * 1000 * 1000)

/* Resets streams that have stalled since `late` or longer (conn/relief.h), until they held `most` bytes. Returns how many
   bytes they held. It may end the connection. */
uint64_t gn_h2_relieve(struct gn_connection *connection, uint64_t late, uint64_t most);

/* The second step of the graceful end: no new streams. The connection ends with the last of those that there are, when
   gn_h2_settle finds none. */
void gn_h2_leave(struct gn_connection *connection);

/* The functions of gn_protocol of the same names. */
void gn_h2_finish(struct gn_connection *connection);
uint64_t gn_h2_deadline(const struct gn_connection *connection, unsigned *reason);
uint64_t gn_h2_stalled_since(const struct gn_connection *connection);
void gn_h2_expired(struct gn_connection *connection, unsigned reason);

#endif
