#include "h2/hpack_encoder.h"

#include <string.h>

#include "h2/hpack_tables.h"
#include "h2/huffman.h"
#include "http/field_name.h"
#include "http/text.h"

/* How a literal begins (section 6.2): its first octet and the bits of its prefix. */
struct form {
    uint8_t octet;
    uint8_t bits;
};
static const struct form inserted = {0x40, 6};
static const struct form plain = {0x00, 4};
static const struct form never_indexed = {0x10, 4};

void gn_hpack_encoder_start(struct gn_hpack_encoder *encoder, struct gn_memory *memory)
{
    *encoder = (struct gn_hpack_encoder){0};
    gn_hpack_table_start(&encoder->table, memory, GN_HPACK_ENCODER_TABLE_MAX);
}

void gn_hpack_encoder_end(struct gn_hpack_encoder *encoder)
{
    gn_hpack_table_end(&encoder->table);
}

void gn_hpack_encoder_allow(struct gn_hpack_encoder *encoder, uint32_t size)
{
    if (size > GN_HPACK_ENCODER_TABLE_MAX)
        size = GN_HPACK_ENCODER_TABLE_MAX;
    if (size == encoder->table.max_size)
        return;
    if (!encoder->resized || size < encoder->smallest)
        encoder->smallest = size;
    encoder->resized = true;
    gn_hpack_table_resize(&encoder->table, size);
}

static uint8_t *write_integer(uint8_t *to, uint8_t octet, unsigned bits, size_t value)
{
    size_t mask = (1U << bits) - 1;
    if (value < mask) {
        *to = (uint8_t)(octet | value);
        return to + 1;
    }
    *to++ = (uint8_t)(octet | mask);
    for (value -= mask; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to = (uint8_t)value;
    return to + 1;
}

static uint8_t *write_string(uint8_t *to, const uint8_t *octets, size_t length)
{
    size_t coded = gn_huffman_coded_length(octets, length);
    if (coded < length)
        return gn_huffman_encode(write_integer(to, 0x80, 7, coded), octets, length);
    to = write_integer(to, 0, 7, length);
    memmove(to, octets, length); // a lower-case name stands further on in the same room
    return to + length;
}

uint8_t *gn_hpack_encode_begin(struct gn_hpack_encoder *encoder, uint8_t *to)
{
    if (!encoder->resized)
        return to;
    encoder->resized = false;
    if (encoder->smallest < encoder->table.max_size)
        to = write_integer(to, 0x20, 5, encoder->smallest);
    return write_integer(to, 0x20, 5, encoder->table.max_size);
}

/* ---- what was written before ---- */

static uint32_t mix(uint32_t hash, const uint8_t *octets, size_t length)
{
    uint64_t state = hash + length;
    for (; length >= 8; octets += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, octets, 8);
        state = (state ^ word) * 0x9e3779b97f4a7c15;
        state ^= state >> 32;
    }
    for (; length > 0; octets++, length--)
        state = (state ^ *octets) * 0x9e3779b97f4a7c15;
    return (uint32_t)(state ^ state >> 32);
}

/* Whether the slot's entry is still in the table and is this field; a name without a token is in lower case. */
static bool is_held(const struct gn_hpack_table *table, const struct gn_hpack_slot *slot, uint16_t token,
                    const uint8_t *name, size_t name_length, const uint8_t *value, size_t value_length)
{
    uint32_t age = table->inserted + 1 - slot->number;
    if (slot->number == 0 || age > table->count)
        return false;
    const struct gn_hpack_entry *entry = gn_hpack_table_entry(table, age);
    const uint8_t *octets = table->octets + entry->start;
    return entry->token == token && entry->name_length == name_length && entry->value_length == value_length &&
           memcmp(octets + name_length, value, value_length) == 0 && memcmp(octets, name, name_length) == 0;
}

static bool is_sensitive(uint16_t token)
{
    return token == GN_FIELD_AUTHORIZATION || token == GN_FIELD_PROXY_AUTHORIZATION || token == GN_FIELD_COOKIE ||
           token == GN_FIELD_SET_COOKIE;
}

/* Writes a field whose name is in lower case; `index` is a static one of the name, or 0. */
static uint8_t *write_field(struct gn_hpack_encoder *encoder, uint8_t *to, uint16_t token, unsigned index,
                            const uint8_t *name, size_t name_length, const uint8_t *value, size_t value_length)
{
    struct gn_hpack_table *table = &encoder->table;
    struct form form = plain;
    if (is_sensitive(token)) {
        form = never_indexed;
    } else if (4 * (GN_HPACK_ENTRY_OVERHEAD + name_length + value_length) <= table->max_size) {
        uint32_t hash = mix(mix(token, name, token == GN_FIELD_OTHER ? name_length : 0), value, value_length);
        struct gn_hpack_slot *slot = &encoder->slots[hash % GN_HPACK_ENCODER_SLOTS];
        if (slot->hash == hash && is_held(table, slot, token, name, name_length, value, value_length))
            return write_integer(to, 0x80, 7, GN_HPACK_STATIC_COUNT + table->inserted + 1 - slot->number);
        bool again = slot->hash == hash;
        *slot = (struct gn_hpack_slot){.hash = hash};
        if (again && gn_hpack_table_insert(table, name, name_length, value, value_length, token, 0)) {
            slot->number = table->inserted;
            form = inserted;
        }
    }
    to = write_integer(to, form.octet, form.bits, index);
    if (index == 0)
        to = write_string(to, name, name_length);
    return write_string(to, value, value_length);
}

uint8_t *gn_hpack_encode_status(struct gn_hpack_encoder *encoder, uint8_t *to, unsigned status)
{
    static const uint16_t known[] = {200, 204, 206, 304, 400, 404, 500}; // from static index 8 on
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i] == status) {
            *to = (uint8_t)(0x80 | (8 + i));
            return to + 1;
        }
    }
    uint8_t digits[3] = {(uint8_t)('0' + status / 100), (uint8_t)('0' + status / 10 % 10),
                         (uint8_t)('0' + status % 10)};
    return write_field(encoder, to, GN_PSEUDO_STATUS, 8, (const uint8_t *)":status", 7, digits, 3);
}

uint8_t *gn_hpack_encode_field(struct gn_hpack_encoder *encoder, uint8_t *to, uint16_t token, const uint8_t *name,
                               size_t name_length, const uint8_t *value, size_t value_length)
{
    if (token != GN_FIELD_OTHER) {
        name = (const uint8_t *)gn_field_name_text((enum gn_field_name)token, &name_length);
        return write_field(encoder, to, token, gn_hpack_static_index[token], name, name_length, value, value_length);
    }
    // In lower case at the end of the room, where it is overwritten last.
    uint8_t *lower = to + gn_hpack_field_max(name_length, value_length) - name_length;
    for (size_t i = 0; i < name_length; i++)
        lower[i] = gn_text_lower(name[i]);
    return write_field(encoder, to, token, 0, lower, name_length, value, value_length);
}
