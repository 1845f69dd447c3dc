/* What a scraper reads. */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void metrics__buckets_add_up(void **state)
{
    struct histogram histogram = {.sum_us = 0};
    struct buffer out = {0};
    (void)state;
    histogram_note(&histogram, 500); /* a bound belongs to its bucket */
    histogram_note(&histogram, 501);
    histogram_note(&histogram, 1000000);
    histogram_note(&histogram, 60000000);
    assert_int_equal(histogram_count(&histogram), 4);
    metrics_histogram(&out, "t", "a=\"b\"", &histogram);
    assert_string_equal(out.data, "t_bucket{a=\"b\",le=\"0.0005\"} 1\n"
                                  "t_bucket{a=\"b\",le=\"0.001\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.0025\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.005\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.01\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.025\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.05\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.1\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.25\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.5\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"1\"} 3\n"
                                  "t_bucket{a=\"b\",le=\"5\"} 3\n"
                                  "t_bucket{a=\"b\",le=\"+Inf\"} 4\n"
                                  "t_sum{a=\"b\"} 61.001001\n"
                                  "t_count{a=\"b\"} 4\n");
    buffer_release(&out);
}

static void metrics__a_family_begins_with_its_meaning(void **state)
{
    struct buffer out = {0};
    (void)state;
    metrics_family(&out, "seats", METRIC_GAUGE, "How many.");
    metrics_sample(&out, "seats", "", 1e12);
    metrics_sample(&out, "seats", "state=\"held\"", 0.5);
    assert_string_equal(out.data, "# HELP seats How many.\n# TYPE seats gauge\n"
                                  "seats 1000000000000\nseats{state=\"held\"} 0.5\n");
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics__buckets_add_up),
        cmocka_unit_test(metrics__a_family_begins_with_its_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
