#include "base/list.h"

#include "test.h"

struct item {
    int before;
    struct gn_list link;
    char name;
};

static struct item items[6];

static void start_items(void)
{
    for (int i = 0; i < 6; i++) {
        items[i].name = (char)('a' + i);
        gn_list_start(&items[i].link);
    }
}

/* Checks the names on `list` in order, forwards and backwards. */
static void check_names(struct gn_list *list, const char *names)
{
    size_t count = 0;
    for (struct gn_list *link = list->next; link != list && count < strlen(names); link = link->next)
        CHECK_EQ(gn_list_owner(link, struct item, link)->name, names[count++]);
    CHECK_EQ(count, strlen(names));
    for (struct gn_list *link = list->previous; link != list && count > 0; link = link->previous)
        CHECK_EQ(gn_list_owner(link, struct item, link)->name, names[--count]);
    CHECK_EQ(count, 0);
    CHECK_EQ(gn_list_empty(list), names[0] == '\0');
}

TEST(append_and_prepend_keep_order)
{
    struct gn_list list;
    gn_list_start(&list);
    start_items();
    check_names(&list, "");
    gn_list_append(&list, &items[0].link);
    check_names(&list, "a");
    gn_list_append(&list, &items[1].link);
    gn_list_prepend(&list, &items[2].link);
    gn_list_prepend(&list, &items[3].link);
    check_names(&list, "dcab");
}

TEST(remove_at_any_place_and_twice)
{
    struct gn_list list;
    gn_list_start(&list);
    start_items();
    for (int i = 0; i < 5; i++)
        gn_list_append(&list, &items[i].link);
    gn_list_remove(&items[2].link);
    check_names(&list, "abde");
    gn_list_remove(&items[2].link);
    check_names(&list, "abde");
    CHECK(gn_list_empty(&items[2].link));
    gn_list_remove(&items[0].link);
    gn_list_remove(&items[4].link);
    check_names(&list, "bd");
    gn_list_append(&list, &items[2].link);
    check_names(&list, "bdc");
}

TEST(take_is_first_in_first_out)
{
    struct gn_list list;
    gn_list_start(&list);
    start_items();
    for (int i = 0; i < 3; i++)
        gn_list_append(&list, &items[i].link);
    CHECK(gn_list_take(&list) == &items[0].link);
    CHECK(gn_list_empty(&items[0].link));
    check_names(&list, "bc");
    CHECK(gn_list_take(&list) == &items[1].link);
    CHECK(gn_list_take(&list) == &items[2].link);
    CHECK(gn_list_take(&list) == NULL);
    check_names(&list, "");
}

TEST(move_appends_all_and_empties_the_other)
{
    struct gn_list list, other;
    gn_list_start(&list);
    gn_list_start(&other);
    start_items();
    gn_list_move(&list, &other);
    check_names(&list, "");
    for (int i = 0; i < 3; i++)
        gn_list_append(&other, &items[i].link);
    gn_list_move(&list, &other);
    check_names(&list, "abc");
    check_names(&other, "");
    gn_list_append(&other, &items[3].link);
    gn_list_append(&other, &items[4].link);
    gn_list_move(&list, &other);
    check_names(&list, "abcde");
    gn_list_move(&list, &other);
    check_names(&list, "abcde");
    check_names(&other, "");
}

TEST_MAIN()
