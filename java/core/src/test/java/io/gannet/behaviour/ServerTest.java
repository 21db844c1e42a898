package io.gannet.behaviour;

import io.gannet.Backend;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;

/** Tests against one server with default options, on each backend. */
@OnEachBackend
abstract class ServerTest {
    static TestServer server;

    @Parameter
    Backend backend;

    @BeforeParameterizedClassInvocation
    static void start(Backend backend) throws Exception {
        server = TestServer.start(backend);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        server.close();
    }
}
