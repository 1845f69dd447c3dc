/* Metrics read back from text, and what is made of histograms. */
#include "base/metrics.h"
#include "cli/scrape.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void samples__are_read_and_the_rest_is_skipped(void **state)
{
    struct text rest = text_of("# HELP a what\n# TYPE a counter\na 7\n"
                               "b{route=\"/x y\",status=\"2xx\"} 1.5\n\nno value\nc{open 1\n"
                               "d{le=\"+Inf\"} +Inf");
    struct scrape_line line;
    (void)state;
    assert_true(scrape_next(&rest, &line));
    assert_true(text_is(line.name, "a") && line.labels.size == 0);
    assert_true(line.value == 7);
    assert_true(scrape_next(&rest, &line));
    assert_true(text_is(line.name, "b") && line.value == 1.5);
    assert_true(text_is(scrape_label(line.labels, "route"), "/x y"));
    assert_true(text_is(scrape_label(line.labels, "status"), "2xx"));
    assert_int_equal(scrape_label(line.labels, "code").size, 0);
    assert_true(scrape_next(&rest, &line));
    assert_true(text_is(line.name, "d") && isinf(line.value));
    assert_false(scrape_next(&rest, &line));
}

static void labels__may_hold_quotes_and_be_cut(void **state)
{
    (void)state;
    assert_true(text_is(scrape_label(text_of("a=\"x\\\"y\",b=\"z\""), "b"), "z"));
    assert_int_equal(scrape_label(text_of("a=\"x"), "a").size, 0);
    assert_int_equal(scrape_label(text_of("a=\"x\\"), "a").size, 0);
    assert_int_equal(scrape_label(text_of("a"), "a").size, 0);
    assert_int_equal(scrape_label(text_of(""), "a").size, 0);
}

static void add(struct scrape_histogram *histogram, const char *text)
{
    struct text rest = text_of(text);
    struct scrape_line line;
    while (scrape_next(&rest, &line))
        if (text_is(line.name, "t_bucket"))
            scrape_add_bucket(histogram, &line);
}

static void quantile__is_of_what_came_in_between(void **state)
{
    struct scrape_histogram before = {.count = 0}, now = {.count = 0};
    (void)state;
    assert_true(scrape_quantile(&before, &now, 0.99) == -1);
    /* Two series of one metric are one histogram. */
    add(&before, "t_bucket{le=\"0.1\"} 1000\nt_bucket{le=\"1\"} 1000\nt_bucket{le=\"+Inf\"} 1000");
    add(&now, "t_bucket{a=\"x\",le=\"0.1\"} 1050\nt_bucket{a=\"x\",le=\"1\"} 1090\n"
              "t_bucket{a=\"x\",le=\"+Inf\"} 1090\nt_bucket{a=\"y\",le=\"0.1\"} 0\n"
              "t_bucket{a=\"y\",le=\"1\"} 0\nt_bucket{a=\"y\",le=\"+Inf\"} 10");
    assert_true(scrape_quantile(&before, &now, 0.5) == 0.1);
    assert_true(scrape_quantile(&before, &now, 0.9) == 1);
    assert_true(scrape_quantile(&before, &now, 0.99) == 1); /* beyond the last bound */
    assert_true(scrape_quantile(&now, &now, 0.99) == -1);
}

static void histograms__of_ours_come_back(void **state)
{
    struct histogram histogram = {.sum_us = 0};
    struct scrape_histogram before = {.count = 0}, now = {.count = 0};
    struct buffer out = {0};
    (void)state;
    for (int i = 0; i < 100; i++)
        histogram_note(&histogram, i < 98 ? 700 : 40000);
    metrics_histogram(&out, "t", "", &histogram);
    add(&now, out.data);
    assert_int_equal(now.count, HISTOGRAM_BOUND_COUNT + 1);
    assert_true(scrape_quantile(&before, &now, 0.5) >= 0.0007);
    assert_true(scrape_quantile(&before, &now, 0.5) < 0.01);
    assert_true(scrape_quantile(&before, &now, 0.99) >= 0.04);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples__are_read_and_the_rest_is_skipped),
        cmocka_unit_test(labels__may_hold_quotes_and_be_cut),
        cmocka_unit_test(quantile__is_of_what_came_in_between),
        cmocka_unit_test(histograms__of_ours_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
