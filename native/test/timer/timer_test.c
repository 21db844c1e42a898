#include "timer/timer.h"

#include "test.h"

#define MILLISECOND UINT64_C(1000000)
#define SLOT GN_TIMER_SLOT_NANOSECONDS
#define ROUND (SLOT * GN_TIMER_SLOTS)
#define START (UINT64_C(123456789) * 1000 + 7)

static struct gn_timer_wheel wheel;
static struct gn_list expired;

static void start(uint64_t now)
{
    gn_timer_wheel_start(&wheel, now);
    gn_list_start(&expired);
}

/* Moves time on and says how many entries expired; they are taken off the list. */
static uint32_t expire(uint64_t now)
{
    gn_timer_expire(&wheel, now, &expired);
    uint32_t count = 0;
    for (struct gn_list *link; (link = gn_list_take(&expired)) != NULL; count++)
        CHECK(!gn_timer_started(gn_list_owner(link, struct gn_timer, link)));
    return count;
}

static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

TEST(never_early_and_at_most_one_slot_late)
{
    random_state = 1;
    for (int i = 0; i < 2000; i++) {
        uint64_t now = START + random_below(ROUND), after = 1 + random_below(3 * ROUND);
        start(now);
        struct gn_timer timer;
        gn_timer_init(&timer);
        gn_timer_start(&wheel, &timer, now + after);
        CHECK_EQ(expire(now), 0);
        CHECK_EQ(expire(now + after / 2), 0);
        CHECK_EQ(expire(now + after - 1), 0);
        CHECK(gn_timer_started(&timer));
        CHECK_EQ(expire(now + after + SLOT), 1);
        CHECK(!gn_timer_started(&timer));
        CHECK_EQ(wheel.count, 0);
        CHECK_EQ(expire(now + after + 5 * ROUND), 0);
    }
}

TEST(a_long_timer_outlasts_rounds_of_small_steps)
{
    start(START);
    struct gn_timer timer;
    gn_timer_init(&timer);
    uint64_t expiry = START + 3 * ROUND + 5 * SLOT + 1;
    gn_timer_start(&wheel, &timer, expiry);
    uint64_t now = START;
    while (now < expiry) {
        CHECK_EQ(expire(now), 0);
        now += 11 * MILLISECOND;
    }
    CHECK_EQ(expire(expiry + SLOT), 1);
}

TEST(a_time_in_the_past_fires_at_the_next_call)
{
    start(START);
    struct gn_timer past, present, zero;
    gn_timer_init(&past);
    gn_timer_init(&present);
    gn_timer_init(&zero);
    gn_timer_start(&wheel, &past, START - 5 * SLOT);
    gn_timer_start(&wheel, &present, START);
    gn_timer_start(&wheel, &zero, 0);
    CHECK_EQ(wheel.count, 3);
    CHECK_EQ(gn_timer_next(&wheel, START), 0);
    CHECK_EQ(expire(START), 3);
    CHECK_EQ(gn_timer_next(&wheel, START), GN_TIMER_NEVER);
}

TEST(stop_in_every_state)
{
    start(START);
    struct gn_timer timer;
    gn_timer_init(&timer);
    gn_timer_stop(&wheel, &timer); // never started
    CHECK(!gn_timer_started(&timer));
    CHECK_EQ(wheel.count, 0);

    gn_timer_start(&wheel, &timer, START + 10 * SLOT); // on a slot
    gn_timer_stop(&wheel, &timer);
    CHECK_EQ(gn_timer_next(&wheel, START), GN_TIMER_NEVER);
    CHECK_EQ(expire(START + 20 * SLOT), 0);

    gn_timer_start(&wheel, &timer, START); // due
    gn_timer_stop(&wheel, &timer);
    CHECK_EQ(gn_timer_next(&wheel, START + 20 * SLOT), GN_TIMER_NEVER);
    CHECK_EQ(expire(START + 30 * SLOT), 0);

    gn_timer_start(&wheel, &timer, START + 31 * SLOT); // expired and not yet taken off
    gn_timer_expire(&wheel, START + 40 * SLOT, &expired);
    CHECK(!gn_list_empty(&expired));
    gn_timer_stop(&wheel, &timer);
    CHECK(gn_list_empty(&expired));
    CHECK_EQ(wheel.count, 0);

    gn_timer_stop(&wheel, &timer); // again
    CHECK(!gn_timer_started(&timer));
}

