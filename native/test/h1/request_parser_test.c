#include "h1/request_cuts.h"

#define FIELD_LINE(line) "GET / HTTP/1.1\r\nHost: a\r\n" line "\r\n\r\n"

TEST(a_whole_head_is_taken_apart)
{
    CHECK_EQ(PARSE("POST /a/b?c=d&e HTTP/1.1\r\nHost: example.org:8080\r\nX-Own:  v w \t\r\nContent-Length: 12\r\n"
                   "Empty:\r\n\r\nbody of it.."),
             GN_H1_COMPLETE);
    CHECK_EQ(request.start, 0);
    CHECK_EQ(request.head_length, strlen(head) - 12);
    CHECK_EQ(request.method, GN_METHOD_POST);
    CHECK_SPAN(request.start, request.method_length, "POST");
    CHECK_SPAN(request.target, request.target_length, "/a/b?c=d&e");
    CHECK_SPAN(request.path, request.path_length, "/a/b");
    CHECK_SPAN(request.query, request.query_length, "c=d&e");
    CHECK_SPAN(request.authority, request.authority_length, "example.org:8080");
    CHECK_EQ(request.target_form, GN_ORIGIN_FORM);
    CHECK_EQ(request.version, 1);
    CHECK_EQ(request.framing, GN_H1_SIZED);
    CHECK_EQ(request.content_length, 12);
    CHECK(request.keep_alive);
    CHECK_EQ(request.field_count, 4);
    CHECK_EQ(fields[0].token, GN_FIELD_HOST);
    CHECK_EQ(fields[1].token, GN_FIELD_OTHER);
    CHECK_SPAN(fields[1].name, fields[1].name_length, "X-Own");
    CHECK_SPAN(fields[1].value, fields[1].value_length, "v w");
    CHECK_EQ(fields[2].token, GN_FIELD_CONTENT_LENGTH);
    CHECK_SPAN(fields[3].name, fields[3].name_length, "Empty");
    CHECK_EQ(fields[3].value_length, 0);
}

TEST(A1_lines_of_every_length_parse_in_every_cut)
{
    for (size_t length = 1; length < 140; length++) {
        char text[600], run[200];
        memset(run, 'v', length);
        run[length] = 0;
        int end = snprintf(text, sizeof text, "GET /%s?%s HTTP/1.1\r\n%s: %s\r\nHost: h\r\n\r\n", run, run, run, run);
        CHECK_EQ(parse_limited(text, (size_t)end, &ordinary), GN_H1_COMPLETE);
        CHECK_EQ(request.path_length, length + 1);
        CHECK_EQ(request.query_length, length);
        CHECK_EQ(fields[0].name_length, length);
        CHECK_EQ(fields[0].value_length, length);
        CHECK_EQ(request.head_length, end);
    }
}

TEST(A1_a_head_without_its_end_is_not_complete)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n";
    for (size_t length = 0; length < sizeof text - 1; length++)
        CHECK_EQ(parse_limited(text, length, &ordinary), GN_H1_MORE);
}

TEST(A1_fields_may_move_between_calls)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n";
    struct gn_h1_field first[FIELDS], second[FIELDS];
    gn_h1_request_start(&request, first);
    CHECK_EQ(give(GN_H1_PORTABLE, &request, text, 30, &ordinary), GN_H1_MORE);
    memcpy(second, first, request.field_count * sizeof *first);
    memset(first, 0xff, sizeof first);
    request.fields = second;
    CHECK_EQ(give(GN_H1_PORTABLE, &request, text, sizeof text - 1, &ordinary), GN_H1_COMPLETE);
    CHECK_BYTES(text + second[0].name, second[0].name_length, "Host");
    CHECK_BYTES(text + second[1].name, second[1].name_length, "Accept");
}

