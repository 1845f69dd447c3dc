/* One input, at most one outcome, in one record: the decision, its payload and the mark that the
 * input is consumed. */
#include "bus/desk.h"

#include "base/log.h"
#include "schemas/refusal.h"

#include <assert.h>

/* An accepted record that nobody can read would stop the partition for good. Better that this owner
 * dies of it before it is written. */
static void assert_readable(struct service *service, const struct message *message)
{
    struct codec_error error;
    arena_reset(&service->check_arena);
    enum codec_result result = codec_decode(message->type, service->envelope.record.value,
                                            &service->check_arena, &service->check, &error);
    assert(result == CODEC_OK);
}

/* The stamp, which is also what its id ends with, the source and the positions are what makes the
 * outcome the commit. `which` -1: the timer. */
static enum bus_result append(struct desk *desk, struct message *message,
                              const struct source *source, int which, const struct fence *after)
{
    struct service *service = desk->service;
    int count = service->descriptor->input_count;
    struct fence positions[FENCE_INPUTS_MAX];
    struct buffer *text = &service->header;
    for (int i = 0; i < count; i++)
        positions[i] = after && i == which ? *after : desk->inputs[i].position;
    buffer_clear(text);
    stamp_print((struct stamp){desk->epoch, desk->nonce, desk->n + 1}, text);
    message->id = arena_print(&service->arena, "%s/%d/%s", service->descriptor->name,
                              desk->partition, text->data);
    envelope_open(&service->envelope, message, service->descriptor->speaker);
    envelope_header(&service->envelope, "sd_stamp", buffer_view(text));
    if (source) {
        buffer_clear(text);
        source_print(source, text);
        envelope_header(&service->envelope, "sd_source", buffer_view(text));
    }
    buffer_clear(text);
    positions_print(positions, count, text);
    envelope_header(&service->envelope, "sd_positions", buffer_view(text));
    const struct bus_record *record = envelope_close(&service->envelope);
    assert_readable(service, message);
    enum bus_result result = bus_append(service->bus, service->descriptor->output, desk->partition,
                                        record, desk_tag(desk));
    assert(result == BUS_OK || result == BUS_FULL);
    if (result != BUS_OK)
        return result;
    if (desk->n == desk->own.n)
        desk->unread_ms = service->now_ms;
    desk->n++;
    desk->appended_ms = service->now_ms;
    desk->skipped = 0;
    return BUS_OK;
}

static void complete(struct message *outcome, const struct message *input, int64_t now_ms)
{
    outcome->at_ms = now_ms;
    if (input == NULL)
        return;
    outcome->cause_id = input->id;
    outcome->actor = input->actor;
    outcome->traceparent = input->traceparent;
    if (outcome->type == MESSAGE_Refused)
        outcome->correlation_id = input->correlation_id;
}

const char *desk_reason(const struct message *outcome)
{
    if (outcome->type == MESSAGE_Refused)
        return code_name(outcome->code);
    return message_has(outcome, reason) ? reason_name(outcome->reason) : NULL;
}

/* Ids and codes: never what somebody wrote, which may be a name. */
static void say_decided(const struct desk *desk, const struct source *source)
{
    const struct message *outcome = &desk->service->outcome;
    struct buffer line = {0};
    if (source->timer)
        buffer_string(&line, "the timer");
    else
        buffer_print(&line, "%.*s@%lld", TEXT_PRINT(source->topic), (long long)source->offset);
    const char *reason = desk_reason(outcome);
    buffer_print(&line, ": %s%s%s", message_name(outcome->type), reason ? " " : "",
                 reason ? reason : "");
    if (message_has(outcome, show_id))
        buffer_print(&line, ", show %.*s", TEXT_PRINT(outcome->show_id));
    if (message_has(outcome, reservation_id))
        buffer_print(&line, ", reservation %.*s", TEXT_PRINT(outcome->reservation_id));
    desk_say(desk, LOG_DEBUG, "%s, number %llu of the claim at %lld", line.data,
             (unsigned long long)desk->n, (long long)desk->epoch);
    buffer_release(&line);
}

/* Appends the outcome and applies it at once: nobody sees that state except through the log. */
static enum decided commit(struct desk *desk, const struct source *source, int which,
                           const struct fence *after)
{
    struct message *outcome = &desk->service->outcome;
    if (append(desk, outcome, source, which, after) != BUS_OK)
        return DECIDED_BLOCKED;
    if (outcome->at_ms > desk->last_ms)
        desk->last_ms = outcome->at_ms;
    desk->service->descriptor->apply(desk->state, outcome);
    vitals_outcome(&desk->service->vitals, outcome);
    if (log_wants(LOG_DEBUG))
        say_decided(desk, source);
    return DECIDED;
}

/* ---- refusals of what never reaches the core ------------------------------------------------- */

static bool refuse_unreadable(struct desk *desk, enum envelope_result result,
                              const struct message *input, const struct codec_error *error,
                              struct message *outcome)
{
    struct arena *arena = &desk->service->arena;
    const char *detail = arena_text(arena, text_of(error->detail)).data;
    switch (result) {
    case ENVELOPE_OK:
        return false;
    case ENVELOPE_UNDECODABLE:
        return refuse(outcome, input, code_undecodable, NULL, detail);
    case ENVELOPE_UNKNOWN_TYPE:
        return refuse(outcome, input, code_unknown_type, NULL, detail);
    case ENVELOPE_INVALID:
        return refuse(outcome, input, code_invalid, arena_text(arena, text_of(error->field)).data,
                      detail);
    }
    return false;
}

