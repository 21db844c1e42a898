#include "http/authority.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/octets.h"

/* What stands between the brackets: IPv6address / IPvFuture (RFC 3986 section 3.2.2). */
static bool literal_is_valid(const uint8_t *bytes, size_t length)
{
    if (length > 0 && (bytes[0] | 0x20) == 'v') {
        size_t at = 1;
        while (at < length && gn_octet_is(bytes[at], GN_OCTET_HEX_DIGIT))
            at++;
        if (at == 1 || at + 1 >= length || bytes[at] != '.')
            return false;
        for (at++; at < length; at++)
            if (!gn_octet_is(bytes[at], GN_OCTET_REG_NAME) && bytes[at] != ':')
                return false;
        return true;
    }
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (length >= sizeof text || memchr(bytes, 0, length) != NULL)
        return false;
    memcpy(text, bytes, length);
    text[length] = 0;
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* The length of the reg-name (or IPv4address) at the beginning of bytes[0..length). */
static size_t reg_name_length(const uint8_t *bytes, size_t length)
{
    size_t at = 0;
    for (;;) {
        // Four at once: the loads need not wait for each other's branch.
        while (length - at >= 4 && (gn_octets[bytes[at]] & gn_octets[bytes[at + 1]] & gn_octets[bytes[at + 2]] &
                                    gn_octets[bytes[at + 3]] & GN_OCTET_REG_NAME))
            at += 4;
        while (at < length && gn_octet_is(bytes[at], GN_OCTET_REG_NAME))
            at++;
        if (length - at < 3 || bytes[at] != '%' || !gn_octet_is(bytes[at + 1], GN_OCTET_HEX_DIGIT) ||
            !gn_octet_is(bytes[at + 2], GN_OCTET_HEX_DIGIT))
            return at;
        at += 3;
    }
}

/* RFC 3986 section 3.2.3: *DIGIT, of a port that exists: who takes it modulo 65536 sees another authority. */
static bool port_is_valid(const uint8_t *bytes, size_t length, bool needed)
{
    uint32_t port = 0;
    for (size_t at = 0; at < length; at++) {
        if (!gn_octet_is(bytes[at], GN_OCTET_DIGIT))
            return false;
        if (port <= UINT16_MAX)
            port = port * 10 + (uint32_t)(bytes[at] - '0');
    }
    return port <= UINT16_MAX && (port > 0 || !needed);
}

bool gn_authority_is_valid(const uint8_t *bytes, size_t length, bool port_needed)
{
    size_t at;
    if (length > 0 && bytes[0] == '[') {
        const uint8_t *bracket = memchr(bytes, ']', length);
        if (bracket == NULL || !literal_is_valid(bytes + 1, (size_t)(bracket - bytes) - 1))
            return false;
        at = (size_t)(bracket - bytes) + 1;
    } else {
        at = reg_name_length(bytes, length);
        if (at == 0)
            return false;
    }
    if (at == length)
        return !port_needed;
    if (bytes[at++] != ':')
        return false;
    return port_is_valid(bytes + at, length - at, port_needed);
}
