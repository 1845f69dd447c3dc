/* Sets of ticket numbers against the plain way of asking number by number. */
#include "schemas/numbers.h"

#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int64_t next_by_asking(const struct numbers *numbers, int64_t number)
{
    for (number++; number <= NUMBERS_MAX; number++)
        if (numbers_has(numbers, number))
            return number;
    return 0;
}

static void numbers__next_at_the_ends_and_where_a_word_ends(void **state)
{
    static const int64_t some[] = {1, 63, 64, 65, 128, 129, 999, NUMBERS_MAX};
    struct numbers numbers = {0};
    int64_t at = 0;
    (void)state;
    assert_int_equal(numbers_next(&numbers, 0), 0);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        numbers_add(&numbers, some[i]);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        at = numbers_next(&numbers, at);
        assert_int_equal(at, some[i]);
    }
    assert_int_equal(numbers_next(&numbers, at), 0);
}

static void numbers__next_agrees_with_asking(void **state)
{
    struct prng prng = {5};
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct numbers numbers = {0};
        for (uint64_t left = prng_below(&prng, 40); left > 0; left--)
            numbers_add(&numbers, 1 + (int64_t)prng_below(&prng, NUMBERS_MAX));
        for (int64_t number = 0; number <= NUMBERS_MAX; number++)
            assert_int_equal(numbers_next(&numbers, number), next_by_asking(&numbers, number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers__next_at_the_ends_and_where_a_word_ends),
        cmocka_unit_test(numbers__next_agrees_with_asking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
