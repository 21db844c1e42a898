/*
 * HTTP/1 on a server connection: turns input into exchanges and events, commands into output. A session is reading ×
 * writing × keep-alive.
 *
 * Reading, one message at a time:
 *
 *          complete head with a body                        body complete, keep-alive
 *     HEAD ──────────────────────────▶ SIZED | CHUNKED ──▶ (TRAILERS) ──────────────────▶ HEAD
 *      │  complete head without: HEAD again (keep-alive) or STOPPED          │ `close`
 *      │  the same, of a request that offers a tunnel: OFFER                 │
 *      └── message error, end of input, `close` ─────────────▶ STOPPED ◀─────┘
 *
 *             response opens a tunnel                    any other response is complete, keep-alive
 *     TUNNEL ◀──────────────────────── OFFER ────────────────────────────────────────────────────▶ HEAD
 *        │ both sides have ended         │ `close`
 *        └──────▶ STOPPED ◀──────────────┘
 *
 * A request offers a tunnel by Upgrade or CONNECT (h1/tunnel.h). Until it is known what the bytes behind it are, they are
 * held.
 *
 * Writing: the exchanges of a connection form a queue in the order of their requests. The first one writes to the
 * connection's output; the others write to their own (`held`), which is passed on when they become the first. An
 * exchange leaves the queue when its response is complete. If its request body is not, what remains of it is read and
 * dropped, up to `discard_bytes`.
 *
 * A response that is whole for the peer before Java has ended it (no body goes out, or all that Content-Length says has) holds
 * up nobody, since a proxy may have sent another client's request behind it: its exchange is set aside (conn/exchange.h), out
 * of the queue. So `pipeline` and `safe_pipeline` count what the peer waits for, as they do where a handler runs on behind the
 * end of its response. Java may go on with the request's body, under credit as before; what it adds to the response is
 * dropped, or refused past Content-Length; SENT is told when the bytes are with the kernel, ended or not. The exchange ends
 * by END, RESET or RELEASE, or breaks with the connection, or when GN_H1_ASIDE_MAX younger ones are set aside. The last
 * response of a connection stays in the queue. Where nothing is left to do but Java's end of whole responses, the connection
 * counts as idle; if no more requests come (`close`, the peer's end, a graceful end) it ends with the last of them, or after
 * linger_timeout, and they break: a handler that ends its response a moment later never hears of an end at all. A last
 * response behind them does not wait for them.
 *
 * Keep-alive: an exchange whose request or response says `close`, or that is the last of the listener's `requests`, is
 * the last: nothing behind its request is read as a request, and the connection ends when its response is sent. The same
 * holds for errors that the session answers by itself, which are exchanges that Java never hears of.
 *
 * The peer is waited for over times that it cannot make longer by trickling: first_byte_timeout from accept, head_timeout
 * from the first byte of a head (or of the empty lines before it), idle_timeout from the end of a response. A body that Java
 * has given credit for, or that is dropped, must come at body_rate over each body_timeout: less, or nothing at all, is 408.
 * Only its content counts, neither chunk framing nor trailers. That time begins anew when Java gives credit after there was
 * none, and once it is over if the loop had no room in the meantime.
 *
 * A body has at most `body_bytes`: a head that announces more is refused (413), a chunked body fails at the size line that
 * passes it, whether Java reads it or it is dropped. Bytes of a tunnel are none of a body.
 *
 *     reading \ first response | none, or begun                     | complete
 *     -------------------------+------------------------------------+------------------------------------------------------
 *     HEAD                     | pipelining, up to `pipeline`; with | next exchange, once no more than `send_credit` bytes
 *                              | `safe_pipeline` safe methods only  | of responses wait to be sent; queue empty: idle
 *     SIZED/CHUNKED/TRAILERS   | body goes to Java under credit     | rest is dropped, then HEAD; too much: the end
 *     OFFER                    | input waits                        | HEAD
 *     TUNNEL                   | bytes go to Java under credit; it  | its sending side is shut down; when the peer has ended,
 *                              | begins with 101 or 2xx             | too: the end
 *     STOPPED                  | waits for the response             | the end
 */
#ifndef GN_H1_SESSION_H
#define GN_H1_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "conn/protocol.h"
#include "h1/chunked.h"

enum gn_h1_reading {
    GN_H1_READING_HEAD,
    GN_H1_READING_SIZED,
    GN_H1_READING_CHUNKED,
    GN_H1_READING_TRAILERS,
    GN_H1_READING_STOPPED,
    GN_H1_READING_OFFER,
    GN_H1_READING_TUNNEL
};

struct gn_h1_partial; /* a head or trailer section that is not complete; private */

/* Part of its connection; freed by gn_h1_protocol.end. */
struct gn_h1_session {
    struct gn_h1_partial *partial;
    struct gn_exchange *receiving; /* whose body is read; NULL: none, or it is dropped */
    union {
        uint64_t body_left; /* SIZED */
        struct gn_h1_chunked chunked;
    };
    uint64_t discarded;      /* bytes dropped of the body in hand */
    uint32_t requests;       /* handed to Java; counted only where the listener limits them */
    uint64_t since;          /* the moment from which the time limit of what it waits for counts */
    uint64_t progress;       /* body bytes that came since then */
    uint8_t reading;         /* enum gn_h1_reading */
    bool message_keep_alive; /* of the message in hand */
    bool client_close;       /* the last request asked for the end itself, so that nothing comes behind it */
    bool used;               /* a request was received */
    bool interrupted; /* the loop could not take body bytes since then: when their time is over, it begins anew */
    bool finishing;   /* graceful end */
    bool alone;       /* safe_pipeline: the next request waits until none is in flight */
};

void gn_h1_session_start(struct gn_h1_session *session, uint64_t now);

extern const struct gn_protocol gn_h1_protocol;

#endif