TEST(restart_in_every_state)
{
    start(START);
    struct gn_timer timer;
    gn_timer_init(&timer);
    gn_timer_start(&wheel, &timer, START + 10 * SLOT);
    gn_timer_start(&wheel, &timer, START + 100 * SLOT); // from slot to slot
    CHECK_EQ(wheel.count, 1);
    CHECK_EQ(expire(START + 50 * SLOT), 0);
    gn_timer_start(&wheel, &timer, START); // from a slot to due
    CHECK_EQ(wheel.count, 1);
    gn_timer_start(&wheel, &timer, START + 60 * SLOT); // and from due to a slot
    CHECK_EQ(wheel.count, 1);
    CHECK_EQ(expire(START + 55 * SLOT), 0);
    gn_timer_expire(&wheel, START + 61 * SLOT, &expired);
    CHECK(expired.next == &timer.link);
    gn_timer_start(&wheel, &timer, START + 70 * SLOT); // from the expired list to a slot
    CHECK(gn_list_empty(&expired));
    CHECK_EQ(wheel.count, 1);
    CHECK_EQ(expire(START + 69 * SLOT), 0);
    CHECK_EQ(expire(START + 71 * SLOT), 1);
    gn_timer_start(&wheel, &timer, START + 80 * SLOT);
    gn_timer_start(&wheel, &timer, GN_TIMER_NEVER); // never is stopped
    CHECK(!gn_timer_started(&timer));
    CHECK_EQ(wheel.count, 0);
    CHECK_EQ(gn_timer_next(&wheel, START), GN_TIMER_NEVER);
}

TEST(while_some_are_on_the_expired_list_others_of_it_may_be_stopped_or_restarted)
{
    start(START);
    struct gn_timer timers[10];
    for (int i = 0; i < 10; i++) {
        gn_timer_init(&timers[i]);
        gn_timer_start(&wheel, &timers[i], START + SLOT);
    }
    gn_timer_expire(&wheel, START + 2 * SLOT, &expired);
    int fired = 0;
    for (struct gn_list *link; (link = gn_list_take(&expired)) != NULL; fired++) {
        if (fired == 0) {
            gn_timer_stop(&wheel, &timers[1]);
            gn_timer_start(&wheel, &timers[9], START);
            gn_timer_start(&wheel, &timers[5], START + 3 * SLOT);
        }
    }
    CHECK_EQ(fired, 7);
    CHECK_EQ(wheel.count, 2);
    CHECK_EQ(expire(START + 2 * SLOT), 1);
    CHECK_EQ(expire(START + 4 * SLOT), 1);
}

TEST(a_jump_over_many_rounds_fires_everything_once)
{
    start(START);
    enum { COUNT = 5000 };
    static struct gn_timer timers[COUNT];
    for (uint64_t i = 0; i < COUNT; i++) {
        gn_timer_init(&timers[i]);
        gn_timer_start(&wheel, &timers[i], START + i * 77 * MILLISECOND);
    }
    struct gn_timer later;
    gn_timer_init(&later);
    uint64_t target = START + 100 * ROUND;
    gn_timer_start(&wheel, &later, target + 1);
    CHECK_EQ(expire(target), COUNT);
    CHECK_EQ(wheel.count, 1);
    CHECK_EQ(expire(target + 1 + SLOT), 1);
}

TEST(jumps_of_about_one_round)
{
    for (uint64_t slots = GN_TIMER_SLOTS - 2; slots <= GN_TIMER_SLOTS + 2; slots++) {
        start(START);
        static struct gn_timer timers[GN_TIMER_SLOTS];
        for (uint64_t i = 0; i < GN_TIMER_SLOTS; i++) {
            gn_timer_init(&timers[i]);
            gn_timer_start(&wheel, &timers[i], START + 1 + i * SLOT);
        }
        uint64_t now = START + slots * SLOT;
        uint64_t due = slots < GN_TIMER_SLOTS ? slots : GN_TIMER_SLOTS;
        CHECK_EQ(expire(now), due);
        CHECK_EQ(expire(now + 3 * SLOT), GN_TIMER_SLOTS - due);
    }
}

TEST(time_does_not_go_back)
{
    start(START);
    struct gn_timer timer;
    gn_timer_init(&timer);
    CHECK_EQ(expire(START + 10 * SLOT), 0);
    gn_timer_start(&wheel, &timer, START + 12 * SLOT);
    CHECK_EQ(expire(START), 0);
    CHECK_EQ(wheel.now, START + 10 * SLOT);
    CHECK_EQ(expire(START + 13 * SLOT), 1);
}

TEST(entries_of_one_slot_fire_in_order_of_their_start)
{
    start(0);
    struct gn_timer timers[3];
    for (int i = 0; i < 3; i++)
        gn_timer_init(&timers[i]);
    gn_timer_start(&wheel, &timers[0], 5 * SLOT + 3);
    gn_timer_start(&wheel, &timers[1], 5 * SLOT + ROUND);
    gn_timer_start(&wheel, &timers[2], 5 * SLOT + 1);
    gn_timer_expire(&wheel, 6 * SLOT, &expired);
    CHECK(gn_list_take(&expired) == &timers[0].link);
    CHECK(gn_list_take(&expired) == &timers[2].link);
    CHECK(gn_list_empty(&expired));
    CHECK(gn_timer_started(&timers[1]));
}

