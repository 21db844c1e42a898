#include "h1/irregular.h"

#include <string.h>

#include "http/octets.h"
#include "http/text.h"

/* ---- targets ---- */

/* How many of bytes[0..length) begin a character beyond ASCII in UTF-8 (RFC 3629 section 4), but for the controls U+0080 to
   U+009F; *size is what the whole of it has, 0 where no character begins so. */
static size_t character_length(const uint8_t *bytes, size_t length, size_t *size)
{
    uint8_t lead = bytes[0], lowest = 0x80, highest = 0xbf;
    *size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (*size == 0)
        return 0;
    if (lead == 0xc2 || lead == 0xe0)
        lowest = 0xa0;
    else if (lead == 0xed)
        highest = 0x9f; // no surrogates
    else if (lead == 0xf0)
        lowest = 0x90;
    else if (lead == 0xf4)
        highest = 0x8f; // nothing over U+10FFFF
    for (size_t at = 1; at < *size; at++) {
        if (at == length)
            return at;
        if (bytes[at] < lowest || bytes[at] > highest) {
            *size = 0;
            return at;
        }
        lowest = 0x80;
        highest = 0xbf;
    }
    return *size;
}

enum gn_h1_status gn_h1_irregular_target(struct gn_h1_request *request, const uint8_t *bytes, size_t stop, size_t end,
                                         const struct gn_h1_request_limits *limits)
{
    request->line.part = GN_H1_PART_TARGET;
    request->line.scanned = (uint32_t)stop;
    if (bytes[stop] == ' ' && limits->lenient & GN_H1_ALLOW_REPEATED_SPACES) {
        request->target = request->line.scanned = (uint32_t)stop + 1;
        return GN_H1_COMPLETE;
    }
    if (bytes[stop] >= 0x80 && limits->lenient & GN_H1_ALLOW_UTF_8_TARGETS) {
        size_t size, length = character_length(bytes + stop, end - stop, &size);
        if (stop + length - request->target > limits->target_bytes)
            return GN_H1_TARGET_TOO_LONG;
        if (size == 0)
            return GN_H1_BAD_TARGET;
        if (length < size)
            return GN_H1_MORE;
        request->line.scanned = (uint32_t)(stop + length);
        return GN_H1_COMPLETE;
    }
    return gn_octet_is_white_space(bytes[stop]) && bytes[stop] != ' ' ? GN_H1_BAD_REQUEST_LINE : GN_H1_BAD_TARGET;
}

/* ---- field lines that are dropped ---- */

#define LONGEST_NAME (sizeof("transfer-encoding") - 1)
#define ENDS_WITH(last, name) (memcmp((last) + LONGEST_NAME - (sizeof(name) - 1), name, sizeof(name) - 1) == 0)

/* Whether a malformed line at bytes[from..end) might frame the message or name its host for somebody else. */
static bool might_matter(const uint8_t *bytes, size_t from, size_t end)
{
    uint8_t last[LONGEST_NAME] = {0}; // of the line without what no name may have
    bool in_name = true, begins_with_host = false;
    for (size_t count = 0; from < end; from++) {
        uint8_t octet = bytes[from];
        if (octet == ':' && in_name) {
            if (begins_with_host && count == 4)
                return true;
            in_name = false;
        }
        if (!gn_octet_is(octet, GN_OCTET_TOKEN))
            continue;
        memmove(last, last + 1, LONGEST_NAME - 1);
        last[LONGEST_NAME - 1] = gn_text_lower(octet);
        if (ENDS_WITH(last, "transfer-encoding") || ENDS_WITH(last, "content-length"))
            return true;
        begins_with_host |= ++count == 4 && ENDS_WITH(last, "host");
    }
    return in_name && begins_with_host;
}

/* The colon of a line at bytes[from..end), or `end`. */
static size_t find_colon(const uint8_t *bytes, size_t from, size_t end)
{
    const uint8_t *colon = memchr(bytes + from, ':', end - from);
    return colon != NULL ? (size_t)(colon - bytes) : end;
}

/* What is wrong with a malformed line that ends at bytes[end], or breaks off there. */
static enum gn_h1_status line_error(const uint8_t *bytes, size_t from, size_t end)
{
    size_t colon = find_colon(bytes, from, end), at = from;
    while (at < colon && gn_octet_is(bytes[at], GN_OCTET_TOKEN))
        at++;
    return at == colon && at > from && at < end ? GN_H1_BAD_FIELD_VALUE : GN_H1_BAD_FIELD_NAME;
}

/* Whether a blank stands before bytes[colon], with or without controls in between. */
static bool is_blank_before(const uint8_t *bytes, size_t from, size_t colon)
{
    while (colon > from) {
        uint8_t octet = bytes[--colon];
        if (gn_octet_is_blank(octet))
            return true;
        if (!gn_octet_is_control(octet))
            return false;
    }
    return false;
}

