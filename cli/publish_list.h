/* publish_list.h: what can be published: every command with its fields. Pure; one thread. */
#ifndef CLI_PUBLISH_LIST_H
#define CLI_PUBLISH_LIST_H

#include "schemas/message.h"

/* The topic of a command's service. */
int publish_topic_of(enum message_type command);

/* Topic by topic each command; its fields with what they may hold, '*' before those it needs. */
void publish_list(struct buffer *out);

/* A JSON object a line for each command: topic, name, type, fields. */
void publish_list_json(struct buffer *out);

#endif
