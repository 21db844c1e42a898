/*
 * A scripted HTTP/2 client for tests, over loop/driver.h. It knows the frames that it is told to send and nothing of
 * what is allowed, so that it can break every rule. But it holds the server to its windows: each DATA frame is checked
 * against what peer_window_update and peer_settings opened.
 *
 *     struct peer peer;
 *     driver_prepare(&driver);
 *     peer_start(&peer, &driver);                  // preface and SETTINGS are exchanged
 *     peer_headers(&peer, 1, GN_H2_END_STREAM, PEER_GET);
 *     EXPECT(&peer, "");                           // sends what was queued: the server said nothing yet
 *     driver_answer(&driver, driver_exchange(&driver, 0), "hello");
 *     EXPECT(&peer, "HEADERS 1 :status: 200 | content-length: 5\n"
 *                   "DATA 1 END hello\n");
 *     peer_end(&peer);
 *     driver_close(&driver);
 *
 * The peer_... functions that are named as a frame queue it; `peer_send`, `peer_send_bytes`, `peer_send_cut` and EXPECT
 * send what is queued.
 *
 * Fields are lines "name: value", each ended by \n, written as literals without an index and without Huffman code. A line
 * that begins with '+' goes into the dynamic table as well; a line "=N" is the index N alone.
 *
 * What the server sent is told as lines, a frame each, in the order of the wire; END and ACK are flags, a header block is
 * told with its last fragment:
 *
 *     HEADERS 1 END :status: 200 | content-length: 0        DATA 1 END hello        DATA 1 16384 bytes (more than 64)
 *     SETTINGS INITIAL_WINDOW_SIZE=1048576 (by number)      SETTINGS ACK            PING ACK 12345678
 *     RST_STREAM 1 CANCEL        WINDOW_UPDATE 0 983041     GOAWAY 1 PROTOCOL_ERROR
 *     FIN (the server has shut down its sending side)       RESET (it has reset the connection)
 */
#ifndef GN_TEST_H2_PEER_H
#define GN_TEST_H2_PEER_H

#include <stdarg.h>

#include "h2/frame.h"
#include "h2/hpack_decoder.h"
#include "loop/driver.h"

#define PEER_FIELDS(method) ":method: " method "\n:scheme: http\n:path: /\n:authority: h\n"
#define PEER_GET PEER_FIELDS("GET")
#define PEER_POST PEER_FIELDS("POST")
#define PEER_POST_OF(length) PEER_POST "content-length: " #length "\n"

/* SETTINGS that may be out without an answer. */
#define PEER_SETTINGS_MAX 64U

/* What came on a stream. */
struct peer_stream {
    uint32_t id;
    unsigned heads; /* field blocks */
    unsigned frames;
    uint32_t largest; /* payload of DATA */
    bool ended, reset;
    uint32_t code; /* of RST_STREAM */
    uint8_t *body;
    size_t body_length, body_room;
    uint64_t credit; /* by WINDOW_UPDATE */
    int64_t window;  /* what the server may send */
};

struct peer {
    struct driver *driver;
    struct gn_io_memory_peer *end;
    struct gn_memory memory;
    struct gn_hpack_decoder decoder;
    uint32_t frame_max; /* that the server may send */
    uint8_t *out;       /* queued */
    size_t out_length, out_room;
    uint8_t *in; /* not yet told */
    size_t in_length, in_room;
    uint8_t *block; /* of a field block that is not complete */
    size_t block_length, block_room;
    char *text; /* told, not yet expected */
    size_t text_length, text_room;
    struct peer_stream *streams;
    size_t stream_count, stream_room;
    uint64_t credit; /* of the connection, by WINDOW_UPDATE */
    int64_t window;  /* what the server may send in all */
    uint32_t initial_window;
    uint32_t settings_sent[PEER_SETTINGS_MAX]; /* the windows of streams that they say, until they are acknowledged */
    size_t settings_count;
    uint8_t ping[8]; /* of the server's last PING */
    bool saw_end;
};

