/* Pieces that do not overlap, and memory that is kept from message to message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/prng.h"

#include <string.h>

enum { PIECES = 400 };

/* Takes pieces of many sizes, some larger than a block, and fills each with its own byte. */
static void take_and_check(struct arena *arena, struct prng *prng)
{
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];
    for (int i = 0; i < PIECES; i++) {
        sizes[i] = prng_below(prng, prng_chance(prng, 1, 40) ? 50000 : 400);
        pieces[i] = arena_take(arena, sizes[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], i % 251, sizes[i]);
    }
    for (int i = 0; i < PIECES; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(pieces[i][at], i % 251);
}

static void arena__pieces_do_not_overlap(void **state)
{
    struct arena arena = {0};
    struct prng prng = {3};
    (void)state;
    for (int round = 0; round < 5; round++) {
        take_and_check(&arena, &prng);
        arena_reset(&arena);
    }
    arena_release(&arena);
    assert_null(arena.first);
    take_and_check(&arena, &prng); /* released is as good as new */
    arena_release(&arena);
}

static void arena__reset_keeps_the_memory(void **state)
{
    struct arena arena = {0};
    void *first[3], *again[3];
    (void)state;
    arena_reset(&arena); /* of nothing */
    for (int i = 0; i < 3; i++)
        first[i] = arena_take(&arena, 10000);
    arena_reset(&arena);
    for (int i = 0; i < 3; i++)
        again[i] = arena_take(&arena, 10000);
    assert_memory_equal(first, again, sizeof first);
    arena_release(&arena);
}

static void arena__a_large_piece_gets_its_own_block(void **state)
{
    struct arena arena = {0};
    (void)state;
    char *small = arena_take(&arena, 1);
    char *large = arena_take(&arena, 1000000);
    char *next = arena_take(&arena, 1);
    *small = 'a';
    memset(large, 'b', 1000000);
    *next = 'c';
    assert_int_equal(*small, 'a');
    assert_int_equal(large[0], 'b');
    assert_int_equal(large[999999], 'b');
    arena_release(&arena);
}

static void arena__texts_are_copies_that_end_in_nul(void **state)
{
    struct arena arena = {0};
    char source[] = "circle";
    (void)state;
    struct text copy = arena_text(&arena, text_from(source, 4));
    struct text empty = arena_text(&arena, text_of(NULL));
    source[0] = 'x';
    assert_string_equal(copy.data, "circ");
    assert_int_equal(copy.size, 4);
    assert_string_equal(empty.data, "");
    assert_int_equal(empty.size, 0);
    arena_release(&arena);
}

static void arena__prints_what_printf_prints(void **state)
{
    struct arena arena = {0};
    (void)state;
    struct text text = arena_print(&arena, "%s/%d@%lld", "shows.events", 2, 815LL);
    assert_string_equal(text.data, "shows.events/2@815");
    assert_int_equal(text.size, strlen("shows.events/2@815"));
    text = arena_print(&arena, "%20000d", 7);
    assert_int_equal(text.size, 20000);
    assert_int_equal(text.data[19999], '7');
    assert_int_equal(text.data[20000], '\0');
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena__pieces_do_not_overlap),
        cmocka_unit_test(arena__reset_keeps_the_memory),
        cmocka_unit_test(arena__a_large_piece_gets_its_own_block),
        cmocka_unit_test(arena__texts_are_copies_that_end_in_nul),
        cmocka_unit_test(arena__prints_what_printf_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
