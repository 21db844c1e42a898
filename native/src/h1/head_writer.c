#include "h1/head_writer.h"

#include <string.h>

#include "http/head_block.h"

/* Writes the fields of a block whose texts stand `shift` bytes further than in what was received. Returns whether one of
   them is content-length. */
static bool write_fields(uint8_t *block, const struct gn_h1_field *from, uint32_t count, uint32_t shift)
{
    struct gn_head_field *fields = (struct gn_head_field *)(void *)(block + sizeof(struct gn_head_block));
    bool sized = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct gn_h1_field *field = &from[i];
        fields[i] = (struct gn_head_field){
            .name_offset = field->name + shift,
            .value_offset = field->value + shift,
            .value_length = field->value_length,
            .name_length = field->name_length,
            .token = field->token,
        };
        sized |= field->token == GN_FIELD_CONTENT_LENGTH;
    }
    return sized;
}

size_t gn_h1_head_size(const struct gn_h1_request *request)
{
    return gn_head_texts_offset(request->field_count) + request->head_length - request->start;
}

void gn_h1_head_write(uint8_t *block, const struct gn_h1_request *request, const uint8_t *bytes, uint64_t info)
{
    // The text is the received head itself, copied in one piece; every offset moves by the same distance.
    size_t texts = gn_head_texts_offset(request->field_count);
    uint32_t shift = (uint32_t)texts - request->start;
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
    if (write_fields(block, request->fields, request->field_count, shift))
        head->content_length = (int64_t)request->content_length;
    memcpy(block + texts, bytes + request->start, request->head_length - request->start);
}

size_t gn_h1_trailers_size(const struct gn_h1_trailers *trailers)
{
    return gn_head_texts_offset(trailers->field_count) + trailers->length;
}

void gn_h1_trailers_write(uint8_t *block, const struct gn_h1_trailers *trailers, const uint8_t *bytes)
{
    size_t texts = gn_head_texts_offset(trailers->field_count);
    struct gn_head_block *head = (struct gn_head_block *)(void *)block;
    *head = (struct gn_head_block){.field_count = (uint16_t)trailers->field_count};
    write_fields(block, trailers->fields, trailers->field_count, (uint32_t)texts);
    memcpy(block + texts, bytes, trailers->length);
}
