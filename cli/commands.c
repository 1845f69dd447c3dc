/* What all commands share: reading options, --help, and failing in one line. */
#include "cli/commands.h"

#include "bus/settings.h"

#include <stdarg.h>
#include <stdio.h>

static struct option_file file; /* as long as the process */

const struct option_file *command_file(void)
{
    return &file;
}

bool command_options(const struct command *command, const struct option_spec *specs, int count,
                     int argc, char **argv, struct operands *operands, int *end)
{
    struct buffer program = {0}, about = {0};
    buffer_print(&program, "stagedoor %s", command->name);
    buffer_print(&about, "%s\n%s", command->summary, command->more ? command->more : "");
    struct option_table table = {.program = program.data,
                                 .operands = command->operands,
                                 .about = about.data,
                                 .specs = specs,
                                 .count = count,
                                 .file = &file,
                                 .words = &settings_words,
                                 .sections = (const char *const[]){"stagedoor", NULL}};
    bool go_on = options_read(&table, argc, argv, operands, end);
    buffer_release(&program);
    buffer_release(&about);
    return go_on;
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
