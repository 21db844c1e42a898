#include "arena/arena.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/list.h"

#ifdef GN_ARENA_POISON
#include <sanitizer/asan_interface.h>
#define poison(bytes, size) __asan_poison_memory_region(bytes, size)
#define unpoison(bytes, size) __asan_unpoison_memory_region(bytes, size)
#else
#define poison(bytes, size) ((void)(bytes), (void)(size))
#define unpoison(bytes, size) ((void)(bytes), (void)(size))
#endif

#define PAGE_SHIFT 16U
#define BLOCK_SHIFT 8U /* of GN_ARENA_BLOCK_MIN */
#define CLASS_COUNT (PAGE_SHIFT - BLOCK_SHIFT)
#define PAGES_MAX (GN_ARENA_SLAB_MAX / GN_ARENA_PAGE)

// A page of a run, and one that serves nothing, is written as one "block" of shift PAGE_SHIFT that is never free; only
// the first page of a run has a block_size. So gn_arena_take_back needs no case of its own for them.
struct page {
    struct gn_list link; /* on its class's list while it has a free block */
    uint64_t reference;  /* of its first byte */
    uint32_t block_size; /* of a run: all its bytes */
    uint16_t blocks;
    uint16_t taken;
    uint8_t shift; /* of block_size */
    uint8_t use;
    uint64_t free[4];
    uint64_t lent[4];
};

struct gn_arena_slab {
    uint8_t *bytes;
    size_t size;
    struct page pages[];
};

struct gn_arena_state {
    // Pages with a free block. An empty one, at most one a list, stands at the end, so that fuller ones fill up first.
    struct gn_list lists[GN_ARENA_USE_COUNT][CLASS_COUNT];
    uint64_t empty_pages;                /* pages without a taken block, */
    uint64_t kept_pages;                 /* and so many of them are for GN_ARENA_PROGRESS alone */
    uint32_t first_unused;               /* no slab before this one has an unused page */
    uint32_t limit;                      /* no slab from this one on exists */
    bool allocated;                      /* there has been an allocation */
    uint16_t unused[GN_ARENA_SLABS_MAX]; /* pages that serve no class, by slab */
    uint16_t empty[GN_ARENA_SLABS_MAX];  /* those, and pages on a list without a taken block */
    struct gn_arena_slab *slabs[GN_ARENA_SLABS_MAX];
};

/* The numbers that a reference consists of. */
static uint32_t slab_of(uint64_t reference)
{
    return (uint32_t)(reference >> 32) - 1;
}

static uint32_t page_of(uint64_t reference)
{
    return (uint32_t)reference >> PAGE_SHIFT;
}

static uint16_t page_bits(uint32_t first, uint32_t count)
{
    return (uint16_t)(((1U << count) - 1) << first);
}

static uint32_t slab_pages(const struct gn_arena_slab *slab)
{
    return (uint32_t)(slab->size / GN_ARENA_PAGE);
}

static size_t slab_memory(size_t size)
{
    return sizeof(struct gn_arena_slab) + size / GN_ARENA_PAGE * sizeof(struct page);
}

static struct page *find_page(const struct gn_arena *arena, uint64_t block)
{
    return &arena->slabs[slab_of(block)]->pages[page_of(block)];
}

static uint32_t block_number(const struct page *page, uint64_t block)
{
    return ((uint32_t)block & (GN_ARENA_PAGE - 1)) >> page->shift;
}

int gn_arena_open(struct gn_arena *arena, struct gn_memory *memory, const struct gn_arena_config *config)
{
    memset(arena, 0, sizeof(*arena));
    arena->memory = memory;
    arena->config = *config;
    arena->state = gn_memory_allocate(memory, sizeof(*arena->state));
    if (arena->state == NULL)
        return -ENOMEM;
    if (config->reserve != 0)
        arena->state->kept_pages = config->quota[GN_ARENA_PROGRESS] / GN_ARENA_PAGE;
    for (uint32_t use = 0; use < GN_ARENA_USE_COUNT; use++) {
        for (uint32_t class = 0; class < CLASS_COUNT; class ++)
            gn_list_start(&arena->state->lists[use][class]);
    }
    arena->slabs = arena->state->slabs;
    return 0;
}

static void forget_slab(struct gn_arena *arena, uint32_t index)
{
    struct gn_arena_slab *slab = arena->slabs[index];
    unpoison(slab->bytes, slab->size);
    arena->slabs[index] = NULL;
    gn_memory_free(arena->memory, slab, slab_memory(slab->size));
}

