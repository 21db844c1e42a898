/*
 * Field names that the core or many users look at, as tokens. A name is compared without regard to case
 * (RFC 9110 section 5.1). The token stands beside the received name, it never replaces it.
 */
#ifndef GN_HTTP_FIELD_NAME_H
#define GN_HTTP_FIELD_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, "name"): every name with a token, in lower case; the Java constants are generated from this list. */
#define GN_FIELD_NAMES(X)                                                                                              \
    X(ACCEPT, "accept")                                                                                                \
    X(ACCEPT_ENCODING, "accept-encoding")                                                                              \
    X(ACCEPT_LANGUAGE, "accept-language")                                                                              \
    X(ACCEPT_RANGES, "accept-ranges")                                                                                  \
    X(ACCESS_CONTROL_ALLOW_ORIGIN, "access-control-allow-origin")                                                      \
    X(AGE, "age")                                                                                                      \
    X(ALLOW, "allow")                                                                                                  \
    X(AUTHORIZATION, "authorization")                                                                                  \
    X(CACHE_CONTROL, "cache-control")                                                                                  \
    X(CONNECTION, "connection")                                                                                        \
    X(CONTENT_DISPOSITION, "content-disposition")                                                                      \
    X(CONTENT_ENCODING, "content-encoding")                                                                            \
    X(CONTENT_LANGUAGE, "content-language")                                                                            \
    X(CONTENT_LENGTH, "content-length")                                                                                \
    X(CONTENT_LOCATION, "content-location")                                                                            \
    X(CONTENT_RANGE, "content-range")                                                                                  \
    X(CONTENT_TYPE, "content-type")                                                                                    \
    X(COOKIE, "cookie")                                                                                                \
    X(DATE, "date")                                                                                                    \
    X(ETAG, "etag")                                                                                                    \
    X(EXPECT, "expect")                                                                                                \
    X(EXPIRES, "expires")                                                                                              \
    X(FORWARDED, "forwarded")                                                                                          \
    X(FROM, "from")                                                                                                    \
    X(HOST, "host")                                                                                                    \
    X(HTTP2_SETTINGS, "http2-settings")                                                                                \
    X(IF_MATCH, "if-match")                                                                                            \
    X(IF_MODIFIED_SINCE, "if-modified-since")                                                                          \
    X(IF_NONE_MATCH, "if-none-match")                                                                                  \
    X(IF_RANGE, "if-range")                                                                                            \
    X(IF_UNMODIFIED_SINCE, "if-unmodified-since")                                                                      \
    X(KEEP_ALIVE, "keep-alive")                                                                                        \
    X(LAST_MODIFIED, "last-modified")                                                                                  \
    X(LINK, "link")                                                                                                    \
    X(LOCATION, "location")                                                                                            \
    X(MAX_FORWARDS, "max-forwards")                                                                                    \
    X(ORIGIN, "origin")                                                                                                \
    X(PRAGMA, "pragma")                                                                                                \
    X(PRIORITY, "priority")                                                                                            \
    X(PROXY_AUTHENTICATE, "proxy-authenticate")                                                                        \
    X(PROXY_AUTHORIZATION, "proxy-authorization")                                                                      \
    X(PROXY_CONNECTION, "proxy-connection")                                                                            \
    X(RANGE, "range")                                                                                                  \
    X(REFERER, "referer")                                                                                              \
    X(RETRY_AFTER, "retry-after")                                                                                      \
    X(SERVER, "server")                                                                                                \
    X(SET_COOKIE, "set-cookie")                                                                                        \
    X(STRICT_TRANSPORT_SECURITY, "strict-transport-security")                                                          \
    X(TE, "te")                                                                                                        \
    X(TRAILER, "trailer")                                                                                              \
    X(TRANSFER_ENCODING, "transfer-encoding")                                                                          \
    X(UPGRADE, "upgrade")                                                                                              \
    X(USER_AGENT, "user-agent")                                                                                        \
    X(VARY, "vary")                                                                                                    \
    X(VIA, "via")                                                                                                      \
    X(WWW_AUTHENTICATE, "www-authenticate")                                                                            \
    X(X_FORWARDED_FOR, "x-forwarded-for")                                                                              \
    X(X_FORWARDED_PROTO, "x-forwarded-proto")                                                                          \
    X(X_REQUEST_ID, "x-request-id")

#define GN_FIELD_ENUM(name, text) GN_FIELD_##name,
enum gn_field_name { GN_FIELD_OTHER = 0, GN_FIELD_NAMES(GN_FIELD_ENUM) GN_FIELD_NAME_COUNT };
#undef GN_FIELD_ENUM

/* The token of name[0..length), or GN_FIELD_OTHER. Reads nothing outside the name. */
enum gn_field_name gn_field_name_lookup(const uint8_t *name, size_t length);

/* The canonical lower-case text of a token other than GN_FIELD_OTHER, and its length in bytes. */
const char *gn_field_name_text(enum gn_field_name name, size_t *length);

/* Whether a field is of one connection of HTTP/1, so that HTTP/2 does not have it (RFC 9113 section 8.2.2). */
static inline bool gn_field_name_of_connection(unsigned name)
{
    return name == GN_FIELD_CONNECTION || name == GN_FIELD_KEEP_ALIVE || name == GN_FIELD_PROXY_CONNECTION ||
           name == GN_FIELD_TRANSFER_ENCODING || name == GN_FIELD_UPGRADE;
}

/*
 * Whether a field may stand in a trailer section (RFC 9110 section 6.5.1, B16). What decides on a message must be known
 * before its content, so these may not: fields that frame it, belong to the connection or route it, the client's address
 * as proxies tell it, request modifiers, authentication and cookies, what says how to read the content, and the control
 * data of a response. Names without a token may.
 */
bool gn_field_name_in_trailers(enum gn_field_name name);

#endif
