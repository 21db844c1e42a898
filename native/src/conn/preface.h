/*
 * Which version of HTTP a new connection speaks, where its listener serves HTTP/2: what begins with HTTP/2's preface
 * (RFC 9113 section 3.4) is HTTP/2, anything else is HTTP/1, or an error where that is not served. Until it is known, the
 * connection is one of HTTP/1: its time limits, its graceful end and its end of input are those of a request that has not
 * begun, or of which a part of the first line is there (h1/session.h).
 */
#ifndef GN_CONN_PREFACE_H
#define GN_CONN_PREFACE_H

#include "conn/protocol.h"
#include "ring/shared.h"

/* What a connection begins with: gn_h1_protocol, or one that looks for the preface. */
const struct gn_protocol *gn_preface_protocol(const struct gn_listener_settings *settings);

#endif
