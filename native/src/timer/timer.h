/*
 * A hashed timer wheel: 4096 slots of 16 ms, intrusive entries, absolute expiry in nanoseconds of the loop's clock. An
 * entry is hashed to the slot of its expiry and fires when that slot is over: never before its expiry and at most one
 * slot after; entries of later rounds stay in place. So a slot is searched once a round, however often the loop turns.
 * Starting and stopping take constant time and allocate nothing.
 *
 * The wheel owns no entry: an entry must be stopped before its memory goes. Thread: the loop's.
 */
#ifndef GN_TIMER_TIMER_H
#define GN_TIMER_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define GN_TIMER_SLOTS 4096U
#define GN_TIMER_SLOT_NANOSECONDS (16ULL * 1000 * 1000)
#define GN_TIMER_NEVER UINT64_MAX

struct gn_timer {
    struct gn_list link; /* on a slot, or on `due`, while started */
    uint64_t expiry;     /* GN_TIMER_NEVER while stopped */
};

struct gn_timer_wheel {
    uint64_t now;       /* the time of the last gn_timer_expire */
    uint64_t tick;      /* the slot number (not reduced) up to which slots were searched: that of `now` */
    uint32_t count;     /* entries started */
    struct gn_list due; /* entries that were started for a time in the past */
    uint64_t occupied[GN_TIMER_SLOTS / 64];
    struct gn_list slots[GN_TIMER_SLOTS];
};

void gn_timer_wheel_start(struct gn_timer_wheel *wheel, uint64_t now);

/* Makes `timer` a stopped one. */
static inline void gn_timer_init(struct gn_timer *timer)
{
    gn_list_start(&timer->link);
    timer->expiry = GN_TIMER_NEVER;
}

static inline bool gn_timer_started(const struct gn_timer *timer)
{
    return timer->expiry != GN_TIMER_NEVER;
}

/* (Re)starts `timer` for the absolute time `expiry`; a time in the past (not after the wheel's `now`) fires at the next
   gn_timer_expire, GN_TIMER_NEVER stops it. */
void gn_timer_start(struct gn_timer_wheel *wheel, struct gn_timer *timer, uint64_t expiry);

/* Stops `timer`; a stopped one stays so. */
void gn_timer_stop(struct gn_timer_wheel *wheel, struct gn_timer *timer);

/*
 * Moves time on to `now` and moves every expired entry, stopped, to the end of `expired`, for the caller to take off
 * one by one; whoever stops or restarts an entry that is still on that list takes it off by that. Time never goes back:
 * an earlier `now` counts as the last one.
 */
void gn_timer_expire(struct gn_timer_wheel *wheel, uint64_t now, struct gn_list *expired);

/* Nanoseconds from `now` until gn_timer_expire may have something to do, at most until the earliest entry fires (it may
   turn out to be nothing: entries of later rounds), or GN_TIMER_NEVER where no entry is started. */
uint64_t gn_timer_next(const struct gn_timer_wheel *wheel, uint64_t now);

#endif