void gn_arena_close(struct gn_arena *arena)
{
    struct gn_arena_state *state = arena->state;
    if (state == NULL)
        return;
    for (uint32_t index = 0; index < state->limit; index++) {
        if (arena->slabs[index] != NULL)
            forget_slab(arena, index);
    }
    gn_memory_free(arena->memory, state, sizeof(*state));
    memset(arena, 0, sizeof(*arena));
}

int gn_arena_add(struct gn_arena *arena, uint8_t *bytes, size_t size)
{
    struct gn_arena_state *state = arena->state;
    if (bytes == NULL || (uintptr_t)bytes % 64 != 0 || size == 0 || size > GN_ARENA_SLAB_MAX ||
        size % GN_ARENA_PAGE != 0)
        return -EINVAL;
    if (arena->slab_count == GN_ARENA_SLABS_MAX)
        return -ENOSPC;
    struct gn_arena_slab *slab = gn_memory_allocate(arena->memory, slab_memory(size));
    if (slab == NULL)
        return -ENOMEM;

    uint32_t index = 0;
    while (arena->slabs[index] != NULL)
        index++;
    slab->bytes = bytes;
    slab->size = size;
    uint32_t pages = slab_pages(slab);
    for (uint32_t i = 0; i < pages; i++) {
        gn_list_start(&slab->pages[i].link);
        slab->pages[i].reference = (uint64_t)(index + 1) << 32 | (uint64_t)i << PAGE_SHIFT;
        slab->pages[i].shift = PAGE_SHIFT;
    }
    poison(bytes, size);

    arena->slabs[index] = slab;
    arena->slab_count++;
    arena->total += size;
    arena->free += size;
    arena->short_of_pages = false;
    if (!state->allocated)
        arena->slab_keep = arena->slab_count;
    state->unused[index] = state->empty[index] = page_bits(0, pages);
    state->empty_pages += pages;
    if (index >= state->limit)
        state->limit = index + 1;
    if (index < state->first_unused)
        state->first_unused = index;
    return (int)(index + 1);
}

/* Bytes of empty pages that uses other than GN_ARENA_HEAD leave to it. */
static uint64_t reserve_of(const struct gn_arena *arena)
{
    uint64_t reserve = arena->config.reserve;
    return reserve != 0 && arena->total / 8 > reserve ? arena->total / 8 : reserve;
}

/* Takes an empty page off its list, if it is on one, and makes it an unused one. */
static void release_page(struct gn_arena_state *state, struct page *page)
{
    gn_list_remove(&page->link);
    page->block_size = 0;
    page->blocks = 0;
    page->shift = PAGE_SHIFT;
    memset(page->free, 0, sizeof(page->free));
    uint32_t slab = slab_of(page->reference);
    state->unused[slab] |= page_bits(page_of(page->reference), 1);
    if (slab < state->first_unused)
        state->first_unused = slab;
}

uint32_t gn_arena_give_back(struct gn_arena *arena)
{
    struct gn_arena_state *state = arena->state;
    if (arena->slab_count <= arena->slab_keep)
        return 0;
    for (uint32_t index = state->limit; index-- > arena->slab_keep;) {
        struct gn_arena_slab *slab = arena->slabs[index];
        if (slab == NULL || state->empty[index] != page_bits(0, slab_pages(slab)) || arena->free < 2 * slab->size ||
            arena->free - 2 * slab->size < arena->config.low_water ||
            state->empty_pages * GN_ARENA_PAGE < 2 * slab->size + reserve_of(arena))
            continue;
        for (uint32_t i = 0; i < slab_pages(slab); i++)
            gn_list_remove(&slab->pages[i].link);
        arena->slab_count--;
        arena->total -= slab->size;
        arena->free -= slab->size;
        state->empty_pages -= slab_pages(slab);
        state->unused[index] = state->empty[index] = 0;
        forget_slab(arena, index);
        while (state->limit > 0 && arena->slabs[state->limit - 1] == NULL)
            state->limit--;
        return index + 1;
    }
    return 0;
}

/* The first `count` neighbouring pages that `maps` shows, from slab `index` on. */
static struct page *find_run(const struct gn_arena *arena, const uint16_t *maps, uint32_t index, uint32_t count)
{
    for (; index < arena->state->limit; index++) {
        uint32_t starts = maps[index];
        for (uint32_t i = 1; i < count && starts != 0; i++)
            starts &= (uint32_t)maps[index] >> i;
        if (starts != 0)
            return &arena->slabs[index]->pages[__builtin_ctz(starts)];
    }
    return NULL;
}

