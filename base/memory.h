/* memory.h: the allocator of everything that must not be half done.
 *
 * A core or the loop that runs out of memory cannot refuse a ticket honestly, so these functions
 * never return NULL: they say so and abort, and the process recovers from the log. Any thread. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* `size` zeroed bytes, owned by the caller, to be given back with memory_free. size 0 is allowed.
 */
void *memory_new(size_t size);

/* The block `old` (or NULL) with its contents in `size` bytes; bytes beyond the old size are not
 * set. */
void *memory_grow(void *old, size_t size);

/* The list of `count` pointers with `item` behind them. It grows at powers of two, so nothing else
 * may make it longer. Starts as NULL with count 0. */
void *memory_append(void *list, size_t count, void *item);

/* Gives a block back. NULL is allowed. */
void memory_free(void *block);

/* The struct of type `type` whose `member` is at `pointer`. */
#define memory_owner(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
