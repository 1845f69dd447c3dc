/* ls, describe: who plays, since when, and what they take of the machine. */
#include "cli/connect.h"
#include "cli/manager_call.h"

#include <stdio.h>

enum { AGE_SIZE = 24 };

struct list {
    bool json, whole;
    int count;
};

static int64_t number(const struct json *process, const char *name)
{
    int64_t value = 0;
    json_i64(json_member(process, name), &value);
    return value;
}

static struct text word(const struct json *process, const char *name)
{
    struct text value = text_of("");
    json_text(json_member(process, name), &value);
    return value;
}

/* "42s", "17m", "5h", "3d". */
static const char *print_age(int64_t s, char out[AGE_SIZE])
{
    static const struct {
        int64_t s;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int i = 0;
    while (i < 3 && s < 2 * units[i].s)
        i++;
    snprintf(out, AGE_SIZE, "%lld%c", (long long)(s / units[i].s), units[i].unit);
    return out;
}

static void print_row(const struct json *process)
{
    char age[AGE_SIZE];
    print_age(number(process, "uptime_s"), age);
    printf("%-3lld %-16.*s %-10.*s %5s %9lld %4lld%% %6lldM %7lld\n",
           (long long)number(process, "number"), TEXT_PRINT(word(process, "name")),
           TEXT_PRINT(word(process, "state")), number(process, "pid") ? age : "-",
           (long long)number(process, "restarts"), (long long)number(process, "cpu_percent"),
           (long long)(number(process, "memory_bytes") >> 20), (long long)number(process, "pid"));
}

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

static void print_whole(const struct json *process)
{
    char age[AGE_SIZE];
    struct text last_end = word(process, "last_end");
    printf("name         %.*s (number %lld)\n", TEXT_PRINT(word(process, "name")),
           (long long)number(process, "number"));
    printf("state        %.*s\n", TEXT_PRINT(word(process, "state")));
    printf("status       %.*s\n", TEXT_PRINT(word(process, "status")));
    printf("pid          %lld, for %s\n", (long long)number(process, "pid"),
           print_age(number(process, "uptime_s"), age));
    printf("restarts     %lld, %lld in a row\n", (long long)number(process, "restarts"),
           (long long)number(process, "deaths_in_a_row"));
    printf("last end     %.*s\n", TEXT_PRINT(last_end.size ? last_end : text_of("never")));
    printf("takes        %lld%% of a core, %lld MiB\n", (long long)number(process, "cpu_percent"),
           (long long)(number(process, "memory_bytes") >> 20));
    print_command(json_member(process, "command"));
    printf("logs         stagedoor logs %.*s\n", TEXT_PRINT(word(process, "name")));
}

static void print(void *context, const struct json *line, struct text text)
{
    struct list *list = context;
    if (list->json)
        printf("%.*s\n", TEXT_PRINT(text));
    else if (list->whole && list->count)
        printf("\n");
    else if (!list->whole && list->count == 0)
        printf("%-3s %-16s %-10s %5s %9s %5s %7s %7s\n", "NR", "NAME", "STATE", "UP", "RESTARTS",
               "CPU", "MEMORY", "PID");
    list->count++;
    if (list->json)
        return;
    if (list->whole)
        print_whole(line);
    else
        print_row(line);
}

static int ask(const struct command *command, int argc, char **argv, bool whole)
{
    const char *data = DATA_DEFAULT;
    struct list list = {.whole = whole};
    const struct option_spec specs[] = {
        OPTION_TEXT("data", "DIR", "STAGEDOOR_DATA", &data, "folder of the house (var)"),
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
