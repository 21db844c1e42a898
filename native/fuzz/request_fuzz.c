#include "fuzz.h"
#include "h1/same_request.h"
#include "h1/trailer_parser.h"
#include "http/octets.h"

/*
 * The parsers of request heads and trailer sections. An input is 8 octets of choices and the bytes to parse:
 *
 *     0  bit 0: a trailer section
 *     1  where the second of two pieces begins
 *     2  length of the pieces of a third run (0: 17)
 *     3  limit of fields (0: 100)
 *     4  limit of empty lines
 *     5  limit of head bytes in 16 bytes (0: 65536 bytes)
 *     6  limit of target bytes (0: 8192)
 *     7  what is let in, bits of enum gn_h1_lenient (0: strict)
 */
#define CHOICES 8

/* Up to this length every input is also given byte by byte. */
#define BYTEWISE_MAX 400U

static struct gn_h1_request_limits limits;

struct parse {
    bool trailer_section;
    enum gn_h1_width width;
    struct gn_h1_request request;
    struct gn_h1_trailers trailers;
    struct gn_h1_field *fields;
};

static void start(struct parse *parse, bool trailer_section, enum gn_h1_width width)
{
    *parse = (struct parse){.trailer_section = trailer_section, .width = width};
    parse->fields = malloc((limits.fields == 0 ? 1 : limits.fields) * sizeof(struct gn_h1_field));
    HOLDS(parse->fields != NULL);
    gn_h1_request_start(&parse->request, parse->fields);
    gn_h1_trailers_start(&parse->trailers, parse->fields);
}

static enum gn_h1_status go_on(struct parse *parse, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = fuzz_copy(bytes, length);
    enum gn_h1_status status = parse->trailer_section
                                   ? gn_h1_trailers_parse(&parse->trailers, copy, length, &limits)
                                   : gn_h1_request_parse_width(parse->width, &parse->request, copy, length, &limits);
    free(copy);
    HOLDS((unsigned)status < GN_H1_STATUS_COUNT);
    return status;
}

static bool same(const struct parse *a, const struct parse *b, enum gn_h1_status status)
{
    if (!a->trailer_section)
        return same_request(&a->request, &b->request, status);
    if (a->trailers.field_count != b->trailers.field_count)
        return false;
    for (uint32_t i = 0; i < a->trailers.field_count; i++) {
        const struct gn_h1_field *x = &a->fields[i], *y = &b->fields[i];
        if (x->name != y->name || x->name_length != y->name_length || x->value != y->value ||
            x->value_length != y->value_length || x->token != y->token)
            return false;
    }
    return status != GN_H1_COMPLETE || a->trailers.length == b->trailers.length;
}

/* A first piece, then pieces of one length; the result is that of the whole. */
static void check_cut(const struct parse *whole, enum gn_h1_status expected, const uint8_t *bytes, size_t length,
                      enum gn_h1_width width, size_t first, size_t piece)
{
    struct parse parse;
    start(&parse, whole->trailer_section, width);
    enum gn_h1_status status;
    for (size_t given = first < length ? first : length;; given = length - given < piece ? length : given + piece) {
        status = go_on(&parse, bytes, given);
        if (status != GN_H1_MORE || given == length)
            break;
    }
    HOLDS(status == expected);
    HOLDS(same(whole, &parse, status));
    free(parse.fields);
}

static void check_cuts(const struct parse *whole, enum gn_h1_status status, const uint8_t *bytes, size_t length,
                       const uint8_t *choices)
{
    for (unsigned width = 0; width < GN_H1_WIDTH_COUNT; width++) {
        if (!gn_h1_width_supported((enum gn_h1_width)width) || (whole->trailer_section && width > 0))
            continue;
        size_t piece = choices[2] == 0 ? 17 : choices[2];
        check_cut(whole, status, bytes, length, (enum gn_h1_width)width, length, 1);
        check_cut(whole, status, bytes, length, (enum gn_h1_width)width, choices[1], length + 1);
        check_cut(whole, status, bytes, length, (enum gn_h1_width)width, choices[1], piece);
        if (length <= BYTEWISE_MAX)
            check_cut(whole, status, bytes, length, (enum gn_h1_width)width, 0, 1);
    }
}

