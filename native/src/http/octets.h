/*
 * The classes of octets that the grammar of HTTP/1 and of URI authorities knows (RFC 9110 section 5.6.2, RFC 3986
 * section 3.2.2), as one table of bits.
 */
#ifndef GN_HTTP_OCTETS_H
#define GN_HTTP_OCTETS_H

#include <stdbool.h>
#include <stdint.h>

enum gn_octet_class {
    GN_OCTET_TOKEN = 1,    /* tchar */
    GN_OCTET_REG_NAME = 2, /* unreserved / sub-delims */
    GN_OCTET_DIGIT = 4,
    GN_OCTET_HEX_DIGIT = 8,
    GN_OCTET_TARGET = 16, /* visible US-ASCII but '#': a fragment is no part of a target (RFC 9112 section 3.2) */
};

/* tchar once more for vector look-ups: for each low nibble, the bits of the high nibbles that make a tchar with it. */
#define GN_OCTET_TOKENS_BY_LOW_NIBBLE -24, -4, -8, -4, -4, -4, -4, -4, -8, -8, -12, 84, -48, 84, -12, 112

extern const uint8_t gn_octets[256];

static inline bool gn_octet_is(uint8_t octet, unsigned classes)
{
    return (gn_octets[octet] & classes) != 0;
}

static inline bool gn_octet_is_blank(uint8_t octet)
{
    return octet == ' ' || octet == '\t';
}

static inline bool gn_octet_is_white_space(uint8_t octet)
{
    return octet == ' ' || (octet >= '\t' && octet <= '\r');
}

/* A control that no field value and no chunk extension may have: every one but HTAB (RFC 9110 section 5.5). */
static inline bool gn_octet_is_control(uint8_t octet)
{
    return (octet < 0x20 && octet != '\t') || octet == 0x7f;
}

#endif
