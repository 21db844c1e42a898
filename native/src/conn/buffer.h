/*
 * Bytes that were received and could not be used yet, in one piece: a partial head, or input that waits for room. It
 * owns one block of the arena, or of the C heap while the arena has none, while it holds something, and nothing while it is
 * empty.
 */
#ifndef GN_CONN_BUFFER_H
#define GN_CONN_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gn_context;

/* The most bytes that a buffer can hold: a slab. */
#define GN_BUFFER_MAX (1U << 20)

struct gn_buffer {
    uint64_t block; /* 0: none, or `heap` */
    uint8_t *heap;
    uint32_t begin, end, heap_capacity;
};

static inline size_t gn_buffer_length(const struct gn_buffer *buffer)
{
    return buffer->end - buffer->begin;
}

/* The first byte; only while it is not empty. */
uint8_t *gn_buffer_bytes(const struct gn_context *context, const struct gn_buffer *buffer);

/* Copies bytes to the end. False: no memory, or over GN_BUFFER_MAX; nothing changed. */
bool gn_buffer_append(struct gn_context *context, struct gn_buffer *buffer, const uint8_t *bytes, size_t length);

/* Drops the first `length` bytes, and the block with the last of them. */
void gn_buffer_consume(struct gn_context *context, struct gn_buffer *buffer, size_t length);

#endif
