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
