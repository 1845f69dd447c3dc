/* How it is said that a process is ready, and why it is not. */
#include "process/readiness.h"

#include "schemas/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect(void (*put)(const struct readiness *, struct buffer *),
                   const struct readiness *readiness, const char *words)
{
    struct buffer out = {0};
    put(readiness, &out);
    assert_string_equal(out.size ? out.data : "", words);
    buffer_release(&out);
}

static void put_json(const struct readiness *readiness, struct buffer *out)
{
    json_put_open(out, NULL, '{');
    readiness_put_json(readiness, out);
    json_put_close(out, '}');
}

static void readiness__all_that_holds_is_ready(void **state)
{
    struct readiness readiness = {.count = 0};
    (void)state;
    readiness_add(&readiness, "one", true, "never said");
    assert_true(readiness_is_good(&readiness));
    expect(put_json, &readiness, "{\"status\":\"ready\",\"one\":true,\"reasons\":[]}");
    expect(readiness_put_text, &readiness, "ready\n");
    expect(readiness_put_line, &readiness, "");
}

static void readiness__each_reason_is_told(void **state)
{
    char done[GROUPED_SIZE], all[GROUPED_SIZE];
    struct readiness readiness = {.count = 0};
    (void)state;
    readiness_add(&readiness, "reachable", false, "no bus");
    readiness_add(&readiness, "intact", true, "never said");
    readiness_add(&readiness, "recovered", false, "recovering %s of %s",
                  number_grouped(812345, done), number_grouped(1000000, all));
    assert_false(readiness_is_good(&readiness));
    expect(put_json, &readiness,
           "{\"status\":\"not ready\",\"reachable\":false,\"intact\":true,\"recovered\":false,"
           "\"reasons\":[\"no bus\",\"recovering 812 345 of 1 000 000\"]}");
    expect(readiness_put_text, &readiness, "not ready\nno bus\nrecovering 812 345 of 1 000 000\n");
    expect(readiness_put_line, &readiness, "no bus; recovering 812 345 of 1 000 000");
}

static void readiness__numbers_are_grouped(void **state)
{
    static const struct {
        int64_t number;
        const char *words;
    } rows[] = {{0, "0"},
                {999, "999"},
                {1000, "1 000"},
                {-1000, "-1 000"},
                {-100, "-100"},
                {12345678, "12 345 678"},
                {INT64_MAX, "9 223 372 036 854 775 807"},
                {INT64_MIN, "-9 223 372 036 854 775 808"}};
    char out[GROUPED_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(number_grouped(rows[i].number, out), rows[i].words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readiness__all_that_holds_is_ready),
        cmocka_unit_test(readiness__each_reason_is_told),
        cmocka_unit_test(readiness__numbers_are_grouped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