static bool is_token(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!gn_octet_is(bytes[i], GN_OCTET_TOKEN))
            return false;
    }
    return length > 0;
}

/* The field lines lie one behind the other from `at` on, with nothing but blanks between name, colon, value and CRLF. */
static void check_lines(const struct gn_h1_field *fields, uint32_t count, const uint8_t *bytes, size_t at, size_t end)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct gn_h1_field *field = &fields[i];
        HOLDS(field->name == at);
        HOLDS((uint64_t)field->name + field->name_length < field->value);
        HOLDS((uint64_t)field->value + field->value_length + 2 <= end);
        HOLDS(is_token(bytes + field->name, field->name_length));
        HOLDS(field->token == gn_field_name_lookup(bytes + field->name, field->name_length));
        HOLDS(bytes[field->name + field->name_length] == ':');
        for (at = field->name + field->name_length + 1U; at < field->value; at++)
            HOLDS(gn_octet_is_blank(bytes[at]));
        for (; at < field->value + field->value_length; at++)
            HOLDS(!gn_octet_is_control(bytes[at]));
        if (field->value_length > 0)
            HOLDS(!gn_octet_is_blank(bytes[field->value]) && !gn_octet_is_blank(bytes[at - 1]));
        while (at < end && gn_octet_is_blank(bytes[at]))
            at++;
        HOLDS(end - at >= 4 && bytes[at] == '\r' && bytes[at + 1] == '\n');
        at += 2;
    }
    HOLDS(end - at == 2 && bytes[at] == '\r' && bytes[at + 1] == '\n');
}

static bool lies_in(uint32_t inner, uint32_t inner_length, uint32_t outer, uint32_t outer_length)
{
    return inner >= outer && (uint64_t)inner + inner_length <= (uint64_t)outer + outer_length;
}

static void check_request_line(const struct gn_h1_request *request, const uint8_t *bytes)
{
    HOLDS(request->start % 2 == 0 && request->start / 2 <= limits.empty_lines);
    for (uint32_t i = 0; i < request->start; i++)
        HOLDS(bytes[i] == (i % 2 == 0 ? '\r' : '\n'));
    HOLDS(is_token(bytes + request->start, request->method_length));
    HOLDS(request->method == gn_method_lookup(bytes + request->start, request->method_length));
    HOLDS(request->target == request->start + request->method_length + 1 && request->target_length > 0);
    for (uint32_t i = 0; i < request->target_length; i++)
        HOLDS(bytes[request->target + i] > 0x20 && bytes[request->target + i] < 0x7f);
    const uint8_t *version = bytes + request->target + request->target_length;
    HOLDS(bytes[request->target - 1] == ' ' && memcmp(version, " HTTP/1.", 8) == 0);
    HOLDS((version[8] == '0') == (request->version == 0) && memcmp(version + 9, "\r\n", 2) == 0);
    HOLDS(request->path_length == 0 ||
          lies_in(request->path, request->path_length, request->target, request->target_length));
    HOLDS(request->query_length == 0 ||
          (lies_in(request->query, request->query_length, request->target, request->target_length) &&
           bytes[request->query - 1] == '?'));
    HOLDS(request->authority_length == 0 || lies_in(request->authority, request->authority_length, request->start,
                                                    request->head_length - request->start));
}

/* What RFC 9112 sections 3.2 and 6.3 say of the fields together, by counting them. */
static void check_framing(const struct gn_h1_request *request, const uint8_t *bytes)
{
    unsigned hosts = 0, lengths = 0, codings = 0;
    uint64_t length = 0;
    for (uint32_t i = 0; i < request->field_count; i++) {
        const struct gn_h1_field *field = &request->fields[i];
        hosts += field->token == GN_FIELD_HOST;
        codings += field->token == GN_FIELD_TRANSFER_ENCODING;
        if (field->token != GN_FIELD_CONTENT_LENGTH)
            continue;
        lengths++;
        HOLDS(field->value_length > 0);
        for (uint32_t at = field->value; at < field->value + field->value_length; at++) {
            HOLDS(bytes[at] >= '0' && bytes[at] <= '9');
            length = length * 10 + (bytes[at] - (uint64_t)'0');
        }
    }
    HOLDS(hosts <= 1 && lengths <= 1 && (hosts == 1 || request->version == 0));
    HOLDS(codings == 0 || (lengths == 0 && request->version == 1));
    HOLDS((codings > 0) == (request->framing == GN_H1_CHUNKED));
    HOLDS((length > 0) == (request->framing == GN_H1_SIZED) && request->content_length == length);
    HOLDS(!request->expect_continue || request->version == 1);
}

