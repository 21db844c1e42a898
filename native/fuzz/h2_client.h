/*
 * A client of HTTP/2 for the fuzzer: it sends what it is told, and keeps its own books of windows, settings and streams
 * (RFC 9113), against which each frame of the server is held. It shares the frame functions and HPACK with the core, and
 * nothing else.
 *
 * It is honest until it is told to send what is wrong; blind once it does not know any more what it has said, and then
 * only frames and field blocks are checked.
 */
#ifndef GN_FUZZ_H2_CLIENT_H
#define GN_FUZZ_H2_CLIENT_H

#include "fuzz.h"
#include "h2/frame.h"
#include "h2/hpack_decoder.h"
#include "h2/hpack_encoder.h"
#include "http/field_name.h"
#include "io/io_memory.h"

#define CLIENT_STREAMS 40U
#define CLIENT_SETTINGS 8U
#define CLIENT_NUMBER_NONE (-1)

/* What bodies consist of: the octets of number n. */
static inline uint8_t client_octet(uint64_t number, uint64_t at)
{
    return (uint8_t)('a' + (number * 7 + at + at / 26) % 26);
}

struct client_stream {
    uint32_t id;
    /* what it sends */
    bool head_request, connect, expecting;
    bool ended;       /* END_STREAM */
    bool reset;       /* RST_STREAM */
    int64_t declared; /* Content-Length, or -1 */
    uint64_t sent;    /* octets of DATA without padding */
    int64_t window;   /* what it may send */
    bool trailers;    /* it sent some */
    /* what it receives */
    bool answered; /* a final head */
    bool got_end, got_reset, got_trailers;
    uint32_t code;     /* of the server's RST_STREAM */
    unsigned status;   /* of the final head */
    int64_t number;    /* x-id */
    int64_t length;    /* Content-Length, or -1 */
    uint64_t received; /* octets of DATA */
    uint64_t granted;  /* by WINDOW_UPDATE */
    unsigned interims;
};

struct client_values {
    uint32_t window, frame, table;
};

struct client {
    struct gn_io_memory_peer *peer;
    struct gn_memory memory;
    struct gn_hpack_decoder decoder;
    struct gn_hpack_encoder encoder;
    uint8_t *out, *in, *block;
    size_t out_length, out_room, in_length, in_room, block_length, block_room;
    uint32_t block_stream; /* 0: no field block is in hand */
    bool block_end;
    struct client_stream streams[CLIENT_STREAMS];
    uint32_t stream_count;

    /* What the server may send. */
    struct client_values values, pending[CLIENT_SETTINGS]; /* acknowledged, and sent */
    unsigned pending_count;
    uint64_t received, granted; /* of the connection */
    unsigned pings;             /* without an answer */

    /* What this side may send. */
    int64_t window, initial_window, window_most, stream_window_most;
    uint32_t frame_most, streams_most;

    bool greeted; /* the server's SETTINGS came */
    bool refused; /* it was answered as a client of HTTP/1 */
    bool honest, blind;
    bool finished; /* it sends nothing any more */
    bool gone;     /* it was reset from here */
    bool goaway;
    uint32_t goaway_last, goaway_code;
};

static inline uint8_t *client_grow(uint8_t *bytes, size_t *room, size_t needed)
{
    if (needed <= *room)
        return bytes;
    *room = needed * 2 + 64;
    bytes = realloc(bytes, *room);
    HOLDS(bytes != NULL);
    return bytes;
}

static inline struct client_stream *client_stream(struct client *client, uint32_t id)
{
    for (uint32_t i = client->stream_count; i-- > 0;)
        if (client->streams[i].id == id)
            return &client->streams[i];
    return NULL;
}

/* Whether a stream is open or half-closed, as far as this side knows. */
static inline bool client_is_open(const struct client_stream *stream)
{
    return !stream->reset && !stream->got_reset && !(stream->ended && stream->got_end);
}

static inline uint32_t client_open_streams(const struct client *client)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < client->stream_count; i++)
        count += client_is_open(&client->streams[i]);
    return count;
}

/* ---- what it sends ---- */

static inline void client_raw(struct client *client, const void *bytes, size_t length)
{
    if (client->finished || length == 0)
        return;
    client->out = client_grow(client->out, &client->out_room, client->out_length + length);
    memcpy(client->out + client->out_length, bytes, length);
    client->out_length += length;
}

