/* The life of a desk: claiming, stepping down, giving up. */
#include "bus/desk.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/version.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

void desk_say(const struct desk *desk, int level, const char *format, ...)
{
    char subject[64];
    struct buffer line = {0};
    va_list arguments;
    snprintf(subject, sizeof subject, "%s/%d", desk->service->descriptor->name, desk->partition);
    va_start(arguments, format);
    buffer_vprint(&line, format, arguments);
    va_end(arguments);
    log_line((enum log_level)level, subject, "%s", line.data);
    buffer_release(&line);
}

uint64_t desk_tag(const struct desk *desk)
{
    return desk->serial << 16 | (uint64_t)desk->partition;
}

/* Forgets everything that came from the log. */
static void forget(struct desk *desk)
{
    const struct service_descriptor *descriptor = desk->service->descriptor;
    inputs_stop(desk);
    if (desk->state)
        descriptor->state_free(desk->state);
    desk->state = NULL;
    desk->own = fence_start();
    desk->last_ms = 0;
    desk->claims_since = desk->tries = 0;
    desk->cautious = false;
    for (int i = 0; i < descriptor->input_count; i++)
        desk->inputs[i] =
            (struct input){.position = fence_start(), .read = fence_start(), .source_offset = -1};
    desk->serial++; /* answers to what is still in flight are no longer ours */
    desk->claiming = false;
}

void desk_release(struct desk *desk)
{
    forget(desk);
    memory_free(desk->told);
}

/* The way into FOLDING from nothing: read the own partition from the start. */
static void fold_from_start(struct desk *desk)
{
    forget(desk);
    desk->state = desk->service->descriptor->state_new();
    desk->phase = DESK_FOLDING;
    bus_follow(desk->service->bus, desk->service->descriptor->output, desk->partition, 0);
}

void desk_init(struct desk *desk, struct service *service, int partition)
{
    desk->service = service;
    desk->partition = partition;
    desk->own_at_start = -1;
    desk->claim_ms = INT64_MAX;
    desk->backoff_ms = SERVICE_RETRY_MS;
    fold_from_start(desk);
}

void desk_claim_later(struct desk *desk, int64_t at_least_ms)
{
    if (desk->backoff_ms < at_least_ms)
        desk->backoff_ms = at_least_ms;
    int64_t jitter = (int64_t)prng_below(&desk->service->prng, (uint64_t)desk->backoff_ms / 2 + 1);
    desk->claim_ms = desk->service->now_ms + desk->backoff_ms / 2 + jitter;
    desk->backoff_ms *= 2;
    if (desk->backoff_ms > SERVICE_BACKOFF_MAX_MS)
        desk->backoff_ms = SERVICE_BACKOFF_MAX_MS;
}

bool desk_is_warm(struct desk *desk)
{
    struct service *service = desk->service;
    int64_t end, seen = desk->own.next > desk->own_seen ? desk->own.next : desk->own_seen;
    if (desk->phase == DESK_LOST)
        return true;
    if (desk->own_at_start < 0 && desk_ask_end(desk, service->descriptor->output, &end))
        desk->own_at_start = end;
    return desk->own_at_start >= 0 && seen >= desk->own_at_start;
}

/* ---- claims ---------------------------------------------------------------------------------- */

static const struct bus_record *claim_record(struct desk *desk)
{
    struct service *service = desk->service;
    struct message claim;
    struct buffer *mark = &service->header;
    message_init(&claim, MESSAGE_Claimed);
    message_set(&claim, installation, text_of(service->installation.id));
    message_set(&claim, partitions, service->installation.partition_count);
    message_set(&claim, service, text_of(service->descriptor->name));
    message_set(&claim, instance, text_of(service->options.instance));
    message_set(&claim, host, text_of(service->host));
    message_set(&claim, pid, getpid());
    message_set(&claim, version, text_of(STAGEDOOR_VERSION));
    message_set(&claim, rules, service->descriptor->rules);
    envelope_open(&service->envelope, &claim, SPEAKER_bus);
    buffer_clear(mark);
    buffer_print(mark, "%016llx/%s", (unsigned long long)desk->nonce, service->installation.id);
    envelope_header(&service->envelope, "sd_claim", buffer_view(mark));
    return envelope_close(&service->envelope);
}

