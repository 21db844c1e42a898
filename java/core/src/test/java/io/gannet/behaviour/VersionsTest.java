package io.gannet.behaviour;

import io.gannet.Backend;
import io.gannet.HttpVersion;
import java.io.IOException;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;

/** Tests against one server with default options, on each backend and over each version of HTTP. */
@OnEachVersion
abstract class VersionsTest {
    static TestServer server;
    static HttpVersion version;

    @Parameter(0)
    Backend backend;

    @Parameter(1)
    HttpVersion spoken;

    @BeforeParameterizedClassInvocation
    static void start(Backend backend, HttpVersion spoken) throws Exception {
        version = spoken;
        server = TestServer.start(backend);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        server.close();
    }

    static boolean isHttp2() {
        return version == HttpVersion.HTTP_2;
    }

    /** A client of the version. */
    static Client connect() throws IOException {
        return connect(server);
    }

    static Client connect(TestServer to) throws IOException {
        return connect(to.port());
    }

    static Client connect(int port) throws IOException {
        return isHttp2() ? new Http2Client(port) : new RawClient(port);
    }

    /** A client that takes only a few KiB of a response ahead of what the test reads. */
    static Client connectSlowly() throws IOException {
        return isHttp2() ? new Http2Client(server.port()) : new RawClient(server.port(), 4096);
    }
}
