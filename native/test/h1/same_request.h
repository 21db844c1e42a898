/* Whether two parses that ended with the same status left the same: what readers may look at after it. */
#ifndef GN_TEST_H1_SAME_REQUEST_H
#define GN_TEST_H1_SAME_REQUEST_H

#include "h1/request_parser.h"

static inline bool same_request(const struct gn_h1_request *a, const struct gn_h1_request *b, enum gn_h1_status status)
{
    if (a->start != b->start || a->method != b->method || a->method_length != b->method_length ||
        a->target_length != b->target_length || a->version != b->version || a->field_count != b->field_count)
        return false;
    if (a->target_length != 0 && (a->target != b->target || a->target_form != b->target_form || a->path != b->path ||
                                  a->path_length != b->path_length || a->query != b->query ||
                                  a->query_length != b->query_length || a->authority != b->authority ||
                                  a->authority_length != b->authority_length || a->scheme_https != b->scheme_https))
        return false;
    for (uint32_t i = 0; i < a->field_count; i++) {
        const struct gn_h1_field *x = &a->fields[i], *y = &b->fields[i];
        if (x->name != y->name || x->name_length != y->name_length || x->value != y->value ||
            x->value_length != y->value_length || x->token != y->token)
            return false;
    }
    return status != GN_H1_COMPLETE ||
           (a->head_length == b->head_length && a->framing == b->framing && a->keep_alive == b->keep_alive &&
            a->expect_continue == b->expect_continue && a->unknown_expectation == b->unknown_expectation &&
            a->upgrade == b->upgrade && a->trailers_accepted == b->trailers_accepted &&
            a->content_length == b->content_length && a->length_dropped == b->length_dropped);
}

#endif
