/* Reading is strict: what is malformed is as if it were not there. */
#include "base/trace.h"

#include <inttypes.h>
#include <stdio.h>

enum { SAMPLED = 1 };

/* Two digits. */
static bool read_byte(struct text text, unsigned *value)
{
    uint64_t whole;
    char digits[16];
    if (text.size != 2)
        return false;
    memset(digits, '0', sizeof digits);
    memcpy(digits + sizeof digits - 2, text.data, 2);
    if (!text_to_hex64(text_from(digits, sizeof digits), &whole))
        return false;
    *value = (unsigned)whole;
    return true;
}

bool trace_parse(struct text traceparent, struct trace *trace)
{
    unsigned version, flags;
    struct text rest = traceparent;
    struct text versions = text_cut(&rest, '-'), id = text_cut(&rest, '-'),
                span = text_cut(&rest, '-');
    if (!read_byte(versions, &version) || version == 0xff || id.size != 32 ||
        !text_to_hex64(text_from(id.data, 16), &trace->high) ||
        !text_to_hex64(text_from(id.data + 16, 16), &trace->low) ||
        !text_to_hex64(span, &trace->span) || !read_byte(rest, &flags))
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
