/* Moments given on the command line. */
#include "cli/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* 2026-11-21T19:30:00.000Z */
#define AT_MS INT64_C(1795289400000)

static void when__times_and_spans(void **state)
{
    static const struct {
        const char *text;
        int64_t expected; /* -1: refused */
    } rows[] = {
        {"2026-11-21T19:29:00Z", AT_MS - 60000},
        {"10m", AT_MS - 600000},
        {"1h30m", AT_MS - 5400000},
        {"2d", AT_MS - 172800000},
        {"0s", AT_MS},
        {"", -1},
        {"10", -1},
        {"m", -1},
        {"30m1h", -1},
        {"1h1h", -1},
        {"-10m", -1},
        {"10 m", -1},
        {"99999999w", -1},
        {"9999999999s", -1},
        {"yesterday", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t at_ms = -1;
        bool good = when_parse(text_of(rows[i].text), AT_MS, &at_ms);
        assert_int_equal(good, rows[i].expected >= 0);
        if (good)
            assert_int_equal(at_ms, rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when__times_and_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
