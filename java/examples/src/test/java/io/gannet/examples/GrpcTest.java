package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The client of gRPC for Java, as it is, with the example. */
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("io.gannet.examples.RunningExample#modes")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class GrpcTest {
    private static final int SECONDS = 20;
    private static final int MOST_BYTES = 4 * 1024 * 1024;

    private static final MethodDescriptor.Marshaller<String> TEXT = new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(String text) {
            return new ByteArrayInputStream(text.getBytes(UTF_8));
        }

        @Override
        public String parse(InputStream stream) {
            try (stream) {
                return new String(stream.readAllBytes(), UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    };

    private static final MethodDescriptor<String, String> UPPERCASE = method("Uppercase", MethodType.UNARY);
    private static final MethodDescriptor<String, String> SPLIT = method("Split", MethodType.SERVER_STREAMING);
    private static final MethodDescriptor<String, String> JOIN = method("Join", MethodType.CLIENT_STREAMING);
    private static final MethodDescriptor<String, String> CHAT = method("Chat", MethodType.BIDI_STREAMING);
    private static final MethodDescriptor<String, String> WAIT = method("Wait", MethodType.SERVER_STREAMING);
    private static final MethodDescriptor<String, String> NOTHING = method("Nothing", MethodType.UNARY);

    private static RunningExample example;

    @Parameter(0)
    String backend;

    @Parameter(1)
    String dispatch;

    private ManagedChannel channel;

    /** A server for all of them: what one test leaves behind the others would notice. */
    @BeforeParameterizedClassInvocation
    static void start(String backend, String dispatch) throws Exception {
        example = RunningExample.start("grpc", backend, "--dispatch", dispatch, "--loops", "1");
    }

    @AfterParameterizedClassInvocation
    static void stop() {
        example.close();
    }

    @BeforeEach
    void connect() {
        channel = NettyChannelBuilder.forAddress("127.0.0.1", example.port())
                .usePlaintext()
                .build();
    }

    @AfterEach
    void disconnect() throws Exception {
        channel.shutdownNow();
        assertTrue(channel.awaitTermination(SECONDS, TimeUnit.SECONDS), "the client ends");
    }

    private static MethodDescriptor<String, String> method(String name, MethodType type) {
        return MethodDescriptor.<String, String>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName("gannet.Text", name))
                .setRequestMarshaller(TEXT)
                .setResponseMarshaller(TEXT)
                .build();
    }

    private static CallOptions options() {
        return CallOptions.DEFAULT.withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    }

    private String uppercase(String text) {
        return ClientCalls.blockingUnaryCall(channel, UPPERCASE, options(), text);
    }

    /** What a call is answered with, in turn. */
    private static class Answers implements StreamObserver<String> {
        private final List<String> messages = Collections.synchronizedList(new ArrayList<>());
        private final CompletableFuture<List<String>> all = new CompletableFuture<>();

        @Override
        public void onNext(String message) {
            messages.add(message);
        }

        @Override
        public void onError(Throwable failure) {
            all.completeExceptionally(failure);
        }

        @Override
        public void onCompleted() {
            all.complete(messages);
        }

        List<String> all() throws Exception {
            return all.get(SECONDS, TimeUnit.SECONDS);
        }
    }

    private static Status failure(Answers answers) {
        var failure = assertThrows(ExecutionException.class, answers::all);
        return Status.fromThrowable(failure.getCause());
    }

    @Test
    void oneMessageOneAnswer() {
        for (int i = 0; i < 100; i++) {
            assertEquals("HELLO \u00dc " + i, uppercase("hello \u00fc " + i));
        }
    }

    @Test
    void manyCallsAtOnceOnOneConnection() throws Exception {
        var calls = IntStream.range(0, 500)
                .mapToObj(i -> ClientCalls.futureUnaryCall(channel.newCall(UPPERCASE, options()), "call " + i))
                .toList();
        for (int i = 0; i < calls.size(); i++) {
            assertEquals("CALL " + i, calls.get(i).get(SECONDS, TimeUnit.SECONDS));
        }
    }

    @Test
    void messagesOfFourMebibytes() {
        String text = "x".repeat(MOST_BYTES);
        assertEquals("X".repeat(MOST_BYTES), uppercase(text));
        assertEquals(0, uppercase(text).chars().filter(c -> c != 'X').count());
    }

    @Test
    void aMessageThatIsTooLargeEndsItsCallOnly() {
        var failure = assertThrows(StatusRuntimeException.class, () -> uppercase("x".repeat(MOST_BYTES + 1)));
        assertEquals(Status.Code.RESOURCE_EXHAUSTED, failure.getStatus().getCode());
        assertEquals("A", uppercase("a"));
    }

    @Test
    void anErrorIsInTheTrailersWithItsText() {
        var failure = assertThrows(StatusRuntimeException.class, () -> uppercase(""));
        assertEquals(Status.Code.INVALID_ARGUMENT, failure.getStatus().getCode());
        assertEquals("the text is empty \u2013 100% of it", failure.getStatus().getDescription());
        failure = assertThrows(
                StatusRuntimeException.class, () -> ClientCalls.blockingUnaryCall(channel, NOTHING, options(), "x"));
        assertEquals(Status.Code.UNIMPLEMENTED, failure.getStatus().getCode());
    }

    @Test
    void oneMessageManyAnswers() {
        List<String> words = IntStream.range(0, 50_000).mapToObj(i -> "word").toList();
        var answers = new ArrayList<String>();
        ClientCalls.blockingServerStreamingCall(channel, SPLIT, options(), String.join(" ", words))
                .forEachRemaining(answers::add);
        assertEquals(words, answers);
    }

    @Test
    void anErrorBehindAnswers() throws Exception {
        var answers = new Answers();
        ClientCalls.asyncServerStreamingCall(channel.newCall(SPLIT, options()), "one two 3 four", answers);
        Status status = failure(answers);
        assertEquals(List.of("one", "two"), answers.messages);
        assertEquals(Status.Code.INVALID_ARGUMENT, status.getCode());
        assertEquals("not a word: 3", status.getDescription());
    }

    @Test
    void manyMessagesOneAnswer() throws Exception {
        var answers = new Answers();
        StreamObserver<String> call = ClientCalls.asyncClientStreamingCall(channel.newCall(JOIN, options()), answers);
        var words = new ArrayList<String>();
        for (int i = 0; i < 5000; i++) {
            words.add("word " + i);
            call.onNext("word " + i);
        }
        call.onCompleted();
        assertEquals(List.of(String.join(" ", words)), answers.all());
    }

    @Test
    void noMessageAtAll() throws Exception {
        var answers = new Answers();
        ClientCalls.asyncClientStreamingCall(channel.newCall(JOIN, options()), answers)
                .onCompleted();
        assertEquals(List.of(""), answers.all());
        var none = new Answers();
        ClientCalls.asyncBidiStreamingCall(channel.newCall(CHAT, options()), none)
                .onCompleted();
        assertEquals(List.of(), none.all());
    }

    @Test
    void anErrorWhileTheClientSends() throws Exception {
        var answers = new Answers();
        StreamObserver<String> call = ClientCalls.asyncClientStreamingCall(channel.newCall(JOIN, options()), answers);
        call.onNext("before");
        call.onNext("x".repeat(MOST_BYTES + 1));
        assertEquals(Status.Code.RESOURCE_EXHAUSTED, failure(answers).getCode());
        assertEquals("A", uppercase("a"));
    }

    @Test
    void bothWaysInTurn() throws Exception {
        BlockingQueue<String> said = new LinkedBlockingQueue<>();
        var answers = new Answers() {
            @Override
            public void onNext(String message) {
                said.add(message);
            }
        };
        StreamObserver<String> call = ClientCalls.asyncBidiStreamingCall(channel.newCall(CHAT, options()), answers);
        for (int i = 0; i < 1000; i++) {
            call.onNext("message " + i);
            assertEquals("MESSAGE " + i, said.poll(SECONDS, TimeUnit.SECONDS));
        }
        call.onCompleted();
        answers.all();
    }

    @Test
    void bothWaysAtOnceWithMoreThanTheWindowsTake() throws Exception {
        var answers = new Answers();
        StreamObserver<String> call = ClientCalls.asyncBidiStreamingCall(channel.newCall(CHAT, options()), answers);
        for (int i = 0; i < 200; i++) {
            call.onNext("x".repeat(50_000));
        }
        call.onCompleted();
        assertEquals(Collections.nCopies(200, "X".repeat(50_000)), answers.all());
    }

    @Test
    void aClientThatReadsNothingHoldsUpItsOwnCallOnly() throws Exception {
        List<String> words = Collections.nCopies(300, "word".repeat(2500));
        BlockingQueue<String> received = new LinkedBlockingQueue<>();
        CompletableFuture<Status> end = new CompletableFuture<>();
        ClientCall<String, String> slow = channel.newCall(SPLIT, options());
        slow.start(
                new ClientCall.Listener<>() {
                    @Override
                    public void onMessage(String message) {
                        received.add(message);
                    }

                    @Override
                    public void onClose(Status status, Metadata trailers) {
                        end.complete(status);
                    }
                },
                new Metadata());
        slow.request(1);
        slow.sendMessage(String.join(" ", words));
        slow.halfClose();
        assertEquals(words.get(0), received.poll(SECONDS, TimeUnit.SECONDS));
        for (int i = 0; i < 20; i++) {
            assertEquals("A".repeat(100_000), uppercase("a".repeat(100_000)));
        }
        slow.request(words.size());
        assertEquals(Status.Code.OK, end.get(SECONDS, TimeUnit.SECONDS).getCode());
        assertEquals(words.size() - 1, received.size());
    }

    @Test
    void aDeadlineThatPasses() {
        var answers = new ArrayList<String>();
        var failure = assertThrows(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingServerStreamingCall(
                                channel,
                                WAIT,
                                CallOptions.DEFAULT.withDeadlineAfter(500, TimeUnit.MILLISECONDS),
                                "late")
                        .forEachRemaining(answers::add));
        assertEquals(Status.Code.DEADLINE_EXCEEDED, failure.getStatus().getCode());
        assertEquals("A", uppercase("a"));
    }

    @Test
    void aCallThatTheClientCancels() throws Exception {
        for (int i = 0; i < 3; i++) {
            BlockingQueue<String> received = new LinkedBlockingQueue<>();
            ClientCall<String, String> call = channel.newCall(WAIT, options());
            call.start(
                    new ClientCall.Listener<>() {
                        @Override
                        public void onMessage(String message) {
                            received.add(message);
                        }
                    },
                    new Metadata());
            call.request(1);
            call.sendMessage("cancelled " + i);
            call.halfClose();
            assertEquals("waiting", received.poll(SECONDS, TimeUnit.SECONDS));
            call.cancel("not needed any more", null);
            String expected = "the client is gone: cancelled " + i + ", RESET";
            String line = example.nextLine();
            while (line.startsWith("the client is gone: late")) {
                line = example.nextLine();
            }
            assertEquals(expected, line);
        }
        assertEquals("A", uppercase("a"));
    }

    @Test
    void theServersDeadlineEndsTheCall() throws Exception {
        byte[] message = {0, 0, 0, 0, 1, 'x'};
        String answer = new String(
                Curl.send(
                        message,
                        "-i",
                        "--http2-prior-knowledge",
                        "-H",
                        "content-type: application/grpc",
                        "-H",
                        "te: trailers",
                        "-H",
                        "grpc-timeout: 200m",
                        "--data-binary",
                        "@-",
                        example.uri("/gannet.Text/Wait") + ""),
                UTF_8);
        assertTrue(answer.endsWith("\r\n\r\n\0\0\0\0\7waitinggrpc-status: 4\r\ngrpc-message: too late\r\n"), answer);
    }
}