static inline void *peer_grow(void *bytes, size_t *room, size_t needed, size_t size)
{
    if (needed <= *room)
        return bytes;
    *room = needed * 2 + 64;
    bytes = realloc(bytes, *room * size);
    REQUIRE(bytes != NULL);
    return bytes;
}

/* The tally of a stream; valid until that of another one is asked for. */
static inline struct peer_stream *peer_stream(struct peer *peer, uint32_t id)
{
    for (size_t i = peer->stream_count; i-- > 0;) {
        if (peer->streams[i].id == id)
            return &peer->streams[i];
    }
    peer->streams = peer_grow(peer->streams, &peer->stream_room, peer->stream_count + 1, sizeof(*peer->streams));
    peer->streams[peer->stream_count] = (struct peer_stream){.id = id, .window = peer->initial_window};
    return &peer->streams[peer->stream_count++];
}

/* ---- what it sends ---- */

static inline void peer_raw(struct peer *peer, const void *bytes, size_t length)
{
    peer->out = peer_grow(peer->out, &peer->out_room, peer->out_length + length, 1);
    if (length > 0)
        memcpy(peer->out + peer->out_length, bytes, length);
    peer->out_length += length;
}

static inline void peer_frame(struct peer *peer, unsigned type, unsigned flags, uint32_t stream, const void *payload,
                              size_t length)
{
    uint8_t header[GN_H2_FRAME_HEADER];
    gn_h2_frame_write(header, (uint32_t)length, (enum gn_h2_frame_type)type, flags, stream);
    peer_raw(peer, header, sizeof(header));
    peer_raw(peer, payload, length);
}

/* A frame of `length` times the letter x. */
static inline void peer_filled(struct peer *peer, unsigned type, unsigned flags, uint32_t stream, size_t length)
{
    uint8_t *payload = calloc(1, length + 1);
    REQUIRE(payload != NULL);
    memset(payload, 'x', length);
    peer_frame(peer, type, flags, stream, payload, length);
    free(payload);
}

static inline void peer_preface(struct peer *peer)
{
    peer_raw(peer, GN_H2_PREFACE, GN_H2_PREFACE_LENGTH);
}

static const char *const peer_settings_names[] = {
    [GN_H2_HEADER_TABLE_SIZE] = "HEADER_TABLE_SIZE",
    [GN_H2_ENABLE_PUSH] = "ENABLE_PUSH",
    [GN_H2_MAX_CONCURRENT_STREAMS] = "MAX_CONCURRENT_STREAMS",
    [GN_H2_INITIAL_WINDOW_SIZE] = "INITIAL_WINDOW_SIZE",
    [GN_H2_MAX_FRAME_SIZE] = "MAX_FRAME_SIZE",
    [GN_H2_MAX_HEADER_LIST_SIZE] = "MAX_HEADER_LIST_SIZE",
    [GN_H2_ENABLE_CONNECT_PROTOCOL] = "ENABLE_CONNECT_PROTOCOL",
    [GN_H2_NO_RFC7540_PRIORITIES] = "NO_RFC7540_PRIORITIES",
};
#define PEER_SETTINGS_NAMES (sizeof(peer_settings_names) / sizeof(peer_settings_names[0]))

/* A setting, to be sent with peer_settings: up to 8 of them, ended by number 0. */
struct peer_setting {
    unsigned number;
    uint32_t value;
};

static inline void peer_settings(struct peer *peer, const struct peer_setting *settings)
{
    uint8_t payload[8 * GN_H2_SETTING_LENGTH] = {0}, *to = payload;
    uint32_t window = peer->settings_count > 0 ? peer->settings_sent[peer->settings_count - 1] : peer->initial_window;
    for (; settings != NULL && settings->number != 0; settings++) {
        REQUIRE(to < payload + sizeof(payload));
        *to++ = (uint8_t)(settings->number >> 8);
        *to++ = (uint8_t)settings->number;
        to = gn_h2_write_32(to, settings->value);
        window = settings->number == GN_H2_INITIAL_WINDOW_SIZE ? settings->value : window;
    }
    if (peer->settings_count < PEER_SETTINGS_MAX) // a flood may go unanswered
        peer->settings_sent[peer->settings_count++] = window;
    peer_frame(peer, GN_H2_SETTINGS, 0, 0, payload, (size_t)(to - payload));
}

