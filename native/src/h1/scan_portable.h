/*
 * Scanning for the end of a name, a value or a target without vector instructions: a table for what is short, words of
 * eight bytes for what may be long. Each function returns the first position in [from, end) whose byte cannot be part
 * of what is scanned, else `end`.
 */
#ifndef GN_H1_SCAN_PORTABLE_H
#define GN_H1_SCAN_PORTABLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "http/octets.h"

struct scan {
    const uint8_t *bytes;
    size_t end;
};

static inline void scan_begin(struct scan *scan, const uint8_t *bytes, size_t from, size_t end)
{
    (void)from;
    scan->bytes = bytes;
    scan->end = end;
}

static inline size_t scan_name(struct scan *scan, size_t from)
{
    while (from < scan->end && gn_octet_is(scan->bytes[from], GN_OCTET_TOKEN))
        from++;
    return from;
}

static inline size_t scan_value(struct scan *scan, size_t from)
{
    const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
    const uint8_t *bytes = scan->bytes;
    size_t end = scan->end;
    for (;;) {
        if (end - from >= 8) {
            uint64_t word;
            memcpy(&word, bytes + from, sizeof word);
            // HTAB, and by borrow a byte beside a control, pass for controls here: a second look, and no more.
            uint64_t controls = (word - ones * 0x20) | ((word ^ (ones * 0x7f)) - ones);
            if ((controls & ~word & highs) == 0) {
                from += 8;
                continue;
            }
        }
        size_t stop = end - from < 8 ? end : from + 8;
        for (; from < stop; from++)
            if (gn_octet_is_control(bytes[from]))
                return from;
        if (from == end)
            return end;
    }
}

/* Also notes in *query what stands behind the first '?', unless it is noted (not 0) already. */
static inline size_t scan_target(struct scan *scan, size_t from, uint32_t *query)
{
    for (; from < scan->end && gn_octet_is(scan->bytes[from], GN_OCTET_TARGET); from++)
        if (scan->bytes[from] == '?' && *query == 0)
            *query = (uint32_t)from + 1;
    return from;
}

#endif
