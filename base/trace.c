/* Reading is strict: what is malformed is as if it were not there. */
#include "base/trace.h"

#include <inttypes.h>
#include <stdio.h>

enum { SAMPLED = 1 };

bool trace_parse(struct text traceparent, struct trace *trace)
{
    uint8_t version, flags;
    struct text rest = traceparent;
    struct text versions = text_cut(&rest, '-'), id = text_cut(&rest, '-'),
                span = text_cut(&rest, '-');
    if (!text_to_hex8(versions, &version) || version == 0xff || id.size != 32 ||
        !text_to_hex64(text_from(id.data, 16), &trace->high) ||
        !text_to_hex64(text_from(id.data + 16, 16), &trace->low) ||
        !text_to_hex64(span, &trace->span) || !text_to_hex8(rest, &flags))
        return false;
    trace->sampled = flags & SAMPLED;
    return (trace->high || trace->low) && trace->span;
}

const char *trace_print(const struct trace *trace, char out[TRACEPARENT_SIZE])
{
    snprintf(out, TRACEPARENT_SIZE, "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-%02x",
             trace->high, trace->low, trace->span, trace->sampled ? SAMPLED : 0);
    return out;
}

uint64_t trace_span_of(struct text record_id)
{
    uint64_t hash = text_hash(record_id);
    return hash ? hash : 1;
}
