package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.EventLoops;
import io.gannet.Http2;
import io.gannet.HttpServer;
import io.gannet.LoopStats;
import io.gannet.ServerStats;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The README's table of limits says what the builders do. */
class LimitsTableTest {
    private static final Path README =
            Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("../../README.md");

    private static final Pattern LIMIT = Pattern.compile("(max|min)[A-Z].*|.*(Timeout|Deadline|After|Bytes|Interval)");
    private static final Pattern ROW = Pattern.compile(
            "^\\| `(\\w+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\| `([\\w.]+)` \\|$", Pattern.MULTILINE);
    private static final Pattern DEFAULT = Pattern.compile("([0-9,]+)(?: ([A-Za-z/]+))?(?: \\(.*\\))?");

    /** Options whose defaults depend on the process; their own tests say how. */
    private static final Set<String> COMPUTED = Set.of("maxBufferedBytes", "maxConnections", "maxMemory");

    private static final Map<String, Long> SIZES =
            Map.of("", 1L, "bytes", 1L, "bytes/s", 1L, "KiB", 1L << 10, "MiB", 1L << 20, "GiB", 1L << 30);
    private static final Map<String, Duration> TIMES =
            Map.of("ms", Duration.ofMillis(1), "s", Duration.ofSeconds(1), "min", Duration.ofMinutes(1));

    /** What a builder is made with before anything is set. */
    private static final Map<Class<?>, Supplier<Object>> BUILDERS = Map.of(
            HttpServer.Builder.class, HttpServer::builder,
            Http2.Builder.class, Http2::builder,
            EventLoops.Builder.class, EventLoops::builder);

    private record Row(String option, String limits, String byDefault, String happens, String counter) {
        @Override
        public String toString() {
            return option + ": " + byDefault;
        }
    }

    static List<Row> rows() throws IOException {
        String text = Files.readString(README);
        String section = text.substring(text.indexOf("### Limits and timeouts"), text.indexOf("### Leniency"));
        var rows = new ArrayList<Row>();
        Matcher row = ROW.matcher(section);
        while (row.find()) {
            rows.add(new Row(row.group(1), row.group(2), row.group(3), row.group(4), row.group(5)));
        }
        long lines = section.lines().filter(line -> line.startsWith("| `")).count();
        assertEquals(lines, rows.size(), "rows of the table that are not written as the others are");
        return rows;
    }

    static Stream<Method> limits() {
        return BUILDERS.keySet().stream()
                .flatMap(builder -> Arrays.stream(builder.getMethods()))
                .filter(method -> LIMIT.matcher(method.getName()).matches());
    }

    @Test
    @DisplayName("each limit of the builders has one row, and each row is a limit")
    void rowsAreLimits() throws IOException {
        Set<String> limits = limits().map(Method::getName).collect(Collectors.toCollection(TreeSet::new));
        List<String> named = rows().stream().map(Row::option).toList();
        assertEquals(limits, new TreeSet<>(named));
        assertEquals(limits.size(), named.size(), () -> "an option stands there twice: " + named);
    }

    @ParameterizedTest(name = "the default of {0} is what the builder begins with")
    @MethodSource("rows")
    void byDefault(Row row) throws Exception {
        Method option = limits().filter(method -> method.getName().equals(row.option()))
                .findAny()
                .orElseThrow();
        Supplier<Object> builder = BUILDERS.get(option.getDeclaringClass());
        if (COMPUTED.contains(row.option())) {
            assertFalse(DEFAULT.matcher(row.byDefault()).matches(), "taken from the process, so no number");
            return;
        }
        Object wanted = value(row.byDefault(), option.getParameterTypes()[0]);
        Object fresh = builder.get();
        assertEquals(state(fresh), state(option.invoke(builder.get(), wanted)), "with the default of the table");
        assertNotEquals(
                state(fresh), state(option.invoke(builder.get(), another(wanted))), "with another value, for proof");
    }

