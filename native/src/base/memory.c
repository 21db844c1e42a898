#include "base/memory.h"

#include <stdlib.h>

void *gn_memory_allocate(struct gn_memory *memory, size_t size)
{
    memory->count++;
    if (memory->fail_from != 0 && memory->count >= memory->fail_from)
        return NULL;
    void *pointer = calloc(1, size);
    if (pointer == NULL)
        return NULL;
    memory->used += size;
    memory->blocks++;
    return pointer;
}

void gn_memory_free(struct gn_memory *memory, void *pointer, size_t size)
{
    if (pointer == NULL)
        return;
    memory->used -= size;
    memory->blocks--;
    free(pointer);
}
