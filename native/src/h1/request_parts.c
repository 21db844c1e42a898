#include "h1/request_parts.h"

#include <string.h>

#include "http/authority.h"
#include "http/octets.h"
#include "http/text.h"

/* What was seen in the fields so far: bits of gn_h1_request.seen. */
enum seen {
    SEEN_HOST = 1,
    SEEN_LENGTH = 2,
    SEEN_CODINGS = 4,
    SEEN_CHUNKED = 8,
    SEEN_OTHER_CODING = 16,
    SEEN_CLOSE = 32,
    SEEN_KEEP_ALIVE = 64,
    SEEN_UPGRADE_OPTION = 128,
    SEEN_UPGRADE = 256,
};

/* ---- the request line ---- */

enum gn_h1_status gn_h1_request_skip_empty_lines(struct gn_h1_request *request, const uint8_t *bytes, size_t length,
                                                 const struct gn_h1_request_limits *limits)
{
    size_t at = request->line.scanned;
    enum gn_h1_status status = GN_H1_MORE;
    while (status == GN_H1_MORE && at < length) {
        size_t bare = bytes[at] == '\n';
        if (bytes[at] != '\r' && !bare) {
            status = GN_H1_COMPLETE;
        } else if (bare && !(limits->lenient & GN_H1_ALLOW_BARE_LF)) {
            status = GN_H1_BAD_LINE_END;
        } else if (request->empty_lines == limits->empty_lines) {
            status = GN_H1_TOO_MANY_EMPTY_LINES;
        } else if (!bare && at + 1 == length) {
            break;
        } else if (!bare && bytes[at + 1] != '\n') {
            status = GN_H1_BAD_LINE_END;
        } else {
            request->empty_lines++;
            at += 2 - bare;
        }
    }
    request->start = request->line.start = request->line.scanned = (uint32_t)at;
    if (status == GN_H1_COMPLETE)
        request->line.part = GN_H1_PART_METHOD;
    return status;
}

/* White space of any kind is a wrong delimiter, other octets are wrong within what they stand in. */
enum gn_h1_status gn_h1_request_method_error(const struct gn_h1_request *request, const uint8_t *bytes, size_t stop)
{
    return stop > request->start && gn_octet_is_white_space(bytes[stop]) ? GN_H1_BAD_REQUEST_LINE : GN_H1_BAD_METHOD;
}

/* The path and the query, which begins behind request->query - 1 where there is one. */
static void set_path(struct gn_h1_request *request, uint32_t path)
{
    uint32_t end = request->target + request->target_length;
    request->path = path;
    request->path_length = (request->query != 0 ? request->query - 1 : end) - path;
    request->query_length = request->query != 0 ? end - request->query : 0;
    if (request->query_length == 0)
        request->query = 0;
}

static enum gn_h1_status absolute_form(struct gn_h1_request *request, const uint8_t *bytes)
{
    const uint8_t *target = bytes + request->target;
    uint32_t length = request->target_length, authority;
    if (gn_text_begins(target, length, "http://", 7)) {
        authority = 7;
    } else if (gn_text_begins(target, length, "https://", 8)) {
        authority = 8;
        request->scheme_https = true;
    } else {
        return GN_H1_BAD_TARGET;
    }
    uint32_t end = authority;
    while (end < length && target[end] != '/' && target[end] != '?')
        end++;
    if (!gn_authority_is_valid(target + authority, end - authority, false))
        return GN_H1_BAD_TARGET;
    request->target_form = GN_ABSOLUTE_FORM;
    request->authority = request->target + authority;
    request->authority_length = end - authority;
    set_path(request, request->target + end);
    return GN_H1_COMPLETE;
}

enum gn_h1_status gn_h1_request_target(struct gn_h1_request *request, const uint8_t *bytes)
{
    const uint8_t *target = bytes + request->target;
    if (request->method == GN_METHOD_CONNECT) {
        if (!gn_authority_is_valid(target, request->target_length, true))
            return GN_H1_BAD_TARGET;
        request->target_form = GN_AUTHORITY_FORM;
        request->authority = request->target;
        request->authority_length = request->target_length;
        return GN_H1_COMPLETE;
    }
    if (target[0] == '/') {
        request->target_form = GN_ORIGIN_FORM;
        set_path(request, request->target);
        return GN_H1_COMPLETE;
    }
    if (target[0] == '*' && request->target_length == 1 && request->method == GN_METHOD_OPTIONS) {
        request->target_form = GN_ASTERISK_FORM;
        set_path(request, request->target);
        return GN_H1_COMPLETE;
    }
    return absolute_form(request, bytes);
}

