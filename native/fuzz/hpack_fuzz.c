#include "fuzz.h"
#include "h2/hpack_decoder.h"
#include "h2/hpack_encoder.h"
#include "h2/hpack_tables.h"
#include "h2/huffman.h"

/*
 * HPACK, both ways. An input is a row of blocks: an octet says what is done first (the table's limit changes, or the list's
 * limits), the next two how long the block is, and then come its octets. Each is decoded
 * - by the decoder under test, from a block of exactly its length into room of exactly what is said to be needed,
 * - by a model below, with a table that is a plain list: both say the same, or both that it is wrong.
 *
 * What was decoded, and is no error, is encoded again and decoded by a second decoder: that gives the same fields.
 */

#define FIELDS_MAX 200U
#define MODEL_ENTRIES 2100U
#define TEXT_MAX 65536U

struct text {
    uint8_t *octets;
    size_t length;
};

struct model_field {
    struct text name, value;
};

/* ---- the model: RFC 7541, read literally ---- */

static struct model_field entries[MODEL_ENTRIES]; /* the newest first */
static size_t entry_count, table_size, table_most, table_allowed;
static bool must_shrink;
static struct model_field decoded[TEXT_MAX];
static size_t decoded_count;

static struct text text_of(const void *octets, size_t length)
{
    return (struct text){fuzz_copy(octets, length), length};
}

static void free_field(struct model_field *field)
{
    free(field->name.octets);
    free(field->value.octets);
}

static size_t size_of(const struct model_field *field)
{
    return field->name.length + field->value.length + 32;
}

static void evict(size_t most)
{
    while (table_size > most) {
        struct model_field *oldest = &entries[--entry_count];
        table_size -= size_of(oldest);
        free_field(oldest);
    }
}

static void insert(const struct model_field *field)
{
    if (size_of(field) > table_most) {
        evict(0);
        return;
    }
    evict(table_most - size_of(field));
    HOLDS(entry_count < MODEL_ENTRIES);
    memmove(entries + 1, entries, entry_count * sizeof(*entries));
    entries[0] = (struct model_field){text_of(field->name.octets, field->name.length),
                                      text_of(field->value.octets, field->value.length)};
    entry_count++;
    table_size += size_of(field);
}

static bool read_integer(struct fuzz_input *block, unsigned bits, uint64_t *value)
{
    unsigned mask = (1U << bits) - 1, shift = 0;
    *value = fuzz_octet(block) & mask;
    if (*value < mask)
        return true;
    for (unsigned i = 0; i < 4 && block->length > 0; i++, shift += 7) {
        uint8_t octet = fuzz_octet(block);
        *value += (uint64_t)(octet & 127) << shift;
        if ((octet & 128) == 0)
            return *value <= 1U << 28;
    }
    return false;
}

/* Bit by bit, by the codes of Appendix B. */
static bool read_huffman(const uint8_t *from, size_t length, struct text *text)
{
    uint64_t code = 0;
    unsigned bits = 0;
    text->octets = malloc(length * 8 / 5 + 1);
    text->length = 0;
    HOLDS(text->octets != NULL);
    for (size_t bit = 0; bit < length * 8; bit++) {
        code = code << 1 | (from[bit / 8] >> (7 - bit % 8) & 1);
        bits++;
        for (unsigned symbol = 0; symbol < 256 && bits >= 5; symbol++) {
            if (gn_huffman_lengths[symbol] == bits && gn_huffman_codes[symbol] == code) {
                text->octets[text->length++] = (uint8_t)symbol;
                code = bits = 0;
            }
        }
        if (bits >= 30)
            return false;
    }
    return bits < 8 && code == (1U << bits) - 1;
}

static bool read_string(struct fuzz_input *block, struct text *text)
{
    uint64_t length;
    bool huffman = block->length > 0 && (block->bytes[0] & 128);
    *text = (struct text){NULL, 0};
    if (block->length == 0 || !read_integer(block, 7, &length) || length > block->length)
        return false;
    bool good = true;
    if (huffman)
        good = read_huffman(block->bytes, (size_t)length, text);
    else
        *text = text_of(block->bytes, (size_t)length);
    block->bytes += length;
    block->length -= (size_t)length;
    return good;
}

