package io.gannet.examples;

import io.gannet.Dispatch;
import io.gannet.Handler;
import io.gannet.Request;
import io.gannet.Response;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Sends a file through a stream. Reading a file may block, so the handler runs on a thread of its own. */
@Command(name = "send_file", mixinStandardHelpOptions = true, description = "Sends a file to whoever asks for /.")
final class SendFile implements Callable<Integer>, Handler {
    private static final int THREADS = 64;

    @Mixin
    private ServerOptions options;

    @Parameters(paramLabel = "FILE", description = "the file to send")
    private Path file;

    @Override
    public Integer call() throws Exception {
        var dispatch = Dispatch.executor(options.blocking(THREADS));
        try (var server = options.server().dispatch(dispatch).handler(this).start()) {
            ServerOptions.run(server);
        }
        return 0;
    }

    @Override
    public void handle(Request request, Response response) throws Exception {
        if (!request.path().equals("/") || !Files.isRegularFile(file)) {
            throw Answers.notFound(request);
        }
        if (!Answers.allowed(request, response, "GET", "HEAD")) {
            return;
        }
        String type = Files.probeContentType(file);
        response.addField("Content-Type", type == null ? "application/octet-stream" : type);
        try (var content = FileChannel.open(file)) {
            response.addField("Content-Length", String.valueOf(content.size()));
            if (request.method().equals("HEAD")) {
                response.send();
                return;
            }
            // waits for the client where it is slower than the disk
            try (var body = response.outputStream()) {
                Channels.newInputStream(content).transferTo(body);
            }
        }
    }
}
