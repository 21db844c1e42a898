/**
 * Gannet: an HTTP library for the JVM on Linux. {@link io.gannet} is its whole API.
 */
module io.gannet {
    exports io.gannet;
}
