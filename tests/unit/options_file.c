/* --config: one file for several programs, and which of all sources wins. */
#include "base/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define PATH_TEMPLATE "/tmp/options-file-XXXXXX"

static const char *const names[] = {"bus", "rate", "listen", "secret", "lib.", "pace", NULL};
static const char *const sections[] = {"edge", "shows", "services", NULL};
static const struct option_words words = {names, sections};

struct given {
    const char *bus, *secret;
    int rate;
    bool fast;
    struct option_list listen;
    struct option_properties lib;
    struct option_file file;
    struct buffer said;
};

static struct given given;
static char path[sizeof PATH_TEMPLATE];

static void write_file(const char *contents)
{
    strcpy(path, PATH_TEMPLATE);
    int file = mkstemp(path);
    assert_true(write(file, contents, strlen(contents)) >= 0);
    close(file);
}

/* `program`: whose sections are read. `line`: words behind the program's name, ended by NULL. */
static enum options_result parse(const char *program, const char *contents, ...)
{
    char *argv[16] = {"program"};
    int argc = 1;
    va_list line;
    const struct option_spec specs[] = {
        OPTION_TEXT("bus", "URL", "T_BUS", &given.bus, "x"),
        OPTION_NUMBER("rate", "N", "T_RATE", &given.rate, 0, 9, "x"),
        OPTION_LIST("listen", "A", "T_LISTEN", &given.listen, "x"),
        OPTION_TEXT("secret", "S", "T_SECRET", &given.secret, "x"),
        OPTION_PROPERTIES("lib", 'X', "T_LIB", &given.lib, "x"),
        OPTION_FLAG("fast", 0, NULL, &given.fast, "x"),
    };
    const struct option_table table = {.program = "program",
                                       .operands = "",
                                       .specs = specs,
                                       .count = sizeof specs / sizeof *specs,
                                       .file = &given.file,
                                       .words = &words,
                                       .sections =
                                           (const char *const[]){program, "services", NULL}};
    struct operands none;
    buffer_release(&given.said);
    option_file_release(&given.file);
    given = (struct given){.rate = 1};
    va_start(line, contents);
    for (char *word; (word = va_arg(line, char *)) != NULL;)
        argv[argc++] = word;
    va_end(line);
    write_file(contents);
    argv[argc++] = "--config";
    argv[argc++] = path;
    enum options_result result = options_parse(&table, argc, argv, &none, &given.said);
    unlink(path);
    return result;
}

static void file__stands_behind_the_environment_and_that_behind_the_line(void **state)
{
    static const char contents[] = "# for people\n\nbus = file\n  rate=2  \nlisten = a , b\n"
                                   "lib.x.y = file\nlib.z = file\r\nlib.w=a=#b";
    (void)state;
    assert_int_equal(parse("edge", contents, NULL), OPTIONS_OK);
    assert_string_equal(given.bus, "file");
    assert_int_equal(given.rate, 2);
    assert_int_equal(given.listen.count, 2);
    assert_true(text_is(given.listen.items[1], "b"));
    assert_int_equal(given.lib.count, 3);
    assert_string_equal(given.lib.items[1].value, "file");
    assert_string_equal(given.lib.items[2].value, "a=#b");
    setenv("T_BUS", "env", 1);
    setenv("T_RATE", "3", 1);
    setenv("T_LISTEN", "c", 1);
    setenv("T_LIB_X_Y", "env", 1);
    setenv("T_LIB_Z", "env", 1);
    assert_int_equal(parse("edge", contents, "--rate=4", "-X", "z=line", NULL), OPTIONS_OK);
    assert_string_equal(given.bus, "env");
    assert_int_equal(given.rate, 4);
    assert_int_equal(given.listen.count, 1);
    assert_int_equal(given.lib.count, 3);
    assert_string_equal(given.lib.items[0].name, "z");
    assert_string_equal(given.lib.items[0].value, "line");
    assert_string_equal(given.lib.items[1].name, "x.y");
    assert_string_equal(given.lib.items[1].value, "env");
    unsetenv("T_BUS");
    unsetenv("T_RATE");
    unsetenv("T_LISTEN");
    unsetenv("T_LIB_X_Y");
    unsetenv("T_LIB_Z");
}

