/* heap.h: what is due next, ordered by (time, seq).
 *
 * The node lives inside the thing that is due; the heap only points at it. seq breaks ties, so two
 * runs over the same log see the same order. One thread. Aborts without memory. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t at_ms;
    uint64_t seq;
    size_t place; /* 1-based; 0: in no heap */
};

/* S_init is {0}. */
struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t capacity;
};

void heap_release(struct heap *heap); /* the nodes are the caller's */

/* Puts a node in, or moves one that is in to its new time. */
void heap_set_take(struct heap *heap, struct heap_node *node, int64_t at_ms, uint64_t seq);
void heap_remove(struct heap *heap, struct heap_node *node); /* no effect when it is not in */
struct heap_node *heap_first(const struct heap *heap);       /* NULL when empty */

#endif
