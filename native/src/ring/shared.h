/*
 * The memory that Java lends to a loop at its creation: one region, which begins with `struct gn_shared` and holds the
 * event ring, the command ring and the staging area at the offsets that Java writes into it. Java owns and frees it,
 * after the loop.
 *
 * The rings. Java fills the command ring from its beginning and hands `count` commands over with each poll, which
 * consumes all of them; staged bytes likewise. Events are a true ring: C writes at its tail, Java reads at its head and
 * says at each poll how far it has read; both count on without wrapping, an index is taken modulo the capacity. Only
 * the loop's thread touches them, so plain accesses do. Counters are written by the loop's thread and may be read from
 * any, word by word.
 */
#ifndef GN_RING_SHARED_H
#define GN_RING_SHARED_H

#include <stdint.h>

#include "ring/record.h"

/* Settings of a loop. X(name): a 64-bit word; Java writes them before creation. */
#define GN_LOOP_SETTINGS(X)                                                                                            \
    X(abi)                  /* GN_ABI */                                                                               \
    X(size)                 /* bytes of the whole region */                                                            \
    X(backend)              /* enum gn_io_backend: what is wanted */                                                   \
    X(backend_taken)        /* out: what was taken */                                                                  \
    X(wake_descriptor)      /* an eventfd */                                                                           \
    X(events_offset)        /* of the event ring, aligned to 64 */                                                     \
    X(events_capacity)      /* records, a power of two, at least 64 */                                                 \
    X(commands_offset)      /* aligned to 64 */                                                                        \
    X(commands_capacity)    /* records, at least 64 */                                                                 \
    X(staging_offset)       /* aligned to 64 */                                                                        \
    X(staging_capacity)     /* bytes, at least 65536 */                                                                \
    X(receive_buffers)      /* io_uring: a power of two; 0: default */                                                 \
    X(receive_buffer_bytes) /* 0: default */                                                                           \
    X(low_water)            /* bytes of the arena: below it a slab is asked for */                                     \
    X(reserve)              /* bytes of the arena that only heads may take, as the arena's config has it */            \
    X(memory)               /* bytes of the arena at most, in slabs of 1 MiB; 0: no limit */                           \
    X(turn_bytes)           /* a connection's share of a turn in bytes of input; 0: default 65536 */

/* Settings of a listener and of the connections that come from it. X(name): a 64-bit word. Times in nanoseconds, 0:
   off. */
#define GN_LISTENER_SETTINGS(X)                                                                                        \
    X(head_bytes)         /* A18; default 65536 + 65536 */                                                             \
    X(target_bytes)       /* A17; default 65534 */                                                                     \
    X(fields)             /* A15; default 100 */                                                                       \
    X(empty_lines)        /* A2; default 8 */                                                                          \
    X(trailer_bytes)      /* of a trailer section (B15); default 16384 */                                              \
    X(extension_bytes)    /* of all chunk extensions of a body (B12); default 16384 */                                 \
    X(body_bytes)         /* of a request body (B24); 0: no limit */                                                   \
    X(lenient)            /* bits of enum gn_h1_lenient: what is let in that is refused otherwise; default 0 */        \
    X(pipeline)           /* requests of a connection in flight; default 32 */                                         \
    X(receive_credit)     /* body bytes of an exchange that Java holds at most; default 65536 */                       \
    X(send_credit)        /* body bytes of an exchange that wait to be sent at most; default 65536 */                  \
    X(requests)           /* of a connection: the response to the last one says close; 0: no limit */                  \
    X(discard_bytes)      /* unread body bytes that are read to keep a connection; default 65536 */                    \
    X(linger_bytes)       /* bytes read and dropped after the last response, before closing; default 1048576 */        \
    X(keep_alive)         /* 1: connections are kept (default), 0: closed after a response */                          \
    X(date)               /* 1: a Date field is added (default) */                                                     \
    X(half_close)         /* 1: a peer that ended its side still gets its response (default; D5) */                    \
    X(first_byte_timeout) /* accept to the first byte; default 30 s */                                                 \
    X(head_timeout)       /* first byte of a head to its end; default 30 s */                                          \
    X(idle_timeout)       /* between two requests; default 75 s */                                                     \
    X(body_timeout)       /* a body that Java waits for is short of body_rate; default 30 s */                         \
    X(write_timeout)      /* the peer takes what waits for it slower than write_rate; default 30 s */                  \
    X(body_rate)          /* bytes a second, over each body_timeout; at least a byte comes in it; default 240 */       \
    X(write_rate)         /* bytes a second, over each write_timeout; at least a byte; default 240 */                  \
    X(linger_timeout)     /* after the last response; default 5 s */                                                   \
    X(admission)          /* address of the gn_admission of its server, which outlives the call; 0: no limits */       \
    X(safe_pipeline)      /* 1: of several requests in flight all have safe methods (RFC 9112 9.3.2); default 0 */     \
    X(connect)            /* 1: CONNECT goes to Java (F2); 0: it is answered with 501 (default) */                     \
    X(http_1_0)           /* 1: HTTP/1.0 requests are answered with HTTP/1.0 (C15); 0: with HTTP/1.1 (default) */      \
    X(title_case)         /* 1: field names that C spells begin their words with capitals (C17); default 0 */          \
    X(tunnel_timeout)     /* a tunnel without a byte in either direction; default 10 min */                            \
    /* HTTP/2; what is said of requests, fields, bodies, credit and times above holds there too */                     \
    X(http_1)             /* 1: HTTP/1.1 and 1.0 are served (default) */                                               \
    X(http_2)             /* 1: HTTP/2 is served to who begins with its preface (default) */                           \
    X(streams)            /* concurrent streams of a connection; default 200 */                                        \
    X(stream_window)      /* bytes of a body that a peer may send ahead; default 1048576 */                            \
    X(connection_window)  /* the same for all bodies of a connection; default 1048576 */                               \
    X(adaptive_window)    /* 1: both grow with the product of bandwidth and delay; default 0 */                        \
    X(frame_bytes)        /* of a frame's payload; default 16384 */                                                    \
    X(field_list_bytes)   /* of a field list, with 32 for each field (RFC 9113 6.5.2); default 16384 */                \
    X(table_bytes)        /* of the dynamic table that a peer may use; default 4096 */                                 \
    X(stream_send_credit) /* as send_credit, of a stream; default 409600 */                                            \
    X(ping_interval)      /* a peer that was silent for so long is asked for a sign of life; default off */            \
    X(ping_timeout)       /* it is gone if none comes within this time; default 20 s */                                \
    X(connect_protocol)   /* 1: extended CONNECT is offered (RFC 8441); default 0 */                                   \
    X(resets)             /* streams that a peer may reset; a thirtieth comes back each second; default 1000 */        \
    X(provoked_resets)    /* the same for errors that make this side reset a stream; default 500 */                    \
    X(control_frames)     /* the same for frames that move nothing; each stream gives more; default 1000 */

