#include "conn/exchange.h"

#include "conn/connection.h"
#include "test.h"

static struct gn_context context;
static struct gn_counters counters;
static struct gn_event events[64];
static struct gn_connection connection;

static void start(void)
{
    context = (struct gn_context){.counters = &counters, .ring = {.events = events, .capacity = 64}};
    counters = (struct gn_counters){0};
    connection = (struct gn_connection){.context = &context};
    gn_list_start(&context.exchange_pool);
    gn_list_start(&context.owed);
    gn_list_start(&connection.exchanges);
    gn_slots_start(&context.exchanges, &context.memory, 1000);
    REQUIRE(gn_arena_open(&context.arena, &context.memory, &(struct gn_arena_config){0}) == 0);
}

static void end(void)
{
    CHECK_EQ(counters.exchanges_open, 0);
    CHECK_EQ(connection.exchange_count, 0);
    CHECK(gn_list_empty(&context.owed));
    gn_exchange_pool_end(&context);
    gn_slots_end(&context.exchanges);
    gn_arena_close(&context.arena);
    CHECK_EQ(context.memory.blocks, 0);
}

static struct gn_exchange *open_one(void)
{
    struct gn_exchange *exchange = gn_exchange_open(&context, &connection);
    REQUIRE(exchange != NULL);
    return exchange;
}

static void fill_ring(void)
{
    while (gn_ring_room(&context.ring) > 0)
        gn_ring_write(&context.ring, (struct gn_event){0});
}

/* Java reads everything; the next event will be events[context.ring.head % 64]. */
static void read_ring(void)
{
    context.ring.head = context.ring.tail;
}

static const struct gn_event *written(uint32_t number)
{
    CHECK(number < gn_ring_count(&context.ring));
    return &events[(context.ring.head + number) % 64];
}

TEST(it_is_freed_when_both_have_let_go)
{
    for (unsigned order = 0; order < 2; order++) {
        start();
        struct gn_exchange *exchange = open_one();
        uint64_t id = gn_exchange_id(exchange);
        CHECK(gn_exchange_find(&context, id) == exchange);
        CHECK_EQ(connection.exchange_count, 1);
        if (order == 0)
            gn_exchange_detach(&context, exchange);
        else
            gn_exchange_release(&context, exchange);
        CHECK(gn_exchange_find(&context, id) == exchange);
        CHECK_EQ(counters.exchanges_open, 1);
        if (order == 0)
            gn_exchange_release(&context, exchange);
        else
            gn_exchange_detach(&context, exchange);
        CHECK(gn_exchange_find(&context, id) == NULL);
        CHECK_EQ(gn_ring_count(&context.ring), 0);
        end();
    }
}

TEST(exchanges_stand_in_the_order_of_their_requests)
{
    start();
    struct gn_exchange *first = open_one(), *second = open_one(), *third = open_one();
    CHECK(connection.exchanges.next == &first->link && first->link.next == &second->link);
    CHECK(connection.exchanges.previous == &third->link);
    struct gn_exchange *all[] = {second, first, third};
    for (unsigned i = 0; i < 3; i++) {
        gn_exchange_release(&context, all[i]);
        gn_exchange_detach(&context, all[i]);
    }
    end();
}

TEST(a_break_is_told_once)
{
    start();
    struct gn_exchange *exchange = open_one();
    gn_exchange_break(&context, exchange, GN_REASON_BODY_CUT, 400);
    gn_exchange_break(&context, exchange, GN_REASON_PEER_RESET, 0);
    CHECK_EQ(gn_ring_count(&context.ring), 1);
    CHECK_EQ(written(0)->kind, GN_EVENT_RESET);
    CHECK_EQ(written(0)->reason, GN_REASON_BODY_CUT);
    CHECK_EQ(written(0)->value, 400);
    CHECK(written(0)->subject == gn_exchange_id(exchange));
    CHECK_EQ(counters.exchanges_reset, 1);
    gn_exchange_release(&context, exchange);
    gn_exchange_detach(&context, exchange);
    end();
}

TEST(what_finds_no_room_is_owed_and_summed_up)
{
    start();
    struct gn_exchange *exchange = open_one();
    fill_ring();
    gn_exchange_grant(&context, exchange, 10);
    gn_exchange_grant(&context, exchange, 5);
    gn_exchange_sent(&context, exchange, GN_REASON_PEER_RESET);
    gn_exchange_break(&context, exchange, GN_REASON_PEER_RESET, 0);
    gn_exchange_deliver_owed(&context);
    CHECK(!gn_list_empty(&context.owed));
    context.ring.head++; // room for one
    gn_exchange_deliver_owed(&context);
    CHECK(!gn_list_empty(&context.owed));
    context.ring.head = context.ring.tail - 1;
    CHECK_EQ(written(0)->kind, GN_EVENT_CREDIT);
    CHECK_EQ(written(0)->value, 15);
    read_ring();
    gn_exchange_deliver_owed(&context);
    CHECK_EQ(gn_ring_count(&context.ring), 2);
    CHECK_EQ(written(0)->kind, GN_EVENT_RESET);
    CHECK_EQ(written(1)->kind, GN_EVENT_SENT);
    CHECK_EQ(written(1)->reason, GN_REASON_PEER_RESET);
    CHECK(gn_list_empty(&context.owed));
    gn_exchange_release(&context, exchange);
    gn_exchange_detach(&context, exchange);
    end();
}

TEST(nothing_is_owed_to_one_that_was_released)
{
    start();
    struct gn_exchange *exchange = open_one();
    fill_ring();
    gn_exchange_grant(&context, exchange, 10);
    gn_exchange_release(&context, exchange);
    gn_exchange_break(&context, exchange, GN_REASON_PEER_RESET, 0);
    gn_exchange_sent(&context, exchange, GN_REASON_NONE);
    read_ring();
    gn_exchange_deliver_owed(&context);
    CHECK_EQ(gn_ring_count(&context.ring), 0);
    gn_exchange_detach(&context, exchange);
    end();
}

TEST(one_that_is_used_again_knows_nothing_of_before)
{
    start();
    struct gn_exchange *exchange = open_one();
    uint64_t id = gn_exchange_id(exchange);
    memset((char *)exchange + offsetof(struct gn_exchange, owed_reason), 0x5a,
           offsetof(struct gn_exchange, held) - offsetof(struct gn_exchange, owed_reason));
    exchange->broken = exchange->expecting = true;
    gn_exchange_release(&context, exchange);
    gn_exchange_detach(&context, exchange);
    struct gn_exchange *again = open_one();
    CHECK(again == exchange);
    CHECK(gn_exchange_id(again) != id);
    CHECK(!again->broken && !again->expecting && !again->released && again->head_block == 0);
    CHECK_EQ(again->send_charged + again->send_granted + again->receive_credit + again->owed_reason, 0);
    gn_exchange_release(&context, again);
    gn_exchange_detach(&context, again);
    end();
}

TEST(without_memory_or_slots)
{
    for (unsigned fail = 1; fail <= 2; fail++) {
        start();
        context.memory.fail_from = context.memory.count + fail;
        CHECK(gn_exchange_open(&context, &connection) == NULL);
        end();
    }
    start();
    context.exchanges.limit = 1;
    struct gn_exchange *exchange = open_one();
    CHECK(gn_exchange_open(&context, &connection) == NULL);
    CHECK_EQ(connection.exchange_count, 1);
    gn_exchange_release(&context, exchange);
    gn_exchange_detach(&context, exchange);
    end();
}

TEST_MAIN()
