/*
 * Parses heads in every width of the parser and in every cut, and checks that the result is the same; with heads that
 * were changed at random for it.
 */
#ifndef GN_TEST_H1_REQUEST_CUTS_H
#define GN_TEST_H1_REQUEST_CUTS_H

#include "h1/request_parser.h"

#include "h1/same_request.h"
#include "test.h"

#define FIELDS 128

/* Heads up to this length are tried with every cut; longer ones with pieces of several lengths. */
#define EVERY_CUT 1500

static const struct gn_h1_request_limits ordinary = {65536, 8192, 100, 4, 0, NULL};

static const enum gn_h1_width widths[] = {GN_H1_PORTABLE, GN_H1_SSE42};

/* What the last parse left. */
static struct gn_h1_request request;
static struct gn_h1_field fields[FIELDS];
static const char *head;

static inline enum gn_h1_status give(enum gn_h1_width width, struct gn_h1_request *to, const char *text, size_t length,
                                     const struct gn_h1_request_limits *limits)
{
    // An own copy for each call: bytes move between calls, and a sanitizer sees a read outside of them.
    uint8_t *copy = malloc(length);
    REQUIRE(copy != NULL || length == 0);
    if (length != 0)
        memcpy(copy, text, length);
    enum gn_h1_status status = gn_h1_request_parse_width(width, to, copy, length, limits);
    free(copy);
    return status;
}

/* Gives the text in pieces, the first of `first` bytes and the others of `piece`, and compares with `request`. */
static inline bool cut_agrees(enum gn_h1_width width, const char *text, size_t length, size_t first, size_t piece,
                              const struct gn_h1_request_limits *limits, enum gn_h1_status expected)
{
    struct gn_h1_field own[FIELDS];
    struct gn_h1_request other;
    gn_h1_request_start(&other, own);
    enum gn_h1_status status = GN_H1_MORE;
    for (size_t given = first < length ? first : length;; given = given + piece < length ? given + piece : length) {
        status = give(width, &other, text, given, limits);
        if (status != GN_H1_MORE || given == length)
            break;
    }
    if (status == expected && same_request(&request, &other, status))
        return true;
    fprintf(stderr, "width %d, first %zu, piece %zu: status %d, expected %d, for\n<%.*s>\n", width, first, piece,
            status, expected, length > 400 ? 400 : (int)length, text);
    return false;
}

/* Parses whole, then in every width with every cut; the results must not differ. */
static inline enum gn_h1_status parse_limited(const char *text, size_t length,
                                              const struct gn_h1_request_limits *limits)
{
    head = text;
    gn_h1_request_start(&request, fields);
    enum gn_h1_status status = give(GN_H1_PORTABLE, &request, text, length, limits);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        if (!gn_h1_width_supported(widths[w]))
            continue;
        bool agree = cut_agrees(widths[w], text, length, length, 1, limits, status);
        for (size_t piece = 1; agree && piece < 9 && length <= EVERY_CUT; piece++)
            agree = cut_agrees(widths[w], text, length, piece, piece, limits, status);
        for (size_t piece = 977; agree && piece < 9000; piece = piece * 2 + 1)
            agree = cut_agrees(widths[w], text, length, piece, piece, limits, status);
        for (size_t first = 0; agree && first < length && length <= EVERY_CUT; first++)
            agree = cut_agrees(widths[w], text, length, first, length, limits, status);
        CHECK(agree);
    }
    return status;
}

#define PARSE(text) parse_limited(text, sizeof(text) - 1, &ordinary)

/* A head and what must come of it. */
struct refusal {
    const char *text;
    enum gn_h1_status status;
};

static inline void check_all(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum gn_h1_status status = parse_limited(cases[i].text, strlen(cases[i].text), &ordinary);
        if (status != cases[i].status)
            fprintf(stderr, "for <%s>\n", cases[i].text);
        CHECK_EQ(status, cases[i].status);
    }
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof *(cases))

#define CHECK_SPAN(offset, length, text) CHECK_BYTES(head + (offset), length, text)

static uint64_t random_state = 0x9e3779b97f4a7c15;

static inline uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % bound;
}

/* Changes 1..4 places of text[0..*length), which has room for `room` bytes. */
static inline void mutate(char *text, size_t *length, size_t room)
{
    static const char odd[] = "\r\n\r\n \t:;,/?#*%[]@\0\x01\x7f\x80\xff"
                              "0aZ";
    for (uint32_t change = 1 + random_below(4); change > 0; change--) {
        size_t at = random_below((uint32_t)*length), count = 1 + random_below(8);
        switch (random_below(4)) {
        case 0:
            text[at] = (char)random_below(256);
            break;
        case 1:
            text[at] = odd[random_below(sizeof odd - 1)];
            break;
        case 2: // take out
            count = at + count > *length ? *length - at : count;
            if (count == *length)
                break;
            memmove(text + at, text + at + count, *length - at - count);
            *length -= count;
            break;
        default: // double
            count = at + count > *length ? *length - at : count;
            if (*length + count > room)
                break;
            memmove(text + at + count, text + at, *length - at);
            *length += count;
            break;
        }
    }
}

#endif
