/* --help and --print-config: the table, and what became of it. */
#include "base/options_reading.h"

#include <ctype.h>
#include <string.h>

static void pad(struct buffer *out, size_t start, size_t column)
{
    while (out->size - start < column)
        buffer_byte(out, ' ');
}

/* ---- help ------------------------------------------------------------------------------------ */

static void print_option(const struct option_spec *spec, struct buffer *out)
{
    enum { HELP_COLUMN = 28 };
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
    pad(out, start, HELP_COLUMN);
    buffer_string(out, spec->help);
    if (spec->otherwise)
        buffer_print(out, " (%s)", spec->otherwise);
    if (spec->env)
        buffer_print(out, " [%s%s]", spec->env, spec->properties ? "_…" : "");
    buffer_byte(out, '\n');
}

void option_print_help(const struct option_table *table, struct buffer *out)
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

/* ---- what is set ----------------------------------------------------------------------------- */

/* A file with the key is none, nor is the folder of the keys. */
bool option_is_secret(struct text name)
{
    static const char *const ends[] = {"password", "secret",      "key",
                                       "key.pem",  "jaas.config", "oauthbearer.config"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t size = strlen(ends[i]);
        if (name.size >= size && memcmp(name.data + name.size - size, ends[i], size) == 0)
            return true;
    }
    return false;
}

void option_property_variable(const char *env, const char *name, struct buffer *out)
{
    buffer_print(out, "%s_", env);
    for (; *name; name++)
        buffer_byte(out, *name == '.' ? '_' : (char)toupper((unsigned char)*name));
}

static void print_default(const struct option_spec *spec, struct buffer *out)
{
    if (spec->flag)
        buffer_string(out, *spec->flag ? "yes" : "no");
    else if (spec->count || spec->number)
        buffer_i64(out, spec->count ? *spec->count : *spec->number);
    else if (spec->text && *spec->text)
        buffer_string(out, *spec->text);
    else if (spec->otherwise)
        buffer_string(out, spec->otherwise);
    for (int i = 0; spec->list && i < spec->list->count; i++)
        buffer_print(out, "%s%.*s", i ? "," : "", TEXT_PRINT(spec->list->items[i]));
}

/* `variable`: its name in the environment. */
static void print_origin(const struct option_reading *reading, struct option_origin origin,
                         const char *variable, struct buffer *out)
{
    switch (origin.source) {
    case OPTION_DEFAULT:
        buffer_string(out, "default");
        break;
    case OPTION_FILE:
        buffer_print(out, "%s:%d", reading->config, origin.line);
        break;
    case OPTION_ENVIRONMENT:
        buffer_print(out, "environment %s", variable);
        break;
    case OPTION_LINE:
        buffer_string(out, "command line");
        break;
    }
}

static const char masked[] = "********";
enum { ORIGIN_COLUMN = 48 };

static void print_setting(const struct option_reading *reading, int row)
{
    const struct option_spec *spec = &reading->specs[row];
    const struct option_given *given = &reading->given[row];
    struct buffer *out = reading->said, value = {0};
    size_t start = out->size;
    if (given->origin.source == OPTION_DEFAULT)
        print_default(spec, &value);
    else
        buffer_text(&value, buffer_view(&given->words));
    buffer_print(out, "%s = ", spec->name);
    if (value.size && option_is_secret(text_of(spec->name)))
        buffer_string(out, masked);
    else
        buffer_text(out, buffer_view(&value));
    pad(out, start, ORIGIN_COLUMN);
    buffer_string(out, " # ");
    print_origin(reading, given->origin, spec->env, out);
    buffer_byte(out, '\n');
    buffer_release(&value);
}

static void print_properties(const struct option_reading *reading, const struct option_spec *spec)
{
    struct buffer *out = reading->said, variable = {0};
    for (int i = 0; i < spec->properties->count; i++) {
        const struct option_property *property = &spec->properties->items[i];
        bool secret = option_is_secret(text_of(property->name));
        size_t start = out->size;
        buffer_clear(&variable);
        option_property_variable(spec->env, property->name, &variable);
        buffer_print(out, "%s.%s = %s", spec->name, property->name,
                     secret ? masked : property->value);
        pad(out, start, ORIGIN_COLUMN);
        buffer_string(out, " # ");
        print_origin(reading, property->origin, variable.data, out);
        buffer_byte(out, '\n');
    }
    buffer_release(&variable);
}

void option_print_config(const struct option_reading *reading)
{
    for (int i = 0; i < reading->count; i++)
        if (reading->specs[i].properties)
            print_properties(reading, &reading->specs[i]);
        else if (reading->specs[i].env)
            print_setting(reading, i);
}
