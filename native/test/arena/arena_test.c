#include "arena/arena.h"

#include <errno.h>

#include "test.h"

#define PAGE GN_ARENA_PAGE
#define SLAB GN_ARENA_SLAB_MAX

static struct gn_memory memory;
static struct gn_arena arena;
static uint8_t *slabs[64]; // by index; what the test has lent to the arena

static uint64_t random_state;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static void open_arena(const struct gn_arena_config *config)
{
    memory = (struct gn_memory){0};
    REQUIRE(gn_arena_open(&arena, &memory, config) == 0);
}

static int add_slab(size_t size)
{
    uint8_t *bytes = aligned_alloc(64, size);
    REQUIRE(bytes != NULL);
    int index = gn_arena_add(&arena, bytes, size);
    REQUIRE(index > 0 && index < 64);
    REQUIRE(slabs[index] == NULL);
    slabs[index] = bytes;
    return index;
}

static uint32_t give_back(void)
{
    uint32_t index = gn_arena_give_back(&arena);
    if (index != 0) {
        REQUIRE(index < 64 && slabs[index] != NULL);
        memset(slabs[index], 1, PAGE); // it is Java's again, to use as it likes
        free(slabs[index]);
        slabs[index] = NULL;
    }
    return index;
}

static void close_arena(void)
{
    gn_arena_close(&arena);
    CHECK_EQ(memory.used, 0);
    CHECK_EQ(memory.blocks, 0);
    for (int i = 0; i < 64; i++) {
        free(slabs[i]);
        slabs[i] = NULL;
    }
}

/* An arena without limits that has `count` slabs of 1 MiB. */
static void open_plain(int count)
{
    struct gn_arena_config config = {0};
    open_arena(&config);
    for (int i = 0; i < count; i++)
        add_slab(SLAB);
}

/* The most bytes that one asks for to get a block of `size` (less than a page). */
static size_t room(size_t size)
{
    return size - GN_ARENA_RED_ZONE;
}

/* Allocates blocks until there are no more; says how many. They stand in `blocks`. */
static size_t fill(enum gn_arena_use use, size_t size, uint64_t *blocks, size_t most)
{
    size_t count = 0;
    uint64_t block;
    while (count < most && (block = gn_arena_allocate(&arena, use, size)) != 0)
        blocks[count++] = block;
    return count;
}

static void free_all(const uint64_t *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gn_arena_free(&arena, blocks[i]);
}

static uint64_t many[16384];

TEST(an_arena_without_slabs_has_nothing)
{
    open_plain(0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 1), 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, PAGE), 0);
    CHECK_EQ(arena.free, 0);
    CHECK_EQ(gn_arena_give_back(&arena), 0);
    CHECK(!gn_arena_take_back(&arena, UINT64_C(1) << 32));
    close_arena();
}

TEST(slabs_that_do_not_fit_are_refused)
{
    open_plain(0);
    uint8_t *bytes = aligned_alloc(64, 2 * SLAB);
    REQUIRE(bytes != NULL);
    CHECK_EQ(gn_arena_add(&arena, NULL, PAGE), -EINVAL);
    CHECK_EQ(gn_arena_add(&arena, bytes + 32, PAGE), -EINVAL);
    CHECK_EQ(gn_arena_add(&arena, bytes, 0), -EINVAL);
    CHECK_EQ(gn_arena_add(&arena, bytes, PAGE + 64), -EINVAL);
    CHECK_EQ(gn_arena_add(&arena, bytes, SLAB + PAGE), -EINVAL);
    CHECK_EQ(arena.slab_count, 0);
    CHECK_EQ(arena.total, 0);
    CHECK_EQ(memory.blocks, 1);
    free(bytes);
    close_arena();
}

TEST(no_more_slabs_than_references_can_name)
{
    open_plain(0);
    uint8_t *bytes = aligned_alloc(64, PAGE);
    REQUIRE(bytes != NULL);
    for (uint32_t i = 1; i <= GN_ARENA_SLABS_MAX; i++)
        CHECK_EQ(gn_arena_add(&arena, bytes, PAGE), i); // the same bytes each time: nothing is written to them
    CHECK_EQ(gn_arena_add(&arena, bytes, PAGE), -ENOSPC);
    CHECK_EQ(arena.slab_count, GN_ARENA_SLABS_MAX);
    gn_arena_close(&arena);
    CHECK_EQ(memory.used, 0);
    free(bytes);
}

