package io.gannet.internal;

import io.gannet.Handler;
import java.nio.charset.Charset;

/** A listening socket of a server on one loop. */
final class Listener {
    final Server server;
    final Handler handler;
    final Loop loop;
    final long id;

    /** What the octets of a request target are in. */
    final Charset targetCharset;

    /** How many bytes of a response C takes at first over HTTP/2. */
    final int streamSendCredit;

    Listener(Server server, Handler handler, Loop loop, long id, ServerOptions settings) {
        this.targetCharset = settings.targetCharset();
        this.streamSendCredit = settings.streamSendCredit();
        this.server = server;
        this.handler = handler;
        this.loop = loop;
        this.id = id;
    }

    int slot() {
        return (int) id & Layout.ID_SLOT_MASK;
    }
}
