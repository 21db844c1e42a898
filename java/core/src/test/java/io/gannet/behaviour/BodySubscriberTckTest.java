package io.gannet.behaviour;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowSubscriberBlackboxVerification;

/** What subscribes to the publisher of a response's body is a subscriber of Reactive Streams. */
@Tag("load")
class BodySubscriberTckTest extends ServerTest {
    private static final long MILLISECONDS = 2000;
    private static final long QUIET_MILLISECONDS = 50;

    private final List<RawClient> clients = new ArrayList<>();
    private final List<Verification> verifications = new ArrayList<>();

    @TestFactory
    @DisplayName("the checks of the Reactive Streams TCK")
    Stream<DynamicTest> checks() {
        return ReactiveStreams.checks(Verification::new, Set.of());
    }

    @AfterEach
    void disconnect() throws IOException {
        for (RawClient client : clients) {
            client.close();
        }
        for (Verification verification : verifications) {
            verification.shutdownPublisherExecutorService();
        }
    }

    /** The subscriber that comes to the publisher of a body for a client that has room for it. */
    private Flow.Subscriber<ByteBuffer> subscriber() throws Exception {
        var subscribed = new CompletableFuture<Flow.Subscriber<? super ByteBuffer>>();
        server.on("/subscribe", (request, response) -> {
            Flow.Publisher<ByteBuffer> publisher = subscribed::complete;
            response.send(publisher);
        });
        RawClient client = server.connect();
        clients.add(client);
        client.send("GET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n");
        @SuppressWarnings("unchecked")
        Flow.Subscriber<ByteBuffer> subscriber = (Flow.Subscriber<ByteBuffer>) Await.result(subscribed);
        return subscriber;
    }

    private final class Verification extends FlowSubscriberBlackboxVerification<ByteBuffer> {
        Verification() {
            super(new TestEnvironment(MILLISECONDS, QUIET_MILLISECONDS));
            // What runs the publishers of the checks: TestNG would call it.
            startPublisherExecutorService();
            verifications.add(this);
        }

        @Override
        public Flow.Subscriber<ByteBuffer> createFlowSubscriber() {
            try {
                return subscriber();
            } catch (Exception failure) {
                throw new AssertionError(failure);
            }
        }

        @Override
        public ByteBuffer createElement(int number) {
            return ByteBuffer.wrap(("element " + number).getBytes());
        }
    }
}
