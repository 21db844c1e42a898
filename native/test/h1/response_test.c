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

TEST(an_upgrade_field_is_of_the_connection)
{
    stage(GN_FIELD_UPGRADE, "", "TLS/1.3");
    check_head((struct gn_h1_response){.status = 426, .has_length = true, .connection = GN_H1_CONNECTION_CLOSE},
               "HTTP/1.1 426 Upgrade Required\r\nupgrade: TLS/1.3\r\nconnection: upgrade\r\n"
               "content-length: 0\r\nconnection: close\r\n\r\n");
}

TEST(C16_a_reason_phrase_of_its_own)
{
    stage(GN_FIELD_OTHER, "", "Fine, thanks");
    stage(GN_FIELD_SERVER, "", "s");
    check_head((struct gn_h1_response){.status = 200, .reason = true},
               "HTTP/1.1 200 Fine, thanks\r\nserver: s\r\n\r\n");
    stage(GN_FIELD_OTHER, "", "");
    check_head((struct gn_h1_response){.status = 404, .reason = true}, "HTTP/1.1 404 \r\n\r\n");
    char phrase[2001] = "", text[2100];
    memset(phrase, 'p', 2000);
    sprintf(text, "HTTP/1.1 999 %s\r\ncontent-length: 0\r\n\r\n", phrase);
    stage(GN_FIELD_OTHER, "", phrase);
    check_head((struct gn_h1_response){.status = 999, .reason = true, .has_length = true}, text);
}

