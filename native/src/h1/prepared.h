/*
 * The HTTP/1 form of prepared responses (conn/prepared.h). The head is encoded once, up to what may differ from one
 * sending to the next (gn_h1_response_write_varying).
 */
#ifndef GN_H1_PREPARED_H
#define GN_H1_PREPARED_H

#include "conn/prepared.h"
#include "h1/response.h"

/* Checks and encodes a new one. -EINVAL: a status that is not final, malformed fields, transfer codings (a prepared response is
   sent with its length), or a Content-Length that is not that of the body where there is content. */
int gn_h1_prepared_encode(struct gn_context *context, struct gn_prepared *prepared);

/* The most bytes that the head can take. */
static inline size_t gn_h1_prepared_bound(const struct gn_prepared *prepared)
{
    return prepared->encoded_size;
}

/* Writes the head with what stands in `response` of connection, date and title_case; returns its length. */
size_t gn_h1_prepared_write(const struct gn_prepared *prepared, struct gn_h1_response *response, bool head_only,
                            uint8_t *bytes);

#endif
