package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.gannet.Response;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.reactivestreams.tck.TestEnvironment;
import org.reactivestreams.tck.flow.FlowPublisherVerification;

/** The publisher of a body is one of Reactive Streams. */
@Tag("load")
class BodyPublisherTckTest extends ServerTest {
    private static final long MILLISECONDS = 2000;
    private static final long QUIET_MILLISECONDS = 50;

    /** More elements than this come from a client that goes on sending. */
    private static final long FEW = 100;

    /** A body has one subscriber. */
    private static final Set<String> NOT_APPLICABLE = Set.of(
            "optional_spec111_maySupportMultiSubscribe",
            "optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfront",
            "optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingManyUpfrontAndCompleteAsExpected",
            "optional_spec111_multicast_mustProduceTheSameElementsInTheSameSequenceToAllOfItsSubscribersWhenRequestingOneByOne",
            "optional_spec111_registeredSubscribersMustReceiveOnNextOrOnCompleteSignals");

    private final List<RawClient> clients = new ArrayList<>();

    /** Held, so that the server does not answer them as abandoned. */
    private final Queue<Response> unanswered = new ConcurrentLinkedQueue<>();

    @TestFactory
    @DisplayName("the checks of the Reactive Streams TCK")
    Stream<DynamicTest> checks() {
        return ReactiveStreams.checks(Verification::new, NOT_APPLICABLE);
    }

    @AfterEach
    void disconnect() throws IOException {
        for (RawClient client : clients) {
            client.close();
        }
    }

    /** A request whose body is read by the publisher that is returned. */
    private Flow.Publisher<ByteBuffer> publisher(RawClient client, String framing) throws Exception {
        var publisher = new CompletableFuture<Flow.Publisher<ByteBuffer>>();
        server.on("/publish", (request, response) -> {
            unanswered.add(response);
            publisher.complete(request.body().publisher());
        });
        client.send("POST /publish HTTP/1.1\r\nHost: x\r\n" + framing + "\r\n\r\n");
        clients.add(client);
        return Await.result(publisher);
    }

    /** Each chunk is read by itself, and so is an element. */
    private Flow.Publisher<ByteBuffer> published(long elements) throws Exception {
        RawClient client = server.connect();
        Flow.Publisher<ByteBuffer> publisher = publisher(client, "Transfer-Encoding: chunked");
        if (elements > FEW) {
            Thread sender = new Thread(() -> sendOn(client), "sender");
            sender.setDaemon(true);
            sender.start();
            return publisher;
        }
        for (int i = 0; i < elements; i++) {
            server.sendAndAwait(client, "1\r\nx\r\n".getBytes(ISO_8859_1));
        }
        client.send("0\r\n\r\n");
        return publisher;
    }

    private static void sendOn(RawClient client) {
        try {
            while (true) {
                client.send("1\r\nx\r\n");
            }
        } catch (IOException closed) {
            // The check is over.
        }
    }

    private Flow.Publisher<ByteBuffer> broken() throws Exception {
        RawClient client = server.connect();
        Flow.Publisher<ByteBuffer> publisher = publisher(client, "Content-Length: 10");
        long before = server.stats().exchangesReset();
        client.reset();
        Await.until(() -> server.stats().exchangesReset() > before, () -> "the server sees the reset");
        return publisher;
    }

    private final class Verification extends FlowPublisherVerification<ByteBuffer> {
        Verification() {
            super(new TestEnvironment(MILLISECONDS, QUIET_MILLISECONDS));
        }

        @Override
        public Flow.Publisher<ByteBuffer> createFlowPublisher(long elements) {
            try {
                return published(elements);
            } catch (Exception failure) {
                throw new AssertionError(failure);
            }
        }

        @Override
        public Flow.Publisher<ByteBuffer> createFailedFlowPublisher() {
            try {
                return broken();
            } catch (Exception failure) {
                throw new AssertionError(failure);
            }
        }
    }
}
