/* trace.h: which request something belongs to: the ids of W3C Trace Context, level 1.
 *
 *     00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *        the trace                        the span       sampled
 *
 * Goes as `traceparent` through HTTP and records. Pure; any thread. */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "base/text.h"

enum { TRACEPARENT_SIZE = 56 }; /* 55 characters and a NUL */

struct trace {
    uint64_t high, low; /* the trace's id; never both 0 */
    uint64_t span;      /* of whoever says this; never 0 */
    bool sampled;       /* it is being recorded */
};

/* false: malformed. Any version but ff is read as 00, if it looks like it. */
bool trace_parse(struct text traceparent, struct trace *trace);
const char *trace_print(const struct trace *trace, char out[TRACEPARENT_SIZE]);

/* The id of the span in which the record of this ce_id was made: whoever read the record knows it
 * too, so that it need not be told. */
uint64_t trace_span_of(struct text record_id);

#endif