    private static Object value(String cell, Class<?> type) {
        Matcher match = DEFAULT.matcher(cell.equals("none") ? "0" : cell);
        assertTrue(match.matches(), () -> "not a default that can be compared: " + cell);
        long number = Long.parseLong(match.group(1).replace(",", ""));
        String unit = match.group(2) == null ? "" : match.group(2);
        if (type == Duration.class) {
            return number == 0 ? Duration.ZERO : unitOf(TIMES, unit).multipliedBy(number);
        }
        long value = Math.multiplyExact(number, (long) unitOf(SIZES, unit));
        return type == int.class ? (Object) Math.toIntExact(value) : (Object) value;
    }

    private static <T> T unitOf(Map<String, T> units, String unit) {
        T one = units.get(unit);
        assertNotNull(one, () -> "a unit of " + units.keySet() + " is needed: " + unit);
        return one;
    }

    private static Object another(Object value) {
        if (value instanceof Duration time) {
            return time.plusMillis(1);
        }
        return value instanceof Integer number ? (Object) (number + 1) : (Object) ((Long) value + 1);
    }

    /** What a builder would start with: the options behind it, but for notes of what was called. */
    private static Map<String, Object> state(Object builder) throws ReflectiveOperationException {
        Field options = builder.getClass().getDeclaredField("options");
        options.setAccessible(true);
        return stateOf(options.get(builder));
    }

    private static Map<String, Object> stateOf(Object options) throws ReflectiveOperationException {
        var state = new TreeMap<String, Object>();
        for (Field field : options.getClass().getDeclaredFields()) {
            boolean note = field.getName().endsWith("Given") || field.getName().equals("touched");
            if (Modifier.isStatic(field.getModifiers()) || note) {
                continue;
            }
            field.setAccessible(true);
            Object value = field.get(options);
            if (value instanceof long[] words) {
                for (int i = 0; i < words.length; i++) {
                    state.put(field.getName() + i, words[i]);
                }
            } else {
                state.put(field.getName(), value instanceof LoopOptions loops ? stateOf(loops) : value);
            }
        }
        assertFalse(state.isEmpty());
        return state;
    }

    @ParameterizedTest(name = "A19: an impossible value is refused in words that name it and the value")
    @MethodSource("limits")
    @Tag("A19")
    void impossible(Method option) {
        Class<?> type = option.getParameterTypes()[0];
        if (type == Duration.class) {
            assertRefused(option, Duration.ofMillis(-1), "PT-0.001S");
            assertRefused(option, Duration.ofDays(366), "PT8784H");
            assertInstanceOf(NullPointerException.class, refusal(option, null));
        } else if (type == int.class) {
            assertRefused(option, -1, "-1");
            assertRefused(option, Integer.MIN_VALUE, "-2147483648");
        } else {
            assertRefused(option, -1L, "-1");
            assertRefused(option, Long.MIN_VALUE, "-9223372036854775808");
        }
    }

    private static void assertRefused(Method option, Object value, String shown) {
        String words = assertInstanceOf(IllegalArgumentException.class, refusal(option, value))
                .getMessage();
        assertTrue(words.startsWith(option.getName() + " must ") && words.contains(": " + shown), words);
    }

    private static Throwable refusal(Method option, Object value) {
        Object builder = BUILDERS.get(option.getDeclaringClass()).get();
        return assertThrows(InvocationTargetException.class, () -> option.invoke(builder, value), option::getName)
                .getCause();
    }

    @Test
    @DisplayName("each counter of the table is one of stats()")
    void counters() throws IOException {
        Set<String> counters = Stream.of(ServerStats.class, LoopStats.class)
                .flatMap(type -> Arrays.stream(type.getRecordComponents()))
                .filter(component -> component.getType() == long.class)
                .map(RecordComponent::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        for (int reason = 0; reason < Layout.REASON_LIMIT; reason++) {
            counters.add("reasons." + Layout.reasonName(reason)); // the key of toMap()
        }
        Set<String> named = rows().stream().map(Row::counter).collect(Collectors.toCollection(TreeSet::new));
        named.removeAll(counters);
        assertEquals(Set.of(), named, "no counters of stats()");
    }
}
