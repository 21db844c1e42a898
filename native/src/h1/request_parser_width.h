/*
 * The request parser over whichever scanning functions were included before; REQUEST_PARSE is the name that it gets.
 */
#ifndef GN_H1_REQUEST_PARSER_WIDTH_H
#define GN_H1_REQUEST_PARSER_WIDTH_H

#include <string.h>

#include "h1/request_parts.h"
#include "h1/scan_field_line.h"

/* Whether text, an array of 4, 8 or 2 bytes, stands at `bytes`. */
#define STANDS(bytes, text) (memcmp(bytes, text, sizeof(text) - 1) == 0)

static inline __attribute__((always_inline)) enum gn_h1_status parse_fields(struct gn_h1_request *request,
                                                                            struct scan *scan, struct gn_h1_line line,
                                                                            const struct gn_h1_request_limits *limits)
{
    const uint64_t of_interest = gn_h1_request_fields_of_interest;
    uint32_t count = request->field_count, most = limits->fields - line.dropped;
    struct gn_h1_field *fields = request->fields;
    enum gn_h1_status status;
    for (;;) {
        struct gn_h1_field *field = fields + count;
        status = scan_field_line(scan, &line, count == most, limits, field);
        if (__builtin_expect(status != GN_H1_COMPLETE, 0)) {
            if (status != GN_H1_LINE_DROPPED)
                break;
            most--;
            continue;
        }
        count++;
        if (of_interest >> field->token & 1) {
            status = gn_h1_request_field(request, scan->bytes, field, limits);
            if (status != GN_H1_COMPLETE)
                break;
        }
    }
    request->field_count = count;
    request->line = line;
    if (status != GN_H1_SECTION_END)
        return status;
    request->head_length = line.start;
    return gn_h1_request_finish(request, limits);
}

static inline __attribute__((always_inline)) enum gn_h1_status
parse_head(struct gn_h1_request *request, struct scan *scan, const struct gn_h1_request_limits *limits)
{
    const uint8_t *bytes = scan->bytes;
    size_t end = scan->end, from = request->line.scanned, stop;
    enum gn_h1_status status;
    struct gn_h1_line line;
    switch (request->line.part) {
    case GN_H1_PART_METHOD:
        if (end - from >= 4 && from == request->start && STANDS(bytes + from, "GET ")) {
            request->method = GN_METHOD_GET;
            request->method_length = 3;
        } else {
            stop = scan_name(scan, from);
            if (stop == end) {
                request->line.scanned = (uint32_t)stop;
                return GN_H1_MORE;
            }
            if (bytes[stop] != ' ' || stop == request->start)
                return gn_h1_request_method_error(request, bytes, stop);
            request->method_length = (uint32_t)stop - request->start;
            request->method = (uint16_t)gn_method_lookup(bytes + request->start, request->method_length);
        }
        from = request->start + request->method_length + 1;
        request->target = (uint32_t)from;
        __attribute__((fallthrough));
    case GN_H1_PART_TARGET:
        for (;;) {
            stop = scan_target(scan, from, &request->query);
            if (stop - request->target > limits->target_bytes)
                return GN_H1_TARGET_TOO_LONG;
            if (stop == end) {
                request->line.part = GN_H1_PART_TARGET;
                request->line.scanned = (uint32_t)stop;
                return GN_H1_MORE;
            }
            if (__builtin_expect(bytes[stop] == ' ' && stop != request->target, 1))
                break;
            status = gn_h1_irregular_target(request, bytes, stop, end, limits);
            if (status != GN_H1_COMPLETE)
                return status;
            from = request->line.scanned;
        }
        request->target_length = (uint32_t)stop - request->target;
        status = gn_h1_request_target(request, bytes);
        if (status != GN_H1_COMPLETE)
            return status;
        from = stop + 1;
        __attribute__((fallthrough));
    case GN_H1_PART_VERSION:
        if (end - from >= GN_H1_VERSION_LENGTH && STANDS(bytes + from, "HTTP/1.1") &&
            STANDS(bytes + from + 8, "\r\n")) {
            request->version = 1;
            from += GN_H1_VERSION_LENGTH;
        } else {
            status = gn_h1_request_version(request, bytes, from, end, limits);
            if (status != GN_H1_COMPLETE) {
                request->line.part = GN_H1_PART_VERSION;
                return status;
            }
            from = request->line.scanned;
        }
        line = (struct gn_h1_line){.start = (uint32_t)from, .scanned = (uint32_t)from, .part = GN_H1_PART_LINE};
        break;
    default:
        line = request->line;
        break;
    }
    return parse_fields(request, scan, line, limits);
}

enum gn_h1_status REQUEST_PARSE(struct gn_h1_request *request, const uint8_t *bytes, size_t length,
                                const struct gn_h1_request_limits *limits)
{
    if (request->line.part == GN_H1_PART_EMPTY_LINES) {
        enum gn_h1_status status = gn_h1_request_skip_empty_lines(request, bytes, length, limits);
        if (status != GN_H1_COMPLETE)
            return status;
    }
    // Nothing behind the limit is looked at, so what stands there cannot change the outcome.
    uint64_t limit = (uint64_t)request->start + limits->head_bytes;
    if (limit > UINT32_MAX)
        limit = UINT32_MAX;
    struct scan scan;
    scan_begin(&scan, bytes, request->line.scanned, length < limit ? length : (size_t)limit);
    enum gn_h1_status status = parse_head(request, &scan, limits);
    return status == GN_H1_MORE && scan.end == limit ? GN_H1_HEAD_TOO_LARGE : status;
}

#endif
