#include "timer/timer.h"

#include <stddef.h>

#define SLOT_MASK (GN_TIMER_SLOTS - 1)

static uint32_t slot_of(uint64_t time)
{
    return (uint32_t)(time / GN_TIMER_SLOT_NANOSECONDS) & SLOT_MASK;
}

void gn_timer_wheel_start(struct gn_timer_wheel *wheel, uint64_t now)
{
    wheel->now = now;
    wheel->tick = now / GN_TIMER_SLOT_NANOSECONDS;
    wheel->count = 0;
    gn_list_start(&wheel->due);
    for (uint32_t word = 0; word < GN_TIMER_SLOTS / 64; word++)
        wheel->occupied[word] = 0;
    for (uint32_t slot = 0; slot < GN_TIMER_SLOTS; slot++)
        gn_list_start(&wheel->slots[slot]);
}

void gn_timer_stop(struct gn_timer_wheel *wheel, struct gn_timer *timer)
{
    gn_list_remove(&timer->link);
    if (!gn_timer_started(timer))
        return;
    uint32_t slot = slot_of(timer->expiry);
    timer->expiry = GN_TIMER_NEVER;
    wheel->count--;
    if (gn_list_empty(&wheel->slots[slot]))
        wheel->occupied[slot / 64] &= ~(1ULL << (slot % 64));
}

void gn_timer_start(struct gn_timer_wheel *wheel, struct gn_timer *timer, uint64_t expiry)
{
    gn_timer_stop(wheel, timer);
    if (expiry == GN_TIMER_NEVER)
        return;
    timer->expiry = expiry;
    wheel->count++;
    if (expiry <= wheel->now) {
        gn_list_append(&wheel->due, &timer->link);
        return;
    }
    uint32_t slot = slot_of(expiry);
    gn_list_append(&wheel->slots[slot], &timer->link);
    wheel->occupied[slot / 64] |= 1ULL << (slot % 64);
}

/* How many slots after `slot` (around the wheel) the first occupied one comes; GN_TIMER_SLOTS where none is. */
static uint32_t occupied_after(const struct gn_timer_wheel *wheel, uint32_t slot)
{
    uint32_t first = slot / 64;
    for (uint32_t step = 0; step <= GN_TIMER_SLOTS / 64; step++) {
        uint32_t word = (first + step) % (GN_TIMER_SLOTS / 64);
        uint64_t bits = wheel->occupied[word];
        if (step == 0)
            bits &= ~0ULL << (slot % 64);
        if (bits != 0)
            return (word * 64 + (uint32_t)__builtin_ctzll(bits) - slot) & SLOT_MASK;
    }
    return GN_TIMER_SLOTS;
}

static void expire_entry(struct gn_timer_wheel *wheel, struct gn_timer *timer, struct gn_list *expired)
{
    gn_timer_stop(wheel, timer);
    gn_list_append(expired, &timer->link);
}

static void expire_slot(struct gn_timer_wheel *wheel, uint32_t slot, uint64_t before, struct gn_list *expired)
{
    struct gn_list *list = &wheel->slots[slot];
    for (struct gn_list *link = list->next, *next; link != list; link = next) {
        next = link->next;
        struct gn_timer *timer = gn_list_owner(link, struct gn_timer, link);
        if (timer->expiry < before)
            expire_entry(wheel, timer, expired);
    }
}

void gn_timer_expire(struct gn_timer_wheel *wheel, uint64_t now, struct gn_list *expired)
{
    if (now > wheel->now)
        wheel->now = now;
    while (!gn_list_empty(&wheel->due))
        expire_entry(wheel, gn_list_owner(wheel->due.next, struct gn_timer, link), expired);

    // After a jump over whole rounds each slot is still searched only once.
    uint64_t tick = wheel->now / GN_TIMER_SLOT_NANOSECONDS;
    uint64_t slots = tick - wheel->tick < GN_TIMER_SLOTS ? tick - wheel->tick : GN_TIMER_SLOTS;
    uint64_t done = 0;
    while (done < slots && wheel->count != 0) {
        uint32_t slot = (uint32_t)(wheel->tick + done) & SLOT_MASK;
        uint32_t skip = occupied_after(wheel, slot);
        if (done + skip >= slots)
            break;
        expire_slot(wheel, (slot + skip) & SLOT_MASK, tick * GN_TIMER_SLOT_NANOSECONDS, expired);
        done += skip + 1;
    }
    wheel->tick = tick;
}

uint64_t gn_timer_next(const struct gn_timer_wheel *wheel, uint64_t now)
{
    if (wheel->count == 0)
        return GN_TIMER_NEVER;
    if (!gn_list_empty(&wheel->due))
        return 0;
    uint64_t slot = wheel->tick + occupied_after(wheel, (uint32_t)wheel->tick & SLOT_MASK);
    uint64_t end = (slot + 1) * GN_TIMER_SLOT_NANOSECONDS;
    return end > now ? end - now : 0;
}
