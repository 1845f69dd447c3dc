/* append.h: one record into the log, and where it landed. One thread. */
#ifndef CLI_APPEND_H
#define CLI_APPEND_H

#include "bus/envelope.h"
#include "cli/commands.h"

/* Appends and waits until the log has it, up to 30 s. END_OK: `*place` says where it lies (offset
 * -1: the log does not tell); else one line was printed. Events of what is followed on the bus are
 * thrown away. */
int append_record(const struct command *command, struct bus *bus, int topic, int partition,
                  const struct bus_record *record, struct place *place);

/* "shows.commands/2@815", or "@?". */
void append_print(const struct place *place, struct buffer *out);

#endif
