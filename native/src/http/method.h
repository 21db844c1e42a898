/*
 * Request methods (RFC 9110 section 9) as tokens. A method is compared as it stands: it is case-sensitive.
 */
#ifndef GN_HTTP_METHOD_H
#define GN_HTTP_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(name): every method with a token; the Java constants are generated from this list. */
#define GN_METHODS(X) X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(CONNECT) X(OPTIONS) X(TRACE) X(PATCH)

#define GN_METHOD_ENUM(name) GN_METHOD_##name,
enum gn_method { GN_METHOD_OTHER = 0, GN_METHODS(GN_METHOD_ENUM) GN_METHOD_COUNT };
#undef GN_METHOD_ENUM

/* The token of name[0..length), or GN_METHOD_OTHER. */
enum gn_method gn_method_lookup(const uint8_t *name, size_t length);

/* Whether a request with it asks for nothing but to look (RFC 9110 section 9.2.1). */
static inline bool gn_method_is_safe(enum gn_method method)
{
    return method == GN_METHOD_GET || method == GN_METHOD_HEAD || method == GN_METHOD_OPTIONS ||
           method == GN_METHOD_TRACE;
}

#endif
