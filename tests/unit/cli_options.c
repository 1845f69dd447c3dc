/* A command line read by its table. */
#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ENV "STAGEDOOR_TEST_OPTION"

struct given {
    bool follow, json;
    const char *bus;
    int64_t count;
    struct option_list list;
    struct operands operands;
    char error[OPTIONS_ERROR_SIZE];
};

enum { SPECS = 5, WORDS_MAX = 12 };

static void specs_of(struct given *given, struct option_spec specs[SPECS])
{
    specs[0] = (struct option_spec){.name = "follow", .letter = 'f', .flag = &given->follow};
    specs[1] = (struct option_spec){.name = "json", .letter = 'j', .flag = &given->json};
    specs[2] = (struct option_spec){
        .name = "bus", .env = ENV, .argument = "URL", .text = &given->bus, .help = "the log"};
    specs[3] = (struct option_spec){.name = "lines",
                                    .letter = 'n',
                                    .argument = "N",
                                    .count = &given->count,
                                    .least = 1,
                                    .most = 99};
    specs[4] = (struct option_spec){
        .name = "listen", .argument = "A", .env = ENV "_LIST", .list = &given->list};
}

/* `line`: words separated by single spaces. */
static enum options_result parse(struct given *given, char *line)
{
    struct option_spec specs[SPECS];
    char *words[WORDS_MAX];
    int count = 0;
    *given = (struct given){.bus = "default"};
    specs_of(given, specs);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    return options_parse(specs, SPECS, count, words, &given->operands, given->error);
}

static void options__every_way_of_writing_one(void **state)
{
    static const char *const lines[] = {
        "tail --bus X -n 5 -f topic",    "tail --bus=X -n5 -f topic",
        "tail topic -fn5 --bus X",       "tail --lines=5 --follow --bus X topic",
        "tail -f -n 5 --bus=X -- topic",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct given given;
        char line[100];
        strcpy(line, lines[i]);
        assert_int_equal(parse(&given, line), OPTIONS_OK);
        assert_true(given.follow);
        assert_false(given.json);
        assert_string_equal(given.bus, "X");
        assert_int_equal(given.count, 5);
        assert_int_equal(given.operands.count, 1);
        assert_string_equal(given.operands.items[0], "topic");
    }
}

static void options__wrong_ones_are_named(void **state)
{
    static const char *const rows[][2] = {
        {"tail --nope", "unknown option '--nope'; see --help"},
        {"tail --nope=3", "unknown option '--nope=3'; see --help"},
        {"tail -fx", "unknown option '-fx'; see --help"},
        {"tail --bus", "a value is missing for option 'bus'"},
        {"tail -n", "a value is missing for option 'lines'"},
        {"tail --follow=1", "no value is taken by option 'follow'"},
        {"tail -n 0", "--lines takes a number from 1 to 99, not '0'"},
        {"tail -n 100", "--lines takes a number from 1 to 99, not '100'"},
        {"tail -n -5", "--lines takes a number from 1 to 99, not '-5'"},
        {"tail -n 5x", "--lines takes a number from 1 to 99, not '5x'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given given;
        char line[100];
        strcpy(line, rows[i][0]);
        assert_int_equal(parse(&given, line), OPTIONS_WRONG);
        assert_string_equal(given.error, rows[i][1]);
    }
}

static void options__help_wins_where_it_stands(void **state)
{
    struct given given;
    char first[] = "tail --help --nope", second[] = "tail --nope --help",
         third[] = "tail -- --help";
    (void)state;
    assert_int_equal(parse(&given, first), OPTIONS_HELP);
    assert_int_equal(parse(&given, second), OPTIONS_WRONG);
    assert_int_equal(parse(&given, third), OPTIONS_OK);
    assert_string_equal(given.operands.items[0], "--help");
}

static void options__operands_keep_a_lone_dash(void **state)
{
    struct given given;
    char line[] = "publish - x";
    (void)state;
    assert_int_equal(parse(&given, line), OPTIONS_OK);
    assert_int_equal(given.operands.count, 2);
    assert_string_equal(given.operands.items[0], "-");
}

static void options__environment_stands_behind_the_line(void **state)
{
    struct given given;
    char none[] = "tail", one[] = "tail --bus line --listen c";
    (void)state;
    setenv(ENV, "env", 1);
    setenv(ENV "_LIST", "a,b", 1);
    assert_int_equal(parse(&given, none), OPTIONS_OK);
    assert_string_equal(given.bus, "env");
    assert_int_equal(given.list.count, 2);
    assert_true(text_is(given.list.items[1], "b"));
    assert_int_equal(parse(&given, one), OPTIONS_OK);
    assert_string_equal(given.bus, "line");
    assert_int_equal(given.list.count, 1);
    assert_true(text_is(given.list.items[0], "c"));
    unsetenv(ENV);
    unsetenv(ENV "_LIST");
}

static void options__help_comes_from_the_table(void **state)
{
    struct given given = {.count = 0};
    struct option_spec specs[SPECS];
    struct buffer out = {0};
    (void)state;
    specs_of(&given, specs);
    options_help(specs + 2, 1, &out);
    assert_non_null(strstr(out.data, "--bus URL"));
    assert_non_null(strstr(out.data, "the log [" ENV "]"));
    assert_non_null(strstr(out.data, "--help"));
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options__every_way_of_writing_one),
        cmocka_unit_test(options__wrong_ones_are_named),
        cmocka_unit_test(options__help_wins_where_it_stands),
        cmocka_unit_test(options__operands_keep_a_lone_dash),
        cmocka_unit_test(options__environment_stands_behind_the_line),
        cmocka_unit_test(options__help_comes_from_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
