/*
 * The records that cross between Java and C: events (C to Java) and commands (Java to C). 32 bytes each, little-endian,
 * aligned to 8. The Java constants are generated from this header, so the two cannot drift.
 *
 * Records speak HTTP, not bytes and not versions. What each one means for a kind of peer:
 *
 * event      | h1 server             | h2 server            | h1 client            | h2 client          | tunnel
 * -----------+-----------------------+----------------------+----------------------+--------------------+--------------
 * OPENED     | never: silent until a | as h1 server         | connect and TLS are  | as h1 client       | never
 *            | head is there         |                      | done                 |                    |
 * FAILED     | never                 | never                | connect failed:      | as h1 client       | never
 *            |                       |                      | reason               |                    |
 * GOING_AWAY | never                 | the peer sent GOAWAY | response said        | GOAWAY: last       | never
 *            |                       |                      | `close`              | stream in value    |
 * CLOSED     | only for a watched connection: it is gone, reason says why (all columns)                 | as its base
 * HEAD       | a request; exchange   | a stream's request   | the final response   | the final response | never
 *            | opened by C           | headers              |                      |                    |
 * INTERIM    | never                 | never                | a 1xx response       | a 1xx response     | never
 * DATA       | body bytes, without   | body bytes, without  | as server            | as server          | raw bytes
 *            | chunk framing         | padding              |                      |                    |
 * TRAILERS   | trailer section; the  | trailing HEADERS     | as server            | as server          | never
 *            | body has ended. An    |                      |                      |                    |
 *            | empty one: DATA, END  |                      |                      |                    |
 * CREDIT     | the exchange may send `value` more body bytes (all columns)                              | the same
 * RESET      | the exchange broke:   | RST_STREAM, or the   | as server            | as server          | the peer's
 *            | the peer went away, a | connection broke     |                      |                    | RST
 *            | bad body, a time      |                      |                      |                    |
 *            | limit                 |                      |                      |                    |
 * SENT       | asked for by NOTIFY: the last byte of the response (client: request) is with the kernel  | the same
 *            | (all columns)                                                                            |
 *
 * command    | h1 server             | h2 server            | h1 client            | h2 client          | tunnel
 * -----------+-----------------------+----------------------+----------------------+--------------------+--------------
 * CONNECT    | rejected              | rejected             | opens a connection   | as h1 client       | rejected
 * REQUEST    | rejected              | rejected             | sends a request      | the same, on a     | rejected
 *            |                       |                      | head; exchange       | stream             |
 *            |                       |                      | opened by Java       |                    |
 * RESPOND    | the final head, maybe with the body or its   | rejected             | rejected           | 101, or 2xx to
 *            | first bytes                                  |                      |                    | CONNECT opens it
 * PREPARED   | the whole final response, as it was prepared | rejected             | rejected           | rejected
 * INTERIM    | a 1xx head other than 101; nothing where the | rejected             | rejected           | rejected
 *            | client speaks HTTP/1.0, on HTTP/1 nothing    |                      |                    |
 *            | but 100 to HEAD                              |                      |                    |
 * DATA       | body bytes, framed by C                      | the same             | the same           | raw bytes
 * TRAILERS   | trailer section; ends the body               | the same             | the same           | rejected
 * CREDIT     | a DATA event's block goes back, and with it the receive credit that it took (all         | the same
 *            | columns)                                                                                 |
 * FREE       | an INTERIM or TRAILERS event's block goes back, or one of DATA that crossed a RELEASE    | the same
 *            | (all columns)                                                                            |
 * RELEASE    | Java has let go of the exchange: its head block and slot go back (all columns)           | the same
 * RESET      | cut the response off  | RST_STREAM with the  | close the connection | RST_STREAM         | RST to the
 *            | (close the connection | code in `value`      |                      |                    | peer
 *            | unless only the end   |                      |                      |                    |
 *            | is missing)           |                      |                      |                    |
 * WATCH      | tell Java by CLOSED when the connection goes (all columns)                               | of its base
 * CLOSE      | end the connection: gracefully (finish what runs), or at once with ABORT (all columns)   | of its base
 * UNLISTEN   | the listener stops accepting; its connections end gracefully, or at once with ABORT      | until ABORT
 * PREPARE    | keeps a final response under an id that Java gives; UNPREPARE lets go of it (all         | -
 *            | columns that know PREPARED)                                                              |
 *
 * Loop-wide events: UNLISTENED (the last connection of a listener is gone), REFUSED (for the log: something was
 * refused), ACCEPT_FAILED (for the log), SLAB_WANTED (memory is low), SLAB_EMPTY (slab `value` is Java's again).
 *
 * Ids. A subject is (slot, role, generation): slot in bits 0..23, role in bit 24 (0 server, 1 client), generation in
 * bits 32..63. Whoever opens the exchange gives the id; ids of connections and listeners have the same form. An id is
 * never used twice (the generation counts up); a command for one that is no more is ignored and counted.
 *
 * Ownership. The block of a DATA, INTERIM or TRAILERS event is Java's until the command that gives it back; a head
 * block stays C's, for Java to read until RELEASE. Staged bytes that a command refers to are Java's until the next
 * poll, C's during it. After RELEASE no record of that exchange follows in either direction.
 */
