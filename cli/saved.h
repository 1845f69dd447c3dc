/* saved.h: how a house is begun again: a file in its folder that `save` writes, {"arguments":[…]}
 * of `stagedoor up`. One thread. */
#ifndef CLI_SAVED_H
#define CLI_SAVED_H

#include "cli/commands.h"
#include "schemas/json.h"

#define SAVED_NAME "saved"

/* The new file takes the old one's place when it is whole. END_OK, or one line was printed. */
int saved_write(const struct command *command, const char *data, struct text json);

struct saved {
    struct json *document;
    const struct json *arguments; /* an array */
};

/* END_OK, or one line was printed. Given back with saved_release. */
int saved_read(const struct command *command, const char *data, struct saved *saved);
void saved_release(struct saved *saved);

#endif
