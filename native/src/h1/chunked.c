#include "h1/chunked.h"

#include "http/octets.h"

enum part {
    PART_SIZE,
    PART_BLANKS, /* behind a size, before ';' */
    PART_EXTENSION,
    PART_EXTENSION_LF,
    PART_SIZE_LF,
    PART_DATA,
    PART_DATA_CR,
    PART_DATA_LF,
};

#define DIGITS_MAX 16

void gn_h1_chunked_start(struct gn_h1_chunked *decoder, uint32_t extension_bytes, bool bare_lf)
{
    *decoder = (struct gn_h1_chunked){.part = PART_SIZE, .extensions = extension_bytes, .bare_lf = bare_lf};
}

static enum gn_h1_chunked_status take_digit(struct gn_h1_chunked *decoder, uint8_t octet)
{
    unsigned digit = octet <= '9' ? octet - (unsigned)'0' : (octet | 0x20u) - (unsigned)'a' + 10;
    uint64_t most = (uint64_t)INT64_MAX - decoder->total;
    // The overflow is named before the digits that follow are counted (B11 has seventeen).
    if (decoder->left > most / 16 || decoder->left * 16 + digit > most)
        return GN_H1_CHUNKED_SIZE_OVERFLOW;
    if (decoder->digits == DIGITS_MAX)
        return GN_H1_CHUNKED_BAD_SIZE;
    decoder->digits++;
    decoder->left = decoder->left * 16 + digit;
    return GN_H1_CHUNKED_MORE;
}

static enum gn_h1_chunked_status end_size_line(struct gn_h1_chunked *decoder)
{
    if (decoder->left == 0)
        return GN_H1_CHUNKED_DONE;
    decoder->total += decoder->left;
    decoder->part = PART_DATA;
    return GN_H1_CHUNKED_MORE;
}

/* A byte of a size line; GN_H1_CHUNKED_MORE where the line or the data goes on. */
static enum gn_h1_chunked_status take_size_line(struct gn_h1_chunked *decoder, uint8_t octet)
{
    switch (decoder->part) {
    case PART_SIZE:
        if (gn_octet_is(octet, GN_OCTET_HEX_DIGIT))
            return take_digit(decoder, octet);
        if (decoder->digits == 0)
            return GN_H1_CHUNKED_BAD_SIZE;
        if (octet == '\r') {
            decoder->part = PART_SIZE_LF;
            return GN_H1_CHUNKED_MORE;
        }
        if (octet == '\n')
            return decoder->bare_lf ? end_size_line(decoder) : GN_H1_CHUNKED_BAD_LINE_END;
        if (!gn_octet_is_blank(octet) && octet != ';')
            return GN_H1_CHUNKED_BAD_SIZE;
        break;
    case PART_BLANKS:
        if (!gn_octet_is_blank(octet) && octet != ';')
            return GN_H1_CHUNKED_BAD_SIZE;
        break;
    case PART_EXTENSION:
        if (octet == '\r') {
            decoder->part = PART_EXTENSION_LF;
            return GN_H1_CHUNKED_MORE;
        }
        if (octet == '\n' && decoder->bare_lf)
            return end_size_line(decoder);
        if (gn_octet_is_control(octet))
            return GN_H1_CHUNKED_BAD_EXTENSION;
        break;
    default:
        if (octet != '\n')
            return decoder->part == PART_SIZE_LF ? GN_H1_CHUNKED_BAD_LINE_END : GN_H1_CHUNKED_BAD_EXTENSION;
        return end_size_line(decoder);
    }
    if (decoder->extensions == 0)
        return GN_H1_CHUNKED_EXTENSIONS_TOO_LONG;
    decoder->extensions--;
    if (decoder->part != PART_EXTENSION)
        decoder->part = octet == ';' ? PART_EXTENSION : PART_BLANKS;
    return GN_H1_CHUNKED_MORE;
}

enum gn_h1_chunked_status gn_h1_chunked_decode(struct gn_h1_chunked *decoder, const uint8_t *bytes, size_t length,
                                               size_t room, struct gn_h1_chunked_step *step)
{
    *step = (struct gn_h1_chunked_step){0};
    size_t at = 0;
    while (at < length) {
        enum gn_h1_chunked_status status = GN_H1_CHUNKED_MORE;
        switch (decoder->part) {
        case PART_DATA: {
            size_t span = length - at < room ? length - at : room;
            if (span > decoder->left)
                span = (size_t)decoder->left;
            step->consumed = at + span;
            if (span == 0)
                return GN_H1_CHUNKED_MORE;
            step->data = at;
            step->data_length = span;
            decoder->left -= span;
            if (decoder->left == 0)
                decoder->part = PART_DATA_CR;
            return GN_H1_CHUNKED_DATA;
        }
        case PART_DATA_CR:
            decoder->part = PART_DATA_LF;
            if (bytes[at] == '\r')
                break;
            if (!decoder->bare_lf) {
                status = GN_H1_CHUNKED_BAD_LINE_END;
                break;
            }
            __attribute__((fallthrough));
        case PART_DATA_LF:
            if (bytes[at] != '\n')
                status = GN_H1_CHUNKED_BAD_LINE_END;
            decoder->part = PART_SIZE;
            decoder->digits = 0;
            break;
        default:
            status = take_size_line(decoder, bytes[at]);
            break;
        }
        at++;
        if (status != GN_H1_CHUNKED_MORE) {
            step->consumed = at;
            return status;
        }
    }
    step->consumed = at;
    return GN_H1_CHUNKED_MORE;
}

const char *gn_h1_chunked_text(enum gn_h1_chunked_status status)
{
    switch (status) {
    case GN_H1_CHUNKED_MORE:
        return "more bytes are needed";
    case GN_H1_CHUNKED_DATA:
        return "chunk data";
    case GN_H1_CHUNKED_DONE:
        return "last chunk passed";
    case GN_H1_CHUNKED_BAD_SIZE:
        return "malformed chunk size";
    case GN_H1_CHUNKED_SIZE_OVERFLOW:
        return "chunk size overflow: more than 2^63-1 bytes";
    case GN_H1_CHUNKED_BAD_EXTENSION:
        return "control octet in a chunk extension";
    case GN_H1_CHUNKED_EXTENSIONS_TOO_LONG:
        return "chunk extensions larger than the limit";
    case GN_H1_CHUNKED_BAD_LINE_END:
        return "CRLF missing behind a chunk size or chunk data";
    }
    return "unknown";
}

size_t gn_h1_chunk_size(uint64_t size, uint8_t line[GN_H1_CHUNK_SIZE_MAX])
{
    size_t digits = size == 0 ? 1 : (size_t)(67 - __builtin_clzll(size)) / 4;
    for (size_t i = digits; i-- > 0; size >>= 4)
        line[i] = (uint8_t) "0123456789abcdef"[size & 15];
    line[digits] = '\r';
    line[digits + 1] = '\n';
    return digits + 2;
}
