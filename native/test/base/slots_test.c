#include "base/slots.h"
#include <errno.h>

#include "test.h"

#define MANY 1000
#define LIMIT 4096

struct named {
    uint32_t slot, generation;
};

TEST(an_owner_is_found_by_its_slot_and_generation)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, LIMIT);
    struct named first = {0}, second = {0};
    CHECK_EQ(gn_slots_take(&table, &first, &first.slot, &first.generation), 0);
    CHECK_EQ(gn_slots_take(&table, &second, &second.slot, &second.generation), 0);
    CHECK(first.slot != second.slot);
    CHECK(first.generation != 0);
    CHECK(gn_slots_find(&table, first.slot, first.generation) == &first);
    CHECK(gn_slots_find(&table, second.slot, second.generation) == &second);
    CHECK(gn_slots_find(&table, first.slot, first.generation + 1) == NULL);
    CHECK(gn_slots_find(&table, first.slot, 0) == NULL);
    CHECK(gn_slots_find(&table, UINT32_MAX, 1) == NULL);
    CHECK_EQ(table.used, 2);
    gn_slots_end(&table);
    CHECK_EQ(memory.used, 0);
}

TEST(an_empty_table_finds_nothing)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, LIMIT);
    CHECK(gn_slots_find(&table, 0, 1) == NULL);
    gn_slots_end(&table);
}

TEST(the_limit_is_kept)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    struct named owner = {0};
    gn_slots_start(&table, &memory, 3);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(gn_slots_take(&table, &owner, &owner.slot, &owner.generation), 0);
    CHECK_EQ(gn_slots_take(&table, &owner, &owner.slot, &owner.generation), -ENOSPC);
    gn_slots_free(&table, 1);
    CHECK_EQ(gn_slots_take(&table, &owner, &owner.slot, &owner.generation), 0);
    CHECK_EQ(owner.slot, 1);
    gn_slots_end(&table);
    CHECK_EQ(memory.used, 0);
}

TEST(a_slot_that_is_used_again_has_another_generation)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, LIMIT);
    struct named earlier = {0}, later = {0};
    CHECK_EQ(gn_slots_take(&table, &earlier, &earlier.slot, &earlier.generation), 0);
    gn_slots_free(&table, earlier.slot);
    CHECK(gn_slots_find(&table, earlier.slot, earlier.generation) == NULL);
    CHECK(gn_slots_find(&table, earlier.slot, earlier.generation + 1) == NULL);
    CHECK_EQ(gn_slots_take(&table, &later, &later.slot, &later.generation), 0);
    CHECK_EQ(later.slot, earlier.slot);
    CHECK(later.generation != earlier.generation);
    CHECK(gn_slots_find(&table, earlier.slot, earlier.generation) == NULL);
    CHECK(gn_slots_find(&table, later.slot, later.generation) == &later);
    gn_slots_end(&table);
}

TEST(a_generation_survives_growth_and_skips_0)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, LIMIT);
    static struct named owners[MANY];
    CHECK_EQ(gn_slots_take(&table, &owners[0], &owners[0].slot, &owners[0].generation), 0);
    table.slots[owners[0].slot].generation = owners[0].generation = INT32_MAX;
    gn_slots_free(&table, owners[0].slot);
    CHECK_EQ(gn_slots_take(&table, &owners[0], &owners[0].slot, &owners[0].generation), 0);
    CHECK_EQ(owners[0].generation, 1);
    gn_slots_free(&table, owners[0].slot);
    for (int i = 0; i < MANY; i++)
        REQUIRE(gn_slots_take(&table, &owners[i], &owners[i].slot, &owners[i].generation) == 0);
    CHECK_EQ(owners[0].generation, 2);
    for (int i = 0; i < MANY; i++)
        CHECK(gn_slots_find(&table, owners[i].slot, owners[i].generation) == &owners[i]);
    uint32_t seen = 0;
    for (uint32_t slot = 0; slot < table.capacity; slot++)
        seen += table.slots[slot].owner != NULL;
    CHECK_EQ(seen, MANY);
    CHECK_EQ(table.used, MANY);
    gn_slots_end(&table);
    CHECK_EQ(memory.used, 0);
}

TEST(no_memory_is_an_error_and_the_table_stays_as_it_was)
{
    struct gn_memory memory = {0};
    struct gn_slots table;
    gn_slots_start(&table, &memory, LIMIT);
    static struct named owners[MANY];
    memory.fail_from = 1;
    CHECK_EQ(gn_slots_take(&table, &owners[0], &owners[0].slot, &owners[0].generation), -ENOMEM);
    memory.fail_from = 3;
    uint32_t added = 0;
    int error = 0;
    while (added < MANY &&
           (error = gn_slots_take(&table, &owners[added], &owners[added].slot, &owners[added].generation)) == 0)
        added++;
    CHECK_EQ(error, -ENOMEM);
    CHECK_EQ(table.used, added);
    for (uint32_t i = 0; i < added; i++)
        CHECK(gn_slots_find(&table, owners[i].slot, owners[i].generation) == &owners[i]);
    gn_slots_free(&table, owners[0].slot);
    CHECK_EQ(gn_slots_take(&table, &owners[0], &owners[0].slot, &owners[0].generation), 0);
    gn_slots_end(&table);
    CHECK_EQ(memory.used, 0);
}

TEST_MAIN()
