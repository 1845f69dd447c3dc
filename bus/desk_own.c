/* Reading the own event partition: folding what others decided, and watching what becomes of our
 * own word. */
#include "bus/desk.h"

#include "base/log.h"

/* Our claim is the current one: from here on we decide. */
static void begin(struct desk *desk, int64_t offset, const struct bus_record *record)
{
    struct service *service = desk->service;
    desk->claiming = false;
    desk->claim_ms = INT64_MAX;
    desk->epoch = offset;
    desk->n = 0;
    desk->skipped = 0;
    desk->running_ms = service->now_ms;
    desk->log_clock_ms = record->append_ms;
    desk->log_mono_ms = service->now_ms;
    desk->phase = desk->assigned && !service->stopping ? DESK_RUNNING : DESK_RETIRED;
    caution_begin(desk);
    desk_say(desk, LOG_INFO, "claimed at %lld", (long long)offset);
    if (desk->phase == DESK_RUNNING)
        inputs_start(desk);
}

/* Somebody claimed behind us. What we appended before and did not see accepted is void or unknown.
 */
static void fenced(struct desk *desk, bool clean)
{
    vitals_count(&desk->service->vitals.fenced);
    desk_say(desk, LOG_INFO, "fenced by a newer claim at %lld", (long long)desk->own.claim);
    if (!clean) {
        desk_step_down(desk, "appends before the newer claim are not all accepted");
    } else {
        inputs_stop(desk);
        desk->phase = DESK_FOLDING;
        desk->serial++;
    }
    if (desk->assigned)
        desk_claim_later(desk, 2 * SERVICE_BACKOFF_MIN_MS); /* half of it at the least */
}

static void read_claim(struct desk *desk, int64_t offset, const struct bus_record *record,
                       const struct fence_reading *reading, const struct fence *before)
{
    caution_read_claim(desk);
    if (!text_is(reading->installation, desk->service->installation.id)) {
        desk_lost(desk, desk->service->descriptor->output, offset,
                  "a claim of another installation");
        return;
    }
    if (desk_holds_claim(desk))
        fenced(desk, before->n == desk->n);
    else if (desk->claiming && reading->nonce == desk->nonce)
        begin(desk, offset, record);
}

static void remember_source(struct desk *desk, struct text header)
{
    const struct service_descriptor *descriptor = desk->service->descriptor;
    struct source source;
    if (!source_parse(header, &source) || source.timer)
        return;
    for (int i = 0; i < descriptor->input_count; i++) {
        if (!text_is(source.topic, topic_name(descriptor->inputs[i])))
            continue;
        desk->inputs[i].source_offset = source.offset;
        desk->inputs[i].source_crc = source.crc;
    }
}

static bool remember_positions(struct desk *desk, struct text header)
{
    const struct service_descriptor *descriptor = desk->service->descriptor;
    struct fence positions[FENCE_INPUTS_MAX];
    if (!positions_parse(header, positions, descriptor->input_count))
        return false;
    for (int i = 0; i < descriptor->input_count; i++)
        desk->inputs[i].position = positions[i];
    return true;
}

/* An outcome of whoever owned the partition: apply it, as its writer did. */
static void fold(struct desk *desk, int64_t offset, const struct bus_record *record,
                 const struct fence_reading *reading, bool progress)
{
    struct service *service = desk->service;
    struct place place = {service->descriptor->output, desk->partition, offset};
    struct codec_error error;
    if (!remember_positions(desk, reading->positions)) {
        desk_lost(desk, place.topic, offset, "its sd_positions cannot be read by this build");
        return;
    }
    if (progress) {
        caution_read_note(desk, reading->source);
        return;
    }
    caution_read_outcome(desk);
    arena_reset(&service->arena);
    if (envelope_read(record, &place, &service->arena, &service->message, &error) != ENVELOPE_OK) {
        desk_lost(desk, place.topic, offset,
                  "an accepted record that this build cannot read: a newer build was here; start "
                  "that one again");
        return;
    }
    remember_source(desk, reading->source);
    if (service->message.at_ms > desk->last_ms)
        desk->last_ms = service->message.at_ms;
    service->descriptor->apply(desk->state, &service->message);
}

/* The log's clock may be set while we own: what came back was appended between our append and now,
 * so the clock shows at least its time now, and showed no more than that when we appended it. */
static void follow_clock(struct desk *desk, int64_t append_ms)
{
    int64_t now_ms = desk->service->now_ms;
    bool last = desk->own.n == desk->n;
    if (append_ms > desk_log_now(desk)) {
        desk->log_clock_ms = append_ms;
        desk->log_mono_ms = now_ms;
    } else if (last && append_ms + (now_ms - desk->appended_ms) < desk_log_now(desk)) {
        desk->log_clock_ms = append_ms;
        desk->log_mono_ms = desk->appended_ms;
    }
}

/* One of ours came back; or a stranger wrote our next stamp, and all behind it would be void. */
static void read_back(struct desk *desk, const struct bus_record *record,
                      const struct fence_reading *reading, bool progress)
{
    if (reading->stamp.n > desk->n) {
        desk_step_down(desk, "somebody else wrote with our stamp");
        return;
    }
    follow_clock(desk, record->append_ms);
    vitals_read_back(desk, reading->stamp.n, record->append_ms);
    desk_trace_read_back(desk, reading->stamp.n);
    desk->unread_ms = desk->service->now_ms;
    if (!progress)
        caution_read_outcome(desk);
}

static void read_accepted(struct desk *desk, int64_t offset, const struct bus_record *record,
                          const struct fence_reading *reading, bool progress)
{
    if (desk->phase == DESK_FOLDING)
        fold(desk, offset, record, reading, progress);
    else
        read_back(desk, record, reading, progress);
}

static void read_void(struct desk *desk, const struct fence_reading *reading)
{
    bool ours = desk_holds_claim(desk) && reading->stamp.claim == desk->epoch &&
                reading->stamp.nonce == desk->nonce;
    vitals_count(&desk->service->vitals.voids);
    /* A doubled record of ours does no harm; one behind a gap means that an append got lost. */
    if (ours && reading->stamp.n > desk->own.n)
        desk_step_down(desk, "a record of ours is void");
}

void desk_read_own(struct desk *desk, int64_t offset, const struct bus_record *record)
{
    struct fence before = desk->own;
    struct fence_reading reading;
    int topic = desk->service->descriptor->output;
    if (desk->phase == DESK_LOST || (offset < desk->own.next && !desk->own.in_doubt))
        return;
    switch (fence_read(&desk->own, offset, record, &reading)) {
    case FENCE_INSTALLED:
        return;
    case FENCE_CLAIMED:
        read_claim(desk, offset, record, &reading, &before);
        return;
    case FENCE_ACCEPTED:
        read_accepted(desk, offset, record, &reading, false);
        return;
    case FENCE_PROGRESS:
        read_accepted(desk, offset, record, &reading, true);
        return;
    case FENCE_VOID:
        read_void(desk, &reading);
        return;
    case FENCE_DOUBT:
        bus_follow(desk->service->bus, topic, desk->partition, desk->own.doubt);
        return;
    case FENCE_CLEARED:
        bus_follow(desk->service->bus, topic, desk->partition, desk->own.next);
        return;
    case FENCE_LOST:
        desk_lost(desk, topic, offset, reading.why);
        return;
    }
}
