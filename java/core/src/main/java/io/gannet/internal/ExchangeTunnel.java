package io.gannet.internal;

import io.gannet.HttpException;
import io.gannet.IncomingBody;
import io.gannet.OutgoingBody;
import io.gannet.Tunnel;

/** The two ways of an exchange that became a tunnel. */
final class ExchangeTunnel implements Tunnel {
    private final BodyReader reader;
    private final BodyWriter writer;

    ExchangeTunnel(Exchange exchange) {
        reader = new BodyReader(exchange, Integer.MAX_VALUE - 8, true);
        writer = new BodyWriter(exchange);
    }

    BodyReader reader() {
        return reader;
    }

    BodyWriter writer() {
        return writer;
    }

    /** It is not opened after all, or is gone. */
    void fail(HttpException why) {
        reader.fail(why);
        writer.fail(why);
    }

    @Override
    public IncomingBody input() {
        return reader;
    }

    @Override
    public OutgoingBody output() {
        return writer;
    }

    @Override
    public void abort() {
        writer.abort();
    }
}
