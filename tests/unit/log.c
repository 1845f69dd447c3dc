/* Log lines, as they come out of standard error. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int kept, ends[2];

/* Standard error is a pipe meanwhile. */
static void begin(void)
{
    fflush(stderr);
    kept = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
}

/* What was written; "" for nothing. */
static const char *end(void)
{
    static char said[1024];
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    ssize_t size = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    said[size < 0 ? 0 : size] = '\0';
    return said;
}

/* The line in that format, without the time that it begins with. */
static const char *said_as(enum log_format format, const char *words)
{
    log_set_format(format);
    begin();
    log_line(LOG_WARNING, "shows/2", "%s", words);
    log_set_format(LOG_TEXT);
    return end();
}

enum { TIME_SIZE = sizeof "2026-11-21T19:30:00.123Z" - 1 };

static void log__text(void **state)
{
    (void)state;
    assert_string_equal(said_as(LOG_TEXT, "claimed \"it\"") + TIME_SIZE,
                        " warning shows/2: claimed \"it\"\n");
}

static void log__logfmt(void **state)
{
    (void)state;
    const char *said = said_as(LOG_LOGFMT, "claimed \"it\"");
    assert_memory_equal(said, "time=", 5);
    assert_string_equal(said + 5 + TIME_SIZE,
                        " level=warning subject=shows/2 message=\"claimed \\\"it\\\"\"\n");
}

static void log__json(void **state)
{
    (void)state;
    const char *said = said_as(LOG_JSON, "claimed \"it\"");
    assert_memory_equal(said, "{\"time\":\"", 9);
    assert_string_equal(said + 9 + TIME_SIZE, "\",\"level\":\"warning\",\"subject\":\"shows/2\","
                                              "\"message\":\"claimed \\\"it\\\"\"}\n");
}

/* Nobody's words can look like another line. */
static void log__a_line_is_one_line(void **state)
{
    (void)state;
    const char *words = "a\n2026 info edge: b\x1b[2J";
    assert_string_equal(said_as(LOG_TEXT, words) + TIME_SIZE,
                        " warning shows/2: a\\x0a2026 info edge: b\\x1b[2J\n");
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        const char *said = said_as((enum log_format)format, words);
        assert_non_null(strstr(said, "a\\u000a2026 info edge: b\\u001b[2J"));
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    }
}

static void log__below_the_level_nothing(void **state)
{
    (void)state;
    assert_false(log_wants(LOG_DEBUG));
    assert_true(log_wants(LOG_INFO));
    begin();
    log_line(LOG_DEBUG, "edge", "not said");
    fputs("x", stderr); /* or the reading would wait */
    assert_string_equal(end(), "x");
}

/* JOURNAL_STREAM names standard error's device and inode; set by systemd. */
static void log__in_the_journal_with_its_priority(void **state)
{
    char own[64];
    struct stat status;
    (void)state;
    begin();
    fstat(STDERR_FILENO, &status);
    snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", own, 1);
    log_line(LOG_ERROR, "edge", "one");
    log_line(LOG_INFO, "edge", "two");
    assert_string_equal(end(), "<3>edge: one\n<6>edge: two\n");
    assert_memory_equal(said_as(LOG_TEXT, "redirected"), "20", 2); /* to somewhere else */
    unsetenv("JOURNAL_STREAM");
}

static void log__formats_have_names(void **state)
{
    enum log_format format;
    (void)state;
    assert_true(log_format_parse("json", &format));
    assert_int_equal(format, LOG_JSON);
    assert_true(log_format_parse("logfmt", &format));
    assert_false(log_format_parse("xml", &format));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log__text),
        cmocka_unit_test(log__logfmt),
        cmocka_unit_test(log__json),
        cmocka_unit_test(log__a_line_is_one_line),
        cmocka_unit_test(log__below_the_level_nothing),
        cmocka_unit_test(log__in_the_journal_with_its_priority),
        cmocka_unit_test(log__formats_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
