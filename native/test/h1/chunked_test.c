#include "h1/chunked.h"

#include "test.h"

/* What the last decode gave. */
static char body[1 << 16];
static size_t body_length;
static size_t consumed;
static bool bare_lf;

#define EXTENSION_BYTES 16384U

/* Decodes text given in pieces of `piece` bytes, each an own copy, with `room` at a time. */
static enum gn_h1_chunked_status decode_cut(const char *text, size_t length, size_t piece, size_t room)
{
    struct gn_h1_chunked decoder;
    enum gn_h1_chunked_status status = GN_H1_CHUNKED_MORE;
    gn_h1_chunked_start(&decoder, EXTENSION_BYTES, bare_lf);
    body_length = 0;
    consumed = 0;
    while (consumed < length) {
        size_t given = length - consumed < piece ? length - consumed : piece;
        uint8_t *copy = malloc(given);
        struct gn_h1_chunked_step step;
        REQUIRE(copy != NULL);
        memcpy(copy, text + consumed, given);
        status = gn_h1_chunked_decode(&decoder, copy, given, room, &step);
        CHECK(step.consumed > 0 && step.consumed <= given);
        CHECK_EQ(step.data_length > 0, status == GN_H1_CHUNKED_DATA);
        if (status == GN_H1_CHUNKED_DATA) {
            CHECK(step.data_length <= room);
            CHECK_EQ(step.data + step.data_length, step.consumed);
            REQUIRE(body_length + step.data_length <= sizeof body);
            memcpy(body + body_length, copy + step.data, step.data_length);
            body_length += step.data_length;
            CHECK_EQ(decoder.total - decoder.left, body_length);
        }
        free(copy);
        consumed += step.consumed;
        if (status != GN_H1_CHUNKED_MORE && status != GN_H1_CHUNKED_DATA)
            return status;
    }
    return status == GN_H1_CHUNKED_DATA ? GN_H1_CHUNKED_MORE : status;
}

/* The same in every cut; for long texts in some. */
static enum gn_h1_chunked_status decode(const char *text, size_t length)
{
    enum gn_h1_chunked_status status = decode_cut(text, length, length, length);
    size_t whole = consumed, whole_body = body_length;
    for (size_t piece = 1; piece < length; piece += piece < 200 ? 1 : 997) {
        CHECK_EQ(decode_cut(text, length, piece, length), status);
        CHECK_EQ(consumed, whole);
        CHECK_EQ(body_length, whole_body);
        CHECK_EQ(decode_cut(text, length, length, piece), status);
        CHECK_EQ(consumed, whole);
        CHECK_EQ(body_length, whole_body);
    }
    return status;
}

#define DECODE(text) decode(text, sizeof(text) - 1)

TEST(B5_a_body_is_decoded_up_to_its_trailer_section)
{
    CHECK_EQ(DECODE("5\r\nhello\r\n1\r\n \r\n00B\r\nworld\r\n0\r\n.\r\n0\r\nTrailer: x\r\n\r\n"), GN_H1_CHUNKED_DONE);
    CHECK_BYTES(body, body_length, "hello world\r\n0\r\n.");
    CHECK_EQ(consumed, strlen("5\r\nhello\r\n1\r\n \r\n00B\r\nworld\r\n0\r\n.\r\n0\r\n"));
    CHECK_EQ(DECODE("0\r\n\r\n"), GN_H1_CHUNKED_DONE);
    CHECK_EQ(body_length, 0);
    CHECK_EQ(consumed, 3);
}

