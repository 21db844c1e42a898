/*
 * The kernel's side of io_uring: its three system calls, and the names that came after the headers of Linux 6.1, which
 * this builds with. Only the files of the io_uring backend include this.
 */
#ifndef GN_IO_URING_KERNEL_H
#define GN_IO_URING_KERNEL_H

#include <linux/io_uring.h>
#include <stddef.h>

#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY (1u << 16) /* Linux 6.6: no array of indexes into the submission queue */
#endif
#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1u << 17) /* Linux 6.15 */
#endif
#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1u << 7) /* Linux 6.15: a wait does not show as time lost to I/O */
#endif

/* The new descriptor, or a negative errno. */
int gn_uring_kernel_setup(unsigned entries, struct io_uring_params *parameters);

/* How many entries were taken, or a negative errno. `argument` is as `flags` say. */
int gn_uring_kernel_enter(int descriptor, unsigned submit, unsigned complete, unsigned flags, const void *argument,
                          size_t size);

/* The operation's result, or a negative errno. */
int gn_uring_kernel_register(int descriptor, unsigned operation, void *argument, unsigned count);

#endif
