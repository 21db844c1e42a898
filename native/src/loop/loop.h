/*
 * A loop: the turn that ties commands, input and output, timers and events together. It knows nothing of HTTP.
 *
 * Thread: one, from gn_loop_open to gn_loop_free. Memory: `shared` and the slabs are the caller's (Java's) and must
 * outlive the loop; everything else is the loop's.
 */
#ifndef GN_LOOP_LOOP_H
#define GN_LOOP_LOOP_H

#include "conn/listener.h"

struct gn_loop {
    struct gn_context context;
    struct gn_shared *shared;
    uint8_t *base; /* of the shared region */
    struct gn_slots listeners;
    struct gn_list listener_list;
    const uint8_t *staging;
    uint64_t staging_capacity;
    const struct gn_command *commands;
    uint32_t commands_capacity;
    bool asleep;      /* within io->turn, before the first callback */
    bool slab_wanted; /* SLAB_WANTED was written and no slab has come since */
    uint64_t slab_wanted_at;
    uint64_t relief_at; /* when gn_relief_look is due at the latest */
};

/*
 * Opens a loop over the region at `shared`, whose settings are filled in (shared.h). `faults` is for tests, else NULL.
 * 0, or a negative errno: -EINVAL for settings that make no sense, else the backend's. shared->text says why the
 * backend was taken or what failed.
 */
int gn_loop_open(struct gn_loop **loop, struct gn_shared *shared, struct gn_io_faults *faults);

/* Lends a slab; see gn_arena_add. One that is refused is not asked for again: the caller tries again by itself. */
int gn_loop_add_slab(struct gn_loop *loop, uint8_t *bytes, size_t size);

/* Listens on `descriptor`, taken over also on failure, with shared->listener. The id, or a negative errno. */
int64_t gn_loop_listen(struct gn_loop *loop, int descriptor);

/* Takes over a stream socket that is connected already as a connection of a listener, see gn_listener_adopt. Between two
   turns only. 0, or a negative errno, and the descriptor stays the caller's; -ENOENT: no such listener. */
int gn_loop_adopt(struct gn_loop *loop, uint64_t listener, int descriptor);

/*
 * A turn: applies `count` commands, starts what they ask for, and returns when there are events, the wake descriptor
 * was written to, or `wait` nanoseconds (0: do not wait, GN_IO_WAIT_FOREVER) are over. `head`: how many events Java has
 * read so far. Returns how many are in the ring behind that, or a negative errno: the loop is dead and must be stopped.
 */
int64_t gn_loop_poll(struct gn_loop *loop, uint32_t count, uint32_t head, uint64_t wait);

/* Ends everything on it, waiting up to `wait` nanoseconds for the kernel. 0, or -ETIMEDOUT: the kernel still holds
   memory, so neither the loop nor the slabs may be freed. */
int gn_loop_stop(struct gn_loop *loop, uint64_t wait);

/* Frees a stopped loop. */
void gn_loop_free(struct gn_loop *loop);

/* ---- between the loop's own files ---- */

/* Applies the commands; command.c. */
void gn_loop_apply(struct gn_loop *loop, uint32_t count);

#endif