/* Takes `count` neighbouring pages out of use, those that stand empty on a list last; NULL where there are none. */
static struct page *take_pages(struct gn_arena *arena, uint32_t count)
{
    struct gn_arena_state *state = arena->state;
    while (state->first_unused < state->limit && state->unused[state->first_unused] == 0)
        state->first_unused++;
    struct page *pages = find_run(arena, state->unused, state->first_unused, count);
    if (pages == NULL) {
        pages = find_run(arena, state->empty, 0, count);
        if (pages == NULL)
            return NULL;
        for (uint32_t i = 0; i < count; i++)
            release_page(state, &pages[i]);
    }
    state->unused[slab_of(pages->reference)] &= (uint16_t)~page_bits(page_of(pages->reference), count);
    return pages;
}

/* Whether `use` may take so many more empty pages. */
static bool may_take(const struct gn_arena *arena, enum gn_arena_use use, uint32_t pages)
{
    uint64_t empty = arena->state->empty_pages;
    if (empty < pages + arena->state->kept_pages)
        return use == GN_ARENA_PROGRESS && empty >= pages;
    if (use == GN_ARENA_HEAD || use == GN_ARENA_PROGRESS || arena->config.reserve == 0)
        return true;
    return (empty - pages) * GN_ARENA_PAGE >= reserve_of(arena);
}

static void pages_filled(struct gn_arena_state *state, const struct page *page, uint32_t count)
{
    state->empty[slab_of(page->reference)] &= (uint16_t)~page_bits(page_of(page->reference), count);
    state->empty_pages -= count;
}

static void pages_emptied(struct gn_arena_state *state, const struct page *page, uint32_t count)
{
    state->empty[slab_of(page->reference)] |= page_bits(page_of(page->reference), count);
    state->empty_pages += count;
}

static uint64_t allocate_run(struct gn_arena *arena, enum gn_arena_use use, size_t size)
{
    uint32_t count = (uint32_t)(size / GN_ARENA_PAGE);
    if (!may_take(arena, use, count))
        return 0;
    struct page *page = take_pages(arena, count);
    if (page == NULL)
        return 0;
    page->block_size = (uint32_t)size;
    page->blocks = page->taken = 1;
    page->use = (uint8_t)use;
    pages_filled(arena->state, page, count);
    return page->reference;
}

/* An unused page, made one of this class and put on its (empty) list; NULL where there is none. */
static struct page *start_page(struct gn_arena *arena, enum gn_arena_use use, uint32_t class)
{
    struct page *page = take_pages(arena, 1);
    if (page == NULL)
        return NULL;
    page->shift = (uint8_t)(BLOCK_SHIFT + class);
    page->use = (uint8_t)use;
    page->block_size = 1U << page->shift;
    page->blocks = (uint16_t)(GN_ARENA_PAGE >> page->shift);
    for (uint32_t i = 0; i < 4; i++) {
        if (page->blocks >= 64 * (i + 1))
            page->free[i] = ~0ULL;
        else if (page->blocks > 64 * i)
            page->free[i] = (1ULL << (page->blocks - 64 * i)) - 1;
    }
    gn_list_append(&arena->state->lists[use][class], &page->link);
    return page;
}

static uint64_t allocate_block(struct gn_arena *arena, enum gn_arena_use use, uint32_t class)
{
    struct gn_list *list = &arena->state->lists[use][class];
    struct page *page = gn_list_empty(list) ? NULL : gn_list_owner(list->next, struct page, link);
    if (page == NULL || page->taken == 0) {
        if (!may_take(arena, use, 1))
            return 0;
        if (page == NULL)
            page = start_page(arena, use, class);
        if (page == NULL)
            return 0;
        pages_filled(arena->state, page, 1);
    }
    uint32_t word = 0;
    while (page->free[word] == 0)
        word++;
    uint32_t number = word * 64 + (uint32_t)__builtin_ctzll(page->free[word]);
    page->free[word] &= page->free[word] - 1;
    if (++page->taken == page->blocks)
        gn_list_remove(&page->link);
    return page->reference | (uint64_t)number << page->shift;
}

