#include "http/method.h"

#include <string.h>

#define IS(text) (memcmp(name, text, sizeof(text) - 1) == 0)

enum gn_method gn_method_lookup(const uint8_t *name, size_t length)
{
    switch (length) {
    case 3:
        return IS("GET") ? GN_METHOD_GET : IS("PUT") ? GN_METHOD_PUT : GN_METHOD_OTHER;
    case 4:
        return IS("POST") ? GN_METHOD_POST : IS("HEAD") ? GN_METHOD_HEAD : GN_METHOD_OTHER;
    case 5:
        return IS("PATCH") ? GN_METHOD_PATCH : IS("TRACE") ? GN_METHOD_TRACE : GN_METHOD_OTHER;
    case 6:
        return IS("DELETE") ? GN_METHOD_DELETE : GN_METHOD_OTHER;
    case 7:
        return IS("OPTIONS") ? GN_METHOD_OPTIONS : IS("CONNECT") ? GN_METHOD_CONNECT : GN_METHOD_OTHER;
    default:
        return GN_METHOD_OTHER;
    }
}
