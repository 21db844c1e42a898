#include "h1/trailer_parser.h"

#include "h1/scan_portable.h"

#include "h1/scan_field_line.h"

void gn_h1_trailers_start(struct gn_h1_trailers *trailers, struct gn_h1_field *fields)
{
    *trailers = (struct gn_h1_trailers){.fields = fields, .line.part = GN_H1_PART_LINE};
}

enum gn_h1_status gn_h1_trailers_parse(struct gn_h1_trailers *trailers, const uint8_t *bytes, size_t length,
                                       const struct gn_h1_request_limits *limits)
{
    struct gn_h1_line line = trailers->line;
    struct scan scan;
    enum gn_h1_status status;
    scan_begin(&scan, bytes, line.scanned, length < limits->head_bytes ? length : limits->head_bytes);
    for (;;) {
        uint32_t count = trailers->field_count;
        bool full = count + line.dropped == limits->fields;
        status = scan_field_line(&scan, &line, full, limits, trailers->fields + count);
        if (status == GN_H1_COMPLETE)
            trailers->field_count = count + 1;
        else if (status != GN_H1_LINE_DROPPED)
            break;
    }
    trailers->line = line;
    if (status == GN_H1_SECTION_END) {
        trailers->length = line.start;
        return GN_H1_COMPLETE;
    }
    return status == GN_H1_MORE && scan.end == limits->head_bytes ? GN_H1_HEAD_TOO_LARGE : status;
}

uint32_t gn_h1_trailers_select(struct gn_h1_trailers *trailers)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < trailers->field_count; i++) {
        if (gn_field_name_in_trailers((enum gn_field_name)trailers->fields[i].token))
            trailers->fields[kept++] = trailers->fields[i];
    }
    return trailers->field_count = kept;
}
