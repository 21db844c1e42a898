package io.gannet;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The counters of an event loop, or the sums of several. They count from the loop's start; those that say "now" are
 * gauges. A snapshot is not taken at one instant: each number is right, their differences may be off by what is under
 * way.
 *
 * @param turns turns of the loop
 * @param events events that went to Java
 * @param commands commands that came from Java
 * @param commandsRejected commands that named what is no more, or made no sense
 * @param connectionsAccepted connections that were accepted
 * @param connectionsOpen connections that are open now
 * @param connectionsRefused connections that were closed at once, since there were too many ({@link
 *     HttpServer.Builder#maxConnections}, {@link HttpServer.Builder#maxConnectionsPerAddress})
 * @param connectionsEvicted connections that were ended, since memory was short and their client had stalled longest or held
 *     most ({@link EventLoops.Builder#maxMemory})
 * @param acceptFailures calls to accept a connection that failed
 * @param requests requests that were handed to handlers
 * @param requestsRefused requests that were answered with an error before or instead of a handler
 * @param responses responses that were handed to the kernel completely
 * @param exchangesOpen requests now that are not done with
 * @param exchangesReset exchanges that broke before their response was complete
 * @param exchangesAbandoned requests now whose connection is gone but which are not done with
 * @param timeouts connections ended by a time limit, lingering not counted
 * @param bytesReceived bytes that were received
 * @param bytesSent bytes that were sent
 * @param logsDropped log lines that were dropped because there were too many
 * @param memoryUsed bytes of the native heap that are used now
 * @param arenaTotal bytes of direct memory now that serve heads and bodies
 * @param arenaFree bytes of that memory that are free now
 * @param blocksLent blocks of that memory now that requests hold
 * @param tunnelsOpen tunnels that are open now
 * @param reasons what limits, time limits, parse errors and broken connections did to peers: how often, by a stable name
 *     such as {@code headTimeout}, {@code bodyTooLarge} or {@code badHost}; sorted by name, without those that are 0. The
 *     names are those of the C core's list of reasons, and the README's table of limits says which limit counts where
 * @param loopsHeldUp times that a loop was held up longer than {@link EventLoops.Builder#heldUpAfter}
 */
public record LoopStats(
        long turns,
        long events,
        long commands,
        long commandsRejected,
        long connectionsAccepted,
        long connectionsOpen,
        long connectionsRefused,
        long connectionsEvicted,
        long acceptFailures,
        long requests,
        long requestsRefused,
        long responses,
        long exchangesOpen,
        long exchangesReset,
        long exchangesAbandoned,
        long timeouts,
        long bytesReceived,
        long bytesSent,
        long logsDropped,
        long memoryUsed,
        long arenaTotal,
        long arenaFree,
        long blocksLent,
        long tunnelsOpen,
        Map<String, Long> reasons,
        long loopsHeldUp) {
    /**
     * What was done to peers, by reason.
     *
     * @return the counts by the names of the reasons, without those that are 0; a map that cannot be changed
     */
    public Map<String, Long> reasons() {
        return Collections.unmodifiableMap(reasons);
    }

    /**
     * All numbers by name, in their order, for printing. The names are those of the components, and {@code reasons.} with the
     * name of a reason.
     *
     * @return a map of its own
     */
    public Map<String, Long> toMap() {
        Map<String, Long> map = new LinkedHashMap<>();
        map.put("turns", turns);
        map.put("events", events);
        map.put("commands", commands);
        map.put("commandsRejected", commandsRejected);
        map.put("connectionsAccepted", connectionsAccepted);
        map.put("connectionsOpen", connectionsOpen);
        map.put("connectionsRefused", connectionsRefused);
        map.put("connectionsEvicted", connectionsEvicted);
        map.put("acceptFailures", acceptFailures);
        map.put("requests", requests);
        map.put("requestsRefused", requestsRefused);
        map.put("responses", responses);
        map.put("exchangesOpen", exchangesOpen);
        map.put("exchangesReset", exchangesReset);
        map.put("exchangesAbandoned", exchangesAbandoned);
        map.put("timeouts", timeouts);
        map.put("bytesReceived", bytesReceived);
        map.put("bytesSent", bytesSent);
        map.put("logsDropped", logsDropped);
        map.put("memoryUsed", memoryUsed);
        map.put("arenaTotal", arenaTotal);
        map.put("arenaFree", arenaFree);
        map.put("blocksLent", blocksLent);
        map.put("tunnelsOpen", tunnelsOpen);
        reasons.forEach((name, count) -> map.put("reasons." + name, count));
        map.put("loopsHeldUp", loopsHeldUp);
        return map;
    }

    /**
     * The sums of the numbers of two snapshots.
     *
     * @param other the other snapshot
     * @return the sums
     */
    public LoopStats plus(LoopStats other) {
        Objects.requireNonNull(other, "other");
        Map<String, Long> all = new TreeMap<>(reasons);
        other.reasons.forEach((name, count) -> all.put(name, all.getOrDefault(name, 0L) + count));
        return new LoopStats(
                turns + other.turns,
                events + other.events,
                commands + other.commands,
                commandsRejected + other.commandsRejected,
                connectionsAccepted + other.connectionsAccepted,
                connectionsOpen + other.connectionsOpen,
                connectionsRefused + other.connectionsRefused,
                connectionsEvicted + other.connectionsEvicted,
                acceptFailures + other.acceptFailures,
                requests + other.requests,
                requestsRefused + other.requestsRefused,
                responses + other.responses,
                exchangesOpen + other.exchangesOpen,
                exchangesReset + other.exchangesReset,
                exchangesAbandoned + other.exchangesAbandoned,
                timeouts + other.timeouts,
                bytesReceived + other.bytesReceived,
                bytesSent + other.bytesSent,
                logsDropped + other.logsDropped,
                memoryUsed + other.memoryUsed,
                arenaTotal + other.arenaTotal,
                arenaFree + other.arenaFree,
                blocksLent + other.blocksLent,
                tunnelsOpen + other.tunnelsOpen,
                all,
                loopsHeldUp + other.loopsHeldUp);
    }
}
