#include "h2/hpack_decoder.h"

#include "h2/hpack_tables.h"
#include "test.h"

#define SIZE_MAX_HERE 4096U

static struct gn_memory memory;
static struct gn_hpack_decoder decoder;
static struct gn_hpack_list list;
static struct gn_hpack_field fields[64];
static char printed[8192];

static void begin(uint32_t allowed)
{
    gn_hpack_decoder_start(&decoder, &memory, allowed);
    list = (struct gn_hpack_list){.fields = fields, .fields_max = 64, .size_max = SIZE_MAX_HERE};
}

static void end(void)
{
    gn_hpack_decoder_end(&decoder);
    CHECK_EQ(memory.used, 0);
}

/* Decodes from a block of exactly its length into room of exactly what is said to be needed. */
static enum gn_hpack_status decode(const uint8_t *block, size_t length)
{
    uint8_t *exact = malloc(length + 1);
    REQUIRE(exact != NULL);
    memcpy(exact + 1, block, length);
    size_t needed = gn_hpack_octets_needed(&decoder, list.size_max, length);
    list.octets = malloc(needed);
    REQUIRE(list.octets != NULL);
    enum gn_hpack_status status = gn_hpack_decode(&decoder, exact + 1, length, &list);
    char *at = printed;
    *at = 0;
    for (uint32_t i = 0; i < list.count && status == GN_HPACK_OK; i++) {
        const struct gn_hpack_field *field = &fields[i];
        at += snprintf(at, sizeof(printed) - (size_t)(at - printed), "%.*s: %.*s\n", (int)field->name_length,
                       (const char *)list.octets + field->name, (int)field->value_length,
                       (const char *)list.octets + field->value);
    }
    free(list.octets);
    free(exact);
    return status;
}

static enum gn_hpack_status decode_hex(const char *hex)
{
    uint8_t block[1024];
    size_t length = 0;
    for (const char *at = hex; *at != 0; at += *at == ' ' ? 1 : 2) {
        unsigned value;
        if (*at != ' ' && sscanf(at, "%2x", &value) == 1)
            block[length++] = (uint8_t)value;
    }
    return decode(block, length);
}

static void gives(const char *hex, const char *expected, uint32_t table_size, int line)
{
    CHECK_EQ(decode_hex(hex), GN_HPACK_OK);
    if (strcmp(printed, expected) != 0 || decoder.table.size != table_size) {
        test_fail(__FILE__, line);
        fprintf(stderr, "got\n%stable %u, expected\n%stable %u\n", printed, decoder.table.size, expected, table_size);
    }
}
#define GIVES(hex, expected, table_size) gives(hex, expected, table_size, __LINE__)