static void file__of_all_has_sections_for_some(void **state)
{
    static const char contents[] = "rate = 2\nlisten = a\nlib.x = all\n"
                                   "[edge]\nlisten = b\nlisten = c\nlib.x = edge\npace = 9\n"
                                   "[shows]\nrate = 4\n"
                                   "[services]\nrate = 3\nbus = services\n";
    (void)state;
    assert_int_equal(parse("edge", contents, NULL), OPTIONS_OK);
    assert_int_equal(given.rate, 3);
    assert_int_equal(given.listen.count, 2);
    assert_true(text_is(given.listen.items[0], "b"));
    assert_string_equal(given.lib.items[0].value, "edge");
    assert_int_equal(parse("shows", contents, NULL), OPTIONS_OK);
    assert_int_equal(given.rate, 4);
    assert_string_equal(given.bus, "services");
    assert_int_equal(given.listen.count, 1);
    assert_string_equal(given.lib.items[0].value, "all");
}

static void file__tells_where_it_is_wrong(void **state)
{
    static const struct {
        const char *contents, *said;
    } rows[] = {
        {"bus = x\nraet = 2\n", ":2: unknown setting 'raet'; the nearest is 'rate'"},
        {"[shws]\n", ":1: unknown section 'shws'; the nearest is 'shows'"},
        {"[shows\n", ":1: no section is '[shows'; it begins like '[edge]'"},
        {"# x\n\nbus\n", ":3: no setting is 'bus'; say 'NAME = VALUE'"},
        {"fast = yes\n", ":1: unknown setting 'fast'; the nearest is"},
        {"[shows]\nsecrte = x\n", ":2: unknown setting 'secrte'; the nearest is 'secret'"},
        {"rate = 10\n", "--rate takes a number from 0 to 9, not '10' ("},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(parse("edge", rows[i].contents, NULL), OPTIONS_WRONG);
        if (strstr(given.said.data, rows[i].said) == NULL)
            fail_msg("%s: %s", rows[i].contents, given.said.data);
    }
    assert_int_equal(parse("edge", "", "--rate", NULL), OPTIONS_WRONG);
}

static void config__is_printed_with_where_it_comes_from(void **state)
{
    static const char *const lines[] = {
        "bus =                                            # default\n",
        "rate = 2                                         # " PATH_TEMPLATE ":1\n",
        "listen = a,b                                     # command line\n",
        "secret = ********                                # environment T_SECRET\n",
        "lib.sasl.password = ********                     # environment T_LIB_SASL_PASSWORD\n",
        "lib.ssl.key.location = k                         # " PATH_TEMPLATE ":2\n",
    };
    (void)state;
    setenv("T_SECRET", "hush", 1);
    setenv("T_LIB_SASL_PASSWORD", "hush", 1);
    assert_int_equal(parse("edge", "rate = 2\nlib.ssl.key.location = k\n", "--listen", "a",
                           "--listen", "b", "--print-config", NULL),
                     OPTIONS_ANSWERED);
    for (char *at; (at = strstr(given.said.data, path)) != NULL;)
        memcpy(at, PATH_TEMPLATE, strlen(PATH_TEMPLATE));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (strstr(given.said.data, lines[i]) == NULL)
            fail_msg("no line '%s' in:\n%s", lines[i], given.said.data);
    assert_null(strstr(given.said.data, "hush"));
    assert_null(strstr(given.said.data, "fast"));
    unsetenv("T_SECRET");
    unsetenv("T_LIB_SASL_PASSWORD");
}

static void what_was_told__is_handed_on(void **state)
{
    (void)state;
    assert_int_equal(parse("edge", "lib.x.y = file\n", "-X", "z=line", NULL), OPTIONS_OK);
    options_hand_on(&given.file, "T_LIB", &given.lib);
    assert_string_equal(getenv("STAGEDOOR_CONFIG"), path);
    assert_null(getenv("T_LIB_X_Y"));
    assert_string_equal(getenv("T_LIB_Z"), "line");
    unsetenv("STAGEDOOR_CONFIG");
    unsetenv("T_LIB_Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file__stands_behind_the_environment_and_that_behind_the_line),
        cmocka_unit_test(file__of_all_has_sections_for_some),
        cmocka_unit_test(file__tells_where_it_is_wrong),
        cmocka_unit_test(config__is_printed_with_where_it_comes_from),
        cmocka_unit_test(what_was_told__is_handed_on),
    };
    int failed = cmocka_run_group_tests_name("options_file", tests, NULL, NULL);
    option_file_release(&given.file);
    buffer_release(&given.said);
    return failed;
}
