/* A command line read by its table. */
#include "base/options.h"
#include "base/version.h"

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
    const char *said;
};

enum { SPECS = 5, WORDS_MAX = 12 };

static void specs_of(struct given *given, struct option_spec specs[SPECS])
{
    specs[0] =
        (struct option_spec){.name = "follow", .letter = 'f', .help = "on", .flag = &given->follow};
    specs[1] = (struct option_spec){
        .name = "json", .letter = 'j', .help = "as JSON", .flag = &given->json};
    specs[2] = (struct option_spec){
        .name = "bus", .env = ENV, .argument = "URL", .text = &given->bus, .help = "the log"};
    specs[3] = (struct option_spec){.name = "lines",
                                    .letter = 'n',
                                    .argument = "N",
                                    .count = &given->count,
                                    .help = "the last N",
                                    .least = 1,
                                    .most = 99};
    specs[4] = (struct option_spec){
        .name = "listen", .argument = "A", .env = ENV "_LIST", .list = &given->list, .help = "to"};
}

/* `line`: words separated by single spaces. */
static enum options_result parse(struct given *given, char *line)
{
    static struct buffer said;
    struct option_spec specs[SPECS];
    char *words[WORDS_MAX];
    int count = 0;
    *given = (struct given){.bus = "default"};
    specs_of(given, specs);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    const struct option_table table = {
        .program = "stagedoor tail", .operands = "[TOPIC]", .specs = specs, .count = SPECS};
    buffer_clear(&said);
    enum options_result result = options_parse(&table, count, words, &given->operands, &said);
    given->said = said.data ? said.data : "";
    return result;
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
        assert_string_equal(given.said, rows[i][1]);
    }
}

static void options__help_and_version_win_where_they_stand(void **state)
{
    static const struct {
        const char *line;
        enum options_result result;
        const char *said;
    } rows[] = {
        {"tail --help --nope", OPTIONS_ANSWERED, "usage: stagedoor tail [OPTIONS] [TOPIC]\n"},
        {"tail -h --nope", OPTIONS_ANSWERED, "      --bus URL             the log [" ENV "]\n"},
        {"tail --version --help", OPTIONS_ANSWERED, "stagedoor tail " STAGEDOOR_VERSION "\n"},
        {"tail --nope --help", OPTIONS_WRONG, "unknown option '--nope'"},
        {"tail -- --help", OPTIONS_OK, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct given given;
        char line[100];
        strcpy(line, rows[i].line);
        assert_int_equal(parse(&given, line), rows[i].result);
        assert_non_null(strstr(given.said, rows[i].said));
    }
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

/* ---- rows that read their values, and rows that are needed ----------------------------------- */

static bool read_even(void *sum, const char *value)
{
    *(int *)sum += (int)(value[0] - '0');
    return (value[0] - '0') % 2 == 0;
}

struct bare {
    int sum, number;
    const char *name;
    enum log_level level;
    struct buffer said;
};

static enum options_result read_bare(struct bare *bare, int count, char **words)
{
    const struct option_spec specs[] = {
        OPTION_READ("even", "N", ENV, read_even, &bare->sum, "8", "added up"),
        OPTION_NUMBER("number", "N", NULL, &bare->number, 0, 9, "a small one"),
        OPTION_NEEDED("name", "NAME", NULL, &bare->name, "hamlet", "of the play"),
        OPTION_LOG_LEVEL(&bare->level),
    };
    const struct option_table table = {
        .program = "bare", .operands = "", .specs = specs, .count = sizeof specs / sizeof *specs};
    struct operands none;
    buffer_release(&bare->said);
    *bare = (struct bare){.number = 1};
    return options_parse(&table, count, words, &none, &bare->said);
}

static void options__are_read_as_often_as_they_are_given(void **state)
{
    char *words[] = {"bare", "--name=x", "--even", "2", "--even=4", "--number=0"};
    struct bare bare = {0};
    (void)state;
    assert_int_equal(read_bare(&bare, 2, words), OPTIONS_OK);
    assert_int_equal(bare.sum, 8);
    assert_int_equal(bare.number, 1);
    assert_int_equal(bare.level, LOG_INFO);
    assert_int_equal(read_bare(&bare, 6, words), OPTIONS_OK);
    assert_int_equal(bare.sum, 6);
    assert_int_equal(bare.number, 0);
    setenv(ENV, "6", 1);
    assert_int_equal(read_bare(&bare, 2, words), OPTIONS_OK);
    assert_int_equal(bare.sum, 6);
    unsetenv(ENV);
}

static void options__of_a_program_without_operands_are_all_there_is(void **state)
{
    static const char *const rows[][3] = {
        {"--even=2", NULL, "--name NAME is needed, like hamlet; see --help"},
        {"--even=3", NULL, "'3' is no value for --even; see --help"},
        {"--log-level", "loud", "'loud' is no value for --log-level; see --help"},
        {"--name=x", "y", "unexpected argument 'y'; see --help"},
    };
    struct bare bare = {0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char first[32], second[32] = "";
        strcpy(first, rows[i][0]);
        strcpy(second, rows[i][1] ? rows[i][1] : "");
        char *words[] = {"bare", first, second};
        assert_int_equal(read_bare(&bare, rows[i][1] ? 3 : 2, words), OPTIONS_WRONG);
        assert_string_equal(bare.said.data, rows[i][2]);
    }
    setenv(ENV, "5", 1);
    assert_int_equal(read_bare(&bare, 1, (char *[]){"bare"}), OPTIONS_WRONG);
    assert_string_equal(bare.said.data,
                        "'5' is no value for --even; see --help (environment " ENV ")");
    unsetenv(ENV);
    buffer_release(&bare.said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options__every_way_of_writing_one),
        cmocka_unit_test(options__wrong_ones_are_named),
        cmocka_unit_test(options__help_and_version_win_where_they_stand),
        cmocka_unit_test(options__operands_keep_a_lone_dash),
        cmocka_unit_test(options__environment_stands_behind_the_line),
        cmocka_unit_test(options__are_read_as_often_as_they_are_given),
        cmocka_unit_test(options__of_a_program_without_operands_are_all_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
