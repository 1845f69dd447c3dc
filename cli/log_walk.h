/* log_walk.h: every record of the log as it lies there, counted or not, up to a moment at which
 * nothing in it was caused by something behind it.
 *
 * Services may be at work: what an owner says that it has read belongs to the log as well, so the
 * ends move on until they hold all that was read by whoever wrote what is before them. That ends,
 * because whatever was read by then had been appended. One thread. */
#ifndef CLI_LOG_WALK_H
#define CLI_LOG_WALK_H

#include "cli/commands.h"
#include "cli/log_line.h"

/* `take` gets each record and its line, partitions in any interleaving; false: it said why, and the
 * walk ends with END_SYSTEM. NULL: only the sum is wanted. */
struct log_walk_wish {
    bool (*take)(void *context, struct text line);
    void *context;
};

/* END_OK and `*sum`, or one line was printed. Follows all topics of the bus. */
int log_walk(const struct command *command, struct bus *bus, int partition_count,
             const struct log_walk_wish *wish, struct log_sum *sum);

#endif
