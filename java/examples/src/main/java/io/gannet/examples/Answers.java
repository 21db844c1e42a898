package io.gannet.examples;

import io.gannet.HttpException;
import io.gannet.Request;
import io.gannet.Response;
import java.util.Arrays;

/** What the examples answer alike. */
final class Answers {
    private Answers() {}

    /** Whether the method is one of these; where it is not, the answer is given. */
    static boolean allowed(Request request, Response response, String... methods) {
        if (Arrays.asList(methods).contains(request.method())) {
            return true;
        }
        response.status(request.method().equals("OPTIONS") ? 204 : 405)
                .addField("Allow", String.join(", ", methods) + ", OPTIONS")
                .send();
        return false;
    }

    static HttpException notFound(Request request) {
        return new HttpException(404, "there is no " + request.path());
    }
}
