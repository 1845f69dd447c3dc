/* The loop: hands the bus's events to the desks they concern, then lets each desk do what it may.
 */
#include "bus/service.h"

#include "base/log.h"
#include "base/memory.h"
#include "bus/desk.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

enum { EVENTS_PER_TURN_MAX = 4096, TICK_MS = 100 };

/* Takes a place in the group once it knows what was decided so far: whoever is given a partition
 * takes it from somebody who could go on at once. */
static void join(struct service *service)
{
    const struct service_descriptor *descriptor = service->descriptor;
    bool warm = true;
    for (int i = 0; i < service->desk_count; i++)
        warm = desk_is_warm(&service->desks[i]) && warm;
    atomic_store_explicit(&service->vitals.warm, warm, memory_order_relaxed);
    if (!warm)
        return;
    service->joined = bus_join(service->bus, descriptor->name, descriptor->inputs,
                               descriptor->input_count) == BUS_OK;
}

struct service *service_new(struct bus *bus, const struct service_descriptor *descriptor,
                            const struct installation *installation,
                            const struct service_options *options)
{
    int partitions = installation->partition_count;
    struct service *service =
        memory_new(sizeof *service + (size_t)partitions * sizeof *service->desks);
    service->bus = bus;
    service->descriptor = descriptor;
    service->installation = *installation;
    service->options = *options;
    service->prng.state = options->seed;
    service->desk_count = partitions;
    service->vitals.deciding.bounds_us = histogram_short_us;
    if (gethostname(service->host, sizeof service->host - 1) != 0 || service->host[0] == '\0')
        memcpy(service->host, "unknown", sizeof "unknown");
    for (int i = 0; i < partitions; i++)
        desk_init(&service->desks[i], service, i);
    return service;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    for (int i = 0; i < service->desk_count; i++)
        desk_release(&service->desks[i]);
    arena_release(&service->arena);
    arena_release(&service->check_arena);
    buffer_release(&service->header);
    envelope_release(&service->envelope);
    memory_free(service);
}

bool service_allows(const struct service_descriptor *descriptor, enum message_type input,
                    enum message_type outcome)
{
    for (int i = 0; i < descriptor->reaction_count; i++) {
        const struct service_reaction *reaction = &descriptor->reactions[i];
        for (int k = 0; reaction->input == input && k < reaction->outcome_count; k++)
            if (reaction->outcomes[k] == outcome)
                return true;
    }
    return false;
}

/* ---- one event ------------------------------------------------------------------------------- */

static int input_of(const struct service *service, int topic)
{
    for (int i = 0; i < service->descriptor->input_count; i++)
        if (service->descriptor->inputs[i] == topic)
            return i;
    return -1;
}

static void take_record(struct service *service, const struct bus_event *event)
{
    struct desk *desk = &service->desks[event->partition];
    if (event->topic == service->descriptor->output) {
        desk_read_own(desk, event->offset, &event->record);
        return;
    }
    int which = input_of(service, event->topic);
    assert(which >= 0);
    inputs_read(desk, which, event->offset, &event->record);
}

static void take_event(struct service *service, const struct bus_event *event)
{
    switch (event->type) {
    case BUS_RECORD:
        take_record(service, event);
        return;
    case BUS_FAILED:
        desk_failed(&service->desks[event->partition], event->tag, event->reason);
        return;
    case BUS_ASSIGNED:
        desk_assigned(&service->desks[event->partition]);
        return;
    case BUS_REVOKED:
        desk_revoked(&service->desks[event->partition]);
        return;
    case BUS_SETTLED:
        service->settled = true;
        atomic_store_explicit(&service->vitals.settled, true, memory_order_relaxed);
        return;
    case BUS_LOST:
        desk_lost(&service->desks[event->partition], event->topic, event->offset,
                  event->reason ? event->reason : "the log does not have it");
        return;
    case BUS_DOWN:
        vitals_count(&service->vitals.outages);
        atomic_store_explicit(&service->vitals.down, true, memory_order_relaxed);
        log_line(LOG_WARNING, service->descriptor->name, "the bus is gone: %s; waiting for it",
                 event->reason ? event->reason : "no answer");
        return;
    case BUS_UP:
        vitals_count(&service->vitals.returns);
        atomic_store_explicit(&service->vitals.down, false, memory_order_relaxed);
        log_line(LOG_INFO, service->descriptor->name, "the bus is back");
        return;
    case BUS_CAUGHT_UP: /* over what is there but invisible to readers */
        if (event->topic == service->descriptor->output)
            service->desks[event->partition].own_seen = event->offset;
        else
            inputs_caught_up(&service->desks[event->partition], input_of(service, event->topic),
                             event->offset);
        return;
    case BUS_APPENDED: /* what counts is what is read back */
        desk_appended(&service->desks[event->partition], event->tag, event->offset);
        return;
    }
}

