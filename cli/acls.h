/* acls.h: who may do what with the topics, as a script for Kafka's own tool.
 *
 * Each program gets a user of its own, with what it needs and nothing more: so whoever takes over
 * one of them can say what that one says, and no more. */
#ifndef CLI_ACLS_H
#define CLI_ACLS_H

#include "base/text.h"

/* `topic_prefix` may be NULL; `user_prefix` goes before every user. Appends to `out`. */
void acls_print(const char *topic_prefix, const char *user_prefix, struct buffer *out);

#endif
