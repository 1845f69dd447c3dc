/* refusal.h: building the Refused outcome, and knowing a command that was answered before, the same
 * way in every service. Pure but for memory. */
#ifndef SCHEMAS_REFUSAL_H
#define SCHEMAS_REFUSAL_H

#include "base/recent.h"
#include "schemas/message.h"

/* Makes `outcome` a Refused of `input`: its code, what is wrong for people (borrowed), the field if
 * one is to blame (NULL: none), and as much of the command's identity as could be read, so that the
 * refusal can be remembered as its answer. Returns true, as an outcome always is. */
bool refuse(struct message *outcome, const struct message *input, enum code code, const char *field,
            const char *detail);

/* The show is archived: nothing of it is known any more. */
bool refuse_archived(struct message *outcome, const struct message *input);

/* Whether the command's id is among those answered before. true: `*any` is what decide returns: a
 * repeat has no outcome, the same id with another body is refused as a conflict. */
bool answered_before(const struct recent *commands, const struct message *input,
                     struct message *outcome, bool *any);

/* Remembers the outcome as the answer to its cause, if that was a command; refusals are answers
 * too. */
void answered_remember(struct recent *commands, const struct message *outcome);

#endif
