/* A table instead of getopt_long: help, environment, file and parsing cannot drift apart, and an
 * unknown option is one clear line. */
#include "base/options_reading.h"

#include "base/exit_code.h"
#include "base/manual.h"
#include "base/version.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool option_wrong(struct option_reading *reading, const char *format, ...)
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

static bool no_value(struct option_reading *reading, const struct option_spec *spec,
                     const char *value)
{
    return option_wrong(reading, "'%.80s' is no value for --%s; see --help",
                        option_is_secret(text_of(spec->name)) ? "…" : value, spec->name);
}

static bool set_count(struct option_reading *reading, const struct option_spec *spec,
                      const char *value)
{
    int64_t number;
    if (!text_to_i64(text_of(value), &number) || number < spec->least || number > spec->most)
        return option_wrong(reading, "--%s takes a number from %lld to %lld, not '%.80s'",
                            spec->name, (long long)spec->least, (long long)spec->most, value);
    if (spec->count)
        *spec->count = number;
    else
        *spec->number = (int)number;
    return true;
}

static bool set_flag(struct option_reading *reading, const struct option_spec *spec,
                     const char *value)
{
    static const char *const words[] = {"no", "yes", "false", "true", "0", "1", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(value, words[i]) == 0) {
            *spec->flag = i % 2;
            return true;
        }
    return no_value(reading, spec, value);
}

static bool add_to_list(struct option_reading *reading, const struct option_spec *spec,
                        struct text value)
{
    if (spec->list->count == OPTION_LIST_MAX)
        return option_wrong(reading, "too many of option '%s'", spec->name);
    spec->list->items[spec->list->count++] = value;
    return true;
}

static bool set_list(struct option_reading *reading, const struct option_spec *spec,
                     const char *value, enum option_source source)
{
    if (source == OPTION_LINE)
        return add_to_list(reading, spec, text_of(value));
    for (struct text rest = text_of(value); rest.data;) {
        struct text item = text_trim(text_cut(&rest, ','));
        if (item.size && !add_to_list(reading, spec, item))
            return false;
    }
    return true;
}

bool option_give(struct option_reading *reading, int row, const char *value,
                 struct option_origin origin)
{
    const struct option_spec *spec = &reading->specs[row];
    struct option_given *given = &reading->given[row];
    bool first = given->origin.source == OPTION_DEFAULT;
    if (first && spec->list)
        spec->list->count = 0; /* what is given replaces what stood there */
    given->origin = origin;
    buffer_print(&given->words, "%s%s", first ? "" : ",", value);
    if (spec->flag)
        return set_flag(reading, spec, value);
    if (spec->count || spec->number)
        return set_count(reading, spec, value);
    if (spec->list)
        return set_list(reading, spec, value, origin.source);
    if (spec->read)
        return spec->read(spec->target, value) || no_value(reading, spec, value);
    *spec->text = value;
    return true;
}

static bool is_won(struct option_origin held, struct option_origin origin)
{
    return held.source == origin.source && held.rank == origin.rank;
}

bool option_give_property(struct option_reading *reading, int row, struct text name,
                          const char *value, struct option_origin origin)
{
    struct option_properties *properties = reading->specs[row].properties;
    struct option_property *property = properties->items;
    struct option_property *end = property + properties->count;
    while (property < end && !text_is(name, property->name))
        property++;
    if (property < end && !is_won(property->origin, origin))
        return true;
    if (name.size == 0 || name.size >= OPTION_PROPERTY_SIZE ||
        property == properties->items + OPTION_PROPERTIES_MAX)
        return option_wrong(reading, "'%.*s' is one --%s too many, or no name of one",
                            TEXT_PRINT(name), reading->specs[row].name);
    memcpy(property->name, name.data, name.size);
    property->name[name.size] = '\0';
    property->value = value;
    property->origin = origin;
    properties->count += property == end;
    return true;
}

/* ---- the command line ------------------------------------------------------------------------ */

static int row_named(const struct option_reading *reading, struct text name)
{
    for (int i = 0; i < reading->count; i++)
        if (text_is(name, reading->specs[i].name))
            return i;
    return -1;
}

static int row_lettered(const struct option_reading *reading, char letter)
{
    for (int i = 0; i < reading->count; i++)
        if (letter && reading->specs[i].letter == letter)
            return i;
    return -1;
}

