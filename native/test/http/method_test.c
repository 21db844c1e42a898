#include "http/method.h"

#include "test.h"

static enum gn_method lookup(const char *text)
{
    // An own copy, so that a sanitizer sees a read outside of it.
    size_t length = strlen(text);
    uint8_t *copy = malloc(length);
    REQUIRE(copy != NULL || length == 0);
    if (length != 0)
        memcpy(copy, text, length);
    enum gn_method method = gn_method_lookup(copy, length);
    free(copy);
    return method;
}

TEST(every_method_with_a_token_is_found)
{
#define FOUND(name) CHECK_EQ(lookup(#name), GN_METHOD_##name);
    GN_METHODS(FOUND)
#undef FOUND
}

TEST(other_methods_are_other)
{
    static const char *const names[] = {
        "",
        "G",
        "GE",
        "GETS",
        "get",
        "Get",
        "PRI",
        "POS",
        "PUTT",
        "HEAT",
        "TRACK",
        "PATCX",
        "DELETF",
        "OPTIONZ",
        "CONNECTS",
        "PROPFIND",
        "M-SEARCH",
        "connect",
        "A-METHOD-LONGER-THAN-ANY-WITH-A-TOKEN",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK_EQ(lookup(names[i]), GN_METHOD_OTHER);
}

TEST(safe_methods)
{
    for (unsigned method = 0; method < GN_METHOD_COUNT; method++) {
        bool safe = method == GN_METHOD_GET || method == GN_METHOD_HEAD || method == GN_METHOD_OPTIONS ||
                    method == GN_METHOD_TRACE;
        CHECK_EQ(gn_method_is_safe((enum gn_method)method), safe);
    }
    CHECK(!gn_method_is_safe(GN_METHOD_OTHER));
}

TEST_MAIN()
