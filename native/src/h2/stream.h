/*
 * A stream of an HTTP/2 connection, and the table of those that are open (RFC 9113 section 5).
 *
 *            HEADERS                    both sides have ended, or RST_STREAM either way
 *     idle ───────────▶ open or half-closed ────────────────────────────────────────────▶ closed: the structure is gone
 *
 * A stream belongs to an exchange and lives while it is open on the wire. Its exchange may live longer: attached to the
 * connection until Java has let go, so that a stream that the peer resets keeps its place among the concurrent ones (J1).
 *
 * Both directions wait for the peer under time limits (struct gn_h2_wait): a body for DATA, output for a window.
 *
 * Owner: the session; pooled by the loop's context. Thread: the loop's.
 */
#ifndef GN_H2_STREAM_H
#define GN_H2_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "conn/output.h"
#include "h2/scheduler.h"

struct gn_context;
struct gn_exchange;

/* A place in a list of those that wait for the peer, which is in order of `since`. */
struct gn_h2_wait {
    struct gn_list link;
    uint64_t since;
    uint64_t progress; /* octets since then */
};

struct gn_h2_stream {
    struct gn_h2_stream *next; /* in its bucket; pooled: in the pool */
    struct gn_exchange *exchange;
    uint32_t id;
    int32_t send_window;        /* what the peer takes; below 0 after it made its windows smaller */
    int32_t receive_window;     /* what the peer may send */
    uint32_t taken;             /* octets that were taken since its window was last opened */
    bool receive_ended;         /* END_STREAM was received */
    bool send_ended;            /* END_STREAM was sent */
    bool interrupted;           /* Java took nothing, or had no room, at some time since receive_wait.since */
    bool has_length;            /* Content-Length was declared: `body_left` octets of it are to come */
    bool full_credit;           /* its exchange is one of gn_h2_session.full_credits */
    bool tunnel_waits;          /* CONNECT without a response: DATA is held */
    struct gn_list deliverable; /* in the session: `input` may go to Java */
    struct gn_list granted;     /* in the session: `freed` is to be told to Java */
    struct gn_h2_turn turn;     /* in the session's scheduler while it could send */
    struct gn_h2_wait receive_wait, send_wait;
    struct gn_output input; /* octets of the body that Java has no credit for */
    uint64_t trailers;      /* the block of a trailer section behind `input`; 0: none */
    uint32_t trailers_size;
    uint32_t tail_length;                    /* staged fields of the response's trailers behind what is held */
    uint8_t *tail;                           /* NULL: none */
    uint64_t body_left, body_total, dropped; /* of the request */
    uint64_t freed; /* octets of the response that left the stream since CREDIT was last given */
};

/* Whether input waits for Java to take it. */
static inline bool gn_h2_stream_holds_input(const struct gn_h2_stream *stream)
{
    return stream->input.length > 0 || stream->trailers != 0;
}

/* By id. Zeroed, it is empty. */
struct gn_h2_streams {
    struct gn_h2_stream **buckets;
    uint32_t capacity; /* 0, or a power of two */
    uint32_t count;
};

struct gn_h2_stream *gn_h2_streams_find(const struct gn_h2_streams *streams, uint32_t id);

/* A new stream with an id that the table does not have; NULL: no memory, nothing changed. */
struct gn_h2_stream *gn_h2_streams_open(struct gn_context *context, struct gn_h2_streams *streams, uint32_t id);

/* Takes it out of the table and frees it with what it holds. It is on none of the session's lists. */
void gn_h2_streams_close(struct gn_context *context, struct gn_h2_streams *streams, struct gn_h2_stream *stream);

/* Frees the table, all streams in it included. */
void gn_h2_streams_end(struct gn_context *context, struct gn_h2_streams *streams);

/* Frees the streams that the context keeps for reuse. */
void gn_h2_stream_pool_end(struct gn_context *context);

#endif
