/* ls, describe: who plays, since when, and what they take of the machine. */
#include "cli/connect.h"
#include "cli/manager_call.h"
#include "cli/process_facts.h"

#include <stdio.h>

struct list {
    bool json, whole;
    int count;
};

static void print_command(const struct json *command)
{
    printf("command     ");
    for (const struct json *item = json_first(command); item; item = json_next(item)) {
        struct text argument;
        if (json_text(item, &argument))
            printf(" %.*s", TEXT_PRINT(argument));
    }
    printf("\n");
}

static void print_whole(const struct process_facts *facts)
{
    char age[AGE_SIZE];
    printf("name         %s (number %lld)\n", facts->name, (long long)facts->number);
    printf("state        %s\n", facts->state);
    printf("says         %s\n", facts->status);
    printf("pid          %lld, for %s\n", (long long)facts->pid, process_age(facts->uptime_s, age));
    printf("restarts     %lld, %lld in a row\n", (long long)facts->restarts,
           (long long)facts->deaths_in_a_row);
    printf("last end     %s\n", facts->last_end[0] ? facts->last_end : "never");
    printf("takes        %lld%% of a core, %lld MiB\n", (long long)facts->cpu_percent,
           (long long)(facts->memory_bytes >> 20));
}

static void print_line(struct list *list, const struct process_facts *facts)
{
    struct buffer out = {0};
    if (list->count == 0) {
        process_facts_head(&out);
        buffer_byte(&out, '\n');
    }
    process_facts_row(facts, &out);
    printf("%s\n", out.data);
    buffer_release(&out);
}

static void print(void *context, const struct json *line, struct text text)
{
    struct list *list = context;
    struct process_facts facts;
    process_facts_read(line, &facts);
    if (list->json) {
        printf("%.*s\n", TEXT_PRINT(text));
    } else if (list->whole) {
        printf("%s", list->count ? "\n" : "");
        print_whole(&facts);
        print_command(json_member(line, "command"));
        printf("logs         stagedoor logs %s\n", facts.name);
    } else {
        print_line(list, &facts);
    }
    list->count++;
}

static int ask(const struct command *command, int argc, char **argv, bool whole)
{
    const char *data = DATA_DEFAULT;
    struct list list = {.whole = whole};
    const struct option_spec specs[] = {
        HOUSE_OPTION(&data),
        OPTION_FLAG("json", 0, NULL, &list.json, "an object a line"),
    };
    struct operands operands;
    int end;
    if (!command_options(command, specs, sizeof specs / sizeof *specs, argc, argv, &operands, &end))
        return end;
    if (operands.count > 1 || (whole && operands.count == 0))
        return command_fail(command, END_USAGE, "say: stagedoor %s %s", command->name,
                            command->operands);
    const char *words[] = {"ls", operands.items[0]};
    return manager_call(command, data, words, operands.count + 1, false, print, &list);
}

int command_ls(const struct command *command, int argc, char **argv)
{
    return ask(command, argc, argv, false);
}

int command_describe(const struct command *command, int argc, char **argv)
{
    return ask(command, argc, argv, true);
}
