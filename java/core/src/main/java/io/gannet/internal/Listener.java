package io.gannet.internal;

/** A listening socket of a server on one loop. */
final class Listener {
    final Server server;
    final Loop loop;
    final long id;

    Listener(Server server, Loop loop, long id) {
        this.server = server;
        this.loop = loop;
        this.id = id;
    }

    int slot() {
        return (int) id & Layout.ID_SLOT_MASK;
    }
}
