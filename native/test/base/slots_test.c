#include "base/slots.h"

#include <errno.h>

#include "test.h"

static int owners[300];

TEST(a_name_is_found_until_it_is_freed)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, 1000);
    uint32_t slots[300], generations[300];
    for (unsigned i = 0; i < 300; i++)
        CHECK_EQ(gn_slots_take(&table, &owners[i], &slots[i], &generations[i]), 0);
    CHECK_EQ(table.used, 300);
    for (unsigned i = 0; i < 300; i++) {
        CHECK(gn_slots_find(&table, slots[i], generations[i]) == &owners[i]);
        CHECK(generations[i] != 0);
        for (unsigned k = 0; k < i; k++)
            CHECK(slots[k] != slots[i]);
    }
    for (unsigned i = 0; i < 300; i += 2)
        gn_slots_free(&table, slots[i]);
    for (unsigned i = 0; i < 300; i++)
        CHECK(gn_slots_find(&table, slots[i], generations[i]) == (i % 2 == 0 ? NULL : &owners[i]));
    CHECK_EQ(table.used, 150);
    gn_slots_end(&table);
    CHECK_EQ(memory.blocks, 0);
    CHECK_EQ(memory.used, 0);
}

TEST(a_slot_that_is_used_again_has_another_generation)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, 10);
    uint32_t slot, generation, first, before = 0;
    CHECK_EQ(gn_slots_take(&table, owners, &first, &generation), 0);
    for (unsigned i = 0; i < 100; i++) {
        before = generation;
        gn_slots_free(&table, first);
        CHECK(gn_slots_find(&table, first, before) == NULL);
        CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), 0);
        CHECK_EQ(slot, first); // last in, first out
        CHECK(generation != before && generation != 0);
        CHECK(gn_slots_find(&table, first, before) == NULL);
    }
    // An id must stay positive as a Java long, so the generation wraps early, past 0.
    table.slots[first].generation = INT32_MAX - 1;
    gn_slots_free(&table, first);
    CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), 0);
    CHECK_EQ(generation, INT32_MAX);
    gn_slots_free(&table, first);
    CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), 0);
    CHECK_EQ(generation, 1);
    gn_slots_end(&table);
}

TEST(names_that_never_were)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, 10);
    CHECK(gn_slots_find(&table, 0, 0) == NULL);
    CHECK(gn_slots_find(&table, 0, 1) == NULL);
    uint32_t slot, generation;
    CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), 0);
    CHECK(gn_slots_find(&table, slot, 0) == NULL);
    CHECK(gn_slots_find(&table, slot + 1, 0) == NULL); // free, generation 0
    CHECK(gn_slots_find(&table, slot + 1, 1) == NULL);
    CHECK(gn_slots_find(&table, 10, 1) == NULL);
    CHECK(gn_slots_find(&table, UINT32_MAX, 1) == NULL);
    gn_slots_end(&table);
}

TEST(the_limit_and_the_lack_of_memory_are_different_errors)
{
    for (uint32_t limit = 1; limit < 200; limit += 33) {
        struct gn_memory memory = {0};
        struct gn_slots table;
        gn_slots_start(&table, &memory, limit);
        uint32_t slot, generation;
        for (uint32_t i = 0; i < limit; i++)
            CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), 0);
        CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), -ENOSPC);
        gn_slots_free(&table, limit / 2);
        CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), 0);
        CHECK_EQ(slot, limit / 2);
        gn_slots_end(&table);
        CHECK_EQ(memory.blocks, 0);
    }
    struct gn_memory memory = {.fail_from = 2};
    struct gn_slots table;
    gn_slots_start(&table, &memory, 1000);
    uint32_t slot, generation, taken = 0;
    while (gn_slots_take(&table, owners, &slot, &generation) == 0)
        taken++;
    CHECK_EQ(gn_slots_take(&table, owners, &slot, &generation), -ENOMEM);
    CHECK(taken > 0);
    for (uint32_t i = 0; i < taken; i++)
        CHECK(gn_slots_find(&table, i, 1) == owners); // as they were
    gn_slots_end(&table);
    CHECK_EQ(memory.used, 0);
}

TEST_MAIN()
