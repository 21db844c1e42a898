/*
 * The host and port of an authority (RFC 3986 section 3.2, RFC 9110 section 4.2): of a Host field, of an absolute-form
 * and of an authority-form target.
 */
#ifndef GN_HTTP_AUTHORITY_H
#define GN_HTTP_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether bytes[0..length) is uri-host [":" port] with a host that is not empty. There is no userinfo (RFC 9110 section
 * 4.2.4). With `port_needed` the port must be there, 1..65535 (RFC 9110 section 9.3.6); else it may be empty or 0, too.
 */
bool gn_authority_is_valid(const uint8_t *bytes, size_t length, bool port_needed);

#endif
