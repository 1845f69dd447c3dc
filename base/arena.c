/* A chain of blocks, filled from the front and rewound after each message. */
#include "base/arena.h"

#include "base/memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t capacity;
    alignas(max_align_t) char bytes[];
};

void arena_reset(struct arena *arena)
{
    for (struct arena_block *block = arena->first; block; block = block->next)
        block->used = 0;
    arena->current = arena->first;
}

void arena_release(struct arena *arena)
{
    for (struct arena_block *block = arena->first, *next; block; block = next) {
        next = block->next;
        memory_free(block);
    }
    *arena = (struct arena){0};
}

static struct arena_block *block_new(size_t size)
{
    size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct arena_block *block = memory_new(sizeof *block + capacity);
    block->capacity = capacity;
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block **link = arena->current ? &arena->current : &arena->first;
    while (*link && (*link)->capacity - (*link)->used < size)
        link = &(*link)->next;
    if (*link == NULL)
        *link = block_new(size);
    arena->current = *link;
    void *piece = arena->current->bytes + arena->current->used;
    arena->current->used += size;
    return piece;
}

struct text arena_text(struct arena *arena, struct text text)
{
    char *copy = arena_take(arena, text.size + 1);
    if (text.size)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return (struct text){copy, text.size};
}

struct text arena_print(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    char *copy = arena_take(arena, (size_t)size + 1);
    vsnprintf(copy, (size_t)size + 1, format, again);
    va_end(again);
    return (struct text){copy, (size_t)size};
}
