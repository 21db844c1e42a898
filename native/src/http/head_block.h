/*
 * A head block: how a request head (or a trailer section) lies in shared memory for Java to read. HTTP/1 and HTTP/2
 * write the same one; it does not tell them apart but by `version`. Offsets count from the beginning of the block;
 * every text lies inside it.
 *
 *   struct gn_head_block | struct gn_head_field[field_count] | texts
 *
 * C writes it once and never reads it again: what C relies on stays in C.
 */
#ifndef GN_HTTP_HEAD_BLOCK_H
#define GN_HTTP_HEAD_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* `form`, as RFC 9112 section 3.2 names them. */
enum gn_target_form { GN_ORIGIN_FORM, GN_ABSOLUTE_FORM, GN_AUTHORITY_FORM, GN_ASTERISK_FORM };

#define GN_HEAD_HTTPS 1 /* the target's scheme is https */
#define GN_HEAD_EXPECT_CONTINUE 2
#define GN_HEAD_UPGRADE 4     /* the client offers an upgrade that may be accepted */
#define GN_HEAD_TRAILERS 8    /* TE: trailers */
#define GN_HEAD_KEEP_ALIVE 16 /* the connection may be used again */

struct gn_head_block {
    uint16_t method; /* enum gn_method */
    uint8_t version; /* 10, 11, 20 */
    uint8_t form;    /* enum gn_target_form */
    uint16_t flags;  /* GN_HEAD_* */
    uint16_t field_count;
    int64_t content_length; /* -1: none was declared */
    uint64_t info;          /* the connection-info block (struct gn_connection_info), Java may read it until RELEASE */
    uint32_t method_offset, method_length;
    uint32_t target_offset, target_length; /* as received */
    uint32_t path_offset, path_length;
    uint32_t query_offset, query_length; /* without '?'; offset 0: there is none */
    uint32_t authority_offset, authority_length;
    uint32_t protocol_offset, protocol_length; /* :protocol of an extended CONNECT (RFC 8441) */
};

struct gn_head_field {
    uint32_t name_offset;
    uint32_t value_offset;
    uint32_t value_length;
    uint16_t name_length;
    uint16_t token; /* enum gn_field_name */
};

/* What is known of a connection; lives as long as the connection or any of its exchanges. */
struct gn_connection_info {
    uint8_t family; /* 4, 6, or 0: neither (a UNIX socket) */
    uint8_t unused[3];
    uint16_t remote_port, local_port;   /* host order */
    uint32_t remote_scope, local_scope; /* IPv6 */
    uint8_t remote_address[16];         /* network order; IPv4 in the first 4 */
    uint8_t local_address[16];
};

/* Where the texts of a block with so many fields begin. */
static inline size_t gn_head_texts_offset(uint32_t field_count)
{
    return sizeof(struct gn_head_block) + field_count * sizeof(struct gn_head_field);
}

_Static_assert(sizeof(struct gn_head_block) == 72, "no padding");
_Static_assert(sizeof(struct gn_head_field) == 16, "no padding");
_Static_assert(sizeof(struct gn_connection_info) == 48, "no padding");

#endif