static inline void client_frame(struct client *client, unsigned type, unsigned flags, uint32_t stream,
                                const void *payload, size_t length)
{
    uint8_t header[GN_H2_FRAME_HEADER];
    gn_h2_frame_write(header, (uint32_t)length, (enum gn_h2_frame_type)type, flags, stream);
    client_raw(client, header, sizeof(header));
    client_raw(client, payload, length);
}

/* Gives the network up to `most` bytes of what is queued. */
static inline void client_flush(struct client *client, size_t most)
{
    size_t length = client->out_length < most ? client->out_length : most;
    if (length == 0 || client->peer == NULL)
        return;
    length = gn_io_memory_write(client->peer, client->out, length);
    client->out_length -= length;
    memmove(client->out, client->out + length, client->out_length);
}

static inline void client_settings(struct client *client, struct client_values values)
{
    uint8_t payload[3 * GN_H2_SETTING_LENGTH], *to = payload;
    const struct {
        unsigned setting;
        uint32_t value;
    } settings[] = {{GN_H2_HEADER_TABLE_SIZE, values.table},
                    {GN_H2_INITIAL_WINDOW_SIZE, values.window},
                    {GN_H2_MAX_FRAME_SIZE, values.frame}};
    if (client->pending_count == CLIENT_SETTINGS)
        return;
    for (unsigned i = 0; i < 3; i++) {
        to[0] = 0;
        to[1] = (uint8_t)settings[i].setting;
        to = gn_h2_write_32(to + 2, settings[i].value);
    }
    client->pending[client->pending_count++] = values;
    client_frame(client, GN_H2_SETTINGS, 0, 0, payload, sizeof(payload));
}

static inline void client_grant(struct client *client, struct client_stream *stream, uint32_t more)
{
    uint8_t payload[4];
    uint64_t *granted = stream == NULL ? &client->granted : &stream->granted;
    if (*granted + more > GN_H2_WINDOW_MAX / 4) // far from every overflow
        return;
    *granted += more;
    gn_h2_write_32(payload, more);
    client_frame(client, GN_H2_WINDOW_UPDATE, 0, stream == NULL ? 0 : stream->id, payload, 4);
}

static inline void client_reset(struct client *client, struct client_stream *stream, uint32_t code)
{
    uint8_t payload[4];
    gn_h2_write_32(payload, code);
    client_frame(client, GN_H2_RST_STREAM, 0, stream->id, payload, 4);
    stream->reset = true;
}

static inline void client_ping(struct client *client)
{
    client->pings++;
    client_frame(client, GN_H2_PING, 0, 0, "12345678", 8);
}

/* How a field block goes out. */
struct client_block {
    bool end, priority;
    uint8_t padding; /* 0: none */
    unsigned pieces; /* frames */
};

static inline void client_send_block(struct client *client, uint32_t id, struct client_block how, const uint8_t *block,
                                     size_t length)
{
    static uint8_t payload[65536];
    unsigned pieces = how.pieces == 0 ? 1 : how.pieces;
    size_t each = length / pieces, used = 0;
    for (unsigned i = 0; i < pieces; i++) {
        size_t piece = i + 1 == pieces ? length - used : each, at = 0;
        unsigned flags = i + 1 == pieces ? GN_H2_END_HEADERS : 0;
        if (i == 0) {
            flags |= (how.end ? GN_H2_END_STREAM : 0U) | (how.padding ? GN_H2_PADDED : 0U) |
                     (how.priority ? GN_H2_HAS_PRIORITY : 0U);
            if (how.padding)
                payload[at++] = how.padding;
            if (how.priority)
                memset(payload + at, 0, 5);
            at += how.priority ? 5 : 0;
        }
        memcpy(payload + at, block + used, piece);
        at += piece;
        if (i == 0 && how.padding) {
            memset(payload + at, 0, how.padding);
            at += how.padding;
        }
        client_frame(client, i == 0 ? GN_H2_HEADERS : GN_H2_CONTINUATION, flags, id, payload, at);
        used += piece;
    }
}

static inline uint8_t *client_field(struct client *client, uint8_t *to, const char *name, const char *value)
{
    return gn_hpack_encode_field(&client->encoder, to, GN_FIELD_OTHER, (const uint8_t *)name, strlen(name),
                                 (const uint8_t *)value, strlen(value));
}

