package io.gannet;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a server counts.
 *
 * @param loops the sums of its event loops' counters, which include what other servers on the same loops did
 * @param handlerFailures handlers of this server that threw, since its start
 */
public record ServerStats(LoopStats loops, long handlerFailures) {
    /**
     * All numbers by name, in their order, for printing: those of {@link LoopStats}, then {@code handlerFailures}.
     *
     * @return a map of its own
     */
    public Map<String, Long> toMap() {
        Map<String, Long> map = new LinkedHashMap<>(loops.toMap());
        map.put("handlerFailures", handlerFailures);
        return map;
    }
}
