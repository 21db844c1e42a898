#include "conn/output.h"

#include <string.h>

#include "conn/context.h"

/* The first block of a queue is small, since most responses are; later ones are as large as what is there, up to what is
   for bulk: a connection of HTTP/2 has hundreds of queues, and who fills them would say how little stands in each. */
#define FIRST_BLOCK 4096U
#define BULK_BLOCK 32768U
#define SEGMENTS_POOLED_MAX 1024U

struct gn_segment {
    union {
        struct gn_segment *next;
        struct gn_list pooled;
    };
    uint64_t block;               /* 0: `bytes` are of the C heap, or of `prepared` */
    struct gn_prepared *prepared; /* NULL: they are its own */
    uint8_t *bytes;
    uint32_t begin, end, capacity;
};

static struct gn_segment *take_segment(struct gn_context *context)
{
    struct gn_list *link = gn_list_take(&context->segments);
    if (link == NULL)
        return gn_memory_allocate(&context->memory, sizeof(struct gn_segment));
    context->segments_pooled--;
    return gn_list_owner(link, struct gn_segment, pooled);
}

static void free_segment(struct gn_context *context, struct gn_segment *segment)
{
    if (context->segments_pooled >= SEGMENTS_POOLED_MAX) {
        gn_memory_free(&context->memory, segment, sizeof(*segment));
        return;
    }
    // To the front: the segment that was used last is the one that is still in the cache.
    gn_list_prepend(&context->segments, &segment->pooled);
    context->segments_pooled++;
}

void gn_output_pool_end(struct gn_context *context)
{
    struct gn_list *link;
    while ((link = gn_list_take(&context->segments)) != NULL)
        gn_memory_free(&context->memory, gn_list_owner(link, struct gn_segment, pooled), sizeof(struct gn_segment));
    context->segments_pooled = 0;
}

/* A response whose memory the arena does not have now must not die of it: the slab that is asked for comes a turn later.
   Credit bounds what a connection can hold, GN_SPARE_MAX bounds the sum. */
static bool take_heap(struct gn_context *context, const struct gn_output *output, struct gn_segment *segment,
                      size_t length)
{
    segment->bytes = gn_context_spare(context, output, (size_t)output->length, length);
    segment->capacity = (uint32_t)length;
    return segment->bytes != NULL;
}

static void link_segment(struct gn_output *output, struct gn_segment *segment)
{
    if (output->last == NULL)
        output->first = segment;
    else
        output->last->next = segment;
    output->last = segment;
}

static bool add_segment(struct gn_context *context, struct gn_output *output, size_t length)
{
    struct gn_segment *segment = take_segment(context);
    if (segment == NULL)
        return false;
    uint64_t block = gn_arena_allocate(&context->arena, GN_ARENA_BODY_OUT, length);
    *segment = (struct gn_segment){.block = block};
    if (block != 0) {
        segment->bytes = gn_arena_bytes(&context->arena, block);
        segment->capacity = (uint32_t)gn_arena_capacity(&context->arena, block);
    } else if (!take_heap(context, output, segment, length)) {
        free_segment(context, segment);
        return false;
    }
    link_segment(output, segment);
    return true;
}

bool gn_output_refer(struct gn_context *context, struct gn_output *output, struct gn_prepared *prepared)
{
    struct gn_segment *segment = take_segment(context);
    if (segment == NULL)
        return false;
    // Its capacity is used up, so nothing is ever written behind it.
    *segment = (struct gn_segment){.prepared = prepared, .bytes = prepared->body, .capacity = prepared->body_length};
    prepared->references++;
    link_segment(output, segment);
    gn_output_commit(output, prepared->body_length);
    return true;
}

static void drop_first(struct gn_context *context, struct gn_output *output)
{
    struct gn_segment *segment = output->first;
    output->first = segment->next;
    if (output->first == NULL)
        output->last = NULL;
    if (segment->block != 0) {
        gn_arena_free(&context->arena, segment->block);
    } else if (segment->prepared != NULL) {
        gn_prepared_release(context, segment->prepared);
    } else {
        gn_context_give_back(context, segment->bytes, segment->capacity);
    }
    free_segment(context, segment);
}

static size_t block_size(const struct gn_output *output, size_t length)
{
    bool first = output->last == NULL || output->last->prepared != NULL; // behind a prepared body a head stands
    size_t size = first || output->length < FIRST_BLOCK ? FIRST_BLOCK : (size_t)output->length;
    size = size < BULK_BLOCK ? size : BULK_BLOCK;
    return length > size ? length : size;
}

uint8_t *gn_output_reserve(struct gn_context *context, struct gn_output *output, size_t length)
{
    struct gn_segment *last = output->last;
    if (last == NULL || last->capacity - last->end < length) {
        if (!add_segment(context, output, block_size(output, length)))
            return NULL;
        last = output->last;
    }
    return last->bytes + last->end;
}

void gn_output_commit(struct gn_output *output, size_t length)
{
    output->last->end += (uint32_t)length;
    output->length += length;
}

bool gn_output_append(struct gn_context *context, struct gn_output *output, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    while (length > 0) {
        struct gn_segment *last = output->last;
        if (last == NULL || last->end == last->capacity) {
            if (!add_segment(context, output, length < BULK_BLOCK ? block_size(output, length) : BULK_BLOCK))
                return false;
            last = output->last;
        }
        size_t piece = last->capacity - last->end;
        if (piece > length)
            piece = length;
        memcpy(last->bytes + last->end, from, piece);
        gn_output_commit(output, piece);
        from += piece;
        length -= piece;
    }
    return true;
}

unsigned gn_output_parts(const struct gn_output *output, struct iovec *parts, unsigned count)
{
    unsigned used = 0;
    for (struct gn_segment *segment = output->first; segment != NULL && used < count; segment = segment->next) {
        if (segment->end > segment->begin)
            parts[used++] = (struct iovec){segment->bytes + segment->begin, segment->end - segment->begin};
    }
    return used;
}

uint64_t gn_output_spare(const struct gn_output *output)
{
    uint64_t bytes = 0;
    for (const struct gn_segment *segment = output->first; segment != NULL; segment = segment->next)
        bytes += segment->block == 0 && segment->prepared == NULL ? segment->capacity : 0;
    return bytes;
}

void gn_output_advance(struct gn_context *context, struct gn_output *output, size_t length)
{
    output->length -= length;
    while (output->first != NULL) {
        struct gn_segment *segment = output->first;
        size_t waiting = segment->end - segment->begin;
        if (waiting > length) {
            segment->begin += (uint32_t)length;
            return;
        }
        length -= waiting;
        drop_first(context, output);
    }
}

void gn_output_take(struct gn_context *context, struct gn_output *output, uint8_t *to, size_t length)
{
    while (length > 0) {
        const struct gn_segment *first = output->first;
        size_t waiting = first->end - first->begin, step = waiting < length ? waiting : length;
        memcpy(to, first->bytes + first->begin, step);
        gn_output_advance(context, output, step);
        to += step;
        length -= step;
    }
}

void gn_output_move(struct gn_output *output, struct gn_output *from)
{
    if (from->first == NULL)
        return;
    if (output->last == NULL)
        output->first = from->first;
    else
        output->last->next = from->first;
    output->last = from->last;
    output->length += from->length;
    *from = (struct gn_output){0};
}

void gn_output_clear(struct gn_context *context, struct gn_output *output)
{
    while (output->first != NULL)
        drop_first(context, output);
    output->length = 0;
}
