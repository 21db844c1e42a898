#include "h1/request_cuts.h"

#define ALL 127U

static const unsigned leniencies[] = {1, 2, 4, 8, 16, 32, 64, ALL};
#define LENIENCIES (sizeof leniencies / sizeof *leniencies)

static enum gn_h1_status parse_lenient(const char *text, size_t length, unsigned lenient)
{
    struct gn_h1_request_limits limits = ordinary;
    limits.lenient = lenient;
    return parse_limited(text, length, &limits);
}

#define LENIENT(text, lenient) parse_lenient(text, sizeof(text) - 1, lenient)

/* Heads with what comes of them with a leniency; without it, and with all others, all are refused. */
static void check_lenient(const struct refusal *cases, size_t count, unsigned lenient)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(cases[i].text);
        enum gn_h1_status strict = parse_lenient(cases[i].text, length, 0);
        enum gn_h1_status others = parse_lenient(cases[i].text, length, ALL & ~lenient);
        enum gn_h1_status status = parse_lenient(cases[i].text, length, lenient);
        if (status != cases[i].status || strict < GN_H1_BAD_REQUEST_LINE || others < GN_H1_BAD_REQUEST_LINE)
            fprintf(stderr, "for <%s>\n", cases[i].text);
        CHECK_EQ(status, cases[i].status);
        CHECK(strict >= GN_H1_BAD_REQUEST_LINE);
        CHECK(others >= GN_H1_BAD_REQUEST_LINE);
    }
}

#define CHECK_LENIENT(cases, lenient) check_lenient(cases, sizeof(cases) / sizeof *(cases), lenient)

#define HEAD(line) "GET / HTTP/1.1\r\nHost: a\r\n" line "\r\nLast: l\r\n\r\n"

