/*
 * The look-up of a field name as an inline function, for a parser that looks up one name a line; everyone else calls
 * gn_field_name_lookup.
 *
 * The length picks the candidates, and each is compared in words of 8, 4 or 2 bytes that may overlap. Only the
 * positions of letters are folded, so a control octet never passes for '-' or a digit.
 */
#ifndef GN_HTTP_FIELD_NAME_LOOKUP_H
#define GN_HTTP_FIELD_NAME_LOOKUP_H

#include <stdbool.h>
#include <string.h>

#include "http/field_name.h"

/* The bits in which sizeof(type) bytes of a name differ from the canonical text: of what stands in such a text, only
   letters have the bit 0x40, and half of it is the bit that makes a letter lower case. */
#define GN_FIELD_NAME_DIFFERENCE(type)                                                                                 \
    static inline __attribute__((always_inline))                                                                       \
    type gn_field_name_difference_##type(const uint8_t *name, const char *text)                                        \
    {                                                                                                                  \
        const type letter = (type)0x4040404040404040;                                                                  \
        type received, canonical;                                                                                      \
        memcpy(&received, name, sizeof received);                                                                      \
        memcpy(&canonical, text, sizeof canonical);                                                                    \
        return (type)((received | ((canonical & letter) >> 1)) ^ canonical);                                           \
    }
GN_FIELD_NAME_DIFFERENCE(uint64_t)
GN_FIELD_NAME_DIFFERENCE(uint32_t)
GN_FIELD_NAME_DIFFERENCE(uint16_t)
GN_FIELD_NAME_DIFFERENCE(uint8_t)
#undef GN_FIELD_NAME_DIFFERENCE

static inline __attribute__((always_inline)) bool gn_field_name_is(const uint8_t *name, const char *text, size_t length)
{
    uint64_t difference = 0;
    if (length >= 8) {
        for (size_t i = 0; i + 8 < length; i += 8)
            difference |= gn_field_name_difference_uint64_t(name + i, text + i);
        difference |= gn_field_name_difference_uint64_t(name + length - 8, text + length - 8);
    } else if (length >= 4) {
        difference = gn_field_name_difference_uint32_t(name, text);
        difference |= gn_field_name_difference_uint32_t(name + length - 4, text + length - 4);
    } else {
        difference = gn_field_name_difference_uint16_t(name, text);
        difference |= gn_field_name_difference_uint8_t(name + length - 1, text + length - 1);
    }
    return difference == 0;
}

static inline __attribute__((always_inline)) enum gn_field_name gn_field_name_find(const uint8_t *name, size_t length)
{
#define MATCH(token, text)                                                                                             \
    if (gn_field_name_is(name, text, sizeof(text) - 1))                                                                \
        return GN_FIELD_##token;
    switch (length) {
    case 2:
        MATCH(TE, "te")
        break;
    case 3:
        MATCH(AGE, "age")
        MATCH(VIA, "via")
        break;
    case 4:
        MATCH(HOST, "host")
        MATCH(DATE, "date")
        MATCH(ETAG, "etag")
        MATCH(FROM, "from")
        MATCH(LINK, "link")
        MATCH(VARY, "vary")
        break;
    case 5:
        MATCH(ALLOW, "allow")
        MATCH(RANGE, "range")
        break;
    case 6:
        MATCH(PRAGMA, "pragma")
        MATCH(ACCEPT, "accept")
        MATCH(COOKIE, "cookie")
        MATCH(ORIGIN, "origin")
        MATCH(EXPECT, "expect")
        MATCH(SERVER, "server")
        break;
    case 7:
        MATCH(REFERER, "referer")
        MATCH(UPGRADE, "upgrade")
        MATCH(EXPIRES, "expires")
        MATCH(TRAILER, "trailer")
        break;
    case 8:
        MATCH(PRIORITY, "priority")
        MATCH(IF_MATCH, "if-match")
        MATCH(IF_RANGE, "if-range")
        MATCH(LOCATION, "location")
        break;
    case 9:
        MATCH(FORWARDED, "forwarded")
        break;
    case 10:
        MATCH(CONNECTION, "connection")
        MATCH(USER_AGENT, "user-agent")
        MATCH(SET_COOKIE, "set-cookie")
        MATCH(KEEP_ALIVE, "keep-alive")
        break;
    case 11:
        MATCH(RETRY_AFTER, "retry-after")
        break;
    case 12:
        MATCH(CONTENT_TYPE, "content-type")
        MATCH(X_REQUEST_ID, "x-request-id")
        MATCH(MAX_FORWARDS, "max-forwards")
        break;
    case 13:
        MATCH(CACHE_CONTROL, "cache-control")
        MATCH(AUTHORIZATION, "authorization")
        MATCH(IF_NONE_MATCH, "if-none-match")
        MATCH(ACCEPT_RANGES, "accept-ranges")
        MATCH(CONTENT_RANGE, "content-range")
        MATCH(LAST_MODIFIED, "last-modified")
        break;
    case 14:
        MATCH(CONTENT_LENGTH, "content-length")
        MATCH(HTTP2_SETTINGS, "http2-settings")
        break;
    case 15:
        MATCH(ACCEPT_ENCODING, "accept-encoding")
        MATCH(ACCEPT_LANGUAGE, "accept-language")
        MATCH(X_FORWARDED_FOR, "x-forwarded-for")
        break;
    case 16:
        MATCH(CONTENT_ENCODING, "content-encoding")
        MATCH(CONTENT_LANGUAGE, "content-language")
        MATCH(CONTENT_LOCATION, "content-location")
        MATCH(PROXY_CONNECTION, "proxy-connection")
        MATCH(WWW_AUTHENTICATE, "www-authenticate")
        break;
    case 17:
        MATCH(TRANSFER_ENCODING, "transfer-encoding")
        MATCH(IF_MODIFIED_SINCE, "if-modified-since")
        MATCH(X_FORWARDED_PROTO, "x-forwarded-proto")
        break;
    case 18:
        MATCH(PROXY_AUTHENTICATE, "proxy-authenticate")
        break;
    case 19:
        MATCH(CONTENT_DISPOSITION, "content-disposition")
        MATCH(IF_UNMODIFIED_SINCE, "if-unmodified-since")
        MATCH(PROXY_AUTHORIZATION, "proxy-authorization")
        break;
    case 25:
        MATCH(STRICT_TRANSPORT_SECURITY, "strict-transport-security")
        break;
    case 27:
        MATCH(ACCESS_CONTROL_ALLOW_ORIGIN, "access-control-allow-origin")
        break;
    default:
        break;
    }
#undef MATCH
    return GN_FIELD_OTHER;
}

#endif
