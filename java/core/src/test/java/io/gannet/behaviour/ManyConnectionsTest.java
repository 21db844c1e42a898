package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Many connections at once; the client is a process of its own, so that each side has its own descriptors. */
class ManyConnectionsTest extends ServerTest {
    private static final int COUNT = 8000;

    @Test
    @DisplayName("8,000 connections are open at once, each is answered twice, and all are gone afterwards")
    void manyConnections() throws Exception {
        server.on("/many", (request, response) -> response.send("many"));
        try (ChildJvm clients =
                ChildJvm.start(ManyClients.class, String.valueOf(server.port()), String.valueOf(COUNT))) {
            assertEquals(String.valueOf(COUNT), clients.line());
            assertEquals(COUNT, server.stats().connectionsOpen());
            assertEquals(0, server.stats().exchangesOpen());
            clients.tell("again");
            assertEquals(String.valueOf(COUNT), clients.line());
            assertEquals(COUNT, server.stats().connectionsOpen());
        }
        Await.until(
                () -> server.stats().connectionsOpen() == 0,
                () -> "all connections end; open: " + server.stats().connectionsOpen());
        assertEquals(0, server.stats().acceptFailures());
    }
}