TEST(A3_bare_lf_ends_every_line_of_a_head)
{
    static const struct refusal cases[] = {
        {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"\r\n\n\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"\n\n\n\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_TOO_MANY_EMPTY_LINES},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", GN_H1_COMPLETE},
        {"GET / HTTP/1.1\r\nHost: a\r\n\n", GN_H1_COMPLETE},
        {"GET / HTTP/1.1\nHost: a\n\n", GN_H1_COMPLETE},
        {"GET / HTTP/1.1\nHost:\n\n", GN_H1_COMPLETE},
        {"GET / HTTP/1.0\n\n", GN_H1_COMPLETE},
        {"GET / HTTP/1.1\nHost: a\n\r", GN_H1_MORE},
        {"GET / HTTP/1.1\nHost: a\n\rX", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\nHost: a\r\r\n\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\nHost: a\rX\n\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\rHost: a\n\n", GN_H1_BAD_LINE_END},
        {"\r\rGET / HTTP/1.1\nHost: a\n\n", GN_H1_BAD_LINE_END},
        {"GET /\nHost: a\n\n", GN_H1_BAD_REQUEST_LINE}, // HTTP/0.9
        {"GET / HTTP/1\nHost: a\n\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1 \nHost: a\n\n", GN_H1_BAD_REQUEST_LINE},
        {"GET\n/ HTTP/1.1\nHost: a\n\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1\nHost: a\n b\n\n", GN_H1_OBSOLETE_FOLD},
        {"GET / HTTP/1.1\nHost: a\nX\n\n", GN_H1_BAD_FIELD_NAME},
        {"GET / HTTP/1.1\nHost: a\n: x\n\n", GN_H1_BAD_FIELD_NAME},
    };
    CHECK_LENIENT(cases, GN_H1_ALLOW_BARE_LF);
}

TEST(A3_what_bare_lf_ends_is_read_as_with_crlf)
{
    CHECK_EQ(LENIENT("\nPOST /a?b HTTP/1.1\nHost: a \nX:\t v w \t\nEmpty:\nContent-Length: 3\n\nabcGET", 1),
             GN_H1_COMPLETE);
    CHECK_EQ(request.start, 1);
    CHECK_EQ(request.head_length, strlen(head) - 6);
    CHECK_EQ(request.field_count, 4);
    CHECK_SPAN(request.authority, request.authority_length, "a");
    CHECK_SPAN(request.query, request.query_length, "b");
    CHECK_SPAN(fields[1].name, fields[1].name_length, "X");
    CHECK_SPAN(fields[1].value, fields[1].value_length, "v w");
    CHECK_EQ(fields[1].token, GN_FIELD_OTHER);
    CHECK_EQ(fields[2].value_length, 0);
    CHECK_EQ(fields[3].token, GN_FIELD_CONTENT_LENGTH);
    CHECK_EQ(request.framing, GN_H1_SIZED);
    CHECK_EQ(request.content_length, 3);
    // The first empty line ends the head, however it and the line before it end.
    CHECK_EQ(LENIENT("GET / HTTP/1.1\nHost: a\n\r\nX: y\r\n\r\n", 1), GN_H1_COMPLETE);
    CHECK_EQ(request.head_length, strlen("GET / HTTP/1.1\nHost: a\n\r\n"));
    CHECK_EQ(LENIENT("GET / HTTP/1.1\r\nHost: a\r\n\nX: y\r\n\r\n", 1), GN_H1_COMPLETE);
    CHECK_EQ(request.head_length, strlen("GET / HTTP/1.1\r\nHost: a\r\n\n"));
}

TEST(A6_runs_of_spaces_pass_where_one_stands)
{
    static const struct refusal cases[] = {
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET    /     HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"POST   /   HTTP/1.0\r\n\r\n", GN_H1_COMPLETE},
        {"GET  \r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET  HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET /  \r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET /a  b HTTP/1.1\r\n", GN_H1_BAD_VERSION},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_METHOD},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1  \r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET  / HTTP /1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET \t/ HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET\t / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / \tHTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET \v/ HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / \fHTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_REQUEST_LINE},
    };
    CHECK_LENIENT(cases, GN_H1_ALLOW_REPEATED_SPACES);
    CHECK_EQ(LENIENT("POST   /a?b   HTTP/1.1\r\nHost: a\r\n\r\n", 2), GN_H1_COMPLETE);
    CHECK_SPAN(request.start, request.method_length, "POST");
    CHECK_SPAN(request.target, request.target_length, "/a?b");
    CHECK_SPAN(request.path, request.path_length, "/a");
    CHECK_SPAN(request.query, request.query_length, "b");
    // The spaces count for the head and not for the target.
    struct gn_h1_request_limits limits = {44, 3, 100, 4, GN_H1_ALLOW_REPEATED_SPACES, NULL};
    CHECK_EQ(parse_limited("GET      /ab      HTTP/1.1\r\nHost: abcdef\r\n\r\n", 44, &limits), GN_H1_COMPLETE);
    limits.head_bytes = 43;
    CHECK_EQ(parse_limited("GET      /ab      HTTP/1.1\r\nHost: abcdef\r\n\r\n", 44, &limits), GN_H1_HEAD_TOO_LARGE);
    limits.head_bytes = 44;
    CHECK_EQ(parse_limited("GET      /abc     HTTP/1.1\r\nHost: abcdef\r\n\r\n", 44, &limits), GN_H1_TARGET_TOO_LONG);
}

/* Lines that are dropped. */
static const char *const invalid[] = {
    "no colon",
    "nocolon",
    "(",
    ": no name",
    "bad name: x",
    "b\xc3\xa4"
    "d: x",
    "bad@name: x",
    "bad\x01name: x",
    "X: a\x01"
    "b",
    "X: \x7f",
    "X:\x1b",
    "\x80: y",
    "\"quoted\": x",
    "a b",
    "Content Type: x",
    "Hos t name: x",
    "X-Length Content: 1",
    "Transfer Coding: a",
    "GET / HTTP/1.1",
    "x\x0by",
};

