/*
 * A connection's life: its socket, the input that waits, the output that waits, time limits, and its end. What the
 * bytes mean is its protocol's business.
 *
 *              received EOF / protocol done                 output drained
 *     OPEN ─────────────────────────────────▶ FINISHING ───────────────────▶ LINGERING ──(peer's end, limit, time)──▶ CLOSING
 *       │                                        │   (nothing unread can be lost: straight to CLOSING)                   │
 *       └────────── error, abort, time limit ────┴──────────────────────────────────────────────────────────────▶ CLOSING
 *                                                                                    (the kernel's last completion) ─▶ freed
 *
 * - OPEN: input goes to the protocol, output is sent.
 * - FINISHING: no more input is used; what is queued for output is sent.
 * - LINGERING: the sending side is shut down, input is read and dropped, so that no reset destroys the last response on
 *   its way (RFC 9112 section 9.6). The kernel may hold megabytes of it for a slow reader: while the peer's host acknowledges
 *   it at write_rate, lingering goes on; linger_timeout after all of it was found acknowledged, the socket is closed without
 *   RST. (Found: the kernel is asked when linger_timeout is over.) A peer that is too slow gets RST, which frees what the
 *   kernel holds for it.
 * - CLOSING: the descriptor is being closed; buffers live until the kernel has let go of them.
 *
 * Output that waits must be taken at write_rate over each write_timeout. Progress is what the peer's host has acknowledged,
 * of which the kernel is asked only when the timer fires: it may take nothing for long from us while a slow reader empties
 * its buffers, and a byte now and then from us is not enough. The first such time begins when output begins to wait, the next
 * ones where the one before ended, so that a peer that stops is ended after one to two times write_timeout. Whatever the rate,
 * a peer is in time if all that waited at the beginning has gone to the kernel.
 *
 * Input has its own small state: it is `blocked` while the protocol cannot go on. Receiving is turned off when more
 * than GN_INPUT_HELD bytes have piled up meanwhile.
 *
 * What it can hold at most, of the arena or of the heap that stands in for it, block sizes included (a piece is what is
 * received at once, up to 64 KiB; with the default settings in brackets):
 * - of input that waits, twice the sum of a piece and a partial head of `head_bytes` [384 KiB];
 * - of heads, for each request of the `pipeline`, and GN_H1_ASIDE_MAX more, a block of `head_bytes` and a page [9 MiB];
 * - of bodies that Java has not given back, for each, `receive_credit` and a block of 16 KiB [2.5 MiB];
 * - of output, twice the sum of `send_credit` for the first two responses and of two times GN_QUEUED_SEND_CREDIT for each
 *   other one [752 KiB], and the heads that Java gives the responses.
 * Besides, on the C heap: its own structure, one for each exchange, and a partial head's fields. Idle, it holds its
 * structure and nothing else, but for the addresses, which go when its timer fires for the first time after a request: at
 * most 512 bytes in all.
 */
#ifndef GN_CONN_CONNECTION_H
#define GN_CONN_CONNECTION_H

#include "conn/buffer.h"
#include "conn/context.h"
#include "conn/exchange.h"
#include "conn/output.h"
#include "conn/protocol.h"
#include "h1/session.h"

#define GN_INPUT_HELD 16384U

enum gn_connection_state {
    GN_CONNECTION_OPEN,
    GN_CONNECTION_FINISHING,
    GN_CONNECTION_LINGERING,
    GN_CONNECTION_CLOSING
};

/* Why the protocol cannot go on with its input. */
enum gn_blocked {
    GN_BLOCKED_RING = 1,     /* no room for an event: until Java has read some */
    GN_BLOCKED_MEMORY = 2,   /* until the arena has room */
    GN_BLOCKED_PIPELINE = 4, /* until a response is complete */
    GN_BLOCKED_CREDIT = 8,   /* until Java takes body bytes */
    GN_BLOCKED_TURN = 16,    /* its share of this turn is used up */
    GN_BLOCKED_OUTPUT = 32,  /* until no more than `send_credit` bytes wait to be sent */
};

struct gn_listener;
struct gn_h2_session;

