package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gannet.Backend;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.w3c.dom.Element;

/** h2spec, which asks a server some 150 questions about RFC 7540 and RFC 7541. */
@OnEachBackend
@Tag("load")
class Http2ConformanceTest {
    private static final String BUNDLED = "/h2spec/2.2.0/h2spec_linux_amd64.tar.gz";

    /** What RFC 7540 asked for and RFC 9113 section 5.3.2 does not: the priorities of old are ignored. */
    private static final Set<String> OBSOLETE = Set.of(
            "http2/5.3.1: Sends HEADERS frame that depend on itself",
            "http2/5.3.1: Sends PRIORITY frame that depend on itself");

    @Parameter
    Backend backend;

    @Test
    @DisplayName("h2spec finds nothing but what RFC 9113 took back")
    void h2spec(@TempDir Path folder) throws Exception {
        assumeTrue(System.getProperty("os.arch").equals("amd64"), "h2spec is there for x86-64 alone");
        String program = unpacked(folder);
        Path report = folder.resolve("report.xml");
        try (var server = PeerServer.start(backend)) {
            String port = String.valueOf(server.port());
            // It ends with 1 for what is expected here, too.
            String command =
                    program + " -S -h 127.0.0.1 -P /slow -p " + port + " -j " + report + "; [ -s " + report + " ]";
            String output = Peer.run(folder, "/bin/sh", "-c", command);
            assertEquals(OBSOLETE, failures(report), output);
        }
    }

    private static String unpacked(Path folder) throws Exception {
        Path archive = folder.resolve("h2spec.tar.gz");
        try (InputStream from = ClassLoader.getSystemResourceAsStream(BUNDLED.substring(1))) {
            Files.copy(from, archive);
        }
        Peer.run(folder, Peer.program("tar"), "-xzf", archive.toString(), "-C", folder.toString());
        return folder.resolve("h2spec").toString();
    }

    private static Set<String> failures(Path report) throws Exception {
        var failures = new TreeSet<String>();
        var cases = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(report.toFile())
                .getElementsByTagName("testcase");
        assertTrue(cases.getLength() > 140, () -> cases.getLength() + " cases");
        for (int i = 0; i < cases.getLength(); i++) {
            var question = (Element) cases.item(i);
            if (question.getElementsByTagName("*").getLength() > 0) {
                failures.add(question.getAttribute("package") + ": " + question.getAttribute("classname"));
            }
        }
        return failures;
    }
}
