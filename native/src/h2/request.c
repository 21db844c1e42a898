#include "h2/request.h"

#include <string.h>

#include "h2/hpack_tables.h"
#include "http/authority.h"
#include "http/head_block.h"
#include "http/method.h"
#include "http/octets.h"
#include "http/text.h"

/* What a list has had so far, while it is read. */
struct reading {
    struct gn_h2_request *request;
    const struct gn_hpack_list *list;
    struct gn_h2_span host, length;
    unsigned pseudo; /* a bit for each that was there */
    bool fields_begun, has_host, has_length;
};

#define HAS(reading, name) ((reading)->pseudo >> (GN_PSEUDO_##name - GN_PSEUDO_AUTHORITY) & 1)

static const uint8_t *octets_of(const struct gn_hpack_list *list, struct gn_h2_span span)
{
    return list->octets + span.at;
}

static struct gn_h2_span value_of(const struct gn_hpack_field *field)
{
    return (struct gn_h2_span){field->value, field->value_length};
}

#define IS(list, span, lower) GN_TEXT_IS(octets_of(list, span), (span).length, lower)

/* ---- fields ---- */

static enum gn_h2_request_status take_pseudo(struct reading *reading, const struct gn_hpack_field *field)
{
    struct gn_h2_request *request = reading->request;
    unsigned bit = 1U << (field->token - GN_PSEUDO_AUTHORITY);
    if (reading->fields_begun || reading->pseudo & bit)
        return GN_H2_REQUEST_BAD_PSEUDO;
    reading->pseudo |= bit;
    switch (field->token) {
    case GN_PSEUDO_METHOD:
        request->method_text = value_of(field);
        break;
    case GN_PSEUDO_SCHEME:
        request->scheme = value_of(field);
        break;
    case GN_PSEUDO_AUTHORITY:
        request->authority = value_of(field);
        break;
    case GN_PSEUDO_PATH:
        request->path = value_of(field);
        break;
    case GN_PSEUDO_PROTOCOL:
        request->protocol = value_of(field);
        break;
    default:
        return GN_H2_REQUEST_BAD_PSEUDO;
    }
    return GN_H2_REQUEST_OK;
}

static enum gn_h2_request_status take_length(struct reading *reading, const struct gn_hpack_field *field)
{
    uint64_t length;
    if (reading->has_length ||
        !gn_text_content_length(octets_of(reading->list, value_of(field)), field->value_length, &length))
        return GN_H2_REQUEST_BAD_LENGTH;
    reading->has_length = true;
    reading->request->content_length = (int64_t)length;
    return GN_H2_REQUEST_OK;
}

/* Whether a field belongs to a connection of HTTP/1 (section 8.2.2). */
static bool is_of_connection(const struct gn_hpack_list *list, const struct gn_hpack_field *field)
{
    if (field->token == GN_FIELD_TE)
        return !IS(list, value_of(field), "trailers");
    return gn_field_name_of_connection(field->token);
}

static enum gn_h2_request_status take_field(struct reading *reading, const struct gn_hpack_field *field)
{
    struct gn_h2_request *request = reading->request;
    reading->fields_begun = true;
    if (is_of_connection(reading->list, field))
        return GN_H2_REQUEST_OF_CONNECTION;
    request->texts += field->name_length + field->value_length;
    request->fields++;
    switch (field->token) {
    case GN_FIELD_HOST:
        if (reading->has_host)
            return GN_H2_REQUEST_BAD_AUTHORITY;
        reading->has_host = true;
        reading->host = value_of(field);
        break;
    case GN_FIELD_CONTENT_LENGTH:
        return take_length(reading, field);
    case GN_FIELD_TE:
        request->flags |= GN_HEAD_TRAILERS;
        break;
    case GN_FIELD_EXPECT:
        if (IS(reading->list, value_of(field), "100-continue"))
            request->flags |= GN_HEAD_EXPECT_CONTINUE;
        else
            request->unknown_expectation = true;
        break;
    case GN_FIELD_COOKIE:
        request->texts -= field->name_length + field->value_length;
        request->cookie_size += field->value_length + (request->cookies > 0 ? 2 : 0); // "; " between two
        if (request->cookies++ > 0)
            request->fields--;
        break;
    default:
        break;
    }
    return GN_H2_REQUEST_OK;
}