/* ---- one turn -------------------------------------------------------------------------------- */

/* How long the bus may be waited for: until something is due by itself. */
static int wait_of(const struct service *service, int wait_ms)
{
    for (int i = 0; i < service->desk_count; i++) {
        const struct desk *desk = &service->desks[i];
        int64_t left = wait_ms;
        if (desk->phase == DESK_RUNNING && !desk->recovered)
            left = TICK_MS / 10;
        else if (desk->phase == DESK_RUNNING && desk->state) {
            int64_t due_ms = desk_due_at(desk);
            left = due_ms == INT64_MAX ? wait_ms : due_ms - desk_log_now(desk);
        } else if (desk->claim_ms != INT64_MAX)
            left = desk->claim_ms - service->now_ms;
        if (desk->blocked)
            left = 1;
        if (left < wait_ms)
            wait_ms = left < 1 ? 1 : (int)left;
    }
    return wait_ms < TICK_MS ? wait_ms : TICK_MS;
}

static void tell_ready(struct service *service)
{
    struct buffer owned = {0};
    bool ready = service_ready(service);
    if (ready && !service->told_ready) {
        for (int i = 0; i < service->desk_count; i++)
            if (service->desks[i].phase == DESK_RUNNING)
                buffer_print(&owned, " %d", i);
        log_line(LOG_INFO, service->descriptor->name, "ready, owns%s of %d partitions",
                 owned.size ? owned.data : " none", service->desk_count);
    }
    if (ready != service->told_ready)
        service->vitals.looked_ms = 0; /* now is the time to look */
    service->told_ready = ready;
    atomic_store_explicit(&service->vitals.ready, ready, memory_order_relaxed);
    buffer_release(&owned);
}

/* What comes out may have been appended a moment ago: by the time of the turn's beginning its owner
 * would think that the log's clock shows more than it does. */
static bool poll(struct service *service, int wait_ms, struct bus_event *event)
{
    bool any = bus_poll(service->bus, wait_ms, event);
    if (service->options.clock_us == NULL)
        return any;
    int64_t before_us = service->now_us;
    service->now_us = service->options.clock_us();
    service->now_ms = service->now_us / 1000;
    if (service->decided_live)
        histogram_note(&service->vitals.deciding, service->now_us - before_us);
    service->decided_live = false;
    return any;
}

void service_step(struct service *service, int64_t now_ms, int wait_ms)
{
    struct bus_event event;
    service->now_ms = now_ms;
    service->now_us = now_ms * 1000;
    if (!service->joined && !service->stopping)
        join(service);
    bool any = poll(service, wait_of(service, wait_ms), &event);
    for (int i = 0; any && i < EVENTS_PER_TURN_MAX; i++) {
        take_event(service, &event);
        any = poll(service, 0, &event);
    }
    if (any)
        take_event(service, &event);
    for (int i = 0; i < service->desk_count; i++)
        desk_tend(&service->desks[i]);
    service->decided_live = false; /* or the wait for the next one would be counted as its time */
    tell_ready(service);
    vitals_look(service);
}

/* ---- asking ---------------------------------------------------------------------------------- */

bool service_ready(const struct service *service)
{
    for (int i = 0; i < service->desk_count; i++) {
        const struct desk *desk = &service->desks[i];
        if (desk->assigned && desk->phase != DESK_LOST &&
            (desk->phase != DESK_RUNNING || !desk->recovered))
            return false;
    }
    return service->settled;
}

bool service_drained(struct service *service)
{
    bool drained = true;
    service->stopping = true;
    for (int i = 0; i < service->desk_count; i++) {
        struct desk *desk = &service->desks[i];
        if (desk->phase == DESK_RUNNING)
            desk_revoked(desk);
        drained =
            drained && (desk->phase != DESK_RETIRED || desk->n == desk->own.n) && !desk->claiming;
    }
    return drained;
}

enum desk_phase service_phase(const struct service *service, int partition)
{
    return service->desks[partition].phase;
}

const void *service_state(const struct service *service, int partition)
{
    return service->desks[partition].state;
}

int64_t service_log_ms(const struct service *service, int partition, int64_t now_ms)
{
    const struct desk *desk = &service->desks[partition];
    return desk->log_clock_ms + (now_ms - desk->log_mono_ms);
}

const struct vitals *service_vitals(const struct service *service)
{
    return &service->vitals;
}

const struct desk_vitals *service_desk_vitals(const struct service *service, int partition)
{
    return &service->desks[partition].vitals;
}
