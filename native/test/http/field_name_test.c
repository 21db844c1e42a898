#include "http/field_name.h"

#include "test.h"

static enum gn_field_name lookup(const char *text, size_t length)
{
    // An own copy, so that a sanitizer sees a read outside of it.
    uint8_t *copy = malloc(length);
    REQUIRE(copy != NULL || length == 0);
    if (length != 0)
        memcpy(copy, text, length);
    enum gn_field_name name = gn_field_name_lookup(copy, length);
    free(copy);
    return name;
}

TEST(every_name_is_found_in_any_case)
{
    for (int name = GN_FIELD_OTHER + 1; name < GN_FIELD_NAME_COUNT; name++) {
        size_t length;
        const char *text = gn_field_name_text((enum gn_field_name)name, &length);
        char cased[64];
        CHECK_EQ(strlen(text), length);
        for (unsigned pattern = 0; pattern < 8; pattern++) {
            for (size_t i = 0; i < length; i++)
                cased[i] = text[i] >= 'a' && text[i] <= 'z' && pattern >> i % 3 & 1 ? (char)(text[i] - 32) : text[i];
            CHECK_EQ(lookup(cased, length), name);
        }
    }
}

TEST(a_name_with_any_other_octet_is_not_found)
{
    for (int name = GN_FIELD_OTHER + 1; name < GN_FIELD_NAME_COUNT; name++) {
        size_t length;
        const char *text = gn_field_name_text((enum gn_field_name)name, &length);
        for (size_t i = 0; i < length; i++) {
            for (unsigned octet = 0; octet < 256; octet++) {
                char changed[64];
                memcpy(changed, text, length);
                changed[i] = (char)octet;
                bool letter = text[i] >= 'a' && text[i] <= 'z';
                bool same = changed[i] == text[i] || (letter && changed[i] == text[i] - 32);
                enum gn_field_name found = lookup(changed, length);
                CHECK_EQ(found == (enum gn_field_name)name, same);
            }
        }
    }
}

TEST(a_name_cut_or_lengthened_is_not_found)
{
    for (int name = GN_FIELD_OTHER + 1; name < GN_FIELD_NAME_COUNT; name++) {
        size_t length;
        const char *text = gn_field_name_text((enum gn_field_name)name, &length);
        char longer[64];
        memcpy(longer, text, length);
        longer[length] = 's';
        CHECK(lookup(text, length - 1) != (enum gn_field_name)name);
        CHECK(lookup(longer, length + 1) != (enum gn_field_name)name);
        CHECK(lookup(longer + 1, length) != (enum gn_field_name)name);
    }
    CHECK_EQ(lookup("", 0), GN_FIELD_OTHER);
    CHECK_EQ(lookup("x", 1), GN_FIELD_OTHER);
    CHECK_EQ(lookup("X-A-Name-That-Is-Longer-Than-Any-Other", 38), GN_FIELD_OTHER);
}

TEST(texts)
{
    size_t length;
    CHECK_BYTES(gn_field_name_text(GN_FIELD_CONTENT_LENGTH, &length), 14, "content-length");
    CHECK_EQ(length, 14);
}

TEST(B16_names_that_may_stand_in_a_trailer_section)
{
    // Whoever adds a token decides: this list is that of those that may.
    static const enum gn_field_name allowed[] = {GN_FIELD_OTHER,
                                                 GN_FIELD_ACCEPT,
                                                 GN_FIELD_ACCEPT_ENCODING,
                                                 GN_FIELD_ACCEPT_LANGUAGE,
                                                 GN_FIELD_ACCEPT_RANGES,
                                                 GN_FIELD_ACCESS_CONTROL_ALLOW_ORIGIN,
                                                 GN_FIELD_ALLOW,
                                                 GN_FIELD_CONTENT_DISPOSITION,
                                                 GN_FIELD_CONTENT_LANGUAGE,
                                                 GN_FIELD_CONTENT_LOCATION,
                                                 GN_FIELD_ETAG,
                                                 GN_FIELD_FROM,
                                                 GN_FIELD_LAST_MODIFIED,
                                                 GN_FIELD_LINK,
                                                 GN_FIELD_ORIGIN,
                                                 GN_FIELD_PRIORITY,
                                                 GN_FIELD_REFERER,
                                                 GN_FIELD_SERVER,
                                                 GN_FIELD_STRICT_TRANSPORT_SECURITY,
                                                 GN_FIELD_USER_AGENT,
                                                 GN_FIELD_VIA,
                                                 GN_FIELD_X_REQUEST_ID};
    for (unsigned name = 0; name < GN_FIELD_NAME_COUNT; name++) {
        bool expected = false;
        for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
            expected |= allowed[i] == (enum gn_field_name)name;
        CHECK_EQ(gn_field_name_in_trailers((enum gn_field_name)name), expected);
    }
}

TEST_MAIN()
