#include "io/uring_kernel.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int gn_uring_kernel_setup(unsigned entries, struct io_uring_params *parameters)
{
    long result = syscall(__NR_io_uring_setup, entries, parameters);
    return result < 0 ? -errno : (int)result;
}

int gn_uring_kernel_enter(int descriptor, unsigned submit, unsigned complete, unsigned flags, const void *argument,
                          size_t size)
{
    long result = syscall(__NR_io_uring_enter, descriptor, submit, complete, flags, argument, size);
    return result < 0 ? -errno : (int)result;
}

int gn_uring_kernel_register(int descriptor, unsigned operation, void *argument, unsigned count)
{
    long result = syscall(__NR_io_uring_register, descriptor, operation, argument, count);
    return result < 0 ? -errno : (int)result;
}