TEST(B10_sizes_that_are_accepted)
{
    static const struct {
        const char *size;
        uint64_t value;
    } cases[] = {
        {"1", 1},
        {"01", 1},
        {"A", 10},
        {"a", 10},
        {"Ff", 255},
        {"fF", 255},
        {"0000000000000010", 16},
        {"9c", 0x9c},
        {"7fffffffffffffff", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[40];
        struct gn_h1_chunked decoder;
        struct gn_h1_chunked_step step;
        size_t length = (size_t)snprintf(text, sizeof text, "%s\r\n", cases[i].size);
        gn_h1_chunked_start(&decoder, EXTENSION_BYTES, false);
        CHECK_EQ(gn_h1_chunked_decode(&decoder, (const uint8_t *)text, length, 1, &step), GN_H1_CHUNKED_MORE);
        CHECK_EQ(step.consumed, length);
        CHECK_EQ(decoder.left, cases[i].value);
        CHECK_EQ(decoder.total, cases[i].value);
        CHECK_EQ(decode(text, length), GN_H1_CHUNKED_MORE);
    }
}

TEST(B10_sizes_that_are_refused)
{
    static const struct {
        const char *text;
        enum gn_h1_chunked_status status;
    } cases[] = {
        {"\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"X\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1X\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"-1\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"+1\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1 A\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"0x5\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {" 1\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"\t1\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1 \r\n", GN_H1_CHUNKED_BAD_SIZE},
        {";a\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"g\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"F\rF\r\n", GN_H1_CHUNKED_BAD_LINE_END},
        {"5\nhello", GN_H1_CHUNKED_BAD_LINE_END},
        {"00000000000000001\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1,\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1@\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1\xff\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1:\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1/\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1`\r\n", GN_H1_CHUNKED_BAD_SIZE},
        {"1G\r\n", GN_H1_CHUNKED_BAD_SIZE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_EQ(decode(cases[i].text, strlen(cases[i].text)), cases[i].status);
        CHECK_EQ(body_length, 0);
    }
}

TEST(B11_an_overflow_is_named)
{
    CHECK_EQ(DECODE("f0000000000000003\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), GN_H1_CHUNKED_SIZE_OVERFLOW);
    CHECK_EQ(body_length, 0);
    CHECK_EQ(DECODE("8000000000000000\r\n"), GN_H1_CHUNKED_SIZE_OVERFLOW);
    CHECK_EQ(DECODE("ffffffffffffffff\r\n"), GN_H1_CHUNKED_SIZE_OVERFLOW);
    CHECK_EQ(DECODE("10000000000000000\r\n"), GN_H1_CHUNKED_SIZE_OVERFLOW);
    CHECK(strstr(gn_h1_chunked_text(GN_H1_CHUNKED_SIZE_OVERFLOW), "overflow") != NULL);
    // In all: one byte before, the largest size is one too much.
    CHECK_EQ(DECODE("1\r\nx\r\n7fffffffffffffff\r\n"), GN_H1_CHUNKED_SIZE_OVERFLOW);
    CHECK_EQ(DECODE("1\r\nx\r\n7ffffffffffffffe\r\n"), GN_H1_CHUNKED_MORE);
}

TEST(B12_extensions_are_ignored)
{
    CHECK_EQ(DECODE("2;a\r\nab\r\n2;b=c;d=\"e,\t;\x80\"\r\ncd\r\n1 \t ;f\r\ne\r\n0;last\r\n"), GN_H1_CHUNKED_DONE);
    CHECK_BYTES(body, body_length, "abcde");
    CHECK_EQ(DECODE("2;a\nab"), GN_H1_CHUNKED_BAD_EXTENSION);
    CHECK_EQ(DECODE("2;a\rb\r\nab"), GN_H1_CHUNKED_BAD_EXTENSION);
    CHECK_EQ(DECODE("2;a\x01\r\nab"), GN_H1_CHUNKED_BAD_EXTENSION);
    CHECK_EQ(DECODE("2;a\x7f\r\nab"), GN_H1_CHUNKED_BAD_EXTENSION);
    CHECK_EQ(DECODE("2;a\0b\r\nab"), GN_H1_CHUNKED_BAD_EXTENSION);
    CHECK_EQ(DECODE("2 a\r\nab"), GN_H1_CHUNKED_BAD_SIZE);
}

TEST(B12_extensions_of_a_body_are_limited_exactly)
{
    static char text[40000];
    static const size_t totals[] = {EXTENSION_BYTES, EXTENSION_BYTES + 1};
    for (size_t i = 0; i < 2; i++) {
        // Half of them on a first chunk, the others on the last.
        size_t half = totals[i] / 2, rest = totals[i] - half, at = 0;
        text[at++] = '1';
        memset(text + at, ';', half);
        at += half;
        at += (size_t)sprintf(text + at, "\r\nx\r\n0");
        memset(text + at, ';', rest);
        at += rest;
        at += (size_t)sprintf(text + at, "\r\n");
        CHECK_EQ(decode(text, at), i == 0 ? GN_H1_CHUNKED_DONE : GN_H1_CHUNKED_EXTENSIONS_TOO_LONG);
    }
}

TEST(B13_a_missing_line_end_is_an_error)
{
    CHECK_EQ(DECODE("2\r\nabc\r\n"), GN_H1_CHUNKED_BAD_LINE_END);
    CHECK_EQ(DECODE("2\r\nab\n0\r\n"), GN_H1_CHUNKED_BAD_LINE_END);
    CHECK_EQ(DECODE("2\r\nab\r0\r\n"), GN_H1_CHUNKED_BAD_LINE_END);
    CHECK_EQ(DECODE("2\r\nab\r\n\r\n"), GN_H1_CHUNKED_BAD_SIZE);
    CHECK_EQ(DECODE("0\rx"), GN_H1_CHUNKED_BAD_LINE_END);
}

TEST(B17_a_cut_body_is_never_done)
{
    static const char text[] = "3;x\r\nabc\r\n0\r\n";
    for (size_t length = 1; length < sizeof text - 1; length++)
        CHECK_EQ(decode(text, length), GN_H1_CHUNKED_MORE);
}

TEST(B22_without_room_no_body_byte_is_consumed)
{
    struct gn_h1_chunked decoder;
    struct gn_h1_chunked_step step;
    gn_h1_chunked_start(&decoder, EXTENSION_BYTES, false);
    CHECK_EQ(gn_h1_chunked_decode(&decoder, (const uint8_t *)"2\r\nab\r\n", 7, 0, &step), GN_H1_CHUNKED_MORE);
    CHECK_EQ(step.consumed, 3);
    CHECK_EQ(step.data_length, 0);
    CHECK_EQ(gn_h1_chunked_decode(&decoder, (const uint8_t *)"ab\r\n", 4, 0, &step), GN_H1_CHUNKED_MORE);
    CHECK_EQ(step.consumed, 0);
    CHECK_EQ(gn_h1_chunked_decode(&decoder, NULL, 0, 8, &step), GN_H1_CHUNKED_MORE);
    CHECK_EQ(step.consumed, 0);
    CHECK_EQ(gn_h1_chunked_decode(&decoder, (const uint8_t *)"ab\r\n", 4, 8, &step), GN_H1_CHUNKED_DATA);
    CHECK_EQ(step.consumed, 2);
}

TEST(C1_a_written_size_is_read_back)
{
    static const uint64_t sizes[] = {0,         1,         9, 10, 15, 16, 255, 256, 4095, 65536, 0x123456789abcdef,
                                     INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char expected[32];
        uint8_t line[GN_H1_CHUNK_SIZE_MAX];
        snprintf(expected, sizeof expected, "%llx\r\n", (unsigned long long)sizes[i]);
        CHECK_BYTES(line, gn_h1_chunk_size(sizes[i], line), expected);
    }
}

TEST(every_status_has_a_text)
{
    for (int status = GN_H1_CHUNKED_MORE; status <= GN_H1_CHUNKED_BAD_LINE_END; status++)
        CHECK(strcmp(gn_h1_chunked_text((enum gn_h1_chunked_status)status), "unknown") != 0);
}

TEST(A3_bare_lf_ends_size_lines_extensions_and_data)
{
    static const char *const texts[] = {
        "5\nhello\n0\n",
        "5;a=b\nhello\r\n0;x\n",
        "5\r\nhello\n0\r\n",
        "5\nhello\r\n0\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK(decode(texts[i], strlen(texts[i])) > GN_H1_CHUNKED_DONE);
        bare_lf = true;
        CHECK_EQ(decode(texts[i], strlen(texts[i])), GN_H1_CHUNKED_DONE);
        CHECK_BYTES(body, body_length, "hello");
        CHECK_EQ(consumed, strlen(texts[i]));
        bare_lf = false;
    }
    bare_lf = true;
    CHECK_EQ(DECODE("5\r\nhello\r\n0\r\n\r\n"), GN_H1_CHUNKED_DONE);
    CHECK_EQ(consumed, strlen("5\r\nhello\r\n0\r\n"));
    CHECK_EQ(DECODE("2\n\n\n\n0\n"), GN_H1_CHUNKED_DONE); // data of LF is data
    CHECK_BYTES(body, body_length, "\n\n");
    // What is no LF where one must be is refused as ever; a size line is not empty, and no byte may be missing.
    CHECK_EQ(DECODE("\n"), GN_H1_CHUNKED_BAD_SIZE);
    CHECK_EQ(DECODE("5\nhello\n\n0\n"), GN_H1_CHUNKED_BAD_SIZE);
    CHECK_EQ(DECODE("5 \nhello"), GN_H1_CHUNKED_BAD_SIZE);
    CHECK_EQ(DECODE("5\rhello"), GN_H1_CHUNKED_BAD_LINE_END);
    CHECK_EQ(DECODE("5\r\r\nhello"), GN_H1_CHUNKED_BAD_LINE_END);
    CHECK_EQ(DECODE("5;a\rb\nhello"), GN_H1_CHUNKED_BAD_EXTENSION);
    CHECK_EQ(DECODE("5;a\x01\nhello"), GN_H1_CHUNKED_BAD_EXTENSION);
    CHECK_EQ(DECODE("5\nhello0\n"), GN_H1_CHUNKED_BAD_LINE_END);
    CHECK_EQ(DECODE("5\nhello\r0\n"), GN_H1_CHUNKED_BAD_LINE_END);
    CHECK_EQ(DECODE("f0000000000000003\nabc"), GN_H1_CHUNKED_SIZE_OVERFLOW);
    bare_lf = false;
}

TEST_MAIN()
