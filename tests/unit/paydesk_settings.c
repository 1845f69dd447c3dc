/* Where the paydesk's settings come from, and which wins. */
#include "paydesk/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ZEROS "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 24 bytes of 0 */
#define ONES  "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB" /* 24 bytes of 1 */

static struct settings settings;
static struct buffer said;
static const char *error;

/* Words separated by '|', behind the program's name. */
static bool read_line(const char *line)
{
    static char copy[512];
    char *words[32] = {copy};
    int count = 1;
    snprintf(copy, sizeof copy, "paydesk|%s", line);
    settings_release(&settings);
    for (char *at = copy; (at = strchr(at, '|')) != NULL;) {
        *at++ = '\0';
        words[count++] = at;
    }
    buffer_clear(&said);
    buffer_string(&said, "");
    bool good = settings_read(count, words, &settings, &said) == OPTIONS_OK;
    error = said.data;
    return good;
}

static void settings__have_defaults(void **state)
{
    (void)state;
    assert_true(read_line("--bus|sqlite:x|--secret|" ZEROS));
    assert_string_equal(settings.bus.url, "sqlite:x");
    assert_string_equal(settings.provider, "paydesk");
    assert_string_equal(settings.edge, "http://127.0.0.1:3000");
    assert_string_equal(settings.data, "var");
    assert_int_equal(settings.delay_ms, 1000);
    assert_int_equal(settings.log_level, LOG_INFO);
    assert_int_equal(script_payment(&settings.script, 0).word, SCRIPT_SUCCEED);
}

static void settings__the_command_line_wins_over_the_environment(void **state)
{
    (void)state;
    setenv("STAGEDOOR_BUS", "sqlite:env", 1);
    setenv("STAGEDOOR_PAYDESK_SCRIPT", "fail", 1);
    setenv("STAGEDOOR_PAYDESK_DELAY", "3s", 1);
    setenv("STAGEDOOR_PAYDESK_SECRET", ZEROS, 1);
    assert_true(read_line("--delay=250ms|--default|silent"));
    assert_string_equal(settings.bus.url, "sqlite:env");
    assert_int_equal(settings.delay_ms, 250);
    assert_int_equal(script_payment(&settings.script, 0).word, SCRIPT_FAIL);
    assert_int_equal(script_payment(&settings.script, 1).word, SCRIPT_SILENT);
    assert_string_equal(settings.script_text, "fail, then silent");
    unsetenv("STAGEDOOR_BUS");
    unsetenv("STAGEDOOR_PAYDESK_SCRIPT");
    unsetenv("STAGEDOOR_PAYDESK_DELAY");
    unsetenv("STAGEDOOR_PAYDESK_SECRET");
}

static void secret__is_a_line_of_its_own_or_one_of_the_edges_keys(void **state)
{
    static const struct {
        const char *contents;
        int byte; /* of the secret; -1: refused */
        const char *why;
    } rows[] = {
        {ZEROS "\n", 0, ""},
        {ONES "\r\n", 1, ""},
        {"# keys\nid 00\ncallback otherpay " ZEROS "\ncallback paydesk " ONES "\nlocal\n", 1, ""},
        {"callback paydesk " ONES " \ncallback paydesk " ZEROS "\n", 1, ""},
        {"callback paydesk2 " ONES "\n", -1, "no secret of 'paydesk'"},
        {"", -1, "no secret of 'paydesk'"},
        {"callback paydesk whsec_AQEB\n", -1, "24 to 64 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[] = "/tmp/paydesk-keys-XXXXXX", line[128];
        int file = mkstemp(path);
        assert_true(write(file, rows[i].contents, strlen(rows[i].contents)) >= 0);
        close(file);
        snprintf(line, sizeof line, "--bus|sqlite:x|--secret-file|%s", path);
        bool good = read_line(line);
        if (good != (rows[i].byte >= 0) || strstr(error, rows[i].why) == NULL)
            fail_msg("row %zu: %s", i, error);
        if (good)
            assert_int_equal(settings.key.bytes[23], rows[i].byte);
        assert_null(strstr(error, "AQEB"));
        unlink(path);
    }
}

static void settings__say_what_is_wrong(void **state)
{
    static const struct {
        const char *line, *why;
    } rows[] = {
        {"--secret|" ZEROS, "--bus URL is needed"},
        {"--bus|sqlite:x", "a secret shared with the edge is needed"},
        {"--bus|sqlite:x|--secret", "a value is missing for option 'secret'"},
        {"--bus|sqlite:x|--secret|" ZEROS "|--delay|1", "'1' is no time"},
        {"--bus|sqlite:x|--secret|" ZEROS "|--script|late:x", "the script: 'late:x' needs a time"},
        {"--bus|sqlite:x|--secret|" ZEROS "|--default|x", "the script: 'x' is no step"},
        {"--bus|sqlite:x|--secret|" ZEROS "|--edge|ftp://x", "is no address of an edge"},
        {"--bus|sqlite:x|--secret|" ZEROS "|--provider|a b", "is no name of a provider"},
        {"--bus|sqlite:x|--secret|" ZEROS "|--log-level|loud",
         "'loud' is no value for --log-level"},
        {"--nonsense", "unknown option '--nonsense'"},
        {"nonsense", "unexpected argument 'nonsense'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(read_line(rows[i].line));
        if (strstr(error, rows[i].why) == NULL)
            fail_msg("%s: %s", rows[i].line, error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings__have_defaults),
        cmocka_unit_test(settings__the_command_line_wins_over_the_environment),
        cmocka_unit_test(secret__is_a_line_of_its_own_or_one_of_the_edges_keys),
        cmocka_unit_test(settings__say_what_is_wrong),
    };
    int failed = cmocka_run_group_tests_name("paydesk_settings", tests, NULL, NULL);
    settings_release(&settings);
    buffer_release(&said);
    return failed;
}
