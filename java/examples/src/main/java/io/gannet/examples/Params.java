package io.gannet.examples;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.Request;
import io.gannet.Response;
import java.net.URLDecoder;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Reads parameters: of a form that is posted, and of a query. */
@Command(
        name = "params",
        mixinStandardHelpOptions = true,
        description = "A form at /, which posts to /post; and /get?page=N.")
final class Params implements Callable<Integer>, Handler {
    private static final String FORM = """
            <!DOCTYPE html>
            <title>A form</title>
            <form action="post" method="post">
              Name: <input type="text" name="name"><br>
              Number: <input type="text" name="number"><br>
              <input type="submit">
            </form>
            """;

    @Mixin
    private ServerOptions options;

    @Override
    public Integer call() throws Exception {
        try (var server = options.server().handler(this).start()) {
            ServerOptions.run(server);
        }
        return 0;
    }

    @Override
    public void handle(Request request, Response response) {
        switch (request.path()) {
            case "/" ->
                response.addField("Content-Type", "text/html; charset=utf-8").send(FORM);
            case "/get" -> {
                String page = required(parse(request.query()), "page");
                response.send("You requested page " + page);
            }
            case "/post" -> post(request, response);
            default -> throw Answers.notFound(request);
        }
    }

    private static void post(Request request, Response response) {
        if (Answers.allowed(request, response, "POST")) {
            response.failIfFails(request.body().text().thenAccept(form -> response.send(greeting(parse(form)))));
        }
    }

    private static String greeting(Map<String, String> form) {
        String name = required(form, "name");
        String number = required(form, "number");
        try {
            return "Hello " + name + ", your number is " + Double.parseDouble(number);
        } catch (NumberFormatException e) {
            throw new HttpException(422, "number is not numeric: " + number, e);
        }
    }

    private static String required(Map<String, String> parameters, String name) {
        String value = parameters.get(name);
        if (value == null || value.isEmpty()) {
            throw new HttpException(422, "parameter is missing: " + name);
        }
        return value;
    }

    /** The parameters of a query or a form ({@code application/x-www-form-urlencoded}); of equal names the last. */
    private static Map<String, String> parse(String text) {
        var parameters = new HashMap<String, String>();
        if (text == null) {
            return parameters;
        }
        try {
            for (String pair : text.split("&")) {
                String[] parts = pair.split("=", 2);
                parameters.put(
                        URLDecoder.decode(parts[0], UTF_8), parts.length < 2 ? "" : URLDecoder.decode(parts[1], UTF_8));
            }
        } catch (IllegalArgumentException e) {
            throw new HttpException(400, "parameters are not encoded as they should be", e);
        }
        return parameters;
    }
}
