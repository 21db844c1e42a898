/*
 * One field line of a head or a trailer section (RFC 9112 section 5), over whichever scanning functions were included
 * before.
 */
#ifndef GN_H1_SCAN_FIELD_LINE_H
#define GN_H1_SCAN_FIELD_LINE_H

#include "h1/irregular.h"
#include "http/field_name_lookup.h"
#include "http/octets.h"

/*
 * Goes on with `line`. GN_H1_COMPLETE: *field is filled and the line behind is next; GN_H1_SECTION_END: the empty line
 * is passed; GN_H1_LINE_DROPPED: so is a line that is left out; else GN_H1_MORE or an error. `full` says that no further
 * field is allowed.
 */
static inline __attribute__((always_inline)) enum gn_h1_status
scan_field_line(struct scan *scan, struct gn_h1_line *line, bool full, const struct gn_h1_request_limits *limits,
                struct gn_h1_field *field)
{
    const uint8_t *bytes = scan->bytes;
    size_t end = scan->end, from = line->scanned, stop;
    switch (line->part) {
    default:
        stop = scan_name(scan, from);
        if (stop > line->start) {
            if (full)
                return GN_H1_TOO_MANY_FIELDS;
            if (stop - line->start > UINT16_MAX)
                return GN_H1_HEAD_TOO_LARGE;
        }
        if (stop == end) {
            line->scanned = (uint32_t)stop;
            return GN_H1_MORE;
        }
        if (bytes[stop] != ':' || stop == line->start) {
            if (stop == line->start && bytes[stop] == '\r' && end - stop >= 2 && bytes[stop + 1] == '\n') {
                line->start = line->scanned = (uint32_t)stop + 2;
                return GN_H1_SECTION_END;
            }
            return gn_h1_irregular_name(line, bytes, stop, end, full, limits);
        }
        line->name_length = (uint32_t)stop - line->start;
        from = stop + 1;
        __attribute__((fallthrough));
    case GN_H1_PART_BLANKS:
        while (from < end && gn_octet_is_blank(bytes[from]))
            from++;
        if (from == end) {
            line->part = GN_H1_PART_BLANKS;
            line->scanned = (uint32_t)from;
            return GN_H1_MORE;
        }
        line->value = (uint32_t)from;
        __attribute__((fallthrough));
    case GN_H1_PART_VALUE:
        stop = scan_value(scan, from);
        if (end - stop < 2) {
            if (stop == end || bytes[stop] == '\r') {
                line->part = GN_H1_PART_VALUE;
                line->scanned = (uint32_t)stop;
                return GN_H1_MORE;
            }
            return gn_h1_irregular_value(line, bytes, stop, end, limits, field);
        }
        if (bytes[stop] != '\r' || bytes[stop + 1] != '\n')
            return gn_h1_irregular_value(line, bytes, stop, end, limits, field);
        break;
    case GN_H1_PART_DROPPED:
        return gn_h1_irregular_line(line, bytes, end, limits);
    }
    uint32_t value_end = (uint32_t)stop;
    while (value_end > line->value && gn_octet_is_blank(bytes[value_end - 1]))
        value_end--;
    field->name = line->start;
    field->name_length = (uint16_t)line->name_length;
    field->value = line->value;
    field->value_length = value_end - line->value;
    field->token = (uint16_t)gn_field_name_find(bytes + line->start, line->name_length);
    line->start = line->scanned = (uint32_t)stop + 2;
    line->part = GN_H1_PART_LINE;
    return GN_H1_COMPLETE;
}

#endif