static void claim(struct desk *desk)
{
    struct service *service = desk->service;
    desk->serial++;
    desk->nonce = prng_next(&service->prng);
    enum bus_result result = bus_append(service->bus, service->descriptor->output, desk->partition,
                                        claim_record(desk), desk_tag(desk));
    assert(result == BUS_OK || result == BUS_FULL);
    desk->claiming = result == BUS_OK;
    desk->claim_at = -1;
    desk->unread_ms = service->now_ms;
    vitals_count(&service->vitals.claims);
    desk_claim_later(desk, SERVICE_RETRY_MS);
    if (desk->claiming)
        desk->claim_ms = INT64_MAX; /* until it is read, fails, or is not read for too long */
}

void desk_assigned(struct desk *desk)
{
    desk->assigned = true;
    desk->backoff_ms = SERVICE_RETRY_MS;
    switch (desk->phase) {
    case DESK_RETIRED: /* no newer claim in between: the epoch goes on */
        desk->phase = DESK_RUNNING;
        inputs_start(desk);
        return;
    case DESK_FOLDING:
        if (!desk->claiming)
            desk->claim_ms = desk->service->now_ms;
        return;
    case DESK_RUNNING:
    case DESK_LOST:
        return;
    }
}

void desk_revoked(struct desk *desk)
{
    desk->assigned = false;
    desk->claim_ms = INT64_MAX;
    if (desk->phase != DESK_RUNNING)
        return;
    if (!desk->service->stopping)
        desk_say(desk, LOG_INFO, "given to another; followed until it has claimed it");
    inputs_stop(desk);
    desk->phase = DESK_RETIRED;
}

void desk_step_down(struct desk *desk, const char *why)
{
    desk_say(desk, LOG_WARNING, "stepping down: %s; recovering from the log", why);
    vitals_count(&desk->service->vitals.stepped_down);
    fold_from_start(desk);
    if (desk->assigned)
        desk_claim_later(desk, SERVICE_RETRY_MS);
}

void desk_lost(struct desk *desk, int topic, int64_t offset, const char *why)
{
    desk_say(desk, LOG_ERROR,
             "stopped: %s partition %d at offset %lld: %s; %s until a person has looked",
             topic_name(topic), desk->partition, (long long)offset, why,
             desk->assigned ? "nothing is sold from this partition"
                            : "this process cannot take it over");
    vitals_count(&desk->service->vitals.lost);
    bus_unfollow(desk->service->bus, desk->service->descriptor->output, desk->partition);
    forget(desk);
    desk->phase = DESK_LOST;
    desk->claim_ms = INT64_MAX;
}

/* Only for people: what counts is the claim as it is read back. */
void desk_appended(struct desk *desk, uint64_t tag, int64_t offset)
{
    if (desk->claiming && tag == desk_tag(desk))
        desk->claim_at = offset;
}

void desk_failed(struct desk *desk, uint64_t tag, const char *reason)
{
    if (tag != desk_tag(desk))
        return; /* of an epoch we have left already */
    if (desk->claiming) {
        desk->claiming = false;
        if (desk->assigned)
            desk_claim_later(desk, SERVICE_RETRY_MS);
        return;
    }
    if (desk_holds_claim(desk))
        desk_step_down(desk, reason ? reason : "an append failed");
}

/* ---- once a turn ----------------------------------------------------------------------------- */

static void tend_claim(struct desk *desk)
{
    int64_t now_ms = desk->service->now_ms;
    if (desk->claiming && now_ms - desk->unread_ms > SERVICE_UNREAD_MS) {
        desk->claiming = false;
        if (desk->assigned)
            desk_claim_later(desk, SERVICE_RETRY_MS);
    }
    if (desk->assigned && now_ms >= desk->claim_ms && !desk->service->stopping)
        claim(desk);
}

static void tend_running(struct desk *desk)
{
    int64_t now_ms = desk->service->now_ms;
    if (desk->n > desk->own.n && now_ms - desk->unread_ms > SERVICE_UNREAD_MS) {
        desk_step_down(desk, "an append was not read back for 10 s");
        return;
    }
    if (desk->phase != DESK_RUNNING)
        return;
    if (now_ms - desk->running_ms > SERVICE_BACKOFF_MAX_MS)
        desk->backoff_ms = SERVICE_RETRY_MS;
    inputs_work(desk);
    if (desk->phase != DESK_RUNNING || desk->skipped == 0)
        return;
    if (desk->skipped >= SERVICE_SKIPPED_MAX || now_ms - desk->skipped_ms >= SERVICE_IDLE_MS)
        desk_progress(desk, NULL);
}

void desk_tend(struct desk *desk)
{
    desk->blocked = false;
    switch (desk->phase) {
    case DESK_FOLDING:
        tend_claim(desk);
        return;
    case DESK_RUNNING:
    case DESK_RETIRED:
        tend_running(desk);
        return;
    case DESK_LOST:
        return;
    }
}
