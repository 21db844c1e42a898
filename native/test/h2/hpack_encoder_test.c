#include "h2/hpack_encoder.h"

#include "h2/hpack_decoder.h"
#include "h2/hpack_tables.h"
#include "http/field_name.h"
#include "test.h"

static struct gn_memory memory;
static struct gn_hpack_encoder encoder;
static struct gn_hpack_decoder decoder;
static uint8_t block[65536], octets[400000];
static uint8_t *at;
static struct gn_hpack_field fields[256];
static struct gn_hpack_list list = {.octets = octets, .fields = fields, .fields_max = 256, .size_max = 200000};

static void begin(void)
{
    gn_hpack_encoder_start(&encoder, &memory);
    gn_hpack_decoder_start(&decoder, &memory, 4096);
}

static void end(void)
{
    gn_hpack_encoder_end(&encoder);
    gn_hpack_decoder_end(&decoder);
    CHECK_EQ(memory.used, 0);
}

static void begin_block(void)
{
    at = gn_hpack_encode_begin(&encoder, block);
}

/* Writes a field into room of exactly what it may take. Returns how many bytes it took. */
static size_t put(uint16_t token, const char *name, size_t name_length, const char *value, size_t value_length)
{
    size_t text_length = name_length;
    if (token != GN_FIELD_OTHER)
        gn_field_name_text((enum gn_field_name)token, &text_length);
    size_t room = gn_hpack_field_max(text_length, value_length);
    uint8_t *exact = malloc(room);
    REQUIRE(exact != NULL);
    size_t used = (size_t)(gn_hpack_encode_field(&encoder, exact, token, (const uint8_t *)name, name_length,
                                                 (const uint8_t *)value, value_length) -
                           exact);
    CHECK(used <= room);
    memcpy(at, exact, used);
    at += used;
    free(exact);
    return used;
}

static size_t put_text(uint16_t token, const char *name, const char *value)
{
    return put(token, name, strlen(name), value, strlen(value));
}

static void decode(void)
{
    CHECK_EQ(gn_hpack_decode(&decoder, block, (size_t)(at - block), &list), GN_HPACK_OK);
    CHECK(!list.malformed);
    CHECK(!list.too_large);
    CHECK_EQ(decoder.table.size, encoder.table.size);
    CHECK_EQ(decoder.table.count, encoder.table.count);
}

static void is(uint32_t index, const char *name, const char *value)
{
    REQUIRE(index < list.count);
    CHECK_BYTES(octets + fields[index].name, fields[index].name_length, name);
    CHECK_BYTES(octets + fields[index].value, fields[index].value_length, value);
}

TEST(what_repeats_becomes_one_octet)
{
    begin();
    for (unsigned message = 0; message < 4; message++) {
        begin_block();
        at = gn_hpack_encode_status(&encoder, at, 200);
        size_t type = put_text(GN_FIELD_CONTENT_TYPE, "", "text/plain; charset=utf-8");
        size_t own = put_text(GN_FIELD_OTHER, "X-Own", "always the same");
        CHECK(message < 2 ? type > 10 && own > 10 : type == 1 && own == 1);
        decode();
        CHECK_EQ(list.count, 3);
        is(0, ":status", "200");
        is(1, "content-type", "text/plain; charset=utf-8");
        is(2, "x-own", "always the same");
    }
    end();
}

TEST(what_changes_takes_no_entry)
{
    begin();
    for (unsigned message = 0; message < 1000; message++) {
        char id[32];
        snprintf(id, sizeof(id), "%u", message);
        begin_block();
        put_text(GN_FIELD_CONTENT_LENGTH, "", id);
        put_text(GN_FIELD_OTHER, "x-id", id);
        decode();
        is(0, "content-length", id);
        is(1, "x-id", id);
    }
    CHECK_EQ(encoder.table.count, 0);
    end();
}

