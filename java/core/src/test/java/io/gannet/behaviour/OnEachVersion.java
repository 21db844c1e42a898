package io.gannet.behaviour;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The tests of the class run once on each of the tested backends over each of the tested versions. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@ParameterizedClass(name = "{0}, {1}")
@MethodSource("io.gannet.behaviour.Versions#onEachBackend")
@ExtendWith(Over.Condition.class)
@Timeout(value = 60, unit = TimeUnit.SECONDS)
@interface OnEachVersion {}