TEST(every_size_gets_a_block_that_holds_it)
{
    open_plain(1);
    for (size_t size = 1; size <= SLAB; size += size < 3000 ? 1 : size / 7) {
        uint64_t block = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, size);
        REQUIRE(block != 0);
        CHECK_EQ(block >> 32, 1);
        size_t capacity = gn_arena_capacity(&arena, block);
        CHECK(capacity >= size);
        CHECK(size <= room(GN_ARENA_BLOCK_MIN) || size > PAGE / 2 || capacity < 2 * (size + GN_ARENA_RED_ZONE));
        CHECK(gn_arena_bytes(&arena, block) == slabs[1] + (uint32_t)block);
        memset(gn_arena_bytes(&arena, block), 0xa5, capacity);
        CHECK(arena.used[GN_ARENA_BODY_IN] >= capacity);
        CHECK_EQ(arena.used[GN_ARENA_BODY_IN] + arena.free, arena.total);
        gn_arena_free(&arena, block);
        CHECK_EQ(arena.used[GN_ARENA_BODY_IN], 0);
        CHECK_EQ(arena.free, arena.total);
    }
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 0), 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, SLAB + 1), 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, SIZE_MAX), 0);
    close_arena();
}

TEST(each_class_uses_every_byte_of_a_slab)
{
    open_plain(1);
    for (size_t size = GN_ARENA_BLOCK_MIN; size < PAGE; size *= 2) {
        size_t count = fill(GN_ARENA_BODY_OUT, room(size), many, 16384);
        CHECK_EQ(count, SLAB / size);
        CHECK_EQ(arena.free, 0);
        CHECK_EQ(arena.used[GN_ARENA_BODY_OUT], SLAB);
        // Each block is where no other is.
        for (size_t i = 0; i < count; i++)
            memset(gn_arena_bytes(&arena, many[i]), (int)i & 0xff, room(size));
        for (size_t i = 0; i < count; i++) {
            CHECK_EQ((uint32_t)many[i] % size, 0);
            CHECK_EQ(gn_arena_bytes(&arena, many[i])[0], i & 0xff);
            CHECK_EQ(gn_arena_bytes(&arena, many[i])[room(size) - 1], i & 0xff);
        }
        CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 1), 0);
        free_all(many, count);
        CHECK_EQ(arena.free, SLAB);
    }
    close_arena();
}

TEST(a_freed_block_is_used_again)
{
    open_plain(1);
    size_t count = fill(GN_ARENA_HEAD, room(512), many, 16384);
    for (size_t i = 0; i < count; i += 97) {
        gn_arena_free(&arena, many[i]);
        CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, room(512)), many[i]);
        CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, room(512)), 0);
    }
    free_all(many, count);
    close_arena();
}

TEST(an_empty_page_serves_any_class_use_and_run_again)
{
    open_plain(1);
    // One page for each use and class at hand: more than the slab has.
    for (int use = 0; use < GN_ARENA_USE_COUNT; use++) {
        for (size_t size = GN_ARENA_BLOCK_MIN; size < PAGE; size *= 2) {
            uint64_t block = gn_arena_allocate(&arena, (enum gn_arena_use)use, room(size));
            REQUIRE(block != 0);
            gn_arena_free(&arena, block);
        }
    }
    CHECK_EQ(arena.free, SLAB);
    uint64_t all = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, SLAB);
    CHECK(all != 0);
    CHECK_EQ(arena.free, 0);
    gn_arena_free(&arena, all);
    CHECK_EQ(fill(GN_ARENA_HEAD, 100, many, 16384), SLAB / GN_ARENA_BLOCK_MIN);
    close_arena();
}

TEST(runs_are_whole_neighbouring_pages_first_fit)
{
    open_plain(1);
    uint64_t first = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 3 * PAGE);
    uint64_t second = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 2 * PAGE + 1);
    uint64_t third = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, PAGE / 2 + 1);
    CHECK_EQ((uint32_t)first, 0);
    CHECK_EQ((uint32_t)second, 3 * PAGE);
    CHECK_EQ((uint32_t)third, 6 * PAGE);
    CHECK_EQ(gn_arena_capacity(&arena, second), 3 * PAGE);
    CHECK_EQ(gn_arena_capacity(&arena, third), PAGE);
    CHECK_EQ(arena.used[GN_ARENA_BODY_IN], 7 * PAGE);
    memset(gn_arena_bytes(&arena, second), 1, 3 * PAGE);

    gn_arena_free(&arena, first);
    uint64_t large = gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 4 * PAGE);
    CHECK_EQ((uint32_t)large, 7 * PAGE);
    uint64_t small = gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 2 * PAGE);
    CHECK_EQ((uint32_t)small, 0);
    // 1 + 5 pages are free, not 6 in a row.
    CHECK_EQ(arena.free, 6 * PAGE);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 6 * PAGE), 0);
    uint64_t last = gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 5 * PAGE);
    CHECK_EQ((uint32_t)last, 11 * PAGE);

    gn_arena_free(&arena, second);
    gn_arena_free(&arena, third);
    gn_arena_free(&arena, large);
    gn_arena_free(&arena, small);
    gn_arena_free(&arena, last);
    CHECK_EQ(arena.free, SLAB);
    uint64_t all = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, SLAB);
    CHECK_EQ((uint32_t)all, 0);
    CHECK_EQ(gn_arena_capacity(&arena, all), SLAB);
    gn_arena_free(&arena, all);
    close_arena();
}

