#include "conn/output.h"

#include "conn/context.h"
#include "conn/prepared.h"
#include "test.h"

#define SLAB (1U << 20)

static struct gn_context context;
static uint8_t *slab;

static void start(size_t bytes)
{
    context = (struct gn_context){.spare_limit = GN_SPARE_MAX};
    gn_list_start(&context.segments);
    REQUIRE(gn_arena_open(&context.arena, &context.memory, &(struct gn_arena_config){0}) == 0);
    slab = aligned_alloc(65536, SLAB);
    REQUIRE(slab != NULL && gn_arena_add(&context.arena, slab, bytes) == 1);
}

static void end(void)
{
    CHECK_EQ(context.arena.used[GN_ARENA_BODY_OUT], 0);
    gn_output_pool_end(&context);
    gn_arena_close(&context.arena);
    CHECK_EQ(context.memory.blocks, 0);
    free(slab);
}

static uint8_t octet_at(uint64_t position)
{
    return (uint8_t)(position * 31 + position / 253);
}

/* Checks and drops the first `length` bytes, which are those from `position` on in the stream. */
static void take(struct gn_output *output, uint64_t position, size_t length)
{
    struct iovec parts[4];
    unsigned count = gn_output_parts(output, parts, 4);
    CHECK(count <= 4 && (count > 0 || output->length == 0));
    size_t seen = 0;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *bytes = parts[i].iov_base;
        CHECK(parts[i].iov_len > 0);
        for (size_t k = 0; k < parts[i].iov_len && seen < length; k++, seen++) {
            if (bytes[k] != octet_at(position + seen)) {
                CHECK(false);
                return;
            }
        }
    }
    CHECK_EQ(seen, length);
    gn_output_advance(&context, output, length);
}

TEST(what_goes_in_comes_out_in_order)
{
    start(SLAB);
    struct gn_output output = {0};
    uint64_t put = 0, taken = 0, seed = 1;
    static uint8_t piece[70000];
    for (unsigned i = 0; i < 3000; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        size_t length = (seed >> 33) % ((seed >> 60) == 0 ? sizeof(piece) : 2000);
        if (output.length < 200000) {
            if (i % 2 == 0) {
                for (size_t k = 0; k < length; k++)
                    piece[k] = octet_at(put + k);
                CHECK(gn_output_append(&context, &output, piece, length));
            } else {
                uint8_t *bytes = gn_output_reserve(&context, &output, length + 100);
                REQUIRE(bytes != NULL);
                for (size_t k = 0; k < length; k++)
                    bytes[k] = octet_at(put + k);
                gn_output_commit(&output, length);
            }
            put += length;
        }
        CHECK_EQ(output.length, put - taken);
        size_t drop = (seed >> 20) % 1500;
        drop = drop < output.length ? drop : (size_t)output.length;
        struct iovec parts[4];
        unsigned count = gn_output_parts(&output, parts, 4);
        size_t visible = 0;
        for (unsigned k = 0; k < count; k++)
            visible += parts[k].iov_len;
        drop = drop < visible ? drop : visible;
        take(&output, taken, drop);
        taken += drop;
    }
    gn_output_clear(&context, &output);
    CHECK_EQ(output.length, 0);
    end();
}

TEST(empty_it_holds_nothing)
{
    start(SLAB);
    struct gn_output output = {0};
    CHECK(gn_output_append(&context, &output, "", 0));
    CHECK_EQ(context.arena.used[GN_ARENA_BODY_OUT], 0);
    CHECK(gn_output_append(&context, &output, "abc", 3));
    CHECK(context.arena.used[GN_ARENA_BODY_OUT] > 0);
    gn_output_advance(&context, &output, 2);
    gn_output_advance(&context, &output, 1);
    CHECK_EQ(context.arena.used[GN_ARENA_BODY_OUT], 0);
    struct iovec parts[2];
    CHECK_EQ(gn_output_parts(&output, parts, 2), 0);
    end();
}

TEST(a_part_that_is_being_sent_stays_in_place_while_more_is_added)
{
    start(SLAB);
    struct gn_output output = {0};
    CHECK(gn_output_append(&context, &output, "abc", 3));
    struct iovec before, after;
    CHECK_EQ(gn_output_parts(&output, &before, 1), 1);
    static uint8_t more[100000];
    CHECK(gn_output_append(&context, &output, more, sizeof(more)));
    CHECK_EQ(gn_output_parts(&output, &after, 1), 1);
    CHECK(after.iov_base == before.iov_base);
    CHECK_BYTES(before.iov_base, before.iov_len, "abc");
    gn_output_clear(&context, &output);
    end();
}

