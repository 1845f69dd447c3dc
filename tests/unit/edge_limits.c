/* Token buckets: how many at once, how many a second, and who is forgotten in a crowd. */
#include "api/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { RATE = 10, BURST = 5, SECOND = 1000 };

static int64_t take(struct limits *limits, const char *caller, int64_t now_ms)
{
    return limits_take(limits, text_of(caller), RATE, BURST, now_ms);
}

static void limits__a_burst_and_then_the_rate(void **state)
{
    struct limits limits;
    int64_t now_ms = 77 * SECOND;
    (void)state;
    limits_init(&limits);
    for (int i = 0; i < BURST; i++)
        assert_int_equal(take(&limits, "ann", now_ms), 0);
    assert_int_equal(take(&limits, "ann", now_ms), SECOND / RATE);
    assert_int_equal(take(&limits, "ann", now_ms + 60), SECOND / RATE - 60);
    assert_int_equal(take(&limits, "bob", now_ms), 0); /* his own */
    for (int i = 0; i < 3 * RATE; i++) {
        now_ms += SECOND / RATE;
        assert_int_equal(take(&limits, "ann", now_ms), 0);
        assert_int_not_equal(take(&limits, "ann", now_ms), 0);
    }
    now_ms += 3600 * SECOND; /* no more than the burst is saved */
    for (int i = 0; i < BURST; i++)
        assert_int_equal(take(&limits, "ann", now_ms), 0);
    assert_int_not_equal(take(&limits, "ann", now_ms), 0);
    limits_release(&limits);
}

/* More callers than there is room for: who asks too often stays in the table, for the others'
 * buckets are fuller than his. */
static void limits__a_crowd_does_not_hide_who_asks_too_often(void **state)
{
    struct limits limits;
    int64_t now_ms = 77 * SECOND;
    int let = 0;
    (void)state;
    limits_init(&limits);
    for (int i = 0; i < 4 * LIMITS_CALLERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(take(&limits, name, now_ms), 0);
        if (i % 16 == 0)
            let += take(&limits, "ann", now_ms) == 0;
        now_ms += i % 64 == 0;
    }
    /* A second and some: the burst and ten more; a few, for she may be pushed out at first. */
    assert_in_range(let, BURST, 4 * (BURST + 2 * RATE));
    limits_release(&limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits__a_burst_and_then_the_rate),
        cmocka_unit_test(limits__a_crowd_does_not_hide_who_asks_too_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
