/*
 * Prepared responses: final responses that Java keeps with the loop to send them any number of times (PREPARE, PREPARED,
 * UNPREPARE in ring/record.h).
 *
 * One does not change once it is there. It is counted: the table holds it for Java until UNPREPARE, and so does every
 * piece of output that sends its body in place; the last one frees it. So many readers of one large response hold it
 * once.
 *
 * Java gives the ids. A slot that is taken, lies beyond GN_PREPARED_MAX or has generation 0 is refused. Where there is no
 * memory for one, the table remembers that: who asks for it must be able to tell "lost" from "never was".
 *
 * Thread: the loop's.
 */
#ifndef GN_CONN_PREPARED_H
#define GN_CONN_PREPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/record.h"

/* The most prepared responses of a loop. */
#define GN_PREPARED_MAX 65536U

struct gn_context;

struct gn_prepared {
    uint32_t references;
    uint16_t status;
    bool reason;            /* the first entry of `fields` is the reason phrase */
    bool length_said;       /* PREPARE had a Content-Length */
    uint64_t length;        /* Content-Length: that of the body, but for statuses without content */
    uint8_t *fields, *body; /* staged fields, and behind them the body */
    uint32_t fields_length, body_length;
    /* What the protocols keep of it: the head as far as it stays the same. */
    uint8_t *encoded; /* HTTP/1 (h1/prepared.h) */
    uint8_t *block;   /* HTTP/2 (h2/prepared.h) */
    uint32_t encoded_length, encoded_size, block_length, block_size;
    bool dated; /* `fields` has a date */
};

/* Whether the status lets the response have content (RFC 9110 section 6.4.1). */
static inline bool gn_prepared_has_content(const struct gn_prepared *prepared)
{
    return prepared->status != 204 && prepared->status != 205 && prepared->status != 304;
}

struct gn_prepared_slot {
    struct gn_prepared *prepared; /* NULL: there was no memory for it */
    uint32_t generation;          /* 0: free */
};

/* Zeroed, it is empty. */
struct gn_prepared_table {
    struct gn_prepared_slot *slots;
    uint32_t capacity;
    bool lost; /* there was no memory to remember one */
};

/* Keeps what a PREPARE command says; `staged` is where its offset points. False: it makes no sense. Without memory it is
   true, and gn_prepared_find says so. */
bool gn_prepared_keep(struct gn_context *context, const struct gn_command *command, const uint8_t *staged);

/* Java lets go of `id`. False: there is no such one. */
bool gn_prepared_drop(struct gn_context *context, uint64_t id);

/* 0, -ENOENT: no such one, or -ENOMEM: there was no memory for it. */
int gn_prepared_find(const struct gn_context *context, uint64_t id, struct gn_prepared **prepared);

void gn_prepared_release(struct gn_context *context, struct gn_prepared *prepared);

/* Lets go of all of them; no output may be left. */
void gn_prepared_end(struct gn_context *context);

#endif
