#include "h1/prepared.h"

#include <errno.h>
#include <string.h>

#include "conn/context.h"

/* The most bytes of a head, so that it finds room in one piece of output, body and all. */
#define HEAD_MAX (512U << 10)

/* Fills in what is the same for all who get it. */
static void describe(const struct gn_prepared *prepared, struct gn_h1_response *response)
{
    response->status = prepared->status;
    response->reason = prepared->reason;
    response->fields = prepared->fields;
    response->fields_length = prepared->fields_length;
    response->has_length = prepared->status != 204 && (prepared->status != 304 || prepared->length_said);
    response->length = prepared->status == 205 ? 0 : prepared->length; // RFC 9110 section 15.3.6
}

int gn_h1_prepared_encode(struct gn_context *context, struct gn_prepared *prepared)
{
    struct gn_h1_response response = {0};
    describe(prepared, &response);
    size_t bound = gn_h1_response_bound(&response);
    if (prepared->status < 200 || prepared->status > 999 || bound == 0 || bound > HEAD_MAX || response.coded)
        return -EINVAL;
    if (gn_prepared_has_content(prepared) && prepared->length != prepared->body_length)
        return -EINVAL;
    prepared->encoded = gn_memory_allocate(&context->memory, bound);
    if (prepared->encoded == NULL)
        return -ENOMEM;
    prepared->encoded_size = (uint32_t)bound;
    prepared->encoded_length = (uint32_t)gn_h1_response_write_fixed(&response, prepared->encoded, &prepared->dated);
    return 0;
}

size_t gn_h1_prepared_write(const struct gn_prepared *prepared, struct gn_h1_response *response, bool head_only,
                            uint8_t *bytes)
{
    // Only GET knows that there is nothing: HEAD may stand for more (behaviour C6).
    bool silent =
        head_only && gn_prepared_has_content(prepared) && !prepared->length_said && prepared->body_length == 0;
    if (!silent && !response->title_case) {
        memcpy(bytes, prepared->encoded, prepared->encoded_length);
        return prepared->encoded_length +
               gn_h1_response_write_varying(response, prepared->dated, bytes + prepared->encoded_length);
    }
    describe(prepared, response);
    response->has_length = response->has_length && !silent;
    return gn_h1_response_write(response, bytes);
}
