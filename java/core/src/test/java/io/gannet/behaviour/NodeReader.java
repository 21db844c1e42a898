package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** What Node's HTTP server (llhttp) makes of bytes; see {@code differential/node.js}. */
final class NodeReader {
    private NodeReader() {}

    /** The property gannet.test.node names another program than {@code node}. */
    private static String program() {
        return System.getProperty("gannet.test.node", "node");
    }

    /** The major version; 0: there is no Node. */
    static int version() throws InterruptedException {
        try {
            Process process = new ProcessBuilder(program(), "--version")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String version = new String(process.getInputStream().readAllBytes(), ISO_8859_1);
            return process.waitFor() == 0 ? Integer.parseInt(version.substring(1, version.indexOf('.'))) : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    /** One reading for each of the cases, in their order. */
    static List<Reading> read(Collection<String> cases, Path folder) throws Exception {
        Path script = Files.writeString(folder.resolve("node.js"), WireCorpus.text("node.js"));
        var input = new StringBuilder();
        for (String bytes : cases) {
            input.append(HexFormat.of().formatHex(bytes.getBytes(ISO_8859_1))).append('\n');
        }
        Path requests = Files.writeString(folder.resolve("requests"), input);
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(program(), script.toString())
                .redirectInput(requests.toFile())
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            if (!process.waitFor(Await.SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError("node did not end well, or not in " + Await.SECONDS + " s");
            }
        } finally {
            process.destroyForcibly();
        }
        List<String> lines = Files.readAllLines(output);
        var readings = new ArrayList<Reading>();
        for (String line : lines.subList(1, lines.size())) {
            readings.add(reading(line));
        }
        if (readings.size() != cases.size()) {
            throw new AssertionError(readings.size() + " readings of " + cases.size() + " cases");
        }
        return readings;
    }

    private static Reading reading(String line) {
        String[] words = line.split(" ");
        var requests = new ArrayList<Reading.Message>();
        for (int i = 0; i < words.length - 1; i++) {
            String[] parts = words[i].split(":", -1);
            requests.add(new Reading.Message(parts[0], text(parts[1]), text(parts[2])));
        }
        String end = words[words.length - 1].equals("ok") ? "done" : words[words.length - 1];
        return new Reading(requests, Reading.End.valueOf(end.toUpperCase(Locale.ROOT)));
    }

    private static String text(String hexadecimal) {
        return new String(HexFormat.of().parseHex(hexadecimal), ISO_8859_1);
    }
}