/* What is whole passes with limits of exactly its size, and fails for each that is one less. */
static void check_limit(bool trailer_section, const uint8_t *bytes, size_t length, uint32_t *limit, uint32_t size,
                        enum gn_h1_status refusal)
{
    struct gn_h1_request_limits before = limits;
    for (uint32_t less = 0; less <= 1 && less <= size; less++) {
        struct parse parse;
        *limit = size - less;
        start(&parse, trailer_section, GN_H1_PORTABLE);
        HOLDS(go_on(&parse, bytes, length) == (less == 0 ? GN_H1_COMPLETE : refusal));
        free(parse.fields);
    }
    limits = before;
}

static void check_complete(const struct parse *whole, const uint8_t *bytes, size_t length)
{
    const struct gn_h1_request *request = &whole->request;
    bool section = whole->trailer_section;
    uint32_t head_length = section ? whole->trailers.length : request->head_length;
    uint32_t count = section ? whole->trailers.field_count : request->field_count;
    HOLDS(head_length <= length && head_length >= 2 && count <= limits.fields);
    // What stands behind does not matter, and nothing that belongs to the head is missing.
    check_cut(whole, GN_H1_COMPLETE, bytes, head_length, GN_H1_PORTABLE, head_length, 1);
    struct parse shorter;
    start(&shorter, section, GN_H1_PORTABLE);
    HOLDS(go_on(&shorter, bytes, head_length - 1) == GN_H1_MORE);
    free(shorter.fields);
    check_limit(section, bytes, length, &limits.head_bytes, head_length - request->start, GN_H1_HEAD_TOO_LARGE);
    check_limit(section, bytes, length, &limits.fields, count, GN_H1_TOO_MANY_FIELDS);
    if (section) {
        check_lines(whole->fields, count, bytes, 0, head_length);
        return;
    }
    check_limit(section, bytes, length, &limits.target_bytes, request->target_length, GN_H1_TARGET_TOO_LONG);
    check_limit(section, bytes, length, &limits.empty_lines, request->start / 2, GN_H1_TOO_MANY_EMPTY_LINES);
    check_request_line(request, bytes);
    check_lines(whole->fields, count, bytes, request->target + request->target_length + 11, head_length);
    check_framing(request, bytes);
}

/* What passes without leniency is the same with it. */
static void check_leniency(const struct parse *lenient, enum gn_h1_status status, const uint8_t *bytes, size_t length)
{
    struct parse strict;
    limits.lenient = 0;
    start(&strict, lenient->trailer_section, GN_H1_PORTABLE);
    if (go_on(&strict, bytes, length) == GN_H1_COMPLETE)
        HOLDS(status == GN_H1_COMPLETE && same(&strict, lenient, status));
    free(strict.fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < CHOICES)
        return 0;
    const uint8_t *choices = bytes;
    bytes += CHOICES;
    length -= CHOICES;
    limits = (struct gn_h1_request_limits){.head_bytes = choices[5] == 0 ? 65536 : choices[5] * 16U,
                                           .target_bytes = choices[6] == 0 ? 8192 : choices[6],
                                           .fields = choices[3] == 0 ? 100 : choices[3],
                                           .empty_lines = choices[4],
                                           .lenient = choices[7]};
    struct parse whole;
    start(&whole, choices[0] & 1, GN_H1_PORTABLE);
    enum gn_h1_status status = go_on(&whole, bytes, length);
    HOLDS(gn_h1_error_text(status) != NULL && (gn_h1_error_code(status) >= 400) == (status > GN_H1_MORE));
    check_cuts(&whole, status, bytes, length, choices);
    if (choices[7] != 0)
        check_leniency(&whole, status, bytes, length);
    else if (status == GN_H1_COMPLETE)
        check_complete(&whole, bytes, length);
    if (status == GN_H1_COMPLETE && whole.trailer_section)
        HOLDS(gn_h1_trailers_select(&whole.trailers) <= limits.fields);
    free(whole.fields);
    return 0;
}
