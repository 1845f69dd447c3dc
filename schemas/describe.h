/* describe.h: what a message's value may hold, for people: the tables of the codec as a flat list.
 *
 * Pure; any thread. */
#ifndef SCHEMAS_DESCRIBE_H
#define SCHEMAS_DESCRIBE_H

#include "schemas/message.h"

enum { DESCRIBED_MAX = 64, DESCRIBED_PATH_SIZE = 64 };

struct described {
    char path[DESCRIBED_PATH_SIZE]; /* "lines[].tier_id", "holder.name" */
    bool needed;                    /* within what it is part of */
    const char *kind;               /* as the JSON Schema calls it: "uuid"; static */
    const char *meaning;            /* "1 to 1000 seats"; static */
    const char *const *words;       /* the words it may be, up to NULL; NULL: no word */
};

/* The fields in the order in which they are written, parts behind what they are part of; how many.
 */
int describe_message(enum message_type type, struct described described[DESCRIBED_MAX]);

#endif