TEST(a_run_does_not_span_slabs)
{
    open_plain(0);
    add_slab(3 * PAGE);
    add_slab(4 * PAGE);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 5 * PAGE), 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 4 * PAGE), UINT64_C(2) << 32);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 4 * PAGE), 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 3 * PAGE), UINT64_C(1) << 32);
    CHECK_EQ(arena.free, 0);
    close_arena();
}

TEST(a_quota_holds_one_use_and_no_other)
{
    struct gn_arena_config config = {.quota[GN_ARENA_BODY_IN] = 10 * 4096};
    open_arena(&config);
    add_slab(SLAB);
    CHECK_EQ(fill(GN_ARENA_BODY_IN, room(4096), many, 100), 10);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 1), 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, PAGE), 0);
    CHECK_EQ(arena.used[GN_ARENA_BODY_IN], 10 * 4096);
    CHECK(gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, room(4096)) != 0);
    CHECK(gn_arena_allocate(&arena, GN_ARENA_HEAD, PAGE) != 0);
    gn_arena_free(&arena, many[3]);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, room(8192)), 0);
    CHECK(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, room(4096)) != 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 1), 0);
    close_arena();
}

/* However bodies are cut, heads still find pages of `reserve` bytes. */
TEST(bodies_leave_the_reserve_to_heads)
{
    for (size_t size = GN_ARENA_BLOCK_MIN; size <= 2 * PAGE; size *= 2) {
        struct gn_arena_config config = {.reserve = 2 * PAGE};
        open_arena(&config);
        add_slab(SLAB);
        size_t count = fill(GN_ARENA_BODY_IN, size < PAGE ? room(size) : size, many, 16384);
        CHECK_EQ(count, (SLAB - 2 * PAGE) / size);
        CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 1), 0);
        CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, PAGE), 0);
        CHECK_EQ(fill(GN_ARENA_HEAD, room(512), many + count, 16384 - count), 2 * PAGE / 512);
        CHECK_EQ(arena.free, 0);
        close_arena();
    }
}

TEST(heads_leave_a_page_to_bodies_that_go_on_one_after_the_other)
{
    struct gn_arena_config config = {.reserve = 2 * PAGE, .quota[GN_ARENA_PROGRESS] = PAGE};
    open_arena(&config);
    add_slab(SLAB);
    size_t bodies = fill(GN_ARENA_BODY_IN, PAGE, many, 16384);
    CHECK_EQ(bodies, (SLAB - 2 * PAGE) / PAGE);
    CHECK_EQ(fill(GN_ARENA_HEAD, room(512), many + bodies, 16384 - bodies), PAGE / 512);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 1), 0);
    size_t count = fill(GN_ARENA_PROGRESS, room(16384), many + 1000, 100);
    CHECK_EQ(count, 4);
    for (size_t i = 0; i < count; i++)
        gn_arena_free(&arena, many[1000 + i]);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 512), 0); // it is kept although it is free
    CHECK_EQ(fill(GN_ARENA_PROGRESS, room(16384), many + 1000, 100), 4);
    close_arena();
}

TEST(the_reserve_grows_to_an_eighth_of_all_slabs)
{
    struct gn_arena_config config = {.reserve = PAGE};
    open_arena(&config);
    for (unsigned i = 0; i < 4; i++)
        add_slab(SLAB);
    uint64_t pages = 0;
    while (gn_arena_allocate(&arena, GN_ARENA_BODY_IN, PAGE) != 0)
        pages++;
    CHECK_EQ(pages, 4 * SLAB / PAGE * 7 / 8);
    for (unsigned i = 0; i < 4 * SLAB / PAGE / 8; i++)
        CHECK(gn_arena_allocate(&arena, GN_ARENA_HEAD, PAGE) != 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, PAGE), 0);
    close_arena();
}

TEST(a_failure_says_whether_a_slab_helps)
{
    struct gn_arena_config config = {.quota[GN_ARENA_BODY_OUT] = PAGE};
    open_arena(&config);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, PAGE), 0);
    CHECK(arena.short_of_pages && !arena.over_quota);
    add_slab(SLAB);
    CHECK(!arena.short_of_pages);
    CHECK(gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, PAGE) != 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, PAGE), 0);
    CHECK(arena.over_quota && !arena.short_of_pages);
    close_arena();
}