uint64_t gn_arena_allocate(struct gn_arena *arena, enum gn_arena_use use, size_t size)
{
    if (size == 0 || size > GN_ARENA_SLAB_MAX)
        return 0;
    uint32_t class = CLASS_COUNT;
    size_t block_size = (size + GN_ARENA_PAGE - 1) & ~(size_t)(GN_ARENA_PAGE - 1);
    if (size + GN_ARENA_RED_ZONE <= GN_ARENA_PAGE / 2) {
        uint32_t last = (uint32_t)size + GN_ARENA_RED_ZONE - 1;
        class = last < GN_ARENA_BLOCK_MIN ? 0 : 32 - (uint32_t)__builtin_clz(last) - BLOCK_SHIFT;
        block_size = GN_ARENA_BLOCK_MIN << class;
    }
    uint64_t quota = arena->config.quota[use];
    if (quota != 0 && arena->used[use] + block_size > quota) {
        arena->over_quota = true;
        return 0;
    }
    uint64_t block = class < CLASS_COUNT ? allocate_block(arena, use, class) : allocate_run(arena, use, block_size);
    if (block == 0) {
        arena->short_of_pages = true;
        return 0;
    }
    arena->state->allocated = true;
    arena->used[use] += block_size;
    arena->free -= block_size;
    unpoison(gn_arena_bytes(arena, block), class < CLASS_COUNT ? block_size - GN_ARENA_RED_ZONE : block_size);
    return block;
}

static void free_run(struct gn_arena *arena, struct page *page)
{
    uint32_t count = page->block_size / GN_ARENA_PAGE;
    page->taken = 0;
    pages_emptied(arena->state, page, count);
    for (uint32_t i = 0; i < count; i++)
        release_page(arena->state, &page[i]);
}

static void free_block(struct gn_arena *arena, struct page *page, uint32_t number)
{
    struct gn_arena_state *state = arena->state;
    struct gn_list *list = &state->lists[page->use][page->shift - BLOCK_SHIFT];
    assert((page->free[number / 64] >> (number % 64) & 1) == 0);
    page->free[number / 64] |= 1ULL << (number % 64);
    if (page->taken-- == page->blocks)
        gn_list_prepend(list, &page->link);
    if (page->taken != 0)
        return;
    pages_emptied(state, page, 1);
    if (list->previous == &page->link)
        return;
    if (gn_list_owner(list->previous, struct page, link)->taken == 0) {
        release_page(state, page);
    } else {
        gn_list_remove(&page->link);
        gn_list_append(list, &page->link);
    }
}

void gn_arena_free(struct gn_arena *arena, uint64_t block)
{
    struct page *page = find_page(arena, block);
    uint32_t number = block_number(page, block);
    assert(page->block_size != 0 && (block & ((1ULL << page->shift) - 1)) == 0);
    assert((page->lent[number / 64] >> (number % 64) & 1) == 0);
    poison(gn_arena_bytes(arena, block), page->block_size);
    arena->used[page->use] -= page->block_size;
    arena->free += page->block_size;
    if (page->shift < PAGE_SHIFT)
        free_block(arena, page, number);
    else
        free_run(arena, page);
}

uint8_t *gn_arena_bytes(const struct gn_arena *arena, uint64_t block)
{
    return arena->slabs[slab_of(block)]->bytes + (uint32_t)block;
}

size_t gn_arena_capacity(const struct gn_arena *arena, uint64_t block)
{
    const struct page *page = find_page(arena, block);
    return page->shift < PAGE_SHIFT ? page->block_size - GN_ARENA_RED_ZONE : page->block_size;
}

void gn_arena_lend(struct gn_arena *arena, uint64_t block)
{
    struct page *page = find_page(arena, block);
    uint32_t number = block_number(page, block);
    assert(page->block_size != 0 && (block & ((1ULL << page->shift) - 1)) == 0);
    assert((page->lent[number / 64] >> (number % 64) & 1) == 0);
    page->lent[number / 64] |= 1ULL << (number % 64);
    arena->lent_blocks++;
    arena->lent_bytes += page->block_size;
}

bool gn_arena_take_back(struct gn_arena *arena, uint64_t block)
{
    uint32_t index = slab_of(block); // wraps to a number that is too large where the reference names no slab
    if (index >= GN_ARENA_SLABS_MAX || arena->slabs[index] == NULL || (uint32_t)block >= arena->slabs[index]->size)
        return false;
    struct page *page = find_page(arena, block);
    if ((block & ((1ULL << page->shift) - 1)) != 0)
        return false;
    uint32_t number = block_number(page, block);
    uint64_t bit = 1ULL << (number % 64);
    if ((page->lent[number / 64] & bit) == 0)
        return false;
    page->lent[number / 64] &= ~bit;
    arena->lent_blocks--;
    arena->lent_bytes -= page->block_size;
    return true;
}