static inline void peer_setting(struct peer *peer, unsigned number, uint32_t value)
{
    peer_settings(peer, (const struct peer_setting[]){{number, value}, {0, 0}});
}

static inline void peer_settings_ack(struct peer *peer)
{
    peer_frame(peer, GN_H2_SETTINGS, GN_H2_ACK, 0, NULL, 0);
}

static inline uint8_t *peer_integer(uint8_t *to, unsigned first, unsigned bits, size_t value)
{
    size_t most = (1U << bits) - 1;
    if (value < most) {
        *to++ = (uint8_t)(first | value);
        return to;
    }
    *to++ = (uint8_t)(first | most);
    for (value -= most; value >= 128; value >>= 7)
        *to++ = (uint8_t)(value | 128);
    *to++ = (uint8_t)value;
    return to;
}

static inline uint8_t *peer_string(uint8_t *to, const char *text, size_t length)
{
    to = peer_integer(to, 0, 7, length);
    memcpy(to, text, length);
    return to + length;
}

/* The block of some fields, to be freed. */
static inline uint8_t *peer_block(const char *fields, size_t *length)
{
    uint8_t *block = malloc(strlen(fields) * 4 + 16), *to = block;
    REQUIRE(block != NULL);
    while (*fields != '\0') {
        const char *end = strchr(fields, '\n');
        REQUIRE(end != NULL);
        if (*fields == '=') {
            to = peer_integer(to, 0x80, 7, strtoul(fields + 1, NULL, 10));
        } else {
            bool indexed = *fields == '+';
            fields += indexed;
            const char *colon = fields + 1;
            while (colon < end && (colon[0] != ':' || colon[1] != ' '))
                colon++;
            REQUIRE(colon < end);
            *to++ = indexed ? 0x40 : 0;
            to = peer_string(to, fields, (size_t)(colon - fields));
            to = peer_string(to, colon + 2, (size_t)(end - colon - 2));
        }
        fields = end + 1;
    }
    *length = (size_t)(to - block);
    return block;
}

/* A field block in `pieces` frames: HEADERS, and CONTINUATION for the others. */
static inline void peer_headers_in_pieces(struct peer *peer, uint32_t stream, unsigned flags, const char *fields,
                                          size_t pieces)
{
    size_t length, sent = 0;
    uint8_t *block = peer_block(fields, &length);
    for (size_t i = 0; i < pieces; i++) {
        size_t piece = i + 1 == pieces ? length - sent : length / pieces;
        peer_frame(peer, i == 0 ? GN_H2_HEADERS : GN_H2_CONTINUATION,
                   (i == 0 ? flags : 0) | (i + 1 == pieces ? GN_H2_END_HEADERS : 0), stream, block + sent, piece);
        sent += piece;
    }
    free(block);
}

static inline void peer_headers(struct peer *peer, uint32_t stream, unsigned flags, const char *fields)
{
    peer_headers_in_pieces(peer, stream, flags, fields, 1);
}

/* HEADERS with padding and the priority of RFC 7540, where the flags say so. */
static inline void peer_headers_with(struct peer *peer, uint32_t stream, unsigned flags, const char *fields,
                                     uint8_t padding)
{
    size_t length, used = 0;
    uint8_t *block = peer_block(fields, &length);
    uint8_t *payload = calloc(1, length + 6 + padding);
    REQUIRE(payload != NULL);
    if (flags & GN_H2_PADDED)
        payload[used++] = padding;
    used += flags & GN_H2_HAS_PRIORITY ? 5 : 0;
    memcpy(payload + used, block, length);
    used += length + (flags & GN_H2_PADDED ? padding : 0);
    peer_frame(peer, GN_H2_HEADERS, flags | GN_H2_END_HEADERS, stream, payload, used);
    free(payload);
    free(block);
}