TEST(A2_empty_lines_before_the_request_line_are_skipped)
{
    CHECK_EQ(PARSE("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(request.start, 4);
    CHECK_EQ(request.head_length, strlen(head));
    CHECK_EQ(PARSE("\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(PARSE("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), GN_H1_TOO_MANY_EMPTY_LINES);
    CHECK_EQ(PARSE("\r\n\r\n"), GN_H1_MORE);
    CHECK_EQ(PARSE("\r\n\rGET"), GN_H1_BAD_LINE_END);
}

TEST(A3_bare_lf_is_refused)
{
    static const struct refusal cases[] = {
        {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_LINE_END},
        {"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\nHost: a\r\n\r\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\r\nHost: a\n\r\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\r\nHost: a\r\n\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\r\nHost: a\n\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\r\nHost: a\r\nX:\n\r\n", GN_H1_BAD_LINE_END},
        {"GET / HTTP/1.1\r\nHost: a\r\nX\n\r\n", GN_H1_BAD_LINE_END},
    };
    CHECK_ALL(cases);
}

TEST(A4_A5_a_malformed_request_line_is_refused)
{
    static const struct refusal cases[] = {
        {"GE T / HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {" GET / HTTP/1.1\r\n", GN_H1_BAD_METHOD},
        {"\tGET / HTTP/1.1\r\n", GN_H1_BAD_METHOD},
        {"/ HTTP/1.1\r\n", GN_H1_BAD_METHOD},
        {"G@T / HTTP/1.1\r\n", GN_H1_BAD_METHOD},
        {"GET\t/ HTTP/1.1\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET\v/ HTTP/1.1\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET\f/ HTTP/1.1\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET  / HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"GET  HTTP/1.1\r\n", GN_H1_BAD_TARGET},
        {"GET /\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET /\n", GN_H1_BAD_REQUEST_LINE},
        {"GET /\tHTTP/1.1\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / \r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET /  HTTP/1.1\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1 \r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / HTTP/1.1\rX", GN_H1_BAD_LINE_END},
    };
    CHECK_ALL(cases);
}

TEST(A5_what_is_no_request_is_refused_at_its_first_byte)
{
    static const struct refusal cases[] = {
        {"\x16", GN_H1_BAD_METHOD}, // TLS
        {"\x80", GN_H1_BAD_METHOD},       {"\x7f", GN_H1_BAD_METHOD},     {"{", GN_H1_BAD_METHOD},
        {"GET /a\x01", GN_H1_BAD_TARGET}, {"GET / X", GN_H1_BAD_VERSION}, {"GET / HTTP/1.1x", GN_H1_BAD_VERSION},
    };
    CHECK_ALL(cases);
    CHECK_EQ(parse_limited("\0", 1, &ordinary), GN_H1_BAD_METHOD);
}

TEST(A7_versions)
{
    static const struct refusal cases[] = {
        {"GET / HTTP/2.0\r\n", GN_H1_UNSUPPORTED_VERSION}, {"GET / HTTP/0.9\r\n", GN_H1_UNSUPPORTED_VERSION},
        {"GET / HTTP/3.1\r\n", GN_H1_UNSUPPORTED_VERSION}, {"GET / HTTP/1.10\r\n", GN_H1_BAD_VERSION},
        {"GET / HTTP/11.1\r\n", GN_H1_BAD_VERSION},        {"GET / HTTP/1\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / http/1.1\r\n", GN_H1_BAD_VERSION},         {"GET / HTTP/1,1\r\n", GN_H1_BAD_VERSION},
        {"GET / HTTP/a.1\r\n", GN_H1_BAD_VERSION},         {"GET / HTTP 1.1\r\n", GN_H1_BAD_REQUEST_LINE},
        {"GET / HTTPS/1.1\r\n", GN_H1_BAD_VERSION},        {"GET / HTTP/2.0", GN_H1_MORE},
    };
    CHECK_ALL(cases);
    for (char minor = '1'; minor <= '9'; minor++) {
        char text[] = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
        text[13] = minor;
        CHECK_EQ(parse_limited(text, sizeof text - 1, &ordinary), GN_H1_COMPLETE);
        CHECK_EQ(request.version, 1);
        CHECK(request.keep_alive);
    }
    CHECK_EQ(PARSE("GET / HTTP/1.0\r\n\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(request.version, 0);
    CHECK(!request.keep_alive);
}

TEST(A8_the_preface_of_http2_is_refused)
{
    CHECK_EQ(PARSE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), GN_H1_BAD_TARGET);
}

TEST(A9_A11_malformed_field_names_are_refused)
{
    static const struct refusal cases[] = {
        {FIELD_LINE("X : b"), GN_H1_BAD_FIELD_NAME},    {FIELD_LINE("X\t: b"), GN_H1_BAD_FIELD_NAME},
        {FIELD_LINE(": b"), GN_H1_BAD_FIELD_NAME},      {FIELD_LINE("X"), GN_H1_BAD_FIELD_NAME},
        {FIELD_LINE("X b"), GN_H1_BAD_FIELD_NAME},      {FIELD_LINE("X\x01: b"), GN_H1_BAD_FIELD_NAME},
        {FIELD_LINE("X\x80: b"), GN_H1_BAD_FIELD_NAME}, {FIELD_LINE("X\r: b"), GN_H1_BAD_FIELD_NAME},
        {FIELD_LINE("X(: b"), GN_H1_BAD_FIELD_NAME},    {FIELD_LINE("\rX: b"), GN_H1_BAD_LINE_END},
        {FIELD_LINE("\x7f: b"), GN_H1_BAD_FIELD_NAME},  {FIELD_LINE("\"X\": b"), GN_H1_BAD_FIELD_NAME},
    };
    CHECK_ALL(cases);
    static const char nul[] = "GET / HTTP/1.1\r\nHost: a\r\nX\0Y: b\r\n\r\n";
    CHECK_EQ(parse_limited(nul, sizeof nul - 1, &ordinary), GN_H1_BAD_FIELD_NAME);
}

TEST(A11_every_octet_is_in_a_name_or_not_as_the_grammar_says)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        char text[] = "GET / HTTP/1.1\r\nHost: a\r\nname-of-some-length-to-fill?-blocks: v\r\n\r\n";
        *strchr(text + 16, '?') = (char)octet;
        bool letter = (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z' && octet < 0x80;
        bool token =
            letter || (octet >= '0' && octet <= '9') || (octet != 0 && strchr("!#$%&'*+-.^_`|~", (int)octet) != NULL);
        enum gn_h1_status expected = token || octet == ':' ? GN_H1_COMPLETE
                                     : octet == '\n'       ? GN_H1_BAD_LINE_END
                                                           : GN_H1_BAD_FIELD_NAME;
        CHECK_EQ(parse_limited(text, sizeof text - 1, &ordinary), expected);
    }
}

TEST(A10_obsolete_folds_are_refused)
{
    static const struct refusal cases[] = {
        {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", GN_H1_OBSOLETE_FOLD},
        {"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", GN_H1_OBSOLETE_FOLD},
        {"GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n", GN_H1_OBSOLETE_FOLD},
        {"GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", GN_H1_OBSOLETE_FOLD},
        {"GET / HTTP/1.1\r\nHost: a\r\n ", GN_H1_OBSOLETE_FOLD},
    };
    CHECK_ALL(cases);
}

TEST(A11_A13_A22_every_octet_is_in_a_value_or_not_as_the_grammar_says)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: some value to fill a block ? and more\r\n\r\n";
        *strchr(text, '?') = (char)octet;
        enum gn_h1_status expected = octet == '\r' || octet == '\n'                     ? GN_H1_BAD_LINE_END
                                     : (octet < 0x20 && octet != '\t') || octet == 0x7f ? GN_H1_BAD_FIELD_VALUE
                                                                                        : GN_H1_COMPLETE;
        CHECK_EQ(parse_limited(text, sizeof text - 1, &ordinary), expected);
        if (expected == GN_H1_COMPLETE)
            CHECK_EQ(fields[1].value_length, strlen("some value to fill a block ? and more"));
    }
    CHECK_EQ(PARSE(FIELD_LINE("X: a\r\r")), GN_H1_BAD_LINE_END);
}

TEST(A13_blanks_around_a_value_are_trimmed)
{
    CHECK_EQ(PARSE(FIELD_LINE("A:b\r\nC: \t \tb\t c \t \r\nD:\r\nE: \t \r\nF:\xff\x80")), GN_H1_COMPLETE);
    CHECK_SPAN(fields[1].value, fields[1].value_length, "b");
    CHECK_SPAN(fields[2].value, fields[2].value_length, "b\t c");
    CHECK_EQ(fields[3].value_length, 0);
    CHECK_EQ(fields[4].value_length, 0);
    CHECK_SPAN(fields[5].value, fields[5].value_length, "\xff\x80");
}

TEST(A14_A21_every_octet_is_in_a_target_or_not_as_it_is_visible)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        char text[] = "GET /some/target/to/fill/a/block/@/and/more HTTP/1.1\r\nHost: a\r\n\r\n";
        *strchr(text, '@') = (char)octet;
        enum gn_h1_status expected = octet >= '\t' && octet <= '\r' ? GN_H1_BAD_REQUEST_LINE
                                     : octet == ' '                 ? GN_H1_BAD_VERSION
                                     : octet == '#'                 ? GN_H1_BAD_TARGET
                                     : octet > ' ' && octet < 0x7f  ? GN_H1_COMPLETE
                                                                    : GN_H1_BAD_TARGET;
        CHECK_EQ(parse_limited(text, sizeof text - 1, &ordinary), expected);
    }
}

/* A head of `count` fields, the Host among them; the caller frees it. */
static char *head_of_fields(unsigned count)
{
    char *text = malloc(64 + 16 * (size_t)count);
    REQUIRE(text != NULL);
    size_t at = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (unsigned i = 1; i < count; i++)
        at += (size_t)sprintf(text + at, "f%u: %u\r\n", i, i);
    sprintf(text + at, "\r\n");
    return text;
}

TEST(A15_as_many_fields_as_the_limit_and_no_more)
{
    static const unsigned most[] = {1, 2, 100};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct gn_h1_request_limits limits = ordinary;
        limits.fields = most[i];
        char *text = head_of_fields(most[i]);
        CHECK_EQ(parse_limited(text, strlen(text), &limits), GN_H1_COMPLETE);
        CHECK_EQ(request.field_count, most[i]);
        free(text);
        text = head_of_fields(most[i] + 1);
        CHECK_EQ(parse_limited(text, strlen(text), &limits), GN_H1_TOO_MANY_FIELDS);
        free(text);
    }
    // At the first byte of the field too many.
    struct gn_h1_request_limits limits = ordinary;
    limits.fields = 1;
    static const char early[] = "GET / HTTP/1.1\r\nHost: a\r\nX";
    CHECK_EQ(parse_limited(early, sizeof early - 1, &limits), GN_H1_TOO_MANY_FIELDS);
}

