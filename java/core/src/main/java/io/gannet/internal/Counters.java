package io.gannet.internal;

import io.gannet.LoopStats;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.TreeMap;

/** Reads the counters that the C core keeps in the shared region, from any thread. */
final class Counters {
    private static final VarHandle WORD = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** All zero. */
    static final LoopStats NONE = heldUp(0);

    private Counters() {}

    static LoopStats read(ByteBuffer region) {
        return new LoopStats(
                get(region, Layout.COUNTER_TURNS),
                get(region, Layout.COUNTER_EVENTS),
                get(region, Layout.COUNTER_COMMANDS),
                get(region, Layout.COUNTER_COMMANDS_REJECTED),
                get(region, Layout.COUNTER_CONNECTIONS_ACCEPTED),
                get(region, Layout.COUNTER_CONNECTIONS_OPEN),
                get(region, Layout.COUNTER_CONNECTIONS_REFUSED),
                get(region, Layout.COUNTER_CONNECTIONS_EVICTED),
                get(region, Layout.COUNTER_ACCEPT_FAILURES),
                get(region, Layout.COUNTER_REQUESTS),
                get(region, Layout.COUNTER_REQUESTS_REFUSED),
                get(region, Layout.COUNTER_RESPONSES),
                get(region, Layout.COUNTER_EXCHANGES_OPEN),
                get(region, Layout.COUNTER_EXCHANGES_RESET),
                get(region, Layout.COUNTER_EXCHANGES_ABANDONED),
                get(region, Layout.COUNTER_TIMEOUTS),
                get(region, Layout.COUNTER_BYTES_RECEIVED),
                get(region, Layout.COUNTER_BYTES_SENT),
                get(region, Layout.COUNTER_LOGS_DROPPED),
                get(region, Layout.COUNTER_MEMORY_USED),
                get(region, Layout.COUNTER_ARENA_TOTAL),
                get(region, Layout.COUNTER_ARENA_FREE),
                get(region, Layout.COUNTER_BLOCKS_LENT),
                get(region, Layout.COUNTER_TUNNELS_OPEN),
                reasons(region),
                0);
    }

    private static Map<String, Long> reasons(ByteBuffer region) {
        var reasons = new TreeMap<String, Long>();
        for (int reason = 0; reason < Layout.REASON_LIMIT; reason++) {
            long count = get(region, Layout.COUNTER_REASONS + reason * Long.BYTES);
            if (count != 0) {
                reasons.put(Layout.reasonName(reason), count);
            }
        }
        return reasons;
    }

    /** Nothing but loops that were held up. */
    static LoopStats heldUp(long times) {
        return new LoopStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, Map.of(), times);
    }

    private static long get(ByteBuffer region, int offset) {
        return (long) WORD.getOpaque(region, offset);
    }
}
