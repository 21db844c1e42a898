#include "io/io_uring_buffers.h"

#include <unistd.h>

#define COUNT_LIMIT 32768u

static void release(struct gn_uring_buffers *buffers)
{
    gn_memory_free(buffers->memory, buffers->block, buffers->block_bytes);
    *buffers = (struct gn_uring_buffers){.memory = buffers->memory};
}

int gn_uring_buffers_open(struct gn_uring_buffers *buffers, const struct gn_uring *ring, uint32_t count,
                          uint32_t length, const struct gn_io_config *config, const char **detail)
{
    *buffers = (struct gn_uring_buffers){.memory = config->memory, .count = count, .length = length};
    *detail = "receive buffers: their number is no power of two up to 32768, or their length is 0";
    if (count == 0 || count > COUNT_LIMIT || (count & (count - 1)) != 0 || length == 0)
        return -EINVAL;
    *detail = "no memory for the receive buffers";
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t ring_bytes = (count * sizeof(struct io_uring_buf) + page - 1) / page * page;
    buffers->block_bytes = page + ring_bytes + (size_t)count * length;
    buffers->block = gn_memory_allocate(config->memory, buffers->block_bytes);
    if (buffers->block == NULL)
        return -ENOMEM;
    // The kernel wants the ring at the beginning of a page.
    uint8_t *aligned = (uint8_t *)buffers->block + (page - (uintptr_t)buffers->block % page) % page;

    *detail = "io_uring_register refused the ring of receive buffers";
    struct io_uring_buf_reg registration = {.ring_addr = (uint64_t)(uintptr_t)aligned, .ring_entries = count};
    int error = -gn_io_fault(config->faults, GN_IO_OP_SETUP);
    if (error == 0)
        error = gn_uring_kernel_register(ring->descriptor, IORING_REGISTER_PBUF_RING, &registration, 1);
    if (error < 0) {
        release(buffers);
        return error;
    }
    buffers->ring = (struct io_uring_buf_ring *)(void *)aligned;
    buffers->bytes = aligned + ring_bytes;
    for (uint32_t id = 0; id < count; id++)
        gn_uring_buffers_return(buffers, id << IORING_CQE_BUFFER_SHIFT);
    return 0;
}

void gn_uring_buffers_close(struct gn_uring_buffers *buffers, const struct gn_uring *ring)
{
    if (buffers->ring == NULL)
        return;
    struct io_uring_buf_reg registration = {0};
    (void)gn_uring_kernel_register(ring->descriptor, IORING_UNREGISTER_PBUF_RING, &registration, 1);
    release(buffers);
}