struct gn_connection {
    struct gn_io_socket socket;
    struct gn_context *context;
    const struct gn_protocol *protocol;
    const struct gn_listener_settings *settings; /* the listener's, which outlives its connections */
    struct gn_listener *listener;
    struct gn_list listed; /* in the listener */
    struct gn_list dirty;
    struct gn_list ready;
    struct gn_timer timer;
    struct gn_info *info;
    struct gn_list exchanges; /* in order of the requests */
    struct gn_list aside;     /* exchanges that the peer waits for no more, but Java has not ended */
    struct gn_list sending;   /* exchanges that want SENT, in order */
    struct gn_buffer input;
    struct gn_output output;
    uint64_t sent;          /* bytes ever taken by the kernel */
    uint64_t last_received; /* when, nanoseconds; stands still while it waits for memory */
    uint64_t last_sent; /* when the kernel last took bytes, or output became non-empty; lingering: see connection.c */
    struct {
        uint64_t until; /* the end of the time over which write_rate is measured; 0: none runs */
        uint64_t goal;  /* bytes of all that were ever sent that the peer must have acknowledged then, */
        uint64_t gone;  /* or that must be with the kernel: all that waited at the beginning */
    } pace;
    uint64_t peer; /* what the listener's admission counts it as */
    uint32_t slot, generation;
    uint32_t exchange_count; /* of `exchanges` */
    uint32_t aside_count;
    uint64_t dropped; /* input bytes that nobody used: behind `close`, or while lingering */
    uint8_t state;    /* enum gn_connection_state */
    uint8_t blocked;  /* enum gn_blocked */
    uint16_t end_reason;
    bool receiving : 1;
    bool send_pending : 1;
    bool peer_ended : 1;  /* the peer's FIN was received */
    bool input_ended : 1; /* and the protocol was told */
    bool watched : 1;     /* Java wants a CLOSED event */
    bool clean_end : 1;   /* see gn_connection_finish_output */
    bool shutting : 1;    /* the sending side ends behind the output */
    bool leaving : 1;     /* it made room for others: its output is counted in gn_relief.leaving */
    union {               /* by `protocol` */
        struct gn_h1_session h1;
        struct gn_h2_session *h2;
    };
};

/* Takes over a connected descriptor. 0, or a negative errno: the descriptor stays the caller's. */
int gn_connection_open(struct gn_context *context, struct gn_listener *listener,
                       const struct gn_listener_settings *settings, int descriptor, struct gn_connection **result);

static inline uint64_t gn_connection_id(const struct gn_connection *connection)
{
    return gn_id(connection->slot, connection->generation);
}

struct gn_connection *gn_connection_find(const struct gn_context *context, uint64_t id);

/* ---- for the io ---- */
void gn_connection_received(struct gn_connection *connection, const uint8_t *bytes, ssize_t length);
void gn_connection_sent(struct gn_connection *connection, ssize_t result);
/* The kernel is done with it: frees the structure. Returns after the listener was told (gn_listener_lost). */
void gn_connection_closed(struct gn_connection *connection);

/* ---- for the loop ---- */
/* Starts sending what is queued. */
void gn_connection_flush(struct gn_connection *connection);
/* Goes on with input that was held. */
void gn_connection_resume(struct gn_connection *connection);
void gn_connection_expired(struct gn_connection *connection);
/* The graceful end of an idle or a busy connection. */
void gn_connection_finish(struct gn_connection *connection);
/* Java wants a CLOSED event for a connection that is gone already. False: there is neither room nor memory for it. */
bool gn_connection_watch_lost(struct gn_context *context, uint64_t id);
/* Writes CLOSED events that are owed, as far as the ring has room. */
void gn_connection_deliver_closed(struct gn_context *context);

/* ---- for the protocol ---- */
/* Something was added to `output`: it is sent at the end of the turn. */
void gn_connection_touch(struct gn_connection *connection);
/* Input may go on: `reason` no longer blocks it. */
void gn_connection_unblock(struct gn_connection *connection, enum gn_blocked reason);
/* Nothing more is used of the input; the connection ends when the output is sent. With `clean`, the peer expects the
   end and has nothing more to say, so there is no need to linger. */
void gn_connection_finish_output(struct gn_connection *connection, bool clean);
/* Ends the sending side when the output is sent, to which nothing more may be added; receiving goes on. */
void gn_connection_shut_output(struct gn_connection *connection);
/* Counts input that nobody uses; past the listener's `linger_bytes` the connection is ended. */
void gn_connection_drop_input(struct gn_connection *connection, size_t length);
/* Counts a message that is refused, and says so in the log. `status`: what answers it, or 0. */
void gn_connection_log_refusal(struct gn_connection *connection, unsigned reason, unsigned status);
/* Ends it at once: exchanges break with `reason`, the descriptor is closed, by RST if `reset`. */
void gn_connection_end(struct gn_connection *connection, unsigned reason, bool reset);
/* Looks at the time limits anew after a change that may have brought the next one closer. */
void gn_connection_watch_time(struct gn_connection *connection);

/* How many bytes must come or go in `time` nanoseconds at `rate` bytes a second: one at least. */
static inline uint64_t gn_connection_least_bytes(uint64_t rate, uint64_t time)
{
    uint64_t bytes = rate * (time / 1000000) / 1000;
    return bytes == 0 ? 1 : bytes;
}

/* The connection's info with a reference for the caller; NULL: no memory. The connection keeps one itself, until its
   timer finds it without a request. */
struct gn_info *gn_connection_info(struct gn_connection *connection);

#endif
