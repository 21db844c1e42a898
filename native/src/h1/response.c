#include "h1/response.h"

#include <string.h>

#include "http/date.h"
#include "http/field_name.h"
#include "http/status.h"
#include "ring/record.h"

/* What C adds: content-length with 20 digits or transfer-encoding, connection, date, and the empty line. */
#define ADDED_MAX 192U

/* The entry at `at`, whose name and value are known to lie before `end` if this returns true. */
static bool read_entry(const uint8_t *at, const uint8_t *end, struct gn_staged_field *entry)
{
    if ((size_t)(end - at) < sizeof(*entry))
        return false;
    memcpy(entry, at, sizeof(*entry));
    if (entry->token >= GN_FIELD_NAME_COUNT || (entry->token == GN_FIELD_OTHER && entry->name_length == 0))
        return false;
    return (size_t)(end - at) - sizeof(*entry) >= (size_t)entry->name_length + entry->value_length;
}

size_t gn_h1_response_bound(const struct gn_h1_response *response)
{
    const uint8_t *at = response->fields, *end = at + response->fields_length;
    size_t bound = GN_STATUS_LINE_MAX + ADDED_MAX;
    struct gn_staged_field entry;
    while (at < end) {
        if (!read_entry(at, end, &entry))
            return 0;
        size_t name_length = entry.name_length;
        if (name_length == 0)
            gn_field_name_text((enum gn_field_name)entry.token, &name_length);
        bound += name_length + entry.value_length + 4;
        at += sizeof(entry) + entry.name_length + entry.value_length;
    }
    return bound;
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

#define PUT_TEXT(to, text) put(to, text, sizeof(text) - 1)

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

size_t gn_h1_response_write(const struct gn_h1_response *response, uint8_t *bytes)
{
    uint8_t *to = bytes;
    if (response->status == 200)
        to = PUT_TEXT(to, "HTTP/1.1 200 OK\r\n");
    else
        to += gn_status_line(response->status, to);
    bool dated = false;
    const uint8_t *at = response->fields, *end = at + response->fields_length;
    while (at < end) {
        struct gn_staged_field entry;
        memcpy(&entry, at, sizeof(entry));
        at += sizeof(entry);
        if (entry.name_length > 0) {
            to = put(to, at, entry.name_length);
        } else {
            size_t name_length;
            const char *name = gn_field_name_text((enum gn_field_name)entry.token, &name_length);
            to = put(to, name, name_length);
        }
        to = PUT_TEXT(to, ": ");
        to = put(to, at + entry.name_length, entry.value_length);
        to = PUT_TEXT(to, "\r\n");
        at += entry.name_length + entry.value_length;
        dated |= entry.token == GN_FIELD_DATE;
    }
    if (response->chunked) {
        to = PUT_TEXT(to, "transfer-encoding: chunked\r\n");
    } else if (response->has_length) {
        to = PUT_TEXT(to, "content-length: ");
        to = put_number(to, response->length);
        to = PUT_TEXT(to, "\r\n");
    }
    if (response->connection == GN_H1_CONNECTION_CLOSE)
        to = PUT_TEXT(to, "connection: close\r\n");
    else if (response->connection == GN_H1_CONNECTION_KEEP_ALIVE)
        to = PUT_TEXT(to, "connection: keep-alive\r\n");
    if (response->date != NULL && !dated) {
        to = PUT_TEXT(to, "date: ");
        to = put(to, response->date, sizeof(((struct gn_date *)0)->text));
        to = PUT_TEXT(to, "\r\n\r\n");
    } else {
        to = PUT_TEXT(to, "\r\n");
    }
    return (size_t)(to - bytes);
}