TEST(a_body_page_at_hand_does_not_eat_the_reserve)
{
    struct gn_arena_config config = {.reserve = 1}; // rounded up to a page
    open_arena(&config);
    add_slab(2 * PAGE);
    uint64_t body = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 1000);
    CHECK(body != 0);
    gn_arena_free(&arena, body);
    uint64_t head = gn_arena_allocate(&arena, GN_ARENA_HEAD, 1000);
    CHECK(head != 0);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 1000), 0);
    uint64_t run = gn_arena_allocate(&arena, GN_ARENA_HEAD, PAGE);
    CHECK(run != 0);
    gn_arena_free(&arena, run);
    gn_arena_free(&arena, head);
    CHECK(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, 1000) != 0);
    close_arena();
}

TEST(low_says_so_below_the_mark)
{
    struct gn_arena_config config = {.low_water = 4 * PAGE};
    open_arena(&config);
    CHECK(gn_arena_low(&arena));
    add_slab(6 * PAGE);
    CHECK(!gn_arena_low(&arena));
    uint64_t run = gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 2 * PAGE);
    CHECK(!gn_arena_low(&arena));
    uint64_t block = gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 1);
    CHECK(gn_arena_low(&arena));
    gn_arena_free(&arena, block);
    CHECK(!gn_arena_low(&arena));
    gn_arena_free(&arena, run);
    close_arena();
}

TEST(only_later_slabs_are_given_back_and_only_above_the_mark)
{
    struct gn_arena_config config = {.low_water = 2 * SLAB};
    open_arena(&config);
    add_slab(SLAB);
    add_slab(SLAB);
    CHECK_EQ(arena.slab_keep, 2);
    size_t count = fill(GN_ARENA_BODY_IN, PAGE, many, 32);
    CHECK_EQ(count, 32);
    for (int i = 3; i <= 5; i++)
        CHECK_EQ(add_slab(SLAB), i);
    CHECK_EQ(arena.slab_keep, 2);
    CHECK_EQ(give_back(), 0); // 3 MiB are free; after it only the mark would be
    free_all(many, 16);
    CHECK_EQ(give_back(), 5);
    CHECK_EQ(arena.slab_count, 4);
    CHECK_EQ(arena.free, 3 * SLAB);
    CHECK_EQ(arena.total, 4 * SLAB);
    CHECK_EQ(give_back(), 0);
    free_all(many + 16, 16);
    CHECK_EQ(give_back(), 4);
    CHECK_EQ(give_back(), 0);
    arena.config.low_water = 0;
    CHECK_EQ(give_back(), 3);
    CHECK_EQ(give_back(), 0); // the first ones stay
    CHECK_EQ(arena.slab_count, 2);
    close_arena();
}

TEST(a_first_slab_stays_though_it_is_the_empty_one)
{
    open_plain(2);
    CHECK_EQ(fill(GN_ARENA_HEAD, SLAB, many, 2), 2);
    CHECK_EQ(add_slab(SLAB), 3);
    CHECK(gn_arena_allocate(&arena, GN_ARENA_HEAD, 1) != 0);
    free_all(many, 2);
    CHECK(arena.free > 2 * SLAB);
    CHECK_EQ(give_back(), 0);
    close_arena();
}

TEST(the_last_free_bytes_are_not_given_back)
{
    open_plain(1);
    CHECK(gn_arena_allocate(&arena, GN_ARENA_HEAD, 1) != 0);
    CHECK_EQ(add_slab(SLAB), 2);
    CHECK_EQ(give_back(), 0);
    close_arena();
}

TEST(early_slabs_and_fuller_pages_fill_up_first)
{
    open_plain(1);
    CHECK_EQ(fill(GN_ARENA_BODY_IN, PAGE, many, 16), 16);
    CHECK_EQ(add_slab(SLAB), 2);
    CHECK_EQ(add_slab(SLAB), 3);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, PAGE) >> 32, 2);
    gn_arena_free(&arena, many[5]);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, PAGE), many[5]);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, PAGE) >> 32, 2);
    close_arena();

    // Three pages of 32 KiB halves: the last stays half full, so it is next, and the others are at hand for anything.
    open_plain(1);
    CHECK_EQ(fill(GN_ARENA_BODY_IN, room(PAGE / 2), many, 6), 6);
    for (size_t i = 0; i < 5; i++)
        gn_arena_free(&arena, many[i]);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, room(PAGE / 2)), many[4]);
    gn_arena_free(&arena, many[4]);
    gn_arena_free(&arena, many[5]);
    CHECK_EQ(arena.free, SLAB);
    close_arena();

    // The same where the half full page came first: an empty one goes behind it, a second empty one goes.
    open_plain(1);
    CHECK_EQ(fill(GN_ARENA_BODY_IN, room(PAGE / 2), many, 6), 6);
    static const size_t order[] = {0, 2, 3, 4, 5};
    for (size_t i = 0; i < 5; i++)
        gn_arena_free(&arena, many[order[i]]);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_BODY_IN, room(PAGE / 2)), many[0]);
    close_arena();
}

