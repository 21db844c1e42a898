#include "h2/peer.h"
#include "h2/session.h"

/* What comes again is taken from what was kept: it must say what it would say anew. */

#define INDEXED "=2\n=6\n=4\n" /* GET, http, / */
#define POST_OF_4 "=3\n=6\n=4\n:authority: h\ncontent-length: 4\n"
#define OK_5(stream, more) "HEADERS " #stream " :status: 200 | " more "content-length: 5\nDATA " #stream " END hello\n"

static struct driver driver;
static struct peer peer;

static void begin(void)
{
    driver_prepare(&driver);
    peer_start(&peer, &driver);
}

static void end(void)
{
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

static struct driver_exchange *request(uint32_t stream, unsigned flags, const char *fields)
{
    peer_headers(&peer, stream, flags, fields);
    peer_send(&peer);
    return driver_exchange(&driver, driver.exchange_count - 1);
}

static bool is_kept(void)
{
    const struct gn_connection *connection =
        gn_connection_find(&driver.loop->context, driver_exchange(&driver, 0)->connection);
    return connection->h2->repeat.head != NULL;
}

static void check_fields(struct driver_exchange *exchange, const char *expected)
{
    char *fields = driver_fields(&driver, exchange->head_block);
    CHECK_BYTES(fields, strlen(fields), expected);
    free(fields);
}

TEST(a_request_is_the_same_each_time)
{
    begin();
    request(1, GN_H2_END_STREAM, PEER_GET "+a: first\n");
    for (uint32_t i = 0; i < 6; i++) {
        struct driver_exchange *exchange = request(3 + 2 * i, GN_H2_END_STREAM, INDEXED ":authority: h\n=62\n");
        CHECK_EQ(is_kept(), i > 0);
        CHECK_EQ(exchange->method, GN_METHOD_GET);
        CHECK_EQ(exchange->version, 20);
        CHECK(exchange->ended);
        CHECK_BYTES(exchange->target, strlen(exchange->target), "/");
        check_fields(exchange, "a: first\n");
    }
    CHECK_EQ(driver.exchange_count, 7);
    end();
}

TEST(an_index_means_another_field_once_the_table_has_changed)
{
    begin();
    request(1, GN_H2_END_STREAM, PEER_GET "+a: first\n");
    for (uint32_t i = 0; i < 3; i++)
        check_fields(request(3 + 2 * i, GN_H2_END_STREAM, PEER_GET "=62\n"), "a: first\n");
    check_fields(request(9, GN_H2_END_STREAM, PEER_GET "+a: second\n"), "a: second\n");
    for (uint32_t i = 0; i < 3; i++)
        check_fields(request(11 + 2 * i, GN_H2_END_STREAM, PEER_GET "=62\n"), "a: second\n");
    // Trailers change it as well.
    request(17, 0, PEER_POST);
    peer_headers(&peer, 17, GN_H2_END_STREAM, "+a: third\n");
    peer_send(&peer);
    check_fields(request(19, GN_H2_END_STREAM, PEER_GET "=62\n"), "a: third\n");
    end();
}

TEST(what_inserts_is_never_kept)
{
    begin();
    for (uint32_t i = 0; i < 5; i++) {
        request(1 + 2 * i, GN_H2_END_STREAM, PEER_GET "+a: b\n");
        CHECK(!is_kept());
    }
    check_fields(request(11, GN_H2_END_STREAM, PEER_GET "=62\n=66\n"), "a: b\na: b\n"); // it came five times
    end();
}

TEST(what_did_not_fit_into_the_table_is_inserted_once_it_does)
{
    static const uint8_t none[] = {0x20, 0x82, 0x86, 0x84}, all[] = {0x3f, 0xe1, 0x1f, 0x82, 0x86, 0x84};
    begin();
    peer_frame(&peer, GN_H2_HEADERS, GN_H2_END_STREAM | GN_H2_END_HEADERS, 1, none, sizeof(none));
    peer_send(&peer);
    for (uint32_t id = 3; id <= 7; id += 2)
        request(id, GN_H2_END_STREAM, INDEXED ":authority: h\n+a: b\n");
    CHECK(is_kept());
    peer_frame(&peer, GN_H2_HEADERS, GN_H2_END_STREAM | GN_H2_END_HEADERS, 9, all, sizeof(all));
    peer_send(&peer);
    request(11, GN_H2_END_STREAM, INDEXED ":authority: h\n+a: b\n");
    check_fields(request(13, GN_H2_END_STREAM, INDEXED ":authority: h\n=62\n"), "a: b\n");
    CHECK_EQ(driver.exchange_count, 5);
    EXPECT_ALIVE((peer_forget(&peer), &peer));
    driver_release_all(&driver);
    end();
}

TEST(the_end_of_the_stream_is_no_part_of_it)
{
    begin();
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(request(1 + 4 * i, GN_H2_END_STREAM, PEER_GET)->ended);
        struct driver_exchange *exchange = request(3 + 4 * i, 0, PEER_GET);
        CHECK(!exchange->ended);
        peer_data(&peer, 3 + 4 * i, GN_H2_END_STREAM, "body");
        peer_send(&peer);
        CHECK(exchange->ended && exchange->body_length == 4);
    }
    end();
}