/* ---- the request as a whole ---- */

static bool is_scheme(const struct gn_hpack_list *list, struct gn_h2_span scheme)
{
    for (uint32_t i = 0; i < scheme.length; i++) {
        uint8_t octet = list->octets[scheme.at + i];
        bool letter = (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z';
        bool other = gn_octet_is(octet, GN_OCTET_DIGIT) || octet == '+' || octet == '-' || octet == '.';
        if (!letter && (i == 0 || !other))
            return false;
    }
    return scheme.length > 0;
}

static enum gn_h2_request_status read_path(struct gn_h2_request *request, const struct gn_hpack_list *list)
{
    const uint8_t *path = octets_of(list, request->path);
    uint32_t length = request->path.length;
    if (length == 0)
        return GN_H2_REQUEST_BAD_TARGET;
    if (path[0] == '*' && length == 1 && request->method == GN_METHOD_OPTIONS) {
        request->form = GN_ASTERISK_FORM;
        return GN_H2_REQUEST_OK;
    }
    if (path[0] != '/')
        return GN_H2_REQUEST_BAD_TARGET;
    for (uint32_t i = 0; i < length; i++)
        if (!gn_octet_is(path[i], GN_OCTET_TARGET))
            return GN_H2_REQUEST_BAD_TARGET;
    request->form = GN_ORIGIN_FORM;
    const uint8_t *question = memchr(path, '?', length);
    if (question != NULL) {
        uint32_t at = (uint32_t)(question - path);
        request->query = (struct gn_h2_span){request->path.at + at + 1, length - at - 1};
    }
    return GN_H2_REQUEST_OK;
}

static enum gn_h2_request_status read_authority(struct reading *reading)
{
    struct gn_h2_request *request = reading->request;
    const struct gn_hpack_list *list = reading->list;
    bool tunnel = request->form == GN_AUTHORITY_FORM;
    if (HAS(reading, AUTHORITY) &&
        !gn_authority_is_valid(octets_of(list, request->authority), request->authority.length, tunnel))
        return GN_H2_REQUEST_BAD_AUTHORITY;
    if (!reading->has_host) {
        // A scheme with authorities must name one (section 8.3.1).
        bool needed = IS(list, request->scheme, "http") || IS(list, request->scheme, "https");
        return needed && !HAS(reading, AUTHORITY) ? GN_H2_REQUEST_BAD_AUTHORITY : GN_H2_REQUEST_OK;
    }
    const uint8_t *host = octets_of(list, reading->host);
    if (reading->host.length > 0 && !gn_authority_is_valid(host, reading->host.length, false))
        return GN_H2_REQUEST_BAD_AUTHORITY;
    if (!HAS(reading, AUTHORITY))
        request->authority = reading->host;
    else if (reading->host.length != request->authority.length ||
             memcmp(host, octets_of(list, request->authority), reading->host.length) != 0)
        return GN_H2_REQUEST_BAD_AUTHORITY; // section 8.3.1
    return GN_H2_REQUEST_OK;
}

static enum gn_h2_request_status finish(struct reading *reading, bool connect_protocol)
{
    struct gn_h2_request *request = reading->request;
    const struct gn_hpack_list *list = reading->list;
    const uint8_t *method = octets_of(list, request->method_text);
    if (!HAS(reading, METHOD))
        return GN_H2_REQUEST_INCOMPLETE;
    for (uint32_t i = 0; i < request->method_text.length; i++)
        if (!gn_octet_is(method[i], GN_OCTET_TOKEN))
            return GN_H2_REQUEST_BAD_METHOD;
    if (request->method_text.length == 0)
        return GN_H2_REQUEST_BAD_METHOD;
    request->method = (uint16_t)gn_method_lookup(method, request->method_text.length);
    bool connect = request->method == GN_METHOD_CONNECT;
    if (HAS(reading, PROTOCOL) && (!connect || !connect_protocol || request->protocol.length == 0))
        return GN_H2_REQUEST_NO_PROTOCOL;
    if (connect && !HAS(reading, PROTOCOL)) {
        // Section 8.5: :authority and nothing else.
        if (HAS(reading, SCHEME) || HAS(reading, PATH) || !HAS(reading, AUTHORITY))
            return GN_H2_REQUEST_INCOMPLETE;
        request->form = GN_AUTHORITY_FORM;
    } else {
        if (!HAS(reading, SCHEME) || !HAS(reading, PATH))
            return GN_H2_REQUEST_INCOMPLETE;
        if (!is_scheme(list, request->scheme))
            return GN_H2_REQUEST_BAD_TARGET;
        if (IS(list, request->scheme, "https"))
            request->flags |= GN_HEAD_HTTPS;
        enum gn_h2_request_status status = read_path(request, list);
        if (status != GN_H2_REQUEST_OK)
            return status;
    }
    return read_authority(reading);
}

enum gn_h2_request_status gn_h2_request_read(struct gn_h2_request *request, const struct gn_hpack_list *list,
                                             bool connect_protocol)
{
    struct reading reading = {.request = request, .list = list};
    *request = (struct gn_h2_request){.content_length = -1, .flags = GN_HEAD_KEEP_ALIVE};
    if (list->malformed)
        return GN_H2_REQUEST_BAD_FIELD;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct gn_hpack_field *field = &list->fields[i];
        enum gn_h2_request_status status =
            field->token >= GN_PSEUDO_AUTHORITY ? take_pseudo(&reading, field) : take_field(&reading, field);
        if (status != GN_H2_REQUEST_OK)
            return status;
    }
    enum gn_h2_request_status status = finish(&reading, connect_protocol);
    request->texts += request->method_text.length + request->path.length + request->protocol.length;
    request->texts += HAS(&reading, AUTHORITY) ? request->authority.length : 0;
    return status;
}

