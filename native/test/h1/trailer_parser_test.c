#include "h1/trailer_parser.h"

#include "test.h"

static const struct gn_h1_request_limits ordinary = {16384, 8192, 4, 0, 0, NULL};

/* What the last parse left. */
static struct gn_h1_trailers trailers;
static struct gn_h1_field fields[16];
static const char *section;

static enum gn_h1_status give(struct gn_h1_trailers *to, const char *text, size_t length,
                              const struct gn_h1_request_limits *limits)
{
    uint8_t *copy = malloc(length);
    REQUIRE(copy != NULL || length == 0);
    if (length != 0)
        memcpy(copy, text, length);
    enum gn_h1_status status = gn_h1_trailers_parse(to, copy, length, limits);
    free(copy);
    return status;
}

/* Parses whole, byte by byte and split at every offset. */
static enum gn_h1_status parse_limited(const char *text, size_t length, const struct gn_h1_request_limits *limits)
{
    section = text;
    gn_h1_trailers_start(&trailers, fields);
    enum gn_h1_status status = give(&trailers, text, length, limits);
    size_t step = length < 1000 ? 1 : 499;
    for (size_t first = 0; first < length; first += step) {
        struct gn_h1_field own[16];
        struct gn_h1_trailers other;
        gn_h1_trailers_start(&other, own);
        enum gn_h1_status cut = GN_H1_MORE;
        // The first time through in pieces of one step, then in two parts.
        for (size_t given = first; cut == GN_H1_MORE; given = first == 0 ? given + step : length) {
            given = given < length ? given : length;
            cut = give(&other, text, given, limits);
            if (given == length)
                break;
        }
        CHECK_EQ(cut, status);
        CHECK_EQ(other.field_count, trailers.field_count);
        CHECK(memcmp(own, fields, trailers.field_count * sizeof *own) == 0);
        if (status == GN_H1_COMPLETE)
            CHECK_EQ(other.length, trailers.length);
    }
    return status;
}

#define PARSE(text) parse_limited(text, sizeof(text) - 1, &ordinary)
#define CHECK_SPAN(offset, length, text) CHECK_BYTES(section + (offset), length, text)

