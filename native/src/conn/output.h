/*
 * A queue of bytes that wait to be sent: blocks of the arena in order, or of the C heap while the arena has none. It owns
 * its blocks. The bodies of prepared responses stand in it without a copy; it holds a reference to each. Empty, it holds
 * nothing.
 */
#ifndef GN_CONN_OUTPUT_H
#define GN_CONN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct gn_context;
struct gn_prepared;
struct gn_segment;

struct gn_output {
    struct gn_segment *first, *last;
    uint64_t length; /* bytes waiting */
};

/* A place for `length` bytes (up to 1 MiB) behind what is there, in one piece; NULL: no memory, nothing changed. The
   bytes count only after gn_output_commit, which is told how many were written. */
uint8_t *gn_output_reserve(struct gn_context *context, struct gn_output *output, size_t length);
void gn_output_commit(struct gn_output *output, size_t length);

/* Copies bytes to the end. False: no memory; a part may have been copied, so the connection is not to be trusted any
   more. */
bool gn_output_append(struct gn_context *context, struct gn_output *output, const void *bytes, size_t length);

/* Puts the body of a prepared response, which has one, at the end, in place: with a reference that lasts until it is
   sent or dropped. False: no memory, nothing changed. */
bool gn_output_refer(struct gn_context *context, struct gn_output *output, struct gn_prepared *prepared);

/* The first bytes as at most `count` parts; returns how many parts there are. */
unsigned gn_output_parts(const struct gn_output *output, struct iovec *parts, unsigned count);

/* How many bytes of the C heap stand in for blocks of the arena. */
uint64_t gn_output_spare(const struct gn_output *output);

/* Drops the first `length` bytes: they were sent. */
void gn_output_advance(struct gn_context *context, struct gn_output *output, size_t length);

/* Copies the first `length` bytes, which are there, to `to` and drops them. */
void gn_output_take(struct gn_context *context, struct gn_output *output, uint8_t *to, size_t length);

/* Moves everything from `from` to the end of `output`. */
void gn_output_move(struct gn_output *output, struct gn_output *from);

/* Drops everything. */
void gn_output_clear(struct gn_context *context, struct gn_output *output);

/* Frees the segments that the context keeps for reuse. */
void gn_output_pool_end(struct gn_context *context);

#endif
