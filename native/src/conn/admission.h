/*
 * How many connections a server takes: in all, and from one remote address. One object for all the listeners of a server,
 * on all of its loops.
 *
 * Places. A connection holds a place from gn_admission_enter until gn_admission_leave, and there are never more of them
 * than the limit: taking one is a compare-and-swap. Two exceptions are the listener's: what waits when it is closed
 * gracefully enters past the limit (gn_admission_enter_anyway), since the kernel promised it a connection; and a backend
 * that cannot be stopped at once accepts some connections too many, which wait without a place: on all
 * loops together at most 1/32 of the limit, and where the limit was given (so that it is not about descriptors) up to
 * GN_ADMISSION_WAITING in any case; more are refused.
 *
 * Precedence. A place that becomes free goes to whoever asks first, which is mostly the loop that has freed it. So that no
 * listener is left without any for as long as others are busy, a listener for whose first connection there was no place
 * says that it is hungry, and the others leave it one.
 *
 * Addresses. An IPv4 address counts by itself, also where it is mapped to IPv6; of an IPv6 address the first 64 bits count,
 * which is what one customer of a network has at least. The count of an address is exact, whatever loop its connections
 * are on; connections that wait for a place count. A peer without an address (a Unix socket, one that is gone already)
 * counts for none. The table has a hash with a random key, so that nobody can choose addresses that collide; it grows and
 * shrinks with the number of addresses.
 *
 * Ownership: counted references; the last gn_admission_release frees it. Its memory is counted by no loop.
 * Thread: any. Errors: negative errno.
 */
#ifndef GN_CONN_ADMISSION_H
#define GN_CONN_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* As a limit of connections: seven eighths of the descriptors that the process may have open (RLIMIT_NOFILE, soft, at the
   time of the call), so that a flood leaves some for what else it opens. */
#define GN_ADMISSION_DEFAULT UINT64_MAX

#define GN_ADMISSION_WAITING 64U

/* The peer that counts for no address. */
#define GN_ADMISSION_NOBODY UINT64_MAX

struct gn_admission;

/* With one reference. `connections` in all, `per_address` from an address; 0: no limit. 0, -ENOMEM, or what keeps it from
   a random key. */
int gn_admission_open(struct gn_admission **admission, uint64_t connections, uint64_t per_address);
void gn_admission_hold(struct gn_admission *admission);
void gn_admission_release(struct gn_admission *admission);

/* ---- places ---- */

/* The limit of connections; 0: none. */
uint64_t gn_admission_limit(const struct gn_admission *admission);

/* Takes a place. `first`: for a listener that has no connection yet. False: there is none. */
bool gn_admission_enter(struct gn_admission *admission, bool first);
void gn_admission_enter_anyway(struct gn_admission *admission);
void gn_admission_leave(struct gn_admission *admission);

/* Whether gn_admission_enter would find no place now. */
bool gn_admission_full(const struct gn_admission *admission, bool first);

/* A connection waits for a place, or no longer does. False: too many do. */
bool gn_admission_wait(struct gn_admission *admission);
void gn_admission_stop_waiting(struct gn_admission *admission);

/* A listener has become hungry, or is no longer. */
void gn_admission_hungry(struct gn_admission *admission, bool hungry);

/* ---- addresses ---- */

/* Whether peers are counted. */
bool gn_admission_counts_peers(const struct gn_admission *admission);

/* What an address counts as: the first 64 bits of an IPv6 one; an IPv4 one in the low half below 32 set bits, with which no
   unicast IPv6 address begins. */
uint64_t gn_admission_peer(const struct sockaddr_storage *address);

/* Counts a connection of that peer. 0, -ECONNREFUSED: it has as many as it may, or -ENOMEM; nothing is counted then. */
int gn_admission_add_peer(struct gn_admission *admission, uint64_t peer);
void gn_admission_remove_peer(struct gn_admission *admission, uint64_t peer);

/* How many peers are counted now, and bytes of the heap; for tests. */
uint64_t gn_admission_peers(struct gn_admission *admission);
size_t gn_admission_memory(struct gn_admission *admission);

#endif