static char *text_of(const char *before, size_t count, const char *behind)
{
    char *text = malloc(strlen(before) + count + strlen(behind) + 1);
    REQUIRE(text != NULL);
    strcpy(text, before);
    memset(text + strlen(before), 'a', count);
    strcpy(text + strlen(before) + count, behind);
    return text;
}

static enum gn_h1_status parse_run(const char *before, size_t count, const char *behind,
                                   const struct gn_h1_request_limits *limits)
{
    char *text = text_of(before, count, behind);
    enum gn_h1_status status = parse_limited(text, strlen(text), limits);
    free(text);
    return status;
}

TEST(A16_a_field_name_of_64_KiB_is_refused)
{
    struct gn_h1_request_limits wide = {1 << 20, 8192, 100, 4, 0, NULL};
    CHECK_EQ(parse_run("GET / HTTP/1.1\r\nHost: a\r\n", 65536, ": b\r\n\r\n", &ordinary), GN_H1_HEAD_TOO_LARGE);
    CHECK_EQ(parse_run("GET / HTTP/1.1\r\nHost: a\r\n", 65536, ": b\r\n\r\n", &wide), GN_H1_HEAD_TOO_LARGE);
    CHECK_EQ(parse_run("GET / HTTP/1.1\r\nHost: a\r\n", 65536, "", &wide), GN_H1_HEAD_TOO_LARGE);
    CHECK_EQ(parse_run("GET / HTTP/1.1\r\nHost: a\r\n", 65535, ": b\r\n\r\n", &wide), GN_H1_COMPLETE);
}

