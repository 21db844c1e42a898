#include "h2/peer.h"
#include "h2/session.h"

/* Responses that were prepared, over HTTP/2. */

#define OK_2(stream, length) "HEADERS " #stream " :status: 200 | content-length: " #length "\n"
#define EMPTY_OK(stream) "HEADERS " #stream " END :status: 200 | content-length: 0\n"
#define KEPT_ID gn_id(0, 7)

static struct driver driver;
static struct peer peer;

static const struct driver_staged none;

static void begin(void)
{
    driver_prepare(&driver);
    peer_start(&peer, &driver);
}

/* With a request on stream 1. */
static struct driver_exchange *begin_with(unsigned flags, const char *fields)
{
    begin();
    peer_headers(&peer, 1, flags, fields);
    EXPECT(&peer, "");
    return driver_exchange(&driver, 0);
}

static void end(void)
{
    peer_end(&peer);
    driver_close(&driver);
}

TEST(prepared_responses)
{
    begin();
    for (uint32_t stream = 1; stream <= 7; stream += 2)
        peer_headers(&peer, stream, GN_H2_END_STREAM, stream == 7 ? PEER_FIELDS("HEAD") : PEER_GET);
    EXPECT(&peer, "");
    struct driver_staged staged = {.length = 0};
    driver_field(&staged, GN_FIELD_CONTENT_TYPE, "", "text/plain");
    driver_keep(&driver, KEPT_ID, (struct gn_command){.value = 5}, &staged, "hello", 5);
    for (size_t i = 0; i < 4; i++)
        driver_send_kept(&driver, driver_exchange(&driver, i), GN_FLAG_RELEASE, KEPT_ID);
    driver_forget(&driver, KEPT_ID);
#define KEPT(stream, end) "HEADERS " #stream end " :status: 200 | content-type: text/plain | content-length: 5\n"
    EXPECT(&peer, KEPT(1, "") "DATA 1 END hello\n" KEPT(3, "") "DATA 3 END hello\n" KEPT(
                      5, "") "DATA 5 END hello\n" KEPT(7, " END"));
    CHECK_EQ(driver.shared->counters.responses, 4);
    end();
}

TEST(a_large_prepared_response_under_the_windows)
{
    static char body[200000];
    memset(body, 'p', sizeof(body));
    begin();
    peer_get(&peer, 1);
    peer_get(&peer, 3);
    EXPECT(&peer, "");
    driver_keep(&driver, KEPT_ID, (struct gn_command){.value = sizeof(body)}, &none, body, sizeof(body));
    driver_send_kept(&driver, driver_exchange(&driver, 0), GN_FLAG_RELEASE, KEPT_ID);
    driver_send_kept(&driver, driver_exchange(&driver, 1), GN_FLAG_RELEASE, KEPT_ID);
    driver_forget(&driver, KEPT_ID);
    peer_send(&peer);
    CHECK_EQ(peer_stream(&peer, 1)->body_length + peer_stream(&peer, 3)->body_length, 65535);
    peer_window_update(&peer, 0, 1000000);
    peer_window_update(&peer, 1, 1000000);
    peer_window_update(&peer, 3, 1000000);
    peer_send(&peer);
    for (uint32_t stream = 1; stream <= 3; stream += 2) {
        CHECK_EQ(peer_stream(&peer, stream)->body_length, sizeof(body));
        CHECK(peer_stream(&peer, stream)->ended);
        CHECK(peer_stream(&peer, stream)->body_length == sizeof(body) &&
              memcmp(peer_stream(&peer, stream)->body, body, sizeof(body)) == 0);
    }
    peer_forget(&peer);
    end();
}

TEST(SENT_follows_a_prepared_response)
{
    struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_GET);
    driver_keep(&driver, KEPT_ID, (struct gn_command){.value = 5}, &none, "hello", 5);
    driver_send_kept(&driver, exchange, GN_FLAG_NOTIFY, KEPT_ID);
    driver_forget(&driver, KEPT_ID);
    EXPECT(&peer, OK_2(1, 5) "DATA 1 END hello\n");
    CHECK_EQ(exchange->sents, 1);
    end();
}

