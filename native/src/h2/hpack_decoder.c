#include "h2/hpack_decoder.h"

#include <string.h>

#include "h2/hpack_tables.h"
#include "h2/huffman.h"
#include "http/field_name.h"
#include "http/octets.h"

/* The largest integer that is read: more than any length or index that can be right. */
#define INTEGER_MAX (1U << 28)

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

void gn_hpack_decoder_start(struct gn_hpack_decoder *decoder, struct gn_memory *memory, uint32_t allowed)
{
    gn_hpack_table_start(&decoder->table, memory, allowed);
    decoder->allowed = allowed;
    decoder->must_resize = false;
}

void gn_hpack_decoder_end(struct gn_hpack_decoder *decoder)
{
    gn_hpack_table_end(&decoder->table);
}

void gn_hpack_decoder_allow(struct gn_hpack_decoder *decoder, uint32_t allowed)
{
    decoder->allowed = allowed;
    decoder->must_resize = allowed < decoder->table.max_size;
}

/* An integer whose first octet has a prefix of `bits` (section 5.1); there is an octet. */
static bool read_integer(struct reader *reader, unsigned bits, uint32_t *value)
{
    uint32_t mask = (1U << bits) - 1;
    *value = *reader->at++ & mask;
    if (*value < mask)
        return true;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
        if (reader->at == reader->end)
            return false;
        uint8_t octet = *reader->at++;
        *value += (uint32_t)(octet & 0x7f) << shift;
        if (octet < 0x80)
            return *value <= INTEGER_MAX;
    }
    return false;
}

/* A string literal (section 5.2), written to `to`. */
static enum gn_hpack_status read_string(struct reader *reader, uint8_t *to, uint32_t *length)
{
    uint32_t coded;
    if (reader->at == reader->end)
        return GN_HPACK_BAD_STRING;
    bool huffman = *reader->at & 0x80;
    if (!read_integer(reader, 7, &coded))
        return GN_HPACK_BAD_INTEGER;
    if (coded > (size_t)(reader->end - reader->at))
        return GN_HPACK_BAD_STRING;
    const uint8_t *from = reader->at;
    reader->at += coded;
    if (!huffman) {
        memcpy(to, from, coded);
        *length = coded;
        return GN_HPACK_OK;
    }
    ssize_t decoded = gn_huffman_decode(to, from, coded);
    *length = (uint32_t)decoded;
    return decoded < 0 ? GN_HPACK_BAD_STRING : GN_HPACK_OK;
}

/* ---- fields ---- */

static bool name_is_valid(const uint8_t *name, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!gn_octet_is(name[i], GN_OCTET_TOKEN) || (name[i] >= 'A' && name[i] <= 'Z'))
            return false;
    return length > 0;
}

static bool value_is_valid(const uint8_t *value, size_t length)
{
    if (length == 0)
        return true;
    for (size_t i = 0; i < length; i++)
        if (gn_octet_is_control(value[i]))
            return false;
    return !gn_octet_is_blank(value[0]) && !gn_octet_is_blank(value[length - 1]);
}