/* Lines that are not, with what is said of them. */
static const struct refusal kept_out[] = {
    {HEAD("X : y"), GN_H1_BAD_FIELD_NAME},
    {HEAD("X\t: y"), GN_H1_BAD_FIELD_NAME},
    {HEAD("bad name : y"), GN_H1_BAD_FIELD_NAME},
    {HEAD("X \x01: y"), GN_H1_BAD_FIELD_NAME},
    {HEAD(" : y"), GN_H1_OBSOLETE_FOLD},
    {HEAD(" X: y"), GN_H1_OBSOLETE_FOLD},
    {HEAD("\tfolded"), GN_H1_OBSOLETE_FOLD},
    {HEAD("bad name\r\n folded"), GN_H1_OBSOLETE_FOLD},
    {HEAD("bad name\ry"), GN_H1_BAD_LINE_END},
    {HEAD("X: \x01\ry"), GN_H1_BAD_LINE_END},
    {HEAD("X: a\rb"), GN_H1_BAD_LINE_END},
    {HEAD("bad name\r"), GN_H1_BAD_LINE_END},
    {HEAD("bad name\ny"), GN_H1_BAD_LINE_END},
    {HEAD("X: \x01\ny"), GN_H1_BAD_LINE_END},
    {HEAD("Content-Length"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Content-Length 5"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Content-Length\x0b: 5"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Content-Length\xc2\x85: 5"), GN_H1_BAD_FIELD_NAME},
    {HEAD("\xa0"
          "Content-Length: 5"),
     GN_H1_BAD_FIELD_NAME},
    {HEAD("cOnTeNt -lEnGtH: 5"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Con\x01tent-Length: 5"), GN_H1_BAD_FIELD_NAME},
    {HEAD("X Content-Length: 5"), GN_H1_BAD_FIELD_NAME},
    {HEAD(": Content-Length: 5"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Content: -Length: 5\x01"), GN_H1_BAD_FIELD_VALUE},
    {HEAD("Content-Length: 5\x01"), GN_H1_BAD_FIELD_VALUE},
    {HEAD("Content-Length: \x01"), GN_H1_BAD_FIELD_VALUE},
    {HEAD("X: a\x0b"
          "Content-Length: 5"),
     GN_H1_BAD_FIELD_VALUE},
    {HEAD("Transfer-Encoding"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Transfer-Encoding chunked"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Transfer\x1f-Encoding: chunked"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Transfer-Encoding\x0c: chunked"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Transfer-Encoding: \x0b"
          "chunked"),
     GN_H1_BAD_FIELD_VALUE},
    {HEAD("Transfer- Encoding: chunked"), GN_H1_BAD_FIELD_NAME},
    {HEAD("T r a n s f e r - E n c o d i n g: x"), GN_H1_BAD_FIELD_NAME},
    {HEAD("X: y\x01"
          "TRANSFER-ENCODING: chunked"),
     GN_H1_BAD_FIELD_VALUE},
    {HEAD("Host b"), GN_H1_BAD_FIELD_NAME},
    {HEAD("H\x01ost: b"), GN_H1_BAD_FIELD_NAME},
    {HEAD("Host: b\x01"), GN_H1_BAD_FIELD_VALUE},
};

TEST(A12_an_invalid_line_is_dropped_and_the_rest_served)
{
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        char text[200];
        int length = snprintf(text, sizeof text, HEAD("%s"), invalid[i]);
        struct refusal refused = {text, GN_H1_COMPLETE};
        check_lenient(&refused, 1, GN_H1_ALLOW_INVALID_FIELDS);
        CHECK_EQ(request.head_length, length);
        CHECK_EQ(request.field_count, 2);
        CHECK_SPAN(fields[0].name, fields[0].name_length, "Host");
        CHECK_SPAN(fields[1].name, fields[1].name_length, "Last");
        CHECK_SPAN(fields[1].value, fields[1].value_length, "l");
        CHECK_EQ(request.framing, GN_H1_NO_BODY);
        // The same as the first line, as the last, and several in a row, ended by LF where that is let in, too.
        length = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\nHost: a\r\n%s\r\n%s\r\n\r\n", invalid[i],
                          invalid[i], invalid[i]);
        CHECK_EQ(parse_lenient(text, (size_t)length, GN_H1_ALLOW_INVALID_FIELDS), GN_H1_COMPLETE);
        CHECK_EQ(request.field_count, 1);
        length = snprintf(text, sizeof text, "GET / HTTP/1.1\nHost: a\n%s\nLast: l\n\n", invalid[i]);
        CHECK_EQ(parse_lenient(text, (size_t)length, ALL), GN_H1_COMPLETE);
        CHECK_EQ(request.field_count, 2);
        CHECK_EQ(request.head_length, length);
    }
}

TEST(A9_A10_A11_A12_what_could_be_framing_or_is_read_in_two_ways_is_refused_even_then)
{
    for (size_t i = 0; i < sizeof kept_out / sizeof *kept_out; i++) {
        size_t length = strlen(kept_out[i].text);
        enum gn_h1_status status = parse_lenient(kept_out[i].text, length, GN_H1_ALLOW_INVALID_FIELDS);
        enum gn_h1_status all = parse_lenient(kept_out[i].text, length, ALL & ~(unsigned)GN_H1_ALLOW_BARE_LF);
        if (status != kept_out[i].status)
            fprintf(stderr, "for <%s>\n", kept_out[i].text);
        CHECK_EQ(status, kept_out[i].status);
        CHECK_EQ(all, status);
        CHECK(parse_lenient(kept_out[i].text, length, ALL) != GN_H1_MORE);
    }
    CHECK_EQ(LENIENT(HEAD("X\0: y"), 4), GN_H1_BAD_FIELD_NAME);
    CHECK_EQ(LENIENT(HEAD("\0"), 4), GN_H1_BAD_FIELD_NAME);
    CHECK_EQ(LENIENT(HEAD("no colon \0"), 4), GN_H1_BAD_FIELD_NAME);
    CHECK_EQ(LENIENT(HEAD("X: \0"), 4), GN_H1_BAD_FIELD_VALUE);
    CHECK_EQ(LENIENT(HEAD("X: \x01\0"), 4), GN_H1_BAD_FIELD_VALUE);
    CHECK_EQ(LENIENT(HEAD("Content-Length\0: 5"), 4), GN_H1_BAD_FIELD_NAME);
    // The names in a line that is well-formed are nobody's concern.
    CHECK_EQ(LENIENT(HEAD("X: Content-Length: 5"), 4), GN_H1_COMPLETE);
    CHECK_EQ(request.field_count, 3);
}

TEST(A12_A15_A18_a_dropped_line_counts)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nbad name\r\nX: y\r\n\x80\r\n\r\n";
    struct gn_h1_request_limits limits = {sizeof text - 1, 100, 4, 4, GN_H1_ALLOW_INVALID_FIELDS, NULL};
    CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_COMPLETE);
    CHECK_EQ(request.field_count, 2);
    limits.head_bytes--;
    CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_HEAD_TOO_LARGE);
    limits.head_bytes++;
    limits.fields--;
    CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_TOO_MANY_FIELDS);
    limits.fields--;
    CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_TOO_MANY_FIELDS);
    limits.fields = 1;
    CHECK_EQ(parse_limited("GET / HTTP/1.1\r\nHost: a\r\nbad\x01\r\n\r\n", 34, &limits), GN_H1_TOO_MANY_FIELDS);
    limits.fields = 0;
    CHECK_EQ(parse_limited("GET / HTTP/1.0\r\n:\r\n\r\n", 21, &limits), GN_H1_TOO_MANY_FIELDS);
}

