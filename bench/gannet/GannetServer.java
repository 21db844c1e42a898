import com.sun.management.ThreadMXBean;
import io.gannet.Backend;
import io.gannet.EventLoops;
import io.gannet.Handler;
import io.gannet.HttpServer;
import io.gannet.PreparedResponse;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Map;

/**
 * Gannet in two ways. {@code text}: the handler of the example {@code hello}, nothing tuned. {@code prepared}: the shortest
 * way, a prepared response, and exchange objects that are used again. On a second port it tells how many bytes of the heap
 * its loop has allocated so far.
 *
 * <p>Usage: {@code java -cp GANNET_JAR GannetServer.java --port N --backend NAME --way text|prepared}.
 */
public final class GannetServer {
    private static final PreparedResponse HELLO =
            PreparedResponse.builder().body("Hello, World!").build();
    private static final Map<String, Handler> WAYS = Map.of(
            "text", (request, response) -> response.send("Hello, World!"),
            "prepared", (request, response) -> response.send(HELLO));

    private GannetServer() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 6
                || !args[0].equals("--port")
                || !args[2].equals("--backend")
                || !args[4].equals("--way")
                || !WAYS.containsKey(args[5])) {
            throw new IllegalArgumentException("usage: GannetServer --port N --backend NAME --way text|prepared");
        }
        var here = InetAddress.getLoopbackAddress();
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var backend = Backend.valueOf(args[3].toUpperCase(Locale.ROOT));
        try (var loops = EventLoops.builder().loops(1).backend(backend).start();
                var server = HttpServer.builder()
                        .eventLoops(loops)
                        .reuseExchanges(args[5].equals("prepared"))
                        .listen(new InetSocketAddress(here, Integer.parseInt(args[1])))
                        .handler(WAYS.get(args[5]))
                        .start();
                var control = HttpServer.builder()
                        .eventLoops(loops)
                        .listen(new InetSocketAddress(here, 0))
                        .handler((request, response) -> response.send(String.valueOf(
                                threads.getThreadAllocatedBytes(Thread.currentThread().getId()))))
                        .start()) {
            System.out.println("control on " + control.port());
            System.out.println("listening on http://127.0.0.1:" + server.port());
            server.join();
        }
    }
}