struct client_request {
    const char *method;
    int64_t declared;
    bool expect, extended;
    const char *priority;
    unsigned fields; /* further ones */
};

/* Opens the next stream; NULL: there is no place for it. */
static inline struct client_stream *client_request(struct client *client, unsigned number, uint32_t skipped_ids,
                                                   struct client_request request, struct client_block how)
{
    static uint8_t block[16384];
    char text[64];
    if (client->stream_count == CLIENT_STREAMS || client->goaway || client->finished)
        return NULL;
    uint32_t last = client->stream_count == 0 ? UINT32_MAX : client->streams[client->stream_count - 1].id;
    struct client_stream *stream = &client->streams[client->stream_count++];
    *stream = (struct client_stream){.id = last + 2 + 2 * skipped_ids,
                                     .declared = request.declared,
                                     .window = client->initial_window,
                                     .number = CLIENT_NUMBER_NONE,
                                     .length = -1,
                                     .ended = how.end,
                                     .expecting = request.expect,
                                     .head_request = strcmp(request.method, "HEAD") == 0,
                                     .connect = strcmp(request.method, "CONNECT") == 0};
    uint8_t *to = gn_hpack_encode_begin(&client->encoder, block);
    to = client_field(client, to, ":method", request.method);
    if (!stream->connect || request.extended) {
        to = client_field(client, to, ":scheme", "http");
        snprintf(text, sizeof(text), "/%u/%u", number, stream->id);
        to = client_field(client, to, ":path", text);
    }
    if (stream->connect && request.extended)
        to = client_field(client, to, ":protocol", "echo");
    snprintf(text, sizeof(text), "%u.%u", number, stream->id); // so that CONNECT has a name, too
    to = client_field(client, to, ":authority", stream->connect && !request.extended ? strcat(text, ":1") : "h");
    if (request.declared >= 0) {
        snprintf(text, sizeof(text), "%lld", (long long)request.declared);
        to = client_field(client, to, "content-length", text);
    }
    if (request.expect)
        to = client_field(client, to, "expect", "100-continue");
    if (request.priority != NULL)
        to = client_field(client, to, "priority", request.priority);
    for (unsigned i = 0; i < request.fields; i++) {
        snprintf(text, sizeof(text), "x-%u", i % 7);
        to = client_field(client, to, text, "some value that is neither short nor long");
    }
    client_send_block(client, stream->id, how, block, (size_t)(to - block));
    return stream;
}

static inline void client_trailers(struct client *client, struct client_stream *stream, struct client_block how)
{
    uint8_t block[256], *to = gn_hpack_encode_begin(&client->encoder, block);
    to = client_field(client, to, "x-end", "yes");
    how.end = stream->ended = stream->trailers = true;
    client_send_block(client, stream->id, how, block, (size_t)(to - block));
}

/* DATA of up to `length` octets, as far as windows and the declared length let it; with an end only if it may end. */
static inline void client_data(struct client *client, struct client_stream *stream, size_t length, uint8_t padding,
                               bool end)
{
    static uint8_t payload[65536];
    int64_t most = stream->window < client->window ? stream->window : client->window;
    most = most < client->frame_most ? most : client->frame_most;
    most -= padding == 0 ? 0 : padding + 1;
    if (most < 0)
        return;
    if (stream->declared >= 0 && most > stream->declared - (int64_t)stream->sent)
        most = stream->declared - (int64_t)stream->sent;
    length = (int64_t)length < most ? length : (size_t)most;
    end = end && (stream->declared < 0 || stream->sent + length == (uint64_t)stream->declared);
    size_t at = 0;
    if (padding)
        payload[at++] = padding;
    for (size_t i = 0; i < length; i++)
        payload[at++] = client_octet(stream->id, stream->sent + i);
    memset(payload + at, 0, padding);
    at += padding;
    client_frame(client, GN_H2_DATA, (end ? GN_H2_END_STREAM : 0U) | (padding ? GN_H2_PADDED : 0U), stream->id, payload,
                 at);
    stream->window -= (int64_t)at;
    client->window -= (int64_t)at;
    stream->sent += length;
    stream->ended |= end;
}

/* ---- what it reads ---- */