static bool find(uint64_t index, struct model_field *field)
{
    if (index == 0 || index > GN_HPACK_STATIC_COUNT + entry_count)
        return false;
    if (index <= GN_HPACK_STATIC_COUNT) {
        const struct gn_hpack_static *entry = &gn_hpack_static[index];
        *field =
            (struct model_field){text_of(entry->name, entry->name_length), text_of(entry->value, entry->value_length)};
    } else {
        const struct model_field *entry = &entries[index - GN_HPACK_STATIC_COUNT - 1];
        *field = (struct model_field){text_of(entry->name.octets, entry->name.length),
                                      text_of(entry->value.octets, entry->value.length)};
    }
    return true;
}

/* A representation of a field. */
static bool read_field(struct fuzz_input *block, struct model_field *field)
{
    uint8_t first = block->bytes[0];
    unsigned bits = first & 128 ? 7 : first & 64 ? 6 : 4;
    uint64_t index;
    *field = (struct model_field){{NULL, 0}, {NULL, 0}};
    if (!read_integer(block, bits, &index))
        return false;
    if (bits == 7)
        return find(index, field);
    if (index > 0 ? !find(index, field) : !read_string(block, &field->name))
        return false;
    free(field->value.octets);
    if (!read_string(block, &field->value))
        return false;
    if (bits == 6)
        insert(field);
    return true;
}

static bool model_decode(struct fuzz_input block)
{
    unsigned resizes = 0;
    bool fields = false;
    decoded_count = 0;
    while (block.length > 0) {
        if ((block.bytes[0] & 0xe0) == 0x20) {
            uint64_t size;
            if (fields || ++resizes > 2 || !read_integer(&block, 5, &size) || size > table_allowed)
                return false;
            table_most = (size_t)size;
            evict(table_most);
            must_shrink = false;
            continue;
        }
        fields = true;
        if (must_shrink)
            return false;
        HOLDS(decoded_count < TEXT_MAX);
        if (!read_field(&block, &decoded[decoded_count++]))
            return false;
    }
    return true;
}

static void forget_decoded(void)
{
    while (decoded_count > 0)
        free_field(&decoded[--decoded_count]);
}

/* ---- against the decoder ---- */

static struct gn_memory memory;
static struct gn_hpack_decoder decoder, second;
static struct gn_hpack_encoder encoder;
static struct gn_hpack_field fields[FIELDS_MAX];

static bool is_same(const struct gn_hpack_list *list, const struct gn_hpack_field *field,
                    const struct model_field *other)
{
    return field->name_length == other->name.length && field->value_length == other->value.length &&
           memcmp(list->octets + field->name, other->name.octets, other->name.length) == 0 &&
           memcmp(list->octets + field->value, other->value.octets, other->value.length) == 0;
}

/* Fields that are none of a message would come back as others: their names in lower case. Of those that begin with a colon
   the list does not say so, since nobody takes one that is not known. */
static void check_again(const struct gn_hpack_list *list)
{
    static struct gn_hpack_field others[FIELDS_MAX];
    size_t bound = GN_HPACK_BEGIN_MAX;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->fields[i].token == GN_PSEUDO_UNKNOWN)
            return;
    for (uint32_t i = 0; i < list->count; i++)
        bound += gn_hpack_field_max(list->fields[i].name_length, list->fields[i].value_length);
    uint8_t *block = malloc(bound), *to = gn_hpack_encode_begin(&encoder, block);
    HOLDS(block != NULL);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct gn_hpack_field *field = &list->fields[i];
        uint16_t token = field->token < GN_FIELD_NAME_COUNT ? field->token : (uint16_t)GN_FIELD_OTHER;
        uint8_t *end = gn_hpack_encode_field(&encoder, to, token, list->octets + field->name, field->name_length,
                                             list->octets + field->value, field->value_length);
        HOLDS((size_t)(end - to) <= gn_hpack_field_max(field->name_length, field->value_length));
        to = end;
    }
    size_t length = (size_t)(to - block);
    struct gn_hpack_list other = {.fields = others, .fields_max = FIELDS_MAX, .size_max = list->size};
    other.octets = malloc(gn_hpack_octets_needed(&second, other.size_max, length));
    HOLDS(other.octets != NULL);
    HOLDS(gn_hpack_decode(&second, block, length, &other) == GN_HPACK_OK);
    HOLDS(!other.too_large && !other.malformed && other.count == list->count && other.size == list->size);
    for (uint32_t i = 0; i < other.count; i++) {
        HOLDS(others[i].name_length == list->fields[i].name_length && others[i].token == list->fields[i].token);
        HOLDS(memcmp(other.octets + others[i].name, list->octets + list->fields[i].name, others[i].name_length) == 0);
        HOLDS(others[i].value_length == list->fields[i].value_length);
        HOLDS(memcmp(other.octets + others[i].value, list->octets + list->fields[i].value, others[i].value_length) ==
              0);
    }
    HOLDS(second.table.size == encoder.table.size && second.table.count == encoder.table.count);
    free(other.octets);
    free(block);
}

