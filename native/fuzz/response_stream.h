/*
 * Reads what a server sent on a connection as strictly as RFC 9112 lets a client: message after message, none of them
 * longer or shorter than its head says. A violation ends the process.
 */
#ifndef GN_FUZZ_RESPONSE_STREAM_H
#define GN_FUZZ_RESPONSE_STREAM_H

#include "fuzz.h"
#include "http/octets.h"

struct response {
    unsigned status;
    int64_t id; /* of the field x-id; -1: it has none */
    bool chunked, sized, closes;
    uint64_t length; /* of the field content-length */
    size_t head_length;
};

/* Where the line that begins at `at` ends, its CRLF left out; SIZE_MAX: it has no end yet. */
static inline size_t response_line_end(const uint8_t *bytes, size_t length, size_t at)
{
    for (; at < length; at++) {
        if (bytes[at] == '\r' && at + 1 == length)
            return SIZE_MAX;
        if (bytes[at] == '\r') {
            HOLDS(bytes[at + 1] == '\n');
            return at;
        }
        HOLDS(!gn_octet_is_control(bytes[at]));
    }
    return SIZE_MAX;
}

static inline bool response_field_is(const uint8_t *line, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    return length > name_length && memcmp(line, name, name_length) == 0 && line[name_length] == ':';
}

static inline uint64_t response_number(const uint8_t *bytes, size_t length, unsigned base)
{
    uint64_t number = 0;
    HOLDS(length >= 1 && length <= 18);
    for (size_t i = 0; i < length; i++) {
        HOLDS(gn_octet_is(bytes[i], base == 16 ? GN_OCTET_HEX_DIGIT : GN_OCTET_DIGIT));
        unsigned digit = bytes[i] <= '9' ? bytes[i] - (unsigned)'0' : (bytes[i] | 0x20U) - (unsigned)'a' + 10;
        number = number * base + digit;
    }
    return number;
}

static inline void response_take_field(struct response *response, const uint8_t *line, size_t length)
{
    size_t name = 0;
    while (name < length && gn_octet_is(line[name], GN_OCTET_TOKEN))
        name++;
    HOLDS(name > 0 && name + 1 < length && line[name] == ':' && line[name + 1] == ' ');
    const uint8_t *value = line + name + 2;
    size_t value_length = length - name - 2;
    if (response_field_is(line, length, "content-length")) {
        HOLDS(!response->sized);
        response->sized = true;
        response->length = response_number(value, value_length, 10);
    } else if (response_field_is(line, length, "transfer-encoding")) {
        HOLDS(!response->chunked && value_length == 7 && memcmp(value, "chunked", 7) == 0);
        response->chunked = true;
    } else if (response_field_is(line, length, "connection")) {
        response->closes |= value_length == 5 && memcmp(value, "close", 5) == 0;
    } else if (response_field_is(line, length, "x-id")) {
        HOLDS(response->id < 0);
        response->id = (int64_t)response_number(value, value_length, 10);
    }
}

/* Reads a head; false: it is not complete. */
static inline bool response_read_head(struct response *response, const uint8_t *bytes, size_t length)
{
    *response = (struct response){.id = -1};
    size_t end = response_line_end(bytes, length, 0);
    if (end == SIZE_MAX)
        return false;
    HOLDS(end >= 13 && memcmp(bytes, "HTTP/1.1 ", 9) == 0 && bytes[12] == ' ');
    response->status = (unsigned)response_number(bytes + 9, 3, 10);
    for (size_t at = end + 2;; at = end + 2) {
        end = response_line_end(bytes, length, at);
        if (end == SIZE_MAX)
            return false;
        if (end == at)
            break;
        response_take_field(response, bytes + at, end - at);
    }
    response->head_length = end + 2;
    HOLDS(!response->sized || !response->chunked);
    return true;
}

/* Takes a chunked body apart into `body`, which has room for `length` bytes. The bytes that it took; 0: it has no end
   yet (*body_length is what there is of it). */
static inline size_t response_read_chunked(const uint8_t *bytes, size_t length, uint8_t *body, size_t *body_length)
{
    *body_length = 0;
    for (size_t at = 0;;) {
        size_t end = response_line_end(bytes, length, at);
        if (end == SIZE_MAX)
            return 0;
        uint64_t size = response_number(bytes + at, end - at, 16);
        at = end + 2;
        if (size == 0) {
            struct response trailers = {.id = -1};
            while ((end = response_line_end(bytes, length, at)) != SIZE_MAX && end > at) {
                response_take_field(&trailers, bytes + at, end - at);
                at = end + 2;
            }
            HOLDS(!trailers.sized && !trailers.chunked && !trailers.closes);
            return end == SIZE_MAX ? 0 : end + 2;
        }
        size_t there = length - at < size ? length - at : (size_t)size;
        memcpy(body + *body_length, bytes + at, there);
        *body_length += there;
        if (length - at < size + 2)
            return 0;
        HOLDS(memcmp(bytes + at + size, "\r\n", 2) == 0);
        at += (size_t)size + 2;
    }
}

#endif
