package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The command line of the examples. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class MainTest {
    @ParameterizedTest
    @MethodSource("io.gannet.examples.RunningExample#modes")
    void helloSaysHelloAndEndsWith143AfterSigterm(String backend, String dispatch) throws Exception {
        try (var hello = RunningExample.start("hello", backend, "--dispatch", dispatch, "--loops", "1")) {
            var response = HttpClient.newHttpClient()
                    .send(HttpRequest.newBuilder(hello.uri("/any")).build(), BodyHandlers.ofString());
            assertEquals(200, response.statusCode());
            assertEquals("Hello, World!", response.body());
            hello.terminate();
            assertEquals(143, hello.exit());
        }
    }

    @ParameterizedTest
    @CsvSource({"--help, playground", "hello --help, --port", "playground --help, /delay/MS"})
    void helpIsOnStandardOutput(String commandLine, String expected) throws Exception {
        Process process = RunningExample.run(commandLine.split(" "));
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, RunningExample.exit(process));
        assertTrue(output.contains(expected), output);
    }

    @ParameterizedTest
    @CsvSource({
        "'', hello",
        "nothing, nothing",
        "hello --port x, --port",
        "hello --port 65536, port must be 0 to 65535: 65536",
        "playground --loops 0, loops must be 1 to 1024: 0",
        "playground --head-timeout -1, 'headTimeout'",
        "hello --backend kqueue, 'not auto, io_uring or epoll: kqueue'",
        "hello --backend kqueue, --backend",
        "hello --nothing, --nothing",
        "hello --dispatch somewhere, 'not loop, virtual or pool: somewhere'",
        "multi_server --loops 0, loops must be 1 to 1024: 0",
        "single_threaded --loops 2, --loops",
        "send_file, FILE",
        "send_file --dispatch loop pom.xml, --dispatch virtual or pool",
        "http_proxy --dispatch loop, --dispatch virtual or pool",
        "http_proxy --tunnels 0, at least 1"
    })
    void wrongArgumentsEndWith2AndAreNamed(String commandLine, String expected) throws Exception {
        Process process = commandLine.isEmpty() ? RunningExample.run() : RunningExample.run(commandLine.split(" "));
        String errors = new String(process.getErrorStream().readAllBytes(), UTF_8);
        assertEquals(2, RunningExample.exit(process));
        assertTrue(errors.contains(expected), errors);
        assertTrue(errors.contains("Usage: ") || errors.contains("Did you mean: "), errors);
        assertFalse(errors.contains("\tat "), errors);
    }

    @Test
    @EnabledForJreRange(max = JRE.JAVA_20)
    void virtualThreadsThatThisJvmDoesNotHaveAreSaidInOneLine() throws Exception {
        Process process = RunningExample.run("hello", "--dispatch", "virtual");
        String errors = new String(process.getErrorStream().readAllBytes(), UTF_8);
        assertEquals(2, RunningExample.exit(process));
        assertTrue(errors.contains("JDK 21"), errors);
        assertFalse(errors.contains("\tat "), errors);
    }

    @Test
    void portInUseIsSaidInOneLine() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getByName("0.0.0.0"))) {
            Process process = RunningExample.run("hello", "--port", String.valueOf(taken.getLocalPort()));
            String errors = new String(process.getErrorStream().readAllBytes(), UTF_8);
            assertEquals(1, RunningExample.exit(process));
            assertTrue(errors.contains(String.valueOf(taken.getLocalPort())), errors);
            assertFalse(errors.contains("\tat "), errors);
        }
    }
}
