/*
 * The decoder of the chunked transfer coding (RFC 9112 section 7.1): a pure, resumable state machine over bytes. It
 * allocates nothing and points into its caller's bytes.
 *
 * The caller gives bytes and a room (how many body bytes it can take now), and gets back how many bytes were consumed
 * and, among them, at most one span of body bytes:
 *
 *     status = gn_h1_chunked_decode(&decoder, bytes, length, room, &step);
 *     // body bytes are bytes[step.data .. step.data + step.data_length); go on at bytes + step.consumed
 *
 * GN_H1_CHUNKED_DATA: a span is there, call again with what follows. GN_H1_CHUNKED_MORE: everything is consumed, or
 * `room` is 0 and body bytes stand next. GN_H1_CHUNKED_DONE: the last chunk is passed, the trailer section begins at
 * bytes + consumed. Everything else is an error and final; no byte behind it may be read as a request (B11).
 */
#ifndef GN_H1_CHUNKED_H
#define GN_H1_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gn_h1_chunked_status {
    GN_H1_CHUNKED_MORE,
    GN_H1_CHUNKED_DATA,
    GN_H1_CHUNKED_DONE,
    GN_H1_CHUNKED_BAD_SIZE,            /* empty, not hexadecimal, blanks before it, more than 16 digits (B10) */
    GN_H1_CHUNKED_SIZE_OVERFLOW,       /* over 2^63-1 or a body of more than that in all (B11) */
    GN_H1_CHUNKED_BAD_EXTENSION,       /* a control octet, bare LF or bare CR in an extension (B12) */
    GN_H1_CHUNKED_EXTENSIONS_TOO_LONG, /* of all chunks together (B12) */
    GN_H1_CHUNKED_BAD_LINE_END,        /* CR or LF missing behind a size or behind chunk data (B13) */
};

struct gn_h1_chunked {
    uint64_t left;       /* data bytes of the chunk in hand that are still to come; while a size is read, its value */
    uint64_t total;      /* data bytes so far */
    uint32_t extensions; /* extension bytes that may still come */
    uint8_t digits;
    uint8_t part;
    bool bare_lf;
};

struct gn_h1_chunked_step {
    size_t consumed;
    size_t data;
    size_t data_length;
};

/* Makes `decoder` ready for the first byte of a body, whose chunk extensions may have `extension_bytes` in all. With
   `bare_lf`, LF without CR ends a size line, an extension, and chunk data, too (A3). */
void gn_h1_chunked_start(struct gn_h1_chunked *decoder, uint32_t extension_bytes, bool bare_lf);
enum gn_h1_chunked_status gn_h1_chunked_decode(struct gn_h1_chunked *decoder, const uint8_t *bytes, size_t length,
                                               size_t room, struct gn_h1_chunked_step *step);

/* A static English description for log lines. */
const char *gn_h1_chunked_text(enum gn_h1_chunked_status status);

/* The longest size line that gn_h1_chunk_size writes: 16 digits and CRLF. */
#define GN_H1_CHUNK_SIZE_MAX 18

/* Writes the size line of a chunk of `size` bytes and returns its length. */
size_t gn_h1_chunk_size(uint64_t size, uint8_t line[GN_H1_CHUNK_SIZE_MAX]);

#endif
