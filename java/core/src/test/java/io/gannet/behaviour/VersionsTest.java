package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Backend;
import io.gannet.Http2;
import io.gannet.HttpServer;
import io.gannet.HttpVersion;
import io.gannet.Response;
import io.gannet.Tunnel;
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
        server = TestServer.start(backend, VersionsTest::withTunnels);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        server.close();
    }

    /** Lets clients open tunnels over either version, as {@link #upgrade} accepts them. */
    static HttpServer.Builder withTunnels(HttpServer.Builder builder) {
        return builder.http2(Http2.builder().extendedConnect(true).build());
    }

    /** Opens the tunnel to a protocol that the request offers. */
    static Tunnel upgrade(Response response, String protocol) {
        return isHttp2() ? response.acceptConnect() : response.upgrade(protocol);
    }

    /** Reads the response that opens a tunnel. */
    static void assertUpgraded(Client client) throws IOException {
        assertEquals(isHttp2() ? 200 : 101, client.response().status());
    }

    /** Of HTTP/1: the response says that it is the last one of its connection. HTTP/2 says it by other means. */
    static void assertCloses(RawResponse response) {
        assertEquals(!isHttp2(), response.closes(), response::toString);
    }

    /** The next response is cut off behind these bytes; over HTTP/2, where a reset drops what waits, maybe before. */
    static void assertCut(String bytes, Client client) throws IOException {
        String came = client.cutResponse().text();
        assertTrue(isHttp2() ? bytes.startsWith(came) : bytes.equals(came), () -> came + " of " + bytes);
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
        return connectSlowly(server);
    }

    static Client connectSlowly(TestServer to) throws IOException {
        return isHttp2() ? new Http2Client(to.port()) : new RawClient(to.port(), 4096);
    }
}