#ifndef GN_RING_RECORD_H
#define GN_RING_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define GN_ABI 1

#define GN_EVENTS(X)                                                                                                   \
    X(HEAD, 1)                                                                                                         \
    X(INTERIM, 2)                                                                                                      \
    X(DATA, 3)                                                                                                         \
    X(TRAILERS, 4)                                                                                                     \
    X(CREDIT, 5)                                                                                                       \
    X(RESET, 6)                                                                                                        \
    X(SENT, 7)                                                                                                         \
    X(OPENED, 8)                                                                                                       \
    X(FAILED, 9)                                                                                                       \
    X(GOING_AWAY, 10)                                                                                                  \
    X(CLOSED, 11)                                                                                                      \
    X(UNLISTENED, 12)                                                                                                  \
    X(REFUSED, 13)                                                                                                     \
    X(ACCEPT_FAILED, 14)                                                                                               \
    X(SLAB_WANTED, 15)                                                                                                 \
    X(SLAB_EMPTY, 16)

#define GN_COMMANDS(X)                                                                                                 \
    X(RESPOND, 1)                                                                                                      \
    X(INTERIM, 2)                                                                                                      \
    X(DATA, 3)                                                                                                         \
    X(TRAILERS, 4)                                                                                                     \
    X(CREDIT, 5)                                                                                                       \
    X(FREE, 6)                                                                                                         \
    X(RELEASE, 7)                                                                                                      \
    X(RESET, 8)                                                                                                        \
    X(WATCH, 9)                                                                                                        \
    X(CLOSE, 10)                                                                                                       \
    X(UNLISTEN, 11)                                                                                                    \
    X(CONNECT, 12)                                                                                                     \
    X(REQUEST, 13)                                                                                                     \
    X(PREPARE, 14)                                                                                                     \
    X(UNPREPARE, 15)                                                                                                   \
    X(PREPARED, 16)

#define GN_EVENT_ENUM(name, number) GN_EVENT_##name = number,
enum gn_event_kind { GN_EVENTS(GN_EVENT_ENUM) };
#undef GN_EVENT_ENUM
#define GN_COMMAND_ENUM(name, number) GN_COMMAND_##name = number,
enum gn_command_kind { GN_COMMANDS(GN_COMMAND_ENUM) };
#undef GN_COMMAND_ENUM

/* Flags of events and commands. */
#define GN_FLAGS(X)                                                                                                    \
    X(END, 1)      /* HEAD, DATA, RESPOND: nothing of the body follows */                                              \
    X(CLOSE, 2)    /* RESPOND: the connection ends after this response */                                              \
    X(NOTIFY, 4)   /* RESPOND: a SENT event is wanted */                                                               \
    X(ABORT, 8)    /* CLOSE, UNLISTEN: at once */                                                                      \
    X(QUEUED, 16)  /* HEAD: others are before it, so its send credit begins at GN_QUEUED_SEND_CREDIT */                \
    X(RELEASE, 32) /* RESPOND, PREPARED, INTERIM, DATA, TRAILERS: RELEASE as well, for one record less */              \
    X(CHUNKED, 64) /* RESPOND: chunked even where the length is known, if the client understands it (C2) */            \
    X(REASON, 128) /* RESPOND, PREPARE: the first staged entry is the reason phrase: its value, without a name */

/* The send credit of an exchange that cannot send yet, in bytes; the rest comes with its turn. A client that pipelines and
   does not read would otherwise have all of its responses held. */
#define GN_QUEUED_SEND_CREDIT 4096

#define GN_FLAG_ENUM(name, number) GN_FLAG_##name = number,
enum gn_flag { GN_FLAGS(GN_FLAG_ENUM) };
#undef GN_FLAG_ENUM

#define GN_ID_SLOT_BITS 24
#define GN_ID_ROLE_CLIENT (1ULL << 24)
#define GN_ID_GENERATION_SHIFT 32

static inline uint64_t gn_id(uint32_t slot, uint32_t generation)
{
    return ((uint64_t)generation << GN_ID_GENERATION_SHIFT) | slot;
}

static inline uint32_t gn_id_slot(uint64_t id)
{
    return (uint32_t)id & ((1U << GN_ID_SLOT_BITS) - 1);
}

