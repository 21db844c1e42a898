#include "h2/scheduler.h"

#include <stddef.h>
#include <string.h>

void gn_h2_scheduler_start(struct gn_h2_scheduler *scheduler)
{
    for (unsigned level = 0; level < GN_H2_URGENCIES; level++)
        gn_list_start(&scheduler->levels[level]);
    scheduler->waiting = 0;
}

void gn_h2_turn_start(struct gn_h2_turn *turn)
{
    gn_list_start(&turn->link);
    turn->priority = gn_h2_priority_default;
}

void gn_h2_scheduler_add(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn)
{
    if (!gn_list_empty(&turn->link))
        return;
    gn_list_append(&scheduler->levels[turn->priority.urgency], &turn->link);
    scheduler->waiting |= (uint8_t)(1U << turn->priority.urgency);
}

void gn_h2_scheduler_remove(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn)
{
    gn_list_remove(&turn->link);
    if (gn_list_empty(&scheduler->levels[turn->priority.urgency]))
        scheduler->waiting &= (uint8_t) ~(1U << turn->priority.urgency);
}

struct gn_h2_turn *gn_h2_scheduler_next(const struct gn_h2_scheduler *scheduler)
{
    if (scheduler->waiting == 0)
        return NULL;
    const struct gn_list *level = &scheduler->levels[__builtin_ctz(scheduler->waiting)];
    return gn_list_owner(level->next, struct gn_h2_turn, link);
}

void gn_h2_scheduler_sent(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn)
{
    if (!turn->priority.in_turns)
        return;
    gn_list_remove(&turn->link);
    gn_list_append(&scheduler->levels[turn->priority.urgency], &turn->link);
}

void gn_h2_scheduler_change(struct gn_h2_scheduler *scheduler, struct gn_h2_turn *turn, struct gn_h2_priority priority)
{
    bool moves = !gn_list_empty(&turn->link) && priority.urgency != turn->priority.urgency;
    if (moves)
        gn_h2_scheduler_remove(scheduler, turn);
    turn->priority = priority;
    if (moves)
        gn_h2_scheduler_add(scheduler, turn);
}

/* ---- the field value ---- */

static uint32_t skip_blanks(const uint8_t *value, uint32_t at, uint32_t length)
{
    while (at < length && (value[at] == ' ' || value[at] == '\t'))
        at++;
    return at;
}

static bool is_key_octet(uint8_t octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '_' || octet == '-' ||
           octet == '.' || octet == '*';
}

/* Where the member that goes on at `at` ends: at a comma that is in no string and no inner list, or at the end. */
static uint32_t member_end(const uint8_t *value, uint32_t at, uint32_t length)
{
    bool quoted = false;
    unsigned depth = 0;
    for (; at < length; at++) {
        if (quoted) {
            if (value[at] == '\\')
                at++;
            else if (value[at] == '"')
                quoted = false;
        } else if (value[at] == '"') {
            quoted = true;
        } else if (value[at] == '(') {
            depth++;
        } else if (value[at] == ')' && depth > 0) {
            depth--;
        } else if (value[at] == ',' && depth == 0) {
            return at;
        }
    }
    return length;
}

/* A member's value without its parameters, value[from..to); an empty one is that of a key alone, which is true. */
static void take_member(struct gn_h2_priority *priority, uint8_t key, const uint8_t *value, uint32_t from, uint32_t to)
{
    const uint8_t *parameters = memchr(value + from, ';', to - from);
    uint32_t length = parameters != NULL ? (uint32_t)(parameters - value) - from : to - from;
    while (length > 0 && (value[from + length - 1] == ' ' || value[from + length - 1] == '\t'))
        length--;
    if (key == 'u' && length == 1 && value[from] >= '0' && value[from] <= '7')
        priority->urgency = (uint8_t)(value[from] - '0');
    else if (key == 'i' && (length == 0 || (length == 2 && memcmp(value + from, "?1", 2) == 0)))
        priority->in_turns = true;
    else if (key == 'i' && length == 2 && memcmp(value + from, "?0", 2) == 0)
        priority->in_turns = false;
}

struct gn_h2_priority gn_h2_priority_parse(const uint8_t *value, uint32_t length)
{
    struct gn_h2_priority priority = {GN_H2_URGENCY_DEFAULT, false};
    uint32_t at = skip_blanks(value, 0, length);
    while (at < length) {
        uint32_t key = at;
        while (at < length && is_key_octet(value[at]))
            at++;
        if (at == key || (value[key] != '*' && (value[key] < 'a' || value[key] > 'z')))
            return gn_h2_priority_default;
        bool alone = at == length || value[at] != '=';
        uint32_t from = alone ? at : at + 1, end = member_end(value, from, length);
        if (!alone && from == end)
            return gn_h2_priority_default;
        if (at - key == 1)
            take_member(&priority, value[key], value, from, end);
        if (end == length)
            return priority;
        at = skip_blanks(value, end + 1, length);
        if (at == length)
            return gn_h2_priority_default; // a comma with nothing behind it
    }
    return gn_h2_priority_default;
}
