#include "conn/buffer.h"

#include "conn/context.h"
#include "test.h"

#define SLAB (1U << 20)

static struct gn_context context;
static uint8_t *slabs[3];

static void start(unsigned count)
{
    context = (struct gn_context){0};
    REQUIRE(gn_arena_open(&context.arena, &context.memory, &(struct gn_arena_config){0}) == 0);
    for (unsigned i = 0; i < count; i++) {
        slabs[i] = aligned_alloc(65536, SLAB);
        REQUIRE(slabs[i] != NULL && gn_arena_add(&context.arena, slabs[i], SLAB) > 0);
    }
}

static void end(void)
{
    CHECK_EQ(context.arena.used[GN_ARENA_BODY_IN], 0);
    gn_arena_close(&context.arena);
    CHECK_EQ(context.memory.blocks, 0);
    for (unsigned i = 0; i < 3; i++) {
        free(slabs[i]);
        slabs[i] = NULL;
    }
}

static uint8_t octet_at(uint64_t position)
{
    return (uint8_t)(position * 31 + position / 253);
}

TEST(bytes_stay_in_one_piece)
{
    start(2);
    struct gn_buffer buffer = {0};
    uint64_t put = 0, taken = 0, seed = 3;
    static uint8_t piece[20000];
    for (unsigned i = 0; i < 2000; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        size_t length = (seed >> 33) % ((seed >> 60) < 2 ? sizeof(piece) : 300);
        if (gn_buffer_length(&buffer) < 100000) {
            for (size_t k = 0; k < length; k++)
                piece[k] = octet_at(put + k);
            CHECK(gn_buffer_append(&context, &buffer, piece, length));
            put += length;
        }
        CHECK_EQ(gn_buffer_length(&buffer), put - taken);
        if (put > taken) {
            const uint8_t *bytes = gn_buffer_bytes(&context, &buffer);
            CHECK(bytes[0] == octet_at(taken) && bytes[put - taken - 1] == octet_at(put - 1));
            for (uint64_t k = 0; i % 50 == 0 && k < put - taken; k++) {
                if (bytes[k] != octet_at(taken + k)) {
                    CHECK(false);
                    break;
                }
            }
        }
        size_t drop = i % 100 == 99 ? (size_t)(put - taken) : (seed >> 20) % 2000;
        drop = drop < put - taken ? drop : (size_t)(put - taken);
        gn_buffer_consume(&context, &buffer, drop);
        taken += drop;
        if (put == taken)
            CHECK_EQ(context.arena.used[GN_ARENA_BODY_IN], 0); // empty, it holds nothing
    }
    gn_buffer_consume(&context, &buffer, gn_buffer_length(&buffer));
    end();
}

TEST(the_most_is_a_slab)
{
    start(3);
    struct gn_buffer buffer = {0};
    static uint8_t bytes[GN_BUFFER_MAX / 2];
    CHECK(gn_buffer_append(&context, &buffer, bytes, sizeof(bytes)));
    CHECK(gn_buffer_append(&context, &buffer, bytes, sizeof(bytes)));
    CHECK_EQ(gn_buffer_length(&buffer), GN_BUFFER_MAX);
    CHECK(!gn_buffer_append(&context, &buffer, bytes, 1));
    CHECK_EQ(gn_buffer_length(&buffer), GN_BUFFER_MAX);
    CHECK(gn_buffer_append(&context, &buffer, bytes, 0));
    gn_buffer_consume(&context, &buffer, 100);
    CHECK(gn_buffer_append(&context, &buffer, bytes, 100));
    CHECK(!gn_buffer_append(&context, &buffer, bytes, 1));
    gn_buffer_consume(&context, &buffer, GN_BUFFER_MAX);
    end();
}

TEST(without_memory_nothing_changes)
{
    start(1);
    struct gn_buffer buffer = {0};
    static uint8_t bytes[600000];
    CHECK(gn_buffer_append(&context, &buffer, bytes, sizeof(bytes)));
    CHECK(!gn_buffer_append(&context, &buffer, bytes, sizeof(bytes) / 2)); // no room for a copy
    CHECK(context.arena.short_of_pages);
    CHECK_EQ(gn_buffer_length(&buffer), sizeof(bytes));
    gn_buffer_consume(&context, &buffer, sizeof(bytes));
    end();
    start(0);
    CHECK(!gn_buffer_append(&context, &buffer, bytes, 1));
    CHECK_EQ(gn_buffer_length(&buffer), 0);
    gn_buffer_consume(&context, &buffer, 0);
    end();
}

TEST(the_heap_stands_in_while_the_arena_has_no_room)
{
    start(0);
    context.spare_limit = 10000;
    struct gn_buffer buffer = {0};
    char bytes[8000];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t i = 0; i < 1000; i++)
        CHECK(gn_buffer_append(&context, &buffer, (const uint8_t *)bytes + i, 1));
    CHECK(context.spare >= 1000 && context.spare <= 2000);
    CHECK(memcmp(gn_buffer_bytes(&context, &buffer), bytes, 1000) == 0);
    CHECK(!gn_buffer_append(&context, &buffer, (const uint8_t *)bytes, sizeof(bytes))); // no room for a copy
    CHECK_EQ(gn_buffer_length(&buffer), 1000);
    gn_buffer_consume(&context, &buffer, 500);
    CHECK(memcmp(gn_buffer_bytes(&context, &buffer), bytes + 500, 500) == 0);
    gn_buffer_consume(&context, &buffer, 500);
    CHECK_EQ(context.spare, 0);
    end();
}

TEST_MAIN()
