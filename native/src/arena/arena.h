/*
 * The memory that both worlds see. Java allocates slabs of direct memory and lends them to the arena of one loop; the
 * arena cuts them into blocks. A block is named by a reference (slab index in the upper, byte offset in the lower half
 * of 64 bits; 0 is no block), which is what stands in records.
 *
 * Owners. A block belongs to C from gn_arena_allocate on. gn_arena_lend gives it to Java, gn_arena_take_back returns it
 * to C; only C's blocks are freed. What Java names in a command is untrusted: gn_arena_take_back says whether the
 * reference is exactly a block that Java holds. All bookkeeping is in memory of C's own, none of it in the blocks.
 *
 * Layout. A slab is cut into pages of 64 KiB. A page serves blocks of one use and one size class (a power of two from
 * 256 bytes to 32 KiB) with a bitmap of free and one of lent blocks; larger blocks are runs of whole pages, up to one
 * slab. An empty page goes back to its slab, whatever it served; one for each use and class is kept at hand, counts as
 * free and is taken from there when pages are short.
 *
 * Classes of use have quotas, so that bodies cannot starve heads: pages of `reserve` bytes are kept for GN_ARENA_HEAD. It,
 * too, leaves empty pages of the quota of GN_ARENA_PROGRESS to that, unless there is no reserve at all. Counted, against
 * quotas too, are the bytes of the whole block, not those asked for.
 *
 * Under AddressSanitizer free blocks are poisoned, and the last 16 bytes of each block smaller than a page are a red
 * zone: its capacity is less by that, and a request of exactly a power of two takes the next class.
 *
 * Thread: the loop's. Errors: negative errno.
 */
#ifndef GN_ARENA_ARENA_H
#define GN_ARENA_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

#define GN_ARENA_PAGE 65536U
#define GN_ARENA_BLOCK_MIN 256U
#define GN_ARENA_SLAB_MAX (16 * GN_ARENA_PAGE)
#define GN_ARENA_SLABS_MAX 4096U

#if defined(__SANITIZE_ADDRESS__)
#define GN_ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GN_ARENA_POISON 1
#endif
#endif
#ifdef GN_ARENA_POISON
#define GN_ARENA_RED_ZONE 16U
#else
#define GN_ARENA_RED_ZONE 0U
#endif

/* What a block is used for; quotas and counters go by it. */
enum gn_arena_use {
    GN_ARENA_HEAD,     /* head blocks, connection-info blocks */
    GN_ARENA_BODY_IN,  /* bodies, trailer sections, and input that waits: partial heads cannot starve complete ones */
    GN_ARENA_BODY_OUT, /* everything that waits to be sent */
    GN_ARENA_PROGRESS, /* bodies that GN_ARENA_BODY_IN has no room for: few, so that each goes on when one before it is done */
    GN_ARENA_USE_COUNT
};

struct gn_arena_config {
    uint64_t limit; /* most bytes of all slabs; no more are asked for, see gn_arena_may_grow; 0: none */
    uint64_t
        reserve; /* other uses leave empty pages of this many bytes, and of an eighth of all slabs if that is more, to
                         GN_ARENA_HEAD; 0: none at all */
    uint64_t low_water;                 /* gn_arena_low says so when fewer bytes are free */
    uint64_t quota[GN_ARENA_USE_COUNT]; /* most bytes a use may hold; 0: no quota of its own */
};

struct gn_arena_slab;  /* private */
struct gn_arena_state; /* private */

struct gn_arena {
    struct gn_memory *memory;
    struct gn_arena_config config;
    uint64_t total; /* bytes of all slabs */
    uint64_t free;  /* bytes in free blocks and free pages */
    uint64_t used[GN_ARENA_USE_COUNT];
    uint64_t lent_blocks; /* blocks that Java holds, */
    uint64_t lent_bytes;  /* and their bytes */
    bool short_of_pages;  /* an allocation failed that another slab may let succeed; cleared by the next slab */
    bool over_quota;      /* one failed that no slab helps; cleared by the caller */
    uint32_t slab_count;
    uint32_t slab_keep; /* so many slabs, the first ones, are never given back: as many as were added before the first
                           allocation */
    struct gn_arena_slab **slabs; /* by index - 1; NULL where a slab was given back */
    struct gn_arena_state *state; /* private: the lists and maps of pages */
};

/* An arena without slabs. 0 or -ENOMEM. */
int gn_arena_open(struct gn_arena *arena, struct gn_memory *memory, const struct gn_arena_config *config);

/* Forgets all slabs and frees the bookkeeping; blocks that are still taken are not touched. */
void gn_arena_close(struct gn_arena *arena);

/*
 * Lends bytes[0..size) to the arena; size is a multiple of GN_ARENA_PAGE (at most GN_ARENA_SLAB_MAX, 1 MiB), bytes is
 * aligned to 64.
 * Returns the slab's index (>= 1, the lowest free one) or -EINVAL, -ENOMEM, -ENOSPC.
 */
int gn_arena_add(struct gn_arena *arena, uint8_t *bytes, size_t size);

/* Takes an empty slab that is to go back to Java out of the arena: one beyond `slab_keep`, and only while at least as
   many bytes as it has stay free above the low-water mark, and empty above the reserve: else it would be asked for again by
   the next body. Returns its index, or 0 where there is none. */
uint32_t gn_arena_give_back(struct gn_arena *arena);

/* A block of at least `size` bytes (1 .. 1 MiB) for C, or 0: no memory, over a quota, or no such size. Fast path:
   constant time. What the bytes hold is undefined. */
uint64_t gn_arena_allocate(struct gn_arena *arena, enum gn_arena_use use, size_t size);

/* Frees a block of C's (never one that Java holds: take it back first). */
void gn_arena_free(struct gn_arena *arena, uint64_t block);

/* The first byte of a taken block, and how many bytes it has room for. */
uint8_t *gn_arena_bytes(const struct gn_arena *arena, uint64_t block);
size_t gn_arena_capacity(const struct gn_arena *arena, uint64_t block);

/* C's block becomes Java's. */
void gn_arena_lend(struct gn_arena *arena, uint64_t block);

/* Java's block becomes C's again: true. Any other number, a block of C's or a place inside a block: false, and nothing
   changes. Whatever the number, it is safe. */
bool gn_arena_take_back(struct gn_arena *arena, uint64_t block);

/* Whether another slab of the usual size stays within the limit. */
static inline bool gn_arena_may_grow(const struct gn_arena *arena)
{
    return arena->slab_count < GN_ARENA_SLABS_MAX &&
           (arena->config.limit == 0 || arena->total + GN_ARENA_SLAB_MAX <= arena->config.limit);
}

/* Whether fewer than `low_water` bytes are free. */
static inline bool gn_arena_low(const struct gn_arena *arena)
{
    return arena->free < arena->config.low_water;
}

#endif
