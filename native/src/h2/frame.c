#include "h2/frame.h"

enum rule {
    OF_STREAM = 1,     /* stream 0 is an error */
    OF_CONNECTION = 2, /* any other stream is one */
    EXACT = 4,         /* `length` is the only one, not the least */
};

static const struct {
    uint8_t rules;
    uint8_t length;
} types[] = {
    [GN_H2_DATA] = {OF_STREAM, 0},
    [GN_H2_HEADERS] = {OF_STREAM, 0},
    [GN_H2_PRIORITY] = {OF_STREAM | EXACT, 5},
    [GN_H2_RST_STREAM] = {OF_STREAM | EXACT, 4},
    [GN_H2_SETTINGS] = {OF_CONNECTION, 0},
    [GN_H2_PUSH_PROMISE] = {OF_STREAM, 4},
    [GN_H2_PING] = {OF_CONNECTION | EXACT, 8},
    [GN_H2_GOAWAY] = {OF_CONNECTION, 8},
    [GN_H2_WINDOW_UPDATE] = {EXACT, 4},
    [GN_H2_CONTINUATION] = {OF_STREAM, 0},
    [GN_H2_PRIORITY_UPDATE] = {OF_CONNECTION, 4},
};

enum gn_h2_error gn_h2_frame_check(const struct gn_h2_frame *frame, uint32_t max_length, bool *of_stream)
{
    *of_stream = false;
    if (frame->length > max_length) {
        // A field block alters the compression, SETTINGS and stream 0 the connection.
        *of_stream = frame->stream != 0 && frame->type != GN_H2_HEADERS && frame->type != GN_H2_PUSH_PROMISE &&
                     frame->type != GN_H2_CONTINUATION && frame->type != GN_H2_SETTINGS;
        return GN_H2_FRAME_SIZE_ERROR;
    }
    if (frame->type >= sizeof(types) / sizeof(types[0]) || (types[frame->type].rules == 0))
        return GN_H2_NO_ERROR;
    unsigned rules = types[frame->type].rules, length = types[frame->type].length;
    if (((rules & OF_STREAM) && frame->stream == 0) || ((rules & OF_CONNECTION) && frame->stream != 0))
        return GN_H2_PROTOCOL_ERROR;
    if (frame->type == GN_H2_SETTINGS) {
        bool wrong = (frame->flags & GN_H2_ACK) ? frame->length != 0 : frame->length % GN_H2_SETTING_LENGTH != 0;
        return wrong ? GN_H2_FRAME_SIZE_ERROR : GN_H2_NO_ERROR;
    }
    if (frame->length < length || ((rules & EXACT) && frame->length != length)) {
        *of_stream = frame->type == GN_H2_PRIORITY; // section 6.3
        return GN_H2_FRAME_SIZE_ERROR;
    }
    return GN_H2_NO_ERROR;
}

int gn_h2_unpad(const struct gn_h2_frame *frame, const uint8_t *payload, uint32_t *length)
{
    if (!(frame->flags & GN_H2_PADDED))
        return 0;
    if (*length == 0 || payload[0] >= *length)
        return -1;
    *length -= 1U + payload[0];
    return 1;
}

enum gn_h2_error gn_h2_setting_check(unsigned setting, uint32_t value)
{
    switch (setting) {
    case GN_H2_ENABLE_PUSH:
    case GN_H2_ENABLE_CONNECT_PROTOCOL:
    case GN_H2_NO_RFC7540_PRIORITIES:
        return value <= 1 ? GN_H2_NO_ERROR : GN_H2_PROTOCOL_ERROR;
    case GN_H2_INITIAL_WINDOW_SIZE:
        return value <= GN_H2_WINDOW_MAX ? GN_H2_NO_ERROR : GN_H2_FLOW_CONTROL_ERROR;
    case GN_H2_MAX_FRAME_SIZE:
        return value >= GN_H2_FRAME_SIZE_MIN && value <= GN_H2_FRAME_SIZE_MAX ? GN_H2_NO_ERROR : GN_H2_PROTOCOL_ERROR;
    default:
        return GN_H2_NO_ERROR;
    }
}

const char *gn_h2_error_name(uint32_t code)
{
    switch (code) {
#define NAME(name, number)                                                                                             \
    case number:                                                                                                       \
        return #name;
        GN_H2_ERRORS(NAME)
#undef NAME
    default:
        return "unknown";
    }
}
