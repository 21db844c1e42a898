package io.gannet.behaviour;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.testng.SkipException;
import org.testng.annotations.BeforeMethod;
import org.testng.annotations.Test;

/**
 * The checks of the Reactive Streams TCK as dynamic tests of JUnit. One that skips itself fails, unless it is named as one
 * that does not apply; one that is named and does not skip itself fails too. Those whose name begins with {@code untested}
 * check nothing, and are left out.
 */
final class ReactiveStreams {
    private static final int FEWEST = 10;

    private ReactiveStreams() {}

    static Stream<DynamicTest> checks(Supplier<?> verification, Set<String> notApplicable) {
        Class<?> type = verification.get().getClass();
        List<Method> checks = Arrays.stream(type.getMethods())
                .filter(method -> method.isAnnotationPresent(Test.class))
                .filter(method -> !method.getName().startsWith("untested_"))
                .sorted(Comparator.comparing(Method::getName))
                .toList();
        assertTrue(checks.size() >= FEWEST, () -> "the checks of " + type + " were not found: " + checks);
        return checks.stream()
                .map(check -> DynamicTest.dynamicTest(
                        check.getName(),
                        () -> run(verification.get(), check, notApplicable.contains(check.getName()))));
    }

    private static void run(Object verification, Method check, boolean skips) throws Throwable {
        boolean skipped = false;
        String why = "";
        try {
            for (Method method : verification.getClass().getMethods()) {
                if (method.isAnnotationPresent(BeforeMethod.class)) {
                    method.invoke(verification);
                }
            }
            check.invoke(verification);
        } catch (InvocationTargetException thrown) {
            if (!(thrown.getCause() instanceof SkipException)) {
                throw thrown.getCause();
            }
            skipped = true;
            why = thrown.getCause().getMessage();
        }
        assertEquals(skips, skipped, check.getName() + " skips itself: " + why);
    }
}
