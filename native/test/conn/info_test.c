#include "conn/info.h"

#include "conn/context.h"
#include "http/head_block.h"
#include "test.h"

#define COUNT (5 * GN_INFO_GROUP)

static struct gn_context context;
static uint8_t *slab;
static struct gn_info *infos[COUNT];

static void start(unsigned slabs)
{
    context = (struct gn_context){0};
    memset(infos, 0, sizeof(infos));
    gn_list_start(&context.infos);
    REQUIRE(gn_arena_open(&context.arena, &context.memory, &(struct gn_arena_config){0}) == 0);
    slab = aligned_alloc(GN_ARENA_PAGE, GN_ARENA_PAGE);
    REQUIRE(slab != NULL);
    if (slabs > 0)
        REQUIRE(gn_arena_add(&context.arena, slab, GN_ARENA_PAGE) > 0);
}

static void end(void)
{
    CHECK_EQ(context.arena.used[GN_ARENA_HEAD], 0);
    CHECK(gn_list_empty(&context.infos));
    gn_arena_close(&context.arena);
    CHECK_EQ(context.memory.blocks, 0);
    free(slab);
}

/* Each says its number, and nobody else's. */
static void check_all(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        if (infos[i] != NULL)
            CHECK_EQ(gn_info_bytes(&context, infos[i])->remote_port, i + 1);
    }
}

static void open_one(unsigned i)
{
    infos[i] = gn_info_open(&context);
    REQUIRE(infos[i] != NULL);
    struct gn_connection_info *bytes = gn_info_bytes(&context, infos[i]);
    CHECK_EQ(bytes->remote_port + bytes->family + bytes->local_address[15], 0);
    memset(bytes, 0xee, sizeof(*bytes));
    bytes->remote_port = (uint16_t)(i + 1);
}

TEST(infos_share_blocks_and_leave_nothing)
{
    start(1);
    for (unsigned i = 0; i < COUNT; i++)
        open_one(i);
    check_all();
    CHECK_EQ(context.arena.used[GN_ARENA_HEAD], 5 * 2048);
    uint32_t seed = 7;
    for (unsigned turn = 0; turn < 5000; turn++) {
        seed = seed * 1664525 + 1013904223;
        unsigned i = (seed >> 16) % COUNT;
        if (infos[i] == NULL) {
            open_one(i);
        } else {
            gn_info_release(&context, infos[i]);
            infos[i] = NULL;
        }
        check_all();
    }
    CHECK(context.arena.used[GN_ARENA_HEAD] <= 5 * 2048);
    for (unsigned i = 0; i < COUNT; i++)
        gn_info_release(&context, infos[i]);
    end();
}

TEST(the_last_reference_counts)
{
    start(1);
    open_one(0);
    infos[0]->references++;
    gn_info_release(&context, infos[0]);
    check_all();
    CHECK_EQ(context.arena.used[GN_ARENA_HEAD], 2048);
    gn_info_release(&context, infos[0]);
    gn_info_release(&context, NULL);
    end();
}

TEST(without_memory_there_is_none)
{
    start(0);
    CHECK(gn_info_open(&context) == NULL);
    end();
}

TEST_MAIN()
