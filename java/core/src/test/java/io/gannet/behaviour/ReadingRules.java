package io.gannet.behaviour;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Judges disagreements by {@code differential/rules.txt}. */
final class ReadingRules {
    private static final Pattern LINE =
            Pattern.compile("(\\S+) +((?:node18|node20|node|netty|all)(?:,\\S+)?) +(\\S+) +(.+)");

    /** Who is stricter, where two servers do not read the same. */
    enum Difference {
        /** Gannet refuses what the other one takes, or refuses it earlier. */
        GANNET_STRICTER,
        /** The other one refuses what Gannet takes, or refuses it earlier. */
        OTHER_STRICTER,
        /** Neither refuses, and they read other requests. */
        READ_OTHERWISE,
        /** One refuses what the other one waits for the rest of. */
        TOLD_EARLIER;

        static Difference of(Reading gannet, Reading other) {
            boolean here = gannet.end() == Reading.End.REFUSED;
            boolean there = other.end() == Reading.End.REFUSED;
            boolean same = gannet.requests().equals(other.requests());
            if (same && here == there) {
                return null; // a head that is cut off is no error where nobody waits for it
            }
            if (same && (gannet.end() == Reading.End.CUT || other.end() == Reading.End.CUT)) {
                return TOLD_EARLIER;
            }
            if (here && !there) {
                return GANNET_STRICTER;
            }
            if (there && !here) {
                return OTHER_STRICTER;
            }
            if (!here) {
                return READ_OTHERWISE;
            }
            return gannet.requests().size() < other.requests().size() ? GANNET_STRICTER : OTHER_STRICTER;
        }
    }

    private record Rule(String line, Pattern names, Difference difference) {}

    private final String other;
    private final List<Rule> rules = new ArrayList<>();
    private final Set<Rule> unused = new LinkedHashSet<>();
    private final StringBuilder complaints = new StringBuilder();

    ReadingRules(String other) throws IOException {
        this.other = other;
        for (String line : WireCorpus.text("rules.txt").lines().toList()) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            Matcher parts = LINE.matcher(line);
            if (!parts.matches()) {
                throw new IOException("not a rule: " + line);
            }
            List<String> others = List.of(parts.group(2).split(","));
            if (others.contains(other)
                    || others.contains("all")
                    || (others.contains("node") && other.startsWith("node"))) {
                String names = parts.group(1).replace(".", "\\.").replace("*", ".*");
                rules.add(new Rule(
                        line,
                        Pattern.compile(names),
                        Difference.valueOf(parts.group(3).replace('-', '_').toUpperCase(Locale.ROOT))));
            }
        }
        unused.addAll(rules);
    }

    void judge(String name, String bytes, Reading gannet, Reading theirs) {
        Difference difference = Difference.of(gannet, theirs);
        if (difference == null) {
            return;
        }
        boolean explained = false;
        for (Rule rule : rules) {
            if (rule.difference() == difference && rule.names().matcher(name).matches()) {
                unused.remove(rule);
                explained = true;
            }
        }
        if (!explained) {
            complaints.append(String.format(
                    "%s: %s%n  %s%n  gannet: %s%n  %s: %s%n",
                    name, difference, new Wire(bytes), gannet, other, theirs));
        }
    }

    /** Disagreements without a rule, and rules without a disagreement; empty: none. */
    String complaints() {
        for (Rule rule : unused) {
            complaints.append("explains nothing: ").append(rule.line()).append('\n');
        }
        return complaints.toString();
    }
}
