/*
 * Body bytes, and those of a tunnel, on their way to Java: under its credit, in blocks of the arena, as DATA events. The
 * exchange is the one that the session receives for (gn_h1_session.receiving), which there must be.
 */
#ifndef GN_H1_BODY_H
#define GN_H1_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gn_connection;

/* How many of `length` bytes can go to Java now, in one event; 0: the connection is blocked, for lack of credit or of
   room in the ring. */
size_t gn_h1_body_room(struct gn_connection *connection, size_t length);

/* A block for `length` bytes; 0: the connection is blocked for lack of memory. Where bodies have all that they may have,
   it is one of the few of GN_ARENA_PROGRESS: what waits for them, among others the input of those who wait, is let go of as
   bodies come to their ends. */
uint64_t gn_h1_body_block(struct gn_connection *connection, size_t length);

/* From now on the peer is waited for: its bytes count toward body_rate from here, over body_timeout. */
void gn_h1_body_wait(struct gn_connection *connection);

/* Hands a block with `length` bytes (within gn_h1_body_room) to Java; with `end` nothing follows them. */
void gn_h1_body_deliver(struct gn_connection *connection, uint64_t block, size_t length, bool end);

#endif
