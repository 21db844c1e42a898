#include "h2/huffman.h"

#include "h2/hpack_tables.h"
#include "test.h"

static size_t from_hex(const char *hex, uint8_t *to)
{
    size_t length = 0;
    for (const char *at = hex; at[0] != 0; at += at[0] == ' ' ? 1 : 2) {
        unsigned value;
        if (at[0] != ' ' && sscanf(at, "%2x", &value) == 1)
            to[length++] = (uint8_t)value;
    }
    return length;
}

/* RFC 7541 Appendix C.4 and C.6. */
static const struct {
    const char *text;
    const char *coded;
} examples[] = {
    {"www.example.com", "f1e3 c2e5 f23a 6ba0 ab90 f4ff"},
    {"no-cache", "a8eb 1064 9cbf"},
    {"custom-key", "25a8 49e9 5ba9 7d7f"},
    {"custom-value", "25a8 49e9 5bb8 e8b4 bf"},
    {"302", "6402"},
    {"private", "aec3 771a 4b"},
    {"Mon, 21 Oct 2013 20:13:21 GMT", "d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff"},
    {"https://www.example.com", "9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3"},
    {"307", "640e ff"},
    {"gzip", "9bd9 ab"},
    {"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
     "94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07"},
    {"", ""},
};

TEST(the_examples_of_the_rfc_both_ways)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        uint8_t coded[128], text[256], back[128];
        size_t length = from_hex(examples[i].coded, coded);
        ssize_t decoded = gn_huffman_decode(text, coded, length);
        REQUIRE(decoded >= 0);
        CHECK_BYTES(text, decoded, examples[i].text);
        size_t text_length = strlen(examples[i].text);
        CHECK_EQ(gn_huffman_coded_length((const uint8_t *)examples[i].text, text_length), length);
        CHECK_EQ(gn_huffman_encode(back, (const uint8_t *)examples[i].text, text_length) - back, length);
        CHECK(memcmp(back, coded, length) == 0);
    }
}

TEST(every_octet_comes_back_alone_and_beside_every_other)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            uint8_t text[3] = {(uint8_t)first, (uint8_t)second, (uint8_t)first}, coded[16], back[32];
            for (size_t length = 1; length <= 3; length++) {
                size_t size = (size_t)(gn_huffman_encode(coded, text, length) - coded);
                CHECK_EQ(size, gn_huffman_coded_length(text, length));
                CHECK(gn_huffman_decoded_max(size) >= length);
                if (gn_huffman_decode(back, coded, size) != (ssize_t)length || memcmp(back, text, length) != 0) {
                    test_fail(__FILE__, __LINE__);
                    fprintf(stderr, "%u %u, %zu octets\n", first, second, length);
                    return;
                }
            }
        }
    }
}

TEST(padding_is_less_than_a_byte_of_ones)
{
    static const struct {
        const char *coded;
        int decoded;
    } cases[] = {
        {"1f", 1},          // 'a' and three ones
        {"18", -1},         // zeros
        {"1e", -1},         // not all ones
        {"1fff", -1},       // a whole byte too many
        {"ff", -1},         // nothing but padding, of 8 bits
        {"ffff", -1},       //
        {"ffffffff", -1},   // EOS
        {"1fffffffff", -1}, // EOS behind an octet
        {"fffffffc", -1},   // a long code that is cut off
        {"fffffff3", 1},    // LF: 30 bits and two ones
        {"fffffff2", -1},   //
        {"fffffff3ff", -1}, // ten ones
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t coded[8], text[16];
        size_t length = from_hex(cases[i].coded, coded);
        ssize_t decoded = gn_huffman_decode(text, coded, length);
        if (decoded != cases[i].decoded) {
            test_fail(__FILE__, __LINE__);
            fprintf(stderr, "%s: %zd, expected %d\n", cases[i].coded, decoded, cases[i].decoded);
        }
    }
}

/* What a bit-by-bit reader of the code table finds, for comparison. */
static ssize_t decode_slowly(uint8_t *to, const uint8_t *coded, size_t length)
{
    size_t written = 0;
    uint64_t code = 0;
    unsigned bits = 0;
    for (size_t at = 0; at < length * 8; at++) {
        code = code << 1 | (coded[at / 8] >> (7 - at % 8) & 1);
        bits++;
        if (bits == 30 && code == 0x3fffffff)
            return -1;
        for (unsigned octet = 0; octet < 256; octet++) {
            if (gn_huffman_lengths[octet] == bits && gn_huffman_codes[octet] == code) {
                to[written++] = (uint8_t)octet;
                code = bits = 0;
                break;
            }
        }
    }
    return bits < 8 && code == (1U << bits) - 1 ? (ssize_t)written : -1;
}

TEST(any_bytes_are_read_as_the_code_table_says)
{
    uint64_t state = 1;
    for (unsigned run = 0; run < 20000; run++) {
        uint8_t coded[12], text[32], expected[32];
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        size_t length = state >> 60 & 7;
        for (size_t i = 0; i < length; i++) {
            state = state * 6364136223846793005ULL + 1442695040888963407ULL;
            coded[i] = (uint8_t)(state >> 56);
            if (state >> 40 & 1) // long codes are ones for the most part
                coded[i] |= (uint8_t)(state >> 48);
            if (state >> 41 & 1)
                coded[i] = 0xff;
        }
        ssize_t wanted = decode_slowly(expected, coded, length), decoded = gn_huffman_decode(text, coded, length);
        CHECK_EQ(decoded, wanted);
        if (decoded > 0 && decoded == wanted)
            CHECK(memcmp(text, expected, (size_t)decoded) == 0);
    }
}

TEST_MAIN()
