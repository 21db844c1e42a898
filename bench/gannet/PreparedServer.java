import com.sun.management.ThreadMXBean;
import io.gannet.Backend;
import io.gannet.EventLoops;
import io.gannet.HttpServer;
import io.gannet.PreparedResponse;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;

/**
 * Gannet's shortest way: a prepared response, and exchange objects that are used again. On a second port it tells how many
 * bytes of the heap its loop has allocated so far.
 *
 * <p>Usage: {@code java -cp GANNET_JAR PreparedServer.java --port N --backend NAME}.
 */
public final class PreparedServer {
    private static final PreparedResponse HELLO =
            PreparedResponse.builder().body("Hello, World!").build();

    private PreparedServer() {}

    public static void main(String[] args) throws Exception {
        if (args.length != 4 || !args[0].equals("--port") || !args[2].equals("--backend")) {
            throw new IllegalArgumentException("usage: PreparedServer --port N --backend NAME");
        }
        var here = InetAddress.getLoopbackAddress();
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var backend = Backend.valueOf(args[3].toUpperCase(Locale.ROOT));
        try (var loops = EventLoops.builder().loops(1).backend(backend).start();
                var server = HttpServer.builder()
                        .eventLoops(loops)
                        .reuseExchanges(true)
                        .listen(new InetSocketAddress(here, Integer.parseInt(args[1])))
                        .handler((request, response) -> response.send(HELLO))
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
