package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.platform.commons.annotation.Testable;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;
import org.junit.platform.commons.support.ReflectionSupport;

/**
 * Which test proves which line of {@code native/test/BEHAVIOURS.md}. A test of Java carries a line's number as its tag, a
 * test of C at the beginning of its name. The table is printed, in short, and stands in {@code target/behaviours.txt}.
 */
@Timeout(120)
class BehavioursTest {
    /** The groups that are complete: no line of these is without a test. */
    private static final String COMPLETE = "ABCDEFHJ";

    private static final Path MODULE =
            Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    private static final Path NATIVE_TESTS = MODULE.resolve("../../native/test").normalize();
    private static final Path TEST_CLASSES = MODULE.resolve("target/test-classes");

    private static final Pattern LINE = Pattern.compile("^\\| ([A-Z])([0-9]+) \\| (.+) \\|$", Pattern.MULTILINE);
    private static final Pattern NUMBER = Pattern.compile("[A-Z][0-9]+");
    private static final Pattern NATIVE_TEST = Pattern.compile("^TEST\\((\\w+)\\)", Pattern.MULTILINE);
    private static final Pattern NATIVE_NUMBER = Pattern.compile("\\G([A-Za-z][0-9]+)_");
    private static final Pattern NAMED = Pattern.compile("^([A-Z][0-9]+(?:, [A-Z][0-9]+)*):");

    /** How the build runs a test. Under a condition it may be skipped without a word, and proves nothing. */
    private enum Run {
        ALWAYS,
        CONDITIONALLY,
        NEVER
    }

    /** A test: where it stands, its name, and the behaviours that it says to prove. */
    private record Proof(String place, String name, Set<String> numbers, Run run) {
        boolean isNative() {
            return place.indexOf('/') >= 0;
        }

        @Override
        public String toString() {
            return place + (isNative() ? " " : ".") + name;
        }
    }

    private static final Set<String> BEHAVIOURS = new LinkedHashSet<>();
    private static final List<Proof> PROOFS = new ArrayList<>();
    private static final List<String> MISNAMED = new ArrayList<>();

    @BeforeAll
    static void collect() throws IOException {
        Matcher line = LINE.matcher(Files.readString(NATIVE_TESTS.resolve("BEHAVIOURS.md")));
        while (line.find()) {
            BEHAVIOURS.add(line.group(1) + line.group(2));
        }
        collectNative();
        collectJava();
    }

    private static void collectNative() throws IOException {
        try (Stream<Path> files = Files.walk(NATIVE_TESTS)) {
            for (Path file : files.sorted().toList()) {
                String path = NATIVE_TESTS.relativize(file).toString();
                if (path.endsWith("_test.c")) {
                    Matcher test = NATIVE_TEST.matcher(Files.readString(file));
                    while (test.find()) {
                        String name = test.group(1);
                        var numbers = new LinkedHashSet<String>();
                        Matcher number = NATIVE_NUMBER.matcher(name);
                        int end = 0;
                        while (number.find()) {
                            numbers.add(number.group(1).toUpperCase(Locale.ROOT));
                            end = number.end();
                        }
                        String program = path.substring(0, path.length() - "_test.c".length());
                        PROOFS.add(new Proof(program, name.substring(end), numbers, Run.ALWAYS));
                    }
                }
            }
        }
    }

    private static void collectJava() throws IOException {
        try (Stream<Path> files = Files.walk(TEST_CLASSES)) {
            files.map(file -> TEST_CLASSES.relativize(file).toString())
                    .filter(path -> path.endsWith(".class") && !path.equals("module-info.class"))
                    .sorted()
                    .map(path -> load(
                            path.substring(0, path.length() - ".class".length()).replace('/', '.')))
                    .filter(type -> !Modifier.isAbstract(type.getModifiers()))
                    .forEach(BehavioursTest::collectClass);
        }
    }

    private static Class<?> load(String name) {
        return ReflectionSupport.tryToLoadClass(name)
                .getOrThrow(failure -> new IllegalStateException("cannot load " + name, failure));
    }

    private static void collectClass(Class<?> type) {
        Set<String> ofClass = numbers(type);
        Run runOfClass = isFound(type) ? run(type) : Run.NEVER;
        List<Method> tests = ReflectionSupport.findMethods(
                type, method -> AnnotationSupport.isAnnotated(method, Testable.class), HierarchyTraversalMode.TOP_DOWN);
        for (Method method : tests) {
            var numbers = new LinkedHashSet<>(ofClass);
            numbers.addAll(numbers(method));
            String place = type.getName().substring(type.getPackageName().length() + 1);
            var proof = new Proof(place, method.getName(), numbers, later(runOfClass, run(method)));
            PROOFS.add(proof);
            Matcher named = NAMED.matcher(shownName(method));
            if (named.find() && !numbers.containsAll(List.of(named.group(1).split(", ")))) {
                MISNAMED.add(proof + " is named " + named.group(1) + " and tagged " + numbers);
            }
        }
    }

