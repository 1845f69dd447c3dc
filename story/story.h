/* story.h: a message in the words of a theatre: "held 2 stalls until 20:15:00 for EUR 50.00".
 *
 * Each message is one row of a table of sentences (story.c), so that a new message needs a new row
 * and no code. Pure; any thread. */
#ifndef STORY_H
#define STORY_H

#include "schemas/message.h"

/* Appends what the message says; who says it comes before, from the caller. Fields that are missing
 * are left out, so it may be a command that could only be read in part; MESSAGE_NONE is "something
 * that cannot be read". Times on the UTC day of `near_ms` are said without the day. */
void story_tell(struct buffer *out, const struct message *message, int64_t near_ms);

/* The sentence of a type, for tests: every field it names must be one the message may carry. */
const char *story_sentence(enum message_type type);

#endif
