/*
 * The network in memory: the third backend of io.h, for tests, fuzzing and fault injection. One thread plays both
 * ends: the loop under test on one side, the functions below on the other. Time stands still until
 * gn_io_memory_advance moves it; a `turn` that would wait moves it to the end of its wait instead, unless something
 * is there to deliver or `wait` is GN_IO_WAIT_FOREVER (then it returns at once).
 *
 * A listener is attached with a descriptor number that the test makes up (gn_io_memory_descriptor); peers connect to
 * it by that number. Every buffer has a bound, as a socket's has, so that back-pressure shows.
 *
 * - Descriptor numbers are far above any of the kernel's and never used twice, so a close(2) on one harms nobody (and
 *   goes unseen by the peer: refuse a connection by attaching and closing it).
 * - A turn reports what was closed, then serves the sockets in the order in which they were attached: of a connection
 *   the pending send and then one piece, of a listener up to 64 connections.
 * - The network's storage is that of a kernel: it is not counted in the config's memory and does not fail with it.
 *   Only the io itself comes from there.
 * - Received bytes are a block of their own of exactly that length, gone when `received` returns: reading past it, or
 *   later, is seen by AddressSanitizer. With `late` so are the bytes of a send that are freed before `closed`.
 */
#ifndef GN_IO_IO_MEMORY_H
#define GN_IO_IO_MEMORY_H

#include "io/io.h"

/* The far end of a connection. Owned by the io, valid until gn_io_memory_peer_free or the io's free. */
struct gn_io_memory_peer;

/* A descriptor number for a listener. */
int gn_io_memory_descriptor(struct gn_io *io);

/* Connects to a listener: the connection stands in its accept queue. NULL: no such listener, or no memory. */
struct gn_io_memory_peer *gn_io_memory_connect(struct gn_io *io, int listener_descriptor);

/* Adds bytes for the loop to receive; each call is received apart, also when it is one byte. Returns how many found
   room: 65536 may stand unreceived; none do after the loop's close or the peer's own end. */
size_t gn_io_memory_write(struct gn_io_memory_peer *peer, const void *bytes, size_t length);

/* Takes up to `length` bytes of what the loop sent. Room that this makes lets a pending send go on. */
size_t gn_io_memory_read(struct gn_io_memory_peer *peer, void *bytes, size_t length);

/* How many bytes the loop has sent that were not read yet, which is what the loop's `unsent` says too, and the first of them (for looking without taking). */
size_t gn_io_memory_sent(struct gn_io_memory_peer *peer, const uint8_t **bytes);

/* How many bytes given to gn_io_memory_write the loop has not received yet. */
size_t gn_io_memory_unreceived(const struct gn_io_memory_peer *peer);

/* How many sends the loop has completed on this connection so far: responses that left together are one. */
unsigned gn_io_memory_sends(const struct gn_io_memory_peer *peer);

/* The peer's FIN, and its RST. What was written before is received first; then 0, and -ECONNRESET. */
void gn_io_memory_finish(struct gn_io_memory_peer *peer);
void gn_io_memory_reset(struct gn_io_memory_peer *peer);

/* Whether the loop shut down its sending side (a close does, too), closed the connection, or reset it. As with TCP, a
   close while bytes stand unreceived is a reset (RFC 1122 4.2.2.13), and so is the close of a listener to what it
   queued. */
bool gn_io_memory_saw_end(const struct gn_io_memory_peer *peer);
bool gn_io_memory_saw_close(const struct gn_io_memory_peer *peer);
bool gn_io_memory_saw_reset(const struct gn_io_memory_peer *peer);

/* How many bytes the loop may send before the peer reads: default 65536; 0 stops it. */
void gn_io_memory_room(struct gn_io_memory_peer *peer, size_t room);

/* With `late`, completions of sends (and of a close) come one turn later than they could, as io_uring's do, and a
   piece that stood there, or the end, is still received in the turn after receive(off). Default: early, as epoll's.
   */
void gn_io_memory_late(struct gn_io *io, bool late);

/* The far end goes: as gn_io_memory_finish, and what the loop sends from then on fails with -ECONNRESET. */
void gn_io_memory_peer_free(struct gn_io_memory_peer *peer);

/* Moves the clock. It begins at 1 second. */
void gn_io_memory_advance(struct gn_io *io, uint64_t nanoseconds);

#endif
