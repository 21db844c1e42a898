/*
 * The heap of the C core: every allocation outside the arena goes through one `struct gn_memory` per loop, which counts
 * bytes and can be told to fail, so that tests reach every out-of-memory path. Not thread-safe: it belongs to its loop.
 */
#ifndef GN_BASE_MEMORY_H
#define GN_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct gn_memory {
    size_t used;        /* bytes handed out now */
    size_t blocks;      /* allocations handed out now */
    uint64_t fail_from; /* tests: the allocation with this number, counted from 1, and all later ones fail; 0: never */
    uint64_t count;     /* allocations asked for so far */
};

/* Zeroed memory of `size` bytes (size > 0), or NULL. The caller owns it and gives the same size back. */
void *gn_memory_allocate(struct gn_memory *memory, size_t size);

/* Gives back what gn_memory_allocate returned; a NULL pointer is ignored. */
void gn_memory_free(struct gn_memory *memory, void *pointer, size_t size);

#endif
