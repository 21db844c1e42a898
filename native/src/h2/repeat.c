#include "h2/repeat.h"

#include <string.h>

static bool is_same(const struct gn_h2_repeat *repeat, const struct gn_hpack_decoder *decoder, const uint8_t *block,
                    size_t length)
{
    return repeat->length == length && repeat->inserted == decoder->table.inserted &&
           repeat->count == decoder->table.count && repeat->table_bytes == decoder->table.max_size &&
           memcmp(repeat->block, block, length) == 0;
}

bool gn_h2_repeat_is(const struct gn_h2_repeat *repeat, const struct gn_hpack_decoder *decoder, const uint8_t *block,
                     size_t length)
{
    // A table that must become smaller first is to be told so by the block.
    return repeat->head != NULL && is_same(repeat, decoder, block, length) && !decoder->must_resize;
}

void gn_h2_repeat_note(struct gn_h2_repeat *repeat, struct gn_memory *memory, const struct gn_hpack_decoder *decoder,
                       uint32_t inserted, uint32_t count, const uint8_t *block, size_t length,
                       const struct gn_h2_request *request, struct gn_h2_priority priority, const uint8_t *head,
                       size_t size)
{
    // A block that changes the table means something else the next time.
    if (length == 0 || length > GN_H2_REPEAT_MAX || inserted != decoder->table.inserted ||
        count != decoder->table.count || (block[0] & 0xe0) == 0x20)
        return;
    bool again = is_same(repeat, decoder, block, length);
    gn_h2_repeat_end(repeat, memory);
    memcpy(repeat->block, block, length);
    repeat->length = (uint32_t)length;
    repeat->inserted = inserted;
    repeat->count = count;
    repeat->table_bytes = decoder->table.max_size;
    if (!again || (repeat->head = gn_memory_allocate(memory, size)) == NULL)
        return;
    repeat->head_size = (uint32_t)size;
    repeat->request = *request;
    repeat->priority = priority;
    memcpy(repeat->head, head, size);
}

void gn_h2_repeat_end(struct gn_h2_repeat *repeat, struct gn_memory *memory)
{
    gn_memory_free(memory, repeat->head, repeat->head_size);
    repeat->head = NULL;
    repeat->length = 0;
}

/* ---- responses ---- */

/* Whether two responses agree but for what their fields and dates say. */
static bool is_alike(const struct gn_h2_response *one, const struct gn_h2_response *other)
{
    return one->status == other->status && one->fields_length == other->fields_length && one->length == other->length &&
           one->has_length == other->has_length && one->reason == other->reason &&
           (one->date == NULL) == (other->date == NULL);
}

static bool is_kept(const struct gn_h2_response_repeat *repeat, const struct gn_h2_response *response,
                    const struct gn_hpack_encoder *encoder)
{
    return repeat->block_length > 0 && repeat->inserted == encoder->table.inserted &&
           repeat->count == encoder->table.count && !encoder->resized &&
           memcmp(repeat->fields, response->fields, response->fields_length) == 0 &&
           (response->date == NULL || memcmp(repeat->date, response->date, GN_DATE_LENGTH) == 0);
}

size_t gn_h2_response_repeat_write(struct gn_h2_response_repeat *repeat, const struct gn_h2_response *response,
                                   struct gn_hpack_encoder *encoder, uint8_t *to)
{
    bool alike = is_alike(&repeat->response, response);
    if (alike && is_kept(repeat, response, encoder)) {
        memcpy(to, repeat->block, repeat->block_length);
        return repeat->block_length;
    }
    uint32_t inserted = encoder->table.inserted, count = encoder->table.count;
    bool resized = encoder->resized;
    size_t length = gn_h2_response_write(response, encoder, to);
    repeat->response = *response;
    repeat->block_length = 0;
    // Kept where the one before was alike, and where writing it again would change nothing.
    if (!alike || resized || length > GN_H2_REPEAT_MAX || response->fields_length > GN_H2_REPEAT_FIELDS_MAX ||
        inserted != encoder->table.inserted || count != encoder->table.count)
        return length;
    memcpy(repeat->block, to, length);
    memcpy(repeat->fields, response->fields, response->fields_length);
    if (response->date != NULL)
        memcpy(repeat->date, response->date, GN_DATE_LENGTH);
    repeat->inserted = inserted;
    repeat->count = count;
    repeat->block_length = (uint32_t)length;
    return length;
}
