/*
 * Which stream of a connection sends next (RFC 9218). A stream is in the scheduler while it has something that it could
 * send: bytes, and a window of its own for them.
 *
 * The most urgent level that has a stream sends. Within a level, streams take turns, one quantum each; but a stream whose
 * client said that it is of no use in parts (a priority without `i`) keeps its turn until it has nothing more to send.
 * Where no client said anything, streams take turns: the default of RFC 9218, one after the other, would let an endless
 * response, as of an event stream or of gRPC, hold up all others for ever.
 *
 * Pure: it knows neither bytes nor windows. Owner: the session. Thread: the loop's.
 */
#ifndef GN_H2_SCHEDULER_H
#define GN_H2_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* Urgency 0 is served first (RFC 9218 section 4.1). */
#define GN_H2_URGENCIES 8U
#define GN_H2_URGENCY_DEFAULT 3U

struct gn_h2_priority {
    uint8_t urgency;
    bool in_turns; /* it may be sent in parts among others */
};

static const struct gn_h2_priority gn_h2_priority_default = {GN_H2_URGENCY_DEFAULT, true};

/* A stream's place in it; part of the stream. */
struct gn_h2_turn {
    struct gn_list link; /* on no list: it has nothing to send */
    struct gn_h2_priority priority;
};

struct gn_h2_scheduler {
    struct gn_list levels[GN_H2_URGENCIES];
    uint8_t waiting; /* a bit for each level that has a stream */
};

void gn_h2_scheduler_start(struct gn_h2_scheduler *scheduler);

/* Begins as a stream that has nothing to send. */
void gn_h2_turn_start(struct gn_h2_turn *turn);

/* It has something to send; behind all others of its level. Nothing if it is in the scheduler already. */
void gn_h2_scheduler_add(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn);

/* It has nothing to send any more, or may not. Nothing if it is not in the scheduler. */
void gn_h2_scheduler_remove(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn);

/* Who sends next, or NULL. It stays in the scheduler. */
struct gn_h2_turn *gn_h2_scheduler_next(const struct gn_h2_scheduler *scheduler);

/* It has sent a quantum, and has more to send. */
void gn_h2_scheduler_sent(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn);

/* Changes its priority; in a new level it is behind all others. */
void gn_h2_scheduler_change(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn, struct gn_h2_priority priority);

/*
 * The priority that a field value says (RFC 9218 section 4, a dictionary of RFC 9651): u=0 to u=7, and i. What is unknown
 * or out of range is left out, and a value that is no dictionary says nothing: the default.
 */
struct gn_h2_priority gn_h2_priority_parse(const uint8_t *value, uint32_t length);

#endif
