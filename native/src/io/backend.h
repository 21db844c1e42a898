/*
 * Choosing a backend of io.h for a loop. GN_IO_AUTO takes io_uring where the kernel allows it, else epoll. One that
 * was asked for by name is taken or refused: nothing else is tried, so that with GN_IO_EPOLL no io_uring system call
 * is made.
 */
#ifndef GN_IO_BACKEND_H
#define GN_IO_BACKEND_H

#include "io/io.h"

/* Bytes that hold every reason, its zero included. */
#define GN_BACKEND_REASON_BYTES 256

/*
 * Opens an io on this thread, which will turn it. 0, or the negative errno of the backend that was asked for (with
 * GN_IO_AUTO, of the last one tried); nothing is left then and *taken is not written. `reason` says in both cases
 * why, in English, without the backend that was taken: "asked for", "the kernel allows it", or what failed, as
 * backend, step and errno's name: "epoll: epoll_create1: EMFILE", and "; " between two.
 */
int gn_backend_open(enum gn_io_backend wanted, struct gn_io **io, const struct gn_io_config *config,
                    const struct gn_io_handler *handler, void *owner, enum gn_io_backend *taken,
                    char reason[GN_BACKEND_REASON_BYTES]);

#endif