TEST(a_slab_that_the_next_body_would_need_is_not_given_back)
{
    struct gn_arena_config config = {.reserve = 2 * SLAB};
    open_arena(&config);
    add_slab(SLAB);
    uint64_t head = gn_arena_allocate(&arena, GN_ARENA_HEAD, SLAB);
    for (int i = 2; i <= 7; i++)
        add_slab(SLAB);
    unsigned given = 0;
    while (give_back() != 0)
        given++;
    CHECK_EQ(given, 3);
    // Half a slab of bodies comes and goes, and no slab is asked for.
    CHECK_EQ(fill(GN_ARENA_BODY_IN, PAGE, many, 8), 8);
    CHECK(!arena.short_of_pages);
    CHECK_EQ(give_back(), 0);
    free_all(many, 8);
    CHECK_EQ(give_back(), 0);
    gn_arena_free(&arena, head);
    close_arena();
}

TEST(a_slab_with_a_taken_block_is_not_given_back)
{
    open_plain(1);
    uint64_t all = gn_arena_allocate(&arena, GN_ARENA_HEAD, SLAB);
    add_slab(SLAB);
    uint64_t small = gn_arena_allocate(&arena, GN_ARENA_HEAD, 1);
    CHECK_EQ(small >> 32, 2);
    gn_arena_free(&arena, all);
    CHECK_EQ(give_back(), 0);
    gn_arena_lend(&arena, small);
    CHECK_EQ(give_back(), 0);
    CHECK(gn_arena_take_back(&arena, small));
    gn_arena_free(&arena, small);
    CHECK_EQ(arena.free, 2 * SLAB); // its page is still at hand, and counts as free
    CHECK_EQ(give_back(), 2);
    CHECK(!gn_arena_take_back(&arena, small));
    close_arena();
}

TEST(the_index_of_a_slab_that_went_is_used_again)
{
    open_plain(1);
    CHECK_EQ(fill(GN_ARENA_BODY_IN, SLAB, many, 2), 1);
    CHECK_EQ(add_slab(SLAB), 2);
    CHECK_EQ(add_slab(2 * PAGE), 3);
    CHECK_EQ(add_slab(SLAB), 4);
    CHECK_EQ(fill(GN_ARENA_BODY_OUT, 2 * PAGE, many + 1, 9), 9); // slab 2 and one run of slab 3
    free_all(many + 1, 8);
    CHECK_EQ(give_back(), 4);
    uint64_t all = many[0];
    gn_arena_free(&arena, all);
    CHECK_EQ(give_back(), 2);
    CHECK(arena.slabs[1] == NULL);
    CHECK(arena.slabs[2] != NULL);
    CHECK_EQ(fill(GN_ARENA_HEAD, SLAB, many, 2), 1);
    gn_arena_free(&arena, many[9]);
    CHECK_EQ(gn_arena_allocate(&arena, GN_ARENA_HEAD, 2 * PAGE) >> 32, 3);
    CHECK_EQ(add_slab(SLAB), 2);
    CHECK_EQ(add_slab(SLAB), 4);
    CHECK_EQ(arena.slab_keep, 1);
    uint64_t run = gn_arena_allocate(&arena, GN_ARENA_HEAD, PAGE);
    CHECK_EQ(run >> 32, 2);
    gn_arena_free(&arena, run);
    CHECK_EQ(fill(GN_ARENA_HEAD, SLAB, many + 1, 3), 2);
    CHECK_EQ(arena.free, 0);
    close_arena();
}

