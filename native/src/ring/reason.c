#include "h1/chunked.h"
#include "h1/request_parser.h"
#include "ring/record.h"

const char *gn_reason_text(unsigned reason)
{
#define TEXT(name, number, text) [number] = text,
    static const char *const texts[] = {GN_REASONS(TEXT)};
#undef TEXT
    if (reason < sizeof(texts) / sizeof(texts[0]))
        return texts[reason];
    if (reason > GN_REASON_REQUEST + GN_H1_MORE && reason < GN_REASON_REQUEST + GN_H1_STATUS_COUNT)
        return gn_h1_error_text((enum gn_h1_status)(reason - GN_REASON_REQUEST));
    if (reason > GN_REASON_CHUNKED + GN_H1_CHUNKED_DONE && reason <= GN_REASON_CHUNKED + GN_H1_CHUNKED_BAD_LINE_END)
        return gn_h1_chunked_text((enum gn_h1_chunked_status)(reason - GN_REASON_CHUNKED));
    return "unknown reason";
}