TEST(next_wakes_at_the_end_of_the_slot)
{
    start(0);
    struct gn_timer timer;
    gn_timer_init(&timer);
    gn_timer_start(&wheel, &timer, 5 * SLOT + 3);
    CHECK_EQ(gn_timer_next(&wheel, 0), 6 * SLOT);
    CHECK_EQ(gn_timer_next(&wheel, 5 * SLOT + 3), SLOT - 3);
    CHECK_EQ(gn_timer_next(&wheel, 6 * SLOT), 0);
    CHECK_EQ(gn_timer_next(&wheel, 9 * SLOT), 0);
    gn_timer_start(&wheel, &timer, 5 * SLOT + 3 + 2 * ROUND);
    CHECK_EQ(gn_timer_next(&wheel, 0), 6 * SLOT);
    CHECK_EQ(expire(6 * SLOT), 0);
    CHECK_EQ(gn_timer_next(&wheel, 6 * SLOT), ROUND);

    struct gn_timer nearer;
    gn_timer_init(&nearer);
    gn_timer_start(&wheel, &nearer, 8 * SLOT);
    CHECK_EQ(gn_timer_next(&wheel, 6 * SLOT), 3 * SLOT);
    gn_timer_stop(&wheel, &nearer); // what is stopped wakes nobody
    CHECK_EQ(gn_timer_next(&wheel, 6 * SLOT), ROUND);
}

/* Sleeping by gn_timer_next only, as a loop does, no entry is late by more than a slot, and the wake-ups are few. */
TEST(a_loop_that_sleeps_as_told_is_in_time)
{
    random_state = 2;
    enum { COUNT = 300 };
    static struct gn_timer timers[COUNT];
    static uint64_t expiries[COUNT];
    start(START);
    for (int i = 0; i < COUNT; i++) {
        gn_timer_init(&timers[i]);
        expiries[i] = START + 1 + random_below(5 * ROUND);
        gn_timer_start(&wheel, &timers[i], expiries[i]);
    }
    uint64_t now = START, wakes = 0;
    while (wheel.count != 0) {
        uint64_t wait = gn_timer_next(&wheel, now);
        REQUIRE(wait != GN_TIMER_NEVER);
        REQUIRE(wait > 0);
        for (int i = 0; i < COUNT; i++) {
            if (gn_timer_started(&timers[i]))
                CHECK(now + wait <= (expiries[i] / SLOT + 1) * SLOT);
        }
        now += wait;
        wakes++;
        gn_timer_expire(&wheel, now, &expired);
        for (struct gn_list *link; (link = gn_list_take(&expired)) != NULL;) {
            uint64_t expiry = expiries[gn_list_owner(link, struct gn_timer, link) - timers];
            CHECK(expiry <= now && now - expiry <= SLOT);
        }
    }
    CHECK(wakes <= COUNT * 6);
}

/* Random starts, stops and steps against a plain table of expiries. */
TEST(random_steps_against_a_model)
{
    random_state = 3;
    enum { COUNT = 200 };
    static struct gn_timer timers[COUNT];
    static uint64_t model[COUNT]; // GN_TIMER_NEVER: stopped
    uint64_t now = START;
    start(now);
    for (int i = 0; i < COUNT; i++) {
        gn_timer_init(&timers[i]);
        model[i] = GN_TIMER_NEVER;
    }
    for (int step = 0; step < 60000; step++) {
        uint64_t which = random_below(COUNT);
        switch (random_below(8)) {
        case 0:
            gn_timer_stop(&wheel, &timers[which]);
            model[which] = GN_TIMER_NEVER;
            break;
        case 1: // near, and now and then in the past
            model[which] = now - 2 * SLOT + random_below(40 * SLOT);
            gn_timer_start(&wheel, &timers[which], model[which]);
            break;
        case 2:
            model[which] = now + random_below(3 * ROUND);
            gn_timer_start(&wheel, &timers[which], model[which]);
            break;
        default:
            now += random_below(100) == 0 ? random_below(2 * ROUND) : random_below(3 * SLOT);
            gn_timer_expire(&wheel, now, &expired);
            for (struct gn_list *link; (link = gn_list_take(&expired)) != NULL;) {
                uint64_t *expiry = &model[gn_list_owner(link, struct gn_timer, link) - timers];
                CHECK(*expiry <= now);
                *expiry = GN_TIMER_NEVER;
            }
            uint32_t started = 0;
            uint64_t earliest = GN_TIMER_NEVER;
            for (int i = 0; i < COUNT; i++) {
                CHECK_EQ(gn_timer_started(&timers[i]), model[i] != GN_TIMER_NEVER);
                started += model[i] != GN_TIMER_NEVER;
                if (model[i] < earliest)
                    earliest = model[i];
            }
            CHECK_EQ(wheel.count, started);
            uint64_t next = gn_timer_next(&wheel, now);
            if (started == 0) {
                CHECK(next == GN_TIMER_NEVER);
            } else {
                CHECK(earliest / SLOT >= now / SLOT); // what is left is not over yet
                CHECK(next > 0 && now + next <= (earliest / SLOT + 1) * SLOT);
            }
        }
    }
}

TEST_MAIN()
