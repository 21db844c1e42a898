/*
 * The Huffman code of HPACK (RFC 7541 section 5.2 and Appendix B). Pure functions; no state.
 */
#ifndef GN_H2_HUFFMAN_H
#define GN_H2_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The most octets that `length` coded bytes can be: the shortest code has 5 bits. */
static inline size_t gn_huffman_decoded_max(size_t length)
{
    return length * 8 / 5;
}

/* Decodes coded[0..length) to `to`, which has room for gn_huffman_decoded_max(length). How many octets were written, or
   -1: EOS, padding of 8 bits or more, or padding that is not the beginning of EOS. */
ssize_t gn_huffman_decode(uint8_t *to, const uint8_t *coded, size_t length);

/* How many bytes octets[0..length) take when coded. */
size_t gn_huffman_coded_length(const uint8_t *octets, size_t length);

/* Codes octets[0..length) to `to`, which has room for gn_huffman_coded_length of them. Where the coded bytes end. */
uint8_t *gn_huffman_encode(uint8_t *to, const uint8_t *octets, size_t length);

#endif
