#include "h1/response.h"

#include <string.h>

#include "http/date.h"
#include "http/field_name.h"
#include "http/staged_fields.h"
#include "http/status.h"
#include "ring/record.h"

/* What C adds: content-length with 20 digits or transfer-encoding with `chunked`, connection, date, and the empty line. */
#define ADDED_MAX 192U

/* What surrounds a field's name and value, or joins a coding to others. */
#define FIELD_ADDED 4U

/* Adds what the fields in at..end take to `bound`; false: they are malformed. */
static bool measure_fields(const uint8_t *at, const uint8_t *end, size_t *bound, bool *coded)
{
    struct gn_staged_field entry;
    for (; at < end; at += gn_staged_size(&entry)) {
        if (!gn_staged_read(at, end, &entry) || (entry.token == GN_FIELD_OTHER && entry.name_length == 0))
            return false;
        size_t name_length = entry.name_length;
        if (name_length == 0)
            gn_field_name_text((enum gn_field_name)entry.token, &name_length);
        *bound += name_length + entry.value_length + FIELD_ADDED;
        *coded |= entry.token == GN_FIELD_TRANSFER_ENCODING;
    }
    return true;
}

size_t gn_h1_response_bound(struct gn_h1_response *response)
{
    const uint8_t *at = response->fields, *phrase;
    const uint8_t *end = at + response->fields_length;
    size_t bound = GN_STATUS_LINE_MAX + ADDED_MAX, phrase_length = 0;
    if (response->reason && !gn_staged_read_reason(&at, end, &phrase, &phrase_length))
        return 0;
    response->coded = false;
    return measure_fields(at, end, &bound, &response->coded) ? bound + phrase_length : 0;
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

#define PUT_TEXT(to, text) put(to, text, sizeof(text) - 1)

/* A capital for every word of the name in name..end. */
static void capitalize(uint8_t *name, const uint8_t *end)
{
    for (bool begins = true; name < end; name++) {
        if (begins && *name >= 'a' && *name <= 'z')
            *name = (uint8_t)(*name - ('a' - 'A'));
        begins = *name == '-';
    }
}

static inline uint8_t *put_name(uint8_t *to, const char *name, size_t length, bool title_case)
{
    uint8_t *end = put(to, name, length);
    if (title_case)
        capitalize(to, end);
    return end;
}

#define PUT_NAME(to, name, title_case) put_name(to, name ": ", sizeof(name ": ") - 1, title_case)

/* The name of an entry, whose own spelling stands at `own`, and the colon. */
static uint8_t *put_entry_name(uint8_t *to, const struct gn_staged_field *entry, const uint8_t *own, bool title_case)
{
    if (entry->name_length > 0) {
        to = put(to, own, entry->name_length);
    } else {
        size_t length;
        const char *name = gn_field_name_text((enum gn_field_name)entry->token, &length);
        to = put_name(to, name, length, title_case);
    }
    return PUT_TEXT(to, ": ");
}

/* The tokens that were met among staged fields, one bit each. */
#define SEEN(token) (1ULL << (token))
_Static_assert(GN_FIELD_NAME_COUNT <= 64, "a bit for every token");

/* The staged fields in at..end but for transfer codings. */
static uint8_t *put_fields(uint8_t *to, const uint8_t *at, const uint8_t *end, bool title_case, uint64_t *seen)
{
    while (at < end) {
        struct gn_staged_field entry;
        memcpy(&entry, at, sizeof(entry));
        const uint8_t *own = at + sizeof(entry);
        at += gn_staged_size(&entry);
        if (entry.token == GN_FIELD_TRANSFER_ENCODING)
            continue;
        to = put_entry_name(to, &entry, own, title_case);
        to = put(to, own + entry.name_length, entry.value_length);
        to = PUT_TEXT(to, "\r\n");
        *seen |= SEEN(entry.token);
    }
    return to;
}

/* `transfer-encoding: gzip, chunked` from the codings in at..end, under the name of the first. */
static uint8_t *put_codings(uint8_t *to, const uint8_t *at, const uint8_t *end, bool title_case)
{
    struct gn_staged_field entry;
    bool named = false;
    for (; at < end; at += gn_staged_size(&entry)) {
        memcpy(&entry, at, sizeof(entry));
        if (entry.token != GN_FIELD_TRANSFER_ENCODING)
            continue;
        const uint8_t *own = at + sizeof(entry);
        if (!named)
            to = put_entry_name(to, &entry, own, title_case);
        named = true;
        if (entry.value_length == 0)
            continue;
        to = put(to, own + entry.name_length, entry.value_length);
        to = PUT_TEXT(to, ", ");
    }
    return PUT_TEXT(to, "chunked\r\n");
}

static uint8_t *put_number(uint8_t *to, uint64_t number)
{
    // Straight to its place: digits written one by one and then copied together wait for each other in the processor.
    size_t count = 1;
    for (uint64_t rest = number / 10; rest != 0; rest /= 10)
        count++;
    for (size_t i = count; i-- > 0; number /= 10)
        to[i] = (uint8_t)('0' + number % 10);
    return to + count;
}

static uint8_t *put_status_line(uint8_t *to, uint16_t status, const uint8_t *phrase, size_t length)
{
    if (phrase == NULL)
        return status == 200 ? PUT_TEXT(to, "HTTP/1.1 200 OK\r\n") : to + gn_status_line(status, to);
    gn_status_line(status, to);
    to += sizeof("HTTP/1.1 200 ") - 1;
    to = put(to, phrase, length);
    return PUT_TEXT(to, "\r\n");
}

size_t gn_h1_response_write_fixed(const struct gn_h1_response *response, uint8_t *bytes, bool *dated)
{
    const uint8_t *at = response->fields, *phrase = NULL;
    const uint8_t *end = at + response->fields_length;
    size_t phrase_length = 0;
    bool title = response->title_case;
    uint64_t seen = 0;
    if (response->reason)
        gn_staged_read_reason(&at, end, &phrase, &phrase_length);
    uint8_t *to = put_status_line(bytes, response->status, phrase, phrase_length);
    to = put_fields(to, at, end, title, &seen);
    *dated = seen & SEEN(GN_FIELD_DATE);
    if (seen & SEEN(GN_FIELD_UPGRADE)) {
        to = PUT_NAME(to, "connection", title); // RFC 9110 section 7.8: an Upgrade field is of this connection only
        to = PUT_TEXT(to, "upgrade\r\n");
    }
    if (response->chunked && response->coded) {
        to = put_codings(to, at, end, title);
    } else if (response->chunked) {
        to = PUT_NAME(to, "transfer-encoding", title);
        to = PUT_TEXT(to, "chunked\r\n");
    } else if (response->has_length) {
        to = PUT_NAME(to, "content-length", title);
        to = put_number(to, response->length);
        to = PUT_TEXT(to, "\r\n");
    }
    return (size_t)(to - bytes);
}

size_t gn_h1_response_write_varying(const struct gn_h1_response *response, bool dated, uint8_t *bytes)
{
    bool title = response->title_case;
    uint8_t *to = bytes;
    if (response->connection != GN_H1_CONNECTION_SILENT) {
        to = PUT_NAME(to, "connection", title);
        if (response->connection == GN_H1_CONNECTION_CLOSE)
            to = PUT_TEXT(to, "close\r\n");
        else
            to = PUT_TEXT(to, "keep-alive\r\n");
    }
    if (response->date != NULL && !dated) {
        to = PUT_NAME(to, "date", title);
        to = put(to, response->date, sizeof(((struct gn_date *)0)->text));
        to = PUT_TEXT(to, "\r\n\r\n");
    } else {
        to = PUT_TEXT(to, "\r\n");
    }
    return (size_t)(to - bytes);
}

size_t gn_h1_response_write(const struct gn_h1_response *response, uint8_t *bytes)
{
    bool dated;
    size_t length = gn_h1_response_write_fixed(response, bytes, &dated);
    return length + gn_h1_response_write_varying(response, dated, bytes + length);
}

#define LAST_CHUNK "0\r\n"

size_t gn_h1_response_trailers_bound(const uint8_t *fields, size_t length)
{
    size_t bound = sizeof(LAST_CHUNK "\r\n") - 1;
    bool coded = false;
    return measure_fields(fields, fields + length, &bound, &coded) ? bound : 0;
}

size_t gn_h1_response_trailers_write(const uint8_t *fields, size_t length, bool title_case, uint8_t *bytes)
{
    uint64_t seen = 0;
    uint8_t *to = PUT_TEXT(bytes, LAST_CHUNK);
    to = put_fields(to, fields, fields + length, title_case, &seen);
    to = PUT_TEXT(to, "\r\n");
    return (size_t)(to - bytes);
}