TEST(A17_a_target_as_long_as_the_limit_and_no_longer)
{
    CHECK_EQ(parse_run("GET /", 8191, " HTTP/1.1\r\nHost: a\r\n\r\n", &ordinary), GN_H1_COMPLETE);
    CHECK_EQ(request.target_length, 8192);
    CHECK_EQ(parse_run("GET /", 8192, " HTTP/1.1\r\nHost: a\r\n\r\n", &ordinary), GN_H1_TARGET_TOO_LONG);
    CHECK_EQ(parse_run("GET /", 8191, "", &ordinary), GN_H1_MORE);
    CHECK_EQ(parse_run("GET /", 8192, "", &ordinary), GN_H1_TARGET_TOO_LONG);
    CHECK_EQ(parse_run("GET /", 8191, "\x01", &ordinary), GN_H1_BAD_TARGET);
    CHECK_EQ(parse_run("GET /", 8192, "\x01", &ordinary), GN_H1_TARGET_TOO_LONG);
    CHECK_EQ(parse_run("GET /", 65535, " HTTP/1.1\r\n", &ordinary), GN_H1_TARGET_TOO_LONG);
}

TEST(A18_a_head_as_large_as_the_limit_and_no_larger)
{
    static const char text[] = "\r\nGET /path HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\nbehind";
    struct gn_h1_request_limits limits = ordinary;
    uint32_t size = sizeof text - 1 - 2 - 6;
    limits.head_bytes = size;
    CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_COMPLETE);
    CHECK_EQ(request.head_length, size + 2);
    for (limits.head_bytes = 1; limits.head_bytes < size; limits.head_bytes++) {
        CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_HEAD_TOO_LARGE);
        // It is known as soon as no byte is left for the end of the head.
        CHECK_EQ(parse_limited(text, limits.head_bytes + 2, &limits), GN_H1_HEAD_TOO_LARGE);
        CHECK_EQ(parse_limited(text, limits.head_bytes + 1, &limits), GN_H1_MORE);
    }
    CHECK_EQ(parse_run("", 65536, "", &ordinary), GN_H1_HEAD_TOO_LARGE);
    CHECK_EQ(parse_run("GET / HTTP/1.1\r\nHost: a\r\nX: ", 65536, "", &ordinary), GN_H1_HEAD_TOO_LARGE);
}

