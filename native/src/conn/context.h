/*
 * What the connections of one loop share: the services below them (io, arena, heap, timers, clock), the way up (event
 * ring, counters), and the lists by which they ask the loop for a turn. One per loop, embedded in it; only its thread
 * touches it.
 */
#ifndef GN_CONN_CONTEXT_H
#define GN_CONN_CONTEXT_H

#include "arena/arena.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/slots.h"
#include "conn/prepared.h"
#include "conn/relief.h"
#include "h1/request_parser.h"
#include "h2/receive.h"
#include "h2/stream.h"
#include "http/date.h"
#include "io/io.h"
#include "ring/ring.h"
#include "ring/shared.h"
#include "timer/timer.h"

/* The most bytes of the C heap that may stand in for blocks of a loop's arena. */
#define GN_SPARE_MAX (256ULL << 20)

struct gn_context {
    struct gn_io *io;
    struct gn_memory memory;
    struct gn_arena arena;
    struct gn_timer_wheel wheel;
    struct gn_ring ring;
    struct gn_counters *counters; /* Java's memory: written, never read back for a decision */
    struct gn_slots connections;
    struct gn_slots exchanges;
    struct gn_prepared_table prepared;
    uint64_t now; /* nanoseconds, the time of the turn */
    struct gn_date date;
    struct gn_list dirty;    /* connections with output to send in this turn (gn_connection.dirty) */
    struct gn_list ready;    /* connections that may go on with input they hold (gn_connection.ready) */
    struct gn_list starved;  /* the same, but they wait for memory or for room in the ring */
    struct gn_list owed;     /* exchanges and connections with events to deliver (gn_owed.link) */
    struct gn_list closed;   /* connections that are gone but for a CLOSED event (gn_connection.dirty) */
    struct gn_list lost;     /* the same for those that were gone when Java asked for it */
    struct gn_list infos;    /* groups with a free place for an info (conn/info.h) */
    struct gn_list segments; /* pool of output segments */
    struct gn_list exchange_pool;
    struct gn_h2_stream *stream_pool;
    struct gn_h2_room field_room;
    uint32_t segments_pooled, exchanges_pooled, streams_pooled;
    uint64_t turn_bytes;
    uint64_t spare; /* bytes of the C heap that stand in for blocks of the arena */
    uint64_t spare_limit;
    bool memory_short; /* since the starved were last resumed, a connection was blocked for want of memory */
    struct gn_relief relief;
    /* Room for the head in hand; a head that is not complete moves out of here. */
    struct gn_h1_field fields[GN_H1_FIELDS_MAX];
    struct gn_h1_host host; /* of the last request that had another one than the requests before */
};

/* Memory of the C heap for what would be lost without: who is served just when the arena has no room is not to blame. It
   holds at most GN_SPARE_MAX (or the arena's limit, if that is less), and gn_relief.leaving; past that, other connections that hold much of it are
   ended to make room (gn_relief_make_room), unless it is `asker`, which has `held` bytes, that holds most. NULL: there are none, or no memory.
   `asker`: the gn_buffer or gn_output that the memory is for; its connection stays. */
void *gn_context_spare(struct gn_context *context, const void *asker, size_t held, size_t length);
void gn_context_give_back(struct gn_context *context, void *bytes, size_t length);

/* Counts something that `reason` (gn_reason) did to a peer. */
static inline void gn_context_count(struct gn_context *context, unsigned reason)
{
    context->counters->reasons[reason]++;
}

/* Writes an event for the log, or counts that there was no room. */
void gn_context_log(struct gn_context *context, struct gn_event event);

#endif
