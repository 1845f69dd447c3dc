/* The ring of names: what is new, a repeat, a conflict, and what was forgotten. */
#include "base/recent.h"

#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct text number(char out[12], int value)
{
    snprintf(out, 12, "%d", value);
    return text_of(out);
}

static enum recent_answer ask(const struct recent *recent, int name, int mark)
{
    char a[12], b[12];
    return recent_ask(recent, number(a, name), number(b, mark));
}

static void remember(struct recent *recent, int name, int mark)
{
    char a[12], b[12];
    recent_remember(recent, number(a, name), number(b, mark));
    memset(a, '#', sizeof a); /* both are copied */
    memset(b, '#', sizeof b);
}

static void recent__tells_a_repeat_from_a_conflict(void **state)
{
    struct recent recent = {.capacity = 3};
    (void)state;
    assert_int_equal(ask(&recent, 1, 1), RECENT_NEW);
    assert_null(recent.items); /* nothing is allocated for what was never used */
    remember(&recent, 1, 7);
    assert_int_equal(ask(&recent, 1, 7), RECENT_REPEAT);
    assert_int_equal(ask(&recent, 1, 8), RECENT_CONFLICT);
    assert_int_equal(ask(&recent, 7, 1), RECENT_NEW);
    assert_int_equal(ask(&recent, 11, 7), RECENT_NEW);
    recent_release(&recent);
    assert_int_equal(ask(&recent, 1, 7), RECENT_NEW);
    remember(&recent, 2, 2); /* usable again */
    assert_int_equal(ask(&recent, 2, 2), RECENT_REPEAT);
    recent_release(&recent);
}

static void recent__empty_names_and_marks_are_names_and_marks(void **state)
{
    struct recent recent = {.capacity = 2};
    struct text none = {NULL, 0};
    (void)state;
    recent_remember(&recent, text_of("a"), none);
    assert_int_equal(recent_ask(&recent, text_of("a"), none), RECENT_REPEAT);
    assert_int_equal(recent_ask(&recent, text_of("a"), text_of("b")), RECENT_CONFLICT);
    assert_int_equal(recent_ask(&recent, none, none), RECENT_NEW);
    recent_release(&recent);
}

static void recent__forgets_the_oldest(void **state)
{
    (void)state;
    for (int capacity = 1; capacity <= 5; capacity++) {
        struct recent recent = {.capacity = capacity};
        for (int i = 0; i < 4 * capacity; i++) {
            remember(&recent, i, i);
            for (int k = 0; k <= i; k++)
                assert_int_equal(ask(&recent, k, k), k > i - capacity ? RECENT_REPEAT : RECENT_NEW);
        }
        assert_int_equal(recent.count, capacity);
        recent_release(&recent);
    }
}

/* Against the list of everything that was ever remembered. */
static void recent__agrees_with_a_list(void **state)
{
    enum { CAPACITY = 16, STEPS = 5000, NAMES = 40 };
    struct prng prng = {5};
    struct recent recent = {.capacity = CAPACITY};
    static int names[STEPS], marks[STEPS];
    int count = 0;
    (void)state;
    for (int step = 0; step < STEPS; step++) {
        int name = (int)prng_below(&prng, NAMES), mark = (int)prng_below(&prng, 3);
        enum recent_answer expected = RECENT_NEW;
        for (int i = count > CAPACITY ? count - CAPACITY : 0; i < count; i++)
            if (names[i] == name)
                expected = marks[i] == mark ? RECENT_REPEAT : RECENT_CONFLICT;
        assert_int_equal(ask(&recent, name, mark), expected);
        if (expected != RECENT_NEW)
            continue;
        remember(&recent, name, mark);
        names[count] = name;
        marks[count++] = mark;
    }
    recent_release(&recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recent__tells_a_repeat_from_a_conflict),
        cmocka_unit_test(recent__empty_names_and_marks_are_names_and_marks),
        cmocka_unit_test(recent__forgets_the_oldest),
        cmocka_unit_test(recent__agrees_with_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
