package io.gannet;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * What a server counts.
 *
 * @param loops the sums of its event loops' counters, which include what other servers on the same loops did
 * @param handlerFailures failures of this server's handlers since its start, thrown or told by {@link Response#fail},
 *     as far as they are logged at {@code WARNING}: not an {@link HttpException} with a status below 500
 * @param handlerDeadlines exchanges that {@link HttpServer.Builder#handlerDeadline} ended, since the start of this server
 * @param bodiesRefused bodies that were over {@link HttpServer.Builder#maxBufferedBodyBytes} or the limit of their reader,
 *     or for which {@link HttpServer.Builder#maxBufferedBytes} left no room, since the start of this server
 */
public record ServerStats(LoopStats loops, long handlerFailures, long handlerDeadlines, long bodiesRefused) {
    /**
     * The numbers of a server.
     *
     * @param loops the sums of its event loops' counters
     * @param handlerFailures failures of its handlers
     * @param handlerDeadlines exchanges that took too long
     * @param bodiesRefused bodies that were too large, or too many at a time
     */
    public ServerStats {
        Objects.requireNonNull(loops, "loops");
    }

    /**
     * All numbers by name, in their order, for printing: those of {@link LoopStats}, then {@code handlerFailures}, {@code
     * handlerDeadlines} and {@code bodiesRefused}.
     *
     * @return a map of its own
     */
    public Map<String, Long> toMap() {
        Map<String, Long> map = new LinkedHashMap<>(loops.toMap());
        map.put("handlerFailures", handlerFailures);
        map.put("handlerDeadlines", handlerDeadlines);
        map.put("bodiesRefused", bodiesRefused);
        return map;
    }
}