TEST(what_is_lent_comes_back_once)
{
    open_plain(1);
    size_t sizes[] = {1, room(256), 700, room(4096), room(PAGE / 2), PAGE, 3 * PAGE};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t block = gn_arena_allocate(&arena, GN_ARENA_BODY_IN, sizes[i]);
        REQUIRE(block != 0);
        CHECK(!gn_arena_take_back(&arena, block));
        gn_arena_lend(&arena, block);
        CHECK_EQ(arena.lent_blocks, 1);
        uint64_t used = arena.used[GN_ARENA_BODY_IN];
        CHECK_EQ(arena.lent_bytes, used);
        CHECK(gn_arena_take_back(&arena, block));
        CHECK_EQ(arena.lent_blocks, 0);
        CHECK_EQ(arena.lent_bytes, 0);
        CHECK_EQ(arena.used[GN_ARENA_BODY_IN], used);
        CHECK(!gn_arena_take_back(&arena, block));
        gn_arena_lend(&arena, block);
        CHECK(gn_arena_take_back(&arena, block));
        gn_arena_free(&arena, block);
        CHECK(!gn_arena_take_back(&arena, block));
    }
    close_arena();
}

/* Every multiple of 64 in every slab, and the numbers around blocks, against the set of lent blocks. */
TEST(only_lent_blocks_are_taken_back)
{
    random_state = 11;
    open_plain(0);
    add_slab(SLAB);
    uint64_t first = gn_arena_allocate(&arena, GN_ARENA_HEAD, SLAB);
    add_slab(SLAB);
    add_slab(5 * PAGE);
    gn_arena_free(&arena, first);
    enum { COUNT = 600 };
    static uint64_t blocks[COUNT];
    static bool lent[COUNT];
    size_t count = 0, lent_count = 0;
    while (count < COUNT) {
        size_t size = random_number() % 40 == 0 ? 1 + random_number() % (2 * PAGE) : 1 + random_number() % 3000;
        uint64_t block = gn_arena_allocate(&arena, (enum gn_arena_use)(random_number() % 3), size);
        if (block == 0)
            break;
        lent[count] = random_number() % 2 == 0;
        if (lent[count])
            gn_arena_lend(&arena, block);
        lent_count += lent[count];
        blocks[count++] = block;
    }
    CHECK(count > 100);

    uint64_t taken = 0;
    for (uint64_t index = 0; index <= 5; index++) {
        for (uint64_t offset = 0; offset < SLAB + 2 * PAGE; offset += 64) {
            uint64_t block = index << 32 | offset;
            bool expected = false;
            for (size_t i = 0; i < count && !expected; i++)
                expected = blocks[i] == block && lent[i];
            CHECK_EQ(gn_arena_take_back(&arena, block), expected);
            if (expected) {
                taken++;
                gn_arena_lend(&arena, block);
            }
        }
    }
    CHECK_EQ(taken, lent_count);

    for (size_t i = 0; i < count; i++) {
        for (uint64_t bit = 0; bit < 64; bit++) {
            uint64_t other = blocks[i] ^ UINT64_C(1) << bit;
            bool is_lent = false;
            for (size_t j = 0; j < count && !is_lent; j++)
                is_lent = blocks[j] == other && lent[j];
            if (!is_lent)
                CHECK(!gn_arena_take_back(&arena, other));
        }
    }
    // No random number hits one of the few lent blocks but by a chance of one in 2^54.
    for (int i = 0; i < 1000000; i++)
        CHECK(!gn_arena_take_back(&arena, random_number()));
    static const uint64_t odd[] = {0,
                                   1,
                                   UINT64_C(1) << 32 | 1,
                                   UINT64_C(4097) << 32,
                                   UINT64_C(4096) << 32,
                                   UINT64_MAX,
                                   UINT64_MAX << 32,
                                   UINT64_C(1) << 63,
                                   UINT32_MAX,
                                   UINT64_C(1) << 32 | SLAB,
                                   UINT64_C(3) << 32 | 5 * PAGE,
                                   UINT64_C(1) << 32 | UINT32_MAX};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        CHECK(!gn_arena_take_back(&arena, odd[i]));

    CHECK_EQ(arena.lent_blocks, lent_count);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ(gn_arena_take_back(&arena, blocks[i]), lent[i]);
        gn_arena_free(&arena, blocks[i]);
        CHECK(!gn_arena_take_back(&arena, blocks[i]));
    }
    CHECK_EQ(arena.lent_blocks, 0);
    CHECK_EQ(arena.free, arena.total);
    while (give_back() != 0)
        continue;
    CHECK_EQ(arena.slab_count, 1);
    for (size_t i = 0; i < count; i++)
        CHECK(!gn_arena_take_back(&arena, blocks[i]));
    close_arena();
}

/* ---- 100 000 random operations against a plain table of blocks ---- */

enum { MODEL_BLOCKS = 1500, MODEL_STEPS = 100000 };

struct model_block {
    uint64_t block;
    size_t capacity;
    enum gn_arena_use use;
    bool lent;
    uint8_t fill;
};

static struct model_block model[MODEL_BLOCKS];
static size_t model_count;
static uint8_t owner_map[64][SLAB / GN_ARENA_BLOCK_MIN]; // whether a block covers this place

