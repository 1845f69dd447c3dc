/* start, stop, delete, restart, reload, scale, flush, down: what the stage manager is asked to do.
 */
#include "cli/connect.h"
#include "cli/manager_call.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 3 };

struct order {
    const char *data;
    const char *count;
    bool json;
};

static void print_said(void *context, const struct json *line, struct text text)
{
    const struct order *order = context;
    struct text said;
    if (order->json)
        printf("%.*s\n", TEXT_PRINT(text));
    else if (json_text(json_member(line, "said"), &said))
        printf("%.*s\n", TEXT_PRINT(said));
    fflush(stdout);
}

static int give(const struct command *command, const struct operands *operands, struct order *order)
{
    const char *words[WORDS_MAX] = {command->name};
    int count = 1;
    for (int i = 0; i < operands->count; i++)
        words[count++] = operands->items[i];
    if (order->count)
        words[count++] = order->count;
    return manager_call(command, order->data, words, count, strcmp(command->name, "down") == 0,
                        print_said, order);
}

#define ORDER_OPTIONS(order)                                                                       \
    HOUSE_OPTION(&(order)->data),                                                                  \
        OPTION_FLAG("json", 0, NULL, &(order)->json, "what is said as JSON, an object a line")

/* `least` operands are needed, `most` allowed. */
static int run(const struct command *command, const struct option_spec *specs, int spec_count,
               int argc, char **argv, struct order *order, int least, int most)
{
    struct operands operands;
    int end;
    if (!command_options(command, specs, spec_count, argc, argv, &operands, &end))
        return end;
    if (operands.count < least || operands.count > most)
        return command_fail(command, END_USAGE, "say: stagedoor %s %s", command->name,
                            command->operands);
    return give(command, &operands, order);
}

int command_order(const struct command *command, int argc, char **argv)
{
    struct order order = {.data = DATA_DEFAULT};
    const struct option_spec specs[] = {ORDER_OPTIONS(&order)};
    return run(command, specs, sizeof specs / sizeof *specs, argc, argv, &order, 1, 1);
}

int command_scale(const struct command *command, int argc, char **argv)
{
    struct order order = {.data = DATA_DEFAULT};
    const struct option_spec specs[] = {ORDER_OPTIONS(&order)};
    return run(command, specs, sizeof specs / sizeof *specs, argc, argv, &order, 2, 2);
}

int command_start(const struct command *command, int argc, char **argv)
{
    struct order order = {.data = DATA_DEFAULT};
    const struct option_spec specs[] = {
        ORDER_OPTIONS(&order),
        {.name = "instances",
         .letter = 'i',
         .argument = "N",
         .text = &order.count,
         .help = "so many: 4, max (as many as cores), -1 (one less than cores)"},
    };
    return run(command, specs, sizeof specs / sizeof *specs, argc, argv, &order, 1, 1);
}

int command_for_all(const struct command *command, int argc, char **argv)
{
    struct order order = {.data = DATA_DEFAULT};
    const struct option_spec specs[] = {ORDER_OPTIONS(&order)};
    return run(command, specs, sizeof specs / sizeof *specs, argc, argv, &order, 0, 0);
}
