/*
 * What is known of a connection's peer, for Java: the addresses, at a place of the arena (struct gn_connection_info) that
 * the heads of its requests refer to. Shared by a connection and its exchanges, freed with the last of them.
 *
 * A block of the arena would be several times as large as that: infos stand in groups, GN_INFO_GROUP to a block. A group
 * lives as long as one of its infos.
 */
#ifndef GN_CONN_INFO_H
#define GN_CONN_INFO_H

#include <stdint.h>

#define GN_INFO_GROUP 31U /* of 2 KiB; at the end of a block is AddressSanitizer's red zone */

struct gn_connection_info;
struct gn_context;

struct gn_info {
    uint64_t block; /* where it stands: inside a block of the arena */
    uint32_t references;
    uint32_t number; /* in its group */
};

/* A new info with one reference, which says nothing yet; NULL: no memory. */
struct gn_info *gn_info_open(struct gn_context *context);

struct gn_connection_info *gn_info_bytes(const struct gn_context *context, const struct gn_info *info);

/* Gives a reference back; NULL is none. */
void gn_info_release(struct gn_context *context, struct gn_info *info);

#endif
