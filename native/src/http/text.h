/*
 * What field values and request lines of every version are read by: ASCII text without regard to case, and the number of
 * Content-Length.
 */
#ifndef GN_HTTP_TEXT_H
#define GN_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint8_t gn_text_lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet;
}

/* Whether bytes[0..length) begins with lower[0..lower_length), which is in lower case. */
static inline bool gn_text_begins(const uint8_t *bytes, size_t length, const char *lower, size_t lower_length)
{
    if (length < lower_length)
        return false;
    for (size_t i = 0; i < lower_length; i++)
        if (gn_text_lower(bytes[i]) != (uint8_t)lower[i])
            return false;
    return true;
}

/* Whether bytes[0..length) is `lower`, a literal in lower case. */
#define GN_TEXT_IS(bytes, length, lower)                                                                               \
    ((length) == sizeof(lower) - 1 && gn_text_begins(bytes, length, lower, sizeof(lower) - 1))

/* The number that bytes[0..length) is, of nothing but digits and at most 2^63-1 (RFC 9110 section 8.6). False: there is
   none. */
static inline bool gn_text_content_length(const uint8_t *bytes, size_t length, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)bytes[i] - '0';
        if (digit > 9 || *number > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    return length > 0;
}

#endif
