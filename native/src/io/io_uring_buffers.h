/*
 * The receive buffers that the kernel takes from by itself: a ring of equal buffers, group 0. The kernel owns every
 * buffer from gn_uring_buffers_return until a completion names it; then the caller does until it is returned.
 */
#ifndef GN_IO_IO_URING_BUFFERS_H
#define GN_IO_IO_URING_BUFFERS_H

#include "io/io_uring_ring.h"

struct gn_uring_buffers {
    struct gn_memory *memory;
    struct io_uring_buf_ring *ring; /* NULL: closed */
    uint8_t *bytes;
    uint32_t count;  /* a power of two */
    uint32_t length; /* of each */
    uint16_t tail;
    void *block;
    size_t block_bytes;
};

/* Allocates the buffers and gives all of them to the kernel. 0; -EINVAL: `count` is no power of two up to 32768, or
   `length` is 0; -ENOMEM; or another negative errno, with *detail; one GN_IO_OP_SETUP. */
int gn_uring_buffers_open(struct gn_uring_buffers *buffers, const struct gn_uring *ring, uint32_t count,
                          uint32_t length, const struct gn_io_config *config, const char **detail);

/* Takes the buffers back from the kernel, when no receive is pending, and frees them. Harmless when closed. */
void gn_uring_buffers_close(struct gn_uring_buffers *buffers, const struct gn_uring *ring);

/* The bytes of the buffer that a completion with these flags names. */
static inline uint8_t *gn_uring_buffers_bytes(const struct gn_uring_buffers *buffers, uint32_t flags)
{
    return buffers->bytes + (size_t)(flags >> IORING_CQE_BUFFER_SHIFT) * buffers->length;
}

/* Gives that buffer back to the kernel, which may take it at once. */
static inline void gn_uring_buffers_return(struct gn_uring_buffers *buffers, uint32_t flags)
{
    struct io_uring_buf *entry = &buffers->ring->bufs[buffers->tail & (buffers->count - 1)];
    entry->addr = (uint64_t)(uintptr_t)gn_uring_buffers_bytes(buffers, flags);
    entry->len = buffers->length;
    entry->bid = (uint16_t)(flags >> IORING_CQE_BUFFER_SHIFT);
    buffers->tail++;
    __atomic_store_n(&buffers->ring->tail, buffers->tail, __ATOMIC_RELEASE);
}

#endif