enum gn_h1_status gn_h1_request_version(struct gn_h1_request *request, const uint8_t *bytes, size_t from, size_t end,
                                        const struct gn_h1_request_limits *limits)
{
    static const char shape[] = "HTTP/0.0\r\n"; // 0 is any digit (RFC 9112 section 2.3)
    size_t i = 0;
    if (limits->lenient & GN_H1_ALLOW_REPEATED_SPACES)
        while (from < end && bytes[from] == ' ')
            from++;
    request->line.scanned = (uint32_t)from;
    while (i < GN_H1_VERSION_LENGTH) {
        if (from + i == end)
            return GN_H1_MORE;
        uint8_t octet = bytes[from + i], expected = (uint8_t)shape[i++];
        if (octet == expected || (expected == '0' && gn_octet_is(octet, GN_OCTET_DIGIT)))
            continue;
        bool bare_lf = i == GN_H1_VERSION_LENGTH - 1 && octet == '\n';
        if (bare_lf && limits->lenient & GN_H1_ALLOW_BARE_LF)
            break;
        if (i == GN_H1_VERSION_LENGTH || bare_lf)
            return GN_H1_BAD_LINE_END;
        return gn_octet_is_white_space(octet) ? GN_H1_BAD_REQUEST_LINE : GN_H1_BAD_VERSION;
    }
    request->line.scanned = (uint32_t)(from + i);
    request->version = bytes[from + 7] == '0' ? 0 : 1;
    return bytes[from + 5] == '1' ? GN_H1_COMPLETE : GN_H1_UNSUPPORTED_VERSION;
}

/* ---- field lines ---- */

/* An element of a comma-separated list (RFC 9110 section 5.6.1), blanks around it left out. */
struct element {
    const uint8_t *bytes;
    size_t length;
};

static struct element without_blanks(struct element element)
{
    while (element.length > 0 && gn_octet_is_blank(element.bytes[0])) {
        element.bytes++;
        element.length--;
    }
    while (element.length > 0 && gn_octet_is_blank(element.bytes[element.length - 1]))
        element.length--;
    return element;
}

/* Takes the next element that is not empty out of *list; false at its end. */
static bool next_element(struct element *list, struct element *element)
{
    while (list->length > 0) {
        const uint8_t *comma = memchr(list->bytes, ',', list->length);
        size_t length = comma != NULL ? (size_t)(comma - list->bytes) : list->length;
        size_t step = comma != NULL ? length + 1 : length;
        *element = without_blanks((struct element){list->bytes, length});
        list->bytes += step;
        list->length -= step;
        if (element->length > 0)
            return true;
    }
    return false;
}

static bool is_known(const struct gn_h1_host *known, const uint8_t *host, uint32_t length)
{
    return known != NULL && length == known->length && memcmp(host, known->text, length) == 0;
}

static enum gn_h1_status take_host(struct gn_h1_request *request, const uint8_t *bytes, const struct gn_h1_field *field,
                                   const struct gn_h1_request_limits *limits)
{
    if (request->seen & SEEN_HOST)
        return GN_H1_BAD_HOST;
    request->seen |= SEEN_HOST;
    // Empty is what a client sends whose target has no authority (RFC 9110 section 7.2).
    request->host_was_known = is_known(limits->known_host, bytes + field->value, field->value_length);
    if (field->value_length != 0 && !request->host_was_known &&
        !gn_authority_is_valid(bytes + field->value, field->value_length, false))
        return GN_H1_BAD_HOST;
    if (request->target_form == GN_ORIGIN_FORM || request->target_form == GN_ASTERISK_FORM) {
        request->authority = field->value;
        request->authority_length = field->value_length;
    }
    return GN_H1_COMPLETE;
}

/* The same decimal value again, in one line or several, may count as one (RFC 9110 section 8.6). The comma is no list
   here whose elements may be empty. */
