/* arena.h: memory for one message, given back all at once.
 *
 * Pieces live until the next arena_reset. Blocks are kept for reuse, so a steady stream of messages
 * allocates nothing. One thread. Aborts without memory. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/text.h"

struct arena_block;

/* S_init is {0}. */
struct arena {
    struct arena_block *first;
    struct arena_block *current;
};

void arena_reset(struct arena *arena);   /* every piece is gone; the memory is kept */
void arena_release(struct arena *arena); /* the memory is given back */

/* `size` bytes aligned for anything, not set. */
void *arena_take(struct arena *arena, size_t size);

/* A copy of `text` in the arena, NUL-terminated. */
struct text arena_text(struct arena *arena, struct text text);
struct text arena_print(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
