package io.gannet.bench;

import io.netty.channel.EventLoop;
import io.netty.util.AsciiString;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** The value of the {@code date} field, formatted once a second. Any thread may read it. */
final class HttpDateClock {
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US).withZone(ZoneOffset.UTC);

    private volatile AsciiString now = format();

    void start(EventLoop loop) {
        loop.scheduleAtFixedRate(() -> now = format(), 1, 1, TimeUnit.SECONDS);
    }

    AsciiString now() {
        return now;
    }

    private static AsciiString format() {
        return AsciiString.cached(FORMAT.format(Instant.now()));
    }
}