static enum gn_h1_status take_repeated_length(struct gn_h1_request *request, struct element list)
{
    bool again = request->seen & SEEN_LENGTH;
    for (;;) {
        const uint8_t *comma = memchr(list.bytes, ',', list.length);
        size_t size = comma != NULL ? (size_t)(comma - list.bytes) : list.length;
        struct element number = without_blanks((struct element){list.bytes, size});
        uint64_t length;
        if (!gn_text_content_length(number.bytes, number.length, &length))
            return GN_H1_BAD_CONTENT_LENGTH;
        if (again && length != request->content_length)
            return GN_H1_REPEATED_CONTENT_LENGTH;
        request->content_length = length;
        again = true;
        if (comma == NULL)
            return GN_H1_COMPLETE;
        list = (struct element){comma + 1, list.length - size - 1};
    }
}

static bool may_have_both(const struct gn_h1_request_limits *limits)
{
    return limits->lenient & GN_H1_ALLOW_LENGTH_AND_CHUNKED;
}

static enum gn_h1_status take_length(struct gn_h1_request *request, const uint8_t *bytes,
                                     const struct gn_h1_field *field, const struct gn_h1_request_limits *limits)
{
    struct element value = {bytes + field->value, field->value_length};
    if (limits->lenient & GN_H1_ALLOW_REPEATED_CONTENT_LENGTH) {
        enum gn_h1_status status = take_repeated_length(request, value);
        if (status != GN_H1_COMPLETE)
            return status;
    } else if (request->seen & SEEN_LENGTH) {
        return GN_H1_REPEATED_CONTENT_LENGTH;
    } else if (!gn_text_content_length(value.bytes, value.length, &request->content_length)) {
        return GN_H1_BAD_CONTENT_LENGTH;
    }
    request->seen |= SEEN_LENGTH;
    return request->seen & SEEN_CODINGS && !may_have_both(limits) ? GN_H1_LENGTH_AND_CHUNKED : GN_H1_COMPLETE;
}

/* transfer-coding = token *( OWS ";" OWS transfer-parameter ); a quoted value may hide a comma, so none is let in, and
   chunked has no parameters (RFC 9112 section 7.1). */
static bool is_coding(struct element coding)
{
    size_t at = 0;
    while (at < coding.length && gn_octet_is(coding.bytes[at], GN_OCTET_TOKEN))
        at++;
    if (at == 0 || memchr(coding.bytes, '"', coding.length) != NULL)
        return false;
    if (at < coding.length && GN_TEXT_IS(coding.bytes, at, "chunked"))
        return false;
    while (at < coding.length && gn_octet_is_blank(coding.bytes[at]))
        at++;
    return at == coding.length || coding.bytes[at] == ';';
}

static enum gn_h1_status take_codings(struct gn_h1_request *request, const uint8_t *bytes,
                                      const struct gn_h1_field *field, const struct gn_h1_request_limits *limits)
{
    struct element list = {bytes + field->value, field->value_length}, coding;
    bool empty = true;
    if (request->version == 0)
        return GN_H1_BAD_TRANSFER_ENCODING;
    request->seen |= SEEN_CODINGS;
    while (next_element(&list, &coding)) {
        empty = false;
        // Nothing may stand behind chunked, in this line or a later one (RFC 9112 section 6.1).
        if (request->seen & SEEN_CHUNKED || !is_coding(coding))
            return GN_H1_BAD_TRANSFER_ENCODING;
        request->seen |= GN_TEXT_IS(coding.bytes, coding.length, "chunked") ? SEEN_CHUNKED : SEEN_OTHER_CODING;
    }
    if (empty)
        return GN_H1_BAD_TRANSFER_ENCODING;
    return request->seen & SEEN_LENGTH && !may_have_both(limits) ? GN_H1_LENGTH_AND_CHUNKED : GN_H1_COMPLETE;
}

static void take_connection(struct gn_h1_request *request, const uint8_t *bytes, const struct gn_h1_field *field)
{
    struct element list = {bytes + field->value, field->value_length}, option;
    while (next_element(&list, &option)) {
        if (GN_TEXT_IS(option.bytes, option.length, "close"))
            request->seen |= SEEN_CLOSE;
        else if (GN_TEXT_IS(option.bytes, option.length, "keep-alive"))
            request->seen |= SEEN_KEEP_ALIVE;
        else if (GN_TEXT_IS(option.bytes, option.length, "upgrade"))
            request->seen |= SEEN_UPGRADE_OPTION;
    }
}

