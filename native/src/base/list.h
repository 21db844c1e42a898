/*
 * An intrusive, circular, doubly linked list. A link belongs to the structure that holds it; a list never owns its
 * members. A link that is on no list points at itself, so removing twice is harmless.
 */
#ifndef GN_BASE_LIST_H
#define GN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct gn_list {
    struct gn_list *next, *previous;
};

/* The structure of `type` whose `member` is the link `link`. */
#define gn_list_owner(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline void gn_list_start(struct gn_list *list)
{
    list->next = list->previous = list;
}

static inline bool gn_list_empty(const struct gn_list *list)
{
    return list->next == list;
}

/* Puts `link`, which is on no list, at the end. */
static inline void gn_list_append(struct gn_list *list, struct gn_list *link)
{
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

/* Puts `link`, which is on no list, at the start. */
static inline void gn_list_prepend(struct gn_list *list, struct gn_list *link)
{
    link->previous = list;
    link->next = list->next;
    list->next->previous = link;
    list->next = link;
}

static inline void gn_list_remove(struct gn_list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link->previous = link;
}

/* Removes and returns the first link, or NULL. */
static inline struct gn_list *gn_list_take(struct gn_list *list)
{
    struct gn_list *link = list->next;
    if (link == list)
        return NULL;
    gn_list_remove(link);
    return link;
}

/* Moves all of `from` to the end of `list`. */
static inline void gn_list_move(struct gn_list *list, struct gn_list *from)
{
    if (gn_list_empty(from))
        return;
    from->next->previous = list->previous;
    list->previous->next = from->next;
    from->previous->next = list;
    list->previous = from->previous;
    gn_list_start(from);
}

#endif
