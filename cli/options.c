/* A table instead of getopt_long: help, environment and parsing cannot drift apart, and an unknown
 * option is one clear line. */
#include "cli/options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool takes_value(const struct option_spec *spec)
{
    return spec->flag == NULL;
}

static bool wrong(char error[OPTIONS_ERROR_SIZE], const char *what, struct text subject,
                  const char *advice)
{
    int size = subject.size > 80 ? 80 : (int)subject.size;
    snprintf(error, OPTIONS_ERROR_SIZE, "%s '%.*s'%s", what, size, subject.data, advice);
    return false;
}

static bool set_count(const struct option_spec *spec, struct text value,
                      char error[OPTIONS_ERROR_SIZE])
{
    int64_t number;
    if (text_to_i64(value, &number) && number >= spec->least && number <= spec->most) {
        *spec->count = number;
        return true;
    }
    snprintf(error, OPTIONS_ERROR_SIZE, "--%s takes a number from %lld to %lld, not '%.*s'",
             spec->name, (long long)spec->least, (long long)spec->most,
             value.size > 80 ? 80 : (int)value.size, value.data);
    return false;
}

static bool add_to_list(const struct option_spec *spec, struct text value,
                        char error[OPTIONS_ERROR_SIZE])
{
    if (spec->list->count == OPTION_LIST_MAX)
        return wrong(error, "too many of option", text_of(spec->name), "");
    spec->list->items[spec->list->count++] = value;
    return true;
}

static bool set_value(const struct option_spec *spec, const char *value,
                      char error[OPTIONS_ERROR_SIZE])
{
    if (spec->count)
        return set_count(spec, text_of(value), error);
    if (spec->list)
        return add_to_list(spec, text_of(value), error);
    *spec->text = value;
    return true;
}

/* A flag in the environment is on when it is "1", "true" or "yes", off when it is anything else. */
static bool read_environment(const struct option_spec *spec, char error[OPTIONS_ERROR_SIZE])
{
    const char *value = spec->env ? getenv(spec->env) : NULL;
    if (value == NULL || value[0] == '\0')
        return true;
    if (spec->flag) {
        *spec->flag =
            strcmp(value, "1") == 0 || strcmp(value, "true") == 0 || strcmp(value, "yes") == 0;
        return true;
    }
    if (spec->list == NULL) {
        if (set_value(spec, value, error))
            return true;
        char inner[OPTIONS_ERROR_SIZE];
        memcpy(inner, error, sizeof inner);
        snprintf(error, OPTIONS_ERROR_SIZE, "environment %s: %.200s", spec->env, inner);
        return false;
    }
    for (struct text rest = text_of(value); rest.data;) {
        struct text item = text_cut(&rest, ',');
        if (item.size && !add_to_list(spec, item, error))
            return false;
    }
    return true;
}

static const struct option_spec *find_name(const struct option_spec *specs, int count,
                                           struct text name)
{
    for (int i = 0; i < count; i++)
        if (text_is(name, specs[i].name))
            return &specs[i];
    return NULL;
}

static const struct option_spec *find_letter(const struct option_spec *specs, int count,
                                             char letter)
{
    for (int i = 0; i < count; i++)
        if (letter && specs[i].letter == letter)
            return &specs[i];
    return NULL;
}

/* Where a reading of argv stands. `seen`: options given on the command line. */
struct reading {
    int argc;
    char **argv;
    int next;
    bool *seen;
    const struct option_spec *specs;
    int count;
    char *error;
};

static bool take(struct reading *reading, const struct option_spec *spec, const char *value)
{
    bool *seen = &reading->seen[spec - reading->specs];
    if (spec->list && !*seen)
        spec->list->count = 0; /* the command line replaces what the environment said */
    *seen = true;
    if (!takes_value(spec)) {
        if (value)
            return wrong(reading->error, "no value is taken by option", text_of(spec->name), "");
        *spec->flag = true;
        return true;
    }
    if (value == NULL) {
        if (reading->next >= reading->argc)
            return wrong(reading->error, "a value is missing for option", text_of(spec->name), "");
        value = reading->argv[reading->next++];
    }
    return set_value(spec, value, reading->error);
}

static bool read_long(struct reading *reading, const char *argument)
{
    const char *equals = strchr(argument, '=');
    struct text name = text_of(argument + 2);
    if (equals)
        name.size = (size_t)(equals - argument) - 2;
    const struct option_spec *spec = find_name(reading->specs, reading->count, name);
    if (spec == NULL)
        return wrong(reading->error, "unknown option", text_of(argument), "; see --help");
    return take(reading, spec, equals ? equals + 1 : NULL);
}

/* "-f", "-fn5", "-n 5": letters of flags may be joined, the first that takes a value ends it. */
static bool read_letters(struct reading *reading, const char *argument)
{
    for (const char *at = argument + 1; *at; at++) {
        const struct option_spec *spec = find_letter(reading->specs, reading->count, *at);
        if (spec == NULL)
            return wrong(reading->error, "unknown option", text_of(argument), "; see --help");
        if (takes_value(spec))
            return take(reading, spec, at[1] ? at + 1 : NULL);
        if (!take(reading, spec, NULL))
            return false;
    }
    return true;
}

static enum options_result read_line(struct reading *reading, struct operands *operands)
{
    bool over = false;
    while (reading->next < reading->argc) {
        const char *argument = reading->argv[reading->next++];
        if (over || argument[0] != '-' || argument[1] == '\0') {
            if (operands->count == OPERANDS_MAX) {
                wrong(reading->error, "too many arguments at", text_of(argument), "");
                return OPTIONS_WRONG;
            }
            operands->items[operands->count++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            over = true;
        } else if (strcmp(argument, "--help") == 0) {
            return OPTIONS_HELP;
        } else if (!(argument[1] == '-' ? read_long(reading, argument)
                                        : read_letters(reading, argument))) {
            return OPTIONS_WRONG;
        }
    }
    return OPTIONS_OK;
}

enum options_result options_parse(const struct option_spec *specs, int count, int argc, char **argv,
                                  struct operands *operands, char error[OPTIONS_ERROR_SIZE])
{
    enum { SPECS_MAX = 64 };
    bool seen[SPECS_MAX] = {false};
    assert(count <= SPECS_MAX);
    *operands = (struct operands){.count = 0};
    error[0] = '\0';
    struct reading reading = {argc, argv, 1, seen, specs, count, error};
    enum options_result result = read_line(&reading, operands);
    if (result != OPTIONS_OK)
        return result;
    for (int i = 0; i < count; i++)
        if (!seen[i] && !read_environment(&specs[i], error))
            return OPTIONS_WRONG;
    return OPTIONS_OK;
}

void options_help(const struct option_spec *specs, int count, struct buffer *out)
{
    enum { HELP_COLUMN = 28 };
    for (int i = 0; i < count; i++) {
        size_t start = out->size;
        if (specs[i].letter)
            buffer_print(out, "  -%c, --%s", specs[i].letter, specs[i].name);
        else
            buffer_print(out, "      --%s", specs[i].name);
        if (specs[i].argument)
            buffer_print(out, " %s", specs[i].argument);
        if (out->size - start + 2 > HELP_COLUMN) {
            buffer_byte(out, '\n');
            start = out->size;
        }
        while (out->size - start < HELP_COLUMN)
            buffer_byte(out, ' ');
        buffer_string(out, specs[i].help);
        if (specs[i].env)
            buffer_print(out, " [%s]", specs[i].env);
        buffer_byte(out, '\n');
    }
    buffer_print(out, "      %-20s  %s\n", "--help", "this text");
}