static bool take(struct option_reading *reading, int row, const char *value)
{
    const struct option_spec *spec = &reading->specs[row];
    const struct option_origin line = {.source = OPTION_LINE};
    if (spec->flag)
        return value ? option_wrong(reading, "no value is taken by option '%s'", spec->name)
                     : option_give(reading, row, "yes", line);
    if (value == NULL && reading->next >= reading->argc)
        return option_wrong(reading, "a value is missing for option '%s'", spec->name);
    if (value == NULL)
        value = reading->argv[reading->next++];
    if (spec->properties == NULL)
        return option_give(reading, row, value, line);
    const char *equals = strchr(value, '=');
    if (equals == NULL)
        return option_wrong(reading, "'%.80s' is no value for --%s: it takes NAME=VALUE", value,
                            spec->name);
    return option_give_property(reading, row, text_from(value, (size_t)(equals - value)),
                                equals + 1, line);
}

static bool unknown(struct option_reading *reading, const char *argument)
{
    return option_wrong(reading, "unknown option '%.80s'; see --help", argument);
}

static bool read_long(struct option_reading *reading, const char *argument)
{
    const char *equals = strchr(argument, '=');
    struct text name = text_of(argument + 2);
    if (equals)
        name.size = (size_t)(equals - argument) - 2;
    int row = row_named(reading, name);
    return row < 0 ? unknown(reading, argument) : take(reading, row, equals ? equals + 1 : NULL);
}

/* "-f", "-fn5", "-n 5": letters of flags may be joined, the first that takes a value ends it. */
static bool read_letters(struct option_reading *reading, const char *argument)
{
    for (const char *at = argument + 1; *at; at++) {
        int row = row_lettered(reading, *at);
        if (row < 0)
            return unknown(reading, argument);
        if (reading->specs[row].flag == NULL)
            return take(reading, row, at[1] ? at + 1 : NULL);
        if (!take(reading, row, NULL))
            return false;
    }
    return true;
}

static bool add_operand(struct option_reading *reading, struct operands *operands,
                        const char *argument)
{
    if (reading->table->operands[0] == '\0')
        return option_wrong(reading, "unexpected argument '%.80s'; see --help", argument);
    if (operands->count == OPERANDS_MAX)
        return option_wrong(reading, "too many arguments at '%.80s'", argument);
    operands->items[operands->count++] = argument;
    return true;
}

/* "-", and "-1" where no option is a digit. */
static bool is_operand(const struct option_reading *reading, const char *argument)
{
    return argument[0] != '-' || argument[1] == '\0' ||
           (argument[1] >= '0' && argument[1] <= '9' && row_lettered(reading, argument[1]) < 0);
}

static bool answers(struct option_reading *reading, const char *argument)
{
    struct option_table whole = *reading->table; /* with our own rows */
    whole.specs = reading->specs;
    whole.count = reading->count;
    if (strcmp(argument, "--help") == 0 ||
        (strcmp(argument, "-h") == 0 && row_lettered(reading, 'h') < 0))
        option_print_help(&whole, reading->said);
    else if (strcmp(argument, "--help=man") == 0)
        manual_page(&whole, reading->said);
    else if (strcmp(argument, "--help=words") == 0)
        manual_words(&whole, reading->said);
    else if (strcmp(argument, "--version") == 0)
        buffer_print(reading->said, "%s %s\n", whole.program, STAGEDOOR_VERSION);
    else
        return false;
    return true;
}

static enum options_result read_line(struct option_reading *reading, struct operands *operands)
{
    bool over = false, good = true;
    while (good && reading->next < reading->argc) {
        const char *argument = reading->argv[reading->next++];
        if (over || is_operand(reading, argument))
            good = add_operand(reading, operands, argument);
        else if (strcmp(argument, "--") == 0)
            over = true;
        else if (answers(reading, argument))
            return OPTIONS_ANSWERED;
        else
            good =
                argument[1] == '-' ? read_long(reading, argument) : read_letters(reading, argument);
    }
    return good ? OPTIONS_OK : OPTIONS_WRONG;
}

/* ---- what stands behind it ------------------------------------------------------------------- */

