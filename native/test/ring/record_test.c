#include "ring/record.h"

#include "h1/chunked.h"
#include "h1/request_parser.h"
#include "ring/ring.h"
#include "ring/shared.h"
#include "test.h"

TEST(ids_are_made_of_slot_role_and_generation)
{
    uint64_t id = gn_id(0x123456, 0x7fffffff);
    CHECK_EQ(gn_id_slot(id), 0x123456);
    CHECK_EQ(gn_id_generation(id), 0x7fffffff);
    CHECK_EQ(gn_id_role(id), 0);
    CHECK_EQ(gn_id_role(id | GN_ID_ROLE_CLIENT), 1);
    CHECK_EQ(gn_id_slot(id | GN_ID_ROLE_CLIENT), 0x123456);
    CHECK((int64_t)id > 0);
}

TEST(the_ring_wraps_and_counts_on)
{
    struct gn_event events[64];
    struct gn_ring ring = {.events = events, .capacity = 64, .head = UINT32_MAX - 10, .tail = UINT32_MAX - 10};
    uint32_t head = ring.head;
    for (uint64_t i = 0; i < 1000; i++) {
        while (gn_ring_room(&ring) > 0)
            gn_ring_write(&ring, (struct gn_event){.subject = ring.tail});
        CHECK_EQ(gn_ring_count(&ring), 64);
        for (unsigned k = 0; k < 1 + i % 64; k++, head++)
            CHECK_EQ(events[head % 64].subject, head);
        CHECK(gn_ring_read_up_to(&ring, head));
        CHECK_EQ(gn_ring_room(&ring), 1 + i % 64);
    }
}

TEST(nobody_can_have_read_what_was_not_written)
{
    struct gn_event events[64];
    struct gn_ring ring = {.events = events, .capacity = 64};
    gn_ring_write(&ring, (struct gn_event){.kind = GN_EVENT_HEAD});
    CHECK(!gn_ring_read_up_to(&ring, 2));
    CHECK(!gn_ring_read_up_to(&ring, UINT32_MAX));
    CHECK_EQ(ring.head, 0);
    CHECK(gn_ring_read_up_to(&ring, 1));
    CHECK(!gn_ring_read_up_to(&ring, 0)); // nor unread it
}

TEST(every_reason_has_a_text_of_its_own)
{
    static const char unknown[] = "unknown reason";
    unsigned named = 0;
    for (unsigned reason = 0; reason < 300; reason++) {
        const char *text = gn_reason_text(reason);
        CHECK(text != NULL && text[0] != '\0');
        named += strcmp(text, unknown) != 0;
    }
#define ONE(name, number, text) +1U
    unsigned expected = 0 GN_REASONS(ONE);
    expected += GN_H1_STATUS_COUNT - GN_H1_MORE - 1;
    expected += GN_H1_CHUNKED_BAD_LINE_END - GN_H1_CHUNKED_DONE;
    CHECK_EQ(named, expected);
    CHECK(strcmp(gn_reason_text(GN_REASON_REQUEST), unknown) == 0); // complete is no error
    CHECK(strcmp(gn_reason_text(GN_REASON_REQUEST + GN_H1_BAD_HOST), gn_h1_error_text(GN_H1_BAD_HOST)) == 0);
    CHECK(strcmp(gn_reason_text(GN_REASON_CHUNKED + GN_H1_CHUNKED_BAD_SIZE),
                 gn_h1_chunked_text(GN_H1_CHUNKED_BAD_SIZE)) == 0);
    // The ranges do not reach into each other.
    CHECK(GN_REASON_LAST_REQUEST < GN_REASON_REQUEST);
    CHECK(GN_REASON_REQUEST + GN_H1_STATUS_COUNT <= GN_REASON_CHUNKED);
    CHECK(GN_REASON_CHUNKED + GN_H1_CHUNKED_BAD_LINE_END < GN_REASON_LIMIT);
}

TEST(every_reason_with_a_text_has_a_name_of_its_own)
{
    for (unsigned reason = 0; reason < 300; reason++) {
        const char *name = gn_reason_name(reason);
        CHECK_EQ(name != NULL, strcmp(gn_reason_text(reason), "unknown reason") != 0);
        for (unsigned other = 0; name != NULL && other < reason; other++)
            CHECK(gn_reason_name(other) == NULL || strcmp(gn_reason_name(other), name) != 0);
    }
    CHECK_BYTES(gn_reason_name(GN_REASON_HEAD_TIMEOUT), 12, "HEAD_TIMEOUT");
    CHECK_BYTES(gn_reason_name(GN_REASON_REQUEST + GN_H1_BAD_HOST), 8, "BAD_HOST");
    CHECK_BYTES(gn_reason_name(GN_REASON_CHUNKED + GN_H1_CHUNKED_BAD_SIZE), 16, "CHUNKED_BAD_SIZE");
}

TEST(the_shared_structure_is_made_of_words)
{
    CHECK_EQ(sizeof(struct gn_loop_settings) % 8, 0);
    CHECK_EQ(offsetof(struct gn_shared, counters) % 128, 0);
    CHECK(sizeof(struct gn_shared) <= 4096);
}

TEST_MAIN()
