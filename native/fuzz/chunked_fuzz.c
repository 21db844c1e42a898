#include "fuzz.h"
#include "h1/chunked.h"
#include "http/octets.h"

/*
 * The decoder of chunked bodies. An input is 4 octets of choices and the bytes to decode:
 *
 *     0  length of the pieces (0: 1)
 *     1  room for body bytes at a time (0: without end)
 *     2  the highest bit: LF without CR is let in; the others: extension bytes that were there before, in 128 bytes
 *     3  how far the body is from 2^63-1 bytes when it begins (0: it begins with no byte)
 */
#define CHOICES 4
#define EXTENSION_BYTES 16384U

struct result {
    enum gn_h1_chunked_status status;
    size_t consumed;
    uint8_t *data;
    size_t data_length;
};

static bool lets_lf_in(const uint8_t *choices)
{
    return choices[2] & 0x80;
}

static uint32_t extensions_before(const uint8_t *choices)
{
    return (choices[2] & 0x7fU) * 128;
}

static struct gn_h1_chunked begin(const uint8_t *choices)
{
    struct gn_h1_chunked decoder;
    gn_h1_chunked_start(&decoder, EXTENSION_BYTES - extensions_before(choices), lets_lf_in(choices));
    decoder.total = choices[3] == 0 ? 0 : (uint64_t)INT64_MAX - choices[3];
    return decoder;
}

/* Decodes in pieces and under a room until the bytes or the body end. */
static struct result decode(struct gn_h1_chunked *decoder, const uint8_t *bytes, size_t length, size_t piece,
                            size_t room)
{
    struct result result = {.status = GN_H1_CHUNKED_MORE, .data = malloc(length + 1)};
    HOLDS(result.data != NULL);
    while (result.consumed < length) {
        size_t span = length - result.consumed < piece ? length - result.consumed : piece;
        uint8_t *copy = fuzz_copy(bytes + result.consumed, span);
        struct gn_h1_chunked_step step;
        struct gn_h1_chunked before = *decoder;
        // Without room the framing goes on, up to the next body byte.
        result.status = gn_h1_chunked_decode(decoder, copy, span, 0, &step);
        HOLDS(result.status != GN_H1_CHUNKED_DATA && step.data_length == 0 && step.consumed <= span);
        if (result.status == GN_H1_CHUNKED_MORE) {
            *decoder = before;
            result.status = gn_h1_chunked_decode(decoder, copy, span, room, &step);
        }
        HOLDS(step.consumed <= span);
        if (result.status == GN_H1_CHUNKED_DATA) {
            HOLDS(step.data_length > 0 && step.data_length <= room);
            HOLDS(step.data <= step.consumed && step.data_length == step.consumed - step.data);
            memcpy(result.data + result.data_length, copy + step.data, step.data_length);
            result.data_length += step.data_length;
        } else {
            HOLDS(step.data_length == 0);
        }
        HOLDS(step.consumed > 0);
        result.consumed += step.consumed;
        free(copy);
        if (result.status > GN_H1_CHUNKED_DATA)
            break;
        HOLDS(result.status == GN_H1_CHUNKED_DATA || step.consumed == span);
    }
    if (result.status == GN_H1_CHUNKED_DATA)
        result.status = GN_H1_CHUNKED_MORE; // the bytes are at an end, the body is not
    return result;
}

/* The grammar of RFC 9112 section 7.1 once more, for what was accepted: the naive way, over the whole. */
static void check_done(const struct result *result, const uint8_t *bytes, const uint8_t *choices)
{
    size_t at = 0, data = 0, extensions = extensions_before(choices);
    for (uint64_t size = 1; size != 0;) {
        size_t digits = 0;
        for (size = 0; gn_octet_is(bytes[at], GN_OCTET_HEX_DIGIT); at++, digits++) {
            char text[2] = {(char)bytes[at], '\0'};
            size = size * 16 + strtoul(text, NULL, 16);
        }
        HOLDS(digits >= 1 && digits <= 16);
        size_t extension = at;
        for (; bytes[at] != '\r'; at++)
            HOLDS(bytes[at] == '\t' || (bytes[at] >= 0x20 && bytes[at] != 0x7f));
        extensions += at - extension;
        while (extension < at && (bytes[extension] == ' ' || bytes[extension] == '\t'))
            extension++;
        HOLDS(extension == at || bytes[extension] == ';');
        HOLDS(bytes[at + 1] == '\n');
        at += 2;
        if (size == 0)
            break;
        HOLDS(size <= result->data_length - data);
        HOLDS(memcmp(bytes + at, result->data + data, size) == 0);
        data += size;
        at += size;
        HOLDS(bytes[at] == '\r' && bytes[at + 1] == '\n');
        at += 2;
    }
    HOLDS(at == result->consumed && data == result->data_length);
    HOLDS(extensions <= EXTENSION_BYTES);
}

static void check_size_line(uint64_t size)
{
    uint8_t line[GN_H1_CHUNK_SIZE_MAX];
    size_t length = gn_h1_chunk_size(size, line);
    struct gn_h1_chunked decoder;
    struct gn_h1_chunked_step step;
    gn_h1_chunked_start(&decoder, EXTENSION_BYTES, false);
    HOLDS(length >= 3 && length <= sizeof(line));
    HOLDS(gn_h1_chunked_decode(&decoder, line, length, 0, &step) ==
          (size == 0 ? GN_H1_CHUNKED_DONE : GN_H1_CHUNKED_MORE));
    HOLDS(step.consumed == length && decoder.left == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < CHOICES)
        return 0;
    const uint8_t *choices = bytes;
    bytes += CHOICES;
    length -= CHOICES;
    struct gn_h1_chunked decoder = begin(choices), other = begin(choices);
    struct result whole = decode(&decoder, bytes, length, length + 1, SIZE_MAX);
    size_t piece = choices[0] == 0 ? 1 : choices[0], room = choices[1] == 0 ? SIZE_MAX : choices[1];
    struct result cut = decode(&other, bytes, length, piece, room);
    HOLDS(cut.status == whole.status && cut.consumed == whole.consumed);
    HOLDS(cut.data_length == whole.data_length && memcmp(cut.data, whole.data, whole.data_length) == 0);
    HOLDS(decoder.left == other.left && decoder.total == other.total && decoder.extensions == other.extensions &&
          decoder.digits == other.digits && decoder.part == other.part);
    HOLDS(gn_h1_chunked_text(whole.status) != NULL);
    if (whole.status == GN_H1_CHUNKED_MORE)
        HOLDS(whole.consumed == length);
    if (whole.status == GN_H1_CHUNKED_DONE && !lets_lf_in(choices))
        check_done(&whole, bytes, choices);
    if (whole.status > GN_H1_CHUNKED_DATA) {
        // It ends at the first byte that decides: without that one there is nothing to say yet.
        struct gn_h1_chunked shorter = begin(choices);
        struct result before = decode(&shorter, bytes, whole.consumed - 1, length + 1, SIZE_MAX);
        HOLDS(before.status == GN_H1_CHUNKED_MORE);
        free(before.data);
    }
    if (length >= 8) {
        uint64_t size;
        memcpy(&size, bytes, sizeof(size));
        check_size_line(size >> (1 + choices[0] % 63));
    }
    free(whole.data);
    free(cut.data);
    return 0;
}
