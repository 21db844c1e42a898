/*
 * HTTP/2 on a server connection (RFC 9113): turns frames into exchanges and events, commands into frames. It begins with
 * the client's preface (conn/preface.h) and takes the place of HTTP/1 then.
 *
 *     preface, SETTINGS both ways        CLOSE, idle_timeout           PING answered, or its time over      last stream
 *     ──────────────────────────▶ OPEN ─────────────────────▶ LEAVING ─────────────────────────────▶ LEFT ──────────▶ the end
 *                                  │   GOAWAY(2^31-1), PING      │        GOAWAY(last stream)          │
 *                                  └── an error of the connection: GOAWAY(last stream, code), the end ─┘
 *
 * A stream error (RST_STREAM, and RESET for Java) ends its stream only. What comes for a stream that this side has reset
 * lately is ignored, but counts for the connection's window.
 *
 * Who owns what: frames are written to the connection's output as they arise; field blocks there in the order in which
 * they were encoded. A body waits in its exchange (`held`) and goes out as DATA when its turn comes (h2/scheduler.h),
 * under both windows, as long as no more than GN_H2_OUTPUT_MARK bytes wait for the kernel. Java gets credit back for what
 * left its exchange.
 *
 * A request's body goes to Java at once while Java has credit (`receive_credit`); the rest is held. Windows are opened
 * again, when at least half of one is used up, by what went to Java or was dropped. So a connection holds of bodies at most
 * its window, besides the credit of each exchange.
 *
 * Of responses it holds at most `stream_send_credit` for GN_H2_FULL_CREDITS exchanges, and for the others
 * GN_QUEUED_SEND_CREDIT, or GN_H2_LATER_CREDIT once their peer takes some of it.
 *
 * What it can hold at most, in numbers (with the default settings in brackets), block sizes included:
 * - of frames that are not complete, twice the sum of a piece that is received at once and a frame, and of a field block in
 *   fragments, twice its limit [224 KiB];
 * - of heads, for twice the `streams`, a block of the list's limit and its fields' places [14 MiB];
 * - of bodies, twice the connection's window, and for each exchange `receive_credit` and a block of 16 KiB [34 MiB, if all
 *   of twice the `streams` read theirs at once and give nothing back];
 * - of responses, what is said above, and 3 * GN_H2_OUTPUT_MARK [19 MiB];
 * - the dynamic tables, this structure and one for each stream [80 KiB].
 *
 * Concurrent streams are those that are open, and those that were reset while Java still handles them: over `streams` of
 * these, or over twice as many exchanges that Java has not let go of, a new one is refused (REFUSED_STREAM).
 *
 * The peer's errors and idle acts are counted against budgets (h2/budget.h): `resets` for RST_STREAM of a request that was
 * not answered, `provoked_resets` for each stream that had to be reset for its error, `control_frames` for frames that
 * move nothing: PING, SETTINGS, PRIORITY, PRIORITY_UPDATE, WINDOW_UPDATE, DATA of up to GN_H2_TINY bytes that does not end
 * its stream, frames of closed streams, of streams that GOAWAY left out and of unknown types, and GOAWAY again. A request
 * gives GN_H2_REQUEST_GIVES of the last back, DATA that is sent and is not as tiny GN_H2_DATA_GIVES; besides, one
 * WINDOW_UPDATE for each GN_H2_UPDATE_BYTES octets of it, or part of them, is free, since a peer may open both its windows
 * for every packet of a frame. Over a budget: GOAWAY(ENHANCE_YOUR_CALM).
 *
 * The connection takes no more streams, gracefully, after `requests` of them, after the first one without `keep_alive`, and
 * when a response says so (CLOSE).
 *
 * Time: first_byte_timeout from accept to the preface's end; head_timeout for a frame other than DATA, and for a field
 * block, from its first byte, and for the peer's acknowledgement of SETTINGS; idle_timeout without a stream; a body with a
 * Content-Length that Java waits for must come at body_rate over each body_timeout, any other one may pause, both ways, for
 * tunnel_timeout, since it may be a conversation; a response must leave at write_rate over each write_timeout while only
 * its windows hold it up. With ping_interval, a peer that was silent for so long gets PING, and has ping_timeout for any
 * sign of life.
 */
#ifndef GN_H2_SESSION_H
#define GN_H2_SESSION_H

#include "conn/buffer.h"
#include "conn/protocol.h"
#include "h2/budget.h"
#include "h2/estimate.h"
#include "h2/hpack_decoder.h"
#include "h2/hpack_encoder.h"
#include "h2/repeat.h"
#include "h2/scheduler.h"
#include "h2/stream.h"

#define GN_H2_OUTPUT_MARK (48U << 10)
#define GN_H2_FULL_CREDITS 16U
#define GN_H2_LATER_CREDIT 65536U
#define GN_H2_TINY 4U
#define GN_H2_REQUEST_GIVES 4U
#define GN_H2_DATA_GIVES 2U
#define GN_H2_UPDATE_BYTES 256U
#define GN_H2_RESETS_KEPT 256U /* more than the default of `streams` */
#define GN_H2_GAPS_KEPT 4U
#define GN_H2_EARLY_KEPT 8U

enum gn_h2_leaving { GN_H2_OPEN, GN_H2_LEAVING, GN_H2_LEFT };

