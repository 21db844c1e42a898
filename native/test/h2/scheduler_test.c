#include "h2/scheduler.h"

#include "random.h"
#include "test.h"

#define STREAMS 40U

static struct gn_h2_scheduler scheduler;
static struct gn_h2_turn turns[STREAMS];

static void begin(void)
{
    gn_h2_scheduler_start(&scheduler);
    for (unsigned i = 0; i < STREAMS; i++)
        gn_h2_turn_start(&turns[i]);
}

static void add(unsigned stream, uint8_t urgency, bool in_turns)
{
    gn_h2_scheduler_change(&scheduler, &turns[stream], (struct gn_h2_priority){urgency, in_turns});
    gn_h2_scheduler_add(&scheduler, &turns[stream]);
}

static int next(void)
{
    struct gn_h2_turn *turn = gn_h2_scheduler_next(&scheduler);
    return turn == NULL ? -1 : (int)(turn - turns);
}

/* Who sends next, of those who always have more. */
static int send_quantum(void)
{
    int stream = next();
    if (stream >= 0)
        gn_h2_scheduler_sent(&scheduler, &turns[stream]);
    return stream;
}

TEST(equals_take_turns)
{
    begin();
    CHECK_EQ(next(), -1);
    for (unsigned i = 0; i < 3; i++)
        gn_h2_scheduler_add(&scheduler, &turns[i]);
    gn_h2_scheduler_add(&scheduler, &turns[0]); // a second time changes nothing
    for (unsigned i = 0; i < 9; i++)
        CHECK_EQ(send_quantum(), i % 3);
    gn_h2_scheduler_remove(&scheduler, &turns[1]);
    gn_h2_scheduler_remove(&scheduler, &turns[1]);
    CHECK_EQ(send_quantum(), 0);
    CHECK_EQ(send_quantum(), 2);
    gn_h2_scheduler_remove(&scheduler, &turns[0]);
    gn_h2_scheduler_remove(&scheduler, &turns[2]);
    CHECK_EQ(next(), -1);
}

TEST(the_most_urgent_go_first)
{
    begin();
    add(0, 7, true);
    add(1, 3, true);
    add(2, 0, true);
    CHECK_EQ(send_quantum(), 2);
    CHECK_EQ(send_quantum(), 2);
    gn_h2_scheduler_remove(&scheduler, &turns[2]);
    CHECK_EQ(send_quantum(), 1);
    gn_h2_scheduler_change(&scheduler, &turns[0], (struct gn_h2_priority){1, true});
    CHECK_EQ(send_quantum(), 0);
    gn_h2_scheduler_remove(&scheduler, &turns[0]);
    CHECK_EQ(send_quantum(), 1);
}

TEST(what_is_of_no_use_in_parts_keeps_its_turn)
{
    begin();
    add(0, 3, false);
    add(1, 3, false);
    add(2, 3, true);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(send_quantum(), 0);
    gn_h2_scheduler_remove(&scheduler, &turns[0]); // nothing more, or no window
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(send_quantum(), 1);
    gn_h2_scheduler_add(&scheduler, &turns[0]); // behind the others now
    gn_h2_scheduler_remove(&scheduler, &turns[1]);
    CHECK_EQ(send_quantum(), 2);
    CHECK_EQ(send_quantum(), 0);
}

/* Random calls beside a model: whoever is next is of the most urgent level that waits, and nobody who takes turns waits
   for more than one round of those that do. */
TEST(any_order_of_calls_is_fair)
{
    uint64_t state = 3;
    bool waiting[STREAMS] = {false};
    unsigned since[STREAMS] = {0};
    begin();
    for (unsigned run = 0; run < 200000; run++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        unsigned stream = (unsigned)(state >> 40) % STREAMS, what = (unsigned)(state >> 58);
        if (what < 4) {
            gn_h2_scheduler_add(&scheduler, &turns[stream]);
            waiting[stream] = true;
            since[stream] = 0;
        } else if (what < 7) {
            gn_h2_scheduler_remove(&scheduler, &turns[stream]);
            waiting[stream] = false;
        } else if (what < 8) {
            struct gn_h2_priority priority = {(uint8_t)(state >> 33 & 7), true};
            gn_h2_scheduler_change(&scheduler, &turns[stream], priority);
            for (unsigned i = 0; i < STREAMS; i++)
                since[i] = 0;
        } else {
            int sent = send_quantum();
            unsigned urgency = GN_H2_URGENCIES;
            for (unsigned i = 0; i < STREAMS; i++)
                if (waiting[i] && turns[i].priority.urgency < urgency)
                    urgency = turns[i].priority.urgency;
            CHECK_EQ(sent >= 0, urgency < GN_H2_URGENCIES);
            if (sent < 0)
                continue;
            CHECK(waiting[sent] && turns[sent].priority.urgency == urgency);
            since[sent] = 0;
            for (unsigned i = 0; i < STREAMS; i++)
                if (waiting[i] && (int)i != sent && turns[i].priority.urgency == urgency)
                    CHECK(++since[i] < 2 * STREAMS);
        }
    }
}

/* The rules of scheduler.h, with all that wait in one row. */
static struct {
    unsigned stream;
    struct gn_h2_priority priority;
} row[STREAMS];
static unsigned row_length;

static unsigned place_of(unsigned stream)
{
    unsigned place = 0;
    while (place < row_length && row[place].stream != stream)
        place++;
    return place;
}

