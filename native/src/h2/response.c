#include "h2/response.h"

#include "http/date.h"
#include "http/staged_fields.h"

#define DIGITS_MAX 20U

static bool measure(const uint8_t *at, const uint8_t *end, size_t *bound)
{
    struct gn_staged_field entry;
    for (; at < end; at += gn_staged_size(&entry)) {
        if (!gn_staged_read(at, end, &entry) || (entry.token == GN_FIELD_OTHER && entry.name_length == 0))
            return false;
        size_t name_length = entry.name_length;
        if (entry.token != GN_FIELD_OTHER)
            gn_field_name_text((enum gn_field_name)entry.token, &name_length);
        *bound += gn_hpack_field_max(name_length, entry.value_length);
    }
    return true;
}

size_t gn_h2_response_bound(const struct gn_h2_response *response)
{
    const uint8_t *at = response->fields, *end = at + response->fields_length, *phrase;
    size_t bound = GN_HPACK_BEGIN_MAX + GN_HPACK_STATUS_MAX, phrase_length;
    bound += gn_hpack_field_max(sizeof("content-length") - 1, DIGITS_MAX);
    bound += gn_hpack_field_max(sizeof("date") - 1, GN_DATE_LENGTH);
    if (response->reason && !gn_staged_read_reason(&at, end, &phrase, &phrase_length))
        return 0;
    return measure(at, end, &bound) ? bound : 0;
}

/* Writes the fields in at..end; whether a date was among them. */
static uint8_t *put_fields(uint8_t *to, struct gn_hpack_encoder *encoder, const uint8_t *at, const uint8_t *end,
                           bool *dated)
{
    struct gn_staged_field entry;
    for (; at < end; at += gn_staged_size(&entry)) {
        memcpy(&entry, at, sizeof(entry));
        if (gn_field_name_of_connection(entry.token))
            continue;
        *dated |= entry.token == GN_FIELD_DATE;
        const uint8_t *name = at + sizeof(entry);
        to = gn_hpack_encode_field(encoder, to, entry.token, name, entry.name_length, name + entry.name_length,
                                   entry.value_length);
    }
    return to;
}

static uint8_t *put_length(uint8_t *to, struct gn_hpack_encoder *encoder, uint64_t length)
{
    uint8_t digits[DIGITS_MAX], *first = digits + DIGITS_MAX;
    do {
        *--first = (uint8_t)('0' + length % 10);
        length /= 10;
    } while (length > 0);
    return gn_hpack_encode_field(encoder, to, GN_FIELD_CONTENT_LENGTH, NULL, 0, first,
                                 (size_t)(digits + DIGITS_MAX - first));
}

size_t gn_h2_response_write(const struct gn_h2_response *response, struct gn_hpack_encoder *encoder, uint8_t *to)
{
    const uint8_t *at = response->fields, *end = at + response->fields_length, *phrase, *begin = to;
    size_t phrase_length;
    bool dated = false;
    if (response->reason)
        gn_staged_read_reason(&at, end, &phrase, &phrase_length);
    to = gn_hpack_encode_begin(encoder, to);
    to = gn_hpack_encode_status(encoder, to, response->status);
    to = put_fields(to, encoder, at, end, &dated);
    if (response->has_length)
        to = put_length(to, encoder, response->length);
    if (response->date != NULL && !dated)
        to =
            gn_hpack_encode_field(encoder, to, GN_FIELD_DATE, NULL, 0, (const uint8_t *)response->date, GN_DATE_LENGTH);
    return (size_t)(to - begin);
}

size_t gn_h2_response_trailers_bound(const uint8_t *fields, size_t length)
{
    size_t bound = GN_HPACK_BEGIN_MAX;
    return measure(fields, fields + length, &bound) ? bound : 0;
}

size_t gn_h2_response_trailers_write(const uint8_t *fields, size_t length, struct gn_hpack_encoder *encoder,
                                     uint8_t *to)
{
    bool dated = false;
    const uint8_t *begin = to;
    to = gn_hpack_encode_begin(encoder, to);
    return (size_t)(put_fields(to, encoder, fields, fields + length, &dated) - begin);
}
