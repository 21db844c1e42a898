/* Numbers at random that are the same in every run with the same seed. */
#ifndef GN_TEST_RANDOM_H
#define GN_TEST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

static uint64_t seed;

static inline uint32_t below(uint32_t limit)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % limit;
}

static inline bool once_in(uint32_t count)
{
    return below(count) == 0;
}

#endif