TEST(C12_a_prepared_response_has_one_date)
{
    for (unsigned own = 0; own < 2; own++) {
        driver_prepare(&driver);
        driver.shared->listener.date = 1;
        peer_start(&peer, &driver);
        struct driver_staged staged = {.length = 0};
        if (own)
            driver_field(&staged, GN_FIELD_DATE, "", "mine");
        driver_keep(&driver, KEPT_ID, (struct gn_command){.value = -1}, &staged, "", 0);
        for (uint32_t i = 0; i < 2; i++) {
            peer_headers(&peer, 2 * i + 1, GN_H2_END_STREAM, i == 0 ? PEER_GET : PEER_FIELDS("HEAD"));
            peer_send(&peer);
            driver_send_kept(&driver, driver_exchange(&driver, i), GN_FLAG_RELEASE, KEPT_ID);
            peer_send(&peer);
            const char *date = peer.text_length == 0 ? NULL : strstr(peer.text, "date: ");
            CHECK(date != NULL && strstr(date + 1, "date: ") == NULL);
            CHECK(date != NULL && (strstr(date, "mine") != NULL) == (own == 1));
            peer_forget(&peer);
        }
        driver_forget(&driver, KEPT_ID);
        end();
    }
}

TEST(C6_C8_prepared_responses_without_content)
{
    static const struct {
        const char *method;
        uint16_t status;
        int64_t length;
        const char *head;
    } cases[] = {
        {PEER_GET, 204, -1, "HEADERS 1 END :status: 204\n"},
        {PEER_GET, 205, -1, "HEADERS 1 END :status: 205 | content-length: 0\n"},
        {PEER_GET, 304, -1, "HEADERS 1 END :status: 304\n"},
        {PEER_GET, 304, 5, "HEADERS 1 END :status: 304 | content-length: 5\n"},
        {PEER_FIELDS("HEAD"), 200, 5, "HEADERS 1 END :status: 200 | content-length: 5\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, cases[i].method);
        driver_keep(&driver, KEPT_ID, (struct gn_command){.status = cases[i].status, .value = cases[i].length}, &none,
                    "hello", 5);
        driver_send_kept(&driver, exchange, GN_FLAG_RELEASE, KEPT_ID);
        driver_forget(&driver, KEPT_ID);
        EXPECT(&peer, cases[i].head);
        end();
    }
    // HEAD is told of an empty body only where it was said to be empty.
    for (int said = 0; said < 2; said++) {
        struct driver_exchange *exchange = begin_with(GN_H2_END_STREAM, PEER_FIELDS("HEAD"));
        driver_keep(&driver, KEPT_ID, (struct gn_command){.value = said ? 0 : -1}, &none, "", 0);
        driver_send_kept(&driver, exchange, GN_FLAG_RELEASE, KEPT_ID);
        driver_forget(&driver, KEPT_ID);
        EXPECT(&peer, said ? EMPTY_OK(1) : "HEADERS 1 END :status: 200\n");
        end();
    }
}

TEST(prepared_responses_keep_compression_in_step)
{
    begin();
    struct driver_staged kept = {.length = 0}, own = {.length = 0};
    driver_field(&kept, GN_FIELD_SERVER, "", "kept");
    driver_field(&kept, GN_FIELD_CONTENT_TYPE, "", "text/kept");
    driver_field(&kept, GN_FIELD_OTHER, "x-kept", "kept");
    driver_field(&own, GN_FIELD_SERVER, "", "own");
    driver_field(&own, GN_FIELD_CONTENT_TYPE, "", "text/own");
    driver_field(&own, GN_FIELD_OTHER, "x-own", "own");
    driver_keep(&driver, KEPT_ID, (struct gn_command){.value = 0}, &kept, "", 0);
    peer_setting(&peer, GN_H2_HEADER_TABLE_SIZE, 1000);
    gn_hpack_decoder_allow(&peer.decoder, 1000); // so the next block must begin with the table's new size
    EXPECT(&peer, "SETTINGS ACK\n");
    for (uint32_t i = 0; i < 6; i++) {
        peer_get(&peer, 2 * i + 1);
        EXPECT(&peer, "");
        struct driver_exchange *exchange = driver_exchange(&driver, i);
        if (i % 2 == 0)
            driver_send_kept(&driver, exchange, 0, KEPT_ID);
        else
            driver_say(
                &driver, exchange,
                (struct gn_command){.kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = 200, .value = -1}, &own,
                "");
        char expected[200];
        snprintf(expected, sizeof(expected),
                 "HEADERS %u END :status: 200 | server: %s | content-type: text/%s | x-%s: %s | content-length: 0\n",
                 2 * i + 1, i % 2 ? "own" : "kept", i % 2 ? "own" : "kept", i % 2 ? "own" : "kept",
                 i % 2 ? "own" : "kept");
        EXPECT(&peer, expected);
    }
    driver_forget(&driver, KEPT_ID);
    end();
}

TEST_MAIN()
