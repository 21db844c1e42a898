package io.gannet.examples;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.gannet.Handler;
import io.gannet.HttpException;
import io.gannet.Request;
import io.gannet.Response;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Speaks JSON. */
@Command(
        name = "web_api",
        mixinStandardHelpOptions = true,
        description = "GET /json_api gives a list; POST /json_api adds a member to an object.")
final class WebApi implements Callable<Integer>, Handler {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String ADDED = "test";

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
            case "/" -> response.send("Try: curl 127.0.0.1:8080/json_api -d '{\"original\": \"data\"}'\n");
            case "/json_api" -> {
                if (!Answers.allowed(request, response, "GET", "HEAD", "POST")) {
                    return;
                }
                if (request.method().equals("POST")) {
                    post(request, response);
                } else {
                    response.addField("Content-Type", "application/json").send("[\"foo\",\"bar\"]");
                }
            }
            default -> throw Answers.notFound(request);
        }
    }

    private static void post(Request request, Response response) {
        response.failIfFails(request.body()
                .bytes()
                .thenAccept(body ->
                        response.addField("Content-Type", "application/json").send(extended(body))));
    }

    /** The object with one member more, or with another value of it. */
    private static byte[] extended(byte[] object) {
        var result = new ByteArrayOutputStream();
        try (JsonParser json = JSON.createParser(object);
                JsonGenerator out = JSON.createGenerator(result)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new HttpException(400, "the body must be a JSON object");
            }
            out.writeStartObject();
            while (json.nextToken() != JsonToken.END_OBJECT) {
                if (json.currentName().equals(ADDED)) {
                    json.nextToken();
                    json.skipChildren();
                } else {
                    out.copyCurrentStructure(json);
                }
            }
            out.writeStringField(ADDED, "test_value");
            out.writeEndObject();
            if (json.nextToken() != null) {
                throw new HttpException(400, "there is something behind the JSON object");
            }
        } catch (JsonProcessingException e) {
            throw new HttpException(400, "the body is not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // neither end is a file
        }
        return result.toByteArray();
    }
}