TEST(A20_host)
{
    static const struct refusal cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", GN_H1_BAD_HOST},
        {"GET / HTTP/1.1\r\nAccept: a\r\n\r\n", GN_H1_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", GN_H1_BAD_HOST},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", GN_H1_BAD_HOST},
        {"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", GN_H1_BAD_HOST},
        {"GET / HTTP/1.0\r\n\r\n", GN_H1_COMPLETE},
        {"GET http://a/ HTTP/1.1\r\n\r\n", GN_H1_BAD_HOST},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", GN_H1_COMPLETE},
    };
    CHECK_ALL(cases);
    static const char *const valid[] = {
        "a",
        "localhost:8080",
        "EXAMPLE.org",
        "127.0.0.1:1",
        "a:0",
        "a:65535",
        "[::1]:00080",
        "a:",
        "[::1]",
        "[::1]:80",
        "[2001:db8::1]",
        "[::ffff:192.0.2.1]:443",
        "[v1.fe:x]",
        "a_b",
        "%41b",
        "xn--bcher-kva.example",
        "a,b",
        "~x!$&'()*+;=",
    };
    static const char *const invalid[] = {
        ":80",   "a b",   "a:b",    "a:8x",   "a:1:2",   "user@a",  "a/b",         "a?b",
        "a#b",   "[::1",  "[]",     "[::1]x", "[:::1]",  "::1",     "[1.2.3.4]",   "[fe80::1%25eth0]",
        "[v.x]", "[v1.]", "[vg.x]", "%4",     "a:65536", "a:65616", "[::1]:65536", "a:99999999999999999999",
        "%4g",   "a\\b",  "\"a\"",  "a\x80",  "<a>",     "a, b:x",
    };
    char text[200];
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", valid[i]);
        CHECK_EQ(parse_limited(text, strlen(text), &ordinary), GN_H1_COMPLETE);
        CHECK_SPAN(request.authority, request.authority_length, valid[i]);
    }
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", invalid[i]);
        CHECK_EQ(parse_limited(text, strlen(text), &ordinary), GN_H1_BAD_HOST);
    }
}

