package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gannet.Backend;
import io.gannet.EventLoops;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which backend runs, where the kernel lets io_uring be used and where a seccomp filter does not. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class BackendChoiceTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String BACKEND = "GET /backend HTTP/1.1\r\nHost: x\r\n\r\n";

    @TempDir
    Path directory;

    @Test
    @DisplayName("AUTO takes one that is tested here, and says in one log line which and why")
    void automatic() throws Exception {
        try (LogCapture log = LogCapture.open();
                EventLoops loops =
                        EventLoops.builder().loops(2).backend(Backend.AUTO).start()) {
            String name = loops.backend().name().toLowerCase(Locale.ROOT);
            assertTrue(List.of("io_uring", "epoll").contains(name), name);
            assertEquals(1, log.entries().size(), log.entries()::toString);
            String text = log.entries().get(0).text().toLowerCase(Locale.ROOT);
            assertTrue(text.contains(name), text);
        }
    }

    @Test
    @DisplayName("AUTO falls back to epoll where io_uring is refused, and says so")
    void fallsBack() throws Exception {
        try (ChildJvm child = filtered("refuse", Backend.AUTO);
                var client = new RawClient(Integer.parseInt(child.line()))) {
            assertEquals("EPOLL", client.request(BACKEND).text());
            String log = Files.readString(errors()).toLowerCase(Locale.ROOT);
            assertTrue(log.contains("io_uring") && log.contains("epoll"), log);
        }
    }

    @Test
    @DisplayName("io_uring that was asked for and is refused fails the start, with the reason and what to do")
    void refused() throws Exception {
        try (ChildJvm child = filtered("refuse", Backend.IO_URING)) {
            String line = child.line();
            assertTrue(line.startsWith("java.io.IOException: "), line);
            assertTrue(line.contains("io_uring"), line);
            assertTrue(line.toLowerCase(Locale.ROOT).contains("seccomp"), line);
            assertTrue(line.toLowerCase(Locale.ROOT).contains("epoll"), line);
            assertEquals(1, child.exit());
        }
    }

    @Test
    @DisplayName("with EPOLL no system call of io_uring is made: a filter that would kill the process does not")
    void epollOnly() throws Exception {
        try (ChildJvm child = filtered("kill", Backend.EPOLL);
                var client = new RawClient(Integer.parseInt(child.line()))) {
            assertEquals(200, client.request(GET).status());
            assertEquals("EPOLL", client.request(BACKEND).text());
        }
    }

    private Path errors() {
        return directory.resolve("errors");
    }

    private ChildJvm filtered(String action, Backend backend) throws Exception {
        assumeTrue(hasPython(), "python3 is not installed: it sets the seccomp filter");
        Path script = directory.resolve("deny_io_uring.py");
        try (var resource = BackendChoiceTest.class.getResourceAsStream("deny_io_uring.py")) {
            Files.copy(resource, script);
        }
        return ChildJvm.startBy(
                List.of("python3", script.toString(), action), errors(), ChildServer.class, backend.name());
    }

    private static boolean hasPython() throws InterruptedException {
        try {
            return new ProcessBuilder("python3", "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
