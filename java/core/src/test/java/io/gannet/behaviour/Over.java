package io.gannet.behaviour;

import io.gannet.HttpVersion;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** A test of a {@link VersionsTest} that is about one version alone. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface Over {
    /** The version. */
    HttpVersion value();

    /** Leaves the test out over other versions. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            Optional<Over> only = AnnotationSupport.findAnnotation(context.getElement(), Over.class);
            if (only.isEmpty() || only.get().value() == VersionsTest.version) {
                return ConditionEvaluationResult.enabled("over " + VersionsTest.version);
            }
            return ConditionEvaluationResult.disabled("about " + only.get().value() + " alone");
        }
    }
}
