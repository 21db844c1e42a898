/*
 * A request's body on its way to Java, whatever version of HTTP it came by: blocks of the arena, and DATA events under the
 * exchange's receive credit.
 */
#ifndef GN_CONN_BODY_H
#define GN_CONN_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/connection.h"

/* The most bytes in one DATA event. */
#define GN_BODY_DATA_MAX 16384U

/* Whether a body of so many bytes is over the listener's `body_bytes`. */
static inline bool gn_body_is_too_large(const struct gn_connection *connection, uint64_t body)
{
    return connection->settings->body_bytes != 0 && body > connection->settings->body_bytes;
}

/* How many of `length` bytes one DATA event may bring: 0 without credit. */
static inline size_t gn_body_piece(const struct gn_exchange *exchange, uint64_t length)
{
    uint64_t most = length < GN_BODY_DATA_MAX ? length : GN_BODY_DATA_MAX;
    return (size_t)(most < exchange->receive_credit ? most : exchange->receive_credit);
}

/* A block of C's for `length` bytes, or 0: the connection is blocked for want of memory. */
uint64_t gn_body_block(struct gn_connection *connection, size_t length);

/* Hands a filled block to Java, and takes what it has room for off the exchange's credit. There is room in the ring. `end`:
   nothing of the body follows. */
void gn_body_deliver(struct gn_exchange *exchange, uint64_t block, size_t length, bool end);

/* Java takes `bytes` more, up to the listener's `receive_credit` in all. */
void gn_body_credit(struct gn_exchange *exchange, uint64_t bytes);

#endif