struct gn_h2_session {
    struct gn_hpack_decoder decoder;
    struct gn_hpack_encoder encoder;
    struct gn_h2_repeat repeat;
    struct gn_h2_response_repeat response_repeat;
    struct gn_h2_streams streams;
    struct gn_h2_scheduler scheduler;
    struct gn_list deliverable; /* streams with input for which Java has credit (again) */
    struct gn_list granted;     /* streams of which Java is to be told that octets left them */
    struct gn_list bodies;      /* gn_h2_stream.receive_wait of those with a Content-Length, */
    struct gn_list pauses;      /* and of the others */
    struct gn_list windows;     /* gn_h2_stream.send_wait */

    /* Windows (section 6.9). */
    int32_t send_window, receive_window; /* of the connection */
    uint32_t taken;                      /* octets taken since its window was last opened */
    int32_t connection_size;             /* of the connection's window when it is open */
    int32_t stream_window;               /* what new streams may receive */
    int32_t stream_window_told;          /* the same as the last SETTINGS say, which may not be acknowledged */
    struct gn_h2_estimate estimate;
    uint32_t peer_window; /* what new streams may send */
    uint32_t peer_frame_bytes;

    uint32_t last_stream; /* the highest id that the peer has used */
    uint64_t requests;    /* counted only where the listener limits them */
    uint32_t last_served; /* what the last GOAWAY said */
    uint32_t places;      /* exchanges whose stream was reset, and which Java still has */
    uint32_t full_credits;

    /* The DATA frame in hand. */
    struct {
        struct gn_h2_stream *stream; /* NULL: it is dropped */
        uint32_t left;
        bool end;
    } data;
    uint32_t skipped; /* octets to skip: padding, and frames of no interest */

    /* The field block in hand, whose first frames have come. */
    struct {
        uint32_t stream; /* 0: none */
        uint32_t frames;
        bool end; /* END_STREAM */
        struct gn_buffer fragments;
    } block;

    struct gn_h2_budget resets, provoked_resets, control_frames;
    uint64_t free_updates; /* WINDOW_UPDATE frames that DATA has paid for */
    uint32_t
        reset_ids[GN_H2_RESETS_KEPT]; /* streams that this side reset before the peer had ended them, the last ones */
    uint32_t resets_made;
    struct {
        uint32_t from, to;
    } gaps[GN_H2_GAPS_KEPT]; /* ids that the peer left out, the last ones, first and last */
    uint32_t gaps_made;
    struct {
        uint32_t stream;
        struct gn_h2_priority priority;
    } early[GN_H2_EARLY_KEPT]; /* PRIORITY_UPDATE that came before its stream, the last ones */
    uint32_t early_made;

    uint64_t idle_since;
    uint64_t partial_since; /* a frame or field block is there in part; 0: none */
    uint64_t settings_sent; /* they are not acknowledged; 0: they are */
    uint64_t ping_sent;     /* to see whether the peer is alive; 0: none is out */
    uint64_t leaving_since;
    uint8_t leaving; /* enum gn_h2_leaving */
    bool settings_received;
};

/* Begins HTTP/2 on a connection whose preface was read: 0 or -ENOMEM, nothing changed. */
int gn_h2_session_start(struct gn_connection *connection);

extern const struct gn_protocol gn_h2_protocol;

/* ---- for the parts of the session; each may end the connection ---- */

/* Room for `length` bytes at the end of the output, or NULL: the connection was ended for want of memory. */
uint8_t *gn_h2_reserve(struct gn_connection *connection, size_t length);

/* They were written. */
void gn_h2_commit(struct gn_connection *connection, size_t length);

/* An error of the connection: GOAWAY, and the end. */
void gn_h2_fail(struct gn_connection *connection, uint32_t code, unsigned reason);

/* Takes from a budget; false: it was used up, and the connection failed for `reason`. */
bool gn_h2_charge(struct gn_connection *connection, struct gn_h2_budget *budget, unsigned reason);

/* RST_STREAM for a stream, or for an id that has none. Java is not told. `ended`: the peer has ended its side, so that
   nothing of it may come any more. */
void gn_h2_send_reset(struct gn_connection *connection, uint32_t id, uint32_t code, bool ended);

/* Ends a stream by RST_STREAM. Java is told why, unless its side of the exchange is complete. */
void gn_h2_reset(struct gn_connection *connection, struct gn_h2_stream *stream, uint32_t code, unsigned reason);

/* The same for an error of the peer, which is logged and charged to provoked_resets. */
void gn_h2_reset_for(struct gn_connection *connection, struct gn_h2_stream *stream, uint32_t code, unsigned reason);

/* The stream is over on the wire: frees it, and its exchange if Java has let go of that. */
void gn_h2_close(struct gn_connection *connection, struct gn_h2_stream *stream);

/* Java has let go of an exchange whose stream is over, or there is one less of them: the connection may be done. */
void gn_h2_settle(struct gn_connection *connection);

/* Whether this side reset stream `id` lately. */
bool gn_h2_was_reset(const struct gn_h2_session *session, uint32_t id);

/* Whether the peer may not have used stream `id` so far: a number of this side's, or one that is to come. */
static inline bool gn_h2_is_idle(const struct gn_h2_session *session, uint32_t id)
{
    return (id & 1) == 0 || id > session->last_stream;
}

/* Octets of DATA were taken off the connection, and off `stream` if that is not NULL: opens windows again. */
void gn_h2_take(struct gn_connection *connection, struct gn_h2_stream *stream, uint32_t octets);

/* Opens a stream's window by what was taken, if that is enough by now. */
void gn_h2_open_stream(struct gn_connection *connection, struct gn_h2_stream *stream);

/* The stream waits for the peer's body, or does not any more. */
void gn_h2_await_body(struct gn_connection *connection, struct gn_h2_stream *stream);

#endif