TEST(H3_a_length_is_judged_each_time)
{
    begin();
    for (uint32_t i = 0; i < 3; i++) {
        request(1 + 2 * i, 0, POST_OF_4);
        peer_data(&peer, 1 + 2 * i, GN_H2_END_STREAM, "body");
        EXPECT(&peer, "");
    }
    CHECK(is_kept());
    peer_headers(&peer, 7, GN_H2_END_STREAM, POST_OF_4);
    EXPECT(&peer, "RST_STREAM 7 PROTOCOL_ERROR\n");
    request(9, 0, POST_OF_4);
    peer_data(&peer, 9, GN_H2_END_STREAM, "bodies");
    EXPECT(&peer, "RST_STREAM 9 PROTOCOL_ERROR\n");
    CHECK_EQ(driver.exchange_count, 4);
    end();
}

TEST(what_is_refused_is_refused_each_time)
{
    begin();
    for (uint32_t i = 0; i < 4; i++)
        peer_headers(&peer, 1 + 2 * i, GN_H2_END_STREAM, PEER_FIELDS("GET") "connection: x\n");
    EXPECT(&peer, "RST_STREAM 1 PROTOCOL_ERROR\nRST_STREAM 3 PROTOCOL_ERROR\nRST_STREAM 5 PROTOCOL_ERROR\n"
                  "RST_STREAM 7 PROTOCOL_ERROR\n");
    CHECK_EQ(driver.exchange_count, 0);
    end();
}

/* ---- responses ---- */

static void answer(uint32_t stream, const char *name, const char *value)
{
    struct driver_exchange *exchange = request(stream, GN_H2_END_STREAM, PEER_GET);
    struct driver_staged staged = {.length = 0};
    driver_field(&staged, 0, name, value);
    driver_say_last(&driver, exchange, true,
                    (struct gn_command){.kind = GN_COMMAND_RESPOND, .flags = GN_FLAG_END, .status = 200, .value = -1},
                    &staged, "hello", 5);
}

TEST(a_response_is_the_same_each_time)
{
    begin();
    for (uint32_t i = 0; i < 4; i++) {
        answer(1 + 8 * i, "a", "one");
        answer(3 + 8 * i, "a", "one");
        answer(5 + 8 * i, "a", "one");
        answer(7 + 8 * i, "a", i & 1 ? "two" : "six"); // as long, and then indexed as well
    }
    EXPECT(&peer, OK_5(1, "a: one | ") OK_5(3, "a: one | ") OK_5(5, "a: one | ") OK_5(7, "a: six | ") //
           OK_5(9, "a: one | ") OK_5(11, "a: one | ") OK_5(13, "a: one | ") OK_5(15, "a: two | ")     //
           OK_5(17, "a: one | ") OK_5(19, "a: one | ") OK_5(21, "a: one | ") OK_5(23, "a: six | ")    //
           OK_5(25, "a: one | ") OK_5(27, "a: one | ") OK_5(29, "a: one | ") OK_5(31, "a: two | "));
    end();
}

TEST(the_table_of_the_client_may_become_smaller_meanwhile)
{
    begin();
    for (uint32_t i = 0; i < 4; i++)
        answer(1 + 2 * i, "a", "one");
    peer_setting(&peer, GN_H2_HEADER_TABLE_SIZE, 0);
    peer_send(&peer);
    peer_forget(&peer);
    for (uint32_t i = 0; i < 3; i++)
        answer(9 + 2 * i, "a", "one");
    EXPECT(&peer, OK_5(9, "a: one | ") OK_5(11, "a: one | ") OK_5(13, "a: one | "));
    end();
}

TEST(C12_a_date_is_never_an_old_one)
{
    driver_prepare(&driver);
    driver.shared->listener.date = 1;
    peer_start(&peer, &driver);
    char before[40] = "";
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t j = 0; j < 3; j++)
            answer(1 + 6 * i + 2 * j, "a", "one");
        peer_send(&peer);
        const char *date = strstr(peer.text, "date: ");
        REQUIRE(date != NULL);
        CHECK(strncmp(before, date, 6 + GN_DATE_LENGTH) != 0);
        for (const char *next = date; next != NULL; next = strstr(next + 1, "date: "))
            CHECK(strncmp(date, next, 6 + GN_DATE_LENGTH) == 0);
        strncpy(before, date, 6 + GN_DATE_LENGTH);
        peer_forget(&peer);
        driver.loop->context.date.text[5] = (char)('4' + i); // as if a second had gone by: 40 Nov and so on
    }
    end();
}

