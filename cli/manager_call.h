/* manager_call.h: asking the stage manager of a folder (manager/control.h). One thread. */
#ifndef CLI_MANAGER_CALL_H
#define CLI_MANAGER_CALL_H

#include "cli/commands.h"
#include "schemas/json.h"

/* A line of the answer but the last one: the document and its text, borrowed. */
typedef void manager_line(void *context, const struct json *line, struct text text);

/* Asks with these words and tells each line to `tell` (NULL: nobody wants them) as it comes.
 * Returns how the command that asked ends; what went wrong was printed. A manager that ends
 * meanwhile is END_OK only if `until_gone`: that was what was asked for. */
int manager_call(const struct command *command, const char *data, const char *const words[],
                 int count, bool until_gone, manager_line *tell, void *context);

#endif
