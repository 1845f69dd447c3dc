/* The arithmetic of a load test, and what an answer means. */
#include "cli/load.h"
#include "cli/timings.h"
#include "cli/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void timings__percentiles_are_nearest_rank(void **state)
{
    struct timings timings = {0};
    (void)state;
    assert_int_equal(timings_percentile_us(&timings, 50), 0);
    for (int64_t value = 1000; value >= 1; value--)
        timings_add(&timings, value);
    assert_int_equal(timings_percentile_us(&timings, 0), 1);
    assert_int_equal(timings_percentile_us(&timings, 50), 500);
    assert_int_equal(timings_percentile_us(&timings, 90), 900);
    assert_int_equal(timings_percentile_us(&timings, 99), 990);
    assert_int_equal(timings_percentile_us(&timings, 99.95), 1000);
    assert_int_equal(timings_percentile_us(&timings, 100), 1000);
    timings_add(&timings, 5000);
    assert_int_equal(timings_percentile_us(&timings, 100), 5000);
    timings_release(&timings);
}

static void timings__one_value_is_every_percentile(void **state)
{
    struct timings timings = {0};
    (void)state;
    timings_add(&timings, 7);
    assert_int_equal(timings_percentile_us(&timings, 1), 7);
    assert_int_equal(timings_percentile_us(&timings, 99), 7);
    timings_release(&timings);
}

static void load__an_open_loop_keeps_its_pace(void **state)
{
    (void)state;
    assert_int_equal(load_intended_us(0, 3), 0);
    assert_int_equal(load_intended_us(1, 3), 333333);
    assert_int_equal(load_intended_us(3, 3), 1000000);
    assert_int_equal(load_intended_us(INT64_C(86400) * 1000000, 1000000), INT64_C(86400) * 1000000);
}

static void load__retries_pause_longer_each_time(void **state)
{
    (void)state;
    assert_int_equal(load_pause_ms(1, 0), 20);
    assert_int_equal(load_pause_ms(2, 0), 40);
    assert_int_equal(load_pause_ms(7, 0), 1280);
    assert_int_equal(load_pause_ms(8, 0), 2000);
    assert_int_equal(load_pause_ms(1000, 0), 2000);
    assert_int_equal(load_pause_ms(1, 1000), 1000);
    assert_int_equal(load_pause_ms(1, 60000), 2000);
}

#define ID "0b7e6a52-6c1f-8d8e-9a41-3f0c5e2d7b96"

static void verdict__table(void **state)
{
    static const struct {
        long status;
        const char *body;
        enum verdict_kind kind;
        const char *code;
    } rows[] = {
        {201, "{\"status\":\"held\"}", VERDICT_HELD, ""},
        {200, "{\"status\":\"confirmed\"}", VERDICT_HELD, ""},
        {200, "{\"status\":\"requested\"}", VERDICT_WAIT, ""},
        {200, "{\"status\":\"rejected\",\"reason\":\"sold_out\"}", VERDICT_REFUSED, "sold_out"},
        {200, "{\"status\":\"rejected\"}", VERDICT_REFUSED, "rejected"},
        {200, "{\"status\":\"expired\"}", VERDICT_ERROR, "expired"},
        {201, "nonsense", VERDICT_ERROR, "unreadable"},
        {201, "[1]", VERDICT_ERROR, "unreadable"},
        {201, "", VERDICT_ERROR, "unreadable"},
        {202, "{\"status\":\"requested\"}", VERDICT_WAIT, ""},
        {409, "{\"code\":\"all_held\"}", VERDICT_REFUSED, "all_held"},
        {409, "", VERDICT_REFUSED, "status_409"},
        {410, "{\"code\":\"archived\"}", VERDICT_REFUSED, "archived"},
        {503, "{\"code\":\"overloaded\"}", VERDICT_RETRY, "overloaded"},
        {429, "{\"code\":\"rate_limited\"}", VERDICT_RETRY, "rate_limited"},
        {502, "<html>", VERDICT_RETRY, "status_502"},
        {0, "", VERDICT_RETRY, "no_answer"},
        {400, "{\"code\":\"key_weak\"}", VERDICT_ERROR, "key_weak"},
        {404, "{\"code\":7}", VERDICT_ERROR, "status_404"},
        {500, "", VERDICT_ERROR, "status_500"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct verdict verdict;
        verdict_read(rows[i].status, text_of(rows[i].body), &verdict);
        assert_int_equal(verdict.kind, rows[i].kind);
        assert_string_equal(verdict.code, rows[i].code);
    }
}

static void verdict__keeps_what_is_needed_to_wait(void **state)
{
    struct verdict verdict;
    (void)state;
    verdict_read(202, text_of("{\"reservation_id\":\"" ID "\",\"secret\":\"s3\"}"), &verdict);
    assert_string_equal(verdict.reservation_id, ID);
    assert_string_equal(verdict.secret, "s3");
}

static void location__is_a_path_or_a_url(void **state)
{
    (void)state;
    assert_true(text_is(location_path(text_of("/v1/x")), "/v1/x"));
    assert_true(text_is(location_path(text_of("http://h:1/v1/x?a=b")), "/v1/x?a=b"));
    assert_true(text_is(location_path(text_of("https://h/")), "/"));
    assert_int_equal(location_path(text_of("http://h")).size, 0);
    assert_int_equal(location_path(text_of("x/y")).size, 0);
    assert_int_equal(location_path(text_of("")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timings__percentiles_are_nearest_rank),
        cmocka_unit_test(timings__one_value_is_every_percentile),
        cmocka_unit_test(load__an_open_loop_keeps_its_pace),
        cmocka_unit_test(load__retries_pause_longer_each_time),
        cmocka_unit_test(verdict__table),
        cmocka_unit_test(verdict__keeps_what_is_needed_to_wait),
        cmocka_unit_test(location__is_a_path_or_a_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
