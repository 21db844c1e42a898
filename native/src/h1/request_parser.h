/*
 * The request-head parser of HTTP/1 (RFC 9112): a pure, resumable function over bytes.
 *
 * It allocates nothing, does no I/O and keeps no state but the `struct gn_h1_request` that its caller owns. Everything
 * that it reports is an offset into the caller's bytes, counted from the first byte that was given to it (which may be
 * one of the empty lines that RFC 9112 section 2.2 lets a server skip), so the bytes may move between two calls.
 *
 *     gn_h1_request_start(&request);
 *     status = gn_h1_request_parse(&request, bytes, length, &limits);   // GN_H1_MORE: call again with more behind
 *
 * A call continues where the last one stopped, so the work is linear in the bytes however the head was cut. The result
 * does not depend on how it was cut either: every decision is taken at one byte, on what stands before it, and an error
 * is told as soon as its byte is there. What a field says as a whole (Host, framing) is judged at the end of its line,
 * what several fields say together at the end of the head.
 *
 * What is a message error by RFC 9112 is one here: bare LF, bare CR, obs-fold, white space before the colon, controls, an
 * invalid Host, both framing fields, repeated framing fields. Leniencies (enum gn_h1_lenient) let some of it in. What is
 * accepted without them has the same result with them.
 */
#ifndef GN_H1_REQUEST_PARSER_H
#define GN_H1_REQUEST_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/field_name.h"
#include "http/head_block.h"
#include "http/method.h"

/* The most fields that a head may be allowed to have (the limit itself is `gn_h1_request_limits.fields`). */
#define GN_H1_FIELDS_MAX 1024

/* What a call found. Everything but the first two is an error; gn_h1_error_* say what to do about it. */
enum gn_h1_status {
    GN_H1_COMPLETE = 0,        /* the head is whole; request->head_length bytes belong to it */
    GN_H1_MORE,                /* all bytes are read, the head goes on */
    GN_H1_BAD_REQUEST_LINE,    /* 400: white space, delimiters or line structure of the request line */
    GN_H1_BAD_METHOD,          /* 400: empty, or not a token */
    GN_H1_BAD_TARGET,          /* 400: empty, forbidden octet, or a form that the method does not allow (A14, A21) */
    GN_H1_BAD_VERSION,         /* 400: malformed HTTP-version */
    GN_H1_UNSUPPORTED_VERSION, /* 505: well-formed, major version is not 1 */
    GN_H1_BAD_LINE_END,        /* 400: bare LF or bare CR (A3, A11) */
    GN_H1_BAD_FIELD_NAME,      /* 400: empty, not a token, white space before the colon, no colon (A9, A11) */
    GN_H1_BAD_FIELD_VALUE,     /* 400: control octet other than HTAB (A11, A22) */
    GN_H1_OBSOLETE_FOLD,       /* 400: a field line that begins with SP or HTAB (A10) */
    GN_H1_BAD_HOST,            /* 400: missing on HTTP/1.1, repeated, or not uri-host [":" port] (A20) */
    GN_H1_BAD_CONTENT_LENGTH,  /* 400: not 1*DIGIT, a list, or over 2^63-1 (B3) */
    GN_H1_REPEATED_CONTENT_LENGTH, /* 400: more than one Content-Length line, equal or not (B4) */
    GN_H1_BAD_TRANSFER_ENCODING,   /* 400: empty, chunked not last, chunked twice, or on HTTP/1.0 (B6, B7, B9) */
    GN_H1_UNSUPPORTED_CODING,      /* 501: chunked is last, but other codings stand before it (B5) */
    GN_H1_LENGTH_AND_CHUNKED,      /* 400: both Content-Length and Transfer-Encoding (B8) */
    GN_H1_TARGET_TOO_LONG,         /* 414 (A17) */
    GN_H1_HEAD_TOO_LARGE,          /* 431: head bytes over the limit (A16, A18) */
    GN_H1_TOO_MANY_FIELDS,         /* 431 (A15) */
    GN_H1_TOO_MANY_EMPTY_LINES,    /* 400: before the request line (A2) */
    GN_H1_STATUS_COUNT
};

/* How the body is framed (RFC 9112 section 6.3). Content-Length: 0 is GN_H1_NO_BODY. */
enum gn_h1_framing { GN_H1_NO_BODY, GN_H1_SIZED, GN_H1_CHUNKED };

/* What is let in that is refused otherwise, bits of gn_h1_request_limits.lenient; in the order of io.gannet.Leniency, which
   says what each means. */
enum gn_h1_lenient {
    GN_H1_ALLOW_BARE_LF = 1,                  /* A3, and in the chunked decoder; see h1/irregular.h */
    GN_H1_ALLOW_REPEATED_SPACES = 2,          /* A6: between method, target and version, and nowhere else */
    GN_H1_ALLOW_INVALID_FIELDS = 4,           /* A12: which lines are dropped says h1/irregular.h */
    GN_H1_ALLOW_UTF_8_TARGETS = 8,            /* A14: in path and query; an authority has none */
    GN_H1_ALLOW_REPEATED_CONTENT_LENGTH = 16, /* B4: the same decimal value, so `5` and `05`, too */
    GN_H1_ALLOW_TRANSFER_CODINGS = 32,        /* B5 */
    GN_H1_ALLOW_LENGTH_AND_CHUNKED = 64,      /* B8: see gn_h1_request.length_dropped */
};