static inline void peer_get(struct peer *peer, uint32_t stream)
{
    peer_headers(peer, stream, GN_H2_END_STREAM, PEER_GET);
}

static inline void peer_data(struct peer *peer, uint32_t stream, unsigned flags, const char *text)
{
    peer_frame(peer, GN_H2_DATA, flags, stream, text, strlen(text));
}

/* `length` bytes in as few frames as may be. */
static inline void peer_data_filled(struct peer *peer, uint32_t stream, unsigned flags, size_t length)
{
    for (; length > GN_H2_FRAME_SIZE_MIN; length -= GN_H2_FRAME_SIZE_MIN)
        peer_filled(peer, GN_H2_DATA, 0, stream, GN_H2_FRAME_SIZE_MIN);
    peer_filled(peer, GN_H2_DATA, flags, stream, length);
}

static inline void peer_data_padded(struct peer *peer, uint32_t stream, unsigned flags, const char *text,
                                    uint8_t padding)
{
    uint8_t payload[1024] = {padding};
    REQUIRE(strlen(text) + 1U + padding <= sizeof(payload));
    memcpy(payload + 1, text, strlen(text));
    peer_frame(peer, GN_H2_DATA, flags | GN_H2_PADDED, stream, payload, 1U + strlen(text) + padding);
}

/* A frame whose payload is one number. */
static inline void peer_number(struct peer *peer, unsigned type, uint32_t stream, uint32_t value)
{
    uint8_t payload[4];
    gn_h2_write_32(payload, value);
    peer_frame(peer, type, 0, stream, payload, sizeof(payload));
}

static inline void peer_rst_stream(struct peer *peer, uint32_t stream, uint32_t code)
{
    peer_number(peer, GN_H2_RST_STREAM, stream, code);
}

static inline void peer_window_update(struct peer *peer, uint32_t stream, uint32_t increment)
{
    peer_number(peer, GN_H2_WINDOW_UPDATE, stream, increment);
    if (stream == 0)
        peer->window += increment;
    else
        peer_stream(peer, stream)->window += increment;
}

/* `text` has 8 bytes. */
static inline void peer_ping(struct peer *peer, unsigned flags, const char *text)
{
    peer_frame(peer, GN_H2_PING, flags, 0, text, strlen(text));
}

/* The answer to the server's last PING. */
static inline void peer_pong(struct peer *peer)
{
    peer_frame(peer, GN_H2_PING, GN_H2_ACK, 0, peer->ping, sizeof(peer->ping));
}

static inline void peer_goaway(struct peer *peer, uint32_t last, uint32_t code)
{
    uint8_t payload[8];
    gn_h2_write_32(gn_h2_write_32(payload, last), code);
    peer_frame(peer, GN_H2_GOAWAY, 0, 0, payload, sizeof(payload));
}

static inline void peer_priority(struct peer *peer, uint32_t stream)
{
    static const uint8_t payload[5] = {0, 0, 0, 0, 255};
    peer_frame(peer, GN_H2_PRIORITY, 0, stream, payload, sizeof(payload));
}

static inline void peer_priority_update(struct peer *peer, uint32_t stream, const char *value)
{
    uint8_t payload[256];
    REQUIRE(strlen(value) <= sizeof(payload) - 4);
    gn_h2_write_32(payload, stream);
    memcpy(payload + 4, value, strlen(value));
    peer_frame(peer, GN_H2_PRIORITY_UPDATE, 0, 0, payload, 4 + strlen(value));
}

/* ---- what the server sends, told as text ---- */