TEST(who_somebody_is_is_never_indexed)
{
    begin();
    for (unsigned message = 0; message < 3; message++) {
        begin_block();
        put_text(GN_FIELD_SET_COOKIE, "", "session=1");
        CHECK_EQ(block[0], 0x1f); // never indexed, by the static name
        put_text(GN_FIELD_AUTHORIZATION, "", "Basic YTpi");
        decode();
        is(0, "set-cookie", "session=1");
        is(1, "authorization", "Basic YTpi");
    }
    CHECK_EQ(encoder.table.count, 0);
    end();
}

TEST(every_status)
{
    begin();
    for (unsigned run = 0; run < 3; run++) {
        for (unsigned status = 100; status < 1000; status++) {
            char digits[16];
            begin_block();
            at = gn_hpack_encode_status(&encoder, at, status);
            CHECK(at - block <= (ptrdiff_t)GN_HPACK_STATUS_MAX);
            decode();
            snprintf(digits, sizeof(digits), "%u", status);
            is(0, ":status", digits);
        }
    }
    end();
}

TEST(the_size_of_the_table_is_told)
{
    begin();
    for (unsigned message = 0; message < 2; message++) {
        begin_block();
        put_text(GN_FIELD_SERVER, "", "gannet");
        decode();
    }
    CHECK_EQ(encoder.table.count, 1);
    gn_hpack_decoder_allow(&decoder, 0);
    gn_hpack_encoder_allow(&encoder, 0);
    gn_hpack_decoder_allow(&decoder, 2048);
    gn_hpack_encoder_allow(&encoder, 2048);
    begin_block();
    CHECK_EQ(block[0], 0x20); // 0 in between
    CHECK_EQ(put_text(GN_FIELD_SERVER, "", "gannet") > 1, true);
    decode();
    CHECK_EQ(decoder.table.max_size, 2048);
    gn_hpack_encoder_allow(&encoder, 1 << 20); // no more than is made use of
    gn_hpack_decoder_allow(&decoder, 65535);
    begin_block();
    decode();
    CHECK_EQ(decoder.table.max_size, 4096);
    gn_hpack_encoder_allow(&encoder, 0);
    for (unsigned message = 0; message < 3; message++) {
        begin_block();
        put_text(GN_FIELD_SERVER, "", "gannet");
        decode();
        is(0, "server", "gannet");
    }
    end();
}

TEST(without_memory_nothing_is_indexed)
{
    begin();
    memory.fail_from = 1;
    for (unsigned message = 0; message < 3; message++) {
        begin_block();
        put_text(GN_FIELD_SERVER, "", "gannet");
        decode();
        is(0, "server", "gannet");
    }
    memory.fail_from = 0;
    CHECK_EQ(encoder.table.count, 0);
    end();
}

static uint64_t random_state = 11;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(random_state >> 33) % below;
}

TEST(any_fields_come_back)
{
    static char names[40][64], values[40][3000];
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    begin();
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned n = 0; n <= i; n++)
            names[i][n] = characters[next_random(sizeof(characters) - 1)];
        for (unsigned n = 0; n < i * i; n++)
            values[i][n] = (char)('!' + next_random(90));
    }
    for (unsigned message = 0; message < 3000; message++) {
        unsigned chosen[20], count = next_random(20);
        if (next_random(50) == 0) {
            uint32_t size = next_random(5000);
            gn_hpack_decoder_allow(&decoder, size);
            gn_hpack_encoder_allow(&encoder, size);
        }
        begin_block();
        for (unsigned i = 0; i < count; i++) {
            chosen[i] = next_random(40);
            put_text(GN_FIELD_OTHER, names[chosen[i]], values[chosen[i]]);
        }
        decode();
        CHECK_EQ(list.count, count);
        for (unsigned i = 0; i < count && i < list.count; i++)
            is(i, names[chosen[i]], values[chosen[i]]);
    }
    CHECK(encoder.table.inserted > 100);
    end();
}

TEST_MAIN()
