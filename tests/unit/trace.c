/* W3C Trace Context, by its own examples and by what is nearly one. */
#include "base/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define GOOD "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void trace__goes_there_and_back(void **state)
{
    struct trace trace;
    char out[TRACEPARENT_SIZE];
    (void)state;
    assert_true(trace_parse(text_of(GOOD), &trace));
    assert_true(trace.high == 0x0af7651916cd43dd && trace.low == 0x8448eb211c80319c);
    assert_true(trace.span == 0xb7ad6b7169203331 && trace.sampled);
    assert_string_equal(trace_print(&trace, out), GOOD);
    trace.sampled = false;
    trace.span = 1;
    assert_string_equal(trace_print(&trace, out),
                        "00-0af7651916cd43dd8448eb211c80319c-0000000000000001-00");
}

static void trace__what_is_read(void **state)
{
    static const struct {
        const char *text;
        bool good, sampled;
    } rows[] = {
        {GOOD, true, true},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", true, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03", true, true},
        {"01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true, true},
        {"fe-00000000000000000000000000000001-0000000000000001-01", true, true},
        {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false, false},
        {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-00", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c0-b7ad6b716920333-01", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false, false},
        {"0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
        {"t", false, false},
        {"", false, false},
    };
    struct trace trace;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool good = trace_parse(text_of(rows[i].text), &trace);
        if (good != rows[i].good || (good && trace.sampled != rows[i].sampled))
            fail_msg("%s", rows[i].text);
    }
    assert_false(trace_parse(text_from(NULL, 0), &trace));
}

/* Told by two processes that never speak to each other. */
static void trace__a_record_gives_its_span_away(void **state)
{
    uint64_t before = 0;
    char id[64];
    (void)state;
    for (int n = 1; n <= 1000; n++) {
        snprintf(id, sizeof id, "shows/2/815-00000000deadbeef.%d", n);
        uint64_t span = trace_span_of(text_of(id));
        assert_true(span != 0 && span != before);
        before = span;
    }
    assert_true(trace_span_of(text_of("shows/2/815-00000000deadbeef.7")) == 0x86f27db0ba0914f1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace__goes_there_and_back),
        cmocka_unit_test(trace__what_is_read),
        cmocka_unit_test(trace__a_record_gives_its_span_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
