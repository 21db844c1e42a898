#include "base/memory.h"

#include "test.h"

/* AddressSanitizer's calloc ends the program by default where the system's returns NULL. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

TEST(memory_is_zeroed_and_counted)
{
    struct gn_memory memory = {0};
    unsigned char *first = gn_memory_allocate(&memory, 1000);
    REQUIRE(first != NULL);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(first[i], 0);
    void *second = gn_memory_allocate(&memory, 24);
    CHECK(second != NULL);
    CHECK_EQ(memory.used, 1024);
    CHECK_EQ(memory.blocks, 2);
    gn_memory_free(&memory, first, 1000);
    CHECK_EQ(memory.used, 24);
    CHECK_EQ(memory.blocks, 1);
    gn_memory_free(&memory, second, 24);
    CHECK_EQ(memory.used, 0);
    CHECK_EQ(memory.blocks, 0);
    CHECK_EQ(memory.count, 2);
}

TEST(freeing_nothing_is_ignored)
{
    struct gn_memory memory = {0};
    gn_memory_free(&memory, NULL, 100);
    CHECK_EQ(memory.used, 0);
    CHECK_EQ(memory.blocks, 0);
}

TEST(fails_from_the_given_allocation_on)
{
    struct gn_memory memory = {.fail_from = 2};
    void *first = gn_memory_allocate(&memory, 8);
    CHECK(first != NULL);
    CHECK(gn_memory_allocate(&memory, 8) == NULL);
    CHECK(gn_memory_allocate(&memory, 8) == NULL);
    CHECK_EQ(memory.count, 3);
    CHECK_EQ(memory.used, 8);
    CHECK_EQ(memory.blocks, 1);
    gn_memory_free(&memory, first, 8);
    memory.fail_from = 0;
    first = gn_memory_allocate(&memory, 8);
    CHECK(first != NULL);
    gn_memory_free(&memory, first, 8);
}

TEST(what_the_system_cannot_give_is_not_counted)
{
    struct gn_memory memory = {0};
    volatile size_t size = SIZE_MAX / 4;
    CHECK(gn_memory_allocate(&memory, size) == NULL);
    CHECK_EQ(memory.used, 0);
    CHECK_EQ(memory.blocks, 0);
}

TEST_MAIN()