static void leave_row(unsigned stream)
{
    unsigned place = place_of(stream);
    if (place == row_length)
        return;
    memmove(&row[place], &row[place + 1], (row_length - place - 1) * sizeof(*row));
    row_length--;
}

static void join_row(unsigned stream, struct gn_h2_priority priority)
{
    if (place_of(stream) < row_length)
        return;
    row[row_length].stream = stream;
    row[row_length++].priority = priority;
}

/* The first of the most urgent ones. */
static int next_in_row(void)
{
    int found = -1;
    unsigned urgency = GN_H2_URGENCIES;
    for (unsigned i = row_length; i-- > 0;) {
        if (row[i].priority.urgency <= urgency) {
            urgency = row[i].priority.urgency;
            found = (int)row[i].stream;
        }
    }
    return found;
}

TEST(any_order_of_calls_is_as_in_one_row)
{
    struct gn_h2_priority priorities[STREAMS];
    for (seed = 1; seed <= 20; seed++) {
        uint64_t number = seed;
        begin();
        row_length = 0;
        for (unsigned i = 0; i < STREAMS; i++)
            priorities[i] = gn_h2_priority_default;
        unsigned streams = 1 + below(STREAMS);
        for (unsigned run = 0; run < 20000; run++) {
            unsigned stream = below(streams), what = below(8);
            int first = next();
            CHECK_EQ(first, next_in_row());
            if (what < 2) {
                gn_h2_scheduler_add(&scheduler, &turns[stream]);
                join_row(stream, priorities[stream]);
            } else if (what < 3) {
                gn_h2_scheduler_remove(&scheduler, &turns[stream]);
                leave_row(stream);
            } else if (what < 4) {
                priorities[stream] = (struct gn_h2_priority){(uint8_t)below(GN_H2_URGENCIES), once_in(2)};
                gn_h2_scheduler_change(&scheduler, &turns[stream], priorities[stream]);
                unsigned place = place_of(stream);
                if (place == row_length)
                    continue;
                bool moves = row[place].priority.urgency != priorities[stream].urgency;
                row[place].priority = priorities[stream];
                if (moves) {
                    leave_row(stream);
                    join_row(stream, priorities[stream]);
                }
            } else if (first >= 0) {
                gn_h2_scheduler_sent(&scheduler, &turns[first]);
                if (priorities[first].in_turns) {
                    leave_row((unsigned)first);
                    join_row((unsigned)first, priorities[first]);
                }
            }
        }
        seed = number;
    }
}

/* Of those that always have more, the most urgent ones send, and each as often as the others, at any time within a quantum;
   who comes later has as much from then on. */
TEST(equals_have_the_same_share)
{
    for (seed = 1; seed <= 200; seed++) {
        uint64_t number = seed;
        unsigned sent[STREAMS] = {0}, count = 1 + below(STREAMS), equals = 0, urgency = GN_H2_URGENCIES;
        begin();
        for (unsigned i = 0; i < count; i++) {
            add(i, (uint8_t)(3 + below(3)), true);
            if (turns[i].priority.urgency < urgency)
                urgency = turns[i].priority.urgency;
        }
        for (unsigned i = 0; i < count; i++)
            equals += turns[i].priority.urgency == urgency;
        for (unsigned run = 1; run < 5 * STREAMS; run++) {
            int stream = send_quantum();
            REQUIRE(stream >= 0);
            sent[stream]++;
            for (unsigned i = 0; i < count; i++) {
                bool equal = turns[i].priority.urgency == urgency;
                CHECK(equal ? sent[i] == run / equals || sent[i] == run / equals + 1 : sent[i] == 0);
            }
        }
        seed = number;
    }
}

TEST(priorities_are_read_as_they_are_said)
{
    static const struct {
        const char *value;
        uint8_t urgency;
        bool in_turns;
    } cases[] = {
        {"u=1", 1, false},
        {"u=1, i", 1, true},
        {"i", 3, true},
        {"i=?1", 3, true},
        {"i=?0", 3, false},
        {"u=0,i;a=b", 0, true},
        {"u=5;x, i=?1;y=\"a,b\"", 5, true},
        {"u=8", 3, false},
        {"u=-1", 3, false},
        {"u=1.5", 3, false},
        {"u=\"1\"", 3, false},
        {"u=2, u=6", 6, false}, // the last one counts (RFC 9651 section 3.2)
        {"a=\"u=1, i\", u=4", 4, false},
        {"a=(u=1, i), u=4", 4, false},
        {"  u=7 ,\ti ", 7, true},
        {"urgent=1, x-i", 3, false},
        {"*a=1, u=2", 2, false},
        {"", 3, true}, // nothing is said
        {"U=1", 3, true},
        {"u=1,", 3, true},
        {"u=", 3, true},
        {"=1", 3, true},
        {"u=1, ?", 3, true},
        {"\"", 3, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t length = strlen(cases[i].value);
        uint8_t *exact = malloc(length + 1);
        REQUIRE(exact != NULL);
        memcpy(exact + 1, cases[i].value, length);
        struct gn_h2_priority priority = gn_h2_priority_parse(exact + 1, (uint32_t)length);
        if (priority.urgency != cases[i].urgency || priority.in_turns != cases[i].in_turns) {
            test_fail(__FILE__, __LINE__);
            fprintf(stderr, "<%s>: %u %d\n", cases[i].value, priority.urgency, priority.in_turns);
        }
        free(exact);
    }
}

TEST_MAIN()
