/* What a desk did for a request, told to who traces it: from the input's arrival until the outcome
 * was read back, and so counts. Nothing of it goes into the log: the trace's id came with the input
 * and went on with the outcome, and the ids of spans follow from those of records. */
#include "base/memory.h"
#include "bus/desk.h"
#include "process/spans.h"

#include <stdio.h>

/* The span of an append that is on its way. */
struct told {
    uint64_t n; /* its stamp; 0: none */
    int64_t epoch;
    struct span span;
};

static struct told *told_at(struct desk *desk, uint64_t n)
{
    return &desk->told[n % VITALS_UNDER_WAY_MAX];
}

/* A command was sent by who says so in it; an event was made in the span of its own id. */
static uint64_t parent_of(int topic, const struct message *input, const struct trace *trace)
{
    return topic_is_events(topic) ? trace_span_of(input->id) : trace->span;
}

static void describe(struct span *span, const struct source *source, const struct message *input,
                     const struct message *outcome)
{
    char partition[16];
    snprintf(partition, sizeof partition, "%d", source->partition);
    span_name(span, "%s: %s", message_name(input->type), message_name(outcome->type));
    span_put(span, "messaging.operation.type", text_of("process"));
    span_put(span, "messaging.destination.name", source->topic);
    span_put(span, "messaging.destination.partition.id", text_of(partition));
    span_put_i64(span, "messaging.kafka.offset", source->offset);
    span_put(span, "messaging.message.id", input->id);
    span_put(span, "messaging.message.conversation_id", outcome->correlation_id);
    span_put(span, "stagedoor.outcome", text_of(message_name(outcome->type)));
    span_put(span, "stagedoor.outcome.id", outcome->id);
    span_put(span, "stagedoor.reason", text_of(desk_reason(outcome)));
    if (message_has(outcome, show_id))
        span_put(span, "stagedoor.show_id", outcome->show_id);
    if (message_has(outcome, reservation_id))
        span_put(span, "stagedoor.reservation_id", outcome->reservation_id);
    span->failed = outcome->type == MESSAGE_Refused && outcome->code == code_internal;
}

void desk_trace_decided(struct desk *desk, int topic, const struct source *source)
{
    const struct message *input = &desk->service->message, *outcome = &desk->service->outcome;
    struct trace trace;
    if (!spans_wanted() || !trace_parse(outcome->traceparent, &trace) ||
        !spans_sample(&trace, false))
        return;
    if (desk->told == NULL)
        desk->told = memory_new(VITALS_UNDER_WAY_MAX * sizeof *desk->told);
    struct told *told = told_at(desk, desk->n);
    uint64_t parent = parent_of(topic, input, &trace);
    trace.span = trace_span_of(outcome->id);
    told->n = desk->n;
    told->epoch = desk->epoch;
    span_begin(&told->span, SPAN_CONSUMER, &trace, parent, desk->service->now_us);
    describe(&told->span, source, input, outcome);
}

void desk_trace_read_back(struct desk *desk, uint64_t n)
{
    struct told *told = desk->told ? told_at(desk, n) : NULL;
    if (told == NULL || told->n != n || told->epoch != desk->epoch)
        return;
    told->n = 0;
    told->span.ended_us = desk->service->now_us;
    spans_note(&told->span);
}