/* RFC 7541 Appendix C.2. */
TEST(each_representation)
{
    begin(4096);
    GIVES("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "custom-key: custom-header\n", 55);
    end();
    begin(4096);
    GIVES("040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path\n", 0);
    GIVES("1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret\n", 0);
    GIVES("82", ":method: GET\n", 0);
    end();
}

/* Appendix C.3 and C.4: the same three requests, plain and by Huffman code. */
TEST(requests_one_behind_the_other)
{
    static const char *const blocks[2][3] = {
        {"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 84be 5808 6e6f 2d63 6163 6865",
         "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"},
        {"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", "8286 84be 5886 a8eb 1064 9cbf",
         "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"},
    };
    for (unsigned i = 0; i < 2; i++) {
        begin(4096);
        GIVES(blocks[i][0], ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n", 57);
        GIVES(blocks[i][1],
              ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache\n", 110);
        GIVES(
            blocks[i][2],
            ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n",
            164);
        end();
    }
}

/* Appendix C.5 and C.6: a table of 256 bytes, from which entries go. */
TEST(responses_with_a_small_table)
{
    static const char *const blocks[2][3] = {
        {"4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d"
         "546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
         "4803 3330 37c1 c0bf",
         "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f"
         "6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b"
         "2076 6572 7369 6f6e 3d31"},
        {"4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7"
         "8f0b 97c8 e9ae 82ae 43d3",
         "4883 640e ffc1 c0bf",
         "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335"
         "dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07"},
    };
    for (unsigned i = 0; i < 2; i++) {
        begin(256);
        GIVES(blocks[i][0],
              ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
              "location: https://www.example.com\n",
              222);
        GIVES(blocks[i][1],
              ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
              "location: https://www.example.com\n",
              222);
        GIVES(blocks[i][2],
              ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n"
              "location: https://www.example.com\ncontent-encoding: gzip\n"
              "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n",
              215);
        end();
    }
}

TEST(errors_of_compression)
{
    static const struct {
        const char *hex;
        enum gn_hpack_status status;
    } cases[] = {
        {"80", GN_HPACK_BAD_INDEX},
        {"be", GN_HPACK_BAD_INDEX},                       // 62, and the table is empty
        {"ff80 8080 8001", GN_HPACK_BAD_INTEGER},         // five octets behind the prefix
        {"ff", GN_HPACK_BAD_INTEGER},                     // cut off
        {"7eff", GN_HPACK_BAD_INDEX},                     // name 62
        {"0003 6161", GN_HPACK_BAD_STRING},               // a name longer than the block
        {"0001 61", GN_HPACK_BAD_STRING},                 // no value
        {"0001 617f ffff ffff 7f", GN_HPACK_BAD_INTEGER}, // a value of more than 2^28
        {"0082 ffff 00", GN_HPACK_BAD_STRING},            // padding of two octets
        {"3fe2 1f", GN_HPACK_BAD_RESIZE},                 // 4097
        {"8220", GN_HPACK_BAD_RESIZE},                    // behind a field
        {"2020 20", GN_HPACK_BAD_RESIZE},                 // three
        {"2020", GN_HPACK_OK},                            //
        {"3fe1 1f", GN_HPACK_OK},                         // 4096
        {"", GN_HPACK_OK},                                //
        {"0084 ffff ffff 00", GN_HPACK_BAD_STRING},       // EOS
        {"0f80 8080 8080 00", GN_HPACK_BAD_INTEGER},      // zeros without end
        {"4000 00", GN_HPACK_OK},                         // an empty name is malformed, not out of step
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin(4096);
        enum gn_hpack_status status = decode_hex(cases[i].hex);
        if (status != cases[i].status) {
            test_fail(__FILE__, __LINE__);
            fprintf(stderr, "%s: %s\n", cases[i].hex, gn_hpack_text(status));
        }
        end();
    }
}

TEST(H2_a_malformed_field_is_told_and_the_table_stays_in_step)
{
    begin(4096);
    CHECK_EQ(decode_hex("4001 4101 62"), GN_HPACK_OK); // A: b, kept in the table
    CHECK(list.malformed);
    CHECK_EQ(decode_hex("4001 6101 0a"), GN_HPACK_OK); // a: LF
    CHECK(list.malformed);
    CHECK_EQ(decode_hex("4001 6102 2062"), GN_HPACK_OK); // a: SP b
    CHECK(list.malformed);
    CHECK_EQ(decode_hex("4001 6102 6209"), GN_HPACK_OK); // a: b HTAB
    CHECK(list.malformed);
    CHECK_EQ(decode_hex("4001 6103 6209 63"), GN_HPACK_OK); // a: b HTAB c
    CHECK(!list.malformed);
    CHECK_EQ(decode_hex("be"), GN_HPACK_OK);
    CHECK(!list.malformed);
    for (unsigned age = 2; age <= 5; age++) { // each of the others still is
        uint8_t index = (uint8_t)(0x80 | (GN_HPACK_STATIC_COUNT + age));
        CHECK_EQ(decode(&index, 1), GN_HPACK_OK);
        CHECK(list.malformed);
    }
    CHECK_EQ(decode_hex("0f33 0163"), GN_HPACK_OK); // the name of the fifth, with another value
    CHECK(list.malformed);
    CHECK_EQ(decode_hex("0f32 0163"), GN_HPACK_OK); // of the fourth: only its value was at fault
    CHECK(!list.malformed);
    CHECK_EQ(decode_hex("8200 0361 2062 0001 613a"), GN_HPACK_BAD_STRING);
    end();
}

TEST(names_have_tokens)
{
    begin(4096);
    CHECK_EQ(decode_hex("82 0004 3a66 6f6f 00 0004 686f 7374 0161 0008 782d 6f74 6865 7221 00"), GN_HPACK_OK);
    CHECK_EQ(list.count, 4);
    CHECK_EQ(fields[0].token, GN_PSEUDO_METHOD);
    CHECK_EQ(fields[1].token, GN_PSEUDO_UNKNOWN);
    CHECK_EQ(fields[2].token, GN_FIELD_HOST);
    CHECK_EQ(fields[3].token, GN_FIELD_OTHER);
    end();
}

TEST(J5_a_list_over_its_limits_is_told_and_the_table_stays_in_step)
{
    begin(4096);
    list.size_max = 2 * (32 + 2);
    GIVES("4001 6101 31 4001 6201 32", "a: 1\nb: 2\n", 68);
    CHECK(!list.too_large);
    GIVES("bebf 4001 6301 33", "b: 2\na: 1\n", 102);
    CHECK(list.too_large);
    GIVES("be", "c: 3\n", 102);
    list.size_max = SIZE_MAX_HERE;
    list.fields_max = 2;
    GIVES("bebf", "c: 3\nb: 2\n", 102);
    CHECK(!list.too_large);
    GIVES("bebf c0", "c: 3\nb: 2\n", 102);
    CHECK(list.too_large);
    end();
}

TEST(J5_references_to_a_large_entry_are_not_copied_beyond_the_limit)
{
    begin(4096);
    uint8_t block[16384] = {0x40, 1, 'a', 0x7f, 0x81, 0x1e};
    memset(block + 6, 'x', 4000); // 127 + 1 + 30 * 128 = 3968
    CHECK_EQ(decode(block, 6 + 3968), GN_HPACK_OK);
    memset(block, 0xbe, sizeof(block));
    CHECK_EQ(decode(block, sizeof(block)), GN_HPACK_OK);
    CHECK(list.too_large);
    CHECK_EQ(list.count, 1);
    end();
}

TEST(the_table_becomes_smaller_as_agreed)
{
    begin(4096);
    GIVES("4001 6101 31 4001 6201 32", "a: 1\nb: 2\n", 68);
    gn_hpack_decoder_allow(&decoder, 40);
    CHECK_EQ(decode_hex("82"), GN_HPACK_NO_RESIZE);
    GIVES("3f09 be", "b: 2\n", 34); // 40
    CHECK_EQ(decode_hex("3f0a"), GN_HPACK_BAD_RESIZE);
    GIVES("20", "", 0);
    GIVES("4001 6101 31", "a: 1\n", 0); // larger than the table
    gn_hpack_decoder_allow(&decoder, 4096);
    GIVES("82", ":method: GET\n", 0);
    GIVES("3fe1 1f 4001 6101 31", "a: 1\n", 34);
    end();
}

TEST(every_block_cut_anywhere_is_safe)
{
    static const char hex[] =
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f";
    for (size_t length = 0; length <= sizeof(hex) - 1; length += 2) {
        char cut[sizeof(hex)];
        memcpy(cut, hex, length);
        cut[length] = 0;
        begin(128);
        decode_hex(cut);
        end();
    }
}

TEST(no_memory_is_told)
{
    for (uint64_t fail = 1; fail <= 2; fail++) {
        begin(4096);
        memory.count = 0;
        memory.fail_from = fail;
        CHECK_EQ(decode_hex("4001 6101 31"), GN_HPACK_NO_MEMORY);
        memory.fail_from = 0;
        end();
    }
}

/* Random blocks, the table against a model that keeps every entry apart. */
TEST(the_table_holds_what_a_simple_model_holds)
{
    static struct {
        uint8_t octets[64];
        size_t name_length, value_length;
    } model[4096];
    struct gn_hpack_table table;
    uint64_t state = 7;
    gn_hpack_table_start(&table, &memory, 700);
    size_t inserted = 0, kept = 0, size = 0;
    for (unsigned run = 0; run < 4000; run++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        if (state >> 58 == 0) {
            uint32_t most = (uint32_t)(state >> 40) % 900;
            gn_hpack_table_resize(&table, most);
        } else {
            size_t name_length = (state >> 40) % 30, value_length = (state >> 48) % 34;
            model[inserted].name_length = name_length;
            model[inserted].value_length = value_length;
            memset(model[inserted].octets, (int)(run % 251), 64);
            uint8_t *octets = model[inserted].octets;
            CHECK(gn_hpack_table_insert(&table, octets, name_length, octets + name_length, value_length, 3, 0));
            inserted++;
            kept++;
            size += name_length + value_length + 32;
        }
        while (size > table.max_size) {
            size -= model[inserted - kept].name_length + model[inserted - kept].value_length + 32;
            kept--;
        }
        CHECK_EQ(table.count, kept);
        CHECK_EQ(table.size, size);
        for (uint32_t age = 1; age <= kept && kept == table.count; age++) {
            const struct gn_hpack_entry *entry = gn_hpack_table_entry(&table, age);
            CHECK_EQ(entry->name_length, model[inserted - age].name_length);
            CHECK(memcmp(table.octets + entry->start, model[inserted - age].octets,
                         (size_t)entry->name_length + entry->value_length) == 0);
        }
    }
    gn_hpack_table_end(&table);
    CHECK_EQ(memory.used, 0);
}

TEST_MAIN()