static void check_table(void)
{
    const struct gn_hpack_table *table = &decoder.table;
    HOLDS(table->size <= table->max_size && table->max_size == table_most);
    HOLDS(table->size == table_size && table->count == entry_count);
    for (uint32_t age = 1; age <= table->count; age++) {
        const struct gn_hpack_entry *entry = gn_hpack_table_entry(table, age);
        const struct model_field *other = &entries[age - 1];
        HOLDS(entry->name_length == other->name.length && entry->value_length == other->value.length);
        HOLDS(memcmp(table->octets + entry->start, other->name.octets, other->name.length) == 0);
        HOLDS(memcmp(table->octets + entry->start + entry->name_length, other->value.octets, other->value.length) == 0);
    }
}

/* One block. False: it is wrong, and nothing can follow. */
static bool check_block(const uint8_t *bytes, size_t length, uint32_t fields_max, uint32_t size_max)
{
    uint8_t *block = fuzz_copy(bytes, length);
    struct gn_hpack_list list = {.fields = fields, .fields_max = fields_max, .size_max = size_max};
    list.octets = malloc(gn_hpack_octets_needed(&decoder, size_max, length));
    HOLDS(list.octets != NULL);
    enum gn_hpack_status status = gn_hpack_decode(&decoder, block, length, &list);
    bool good = model_decode((struct fuzz_input){block, length});
    HOLDS(good == (status == GN_HPACK_OK));
    HOLDS(list.count <= fields_max);
    if (good) {
        uint64_t size = 0;
        for (size_t i = 0; i < decoded_count; i++)
            size += size_of(&decoded[i]);
        HOLDS(list.too_large == (size > size_max || decoded_count > fields_max));
        HOLDS(list.too_large || (list.count == decoded_count && list.size == size));
        for (uint32_t i = 0; i < list.count && !list.too_large; i++)
            HOLDS(is_same(&list, &fields[i], &decoded[i]));
        check_table();
        if (!list.too_large && !list.malformed)
            check_again(&list);
    }
    forget_decoded();
    free(list.octets);
    free(block);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const uint32_t tables[] = {0, 31, 32, 100, 200, 1000, 4095, 4096, 5000, 65535};
    struct fuzz_input input = {bytes, length};
    uint32_t fields_max = FIELDS_MAX, size_max = 20000;
    table_allowed = table_most = 4096;
    entry_count = table_size = 0;
    must_shrink = false;
    gn_hpack_decoder_start(&decoder, &memory, 4096);
    gn_hpack_decoder_start(&second, &memory, 4096);
    gn_hpack_encoder_start(&encoder, &memory);
    for (bool good = true; good && input.length > 0;) {
        uint8_t what = fuzz_octet(&input);
        uint32_t table = tables[what / 8 % 10];
        if ((what & 7) == 1) {
            gn_hpack_decoder_allow(&decoder, table);
            table_allowed = table;
            must_shrink = table_most > table;
        } else if ((what & 7) == 2) {
            gn_hpack_encoder_allow(&encoder, table);
            gn_hpack_decoder_allow(&second, table);
        } else if ((what & 7) == 3) {
            fields_max = 1 + what / 8;
        } else if ((what & 7) == 4) {
            size_max = 40U * (what / 8);
        }
        size_t span = fuzz_octet(&input);
        span |= (size_t)(fuzz_octet(&input) & 15) << 8;
        span = span < input.length ? span : input.length;
        if (span > 0 || (what & 7) == 0) // limits may change several times before a block
            good = check_block(input.bytes, span, fields_max, size_max);
        input.bytes += span;
        input.length -= span;
    }
    evict(0);
    gn_hpack_decoder_end(&decoder);
    gn_hpack_decoder_end(&second);
    gn_hpack_encoder_end(&encoder);
    HOLDS(memory.used == 0);
    return 0;
}
