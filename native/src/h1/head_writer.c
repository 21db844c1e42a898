#include "h1/head_writer.h"

#include <string.h>

#include "http/head_block.h"

static size_t texts_offset(const struct gn_h1_request *request)
{
    return sizeof(struct gn_head_block) + request->field_count * sizeof(struct gn_head_field);
}

size_t gn_h1_head_size(const struct gn_h1_request *request)
{
    return texts_offset(request) + request->head_length - request->start;
}

void gn_h1_head_write(uint8_t *block, const struct gn_h1_request *request, const uint8_t *bytes, uint64_t info)
{
    // The text is the received head itself, copied in one piece; every offset moves by the same distance.
    uint32_t shift = (uint32_t)texts_offset(request) - request->start;
    struct gn_head_block *head = (struct gn_head_block *)(void *)block;
    unsigned flags = request->keep_alive ? GN_HEAD_KEEP_ALIVE : 0;
    flags |= request->scheme_https ? GN_HEAD_HTTPS : 0;
    flags |= request->expect_continue ? GN_HEAD_EXPECT_CONTINUE : 0;
    flags |= request->upgrade ? GN_HEAD_UPGRADE : 0;
    flags |= request->trailers_accepted ? GN_HEAD_TRAILERS : 0;
    *head = (struct gn_head_block){
        .method = request->method,
        .version = (uint8_t)(10 + request->version),
        .form = request->target_form,
        .flags = (uint16_t)flags,
        .field_count = (uint16_t)request->field_count,
        .content_length = -1,
        .info = info,
        .method_offset = request->start + shift,
        .method_length = request->method_length,
        .target_offset = request->target + shift,
        .target_length = request->target_length,
        .path_offset = request->path + shift,
        .path_length = request->path_length,
        .query_offset = request->query == 0 ? 0 : request->query + shift,
        .query_length = request->query_length,
        .authority_offset = request->authority + shift,
        .authority_length = request->authority_length,
    };
    struct gn_head_field *fields = (struct gn_head_field *)(void *)(block + sizeof(*head));
    for (uint32_t i = 0; i < request->field_count; i++) {
        const struct gn_h1_field *field = &request->fields[i];
        fields[i] = (struct gn_head_field){
            .name_offset = field->name + shift,
            .value_offset = field->value + shift,
            .value_length = field->value_length,
            .name_length = field->name_length,
            .token = field->token,
        };
        if (field->token == GN_FIELD_CONTENT_LENGTH)
            head->content_length = (int64_t)request->content_length;
    }
    memcpy(block + texts_offset(request), bytes + request->start, request->head_length - request->start);
}
