/*
 * Scanning for the end of a name, a value or a target with vector instructions; the functions do what those of
 * scan_portable.h do. Whoever includes this has defined SCAN_CHUNK (16 or 32) and, for a chunk of that many bytes,
 *
 *     scan_classify(bytes, &names, &values)             one bit a byte that no name, no value may contain
 *     scan_classify_target(bytes, &targets, &questions) one bit a byte that no target may contain, that is '?'
 *
 * Names and values are short and many: every block of 64 bytes is classified once for both, and the ends of all that
 * lies in it are then found in two words of bits. So the loads do not wait for the end of the line before.
 */
#ifndef GN_H1_SCAN_BLOCKS_H
#define GN_H1_SCAN_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SCAN_BLOCK 64

struct scan {
    const uint8_t *bytes;
    size_t end;
    size_t block;    /* offset of the classified block */
    uint64_t names;  /* its bytes that end a name; the bits at and behind `end` are set */
    uint64_t values; /* the same for values */
};

/* The `rest` last bytes before `end`, fewer than a chunk, without reading outside [0, end): `lead` of the bytes at the
   returned address stand before them. */
static inline __attribute__((always_inline)) const uint8_t *scan_last_chunk(const struct scan *scan, size_t rest,
                                                                            uint8_t copy[SCAN_CHUNK], size_t *lead)
{
    if (scan->end >= SCAN_CHUNK) {
        *lead = SCAN_CHUNK - rest;
        return scan->bytes + scan->end - SCAN_CHUNK;
    }
    *lead = 0;
    memset(copy, 0, SCAN_CHUNK);
    memcpy(copy, scan->bytes + scan->end - rest, rest);
    return copy;
}

static inline void scan_classify_last_block(struct scan *scan)
{
    size_t length = scan->block < scan->end ? scan->end - scan->block : 0;
    uint64_t names = UINT64_MAX << length, values = names;
    for (size_t at = 0; at < length; at += SCAN_CHUNK) {
        uint8_t copy[SCAN_CHUNK];
        const uint8_t *bytes = scan->bytes + scan->block + at;
        size_t lead = 0;
        if (length - at < SCAN_CHUNK)
            bytes = scan_last_chunk(scan, length - at, copy, &lead);
        uint32_t chunk_names, chunk_values;
        scan_classify(bytes, &chunk_names, &chunk_values);
        names |= (uint64_t)(chunk_names >> lead) << at;
        values |= (uint64_t)(chunk_values >> lead) << at;
    }
    scan->names = names;
    scan->values = values;
}

static inline __attribute__((always_inline)) void scan_classify_block(struct scan *scan, size_t block)
{
    scan->block = block;
    if (__builtin_expect(block + SCAN_BLOCK > scan->end, 0)) {
        scan_classify_last_block(scan);
        return;
    }
    scan->names = 0;
    scan->values = 0;
    for (size_t at = 0; at < SCAN_BLOCK; at += SCAN_CHUNK) {
        uint32_t chunk_names, chunk_values;
        scan_classify(scan->bytes + block + at, &chunk_names, &chunk_values);
        scan->names |= (uint64_t)chunk_names << at;
        scan->values |= (uint64_t)chunk_values << at;
    }
}

static inline __attribute__((always_inline)) void scan_begin(struct scan *scan, const uint8_t *bytes, size_t from,
                                                             size_t end)
{
    scan->bytes = bytes;
    scan->end = end;
    scan_classify_block(scan, from);
}

static inline __attribute__((always_inline)) size_t scan_name(struct scan *scan, size_t from)
{
    for (;;) {
        if (from - scan->block < SCAN_BLOCK) {
            uint64_t stops = scan->names >> (from - scan->block);
            if (stops != 0)
                return from + (size_t)__builtin_ctzll(stops);
            from = scan->block + SCAN_BLOCK;
        }
        scan_classify_block(scan, scan->block + SCAN_BLOCK);
    }
}

static inline __attribute__((always_inline)) size_t scan_value(struct scan *scan, size_t from)
{
    for (;;) {
        if (from - scan->block < SCAN_BLOCK) {
            uint64_t stops = scan->values >> (from - scan->block);
            if (stops != 0)
                return from + (size_t)__builtin_ctzll(stops);
            from = scan->block + SCAN_BLOCK;
        }
        scan_classify_block(scan, scan->block + SCAN_BLOCK);
    }
}

static inline __attribute__((always_inline)) size_t scan_target(struct scan *scan, size_t from, uint32_t *query)
{
    while (from < scan->end) {
        uint8_t copy[SCAN_CHUNK];
        const uint8_t *bytes = scan->bytes + from;
        size_t rest = scan->end - from, lead = 0;
        if (rest < SCAN_CHUNK)
            bytes = scan_last_chunk(scan, rest, copy, &lead);
        else
            rest = SCAN_CHUNK;
        uint32_t targets, questions;
        scan_classify_target(bytes, &targets, &questions);
        // The bit behind the last byte is a stop of its own: `rest` bytes were looked at.
        uint64_t stops = (uint64_t)(targets >> lead) | (UINT64_C(1) << rest);
        size_t length = (size_t)__builtin_ctzll(stops);
        uint64_t found = (questions >> lead) & ((UINT64_C(1) << length) - 1);
        if (found != 0 && *query == 0)
            *query = (uint32_t)(from + (size_t)__builtin_ctzll(found)) + 1;
        from += length;
        if (length < rest)
            break;
    }
    return from;
}

#endif
