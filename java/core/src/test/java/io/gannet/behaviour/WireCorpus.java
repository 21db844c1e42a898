package io.gannet.behaviour;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The bytes of {@code differential/requests.txt} by name; its head says how they are written. */
final class WireCorpus {
    private static final Pattern LINE = Pattern.compile("(\\S+) *(.*)");
    private static final Pattern REPEATED = Pattern.compile("\\{(\\d+)\\*([^}]*)\\}");
    private static final Pattern ESCAPE = Pattern.compile("\\\\(x[0-9a-f]{2}|.)");
    private static final Map<String, String> MACROS = Map.of(
            "{get}", "GET / HTTP/1.1¶Host: h¶",
            "{post}", "POST / HTTP/1.1¶Host: h¶",
            "{chunked}", "POST / HTTP/1.1¶Host: h¶Transfer-Encoding: chunked¶¶",
            "{next}", "GET /next HTTP/1.1¶Host: h¶¶");

    private WireCorpus() {}

    /** In the order of the file; strings are bytes, one a char. */
    static Map<String, String> read() throws IOException {
        var cases = new LinkedHashMap<String, String>();
        for (String line : text("requests.txt").lines().toList()) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            Matcher parts = LINE.matcher(line);
            if (!parts.matches() || cases.put(parts.group(1), bytes(parts.group(2))) != null) {
                throw new IOException("not a new name and bytes: " + line);
            }
        }
        return cases;
    }

    /** A file of the corpus. */
    static String text(String name) throws IOException {
        try (var file = WireCorpus.class.getResourceAsStream("differential/" + name)) {
            return new String(file.readAllBytes(), UTF_8);
        }
    }

    private static String bytes(String written) throws IOException {
        String text = written;
        for (var macro : MACROS.entrySet()) {
            text = text.replace(macro.getKey(), macro.getValue());
        }
        text = REPEATED.matcher(text).replaceAll(WireCorpus::repeated);
        text = text.replace("¶", "\\r\\n");
        String bytes = ESCAPE.matcher(text).replaceAll(WireCorpus::octet);
        if (bytes.chars().anyMatch(octet -> octet > 0xff)) {
            throw new IOException("not bytes: " + written);
        }
        return bytes;
    }

    private static String repeated(MatchResult match) {
        return Matcher.quoteReplacement(match.group(2).repeat(Integer.parseInt(match.group(1))));
    }

    private static String octet(MatchResult match) {
        String escape = match.group(1);
        return Matcher.quoteReplacement(
                switch (escape.charAt(0)) {
                    case 'r' -> "\r";
                    case 'n' -> "\n";
                    case 't' -> "\t";
                    case '0' -> "\0";
                    case 'x' -> String.valueOf((char) Integer.parseInt(escape.substring(1), 16));
                    case '\\' -> "\\";
                    default -> throw new IllegalArgumentException("unknown escape: " + match.group());
                });
    }
}