static inline uint64_t client_most(const struct client *client, size_t offset)
{
    uint32_t most = 0, value;
    memcpy(&most, (const uint8_t *)&client->values + offset, sizeof(most));
    for (unsigned i = 0; i < client->pending_count; i++) {
        memcpy(&value, (const uint8_t *)&client->pending[i] + offset, sizeof(value));
        most = value > most ? value : most;
    }
    return most;
}

/* How much the server may still send; negative after a window was made smaller. */
static inline int64_t client_room(const struct client *client)
{
    return (int64_t)(GN_H2_WINDOW_DEFAULT + client->granted) - (int64_t)client->received;
}

static inline int64_t client_stream_room(const struct client *client, const struct client_stream *stream)
{
    return (int64_t)(client_most(client, offsetof(struct client_values, window)) + stream->granted) -
           (int64_t)stream->received;
}

static inline void client_take_data(struct client *client, struct client_stream *stream, const uint8_t *payload,
                                    const struct gn_h2_frame *frame)
{
    HOLDS((frame->flags & ~GN_H2_END_STREAM) == 0);
    HOLDS(stream->answered && !stream->got_end && !stream->got_reset);
    HOLDS(frame->length > 0 || (frame->flags & GN_H2_END_STREAM));
    HOLDS(stream->number != CLIENT_NUMBER_NONE);
    for (uint32_t i = 0; i < frame->length; i++)
        HOLDS(payload[i] == client_octet((uint64_t)stream->number, stream->received + i));
    stream->received += frame->length;
    client->received += frame->length;
    stream->got_end = frame->flags & GN_H2_END_STREAM;
    if (frame->length > 0 && !client->blind) {
        HOLDS(client_room(client) >= 0);
        HOLDS(client_stream_room(client, stream) >= 0);
    }
    HOLDS(stream->length < 0 || (int64_t)stream->received <= stream->length);
    HOLDS(stream->length < 0 || !stream->got_end || (int64_t)stream->received == stream->length);
}

static inline bool client_is(const struct gn_hpack_list *list, const struct gn_hpack_field *field, const char *name)
{
    return field->name_length == strlen(name) && memcmp(list->octets + field->name, name, field->name_length) == 0;
}

static inline int64_t client_number(const struct gn_hpack_list *list, const struct gn_hpack_field *field)
{
    char text[24];
    HOLDS(field->value_length > 0 && field->value_length < sizeof(text));
    memcpy(text, list->octets + field->value, field->value_length);
    text[field->value_length] = '\0';
    return strtoll(text, NULL, 10);
}

static inline void client_take_fields(struct client_stream *stream, const struct gn_hpack_list *list, bool end)
{
    int64_t status = 0, number = CLIENT_NUMBER_NONE, length = -1;
    HOLDS(!stream->got_end && !stream->got_reset);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct gn_hpack_field *field = &list->fields[i];
        if (client_is(list, field, ":status")) {
            HOLDS(i == 0);
            status = client_number(list, field);
        } else if (client_is(list, field, "x-id")) {
            number = client_number(list, field);
        } else if (client_is(list, field, "content-length")) {
            HOLDS(length == -1);
            length = client_number(list, field);
        }
    }
    if (stream->answered) { // trailers
        HOLDS(status == 0 && end);
        HOLDS(stream->length < 0 || (int64_t)stream->received == stream->length);
        stream->got_trailers = true;
    } else if (status < 200) {
        HOLDS(status >= 100 && status != 101 && !end);
        stream->interims++;
    } else {
        HOLDS(status <= 999);
        stream->answered = true;
        stream->status = (unsigned)status;
        stream->number = number;
        bool empty = stream->head_request || status == 204 || status == 205 || status == 304;
        HOLDS(!empty || end);
        HOLDS(!end || empty || length == 0);
        stream->length = empty ? 0 : length;
        // What C says by itself has no content.
        HOLDS(number != CLIENT_NUMBER_NONE || (status >= 400 && end));
    }
    stream->got_end = end;
}

