package io.gannet.internal;

import java.nio.ByteBuffer;

/**
 * The commands of a turn and the bytes that they refer to (native/src/ring/record.h). Both areas are filled from their
 * beginning; a poll hands them over and empties them. Only the loop's thread touches this.
 *
 * <p>Writing a command with staged bytes: {@link #reserve}, put the bytes at {@link #position()}, then write the
 * command.
 */
final class CommandRing {
    private final Loop loop;
    /** The shared region, for staged bytes. */
    final ByteBuffer bytes;

    private final int commands;
    private final int staging;
    private final int stagingEnd;
    private int count;
    private int position;

    CommandRing(Loop loop, Region region) {
        this.loop = loop;
        bytes = region.bytes;
        commands = region.commands;
        staging = region.staging;
        stagingEnd = region.staging + LoopOptions.STAGING_BYTES;
        position = staging;
    }

    /** Makes room for so many commands and bytes; if there is none, by handing over what is here. */
    void reserve(int moreCommands, int moreBytes) {
        if (count + moreCommands > LoopOptions.COMMANDS || position + moreBytes > stagingEnd) {
            loop.flush();
        }
    }

    /** Where in {@link #bytes} the next staged byte goes. */
    int position() {
        return position;
    }

    /** How many commands there are, which are then none: for the poll that hands them over. */
    int take() {
        int taken = count;
        count = 0;
        position = staging;
        return taken;
    }

    /** RESPOND, or the like: staged fields up to {@code bodyStart}, staged body up to {@code end}. */
    void message(int kind, int flags, int status, long subject, int bodyStart, int end, long value) {
        long first = kind
                | (long) flags << Layout.RECORD_FLAGS_SHIFT
                | (long) status << Layout.RECORD_REASON_SHIFT
                | (long) (bodyStart - position) << Layout.RECORD_LENGTH_SHIFT;
        long staged = (position - staging) | (long) (end - bodyStart) << Layout.COMMAND_BODY_LENGTH_SHIFT;
        position = end;
        write(first, subject, staged, value);
    }

    /** Body bytes, staged up to {@code end}. */
    void data(int flags, long subject, int end) {
        message(Layout.COMMAND_DATA, flags, 0, subject, position, end, 0);
    }

    /** Releases the exchange, by its last command if that is the last of all. */
    void release(long subject) {
        if (count > 0) {
            int at = commands + (count - 1) * Layout.RECORD_BYTES;
            int kind = bytes.get(at) & 0xFF;
            boolean carries = kind <= Layout.COMMAND_TRAILERS || kind == Layout.COMMAND_PREPARED;
            if (carries && bytes.getLong(at + Layout.RECORD_SUBJECT) == subject) {
                bytes.putLong(at, bytes.getLong(at) | (long) Layout.FLAG_RELEASE << Layout.RECORD_FLAGS_SHIFT);
                return;
            }
        }
        plain(Layout.COMMAND_RELEASE, 0, subject, 0, 0);
    }

    /** A command without staged bytes. */
    void plain(int kind, int flags, long subject, long block, long value) {
        reserve(1, 0);
        write(kind | (long) flags << Layout.RECORD_FLAGS_SHIFT, subject, block, value);
    }

    private void write(long first, long subject, long third, long value) {
        int at = commands + count * Layout.RECORD_BYTES;
        bytes.putLong(at, first);
        bytes.putLong(at + Layout.RECORD_SUBJECT, subject);
        bytes.putLong(at + Layout.RECORD_BLOCK, third);
        bytes.putLong(at + Layout.RECORD_VALUE, value);
        count++;
    }
}
