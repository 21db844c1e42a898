/*
 * Frames of HTTP/2 (RFC 9113 section 4 and 6): their headers, what can be said of a frame by its header alone, and the
 * fixed parts of payloads. Pure functions.
 */
#ifndef GN_H2_FRAME_H
#define GN_H2_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GN_H2_FRAME_HEADER 9U
#define GN_H2_FRAME_SIZE_MIN 16384U    /* SETTINGS_MAX_FRAME_SIZE: its default and least value */
#define GN_H2_FRAME_SIZE_MAX 16777215U /* its largest value */
#define GN_H2_STREAM_MAX 0x7fffffffU
#define GN_H2_WINDOW_MAX 0x7fffffff
#define GN_H2_WINDOW_DEFAULT 65535

/* What a client sends first (section 3.4). */
#define GN_H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define GN_H2_PREFACE_LENGTH 24U

enum gn_h2_frame_type {
    GN_H2_DATA = 0,
    GN_H2_HEADERS = 1,
    GN_H2_PRIORITY = 2,
    GN_H2_RST_STREAM = 3,
    GN_H2_SETTINGS = 4,
    GN_H2_PUSH_PROMISE = 5,
    GN_H2_PING = 6,
    GN_H2_GOAWAY = 7,
    GN_H2_WINDOW_UPDATE = 8,
    GN_H2_CONTINUATION = 9,
    GN_H2_PRIORITY_UPDATE = 16 /* RFC 9218 section 7.1 */
};

enum gn_h2_frame_flag {
    GN_H2_ACK = 1, /* SETTINGS, PING */
    GN_H2_END_STREAM = 1,
    GN_H2_END_HEADERS = 4,
    GN_H2_PADDED = 8,
    GN_H2_HAS_PRIORITY = 32
};

/* Error codes (section 7). X(NAME, number) */
#define GN_H2_ERRORS(X)                                                                                                \
    X(NO_ERROR, 0)                                                                                                     \
    X(PROTOCOL_ERROR, 1)                                                                                               \
    X(INTERNAL_ERROR, 2)                                                                                               \
    X(FLOW_CONTROL_ERROR, 3)                                                                                           \
    X(SETTINGS_TIMEOUT, 4)                                                                                             \
    X(STREAM_CLOSED, 5)                                                                                                \
    X(FRAME_SIZE_ERROR, 6)                                                                                             \
    X(REFUSED_STREAM, 7)                                                                                               \
    X(CANCEL, 8)                                                                                                       \
    X(COMPRESSION_ERROR, 9)                                                                                            \
    X(CONNECT_ERROR, 10)                                                                                               \
    X(ENHANCE_YOUR_CALM, 11)                                                                                           \
    X(INADEQUATE_SECURITY, 12)                                                                                         \
    X(HTTP_1_1_REQUIRED, 13)

#define GN_H2_ERROR_ENUM(name, number) GN_H2_##name = number,
enum gn_h2_error { GN_H2_ERRORS(GN_H2_ERROR_ENUM) };
#undef GN_H2_ERROR_ENUM

/* Settings (section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1). */
enum gn_h2_setting {
    GN_H2_HEADER_TABLE_SIZE = 1,
    GN_H2_ENABLE_PUSH = 2,
    GN_H2_MAX_CONCURRENT_STREAMS = 3,
    GN_H2_INITIAL_WINDOW_SIZE = 4,
    GN_H2_MAX_FRAME_SIZE = 5,
    GN_H2_MAX_HEADER_LIST_SIZE = 6,
    GN_H2_ENABLE_CONNECT_PROTOCOL = 8,
    GN_H2_NO_RFC7540_PRIORITIES = 9
};
#define GN_H2_SETTING_LENGTH 6U

struct gn_h2_frame {
    uint32_t length; /* of the payload */
    uint32_t stream; /* without the reserved bit */
    uint8_t type;    /* enum gn_h2_frame_type, or one that is not known */
    uint8_t flags;
};

static inline uint32_t gn_h2_read_32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline uint8_t *gn_h2_write_32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 24);
    to[1] = (uint8_t)(value >> 16);
    to[2] = (uint8_t)(value >> 8);
    to[3] = (uint8_t)value;
    return to + 4;
}

/* The header in bytes[0..GN_H2_FRAME_HEADER). */
static inline struct gn_h2_frame gn_h2_frame_read(const uint8_t *bytes)
{
    return (struct gn_h2_frame){
        .length = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2],
        .stream = gn_h2_read_32(bytes + 5) & GN_H2_STREAM_MAX,
        .type = bytes[3],
        .flags = bytes[4],
    };
}

/* Writes a header and returns where the payload begins. */
static inline uint8_t *gn_h2_frame_write(uint8_t *to, uint32_t length, enum gn_h2_frame_type type, unsigned flags,
                                         uint32_t stream)
{
    to[0] = (uint8_t)(length >> 16);
    to[1] = (uint8_t)(length >> 8);
    to[2] = (uint8_t)length;
    to[3] = (uint8_t)type;
    to[4] = (uint8_t)flags;
    return gn_h2_write_32(to + 5, stream);
}

/* What is wrong with a frame, judged by its header: GN_H2_NO_ERROR, or the code; *of_stream says that it ends a stream
   only (section 4.2: the frame does not alter the state of the connection). Frames of unknown types are fine. */
enum gn_h2_error gn_h2_frame_check(const struct gn_h2_frame *frame, uint32_t max_length, bool *of_stream);

/* Takes the padding off the payload of DATA or HEADERS, of which *length bytes stand at `payload`. The offset of what is
   left, whose length becomes *length, or -1: more padding than payload (PROTOCOL_ERROR). */
int gn_h2_unpad(const struct gn_h2_frame *frame, const uint8_t *payload, uint32_t *length);

/* Whether a setting may have a value, else the error of the connection; unknown settings may have any. */
enum gn_h2_error gn_h2_setting_check(unsigned setting, uint32_t value);

/* Static texts for log lines: the name of a code, "unknown" for one without. */
const char *gn_h2_error_name(uint32_t code);

#endif
