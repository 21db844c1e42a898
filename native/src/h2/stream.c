#include "h2/stream.h"

#include "conn/context.h"

#define CAPACITY_MIN 8U
#define STREAMS_POOLED_MAX 1024U

/* Ids of clients are odd, so that those of neighbours fall into neighbouring buckets. */
static uint32_t bucket_of(const struct gn_h2_streams *streams, uint32_t id)
{
    return id / 2 & (streams->capacity - 1);
}

struct gn_h2_stream *gn_h2_streams_find(const struct gn_h2_streams *streams, uint32_t id)
{
    if (streams->count == 0)
        return NULL;
    struct gn_h2_stream *stream = streams->buckets[bucket_of(streams, id)];
    while (stream != NULL && stream->id != id)
        stream = stream->next;
    return stream;
}

static bool grow(struct gn_context *context, struct gn_h2_streams *streams)
{
    struct gn_h2_streams grown = {.capacity = streams->capacity == 0 ? CAPACITY_MIN : streams->capacity * 2,
                                  .count = streams->count};
    grown.buckets = gn_memory_allocate(&context->memory, grown.capacity * sizeof(*grown.buckets));
    if (grown.buckets == NULL)
        return false;
    for (uint32_t i = 0; i < streams->capacity; i++) {
        for (struct gn_h2_stream *stream = streams->buckets[i], *next; stream != NULL; stream = next) {
            next = stream->next;
            struct gn_h2_stream **bucket = &grown.buckets[bucket_of(&grown, stream->id)];
            stream->next = *bucket;
            *bucket = stream;
        }
    }
    gn_memory_free(&context->memory, streams->buckets, streams->capacity * sizeof(*streams->buckets));
    *streams = grown;
    return true;
}

static struct gn_h2_stream *take(struct gn_context *context)
{
    struct gn_h2_stream *stream = context->stream_pool;
    if (stream == NULL)
        return gn_memory_allocate(&context->memory, sizeof(*stream));
    context->stream_pool = stream->next;
    context->streams_pooled--;
    *stream = (struct gn_h2_stream){0};
    return stream;
}

static void give_back(struct gn_context *context, struct gn_h2_stream *stream)
{
    gn_output_clear(context, &stream->input);
    gn_memory_free(&context->memory, stream->tail, stream->tail_length);
    if (stream->trailers != 0)
        gn_arena_free(&context->arena, stream->trailers);
    if (context->streams_pooled >= STREAMS_POOLED_MAX) {
        gn_memory_free(&context->memory, stream, sizeof(*stream));
        return;
    }
    stream->next = context->stream_pool;
    context->stream_pool = stream;
    context->streams_pooled++;
}

struct gn_h2_stream *gn_h2_streams_open(struct gn_context *context, struct gn_h2_streams *streams, uint32_t id)
{
    if (streams->count == streams->capacity && !grow(context, streams))
        return NULL;
    struct gn_h2_stream *stream = take(context);
    if (stream == NULL)
        return NULL;
    stream->id = id;
    gn_list_start(&stream->deliverable);
    gn_list_start(&stream->granted);
    gn_list_start(&stream->receive_wait.link);
    gn_list_start(&stream->send_wait.link);
    gn_h2_turn_start(&stream->turn);
    struct gn_h2_stream **bucket = &streams->buckets[bucket_of(streams, id)];
    stream->next = *bucket;
    *bucket = stream;
    streams->count++;
    return stream;
}

void gn_h2_streams_close(struct gn_context *context, struct gn_h2_streams *streams, struct gn_h2_stream *stream)
{
    struct gn_h2_stream **place = &streams->buckets[bucket_of(streams, stream->id)];
    while (*place != stream)
        place = &(*place)->next;
    *place = stream->next;
    streams->count--;
    give_back(context, stream);
}

void gn_h2_streams_end(struct gn_context *context, struct gn_h2_streams *streams)
{
    for (uint32_t i = 0; i < streams->capacity; i++) {
        for (struct gn_h2_stream *stream = streams->buckets[i], *next; stream != NULL; stream = next) {
            next = stream->next;
            give_back(context, stream);
        }
    }
    gn_memory_free(&context->memory, streams->buckets, streams->capacity * sizeof(*streams->buckets));
    *streams = (struct gn_h2_streams){0};
}

void gn_h2_stream_pool_end(struct gn_context *context)
{
    while (context->stream_pool != NULL) {
        struct gn_h2_stream *stream = context->stream_pool;
        context->stream_pool = stream->next;
        gn_memory_free(&context->memory, stream, sizeof(*stream));
    }
    context->streams_pooled = 0;
}
