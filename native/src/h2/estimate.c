#include "h2/estimate.h"

#include "conn/connection.h"
#include "h2/control.h"
#include "h2/session.h"

void gn_h2_estimate_data(struct gn_connection *connection, uint32_t octets)
{
    struct gn_h2_estimate *estimate = &connection->h2->estimate;
    if (estimate->ping_out) {
        estimate->octets += octets;
    } else if (connection->h2->connection_size < GN_H2_ADAPTIVE_MAX) {
        estimate->ping_out = true;
        estimate->octets = octets;
        gn_h2_send_ping(connection, GN_H2_PING_ESTIMATE);
    }
}

void gn_h2_estimate_answered(struct gn_connection *connection)
{
    struct gn_h2_session *session = connection->h2;
    struct gn_h2_estimate *estimate = &session->estimate;
    uint64_t size = (uint64_t)session->connection_size;
    if (!estimate->ping_out)
        return;
    estimate->ping_out = false;
    if (estimate->octets < size * 2 / 3)
        return; // the window does not hold the peer up
    uint64_t wanted = 2 * estimate->octets < GN_H2_ADAPTIVE_MAX ? 2 * estimate->octets : GN_H2_ADAPTIVE_MAX;
    if (wanted > size)
        gn_h2_grow_windows(connection, (int32_t)wanted);
}
