/* What all commands share: reading options, --help, and failing in one line. */
#include "cli/commands.h"

#include <stdarg.h>
#include <stdio.h>

static void print_usage(const struct command *command, const struct option_spec *specs, int count)
{
    struct buffer out = {0};
    buffer_print(&out, "usage: stagedoor %s [OPTIONS]%s%s\n\n%s\n", command->name,
                 command->operands[0] ? " " : "", command->operands, command->summary);
    if (command->more)
        buffer_string(&out, command->more);
    buffer_byte(&out, '\n');
    options_help(specs, count, &out);
    fwrite(out.data, 1, out.size, stdout);
    buffer_release(&out);
}

bool command_options(const struct command *command, const struct option_spec *specs, int count,
                     int argc, char **argv, struct operands *operands, int *end)
{
    char error[OPTIONS_ERROR_SIZE];
    switch (options_parse(specs, count, argc, argv, operands, error)) {
    case OPTIONS_OK:
        if (operands->count == 0 || command->operands[0])
            return true;
        *end = command_fail(command, END_USAGE, "unexpected argument '%s'; see --help",
                            operands->items[0]);
        return false;
    case OPTIONS_HELP:
        print_usage(command, specs, count);
        *end = END_OK;
        return false;
    case OPTIONS_WRONG:
        *end = command_fail(command, END_USAGE, "%s", error);
        return false;
    }
    return false;
}

int command_fail(const struct command *command, int end, const char *format, ...)
{
    struct buffer line = {0};
    va_list arguments;
    buffer_print(&line, "stagedoor %s: ", command->name);
    va_start(arguments, format);
    buffer_vprint(&line, format, arguments);
    va_end(arguments);
    buffer_byte(&line, '\n');
    fflush(stdout);
    fwrite(line.data, 1, line.size, stderr);
    buffer_release(&line);
    return end;
}
