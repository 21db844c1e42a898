package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.Dispatch;
import io.gannet.EventLoop;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.HttpVersion;
import io.gannet.Request;
import io.gannet.Response;
import io.gannet.Tunnel;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Handlers that answer before they read, read after the end, are called late or forget: nothing hangs on them. */
@SuppressWarnings("try") // a log is captured so that it does not stand among the results
class LateUseTest extends VersionsTest {
    private final ExecutorService pool = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "of-the-test");
        thread.setDaemon(true);
        return thread;
    });
    private final Dispatch onPool = Dispatch.executor(pool);

    @AfterEach
    void shutDown() {
        pool.shutdownNow();
    }

    private static String get(String target) {
        return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
    }

    private TestServer start(Dispatch dispatch) throws Exception {
        return TestServer.start(backend, builder -> builder.dispatch(dispatch));
    }

    @Test
    @DisplayName("a forgotten wrapped handler does not stop its connection")
    void forgottenWrapped() throws Exception {
        try (LogCapture log = LogCapture.open();
                var server = start(Dispatch.loop())
                        .on("/x", onPool.wrap((request, response) -> {}))
                        .on("/quick", (request, response) -> response.send("quick"));
                Client client = connect(server)) {
            client.send(get("/x"));
            Await.collectUntil(() -> server.server().stats().handlerFailures() == 1);
            assertEquals(500, client.response().status());
            assertEquals("quick", client.request(get("/quick")).text());
        }
    }

    @Test
    @DisplayName("nothing is handled behind a closing response of a wrapped handler, sent later")
    @Over(HttpVersion.HTTP_1_1)
    void closeBehindWrappedLater() throws Exception {
        var handled = new AtomicInteger();
        var go = new CompletableFuture<Response>();
        try (var server = start(Dispatch.loop())
                        .on("/a", onPool.wrap((request, response) -> go.complete(response)))
                        .on("/b", (request, response) -> {
                            handled.incrementAndGet();
                            response.send("b");
                        });
                RawClient client = server.connect()) {
            client.send(get("/a") + get("/b") + get("/b"));
            Await.until(() -> server.stats().requests() == 3, () -> "requests have come");
            Response response = Await.result(go);
            response.setField("Connection", "close").send("a");
            assertTrue(client.response().closes());
            client.assertEnd();
            assertEquals(0, handled.get());
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "released");
        }
    }

    @Test
    @DisplayName("onSent asked for after the client left fails")
    void onSentLate() throws Exception {
        var held = new CompletableFuture<Response>();
        var gone = new CompletableFuture<HttpException>();
        try (var server = start(Dispatch.loop()).on("/x", (request, response) -> {
            request.onDisconnect().thenAccept(gone::complete);
            held.complete(response);
        })) {
            Client client = connect(server).send(get("/x"));
            Await.result(held);
            client.reset();
            Await.result(gone);
            Response response = held.join();
            var sent = response.onSent().toCompletableFuture();
            response.send("late");
            Await.until(sent::isDone, () -> "onSent is told");
            assertTrue(sent.isCompletedExceptionally());
        }
    }

    @Test
    @DisplayName("a tunnel that is opened behind the deadline fails")
    @Over(HttpVersion.HTTP_1_1)
    void upgradeLate() throws Exception {
        var read = new CompletableFuture<Object>();
        var wrote = new CompletableFuture<Object>();
        var answered = new CountDownLatch(1);
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(
                                backend, builder -> builder.dispatch(onPool).handlerDeadline(Duration.ofMillis(50)))
                        .on("/x", (request, response) -> {
                            answered.await();
                            Tunnel tunnel = response.upgrade("echo");
                            pool.execute(() -> {
                                try {
                                    tunnel.output()
                                            .write("x")
                                            .toCompletableFuture()
                                            .get();
                                    wrote.complete("written");
                                } catch (Throwable e) {
                                    wrote.complete(e);
                                }
                            });
                            try {
                                read.complete(tunnel.input().inputStream().read());
                            } catch (IOException e) {
                                read.complete(e);
                            }
                        });
                RawClient client = server.connect()) {
            client.send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
            assertEquals(503, client.response().status());
            answered.countDown();
            Await.until(wrote::isDone, () -> "write ends");
            Await.until(read::isDone, () -> "read ends");
            assertInstanceOf(IOException.class, read.join());
        }
    }

    @Test
    @DisplayName("a wrapped handler called with an ended exchange does not stop the connection")
    void wrappedAfterEnd() throws Exception {
        var old = new AtomicReference<Object[]>();
        Handler wrapped = onPool.wrap((request, response) -> response.send("wrapped"));
        try (LogCapture log = LogCapture.open();
                var server = start(Dispatch.loop())
                        .on("/x", (request, response) -> {
                            old.set(new Object[] {request, response});
                            response.send("x");
                        })
                        .on("/again", (request, response) -> {
                            try {
                                wrapped.handle((Request) old.get()[0], (Response) old.get()[1]);
                            } catch (IllegalStateException e) {
                                // as it should be
                            }
                            response.send("again");
                        });
                Client client = connect(server)) {
            assertEquals("x", client.request(get("/x")).text());
            assertEquals("again", client.request(get("/again")).text());
            assertEquals("x", client.request(get("/x")).text());
        }
    }

    @Test
    @DisplayName("a handler off the loop that answers first and reads then is not held forever")
    void answerThenRead() throws Exception {
        var read = new CompletableFuture<Object>();
        try (var server = start(onPool).on("/x", (request, response) -> {
                    response.send("early");
                    try {
                        read.complete(request.body().inputStream().readAllBytes().length);
                    } catch (IOException e) {
                        read.complete(e);
                    }
                });
                Client client = connect(server)) {
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
            assertEquals("early", client.response().text());
            client.send("67890");
            client.close();
            Await.until(read::isDone, () -> "read ends");
            Await.until(() -> server.stats().exchangesOpen() == 0, () -> "released");
        }
    }

    @Test
    @DisplayName("order of a connection with wrapped handlers")
    @Over(HttpVersion.HTTP_1_1)
    void order() throws Exception {
        var order = new CopyOnWriteArrayList<String>();
        var running = new CompletableFuture<Request>();
        var go = new CountDownLatch(1);
        var sent = new CountDownLatch(1);
        try (var server = start(Dispatch.loop())
                        .on("/a", onPool.wrap((request, response) -> {
                            order.add("a");
                            response.onSent();
                            running.complete(request);
                            go.await();
                            response.send("a");
                            sent.countDown();
                        }))
                        .on("/b", (request, response) -> {
                            order.add("b");
                            response.send("b");
                        })
                        .on("/c", (request, response) -> {
                            order.add("c");
                            response.send("c");
                        });
                RawClient client = server.connect()) {
            client.send(get("/a") + get("/b"));
            EventLoop loop = Await.result(running).eventLoop();
            Await.until(() -> server.stats().requests() == 2, () -> "requests have come");
            loop.execute(() -> {
                try {
                    // The response of a and the head of c come to the loop in one turn.
                    client.send(get("/c"));
                    go.countDown();
                    sent.await(Await.SECONDS, TimeUnit.SECONDS);
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            client.response();
            client.response();
            client.response();
            assertEquals(List.of("a", "b", "c"), order);
        }
    }

    @Test
    @DisplayName("a request is readable while a late wrapped handler runs")
    void wrappedLate() throws Exception {
        var path = new CompletableFuture<String>();
        var got = new CountDownLatch(1);
        Handler wrapped = onPool.wrap((request, response) -> {
            response.send("x");
            got.await();
            try {
                path.complete(request.path());
            } catch (Throwable e) {
                path.complete(e.toString());
            }
        });
        try (var server = start(Dispatch.loop())
                        .on(
                                "/x",
                                (request, response) -> request.body().bytes().thenAccept(b -> {
                                    try {
                                        wrapped.handle(request, response);
                                    } catch (Exception e) {
                                        response.fail(e);
                                    }
                                }));
                Client client = connect(server)) {
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
            Await.until(() -> server.stats().requests() == 1, () -> "come");
            client.send("ab");
            client.response();
            got.countDown();
            assertEquals("/x", Await.result(path));
        }
    }

    @Test
    @DisplayName("a whole response from elsewhere ends a read off the loop")
    void answerWhileReading() throws Exception {
        var read = new CompletableFuture<Object>();
        try (var server = start(onPool).on("/x", (request, response) -> {
                    request.eventLoop().execute(() -> response.send("done"));
                    try {
                        read.complete(request.body().inputStream().read());
                    } catch (IOException e) {
                        read.complete(e);
                    }
                });
                Client client = connect(server)) {
            client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
            assertEquals("done", client.response().text());
            client.close();
            Await.until(read::isDone, () -> "read ends");
        }
    }

    @Test
    @DisplayName("a deadline that answered keeps the handler from being run")
    void lateRun() throws Exception {
        var tasks = new LinkedBlockingQueue<Runnable>();
        var ran = new AtomicInteger();
        try (LogCapture log = LogCapture.open();
                var server = TestServer.start(
                                backend,
                                builder -> builder.dispatch(Dispatch.executor(tasks::add))
                                        .handlerDeadline(Duration.ofMillis(50)))
                        .on("/x", (request, response) -> ran.incrementAndGet());
                Client client = connect(server)) {
            assertEquals(503, client.request(get("/x")).status());
            tasks.take().run();
            assertEquals(0, ran.get() + server.handled());
        }
    }
}
