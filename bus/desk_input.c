/* The inputs of a desk, merged by the log's own time.
 *
 * Live, records are handled as they come, straight from the bus's memory. In a backlog they are
 * queued and handled in the order of their append times, and what was due before a record's append
 * time is decided before that record: a payment logged before a hold's expiry finds the hold,
 * however late it is read. For that, something due at time D may be decided only when every input
 * has either a later record waiting or was read to an end asked for after D. */
#include "bus/desk.h"

#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <string.h>

/* ---- queues ---------------------------------------------------------------------------------- */

/* A record with more than 32 headers says 33 and brings 32 (bus.h). */
static int headers_there(const struct bus_record *record)
{
    return record->header_count < BUS_HEADERS_MAX ? record->header_count : BUS_HEADERS_MAX;
}

static size_t text_bytes(const struct bus_record *record)
{
    size_t size = record->key.size + record->value.size;
    for (int i = 0; i < headers_there(record); i++)
        size += record->headers[i].name.size + record->headers[i].value.size;
    return size;
}

static struct text copy_text(char **at, struct text text)
{
    struct text copy = {text.data ? *at : NULL, text.size};
    if (text.data && text.size)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

static struct queued *queued_new(const struct bus_record *record)
{
    size_t headers = sizeof(struct bus_header) * (size_t)headers_there(record);
    struct queued *queued = memory_new(sizeof *queued + headers + text_bytes(record));
    char *at = (char *)queued->headers + headers;
    queued->record = *record;
    queued->record.key = copy_text(&at, record->key);
    queued->record.value = copy_text(&at, record->value);
    queued->record.headers = queued->headers;
    for (int i = 0; i < headers_there(record); i++) {
        queued->headers[i].name = copy_text(&at, record->headers[i].name);
        queued->headers[i].value = copy_text(&at, record->headers[i].value);
    }
    return queued;
}

static int topic_of(const struct desk *desk, const struct input *input)
{
    return desk->service->descriptor->inputs[input - desk->inputs];
}

static void enqueue(struct desk *desk, struct input *input, int64_t offset,
                    const struct bus_record *record)
{
    struct queued *queued = queued_new(record);
    queued->offset = offset;
    queued->after = fence_position(&input->read);
    if (input->last)
        input->last->next = queued;
    else
        input->first = queued;
    input->last = queued;
    if (++input->queue_size >= SERVICE_QUEUE_MAX && !input->paused) {
        input->paused = true;
        bus_unfollow(desk->service->bus, topic_of(desk, input), desk->partition);
    }
}

static void dequeue(struct desk *desk, struct input *input)
{
    struct queued *queued = input->first;
    input->first = queued->next;
    if (input->first == NULL)
        input->last = NULL;
    input->position = input->first ? queued->after : fence_position(&input->read);
    memory_free(queued);
    if (--input->queue_size == SERVICE_QUEUE_MAX / 2 && input->paused) {
        input->paused = false;
        bus_follow(desk->service->bus, topic_of(desk, input), desk->partition, input->read.next);
    }
}

/* ---- starting and stopping ------------------------------------------------------------------- */

void inputs_start(struct desk *desk)
{
    desk->recovered = false;
    desk->ask_again_ms = desk->service->now_ms;
    for (int i = 0; i < desk->service->descriptor->input_count; i++) {
        struct input *input = &desk->inputs[i];
        input->read = input->position;
        input->target = -1;
        input->started = input->position.next;
        input->checking = input->source_offset >= 0;
        bus_follow(desk->service->bus, topic_of(desk, input), desk->partition,
                   input->checking ? input->source_offset : input->position.next);
    }
}

void inputs_stop(struct desk *desk)
{
    for (int i = 0; i < desk->service->descriptor->input_count; i++) {
        struct input *input = &desk->inputs[i];
        struct fence position = input->position;
        input->paused = false; /* or emptying the queue would follow the topic again */
        bus_unfollow(desk->service->bus, topic_of(desk, input), desk->partition);
        while (input->first)
            dequeue(desk, input);
        input->position = input->read = position;
    }
}

/* ---- what may be handled now ----------------------------------------------------------------- */

int64_t desk_log_now(const struct desk *desk)
{
    return service_log_ms(desk->service, desk->partition, desk->service->now_ms);
}

int64_t desk_due_at(const struct desk *desk)
{
    const struct service_descriptor *descriptor = desk->service->descriptor;
    return descriptor->due_at ? descriptor->due_at(desk->state) : INT64_MAX;
}

bool desk_ask_end(struct desk *desk, int topic, int64_t *end)
{
    int64_t now_ms = desk->service->now_ms;
    if (now_ms < desk->ask_again_ms || desk->service->unanswered_ms == now_ms)
        return false;
    if (bus_end(desk->service->bus, topic, desk->partition, end) == BUS_OK)
        return true;
    desk->ask_again_ms = now_ms + SERVICE_BACKOFF_MIN_MS;
    desk->service->unanswered_ms = now_ms;
    return false;
}

/* Asks the bus where the input ends now, so that everything appended by `log_ms` is known to be
 * read. */
static bool ask_end(struct desk *desk, struct input *input, int64_t log_ms)
{
    int64_t end;
    if (!desk_ask_end(desk, topic_of(desk, input), &end))
        return false;
    if (end < input->position.next) {
        desk_lost(desk, topic_of(desk, input), input->position.next,
                  "the log ends before what was already handled");
        return false;
    }
    input->target = end;
    input->asked_ms = log_ms;
    return true;
}

/* Whether nothing older than what is in the queues can still come. */
static bool read_far_enough(const struct desk *desk)
{
    for (int i = 0; i < desk->service->descriptor->input_count; i++) {
        const struct input *input = &desk->inputs[i];
        if (input->checking || (input->first == NULL && input->read.next < input->target))
            return false;
    }
    return true;
}

static bool know_targets(struct desk *desk)
{
    for (int i = 0; i < desk->service->descriptor->input_count; i++)
        if (desk->inputs[i].target < 0 && !ask_end(desk, &desk->inputs[i], desk_log_now(desk)))
            return false;
    return true;
}

/* The same for what is due at `due_ms`: asks again where the answer is older than that. */
static bool may_decide_due(struct desk *desk, int64_t due_ms)
{
    int64_t log_ms = desk_log_now(desk) > due_ms ? desk_log_now(desk) : due_ms;
    for (int i = 0; i < desk->service->descriptor->input_count; i++) {
        struct input *input = &desk->inputs[i];
        if (input->first == NULL && input->asked_ms < due_ms && !ask_end(desk, input, log_ms))
            return false;
    }
    return read_far_enough(desk);
}

static struct input *oldest(struct desk *desk)
{
    struct input *found = NULL;
    for (int i = 0; i < desk->service->descriptor->input_count; i++) {
        struct input *input = &desk->inputs[i];
        if (input->first &&
            (found == NULL || input->first->record.append_ms < found->first->record.append_ms))
            found = input;
    }
    return found;
}

static bool blocked(struct desk *desk, enum decided decided)
{
    if (decided == DECIDED_BLOCKED)
        desk->blocked = true;
    return decided == DECIDED_BLOCKED || decided == DECIDED_LOST;
}

/* One decision, or none: false when there is nothing more to do in this turn. */
static bool work_once(struct desk *desk)
{
    if (!know_targets(desk) || desk->phase != DESK_RUNNING || !read_far_enough(desk))
        return false;
    struct input *input = oldest(desk);
    int64_t due_ms = desk_due_at(desk);
    int64_t until_ms = input ? input->first->record.append_ms : desk_log_now(desk);
    if (due_ms <= until_ms) {
        if (!may_decide_due(desk, due_ms))
            return false;
        return desk->phase == DESK_RUNNING && !blocked(desk, desk_decide_due(desk, due_ms));
    }
    if (input == NULL) {
        desk->recovered = true;
        return false;
    }
    int which = (int)(input - desk->inputs);
    struct queued *first = input->first;
    if (!caution_passes(desk, which, first->offset, &first->record))
        return false;
    if (blocked(desk, desk_decide(desk, which, first->offset, &first->record, &first->after)))
        return false;
    input->handled_ms = first->record.append_ms;
    dequeue(desk, input);
    return true;
}

void inputs_work(struct desk *desk)
{
    while (desk->phase == DESK_RUNNING && !desk->blocked && work_once(desk))
        ;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The last source again: it must be the record that was decided on. */
static void check_source(struct desk *desk, struct input *input, int64_t offset,
                         const struct bus_record *record)
{
    if (offset != input->source_offset || source_crc(record) != input->source_crc) {
        desk_lost(desk, topic_of(desk, input), input->source_offset,
                  "it no longer has the record that the last outcome answered");
        return;
    }
    input->checking = false;
    if (input->position.next != offset + 1)
        bus_follow(desk->service->bus, topic_of(desk, input), desk->partition,
                   input->position.next);
}

/* Moves the reading behind the record; true when it is one to decide on. */
static bool pass_fence(struct desk *desk, struct input *input, int64_t offset,
                       const struct bus_record *record)
{
    struct fence_reading reading;
    if (!topic_is_events(topic_of(desk, input))) {
        input->read.next = offset + 1;
        return true;
    }
    switch (fence_read(&input->read, offset, record, &reading)) {
    case FENCE_ACCEPTED:
        return true;
    case FENCE_CLAIMED:
        if (!text_is(reading.installation, desk->service->installation.id))
            desk_lost(desk, topic_of(desk, input), offset, "a claim of another installation");
        return false;
    case FENCE_VOID:
        vitals_count(&desk->service->vitals.voids);
        return false;
    case FENCE_INSTALLED:
    case FENCE_PROGRESS:
        return false;
    case FENCE_DOUBT:
        bus_follow(desk->service->bus, topic_of(desk, input), desk->partition, input->read.doubt);
        return false;
    case FENCE_CLEARED:
        bus_follow(desk->service->bus, topic_of(desk, input), desk->partition, input->read.next);
        return false;
    case FENCE_LOST:
        desk_lost(desk, topic_of(desk, input), offset, reading.why);
        return false;
    }
    return false;
}

/* Live: nothing waits anywhere, and nothing is due before this record. */
static bool may_handle_now(const struct desk *desk, const struct bus_record *record)
{
    if (desk->blocked || !desk->recovered || desk->cautious)
        return false;
    for (int i = 0; i < desk->service->descriptor->input_count; i++)
        if (desk->inputs[i].first || desk->inputs[i].read.next < desk->inputs[i].target)
            return false;
    return desk_due_at(desk) > record->append_ms;
}

void inputs_read(struct desk *desk, int which, int64_t offset, const struct bus_record *record)
{
    struct input *input = &desk->inputs[which];
    if (desk->phase != DESK_RUNNING)
        return;
    if (input->checking) {
        check_source(desk, input, offset, record);
        return;
    }
    if (offset < input->read.next && !input->read.in_doubt)
        return;
    bool decidable = pass_fence(desk, input, offset, record);
    if (desk->phase != DESK_RUNNING)
        return;
    if (!decidable) {
        if (input->first == NULL)
            input->position = fence_position(&input->read);
        return;
    }
    if (may_handle_now(desk, record)) {
        enum decided decided = desk_decide(desk, which, offset, record, &input->read);
        if (decided == DECIDED_LOST)
            return;
        if (!blocked(desk, decided)) {
            input->position = input->read;
            input->handled_ms = record->append_ms;
            desk->service->decided_live = decided == DECIDED;
            return;
        }
    }
    enqueue(desk, input, offset, record);
}

void inputs_caught_up(struct desk *desk, int which, int64_t offset)
{
    struct input *input = &desk->inputs[which];
    if (desk->phase != DESK_RUNNING || input->checking || input->paused || input->read.in_doubt ||
        offset <= input->read.next)
        return;
    input->read.next = offset;
    if (input->first == NULL)
        input->position = fence_position(&input->read);
}