/* Limits, all exact at n: n passes, n + 1 is refused. Units: bytes, fields, lines. */
struct gn_h1_request_limits {
    uint32_t head_bytes; /* from the first byte of the request line to the end of the empty line; it comes first: a
                             target that passes it before target_bytes is GN_H1_HEAD_TOO_LARGE */
    uint32_t target_bytes;
    uint32_t fields;                     /* at most GN_H1_FIELDS_MAX */
    uint32_t empty_lines;                /* empty lines before the request line */
    uint32_t lenient;                    /* bits of enum gn_h1_lenient; 0: strict */
    const struct gn_h1_host *known_host; /* NULL, or a Host that need not be judged again */
};

/* A Host value that is known to be valid. Most requests of a server name the same one, and to compare takes a tenth of the
   time that it takes to judge. */
#define GN_H1_HOST_MAX 60U
struct gn_h1_host {
    uint32_t length; /* 0: none */
    uint8_t text[GN_H1_HOST_MAX];
};

/* A field line. The name is as received; the value has its optional white space trimmed. */
struct gn_h1_field {
    uint32_t name;         /* offset */
    uint32_t value;        /* offset */
    uint32_t value_length; /* may be 0 */
    uint16_t name_length;  /* 1..65535; a longer name is GN_H1_HEAD_TOO_LARGE */
    uint16_t token;        /* enum gn_field_name, GN_FIELD_OTHER for a name without one */
};

/* Where the search of an unfinished line stands; the parsers' own. */
struct gn_h1_line {
    uint32_t start;       /* where the line begins */
    uint32_t scanned;     /* where the search goes on */
    uint32_t name_length; /* once the colon is passed */
    uint32_t value;       /* once the value has begun */
    uint8_t part;
    uint16_t dropped; /* lines that were, which count as fields */
};

/*
 * A request head in the making. `gn_h1_request_start` makes it ready; everything above the line is for readers after
 * GN_H1_COMPLETE (method, target and version also after an error that came later in the head: a log line wants them;
 * lengths of 0 mean that they were not reached). What is below the line is the parser's.
 */
struct gn_h1_request {
    uint32_t start;         /* offset of the request line, behind the empty lines that were skipped */
    uint32_t head_length;   /* bytes up to and with the empty line, counted from offset 0 */
    uint32_t method_length; /* the method stands at `start` */
    uint16_t method;        /* enum gn_method */
    uint8_t version;        /* minor version: 0, or 1 for everything from 1.1 on (A7) */
    uint8_t target_form;    /* enum gn_target_form */
    uint32_t target, target_length;
    uint32_t query, query_length;         /* behind '?'; length 0 and query 0 where there is none */
    uint32_t authority, authority_length; /* of absolute-form or authority-form, else the Host value (RFC 9112 3.2.2) */
    uint32_t path, path_length;           /* without the query; for absolute-form without scheme and authority */
    uint8_t framing;                      /* enum gn_h1_framing */
    bool scheme_https;                    /* absolute-form with https */
    bool keep_alive;                      /* what version and Connection say together; any `close` wins (D3) */
    bool expect_continue;                 /* Expect: 100-continue (1.1 only) */
    bool unknown_expectation;             /* an Expect that is something else: 417 */
    bool upgrade;                         /* HTTP/1.1, Upgrade present and `upgrade` among the Connection options */
    bool trailers_accepted;               /* TE lists trailers */
    bool host_was_known;                  /* Host is limits.known_host */
    bool
        length_dropped; /* Content-Length stood beside Transfer-Encoding and was taken out of the fields; keep_alive and
                            upgrade are false */
    uint64_t content_length; /* for GN_H1_SIZED */
    uint32_t field_count;
    struct gn_h1_field *fields; /* the caller's array of at least limits.fields entries; between two calls the caller
                                   may copy the entries so far elsewhere and point this at the copy */

    /* ---- the parser's own ---- */
    struct gn_h1_line line;
    uint32_t empty_lines;
    uint16_t seen;
};

/* Makes `request` ready for the first byte of a request; `fields` is lent until the head is done with. */
void gn_h1_request_start(struct gn_h1_request *request, struct gn_h1_field *fields);

/*
 * Continues with bytes[0..length): the same bytes as in the call before, and more behind them. A status other than
 * GN_H1_COMPLETE and GN_H1_MORE ends the request; the error is the first in the order of the bytes.
 */
enum gn_h1_status gn_h1_request_parse(struct gn_h1_request *request, const uint8_t *bytes, size_t length,
                                      const struct gn_h1_request_limits *limits);

/* Whether the request line is whole and says HTTP/1.0; also after an error behind it. */
bool gn_h1_request_is_1_0(const struct gn_h1_request *request);

/* The status code that answers an error, and a static English description of it for log lines. */
uint16_t gn_h1_error_code(enum gn_h1_status status);
const char *gn_h1_error_text(enum gn_h1_status status);

/*
 * The widths in which the parser exists; the widest that the processor has is used unless a test chooses one. AVX2 is
 * left out on purpose: alone in a loop it is a little faster, but between two system calls its first 256-bit
 * instruction waits for the upper half of the vector unit, which doubled the user CPU time of a whole request (0.74 µs
 * against 0.40 µs, Xeon with AVX-512).
 */
enum gn_h1_width { GN_H1_PORTABLE, GN_H1_SSE42, GN_H1_WIDTH_COUNT };
bool gn_h1_width_supported(enum gn_h1_width width);

/* gn_h1_request_parse in one width, which must be supported. */
enum gn_h1_status gn_h1_request_parse_width(enum gn_h1_width width, struct gn_h1_request *request, const uint8_t *bytes,
                                            size_t length, const struct gn_h1_request_limits *limits);

#endif
