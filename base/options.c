/* A table instead of getopt_long: help, environment and parsing cannot drift apart, and an unknown
 * option is one clear line. */
#include "base/options.h"

#include "base/exit_code.h"
#include "base/manual.h"
#include "base/version.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reading. `given`: rows that somebody has given a value so far; argv is read first, for it wins.
 */
struct reading {
    const struct option_table *table;
    int argc;
    char **argv;
    int next;
    bool given[OPTIONS_MAX];
    struct buffer *said;
};

static bool wrong(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool wrong(struct reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_vprint(reading->said, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- one value ------------------------------------------------------------------------------- */

bool option_read_log_level(void *level, const char *value)
{
    return log_level_parse(value, level);
}

bool option_read_log_format(void *format, const char *value)
{
    return log_format_parse(value, format);
}

static bool takes_value(const struct option_spec *spec)
{
    return spec->flag == NULL;
}

static bool set_count(struct reading *reading, const struct option_spec *spec, const char *value)
{
    int64_t number;
    if (!text_to_i64(text_of(value), &number) || number < spec->least || number > spec->most)
        return wrong(reading, "--%s takes a number from %lld to %lld, not '%.80s'", spec->name,
                     (long long)spec->least, (long long)spec->most, value);
    if (spec->count)
        *spec->count = number;
    else
        *spec->number = (int)number;
    return true;
}

static bool add_to_list(struct reading *reading, const struct option_spec *spec, struct text value)
{
    if (spec->list->count == OPTION_LIST_MAX)
        return wrong(reading, "too many of option '%.80s'", spec->name);
    spec->list->items[spec->list->count++] = value;
    return true;
}

static bool set_value(struct reading *reading, const struct option_spec *spec, const char *value)
{
    if (spec->count || spec->number)
        return set_count(reading, spec, value);
    if (spec->list)
        return add_to_list(reading, spec, text_of(value));
    if (spec->text) {
        *spec->text = value;
        return true;
    }
    return spec->read(spec->target, value) ||
           wrong(reading, "'%.80s' is no value for --%s; see --help", value, spec->name);
}

/* ---- what can be answered at once ------------------------------------------------------------ */

static const struct option_spec *find_name(const struct option_table *table, struct text name)
{
    for (int i = 0; i < table->count; i++)
        if (text_is(name, table->specs[i].name))
            return &table->specs[i];
    return NULL;
}

static const struct option_spec *find_letter(const struct option_table *table, char letter)
{
    for (int i = 0; i < table->count; i++)
        if (letter && table->specs[i].letter == letter)
            return &table->specs[i];
    return NULL;
}

enum { HELP_COLUMN = 28 };

static void print_option(const struct option_spec *spec, struct buffer *out)
{
    size_t start = out->size;
    if (spec->letter)
        buffer_print(out, "  -%c, --%s", spec->letter, spec->name);
    else
        buffer_print(out, "      --%s", spec->name);
    if (spec->argument)
        buffer_print(out, " %s", spec->argument);
    if (out->size - start + 2 > HELP_COLUMN) {
        buffer_byte(out, '\n');
        start = out->size;
    }
    while (out->size - start < HELP_COLUMN)
        buffer_byte(out, ' ');
    buffer_string(out, spec->help);
    if (spec->otherwise)
        buffer_print(out, " (%s)", spec->otherwise);
    if (spec->env)
        buffer_print(out, " [%s]", spec->env);
    buffer_byte(out, '\n');
}

static void print_help(const struct option_table *table, struct buffer *out)
{
    buffer_print(out, "usage: %s", table->program);
    for (int i = 0; i < table->count; i++)
        if (table->specs[i].needed)
            buffer_print(out, " --%s %s", table->specs[i].name, table->specs[i].argument);
    buffer_print(out, " [OPTIONS]%s%s\n\n", table->operands[0] ? " " : "", table->operands);
    if (table->about)
        buffer_print(out, "%s\n", table->about);
    for (int i = 0; i < table->count; i++)
        print_option(&table->specs[i], out);
    buffer_string(out, "      --version             of this build\n"
                       "  -h, --help                this text\n");
    if (table->more)
        buffer_print(out, "\n%s", table->more);
}

static bool answers(const struct option_table *table, const char *argument, struct buffer *said)
{
    if (strcmp(argument, "--help") == 0 ||
        (strcmp(argument, "-h") == 0 && find_letter(table, 'h') == NULL)) {
        print_help(table, said);
        return true;
    }
    if (strcmp(argument, "--help=man") == 0) {
        manual_page(table, said);
        return true;
    }
    if (strcmp(argument, "--help=words") == 0) {
        manual_words(table, said);
        return true;
    }
    if (strcmp(argument, "--version") != 0)
        return false;
    buffer_print(said, "%s %s\n", table->program, STAGEDOOR_VERSION);
    return true;
}

/* ---- the command line ------------------------------------------------------------------------ */

static bool take(struct reading *reading, const struct option_spec *spec, const char *value)
{
    bool *given = &reading->given[spec - reading->table->specs];
    if (spec->list && !*given)
        spec->list->count = 0; /* what is given replaces what stood there */
    *given = true;
    if (!takes_value(spec)) {
        if (value)
            return wrong(reading, "no value is taken by option '%.80s'", spec->name);
        *spec->flag = true;
        return true;
    }
    if (value == NULL) {
        if (reading->next >= reading->argc)
            return wrong(reading, "a value is missing for option '%.80s'", spec->name);
        value = reading->argv[reading->next++];
    }
    return set_value(reading, spec, value);
}

static bool read_long(struct reading *reading, const char *argument)
{
    const char *equals = strchr(argument, '=');
    struct text name = text_of(argument + 2);
    if (equals)
        name.size = (size_t)(equals - argument) - 2;
    const struct option_spec *spec = find_name(reading->table, name);
    if (spec == NULL)
        return wrong(reading, "unknown option '%.80s'; see --help", argument);
    return take(reading, spec, equals ? equals + 1 : NULL);
}

/* "-f", "-fn5", "-n 5": letters of flags may be joined, the first that takes a value ends it. */
static bool read_letters(struct reading *reading, const char *argument)
{
    for (const char *at = argument + 1; *at; at++) {
        const struct option_spec *spec = find_letter(reading->table, *at);
        if (spec == NULL)
            return wrong(reading, "unknown option '%.80s'; see --help", argument);
        if (takes_value(spec))
            return take(reading, spec, at[1] ? at + 1 : NULL);
        if (!take(reading, spec, NULL))
            return false;
    }
    return true;
}

static bool add_operand(struct reading *reading, struct operands *operands, const char *argument)
{
    if (reading->table->operands[0] == '\0')
        return wrong(reading, "unexpected argument '%.80s'; see --help", argument);
    if (operands->count == OPERANDS_MAX)
        return wrong(reading, "too many arguments at '%.80s'", argument);
    operands->items[operands->count++] = argument;
    return true;
}

/* "-", and "-1" where no option is a digit. */
static bool is_operand(const struct option_table *table, const char *argument)
{
    return argument[0] != '-' || argument[1] == '\0' ||
           (argument[1] >= '0' && argument[1] <= '9' && find_letter(table, argument[1]) == NULL);
}

static enum options_result read_line(struct reading *reading, struct operands *operands)
{
    bool over = false, good = true;
    while (good && reading->next < reading->argc) {
        const char *argument = reading->argv[reading->next++];
        if (over || is_operand(reading->table, argument))
            good = add_operand(reading, operands, argument);
        else if (strcmp(argument, "--") == 0)
            over = true;
        else if (answers(reading->table, argument, reading->said))
            return OPTIONS_ANSWERED;
        else
            good =
                argument[1] == '-' ? read_long(reading, argument) : read_letters(reading, argument);
    }
    return good ? OPTIONS_OK : OPTIONS_WRONG;
}

/* ---- what stands behind it ------------------------------------------------------------------- */

/* A flag in the environment is on when it is "1", "true" or "yes", off when it is anything else. */
static bool is_on(const char *value)
{
    return strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;
}

static bool read_environment(struct reading *reading, const struct option_spec *spec)
{
    const char *value = spec->env ? getenv(spec->env) : NULL;
    if (value == NULL || value[0] == '\0')
        return true;
    reading->given[spec - reading->table->specs] = true;
    if (spec->flag) {
        *spec->flag = is_on(value);
        return true;
    }
    if (spec->list == NULL)
        return set_value(reading, spec, value) || wrong(reading, " (environment %s)", spec->env);
    for (struct text rest = text_of(value); rest.data;) {
        struct text item = text_cut(&rest, ',');
        if (item.size && !add_to_list(reading, spec, item))
            return false;
    }
    return true;
}

static bool complete(struct reading *reading, const struct option_spec *spec)
{
    const bool *given = &reading->given[spec - reading->table->specs];
    if (!*given && !read_environment(reading, spec))
        return false;
    if (!*given && spec->otherwise) {
        bool good = spec->read(spec->target, spec->otherwise);
        assert(good);
    }
    if (spec->needed == NULL || *spec->text)
        return true;
    return wrong(reading, "--%s %s is needed, like %s; see --help", spec->name, spec->argument,
                 spec->needed);
}

enum options_result options_parse(const struct option_table *table, int argc, char **argv,
                                  struct operands *operands, struct buffer *said)
{
    struct reading reading = {table, argc, argv, 1, {false}, said};
    assert(table->count <= OPTIONS_MAX);
    *operands = (struct operands){.count = 0};
    enum options_result result = read_line(&reading, operands);
    for (int i = 0; result == OPTIONS_OK && i < table->count; i++)
        if (!complete(&reading, &table->specs[i]))
            result = OPTIONS_WRONG;
    return result;
}

int options_end(const char *program, enum options_result result, struct buffer *said)
{
    if (result == OPTIONS_ANSWERED)
        fputs(said->data, stdout);
    if (result == OPTIONS_WRONG)
        fprintf(stderr, "%s: %s\n", program, said->data);
    buffer_release(said);
    return result == OPTIONS_WRONG ? END_USAGE : END_OK;
}

bool options_read(const struct option_table *table, int argc, char **argv,
                  struct operands *operands, int *end)
{
    struct buffer said = {0};
    enum options_result result = options_parse(table, argc, argv, operands, &said);
    *end = options_end(table->program, result, &said);
    return result == OPTIONS_OK;
}
