/*
 * A listener: a listening socket on one loop, and the connections that came from it.
 *
 * It accepts while it is open, its server's admission has places, and the last accept did not fail. After a failure
 * (EMFILE and the like) it tries again GN_LISTENER_RETRY later, so that a shortage neither ends nor spins it (behaviour
 * D13). While there is no place, connections wait in the backlog; it goes on when one of its own ends, and looks every
 * GN_LISTENER_RETRY whether a place has become free elsewhere. A connection from an address that has as many as it may is
 * reset at once: a FIN would leave a socket behind that the kernel has to keep. Once unlistened it takes what the accept queue holds, closes its socket, and ends its connections gracefully;
 * it goes, with an UNLISTENED event, when the last of them is gone.
 */
#ifndef GN_CONN_LISTENER_H
#define GN_CONN_LISTENER_H

#include "conn/admission.h"
#include "conn/connection.h"

#define GN_LISTENER_RETRY (100ULL * 1000 * 1000)

/* Accepted though there was no place, since io_uring cannot be stopped at once: it waits as in the backlog. */
struct gn_parked {
    int descriptor;
    uint64_t peer; /* counted by the admission */
};

struct gn_listener {
    struct gn_io_socket socket;
    struct gn_context *context;
    struct gn_listener_settings settings;
    struct gn_list listed; /* in the loop */
    struct gn_list connections;
    uint64_t connection_count;
    uint64_t accepted; /* descriptors from the io */
    uint64_t failures;
    uint64_t retry_at; /* when accepting is tried again after a failure or for want of a place, or GN_TIMER_NEVER */
    uint32_t slot, generation;
    struct gn_admission *admission; /* its server's; NULL: whoever comes is taken */
    struct gn_parked *parked;
    uint32_t parked_count, parked_capacity;
    bool accepting;
    bool failing; /* the last accept failed: only the retry takes it up again */
    bool hungry;  /* see admission.h: something waits, and it has no connection */
    bool unlistened;
    bool socket_closed;
    bool told;        /* UNLISTENED was written */
    uint32_t told_at; /* the event ring's tail behind it */
};

/* A listener on `descriptor`, which it takes over also when it fails. 0 or a negative errno. */
int gn_listener_open(struct gn_context *context, struct gn_slots *listeners,
                     const struct gn_listener_settings *settings, int descriptor, struct gn_listener **listener);

static inline uint64_t gn_listener_id(const struct gn_listener *listener)
{
    return gn_id(listener->slot, listener->generation);
}

/* Takes over a connected stream socket as if it had been accepted; past the limit of connections it waits for its
   place. 0, or a negative errno, and the descriptor stays the caller's: -ESHUTDOWN: the listener was unlistened;
   -ECONNREFUSED: its address has as many connections as it may, or too many wait (or there is no memory for it to
   wait); or what gn_socket_adopt says, -ENOMEM, or the backend's. */
int gn_listener_adopt(struct gn_listener *listener, int descriptor);

/* Stops accepting and ends the connections, gracefully or (also later, a second time) at once. */
void gn_listener_unlisten(struct gn_listener *listener, bool abort);

/* A pause is over: takes up accepting again, if there is a place. */
void gn_listener_retry(struct gn_listener *listener);

/* ---- for the io and for connections ---- */
void gn_listener_accepted(struct gn_listener *listener, int result);
void gn_listener_closed(struct gn_listener *listener);
void gn_listener_lost(struct gn_listener *listener, struct gn_connection *connection);

/* Whether nothing is left of it but the structure. */
static inline bool gn_listener_gone(const struct gn_listener *listener)
{
    return listener->socket_closed && listener->connection_count == 0;
}

void gn_listener_free(struct gn_listener *listener, struct gn_slots *listeners);

#endif