/* A malformed line is complete: it ends at bytes[end], and the one behind it begins at `next`. */
static enum gn_h1_status drop_line(struct gn_h1_line *line, const uint8_t *bytes, size_t end, size_t next)
{
    size_t colon = find_colon(bytes, line->start, end);
    if (colon < end && is_blank_before(bytes, line->start, colon))
        return GN_H1_BAD_FIELD_NAME;
    if (might_matter(bytes, line->start, end))
        return line_error(bytes, line->start, end);
    line->start = line->scanned = (uint32_t)next;
    line->part = GN_H1_PART_LINE;
    line->dropped++;
    return GN_H1_LINE_DROPPED;
}

enum gn_h1_status gn_h1_irregular_line(struct gn_h1_line *line, const uint8_t *bytes, size_t end,
                                       const struct gn_h1_request_limits *limits)
{
    size_t at = line->scanned;
    for (; at < end; at++) {
        if (bytes[at] == '\r') {
            if (at + 1 == end)
                break;
            return bytes[at + 1] == '\n' ? drop_line(line, bytes, at, at + 2) : GN_H1_BAD_LINE_END;
        }
        if (bytes[at] == '\n')
            return limits->lenient & GN_H1_ALLOW_BARE_LF ? drop_line(line, bytes, at, at + 1) : GN_H1_BAD_LINE_END;
        if (bytes[at] == 0)
            return line_error(bytes, line->start, at);
    }
    line->scanned = (uint32_t)at;
    return GN_H1_MORE;
}

static enum gn_h1_status begin_to_drop(struct gn_h1_line *line, const uint8_t *bytes, size_t stop, size_t end,
                                       const struct gn_h1_request_limits *limits)
{
    line->part = GN_H1_PART_DROPPED;
    line->scanned = (uint32_t)stop;
    return gn_h1_irregular_line(line, bytes, end, limits);
}

/* ---- field lines ---- */

enum gn_h1_status gn_h1_irregular_name(struct gn_h1_line *line, const uint8_t *bytes, size_t stop, size_t end,
                                       bool full, const struct gn_h1_request_limits *limits)
{
    uint8_t octet = bytes[stop];
    bool bare_lf = limits->lenient & GN_H1_ALLOW_BARE_LF;
    if (octet == '\n' && !bare_lf)
        return GN_H1_BAD_LINE_END;
    if (stop == line->start) {
        if (octet == '\n') {
            line->start = line->scanned = (uint32_t)stop + 1;
            return GN_H1_SECTION_END;
        }
        if (octet == '\r')
            return stop + 1 == end ? GN_H1_MORE : GN_H1_BAD_LINE_END;
        if (gn_octet_is_blank(octet))
            return GN_H1_OBSOLETE_FOLD;
    }
    if (octet == 0 || !(limits->lenient & GN_H1_ALLOW_INVALID_FIELDS))
        return GN_H1_BAD_FIELD_NAME;
    if (full)
        return GN_H1_TOO_MANY_FIELDS;
    return begin_to_drop(line, bytes, stop, end, limits);
}

/* A field whose line ends in a bare LF at bytes[stop]. */
static void take_field(struct gn_h1_line *line, const uint8_t *bytes, size_t stop, struct gn_h1_field *field)
{
    size_t value_end = stop;
    while (value_end > line->value && gn_octet_is_blank(bytes[value_end - 1]))
        value_end--;
    *field = (struct gn_h1_field){
        .name = line->start,
        .name_length = (uint16_t)line->name_length,
        .value = line->value,
        .value_length = (uint32_t)value_end - line->value,
        .token = (uint16_t)gn_field_name_lookup(bytes + line->start, line->name_length),
    };
    line->start = line->scanned = (uint32_t)stop + 1;
    line->part = GN_H1_PART_LINE;
}

enum gn_h1_status gn_h1_irregular_value(struct gn_h1_line *line, const uint8_t *bytes, size_t stop, size_t end,
                                        const struct gn_h1_request_limits *limits, struct gn_h1_field *field)
{
    uint8_t octet = bytes[stop];
    if (octet == '\n' && limits->lenient & GN_H1_ALLOW_BARE_LF) {
        take_field(line, bytes, stop, field);
        return GN_H1_COMPLETE;
    }
    if (octet == '\r' || octet == '\n')
        return GN_H1_BAD_LINE_END;
    if (octet == 0 || !(limits->lenient & GN_H1_ALLOW_INVALID_FIELDS))
        return GN_H1_BAD_FIELD_VALUE;
    return begin_to_drop(line, bytes, stop, end, limits);
}
