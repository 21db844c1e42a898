/*
 * The windows of an adaptive session: how many octets come in while a PING is on its way and back is bandwidth × delay,
 * and a window must not be less than twice that, or the peer stands still half of the time. They begin with 64 KiB and
 * only grow, up to GN_H2_ADAPTIVE_MAX. Off unless the listener's `adaptive_window` is set.
 *
 * A PING is out for it only while DATA comes, one at a time.
 */
#ifndef GN_H2_ESTIMATE_H
#define GN_H2_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

struct gn_connection;

/* The most bytes of a window, so that nobody can make a session hold more. */
#define GN_H2_ADAPTIVE_MAX (16 << 20)

struct gn_h2_estimate {
    bool ping_out;
    uint64_t octets; /* of DATA since the PING */
};

/* DATA came, `octets` of it with padding, in an adaptive session. May send a PING. */
void gn_h2_estimate_data(struct gn_connection *connection, uint32_t octets);

/* Its PING was answered. May open the windows further. */
void gn_h2_estimate_answered(struct gn_connection *connection);

#endif