TEST(moving_joins_two_queues)
{
    start(SLAB);
    struct gn_output first = {0}, second = {0}, none = {0};
    gn_output_move(&first, &second);
    CHECK_EQ(first.length, 0);
    CHECK(gn_output_append(&context, &second, "cd", 2));
    gn_output_move(&first, &second); // to an empty one
    CHECK_EQ(second.length, 0);
    CHECK(gn_output_append(&context, &second, "ef", 2));
    gn_output_move(&first, &second);
    gn_output_move(&first, &none);
    CHECK(gn_output_append(&context, &first, "gh", 2));
    struct iovec parts[4];
    CHECK_EQ(gn_output_parts(&first, parts, 4), 2);
    CHECK_BYTES(parts[0].iov_base, parts[0].iov_len, "cd");
    CHECK_BYTES(parts[1].iov_base, parts[1].iov_len, "efgh");
    CHECK_EQ(first.length, 6);
    gn_output_clear(&context, &first);
    end();
}

TEST(the_heap_helps_out_while_the_arena_has_no_room)
{
    start(65536);
    struct gn_output output = {0};
    static uint8_t bytes[100000];
    memset(bytes, 'x', sizeof(bytes));
    CHECK(gn_output_append(&context, &output, bytes, sizeof(bytes)));
    CHECK(context.arena.short_of_pages);
    CHECK(context.spare > 0);
    uint8_t *more = gn_output_reserve(&context, &output, sizeof(bytes));
    REQUIRE(more != NULL);
    memcpy(more, bytes, sizeof(bytes));
    gn_output_commit(&output, sizeof(bytes));
    size_t length = output.length;
    CHECK_EQ(length, 2 * sizeof(bytes));
    while (output.length > 0) {
        struct iovec part;
        CHECK_EQ(gn_output_parts(&output, &part, 1), 1);
        CHECK_EQ(((uint8_t *)part.iov_base)[part.iov_len - 1], 'x');
        gn_output_advance(&context, &output, part.iov_len);
    }
    CHECK_EQ(context.spare, 0);
    end();
}

TEST(without_memory)
{
    start(65536);
    struct gn_output output = {0};
    static uint8_t bytes[100000];
    context.spare = GN_SPARE_MAX - sizeof(bytes) + 1;
    CHECK(gn_output_reserve(&context, &output, sizeof(bytes)) == NULL);
    CHECK_EQ(output.length, 0);
    context.spare = 0;
    gn_output_clear(&context, &output);
    context.memory.fail_from = 1;
    gn_output_pool_end(&context);
    CHECK(!gn_output_append(&context, &output, bytes, 10));
    CHECK_EQ(context.spare, 0);
    gn_output_clear(&context, &output);
    end();
}

TEST(a_prepared_body_stands_in_its_place_and_is_held)
{
    start(SLAB);
    struct gn_prepared *prepared = gn_memory_allocate(&context.memory, sizeof(*prepared) + 1000);
    prepared->references = 1;
    prepared->body = (uint8_t *)(prepared + 1);
    prepared->body_length = 1000;
    for (size_t i = 0; i < 1000; i++)
        prepared->body[i] = octet_at(3 + i);
    uint8_t before[3], between[5];
    for (size_t i = 0; i < 5; i++)
        between[i] = octet_at(1003 + i);
    for (size_t i = 0; i < 3; i++)
        before[i] = octet_at(i);
    struct gn_output output = {0}, held = {0};
    CHECK(gn_output_append(&context, &output, before, 3));
    CHECK(gn_output_refer(&context, &held, prepared));
    CHECK(gn_output_append(&context, &held, between, 5));
    CHECK(gn_output_refer(&context, &held, prepared));
    gn_output_move(&output, &held);
    CHECK_EQ(output.length, 3 + 1000 + 5 + 1000);
    CHECK_EQ(prepared->references, 3);
    struct iovec parts[4];
    CHECK_EQ(gn_output_parts(&output, parts, 4), 4);
    CHECK(parts[1].iov_base == prepared->body && parts[3].iov_base == prepared->body); // not a copy
    take(&output, 0, 3);
    take(&output, 3, 400);
    CHECK_EQ(prepared->references, 3);
    take(&output, 403, 603);
    CHECK_EQ(prepared->references, 2);
    take(&output, 1006, 2);
    gn_prepared_release(&context, prepared); // Java's reference
    CHECK_EQ(prepared->references, 1);
    gn_output_clear(&context, &output);
    end();
}

TEST_MAIN()