static size_t whole(size_t capacity)
{
    return capacity < PAGE ? capacity + GN_ARENA_RED_ZONE : capacity;
}

static void model_mark(const struct model_block *entry, uint8_t before)
{
    for (size_t at = 0; at < whole(entry->capacity); at += GN_ARENA_BLOCK_MIN) {
        uint8_t *place = &owner_map[entry->block >> 32][((uint32_t)entry->block + at) / GN_ARENA_BLOCK_MIN];
        CHECK_EQ(*place, before);
        *place = (uint8_t)!before;
    }
}

static void model_allocate(void)
{
    static const size_t limits[] = {256, 600, 5000, PAGE, SLAB};
    uint64_t which = random_number() % 100;
    size_t limit = limits[which < 40 ? 0 : which < 70 ? 1 : which < 90 ? 2 : which < 99 ? 3 : 4];
    size_t size = 1 + random_number() % limit;
    struct model_block entry = {.use = (enum gn_arena_use)(random_number() % 3), .fill = (uint8_t)random_number()};
    uint64_t free_before = arena.free;
    entry.block = gn_arena_allocate(&arena, entry.use, size);
    if (entry.block == 0) {
        CHECK_EQ(arena.free, free_before);
        return;
    }
    entry.capacity = gn_arena_capacity(&arena, entry.block);
    CHECK(entry.capacity >= size);
    CHECK_EQ(free_before - arena.free, whole(entry.capacity));
    model_mark(&entry, 0);
    memset(gn_arena_bytes(&arena, entry.block), entry.fill, entry.capacity);
    model[model_count++] = entry;
}

static void model_free(size_t which)
{
    struct model_block entry = model[which];
    const uint8_t *bytes = gn_arena_bytes(&arena, entry.block);
    CHECK_EQ(gn_arena_capacity(&arena, entry.block), entry.capacity);
    CHECK_EQ(bytes[0], entry.fill);
    CHECK(memcmp(bytes, bytes + 1, entry.capacity - 1) == 0); // all the same byte
    CHECK_EQ(gn_arena_take_back(&arena, entry.block), entry.lent);
    gn_arena_free(&arena, entry.block);
    model_mark(&entry, 1);
    model[which] = model[--model_count];
}

static void model_check(void)
{
    uint64_t used[GN_ARENA_USE_COUNT] = {0}, lent = 0, sum = 0;
    for (size_t i = 0; i < model_count; i++) {
        used[model[i].use] += whole(model[i].capacity);
        lent += model[i].lent;
    }
    for (int use = 0; use < GN_ARENA_USE_COUNT; use++) {
        CHECK_EQ(arena.used[use], used[use]);
        CHECK(arena.config.quota[use] == 0 || used[use] <= arena.config.quota[use]);
        sum += used[use];
    }
    CHECK_EQ(arena.lent_blocks, lent);
    CHECK_EQ(arena.free + sum, arena.total);
}

TEST(random_operations_against_a_model)
{
    random_state = 12;
    model_count = 0;
    struct gn_arena_config config = {.reserve = 3 * PAGE, .low_water = SLAB / 2, .quota[GN_ARENA_BODY_OUT] = 2 * SLAB};
    open_arena(&config);
    add_slab(SLAB);
    add_slab(9 * PAGE);
    uint64_t added = 0, given_back = 0, refused = 0;
    for (int step = 0; step < MODEL_STEPS; step++) {
        // In turn the arena grows and shrinks, so that pages and slabs empty too.
        bool grow = step / 5000 % 2 == 0;
        uint64_t what = random_number() % 100;
        if (what < (grow ? 60 : 25) && model_count < MODEL_BLOCKS) {
            size_t before = model_count;
            model_allocate();
            refused += before == model_count;
        } else if (what < 85 && model_count > 0) {
            model_free(random_number() % model_count);
        } else if (what < 95 && model_count > 0) {
            struct model_block *entry = &model[random_number() % model_count];
            CHECK_EQ(gn_arena_take_back(&arena, entry->block), entry->lent);
            entry->lent = random_number() % 2 == 0;
            if (entry->lent)
                gn_arena_lend(&arena, entry->block);
        } else if (what == 95 && gn_arena_low(&arena) && arena.slab_count < 40) {
            add_slab((1 + random_number() % 16) * PAGE);
            added++;
        } else if (what == 96) {
            uint64_t total = arena.total;
            uint32_t index = give_back();
            CHECK_EQ(index != 0, arena.total < total);
            given_back += index != 0;
            for (size_t i = 0; index != 0 && i < SLAB / GN_ARENA_BLOCK_MIN; i++)
                CHECK_EQ(owner_map[index][i], 0);
        }
        if (step % 64 == 0)
            model_check();
    }
    CHECK(added > 10 && given_back > 5 && refused > 100); // what the steps are for did happen
    while (model_count > 0)
        model_free(model_count - 1);
    model_check();
    CHECK_EQ(arena.free, arena.total);
    arena.config.low_water = 0;
    while (give_back() != 0)
        continue;
    CHECK_EQ(arena.slab_count, 2);
    CHECK_EQ(arena.total, SLAB + 9 * PAGE);
    close_arena();
}

