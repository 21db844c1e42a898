/**
 * The Java side of the border to the native core; not API.
 *
 * <p>{@link io.gannet.internal.Loop} is the place to begin: its turn polls events and hands over commands, both laid
 * out by {@link io.gannet.internal.Layout}, which the build prints from the C headers.
 * {@link io.gannet.internal.Exchange} is a request and its response, {@link io.gannet.internal.Server} the listeners of
 * a server, {@link io.gannet.internal.Inbox} the way from other threads to a loop.
 */
package io.gannet.internal;
