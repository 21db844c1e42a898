/*
 * What is done when memory is short and no more comes: the connection whose peer has stalled longest is ended, with
 * GN_REASON_OUT_OF_MEMORY and a reset, and counted (connections_evicted).
 *
 * Memory is short while a connection is blocked for want of it (GN_BLOCKED_MEMORY), when a request of
 * HTTP/2 was refused for want of it, until a round has ended, or until as much was made free as the
 * C heap had to stand in for (gn_context.spare). No more comes when the arena may not grow, when the class of use has its
 * whole quota, or when a slab that was asked for has not come for GN_RELIEF_STALLED.
 *
 * A peer has stalled if the connection has waited for nothing but it for GN_RELIEF_STALLED or longer, and holds memory
 * meanwhile:
 * - there is output, of which it has taken nothing since;
 * - there is a head that it has begun and not completed since, and no request before it is still being handled;
 * - there is output of a stream of HTTP/2, of which it has let through nothing since, or less than GN_RELIEF_BODY_RATE;
 * - there is a body, or a trailer section, of which Java wants more, and since then nothing has come, or less of the body
 *   than GN_RELIEF_BODY_RATE; else a byte now and then would keep its head for ever.
 * A connection that waits for memory itself, and has no request before that is still being handled, counts as stalled
 * GN_RELIEF_WAITED after its peer was last heard before it waited: those who wait may hold among them all that they wait
 * for (where it is bodies, one after the other goes on all the same, see gn_body_block). It does not while
 * Java holds bodies of more than half of the memory that requests have, since that comes back. So
 * a connection that waits for Java or for credit is never ended, whatever it holds.
 *
 * Of HTTP/2 the streams that have stalled are reset (h2/time.h), and their connection lives on, unless it is that which has
 * stalled: by output, or a field block. A stream on which something comes or goes, but too slowly, counts as stalled for
 * GN_RELIEF_WAITED, so that a slow conversation goes behind those who say nothing; a tunnel never counts.
 *
 * Work is bounded: the connections are looked at in rounds, at most GN_RELIEF_LOOKS of them a turn. At the end of a round
 * the GN_RELIEF_VICTIMS that have stalled longest are known; of these the first ones are ended, longest first, until they
 * hold what is wanted, or GN_RELIEF_BYTES, together. The next round begins GN_RELIEF_PAUSE later (where nobody had stalled,
 * ten times that), if memory is still short.
 *
 * All that is too late for who needs memory of the C heap when that is at its limit (gn_context_spare). There nobody waits
 * for a second to pass: who holds most of it goes at once, if that is more than half of what the one who asks would hold,
 * who goes itself otherwise. Of those who wait neither for their peer nor for memory, the GN_RELIEF_JAVA_PARTth part counts. What
 * counts is input that waits, and output; that which the kernel has in hand is taken as given back though it is a moment
 * later. Work is bounded here, too: at most GN_RELIEF_LOOKS_AT_ONCE connections are looked at in a turn, and
 * GN_RELIEF_VICTIMS are remembered, so that most ends cost no look.
 */
#ifndef GN_CONN_RELIEF_H
#define GN_CONN_RELIEF_H

#include <stdbool.h>
#include <stdint.h>

#define GN_RELIEF_STALLED (1000ULL * 1000 * 1000)
#define GN_RELIEF_WAITED (10ULL * 1000 * 1000 * 1000)
#define GN_RELIEF_BODY_RATE 4096U /* bytes a second */
#define GN_RELIEF_PAUSE (10ULL * 1000 * 1000)
#define GN_RELIEF_LOOKS 1024U
#define GN_RELIEF_LOOKS_AT_ONCE 4096U
#define GN_RELIEF_JAVA_PART 4U
#define GN_RELIEF_VICTIMS 16U
#define GN_RELIEF_BYTES (256ULL << 10)

struct gn_connection;
struct gn_context;

struct gn_relief {
    uint64_t wanted; /* bytes of the C heap that stand in for the arena, and for which nobody has gone yet */
    bool refused;    /* a request was refused for want of memory since the last round */
    uint64_t next;   /* when the next round, or the next part of this one, begins */
    uint32_t cursor; /* the slot to look at next; 0: a round begins */
    uint32_t count;
    struct {
        uint64_t since, connection; /* stalled since; id */
    } victims[GN_RELIEF_VICTIMS];   /* in order */
    uint64_t leaving;               /* bytes of the C heap that come back as soon as the kernel lets go of them */
    uint64_t searched_at;           /* the turn in which the largest were last looked for, */
    uint32_t searched, search_from; /* how many were looked at in it, and the slot to look at next */
    uint32_t large_count;
    struct {
        uint64_t rank, connection; /* what counts of it, bytes; id */
    } large[GN_RELIEF_VICTIMS];    /* the largest holders of the C heap that were seen, in order */
};

/* Whether the memory that somebody waits for is mostly Java's to give back. */
bool gn_relief_is_up_to_java(const struct gn_context *context);

/* Ends the connection that holds most of the C heap that stands in for the arena, as far as is known, if that is more than half
   of `bytes` and it is not that of `asker` (gn_context_spare). False: there is none. */
bool gn_relief_make_room(struct gn_context *context, const void *asker, uint64_t bytes);

/* The kernel let go of the output of a connection that made room (gn_connection.leaving). */
void gn_relief_left(struct gn_connection *connection);

/* Looks whether somebody has to go, once a turn while memory is short; `no_more`: no slab is going to come. Returns when to
   call it again at the latest, or GN_TIMER_NEVER: memory is not short. */
uint64_t gn_relief_look(struct gn_context *context, bool no_more);

#endif