TEST(without_memory_nothing_changes)
{
    struct gn_arena_config config = {0};
    memory = (struct gn_memory){.fail_from = 1};
    CHECK_EQ(gn_arena_open(&arena, &memory, &config), -ENOMEM);
    CHECK_EQ(memory.used, 0);
    gn_arena_close(&arena); // harmless

    uint8_t *bytes = aligned_alloc(64, SLAB);
    REQUIRE(bytes != NULL);
    for (uint64_t fail_from = 2; fail_from <= 4; fail_from++) {
        memory = (struct gn_memory){.fail_from = fail_from};
        REQUIRE(gn_arena_open(&arena, &memory, &config) == 0);
        for (uint64_t slab = 1; slab <= 3; slab++) {
            int expected = 1 + slab < fail_from ? (int)slab : -ENOMEM;
            CHECK_EQ(gn_arena_add(&arena, bytes + (slab - 1) * 4 * PAGE, 4 * PAGE), expected);
        }
        CHECK_EQ(arena.slab_count, fail_from - 2);
        CHECK_EQ(arena.total, (fail_from - 2) * 4 * PAGE);
        CHECK_EQ(arena.free, arena.total);
        uint64_t count = memory.count;
        CHECK_EQ(fill(GN_ARENA_HEAD, 100, many, 16384), arena.total / GN_ARENA_BLOCK_MIN);
        CHECK_EQ(memory.count, count); // blocks cost no memory of C's own
        gn_arena_close(&arena);
        CHECK_EQ(memory.used, 0);
        CHECK_EQ(memory.blocks, 0);
    }
    free(bytes);
}

TEST(close_leaves_the_bytes_of_taken_blocks_alone)
{
    open_plain(1);
    uint64_t block = gn_arena_allocate(&arena, GN_ARENA_BODY_OUT, 1000);
    uint8_t *bytes = gn_arena_bytes(&arena, block);
    memset(bytes, 7, 1000);
    gn_arena_close(&arena);
    CHECK_EQ(memory.used, 0);
    CHECK_EQ(bytes[0], 7);
    CHECK_EQ(bytes[999], 7);
    free(slabs[1]);
    slabs[1] = NULL;
}

#ifdef GN_ARENA_POISON
#include <sanitizer/asan_interface.h>

TEST(the_sanitizer_sees_free_blocks_and_red_zones)
{
    open_plain(1);
    CHECK(__asan_address_is_poisoned(slabs[1]));
    CHECK(__asan_address_is_poisoned(slabs[1] + SLAB - 1));
    for (size_t size = GN_ARENA_BLOCK_MIN; size < PAGE; size *= 2) {
        uint64_t block = gn_arena_allocate(&arena, GN_ARENA_HEAD, room(size));
        uint8_t *bytes = gn_arena_bytes(&arena, block);
        CHECK_EQ(gn_arena_capacity(&arena, block), room(size));
        CHECK(__asan_region_is_poisoned(bytes, room(size)) == NULL);
        CHECK(__asan_address_is_poisoned(bytes + room(size)));
        CHECK(__asan_address_is_poisoned(bytes + size - 1));
        gn_arena_free(&arena, block);
        CHECK(__asan_address_is_poisoned(bytes));
        CHECK(__asan_address_is_poisoned(bytes + room(size) - 1));
    }
    uint64_t run = gn_arena_allocate(&arena, GN_ARENA_HEAD, 2 * PAGE);
    uint8_t *bytes = gn_arena_bytes(&arena, run);
    CHECK(__asan_region_is_poisoned(bytes, 2 * PAGE) == NULL);
    CHECK(__asan_address_is_poisoned(bytes + 2 * PAGE));
    gn_arena_free(&arena, run);
    CHECK(__asan_address_is_poisoned(bytes + 2 * PAGE - 1));
    uint8_t *slab = slabs[1];
    gn_arena_close(&arena);
    CHECK(__asan_region_is_poisoned(slab, SLAB) == NULL);
    free(slab);
    slabs[1] = NULL;
}
#endif

TEST_MAIN()
