/* The script's grammar, and finding one's place in it. */
#include "paydesk/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct script script;
static char error[SCRIPT_ERROR_SIZE];

/* The first `count` steps of payments, then of refunds, as a script writes them. */
static const char *print(int count)
{
    static struct buffer out;
    buffer_clear(&out);
    for (int n = 0; n < 2 * count; n++) {
        struct script_step step =
            n < count ? script_payment(&script, n) : script_refund(&script, n - count);
        buffer_string(&out, n == 0 ? "" : n == count ? " | " : " ");
        script_step_print(step, &out);
    }
    return out.data;
}

static void script__steps_come_in_order_and_the_last_repeats(void **state)
{
    static const struct {
        const char *text, *otherwise, *steps;
    } rows[] = {
        {"", NULL,
         "succeed succeed succeed succeed | refund-complete refund-complete refund-complete "
         "refund-complete"},
        {"fail", NULL,
         "fail fail fail fail | refund-complete refund-complete refund-complete refund-complete"},
        {"succeed*2,silent", NULL,
         "succeed succeed silent silent | refund-complete refund-complete refund-complete "
         "refund-complete"},
        {"fail*2", "succeed",
         "fail fail succeed succeed | refund-complete refund-complete refund-complete "
         "refund-complete"},
        {" twice , refund-fail:2*2 ,\n late:90s, refund-silent,captured-twice", NULL,
         "twice late:90s captured-twice captured-twice | refund-fail:2 refund-fail:2 "
         "refund-silent refund-silent"},
        {"late,unknown,unknown-then-succeed,unknown-then-fail:250ms", "refund-fail:always",
         "late:60s unknown unknown-then-succeed:5s unknown-then-fail:250ms | refund-fail:always "
         "refund-fail:always refund-fail:always refund-fail:always"},
        {"wrong-amount,wrong-currency,refund-fail,late:2h", "refund-complete",
         "wrong-amount wrong-currency late:7200s late:7200s | refund-fail:1 refund-complete "
         "refund-complete refund-complete"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!script_parse(text_of(rows[i].text), rows[i].otherwise, &script, error))
            fail_msg("'%s': %s", rows[i].text, error);
        assert_string_equal(print(4), rows[i].steps);
    }
}

static void script__a_long_repeat_ends_where_it_says(void **state)
{
    (void)state;
    assert_true(script_parse(text_of("fail*1000000,silent"), NULL, &script, error));
    assert_int_equal(script_payment(&script, 999999).word, SCRIPT_FAIL);
    assert_int_equal(script_payment(&script, 1000000).word, SCRIPT_SILENT);
    assert_int_equal(script_payment(&script, INT64_MAX).word, SCRIPT_SILENT);
}

static void script__says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *otherwise, *why;
    } rows[] = {
        {"suceed", NULL, "'suceed' is no step"},
        {"", "nothing", "'nothing' is no step"},
        {"succeed,,fail", NULL, "'' is no step"},
        {"succeed,", NULL, "ends with a comma"},
        {"succeed:5s", NULL, "takes nothing"},
        {"late:", NULL, "needs a time"},
        {"late:90", NULL, "needs a time"},
        {"late:-1s", NULL, "needs a time"},
        {"late:1.5s", NULL, "needs a time"},
        {"late:169h", NULL, "needs a time"},
        {"late:99999999999999999999s", NULL, "needs a time"},
        {"refund-fail:0", NULL, "needs a number"},
        {"refund-fail:2s", NULL, "needs a number"},
        {"refund-complete:1", NULL, "takes nothing"},
        {"fail*", NULL, "number from 1"},
        {"fail*0", NULL, "number from 1"},
        {"fail*1000001", NULL, "number from 1"},
        {"fail*2*2", NULL, "number from 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        error[0] = '\0';
        assert_false(script_parse(text_of(rows[i].text), rows[i].otherwise, &script, error));
        if (strstr(error, rows[i].why) == NULL)
            fail_msg("'%s': %s", rows[i].text, error);
    }
}

static void script__has_an_end(void **state)
{
    struct buffer text = {0};
    (void)state;
    for (int i = 0; i < SCRIPT_ITEMS_MAX; i++)
        buffer_string(&text, i ? ",fail" : "fail");
    assert_true(script_parse(buffer_view(&text), "refund-fail", &script, error));
    assert_false(script_parse(buffer_view(&text), "succeed", &script, error));
    assert_non_null(strstr(error, "too many"));
    buffer_release(&text);
}

static void step__reads_back_as_it_is_written(void **state)
{
    static const char *const steps[] = {
        "succeed",       "fail",           "late:90s",        "unknown",
        "silent",        "late:250ms",     "late:3600s",      "unknown-then-succeed:5s",
        "twice",         "captured-twice", "wrong-amount",    "unknown-then-fail:1ms",
        "refund-fail:3", "wrong-currency", "refund-complete", "refund-fail:always",
        "refund-silent"};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct script_step step;
        struct buffer text = {0};
        if (!script_step_parse(text_of(steps[i]), &step, error))
            fail_msg("%s", error);
        script_step_print(step, &text);
        assert_string_equal(text.data, steps[i]);
        buffer_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(script__steps_come_in_order_and_the_last_repeats),
        cmocka_unit_test(script__a_long_repeat_ends_where_it_says),
        cmocka_unit_test(script__says_what_is_wrong),
        cmocka_unit_test(script__has_an_end),
        cmocka_unit_test(step__reads_back_as_it_is_written),
    };
    return cmocka_run_group_tests_name("paydesk_script", tests, NULL, NULL);
}
