#include "h1/head_writer.h"

#include "http/head_block.h"
#include "test.h"

static struct gn_h1_field fields[100];
static _Alignas(8) uint8_t block[8192];

/* Parses `text` and writes its block. */
static const struct gn_head_block *write_head(const char *text, uint64_t info)
{
    static const struct gn_h1_request_limits limits = {65536, 65536, 100, 8, 0, NULL};
    struct gn_h1_request request;
    gn_h1_request_start(&request, fields);
    REQUIRE(gn_h1_request_parse(&request, (const uint8_t *)text, strlen(text), &limits) == GN_H1_COMPLETE);
    size_t size = gn_h1_head_size(&request);
    REQUIRE(size < sizeof(block));
    memset(block, 0xee, sizeof(block));
    gn_h1_head_write(block, &request, (const uint8_t *)text, info);
    CHECK_EQ(block[size], 0xee); // as long as it was said to be
    const struct gn_head_block *head = (const struct gn_head_block *)(const void *)block;
    // Every text lies inside.
    CHECK(head->target_offset + head->target_length <= size);
    CHECK(head->path_offset + head->path_length <= size);
    CHECK(head->query_offset + head->query_length <= size);
    CHECK(head->authority_offset + head->authority_length <= size);
    return head;
}

#define CHECK_PART(head, part, text) CHECK_BYTES(block + (head)->part##_offset, (head)->part##_length, text)

static void check_field(const struct gn_head_block *head, unsigned number, unsigned token, const char *name,
                        const char *value)
{
    CHECK(number < head->field_count);
    const struct gn_head_field *field = (const struct gn_head_field *)(const void *)(head + 1) + number;
    CHECK_EQ(field->token, token);
    CHECK_BYTES(block + field->name_offset, field->name_length, name);
    CHECK_BYTES(block + field->value_offset, field->value_length, value);
}

TEST(a_head_with_everything)
{
    const struct gn_head_block *head = write_head("\r\n\r\nPOST /a/b?c=d&e HTTP/1.1\r\nHoSt: h:80\r\nX-Own:  v w \r\n"
                                                  "Content-Length: 12\r\nempty:\r\nExpect: 100-continue\r\n"
                                                  "TE: trailers\r\nConnection: Upgrade, TE\r\nUpgrade: foo\r\n\r\nGET",
                                                  0x1234567890);
    CHECK_EQ(head->method, GN_METHOD_POST);
    CHECK_EQ(head->version, 11);
    CHECK_EQ(head->form, GN_ORIGIN_FORM);
    CHECK_EQ(head->info, 0x1234567890);
    CHECK_EQ(head->content_length, 12);
    CHECK_EQ(head->flags, GN_HEAD_EXPECT_CONTINUE | GN_HEAD_TRAILERS | GN_HEAD_UPGRADE | GN_HEAD_KEEP_ALIVE);
    CHECK_PART(head, method, "POST");
    CHECK_PART(head, target, "/a/b?c=d&e");
    CHECK_PART(head, path, "/a/b");
    CHECK_PART(head, query, "c=d&e");
    CHECK_PART(head, authority, "h:80");
    CHECK_EQ(head->field_count, 8);
    check_field(head, 0, GN_FIELD_HOST, "HoSt", "h:80");
    check_field(head, 1, GN_FIELD_OTHER, "X-Own", "v w");
    check_field(head, 2, GN_FIELD_CONTENT_LENGTH, "Content-Length", "12");
    check_field(head, 3, GN_FIELD_OTHER, "empty", "");
    check_field(head, 7, GN_FIELD_UPGRADE, "Upgrade", "foo");
}

TEST(what_is_not_there)
{
    const struct gn_head_block *head = write_head("get / HTTP/1.0\r\n\r\n", 1);
    CHECK_EQ(head->method, GN_METHOD_OTHER);
    CHECK_PART(head, method, "get");
    CHECK_EQ(head->version, 10);
    CHECK_EQ(head->flags, 0);
    CHECK_EQ(head->field_count, 0);
    CHECK_EQ(head->content_length, -1);
    CHECK_EQ(head->query_offset, 0);
    CHECK_EQ(head->authority_length, 0);
    CHECK_PART(head, path, "/");
    head = write_head("GET /? HTTP/1.0\r\nContent-Length: 0\r\n\r\n", 1);
    CHECK_EQ(head->content_length, 0);
    CHECK_EQ(head->query_length, 0);
}

TEST(the_forms_of_a_target)
{
    const struct gn_head_block *head = write_head("GET https://u.example:8/p?q HTTP/1.1\r\nhost: other\r\n\r\n", 1);
    CHECK_EQ(head->form, GN_ABSOLUTE_FORM);
    CHECK(head->flags & GN_HEAD_HTTPS);
    CHECK_PART(head, authority, "u.example:8");
    CHECK_PART(head, path, "/p");
    CHECK_PART(head, query, "q");
    CHECK_PART(head, target, "https://u.example:8/p?q");
    head = write_head("OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n", 1);
    CHECK_EQ(head->form, GN_ASTERISK_FORM);
    CHECK_PART(head, target, "*");
    head = write_head("CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n", 1);
    CHECK_EQ(head->form, GN_AUTHORITY_FORM);
    CHECK_PART(head, authority, "h:1");
}

TEST(a_trailer_section_is_a_head_of_fields_only)
{
    static const char text[] = "Digest: a\r\nhost: x\r\nX:  b \r\ndigest:\r\n\r\nGET / HTTP/1.1\r\n";
    static const struct gn_h1_request_limits limits = {16384, 8192, 100, 0, 0, NULL};
    struct gn_h1_trailers trailers;
    gn_h1_trailers_start(&trailers, fields);
    REQUIRE(gn_h1_trailers_parse(&trailers, (const uint8_t *)text, sizeof(text) - 1, &limits) == GN_H1_COMPLETE);
    CHECK_EQ(gn_h1_trailers_select(&trailers), 3);
    size_t size = gn_h1_trailers_size(&trailers);
    REQUIRE(size < sizeof(block));
    memset(block, 0xee, sizeof(block));
    gn_h1_trailers_write(block, &trailers, (const uint8_t *)text);
    CHECK_EQ(block[size], 0xee);
    const struct gn_head_block *head = (const struct gn_head_block *)(const void *)block;
    struct gn_head_block fields_only = {.field_count = 3};
    CHECK(memcmp(head, &fields_only, sizeof(fields_only)) == 0);
    check_field(head, 0, GN_FIELD_OTHER, "Digest", "a");
    check_field(head, 1, GN_FIELD_OTHER, "X", "b");
    check_field(head, 2, GN_FIELD_OTHER, "digest", "");
}

TEST_MAIN()