/* ---- head blocks ---- */

/* A block in the making: the texts stand one behind the other behind the fields. */
struct writing {
    uint8_t *block;
    const struct gn_hpack_list *list;
    struct gn_head_field *next;
    uint32_t text;
};

static struct writing begin_block(uint8_t *block, const struct gn_hpack_list *list, uint32_t field_count)
{
    return (struct writing){
        .block = block,
        .list = list,
        .next = (struct gn_head_field *)(void *)(block + sizeof(struct gn_head_block)),
        .text = (uint32_t)gn_head_texts_offset(field_count),
    };
}

static uint32_t write_text(struct writing *writing, struct gn_h2_span span)
{
    uint32_t at = writing->text;
    memcpy(writing->block + at, octets_of(writing->list, span), span.length);
    writing->text += span.length;
    return at;
}

static struct gn_head_field *write_field(struct writing *writing, const struct gn_hpack_field *field)
{
    struct gn_head_field *to = writing->next++;
    to->name_offset = write_text(writing, (struct gn_h2_span){field->name, field->name_length});
    to->name_length = field->name_length;
    to->token = field->token;
    to->value_offset = write_text(writing, value_of(field));
    to->value_length = field->value_length;
    return to;
}

/* All cookies as one field, beginning with the one at `index`. */
static void write_cookies(struct writing *writing, uint32_t index)
{
    const struct gn_hpack_list *list = writing->list;
    struct gn_head_field *cookie = write_field(writing, &list->fields[index]);
    for (uint32_t i = index + 1; i < list->count; i++) {
        if (list->fields[i].token != GN_FIELD_COOKIE)
            continue;
        memcpy(writing->block + writing->text, "; ", 2);
        writing->text += 2;
        write_text(writing, value_of(&list->fields[i]));
    }
    cookie->value_length = writing->text - cookie->value_offset;
}

size_t gn_h2_head_size(const struct gn_h2_request *request)
{
    size_t cookie = request->cookies > 0 ? sizeof("cookie") - 1 + request->cookie_size : 0;
    return gn_head_texts_offset(request->fields) + request->texts + cookie;
}

