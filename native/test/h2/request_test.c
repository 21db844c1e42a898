#include "h2/request.h"

#include "http/head_block.h"
#include "http/method.h"
#include "test.h"

static struct gn_memory memory;
static struct gn_hpack_field fields[64];
static uint8_t octets[16384];
static struct gn_hpack_list list = {.octets = octets, .fields = fields, .fields_max = 64, .size_max = 8192};
static struct gn_h2_request request;
static uint8_t *block;

/* Decodes lines "name: value\n" as literals. */
static void decode(const char *lines)
{
    static uint8_t coded[4096];
    uint8_t *to = coded;
    for (const char *end; *lines != 0; lines = end + 1) {
        end = strchr(lines, '\n');
        const char *colon = strchr(lines + 1, ':');
        REQUIRE(end != NULL && colon != NULL && colon < end);
        const char *value = colon + 2;
        *to++ = 0;
        *to++ = (uint8_t)(colon - lines);
        memcpy(to, lines, (size_t)(colon - lines));
        to += colon - lines;
        REQUIRE(end - value < 127);
        *to++ = (uint8_t)(end - value);
        memcpy(to, value, (size_t)(end - value));
        to += end - value;
    }
    struct gn_hpack_decoder decoder;
    gn_hpack_decoder_start(&decoder, &memory, 4096);
    REQUIRE(gn_hpack_decode(&decoder, coded, (size_t)(to - coded), &list) == GN_HPACK_OK);
    gn_hpack_decoder_end(&decoder);
}

static enum gn_h2_request_status read_lines(const char *lines)
{
    decode(lines);
    return gn_h2_request_read(&request, &list, false);
}

static void refuses(const char *lines, enum gn_h2_request_status expected, int line)
{
    enum gn_h2_request_status status = read_lines(lines);
    if (status != expected) {
        test_fail(__FILE__, line);
        fprintf(stderr, "%s: expected %s, of\n%s", gn_h2_request_text(status), gn_h2_request_text(expected), lines);
    }
}
#define REFUSES(lines, expected) refuses(lines, expected, __LINE__)

#define GET_HTTP ":method: GET\n:scheme: http\n:path: /\n:authority: h\n"

/* The head block in memory of exactly its size. */
static const struct gn_head_block *write_head(void)
{
    size_t size = gn_h2_head_size(&request);
    block = malloc(size);
    REQUIRE(block != NULL);
    gn_h2_head_write(block, &request, &list, 77);
    return (const struct gn_head_block *)(void *)block;
}

static void check_field(const struct gn_head_block *head, uint32_t index, const char *name, const char *value)
{
    REQUIRE(index < head->field_count);
    const struct gn_head_field *field =
        (const struct gn_head_field *)(const void *)((const uint8_t *)head + sizeof(*head)) + index;
    CHECK_BYTES((const uint8_t *)head + field->name_offset, field->name_length, name);
    CHECK_BYTES((const uint8_t *)head + field->value_offset, field->value_length, value);
}

TEST(a_request_becomes_a_head_block)
{
    CHECK_EQ(read_lines(":method: POST\n:scheme: https\n:authority: example.com:8080\n:path: /a/b?c=d\n"
                        "content-length: 5\nx-own: one\nexpect: 100-Continue\nte: Trailers\nx-own: two\n"),
             GN_H2_REQUEST_OK);
    const struct gn_head_block *head = write_head();
    CHECK_EQ(head->method, GN_METHOD_POST);
    CHECK_EQ(head->version, 20);
    CHECK_EQ(head->form, GN_ORIGIN_FORM);
    CHECK_EQ(head->flags, GN_HEAD_HTTPS | GN_HEAD_EXPECT_CONTINUE | GN_HEAD_TRAILERS | GN_HEAD_KEEP_ALIVE);
    CHECK_EQ(head->content_length, 5);
    CHECK_EQ(head->info, 77);
    CHECK_BYTES(block + head->method_offset, head->method_length, "POST");
    CHECK_BYTES(block + head->target_offset, head->target_length, "/a/b?c=d");
    CHECK_BYTES(block + head->path_offset, head->path_length, "/a/b");
    CHECK_BYTES(block + head->query_offset, head->query_length, "c=d");
    CHECK_BYTES(block + head->authority_offset, head->authority_length, "example.com:8080");
    CHECK_EQ(head->field_count, 5);
    check_field(head, 0, "content-length", "5");
    check_field(head, 1, "x-own", "one");
    check_field(head, 4, "x-own", "two");
    free(block);
}

