/*
 * What both floor servers share: the listening socket, the bytes of the answer and the count of request ends.
 *
 * A floor server does the least that any HTTP/1.1 server must do for a GET: take the bytes, find where requests
 * end, send the answer. It parses nothing, so it understands only requests without content. One thread; SIGTERM
 * ends it by the signal's default action.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Most connections served at once; one more is closed as soon as it is accepted. */
#define FLOOR_MAX_CONNECTIONS 10000u

/* Descriptors of connections are below this; tables of connections are indexed by descriptor. */
#define FLOOR_MAX_DESCRIPTORS (FLOOR_MAX_CONNECTIONS + 64u)

/* Copies of the answer that lie one after another in `struct floor_answers`. */
#define FLOOR_COPIES 64u

struct floor_answers {
    size_t length; /* of one answer, octets */
    size_t total;  /* of all copies, octets */
    uint8_t bytes[FLOOR_COPIES * 256u];
};

/* Prints `what` and errno's text on stderr and exits with 1. */
_Noreturn void floor_fail(const char *what);

/* Builds the answer and its copies. */
void floor_answers_build(struct floor_answers *answers);

/*
 * Reads `--port N` (0, the default: any free one), lets the process open FLOOR_MAX_DESCRIPTORS files, listens on
 * 127.0.0.1 and prints `listening on http://127.0.0.1:PORT` on stdout. `type_flags` is 0 or SOCK_NONBLOCK. Returns
 * the descriptor; exits with 2 after bad options, with 1 after a failed call.
 */
int floor_listen(int argc, char **argv, int type_flags);

/* Sets TCP_NODELAY. A peer that has gone already is no failure. */
void floor_connection_prepare(int descriptor);

/*
 * Where the next octet to send lies when `owed` octets are left: the copies repeat, so a connection needs no more
 * state than this count. `*length` is what can be sent from there in one piece.
 */
static inline const uint8_t *floor_answers_next(const struct floor_answers *answers, uint64_t owed, size_t *length)
{
    // Division by the length only when there is more than one answer to send or a part of one was sent.
    size_t offset = owed == answers->length ? 0 : (answers->length - owed % answers->length) % answers->length;
    size_t available = answers->total - offset;
    *length = owed < available ? (size_t)owed : available;
    return answers->bytes + offset;
}

/* One octet of the search for CR LF CR LF; `*matched` (0..3) of the four were seen. Returns 1 at the end. */
static inline uint32_t floor_end_step(uint32_t *matched, uint8_t octet)
{
    if (octet == (uint8_t) "\r\n\r\n"[*matched]) {
        *matched = (*matched + 1) & 3u;
        return *matched == 0;
    }
    *matched = octet == '\r';
    return 0;
}

/* How many request ends `bytes` holds; `*matched` carries an end that is split between two reads, 0 at first. */
static inline uint32_t floor_count_ends(uint32_t *matched, const uint8_t *bytes, size_t length)
{
    uint32_t count = 0;
    size_t at = 0;
    while (*matched != 0 && at < length) {
        count += floor_end_step(matched, bytes[at++]);
    }
    while (length - at >= 4) {
        // An octet above CR is no part of an end, so no end starts at it or at the three before it.
        if (bytes[at + 3] > '\r') {
            at += 4;
        } else if (memcmp(bytes + at, "\r\n\r\n", 4) == 0) {
            count++;
            at += 4;
        } else {
            at++;
        }
    }
    while (at < length) {
        count += floor_end_step(matched, bytes[at++]);
    }
    return count;
}

#endif
