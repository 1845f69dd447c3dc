/* asyncapi.h: the choreography as an AsyncAPI 3.0.0 document: the six topics, every message with
 * its schema, headers and example, and for each service what it does about each input.
 *
 * Payloads are references to schemas/json, beside which the document lies. A reaction is an
 * operation that receives the input; its outcomes are the reply. Pure; any thread. */
#ifndef CONTRACT_ASYNCAPI_H
#define CONTRACT_ASYNCAPI_H

#include "bus/service.h"

/* Appends the document as JSON. `examples`: by message type, the payload as JSON; an empty one is
 * left out. Borrowed for the call. */
void asyncapi_print(const struct service_descriptor *const *services, int count,
                    const struct text *examples, struct buffer *out);

#endif
