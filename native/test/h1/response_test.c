#include "h1/response.h"

#include "http/field_name.h"
#include "ring/record.h"
#include "test.h"

static uint8_t staged[4096];
static size_t staged_length;

static void stage(unsigned token, const char *name, const char *value)
{
    struct gn_staged_field field = {
        .token = (uint16_t)token, .name_length = (uint16_t)strlen(name), .value_length = (uint32_t)strlen(value)};
    memcpy(staged + staged_length, &field, sizeof(field));
    memcpy(staged + staged_length + sizeof(field), name, strlen(name));
    memcpy(staged + staged_length + sizeof(field) + strlen(name), value, strlen(value));
    staged_length += sizeof(field) + strlen(name) + strlen(value);
}

/* The head must be `text`, and within its bound. */
static void check_head(struct gn_h1_response response, const char *text)
{
    response.fields = staged_length == 0 ? NULL : staged;
    response.fields_length = staged_length;
    size_t bound = gn_h1_response_bound(&response);
    uint8_t *bytes = malloc(bound); // exactly as much as was promised to do
    REQUIRE(bound > 0 && bytes != NULL);
    size_t length = gn_h1_response_write(&response, bytes);
    CHECK(length <= bound);
    CHECK_BYTES(bytes, length, text);
    free(bytes);
    staged_length = 0;
}

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

TEST(heads_without_fields)
{
    check_head((struct gn_h1_response){.status = 200}, "HTTP/1.1 200 OK\r\n\r\n");
    check_head((struct gn_h1_response){.status = 404}, "HTTP/1.1 404 Not Found\r\n\r\n");
    check_head((struct gn_h1_response){.status = 999}, "HTTP/1.1 999 \r\n\r\n");
    check_head((struct gn_h1_response){.status = 200, .chunked = true},
               "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    check_head((struct gn_h1_response){.status = 200, .has_length = true},
               "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    check_head((struct gn_h1_response){.status = 200, .has_length = true, .length = 1234567890},
               "HTTP/1.1 200 OK\r\ncontent-length: 1234567890\r\n\r\n");
    check_head((struct gn_h1_response){.status = 200, .date = DATE}, "HTTP/1.1 200 OK\r\ndate: " DATE "\r\n\r\n");
}

TEST(the_longest_of_everything_stays_in_its_bound)
{
    check_head((struct gn_h1_response){.status = 431,
                                       .has_length = true,
                                       .length = UINT64_MAX,
                                       .connection = GN_H1_CONNECTION_KEEP_ALIVE,
                                       .date = DATE},
               "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 18446744073709551615\r\n"
               "connection: keep-alive\r\ndate: " DATE "\r\n\r\n");
    for (uint16_t status = 200; status < 1000; status++) {
        struct gn_h1_response response = {.status = status, .chunked = true, .connection = GN_H1_CONNECTION_CLOSE};
        uint8_t *bytes = malloc(gn_h1_response_bound(&response));
        REQUIRE(bytes != NULL);
        size_t length = gn_h1_response_write(&response, bytes);
        CHECK(length > 12 && bytes[9] == '0' + status / 100 && bytes[11] == '0' + status % 10);
        free(bytes);
    }
}

TEST(fields_in_order_with_canonical_and_own_names)
{
    stage(GN_FIELD_SERVER, "", "s");
    stage(GN_FIELD_OTHER, "X-Own", "");
    stage(GN_FIELD_SET_COOKIE, "SET-Cookie", "a=b");
    stage(GN_FIELD_SET_COOKIE, "", "c=d");
    check_head(
        (struct gn_h1_response){
            .status = 200, .has_length = true, .length = 5, .date = DATE, .connection = GN_H1_CONNECTION_CLOSE},
        "HTTP/1.1 200 OK\r\nserver: s\r\nX-Own: \r\nSET-Cookie: a=b\r\nset-cookie: c=d\r\n"
        "content-length: 5\r\nconnection: close\r\ndate: " DATE "\r\n\r\n");
}

TEST(C12_a_date_of_the_handlers_own_stays_the_only_one)
{
    stage(GN_FIELD_DATE, "Date", "yesterday");
    check_head((struct gn_h1_response){.status = 200, .date = DATE}, "HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n");
}

TEST(malformed_entries_have_no_bound)
{
    stage(GN_FIELD_SERVER, "", "value");
    size_t whole = staged_length;
    uint8_t *copy = malloc(whole);
    REQUIRE(copy != NULL);
    memcpy(copy, staged, whole);
    for (size_t length = 1; length < whole; length++) {
        struct gn_h1_response response = {.status = 200, .fields = copy, .fields_length = length};
        CHECK_EQ(gn_h1_response_bound(&response), 0);
    }
    free(copy);
    staged_length = 0;
    stage(GN_FIELD_NAME_COUNT, "x", "");
    CHECK_EQ(gn_h1_response_bound(&(struct gn_h1_response){.fields = staged, .fields_length = staged_length}), 0);
    staged_length = 0;
    stage(GN_FIELD_OTHER, "", "x");
    CHECK_EQ(gn_h1_response_bound(&(struct gn_h1_response){.fields = staged, .fields_length = staged_length}), 0);
    staged_length = 0;
}

TEST_MAIN()
