/* Allocation that succeeds or ends the process: recovery from the log is the one way back. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static void *found(void *block, size_t size)
{
    if (block == NULL) {
        fprintf(stderr, "out of memory: %zu bytes; the log has everything, restart me\n", size);
        abort();
    }
    return block;
}

void memory_lacks(const char *what)
{
    fprintf(stderr, "out of memory: %s; the log has everything, restart me\n", what);
    abort();
}

void *memory_new(size_t size)
{
    return found(calloc(1, size ? size : 1), size);
}

void *memory_grow(void *old, size_t size)
{
    return found(realloc(old, size ? size : 1), size);
}

void *memory_append(void *list, size_t count, void *item)
{
    void **items = list;
    if ((count & (count - 1)) == 0) /* 0, 1, 2, 4, 8 …: full */
        items = memory_grow(items, (count ? count * 2 : 1) * sizeof *items);
    items[count] = item;
    return items;
}

void memory_free(void *block)
{
    free(block);
}
