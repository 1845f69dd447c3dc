/* pause: stop selling, every show or some. */
#include "cli/switch_sales.h"

static bool wants(const struct sale *sale)
{
    return !sale->paused;
}

int command_pause(const struct command *command, int argc, char **argv)
{
    static const struct sales_switch way = {
        .type = MESSAGE_PauseSale,
        .actor_one = "stagedoor pause",
        .actor_all = PAUSE_ALL_ACTOR,
        .done = "paused",
        .before = "was paused before",
        .what_all = "every show that is not paused",
        .wants = wants,
    };
    return switch_sales(command, argc, argv, &way);
}