TEST(targets_without_a_query_and_with_an_empty_one)
{
    CHECK_EQ(read_lines(GET_HTTP), GN_H2_REQUEST_OK);
    const struct gn_head_block *head = write_head();
    CHECK_EQ(head->query_offset, 0);
    CHECK_EQ(head->path_length, 1);
    CHECK_EQ(head->content_length, -1);
    free(block);
    CHECK_EQ(read_lines(":method: GET\n:scheme: other\n:path: /a?\n"), GN_H2_REQUEST_OK);
    head = write_head();
    CHECK_EQ(head->query_offset, 0);
    CHECK_BYTES(block + head->path_offset, head->path_length, "/a");
    CHECK_EQ(head->authority_length, 0);
    free(block);
    CHECK_EQ(read_lines(":method: OPTIONS\n:scheme: http\n:path: *\n:authority: h\n"), GN_H2_REQUEST_OK);
    CHECK_EQ(request.form, GN_ASTERISK_FORM);
}

TEST(H23_cookies_are_one_field)
{
    CHECK_EQ(read_lines(GET_HTTP "cookie: a=1\nx: y\ncookie: b=2\ncookie: \ncookie: c=3\n"), GN_H2_REQUEST_OK);
    const struct gn_head_block *head = write_head();
    CHECK_EQ(head->field_count, 2);
    check_field(head, 0, "cookie", "a=1; b=2; ; c=3");
    check_field(head, 1, "x", "y");
    free(block);
}

TEST(host_stands_in_for_authority)
{
    CHECK_EQ(read_lines(":method: GET\n:scheme: http\n:path: /\nhost: other\n"), GN_H2_REQUEST_OK);
    const struct gn_head_block *head = write_head();
    CHECK_BYTES(block + head->authority_offset, head->authority_length, "other");
    check_field(head, 0, "host", "other");
    free(block);
    CHECK_EQ(read_lines(GET_HTTP "host: h\n"), GN_H2_REQUEST_OK);
    REFUSES(GET_HTTP "host: g\n", GN_H2_REQUEST_BAD_AUTHORITY);
    REFUSES(GET_HTTP "host: h\nhost: h\n", GN_H2_REQUEST_BAD_AUTHORITY);
    REFUSES(":method: GET\n:scheme: http\n:path: /\nhost: a b\n", GN_H2_REQUEST_BAD_AUTHORITY);
    REFUSES(":method: GET\n:scheme: http\n:path: /\n:authority: u@h\n", GN_H2_REQUEST_BAD_AUTHORITY);
    REFUSES(":method: GET\n:scheme: http\n:path: /\n:authority: \n", GN_H2_REQUEST_BAD_AUTHORITY);
    REFUSES(":method: GET\n:scheme: http\n:path: /\n", GN_H2_REQUEST_BAD_AUTHORITY);
    REFUSES(":method: GET\n:scheme: HTTPS\n:path: /\n", GN_H2_REQUEST_BAD_AUTHORITY);
}

TEST(H2_what_is_no_request)
{
    REFUSES("", GN_H2_REQUEST_INCOMPLETE);
    REFUSES(":scheme: http\n:path: /\n", GN_H2_REQUEST_INCOMPLETE);
    REFUSES(":method: GET\n:path: /\n", GN_H2_REQUEST_INCOMPLETE);
    REFUSES(":method: GET\n:scheme: http\n", GN_H2_REQUEST_INCOMPLETE);
    REFUSES(":method: \n:scheme: http\n:path: /\n", GN_H2_REQUEST_BAD_METHOD);
    REFUSES(":method: G T\n:scheme: http\n:path: /\n", GN_H2_REQUEST_BAD_METHOD);
    REFUSES(":method: GET\n:scheme: \n:path: /\n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n:scheme: 1http\n:path: /\n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n:scheme: http\n:path: \n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n:scheme: http\n:path: a\n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n:scheme: http\n:path: *\n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n:scheme: http\n:path: /a b\n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n:scheme: http\n:path: /a#b\n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n:scheme: http\n:path: /\xc3\xa4\n", GN_H2_REQUEST_BAD_TARGET);
    REFUSES(":method: GET\n" GET_HTTP, GN_H2_REQUEST_BAD_PSEUDO);
    REFUSES(":method: GET\n:scheme: http\nx: y\n:path: /\n", GN_H2_REQUEST_BAD_PSEUDO);
    REFUSES(GET_HTTP ":status: 200\n", GN_H2_REQUEST_BAD_PSEUDO);
    REFUSES(GET_HTTP ":other: 1\n", GN_H2_REQUEST_BAD_PSEUDO);
    REFUSES(GET_HTTP "X: y\n", GN_H2_REQUEST_BAD_FIELD);
    REFUSES(GET_HTTP "x: y\r\n", GN_H2_REQUEST_BAD_FIELD);
    REFUSES(GET_HTTP "connection: close\n", GN_H2_REQUEST_OF_CONNECTION);
    REFUSES(GET_HTTP "keep-alive: 1\n", GN_H2_REQUEST_OF_CONNECTION);
    REFUSES(GET_HTTP "proxy-connection: close\n", GN_H2_REQUEST_OF_CONNECTION);
    REFUSES(GET_HTTP "transfer-encoding: chunked\n", GN_H2_REQUEST_OF_CONNECTION);
    REFUSES(GET_HTTP "upgrade: echo\n", GN_H2_REQUEST_OF_CONNECTION);
    REFUSES(GET_HTTP "te: gzip\n", GN_H2_REQUEST_OF_CONNECTION);
    REFUSES(GET_HTTP "te: trailers, gzip\n", GN_H2_REQUEST_OF_CONNECTION);
    REFUSES(GET_HTTP "content-length: \n", GN_H2_REQUEST_BAD_LENGTH);
    REFUSES(GET_HTTP "content-length: +1\n", GN_H2_REQUEST_BAD_LENGTH);
    REFUSES(GET_HTTP "content-length: 9223372036854775808\n", GN_H2_REQUEST_BAD_LENGTH);
    REFUSES(GET_HTTP "content-length: 1\ncontent-length: 1\n", GN_H2_REQUEST_BAD_LENGTH);
    CHECK_EQ(read_lines(GET_HTTP "content-length: 9223372036854775807\n"), GN_H2_REQUEST_OK);
    CHECK_EQ(read_lines(GET_HTTP "expect: something\n"), GN_H2_REQUEST_OK);
    CHECK(request.unknown_expectation);
}

