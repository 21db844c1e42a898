#include "h2/huffman.h"

#include "h2/hpack_tables.h"

/* The symbol of a code longer than GN_HUFFMAN_SHORT_BITS at the beginning of `window`; *bits is its length. */
static unsigned long_symbol(uint32_t window, unsigned *bits)
{
    unsigned length = GN_HUFFMAN_SHORT_BITS + 1;
    const struct gn_huffman_long *row = gn_huffman_long;
    while (length < 30 && window >= row->end) {
        length++;
        row++;
    }
    *bits = length;
    return gn_huffman_symbols[row->index + (window >> (32 - length)) - row->first];
}

ssize_t gn_huffman_decode(uint8_t *to, const uint8_t *coded, size_t length)
{
    const uint8_t *from = coded, *end = coded + length;
    uint8_t *start = to;
    uint64_t bits = 0; // the next bits, from the top
    unsigned count = 0;
    for (;;) {
        while (count <= 56 && from < end) {
            bits |= (uint64_t)*from++ << (56 - count);
            count += 8;
        }
        if (count < GN_HUFFMAN_SHORT_BITS)
            break;
        const struct gn_huffman_short *entry = &gn_huffman_short[bits >> (64 - GN_HUFFMAN_SHORT_BITS)];
        unsigned used = entry->length;
        if (used != 0) {
            *to++ = entry->octet;
        } else {
            unsigned symbol = long_symbol((uint32_t)(bits >> 32), &used);
            if (used > count)
                break;
            if (symbol > UINT8_MAX)
                return -1;
            *to++ = (uint8_t)symbol;
        }
        bits <<= used;
        count -= used;
    }
    // Short codes may remain in the last bits, then padding, which is less than a byte of ones.
    while (count > 0) {
        const struct gn_huffman_short *entry = &gn_huffman_short[bits >> (64 - GN_HUFFMAN_SHORT_BITS)];
        if (entry->length == 0 || entry->length > count)
            break;
        *to++ = entry->octet;
        bits <<= entry->length;
        count -= entry->length;
    }
    uint64_t padding = count == 0 ? 0 : ~UINT64_C(0) << (64 - count);
    return count < 8 && bits == padding ? to - start : -1;
}

size_t gn_huffman_coded_length(const uint8_t *octets, size_t length)
{
    size_t bits = 0;
    for (size_t i = 0; i < length; i++)
        bits += gn_huffman_lengths[octets[i]];
    return (bits + 7) / 8;
}

uint8_t *gn_huffman_encode(uint8_t *to, const uint8_t *octets, size_t length)
{
    uint64_t bits = 0; // the last `count` bits are not written yet
    unsigned count = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << gn_huffman_lengths[octets[i]] | gn_huffman_codes[octets[i]];
        count += gn_huffman_lengths[octets[i]];
        while (count >= 8) {
            count -= 8;
            *to++ = (uint8_t)(bits >> count);
        }
    }
    if (count > 0)
        *to++ = (uint8_t)(bits << (8 - count) | 0xffU >> count);
    return to;
}
