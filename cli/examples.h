/* examples.h: schemas/examples inside the program: one document for each message, written into
 * build/examples.c by the Makefile. Pure; any thread. */
#ifndef CLI_EXAMPLES_H
#define CLI_EXAMPLES_H

#include "schemas/message.h"

/* The JSON of schemas/examples/NAME.json. Static. */
struct text example_text(enum message_type type);

/* Appends an example of a command that would be taken at `now_ms`: its times lie as far ahead as
 * they did when the example was written, in whole days, and it has no fingerprint, so that a
 * changed copy is another command. */
void example_print(enum message_type type, int64_t now_ms, struct buffer *out);

#endif