/* STAGEDOOR_KAFKA_SASL_PASSWORD is sasl.password. */
static bool read_property_variables(struct option_reading *reading, int row)
{
    const char *env = reading->specs[row].env;
    size_t size = strlen(env);
    for (char **at = environ; *at; at++) {
        const char *equals = strchr(*at, '=');
        char name[OPTION_PROPERTY_SIZE];
        size_t length = 0;
        if (strncmp(*at, env, size) != 0 || (*at)[size] != '_' || equals == NULL || !equals[1])
            continue;
        for (const char *from = *at + size + 1; from < equals && length < sizeof name; from++)
            name[length++] = *from == '_' ? '.' : (char)tolower((unsigned char)*from);
        if (!option_give_property(reading, row, text_from(name, length), equals + 1,
                                  (struct option_origin){.source = OPTION_ENVIRONMENT}))
            return false;
    }
    return true;
}

static bool read_environment(struct option_reading *reading, int row)
{
    const struct option_spec *spec = &reading->specs[row];
    if (spec->env == NULL || reading->given[row].origin.source == OPTION_LINE)
        return true;
    if (spec->properties)
        return read_property_variables(reading, row);
    const char *value = getenv(spec->env);
    return value == NULL || value[0] == '\0' ||
           option_give(reading, row, value, (struct option_origin){.source = OPTION_ENVIRONMENT}) ||
           option_wrong(reading, " (environment %s)", spec->env);
}

static bool read_rest(struct option_reading *reading)
{
    for (int i = 0; i < reading->count; i++)
        if (!read_environment(reading, i))
            return false;
    if (reading->config && !option_file_read(reading))
        return false;
    for (int i = 0; i < reading->count; i++) {
        const struct option_spec *spec = &reading->specs[i];
        if (reading->given[i].origin.source == OPTION_DEFAULT && spec->otherwise) {
            bool good = spec->read(spec->target, spec->otherwise);
            assert(good);
        }
    }
    return true;
}

static bool has_what_is_needed(struct option_reading *reading)
{
    for (int i = 0; i < reading->count; i++) {
        const struct option_spec *spec = &reading->specs[i];
        if (spec->needed && *spec->text == NULL)
            return option_wrong(reading, "--%s %s is needed, like %s; see --help", spec->name,
                                spec->argument, spec->needed);
    }
    return true;
}

static enum options_result read_all(struct option_reading *reading, struct operands *operands)
{
    enum options_result result = read_line(reading, operands);
    if (result != OPTIONS_OK)
        return result;
    if (!read_rest(reading))
        return OPTIONS_WRONG;
    if (reading->print_config) {
        option_print_config(reading);
        return OPTIONS_ANSWERED;
    }
    return has_what_is_needed(reading) ? OPTIONS_OK : OPTIONS_WRONG;
}

/* Our own rows, for whoever reads a file. */
static void add_own(struct option_reading *reading)
{
    const struct option_spec own[] = {
        OPTION_TEXT("config", "FILE", "STAGEDOOR_CONFIG", &reading->config,
                    "lines of NAME = VALUE; the environment wins over it, and this line over both"),
        OPTION_FLAG("print-config", 0, NULL, &reading->print_config,
                    "say what each setting is, and where it comes from"),
    };
    assert(reading->count + 2 <= OPTIONS_MAX);
    memcpy(reading->specs + reading->count, own, sizeof own);
    reading->count += 2;
}

enum options_result options_parse(const struct option_table *table, int argc, char **argv,
                                  struct operands *operands, struct buffer *said)
{
    struct option_reading reading = {
        .table = table, .count = table->count, .said = said, .argc = argc, .argv = argv, .next = 1};
    assert(table->count <= OPTIONS_MAX);
    if (table->count)
        memcpy(reading.specs, table->specs, (size_t)table->count * sizeof *table->specs);
    if (table->file)
        add_own(&reading);
    *operands = (struct operands){.count = 0};
    enum options_result result = read_all(&reading, operands);
    for (int i = 0; i < reading.count; i++)
        buffer_release(&reading.given[i].words);
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

void options_hand_on(const struct option_file *file, const char *env,
                     const struct option_properties *properties)
{
    struct buffer name = {0};
    if (file->path)
        setenv("STAGEDOOR_CONFIG", file->path, 1);
    for (int i = 0; i < properties->count; i++) {
        if (properties->items[i].origin.source == OPTION_FILE)
            continue; /* there, others may have other ones */
        buffer_clear(&name);
        option_property_variable(env, properties->items[i].name, &name);
        setenv(name.data, properties->items[i].value, 1);
    }
    buffer_release(&name);
}
