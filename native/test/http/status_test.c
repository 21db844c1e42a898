#include "http/status.h"

#include "test.h"

static void check_line(uint16_t code, const char *expected)
{
    uint8_t line[GN_STATUS_LINE_MAX];
    size_t length = gn_status_line(code, line);
    CHECK(length <= sizeof line);
    CHECK_BYTES(line, length, expected);
}

TEST(registered_codes_have_their_phrase)
{
    check_line(100, "HTTP/1.1 100 Continue\r\n");
    check_line(101, "HTTP/1.1 101 Switching Protocols\r\n");
    check_line(103, "HTTP/1.1 103 Early Hints\r\n");
    check_line(200, "HTTP/1.1 200 OK\r\n");
    check_line(204, "HTTP/1.1 204 No Content\r\n");
    check_line(304, "HTTP/1.1 304 Not Modified\r\n");
    check_line(400, "HTTP/1.1 400 Bad Request\r\n");
    check_line(404, "HTTP/1.1 404 Not Found\r\n");
    check_line(413, "HTTP/1.1 413 Content Too Large\r\n");
    check_line(414, "HTTP/1.1 414 URI Too Long\r\n");
    check_line(417, "HTTP/1.1 417 Expectation Failed\r\n");
    check_line(431, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
    check_line(500, "HTTP/1.1 500 Internal Server Error\r\n");
    check_line(501, "HTTP/1.1 501 Not Implemented\r\n");
    check_line(505, "HTTP/1.1 505 HTTP Version Not Supported\r\n");
    check_line(511, "HTTP/1.1 511 Network Authentication Required\r\n");
}

TEST(codes_without_a_phrase_keep_the_space)
{
    check_line(199, "HTTP/1.1 199 \r\n");
    check_line(306, "HTTP/1.1 306 \r\n");
    check_line(418, "HTTP/1.1 418 \r\n");
    check_line(512, "HTTP/1.1 512 \r\n");
    check_line(799, "HTTP/1.1 799 \r\n");
    check_line(999, "HTTP/1.1 999 \r\n");
}

TEST(every_line_names_its_code_and_ends)
{
    for (uint16_t code = 100; code < 1000; code++) {
        uint8_t line[GN_STATUS_LINE_MAX];
        char begin[16];
        size_t length = gn_status_line(code, line);
        snprintf(begin, sizeof begin, "HTTP/1.1 %u ", code);
        CHECK(length >= 15 && length <= sizeof line);
        CHECK(memcmp(line, begin, 13) == 0);
        CHECK(memcmp(line + length - 2, "\r\n", 2) == 0);
        CHECK(memchr(line, '\r', length) == line + length - 2);
    }
}

TEST_MAIN()
