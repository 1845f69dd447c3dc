/* switch_sales.h: what `pause` and `resume` share: commands to many shows, each awaited and told.
 *
 * They go straight into the log, so they work without an edge. Who paused a show stands in the log
 * beside it, as the event's actor: that is how `resume --all` knows which shows `pause --all`
 * paused, and nobody has to keep a list. One thread. */
#ifndef CLI_SWITCH_SALES_H
#define CLI_SWITCH_SALES_H

#include "cli/commands.h"
#include "cli/sales.h"

/* The actor of `pause --all`: no API key can have this name. */
#define PAUSE_ALL_ACTOR "stagedoor pause --all"

struct sales_switch {
    enum message_type type; /* OpenSale, PauseSale */
    const char *actor_one, *actor_all;
    const char *done, *before; /* "paused", "was paused already" */
    const char *what_all;      /* of --help */
    /* Whether --all sends this show anything. */
    bool (*wants)(const struct sale *sale);
};

int switch_sales(const struct command *command, int argc, char **argv,
                 const struct sales_switch *way);

#endif
