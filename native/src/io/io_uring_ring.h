/*
 * One io_uring instance: set up, mapped, submitted to and reaped. Knows queues, not sockets.
 *
 * All calls are made on the thread that opened it (SINGLE_ISSUER). The kernel goes on with operations only while that
 * thread fetches completions (DEFER_TASKRUN), that is, in gn_uring_wait. The submission queue is filled with
 * gn_uring_next and handed over by gn_uring_wait, or earlier when it is full; entries are taken in order. When the
 * completion queue is full the kernel keeps what is left over and gn_uring_wait fetches it: nothing is lost.
 */
#ifndef GN_IO_IO_URING_RING_H
#define GN_IO_IO_URING_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "io/io.h"
#include "io/uring_kernel.h"

struct gn_uring {
    int descriptor;
    int enter_descriptor; /* the same, or its index where ring descriptors can be registered */
    unsigned enter_flags;

    struct io_uring_sqe *submissions;
    uint32_t submission_mask;
    uint32_t submission_tail; /* ours; the kernel's copy is written on hand-over */
    uint32_t *kernel_submission_head;
    uint32_t *kernel_submission_tail;
    uint32_t *kernel_flags;

    struct io_uring_cqe *completions;
    uint32_t completion_mask;
    uint32_t completion_head;
    uint32_t *kernel_completion_head;
    uint32_t *kernel_completion_tail;

    void *rings;
    size_t rings_bytes;
    size_t submissions_bytes;
};

/*
 * Opens a ring with queues of at least these sizes (> 0; the kernel rounds up to a power of two, and cuts what is too
 * large). On failure nothing is left, and *detail names the step that failed: -ENOSYS when this kernel lacks something
 * that the backend needs, -EPERM when it may not be used, or another negative errno. Every step counts as one
 * GN_IO_OP_SETUP.
 */
int gn_uring_open(struct gn_uring *ring, uint32_t submissions, uint32_t completions, struct gn_io_faults *faults,
                  const char **detail);

/* Closes the ring. No operation may be pending that uses memory of the caller's. */
void gn_uring_close(struct gn_uring *ring);

/* A zeroed submission entry, handed over when gn_uring_wait or a later gn_uring_next enters the kernel: it is filled in
   before that. When the queue is full, what is in it is handed over now; NULL only if the kernel takes nothing (out of
   memory). */
struct io_uring_sqe *gn_uring_next(struct gn_uring *ring);

/* Hands the queue over without waiting and without fetching completions. 0, or a negative errno; -EAGAIN: the kernel
   cannot take any now. */
int gn_uring_submit(struct gn_uring *ring);

/* How many entries wait to be handed over. */
static inline uint32_t gn_uring_unsubmitted(const struct gn_uring *ring)
{
    return ring->submission_tail - __atomic_load_n(ring->kernel_submission_head, __ATOMIC_ACQUIRE);
}

/*
 * Hands the queue over, fetches completions, and waits up to `nanoseconds` (0: does not; GN_IO_WAIT_FOREVER) until one
 * is here. One system call; none when nothing is to be handed over and either completions are here already or, without
 * a wait, the kernel has none. 0, also when interrupted or out of memory for now, or a negative errno, which is fatal.
 */
int gn_uring_wait(struct gn_uring *ring, uint64_t nanoseconds);

/* 0 for a result of the kernel's that is no failure of the ring (what could not be done is done in the next call), else
   the negative errno, which is fatal. */
int gn_uring_tolerate(int result);

/* How many completions are here. */
static inline uint32_t gn_uring_completed(const struct gn_uring *ring)
{
    return __atomic_load_n(ring->kernel_completion_tail, __ATOMIC_ACQUIRE) - ring->completion_head;
}

/* The completion `index` places from the front; index < gn_uring_completed. Ours until it is removed. */
static inline struct io_uring_cqe *gn_uring_completion(struct gn_uring *ring, uint32_t index)
{
    return &ring->completions[(ring->completion_head + index) & ring->completion_mask];
}

/* Removes the completion at the front. */
static inline void gn_uring_remove(struct gn_uring *ring)
{
    ring->completion_head++;
    __atomic_store_n(ring->kernel_completion_head, ring->completion_head, __ATOMIC_RELEASE);
}

#endif
