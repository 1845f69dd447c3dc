/* asyncapi_headers.h: the headers of a record as JSON Schemas, by what kind of record it is. The
 * words are those of bus/envelope.h and bus/fence.h. Pure; any thread. */
#ifndef CONTRACT_ASYNCAPI_HEADERS_H
#define CONTRACT_ASYNCAPI_HEADERS_H

#include "schemas/message.h"

enum headers {
    HEADERS_COMMAND,
    HEADERS_OUTCOME,
    HEADERS_PROGRESS,
    HEADERS_CLAIM,
    HEADERS_INSTALLED,
    HEADERS_COUNT
};

const char *headers_name(enum headers headers); /* "OutcomeHeaders" */
enum headers headers_of(enum message_type type);

/* Appends all of them as members of an object. */
void headers_print(struct buffer *out);

#endif
