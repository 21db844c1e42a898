/*
 * Status codes (RFC 9110 section 15): the status line of a response.
 */
#ifndef GN_HTTP_STATUS_H
#define GN_HTTP_STATUS_H

#include <stddef.h>
#include <stdint.h>

/* The longest line that gn_status_line writes. */
#define GN_STATUS_LINE_MAX 64

/*
 * Writes "HTTP/1.1 200 OK\r\n" for a code of 100..999 to `line` and returns its length. A code without a registered
 * reason phrase gets an empty one: "HTTP/1.1 799 \r\n" (RFC 9112 section 4 keeps the space).
 * What stands in `line` behind the returned length is overwritten too.
 */
size_t gn_status_line(uint16_t code, uint8_t line[GN_STATUS_LINE_MAX]);

#endif
