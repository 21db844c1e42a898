package io.gannet.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A client for texts: the JDK's over HTTP/1.1; over HTTP/2, which that one does not begin with, curl. */
final class Browser {
    private final String version;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    Browser(String version) {
        this.version = version;
    }

    /** A response; {@code head} has the names of its fields in lower case. */
    record Answer(int statusCode, String head, String body) {
        /** The value of a field, or {@code ""}. */
        String field(String name) {
            int at = head.indexOf("\n" + name + ": ");
            return at < 0
                    ? ""
                    : head.substring(at + name.length() + 3, head.indexOf('\n', at + 1))
                            .strip();
        }
    }

    Answer get(URI uri) throws Exception {
        return send("GET", uri, "");
    }

    Answer post(URI uri, String body) throws Exception {
        return send("POST", uri, body);
    }

    Answer send(String method, URI uri, String body) throws Exception {
        if (version.equals("HTTP/2")) {
            return curl(method, uri, body);
        }
        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(uri)
                        .timeout(Duration.ofSeconds(10))
                        .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
        var head = new StringBuilder("\n");
        response.headers()
                .map()
                .forEach((name, values) -> values.forEach(value -> head.append(name.toLowerCase(Locale.ROOT))
                        .append(": ")
                        .append(value)
                        .append('\n')));
        return new Answer(response.statusCode(), head.toString(), response.body());
    }

    private static Answer curl(String method, URI uri, String body) throws Exception {
        var arguments = new ArrayList<>(List.of("--http2-prior-knowledge", "--include", "--path-as-is"));
        arguments.addAll(method.equals("HEAD") ? List.of("--head") : List.of("--request", method));
        if (!body.isEmpty()) {
            arguments.addAll(List.of("--data-binary", "@-", "--header", "Content-Type:", "--header", "Expect:"));
        }
        arguments.add(uri.toString());
        String all = new String(Curl.send(body.getBytes(UTF_8), arguments.toArray(String[]::new)), ISO_8859_1);
        int end = all.indexOf("\r\n\r\n");
        String head = all.substring(0, end + 2).replace("\r", "");
        assertTrue(head.matches("(?s)HTTP/2 [0-9]{3} .*"), head);
        String text = new String(all.substring(end + 4).getBytes(ISO_8859_1), UTF_8);
        return new Answer(Integer.parseInt(head.substring(7, 10)), head, text);
    }
}
