#include <stddef.h>

#include "h1/chunked.h"
#include "h1/request_parser.h"
#include "ring/record.h"

#define PARSER_NAMES(X)                                                                                                \
    X(BAD_REQUEST_LINE)                                                                                                \
    X(BAD_METHOD)                                                                                                      \
    X(BAD_TARGET)                                                                                                      \
    X(BAD_VERSION)                                                                                                     \
    X(UNSUPPORTED_VERSION)                                                                                             \
    X(BAD_LINE_END)                                                                                                    \
    X(BAD_FIELD_NAME)                                                                                                  \
    X(BAD_FIELD_VALUE)                                                                                                 \
    X(OBSOLETE_FOLD)                                                                                                   \
    X(BAD_HOST)                                                                                                        \
    X(BAD_CONTENT_LENGTH)                                                                                              \
    X(REPEATED_CONTENT_LENGTH)                                                                                         \
    X(BAD_TRANSFER_ENCODING)                                                                                           \
    X(UNSUPPORTED_CODING)                                                                                              \
    X(LENGTH_AND_CHUNKED)                                                                                              \
    X(TARGET_TOO_LONG)                                                                                                 \
    X(HEAD_TOO_LARGE)                                                                                                  \
    X(TOO_MANY_FIELDS)                                                                                                 \
    X(TOO_MANY_EMPTY_LINES)

#define CHUNKED_NAMES(X)                                                                                               \
    X(BAD_SIZE)                                                                                                        \
    X(SIZE_OVERFLOW)                                                                                                   \
    X(BAD_EXTENSION)                                                                                                   \
    X(EXTENSIONS_TOO_LONG)                                                                                             \
    X(BAD_LINE_END)

const char *gn_reason_name(unsigned reason)
{
#define OWN(name, number, text) [number] = #name,
#define PARSER(name) [GN_REASON_REQUEST + GN_H1_##name] = #name,
#define CHUNKED(name) [GN_REASON_CHUNKED + GN_H1_CHUNKED_##name] = "CHUNKED_" #name,
    static const char *const names[GN_REASON_LIMIT] = {GN_REASONS(OWN) PARSER_NAMES(PARSER) CHUNKED_NAMES(CHUNKED)};
#undef OWN
#undef PARSER
#undef CHUNKED
    return reason < GN_REASON_LIMIT ? names[reason] : NULL;
}

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
