/*
 * An exchange: one request and its response, from the head's arrival until both sides have let go of it.
 *
 * Two owners hold it. Its connection, from gn_exchange_open until it is detached: the response is complete and was
 * passed on, or the connection is gone. Java, from the HEAD event until its RELEASE command. The slot, the head block
 * and the place in the counts are freed when both have let go. An exchange without Java (an error that C answers by
 * itself) is born released.
 *
 * An exchange whose response is whole for the peer, though Java has not ended it, can be set aside: it is its connection's
 * still, and hears of its end, but the responses behind it need not wait for it. `exchange_count` counts the others.
 *
 * Events that must not be lost and find no room in the ring stand in `owed` until there is room: at most one of each
 * kind, so they are bounded by the exchanges.
 */
#ifndef GN_CONN_EXCHANGE_H
#define GN_CONN_EXCHANGE_H

#include "base/list.h"
#include "conn/info.h"
#include "conn/output.h"
#include "ring/record.h"

struct gn_connection;
struct gn_context;
struct gn_h2_stream;

/* How far the response is. */
enum gn_response_state {
    GN_RESPONSE_NONE,  /* Java has not responded */
    GN_RESPONSE_BEGUN, /* the head is out (or held), body bytes may follow */
    GN_RESPONSE_ENDED, /* complete */
    GN_RESPONSE_CUT,   /* broken off: what is out must not look complete; the connection ends behind it */
};

/* How a response's body is framed. */
enum gn_body_framing {
    GN_BODY_NONE,    /* body bytes are not sent: HEAD, 204, 205, 304 */
    GN_BODY_SIZED,   /* `body_left` bytes are still to come */
    GN_BODY_CHUNKED, /* HTTP/2: until END_STREAM */
    GN_BODY_TO_END,  /* the connection's end is the body's end */
    GN_BODY_RAW,     /* none: the exchange is a tunnel (h1/tunnel.h) */
};

enum gn_owed { GN_OWED_RESET = 1, GN_OWED_SENT = 2, GN_OWED_CREDIT = 4, GN_OWED_END = 8 };

struct gn_exchange {
    struct gn_list link; /* in gn_connection.exchanges or .aside, in order of the requests; pooled while free */
    struct gn_list owed_link;
    struct gn_list sending;           /* in gn_connection.sending: SENT is wanted */
    struct gn_connection *connection; /* NULL: detached */
    struct gn_h2_stream *stream;      /* HTTP/2, while it is open on the wire */
    struct gn_info *info;
    uint64_t head_block;
    uint32_t slot, generation;
    uint8_t response;       /* enum gn_response_state */
    uint8_t framing;        /* enum gn_body_framing */
    uint8_t owed;           /* enum gn_owed */
    bool released : 1;      /* Java has let go, or never knew of it */
    bool broken : 1;        /* a RESET was sent or is owed: commands for it are ignored */
    bool request_ended : 1; /* all of the request was received; of a tunnel: the peer has ended its side */
    bool head_only : 1;     /* HEAD */
    bool upgrade : 1;       /* the request offered an upgrade: 101 opens a tunnel */
    bool connect : 1;       /* CONNECT: 2xx opens a tunnel */
    bool version_1_0 : 1;
    bool keep_alive : 1;       /* the connection goes on behind this exchange */
    bool asked_keep_alive : 1; /* an HTTP/1.0 client asked for it and wants to be told */
    bool expecting : 1;        /* 100 (Continue) is awaited and was not sent */
    bool queued : 1;           /* its send credit is still GN_QUEUED_SEND_CREDIT */
    bool notify : 1;           /* SENT is wanted */
    bool abandoned : 1;        /* the connection went away before Java let go */
    bool holds_place : 1;      /* HTTP/2: its stream was reset, and it still counts among the concurrent ones */
    bool aside : 1;            /* in gn_connection.aside */
    uint16_t owed_reason, owed_status;
    uint16_t sent_reason;
    uint32_t owed_code;      /* of the RESET: the peer's error code, for HTTP/2 */
    uint64_t body_left;      /* of the response, for GN_BODY_SIZED */
    uint64_t send_charged;   /* body bytes accepted from Java since credit was last given back */
    uint64_t send_granted;   /* bytes of the CREDIT event that is owed */
    uint64_t receive_credit; /* body bytes that Java takes now */
    uint64_t sent_position;  /* in the connection's output: behind the last byte of the response */
    struct gn_output held;   /* what it has to send while others are before it */
};

/* A new exchange at the end of `connection`, with a slot; NULL: no memory. */
struct gn_exchange *gn_exchange_open(struct gn_context *context, struct gn_connection *connection);

/* The exchange of an id, or NULL. */
struct gn_exchange *gn_exchange_find(const struct gn_context *context, uint64_t id);

static inline uint64_t gn_exchange_id(const struct gn_exchange *exchange)
{
    return gn_id(exchange->slot, exchange->generation);
}

/* Whether its response is all there; of a tunnel, whether both sides have ended. */
static inline bool gn_exchange_complete(const struct gn_exchange *exchange)
{
    return exchange->response == GN_RESPONSE_ENDED && (exchange->framing != GN_BODY_RAW || exchange->request_ended);
}

/* Takes the first one of its connection out of the queue. */
void gn_exchange_set_aside(struct gn_exchange *exchange);

/* Whether Java lacks nothing of it: its response is all there, and it has all of the request. */
static inline bool gn_exchange_whole(const struct gn_exchange *exchange)
{
    return gn_exchange_complete(exchange) && exchange->request_ended;
}

/* Takes it off its connection; frees it if Java has let go. */
void gn_exchange_detach(struct gn_context *context, struct gn_exchange *exchange);

/* Java lets go; frees it if it is detached. */
void gn_exchange_release(struct gn_context *context, struct gn_exchange *exchange);

/* Tells Java that the exchange broke, once; what Java says of it afterwards is ignored. `status` is what answered it,
   or 0. */
void gn_exchange_break(struct gn_context *context, struct gn_exchange *exchange, unsigned reason, unsigned status);

/* The same for a stream that the peer reset with `code` (RFC 9113 section 7). */
void gn_exchange_break_by_peer(struct gn_context *context, struct gn_exchange *exchange, uint32_t code);

/* Tells Java that its response is with the kernel, or why it will not be. */
void gn_exchange_sent(struct gn_context *context, struct gn_exchange *exchange, unsigned reason);

/* Tells Java that the peer has ended its side: DATA with END, which brings no bytes. */
void gn_exchange_end(struct gn_context *context, struct gn_exchange *exchange);

/* Gives `bytes` of send credit back to Java. */
void gn_exchange_grant(struct gn_context *context, struct gn_exchange *exchange, uint64_t bytes);

/* Delivers what is owed, as far as the ring has room. */
void gn_exchange_deliver_owed(struct gn_context *context);

/* Frees the exchanges that the context keeps for reuse. */
void gn_exchange_pool_end(struct gn_context *context);

#endif
