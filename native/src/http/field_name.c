#include "http/field_name.h"

#include "http/field_name_lookup.h"

enum gn_field_name gn_field_name_lookup(const uint8_t *name, size_t length)
{
    return gn_field_name_find(name, length);
}

const char *gn_field_name_text(enum gn_field_name name, size_t *length)
{
    static const struct {
        const char *text;
        size_t length;
    } names[GN_FIELD_NAME_COUNT] = {
#define ROW(name, text) [GN_FIELD_##name] = {text, sizeof(text) - 1},
        GN_FIELD_NAMES(ROW)
#undef ROW
    };
    *length = names[name].length;
    return names[name].text;
}

bool gn_field_name_in_trailers(enum gn_field_name name)
{
    switch (name) {
    // framing
    case GN_FIELD_CONTENT_LENGTH:
    case GN_FIELD_TRAILER:
    case GN_FIELD_TRANSFER_ENCODING:
    // the connection
    case GN_FIELD_CONNECTION:
    case GN_FIELD_HTTP2_SETTINGS:
    case GN_FIELD_KEEP_ALIVE:
    case GN_FIELD_PROXY_CONNECTION:
    case GN_FIELD_UPGRADE:
    // routing, and who the client is
    case GN_FIELD_FORWARDED:
    case GN_FIELD_HOST:
    case GN_FIELD_X_FORWARDED_FOR:
    case GN_FIELD_X_FORWARDED_PROTO:
    // request modifiers
    case GN_FIELD_CACHE_CONTROL:
    case GN_FIELD_EXPECT:
    case GN_FIELD_IF_MATCH:
    case GN_FIELD_IF_MODIFIED_SINCE:
    case GN_FIELD_IF_NONE_MATCH:
    case GN_FIELD_IF_RANGE:
    case GN_FIELD_IF_UNMODIFIED_SINCE:
    case GN_FIELD_MAX_FORWARDS:
    case GN_FIELD_PRAGMA:
    case GN_FIELD_RANGE:
    case GN_FIELD_TE:
    // authentication
    case GN_FIELD_AUTHORIZATION:
    case GN_FIELD_COOKIE:
    case GN_FIELD_PROXY_AUTHENTICATE:
    case GN_FIELD_PROXY_AUTHORIZATION:
    case GN_FIELD_SET_COOKIE:
    case GN_FIELD_WWW_AUTHENTICATE:
    // the content
    case GN_FIELD_CONTENT_ENCODING:
    case GN_FIELD_CONTENT_RANGE:
    case GN_FIELD_CONTENT_TYPE:
    // control data of a response
    case GN_FIELD_AGE:
    case GN_FIELD_DATE:
    case GN_FIELD_EXPIRES:
    case GN_FIELD_LOCATION:
    case GN_FIELD_RETRY_AFTER:
    case GN_FIELD_VARY:
        return false;
    default:
        return true;
    }
}
