#include "http/status.h"

#include <string.h>

#define FIRST 100
#define LAST 511

/* The line as it goes out and its length, 0 for a code without a phrase; 48 bytes, copied as a whole. */
struct row {
    char line[47];
    uint8_t length;
};

/* Registered codes (RFC 9110 section 16.2.1). 306 and 418 are reserved and have no phrase. */
static const struct row rows[LAST - FIRST + 1] = {
#define LINE(code, phrase) "HTTP/1.1 " #code " " phrase "\r\n"
#define ROW(code, phrase) [code - FIRST] = {LINE(code, phrase), sizeof(LINE(code, phrase)) - 1}
    ROW(100, "Continue"),
    ROW(101, "Switching Protocols"),
    ROW(102, "Processing"),
    ROW(103, "Early Hints"),
    ROW(104, "Upload Resumption Supported"),
    ROW(200, "OK"),
    ROW(201, "Created"),
    ROW(202, "Accepted"),
    ROW(203, "Non-Authoritative Information"),
    ROW(204, "No Content"),
    ROW(205, "Reset Content"),
    ROW(206, "Partial Content"),
    ROW(207, "Multi-Status"),
    ROW(208, "Already Reported"),
    ROW(226, "IM Used"),
    ROW(300, "Multiple Choices"),
    ROW(301, "Moved Permanently"),
    ROW(302, "Found"),
    ROW(303, "See Other"),
    ROW(304, "Not Modified"),
    ROW(305, "Use Proxy"),
    ROW(307, "Temporary Redirect"),
    ROW(308, "Permanent Redirect"),
    ROW(400, "Bad Request"),
    ROW(401, "Unauthorized"),
    ROW(402, "Payment Required"),
    ROW(403, "Forbidden"),
    ROW(404, "Not Found"),
    ROW(405, "Method Not Allowed"),
    ROW(406, "Not Acceptable"),
    ROW(407, "Proxy Authentication Required"),
    ROW(408, "Request Timeout"),
    ROW(409, "Conflict"),
    ROW(410, "Gone"),
    ROW(411, "Length Required"),
    ROW(412, "Precondition Failed"),
    ROW(413, "Content Too Large"),
    ROW(414, "URI Too Long"),
    ROW(415, "Unsupported Media Type"),
    ROW(416, "Range Not Satisfiable"),
    ROW(417, "Expectation Failed"),
    ROW(421, "Misdirected Request"),
    ROW(422, "Unprocessable Content"),
    ROW(423, "Locked"),
    ROW(424, "Failed Dependency"),
    ROW(425, "Too Early"),
    ROW(426, "Upgrade Required"),
    ROW(428, "Precondition Required"),
    ROW(429, "Too Many Requests"),
    ROW(431, "Request Header Fields Too Large"),
    ROW(451, "Unavailable For Legal Reasons"),
    ROW(500, "Internal Server Error"),
    ROW(501, "Not Implemented"),
    ROW(502, "Bad Gateway"),
    ROW(503, "Service Unavailable"),
    ROW(504, "Gateway Timeout"),
    ROW(505, "HTTP Version Not Supported"),
    ROW(506, "Variant Also Negotiates"),
    ROW(507, "Insufficient Storage"),
    ROW(508, "Loop Detected"),
    ROW(510, "Not Extended"),
    ROW(511, "Network Authentication Required"),
#undef ROW
#undef LINE
};

size_t gn_status_line(uint16_t code, uint8_t line[GN_STATUS_LINE_MAX])
{
    if (code >= FIRST && code <= LAST && rows[code - FIRST].length != 0) {
        const struct row *row = &rows[code - FIRST];
        memcpy(line, row->line, sizeof row->line);
        return row->length;
    }
    memcpy(line, "HTTP/1.1 000 \r\n", 15);
    line[9] = (uint8_t)('0' + code / 100 % 10);
    line[10] = (uint8_t)('0' + code / 10 % 10);
    line[11] = (uint8_t)('0' + code % 10);
    return 15;
}
