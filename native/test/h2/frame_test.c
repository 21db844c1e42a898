#include "h2/frame.h"

#include "test.h"

TEST(a_header_is_written_as_it_is_read)
{
    uint8_t bytes[GN_H2_FRAME_HEADER];
    CHECK(gn_h2_frame_write(bytes, 0x012345, GN_H2_HEADERS, GN_H2_END_HEADERS | GN_H2_END_STREAM, 0x7abcdef1) ==
          bytes + sizeof(bytes));
    CHECK(memcmp(bytes, "\x01\x23\x45\x01\x05\x7a\xbc\xde\xf1", sizeof(bytes)) == 0);
    bytes[5] |= 0x80; // the reserved bit is ignored
    struct gn_h2_frame frame = gn_h2_frame_read(bytes);
    CHECK_EQ(frame.length, 0x012345);
    CHECK_EQ(frame.type, GN_H2_HEADERS);
    CHECK_EQ(frame.flags, 5);
    CHECK_EQ(frame.stream, 0x7abcdef1);
}

enum outcome { FINE, CONNECTION, STREAM };

TEST(H5_what_a_header_says_by_itself)
{
    static const struct {
        uint8_t type, flags;
        uint32_t stream, length;
        enum gn_h2_error error;
        enum outcome outcome;
    } cases[] = {
        {GN_H2_DATA, 0, 1, 0, GN_H2_NO_ERROR, FINE},
        {GN_H2_DATA, 0, 1, 16384, GN_H2_NO_ERROR, FINE},
        {GN_H2_DATA, 0, 1, 16385, GN_H2_FRAME_SIZE_ERROR, STREAM},
        {GN_H2_DATA, 0, 0, 1, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_HEADERS, 0, 1, 16385, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_HEADERS, 0, 0, 5, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_PRIORITY, 0, 3, 5, GN_H2_NO_ERROR, FINE},
        {GN_H2_PRIORITY, 0, 3, 4, GN_H2_FRAME_SIZE_ERROR, STREAM},
        {GN_H2_PRIORITY, 0, 3, 6, GN_H2_FRAME_SIZE_ERROR, STREAM},
        {GN_H2_PRIORITY, 0, 0, 5, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_RST_STREAM, 0, 3, 4, GN_H2_NO_ERROR, FINE},
        {GN_H2_RST_STREAM, 0, 3, 5, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_RST_STREAM, 0, 0, 4, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_SETTINGS, 0, 0, 0, GN_H2_NO_ERROR, FINE},
        {GN_H2_SETTINGS, 0, 0, 12, GN_H2_NO_ERROR, FINE},
        {GN_H2_SETTINGS, 0, 0, 7, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_SETTINGS, GN_H2_ACK, 0, 0, GN_H2_NO_ERROR, FINE},
        {GN_H2_SETTINGS, GN_H2_ACK, 0, 6, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_SETTINGS, 0, 1, 0, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_SETTINGS, 0, 1, 16386, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_PING, 0, 0, 8, GN_H2_NO_ERROR, FINE},
        {GN_H2_PING, 0, 0, 7, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_PING, 0, 2, 8, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_GOAWAY, 0, 0, 8, GN_H2_NO_ERROR, FINE},
        {GN_H2_GOAWAY, 0, 0, 100, GN_H2_NO_ERROR, FINE},
        {GN_H2_GOAWAY, 0, 0, 7, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_GOAWAY, 0, 1, 8, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_WINDOW_UPDATE, 0, 0, 4, GN_H2_NO_ERROR, FINE},
        {GN_H2_WINDOW_UPDATE, 0, 9, 4, GN_H2_NO_ERROR, FINE},
        {GN_H2_WINDOW_UPDATE, 0, 9, 3, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_CONTINUATION, 0, 1, 0, GN_H2_NO_ERROR, FINE},
        {GN_H2_CONTINUATION, 0, 0, 1, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {GN_H2_CONTINUATION, 0, 1, 16385, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_PRIORITY_UPDATE, 0, 0, 4, GN_H2_NO_ERROR, FINE},
        {GN_H2_PRIORITY_UPDATE, 0, 0, 3, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
        {GN_H2_PRIORITY_UPDATE, 0, 1, 4, GN_H2_PROTOCOL_ERROR, CONNECTION},
        {10, 0, 0, 3, GN_H2_NO_ERROR, FINE}, // of a type that nobody knows (section 5.5)
        {255, 255, 7, 16384, GN_H2_NO_ERROR, FINE},
        {255, 0, 7, 16385, GN_H2_FRAME_SIZE_ERROR, STREAM},
        {255, 0, 0, 16385, GN_H2_FRAME_SIZE_ERROR, CONNECTION},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gn_h2_frame frame = {cases[i].length, cases[i].stream, cases[i].type, cases[i].flags};
        bool of_stream;
        enum gn_h2_error error = gn_h2_frame_check(&frame, GN_H2_FRAME_SIZE_MIN, &of_stream);
        if (error != cases[i].error || (error != GN_H2_NO_ERROR && of_stream != (cases[i].outcome == STREAM))) {
            test_fail(__FILE__, __LINE__);
            fprintf(stderr, "type %u, stream %u, length %u: %s, of the stream: %d\n", frame.type, frame.stream,
                    frame.length, gn_h2_error_name(error), of_stream);
        }
    }
}

TEST(H7_padding_is_taken_off)
{
    static const struct {
        uint8_t flags, padding;
        uint32_t length;
        int offset;
        uint32_t left;
    } cases[] = {
        {0, 200, 10, 0, 10},           {GN_H2_PADDED, 0, 1, 1, 0},     {GN_H2_PADDED, 0, 10, 1, 9},
        {GN_H2_PADDED, 9, 10, 1, 0},   {GN_H2_PADDED, 255, 256, 1, 0}, {GN_H2_PADDED, 255, 257, 1, 1},
        {GN_H2_PADDED, 10, 10, -1, 0}, {GN_H2_PADDED, 255, 1, -1, 0},  {GN_H2_PADDED, 0, 0, -1, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gn_h2_frame frame = {.flags = cases[i].flags, .length = cases[i].length};
        uint32_t left = cases[i].length;
        int offset = gn_h2_unpad(&frame, &cases[i].padding, &left);
        CHECK_EQ(offset, cases[i].offset);
        if (offset >= 0)
            CHECK_EQ(left, cases[i].left);
    }
}

TEST(settings_have_bounds)
{
    CHECK_EQ(gn_h2_setting_check(GN_H2_ENABLE_PUSH, 2), GN_H2_PROTOCOL_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_ENABLE_PUSH, 1), GN_H2_NO_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_INITIAL_WINDOW_SIZE, 0x80000000), GN_H2_FLOW_CONTROL_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_INITIAL_WINDOW_SIZE, 0x7fffffff), GN_H2_NO_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_MAX_FRAME_SIZE, 16383), GN_H2_PROTOCOL_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_MAX_FRAME_SIZE, 16384), GN_H2_NO_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_MAX_FRAME_SIZE, 16777215), GN_H2_NO_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_MAX_FRAME_SIZE, 16777216), GN_H2_PROTOCOL_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_ENABLE_CONNECT_PROTOCOL, 2), GN_H2_PROTOCOL_ERROR);
    CHECK_EQ(gn_h2_setting_check(GN_H2_HEADER_TABLE_SIZE, UINT32_MAX), GN_H2_NO_ERROR);
    CHECK_EQ(gn_h2_setting_check(0x4711, UINT32_MAX), GN_H2_NO_ERROR);
}

TEST(codes_have_names)
{
    CHECK(strcmp(gn_h2_error_name(11), "ENHANCE_YOUR_CALM") == 0);
    CHECK(strcmp(gn_h2_error_name(14), "unknown") == 0);
}

TEST_MAIN()
