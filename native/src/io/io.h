/*
 * Input and output for one loop: sockets, the clock and the wait, behind one completion-style interface with three
 * implementations: io_uring, epoll, and a network in memory for tests and fuzzing. Nothing here knows HTTP.
 *
 * A socket is a `struct gn_io_socket` inside its owner's structure (a connection, a listener). Life of one:
 *
 *     unattached --attach--> open --close--> closing --(last completion)--> closed(), unattached again
 *
 * - `attach` takes over a descriptor and gives the socket a slot and a generation. The descriptor is the backend's from
 *   then on. Events of the kernel are matched by slot and generation, so one that is late can never reach a newer
 *   socket.
 * - `receive(on)` starts receiving: `received` is called with each piece until it is turned off, or until the end
 *   (length 0) or an error (negative), after which it is off. After it is turned off, pieces that the kernel had
 *   already delivered may still come: the owner keeps them.
 * - `send` starts one send; the next may start only when that one is complete. It returns the bytes that were sent at
 *   once, -EINPROGRESS when `sent` will report, or the negative errno. `sent` reports bytes sent (> 0, may be fewer
 *   than asked for), -EAGAIN: nothing was sent, start it again now, or the negative errno. Nothing sent and no error (a
 *   write of 0) is reported as -EPIPE, never as 0 (behaviour D12). The bytes stay in place until completion, the iovec
 *   array only until `send` returns.
 * - `unsent` says how many of the bytes that were sent the peer's host has not acknowledged yet (a FIN counts as one), or a
 *   negative errno. A system call: for when a time limit is over, not for each send.
 * - `shut_down` ends the sending side (FIN); only when no send is pending.
 * - `close` ends the socket at any time: no more `received` and `sent` come for it. `closed` comes when the kernel is
 *   done with it and its buffers; only then may the owner reuse the structure or the bytes of a pending send. With
 *   `reset` the peer gets RST.
 *
 * All callbacks come from within `turn`, on the loop's thread; only `drain` calls `accepted` directly. Callbacks may
 * call any function here except `turn`, `stop` and `free`.
 *
 * The interface says no when it cannot: every function returns 0 (or what its comment says), or a negative errno.
 */
#ifndef GN_IO_IO_H
#define GN_IO_IO_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/slots.h"

#define GN_IO_WAIT_FOREVER UINT64_MAX

/* The most sockets that one io takes: a backend packs a slot into 24 bits. */
#define GN_IO_SOCKETS_MAX (1U << 24)

/* The most iovecs that one send takes. */
#define GN_IO_SEND_PARTS 16

enum gn_io_backend { GN_IO_AUTO = 0, GN_IO_URING, GN_IO_EPOLL, GN_IO_MEMORY };

/* What a test can make fail (struct gn_io_faults). */
enum gn_io_operation {
    GN_IO_OP_SETUP,
    GN_IO_OP_ATTACH,
    GN_IO_OP_ACCEPT,
    GN_IO_OP_RECEIVE,
    GN_IO_OP_SEND,
    GN_IO_OP_SHUT_DOWN,
    GN_IO_OP_WAIT,
    GN_IO_OP_COUNT
};

/* A failure of GN_IO_OP_SEND for tests that is no errno: the send takes nothing and reports no error (D12). */
#define GN_IO_FAULT_NOTHING_SENT 4096

/*
 * Failures to order, for tests: operation `op` fails with error[op] (a positive errno) each time its countdown[op] is
 * 0, else the countdown goes down by one; error 0: never. `once[op]`: the failure happens a single time.
 * `short_length`: receives and sends are cut to that many bytes (0: not at all).
 *
 * A failure comes where the kernel's would, and costs no byte of a connection that goes on: what a backend does not
 * report (EINTR anywhere; EAGAIN of a receive; of io_uring also ENOBUFS of a receive, EAGAIN and EBUSY of a wait) is
 * met as the kernel's is. With io_uring sends fail in their completions, but for ENOMEM: the queue takes nothing.
 */
struct gn_io_faults {
    uint32_t countdown[GN_IO_OP_COUNT];
    int error[GN_IO_OP_COUNT];
    bool once[GN_IO_OP_COUNT];
    uint32_t short_length;
};

