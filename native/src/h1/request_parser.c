#include "h1/request_parser.h"

#include <string.h>

#include "h1/request_parts.h"

void gn_h1_request_start(struct gn_h1_request *request, struct gn_h1_field *fields)
{
    // In two parts, each of which becomes a few stores; the whole would become a `rep stos`, a third of a small parse.
    memset(request, 0, offsetof(struct gn_h1_request, fields));
    request->fields = fields;
    request->line = (struct gn_h1_line){0};
    request->empty_lines = 0;
    request->seen = 0;
}

bool gn_h1_width_supported(enum gn_h1_width width)
{
#if defined(__x86_64__)
    if (width == GN_H1_SSE42)
        return __builtin_cpu_supports("sse4.2") != 0;
#endif
    return width == GN_H1_PORTABLE;
}

enum gn_h1_status gn_h1_request_parse_width(enum gn_h1_width width, struct gn_h1_request *request, const uint8_t *bytes,
                                            size_t length, const struct gn_h1_request_limits *limits)
{
#if defined(__x86_64__)
    if (width == GN_H1_SSE42)
        return gn_h1_request_parse_sse42(request, bytes, length, limits);
#endif
    (void)width;
    return gn_h1_request_parse_portable(request, bytes, length, limits);
}

enum gn_h1_status gn_h1_request_parse(struct gn_h1_request *request, const uint8_t *bytes, size_t length,
                                      const struct gn_h1_request_limits *limits)
{
#if defined(__x86_64__)
    if (gn_h1_width_supported(GN_H1_SSE42))
        return gn_h1_request_parse_sse42(request, bytes, length, limits);
#endif
    return gn_h1_request_parse_portable(request, bytes, length, limits);
}

bool gn_h1_request_is_1_0(const struct gn_h1_request *request)
{
    return request->line.part >= GN_H1_PART_LINE && request->version == 0;
}

static const struct {
    uint16_t code;
    const char *text;
} outcomes[GN_H1_STATUS_COUNT] = {
    [GN_H1_COMPLETE] = {0, "complete"},
    [GN_H1_MORE] = {0, "more bytes are needed"},
    [GN_H1_BAD_REQUEST_LINE] = {400, "malformed request line"},
    [GN_H1_BAD_METHOD] = {400, "malformed method"},
    [GN_H1_BAD_TARGET] = {400, "malformed request target, or one of a form that the method does not allow"},
    [GN_H1_BAD_VERSION] = {400, "malformed HTTP version"},
    [GN_H1_UNSUPPORTED_VERSION] = {505, "HTTP version other than 1.x"},
    [GN_H1_BAD_LINE_END] = {400, "CR or LF on its own"},
    [GN_H1_BAD_FIELD_NAME] = {400, "malformed field name, or a field line without a colon"},
    [GN_H1_BAD_FIELD_VALUE] = {400, "control octet in a field value"},
    [GN_H1_OBSOLETE_FOLD] = {400, "field line that begins with white space"},
    [GN_H1_BAD_HOST] = {400, "missing, repeated or malformed Host"},
    [GN_H1_BAD_CONTENT_LENGTH] = {400, "malformed Content-Length, or one over 2^63-1"},
    [GN_H1_REPEATED_CONTENT_LENGTH] = {400, "more than one Content-Length"},
    [GN_H1_BAD_TRANSFER_ENCODING] = {400, "Transfer-Encoding that does not end in one chunked, or on HTTP/1.0"},
    [GN_H1_UNSUPPORTED_CODING] = {501, "transfer coding other than chunked"},
    [GN_H1_LENGTH_AND_CHUNKED] = {400, "both Content-Length and Transfer-Encoding"},
    [GN_H1_TARGET_TOO_LONG] = {414, "request target over the limit"},
    [GN_H1_HEAD_TOO_LARGE] = {431, "head over the limit of bytes"},
    [GN_H1_TOO_MANY_FIELDS] = {431, "head over the limit of fields"},
    [GN_H1_TOO_MANY_EMPTY_LINES] = {400, "too many empty lines before the request line"},
};

uint16_t gn_h1_error_code(enum gn_h1_status status)
{
    return outcomes[status].code;
}

const char *gn_h1_error_text(enum gn_h1_status status)
{
    return outcomes[status].text;
}