/* 0: server. */
static inline uint32_t gn_id_role(uint64_t id)
{
    return (uint32_t)id >> GN_ID_SLOT_BITS;
}

static inline uint32_t gn_id_generation(uint64_t id)
{
    return (uint32_t)(id >> GN_ID_GENERATION_SHIFT);
}

/*
 * kind           | reason     | length           | subject    | block          | value
 * ---------------+------------+------------------+------------+----------------+------------------------------
 * HEAD           | listener's | of the block     | exchange   | head block     | connection
 *                | slot       |                  |            |                |
 * DATA           |            | body bytes, or 0 | exchange   | body, or 0     |
 * TRAILERS       |            | of the block     | exchange   | head block     |
 * CREDIT         |            |                  | exchange   |                | bytes
 * RESET          | gn_reason  |                  | exchange   |                | status that answered, or 0
 * SENT           | gn_reason  |                  | exchange   |                | (reason NONE: all of it was sent)
 * CLOSED         | gn_reason  |                  | connection |                |
 * UNLISTENED     |            |                  | listener   |                |
 * REFUSED        | gn_reason  |                  | connection |                | status that answered, or 0
 * the same, for  | gn_reason  |                  | 0          | what its peer  |
 * one not taken  |            |                  |            | counts as      |
 * ACCEPT_FAILED  |            | errno            | listener   |                | failures so far
 * SLAB_WANTED    |            |                  |            |                |
 * SLAB_EMPTY     |            |                  |            |                | slab index
 */
struct gn_event {
    uint8_t kind;
    uint8_t flags;
    uint16_t reason;
    uint32_t length;
    uint64_t subject;
    uint64_t block;
    int64_t value;
};

/*
 * kind     | status | length      | subject    | offset, body_length / block  | value
 * ---------+--------+-------------+------------+------------------------------+--------------------------------------
 * RESPOND  | 101,   | field bytes | exchange   | staged: fields, then body    | Content-Length, or -1: not known (then,
 *          | 200..  |             |            |                              | with END, it is body_length)
 * PREPARE  | 200..  | field bytes | prepared   | staged: fields, then body    | Content-Length: that of the body, or -1:
 *          |        |             |            |                              | none is said
 * UNPREPARE|        |             | prepared   |                              |
 * PREPARED |        |             | exchange   | id of the prepared response  |
 * INTERIM  | 1xx    | field bytes | exchange   | staged: fields               |
 * DATA     |        |             | exchange   | staged: body                 |
 * TRAILERS |        | field bytes | exchange   | staged: fields               |
 * CREDIT   |        |             | exchange   | block, or 0                  | without a block: bytes of memory
 * FREE     |        |             |            | block                        |
 * RELEASE  |        |             | exchange   |                              |
 * RESET    |        |             | exchange   |                              | error code (HTTP/2)
 * WATCH    |        |             | connection |                              |
 * CLOSE    |        |             | connection |                              |
 * UNLISTEN |        |             | listener   |                              |
 *
 * Staged fields are entries without padding, one behind the other:
 *   uint16 token (gn_field_name, or 0) | uint16 name length | uint32 value length | name bytes | value bytes
 * With a token the name length may be 0: the canonical lower-case name is meant. Connection-level fields
 * (content-length, connection, keep-alive) do not stand there: C writes them from the record. transfer-encoding may: its
 * value is the codings that the body has already, without chunked, which C adds where it frames so (C3).
 */
struct gn_command {
    uint8_t kind;
    uint8_t flags;
    uint16_t status;
    uint32_t length;
    uint64_t subject;
    union {
        struct {
            uint32_t offset;
            uint32_t body_length;
        };
        uint64_t block;
    };
    int64_t value;
};

_Static_assert(sizeof(struct gn_event) == 32, "a record is 32 bytes");
_Static_assert(sizeof(struct gn_command) == 32, "a record is 32 bytes");
_Static_assert(offsetof(struct gn_event, subject) == 8 && offsetof(struct gn_event, value) == 24, "no padding");
_Static_assert(offsetof(struct gn_command, offset) == 16 && offsetof(struct gn_command, value) == 24, "no padding");

/* An entry of staged fields. */
struct gn_staged_field {
    uint16_t token;
    uint16_t name_length;
    uint32_t value_length;
};

/*
 * Why something ended or was refused. X(NAME, number, "text"). The errors of the request parser and of the chunked
 * decoder follow behind, as GN_REASON_REQUEST + gn_h1_status and GN_REASON_CHUNKED + gn_h1_chunked_status.
 */
