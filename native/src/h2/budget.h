/*
 * A budget of what a peer may make this side do for nothing. It begins full, every act takes from it, and a thirtieth of
 * it comes back each second. Pure.
 */
#ifndef GN_H2_BUDGET_H
#define GN_H2_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct gn_h2_budget {
    uint64_t filled; /* when it was filled up last, nanoseconds */
    uint32_t size, left;
};

#define GN_H2_BUDGET_SECONDS 30U

static inline struct gn_h2_budget gn_h2_budget_start(uint64_t size, uint64_t now)
{
    uint32_t most = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    return (struct gn_h2_budget){.filled = now, .size = most, .left = most};
}

/* What time gives back, up to its size. */
static inline void gn_h2_budget_refill(struct gn_h2_budget *budget, uint64_t now)
{
    uint64_t milliseconds = (now - budget->filled) / 1000000, most = GN_H2_BUDGET_SECONDS * 1000ULL;
    uint64_t back = (milliseconds < most ? milliseconds : most) * budget->size / most;
    if (back == 0)
        return; // goes on counting from the same moment
    budget->filled = now;
    if (budget->left < budget->size)
        budget->left = back < budget->size - budget->left ? budget->left + (uint32_t)back : budget->size;
}

/* Takes one. False: there is none left. */
static inline bool gn_h2_budget_take(struct gn_h2_budget *budget, uint64_t now)
{
    if (now - budget->filled >= 1000000000)
        gn_h2_budget_refill(budget, now);
    if (budget->left == 0)
        return false;
    budget->left--;
    return true;
}

/* Gives some in advance for what follows from something useful. */
static inline void gn_h2_budget_give(struct gn_h2_budget *budget, uint32_t more)
{
    budget->left += more < UINT32_MAX - budget->left ? more : 0;
}

#endif
