package io.gannet.behaviour;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The file descriptors of this process that stand for sockets, event descriptors, epoll and io_uring. */
final class Descriptors {
    private Descriptors() {}

    static long open() {
        return list().size();
    }

    static List<String> list() {
        try (Stream<Path> entries = Files.list(Path.of("/proc/self/fd"))) {
            return entries.flatMap(Descriptors::target)
                    .filter(target -> target.startsWith("socket:") || target.startsWith("anon_inode:"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<String> target(Path descriptor) {
        try {
            return Stream.of(Files.readSymbolicLink(descriptor).toString());
        } catch (IOException e) {
            // closed since it was listed
            return Stream.empty();
        }
    }
}