/* Whether bytes[0..length) are characters by the table of RFC 3629 section 4, from U+00A0 on or ASCII of targets. */
static bool is_target_text(const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t value = bytes[at], least = 0;
        size_t more = value < 0x80 ? 0 : value < 0xc0 ? 9 : value < 0xe0 ? 1 : value < 0xf0 ? 2 : value < 0xf8 ? 3 : 9;
        if (more == 0 && (value <= ' ' || value == 0x7f || value == '#'))
            return false;
        if (more == 9 || at + more >= length)
            return false;
        value &= more == 0 ? 0x7f : 0x3fU >> more;
        for (size_t i = 1; i <= more; i++) {
            if ((bytes[at + i] & 0xc0) != 0x80)
                return false;
            value = value << 6 | (bytes[at + i] & 0x3f);
        }
        least = more == 0 ? 0 : more == 1 ? 0xa0 : more == 2 ? 0x800 : 0x10000;
        if (value < least || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
            return false;
        at += more + 1;
    }
    return true;
}

TEST(A14_well_formed_utf_8_passes_in_path_and_query)
{
    static const struct refusal cases[] = {
        {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET /?\xe2\x82\xac=\xf0\x9f\x90\xa6 HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET http://a/\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET /\xc2\xa0 HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET /\xf4\x8f\xbf\xbf HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_COMPLETE},
        {"GET /\xc3", GN_H1_MORE},
        {"GET /\xf4\x8f\xbf", GN_H1_MORE},
        {"GET /\xc3 HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"GET /\x80 HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"GET /\xc0\xaf HTTP/1.1\r\n", GN_H1_BAD_TARGET},         // overlong
        {"GET /\xe0\x80\xaf HTTP/1.1\r\n", GN_H1_BAD_TARGET},     // overlong
        {"GET /\xf0\x80\x80\xaf HTTP/1.1\r\n", GN_H1_BAD_TARGET}, // overlong
        {"GET /\xed\xa0\x80 HTTP/1.1\r\n", GN_H1_BAD_TARGET},     // a surrogate
        {"GET /\xed\xbf\xbf HTTP/1.1\r\n", GN_H1_BAD_TARGET},     // a surrogate
        {"GET /\xf4\x90\x80\x80 HTTP/1.1\r\n", GN_H1_BAD_TARGET}, // over U+10FFFF
        {"GET /\xf5", GN_H1_BAD_TARGET},
        {"GET /\xff", GN_H1_BAD_TARGET},
        {"GET /\xc2\x85", GN_H1_BAD_TARGET}, // a control
        {"GET /\xc3\xa4\x01", GN_H1_BAD_TARGET},
        {"GET /\xc3\xa4\x7f", GN_H1_BAD_TARGET},
        {"GET /\xc3\xa4#", GN_H1_BAD_TARGET},
        {"GET /\xc3\xa4\t", GN_H1_BAD_REQUEST_LINE},
        {"GET /\xc3\r\n", GN_H1_BAD_TARGET},
        {"GET \xc3\xa4 HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"OPTIONS *\xc3\xa4 HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"GET http://\xc3\xa4/ HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"CONNECT \xc3\xa4:1 HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"G\xc3\xa4T / HTTP/1.1\r\n", GN_H1_BAD_METHOD},
        {"GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", GN_H1_BAD_HOST},
    };
    CHECK_LENIENT(cases, GN_H1_ALLOW_UTF_8_TARGETS);
    CHECK_EQ(LENIENT("GET /\xc3\xa4?\xe2\x82\xac?b HTTP/1.1\r\nHost: a\r\n\r\n", 8), GN_H1_COMPLETE);
    CHECK_SPAN(request.path, request.path_length, "/\xc3\xa4");
    CHECK_SPAN(request.query, request.query_length, "\xe2\x82\xac?b");
    struct gn_h1_request_limits limits = {1000, 5, 100, 4, GN_H1_ALLOW_UTF_8_TARGETS, NULL};
    CHECK_EQ(parse_limited("GET /\xf0\x9f\x90\xa6 HTTP/1.0\r\n\r\n", 22, &limits), GN_H1_COMPLETE);
    for (limits.target_bytes = 1; limits.target_bytes < 5; limits.target_bytes++) {
        CHECK_EQ(parse_limited("GET /\xf0\x9f\x90\xa6 HTTP/1.0\r\n\r\n", 22, &limits), GN_H1_TARGET_TOO_LONG);
        // What is over the limit comes before what is malformed behind it.
        CHECK_EQ(parse_limited("GET /\xf0\x9f\x90 HTTP/1.0\r\n\r\n", 21, &limits),
                 limits.target_bytes < 4 ? GN_H1_TARGET_TOO_LONG : GN_H1_BAD_TARGET);
    }
}

TEST(A14_utf_8_is_what_the_standard_says)
{
    struct gn_h1_request_limits limits = ordinary;
    limits.lenient = GN_H1_ALLOW_UTF_8_TARGETS;
    static const uint8_t edges[] = {'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xc3, 0xdf};
    enum { EDGES = sizeof edges };
    for (unsigned first = 0x80; first < 256; first++) {
        for (unsigned rest = 0; rest < EDGES * EDGES * EDGES; rest++) {
            char text[] = "GET /???? HTTP/1.1\r\nHost: a\r\n\r\n";
            text[5] = (char)first;
            text[6] = (char)edges[rest % EDGES];
            text[7] = (char)edges[rest / EDGES % EDGES];
            text[8] = (char)edges[rest / EDGES / EDGES];
            struct gn_h1_request other;
            gn_h1_request_start(&other, fields);
            enum gn_h1_status status = gn_h1_request_parse(&other, (const uint8_t *)text, sizeof text - 1, &limits);
            bool valid = is_target_text((const uint8_t *)text + 4, 5);
            CHECK_EQ(status, valid ? GN_H1_COMPLETE : GN_H1_BAD_TARGET);
        }
    }
}

TEST(B4_the_same_content_length_again_counts_as_one)
{
    static const struct refusal cases[] = {
        {HEAD("Content-Length: 5, 5"), GN_H1_COMPLETE},
        {HEAD("Content-Length: 5,5"), GN_H1_COMPLETE},
        {HEAD("Content-Length: 5\t ,\t5 , 5"), GN_H1_COMPLETE},
        {HEAD("Content-Length: 5\r\nX: y\r\ncontent-length: 5"), GN_H1_COMPLETE},
        {HEAD("Content-Length: 5\r\nContent-Length: 5,5\r\nContent-Length: 5"), GN_H1_COMPLETE},
        {HEAD("Content-Length: 5, 05"), GN_H1_COMPLETE}, // RFC 9110 section 8.6: the same decimal value
        {HEAD("Content-Length: 005\r\nContent-Length: 5"), GN_H1_COMPLETE},
        {HEAD("Content-Length: 5, 6"), GN_H1_REPEATED_CONTENT_LENGTH},
        {HEAD("Content-Length: 5\r\nContent-Length: 6"), GN_H1_REPEATED_CONTENT_LENGTH},
        {HEAD("Content-Length: 0\r\nContent-Length: 6"), GN_H1_REPEATED_CONTENT_LENGTH},
        {HEAD("Content-Length: 6\r\nContent-Length: 0"), GN_H1_REPEATED_CONTENT_LENGTH},
        {HEAD("Content-Length: 5, 5\r\nContent-Length: 5, 6"), GN_H1_REPEATED_CONTENT_LENGTH},
        {HEAD("Content-Length: 5,"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: , 5"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5,,5"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: ,"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length:"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5 5"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5;5"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5, +5"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5, -5"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5, 0x5"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5\r\nContent-Length:"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5, 18446744073709551621"), GN_H1_BAD_CONTENT_LENGTH}, // 2^64 + 5
        {HEAD("Content-Length: 5, 5\r\nTransfer-Encoding: chunked"), GN_H1_LENGTH_AND_CHUNKED},
    };
    CHECK_LENIENT(cases, GN_H1_ALLOW_REPEATED_CONTENT_LENGTH);
    CHECK_EQ(LENIENT(HEAD("Content-Length: 12, 12\r\nContent-Length: 12"), 16), GN_H1_COMPLETE);
    CHECK_EQ(request.framing, GN_H1_SIZED);
    CHECK_EQ(request.content_length, 12);
    CHECK_EQ(request.field_count, 4);
    CHECK_SPAN(fields[1].value, fields[1].value_length, "12, 12");
    CHECK_EQ(LENIENT(HEAD("Content-Length: 0\r\nContent-Length: 0"), 16), GN_H1_COMPLETE);
    CHECK_EQ(request.framing, GN_H1_NO_BODY);
}

TEST(B5_B6_B9_codings_before_chunked_pass)
{
    static const struct refusal cases[] = {
        {HEAD("Transfer-Encoding: gzip, chunked"), GN_H1_COMPLETE},
        {HEAD("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), GN_H1_COMPLETE},
        {HEAD("Transfer-Encoding: gzip,\r\nX: y\r\ntransfer-encoding: br,deflate , ChUnKeD"), GN_H1_COMPLETE},
        {HEAD("Transfer-Encoding: x;a=b, chunked"), GN_H1_COMPLETE},
        {HEAD("Transfer-Encoding: identity, chunked"), GN_H1_COMPLETE},
        {HEAD("Transfer-Encoding: gzip"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: chunked, gzip"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: chunked, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: gzip, chunked, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: chunked;a=b, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: chunked ;a, gzip, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: gzip chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: x;a=\"b, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: \x80, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Transfer-Encoding: gzip, chunked\r\nContent-Length: 5"), GN_H1_LENGTH_AND_CHUNKED},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", GN_H1_BAD_TRANSFER_ENCODING},
    };
    CHECK_LENIENT(cases, GN_H1_ALLOW_TRANSFER_CODINGS);
    CHECK_EQ(LENIENT(HEAD("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), 32), GN_H1_COMPLETE);
    CHECK_EQ(request.framing, GN_H1_CHUNKED);
    CHECK_EQ(request.field_count, 4);
    CHECK(request.keep_alive);
}

TEST(B8_chunked_wins_over_content_length_and_ends_the_connection)
{
    static const struct refusal cases[] = {
        {HEAD("Transfer-Encoding: chunked\r\nContent-Length: 5"), GN_H1_COMPLETE},
        {HEAD("Content-Length: 0\r\nTransfer-Encoding: chunked"), GN_H1_COMPLETE},
        {HEAD("Content-Length: x\r\nTransfer-Encoding: chunked"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Transfer-Encoding: chunked\r\nContent-Length: -1"), GN_H1_BAD_CONTENT_LENGTH},
        {HEAD("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 5"), GN_H1_REPEATED_CONTENT_LENGTH},
        {HEAD("Content-Length: 5\r\nTransfer-Encoding: gzip"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Content-Length: 5\r\nTransfer-Encoding: gzip, chunked"), GN_H1_UNSUPPORTED_CODING},
        {HEAD("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x"), GN_H1_BAD_TRANSFER_ENCODING},
        {HEAD("Content-Length: 5\r\nTransfer-Encoding:"), GN_H1_BAD_TRANSFER_ENCODING},
        {"POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", GN_H1_BAD_TRANSFER_ENCODING},
        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", GN_H1_BAD_TRANSFER_ENCODING},
    };
    CHECK_LENIENT(cases, GN_H1_ALLOW_LENGTH_AND_CHUNKED);
    CHECK_EQ(LENIENT(HEAD("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nX: y"), 64), GN_H1_COMPLETE);
    CHECK_EQ(request.framing, GN_H1_CHUNKED);
    CHECK_EQ(request.content_length, 0);
    CHECK(request.length_dropped);
    CHECK(!request.keep_alive);
    CHECK_EQ(request.field_count, 4);
    CHECK_EQ(fields[1].token, GN_FIELD_TRANSFER_ENCODING);
    CHECK_SPAN(fields[2].name, fields[2].name_length, "X");
    CHECK_SPAN(fields[3].name, fields[3].name_length, "Last");
    CHECK_EQ(LENIENT(HEAD("Content-Length: 5, 5\r\nTransfer-Encoding: gzip, chunked\r\nConnection: upgrade, "
                          "keep-alive\r\nUpgrade: x\r\nContent-Length: 5"),
                     ALL),
             GN_H1_COMPLETE);
    CHECK_EQ(request.field_count, 5);
    CHECK(!request.keep_alive && !request.upgrade);
    // What has one of both is untouched.
    CHECK_EQ(LENIENT(HEAD("Content-Length: 5"), ALL), GN_H1_COMPLETE);
    CHECK(request.keep_alive && !request.length_dropped && request.field_count == 3);
    CHECK_EQ(LENIENT(HEAD("Transfer-Encoding: chunked"), ALL), GN_H1_COMPLETE);
    CHECK(request.keep_alive && !request.length_dropped && request.field_count == 3);
}

TEST(C15_what_is_known_of_the_version_when_a_head_is_refused)
{
    CHECK_EQ(LENIENT("GET / HTTP/1.0\r\nX : y\r\n\r\n", 0), GN_H1_BAD_FIELD_NAME);
    CHECK(gn_h1_request_is_1_0(&request));
    CHECK_EQ(LENIENT("GET / HTTP/1.0\r\nX: y", 0), GN_H1_MORE);
    CHECK(gn_h1_request_is_1_0(&request));
    CHECK_EQ(LENIENT("GET / HTTP/1.1\r\nX : y\r\n\r\n", 0), GN_H1_BAD_FIELD_NAME);
    CHECK(!gn_h1_request_is_1_0(&request));
    CHECK_EQ(LENIENT("GET / HTTP/2.0\r\n\r\n", 0), GN_H1_UNSUPPORTED_VERSION);
    CHECK(!gn_h1_request_is_1_0(&request));
    CHECK_EQ(LENIENT("GET # HTTP/1.0\r\n\r\n", 0), GN_H1_BAD_TARGET);
    CHECK(!gn_h1_request_is_1_0(&request));
    CHECK_EQ(LENIENT("GET / HTTP/1.0", 0), GN_H1_MORE);
    CHECK(!gn_h1_request_is_1_0(&request));
    CHECK_EQ(LENIENT("\rX", 0), GN_H1_BAD_LINE_END);
    CHECK(!gn_h1_request_is_1_0(&request));
}

/* ---- what is true of any head ---- */

static const char *const seeds[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nPOST /path/to?query=1 HTTP/1.1\r\nHost: example.org:80\r\nContent-Length: 10\r\n\r\n0123456789",
    "POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\nX: y\r\n\r\n",
    "OPTIONS * HTTP/1.0\r\nConnection: keep-alive, upgrade\r\nTE: trailers\r\nExpect: 100-continue\r\n\r\n",
    "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: basic YTpi\r\n\r\n",
    "GET  http://www.example.com/\xc3\xa4/c?d=\xf0\x9f\x90\xa6  HTTP/1.1\nHost: x\r\nTransfer-Encoding: gzip, chunked\n"
    "Accept-Language: en-GB,en;q=0.9\r\nbad name\r\nUser-Agent: something with some length, (to) fill/1.0 blocks\r\n\n",
    "PATCH /x HTTP/1.1\nhost:\ntransfer-encoding: chunked\ncontent-length: 3\n\x01: x\nconnection: upgrade\n\n5\r\n",
};
#define SEEDS (sizeof seeds / sizeof *seeds)

TEST(A1_A3_A6_A12_A14_garbage_gives_the_same_in_every_cut_and_what_strict_accepts_is_accepted_alike)
{
    unsigned complete = 0, lenient_only = 0, failures = test_failures;
    for (unsigned round = 0; round < 1500 && test_failures == failures; round++) {
        char text[600];
        size_t length = strlen(seeds[round % SEEDS]);
        memcpy(text, seeds[round % SEEDS], length);
        mutate(text, &length, sizeof text);
        struct gn_h1_field strict_fields[FIELDS];
        struct gn_h1_request strict, lenient;
        gn_h1_request_start(&strict, strict_fields);
        enum gn_h1_status expected = give(GN_H1_PORTABLE, &strict, text, length, &ordinary);
        for (size_t i = 0; i < LENIENCIES; i++) {
            struct gn_h1_request_limits limits = ordinary;
            limits.lenient = leniencies[i];
            gn_h1_request_start(&lenient, fields);
            enum gn_h1_status status = give(GN_H1_PORTABLE, &lenient, text, length, &limits);
            if (expected == GN_H1_COMPLETE) {
                CHECK_EQ(status, GN_H1_COMPLETE);
                CHECK(same_request(&strict, &lenient, status));
            }
        }
        complete += expected == GN_H1_COMPLETE;
        enum gn_h1_status all = parse_lenient(text, length, ALL);
        lenient_only += all == GN_H1_COMPLETE && expected != GN_H1_COMPLETE;
        parse_lenient(text, length, random_below(128)); // for its cuts
    }
    CHECK(complete > 50); // else the seeds are gone and nothing is tested
    CHECK(lenient_only > 50);
}

/* Every CRLF in a head may be LF, in every combination, and nothing else changes. */
TEST(A3_any_line_end_may_be_bare)
{
    static const char text[] = "\r\nPOST /p?q HTTP/1.1\r\nHost: a\r\nX:  y \r\nE:\r\nContent-Length: 3\r\n\r\n";
    enum { ENDS = 7 };
    CHECK_EQ(LENIENT(text, 0), GN_H1_COMPLETE);
    for (unsigned bare = 0; bare < 1U << ENDS; bare++) {
        char changed[sizeof text];
        size_t length = 0, end = 0;
        for (size_t i = 0; i < sizeof text - 1; i++) {
            bool drop = text[i] == '\r' && bare >> end & 1;
            end += text[i] == '\r';
            if (!drop)
                changed[length++] = text[i];
        }
        CHECK_EQ(end, ENDS);
        CHECK_EQ(parse_lenient(changed, length, GN_H1_ALLOW_BARE_LF), GN_H1_COMPLETE);
        CHECK_EQ(request.head_length, length);
        CHECK_EQ(request.field_count, 4);
        CHECK_SPAN(request.target, request.target_length, "/p?q");
        CHECK_SPAN(fields[0].value, fields[0].value_length, "a");
        CHECK_SPAN(fields[1].value, fields[1].value_length, "y");
        CHECK_EQ(fields[2].value_length, 0);
        CHECK_EQ(request.content_length, 3);
    }
}

TEST_MAIN()
