/* refusal.h: building the Refused outcome, the same way in every service. Pure. */
#ifndef SCHEMAS_REFUSAL_H
#define SCHEMAS_REFUSAL_H

#include "schemas/message.h"

/* Makes `outcome` a Refused of `input`: its code, what is wrong for people (borrowed), the field if
 * one is to blame (NULL: none), and as much of the command's identity as could be read, so that the
 * refusal can be remembered as its answer. Returns true, as an outcome always is. */
bool refuse(struct message *outcome, const struct message *input, enum code code, const char *field,
            const char *detail);

#endif
