#include "conn/info.h"

#include <stddef.h>

#include "conn/context.h"
#include "http/head_block.h"

#define PLACE 64U
#define BLOCK ((GN_INFO_GROUP + 1) * PLACE - GN_ARENA_RED_ZONE)

_Static_assert(sizeof(struct gn_connection_info) <= PLACE && GN_INFO_GROUP * PLACE <= BLOCK, "it fits");

struct group {
    struct gn_list link; /* in gn_context.infos, while it has a free place */
    uint64_t block;
    uint32_t taken; /* a bit for each */
    struct gn_info infos[GN_INFO_GROUP];
};

#define ALL ((1U << GN_INFO_GROUP) - 1)

static struct group *open_group(struct gn_context *context)
{
    struct group *group = gn_memory_allocate(&context->memory, sizeof(*group));
    if (group == NULL)
        return NULL;
    group->block = gn_arena_allocate(&context->arena, GN_ARENA_HEAD, BLOCK);
    if (group->block == 0) {
        gn_memory_free(&context->memory, group, sizeof(*group));
        return NULL;
    }
    gn_list_append(&context->infos, &group->link);
    return group;
}

struct gn_info *gn_info_open(struct gn_context *context)
{
    struct group *group;
    if (gn_list_empty(&context->infos))
        group = open_group(context);
    else
        group = gn_list_owner(context->infos.next, struct group, link);
    if (group == NULL)
        return NULL;
    uint32_t number = (uint32_t)__builtin_ctz(~group->taken);
    group->taken |= 1U << number;
    if (group->taken == ALL)
        gn_list_remove(&group->link);
    struct gn_info *info = &group->infos[number];
    *info = (struct gn_info){.block = group->block + number * PLACE, .references = 1, .number = number};
    *gn_info_bytes(context, info) = (struct gn_connection_info){0};
    return info;
}

struct gn_connection_info *gn_info_bytes(const struct gn_context *context, const struct gn_info *info)
{
    return (struct gn_connection_info *)(void *)gn_arena_bytes(&context->arena, info->block);
}

void gn_info_release(struct gn_context *context, struct gn_info *info)
{
    if (info == NULL || --info->references > 0)
        return;
    struct group *group = gn_list_owner(info - info->number, struct group, infos[0]);
    if (group->taken == ALL)
        gn_list_prepend(&context->infos, &group->link);
    group->taken &= ~(1U << info->number);
    if (group->taken != 0)
        return;
    gn_list_remove(&group->link);
    gn_arena_free(&context->arena, group->block);
    gn_memory_free(&context->memory, group, sizeof(*group));
}