TEST(A20_the_authority_of_an_absolute_form_overrides_host)
{
    CHECK_EQ(PARSE("GET http://a.example:81/p?q HTTP/1.1\r\nHost: b.example\r\n\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(request.target_form, GN_ABSOLUTE_FORM);
    CHECK(!request.scheme_https);
    CHECK_SPAN(request.authority, request.authority_length, "a.example:81");
    CHECK_SPAN(request.path, request.path_length, "/p");
    CHECK_SPAN(request.query, request.query_length, "q");
    CHECK_EQ(PARSE("GET hTTps://a.example HTTP/1.1\r\nHost:\r\n\r\n"), GN_H1_COMPLETE);
    CHECK(request.scheme_https);
    CHECK_SPAN(request.authority, request.authority_length, "a.example");
    CHECK_EQ(request.path_length, 0);
    CHECK_EQ(request.query, 0);
    CHECK_EQ(PARSE("GET http://[::1]?a?b HTTP/1.1\r\nHost: [::1]\r\n\r\n"), GN_H1_COMPLETE);
    CHECK_SPAN(request.authority, request.authority_length, "[::1]");
    CHECK_EQ(request.path_length, 0);
    CHECK_SPAN(request.query, request.query_length, "a?b");
}

TEST(A21_target_forms)
{
#define REST " HTTP/1.1\r\nHost: a\r\n\r\n"
    static const struct refusal cases[] = {
        {"GET /" REST, GN_H1_COMPLETE},
        {"OPTIONS *" REST, GN_H1_COMPLETE},
        {"OPTIONS /" REST, GN_H1_COMPLETE},
        {"CONNECT a:1" REST, GN_H1_COMPLETE},
        {"CONNECT [::1]:443" REST, GN_H1_COMPLETE},
        {"CONNECT a:65535" REST, GN_H1_COMPLETE},
        {"FOO /x" REST, GN_H1_COMPLETE},
        {"GET //x" REST, GN_H1_COMPLETE},
        {"GET *" REST, GN_H1_BAD_TARGET},
        {"options *" REST, GN_H1_BAD_TARGET},
        {"OPTIONS **" REST, GN_H1_BAD_TARGET},
        {"GET abc" REST, GN_H1_BAD_TARGET},
        {"GET ?a=b" REST, GN_H1_BAD_TARGET},
        {"GET a:1" REST, GN_H1_BAD_TARGET},
        {"GET ftp://a/" REST, GN_H1_BAD_TARGET},
        {"GET http:/a" REST, GN_H1_BAD_TARGET},
        {"GET http://" REST, GN_H1_BAD_TARGET},
        {"GET http:///a" REST, GN_H1_BAD_TARGET},
        {"GET http://u@a/" REST, GN_H1_BAD_TARGET},
        {"GET http://u:p@a/" REST, GN_H1_BAD_TARGET},
        {"GET http://a:x/" REST, GN_H1_BAD_TARGET},
        {"GET http://a#b" REST, GN_H1_BAD_TARGET},
        {"GET http://a/#b" REST, GN_H1_BAD_TARGET},
        {"GET /a#b" REST, GN_H1_BAD_TARGET},
        {"GET /a?b#" REST, GN_H1_BAD_TARGET},
        {"OPTIONS *#" REST, GN_H1_BAD_TARGET},
        {"CONNECT a:1#" REST, GN_H1_BAD_TARGET},
        {"GET http://a:65535/" REST, GN_H1_COMPLETE},
        {"GET http://a:65536/" REST, GN_H1_BAD_TARGET},
        {"GET http://a:4294967376/" REST, GN_H1_BAD_TARGET},
        {"CONNECT /" REST, GN_H1_BAD_TARGET},
        {"CONNECT a" REST, GN_H1_BAD_TARGET},
        {"CONNECT a:" REST, GN_H1_BAD_TARGET},
        {"CONNECT a:0" REST, GN_H1_BAD_TARGET},
        {"CONNECT a:65536" REST, GN_H1_BAD_TARGET},
        {"CONNECT http://a:1/" REST, GN_H1_BAD_TARGET},
        {"CONNECT *" REST, GN_H1_BAD_TARGET},
    };
    CHECK_ALL(cases);
    CHECK_EQ(PARSE("CONNECT a:1" REST), GN_H1_COMPLETE);
    CHECK_EQ(request.target_form, GN_AUTHORITY_FORM);
    CHECK_SPAN(request.authority, request.authority_length, "a:1");
    CHECK_EQ(PARSE("OPTIONS *" REST), GN_H1_COMPLETE);
    CHECK_EQ(request.target_form, GN_ASTERISK_FORM);
    CHECK_EQ(PARSE("GET /?" REST), GN_H1_COMPLETE);
    CHECK_SPAN(request.path, request.path_length, "/");
    CHECK_EQ(request.query, 0);
    CHECK_EQ(request.query_length, 0);
#undef REST
}

TEST(B1_without_framing_fields_there_is_no_body)
{
    CHECK_EQ(PARSE("POST / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(request.framing, GN_H1_NO_BODY);
    CHECK_SPAN(request.head_length, 3, "GET");
}

TEST(B2_content_length)
{
    static const struct {
        const char *value;
        uint64_t length;
    } cases[] = {{"1", 1}, {"007", 7}, {"9223372036854775807", INT64_MAX}, {"000000000000000000000000000012", 12}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\ncontent-LENGTH:  %s\t\r\nHost: a\r\n\r\n", cases[i].value);
        CHECK_EQ(parse_limited(text, strlen(text), &ordinary), GN_H1_COMPLETE);
        CHECK_EQ(request.framing, GN_H1_SIZED);
        CHECK_EQ(request.content_length, cases[i].length);
    }
    CHECK_EQ(PARSE(FIELD_LINE("Content-Length: 0")), GN_H1_COMPLETE);
    CHECK_EQ(request.framing, GN_H1_NO_BODY);
}

TEST(B3_a_malformed_content_length_is_refused)
{
    static const char *const values[] = {
        "+5",
        "foo",
        "",
        "-1",
        "5 5",
        "5,5",
        "0x5",
        "5.",
        "5;",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999",
        "\x35\xb2",
        "1_0",
        "1e1",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[200];
        snprintf(text, sizeof text, FIELD_LINE("Content-Length: %s"), values[i]);
        CHECK_EQ(parse_limited(text, strlen(text), &ordinary), GN_H1_BAD_CONTENT_LENGTH);
    }
}

TEST(B4_a_repeated_content_length_is_refused)
{
    CHECK_EQ(PARSE(FIELD_LINE("Content-Length: 5\r\nContent-Length: 5")), GN_H1_REPEATED_CONTENT_LENGTH);
    CHECK_EQ(PARSE(FIELD_LINE("Content-Length: 5\r\ncontent-length: 6")), GN_H1_REPEATED_CONTENT_LENGTH);
    CHECK_EQ(PARSE(FIELD_LINE("Content-Length: 5, 5")), GN_H1_BAD_CONTENT_LENGTH);
}

TEST(B5_B6_B9_transfer_encoding)
{
    static const struct refusal cases[] = {
        {FIELD_LINE("Transfer-Encoding: chunked"), GN_H1_COMPLETE},
        {FIELD_LINE("transfer-encoding:\t ChUnKeD \t"), GN_H1_COMPLETE},
        {FIELD_LINE("Transfer-Encoding: , chunked,"), GN_H1_COMPLETE}, // RFC 9110 section 5.6.1.2
        {FIELD_LINE("Transfer-Encoding: gzip, chunked"), GN_H1_UNSUPPORTED_CODING},
        {FIELD_LINE("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), GN_H1_UNSUPPORTED_CODING},
        {FIELD_LINE("Transfer-Encoding: identity, chunked"), GN_H1_UNSUPPORTED_CODING},
        {FIELD_LINE("Transfer-Encoding: x;a=b, chunked"), GN_H1_UNSUPPORTED_CODING},
        {FIELD_LINE("Transfer-Encoding: gzip"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: identity"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: chunked, gzip"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: chunked\r\nTransfer-Encoding: afterlol"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: chunked, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding:"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: ,"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: xchunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: chunkedx"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: chunked;a=b"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: \"chunked\""), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: x;a=\"b, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: gzip chunked"), GN_H1_BAD_TRANSFER_ENCODING},
        {FIELD_LINE("Transfer-Encoding: \x80, chunked"), GN_H1_BAD_TRANSFER_ENCODING},
    };
    CHECK_ALL(cases);
    CHECK_EQ(PARSE(FIELD_LINE("Transfer-Encoding: chunked")), GN_H1_COMPLETE);
    CHECK_EQ(request.framing, GN_H1_CHUNKED);
}

TEST(B7_transfer_encoding_on_http_1_0_is_refused)
{
    CHECK_EQ(PARSE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), GN_H1_BAD_TRANSFER_ENCODING);
}

TEST(B8_both_framing_fields_are_refused)
{
    CHECK_EQ(PARSE(FIELD_LINE("Transfer-Encoding: chunked\r\nContent-Length: 5")), GN_H1_LENGTH_AND_CHUNKED);
    CHECK_EQ(PARSE(FIELD_LINE("Content-Length: 0\r\nTransfer-Encoding: chunked")), GN_H1_LENGTH_AND_CHUNKED);
}

TEST(B18_B19_expectations)
{
    CHECK_EQ(PARSE(FIELD_LINE("Expect: 100-Continue")), GN_H1_COMPLETE);
    CHECK(request.expect_continue && !request.unknown_expectation);
    CHECK_EQ(PARSE(FIELD_LINE("Expect: 100-continue, x=y")), GN_H1_COMPLETE);
    CHECK(request.expect_continue && request.unknown_expectation);
    CHECK_EQ(PARSE(FIELD_LINE("Expect: 200-ok")), GN_H1_COMPLETE);
    CHECK(!request.expect_continue && request.unknown_expectation);
    CHECK_EQ(PARSE(FIELD_LINE("Expect:")), GN_H1_COMPLETE);
    CHECK(!request.expect_continue && !request.unknown_expectation);
    CHECK_EQ(PARSE("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), GN_H1_COMPLETE);
    CHECK(!request.expect_continue && !request.unknown_expectation);
}

TEST(C18_te_trailers)
{
    CHECK_EQ(PARSE(FIELD_LINE("TE: gzip\r\nTE: deflate;q=0.5, Trailers")), GN_H1_COMPLETE);
    CHECK(request.trailers_accepted);
    CHECK_EQ(PARSE(FIELD_LINE("TE: gzip, trailersx")), GN_H1_COMPLETE);
    CHECK(!request.trailers_accepted);
}

TEST(C14_D1_D3_connection_options)
{
    static const struct {
        const char *version, *lines;
        bool keep_alive;
    } cases[] = {
        {"1.1", "X: y", true},
        {"1.1", "Connection: close", false},
        {"1.1", "Connection: x, CLOSE ,y", false},
        {"1.1", "Connection: closed", true},
        {"1.1", "Connection: close\r\nConnection: keep-alive", false},
        {"1.1", "Connection: keep-alive\r\nConnection: close", false},
        {"1.1", "Connection:", true},
        {"1.0", "X: y", false},
        {"1.0", "Connection: Keep-Alive", true},
        {"1.0", "Connection: keep-alive, close", false},
        {"1.0", "Keep-Alive: timeout=5", false},
        {"1.0", "Proxy-Connection: keep-alive", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: a\r\n%s\r\n\r\n", cases[i].version, cases[i].lines);
        CHECK_EQ(parse_limited(text, strlen(text), &ordinary), GN_H1_COMPLETE);
        CHECK_EQ(request.keep_alive, cases[i].keep_alive);
    }
}

TEST(F1_an_upgrade_needs_both_fields_and_http_1_1)
{
    CHECK_EQ(PARSE(FIELD_LINE("Upgrade: websocket\r\nConnection: keep-alive, Upgrade")), GN_H1_COMPLETE);
    CHECK(request.upgrade);
    CHECK_EQ(PARSE(FIELD_LINE("Upgrade: websocket")), GN_H1_COMPLETE);
    CHECK(!request.upgrade);
    CHECK_EQ(PARSE(FIELD_LINE("Connection: upgrade")), GN_H1_COMPLETE);
    CHECK(!request.upgrade);
    CHECK_EQ(PARSE(FIELD_LINE("Connection: upgrade\r\nUpgrade:")), GN_H1_COMPLETE);
    CHECK(!request.upgrade);
    CHECK_EQ(PARSE("GET / HTTP/1.0\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), GN_H1_COMPLETE);
    CHECK(!request.upgrade);
}

TEST(the_first_error_in_the_order_of_the_bytes_is_told)
{
    static const struct refusal cases[] = {
        {"GET *  HTTP/9.9\r\n", GN_H1_BAD_TARGET},
        {"GET / HTTP/1.1\r\nHost: a b\r\nX : y\r\n\r\n", GN_H1_BAD_HOST},
        {"GET / HTTP/1.1\r\nX : y\r\nHost: a b\r\n\r\n", GN_H1_BAD_FIELD_NAME},
        {"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", GN_H1_BAD_CONTENT_LENGTH},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", GN_H1_BAD_HOST},
    };
    CHECK_ALL(cases);
}

TEST(a_log_line_has_what_stands_before_an_error)
{
    CHECK_EQ(PARSE("PUT /x HTTP/1.1\r\nHost: a\r\nbad\r\n\r\n"), GN_H1_BAD_FIELD_NAME);
    CHECK_SPAN(request.start, request.method_length, "PUT");
    CHECK_SPAN(request.target, request.target_length, "/x");
    CHECK_EQ(request.version, 1);
    CHECK_EQ(request.field_count, 1);
    CHECK_EQ(PARSE("PUT \x01"), GN_H1_BAD_TARGET);
    CHECK_EQ(request.method_length, 3);
    CHECK_EQ(request.target_length, 0);
}

TEST(every_error_has_a_code_and_a_text)
{
    for (int status = GN_H1_BAD_REQUEST_LINE; status < GN_H1_STATUS_COUNT; status++) {
        uint16_t code = gn_h1_error_code((enum gn_h1_status)status);
        CHECK(code == 400 || code == 414 || code == 431 || code == 501 || code == 505);
        CHECK(strlen(gn_h1_error_text((enum gn_h1_status)status)) > 5);
    }
    CHECK_EQ(gn_h1_error_code(GN_H1_TARGET_TOO_LONG), 414);
    CHECK_EQ(gn_h1_error_code(GN_H1_HEAD_TOO_LARGE), 431);
    CHECK_EQ(gn_h1_error_code(GN_H1_TOO_MANY_FIELDS), 431);
    CHECK_EQ(gn_h1_error_code(GN_H1_UNSUPPORTED_CODING), 501);
    CHECK_EQ(gn_h1_error_code(GN_H1_UNSUPPORTED_VERSION), 505);
}

TEST(the_chosen_width_parses_as_the_portable_one)
{
    static const char text[] = "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
    CHECK(gn_h1_width_supported(GN_H1_PORTABLE));
    PARSE(text);
    struct gn_h1_request other;
    struct gn_h1_field own[FIELDS];
    gn_h1_request_start(&other, own);
    CHECK_EQ(gn_h1_request_parse(&other, (const uint8_t *)text, sizeof text - 1, &ordinary), GN_H1_COMPLETE);
    CHECK(same_request(&request, &other, GN_H1_COMPLETE));
}

/* ---- garbage ---- */

static void check_complete_head(const char *text, size_t length)
{
    CHECK(request.head_length <= length);
    CHECK(memcmp(text + request.head_length - 4, "\r\n\r\n", 4) == 0);
    uint32_t line = request.target + request.target_length + 11;
    for (uint32_t i = 0; i < request.field_count; i++) {
        CHECK_EQ(fields[i].name, line);
        CHECK_EQ(text[line + fields[i].name_length], ':');
        CHECK_EQ(fields[i].token, gn_field_name_lookup((const uint8_t *)text + line, fields[i].name_length));
        const char *end = memchr(text + line, '\n', length - line);
        REQUIRE(end != NULL);
        CHECK_EQ(end[-1], '\r');
        CHECK(text + fields[i].value + fields[i].value_length < end);
        line = (uint32_t)(end + 1 - text);
    }
    CHECK_EQ(line + 2, request.head_length);
}

TEST(A1_garbage_gives_the_same_in_every_width_and_cut)
{
    static const char *const seeds[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nPOST /path/to?query=1 HTTP/1.1\r\nHost: example.org:80\r\nContent-Length: 10\r\n\r\n0123456789",
        "OPTIONS * HTTP/1.0\r\nConnection: keep-alive, upgrade\r\nTE: trailers\r\nExpect: 100-continue\r\n\r\n",
        "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: basic YTpi\r\n\r\n",
        "GET http://www.example.com/a/b/c?d=e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n"
        "Accept-Language: en-GB,en;q=0.9\r\nUser-Agent: something with some length, (to) fill/1.0 blocks\r\n\r\n",
        "PATCH /x HTTP/1.1\r\nhost:\r\ntransfer-encoding: chunked\r\nupgrade: h\r\nconnection: upgrade\r\n\r\n5\r\n",
    };
    struct gn_h1_request_limits limits = {160, 60, 6, 2, 0, NULL};
    unsigned complete = 0, failures = test_failures;
    for (unsigned round = 0; round < 1500 && test_failures == failures; round++) {
        char text[600];
        const char *seed = seeds[round % (sizeof seeds / sizeof *seeds)];
        size_t length = strlen(seed);
        memcpy(text, seed, length);
        mutate(text, &length, sizeof text);
        if (parse_limited(text, length, round % 2 == 0 ? &ordinary : &limits) == GN_H1_COMPLETE) {
            complete++;
            check_complete_head(text, length);
        }
    }
    CHECK(complete > 100); // else the seeds are gone and nothing is tested
}

TEST_MAIN()