TEST(B14_trailers_keep_order_and_duplicates)
{
    CHECK_EQ(PARSE("Digest: a\r\nX:  b \r\ndigest:\r\n\r\nGET / HTTP/1.1\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(trailers.field_count, 3);
    CHECK_SPAN(fields[0].name, fields[0].name_length, "Digest");
    CHECK_SPAN(fields[0].value, fields[0].value_length, "a");
    CHECK_SPAN(fields[1].value, fields[1].value_length, "b");
    CHECK_SPAN(fields[2].name, fields[2].name_length, "digest");
    CHECK_EQ(fields[2].value_length, 0);
    CHECK_SPAN(trailers.length, 3, "GET");
    CHECK_EQ(PARSE("\r\nGET"), GN_H1_COMPLETE);
    CHECK_EQ(trailers.field_count, 0);
    CHECK_EQ(trailers.length, 2);
}

TEST(B14_trailers_may_move_between_calls)
{
    static const char text[] = "A: b\r\nCd: ef\r\n\r\n";
    struct gn_h1_field other[16];
    gn_h1_trailers_start(&trailers, fields);
    CHECK_EQ(give(&trailers, text, 9, &ordinary), GN_H1_MORE);
    memcpy(other, fields, sizeof other);
    memset(fields, 0xff, sizeof fields);
    trailers.fields = other;
    CHECK_EQ(give(&trailers, text, sizeof text - 1, &ordinary), GN_H1_COMPLETE);
    CHECK_BYTES(text + other[0].value, other[0].value_length, "b");
    CHECK_BYTES(text + other[1].value, other[1].value_length, "ef");
}

TEST(B15_as_many_trailers_as_the_limit_and_no_more)
{
    CHECK_EQ(PARSE("a:1\r\nb:2\r\nc:3\r\nd:4\r\n\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(PARSE("a:1\r\nb:2\r\nc:3\r\nd:4\r\ne:5\r\n\r\n"), GN_H1_TOO_MANY_FIELDS);
    CHECK_EQ(PARSE("a:1\r\nb:2\r\nc:3\r\nd:4\r\ne"), GN_H1_TOO_MANY_FIELDS);
}

TEST(B15_a_section_as_large_as_the_limit_and_no_larger)
{
    static const char text[] = "a: b\r\nc: d\r\n\r\n";
    struct gn_h1_request_limits limits = ordinary;
    limits.head_bytes = sizeof text - 1;
    CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_COMPLETE);
    for (limits.head_bytes = 1; limits.head_bytes < sizeof text - 1; limits.head_bytes++)
        CHECK_EQ(parse_limited(text, sizeof text - 1, &limits), GN_H1_HEAD_TOO_LARGE);
    static char large[20000];
    memset(large, 'v', sizeof large);
    memcpy(large, "a: ", 3);
    CHECK_EQ(parse_limited(large, sizeof large, &ordinary), GN_H1_HEAD_TOO_LARGE);
}

TEST(B15_malformed_trailers_are_refused)
{
    static const struct {
        const char *text;
        enum gn_h1_status status;
    } cases[] = {
        {"bad\r\n\r\n", GN_H1_BAD_FIELD_NAME},
        {"a : b\r\n\r\n", GN_H1_BAD_FIELD_NAME},
        {": b\r\n\r\n", GN_H1_BAD_FIELD_NAME},
        {"a: b\n\r\n", GN_H1_BAD_LINE_END},
        {"a: b\r\n\n", GN_H1_BAD_LINE_END},
        {"\n", GN_H1_BAD_LINE_END},
        {"\rx", GN_H1_BAD_LINE_END},
        {"a: b\r\n c\r\n\r\n", GN_H1_OBSOLETE_FOLD},
        {" a: b\r\n\r\n", GN_H1_OBSOLETE_FOLD},
        {"a: \x01\r\n\r\n", GN_H1_BAD_FIELD_VALUE},
        {"a: b\rc\r\n\r\n", GN_H1_BAD_LINE_END},
        {"a\x80: b\r\n\r\n", GN_H1_BAD_FIELD_NAME},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_EQ(parse_limited(cases[i].text, strlen(cases[i].text), &ordinary), cases[i].status);
}

TEST(B17_a_cut_section_is_not_complete)
{
    static const char text[] = "a: b\r\nc: d\r\n\r\n";
    for (size_t length = 0; length < sizeof text - 1; length++)
        CHECK_EQ(parse_limited(text, length, &ordinary), GN_H1_MORE);
}

TEST(B16_what_may_not_be_a_trailer_is_dropped)
{
    static const struct gn_h1_request_limits many = {16384, 8192, 16, 0, 0, NULL};
    static const char text[] = "Host: h\r\na: 1\r\nTRANSFER-encoding: chunked\r\nEtag: 2\r\na: 3\r\ncookie: c\r\n\r\n";
    CHECK_EQ(parse_limited(text, sizeof(text) - 1, &many), GN_H1_COMPLETE);
    CHECK_EQ(trailers.field_count, 6);
    CHECK_EQ(gn_h1_trailers_select(&trailers), 3);
    CHECK_EQ(trailers.field_count, 3);
    CHECK_SPAN(fields[0].value, fields[0].value_length, "1");
    CHECK_SPAN(fields[1].value, fields[1].value_length, "2");
    CHECK_SPAN(fields[2].value, fields[2].value_length, "3");
    CHECK_EQ(PARSE("te: x\r\n\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(gn_h1_trailers_select(&trailers), 0);
    CHECK_EQ(PARSE("\r\n"), GN_H1_COMPLETE);
    CHECK_EQ(gn_h1_trailers_select(&trailers), 0);
}

TEST(A3_A12_leniencies_hold_for_trailer_sections)
{
    static const char bare[] = "A: b\nC: \n\nGET";
    static const char invalid[] = "A: b\r\nbad name\r\n\x80: x\r\nC: \x01\r\nD: e\r\n\r\nGET";
    static const char framing[] = "A: b\r\nContent-Length 5\r\n\r\n";
    static const char fold[] = "A: b\r\nbad name\r\n folded\r\n\r\n";
    struct gn_h1_request_limits limits = ordinary;
    CHECK_EQ(parse_limited(bare, sizeof bare - 1, &limits), GN_H1_BAD_LINE_END);
    CHECK_EQ(parse_limited(invalid, sizeof invalid - 1, &limits), GN_H1_BAD_FIELD_NAME);
    limits.lenient = GN_H1_ALLOW_BARE_LF;
    CHECK_EQ(parse_limited(bare, sizeof bare - 1, &limits), GN_H1_COMPLETE);
    CHECK_EQ(trailers.field_count, 2);
    CHECK_EQ(trailers.length, sizeof bare - 4);
    CHECK_EQ(parse_limited(invalid, sizeof invalid - 1, &limits), GN_H1_BAD_FIELD_NAME);
    limits.lenient = GN_H1_ALLOW_INVALID_FIELDS;
    CHECK_EQ(parse_limited(bare, sizeof bare - 1, &limits), GN_H1_BAD_LINE_END);
    CHECK_EQ(parse_limited(invalid, sizeof invalid - 1, &limits), GN_H1_TOO_MANY_FIELDS); // five with those dropped
    limits.fields = 5;
    CHECK_EQ(parse_limited(invalid, sizeof invalid - 1, &limits), GN_H1_COMPLETE);
    CHECK_EQ(trailers.field_count, 2);
    CHECK_SPAN(fields[1].name, fields[1].name_length, "D");
    CHECK_EQ(trailers.length, sizeof invalid - 4);
    CHECK_EQ(parse_limited(framing, sizeof framing - 1, &limits), GN_H1_BAD_FIELD_NAME);
    CHECK_EQ(parse_limited(fold, sizeof fold - 1, &limits), GN_H1_OBSOLETE_FOLD);
}

TEST_MAIN()