void gn_h2_head_write(uint8_t *block, const struct gn_h2_request *request, const struct gn_hpack_list *list,
                      uint64_t info)
{
    struct writing writing = begin_block(block, list, request->fields);
    struct gn_head_block *head = (struct gn_head_block *)(void *)block;
    *head = (struct gn_head_block){
        .method = request->method,
        .version = 20,
        .form = request->form,
        .flags = request->flags,
        .field_count = (uint16_t)request->fields,
        .content_length = request->content_length,
        .info = info,
        .method_length = request->method_text.length,
        .authority_length = request->authority.length,
    };
    head->method_offset = write_text(&writing, request->method_text);
    if (request->form != GN_AUTHORITY_FORM) {
        head->target_offset = head->path_offset = write_text(&writing, request->path);
        head->target_length = head->path_length = request->path.length;
        if (request->query.length > 0) {
            head->query_offset = head->target_offset + (request->query.at - request->path.at);
            head->query_length = request->query.length;
        }
        if (request->query.at != 0)
            head->path_length = request->query.at - 1 - request->path.at;
    }
    if (request->protocol.length > 0) {
        head->protocol_offset = write_text(&writing, request->protocol);
        head->protocol_length = request->protocol.length;
    }
    bool pseudo_authority = false, cookies_written = false;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct gn_hpack_field *field = &list->fields[i];
        if (field->token == GN_PSEUDO_AUTHORITY) {
            pseudo_authority = true;
            head->authority_offset = write_text(&writing, request->authority);
        } else if (field->token == GN_FIELD_COOKIE) {
            if (!cookies_written)
                write_cookies(&writing, i);
            cookies_written = true;
        } else if (field->token < GN_PSEUDO_AUTHORITY) {
            const struct gn_head_field *written = write_field(&writing, field);
            if (field->token == GN_FIELD_HOST && !pseudo_authority)
                head->authority_offset = written->value_offset;
        }
    }
    if (request->form == GN_AUTHORITY_FORM) {
        head->target_offset = head->authority_offset;
        head->target_length = head->authority_length;
    }
}

/* ---- trailer sections ---- */

static bool is_trailer(const struct gn_hpack_field *field)
{
    return field->token == GN_FIELD_OTHER || gn_field_name_in_trailers((enum gn_field_name)field->token);
}

enum gn_h2_request_status gn_h2_trailers_read(const struct gn_hpack_list *list)
{
    if (list->malformed)
        return GN_H2_REQUEST_BAD_FIELD;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->fields[i].token >= GN_PSEUDO_AUTHORITY)
            return GN_H2_REQUEST_BAD_PSEUDO;
        if (is_of_connection(list, &list->fields[i]))
            return GN_H2_REQUEST_OF_CONNECTION;
    }
    return GN_H2_REQUEST_OK;
}

size_t gn_h2_trailers_size(const struct gn_hpack_list *list)
{
    size_t count = 0, texts = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!is_trailer(&list->fields[i]))
            continue;
        count++;
        texts += list->fields[i].name_length + list->fields[i].value_length;
    }
    return gn_head_texts_offset((uint32_t)count) + texts;
}

void gn_h2_trailers_write(uint8_t *block, const struct gn_hpack_list *list)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++)
        count += is_trailer(&list->fields[i]);
    struct writing writing = begin_block(block, list, count);
    *(struct gn_head_block *)(void *)block = (struct gn_head_block){.field_count = (uint16_t)count};
    for (uint32_t i = 0; i < list->count; i++)
        if (is_trailer(&list->fields[i]))
            write_field(&writing, &list->fields[i]);
}

const char *gn_h2_request_text(enum gn_h2_request_status status)
{
    static const char *const texts[GN_H2_REQUEST_STATUS_COUNT] = {
        [GN_H2_REQUEST_OK] = "a request",
        [GN_H2_REQUEST_BAD_FIELD] = "malformed field name or value",
        [GN_H2_REQUEST_BAD_PSEUDO] = "pseudo-header field unknown, repeated or out of place",
        [GN_H2_REQUEST_INCOMPLETE] = "pseudo-header field missing, or too many for CONNECT",
        [GN_H2_REQUEST_BAD_METHOD] = "malformed method",
        [GN_H2_REQUEST_BAD_TARGET] = "malformed :path or :scheme",
        [GN_H2_REQUEST_BAD_AUTHORITY] = "malformed :authority or Host, or two different ones",
        [GN_H2_REQUEST_BAD_LENGTH] = "malformed or repeated Content-Length",
        [GN_H2_REQUEST_OF_CONNECTION] = "field of HTTP/1 connections",
        [GN_H2_REQUEST_NO_PROTOCOL] = ":protocol that is not served",
    };
    return texts[status];
}