/* Counters and gauges of a loop. X(name) */
#define GN_COUNTERS(X)                                                                                                 \
    X(turns)                                                                                                           \
    X(events)                                                                                                          \
    X(commands)                                                                                                        \
    X(commands_rejected) /* malformed, or naming what does not exist */                                                \
    X(connections_accepted)                                                                                            \
    X(connections_open)    /* gauge */                                                                                 \
    X(connections_refused) /* past a limit of connections: closed at once */                                           \
    X(connections_evicted) /* ended for want of memory: their peer had stalled longest */                              \
    X(accept_failures)                                                                                                 \
    X(requests)            /* heads handed to Java */                                                                  \
    X(requests_refused)    /* heads and bodies answered by C with an error */                                          \
    X(responses)           /* complete, on their way to the kernel */                                                  \
    X(exchanges_open)      /* gauge: slots that Java has not released */                                               \
    X(exchanges_reset)     /* broken before their response was complete */                                             \
    X(exchanges_abandoned) /* gauge: their connection is gone, Java has not released them */                           \
    X(timeouts)            /* connections ended by a time limit */                                                     \
    X(bytes_received)                                                                                                  \
    X(bytes_sent)                                                                                                      \
    X(logs_dropped) /* REFUSED and ACCEPT_FAILED events for which the ring had no room */                              \
    X(memory_used)  /* gauge: bytes of the C heap */                                                                   \
    X(arena_total)  /* gauge: bytes of all slabs */                                                                    \
    X(arena_free)   /* gauge */                                                                                        \
    X(blocks_lent)  /* gauge: blocks that Java holds */                                                                \
    X(tunnels_open) /* gauge */

#define GN_WORD(name) uint64_t name;
struct gn_loop_settings {
    GN_LOOP_SETTINGS(GN_WORD)
};
struct gn_listener_settings {
    GN_LISTENER_SETTINGS(GN_WORD)
};
struct gn_counters {
    GN_COUNTERS(GN_WORD)
    /* By gn_reason: how often a message was refused, a limit took effect, or a connection ended for it. */
    uint64_t reasons[GN_REASON_LIMIT];
};
#undef GN_WORD

#define GN_TEXT_BYTES 256

struct gn_shared {
    struct gn_loop_settings loop;
    struct gn_listener_settings listener; /* written before each `listen`, which copies them */
    char text[GN_TEXT_BYTES];             /* out: why the backend was taken or refused; ends with 0 */
    _Alignas(128) struct gn_counters counters;
};

#endif