/* The server goes by the oldest of the SETTINGS from here on. */
static inline void peer_settings_taken(struct peer *peer)
{
    if (peer->settings_count == 0)
        return; // a frame that was made by hand
    int64_t change = (int64_t)peer->settings_sent[0] - peer->initial_window;
    peer->initial_window = peer->settings_sent[0];
    peer->settings_count--;
    memmove(peer->settings_sent, peer->settings_sent + 1, peer->settings_count * sizeof(*peer->settings_sent));
    for (size_t i = 0; i < peer->stream_count; i++)
        peer->streams[i].window += change;
}

static inline void peer_tell(struct peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void peer_tell(struct peer *peer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    REQUIRE(length >= 0);
    peer->text = peer_grow(peer->text, &peer->text_room, peer->text_length + (size_t)length + 1, 1);
    va_start(arguments, format);
    vsnprintf(peer->text + peer->text_length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    peer->text_length += (size_t)length;
}

static inline void peer_tell_block(struct peer *peer)
{
    static struct gn_hpack_field fields[256];
    struct gn_hpack_list list = {.fields = fields, .fields_max = 256, .size_max = 1U << 20};
    list.octets = malloc(gn_hpack_octets_needed(&peer->decoder, list.size_max, peer->block_length));
    REQUIRE(list.octets != NULL);
    enum gn_hpack_status status = gn_hpack_decode(&peer->decoder, peer->block, peer->block_length, &list);
    CHECK_EQ(status, GN_HPACK_OK);
    CHECK(!list.malformed && !list.too_large);
    for (uint32_t i = 0; status == GN_HPACK_OK && i < list.count; i++)
        peer_tell(peer, "%s%.*s: %.*s", i == 0 ? " " : " | ", (int)fields[i].name_length,
                  (const char *)list.octets + fields[i].name, (int)fields[i].value_length,
                  (const char *)list.octets + fields[i].value);
    peer_tell(peer, "\n");
    free(list.octets);
    peer->block_length = 0;
}

static inline void peer_tell_settings(struct peer *peer, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    peer_tell(peer, "SETTINGS%s", frame->flags & GN_H2_ACK ? " ACK" : "");
    CHECK_EQ(frame->stream, 0);
    CHECK_EQ(frame->length % GN_H2_SETTING_LENGTH, 0);
    if (frame->flags & GN_H2_ACK)
        peer_settings_taken(peer);
    for (unsigned last = 0, next = 0; next < 65536; last = next + 1) { // by number: their order does not matter
        const uint8_t *setting = NULL;
        next = 65536;
        for (uint32_t at = 0; at + GN_H2_SETTING_LENGTH <= frame->length; at += GN_H2_SETTING_LENGTH) {
            unsigned number = (unsigned)payload[at] << 8 | payload[at + 1];
            if (number >= last && number < next) {
                next = number;
                setting = payload + at;
            }
        }
        if (setting == NULL)
            break;
        if (next < PEER_SETTINGS_NAMES && peer_settings_names[next] != NULL)
            peer_tell(peer, " %s=%u", peer_settings_names[next], gn_h2_read_32(setting + 2));
        else
            peer_tell(peer, " %u=%u", next, gn_h2_read_32(setting + 2));
    }
    peer_tell(peer, "\n");
}

static inline void peer_tell_data(struct peer *peer, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    struct peer_stream *stream = peer_stream(peer, frame->stream);
    CHECK(!stream->ended && !stream->reset);
    CHECK_EQ(frame->flags & ~GN_H2_END_STREAM, 0);
    stream->window -= frame->length;
    peer->window -= frame->length;
    CHECK(frame->length == 0 || (stream->window >= 0 && peer->window >= 0));
    stream->body = peer_grow(stream->body, &stream->body_room, stream->body_length + frame->length, 1);
    if (frame->length > 0)
        memcpy(stream->body + stream->body_length, payload, frame->length);
    stream->body_length += frame->length;
    stream->frames++;
    stream->ended = frame->flags & GN_H2_END_STREAM;
    if (frame->length > stream->largest)
        stream->largest = frame->length;
    peer_tell(peer, "DATA %u%s", frame->stream, stream->ended ? " END" : "");
    if (frame->length > 64)
        peer_tell(peer, " %u bytes", frame->length);
    else if (frame->length > 0)
        peer_tell(peer, " %.*s", (int)frame->length, (const char *)payload);
    peer_tell(peer, "\n");
}

static inline void peer_tell_headers(struct peer *peer, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    if (frame->type == GN_H2_HEADERS) {
        struct peer_stream *stream = peer_stream(peer, frame->stream);
        CHECK(!stream->ended && !stream->reset);
        CHECK_EQ(peer->block_length, 0);
        CHECK_EQ(frame->flags & ~(GN_H2_END_STREAM | GN_H2_END_HEADERS), 0);
        stream->heads++;
        stream->ended = frame->flags & GN_H2_END_STREAM;
        peer_tell(peer, "HEADERS %u%s", frame->stream, stream->ended ? " END" : "");
    }
    CHECK(frame->type == GN_H2_HEADERS || frame->length > 0);
    peer->block = peer_grow(peer->block, &peer->block_room, peer->block_length + frame->length, 1);
    if (frame->length > 0)
        memcpy(peer->block + peer->block_length, payload, frame->length);
    peer->block_length += frame->length;
    if (frame->flags & GN_H2_END_HEADERS)
        peer_tell_block(peer);
}

static inline void peer_tell_frame(struct peer *peer, const struct gn_h2_frame *frame, const uint8_t *payload)
{
    static const uint8_t lengths[] = {
        [GN_H2_RST_STREAM] = 4, [GN_H2_PING] = 8, [GN_H2_GOAWAY] = 8, [GN_H2_WINDOW_UPDATE] = 4};
    if (frame->type < sizeof(lengths) && lengths[frame->type] != 0)
        REQUIRE(frame->length == lengths[frame->type] || (frame->type == GN_H2_GOAWAY && frame->length > 8));
    switch (frame->type) {
    case GN_H2_DATA:
        peer_tell_data(peer, frame, payload);
        break;
    case GN_H2_HEADERS:
    case GN_H2_CONTINUATION:
        peer_tell_headers(peer, frame, payload);
        break;
    case GN_H2_RST_STREAM:
        CHECK(!peer_stream(peer, frame->stream)->reset);
        peer_stream(peer, frame->stream)->reset = true;
        peer_stream(peer, frame->stream)->code = gn_h2_read_32(payload);
        peer_tell(peer, "RST_STREAM %u %s\n", frame->stream, gn_h2_error_name(gn_h2_read_32(payload)));
        break;
    case GN_H2_SETTINGS:
        peer_tell_settings(peer, frame, payload);
        break;
    case GN_H2_PING:
        CHECK_EQ(frame->stream, 0);
        if (frame->flags & GN_H2_ACK) {
            peer_tell(peer, "PING ACK %.8s\n", (const char *)payload);
            break;
        }
        memcpy(peer->ping, payload, sizeof(peer->ping));
        peer_tell(peer, "PING\n");
        break;
    case GN_H2_GOAWAY:
        CHECK_EQ(frame->stream, 0);
        peer_tell(peer, "GOAWAY %u %s\n", gn_h2_read_32(payload), gn_h2_error_name(gn_h2_read_32(payload + 4)));
        break;
    case GN_H2_WINDOW_UPDATE:
        CHECK(gn_h2_read_32(payload) > 0);
        if (frame->stream == 0)
            peer->credit += gn_h2_read_32(payload);
        else
            peer_stream(peer, frame->stream)->credit += gn_h2_read_32(payload);
        peer_tell(peer, "WINDOW_UPDATE %u %u\n", frame->stream, gn_h2_read_32(payload));
        break;
    default:
        peer_tell(peer, "TYPE_%u %u\n", frame->type, frame->stream);
        break;
    }
}

/* Reads and tells all that the server sends. */
static inline void peer_receive(struct peer *peer)
{
    for (;;) {
        driver_settle(peer->driver);
        size_t there = gn_io_memory_sent(peer->end, NULL);
        if (there == 0)
            break;
        peer->in = peer_grow(peer->in, &peer->in_room, peer->in_length + there, 1);
        gn_io_memory_read(peer->end, peer->in + peer->in_length, there);
        peer->in_length += there;
    }
    size_t used = 0;
    while (peer->in_length - used >= GN_H2_FRAME_HEADER) {
        struct gn_h2_frame frame = gn_h2_frame_read(peer->in + used);
        if (peer->in_length - used - GN_H2_FRAME_HEADER < frame.length)
            break;
        CHECK(frame.length <= peer->frame_max);
        peer_tell_frame(peer, &frame, peer->in + used + GN_H2_FRAME_HEADER);
        used += GN_H2_FRAME_HEADER + frame.length;
    }
    peer->in_length -= used;
    if (used > 0)
        memmove(peer->in, peer->in + used, peer->in_length);
    if (!peer->saw_end && gn_io_memory_saw_reset(peer->end)) {
        peer->saw_end = true;
        peer_tell(peer, "RESET\n");
    } else if (!peer->saw_end && gn_io_memory_saw_end(peer->end)) {
        peer->saw_end = true;
        peer_tell(peer, "FIN\n");
    }
}

/* Writes bytes as far as the server takes them; how many that were. It takes all once it has ended. */
static inline size_t peer_write(struct peer *peer, const uint8_t *bytes, size_t length)
{
    size_t written = 0;
    for (unsigned waits = 0; waits < 3; waits++) {
        size_t taken = gn_io_memory_write(peer->end, bytes + written, length - written);
        written += taken;
        if (written == length)
            return length;
        waits = taken > 0 ? 0 : waits;
        peer_receive(peer);
    }
    return peer->saw_end ? length : written;
}

/* Sends what is queued, in one piece. What the server does not read stays queued. */
static inline void peer_send(struct peer *peer)
{
    size_t written = peer_write(peer, peer->out, peer->out_length);
    peer->out_length -= written;
    if (peer->out_length > 0)
        memmove(peer->out, peer->out + written, peer->out_length);
    peer_receive(peer);
}

/* The same in two pieces. */
static inline void peer_send_cut(struct peer *peer, size_t at)
{
    REQUIRE(at <= peer->out_length);
    peer_write(peer, peer->out, at);
    peer_receive(peer);
    peer_write(peer, peer->out + at, peer->out_length - at);
    peer->out_length = 0;
    peer_receive(peer);
}

/* The same byte by byte. */
static inline void peer_send_bytes(struct peer *peer)
{
    for (size_t i = 0; i < peer->out_length; i++) {
        peer_write(peer, peer->out + i, 1);
        driver_poll(peer->driver);
    }
    peer->out_length = 0;
    peer_receive(peer);
}

static inline void peer_forget(struct peer *peer)
{
    peer->text_length = 0;
}

/* Sends what is queued, and compares all that the server said since the last time. */
static inline void peer_expect(struct peer *peer, const char *expected, const char *file, int line)
{
    peer_send(peer);
    if (peer->text_length != strlen(expected) ||
        (peer->text_length > 0 && memcmp(peer->text, expected, peer->text_length) != 0)) {
        test_fail(file, line);
        fprintf(stderr, "the server sent\n%.*sexpected\n%s", (int)peer->text_length,
                peer->text_length > 0 ? peer->text : "", expected);
    }
    peer_forget(peer);
}
#define EXPECT(peer, expected) peer_expect((peer), (expected), __FILE__, __LINE__)

/* Any last stream. */
#define PEER_ANY UINT32_MAX

/* Sends what is queued; the last that the server says is GOAWAY(last, code), and the end. */
static inline void peer_expect_goaway(struct peer *peer, uint32_t last, uint32_t code, const char *file, int line)
{
    peer_send(peer);
    const char *at = NULL;
    for (const char *next = peer->text; peer->text_length > 0 && next != NULL; next = strstr(next + 1, "GOAWAY"))
        at = next;
    const char *expected = gn_h2_error_name(code);
    char told_name[32] = "";
    unsigned told_last = 0;
    int end = 0;
    if (at == NULL || sscanf(at, "GOAWAY %u %31s\nFIN\n%n", &told_last, told_name, &end) != 2 || at[end] != '\0' ||
        end == 0 || strcmp(told_name, expected) != 0 || (last != PEER_ANY && told_last != last)) {
        test_fail(file, line);
        fprintf(stderr, "the server sent\n%.*sexpected at its end\nGOAWAY %d %s\nFIN\n", (int)peer->text_length,
                peer->text_length > 0 ? peer->text : "", (int)last, expected);
    }
    peer_forget(peer);
}
#define EXPECT_GOAWAY(peer, last, code) peer_expect_goaway((peer), (last), (code), __FILE__, __LINE__)

/* The connection still answers. */
static inline void peer_expect_alive(struct peer *peer, const char *file, int line)
{
    peer_ping(peer, 0, "alive???");
    peer_expect(peer, "PING ACK alive???\n", file, line);
}
#define EXPECT_ALIVE(peer) peer_expect_alive((peer), __FILE__, __LINE__)

/* ---- its life ---- */

/* A peer that has sent nothing yet; the driver is open. */
static inline void peer_connect(struct peer *peer, struct driver *driver)
{
    *peer = (struct peer){
        .driver = driver,
        .frame_max = GN_H2_FRAME_SIZE_MIN,
        .window = GN_H2_WINDOW_DEFAULT,
        .initial_window = GN_H2_WINDOW_DEFAULT,
    };
    gn_hpack_decoder_start(&peer->decoder, &peer->memory, 4096);
    peer->end = driver_connect(driver);
    driver_settle(driver);
}

/* Preface, SETTINGS and acknowledgements are exchanged; what the server said is forgotten. */
static inline void peer_greet(struct peer *peer, const struct peer_setting *settings)
{
    peer_preface(peer);
    peer_settings(peer, settings);
    peer_settings_ack(peer);
    peer_send(peer);
    CHECK(peer->text_length > 9 && memcmp(peer->text, "SETTINGS", 8) == 0);
    peer_forget(peer);
    peer->credit = 0;
}

/* Opens the driver, connects and greets. */
static inline void peer_start_with(struct peer *peer, struct driver *driver, const struct peer_setting *settings)
{
    driver_open(driver);
    peer_connect(peer, driver);
    peer_greet(peer, settings);
}

static inline void peer_start(struct peer *peer, struct driver *driver)
{
    peer_start_with(peer, driver, NULL);
}

/* Frees what the peer holds; its connection stays until the driver is closed. */
static inline void peer_end(struct peer *peer)
{
    CHECK_EQ(peer->text_length, 0); // else nobody looked at it
    for (size_t i = 0; i < peer->stream_count; i++)
        free(peer->streams[i].body);
    free(peer->streams);
    free(peer->out);
    free(peer->in);
    free(peer->block);
    free(peer->text);
    gn_hpack_decoder_end(&peer->decoder);
    CHECK_EQ(peer->memory.used, 0);
}

/* ---- what Java does, in words of HTTP/2 ---- */

/* Java's RESET with an error code. */
static inline void peer_java_resets(struct driver *driver, struct driver_exchange *exchange, uint32_t code)
{
    driver_command(driver,
                   (struct gn_command){.kind = GN_COMMAND_RESET, .subject = exchange->id, .value = (int64_t)code});
}

static inline unsigned peer_reason_count(const struct driver *driver, unsigned reason)
{
    return (unsigned)driver->shared->counters.reasons[reason];
}

#endif