static inline void client_take_block(struct client *client)
{
    static struct gn_hpack_field fields[64];
    struct gn_hpack_list list = {.fields = fields, .fields_max = 64, .size_max = 65536};
    list.octets = malloc(gn_hpack_octets_needed(&client->decoder, list.size_max, client->block_length));
    HOLDS(list.octets != NULL);
    enum gn_hpack_status status = gn_hpack_decode(&client->decoder, client->block, client->block_length, &list);
    HOLDS(status == GN_HPACK_OK && !list.malformed && !list.too_large);
    struct client_stream *stream = client_stream(client, client->block_stream);
    HOLDS(stream != NULL || client->blind);
    if (stream != NULL)
        client_take_fields(stream, &list, client->block_end);
    free(list.octets);
    client->block_length = 0;
    client->block_stream = 0;
}

static inline void client_take_fragment(struct client *client, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    if (frame->type == GN_H2_HEADERS) {
        HOLDS((frame->flags & ~(GN_H2_END_STREAM | GN_H2_END_HEADERS)) == 0);
        client->block_stream = frame->stream;
        client->block_end = frame->flags & GN_H2_END_STREAM;
    } else {
        HOLDS((frame->flags & ~GN_H2_END_HEADERS) == 0 && frame->length > 0);
    }
    client->block = client_grow(client->block, &client->block_room, client->block_length + frame->length);
    memcpy(client->block + client->block_length, payload, frame->length);
    client->block_length += frame->length;
    if (frame->flags & GN_H2_END_HEADERS)
        client_take_block(client);
}

static inline void client_take_settings(struct client *client, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    if (frame->flags & GN_H2_ACK) {
        HOLDS(frame->length == 0);
        HOLDS(client->pending_count > 0 || client->blind);
        if (client->pending_count == 0)
            return;
        client->values = client->pending[0];
        client->pending_count--;
        memmove(client->pending, client->pending + 1, client->pending_count * sizeof(client->pending[0]));
        gn_hpack_decoder_allow(&client->decoder, client->values.table);
        return;
    }
    HOLDS(frame->length % GN_H2_SETTING_LENGTH == 0);
    client->greeted = true;
    for (uint32_t at = 0; at < frame->length; at += GN_H2_SETTING_LENGTH) {
        unsigned setting = (unsigned)payload[at] << 8 | payload[at + 1];
        uint32_t value = gn_h2_read_32(payload + at + 2);
        HOLDS(gn_h2_setting_check(setting, value) == GN_H2_NO_ERROR);
        if (setting == GN_H2_INITIAL_WINDOW_SIZE) {
            for (uint32_t i = 0; i < client->stream_count; i++)
                client->streams[i].window += (int64_t)value - client->initial_window;
            client->initial_window = value;
            client->stream_window_most = value > client->stream_window_most ? value : client->stream_window_most;
        } else if (setting == GN_H2_MAX_FRAME_SIZE) {
            client->frame_most = value < 65000 ? value : 65000;
        } else if (setting == GN_H2_HEADER_TABLE_SIZE) {
            gn_hpack_encoder_allow(&client->encoder, value);
        } else if (setting == GN_H2_MAX_CONCURRENT_STREAMS) {
            client->streams_most = value;
        }
    }
    client_frame(client, GN_H2_SETTINGS, GN_H2_ACK, 0, NULL, 0);
}

static inline void client_take_window(struct client *client, struct client_stream *stream, uint32_t more)
{
    HOLDS(more > 0 && more <= GN_H2_WINDOW_MAX);
    if (stream == NULL) {
        client->window += more;
        HOLDS(client->blind || client->window <= client->window_most);
    } else {
        HOLDS(!stream->got_reset);
        stream->window += more;
        HOLDS(client->blind || stream->window <= client->stream_window_most);
    }
}