TEST(C3_codings_make_one_line_with_chunked_at_its_end)
{
    stage(GN_FIELD_TRANSFER_ENCODING, "", "gzip");
    check_head((struct gn_h1_response){.status = 200, .chunked = true},
               "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n");
    stage(GN_FIELD_TRANSFER_ENCODING, "Transfer-ENCODING", "a");
    stage(GN_FIELD_SERVER, "", "s");
    stage(GN_FIELD_TRANSFER_ENCODING, "", "");
    stage(GN_FIELD_TRANSFER_ENCODING, "", "b;q=\"1\"");
    check_head((struct gn_h1_response){.status = 200, .chunked = true, .title_case = true},
               "HTTP/1.1 200 OK\r\nServer: s\r\nTransfer-ENCODING: a, b;q=\"1\", chunked\r\n\r\n");
    stage(GN_FIELD_TRANSFER_ENCODING, "", "");
    check_head((struct gn_h1_response){.status = 200, .chunked = true, .title_case = true},
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    stage(GN_FIELD_TRANSFER_ENCODING, "transfer-encoding", "x");
    for (unsigned i = 0; i < 50; i++)
        stage(GN_FIELD_TRANSFER_ENCODING, "", "");
    check_head((struct gn_h1_response){.status = 200, .chunked = true},
               "HTTP/1.1 200 OK\r\ntransfer-encoding: x, chunked\r\n\r\n");
}

TEST(C4_codings_are_left_out_where_the_body_is_not_chunked)
{
    stage(GN_FIELD_TRANSFER_ENCODING, "", "gzip");
    stage(GN_FIELD_SERVER, "", "s");
    check_head((struct gn_h1_response){.status = 200, .has_length = true, .length = 7},
               "HTTP/1.1 200 OK\r\nserver: s\r\ncontent-length: 7\r\n\r\n");
}

TEST(whether_there_are_codings_is_told)
{
    struct gn_h1_response response = {.fields = staged, .coded = true};
    stage(GN_FIELD_SERVER, "", "s");
    response.fields_length = staged_length;
    CHECK(gn_h1_response_bound(&response) > 0 && !response.coded);
    stage(GN_FIELD_TRANSFER_ENCODING, "", "gzip");
    response.fields_length = staged_length;
    CHECK(gn_h1_response_bound(&response) > 0 && response.coded);
    staged_length = 0;
}

TEST(C17_title_case_for_names_without_a_spelling)
{
    stage(GN_FIELD_SET_COOKIE, "", "a=b");
    stage(GN_FIELD_SET_COOKIE, "set-cookie", "c=d");
    stage(GN_FIELD_SET_COOKIE, "", "e=f");
    stage(GN_FIELD_ETAG, "", "x-y");
    stage(GN_FIELD_TE, "", "");
    stage(GN_FIELD_OTHER, "x-own", "v-w");
    stage(GN_FIELD_OTHER, "X-OWN", "v-w");
    check_head(
        (struct gn_h1_response){
            .status = 200, .title_case = true, .has_length = true, .connection = GN_H1_CONNECTION_CLOSE, .date = DATE},
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\nSet-Cookie: e=f\r\nEtag: x-y\r\nTe: \r\n"
        "x-own: v-w\r\nX-OWN: v-w\r\nContent-Length: 0\r\nConnection: close\r\nDate: " DATE "\r\n\r\n");
    check_head((struct gn_h1_response){.status = 200, .title_case = true, .chunked = true},
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    check_head((struct gn_h1_response){.status = 200, .title_case = true, .connection = GN_H1_CONNECTION_KEEP_ALIVE},
               "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
}

/* The last chunk with the staged fields must be `text`, and within its bound. */
static void check_trailers(bool title_case, const char *text)
{
    size_t bound = gn_h1_response_trailers_bound(staged, staged_length);
    uint8_t *bytes = malloc(bound);
    REQUIRE(bound > 0 && bytes != NULL);
    size_t length = gn_h1_response_trailers_write(staged, staged_length, title_case, bytes);
    CHECK(length <= bound);
    CHECK_BYTES(bytes, length, text);
    free(bytes);
    staged_length = 0;
}

TEST(C18_trailer_sections)
{
    check_trailers(false, "0\r\n\r\n");
    stage(GN_FIELD_ETAG, "", "1");
    stage(GN_FIELD_ETAG, "eTAG", "");
    check_trailers(false, "0\r\netag: 1\r\neTAG: \r\n\r\n");
    stage(GN_FIELD_ETAG, "", "1");
    stage(GN_FIELD_TRANSFER_ENCODING, "", "gzip"); // would mean something to who reads it
    stage(GN_FIELD_OTHER, "own", "2");
    check_trailers(true, "0\r\nEtag: 1\r\nown: 2\r\n\r\n");
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
        CHECK_EQ(gn_h1_response_trailers_bound(copy, length), 0);
        response.reason = true;
        CHECK_EQ(gn_h1_response_bound(&response), 0);
    }
    free(copy);
    // A reason phrase is wanted, and something else stands there, or nothing.
    CHECK_EQ(gn_h1_response_bound(&(struct gn_h1_response){.fields = staged, .fields_length = whole, .reason = true}),
             0);
    CHECK_EQ(gn_h1_response_bound(&(struct gn_h1_response){.fields = staged, .reason = true}), 0);
    staged_length = 0;
    stage(GN_FIELD_OTHER, "name", "value");
    CHECK_EQ(gn_h1_response_bound(
                 &(struct gn_h1_response){.fields = staged, .fields_length = staged_length, .reason = true}),
             0);
    staged_length = 0;
    stage(GN_FIELD_OTHER, "", "reason");
    stage(GN_FIELD_OTHER, "", "another");
    CHECK_EQ(gn_h1_response_bound(
                 &(struct gn_h1_response){.fields = staged, .fields_length = staged_length, .reason = true}),
             0);
    staged_length = 0;
    stage(GN_FIELD_NAME_COUNT, "x", "");
    CHECK_EQ(gn_h1_response_bound(&(struct gn_h1_response){.fields = staged, .fields_length = staged_length}), 0);
    staged_length = 0;
    stage(GN_FIELD_OTHER, "", "x");
    CHECK_EQ(gn_h1_response_bound(&(struct gn_h1_response){.fields = staged, .fields_length = staged_length}), 0);
    staged_length = 0;
}

TEST_MAIN()
