package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gannet.Backend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;

/**
 * What Gannet makes of some hundred odd requests beside what Node (llhttp) and Netty make of them. Where they disagree,
 * {@code differential/rules.txt} says by which rule: a disagreement without one fails, and so does a rule that explains
 * nothing.
 */
@OnEachBackend
@Tag("smuggling")
class DifferentialTest {
    @Parameter
    Backend backend;

    @Test
    @DisplayName("every disagreement with Netty's decoder has a rule")
    void netty() throws Exception {
        Map<String, String> cases = WireCorpus.read();
        var readings = new ArrayList<Reading>();
        for (String bytes : cases.values()) {
            readings.add(NettyReader.read(bytes));
        }
        compare("netty", cases, readings);
    }

    @Test
    @DisplayName("every disagreement with Node's server has a rule")
    void node(@TempDir Path folder) throws Exception {
        int version = NodeReader.version();
        assumeTrue(version >= 18, "Node 18 or later is not installed");
        Map<String, String> cases = WireCorpus.read();
        compare(version < 20 ? "node18" : "node20", cases, NodeReader.read(cases.values(), folder));
    }

    private void compare(String other, Map<String, String> cases, List<Reading> readings) throws Exception {
        var rules = new ReadingRules(other);
        int next = 0;
        try (var gannet = new GannetReader(backend)) {
            for (var entry : cases.entrySet()) {
                rules.judge(entry.getKey(), entry.getValue(), gannet.read(entry.getValue()), readings.get(next++));
            }
        }
        assertEquals("", rules.complaints());
    }
}