static inline void client_take_frame(struct client *client, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct client_stream *stream = frame->stream == 0 ? NULL : client_stream(client, frame->stream);
    HOLDS(client->greeted || (frame->type == GN_H2_SETTINGS && !(frame->flags & GN_H2_ACK)));
    HOLDS((client->block_stream != 0) == (frame->type == GN_H2_CONTINUATION));
    HOLDS(client->block_stream == 0 || client->block_stream == frame->stream);
    HOLDS(frame->stream == 0 || stream != NULL || client->blind);
    HOLDS(!client->goaway || frame->stream <= client->goaway_last || client->blind);
    switch (frame->type) {
    case GN_H2_DATA:
        HOLDS(stream != NULL || (client->blind && frame->stream != 0));
        if (stream != NULL)
            client_take_data(client, stream, payload, frame);
        break;
    case GN_H2_HEADERS:
    case GN_H2_CONTINUATION:
        HOLDS(frame->stream != 0);
        client_take_fragment(client, frame, payload);
        break;
    case GN_H2_RST_STREAM:
        HOLDS(frame->length == 4 && frame->stream != 0);
        if (stream == NULL)
            break;
        HOLDS(!stream->got_reset || !client->honest);
        stream->got_reset = true;
        stream->code = gn_h2_read_32(payload);
        break;
    case GN_H2_SETTINGS:
        HOLDS(frame->stream == 0);
        client_take_settings(client, frame, payload);
        break;
    case GN_H2_PING:
        HOLDS(frame->stream == 0 && frame->length == 8);
        if (!(frame->flags & GN_H2_ACK)) {
            client_frame(client, GN_H2_PING, GN_H2_ACK, 0, payload, 8);
            break;
        }
        HOLDS(client->blind || (client->pings > 0 && memcmp(payload, "12345678", 8) == 0));
        client->pings -= client->pings > 0;
        break;
    case GN_H2_GOAWAY:
        HOLDS(frame->stream == 0 && frame->length >= 8);
        HOLDS(!client->goaway || gn_h2_read_32(payload) <= client->goaway_last);
        client->goaway = true;
        client->goaway_last = gn_h2_read_32(payload);
        client->goaway_code = gn_h2_read_32(payload + 4);
        break;
    case GN_H2_WINDOW_UPDATE:
        HOLDS(frame->length == 4 && (stream != NULL || frame->stream == 0 || client->blind));
        if (stream != NULL || frame->stream == 0)
            client_take_window(client, stream, gn_h2_read_32(payload));
        break;
    default:
        HOLDS(false); // no frame of a server
    }
}

/* Reads up to `most` bytes and acts on the frames that are whole. */
static inline void client_read(struct client *client, size_t most)
{
    size_t there = gn_io_memory_sent(client->peer, NULL), used = 0;
    there = there < most ? there : most;
    client->in = client_grow(client->in, &client->in_room, client->in_length + there + 1);
    if (there > 0)
        client->in_length += gn_io_memory_read(client->peer, client->in + client->in_length, there);
    // Whose preface did not come in time is answered as one of HTTP/1.
    if (client->refused || (!client->greeted && client->in_length > 0 && client->in[0] == 'H')) {
        client->refused = true;
        client->honest = false;
        client->in_length = 0;
        return;
    }
    while (client->in_length - used >= GN_H2_FRAME_HEADER) {
        struct gn_h2_frame frame = gn_h2_frame_read(client->in + used);
        HOLDS(client->blind || frame.length <= client_most(client, offsetof(struct client_values, frame)));
        if (client->in_length - used - GN_H2_FRAME_HEADER < frame.length)
            break;
        client_take_frame(client, &frame, client->in + used + GN_H2_FRAME_HEADER);
        used += GN_H2_FRAME_HEADER + frame.length;
    }
    client->in_length -= used;
    memmove(client->in, client->in + used, client->in_length);
}

/* ---- its life ---- */

/* `window`: what the server's connection window may be. */
static inline void client_start(struct client *client, struct gn_io_memory_peer *peer, uint64_t window)
{
    *client = (struct client){
        .peer = peer,
        .honest = true,
        .values = {GN_H2_WINDOW_DEFAULT, GN_H2_FRAME_SIZE_MIN, 4096},
        .window = GN_H2_WINDOW_DEFAULT,
        .initial_window = GN_H2_WINDOW_DEFAULT,
        .window_most = (int64_t)(window > GN_H2_WINDOW_DEFAULT ? window : GN_H2_WINDOW_DEFAULT),
        .stream_window_most = GN_H2_WINDOW_DEFAULT,
        .frame_most = GN_H2_FRAME_SIZE_MIN,
        .streams_most = 1, // until it is known
    };
    gn_hpack_decoder_start(&client->decoder, &client->memory, 4096);
    gn_hpack_encoder_start(&client->encoder, &client->memory);
    client_raw(client, GN_H2_PREFACE, GN_H2_PREFACE_LENGTH);
}

static inline void client_end(struct client *client)
{
    gn_hpack_decoder_end(&client->decoder);
    gn_hpack_encoder_end(&client->encoder);
    HOLDS(client->memory.used == 0);
    free(client->out);
    free(client->in);
    free(client->block);
}

#endif
