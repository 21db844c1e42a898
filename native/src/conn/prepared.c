#include "conn/prepared.h"

#include <errno.h>
#include <string.h>

#include "conn/context.h"
#include "h1/prepared.h"
#include "h2/prepared.h"

#define CAPACITY_MIN 16U

static size_t size_of(const struct gn_prepared *prepared)
{
    return sizeof(*prepared) + prepared->fields_length + prepared->body_length;
}

void gn_prepared_release(struct gn_context *context, struct gn_prepared *prepared)
{
    if (prepared == NULL || --prepared->references > 0)
        return;
    gn_memory_free(&context->memory, prepared->encoded, prepared->encoded_size);
    gn_memory_free(&context->memory, prepared->block, prepared->block_size);
    gn_memory_free(&context->memory, prepared, size_of(prepared));
}

/* The slot of `id`, or NULL: the table does not have it. */
static struct gn_prepared_slot *slot_of(const struct gn_prepared_table *table, uint64_t id)
{
    uint32_t slot = gn_id_slot(id);
    if (gn_id_role(id) != 0 || gn_id_generation(id) == 0 || slot >= table->capacity)
        return NULL;
    return table->slots[slot].generation == gn_id_generation(id) ? &table->slots[slot] : NULL;
}

static bool grow(struct gn_context *context, uint32_t slot)
{
    struct gn_prepared_table *table = &context->prepared;
    uint32_t capacity = table->capacity == 0 ? CAPACITY_MIN : table->capacity;
    while (capacity <= slot)
        capacity *= 2;
    if (capacity == table->capacity)
        return true;
    struct gn_prepared_slot *slots = gn_memory_allocate(&context->memory, capacity * sizeof(*slots));
    if (slots == NULL)
        return false;
    if (table->slots != NULL)
        memcpy(slots, table->slots, table->capacity * sizeof(*slots));
    gn_memory_free(&context->memory, table->slots, table->capacity * sizeof(*slots));
    table->slots = slots;
    table->capacity = capacity;
    return true;
}

/* What the command says as a structure of its own; NULL: no memory. */
static struct gn_prepared *copy(struct gn_context *context, const struct gn_command *command, const uint8_t *staged)
{
    size_t length = (size_t)command->length + command->body_length;
    struct gn_prepared *prepared = gn_memory_allocate(&context->memory, sizeof(*prepared) + length);
    if (prepared == NULL)
        return NULL;
    prepared->references = 1;
    prepared->status = command->status;
    prepared->reason = command->flags & GN_FLAG_REASON;
    prepared->length_said = command->value >= 0;
    prepared->length = prepared->length_said ? (uint64_t)command->value : command->body_length;
    prepared->fields = (uint8_t *)(prepared + 1);
    prepared->fields_length = command->length;
    prepared->body = prepared->fields + command->length;
    prepared->body_length = command->body_length;
    memcpy(prepared->fields, staged, length);
    return prepared;
}

bool gn_prepared_keep(struct gn_context *context, const struct gn_command *command, const uint8_t *staged)
{
    uint32_t slot = gn_id_slot(command->subject), generation = gn_id_generation(command->subject);
    if (gn_id_role(command->subject) != 0 || generation == 0 || slot >= GN_PREPARED_MAX || command->value < -1)
        return false;
    if (slot < context->prepared.capacity && context->prepared.slots[slot].generation != 0)
        return false;
    struct gn_prepared *prepared = copy(context, command, staged);
    int error = prepared == NULL ? -ENOMEM : gn_h1_prepared_encode(context, prepared);
    if (error == 0)
        error = gn_h2_prepared_encode(context, prepared);
    if (error == 0 && !grow(context, slot))
        error = -ENOMEM;
    if (error != 0) {
        gn_prepared_release(context, prepared);
        prepared = NULL;
        if (error != -ENOMEM)
            return false;
        if (!grow(context, slot)) {
            context->prepared.lost = true;
            return true;
        }
    }
    context->prepared.slots[slot] = (struct gn_prepared_slot){.prepared = prepared, .generation = generation};
    return true;
}

bool gn_prepared_drop(struct gn_context *context, uint64_t id)
{
    struct gn_prepared_slot *slot = slot_of(&context->prepared, id);
    if (slot == NULL)
        return context->prepared.lost;
    gn_prepared_release(context, slot->prepared);
    *slot = (struct gn_prepared_slot){0};
    return true;
}

int gn_prepared_find(const struct gn_context *context, uint64_t id, struct gn_prepared **prepared)
{
    const struct gn_prepared_slot *slot = slot_of(&context->prepared, id);
    if (slot == NULL)
        return context->prepared.lost ? -ENOMEM : -ENOENT;
    *prepared = slot->prepared;
    return slot->prepared == NULL ? -ENOMEM : 0;
}

void gn_prepared_end(struct gn_context *context)
{
    struct gn_prepared_table *table = &context->prepared;
    for (uint32_t slot = 0; slot < table->capacity; slot++)
        gn_prepared_release(context, table->slots[slot].prepared);
    gn_memory_free(&context->memory, table->slots, table->capacity * sizeof(*table->slots));
    *table = (struct gn_prepared_table){0};
}