static void take_expectations(struct gn_h1_request *request, const uint8_t *bytes, const struct gn_h1_field *field)
{
    struct element list = {bytes + field->value, field->value_length}, expectation;
    while (next_element(&list, &expectation)) {
        if (!GN_TEXT_IS(expectation.bytes, expectation.length, "100-continue"))
            request->unknown_expectation = true;
        else if (request->version == 1) // RFC 9110 section 10.1.1
            request->expect_continue = true;
    }
}

static void take_te(struct gn_h1_request *request, const uint8_t *bytes, const struct gn_h1_field *field)
{
    struct element list = {bytes + field->value, field->value_length}, coding;
    while (next_element(&list, &coding))
        if (GN_TEXT_IS(coding.bytes, coding.length, "trailers"))
            request->trailers_accepted = true;
}

_Static_assert(GN_FIELD_NAME_COUNT <= 64, "a bit for every token");

const uint64_t gn_h1_request_fields_of_interest =
    UINT64_C(1) << GN_FIELD_HOST | UINT64_C(1) << GN_FIELD_CONTENT_LENGTH | UINT64_C(1) << GN_FIELD_TRANSFER_ENCODING |
    UINT64_C(1) << GN_FIELD_CONNECTION | UINT64_C(1) << GN_FIELD_EXPECT | UINT64_C(1) << GN_FIELD_TE |
    UINT64_C(1) << GN_FIELD_UPGRADE;

enum gn_h1_status gn_h1_request_field(struct gn_h1_request *request, const uint8_t *bytes,
                                      const struct gn_h1_field *field, const struct gn_h1_request_limits *limits)
{
    switch (field->token) {
    case GN_FIELD_HOST:
        return take_host(request, bytes, field, limits);
    case GN_FIELD_CONTENT_LENGTH:
        return take_length(request, bytes, field, limits);
    case GN_FIELD_TRANSFER_ENCODING:
        return take_codings(request, bytes, field, limits);
    case GN_FIELD_CONNECTION:
        take_connection(request, bytes, field);
        break;
    case GN_FIELD_EXPECT:
        take_expectations(request, bytes, field);
        break;
    case GN_FIELD_TE:
        take_te(request, bytes, field);
        break;
    case GN_FIELD_UPGRADE:
        if (field->value_length > 0)
            request->seen |= SEEN_UPGRADE;
        break;
    default:
        break;
    }
    return GN_H1_COMPLETE;
}

/* ---- the head as a whole ---- */

/* Chunked wins over Content-Length (RFC 9112 section 6.3), which is taken out: nobody behind must frame by it again. What
   stands behind such a message is not for this connection, neither as a request nor as a tunnel. */
static void drop_lengths(struct gn_h1_request *request)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < request->field_count; i++)
        if (request->fields[i].token != GN_FIELD_CONTENT_LENGTH)
            request->fields[kept++] = request->fields[i];
    request->field_count = kept;
    request->content_length = 0;
    request->length_dropped = true;
    request->seen |= SEEN_CLOSE;
    request->seen &= (uint16_t)~SEEN_UPGRADE;
}

enum gn_h1_status gn_h1_request_finish(struct gn_h1_request *request, const struct gn_h1_request_limits *limits)
{
    unsigned seen = request->seen;
    if (request->version == 1 && !(seen & SEEN_HOST))
        return GN_H1_BAD_HOST;
    if (seen & SEEN_CODINGS) {
        if (!(seen & SEEN_CHUNKED))
            return GN_H1_BAD_TRANSFER_ENCODING;
        if (seen & SEEN_OTHER_CODING && !(limits->lenient & GN_H1_ALLOW_TRANSFER_CODINGS))
            return GN_H1_UNSUPPORTED_CODING;
        if (seen & SEEN_LENGTH)
            drop_lengths(request);
        seen = request->seen;
        request->framing = GN_H1_CHUNKED;
    } else if (request->content_length > 0) {
        request->framing = GN_H1_SIZED;
    }
    request->keep_alive = !(seen & SEEN_CLOSE) && (request->version == 1 || seen & SEEN_KEEP_ALIVE);
    request->upgrade = request->version == 1 && seen & SEEN_UPGRADE && seen & SEEN_UPGRADE_OPTION;
    return GN_H1_COMPLETE;
}
