#include "h2/prepared.h"

#include <errno.h>
#include <string.h>

#include "conn/context.h"
#include "h2/response.h"

static struct gn_h2_response describe(const struct gn_prepared *prepared)
{
    return (struct gn_h2_response){
        .status = prepared->status,
        .reason = prepared->reason,
        .fields = prepared->fields,
        .fields_length = prepared->fields_length,
        .has_length = prepared->status != 204 && (prepared->status != 304 || prepared->length_said),
        .length = prepared->status == 205 ? 0 : prepared->length, // RFC 9110 section 15.3.6
    };
}

int gn_h2_prepared_encode(struct gn_context *context, struct gn_prepared *prepared)
{
    struct gn_h2_response response = describe(prepared);
    size_t bound = gn_h2_response_bound(&response);
    struct gn_hpack_encoder encoder;
    gn_hpack_encoder_start(&encoder, &context->memory);
    gn_hpack_encoder_allow(&encoder, 0); // nothing is inserted
    prepared->block = gn_memory_allocate(&context->memory, bound);
    if (prepared->block == NULL)
        return -ENOMEM;
    prepared->block_size = (uint32_t)bound;
    uint8_t begin[GN_HPACK_BEGIN_MAX];
    gn_hpack_encode_begin(&encoder, begin); // it is another table whose size changed
    prepared->block_length = (uint32_t)gn_h2_response_write(&response, &encoder, prepared->block);
    gn_hpack_encoder_end(&encoder);
    return 0;
}

size_t gn_h2_prepared_bound(const struct gn_prepared *prepared)
{
    return prepared->block_size;
}

size_t gn_h2_prepared_write(const struct gn_prepared *prepared, struct gn_hpack_encoder *encoder, bool head_only,
                            const char *date, uint8_t *to)
{
    // Only GET knows that there is nothing: HEAD may stand for more (behaviour C6).
    if (head_only && gn_prepared_has_content(prepared) && !prepared->length_said && prepared->body_length == 0) {
        struct gn_h2_response response = describe(prepared);
        response.has_length = false;
        response.date = date;
        return gn_h2_response_write(&response, encoder, to);
    }
    uint8_t *end = gn_hpack_encode_begin(encoder, to);
    memcpy(end, prepared->block, prepared->block_length);
    end += prepared->block_length;
    if (date != NULL && !prepared->dated)
        end = gn_hpack_encode_field(encoder, end, GN_FIELD_DATE, NULL, 0, (const uint8_t *)date, GN_DATE_LENGTH);
    return (size_t)(end - to);
}
