/*
 * Tunnels: what a connection carries behind 101 (Switching Protocols, RFC 9110 section 7.8) or a 2xx response to CONNECT
 * (section 9.3.6) is bytes that HTTP does not know.
 *
 *                    response 101 / 2xx
 *     request that ─────────────────────▶ OPEN ──(Java: END)──▶ sending side shut down ──(peer's FIN)──▶ the connection
 *     offers one                           │                                                             ends
 *         │                                └──(peer's FIN: DATA with END)──▶ receiving ended ──(Java: END)──▲
 *         └── any other response: HTTP goes on
 *
 * - Nothing behind a request that offers one is read until it is known what its bytes are (GN_H1_READING_OFFER). So they
 *   are the tunnel's first bytes, or the next request.
 * - Both directions are under the same credit as bodies, without framing.
 * - A tunnel that is not its connection's first exchange is there for Java at once. What it sends is held until its turn.
 * - Where it breaks (RESET, RELEASE before both sides have ended, tunnel_timeout), the peer gets RST: after a FIN it would
 *   take the stream for complete. One whose turn has not come was never seen by the peer: the connection ends behind the
 *   responses before it.
 * - A graceful end (CLOSE, UNLISTEN without ABORT) leaves it alone.
 */
#ifndef GN_H1_TUNNEL_H
#define GN_H1_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/exchange.h"

struct gn_h1_request;

/* Whether a complete CONNECT request has fields that frame a body, which means nothing there (RFC 9110 section 9.3.6)
   and may mean something to others on the way: 400. */
bool gn_h1_tunnel_has_content(const struct gn_h1_request *request);

/* Whether the request of the exchange is one that a tunnel can answer. */
static inline bool gn_h1_tunnel_offered(const struct gn_exchange *exchange)
{
    return exchange->upgrade || exchange->connect;
}

/* Whether a final response with `status`, sent now, opens a tunnel. 101 does where an upgrade was offered, on HTTP/1.1,
   once the request's body has ended, so that no 100 (Continue) is awaited either (behaviour F1). */
bool gn_h1_tunnel_opens(const struct gn_exchange *exchange, unsigned status);

/* Makes a tunnel of the exchange; its head is written next. */
void gn_h1_tunnel_open(struct gn_exchange *exchange);

/* Those of gn_protocol of the same names, while the session reads a tunnel. */
size_t gn_h1_tunnel_input(struct gn_connection *connection, const uint8_t *bytes, size_t length);
void gn_h1_tunnel_input_ended(struct gn_connection *connection);
uint64_t gn_h1_tunnel_deadline(const struct gn_connection *connection, unsigned *reason);

#endif
