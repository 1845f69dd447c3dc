/* resume: sell again, what `pause --all` paused or some shows. */
#include "cli/switch_sales.h"

static bool wants(const struct sale *sale)
{
    return sale->paused && text_is(sale->paused_by, PAUSE_ALL_ACTOR);
}

int command_resume(const struct command *command, int argc, char **argv)
{
    static const struct sales_switch way = {
        .type = MESSAGE_OpenSale,
        .actor_one = "stagedoor resume",
        .actor_all = "stagedoor resume --all",
        .done = "open",
        .before = "was left as it is",
        .what_all = "every show that pause --all paused, and nobody else since",
        .wants = wants,
    };
    return switch_sales(command, argc, argv, &way);
}