static bool refuse_misrouted(struct desk *desk, const struct message *input,
                             struct message *outcome)
{
    int right = topic_partition_of(input->show_id, desk->service->installation.partition_count);
    if (right == desk->partition)
        return false;
    return refuse(outcome, input, code_misrouted, NULL,
                  arena_print(&desk->service->arena,
                              "show '%.*s' belongs into partition %d, this came in %d; let the key "
                              "be the show_id and the partitioner CRC-32 (librdkafka: "
                              "consistent_random)",
                              TEXT_PRINT(input->show_id), right, desk->partition)
                      .data);
}

/* ---- deciding -------------------------------------------------------------------------------- */

/* What the core may answer is declared, and others rely on it: the checks of contract/, whoever
 * reads schemas/asyncapi.yaml. Better that this owner dies of it before it is written. */
static void assert_declared(const struct service_descriptor *service, enum message_type input,
                            enum message_type outcome)
{
    bool declared = service_allows(service, input, outcome);
    if (!declared)
        log_line(
            LOG_ERROR, service->name,
            "cannot answer %s with %s: its reactions do not allow it; mend the core, or declare "
            "the outcome in services/%s/%s_service.c",
            input == MESSAGE_NONE ? "the timer" : message_name(input), message_name(outcome),
            service->name, service->name);
    assert(declared);
}

static bool ask_core(struct desk *desk, int64_t now_ms)
{
    struct service *service = desk->service;
    const struct message *input = &service->message;
    bool any = service->descriptor->decide(desk->state, input, now_ms, &service->outcome);
    if (any)
        assert_declared(service->descriptor, input->type, service->outcome.type);
    return any;
}

static bool refuse_deadly(struct desk *desk, const struct source *source,
                          const struct message *input, struct message *outcome)
{
    static const char detail[] =
        "deciding on this ended the service five times; the fault is ours and is being looked at";
    return caution_refuses(desk, source) && refuse(outcome, input, code_internal, NULL, detail);
}

static bool outcome_of_command(struct desk *desk, enum envelope_result result, int64_t now_ms,
                               const struct codec_error *error)
{
    struct service *service = desk->service;
    struct message *input = &service->message, *outcome = &service->outcome;
    if (refuse_unreadable(desk, result, input, error, outcome) ||
        refuse_misrouted(desk, input, outcome))
        return true;
    return ask_core(desk, now_ms);
}

enum decided desk_decide(struct desk *desk, int which, int64_t offset,
                         const struct bus_record *record, const struct fence *after)
{
    struct service *service = desk->service;
    int topic = service->descriptor->inputs[which];
    struct place place = {topic, desk->partition, offset};
    struct source source = {false, text_of(topic_name(topic)), desk->partition, offset, 0};
    struct message *input = &service->message, *outcome = &service->outcome;
    struct codec_error error;
    int64_t now_ms = record->append_ms > desk->last_ms ? record->append_ms : desk->last_ms;
    arena_reset(&service->arena);
    outcome->arena = &service->arena;
    enum envelope_result result = envelope_read(record, &place, &service->arena, input, &error);
    if (result != ENVELOPE_OK && topic_is_events(topic)) {
        desk_lost(desk, topic, offset,
                  "an accepted event that this build cannot read: a newer build wrote it; update "
                  "this service too");
        return DECIDED_LOST;
    }
    bool any = refuse_deadly(desk, &source, input, outcome) ||
               (topic_is_events(topic) ? ask_core(desk, now_ms)
                                       : outcome_of_command(desk, result, now_ms, &error));
    bool noted = desk->cautious;
    caution_survived(desk, &source);
    if (!any) {
        /* Noted and harmless: say so at once, or the next owner notes it again. */
        desk->skipped = noted ? SERVICE_SKIPPED_MAX : desk->skipped + 1;
        desk->skipped_ms = service->now_ms;
        vitals_count(&service->vitals.skipped);
        return DECIDED_NOTHING;
    }
    complete(outcome, input, now_ms);
    source.crc = source_crc(record); /* over all of it, so only where it is written down */
    enum decided decided = commit(desk, &source, which, after);
    if (decided == DECIDED) {
        desk->inputs[which].source_offset = offset;
        desk->inputs[which].source_crc = source.crc;
        vitals_appended(desk, record->append_ms);
        desk_trace_decided(desk, topic, &source);
    }
    return decided;
}

enum decided desk_decide_due(struct desk *desk, int64_t at_ms)
{
    struct service *service = desk->service;
    struct message *outcome = &service->outcome;
    struct source timer = {.timer = true};
    int64_t now_ms = at_ms > desk->last_ms ? at_ms : desk->last_ms;
    arena_reset(&service->arena);
    outcome->arena = &service->arena;
    bool any = service->descriptor->due(desk->state, now_ms, outcome);
    assert(any);
    assert_declared(service->descriptor, MESSAGE_NONE, outcome->type);
    complete(outcome, NULL, now_ms);
    enum decided decided = commit(desk, &timer, -1, NULL);
    if (decided == DECIDED) {
        vitals_count(&service->vitals.timers);
        vitals_appended(desk, -1);
    }
    return decided;
}

enum decided desk_progress(struct desk *desk, const struct source *source)
{
    struct service *service = desk->service;
    struct message *progress = &service->outcome;
    message_init(progress, MESSAGE_Progress);
    message_set(progress, service, text_of(service->descriptor->name));
    arena_reset(&service->arena);
    complete(progress, NULL, desk->last_ms);
    return append(desk, progress, source, -1, NULL) == BUS_OK ? DECIDED : DECIDED_BLOCKED;
}