static uint16_t pseudo_token(const uint8_t *name, size_t length)
{
    static const struct {
        const char *name;
        uint16_t token;
    } known[] = {
        {":authority", GN_PSEUDO_AUTHORITY}, {":method", GN_PSEUDO_METHOD}, {":path", GN_PSEUDO_PATH},
        {":scheme", GN_PSEUDO_SCHEME},       {":status", GN_PSEUDO_STATUS}, {":protocol", GN_PSEUDO_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
            return known[i].token;
    return GN_PSEUDO_UNKNOWN;
}

/* A field in the making: its octets stand behind those that the list has used already. */
struct field {
    uint32_t name_length, value_length;
    uint16_t token;
    uint8_t malformed; /* enum gn_hpack_malformed */
};

/* Takes in a literal name. */
static void judge_name(const uint8_t *name, struct field *field)
{
    if (field->name_length > 0 && name[0] == ':')
        field->token = pseudo_token(name, field->name_length);
    else if (name_is_valid(name, field->name_length))
        field->token = (uint16_t)gn_field_name_lookup(name, field->name_length);
    else
        field->malformed = GN_HPACK_NAME_MALFORMED;
}

/* Keeps the field if the list has room for it; else it is left out, and the list knows. */
static void keep(struct gn_hpack_list *list, const struct field *field)
{
    list->malformed |= field->malformed != 0;
    uint64_t size = (uint64_t)list->size + field->name_length + field->value_length + GN_HPACK_ENTRY_OVERHEAD;
    if (list->too_large || size > list->size_max || list->count == list->fields_max ||
        field->name_length > UINT16_MAX) {
        list->too_large = true;
        return;
    }
    list->size = (uint32_t)size;
    list->fields[list->count++] = (struct gn_hpack_field){
        .name = list->octets_used,
        .value = list->octets_used + field->name_length,
        .value_length = field->value_length,
        .name_length = (uint16_t)field->name_length,
        .token = field->token,
    };
    list->octets_used += field->name_length + field->value_length;
}

/* Finds the field with this index, and its name and value. */
static enum gn_hpack_status find_indexed(const struct gn_hpack_decoder *decoder, uint32_t index, struct field *field,
                                         const uint8_t **name, const uint8_t **value)
{
    if (index == 0)
        return GN_HPACK_BAD_INDEX;
    if (index <= GN_HPACK_STATIC_COUNT) {
        const struct gn_hpack_static *entry = &gn_hpack_static[index];
        *field = (struct field){entry->name_length, entry->value_length, entry->token, 0};
        *name = (const uint8_t *)entry->name;
        *value = (const uint8_t *)entry->value;
    } else {
        uint32_t age = index - GN_HPACK_STATIC_COUNT;
        if (age > decoder->table.count)
            return GN_HPACK_BAD_INDEX;
        const struct gn_hpack_entry *entry = gn_hpack_table_entry(&decoder->table, age);
        *field = (struct field){entry->name_length, entry->value_length, entry->token, entry->malformed};
        *name = decoder->table.octets + entry->start;
        *value = *name + entry->name_length;
    }
    return GN_HPACK_OK;
}

static enum gn_hpack_status read_indexed(struct gn_hpack_decoder *decoder, struct reader *reader,
                                         struct gn_hpack_list *list)
{
    uint32_t index;
    struct field field;
    const uint8_t *name, *value;
    if (!read_integer(reader, 7, &index))
        return GN_HPACK_BAD_INTEGER;
    enum gn_hpack_status status = find_indexed(decoder, index, &field, &name, &value);
    // An octet here can stand for a whole entry: what is not kept is not copied.
    if (status != GN_HPACK_OK || list->too_large)
        return status;
    uint8_t *to = list->octets + list->octets_used;
    memcpy(to, name, field.name_length);
    memcpy(to + field.name_length, value, field.value_length);
    keep(list, &field);
    return GN_HPACK_OK;
}

static enum gn_hpack_status read_literal(struct gn_hpack_decoder *decoder, struct reader *reader, unsigned prefix,
                                         bool insert, struct gn_hpack_list *list)
{
    uint32_t index;
    struct field field = {0};
    enum gn_hpack_status status;
    uint8_t *name = list->octets + list->octets_used;
    if (!read_integer(reader, prefix, &index))
        return GN_HPACK_BAD_INTEGER;
    if (index != 0) {
        const uint8_t *from, *unused;
        status = find_indexed(decoder, index, &field, &from, &unused);
        if (status != GN_HPACK_OK)
            return status;
        memcpy(name, from, field.name_length);
        field.malformed &= GN_HPACK_NAME_MALFORMED; // as it was found once: octets here stand for thousands there
    } else {
        status = read_string(reader, name, &field.name_length);
        if (status != GN_HPACK_OK)
            return status;
        judge_name(name, &field);
    }
    uint8_t *value = name + field.name_length;
    status = read_string(reader, value, &field.value_length);
    if (status != GN_HPACK_OK)
        return status;
    if (!value_is_valid(value, field.value_length))
        field.malformed |= GN_HPACK_VALUE_MALFORMED;
    if (insert && !gn_hpack_table_insert(&decoder->table, name, field.name_length, value, field.value_length,
                                         field.token, field.malformed))
        return GN_HPACK_NO_MEMORY;
    keep(list, &field);
    return GN_HPACK_OK;
}

static enum gn_hpack_status read_resize(struct gn_hpack_decoder *decoder, struct reader *reader)
{
    uint32_t size;
    if (!read_integer(reader, 5, &size))
        return GN_HPACK_BAD_INTEGER;
    if (size > decoder->allowed)
        return GN_HPACK_BAD_RESIZE;
    gn_hpack_table_resize(&decoder->table, size);
    decoder->must_resize = false;
    return GN_HPACK_OK;
}

enum gn_hpack_status gn_hpack_decode(struct gn_hpack_decoder *decoder, const uint8_t *block, size_t length,
                                     struct gn_hpack_list *list)
{
    struct reader reader = {block, block + length};
    enum gn_hpack_status status = GN_HPACK_OK;
    unsigned resizes = 0;
    bool begun = false;
    list->count = list->octets_used = list->size = 0;
    list->too_large = list->malformed = false;
    while (status == GN_HPACK_OK && reader.at < reader.end) {
        uint8_t octet = *reader.at;
        if ((octet & 0xe0) == 0x20) {
            // At most two: the smallest size in between, and the last one (section 4.2).
            status = begun || ++resizes > 2 ? GN_HPACK_BAD_RESIZE : read_resize(decoder, &reader);
            continue;
        }
        if (decoder->must_resize)
            return GN_HPACK_NO_RESIZE;
        begun = true;
        if (octet & 0x80)
            status = read_indexed(decoder, &reader, list);
        else if (octet & 0x40)
            status = read_literal(decoder, &reader, 6, true, list);
        else
            status = read_literal(decoder, &reader, 4, false, list);
    }
    return status;
}

const char *gn_hpack_text(enum gn_hpack_status status)
{
    static const char *const texts[GN_HPACK_STATUS_COUNT] = {
        [GN_HPACK_OK] = "decoded",
        [GN_HPACK_BAD_INDEX] = "index beyond the tables",
        [GN_HPACK_BAD_INTEGER] = "integer too large, or cut off",
        [GN_HPACK_BAD_STRING] = "string cut off, or malformed Huffman code",
        [GN_HPACK_BAD_RESIZE] = "table size over the limit or out of place",
        [GN_HPACK_NO_RESIZE] = "table size was not reduced as agreed",
        [GN_HPACK_NO_MEMORY] = "no memory",
    };
    return texts[status];
}
