/*
 * What a connection asks of its protocol. Each function is called on the loop's thread and may end the connection
 * (gn_connection_end), after which the caller must look at gn_connection.state before it goes on.
 */
#ifndef GN_CONN_PROTOCOL_H
#define GN_CONN_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring/record.h"

struct gn_connection;
struct gn_context;
struct gn_exchange;
struct gn_prepared;

struct gn_protocol {
    const char *name;
    /* Uses bytes[0..length) as far as it can and returns how many it used. What is left comes again, with more behind
       it, when more arrives or, if the protocol set gn_connection.blocked, when that is resolved. */
    size_t (*input)(struct gn_connection *connection, const uint8_t *bytes, size_t length);
    /* The peer ended its sending side; all input before it was used, or never will be. */
    void (*input_ended)(struct gn_connection *connection);
    /* What it waited for in the loop may be there: the connection was on the list of those that are ready, or starved. Input
       that it left comes behind. NULL: it does nothing then. */
    void (*resume)(struct gn_connection *connection);
    /* Commands for an exchange that is attached and not broken; `staged` is where offset points, checked to hold length
       + body_length bytes. False: the command makes no sense now, nothing was done. */
    bool (*respond)(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
    bool (*interim)(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
    bool (*data)(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
    bool (*trailers)(struct gn_exchange *exchange, const struct gn_command *command, const uint8_t *staged);
    /* Sends all of a prepared response; of the command the flags count. */
    bool (*prepared)(struct gn_exchange *exchange, const struct gn_command *command, struct gn_prepared *prepared);
    void (*credit)(struct gn_exchange *exchange, uint64_t bytes);
    /* `code`: the error code that HTTP/2 has for it, or 0. */
    void (*reset)(struct gn_exchange *exchange, uint32_t code);
    /* Java let go of an exchange that is still attached. */
    void (*released)(struct gn_exchange *exchange);
    /* Output is about to be sent: adds what waits for this. NULL: nothing does. */
    void (*produce)(struct gn_connection *connection);
    /* All output is with the kernel. */
    void (*drained)(struct gn_connection *connection);
    /* The graceful end: finish what runs, begin nothing. */
    void (*finish)(struct gn_connection *connection);
    /* When the protocol gives up waiting, and why; GN_TIMER_NEVER: it does not wait for the peer. */
    uint64_t (*deadline)(const struct gn_connection *connection, unsigned *reason);
    /* Since when it waits for the peer to go on with a message that it has begun, or for memory, and for nothing else;
       GN_TIMER_NEVER: it does not. See conn/relief.h. */
    uint64_t (*stalled_since)(const struct gn_connection *connection);
    void (*expired)(struct gn_connection *connection, unsigned reason);
    /* The connection is going away: free what the protocol holds. Exchanges are detached by the connection. */
    void (*end)(struct gn_connection *connection);
};

#endif