struct gn_io_config {
    struct gn_memory *memory;
    struct gn_io_faults *faults;   /* NULL: none */
    uint32_t submission_entries;   /* io_uring: default 1024; when full, the queue is submitted early */
    uint32_t completion_entries;   /* io_uring: default 8192; overflow is legal */
    uint32_t receive_buffers;      /* io_uring: buffers of the ring, a power of two; default 256 */
    uint32_t receive_buffer_bytes; /* io_uring: default 8192. epoll: one buffer of 8 times that */
    int wake_descriptor; /* an eventfd, non-blocking; a write to it from any thread ends a wait. Borrowed: whoever
                                      opened it closes it after the io and after the last thread that could write to it.
                                      -1: none */
};

struct gn_io_socket {
    int descriptor; /* -1 while unattached */
    uint32_t slot;  /* index, stable while attached */
    uint32_t generation;
    uint16_t operations; /* completions that the kernel still owes (io_uring) */
    uint16_t state;      /* the backend's flags */
    bool listener;       /* set by the owner before attach: accepts instead of receiving */
    struct gn_list link; /* on one of the backend's lists */
};

/* What the owner of the sockets does; `owner` is the pointer given to open. */
struct gn_io_handler {
    /* A connection was accepted: `result` is its descriptor (close-on-exec, non-blocking; not yet attached). Or a
       negative errno (EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, …); accepting is then off until it is turned on
       again. */
    void (*accepted)(void *owner, struct gn_io_socket *listener, int result);
    /* bytes[0..length) came in; they are valid during the call only. 0: the peer ended its sending side. < 0: errno. */
    void (*received)(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length);
    void (*sent)(void *owner, struct gn_io_socket *socket, ssize_t result);
    void (*closed)(void *owner, struct gn_io_socket *socket);
};

struct gn_io;

struct gn_io_operations {
    const char *name; /* "io_uring", "epoll", "memory" */
    /* A new io on this thread. On failure nothing is left and *detail names the step that failed (a static text). */
    int (*open)(struct gn_io **io, const struct gn_io_config *config, const struct gn_io_handler *handler, void *owner,
                const char **detail);
    /* Cancels everything and reaps every completion, up to `wait` nanoseconds; sockets that are still attached are
       closed (`closed` is called for each). 0, or -ETIMEDOUT: the kernel still holds operations, and memory must be
       leaked. */
    int (*stop)(struct gn_io *io, uint64_t wait);
    void (*free)(struct gn_io *io);
    int (*attach)(struct gn_io *io, struct gn_io_socket *socket, int descriptor);
    int (*accept)(struct gn_io *io, struct gn_io_socket *listener, bool on);
    /* Accepts what is queued at the listener right now, `accepted` for each, without waiting; at most `most` (0: all) and
       what the kernel has accepted already. Not from within a callback. */
    int (*drain)(struct gn_io *io, struct gn_io_socket *listener, uint32_t most);
    int (*receive)(struct gn_io *io, struct gn_io_socket *socket, bool on);
    ssize_t (*send)(struct gn_io *io, struct gn_io_socket *socket, const struct iovec *parts, unsigned count);
    int64_t (*unsent)(struct gn_io *io, struct gn_io_socket *socket);
    int (*shut_down)(struct gn_io *io, struct gn_io_socket *socket);
    void (*close)(struct gn_io *io, struct gn_io_socket *socket, bool reset);
    /* One turn: hand over what was queued, wait up to `wait` nanoseconds (0: do not) unless something is there already,
       deliver completions (a bounded number; the rest next time). 0, or 1 if the wake descriptor was written to, or a
       negative errno, which is fatal for the loop. */
    int (*turn)(struct gn_io *io, uint64_t wait);
    /* Nanoseconds of a monotonic clock, read anew. */
    uint64_t (*now)(struct gn_io *io);
};

/* The common beginning of every backend's own structure. */
struct gn_io {
    const struct gn_io_operations *operations;
    const struct gn_io_handler *handler;
    void *owner;
};

extern const struct gn_io_operations gn_io_uring;
extern const struct gn_io_operations gn_io_epoll;
extern const struct gn_io_operations gn_io_memory;

/* The errno of the failure ordered for this operation, or 0. */
static inline int gn_io_fault(struct gn_io_faults *faults, enum gn_io_operation operation)
{
    if (__builtin_expect(faults == NULL, 1) || faults->error[operation] == 0)
        return 0;
    if (faults->countdown[operation] > 0) {
        faults->countdown[operation]--;
        return 0;
    }
    int error = faults->error[operation];
    if (faults->once[operation])
        faults->error[operation] = 0;
    return error;
}

#endif