#define GN_REASONS(X)                                                                                                  \
    X(NONE, 0, "no error")                                                                                             \
    X(PEER_CLOSED, 1, "the peer closed the connection")                                                                \
    X(PEER_RESET, 2, "the peer reset the connection")                                                                  \
    X(HEAD_CUT, 3, "the connection ended within a message head")                                                       \
    X(BODY_CUT, 4, "the connection ended within a message body")                                                       \
    X(FIRST_BYTE_TIMEOUT, 5, "no byte of a request came in time")                                                      \
    X(HEAD_TIMEOUT, 6, "the message head was not complete in time")                                                    \
    X(IDLE_TIMEOUT, 7, "the connection was idle for too long")                                                         \
    X(BODY_TIMEOUT, 8, "the message body made no progress in time")                                                    \
    X(WRITE_TIMEOUT, 9, "the peer took no bytes of the response in time")                                              \
    X(LINGER_TIMEOUT, 10, "the peer did not close its side in time")                                                   \
    X(CLOSED_HERE, 11, "the connection was closed by this side")                                                       \
    X(ABORTED, 12, "the exchange was aborted by this side")                                                            \
    X(OUT_OF_MEMORY, 13, "no memory within the quotas")                                                                \
    X(INPUT_OUTPUT, 14, "reading or writing the socket failed")                                                        \
    X(UNKNOWN_EXPECTATION, 15, "an expectation other than 100-continue")                                               \
    X(CONNECT_REFUSED, 16, "CONNECT is not served here")                                                               \
    X(RESPONSE_CUT, 17, "the response did not have its declared length")                                               \
    X(BODY_TOO_LARGE, 18, "the message body is larger than the limit")                                                 \
    X(SHUTDOWN, 19, "the server is shutting down")                                                                     \
    X(TUNNEL_TIMEOUT, 20, "the tunnel was idle for too long")                                                          \
    X(CONNECT_CONTENT, 21, "CONNECT with content-length or transfer-encoding")                                         \
    X(TRAILERS_TOO_LARGE, 22, "the trailer section is larger than the limit")                                          \
    X(UNREAD_TOO_LARGE, 23, "more of the message body was left unread than is dropped for the sake of a connection")   \
    X(LINGER_TOO_LARGE, 24, "more bytes came behind the last message than the limit")                                  \
    X(LAST_REQUEST, 25, "the connection had as many requests as it may have")                                          \
    X(ADDRESS_LIMIT, 26, "too many connections from one address")                                                      \
    X(CONNECTION_LIMIT, 27, "too many connections")                                                                    \
    X(STREAM_RESET, 28, "the peer reset the stream")                                                                   \
    X(STREAM_REFUSED, 29, "more streams at once than the limit")                                                       \
    X(STREAM_CLOSED, 30, "a frame for a stream that is closed")                                                        \
    X(HTTP_2_ERROR, 31, "the peer does not keep to HTTP/2")                                                            \
    X(FRAME_SIZE, 32, "a frame of a wrong length")                                                                     \
    X(FLOW_CONTROL, 33, "more bytes than the window, or a window over its limit")                                      \
    X(COMPRESSION, 34, "a field block that cannot be decoded")                                                         \
    X(FIELD_LIST_TOO_LARGE, 35, "the field list is larger than the limit")                                             \
    X(MALFORMED_MESSAGE, 36, "the fields of a message are malformed")                                                  \
    X(LENGTH_MISMATCH, 37, "the message body is not as long as its content-length says")                               \
    X(RESET_FLOOD, 38, "the peer resets too many streams")                                                             \
    X(PROVOKED_RESET_FLOOD, 39, "too many streams had to be reset for errors of the peer")                             \
    X(CONTINUATION_FLOOD, 40, "a field block in too many frames or bytes")                                             \
    X(CONTROL_FLOOD, 41, "too many frames that move nothing")                                                          \
    X(SETTINGS_TIMEOUT, 42, "the peer did not acknowledge the settings in time")                                       \
    X(PING_TIMEOUT, 43, "the peer gave no sign of life in time")                                                       \
    X(WINDOW_TIMEOUT, 44, "the peer opened no window for the response in time")                                        \
    X(GOING_AWAY, 45, "the connection takes no more streams")

#define GN_REASON_ENUM(name, number, text) GN_REASON_##name = number,
enum gn_reason { GN_REASONS(GN_REASON_ENUM) GN_REASON_REQUEST = 64, GN_REASON_CHUNKED = 128, GN_REASON_LIMIT = 160 };
#undef GN_REASON_ENUM

/* A static English text for a reason; "unknown reason" for a number without one. */
const char *gn_reason_text(unsigned reason);

/* A static name that no other reason has, in capitals, as that of the constant; NULL for a number without one. Those of
   the chunked decoder begin with CHUNKED_. */
const char *gn_reason_name(unsigned reason);

#endif
