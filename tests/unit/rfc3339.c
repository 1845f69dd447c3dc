/* Times of RFC 3339: its own examples, the calendar's corners, and what is no time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prng.h"
#include "base/rfc3339.h"

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static void rfc3339__prints_known_times(void **state)
{
    static const struct {
        int64_t at_ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {86399999, "1970-01-01T23:59:59.999Z"},
        {86400000, "1970-01-02T00:00:00.000Z"},
        {INT64_C(482196050520), "1985-04-12T23:20:50.520Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(951868800000), "2000-03-01T00:00:00.000Z"},
        {INT64_C(1000000000000), "2001-09-09T01:46:40.000Z"},
        {INT64_C(2147483648000), "2038-01-19T03:14:08.000Z"},
        {INT64_C(4107542400000), "2100-03-01T00:00:00.000Z"},
        {LAST_MS, "9999-12-31T23:59:59.999Z"},
    };
    char out[RFC3339_SIZE];
    int64_t at_ms;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(rfc3339_print(rows[i].at_ms, out), rows[i].text);
        assert_true(rfc3339_parse(text_of(rows[i].text), &at_ms));
        assert_int_equal(at_ms, rows[i].at_ms);
    }
}

static void rfc3339__reads_offsets_fractions_and_leap_seconds(void **state)
{
    static const struct {
        const char *text;
        const char *same;
    } rows[] = {
        {"1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520Z"},
        {"1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000Z"},
        {"1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000Z"},
        {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000Z"},
        {"1937-01-01T12:00:27.87+00:20", NULL},
        {"2026-11-21t19:30:00z", "2026-11-21T19:30:00.000Z"},
        {"2026-11-21T19:30:00+05:30", "2026-11-21T14:00:00.000Z"},
        {"2026-11-21T19:30:00-00:00", "2026-11-21T19:30:00.000Z"},
        {"2026-11-21T19:30:00+23:59", "2026-11-20T19:31:00.000Z"},
        {"2026-11-21T19:30:00.1Z", "2026-11-21T19:30:00.100Z"},
        {"2026-11-21T19:30:00.1239999Z", "2026-11-21T19:30:00.123Z"},
        {"2026-11-21T19:30:00.123456789Z", "2026-11-21T19:30:00.123Z"},
        {"2026-11-21T19:30:00.000999+01:00", "2026-11-21T18:30:00.000Z"},
        {"1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00.000Z"},
        {"1970-01-01T00:30:00+01:00", NULL},
        {"9999-12-31T23:59:59+00:01", "9999-12-31T23:58:59.000Z"},
        {"9999-12-31T23:59:59-00:01", NULL},
        {"9999-12-31T23:59:60Z", NULL},
    };
    char out[RFC3339_SIZE];
    int64_t at_ms;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool good = rfc3339_parse(text_of(rows[i].text), &at_ms);
        assert_int_equal(good, rows[i].same != NULL);
        if (good)
            assert_string_equal(rfc3339_print(at_ms, out), rows[i].same);
    }
}

static void rfc3339__refuses_what_is_no_time(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-11-21",
        "2026-11-21T19:30:00",
        "2026-11-21T19:30Z",
        "2026-11-21 19:30:00Z",
        "2026-11-21T19:30:00 Z",
        " 2026-11-21T19:30:00Z",
        "2026-11-21T19:30:00Z ",
        "2026-11-21T19:30:00ZZ",
        "2026-11-21T19:30:00.Z",
        "2026-11-21T19:30:00.1234567890Z",
        "2026-11-21T19:30:00,5Z",
        "2026-11-21T19:30:00.5",
        "2026-11-21T19:30:00+0100",
        "2026-11-21T19:30:00+01",
        "2026-11-21T19:30:00+24:00",
        "2026-11-21T19:30:00+01:60",
        "2026-11-21T19:30:00*01:00",
        "2026-11-21T24:00:00Z",
        "2026-11-21T19:60:00Z",
        "2026-11-21T19:30:61Z",
        "2026-11-21T19:30:60Z",
        "2026-11-21T23:59:60+01:00",
        "2026-00-21T19:30:00Z",
        "2026-13-21T19:30:00Z",
        "2026-11-00T19:30:00Z",
        "2026-11-31T19:30:00Z",
        "2026-1-21T19:30:00.0Z",
        "26-11-21T19:30:00.00Z",
        "2026/11/21T19:30:00Z",
        "2026-11-21T19-30-00Z",
        "2026-11-21T19:3a:00Z",
        "-026-11-21T19:30:00Z",
        "+2026-11-21T19:30:00Z",
        "1969-12-31T23:59:59.999Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
    };
    int64_t at_ms;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rfc3339_parse(text_of(bad[i]), &at_ms))
            fail_msg("'%s' was read as a time", bad[i]);
}

static void rfc3339__knows_leap_years(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {"2000-02-29T00:00:00Z", true},  {"2024-02-29T00:00:00Z", true},
        {"2023-02-29T00:00:00Z", false}, {"2100-02-29T00:00:00Z", false},
        {"2400-02-29T00:00:00Z", true},  {"2024-02-30T00:00:00Z", false},
        {"2024-04-31T00:00:00Z", false}, {"2023-02-28T00:00:00Z", true},
    };
    int64_t at_ms;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(rfc3339_parse(text_of(rows[i].text), &at_ms), rows[i].good);
}

static void rfc3339__reads_back_what_it_printed(void **state)
{
    struct prng prng = {5};
    char out[RFC3339_SIZE];
    int64_t back;
    (void)state;
    for (int i = 0; i < 50000; i++) {
        int64_t at_ms = (int64_t)prng_below(&prng, (uint64_t)LAST_MS + 1);
        rfc3339_print(at_ms, out);
        assert_true(rfc3339_parse(text_from(out, RFC3339_SIZE - 1), &back));
        assert_int_equal(back, at_ms);
    }
}

/* Each day from 1970 to 2400 is one more than the one before, whatever month or year ends. */
static void rfc3339__counts_every_day_once(void **state)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    char out[RFC3339_SIZE];
    int64_t at_ms = 0;
    (void)state;
    for (int year = 1970; year <= 2400; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= days[month - 1] + (leap && month == 2); day++) {
                rfc3339_print(at_ms, out);
                int shown = (out[0] - '0') * 1000 + (out[1] - '0') * 100 + (out[2] - '0') * 10 +
                            (out[3] - '0');
                assert_int_equal(shown, year);
                assert_int_equal((out[5] - '0') * 10 + (out[6] - '0'), month);
                assert_int_equal((out[8] - '0') * 10 + (out[9] - '0'), day);
                at_ms += 86400000;
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc3339__prints_known_times),
        cmocka_unit_test(rfc3339__reads_offsets_fractions_and_leap_seconds),
        cmocka_unit_test(rfc3339__refuses_what_is_no_time),
        cmocka_unit_test(rfc3339__knows_leap_years),
        cmocka_unit_test(rfc3339__reads_back_what_it_printed),
        cmocka_unit_test(rfc3339__counts_every_day_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