    private static Set<String> numbers(AnnotatedElement element) {
        return AnnotationSupport.findRepeatableAnnotations(element, Tag.class).stream()
                .map(Tag::value)
                .filter(tag -> NUMBER.matcher(tag).matches())
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static String shownName(Method method) {
        return AnnotationSupport.findAnnotation(method, DisplayName.class)
                .map(DisplayName::value)
                .or(() -> AnnotationSupport.findAnnotation(method, ParameterizedTest.class)
                        .map(ParameterizedTest::name))
                .orElse("");
    }

    private static Run run(AnnotatedElement element) {
        if (AnnotationSupport.isAnnotated(element, Disabled.class)) {
            return Run.NEVER;
        }
        boolean conditional = Stream.of(element.getAnnotations())
                .map(annotation -> annotation.annotationType().getPackageName())
                .anyMatch("org.junit.jupiter.api.condition"::equals);
        return conditional ? Run.CONDITIONALLY : Run.ALWAYS;
    }

    private static Run later(Run one, Run other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    /** The build runs classes that are called so. */
    private static boolean isFound(Class<?> type) {
        return type.getSimpleName().endsWith("Test") && !type.isMemberClass();
    }

    private static List<Proof> proofs(String behaviour) {
        return PROOFS.stream()
                .filter(proof -> proof.run() == Run.ALWAYS && proof.numbers().contains(behaviour))
                .toList();
    }

    @Test
    @DisplayName("each behaviour of a complete group has a test, and the build says which")
    void eachIsProved() throws IOException {
        var full = new StringBuilder();
        var brief =
                new StringBuilder("What proves what (all of it: " + MODULE.resolve("target/behaviours.txt") + ")\n");
        var missing = new ArrayList<String>();
        for (String behaviour : BEHAVIOURS) {
            List<Proof> proofs = proofs(behaviour);
            brief.append(String.format("%-4s%s%n", behaviour, inBrief(proofs)));
            full.append(behaviour).append('\n');
            proofs.forEach(proof -> full.append("    ").append(proof).append('\n'));
            if (proofs.isEmpty() && COMPLETE.indexOf(behaviour.charAt(0)) >= 0) {
                missing.add(behaviour);
            }
        }
        System.out.println(brief);
        Files.writeString(MODULE.resolve("target/behaviours.txt"), full);
        assertEquals(List.of(), missing, "behaviours without a test");
    }

    /** The places of tests, each with how many there are: {@code RequestHeadTest 2, h1/session 1}. */
    private static String inBrief(List<Proof> proofs) {
        Map<String, Long> places =
                proofs.stream().collect(Collectors.groupingBy(Proof::place, TreeMap::new, Collectors.counting()));
        return places.isEmpty()
                ? "nothing"
                : places.entrySet().stream()
                        .map(place -> place.getKey() + " " + place.getValue())
                        .collect(Collectors.joining(", "));
    }

    @Test
    @DisplayName("the list has its numbers once each, in order, without a gap")
    void numbersAreStable() {
        var wanted = new ArrayList<String>();
        char group = 'A';
        int next = 1;
        for (String behaviour : BEHAVIOURS) {
            if (behaviour.charAt(0) != group) {
                group++;
                next = 1;
            }
            wanted.add(group + String.valueOf(next++));
        }
        assertEquals(wanted, List.copyOf(BEHAVIOURS));
        for (char complete : COMPLETE.toCharArray()) {
            assertTrue(BEHAVIOURS.contains(complete + "1"), "group " + complete);
        }
    }

    @Test
    @DisplayName("no test carries a number that is none")
    void noUnknownNumber() {
        List<String> unknown = PROOFS.stream()
                .filter(proof -> !BEHAVIOURS.containsAll(proof.numbers()))
                .map(proof -> proof + ": " + proof.numbers())
                .toList();
        assertEquals(List.of(), unknown);
    }

    @Test
    @DisplayName("a test of Java that is named after a behaviour carries its tag")
    void namesAndTagsAgree() {
        assertEquals(List.of(), MISNAMED);
    }

    @Test
    @DisplayName("a test that carries a number is run by the build")
    void eachIsRun() {
        Set<String> idle = PROOFS.stream()
                .filter(proof -> proof.run() == Run.NEVER && !proof.numbers().isEmpty())
                .map(proof -> proof + ": " + proof.numbers())
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), idle);
    }
}
