package io.gannet.internal;

import io.gannet.Backend;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The direct memory that a loop shares with the C core (native/src/ring/shared.h):
 *
 * <pre>
 *   settings, text, counters | event ring | command ring | staging
 * </pre>
 */
final class Region {
    private static final int ALIGNMENT = 128;

    final ByteBuffer bytes;
    final int events;
    final int commands;
    final int staging;

    Region(Backend backend, int wakeDescriptor, int slabs, long memory) {
        events = align(Layout.SHARED_BYTES);
        commands = align(events + LoopOptions.EVENTS * Layout.RECORD_BYTES);
        staging = align(commands + LoopOptions.COMMANDS * Layout.RECORD_BYTES);
        int size = align(staging + LoopOptions.STAGING_BYTES);
        bytes = allocate(size, ALIGNMENT);
        bytes.putLong(Layout.LOOP_ABI, Layout.ABI);
        bytes.putLong(Layout.LOOP_SIZE, size);
        bytes.putLong(Layout.LOOP_BACKEND, number(backend));
        bytes.putLong(Layout.LOOP_WAKE_DESCRIPTOR, wakeDescriptor);
        bytes.putLong(Layout.LOOP_EVENTS_OFFSET, events);
        bytes.putLong(Layout.LOOP_EVENTS_CAPACITY, LoopOptions.EVENTS);
        bytes.putLong(Layout.LOOP_COMMANDS_OFFSET, commands);
        bytes.putLong(Layout.LOOP_COMMANDS_CAPACITY, LoopOptions.COMMANDS);
        bytes.putLong(Layout.LOOP_STAGING_OFFSET, staging);
        bytes.putLong(Layout.LOOP_STAGING_CAPACITY, LoopOptions.STAGING_BYTES);
        bytes.putLong(Layout.LOOP_LOW_WATER, Slabs.BYTES / 2);
        bytes.putLong(Layout.LOOP_MEMORY, memory);
        bytes.putLong(Layout.LOOP_RESERVE, (long) slabs * Slabs.BYTES / 8);
    }

    /** Zeroed direct memory, little-endian and aligned; a multiple of the alignment. */
    static ByteBuffer allocate(int size, int alignment) {
        return ByteBuffer.allocateDirect(size + alignment)
                .alignedSlice(alignment)
                .slice(0, size)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Why the backend was taken or refused. */
    String text() {
        int length = 0;
        while (length < Layout.TEXT_BYTES && bytes.get(Layout.TEXT + length) != 0) {
            length++;
        }
        byte[] text = new byte[length];
        bytes.get(Layout.TEXT, text);
        return new String(text, StandardCharsets.UTF_8);
    }

    Backend backendTaken() {
        return bytes.getLong(Layout.LOOP_BACKEND_TAKEN) == Layout.BACKEND_IO_URING ? Backend.IO_URING : Backend.EPOLL;
    }

    private static long number(Backend backend) {
        return switch (backend) {
            case AUTO -> Layout.BACKEND_AUTO;
            case IO_URING -> Layout.BACKEND_IO_URING;
            case EPOLL -> Layout.BACKEND_EPOLL;
        };
    }

    private static int align(int size) {
        return (size + ALIGNMENT - 1) & -ALIGNMENT;
    }
}
