/* attention.h: what no program will put right, so that a person must: money that nobody knows of or
 * that could not go back, seats sold twice. Pure. */
#ifndef API_ATTENTION_H
#define API_ATTENTION_H

#include "api/view.h"

/* Whether there is anything about it. */
bool attention_needed(const struct reservation *reservation);

/* Each matter as a JSON object: `kind`, what it is about, and `do`: what helps. */
void attention_put(struct buffer *out, const struct reservation *reservation);
void attention_put_show(struct buffer *out, const struct show *show); /* or nothing */

#endif