TEST(connect_has_an_authority_and_nothing_else)
{
    CHECK_EQ(read_lines(":method: CONNECT\n:authority: h:443\n"), GN_H2_REQUEST_OK);
    const struct gn_head_block *head = write_head();
    CHECK_EQ(head->form, GN_AUTHORITY_FORM);
    CHECK_BYTES(block + head->target_offset, head->target_length, "h:443");
    CHECK_BYTES(block + head->authority_offset, head->authority_length, "h:443");
    CHECK_EQ(head->path_length, 0);
    free(block);
    REFUSES(":method: CONNECT\n", GN_H2_REQUEST_INCOMPLETE);
    REFUSES(":method: CONNECT\n:authority: h\n", GN_H2_REQUEST_BAD_AUTHORITY);
    REFUSES(":method: CONNECT\n:authority: h:443\n:path: /\n", GN_H2_REQUEST_INCOMPLETE);
    REFUSES(":method: CONNECT\n:authority: h:443\n:scheme: http\n", GN_H2_REQUEST_INCOMPLETE);
}

TEST(F7_extended_connect_is_refused_unless_allowed)
{
    static const char extended[] =
        ":method: CONNECT\n:protocol: websocket\n:scheme: http\n:path: /chat\n:authority: h\n";
    REFUSES(extended, GN_H2_REQUEST_NO_PROTOCOL);
    decode(extended);
    CHECK_EQ(gn_h2_request_read(&request, &list, true), GN_H2_REQUEST_OK);
    CHECK_EQ(request.form, GN_ORIGIN_FORM);
    CHECK_BYTES(octets + request.protocol.at, request.protocol.length, "websocket");
    static const char *const malformed[] = {
        ":method: GET\n:protocol: websocket\n:scheme: http\n:path: /\n:authority: h\n",
        ":method: CONNECT\n:protocol: \n:scheme: http\n:path: /\n:authority: h\n",
    };
    for (unsigned i = 0; i < 2; i++) {
        decode(malformed[i]);
        CHECK_EQ(gn_h2_request_read(&request, &list, true), GN_H2_REQUEST_NO_PROTOCOL);
    }
    decode(":method: CONNECT\n:protocol: websocket\n:path: /\n:authority: h\n");
    CHECK_EQ(gn_h2_request_read(&request, &list, true), GN_H2_REQUEST_INCOMPLETE);
}

TEST(B16_H19_trailers)
{
    decode("grpc-status: 0\ncontent-length: 5\nx: y\n");
    CHECK_EQ(gn_h2_trailers_read(&list), GN_H2_REQUEST_OK);
    block = malloc(gn_h2_trailers_size(&list));
    REQUIRE(block != NULL);
    gn_h2_trailers_write(block, &list);
    const struct gn_head_block *head = (const struct gn_head_block *)(void *)block;
    CHECK_EQ(head->field_count, 2);
    check_field(head, 0, "grpc-status", "0");
    check_field(head, 1, "x", "y");
    free(block);
    decode(":status: 200\n");
    CHECK_EQ(gn_h2_trailers_read(&list), GN_H2_REQUEST_BAD_PSEUDO);
    decode("connection: close\n");
    CHECK_EQ(gn_h2_trailers_read(&list), GN_H2_REQUEST_OF_CONNECTION);
}

TEST_MAIN()
