/* A binary heap whose nodes know their place. */
#include "base/heap.h"

#include "base/memory.h"

#include <assert.h>

void heap_release(struct heap *heap)
{
    memory_free(heap->nodes);
    *heap = (struct heap){0};
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->seq < b->seq);
}

static void put(struct heap *heap, size_t place, struct heap_node *node)
{
    heap->nodes[place - 1] = node;
    node->place = place;
}

static void rise(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    while (place > 1 && before(node, heap->nodes[place / 2 - 1])) {
        put(heap, place, heap->nodes[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, node);
}

static void sink(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    for (size_t child; (child = place * 2) <= heap->count; place = child) {
        if (child < heap->count && before(heap->nodes[child], heap->nodes[child - 1]))
            child++;
        if (!before(heap->nodes[child - 1], node))
            break;
        put(heap, place, heap->nodes[child - 1]);
    }
    put(heap, place, node);
}

void heap_set_take(struct heap *heap, struct heap_node *node, int64_t at_ms, uint64_t seq)
{
    if (node->place == 0) {
        if (heap->count == heap->capacity) {
            heap->capacity = heap->capacity ? heap->capacity * 2 : 16;
            heap->nodes = memory_grow(heap->nodes, heap->capacity * sizeof *heap->nodes);
        }
        put(heap, ++heap->count, node);
    }
    node->at_ms = at_ms;
    node->seq = seq;
    rise(heap, node);
    sink(heap, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->place == 0)
        return;
    assert(heap->nodes[node->place - 1] == node);
    struct heap_node *last = heap->nodes[--heap->count];
    size_t place = node->place;
    node->place = 0;
    if (last == node)
        return;
    put(heap, place, last);
    rise(heap, last);
    sink(heap, last);
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}