/* ---- what is kept holds for one state of the table ---- */

static const uint8_t block[] = {0x82, 0x86, 0x84}, head[64];

/* Notes the block as often as it takes to keep it. */
static void keep(struct gn_h2_repeat *repeat, struct gn_memory *memory, const struct gn_hpack_decoder *decoder)
{
    struct gn_h2_request request = {0};
    for (unsigned i = 0; i < 2; i++)
        gn_h2_repeat_note(repeat, memory, decoder, decoder->table.inserted, decoder->table.count, block, sizeof(block),
                          &request, gn_h2_priority_default, head, sizeof(head));
}

TEST(a_request_is_kept_for_one_state_of_the_table)
{
    struct gn_memory memory = {0};
    struct gn_hpack_decoder decoder;
    struct gn_h2_repeat repeat = {0};
    gn_hpack_decoder_start(&decoder, &memory, 4096);
    keep(&repeat, &memory, &decoder);
    CHECK(gn_h2_repeat_is(&repeat, &decoder, block, sizeof(block)));
    CHECK(!gn_h2_repeat_is(&repeat, &decoder, block, sizeof(block) - 1));
    CHECK(!gn_h2_repeat_is(&repeat, &decoder, (const uint8_t *)"\x82\x86\x85", sizeof(block)));
    decoder.table.inserted++; // as in a full table, where one goes for one that comes
    CHECK(!gn_h2_repeat_is(&repeat, &decoder, block, sizeof(block)));
    decoder.table.inserted--;
    decoder.table.count++; // as where it was made smaller
    CHECK(!gn_h2_repeat_is(&repeat, &decoder, block, sizeof(block)));
    decoder.table.count--;
    decoder.must_resize = true; // what it leaves out is an error
    CHECK(!gn_h2_repeat_is(&repeat, &decoder, block, sizeof(block)));
    gn_h2_repeat_end(&repeat, &memory);
    gn_hpack_decoder_end(&decoder);
    CHECK_EQ(memory.used, 0);
}

TEST(a_request_that_changed_the_table_is_not_kept)
{
    struct gn_memory memory = {0};
    struct gn_hpack_decoder decoder;
    struct gn_h2_request request = {0};
    for (unsigned i = 0; i < 3; i++) {
        struct gn_h2_repeat repeat = {0};
        uint8_t resizing[] = {0x20, 0x82, 0x86};
        gn_hpack_decoder_start(&decoder, &memory, 4096);
        for (unsigned j = 0; j < 3; j++)
            gn_h2_repeat_note(&repeat, &memory, &decoder, decoder.table.inserted - (i == 0),
                              decoder.table.count + (i == 1), i == 2 ? resizing : block, sizeof(block), &request,
                              gn_h2_priority_default, head, sizeof(head));
        CHECK(repeat.head == NULL);
        gn_hpack_decoder_end(&decoder);
    }
    CHECK_EQ(memory.used, 0);
}

TEST(a_response_is_kept_for_one_state_of_the_table)
{
    struct gn_memory memory = {0};
    struct gn_hpack_encoder encoder;
    struct gn_h2_response_repeat repeat = {0};
    const struct gn_h2_response response = {.status = 200, .fields = (const uint8_t *)""};
    uint8_t to[256];
    gn_hpack_encoder_start(&encoder, &memory);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(gn_h2_response_repeat_write(&repeat, &response, &encoder, to), 1);
    CHECK_EQ(repeat.block_length, 1);
    repeat.block[0] = 0xff; // shows whether it is used
    gn_h2_response_repeat_write(&repeat, &response, &encoder, to);
    CHECK_EQ(to[0], 0xff);
    encoder.table.inserted++;
    gn_h2_response_repeat_write(&repeat, &response, &encoder, to);
    CHECK_EQ(to[0], 0x88);
    repeat.block[0] = 0xff;
    encoder.table.count++;
    gn_h2_response_repeat_write(&repeat, &response, &encoder, to);
    CHECK_EQ(to[0], 0x88);
    encoder.table.count--;
    gn_h2_response_repeat_write(&repeat, &response, &encoder, to);
    repeat.block[0] = 0xff;
    gn_hpack_encoder_allow(&encoder, 100); // is to be told before anything else
    CHECK(gn_h2_response_repeat_write(&repeat, &response, &encoder, to) > 1);
    CHECK_EQ(gn_h2_response_repeat_write(&repeat, &response, &encoder, to), 1); // once
    CHECK_EQ(to[0], 0x88);
    gn_hpack_encoder_end(&encoder);
    CHECK_EQ(memory.used, 0);
}

TEST_MAIN()
