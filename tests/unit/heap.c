/* The heap against a list that is searched for its smallest (time, seq). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/heap.h"
#include "base/prng.h"

enum { NODES = 120, STEPS = 40000 };

static struct heap_node *smallest(struct heap_node nodes[NODES])
{
    struct heap_node *best = NULL;
    for (int i = 0; i < NODES; i++) {
        struct heap_node *node = &nodes[i];
        if (node->place == 0)
            continue;
        if (best == NULL || node->at_ms < best->at_ms ||
            (node->at_ms == best->at_ms && node->seq < best->seq))
            best = node;
    }
    return best;
}

static void heap__agrees_with_a_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct heap_node nodes[NODES] = {{0}};
        struct prng prng = {seed};
        struct heap heap = {0};
        uint64_t seq = 0;
        size_t count = 0;
        for (int step = 0; step < STEPS; step++) {
            struct heap_node *node = &nodes[prng_below(&prng, NODES)];
            bool was_in = node->place != 0;
            if (prng_chance(&prng, 2, 3)) {
                int64_t at_ms = (int64_t)prng_below(&prng, 50); /* ties are common */
                heap_set_take(&heap, node, at_ms, ++seq);
                assert_int_equal(node->at_ms, at_ms);
                assert_int_equal(node->seq, seq);
                count += !was_in;
            } else {
                heap_remove(&heap, node);
                assert_int_equal(node->place, 0);
                count -= was_in;
            }
            assert_int_equal(heap.count, count);
            assert_ptr_equal(heap_first(&heap), smallest(nodes));
        }
        heap_release(&heap);
    }
}

static void heap__gives_everything_in_order(void **state)
{
    struct heap_node nodes[1000] = {{0}};
    struct prng prng = {7};
    struct heap heap = {0};
    int64_t at_ms = INT64_MIN;
    uint64_t seq = 0;
    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        heap_set_take(&heap, &nodes[i], (int64_t)prng_below(&prng, 300) - 150, i + 1);
    for (int i = 0; i < 1000; i++) {
        struct heap_node *first = heap_first(&heap);
        assert_non_null(first);
        assert_true(first->at_ms > at_ms || (first->at_ms == at_ms && first->seq > seq));
        at_ms = first->at_ms;
        seq = first->seq;
        heap_remove(&heap, first);
    }
    assert_null(heap_first(&heap));
    heap_release(&heap);
}

static void heap__every_node_knows_its_place_below_an_earlier_one(void **state)
{
    struct heap_node nodes[NODES] = {{0}};
    struct prng prng = {11};
    struct heap heap = {0};
    (void)state;
    for (int step = 0; step < 5000; step++) {
        struct heap_node *node = &nodes[prng_below(&prng, NODES)];
        if (prng_chance(&prng, 3, 5))
            heap_set_take(&heap, node, (int64_t)prng_below(&prng, 1000), (uint64_t)step);
        else
            heap_remove(&heap, node);
        for (size_t i = 0; i < heap.count; i++) {
            const struct heap_node *above = heap.nodes[i ? (i - 1) / 2 : 0], *here = heap.nodes[i];
            assert_int_equal(here->place, i + 1);
            assert_true(above->at_ms < here->at_ms ||
                        (above->at_ms == here->at_ms && above->seq <= here->seq));
        }
    }
    heap_release(&heap);
}

static void heap__empty_has_no_first(void **state)
{
    struct heap heap = {0};
    struct heap_node node = {0};
    (void)state;
    assert_null(heap_first(&heap));
    heap_remove(&heap, &node); /* no effect when it is not in */
    heap_set_take(&heap, &node, 5, 1);
    assert_ptr_equal(heap_first(&heap), &node);
    heap_remove(&heap, &node);
    heap_remove(&heap, &node);
    assert_null(heap_first(&heap));
    heap_release(&heap);
    assert_int_equal(heap.capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap__agrees_with_a_list),
        cmocka_unit_test(heap__gives_everything_in_order),
        cmocka_unit_test(heap__every_node_knows_its_place_below_an_earlier_one),
        cmocka_unit_test(heap__empty_has_no_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
